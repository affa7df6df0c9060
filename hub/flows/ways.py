"""What would make room for jobs that a plan left out: found after the plan, kept with its run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from hub.core.planning import Plan
from hub.core.ways_out import Change, WayOut, binding
from hub.core.ways_out_words import in_words
from hub.db.tables import BusinessRow, DriverRow, PlanRow, VehicleRow
from hub.explaining import explained
from hub.flows.day import Day

if TYPE_CHECKING:
    from hub.app import Hub

MOST_JOBS = 20  # of a run, the most important first: each takes a second or two
WITHIN_S = 45.0
ABOUT_THE_VAN = frozenset({Change.CAPACITY})


@dataclass(frozen=True, slots=True)
class WaySeen:
    """A sentence to follow "It fits if"; ``hours`` of ``driver_id`` that day which would do it,
    local times; empty where no change of hours does.
    """

    said: str
    driver_id: str = ""
    hours: tuple[str, str] | tuple[()] = ()


@dataclass(frozen=True, slots=True)
class WaysSeen:
    """``binding``: what stands in a job's way. ``looking``: it is not known yet."""

    binding: str = ""
    ways: tuple[WaySeen, ...] = ()
    looking: bool = False


def find_ways(hub: Hub, run: PlanRow, seen: Day, plan: Plan) -> None:
    """Find and keep them, one job after the other; ends early when another day waits to be planned.

    Safe to repeat. A later plan of the same day has ways of its own.
    """
    jobs = {job.id: job for job in seen.request.jobs}
    wanted = [jobs[id] for id in plan.unassigned if id in jobs and not jobs[id].optional]
    ids = [job.id for job in sorted(wanted, key=lambda one: (-one.priority, one.id))][:MOST_JOBS]
    if not ids:
        return
    names, zone = _names(hub, run.business_id, seen)
    _keep(hub, run, {id: {"looking": True} for id in ids})
    found: dict[str, Any] = {}
    halves = {id: jobs[id].pair_with for id in ids}
    try:
        for id, ways in explained(
            seen.request, plan, ids, WITHIN_S, lambda: _somebody_waits(hub, run)
        ):
            told = [_way(way, seen, names, zone) for way in ways]
            found[id] = {"binding": binding(ways), "ways": told}
            if (other := halves[id]) in halves:
                found[str(other)] = found[id]
            _keep(hub, run, found)
    finally:
        _keep(hub, run, found, over=True)


def ways_seen(plans: tuple[PlanRow, ...]) -> dict[str, WaysSeen]:
    """Job id -> what is known of it, from the latest runs of a day."""
    return {
        id: WaysSeen(
            told.get("binding", ""),
            tuple(
                WaySeen(way["said"], way.get("driver_id", ""), tuple(way.get("hours", ())))
                for way in told.get("ways", ())
            ),
            told.get("looking", False),
        )
        for plan in plans
        for id, told in plan.result.get("ways", {}).items()
    }


def _way(
    way: WayOut, seen: Day, names: Mapping[str, tuple[str, str]], zone: ZoneInfo
) -> dict[str, Any]:
    which = 1 if way.change in ABOUT_THE_VAN else 0
    said = in_words(way, seen.request, {id: both[which] for id, both in names.items()}, zone)
    told: dict[str, Any] = {"said": said, "change": way.change.value, "amount": way.amount}
    shift = next((one for one in seen.shifts if one.id == way.vehicle_id), None)
    if shift is not None and way.change in (Change.OVERTIME, Change.START_EARLIER):
        by = timedelta(seconds=-(-way.amount // 60) * 60)
        opens, closes = shift.starts_at, shift.ends_at
        if way.change is Change.OVERTIME:
            closes += by
        else:
            opens -= by
        told |= {"driver_id": shift.driver_id, "hours": [_hour(opens, zone), _hour(closes, zone)]}
    return told


def _keep(hub: Hub, run: PlanRow, ways: Mapping[str, Any], *, over: bool = False) -> None:
    """``ways`` added to what the run's row says; ``over``: nothing is looked for any more."""
    with hub.unit() as unit:
        row = unit.session.exec(
            select(PlanRow)
            .where(PlanRow.business_id == run.business_id, PlanRow.id == run.id)
            .with_for_update()
        ).one()
        known = {**row.result.get("ways", {}), **ways}
        if over:
            known = {id: told for id, told in known.items() if not told.get("looking")}
        row.result = {**row.result, "ways": known}


def _somebody_waits(hub: Hub, run: PlanRow) -> bool:
    """Whether any business waits for a plan, which comes before explaining this one."""
    with hub.reading() as session:
        waiting = select(PlanRow.id).where(col(PlanRow.state) == "waiting").limit(1)
        return session.exec(waiting).first() is not None


def _names(hub: Hub, business_id: str, seen: Day) -> tuple[dict[str, tuple[str, str]], ZoneInfo]:
    """Vehicle id of the request -> its driver's name, and the van's."""
    with hub.reading() as session:
        zone = ZoneInfo(session.get_one(BusinessRow, business_id).zone)
        drivers = dict(
            session.exec(
                select(DriverRow.id, DriverRow.name).where(DriverRow.business_id == business_id)
            ).all()
        )
        vans = dict(
            session.exec(
                select(VehicleRow.id, VehicleRow.name).where(VehicleRow.business_id == business_id)
            ).all()
        )
    names = {
        shift.id: (
            drivers[shift.driver_id],
            vans.get(shift.vehicle_id or "", drivers[shift.driver_id]),
        )
        for shift in seen.shifts
    }
    return names, zone


def _hour(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%H:%M}"

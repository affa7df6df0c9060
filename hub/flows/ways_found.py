"""After a plan: what would have to give for the jobs it leaves out, found and written down.

The drafts are there before anybody looks. A run whose looking is still to be done, or was
broken off with its worker, is over but holds a lease that has run out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlmodel import Session, col, select

from hub.core.errors import HubError
from hub.core.planning import Plan, completed
from hub.core.ways_out import WayOut, binding
from hub.core.ways_said import Crew, button, said, windowed
from hub.db.tables import (
    BusinessRow,
    DriverRow,
    PlanRow,
    ShiftRow,
    VehicleRow,
)
from hub.db.unit import took_one
from hub.flows.day import Day, read_day
from hub.flows.drafts import drafted
from hub.looking import Found, look

if TYPE_CHECKING:
    from hub.app import Hub

LOOKED_AT = 20  # jobs: the most urgent; who reads more than that has another problem
WITHIN_S = 60.0  # for all of them together; one takes 1 to 9 s of a processor, by the day
LEASE = timedelta(seconds=60)
RENEWED_S = 15.0
ROOM = "room"  # the kind of a way out that changes nothing but who drives where
PLAN_AGAIN = "There is room for it after all, if others move over."
UNKNOWN = "There was no time to try every change. Nothing was found so far."
NOT_ALL = " There was no time to try every kind of change."


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of a job. ``kind`` is a ``Change`` or ``room``; ``button`` is empty where the
    hub cannot make the change. ``n`` counts them. ``window``: the job whose window is moved.
    """

    n: int
    kind: str
    amount: int
    vehicle_id: str
    said: str
    button: str
    window: str
    routes: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class WaysSeen:
    """What stands in a job's way, in a sentence, and what would do instead."""

    plan_id: str
    stands: str
    ways: tuple[Way, ...]


def ways_seen(run: PlanRow) -> dict[str, WaysSeen]:
    """Job id -> what was found for it after this run."""
    jobs = run.result.get("ways", {}).get("jobs", {})
    return {
        id: WaysSeen(
            run.id,
            one["stands"],
            tuple(Way(n, **way) for n, way in enumerate(one["ways"])),
        )
        for id, one in jobs.items()
    }


def is_looking(run: PlanRow) -> bool:
    """Somebody looks, or soon will, for what would help."""
    return run.state in ("done", "cancelled") and run.leased_until is not None


def not_looked_at(run: PlanRow) -> int:
    """How many of those left out were too many to look at."""
    return int(run.result.get("ways", {}).get("more", 0))


def look_for_ways(hub: Hub) -> bool:
    """Take one run that is over and not yet looked at; ``False`` if there is none.

    Any number may do this.
    """
    run = _claim(hub)
    if run is None:
        return False
    try:
        _look(hub, run)
    except (HubError, LookupError) as problem:  # the day is no longer one to plan
        hub.tools.log.info("plan=%s is not looked at: %s", run.id, problem)
    except Exception:  # looking is a help: a bug in it must not come back every minute
        hub.tools.log.exception("plan=%s could not be looked at", run.id)
    with suppress(_Lost):
        _write(hub, run, None)
    return True


class _Lost(Exception):
    """Another worker looks: our lease ran out."""


def _claim(hub: Hub) -> PlanRow | None:
    now = datetime.now(UTC)
    free = (col(PlanRow.state).in_(("done", "cancelled")), col(PlanRow.leased_until) < now)
    with hub.reading() as session:
        found = session.exec(select(PlanRow).where(*free).order_by(col(PlanRow.created_at))).first()
    if found is None:
        return None
    lease = now + LEASE
    with hub.unit() as unit:
        taken = took_one(
            unit.session.exec(
                update(PlanRow)
                .where(
                    col(PlanRow.business_id) == found.business_id,
                    col(PlanRow.id) == found.id,
                    *free,
                )
                .values(leased_until=lease)
            )
        )
    found.leased_until = lease
    return found if taken else None


def _look(hub: Hub, run: PlanRow) -> None:
    aim = run.progress.get("aim")
    seen = read_day(hub, run.business_id, run.day, 0.0, run.depot_id, aim)
    with hub.reading() as session:
        orders = drafted(session, seen)
        crews = _crews(session, seen)
        zone = ZoneInfo(session.get_one(BusinessRow, run.business_id).zone)
    plan = completed(seen.request, orders)
    there = {id for order in orders.values() for id in order}
    jobs = {job.id: job for job in seen.request.jobs if not job.optional}
    out = sorted((id for id in jobs if id in plan.unassigned), key=lambda id: -jobs[id].priority)
    ways: dict[str, Any] = {"jobs": {}, "more": len(out)}
    filled = {id: tuple(visit.job_id for visit in way) for id, way in plan.routes.items()}
    for id in jobs:
        if id not in there and id not in plan.unassigned:
            ways["jobs"][id] = _room(filled, orders)
    run.result = {**run.result, "ways": ways}

    def on_found(found: Found | None) -> None:
        if found is not None:
            ways["jobs"][found.job_id] = _document(seen, plan, found, filled, crews, zone)
            ways["more"] -= 1
        assert run.leased_until is not None
        left = run.leased_until - datetime.now(UTC)
        if found is not None or left.total_seconds() < LEASE.total_seconds() - RENEWED_S:
            _write(hub, run, datetime.now(UTC) + LEASE)

    with suppress(_Lost):
        look(seen.request, plan, out[:LOOKED_AT], WITHIN_S, on_found)


def _crews(session: Session, seen: Day) -> dict[str, Crew]:
    """Shift id -> who drives what."""
    rows = session.exec(
        select(ShiftRow.id, DriverRow.name, VehicleRow.name)
        .join(DriverRow, col(DriverRow.id) == col(ShiftRow.driver_id))
        .outerjoin(VehicleRow, col(VehicleRow.id) == col(ShiftRow.vehicle_id))
        .where(
            ShiftRow.business_id == seen.depot.business_id,
            col(ShiftRow.id).in_([shift.id for shift in seen.shifts]),
        )
    )
    return {id: Crew(driver, vehicle or "") for id, driver, vehicle in rows}


def _room(
    routes: Mapping[str, Sequence[str]], before: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    way = {
        "kind": ROOM,
        "amount": 0,
        "vehicle_id": "",
        "said": "It fits as things are, if others move over.",
        "button": "Plan again with it",
        "window": "",
        "routes": _moved(routes, before),
    }
    return {"stands": PLAN_AGAIN, "ways": [way]}


def _document(
    seen: Day,
    plan: Plan,
    found: Found,
    before: Mapping[str, Sequence[str]],
    crews: Mapping[str, Crew],
    zone: ZoneInfo,
) -> dict[str, Any]:
    if found.room is not None:
        return _room(found.room, before)
    stands = binding(found.ways)
    if not found.is_whole:
        stands = stands + NOT_ALL if found.ways else UNKNOWN

    def written(way: WayOut) -> dict[str, Any]:
        label = button(way, crews)
        return {
            "kind": way.change.value,
            "amount": way.amount,
            "vehicle_id": way.vehicle_id,
            "said": said(way, seen.request, crews, zone),
            "button": label,
            "window": windowed(seen.request, way).id if label and not way.vehicle_id else "",
            "routes": _moved(way.routes, before) if label else {},
        }

    return {"stands": stands, "ways": [written(way) for way in found.ways]}


def _moved(
    routes: Mapping[str, Sequence[str]], before: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Only the routes that are others: a large day has thousands of jobs."""
    return {id: list(way) for id, way in routes.items() if tuple(before.get(id, ())) != tuple(way)}


def _write(hub: Hub, run: PlanRow, lease: datetime | None) -> None:
    """What was found so far; ``lease`` ``None``: that is all. Only while ours is good."""
    with hub.unit() as unit:
        mine = update(PlanRow).where(
            col(PlanRow.business_id) == run.business_id,
            col(PlanRow.id) == run.id,
            col(PlanRow.leased_until) == run.leased_until,
        )
        if not took_one(unit.session.exec(mine.values(result=run.result, leased_until=lease))):
            raise _Lost
    run.leased_until = lease

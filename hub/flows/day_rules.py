"""What a business set for its drivers, vehicles and orders, as planning is told of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from hub.core.business import BusinessSettings
from hub.core.crew_rules import breaks_on, read_breaks
from hub.core.jobs import Outcome
from hub.core.orders import IncomingOrder
from hub.core.plan_request import Wish
from hub.core.planning import Need, VehicleToPlan
from hub.db.tables import (
    DepotRow,
    DriverRow,
    JobRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    VehicleRow,
)
from hub.flows.fleet_rules import RELOAD_S

REMEMBERED = timedelta(days=90)  # people know a face for some months
LAST_STOP = "last"  # where a driver's day ends: at the last stop

Crew = tuple[ShiftRow, DriverRow, VehicleRow | None]


@dataclass(frozen=True, slots=True)
class UsualTimes:
    """Seconds that are usual at the doors of one depot; ``of_kind`` where its kind has its own."""

    service_s: int
    of_kind: Mapping[str, int]

    @classmethod
    def at(cls, depot: DepotRow, usual: BusinessSettings) -> UsualTimes:
        own = {"collect": usual.collect_s, "serve": usual.serve_s}
        return cls(
            usual.service_s if depot.service_s is None else depot.service_s,
            {kind: seconds for kind, seconds in own.items() if seconds is not None},
        )

    def of(self, job: JobRow) -> int:
        return self.of_kind.get(job.kind, self.service_s)


def rules_of_crew(driver: DriverRow, van: VehicleRow | None) -> dict[str, Any]:
    """What was set of the two, by the names that ``VehicleToPlan`` has for it."""
    asked, costs = driver.planning, van.planning if van else {}
    rules = {
        **{
            name: costs.get(name) for name in ("fixed_cost", "per_km", "per_hour", "max_distance_m")
        },
        **{
            name: asked.get(name)
            for name in ("overtime_s", "overtime_per_hour", "max_duration_s", "max_jobs")
        },
    }
    found = {name: value for name, value in rules.items() if value is not None}
    if percent := asked.get("door_percent"):
        found["service_factor"] = percent / 100
    return found


def loading_again(depot: DepotRow, van: VehicleRow | None, at: int) -> dict[str, Any]:
    """How often it may load again at its depot, which is the place ``at``, and how long it takes;
    by the names that ``VehicleToPlan`` has for it.
    """
    asked = van.planning if van else {}
    if not (again := asked.get("max_reloads", 0)):
        return {}
    usual = RELOAD_S if depot.reload_s is None else depot.reload_s
    return {"reload_at": (at,), "max_reloads": again, "reload_s": asked.get("reload_s", usual)}


def goes_home(driver: DriverRow) -> bool:
    """Whether the day's way ends at the last stop."""
    return bool(driver.planning.get("ends_at") == LAST_STOP)


def with_breaks(
    vehicle: VehicleToPlan, shift: ShiftRow, driver: DriverRow, zone: ZoneInfo
) -> VehicleToPlan:
    """With the breaks that the driver is due in this shift."""
    usual = read_breaks(driver.planning.get("breaks", ""))
    return replace(vehicle, breaks=breaks_on(usual, shift.day, vehicle.shift, zone))


def rules_of_order(job: JobRow, report: IncomingOrder, *, is_half: bool) -> dict[str, Any]:
    """What the order asks for one of its jobs, by the names that ``JobToPlan`` has for it.

    The halves of a pair share the prize, which is told of the delivery.
    """
    fetches = is_half and job.leg == 1
    return {
        "optional": report.optional,
        "prize": 0 if fetches else report.prize,
        "ready_at": None if is_half or job.kind != "deliver" else report.ready_at,
        "max_on_board_s": None if fetches or job.kind != "deliver" else report.max_on_board_s,
        "wishes": () if fetches else _wishes(report),
    }


def _wishes(report: IncomingOrder) -> tuple[Wish, ...]:
    price = report.wished_per_hour
    return () if report.wished is None or not price else (Wish(report.wished, price, price),)


def last_there(
    session: Session, business_id: str, place_ids: Collection[str], day: date
) -> dict[str, str]:
    """Place id -> the driver who last did something there before ``day``, in ``REMEMBERED``."""
    rows = session.exec(
        select(StopRow.place_id, RouteRow.driver_id)
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .where(
            StopRow.business_id == business_id,
            col(StopRow.place_id).in_(place_ids),
            RouteRow.day < day,
            RouteRow.day >= day - REMEMBERED,
            col(JobRow.outcome).in_((Outcome.SUCCEEDED, Outcome.PARTIAL)),
        )
        .order_by(col(RouteRow.day), col(StopRow.arrive_at))
    )
    return dict(rows.all())


def usual_turns(
    session: Session,
    business_id: str,
    jobs: Mapping[str, str],
    shifts: Sequence[ShiftRow],
    day: date,
) -> dict[str, tuple[str, ...]]:
    """Shift id -> those of ``jobs`` (job id -> place id) at whose door its driver was within
    ``REMEMBERED`` before ``day``, in the order of how far into his round he was last there.
    """
    rows = session.exec(
        select(RouteRow.driver_id, StopRow.place_id, RouteRow.leaves_at, StopRow.arrive_at)
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .where(
            StopRow.business_id == business_id,
            col(StopRow.place_id).in_(set(jobs.values())),
            col(RouteRow.driver_id).in_({shift.driver_id for shift in shifts}),
            col(RouteRow.published_at).is_not(None),
            RouteRow.day < day,
            RouteRow.day >= day - REMEMBERED,
        )
        .order_by(col(RouteRow.day), col(StopRow.n))
    )
    turn: dict[str, dict[str, timedelta]] = {}
    for driver_id, place_id, leaves_at, arrive_at in rows:
        turn.setdefault(driver_id, {})[place_id] = arrive_at - (leaves_at or arrive_at)
    found = {}
    for shift in shifts:
        known = turn.get(shift.driver_id, {})
        mine = [(known[place], id) for id, place in jobs.items() if place in known]
        if len(mine) > 1:
            found[shift.id] = tuple(id for _, id in sorted(mine))
    return found


class Choice(NamedTuple):
    """``why_not``: nobody may do it today, and why; empty otherwise."""

    vehicle: str | None
    forbidden: frozenset[str]
    why_not: str


def drivers_for(
    report: IncomingOrder, crews: Mapping[str, Crew], busy: Mapping[str, str] | None = None
) -> Choice:
    """Which shifts the order's own words leave; drivers are known by their name or id.

    ``busy``: what others do on this day instead, by their name or id.
    """
    shifts_of: dict[str, list[str]] = {}
    for id, (_, driver, _) in crews.items():
        for key in known_as(driver):
            shifts_of.setdefault(key, []).append(id)
    forbidden = frozenset(
        id for name in report.not_drivers for id in shifts_of.get(name.strip().casefold(), ())
    )
    if not (wanted := report.only_driver.strip()):
        return Choice(None, forbidden, "")
    mine = [id for id in shifts_of.get(wanted.casefold(), ()) if id not in forbidden]
    if not mine:
        why = f"{wanted} {(busy or {}).get(wanted.casefold(), 'is not free on this day')}"
        if wanted.casefold() in shifts_of:
            why = f"its order rules {wanted} out as well"
        return Choice(None, forbidden, f"Only {wanted} may do it, and {why}.")
    return Choice(mine[0] if len(mine) == 1 else None, forbidden | (crews.keys() - set(mine)), "")


def known_as(driver: DriverRow) -> tuple[str, str]:
    """The words by which an order may name a driver, in small letters."""
    return driver.id.casefold(), driver.name.casefold()


def busy_elsewhere(
    crews: Mapping[str, Crew],
    published: Collection[str],
    over: Collection[str],
    depots: Mapping[str, DepotRow],
) -> dict[str, str]:
    """What those do who work on the day but not on this plan, by all they are known as.

    ``published`` and ``over``: shifts with a published route, and those that are behind us.
    """
    return {
        name: "has a published route already; put it there by hand"
        if id in published
        else "has no working hours left"
        if id in over
        else f"drives from {depots[shift.depot_id].name} on this day"
        for id, (shift, driver, _) in crews.items()
        for name in known_as(driver)
    }


IN_WORDS = {
    Need.BREAKS: "breaks",
    Need.OVERTIME: "overtime",
    Need.PAIRS: "goods that are fetched and brought",
    Need.TIME_ON_BOARD: "goods that keep only so long on board",
    Need.LOCKED_PREFIX: "stops that stay first",
    Need.BALANCE: "days of like length",
    Need.WANTED_VEHICLE: "drivers whom customers know or whose zone it is",
    Need.MAX_DISTANCE: "how far a vehicle may drive",
    Need.RELOADS: "vehicles that load again",
    Need.NEVER_TOGETHER: "goods or orders kept apart",
    Need.KNOWN_ORDER: "the usual order of stops",
    Need.WISHES: "wished times",
    Need.ACCESS: "walks from the van to the door",
}


def why_other(chosen: str, asked: Iterable[Need]) -> str:
    """Why a day was not planned the way its depot has it; ``asked`` is what that cannot do."""
    words = sorted(IN_WORDS.get(need, need.replace("_", " ")) for need in asked)
    *others, last = words
    listed = f"{', '.join(others)} and {last}" if others else last
    return f"Planned by “{chosen}” because of {listed}."

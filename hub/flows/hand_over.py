"""Give a route to another driver, or put it into another vehicle."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.core.events import DriverLeft, RouteHandedOver
from hub.core.fit import Problem, RouteNow, problems, timed, worse
from hub.core.jobs import NotNow, State
from hub.db.tables import DriverRow, JobRow, RouteRow, ShiftRow, StopJobRow, StopRow, VehicleRow
from hub.flows.route_change import Change
from hub.flows.route_line import draw
from hub.flows.route_now import roads_for
from hub.flows.states import begin_anew

if TYPE_CHECKING:
    from hub.app import Hub


def hand_over(
    hub: Hub,
    business_id: str,
    route_id: str,
    driver_id: str,
    *,
    actor: str,
    expected_version: int,
    vehicle_id: str | None = None,
    force: bool = False,
) -> RouteRow:
    """Give the rest of a route to another driver, with that driver's shift if it is free.

    Else with a new shift of the same hours: the giver's own is free again. A driver who is
    on the road at that time is refused like any other rule that is broken. Doors that the
    giver was at, or on the way to, wait again.
    ``vehicle_id`` ``None`` leaves it in the vehicle it is in. Name the present driver to
    change only the vehicle.
    """
    roads = roads_for(hub, business_id, (route_id,), vehicle_id=vehicle_id)
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        route = change.route(route_id, expected_version)
        broken = problems(timed(change.laid(route, roads).now, roads.travel, change.now))
        giver = route.driver_id
        _give(change, route, driver_id, vehicle_id)
        unit.session.flush()
        after = timed(change.laid(route, roads).now, roads.travel, change.now)
        found = worse(problems(after), broken)
        if route.driver_id != giver:
            found += _elsewhere(change, route, after)
        change.fitting(route, found, force)
        change.retime(route, roads)
        change.tell_late(route, found)
        change.bump(route)
        if route.driver_id != giver:
            _tell(change, route, giver)
    return draw(hub, route)


def _tell(change: Change, route: RouteRow, giver: str) -> None:
    if route.published_at is not None:
        change.unit.announce(
            RouteHandedOver(
                business_id=change.business_id,
                subject_kind="route",
                subject_id=route.id,
                occurred_at=change.now,
                received_at=change.now,
                actor=change.actor,
                from_driver_id=giver,
                to_driver_id=route.driver_id,
            )
        )


def _give(change: Change, route: RouteRow, driver_id: str, vehicle_id: str | None) -> None:
    """The driver's free shift of that day comes along, else one is made.

    ``LookupError`` for a stranger.
    """
    session, business_id = change.session, change.business_id
    driver = session.exec(
        select(DriverRow).where(DriverRow.business_id == business_id, DriverRow.id == driver_id)
    ).one_or_none()
    if driver is None:
        raise LookupError(f"no driver {driver_id}")
    if not driver.active:
        raise NotNow(f"{driver.name} does not work here any more.")
    if vehicle_id is not None:
        vehicle = session.exec(
            select(VehicleRow).where(
                VehicleRow.business_id == business_id, VehicleRow.id == vehicle_id
            )
        ).one_or_none()
        if vehicle is None:
            raise LookupError(f"no vehicle {vehicle_id}")
        route.vehicle_id = vehicle.id
    if route.driver_id == driver.id:
        return
    route.driver_id, route.acknowledged, route.rests = driver.id, 0, []
    for job in begin_anew(session, business_id, route.id):
        change.unit.announce(DriverLeft(**change.about(job), job_id=job.id))
    free = session.exec(
        select(ShiftRow)
        .outerjoin(RouteRow, col(RouteRow.shift_id) == col(ShiftRow.id))
        .where(
            ShiftRow.business_id == business_id,
            ShiftRow.driver_id == driver.id,
            ShiftRow.day == route.day,
            col(ShiftRow.ended_at).is_(None),
            col(RouteRow.id).is_(None),
        )
        .order_by(col(ShiftRow.starts_at))
    ).first()
    before = session.get_one(ShiftRow, route.shift_id)
    shift = free or _another_shift(change, route, driver)
    shift.kept_first, before.kept_first = before.kept_first, []
    route.shift_id = shift.id


def _another_shift(change: Change, route: RouteRow, driver: DriverRow) -> ShiftRow:
    """A shift for ``driver`` with the hours of the one that ``route`` has now."""
    session = change.session
    given = session.exec(
        select(ShiftRow).where(
            ShiftRow.business_id == change.business_id, ShiftRow.id == route.shift_id
        )
    ).one()
    taken = set(
        session.exec(
            select(ShiftRow.starts_at).where(
                ShiftRow.business_id == change.business_id, ShiftRow.driver_id == driver.id
            )
        )
    )
    starts_at = given.starts_at
    while starts_at in taken:  # a driver begins one shift at a time
        starts_at += timedelta(minutes=1)
    shift = ShiftRow(
        business_id=change.business_id,
        driver_id=driver.id,
        vehicle_id=route.vehicle_id,
        depot_id=given.depot_id,
        end_depot_id=given.end_depot_id,
        day=given.day,
        starts_at=starts_at,
        ends_at=max(given.ends_at, starts_at),
    )
    session.add(shift)
    session.flush()
    return shift


def _elsewhere(change: Change, route: RouteRow, now: RouteNow) -> tuple[Problem, ...]:
    """The driver's other routes that are not over yet and fall into the time of this one."""
    others = change.session.exec(
        select(RouteRow)
        .join(StopRow, col(StopRow.route_id) == col(RouteRow.id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .where(
            RouteRow.business_id == change.business_id,
            RouteRow.driver_id == route.driver_id,
            RouteRow.id != route.id,
            JobRow.state != State.CLOSED,
            col(RouteRow.leaves_at) < now.home,
            col(RouteRow.back_at) > now.leave,
        )
    ).all()
    return tuple(_clash(now, other) for other in {other.id: other for other in others}.values())


def _clash(now: RouteNow, other: RouteRow) -> Problem:
    leaves_at, back_at = other.leaves_at or now.leave, other.back_at or now.home
    both = min(back_at, now.home) - max(leaves_at, now.leave)
    hours = "–".join(f"{at.astimezone(now.zone):%H:%M}" for at in (leaves_at, back_at))
    said = f"{now.driver} already drives {hours} that day."
    return Problem("busy", other.id, int(both.total_seconds()), said)

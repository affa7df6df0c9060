"""Who drives: phones by their tokens, their drivers' shifts, and the routes they are on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, exists, func
from sqlmodel import Session, col, select

from hub.core.jobs import State
from hub.core.stays import metres
from hub.core.tracking import Fence
from hub.core.tracking_page import OVERDUE
from hub.db.tables import (
    ActRow,
    DepotRow,
    DeviceRow,
    DriverRow,
    JobRow,
    PlaceRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
)
from hub.db.unit import reading
from hub.live.values import Device, Driving, Round, Shift

AT_ONCE = 500  # names in one statement
YARD_M = 150  # so near the depot, who stands in the yard would seem to be at the door
KNOWN_BACK = timedelta(days=8)  # a phone may have been without signal for seven


def drivings(engine: Engine, hashes: Sequence[str], now: datetime) -> dict[str, Driving]:
    """What is known of the phones with these tokens' hashes; unknown and revoked are left out."""
    found: dict[str, Driving] = {}
    with reading(engine) as session:
        for some in batches(hashes):
            for id_, business_id, driver_id, token_hash in session.exec(
                # The token says which business it is.
                select(
                    DeviceRow.id, DeviceRow.business_id, DeviceRow.driver_id, DeviceRow.token_hash
                ).where(col(DeviceRow.token_hash).in_(some), *_in_use())
            ):
                found[token_hash or ""] = Driving(Device(id_, business_id, driver_id))
        refresh(session, found.values(), now)
    return found


def valid(engine: Engine, devices: Sequence[Device]) -> set[str]:
    """Which of these devices may still post."""
    still: set[str] = set()
    with reading(engine) as session:
        for some in batches(devices):
            these = (
                owned(DeviceRow, {one.business_id for one in some}),
                col(DeviceRow.id).in_([one.id for one in some]),
                *_in_use(),
            )
            count = session.exec(select(func.count()).select_from(DeviceRow).where(*these)).one()
            if count == len({one.id for one in some}):
                still.update(one.id for one in some)
            else:
                still.update(session.exec(select(DeviceRow.id).where(*these)))
    return still


def _in_use() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Not revoked, and its driver still works for the business it is of."""
    works = exists().where(
        col(DriverRow.id) == col(DeviceRow.driver_id),
        col(DriverRow.business_id) == col(DeviceRow.business_id),
        col(DriverRow.active),
    )
    return col(DeviceRow.revoked_at).is_(None), works


def with_new_shifts(engine: Engine, known: Sequence[Driving], now: datetime) -> list[Driving]:
    """Those of ``known`` whose shifts are not what they were."""
    changed = []
    with reading(engine) as session:
        for some in batches(known):
            businesses = {one.device.business_id for one in some}
            shifts = shifts_of(session, businesses, {one.device.driver_id for one in some}, now)
            changed += [one for one in some if one.shifts != tuple(shifts[one.device.driver_id])]
    return changed


def refreshed(engine: Engine, known: Sequence[Driving], now: datetime) -> list[tuple[Driving, int]]:
    """Put the present shifts and routes into ``known``.

    Those of whom a shift has ended since it was last done, each with when that was (ms).
    """
    before = [{shift.ended_ms for shift in one.shifts} for one in known]
    with reading(engine) as session:
        refresh(session, known, now)
    ended = []
    for one, was in zip(known, before, strict=True):
        new = [s.ended_ms for s in one.shifts if s.ended_ms is not None and s.ended_ms not in was]
        if new:
            ended.append((one, min(new)))
    return ended


def routes_of(engine: Engine, business_id: str, drivers: Sequence[str]) -> dict[str, str]:
    """Which route each of these drivers is on, left out where none."""
    with reading(engine) as session:
        rounds = _rounds(session, {business_id}, set(drivers))
    return {driver_id: one.route_id for driver_id, one in rounds.items()}


def at_work(engine: Engine, business_id: str, now: datetime) -> dict[str, int]:
    """The drivers of a business who are on a shift, each with since when (ms)."""
    with reading(engine) as session:
        began = dict(
            session.exec(
                select(ShiftRow.driver_id, func.min(ShiftRow.began_at))
                .where(
                    ShiftRow.business_id == business_id,
                    col(ShiftRow.began_at) <= now,
                    col(ShiftRow.ended_at).is_(None),
                    col(ShiftRow.ends_at) > now - OVERDUE,
                )
                .group_by(col(ShiftRow.driver_id))
            ).all()
        )
    return {driver_id: ms(began_at) for driver_id, began_at in began.items() if began_at}


def refresh(session: Session, known: Iterable[Driving], now: datetime) -> None:
    for some in batches(list(known)):
        businesses = {one.device.business_id for one in some}
        drivers = {one.device.driver_id for one in some}
        shifts = shifts_of(session, businesses, drivers, now)
        rounds = _rounds(session, businesses, drivers)
        for one in some:
            one.shifts = tuple(shifts[one.device.driver_id])
            one.round = rounds.get(one.device.driver_id)


def shifts_of(
    session: Session, businesses: set[str], drivers: set[str], now: datetime
) -> dict[str, list[Shift]]:
    """Driver id -> the shifts he has begun, as far back as a phone may tell of them."""
    found: dict[str, list[Shift]] = defaultdict(list)
    for driver_id, began_at, ended_at, ends_at in session.exec(
        select(ShiftRow.driver_id, ShiftRow.began_at, ShiftRow.ended_at, ShiftRow.ends_at).where(
            owned(ShiftRow, businesses),
            col(ShiftRow.driver_id).in_(drivers),
            col(ShiftRow.began_at).is_not(None),
            col(ShiftRow.ends_at) > now - KNOWN_BACK,
        )
    ):
        if began_at is not None:
            ended_ms = None if ended_at is None else ms(ended_at)
            found[driver_id].append(Shift(ms(began_at), ended_ms, ms(ends_at + OVERDUE)))
    return found


def _rounds(session: Session, businesses: set[str], drivers: set[str]) -> dict[str, Round]:
    """Of each driver the published route whose shift began last and goes on."""
    routes: dict[str, tuple[str, int]] = {}
    for driver_id, route_id, version in session.exec(
        select(RouteRow.driver_id, RouteRow.id, RouteRow.version)
        .join(ShiftRow, col(ShiftRow.id) == col(RouteRow.shift_id))
        .where(
            owned(RouteRow, businesses),
            col(RouteRow.driver_id).in_(drivers),
            col(RouteRow.published_at).is_not(None),
            col(ShiftRow.began_at).is_not(None),
            col(ShiftRow.ended_at).is_(None),
        )
        .order_by(col(ShiftRow.began_at))
    ):
        routes[driver_id] = route_id, version
    fences = _fences(session, businesses, [route_id for route_id, _ in routes.values()])
    return {
        driver_id: Round(route_id, version, tuple(fences.get(route_id, ())))
        for driver_id, (route_id, version) in routes.items()
    }


def _fences(
    session: Session, businesses: set[str], routes: Sequence[str]
) -> dict[str, list[Fence]]:
    stops: dict[str, tuple[str, float, float]] = {}
    still_open: set[str] = set()
    by_the_yard: set[str] = set()
    went_out: set[str] = set()
    yards = _yards(session, businesses, routes)
    for stop, lat, lon, state in session.exec(
        select(StopRow, PlaceRow.lat, PlaceRow.lon, JobRow.state)
        .join(PlaceRow, col(PlaceRow.id) == col(StopRow.place_id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .where(owned(StopRow, businesses), col(StopRow.route_id).in_(routes))
        .order_by(col(StopRow.n))
    ):
        if lat is not None and lon is not None:
            stops[stop.id] = stop.route_id, lat, lon
            if metres(lat, lon, *yards[stop.route_id]) <= YARD_M:
                by_the_yard.add(stop.id)
        if state != State.CLOSED:
            still_open.add(stop.id)
        if state in (State.ARRIVED, State.CLOSED):
            went_out.add(stop.route_id)
    headed = _headed(session, businesses, by_the_yard)
    found: dict[str, list[Fence]] = defaultdict(list)
    for stop_id, (route_id, lat, lon) in stops.items():
        from_ms = -1
        if stop_id in by_the_yard and route_id not in went_out:
            if stop_id not in headed:
                continue  # he still loads
            from_ms = ms(headed[stop_id])
        found[route_id].append(Fence(stop_id, lat, lon, stop_id in still_open, from_ms))
    return found


def _yards(
    session: Session, businesses: set[str], routes: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Route id -> where its depot is."""
    rows = session.exec(
        select(RouteRow.id, DepotRow.lat, DepotRow.lon)
        .join(DepotRow, col(DepotRow.id) == col(RouteRow.depot_id))
        .where(owned(RouteRow, businesses), col(RouteRow.id).in_(routes))
    )
    return {route_id: (lat, lon) for route_id, lat, lon in rows}


def _headed(session: Session, businesses: set[str], stops: Collection[str]) -> dict[str, datetime]:
    """Stop id -> when a driver last said that he is on the way there."""
    if not stops:
        return {}
    return dict(
        session.exec(
            select(StopJobRow.stop_id, func.max(ActRow.occurred_at))
            .join(ActRow, col(ActRow.job_id) == col(StopJobRow.job_id))
            .where(
                owned(ActRow, businesses),
                col(StopJobRow.stop_id).in_(stops),
                ActRow.kind == "head_for",
                ActRow.result == "applied",
            )
            .group_by(col(StopJobRow.stop_id))
        ).all()
    )


def owned(table: Any, businesses: Collection[str]) -> ColumnElement[bool]:
    """Rows of these businesses, found by whatever else is asked of them.

    As an expression: SQLite would else take the index of the business before that of five
    hundred ids, and read all the business ever had.
    """
    return (col(table.business_id) + "").in_(businesses)


def batches[T](items: Sequence[T]) -> Iterable[Sequence[T]]:
    return (items[n : n + AT_ONCE] for n in range(0, len(items), AT_ONCE))


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)

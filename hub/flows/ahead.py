"""What still lies ahead of a driver who is on his round, and where he is in it.

Where he is, is the newest that is known: the last fix, the door he stands at, the door he
last left. Ways between neighbours of the plan are as planned; what the plan does not
know (from where he is, past a stop that fell out) is asked of the roads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, exists, or_, select

from hub.core.breaks_had import Had, not_told, spans
from hub.core.fit import Stage, begins_as_told, not_before
from hub.core.fit_rests import awake, resting
from hub.core.jobs import ON_A_PHONE, Outcome, State
from hub.core.pace import traffic_of
from hub.core.plan_request import Pace
from hub.core.tracking_page import OVERDUE
from hub.core.values import Point, TimeWindow
from hub.db.tables import (
    ActRow,
    BusinessRow,
    DepotRow,
    JobRow,
    PlaceRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    VehicleRow,
)
from hub.flows.breaks import breaks_of
from hub.flows.day_due import windows_of
from hub.flows.document.where import distance_m
from hub.flows.fleet_rules import profile_of
from hub.flows.paces import paces, way_between_s
from hub.flows.rests import rests_read
from hub.flows.roads import Rush
from hub.flows.route_now import promises_of
from hub.flows.take_overs import fetches_of
from hub.live.store import LastFix

AtStop = Sequence[tuple[StopRow, JobRow, Point]]
"""The jobs of one stop, each with the stop and where it is."""
AT_THE_DOOR_M = 400  # a driver parks round the corner and walks; further, and he drove off
AT_THE_DEPOT_M = 250  # a yard, and a fix that is off by some
SILENT = timedelta(minutes=5)  # a tunnel is shorter; a phone without power is not


@dataclass(frozen=True, slots=True)
class JobAhead:
    """``begins_at`` is when its work was planned to begin."""

    job_id: str
    order_id: str
    windows: tuple[TimeWindow, ...]
    begins_at: datetime


@dataclass(frozen=True, slots=True)
class Door:
    """A stop where something is left to do. ``arrived_at`` ``None``: nobody is there."""

    stop_id: str
    n: int
    place: Point
    arrive_at: datetime  # as planned
    depart_at: datetime
    service_s: int
    opens_at: datetime | None
    jobs: tuple[JobAhead, ...]
    is_next: bool = False  # he said that he is on the way to it
    arrived_at: datetime | None = None


class Trust(Enum):
    """What is known of a driver on his round."""

    HEARD = "heard"
    SILENT = "silent"  # nothing for a while: he is taken to go on as planned
    NOT_BEGUN = "not begun"  # he should have left, and may any moment


@dataclass(frozen=True, slots=True)
class Round:
    """A round that is being driven. ``doors`` in the order he will come to them.

    He sets off from ``origin`` to the first of them at ``leaves_at``, in the past if he is
    under way. ``way_pace`` and ``work_pace`` as in ``RouteProgress``; ``pace`` is of the roads.
    ``rests`` are the driver's breaks as planned; ``to_rest`` those that are yet to be reckoned
    with: still to come, or told by himself and not over when he set off.
    """

    business_id: str
    route_id: str
    version: int
    depot_id: str
    profile: str
    doors: tuple[Door, ...]
    origin: Point
    leaves_at: datetime
    way_pace: float = 1.0
    work_pace: float = 1.0
    trust: Trust = Trust.HEARD
    pace: tuple[Pace, ...] = ()
    rests: tuple[TimeWindow, ...] = ()
    to_rest: tuple[TimeWindow, ...] = ()


@dataclass(frozen=True, slots=True)
class Begun:
    """The rows of a round that tell where and when it started; ``began_at`` ``None``: it should
    have, and nobody has begun the shift. ``had``: the breaks its driver said he had.
    """

    route: RouteRow
    began_at: datetime | None
    depot: Point
    profile: str
    pace: tuple[Pace, ...] = ()
    had: tuple[Had, ...] = ()


def begun_routes(session: Session, now: datetime) -> list[Begun]:
    """Published routes whose shift began or should have, and did not end, of every business;
    those on which something is still to do.
    """
    to_do = (
        exists()
        .where(
            col(StopRow.business_id) == col(RouteRow.business_id),
            col(StopRow.route_id) == col(RouteRow.id),
            col(StopJobRow.stop_id) == col(StopRow.id),
            col(JobRow.id) == col(StopJobRow.job_id),
            col(JobRow.state).in_(ON_A_PHONE),
        )
        .correlate(RouteRow)
    )
    rows = session.exec(
        select(RouteRow, ShiftRow, DepotRow, VehicleRow)
        .join(ShiftRow, col(ShiftRow.id) == col(RouteRow.shift_id))
        .join(DepotRow, col(DepotRow.id) == col(ShiftRow.depot_id))
        .outerjoin(VehicleRow, col(VehicleRow.id) == col(RouteRow.vehicle_id))
        .where(
            RouteRow.business_id == ShiftRow.business_id,
            col(RouteRow.published_at).is_not(None),
            or_(col(ShiftRow.began_at).is_not(None), col(RouteRow.leaves_at) <= now),
            col(ShiftRow.ended_at).is_(None),
            col(ShiftRow.ends_at) > now - OVERDUE,
            to_do,
        )
        .order_by(col(RouteRow.business_id), col(RouteRow.id))
    ).all()
    known: dict[tuple[str, str, date], tuple[Pace, ...]] = {}
    found = []
    for route, shift, depot, van in rows:
        kind = profile_of(van)
        key = route.business_id, kind, route.day
        if key not in known:
            business = session.get_one(BusinessRow, route.business_id)
            today = now.astimezone(ZoneInfo(business.zone)).date()
            days = min(route.day, today), max(route.day, today)
            known[key] = Rush.of(business, *days).paces(kind)
        at = Point(depot.lat, depot.lon)
        found.append(Begun(route, shift.began_at, at, kind, known[key], breaks_of(shift)))
    return found


def round_of(session: Session, begun: Begun, fix: LastFix | None, now: datetime) -> Round | None:
    """What is left of a begun round; ``None`` once nothing is."""
    route = begun.route
    acts = _arrivals(session, route)
    at_stop = _at_stop(session, route)
    jobs = [job.id for here in at_stop for _, job, _ in here]
    promises = promises_of(session, route.business_id, jobs)
    planned = rests_read(route.rests)
    rests = tuple(sorted(filter(None, planned), key=lambda one: one.opens))
    had = spans(planned, begun.had, now)
    untold = not_told(planned, begun.had)
    told = [rest for rest in rests if rest not in untold]
    way_pace, work_pace = paces(at_stop, acts, promises, traffic_of(begun.pace), told, had)
    found = [_door(here, acts, promises, rests) for here in at_stop]
    doors = [replace(d, service_s=round(d.service_s * work_pace)) for d in found if d is not None]
    if not doors:
        return None
    fetched, to_fetch = _fetches(session, route)
    done = [*_done(at_stop), *fetched]
    here = Point(fix.lat, fix.lon) if fix else None
    fix_at = datetime.fromtimestamp(fix.at_ms / 1000, UTC) if fix else None
    doors += _back_at_depot(to_fetch, doors, at_stop, done, here, fix_at)
    stands = _stands_at(doors, here, fix_at)
    ahead = tuple(sorted((d for d in doors if d.arrived_at is None), key=_turn))
    if begun.began_at is None:  # whatever another driver did of it before
        trust, origin, leaves_at = Trust.NOT_BEGUN, begun.depot, now
    else:
        said = [at for one in begun.had for at in (one.since, one.until) if at is not None]
        heard_at = max([begun.began_at, *acts.values(), *(at for at, _ in done), *said])
        is_silent = now - max(heard_at, fix_at or heard_at) > SILENT
        trust = Trust.SILENT if is_silent else Trust.HEARD
        not_yet = begun.began_at if is_silent else now
        has_left = bool(done or acts)
        origin, leaves_at = _start(begun, stands, done, has_left, here, fix_at, not_yet, had)
    return Round(
        business_id=route.business_id,
        route_id=route.id,
        version=route.version,
        depot_id=route.depot_id,
        profile=begun.profile,
        doors=ahead,
        origin=origin,
        leaves_at=leaves_at,
        way_pace=way_pace,
        work_pace=work_pace,
        trust=trust,
        pace=begun.pace,
        rests=rests,
        to_rest=_to_rest(untold, had, leaves_at, now),
    )


def _to_rest(
    untold: Sequence[TimeWindow], had: Sequence[TimeWindow], leaves_at: datetime, now: datetime
) -> tuple[TimeWindow, ...]:
    due = [rest for rest in untold if rest.closes > now]
    due += [rest for rest in had if rest.closes > leaves_at]
    return tuple(sorted(due, key=lambda one: one.opens))


def _turn(door: Door) -> tuple[bool, int]:
    return not door.is_next, door.n


def _stands_at(doors: Iterable[Door], here: Point | None, fix_at: datetime | None) -> Door | None:
    """The door he is at, unless a later fix is far from it."""
    found = [door for door in doors if door.arrived_at is not None]
    if not found:
        return None
    door = max(found, key=lambda one: one.arrived_at or one.arrive_at)
    if here is not None and fix_at is not None and door.arrived_at is not None:
        drove_off = fix_at > door.arrived_at and distance_m(here, door.place) > AT_THE_DOOR_M
        if drove_off:
            return None
    return door


def _start(
    begun: Begun,
    stands: Door | None,
    done: Sequence[tuple[datetime, Point]],
    has_left: bool,
    here: Point | None,
    fix_at: datetime | None,
    not_yet: datetime,
    had: Sequence[TimeWindow],
) -> tuple[Point, datetime]:
    """From where he sets off to the next door, and when; ``not_yet``: he had not by then if he
    was not seen to. At a door he works or rests (``had``), one after the other.
    """
    if stands is not None and stands.arrived_at is not None:
        starts = max(stands.arrived_at, stands.opens_at or stands.arrived_at)
        done_at = awake(had, starts, starts + timedelta(seconds=stands.service_s))
        return stands.place, max(not_yet, done_at)
    planned = max(not_yet, begun.route.leaves_at or not_yet)
    known = list(done)
    if here is not None and fix_at is not None:
        if not has_left and distance_m(here, begun.depot) <= AT_THE_DEPOT_M:
            return begun.depot, max(not_yet, planned)  # he still loads
        known.append((fix_at, here))
    at, origin = max(known, key=lambda one: one[0], default=(planned, begun.depot))
    return origin, at


def _arrivals(session: Session, route: RouteRow) -> Mapping[str, datetime]:
    """Job id -> when somebody last came to its door."""
    rows = session.exec(
        select(ActRow.job_id, ActRow.occurred_at)
        .where(
            ActRow.business_id == route.business_id,
            ActRow.route_id == route.id,
            ActRow.kind == "arrive",
            ActRow.result == "applied",
        )
        .order_by(col(ActRow.occurred_at))
    )
    return {job_id: at for job_id, at in rows if job_id is not None}


def _at_stop(session: Session, route: RouteRow) -> list[AtStop]:
    """The stops in their order; those whose place nobody knows are left out."""
    rows = session.exec(
        select(StopRow, JobRow, PlaceRow.lat, PlaceRow.lon)
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .join(PlaceRow, col(PlaceRow.id) == col(StopRow.place_id))
        .where(StopRow.business_id == route.business_id, StopRow.route_id == route.id)
        .order_by(col(StopRow.n), col(JobRow.id))
    ).all()
    at_stop: dict[str, list[tuple[StopRow, JobRow, Point]]] = defaultdict(list)
    for stop, job, lat, lon in rows:
        if lat is not None and lon is not None:
            at_stop[stop.id].append((stop, job, Point(lat, lon)))
    return list(at_stop.values())


def _done(at_stop: Iterable[AtStop]) -> list[tuple[datetime, Point]]:
    """When and where something was done."""
    return [
        (job.closed_occurred_at, place)
        for here in at_stop
        for _, job, place in here
        if job.closed_occurred_at is not None and job.outcome != Outcome.CANCELLED
    ]


def _fetches(session: Session, route: RouteRow) -> tuple[list[tuple[datetime, Point]], list[Door]]:
    """When and where loads of other vans were taken over, and where they are yet to be."""
    done, doors = list[tuple[datetime, Point]](), list[Door]()
    fetches = fetches_of(session, route.business_id, route.id)
    if not fetches:
        return done, doors
    rows = session.exec(
        select(StopRow, PlaceRow.lat, PlaceRow.lon)
        .join(PlaceRow, col(PlaceRow.id) == col(StopRow.place_id))
        .where(StopRow.business_id == route.business_id, col(StopRow.id).in_(fetches))
    ).all()
    for stop, lat, lon in rows:
        fetch, place = fetches[stop.id], Point(lat or 0.0, lon or 0.0)
        if fetch.row.done_at is not None:
            done.append((fetch.row.done_at, place))
        if fetch.stage is Stage.TO_DO:
            doors.append(
                Door(
                    stop_id=stop.id,
                    n=stop.n,
                    place=place,
                    arrive_at=stop.arrive_at,
                    depart_at=stop.depart_at,
                    service_s=fetch.row.service_s,
                    opens_at=fetch.row.ready_at,
                    jobs=(),
                )
            )
    return done, doors


def _back_at_depot(
    to_fetch: Sequence[Door],
    doors: Sequence[Door],
    at_stop: Sequence[AtStop],
    done: Sequence[tuple[datetime, Point]],
    here: Point | None,
    fix_at: datetime | None,
) -> list[Door]:
    """``to_fetch``, with since when he is at the first of them, if that is where he has to go
    next: nobody taps on coming back to a depot. He has been there since he can have been.
    """
    first = min((*to_fetch, *doors), key=_turn)
    if first not in to_fetch or here is None or fix_at is None or not done:
        return list(to_fetch)
    if distance_m(here, first.place) > AT_THE_DEPOT_M:
        return list(to_fetch)
    before = [stop for (stop, _, _), *_ in at_stop if stop.n < first.n]
    left_at = max((stop.depart_at for stop in before), default=first.arrive_at)
    came_at = max(at for at, _ in done) + max(first.arrive_at - left_at, timedelta(0))
    there = replace(first, arrived_at=min(came_at, fix_at))
    return [there if door is first else door for door in to_fetch]


def _door(
    here: AtStop,
    arrivals: Mapping[str, datetime],
    promises: Mapping[str, TimeWindow],
    rests: Sequence[TimeWindow],
) -> Door | None:
    stop, _, place = here[0]
    to_do = [job for _, job, _ in here if State(job.state) in ON_A_PHONE]
    if not to_do:
        return None
    opens = [not_before(windows_of(job), stop.arrive_at, promises.get(job.id)) for job in to_do]
    opens_at = max((at for at in opens if at is not None), default=None)
    starts = max(stop.arrive_at, opens_at or stop.arrive_at)
    at_work = stop.depart_at - starts - resting(rests, starts, stop.depart_at)
    planned_s = max(0.0, at_work.total_seconds())
    worked_on = [job for _, job, _ in here if job.outcome != Outcome.CANCELLED]
    stood = [arrivals.get(job.id, stop.arrive_at) for job in to_do if job.state == State.ARRIVED]
    return Door(
        stop_id=stop.id,
        n=stop.n,
        place=place,
        arrive_at=stop.arrive_at,
        depart_at=stop.depart_at,
        service_s=round(planned_s * len(to_do) / len(worked_on)),
        opens_at=opens_at,
        jobs=tuple(_job(job, stop, promises.get(job.id)) for job in to_do),
        is_next=any(job.state == State.EN_ROUTE for job in to_do),
        arrived_at=max(stood, default=None),
    )


def _job(job: JobRow, stop: StopRow, promise: TimeWindow | None) -> JobAhead:
    windows = windows_of(job)
    begins_at = begins_as_told(windows, stop.arrive_at, promise)
    return JobAhead(job.id, job.order_id, windows, begins_at)


def unknown_ways(ahead: Round) -> list[tuple[int, Point, Point]]:
    """The ways that no plan tells: for the ``n``-th door, from where to where."""
    if not ahead.doors:
        return []
    first = (0, ahead.origin, ahead.doors[0].place)
    others = [
        (n, before.place, door.place)
        for n, (before, door) in enumerate(zip(ahead.doors, ahead.doors[1:], strict=False), 1)
        if door.n != before.n + 1
    ]
    return [first, *others]


def planned_way_s(ahead: Round, before: Door, door: Door) -> float:
    """From one stop of the plan to the one after it, where nothing holds one up."""
    traffic = traffic_of(ahead.pace)
    return way_between_s(traffic, ahead.rests, before.depart_at, door.arrive_at)

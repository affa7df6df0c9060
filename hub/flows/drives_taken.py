"""What drives took, from door to door, beside what the roads say they take when free."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, or_, select

from hub.core.business import BusinessSettings
from hub.core.errors import HubError
from hub.core.jobs import Outcome
from hub.core.pace_learned import Drive, HourTaken, hours_taken, joined, lines_for
from hub.core.rush_hours import RushHour
from hub.core.values import Point
from hub.db.tables import (
    ActRow,
    BusinessRow,
    JobRow,
    PlaceRow,
    RouteRow,
    StopJobRow,
    StopRow,
    TakeOverRow,
    VehicleRow,
)
from hub.flows.business import MOST_LINES
from hub.flows.fleet_rules import MEASURED, profile_of
from hub.flows.rests import rests_read
from hub.flows.roads import NO_ROAD_S, travel_between

if TYPE_CHECKING:
    from hub.app import Hub

WEEKS = 8
MOST_ROUTES = 250  # the newest: weeks of some vans, read in a second or two
KNOWN_ALREADY = (
    "Your travel times know the time of day themselves, so there is nothing to learn from drives."
)


@dataclass(frozen=True, slots=True)
class DrivesTaken:
    """``hours`` of vehicles with an engine; ``lines`` say the same as rush hours; ``kinds`` are of
    all vehicles. ``why_not``: the travel times know the hours themselves, or cannot be asked.
    """

    drives: int
    hours: tuple[HourTaken, ...]
    lines: tuple[RushHour, ...]
    kinds: frozenset[str] = frozenset()
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class _Visit:
    came_at: datetime
    ended_at: datetime
    place: Point


_Way = tuple[_Visit, _Visit]


def drives_taken(hub: Hub, business_id: str) -> DrivesTaken:
    """Of the last ``WEEKS``, by rounds that are over. Changes nothing."""
    with hub.reading() as session:
        business = session.get_one(BusinessRow, business_id)
        zone = ZoneInfo(business.zone)
        today = hub.now().astimezone(zone).date()
        rounds = _rounds(session, business_id, today - timedelta(weeks=WEEKS), today)
        kinds = frozenset(
            session.exec(select(VehicleRow.profile).where(VehicleRow.business_id == business_id))
        )
    drives = list[Drive]()
    for profile, ways in rounds:
        places = list(dict.fromkeys(end.place for way in ways for end in way))
        try:
            travel = travel_between(hub, business_id, places, ways[0][0].ended_at, profile)
        except HubError as problem:
            return DrivesTaken(0, (), (), why_not=str(problem))
        if travel.pace:
            return DrivesTaken(0, (), (), why_not=KNOWN_ALREADY)
        index = {place: n for n, place in enumerate(places)}
        for a, b in ways:
            free_s = travel.seconds[index[a.place]][index[b.place]]
            if free_s < NO_ROAD_S:
                took_s = (b.came_at - a.ended_at).total_seconds()
                drives.append(Drive(a.ended_at, took_s, free_s))
    hours = hours_taken(drives, zone)
    return DrivesTaken(len(drives), tuple(hours), tuple(lines_for(hours)), kinds)


def with_lines(settings: BusinessSettings, taken: DrivesTaken) -> BusinessSettings:
    """``settings`` with what was learned, in the place of what they said of the same hours."""
    if all(hour.factor is None for hour in taken.hours):
        return settings
    engines, alone = taken.kinds & MEASURED, taken.kinds <= MEASURED
    rules = joined(settings.rush_hours, taken.hours, engines, alone=alone, most=MOST_LINES)
    return settings.model_copy(update={"rush_hours": rules})


def _rounds(
    session: Session, business_id: str, since: date, today: date
) -> list[tuple[str, list[_Way]]]:
    """The profile of each round with an engine, and its ways as they were driven."""
    routes = session.exec(
        select(RouteRow, VehicleRow)
        .outerjoin(VehicleRow, col(VehicleRow.id) == col(RouteRow.vehicle_id))
        .where(
            RouteRow.business_id == business_id,
            col(RouteRow.published_at).is_not(None),
            col(RouteRow.day) >= since,
            col(RouteRow.day) < today,
            # Few vans are not crowded out by many bicycles.
            or_(col(VehicleRow.id).is_(None), col(VehicleRow.profile).in_(MEASURED)),
        )
        .order_by(col(RouteRow.day).desc(), col(RouteRow.id))
        .limit(MOST_ROUTES)
    ).all()
    found = list[tuple[str, list[_Way]]]()
    for route, van in routes:
        if ways := _ways(session, route):
            found.append((profile_of(van), ways))
    return found


def _ways(session: Session, route: RouteRow) -> list[_Way]:
    """From door to door, in the order in which somebody came to them; not those on which
    something else was done, by who did not say that he came, or at the depot, or on which a break
    was planned.
    """
    business_id, route_id = route.business_id, route.id
    came = _arrivals(session, business_id, route_id)
    rows = session.exec(
        select(StopRow.id, JobRow, PlaceRow)
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .join(PlaceRow, col(PlaceRow.id) == col(StopRow.place_id))
        .where(StopRow.business_id == business_id, StopRow.route_id == route_id)
    ).all()
    here: defaultdict[str, list[tuple[JobRow, PlaceRow]]] = defaultdict(list)
    for stop_id, job, place in rows:
        if job.outcome != Outcome.CANCELLED:
            here[stop_id].append((job, place))
    visits, between = list[_Visit](), _fetched(session, business_id, route_id)
    for jobs in here.values():
        if (visit := _visit(jobs, came)) is not None:
            visits.append(visit)
        else:
            between += [job.closed_occurred_at for job, _ in jobs if job.closed_occurred_at]
    visits.sort(key=lambda one: one.came_at)
    rests = [rest for rest in rests_read(route.rests) if rest is not None]
    return [
        (a, b)
        for a, b in pairwise(visits)
        if not any(a.ended_at <= other <= b.came_at for other in between)
        and not any(rest.opens < b.came_at and a.ended_at < rest.closes for rest in rests)
    ]


def _fetched(session: Session, business_id: str, route_id: str) -> list[datetime]:
    """When goods were taken on board on the way."""
    rows = session.exec(
        select(TakeOverRow.done_at)
        .join(StopRow, col(StopRow.id) == col(TakeOverRow.stop_id))
        .where(TakeOverRow.business_id == business_id, StopRow.route_id == route_id)
    )
    return [at for at in rows if at is not None]


def _visit(jobs: Sequence[tuple[JobRow, PlaceRow]], came: Mapping[str, datetime]) -> _Visit | None:
    place = jobs[0][1]
    arrived = [came[job.id] for job, _ in jobs if job.id in came]
    ended = [job.closed_occurred_at for job, _ in jobs if job.closed_occurred_at is not None]
    if place.lat is None or place.lon is None or not arrived or len(ended) < len(jobs):
        return None
    return _Visit(min(arrived), max(ended), Point(place.lat, place.lon))


def _arrivals(session: Session, business_id: str, route_id: str) -> dict[str, datetime]:
    """Job -> when somebody first came; what a driver took back does not count."""
    rows = session.exec(
        select(ActRow.job_id, ActRow.occurred_at)
        .where(
            ActRow.business_id == business_id,
            ActRow.route_id == route_id,
            ActRow.kind == "arrive",
            ActRow.result == "applied",
        )
        .order_by(col(ActRow.occurred_at).desc())
    )
    return {job_id: at for job_id, at in rows if job_id is not None}

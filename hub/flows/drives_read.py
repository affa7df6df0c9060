"""What the drives of rounds that are over took, read once by the worker and kept with the round.

So whoever looks at it asks nobody how long the ways take on free roads: that may be a service
which is paid for each question, and there are hundreds of rounds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, or_, select, update

from hub.core.breaks_had import not_told, spans
from hub.core.errors import HubError
from hub.core.jobs import Outcome
from hub.core.values import Point
from hub.db.tables import (
    ActRow,
    BusinessRow,
    JobRow,
    PlaceRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    TakeOverRow,
    VehicleRow,
)
from hub.flows.breaks import breaks_of
from hub.flows.fleet_rules import MEASURED, profile_of
from hub.flows.rests import rests_read
from hub.flows.roads import NO_ROAD_S, travel_between
from hub.flows.travel_asked import are_never_free

if TYPE_CHECKING:
    from hub.app import Hub

WEEKS = 8
LATER = timedelta(hours=6)  # phones without signal tell some of a day after it
MOST_ROUTES = 250  # the newest: weeks of some vans, read in a second or two


@dataclass(frozen=True, slots=True)
class _Visit:
    came_at: datetime
    ended_at: datetime
    place: Point


_Way = tuple[_Visit, _Visit]


def read_drives(hub: Hub) -> int:
    """How many rounds were read, the newest first. Safe to repeat and to be killed in."""
    with hub.reading() as session:
        businesses = session.exec(select(BusinessRow).order_by(BusinessRow.id)).all()
    return sum(_read(hub, business) for business in businesses)


def rounds_over(business: BusinessRow, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Those of the last ``WEEKS`` by a vehicle with an engine, of ``RouteRow`` with its
    ``ShiftRow`` and, if it has one, its ``VehicleRow``: few vans are not crowded out by bicycles.
    """
    today = now.astimezone(ZoneInfo(business.zone)).date()
    since: date = today - timedelta(weeks=WEEKS)
    return (
        col(RouteRow.business_id) == business.id,
        col(RouteRow.published_at).is_not(None),
        col(RouteRow.day) >= since,
        col(RouteRow.day) < today,
        col(ShiftRow.ends_at) < now - LATER,
        or_(col(ShiftRow.ended_at).is_(None), col(ShiftRow.ended_at) < now - LATER),
        or_(col(VehicleRow.id).is_(None), col(VehicleRow.profile).in_(MEASURED)),
    )


def _read(hub: Hub, business: BusinessRow) -> int:
    with hub.reading() as session:
        rows = session.exec(
            select(RouteRow, ShiftRow, VehicleRow)
            .join(ShiftRow, col(ShiftRow.id) == col(RouteRow.shift_id))
            .outerjoin(VehicleRow, col(VehicleRow.id) == col(RouteRow.vehicle_id))
            .where(*rounds_over(business, hub.now()), col(RouteRow.drives).is_(None))
            .order_by(col(RouteRow.day).desc(), col(RouteRow.id))
            .limit(MOST_ROUTES)
        ).all()
        rounds = [
            (route.id, profile_of(van), _ways(session, route, shift, hub.now()))
            for route, shift, van in rows
        ]
    for n, (route_id, profile, ways) in enumerate(rounds):
        try:
            found = _drives(hub, business.id, profile, ways)
        except HubError as problem:  # nobody can tell now
            hub.tools.log.info("drives are not read business=%s: %s", business.id, problem)
            return n
        with hub.unit() as unit:
            unit.session.exec(
                update(RouteRow)
                .where(col(RouteRow.business_id) == business.id, col(RouteRow.id) == route_id)
                .values(drives=found)
            )
    return len(rounds)


def _drives(hub: Hub, business_id: str, profile: str, ways: Sequence[_Way]) -> list[Any]:
    """As they are kept; none where travel times know the time of day, so that none are free."""
    if not ways:
        return []
    places = list(dict.fromkeys(end.place for way in ways for end in way))
    at = ways[0][0].ended_at
    if are_never_free(hub, business_id, len(places), profile, at):
        return []  # and nothing is paid for it
    travel = travel_between(hub, business_id, places, at, profile)
    if travel.pace:
        return []
    index = {place: n for n, place in enumerate(places)}
    found = list[Any]()
    for a, b in ways:
        free_s = travel.seconds[index[a.place]][index[b.place]]
        if free_s < NO_ROAD_S:
            took_s = (b.came_at - a.ended_at).total_seconds()
            found.append([a.ended_at.isoformat(), round(took_s), free_s])
    return found


def _ways(session: Session, route: RouteRow, shift: ShiftRow, now: datetime) -> list[_Way]:
    """From door to door, in the order in which somebody came to them; not those on which
    something else was done, by who did not say that he came, or at the depot, or on which a break
    was had, or was planned and nothing was said of it.
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
    planned, had = rests_read(route.rests), breaks_of(shift)
    rests = [*not_told(planned, had), *spans(planned, had, now)]
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

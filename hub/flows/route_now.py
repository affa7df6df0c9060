"""A stored route as the core judges it, and the roads between its places."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists
from sqlmodel import Session, col, or_, select

from hub.core.breaks_had import planned_as_had, unplanned_until
from hub.core.business import BusinessSettings
from hub.core.fit import RouteNow, StopNow
from hub.core.fit_route import unloading_first, walked
from hub.core.jobs import State
from hub.core.planning import JobToPlan
from hub.core.values import Point, TimeWindow
from hub.db.tables import (
    BusinessRow,
    DepotRow,
    DriverRow,
    JobRow,
    OrderRow,
    PlaceRow,
    PromiseRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    VehicleRow,
)
from hub.flows.breaks import breaks_of
from hub.flows.day import job_to_plan, vehicle_to_plan
from hub.flows.day_due import Due
from hub.flows.day_rules import UsualTimes, with_breaks
from hub.flows.fleet_rules import profile_of
from hub.flows.kept_apart import apart_jobs
from hub.flows.rests import rests_read
from hub.flows.roads import Roads, Rush, travel_between
from hub.flows.route_conflict import RouteConflict as RouteConflict
from hub.flows.sync import order_report
from hub.flows.take_overs import fetches_of, with_origins, worked
from hub.flows.visits import driven
from hub.flows.zones import zones_here, zones_of

if TYPE_CHECKING:
    from hub.app import Hub


@dataclass(frozen=True)
class Laid:
    """A route's rows, and the same as values. ``jobs`` and ``stops`` by id.

    ``cancelled``: the stops where nothing is left to do. They stay on the list but nobody
    drives there, so ``now`` knows neither them nor any cancelled job.
    """

    route: RouteRow
    now: RouteNow
    stops: dict[str, StopRow]
    jobs: dict[str, JobRow]
    cancelled: frozenset[str]
    fetched: frozenset[str] = frozenset()  # what ``now`` has as jobs although it takes over only


def route_of(session: Session, business_id: str, route_id: str) -> RouteRow:
    """The route, if it is this business's. Raises ``LookupError``."""
    route = session.exec(
        select(RouteRow).where(RouteRow.business_id == business_id, RouteRow.id == route_id)
    ).one_or_none()
    if route is None:
        raise LookupError(f"no route {route_id}")
    return route


def route_holding(session: Session, business_id: str, job_ids: Collection[str]) -> RouteRow | None:
    """The route, a draft or not, that has one of these jobs."""
    return session.exec(
        select(RouteRow)
        .join(StopRow, col(StopRow.route_id) == col(RouteRow.id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .where(RouteRow.business_id == business_id, col(StopJobRow.job_id).in_(job_ids))
    ).first()


def stops_of(session: Session, business_id: str, route_id: str) -> list[StopRow]:
    """In their order."""
    query = select(StopRow).where(StopRow.business_id == business_id, StopRow.route_id == route_id)
    return list(session.exec(query.order_by(col(StopRow.n))))


def work_of(session: Session, business_id: str, route_id: str) -> dict[str, list[JobRow]]:
    """Stop id -> its jobs, for every stop of the route that has some."""
    found: dict[str, list[JobRow]] = {}
    for stop_id, job in session.exec(
        select(StopJobRow.stop_id, JobRow)
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
        .where(StopJobRow.business_id == business_id, StopRow.route_id == route_id)
        .order_by(col(JobRow.order_id), col(JobRow.leg))
    ):
        found.setdefault(stop_id, []).append(job)
    return found


def laid(session: Session, business_id: str, route: RouteRow, roads: Roads) -> Laid:
    """``route`` as it stands. Raises ``RouteConflict`` for a place that ``roads`` does not know."""
    business = session.get_one(BusinessRow, business_id)
    shift, driver, van = _crew(session, business_id, route)
    stops = stops_of(session, business_id, route.id)
    work = work_of(session, business_id, route.id)
    rows = {job.id: job for jobs in work.values() for job in jobs}
    known = to_plan(session, business_id, rows.values(), usual_at(session, route), roads)
    leaves_at = route.leaves_at or shift.starts_at
    fetches = fetches_of(session, business_id, route.id)
    visits = driven(stops, work, fetches)
    zone = ZoneInfo(business.zone)
    vehicle = with_breaks(
        vehicle_to_plan(shift, driver, van, _known(roads, shift)), shift, driver, zone
    )
    to_do = with_origins({id: job for id, (job, _) in known.items()}, fetches)
    rests, told = rests_read(route.rests), breaks_of(shift)
    had = planned_as_had(rests, told)
    return Laid(
        route,
        walked(
            RouteNow(
                id=route.id,
                van=van.name if van else f"{driver.name}'s vehicle",
                driver=driver.name,
                vehicle=vehicle,
                stops=tuple(
                    StopNow(
                        visit.stop.id,
                        roads.index[visit.stop.place_id],
                        unloading_first([to_do[job.id] for job in visit.jobs])
                        if visit.fetch is None
                        else (worked(visit.fetch, roads.index[visit.stop.place_id], to_do),),
                        visit.stage,
                        visit.stop.arrive_at,
                        visit.stop.depart_at,
                        visit.n,
                    )
                    for visit in visits
                ),
                leave=leaves_at,
                home=route.back_at or leaves_at,
                numbers={id: number for id, (_, number) in known.items()},
                zone=zone,
                # What was told before a job came on a draft is told anew when that is published.
                promises=promises_of(session, business_id, rows) if route.published_at else {},
                access_s=walks(session, business_id, roads),
                apart=frozenset(BusinessSettings.model_validate(business.settings).apart)
                | apart_jobs(session, business_id, rows),
                rests=tuple(had.get(n, rest) for n, rest in enumerate(rests)),
                had=frozenset(had),
                rests_until=unplanned_until(rests, told),
            )
        ),
        {stop.id: stop for stop in stops},
        rows,
        frozenset(work.keys() - {visit.stop.id for visit in visits}),
        frozenset(fetch.row.id for fetch in fetches.values()),
    )


def walks(
    session: Session, business_id: str, roads: Roads, jobs: Sequence[JobRow] | None = None
) -> dict[int, int]:
    """The number of a place in ``roads`` -> seconds from the parked van to its door; of all places
    there, or of those of ``jobs``.
    """
    wanted = roads.index if jobs is None else {job.place_id for job in jobs if job.place_id}
    rows = session.exec(
        select(PlaceRow.id, PlaceRow.access_s).where(
            PlaceRow.business_id == business_id,
            col(PlaceRow.id).in_(wanted),
            col(PlaceRow.access_s).is_not(None),
        )
    )
    return {roads.index[id]: walk_s for id, walk_s in rows if walk_s and id in roads.index}


def promises_of(
    session: Session, business_id: str, job_ids: Collection[str]
) -> dict[str, TimeWindow]:
    """Job id -> the promise in force, where one was made."""
    rows = session.exec(
        select(PromiseRow.job_id, PromiseRow.opens, PromiseRow.closes)
        .where(
            PromiseRow.business_id == business_id,
            col(PromiseRow.job_id).in_(job_ids),
            PromiseRow.n > 0,
        )
        .order_by(col(PromiseRow.n))
    )
    return {job_id: TimeWindow(opens, closes) for job_id, opens, closes in rows}


def still_driven() -> ColumnElement[bool]:
    """Of routes: those whose driver has not gone home."""
    ended = exists().where(
        col(ShiftRow.business_id) == col(RouteRow.business_id),
        col(ShiftRow.id) == col(RouteRow.shift_id),
        col(ShiftRow.ended_at).is_not(None),
    )
    return ~ended


def usual_at(session: Session, route: RouteRow) -> UsualTimes:
    """What is usual at the doors of a route."""
    business = session.get_one(BusinessRow, route.business_id)
    depot = session.exec(
        select(DepotRow).where(
            DepotRow.business_id == route.business_id, DepotRow.id == route.depot_id
        )
    ).one()
    return UsualTimes.at(depot, BusinessSettings.model_validate(business.settings))


def to_plan(
    session: Session,
    business_id: str,
    rows: Iterable[JobRow],
    usual: UsualTimes,
    roads: Roads,
) -> dict[str, tuple[JobToPlan, str]]:
    """Job id -> the job as planning sees it, and its order's number; ``usual`` as a route's
    depot has it.
    """
    wanted = [job.id for job in rows]
    found: Sequence[Due] = session.exec(
        select(JobRow, OrderRow, PlaceRow)
        .join(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
        .join(PlaceRow, col(PlaceRow.id) == col(JobRow.place_id))
        .where(JobRow.business_id == business_id, col(JobRow.id).in_(wanted))
    ).all()
    others = _other_halves(session, business_id, [job for job, _, _ in found])
    zones = zones_of(session, business_id)
    if any(place.id not in roads.index for _, _, place in found):
        raise RouteConflict("A place on this route was changed just now. Look again.")
    return {
        job.id: (
            replace(
                job_to_plan(
                    job,
                    order_report.validate_python(order.report),
                    roads.index[place.id],
                    place,
                    usual.of(job),
                    others,
                ),
                zones=zones_here(zones, place),
            ),
            order.number,
        )
        for job, order, place in found
    }


def legs_of(session: Session, business_id: str, job: JobRow) -> list[JobRow]:
    """``job`` and, while both are open, the other half of its pair; collecting comes first."""
    if job.state == State.CLOSED:
        return [job]
    query = select(JobRow).where(
        JobRow.business_id == business_id,
        JobRow.order_id == job.order_id,
        JobRow.attempt == job.attempt,
        JobRow.state != State.CLOSED,
    )
    return list(session.exec(query.order_by(col(JobRow.leg))))


def roads_for(
    hub: Hub,
    business_id: str,
    route_ids: Sequence[str],
    jobs: Sequence[JobRow] = (),
    vehicle_id: str | None = None,
    place_ids: Collection[str] = (),
    more: Mapping[str, Point] | None = None,
    kinds: Collection[str] = (),
) -> Roads:
    """Roads between all places of these routes and jobs, for every vehicle concerned.

    ``place_ids`` are more of them, where somebody may have to go; so is ``more``, by ids that
    no place has yet. ``kinds`` are profiles of vehicles that may come to drive.
    """
    with hub.reading() as session:
        stops = select(StopRow.place_id).where(
            StopRow.business_id == business_id, col(StopRow.route_id).in_(route_ids)
        )
        wanted = {*session.exec(stops), *(job.place_id for job in jobs if job.place_id), *place_ids}
        points = {
            place.id: Point(place.lat, place.lon)
            for place in session.exec(
                select(PlaceRow).where(
                    PlaceRow.business_id == business_id,
                    col(PlaceRow.id).in_(wanted),
                )
            )
            if place.lat is not None and place.lon is not None
        }
        for depot in session.exec(select(DepotRow).where(DepotRow.business_id == business_id)):
            points[depot.id] = Point(depot.lat, depot.lon)
        points |= more or {}
        rush = _rush(session, business_id, route_ids, hub.now())
        profiles = {
            profile_of(van)
            for van in session.exec(
                select(VehicleRow)
                .outerjoin(RouteRow, col(RouteRow.vehicle_id) == col(VehicleRow.id))
                .where(
                    VehicleRow.business_id == business_id,
                    or_(col(RouteRow.id).in_(route_ids), VehicleRow.id == vehicle_id),
                )
            )
        }
    places = list(points.values())
    travel = {
        profile: rush.slow(travel_between(hub, business_id, places, hub.now(), profile), profile)
        for profile in {*profiles, *kinds, "car"}
    }
    return Roads({id: n for n, id in enumerate(points)}, travel)


def _rush(session: Session, business_id: str, route_ids: Sequence[str], now: datetime) -> Rush:
    """On the days of these routes, and today: what is late is driven after its day."""
    business = session.get_one(BusinessRow, business_id)
    query = select(col(RouteRow.day)).where(
        RouteRow.business_id == business_id, col(RouteRow.id).in_(route_ids)
    )
    today = now.astimezone(ZoneInfo(business.zone)).date()
    days = [today, *session.exec(query)]
    return Rush.of(business, min(days), max(days))


def _crew(
    session: Session, business_id: str, route: RouteRow
) -> tuple[ShiftRow, DriverRow, VehicleRow | None]:
    return session.exec(
        select(ShiftRow, DriverRow, VehicleRow)
        .select_from(ShiftRow)
        .join(DriverRow, col(DriverRow.id) == route.driver_id)
        .outerjoin(VehicleRow, col(VehicleRow.id) == route.vehicle_id)
        .where(ShiftRow.business_id == business_id, ShiftRow.id == route.shift_id)
    ).one()


def _known(roads: Roads, shift: ShiftRow) -> Mapping[str, int]:
    if not {shift.depot_id, shift.end_depot_id or shift.depot_id} <= roads.index.keys():
        raise RouteConflict("A depot was added just now. Look again.")
    return roads.index


def _other_halves(session: Session, business_id: str, rows: Sequence[JobRow]) -> dict[str, str]:
    """Job id -> its other half, for every pair of which both are open, wherever they are."""
    twos: dict[tuple[str, int], list[str]] = {}
    for id, order_id, attempt in session.exec(
        select(JobRow.id, JobRow.order_id, JobRow.attempt).where(
            JobRow.business_id == business_id,
            JobRow.state != State.CLOSED,
            col(JobRow.order_id).in_({job.order_id for job in rows}),
        )
    ):
        twos.setdefault((order_id, attempt), []).append(id)
    pairs = [ids for ids in twos.values() if len(ids) == 2]
    return {a: b for ids in pairs for a, b in (ids, reversed(ids))}

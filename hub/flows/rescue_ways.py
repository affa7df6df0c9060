"""What can be done about a van or a driver that drops out, and what each way would cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from hub.core.business import BusinessSettings
from hub.core.fit import Problem, RouteNow, Stage, problems, timed
from hub.core.ids import new_id
from hub.core.jobs import NotNow, State
from hub.core.pace import arrives, traffic_of
from hub.core.rescue import Load, Way
from hub.core.rescue_every import Asked, each_way
from hub.core.values import Point, TimeWindow
from hub.db.tables import (
    BusinessRow,
    DepotRow,
    DriverRow,
    JobRow,
    PlaceRow,
    RouteRow,
    ShiftRow,
    StopRow,
    VehicleRow,
)
from hub.flows.day import vehicle_to_plan
from hub.flows.day_rules import with_breaks
from hub.flows.fleet_rules import profile_of
from hub.flows.roads import NO_ROAD_S, Roads
from hub.flows.route_now import (
    laid,
    legs_of,
    promises_of,
    roads_for,
    route_of,
    still_driven,
    stops_of,
    to_plan,
    usual_at,
    work_of,
)
from hub.flows.take_overs import Fetch, next_loads, still_elsewhere
from hub.flows.visits import driven

if TYPE_CHECKING:
    from hub.app import Hub

NEAREST = 6  # routes that are looked at: a van across the town has its own to do
BEFORE_LOADING = (State.PLANNED, State.ASSIGNED, State.DISPATCHED)
LIMPS = 2  # a van that is towed, or limps, takes twice as long home


class Happened(StrEnum):
    VAN = "van"
    DRIVER = "driver"
    BOTH = "both"


@dataclass(frozen=True)
class Crew:
    """A driver who is free, with a shift of the day if there is one, and a vehicle."""

    driver: DriverRow
    shift: ShiftRow | None
    van: VehicleRow | None


@dataclass(frozen=True)
class Scene:
    """How things stand. ``here`` and ``yard`` are ids for the places where a load may be taken
    over, which are not stored yet; ``stands`` is of the one where the van was to load next, if it
    was; ``crews`` by the id of the route that they would drive.
    """

    route: RouteRow
    driver: str
    van: str
    happened: Happened
    at: Point
    here: str
    yard: str
    stands: str
    depot: DepotRow
    now: datetime
    roads: Roads
    groups: tuple[tuple[JobRow, ...], ...]
    at_door: int  # jobs that the driver is at, and ends himself
    not_loaded: int  # of what the van brings: it has not left, and nobody said that it is in
    load: Load
    numbers: Mapping[str, str]
    takers: Mapping[str, RouteNow]
    crews: Mapping[str, Crew]
    swaps: Mapping[str, Crew]  # as ``crews``, in the vehicle that stands there
    swapped: Mapping[str, RouteNow]  # what they would drive
    versions: Mapping[str, int]
    known: tuple[Problem, ...]
    zone: ZoneInfo


@dataclass(frozen=True)
class Out:
    """The question to a dispatcher, and its answers; the best of each kind first."""

    scene: Scene
    ways: tuple[Way, ...]


def ways_out(
    hub: Hub,
    business_id: str,
    route_id: str,
    happened: Happened = Happened.VAN,
    at: Point | None = None,
    key: str = "",
) -> Out:
    """Every way out; those that cannot be taken say why. ``at`` ``None``: where the van was last.

    With ``key`` only the way that is called so.

    Raises ``LookupError`` for a stranger, ``NotNow`` for a route that is no driver's any more.
    """
    scene = scene_of(hub, business_id, route_id, happened, at)
    asked = asked_of(scene)
    if key:
        way = asked.named(key)
        return Out(scene, () if way is None else (way,))
    *_, ways = each_way(asked)
    return Out(scene, tuple(ways))


def asked_of(scene: Scene) -> Asked:
    """What is to be reckoned, without a row."""
    if scene.happened is not Happened.DRIVER:
        no_swap = "The van does not drive."
    else:
        no_swap = "" if scene.swapped else "Nobody else is free today to drive this van."
    return Asked(
        road={id: one for id, one in scene.takers.items() if id not in scene.crews},
        free={id: one for id, one in scene.takers.items() if id in scene.crews},
        swaps=scene.swapped,
        load=scene.load,
        at_depot=_at_depot(scene),
        travel=scene.roads.travel,
        now=scene.now,
        known=scene.known,
        no_swap=no_swap,
    )


def last_seen(hub: Hub, business_id: str, route_id: str) -> Point:
    """Where the van of a route was last: by its driver's phone, else the last door, else the
    depot.
    """
    with hub.reading() as session:
        route = route_of(session, business_id, route_id)
        shift = session.exec(
            select(ShiftRow).where(
                ShiftRow.business_id == business_id, ShiftRow.id == route.shift_id
            )
        ).one()
        visits = driven(
            stops_of(session, business_id, route_id), work_of(session, business_id, route_id), {}
        )
        been = [visit.stop.place_id for visit in visits if visit.stage in (Stage.DONE, Stage.THERE)]
        door = session.exec(
            select(PlaceRow.lat, PlaceRow.lon).where(
                PlaceRow.business_id == business_id, PlaceRow.id == (been[-1] if been else "")
            )
        ).one_or_none()
        depot = _depot(session, route)
    began_at = shift.began_at or shift.starts_at
    for fix in hub.positions.last(business_id):
        at = datetime.fromtimestamp(fix.at_ms / 1000, UTC)
        if fix.driver_id == route.driver_id and at >= began_at:
            return Point(fix.lat, fix.lon)
    if door is not None and door[0] is not None and door[1] is not None:
        return Point(door[0], door[1])
    return Point(depot.lat, depot.lon)


def _at_depot(scene: Scene) -> Load:
    """What is on board once the van limped home, or was towed."""
    roads, load = scene.roads, scene.load
    travel = roads.travel["car"]
    back_s = travel.seconds[load.place][roads.index[scene.depot.id]]
    if back_s >= NO_ROAD_S:
        return load
    ready_at = arrives(traffic_of(travel.pace), scene.now, LIMPS * back_s)
    return replace(load, place=roads.index[scene.yard], ready_at=ready_at)


def scene_of(
    hub: Hub, business_id: str, route_id: str, happened: Happened, at: Point | None
) -> Scene:
    """How things stand now. Raises as ``ways_out``."""
    now, here, yard = hub.now(), new_id(), new_id()
    at = at or last_seen(hub, business_id, route_id)
    with hub.reading() as session:
        route = route_of(session, business_id, route_id)
        _is_driven(session, route)
        depot = _depot(session, route)
        others = session.exec(
            select(RouteRow).where(
                RouteRow.business_id == business_id,
                RouteRow.day == route.day,
                RouteRow.id != route.id,
                col(RouteRow.published_at).is_not(None),
                still_driven(),
            )
        ).all()
        vans = session.exec(select(VehicleRow).where(VehicleRow.business_id == business_id))
        kinds = {profile_of(van) for van in vans}
    more = {here: at, yard: Point(depot.lat, depot.lon)}
    ids = [route.id, *(one.id for one in others)]
    roads = roads_for(hub, business_id, ids, more=more, kinds=kinds)
    with hub.reading() as session:
        business = session.get_one(BusinessRow, business_id)
        settings, zone = BusinessSettings.model_validate(business.settings), ZoneInfo(business.zone)
        mine = laid(session, business_id, route, roads)
        groups, at_door = _groups(session, route, happened)
        rows = [job for legs in groups for job in legs]
        if rows and (van := still_elsewhere(session, business_id, [job.id for job in rows])):
            raise NotNow(f"The load of {van} is not taken over yet. Hand this route over instead.")
        later = next_loads(session, business_id, route.id)
        waiting = {id for fetch in later for id in fetch.waiting}
        stands = _place_of(session, later[0]) if later else ""
        planned = to_plan(session, business_id, rows, usual_at(session, route), roads)
        numbers = {id: number for id, (_, number) in planned.items()}
        told = promises_of(session, business_id, [job.id for job in rows])
        brought = {x[0].id for x in groups if len(x) == 1 and x[0].kind == "deliver"}
        in_it = {job.id for job in rows if job.state not in BEFORE_LOADING}
        not_loaded = len(brought - waiting - in_it)
        load = Load(
            roads.index[here],
            settings.transfer_s,
            tuple(tuple(planned[job.id][0] for job in legs) for legs in groups),
            frozenset(brought - waiting),
            waiting=frozenset(brought & waiting),
            yard=roads.index[stands or yard],
            load_s=max((fetch.row.service_s for fetch in later), default=0),
            depot=roads.index[depot.id],
        )
        takers = {one.id: laid(session, business_id, one, roads).now for one in others}
        crews = _free(session, route, others)
        driver, van = mine.now.driver, mine.now.van
        own = session.exec(
            select(VehicleRow).where(
                VehicleRow.business_id == business_id, VehicleRow.id == route.vehicle_id
            )
        ).one_or_none()
    takers = _near(takers, roads, load.place)
    new = {f"new:{crew.driver.id}": crew for crew in crews if crew.van is not None or own is None}
    for id, crew in new.items():
        takers[id] = _fresh(roads, depot, id, crew, now, route, zone)
    apart = mine.now.apart
    takers = {id: one.naming(numbers).keeping(told).parting(apart) for id, one in takers.items()}
    swaps = {f"new:{crew.driver.id}": replace(crew, van=own) for crew in crews}
    swapped = {
        id: _fresh(roads, depot, id, crew, now, route, zone)
        .naming(numbers)
        .keeping(told)
        .parting(apart)
        for id, crew in swaps.items()
    }
    return Scene(
        route=route,
        driver=driver,
        van=van,
        happened=happened,
        at=at,
        here=here,
        yard=yard,
        stands=stands,
        depot=depot,
        now=now,
        roads=roads,
        groups=groups,
        at_door=at_door,
        not_loaded=0 if mine.now.first_free else not_loaded,
        load=load,
        numbers=numbers,
        takers=takers,
        crews=new,
        swaps=swaps,
        swapped=swapped,
        versions={one.id: one.version for one in (route, *others)},
        known=_late(timed(mine.now, roads.travel, now)),
        zone=zone,
    )


def _place_of(session: Session, fetch: Fetch) -> str:
    stop = StopRow.business_id == fetch.row.business_id, StopRow.id == fetch.row.stop_id
    return session.exec(select(StopRow.place_id).where(*stop)).one()


def _is_driven(session: Session, route: RouteRow) -> None:
    if route.published_at is None:
        raise NotNow("This route is still a draft. Give it to somebody else before it goes out.")
    ended = session.exec(
        select(ShiftRow.ended_at).where(
            ShiftRow.business_id == route.business_id, ShiftRow.id == route.shift_id
        )
    ).one()
    if ended is not None:
        raise NotNow("The shift of this route has ended already.")


def _late(route: RouteNow) -> tuple[Problem, ...]:
    """Who waits too long already waits no longer by what is done about it."""
    return tuple(one for one in problems(route) if one.kind in ("window", "promise"))


def _groups(
    session: Session, route: RouteRow, happened: Happened
) -> tuple[tuple[tuple[JobRow, ...], ...], int]:
    """What somebody else has to do: single jobs and whole pairs as listed; and how many jobs the
    driver is at. Where only the van is out he still ends those himself.
    """
    work = work_of(session, route.business_id, route.id)
    found: dict[str, tuple[JobRow, ...]] = {}
    at_door = 0
    for stop in stops_of(session, route.business_id, route.id):
        for job in work.get(stop.id, []):
            if job.state == State.CLOSED:
                continue
            legs = tuple(legs_of(session, route.business_id, job))
            if happened is Happened.VAN and any(leg.state == State.ARRIVED for leg in legs):
                at_door += 1
            else:
                found.setdefault(legs[0].id, legs)
    return tuple(found.values()), at_door


def _near(takers: Mapping[str, RouteNow], roads: Roads, place: int) -> dict[str, RouteNow]:
    """Those who come nearest on what is left of their way."""

    def way_s(route: RouteNow) -> int:
        row = roads.travel[route.vehicle.profile].seconds[place]
        left = [stop.place for stop in route.stops[max(0, route.first_free - 1) :]]
        return min((row[one] for one in left), default=row[route.vehicle.start])

    nearest = sorted(takers, key=lambda id: (way_s(takers[id]), id))[:NEAREST]
    return {id: takers[id] for id in nearest}


def _free(session: Session, route: RouteRow, others: Sequence[RouteRow]) -> list[Crew]:
    """Drivers without a route today, each with a van that nobody drives."""
    business_id = route.business_id
    today = select(RouteRow).where(RouteRow.business_id == business_id, RouteRow.day == route.day)
    routes = session.exec(today).all()
    busy = {one.driver_id for one in routes}
    shifts = session.exec(
        select(ShiftRow).where(
            ShiftRow.business_id == business_id,
            ShiftRow.day == route.day,
            col(ShiftRow.ended_at).is_(None),
        )
    ).all()
    shift_of = {one.driver_id: one for one in shifts if one.starts_at < one.ends_at}
    drivers = session.exec(
        select(DriverRow)
        .where(DriverRow.business_id == business_id, col(DriverRow.active))
        .order_by(DriverRow.name)
    ).all()
    vans = {
        van.id: van
        for van in session.exec(
            select(VehicleRow)
            .where(VehicleRow.business_id == business_id, col(VehicleRow.active))
            .order_by(VehicleRow.name)
        )
    }
    gone = {one.vehicle_id for one in (route, *others)}
    spare = [id for id in vans if id not in gone]
    found = list[Crew]()
    for driver in drivers:
        if driver.id in busy:
            continue
        shift = shift_of.get(driver.id)
        own = (shift.vehicle_id if shift else None) or driver.vehicle_id
        van = vans.get(own) if own is not None and own in spare else None
        if van is None and spare:
            van = vans[spare[0]]
        found.append(Crew(driver, shift, van))
    return found


def _fresh(
    roads: Roads,
    depot: DepotRow,
    id: str,
    crew: Crew,
    now: datetime,
    route: RouteRow,
    zone: ZoneInfo,
) -> RouteNow:
    """A route that nobody drives yet, from the depot at once to the end of the shift."""
    hours = hours_of(crew.shift, route, now)
    van = crew.van
    shift = ShiftRow(  # as it will be; stored only once it is decided
        business_id=route.business_id,
        driver_id=crew.driver.id,
        depot_id=depot.id,
        day=route.day,
        starts_at=hours.opens,
        ends_at=hours.closes,
    )
    vehicle = replace(vehicle_to_plan(shift, crew.driver, van, roads.index), id=id)
    vehicle = with_breaks(vehicle, shift, crew.driver, zone)
    name = van.name if van else f"{crew.driver.name}'s vehicle"
    opens = max(now, hours.opens)
    return RouteNow(id, name, crew.driver.name, vehicle, (), opens, opens, {}, zone)


def hours_of(shift: ShiftRow | None, route: RouteRow, now: datetime) -> TimeWindow:
    """When a free driver may drive: in his own shift, else from now as long as was planned and an
    hour at least.
    """
    if shift is not None and shift.ends_at > now:
        return TimeWindow(shift.starts_at, shift.ends_at)
    until = max(route.back_at or now, now) + timedelta(hours=2)
    return TimeWindow(now, until)


def _depot(session: Session, route: RouteRow) -> DepotRow:
    return session.exec(
        select(DepotRow).where(
            DepotRow.business_id == route.business_id, DepotRow.id == route.depot_id
        )
    ).one()

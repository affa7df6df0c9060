"""What becomes of a job whose order is to go somewhere else now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, delete, select

from hub.core import jobs
from hub.core.jobs import ON_A_PHONE, Act, State
from hub.db.tables import JobRow, PlaceRow, RouteRow, ShiftRow, StopJobRow, StopRow
from hub.db.unit import Unit
from hub.flows.order_rows import address_document
from hub.flows.route_news import tell_routes
from hub.flows.take_overs import fetches_of

UNDER_WAY = frozenset({State.EN_ROUTE, State.ARRIVED})
ON_A_ROUTE = ON_A_PHONE | {State.PLANNED, State.ASSIGNED}


@dataclass(frozen=True, slots=True)
class Move:
    """An open job and the place it is for now. ``legs``: its undertaking's, as far as open."""

    job: JobRow
    place: PlaceRow
    legs: Sequence[JobRow]

    @property
    def stays(self) -> bool:
        """Whether the driver is on the way already, or has the goods that were fetched for it."""
        if State(self.job.state) not in ON_A_ROUTE:
            return False
        fetched = self.job.leg == 2 and all(leg.leg == 2 for leg in self.legs)
        under_way = any(State(leg.state) in UNDER_WAY for leg in self.legs)
        return under_way or (fetched and State(self.job.state) in ON_A_PHONE)


def brings_back(session: Session, job: JobRow) -> bool:
    """Whether its goods may be on board, so that somebody has to bring them back."""
    if job.kind != "deliver":
        return False
    if State(job.state) in UNDER_WAY | {State.LOADED}:
        return True
    return is_driven(session, job.business_id, job.id)


def is_driven(session: Session, business_id: str, job_id: str) -> bool:
    """Whether the shift of the job's route has begun."""
    began = session.exec(
        select(ShiftRow.began_at)
        .join(RouteRow, col(RouteRow.shift_id) == col(ShiftRow.id))
        .join(StopRow, col(StopRow.route_id) == col(RouteRow.id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .where(ShiftRow.business_id == business_id, StopJobRow.job_id == job_id)
    ).first()
    return began is not None


def move(
    unit: Unit, business_id: str, moves: Sequence[Move], now: datetime, actor: str
) -> list[JobRow]:
    """Each job is at its new place; answers with those that left their routes for it.

    A job on a route leaves it with the other leg of its pair, and waits to be located and
    put on a route by a person: nobody is sent to a door that was not looked up. The other
    stops are timed anew by who hears of it: roads are not read inside a unit. Where the
    driver is under way the job stays on the route: its stop moves if the new place is on
    the map, else a note tells the driver.
    """
    there = [one for one in moves if one.place.id != one.job.place_id]
    for one in moves:
        if one not in there and one.place.lat is not None:
            _to_be_located(one.job)
    staying = [one for one in there if one.stays]
    leaving = [one for one in there if one not in staying]
    routed = [one for one in leaving if State(one.job.state) in ON_A_ROUTE]
    legs = {leg.id: leg for one in routed for leg in one.legs}
    left = [leg for leg in legs.values() if State(leg.state) in ON_A_ROUTE]
    if left:
        tell_routes(unit, business_id, left, now, actor, withdrawn=True, rest_waits=True)
        _take_off(unit, business_id, left)
    for one in leaving:
        one.job.place_id = one.place.id
        _to_be_located(one.job)
    for one in staying:
        _redirect(unit, business_id, one)
    return left


def _to_be_located(job: JobRow) -> None:
    if State(job.state) is State.NEEDS_REVIEW:  # the question was about the other address
        job.state = jobs.after(State.NEEDS_REVIEW, Act.LOCATE)


def _take_off(unit: Unit, business_id: str, off: Collection[JobRow]) -> None:
    """Their stops go where nothing else is left to do there."""
    for job in off:
        job.state = jobs.after(State(job.state), Act.UNPLAN)
        job.version += 1
    mine = col(StopJobRow.business_id) == business_id
    theirs = col(StopJobRow.job_id).in_([job.id for job in off])
    routes = unit.session.exec(
        select(StopRow.route_id)
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .where(mine, theirs)
        .distinct()
    ).all()
    unit.session.exec(delete(StopJobRow).where(mine, theirs))
    for route_id in routes:
        route = unit.session.exec(
            select(RouteRow).where(RouteRow.business_id == business_id, RouteRow.id == route_id)
        ).one()
        route.geometry, route.distance_m = [], 0  # drawn anew by who times the rest
        stops = _stops(unit, business_id, route_id)
        busy = set(
            unit.session.exec(
                select(StopJobRow.stop_id).where(
                    StopJobRow.business_id == business_id,
                    col(StopJobRow.stop_id).in_([stop.id for stop in stops]),
                )
            )
        )
        busy |= fetches_of(unit.session, business_id, route_id).keys()
        for stop in stops:
            if stop.id not in busy:
                unit.session.delete(stop)
        _number(unit, [stop for stop in stops if stop.id in busy])


def _redirect(unit: Unit, business_id: str, one: Move) -> None:
    job, place = one.job, one.place
    if place.lat is None:
        told = address_document.validate_python(place.address).one_line()
        job.driver_note = f"New address: {told}\n{job.driver_note}".strip()[:1000]
        return
    here = unit.session.exec(
        select(StopRow)
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .where(StopRow.business_id == business_id, StopJobRow.job_id == job.id)
    ).one()
    links = unit.session.exec(
        select(StopJobRow).where(
            StopJobRow.business_id == business_id, StopJobRow.stop_id == here.id
        )
    ).all()
    job.place_id = place.id
    if len(links) == 1:
        here.place_id = place.id
        return
    link = next(link for link in links if link.job_id == job.id)
    link.stop_id = _stop_after(unit, here, place).id


def _stop_after(unit: Unit, here: StopRow, place: PlaceRow) -> StopRow:
    """A stop of its own: others are still served ``here``."""
    stops = _stops(unit, here.business_id, here.route_id)
    new = StopRow(
        business_id=here.business_id,
        route_id=here.route_id,
        n=len(stops) + 1,
        place_id=place.id,
        arrive_at=here.depart_at,
        depart_at=here.depart_at,
    )
    unit.session.add(new)
    unit.session.flush()
    at = stops.index(here) + 1
    _number(unit, [*stops[:at], new, *stops[at:]])
    return new


def _stops(unit: Unit, business_id: str, route_id: str) -> list[StopRow]:
    query = select(StopRow).where(StopRow.business_id == business_id, StopRow.route_id == route_id)
    return list(unit.session.exec(query.order_by(col(StopRow.n))))


def _number(unit: Unit, stops: Sequence[StopRow]) -> None:
    for n, stop in enumerate(stops, 1):  # aside first: (route, n) is unique at every moment
        stop.n = -n
    unit.session.flush()
    for n, stop in enumerate(stops, 1):
        stop.n = n
    unit.session.flush()

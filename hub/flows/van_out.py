"""A van or a driver drops out: one decision moves what is left, and ends that round.

Customers are told by the estimates that follow at once, as of any other round: whoever is
expected outside of what was promised hears of a new time, once; nobody else hears anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from hub.core import jobs
from hub.core.events import DriverLeft, RouteHandedOver, RoutePublished, ShiftEnded
from hub.core.fit import RouteNow, Stage, StopNow, timed
from hub.core.jobs import Act, State
from hub.core.plan_request import JobToPlan
from hub.core.rescue import Share, Way, from_it
from hub.core.values import Point
from hub.db.tables import JobRow, PlaceRow, RouteRow, ShiftRow, StopRow, TakeOverRow
from hub.flows.breaks import settle_breaks
from hub.flows.estimate import estimate_routes
from hub.flows.rescue_ways import Happened, Scene, hours_of, ways_out
from hub.flows.route_change import Change
from hub.flows.route_line import draw
from hub.flows.route_now import RouteConflict, stops_of, to_plan, usual_at
from hub.flows.states import begin_anew

if TYPE_CHECKING:
    from hub.app import Hub

SOURCE = "take-over"  # of places that are nobody's address


def take_way(
    hub: Hub,
    business_id: str,
    route_id: str,
    key: str,
    *,
    happened: Happened,
    at: Point,
    actor: str,
    versions: Mapping[str, int],
) -> list[RouteRow]:
    """Carry out the way called ``key``; the routes of those who take over.

    ``versions``: route id -> the version that was looked at, of every route of the day. Raises
    ``RouteConflict`` when a route concerned is at another one, or the way is not there any more.
    """
    out = ways_out(hub, business_id, route_id, happened, at, key)
    scene = out.scene
    way = next((one for one in out.ways if one.key == key and not one.why_not), None)
    if way is None:
        raise RouteConflict("This cannot be done any more. Look again.")
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        old = change.route(route_id, versions.get(route_id, 0))
        taking = [_taker(change, scene, share, way, versions) for share in way.shares]
        _let_go(change, scene, old, way)
        for route, share in zip(taking, way.shares, strict=True):
            _bring(change, scene, old, route, share)
        change.retime(old, scene.roads)
        _end(change, old)
        change.bump(old)
        change.audit(f"{happened.value} out: {way.moved} jobs to others", f"route:{old.id}")
    drawn = [draw(hub, route) for route in taking]
    draw(hub, old)
    estimate_routes(hub, route_ids={route.id for route in taking})
    return drawn


def _taker(
    change: Change, scene: Scene, share: Share, way: Way, versions: Mapping[str, int]
) -> RouteRow:
    """The route of who takes over; a new one for a driver who was free."""
    if not share.was.id.startswith("new:"):
        return change.route(share.was.id, versions.get(share.was.id, 0))
    crew = (scene.swaps if way.kind == "driver" else scene.crews)[share.was.id]
    session, business_id = change.session, change.business_id
    busy = session.exec(
        select(RouteRow.id).where(
            RouteRow.business_id == business_id,
            RouteRow.day == scene.route.day,
            RouteRow.driver_id == crew.driver.id,
        )
    ).first()
    if busy is not None:
        raise RouteConflict(f"{crew.driver.name} has a route by now. Look again.")
    vehicle_id = crew.van.id if crew.van is not None else None
    shift = session.exec(
        select(ShiftRow).where(
            ShiftRow.business_id == business_id,
            ShiftRow.id == (crew.shift.id if crew.shift is not None else ""),
        )
    ).one_or_none()
    if shift is None or shift.ends_at <= change.now:
        hours = hours_of(None, scene.route, change.now)
        shift = ShiftRow(
            business_id=business_id,
            driver_id=crew.driver.id,
            depot_id=scene.depot.id,
            day=scene.route.day,
            starts_at=hours.opens,
            ends_at=hours.closes,
        )
        session.add(shift)
    shift.vehicle_id = vehicle_id
    session.flush()
    route = RouteRow(
        business_id=business_id,
        shift_id=shift.id,
        depot_id=scene.depot.id,
        driver_id=crew.driver.id,
        vehicle_id=vehicle_id,
        day=scene.route.day,
        published_at=change.now,
        leaves_at=share.route.leave,
        back_at=share.route.home,
    )
    session.add(route)
    session.flush()
    about: dict[str, Any] = {
        "business_id": business_id,
        "subject_kind": "route",
        "subject_id": route.id,
        "occurred_at": change.now,
        "received_at": change.now,
        "actor": change.actor,
    }
    change.unit.announce(RoutePublished(**about))
    change.unit.announce(
        RouteHandedOver(**about, from_driver_id=scene.route.driver_id, to_driver_id=crew.driver.id)
    )
    return route


def _let_go(change: Change, scene: Scene, old: RouteRow, way: Way) -> None:
    """What is left comes off the route; only who is on no route any more hears of it."""
    if scene.happened is not Happened.VAN:
        for job in begin_anew(change.session, change.business_id, old.id):
            change.unit.announce(DriverLeft(**change.about(job), job_id=job.id))
    taken = {id for share in way.shares for id in share.job_ids}
    for group in scene.groups:
        legs = _rows(change, [leg.id for leg in group])
        change.take_off(old, legs, comes_back=all(leg.id in taken for leg in legs))


def _bring(change: Change, scene: Scene, old: RouteRow, route: RouteRow, share: Share) -> None:
    """Put a share on its route, behind the stop where its load is taken over."""
    session, business_id = change.session, change.business_id
    legs = _rows(change, share.job_ids)
    for leg in legs:
        for act in (Act.PLAN, Act.ASSIGN, Act.DISPATCH):
            leg.state = jobs.after(State(leg.state), act)
        leg.version += 1
    fetches = [
        (job, _stop_to_load(change, scene, route, share, job))
        if job.id == share.loading
        else (job, _stop_for_it(change, scene, old, route, share, job))
        for job in share.fetches
    ]
    before = change.laid(route, scene.roads)
    known = to_plan(session, business_id, legs, usual_at(session, route), scene.roads)
    origin = {id: fetch.id for _, fetch in fetches for id in fetch.job_ids}
    plain = {
        id: from_it(job, origin[id]) if id in origin else job for id, (job, _) in known.items()
    }
    now, stop_of = before.now, dict[str, str]()
    for job, fetch in fetches:
        now = _to_fetch(now, fetch, job)
        stop_of[job.id] = fetch.stop_id
    after = arranged(now, share.route, plain, stop_of)
    after = timed(after, scene.roads.travel, change.now)
    index = scene.roads.index
    change.reorder(before, after, {leg.place_id: index[leg.place_id or ""] for leg in legs})
    change.bump(route)


def _to_fetch(now: RouteNow, fetch: TakeOverRow, job: JobToPlan) -> RouteNow:
    """As long as nothing of a load is on the route nobody goes there; now somebody will."""
    there = next(stop for stop in now.stops if stop.id == fetch.stop_id)
    there = replace(there, stage=Stage.TO_DO, jobs=(replace(job, id=fetch.id),))
    others = (stop for stop in now.stops if stop.id != fetch.stop_id)
    return replace(now, stops=(*others, there))


def arranged(
    now: RouteNow, wanted: RouteNow, coming: Mapping[str, JobToPlan], stop_of: Mapping[str, str]
) -> RouteNow:
    """``now`` with what is ``coming`` in the order of ``wanted``; what is begun stays.

    ``coming``: job id -> the job; ``stop_of``: the id of a job that takes over -> its stop.
    """
    fixed, free = now.stops[: now.first_free], {stop.id: stop for stop in now.stops}
    begun = {stop.id for stop in fixed}
    found: list[StopNow] = []
    for stop in wanted.stops:
        fresh = tuple(coming[job.id] for job in stop.jobs if job.id in coming)
        fetched = next((stop_of[job.id] for job in stop.jobs if job.id in stop_of), "")
        id = fetched or stop.id
        if id in free and id not in begun:
            own = free.pop(id)
            found.append(replace(own, jobs=(*own.jobs, *fresh)))
        elif fresh:
            found.append(replace(stop, id="", jobs=fresh))
    rest = [stop for id, stop in free.items() if id not in begun]
    return replace(now, stops=(*fixed, *found, *rest))


def _stop_for_it(
    change: Change, scene: Scene, old: RouteRow, route: RouteRow, share: Share, job: JobToPlan
) -> TakeOverRow:
    """The stop where ``job`` takes a share over; last for now."""
    session, business_id = change.session, change.business_id
    is_at_depot = job.place == scene.roads.index[scene.yard]
    id = scene.yard if is_at_depot else scene.here
    point = Point(scene.depot.lat, scene.depot.lon) if is_at_depot else scene.at
    said = scene.depot.name if is_at_depot else f"Where {scene.van} stands"
    known = select(PlaceRow.id).where(PlaceRow.business_id == business_id, PlaceRow.id == id)
    if session.exec(known).first() is None:
        session.add(
            PlaceRow(
                id=id,
                business_id=business_id,
                key=f"{SOURCE} {id}",
                address={"lines": [said], "city": "", "country": ""},
                lat=point.lat,
                lon=point.lon,
                confidence=1.0,
                source="staff",
                label=said,
                updated_at=change.now,
            )
        )
        session.flush()
    row = TakeOverRow(
        business_id=business_id,
        stop_id=_last_stop(change, route, id).id,
        from_route_id=old.id,
        van=scene.van,
        driver=scene.driver,
        place=said,
        job_ids=[id for id in share.job_ids if id in scene.load.aboard],
        service_s=job.service_s,
        ready_at=job.windows[0].opens if job.windows else None,
    )
    session.add(row)
    session.flush()
    return row


def _stop_to_load(
    change: Change, scene: Scene, route: RouteRow, share: Share, job: JobToPlan
) -> TakeOverRow:
    """The stop at the depot where its driver loads what the other van was to load next."""
    row = TakeOverRow(
        business_id=change.business_id,
        stop_id=_last_stop(change, route, scene.stands).id,
        from_route_id=route.id,
        van="",
        driver="",
        place=scene.depot.name,
        job_ids=[id for id in share.job_ids if id in scene.load.waiting],
        service_s=job.service_s,
        is_reload=True,
    )
    change.session.add(row)
    change.session.flush()
    return row


def _last_stop(change: Change, route: RouteRow, place_id: str) -> StopRow:
    """A new stop of ``route``, after all others for now."""
    stop = StopRow(
        business_id=change.business_id,
        route_id=route.id,
        n=len(stops_of(change.session, change.business_id, route.id)) + 1,
        place_id=place_id,
        arrive_at=change.now,
        depart_at=change.now,
    )
    change.session.add(stop)
    change.session.flush()
    return stop


def _end(change: Change, old: RouteRow) -> None:
    """The round is over: nobody is tracked on it any further."""
    shift = change.session.exec(
        select(ShiftRow).where(
            ShiftRow.business_id == change.business_id, ShiftRow.id == old.shift_id
        )
    ).one()
    shift.ended_at = change.now
    about = (change.business_id, shift.driver_id, "end_shift", change.now, change.now)
    settle_breaks(change.unit, *about, change.actor)
    change.unit.announce(
        ShiftEnded(
            business_id=change.business_id,
            subject_kind="shift",
            subject_id=shift.id,
            occurred_at=change.now,
            received_at=change.now,
            actor=change.actor,
            driver_id=shift.driver_id,
        )
    )


def _rows(change: Change, ids: Sequence[str]) -> list[JobRow]:
    """The jobs in this unit, in the order of ``ids``."""
    rows = {
        job.id: job
        for job in change.session.exec(
            select(JobRow).where(JobRow.business_id == change.business_id, col(JobRow.id).in_(ids))
        )
    }
    return [rows[id] for id in ids]

"""When a driver will be at each door that is left, as the roads and the model of the hub have it.

Nothing is stored here, and no unit is open: roads and models take their time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from hub.core.contracts import Arrival, EtaModel, PastError, RouteAhead, RouteProgress, TravelTimes
from hub.core.measures import measures_of
from hub.core.pace import Traffic, arrives, drive_s, traffic_of
from hub.core.plan_request import Pace
from hub.core.values import Point, TimeWindow
from hub.flows.ahead import Round, Trust, planned_way_s
from hub.flows.ahead import unknown_ways as ways_to_ask
from hub.flows.roads import NO_ROAD_S, travel_between

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)
BUILT_IN = "forward"
NO_DOUBT = timedelta(0)
DOUBTS = {
    Trust.HEARD: (NO_DOUBT, NO_DOUBT),
    Trust.SILENT: (timedelta(minutes=5), timedelta(minutes=20)),
    Trust.NOT_BEGUN: (NO_DOUBT, timedelta(minutes=40)),
}
"""How much earlier, and later, than the model says. With either, no time is told but a window."""


def presumed_at(
    ahead: Round, travel_s: Sequence[int], now: datetime
) -> tuple[Round, Sequence[int]] | None:
    """What lies ahead of a driver nobody hears of, if all goes as planned since: the doors that
    he would be done with by ``now`` are left as they were told. ``None``: he would be done with
    all of them.
    """
    clock = ahead.leaves_at
    for n, (way_s, door) in enumerate(zip(travel_s, ahead.doors, strict=True)):
        arrive_at = clock + timedelta(seconds=way_s)
        starts_at = max(arrive_at, door.opens_at or arrive_at)
        done_at = starts_at + timedelta(seconds=door.service_s)
        if done_at > now:
            left_s = round((done_at - max(now, starts_at)).total_seconds())
            at_door = replace(door, service_s=left_s)
            doors = (at_door, *ahead.doors[n + 1 :])
            return replace(ahead, doors=doors, leaves_at=clock), travel_s[n:]
        clock = done_at
    return None


def arrivals_of(
    hub: Hub, ahead: Round, travel_s: Sequence[int], past: Sequence[PastError], now: datetime
) -> Sequence[Arrival]:
    """One for each door, in their order."""
    first = ahead.doors[0]
    arrive_at = max(now, ahead.leaves_at + timedelta(seconds=travel_s[0]))
    travel_s = [round((arrive_at - now).total_seconds()), *travel_s[1:]]
    route = RouteAhead(
        tuple(travel_s),
        tuple(door.service_s for door in ahead.doors),
        tuple(door.opens_at.timestamp() if door.opens_at else 0.0 for door in ahead.doors),
    )
    late_s = (arrive_at - first.arrive_at).total_seconds()
    progress = RouteProgress(now, late_s, ahead.way_pace, ahead.work_pace)
    found = _by_model(hub, route, progress, past)
    earlier, later = DOUBTS[ahead.trust]
    return [Arrival(max(now, a.p10 - earlier), a.p50, a.p90 + later) for a in found]


@dataclass(frozen=True, slots=True)
class Asked:
    """The ways that no plan tells, by the number of the door they lead to, as the roads say now.
    ``pace``: that of who measured them, if he knows the time of day himself.
    """

    seconds: Mapping[int, int]
    pace: tuple[Pace, ...] = ()


def asked_of(hub: Hub, ahead: Round, now: datetime) -> Asked:
    ways = ways_to_ask(ahead)
    places = list(dict.fromkeys(point for _, *ends in ways for point in ends))
    found, pace = _seconds(hub, ahead.business_id, places, now, ahead.profile)
    index = {place: n for n, place in enumerate(places)}
    return Asked({n: found[index[here]][index[there]] for n, here, there in ways}, pace)


def travel_of(ahead: Round, asked: Asked, now: datetime) -> list[int]:
    """Seconds of the way to each door from where he is before it, at the pace of this round and
    of the roads at that time. ``ahead`` must be told by the pace of ``asked``, where it has one.
    """
    doors = ahead.doors
    travel_s = [0.0] + [planned_way_s(ahead, a, b) for a, b in pairwise(doors)]
    for n, way_s in asked.seconds.items():
        travel_s[n] = way_s
    return _driven(ahead, [way_s * ahead.way_pace for way_s in travel_s], now)


def _driven(ahead: Round, ways_s: Sequence[float], now: datetime) -> list[int]:
    """How long each of the ways takes when its turn comes, if nothing else happens."""
    traffic, to_rest = traffic_of(ahead.pace), list(ahead.to_rest)
    if traffic is None and not to_rest:
        return [round(way_s) for way_s in ways_s]
    clock, found = ahead.leaves_at, list[int]()
    for way_s, door in zip(ways_s, ahead.doors, strict=True):
        arrive_at = _rested(traffic, to_rest, clock, way_s, now)
        found.append(round((arrive_at - clock).total_seconds()))
        if not found[1:] and ahead.trust is not Trust.SILENT:
            arrive_at = max(now, arrive_at)
        clock = max(arrive_at, door.opens_at or arrive_at) + timedelta(seconds=door.service_s)
    return found


def _rested(
    traffic: Traffic | None,
    to_rest: list[TimeWindow],
    clock: datetime,
    way_s: float,
    now: datetime,
) -> datetime:
    """When the way is over, with each break that is due by then: what is left of one that was to
    have begun, all of one that he will be late for. Those that were had are off the list.
    """
    arrive_at = arrives(traffic, clock, way_s)
    while to_rest and to_rest[0].opens < arrive_at:
        rest = to_rest.pop(0)
        begin = max(clock, rest.opens)
        way_s = max(0.0, way_s - drive_s(traffic, clock, begin))
        ends_at = rest.closes if rest.opens <= now else begin + (rest.closes - rest.opens)
        clock = max(begin, ends_at)
        arrive_at = arrives(traffic, clock, way_s)
    return arrive_at


def _seconds(
    hub: Hub, business_id: str, places: Sequence[Point], now: datetime, profile: str
) -> tuple[Sequence[Sequence[int]], tuple[Pace, ...]]:
    """By road; from where no road leads (a ferry, a fix in a lake) as the crow flies."""
    told = travel_between(hub, business_id, places, now, profile, passing=True)
    found = told.seconds
    if max(max(row) for row in found) < NO_ROAD_S:
        return found, told.pace
    crow = (
        hub.provider(TravelTimes, "crow", {}).matrix(places, now, measures_of(profile)[0]).seconds
    )
    return [
        [a if a < NO_ROAD_S else b for a, b in zip(*rows, strict=True)]
        for rows in zip(found, crow, strict=True)
    ], told.pace


def _by_model(
    hub: Hub, route: RouteAhead, progress: RouteProgress, past: Sequence[PastError]
) -> Sequence[Arrival]:
    """By the model that was installed for it; by the built-in one if that cannot say."""
    for cls in hub.registry.all(EtaModel):
        if cls.key == BUILT_IN:
            continue
        try:
            model = hub.provider(EtaModel, cls.key, {})
            return _believable(model.estimate(route, progress, past), route, progress)
        except Exception as problem:
            log.warning("the model %r cannot say when: %s", cls.key, problem)
    return hub.provider(EtaModel, BUILT_IN, {}).estimate(route, progress, past)


def _believable(
    arrivals: Sequence[Arrival], route: RouteAhead, progress: RouteProgress
) -> Sequence[Arrival]:
    if len(arrivals) != len(route.travel_s):
        raise ValueError(f"{len(arrivals)} arrivals for {len(route.travel_s)} stops")
    for one in arrivals:
        if not progress.now <= one.p10 <= one.p50 <= one.p90:
            raise ValueError(f"arrivals out of order or in the past: {one}")
    return arrivals

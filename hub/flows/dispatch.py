"""Publish a route to its driver, and change it while it is on the road.

Every change names the version it was made from; a stale one is refused with
``RouteConflict``, so that two dispatchers never undo each other unseen. One that
would break a rule, or a promise, is refused with ``DoesNotFit``, unless the dispatcher
insists (``force``), which is put on record. The halves of a pair go together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.core.errors import RetryLater
from hub.core.jobs import Outcome
from hub.db.tables import JobRow, RouteRow, ShiftRow, StopJobRow, StopRow
from hub.flows.drafts import drop_draft
from hub.flows.hand_over import hand_over
from hub.flows.offers import Late, Offer, best_places
from hub.flows.prove import job_of
from hub.flows.questions import seen
from hub.flows.roads import Roads
from hub.flows.route_change import Change, DoesNotFit
from hub.flows.route_line import draw
from hub.flows.route_now import RouteConflict, legs_of, roads_for, route_of

if TYPE_CHECKING:
    from hub.app import Hub

__all__ = [
    "DoesNotFit",
    "Late",
    "Offer",
    "RouteConflict",
    "acknowledge",
    "add_job",
    "best_places",
    "discard_draft",
    "hand_over",
    "move_job",
    "publish",
    "remove_job",
    "retime",
    "retime_without",
]


def publish(
    hub: Hub, business_id: str, route_id: str, *, actor: str, expected_version: int
) -> RouteRow:
    """Put a draft on its driver's phone and promise each recipient a window.

    One that should have left already is timed from now on first.
    """
    with hub.reading() as session:
        leaves_at = route_of(session, business_id, route_id).leaves_at
    is_behind = leaves_at is not None and leaves_at < hub.now()
    roads = roads_for(hub, business_id, (route_id,)) if is_behind else None
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        route = change.route(route_id, expected_version)
        if route.published_at is not None:
            raise RouteConflict("This route is already published.")
        change.publish(route, roads)
    return draw(hub, route) if is_behind else route


def discard_draft(
    hub: Hub, business_id: str, route_id: str, *, actor: str, expected_version: int
) -> None:
    """Throw a draft away; its jobs wait to be planned again."""
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        route = change.route(route_id, expected_version)
        if route.published_at is not None:
            raise RouteConflict("This route is on its driver's phone; take its jobs off instead.")
        unit.session.get_one(ShiftRow, route.shift_id).kept_first = []
        drop_draft(unit, route)
        change.audit("discarded a draft", f"route:{route_id}")


def remove_job(
    hub: Hub, business_id: str, route_id: str, job_id: str, *, actor: str, expected_version: int
) -> RouteRow:
    """Take a job off a route; it can be planned again. ``NotNow`` once the driver is there."""
    roads = roads_for(hub, business_id, (route_id,))
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        route = change.route(route_id, expected_version)
        change.take_off(route, change.legs(job_id))
        change.retime(route, roads)
        change.bump(route)
    return draw(hub, route)


def add_job(
    hub: Hub,
    business_id: str,
    route_id: str,
    job_id: str,
    *,
    actor: str,
    expected_version: int,
    force: bool = False,
) -> RouteRow:
    """Put an unplanned job where it costs the least driving, after what is under way."""
    roads = _roads(hub, business_id, (route_id,), job_id)
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        route = change.route(route_id, expected_version)
        legs = change.legs(job_id)
        put = change.put_on(route, legs, roads, force=force)
        change.tell(route, legs)
        change.tell_late(route, put.problems)
        change.bump(route)
    return draw(hub, route)


def move_job(
    hub: Hub,
    business_id: str,
    from_route_id: str,
    to_route_id: str,
    job_id: str,
    *,
    actor: str,
    expected_version: int,
    to_version: int,
    force: bool = False,
) -> tuple[RouteRow, RouteRow]:
    """Both routes change, or neither does."""
    roads = _roads(hub, business_id, (from_route_id, to_route_id), job_id)
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        old = change.route(from_route_id, expected_version)
        new = change.route(to_route_id, to_version)
        legs = change.legs(job_id)
        told = change.told(old, legs) if new.published_at else {}
        change.take_off(old, legs)
        put = change.put_on(new, legs, roads, force=force, told=told)
        change.tell(new, legs, told)
        change.tell_late(new, put.problems)
        change.retime(old, roads)
        change.bump(old)
        change.bump(new)
    return draw(hub, old), draw(hub, new)


def acknowledge(hub: Hub, business_id: str, route_id: str, version: int) -> RouteRow:
    """The driver has seen ``version``. Safe to repeat; an older one changes nothing."""
    with hub.unit() as unit:
        route = Change(hub, unit, business_id, "hub").route(route_id, None)
        route.acknowledged = max(route.acknowledged, min(version, route.version))
        seen(unit, route, hub.now(), hub.now(), "hub")
    return route


def retime_without(hub: Hub, business_id: str, order_id: str, *, actor: str) -> None:
    """Time what is left of each route that a cancelled order was on. Safe to repeat.

    Its stop stays on the list, last, so that late proof still finds it. Raises
    ``RetryLater`` when a route changes at the same moment.
    """
    with hub.reading() as session:
        route_ids = session.exec(
            select(StopRow.route_id)
            .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
            .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
            .where(
                StopRow.business_id == business_id,
                JobRow.order_id == order_id,
                JobRow.outcome == Outcome.CANCELLED,
            )
            .distinct()
        ).all()
    for route_id in route_ids:
        retime(hub, business_id, route_id, actor=actor)


def retime(hub: Hub, business_id: str, route_id: str, *, actor: str) -> None:
    """Time what is left of a route that something was taken from. Safe to repeat.

    Raises ``RetryLater`` when the route changes at the same moment.
    """
    try:
        roads = roads_for(hub, business_id, (route_id,))
        with hub.unit() as unit:
            change = Change(hub, unit, business_id, actor)
            route = change.route(route_id, None)
            now = change.laid(route, roads).now
            if now.first_free == len(now.stops) or not change.retime(route, roads):
                return  # nothing is left to drive to, or nothing changes by it
            change.bump(route)
    except (RouteConflict, LookupError) as conflict:
        raise RetryLater(str(conflict)) from conflict
    draw(hub, route)


def _roads(hub: Hub, business_id: str, route_ids: tuple[str, ...], job_id: str) -> Roads:
    with hub.reading() as session:
        legs = legs_of(session, business_id, job_of(session, business_id, job_id))
    return roads_for(hub, business_id, route_ids, legs)

"""A recipient takes another time: offered because the plan can serve it, and taken only if it still
can.

The job gets that time alone and leaves its route, unless the same route can bring it then. On a day
with routes it goes where there is room, on one without it waits to be planned. The time is what its
recipient is promised from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import Session

from hub.core.errors import HubError
from hub.core.jobs import NextStep, NotNow, State
from hub.core.self_service import Action, Follow, answer, follows, offered
from hub.core.tracking_page import CHOSEN, Life
from hub.core.values import TimeWindow
from hub.db.tables import JobRow, RouteRow
from hub.flows.free_slots import Free, FreeSlots, takes_more
from hub.flows.next_steps import choose_in
from hub.flows.order_rows import window_document
from hub.flows.promises import promise
from hub.flows.route_change import Change, DoesNotFit
from hub.flows.route_line import draw
from hub.flows.route_now import RouteConflict, legs_of, roads_for, route_holding
from hub.flows.self_service import NO_LINK, Held, NoSuchLink, NotOpen, held_in, standing_of
from hub.flows.tracking_link import Link, opened
from hub.flows.wishes import ACTOR, is_known, keep, key_of, wished

if TYPE_CHECKING:
    from hub.app import Hub

TODAY = "today"  # any time today


class Taken(HubError):
    """Nobody can come at that time any more."""


@dataclass(frozen=True, slots=True)
class Times:
    """What may be chosen from. ``n`` counts the wishes there were."""

    link: Link
    free: tuple[Free, ...]
    n: int

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.link.business.zone)


@dataclass(frozen=True, slots=True)
class _May:
    today: bool  # at any time
    slots: bool
    slots_today: bool


def name_of(free: Free) -> str:
    """What a form calls it."""
    return TODAY if free.window is None else _name(free.window)


def free_times(hub: Hub, token: str) -> Times:
    """Every time that can be chosen now.

    Raises ``NoSuchLink``, and ``NotOpen`` where no other time may be chosen.
    """
    now = hub.now()
    with hub.reading() as session:
        link, legs, may = _looked(session, token, now)
        n = wished(session, link.business.id, link.order_id).n
    found = _offers(hub, link, legs)
    rules, free = link.settings.self_service.slots, list[Free]()
    today = now.astimezone(ZoneInfo(link.business.zone)).date()
    if may.today and (at_once := found.today(now)) is not None:
        free.append(at_once)
    if may.slots:
        but = None if link.job.state == State.CLOSED else link.promise
        free += (
            one for one in found.all(rules, now, but=but) if may.slots_today or one.day > today
        )
    return Times(link, tuple(free), n)


def choose_time(hub: Hub, token: str, chosen: str, *, n: int) -> None:
    """Take the time that a form calls ``chosen``. Safe to repeat.

    Raises ``Taken`` where nobody can come then (any more), else as ``free_times``.
    """
    key = key_of(n, Action.ANOTHER_SLOT, chosen)
    with hub.reading() as session:
        first = opened(session, token, hub.now())
        if first is None:
            raise NoSuchLink(NO_LINK)
        if is_known(session, first.business.id, first.order_id, key):
            return
        link, legs, may = _looked(session, token, hub.now())
    free = _still_free(hub, link, legs, may, chosen)
    if free is None:
        raise Taken(chosen)
    for route_id in free.route_ids or ("",):
        try:
            _take(hub, token, free, route_id, key)
            return
        except (DoesNotFit, NotNow, RouteConflict, LookupError):
            continue  # somebody was faster; perhaps the next best has room
    raise Taken(chosen)


def _name(window: TimeWindow) -> str:
    return str(int(window.opens.timestamp()))


def _looked(session: Session, token: str, now: datetime) -> tuple[Link, list[JobRow], _May]:
    link = opened(session, token, now)
    if link is None or link.life is not Life.FULL or not link.decides:
        raise NoSuchLink(NO_LINK)
    may = _may(link, session, now)
    return link, legs_of(session, link.business.id, link.job), may


def _may(link: Link, session: Session, now: datetime) -> _May:
    rules, how = link.settings.self_service, standing_of(session, link, now)
    can, slot = follows(rules, how, now), answer(rules, Action.ANOTHER_SLOT, how, now)
    today = Follow.TODAY in can
    other = slot.is_open and not how.undecided
    if not (other or today or Follow.ANOTHER_DAY in can):
        raise NotOpen(Action.ANOTHER_SLOT, slot)
    return _May(today, other or Follow.ANOTHER_DAY in can, other or today)


def _offers(hub: Hub, link: Link, legs: Sequence[JobRow]) -> FreeSlots:
    return FreeSlots(hub, link.business.id, legs, ZoneInfo(link.business.zone))


def _still_free(
    hub: Hub, link: Link, legs: Sequence[JobRow], may: _May, chosen: str
) -> Free | None:
    now, found = hub.now(), _offers(hub, link, legs)
    zone, slots = ZoneInfo(link.business.zone), link.settings.self_service.slots
    if chosen == TODAY:
        return found.today(now) if may.today else None
    window = next((one for one in offered(slots, zone, now) if _name(one) == chosen), None)
    if window is None or not may.slots:
        return None
    day = window.opens.astimezone(zone).date()
    if day == now.astimezone(zone).date() and not may.slots_today:
        return None
    return found.one(slots, window, now)


def _take(hub: Hub, token: str, free: Free, route_id: str, key: str) -> None:
    with hub.reading() as session:
        link, legs, _ = _looked(session, token, hub.now())
        own = _route_of(session, legs)
    looked_at = [id for id in (own.id if own else "", route_id) if id]
    roads = roads_for(hub, link.business.id, looked_at, legs)
    with hub.unit() as unit:
        change = Change(hub, unit, link.business.id, ACTOR)
        now = held_in(unit, token, change.now)
        if is_known(unit.session, now.order.business_id, now.order.id, key):
            return
        _may(now.link, unit.session, change.now)
        if not route_id:
            _demand_room(now, legs, free)
        work, old = _freed(hub, now, change, free, route_id)
        if (old.id if old else "") != (own.id if own else ""):
            raise RouteConflict("The job came on another route just now. Look again.")
        _set(work, free)
        unit.session.flush()
        target = change.route(route_id, None) if route_id else None
        if target is not None:
            change.put_on(target, work, roads, force=False)
            change.tell(target, work)
        if old is not None and old is not target:
            change.retime(old, roads)
        for route in {one.id: one for one in (old, target) if one is not None}.values():
            change.bump(route)
        if free.window is not None and (target is None or target.published_at is None):
            promise(unit.session, work[-1], free.window, told_by=CHOSEN, at=change.now)
        what = Action.NEXT_STEP if now.standing.undecided else Action.ANOTHER_SLOT
        said = TODAY if free.window is None else free.window.opens.isoformat()
        keep(unit, now.order, work[-1], what, said, key=key, now=change.now)
    for changed in (old, target):
        if changed is not None:
            draw(hub, changed)


def _demand_room(now: Held, legs: Sequence[JobRow], free: Free) -> None:
    """Raises ``NotNow``: the day has been planned or filled since it was offered."""
    business, slots = now.link.business, now.link.settings.self_service.slots
    zone = ZoneInfo(business.zone)
    if not takes_more(now.unit.session, business.id, legs, free.day, slots, zone):
        raise NotNow("Nobody can come on that day any more.")


def _freed(
    hub: Hub, now: Held, change: Change, free: Free, route_id: str
) -> tuple[list[JobRow], RouteRow | None]:
    """The work that is to be done then, on no route; and the route it was on."""
    session, job = change.session, now.link.job
    if now.standing.undecided:
        today = change.now.astimezone(ZoneInfo(now.link.business.zone)).date()
        step = NextStep.RETRY_TODAY if free.day == today else NextStep.ANOTHER_DAY
        about = change.unit, hub, change.business_id, job.id, step
        work = choose_in(*about, actor=ACTOR, on_day=free.day)
        session.flush()
        return work, None
    legs = legs_of(session, change.business_id, job)
    old = _route_of(session, legs)
    if old is not None:
        change.take_off(old, legs, comes_back=old.id == route_id)
    return legs, old


def _set(work: Sequence[JobRow], free: Free) -> None:
    work[-1].windows = window_document(() if free.window is None else (free.window,))
    for leg in work:
        leg.due_on = leg.not_before = free.day
        leg.version += 1


def _route_of(session: Session, legs: Sequence[JobRow]) -> RouteRow | None:
    """The route that open ``legs`` are on."""
    ids = [leg.id for leg in legs if leg.state != State.CLOSED]
    return route_holding(session, legs[0].business_id, ids) if ids else None

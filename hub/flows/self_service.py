"""What a recipient does on the page behind the link: each is one unit with its event.

Whether it is open is looked at in the unit that does it, whatever the page showed before. A form
sent twice does it once: it names how many wishes there were when it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core.errors import HubError
from hub.core.self_service import (
    AT_A_DOOR,
    MOST_CODE,
    MOST_NOTE,
    MOST_WHERE,
    SHUT,
    STEP_OF,
    Action,
    Answer,
    Follow,
    Standing,
    answer,
    answers,
    follows,
)
from hub.core.standing import standing
from hub.db.tables import BusinessRow, DepotRow, JobRow, OrderRow, RouteRow
from hub.db.unit import Unit
from hub.flows.next_steps import FETCHED, choose_in, give_up_in
from hub.flows.orders import cancel_order, one_order
from hub.flows.roads import Roads
from hub.flows.route_change import Change
from hub.flows.route_line import draw
from hub.flows.route_now import RouteConflict, legs_of, roads_for, route_holding
from hub.flows.tracking_link import Link, link_row, opened
from hub.flows.wishes import (
    ACTOR,
    IN_PERSON,
    Wished,
    is_known,
    keep,
    key_of,
    tell_driver,
    wished,
)

if TYPE_CHECKING:
    from hub.app import Hub

LOOKS = 3  # at a job that is moved while somebody decides about it
NO_LINK = "The link is unknown, or its page is no longer whole."


class NotOpen(HubError):
    """This cannot be done on the page now; ``answer`` says why, for whoever words it."""

    def __init__(self, action: Action, answer: Answer) -> None:
        super().__init__(f"{action} is closed")
        self.action, self.answer = action, answer


class NoSuchLink(HubError):
    """The link is unknown, revoked, or its page is no longer whole."""


class TooLong(HubError):
    """What was typed into ``field`` is longer than ``most`` characters, or is missing."""

    def __init__(self, field: str, most: int) -> None:
        super().__init__(f"{field}: {most}")
        self.field, self.most = field, most


@dataclass(frozen=True, slots=True)
class Doing:
    """What can be done on the page now. ``collect_at`` is where goods are kept, if they may be."""

    answers: Mapping[Action, Answer]
    follows: tuple[Follow, ...]
    wished: Wished
    collect_at: str = ""
    collect_hours: str = ""
    is_kept: bool = False  # for its recipient to fetch

    @property
    def can_choose_time(self) -> bool:
        if self.answers[Action.ANOTHER_SLOT].is_open:
            return True
        return not {Follow.TODAY, Follow.ANOTHER_DAY}.isdisjoint(self.follows)


@dataclass(frozen=True)
class Held:
    """A link in a unit that holds its business."""

    unit: Unit
    link: Link
    standing: Standing
    order: OrderRow
    wished: Wished
    now: datetime

    def demand(self, action: Action) -> None:
        """Raises ``NotOpen``."""
        found = answer(self.link.settings.self_service, action, self.standing, self.now)
        if not found.is_open:
            raise NotOpen(action, found)


def doing(session: Session, link: Link, now: datetime) -> Doing | None:
    """``None`` for a link whose owner only looks."""
    if not link.decides:
        return None
    rules = link.settings.self_service
    how = standing_of(session, link, now)
    can = follows(rules, how, now)
    is_kept = link.seen.job.is_kept
    shows_depot = is_kept or Follow.COLLECT in can
    return Doing(
        answers(rules, how, now),
        can,
        wished(session, link.business.id, link.order_id),
        _depot(session, link) if shows_depot else "",
        rules.collect_hours if shows_depot else "",
        is_kept,
    )


def standing_of(session: Session, link: Link, now: datetime) -> Standing:
    ride = link.ride
    began = ride is not None and ride.began_at is not None and not ride.is_over(now)
    came_at = session.exec(
        select(OrderRow.received_at).where(
            OrderRow.business_id == link.business.id, OrderRow.id == link.order_id
        )
    ).one()
    return standing(
        link.seen,
        link.life,
        began=began,
        told=link.promise,
        is_paired=_is_to_be_fetched(session, link.job),
        came_at=came_at,
    )


@contextmanager
def held(hub: Hub, token: str) -> Iterator[Held]:
    """The link in a unit of its own; whoever else changes its business's day waits.

    Raises ``NoSuchLink``.
    """
    with hub.unit() as unit:
        row = link_row(unit.session, token)
        if row is None:
            raise NoSuchLink(NO_LINK)
        unit.session.get_one(BusinessRow, row.business_id, with_for_update=True)
        yield held_in(unit, token, hub.now())


def held_in(unit: Unit, token: str, now: datetime) -> Held:
    """In a unit that holds the business already. Raises ``NoSuchLink``."""
    link = opened(unit.session, token, now)
    if link is None or not link.decides:
        raise NoSuchLink(NO_LINK)
    order = unit.session.exec(
        select(OrderRow).where(
            OrderRow.business_id == link.business.id, OrderRow.id == link.order_id
        )
    ).one()
    said = wished(unit.session, link.business.id, link.order_id)
    return Held(unit, link, standing_of(unit.session, link, now), order, said, now)


def say_door(hub: Hub, token: str, note: str, code: str, *, forget_code: bool, n: int) -> None:
    """What the driver reads at the door. An empty ``code`` keeps the one there is, unless it is to
    be forgotten; an empty note takes it back.
    """
    note, code = plain(note, lines=True), plain(code)
    _fits("note", note, MOST_NOTE)
    _fits("code", code, MOST_CODE)
    with held(hub, token) as now:
        said = now.wished
        if note != said.note:
            now.demand(Action.NOTE)
            _wish(now, Action.NOTE, note, n)
        if code or (forget_code and said.access_code):
            now.demand(Action.ACCESS_CODE)
            if code != said.access_code:
                _wish(now, Action.ACCESS_CODE, code, n)
        _tell(now)


def say_leave(hub: Hub, token: str, how: str, where: str, *, n: int) -> None:
    """Where it may be left if nobody is home; ``how`` empty or ``in_person``: nowhere."""
    where = plain(where)
    if how in AT_A_DOOR:
        _fits("where", where, MOST_WHERE, needed=True)
    with held(hub, token) as now:
        if how in AT_A_DOOR:
            now.demand(Action(how))
            if (now.wished.leave, now.wished.where) != (how, where):
                _wish(now, how, where, n)
        elif now.wished.leave:
            now.demand(Action(now.wished.leave))  # nobody takes it back once the driver is there
            _wish(now, IN_PERSON, "", n)
        _tell(now)


def call_off(hub: Hub, token: str, *, n: int) -> None:
    """Cancel the order as a dispatcher would; its source is told. Safe to repeat."""
    with held(hub, token) as now:
        key = key_of(n, Action.CANCEL, "")
        if now.order.status == "cancelled" or is_known(
            now.unit.session, now.order.business_id, now.order.id, key
        ):
            return
        now.demand(Action.CANCEL)
        seen = one_order(now.unit.session, now.order.business_id, now.order.id)
        if seen is None:
            raise NoSuchLink(NO_LINK)
        keep(now.unit, now.order, now.link.job, Action.CANCEL, "", key=key, now=now.now)
        cancel_order(now.unit, hub.keys, seen, now.now, ACTOR)


def follow(hub: Hub, token: str, what: Follow, where: str, *, n: int) -> None:
    """What follows an attempt that came to nothing, but for another time; see ``choose_time``.

    A dispatcher may move the waiting attempt while the roads of its draft are looked up: then it
    is looked at again. Raises ``NotOpen`` where it never stands still.
    """
    where = plain(where)
    if what is Follow.SAFE_PLACE:
        _fits("where", where, MOST_WHERE, needed=True)
    for _ in range(LOOKS):
        with suppress(RouteConflict):
            _follow(hub, token, what, where, n)
            return
    raise NotOpen(Action.NEXT_STEP, SHUT)


def _follow(hub: Hub, token: str, what: Follow, where: str, n: int) -> None:
    """Raises ``RouteConflict`` for a job that is where it was not when its roads were read."""
    with hub.reading() as session:
        link = opened(session, token, hub.now())
        old = None if link is None else route_holding(session, link.business.id, [link.job.id])
    roads = roads_for(hub, old.business_id, (old.id,)) if old is not None else None
    left: RouteRow | None = None
    with held(hub, token) as now:
        job, key = now.link.job, key_of(n, Action.NEXT_STEP, f"{what} {where}")
        if is_known(now.unit.session, now.order.business_id, now.order.id, key):
            return
        if what not in follows(now.link.settings.self_service, now.standing, now.now):
            raise NotOpen(Action.NEXT_STEP, SHUT)
        keep(now.unit, now.order, job, Action.NEXT_STEP, what, key=key, now=now.now)
        if what is Follow.SAFE_PLACE:
            wish_key = key_of(n, what, where)
            keep(now.unit, now.order, job, what, where, key=wish_key, now=now.now)
        about = now.unit, hub, now.order.business_id
        if now.standing.undecided:
            choose_in(*about, job.id, STEP_OF[what], actor=ACTOR)
        elif what in (Follow.COLLECT, Follow.RETURN):
            _demand_still_on(now, old)
            if old is not None and roads is not None:
                left = _off(hub, now, old.id, roads)
            give_up_in(*about, job, STEP_OF[what], actor=ACTOR)
    if left is not None:
        draw(hub, left)


def _demand_still_on(now: Held, old: RouteRow | None) -> None:
    found = route_holding(now.unit.session, now.order.business_id, [now.link.job.id])
    if (found.id if found else "") != (old.id if old else ""):
        raise RouteConflict("The job came on another route just now. Look again.")


def plain(typed: str, *, lines: bool = False) -> str:
    """``typed`` without what no keyboard writes; in one line unless ``lines``."""
    kept = "".join(c for c in typed.replace("\r\n", "\n") if c == "\n" or c.isprintable())
    return kept.strip() if lines else " ".join(kept.split())


def _fits(field: str, said: str, most: int, *, needed: bool = False) -> None:
    if len(said) > most or (needed and not said):
        raise TooLong(field, most)


def _wish(now: Held, kind: str, said: str, n: int) -> None:
    key = key_of(n, kind, said)
    if not is_known(now.unit.session, now.order.business_id, now.order.id, key):
        keep(now.unit, now.order, now.link.job, kind, said, key=key, now=now.now)


def _tell(now: Held) -> None:
    session = now.unit.session
    if wished(session, now.order.business_id, now.order.id) != now.wished:
        tell_driver(now.unit, now.order, [now.link.job], now.wished, now.now)


def _off(hub: Hub, now: Held, route_id: str, roads: Roads) -> RouteRow:
    """The job leaves its draft, which is to be drawn anew once the unit is over."""
    change = Change(hub, now.unit, now.order.business_id, ACTOR)
    route = change.route(route_id, None)
    change.take_off(route, legs_of(now.unit.session, now.order.business_id, now.link.job))
    change.retime(route, roads)
    change.bump(route)
    return route


def _is_to_be_fetched(session: Session, job: JobRow) -> bool:
    """Whether its goods are still where they come from."""
    if job.leg == 1:
        return False
    outcome = session.exec(
        select(JobRow.outcome).where(
            JobRow.business_id == job.business_id,
            JobRow.order_id == job.order_id,
            JobRow.attempt == job.attempt,
            JobRow.leg == 1,
        )
    ).one_or_none()
    return outcome is not None and outcome not in FETCHED


def _depot(session: Session, link: Link) -> str:
    """Where the goods are kept: the depot of its last route, else the first there is."""
    query = select(DepotRow).where(DepotRow.business_id == link.business.id)
    depots = session.exec(query.order_by(col(DepotRow.id))).all()
    mine = [one for one in depots if link.route is not None and one.id == link.route.depot_id]
    return next((one.address or one.name for one in (*mine, *depots)), "")

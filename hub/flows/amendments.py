"""What a source wants changed of an order that is on a phone: weighed, decided, carried out.

The hub takes it by itself where the driver has not set off and nothing is broken by it. Else a
dispatcher decides, and sees first what would follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, select

from hub.core.amending import LEFT, Decision, Group
from hub.core.errors import Refused, RetryLater
from hub.core.events import AmendmentProposed, DriverLeft, JobClosed, JobWithdrawn
from hub.core.fit import RouteNow, problems, timed, times_at, worse
from hub.core.jobs import Act, NotNow, State
from hub.db.tables import (
    ActRow,
    JobRow,
    OrderRow,
)
from hub.flows.actors import names_of
from hub.flows.asked import Asked, amendment_of, asked_of, open_jobs
from hub.flows.board_moves import driven
from hub.flows.locate import locate_place
from hub.flows.questions import OPEN, answer, on_a_phone, open_questions, shown_on
from hub.flows.readdress import brings_back
from hub.flows.roads import Roads
from hub.flows.route_change import Change, DoesNotFit
from hub.flows.route_line import draw
from hub.flows.route_now import RouteConflict, roads_for
from hub.flows.states import work_out
from hub.flows.sync import release

if TYPE_CHECKING:
    from hub.app import Hub

GONE = "Nobody drives for this order any more: what its source says is in force."
AT_THE_DOOR = "The driver is at the door: call, and take the change or keep it as it was."
ELSEWHERE = "The address had changed."
TAKEN_OFF = {False: "taken off", True: "taken off; bring back what is on board"}


@dataclass(frozen=True, slots=True)
class Effect:
    """What taking a change would do. ``leaves``: the order leaves the route by it.

    ``broken`` are rules, ``promises`` what recipients were told and would no longer hold.
    ``was_at`` and ``now_at``: when work begins at the order's door.
    """

    leaves: bool
    was_at: datetime
    now_at: datetime
    extra_s: int = 0
    extra_m: int = 0
    later_s: int = 0  # the vehicle comes home
    broken: tuple[str, ...] = ()
    promises: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        return not self.broken and not self.promises


def weigh(hub: Hub, event: AmendmentProposed) -> None:
    """Look up where it would be, and take it if that needs nobody. Safe to repeat.

    Raises ``RetryLater`` while a geocoder is silent or the route changes at this moment.
    """
    asked = _open(hub, event.business_id, event.amendment_id)
    if asked is None or asked.question.version != event.version:
        return
    sure = [locate_place(hub, event.business_id, place.id) for place in asked.places]
    why = _needs_somebody(asked, all(sure))
    if not why:
        try:
            decide(
                hub,
                event.business_id,
                event.amendment_id,
                Decision.TAKE,
                actor="hub",
                version=event.version,
                route_version=asked.route.version,
            )
        except RouteConflict as conflict:
            raise RetryLater(str(conflict)) from conflict
        except (DoesNotFit, NotNow) as problem:
            why = str(problem)
    with hub.unit() as unit:
        row = amendment_of(unit.session, event.business_id, event.amendment_id)
        if row.state == OPEN and row.version == event.version:
            row.weighed_at, row.why = hub.now(), why[:4000]


def follow(hub: Hub, event: JobWithdrawn | JobClosed) -> None:
    """What was held back is in force once nobody drives by the old. Safe to repeat."""
    with hub.unit() as unit:
        Change(hub, unit, event.business_id, "hub")
        session, now = unit.session, hub.now()
        order = session.exec(
            select(OrderRow).where(
                OrderRow.business_id == event.business_id, OrderRow.id == event.subject_id
            )
        ).one_or_none()
        if order is None:
            return
        still_open = open_jobs(session, order)
        if on_a_phone(still_open) and order.said is not None:
            return
        release(unit, hub.keys, order, now, "hub")
        question = open_questions(session, order.business_id, [order.id]).get(order.id)
        if question is not None:
            answer(unit, question, Decision.OFF if still_open else Decision.LATE, now, "hub")


def effect_of(hub: Hub, business_id: str, amendment_id: str) -> Effect:
    """What taking it would do now: tried for real, and undone.

    Raises ``NotNow`` where it cannot be taken, ``LookupError`` for one of nobody here.
    """
    asked = _still_open(hub, business_id, amendment_id)
    roads = _roads(hub, asked)
    try:
        with hub.unit() as unit:
            change = Change(hub, unit, business_id, "hub")
            raise _Tried(_take(hub, change, _known(unit.session, asked), roads, force=True))
    except _Tried as tried:
        return tried.effect


def decide(
    hub: Hub,
    business_id: str,
    amendment_id: str,
    decision: Decision,
    *,
    actor: str,
    version: int,
    route_version: int,
    force: bool = False,
) -> None:
    """Answer an open question, once.

    Raises ``RouteConflict`` if question or route are at another version, ``DoesNotFit`` for
    what breaks a rule or a promise unless ``force``, ``NotNow`` where it is decided already or
    cannot be done, ``LookupError`` for one of nobody here.
    """
    asked = _still_open(hub, business_id, amendment_id)
    roads = _roads(hub, asked)
    with hub.unit() as unit:
        change = Change(hub, unit, business_id, actor)
        now = _known(unit.session, asked)
        if now.question.version != version:
            raise RouteConflict("The source changed it again meanwhile. Look again.")
        route = change.route(now.route.id, route_version)
        match decision:
            case Decision.TAKE:
                _take(hub, change, now, roads, force=force)
            case Decision.OFF:
                _off(hub, change, now, roads)
            case Decision.KEEP:
                pass
            case _:
                raise Refused("Choose: take it, keep it as it was, or take it off the route.")
        if decision is not Decision.KEEP:
            if route.version == route_version:
                change.bump(route)
            shown_on(now.question, route)
        answer(unit, now.question, decision, change.now, actor)
        change.audit(f"amendment: {decision}", f"order:{now.order.id}")
    if decision is not Decision.KEEP:
        draw(hub, route)


class _Tried(Exception):
    """Thrown so that a unit is undone."""

    def __init__(self, effect: Effect) -> None:
        super().__init__()
        self.effect = effect


def _needs_somebody(asked: Asked, sure: bool) -> str:
    if asked.started:
        return "The driver has it on board, or has set off."
    if asked.for_another_day:
        return "It is wanted at another time than this shift's: taking it takes it off this route."
    if not sure:
        return "Nobody could say for sure where the new address is."
    return ""


def _take(hub: Hub, change: Change, asked: Asked, roads: Roads, *, force: bool) -> Effect:
    if asked.for_another_day:
        return _off(hub, change, asked, roads)
    route, legs, travel = asked.route, asked.legs, roads.travel
    before = change.laid(route, roads)
    was = timed(before.now, travel, change.now)
    was_at = _served_at(was, legs[-1])
    groups = {Group(name) for name in asked.question.asked}
    told = change.told(route, legs)
    if Group.WHEN in groups:
        told = {}  # they ask for another time themselves
    again = groups != {Group.GOODS} and not asked.stays
    if again:
        change.take_off(route, legs, comes_back=True)
    release(change.unit, hub.keys, asked.order, change.now, change.actor)
    if again:
        put = change.put_on(route, legs, roads, force=force, told=told)
        for leg in legs:
            leg.state = State.DISPATCHED
        found = put.problems
    else:
        if Group.WHERE in groups:
            _not_there(change, legs)
        change.session.flush()
        after = timed(change.laid(route, roads).now, travel, change.now)
        own = {leg.id for leg in legs} if Group.WHEN in groups else set()
        found = tuple(
            one
            for one in worse(problems(after), problems(was))
            if not (one.is_promise and one.about in own)
        )
        change.fitting(route, found, force)
        change.retime(route, roads)
    change.session.flush()
    work_out(change.session, change.business_id, route.id)
    change.session.flush()
    change.promise_anew(route, legs)
    change.tell_late(route, found)
    change.session.flush()
    laid = change.laid(route, roads)
    was_s, was_m = driven(was, travel)
    is_s, is_m = driven(laid.now, travel)
    return Effect(
        leaves=False,
        was_at=was_at,
        now_at=_served_at(laid.now, legs[-1]),
        extra_s=is_s - was_s,
        extra_m=is_m - was_m,
        later_s=round((laid.now.home - was.home).total_seconds()),
        broken=tuple(one.said for one in found if not one.is_promise),
        promises=tuple(one.said for one in found if one.is_promise),
    )


def _off(hub: Hub, change: Change, asked: Asked, roads: Roads) -> Effect:
    route, legs = asked.route, asked.legs
    before = change.laid(route, roads)
    was_at = _served_at(before.now, legs[-1])
    if any(leg.state == State.ARRIVED for leg in legs):
        raise NotNow(AT_THE_DOOR)
    back = any(brings_back(change.session, leg) for leg in legs)
    asked.question.changes = [*asked.question.changes, [LEFT, "on the route", TAKEN_OFF[back]]]
    change.take_off(route, legs)
    release(change.unit, hub.keys, asked.order, change.now, change.actor)
    change.retime(route, roads)
    return Effect(leaves=True, was_at=was_at, now_at=was_at)


def _not_there(change: Change, legs: Sequence[JobRow]) -> None:
    """An arrival at the old door is none at the new one."""
    for leg in legs:
        if leg.state == State.ARRIVED:
            for act in change.session.exec(
                select(ActRow).where(
                    ActRow.business_id == change.business_id,
                    ActRow.job_id == leg.id,
                    ActRow.kind == Act.ARRIVE.value,
                    ActRow.result == "applied",
                )
            ):
                act.result, act.why = "noted", ELSEWHERE
            change.unit.announce(DriverLeft(**change.about(leg), job_id=leg.id))


def _served_at(laid: RouteNow, leg: JobRow) -> datetime:
    """When work begins at the door of ``leg``."""
    for stop in laid.stops:
        if any(job.id == leg.id for job in stop.jobs):
            return times_at(laid, stop).begins_at
    raise LookupError(f"job {leg.id} is on no stop of its route")


def _roads(hub: Hub, asked: Asked) -> Roads:
    places = [place.id for place in asked.places if place.lat is not None]
    return roads_for(hub, asked.order.business_id, (asked.route.id,), place_ids=places)


def _still_open(hub: Hub, business_id: str, amendment_id: str) -> Asked:
    asked = _open(hub, business_id, amendment_id)
    if asked is not None:
        return asked
    with hub.reading() as session:
        row = amendment_of(session, business_id, amendment_id)
        by = names_of(session, business_id, {row.decided_by})[row.decided_by]
    raise NotNow(GONE if row.state == OPEN else f"This is decided already, by {by}.")


def _open(hub: Hub, business_id: str, amendment_id: str) -> Asked | None:
    """``None`` once it is decided, or nobody drives for it. Raises ``LookupError``."""
    with hub.reading() as session:
        return asked_of(session, amendment_of(session, business_id, amendment_id))


def _known(session: Session, asked: Asked) -> Asked:
    """The same, as it stands in this unit."""
    row = amendment_of(session, asked.order.business_id, asked.question.id)
    now = asked_of(session, row)
    if now is None:
        raise NotNow(GONE if row.state == OPEN else "This was decided just now. Look again.")
    return now

"""Amendments as people see them: on the board, on the order's page, and the question itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core.amending import Group, in_short, not_on_board
from hub.core.attention import Unread, Wish
from hub.core.errors import HubError
from hub.core.jobs import State
from hub.core.orders import Kind
from hub.db.tables import AmendmentRow, DriverRow, OrderRow, RouteRow
from hub.flows.actors import names_of
from hub.flows.amendments import AT_THE_DOOR, Effect, effect_of
from hub.flows.asked import Asked, amendment_of, asked_of
from hub.flows.order_rows import order_report
from hub.flows.questions import OPEN
from hub.flows.readdress import brings_back

if TYPE_CHECKING:
    from hub.app import Hub

SOON_WEIGHED = timedelta(minutes=1)
"""So long the hub may take to see whether it can take a change by itself."""


@dataclass(frozen=True, slots=True)
class AmendmentSeen:
    """One amendment with what was, what is wanted, and who did what when; names for people."""

    id: str
    order_id: str
    number: str
    state: str
    version: int
    changes: tuple[tuple[str, str, str], ...]
    why: str
    proposed_at: datetime
    proposed_by: str
    decided_at: datetime | None
    decided_by: str
    on_a_phone: bool  # a driver is to acknowledge it
    driver: str
    seen_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state == OPEN


@dataclass(frozen=True, slots=True)
class Question:
    """An amendment and what could be done about it.

    ``route`` (id and version) is empty once it is decided, or nobody drives for it. ``effect``
    ``None``: it cannot be taken now, ``refused`` says why. ``place_id``: where a pin is missing.
    ``lacks``: what the driver who set off has not on board of it.
    """

    seen: AmendmentSeen
    route: tuple[str, int] | None = None
    effect: Effect | None = None
    refused: str = ""
    off_refused: str = ""
    place_id: str = ""
    started: bool = False
    brings_back: bool = False
    lacks: tuple[str, ...] = ()


def question(hub: Hub, business_id: str, amendment_id: str) -> Question:
    """Raises ``LookupError`` for one of nobody here."""
    with hub.reading() as session:
        row = amendment_of(session, business_id, amendment_id)
        [seen] = _seen(session, business_id, [row])
        asked = asked_of(session, row)
        back = asked is not None and any(brings_back(session, leg) for leg in asked.legs)
    if asked is None:
        return Question(seen)
    effect, refused = None, ""
    try:
        effect = effect_of(hub, business_id, amendment_id)
    except HubError as problem:
        refused = str(problem)
    at_door = any(leg.state == State.ARRIVED for leg in asked.legs)
    return Question(
        seen,
        (asked.route.id, asked.route.version),
        effect,
        refused,
        AT_THE_DOOR if at_door else "",
        next((place.id for place in asked.places if place.lat is None), ""),
        asked.started,
        back,
        _lacks(asked),
    )


def _lacks(asked: Asked) -> tuple[str, ...]:
    """Goods that come from the depot are on board or are not; others are yet to be fetched."""
    goods = asked.started and Group.GOODS in {Group(name) for name in asked.question.asked}
    if not goods or any(leg.kind != Kind.DELIVER for leg in asked.legs):
        return ()
    return not_on_board(order_report.validate_python(asked.order.report), asked.said)


def amendments_of(session: Session, business_id: str, order_id: str) -> tuple[AmendmentSeen, ...]:
    """All of an order's, the latest first."""
    rows = session.exec(
        select(AmendmentRow)
        .where(AmendmentRow.business_id == business_id, AmendmentRow.order_id == order_id)
        .order_by(col(AmendmentRow.n).desc())
    ).all()
    return _seen(session, business_id, rows)


def wishes(session: Session, business_id: str, now: datetime) -> list[Wish]:
    """What waits for a dispatcher, once the hub has seen that it cannot take it by itself."""
    rows = session.exec(
        select(AmendmentRow)
        .where(AmendmentRow.business_id == business_id, AmendmentRow.state == OPEN)
        .order_by(col(AmendmentRow.id))
    ).all()
    asked = [
        found
        for row in rows
        if row.weighed_at is not None or now - row.proposed_at >= SOON_WEIGHED
        if (found := asked_of(session, row)) is not None
    ]
    drivers = _drivers(session, business_id, [one.route for one in asked])
    return [_wish(one, drivers[one.route.id]) for one in asked]


def unread(session: Session, business_id: str, route_ids: Collection[str]) -> list[Unread]:
    """What was told on these routes to drivers who have not acknowledged it."""
    rows = session.exec(
        select(AmendmentRow, OrderRow.number)
        .join(OrderRow, col(OrderRow.id) == col(AmendmentRow.order_id))
        .where(
            AmendmentRow.business_id == business_id,
            col(AmendmentRow.route_id).in_(route_ids),
            col(AmendmentRow.seen_at).is_(None),
        )
    ).all()
    return [
        Unread(row.route_id or "", number, _what(row), row.decided_at or row.proposed_at)
        for row, number in rows
    ]


def _wish(one: Asked, driver: str) -> Wish:
    row = one.question
    return Wish(row.id, one.order.number, driver, _what(row), row.proposed_at, one.started)


def _what(row: AmendmentRow) -> str:
    return in_short(what for what, _, _ in row.changes)


def _seen(
    session: Session, business_id: str, rows: Sequence[AmendmentRow]
) -> tuple[AmendmentSeen, ...]:
    numbers = dict(
        session.exec(
            select(OrderRow.id, OrderRow.number).where(
                OrderRow.business_id == business_id,
                col(OrderRow.id).in_({row.order_id for row in rows}),
            )
        ).all()
    )
    actors = {actor for row in rows for actor in (row.proposed_by, row.decided_by) if actor}
    names = names_of(session, business_id, actors)
    routes = session.exec(
        select(RouteRow).where(
            RouteRow.business_id == business_id,
            col(RouteRow.id).in_([row.route_id for row in rows if row.route_id]),
        )
    ).all()
    drivers = _drivers(session, business_id, routes)
    return tuple(
        AmendmentSeen(
            row.id,
            row.order_id,
            numbers[row.order_id],
            row.state,
            row.version,
            tuple((what, was, now) for what, was, now in row.changes),
            row.why,
            row.proposed_at,
            names.get(row.proposed_by, ""),
            row.decided_at,
            names.get(row.decided_by, ""),
            row.route_id is not None,
            drivers.get(row.route_id or "", ""),
            row.seen_at,
        )
        for row in rows
    )


def _drivers(session: Session, business_id: str, routes: Sequence[RouteRow]) -> dict[str, str]:
    """Route id -> its driver's name."""
    if not routes:
        return {}
    names = dict(
        session.exec(
            select(DriverRow.id, DriverRow.name).where(
                DriverRow.business_id == business_id,
                col(DriverRow.id).in_({route.driver_id for route in routes}),
            )
        ).all()
    )
    return {route.id: names[route.driver_id] for route in routes}

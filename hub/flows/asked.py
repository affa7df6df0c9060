"""A question as it stands: the order, what is asked of it, and the driver who has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, select

from hub.core.amending import Group, is_for
from hub.core.jobs import State
from hub.core.orders import IncomingOrder
from hub.core.values import TimeWindow
from hub.db.tables import AmendmentRow, JobRow, OrderRow, PlaceRow, RouteRow, ShiftRow
from hub.flows.order_rows import order_report, spot_key, spots
from hub.flows.questions import OPEN, on_a_phone, route_with
from hub.flows.readdress import UNDER_WAY


@dataclass(frozen=True, slots=True)
class Asked:
    """An open question as it stands: its rows, read at one moment. ``said``: what is asked."""

    question: AmendmentRow
    order: OrderRow
    said: IncomingOrder
    route: RouteRow
    shift: ShiftRow
    legs: tuple[JobRow, ...]  # those on the phone
    places: tuple[PlaceRow, ...]  # where they would be, in their order
    started: bool  # the goods are on board, or the driver has set off

    @property
    def for_another_day(self) -> bool:
        shift = TimeWindow(self.shift.starts_at, self.shift.ends_at)
        when = self.said.windows, self.said.due_on
        return Group.WHEN in self.question.asked and not is_for(*when, self.route.day, shift)

    @property
    def stays(self) -> bool:
        """Whether the driver is on the way to it, or has what was fetched for it."""
        fetched = all(leg.leg == 2 for leg in self.legs)
        return fetched or any(State(leg.state) in UNDER_WAY for leg in self.legs)


def asked_of(session: Session, question: AmendmentRow) -> Asked | None:
    """``None`` once it is decided, or nobody drives for it."""
    order = session.exec(
        select(OrderRow).where(
            OrderRow.business_id == question.business_id, OrderRow.id == question.order_id
        )
    ).one()
    legs = on_a_phone(open_jobs(session, order))
    route = route_with(session, order.business_id, [leg.id for leg in legs])
    if question.state != OPEN or order.said is None or route is None:
        return None
    said = order_report.validate_python(order.said)
    shift = session.exec(
        select(ShiftRow).where(
            ShiftRow.business_id == order.business_id, ShiftRow.id == route.shift_id
        )
    ).one()
    started = (
        shift.began_at is not None
        or all(leg.leg == 2 for leg in legs)
        or any(State(leg.state) in UNDER_WAY | {State.LOADED} for leg in legs)
    )
    places = tuple(_places(session, order.business_id, said).values())
    return Asked(question, order, said, route, shift, tuple(legs), places, started)


def _places(session: Session, business_id: str, said: IncomingOrder) -> Mapping[str, PlaceRow]:
    keys = [spot_key(where) for where in spots(said)]
    rows = session.exec(
        select(PlaceRow).where(PlaceRow.business_id == business_id, col(PlaceRow.key).in_(keys))
    )
    known = {row.key: row for row in rows}
    return {key: known[key] for key in keys if key in known}


def amendment_of(session: Session, business_id: str, amendment_id: str) -> AmendmentRow:
    """Raises ``LookupError`` for one of nobody here."""
    row = session.exec(
        select(AmendmentRow).where(
            AmendmentRow.business_id == business_id, AmendmentRow.id == amendment_id
        )
    ).one_or_none()
    if row is None:
        raise LookupError(f"no amendment {amendment_id}")
    return row


def open_jobs(session: Session, order: OrderRow) -> list[JobRow]:
    return list(
        session.exec(
            select(JobRow)
            .where(
                JobRow.business_id == order.business_id,
                JobRow.order_id == order.id,
                JobRow.state != State.CLOSED,
            )
            .order_by(col(JobRow.leg))
        )
    )

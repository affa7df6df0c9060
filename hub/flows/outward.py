"""Tell shops and books how deliveries went, beside all else and beside each other.

One thread at a time has a connection. One that is silent, or asks for a pause, keeps its own
errands waiting and nobody else's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, exists, func, select

from hub.db.tables import ErrandRow, OrderRow
from hub.flows import records, write_back
from hub.flows.side_by_side import LOOK_S, side_by_side

if TYPE_CHECKING:
    from hub.app import Hub

AT_ONCE = 8
APART = (write_back.NAME, records.NAME)


@dataclass(frozen=True, slots=True)
class Lane:
    """Errands that one after the other ask the same shop, or the books of one business.

    Without a connection: of orders that are no longer there.
    """

    business_id: str
    connection_id: str | None = None

    def of_orders(self) -> ColumnElement[bool]:
        """Of orders from its connection."""
        orders = exists().where(
            col(OrderRow.business_id) == self.business_id,
            col(OrderRow.id) == col(ErrandRow.subject_id),
        )
        if self.connection_id is None:
            return ~orders
        return orders.where(col(OrderRow.connection_id) == self.connection_id)


def tell_shops(hub: Hub) -> int:
    """Deliver what shops are to be told; how many errands were tried."""

    def lanes(session: Session) -> list[Lane]:
        found = session.exec(
            select(ErrandRow.business_id, OrderRow.connection_id)
            .join(
                OrderRow,
                and_(
                    col(OrderRow.business_id) == col(ErrandRow.business_id),
                    col(OrderRow.id) == col(ErrandRow.subject_id),
                ),
                isouter=True,
            )
            .where(*_due(hub, write_back.NAME))
            .group_by(col(ErrandRow.business_id), col(OrderRow.connection_id))
            .order_by(func.min(ErrandRow.due_at))
        )
        return [Lane(business_id, connection_id) for business_id, connection_id in found]

    return _deliver(hub, write_back.NAME, lanes, lambda lane: (lane.of_orders(),))


def keep_books(hub: Hub) -> int:
    """Deliver what books are to be told; how many errands were tried."""

    def lanes(session: Session) -> list[Lane]:
        found = session.exec(
            select(ErrandRow.business_id)
            .where(*_due(hub, records.NAME))
            .group_by(col(ErrandRow.business_id))
            .order_by(func.min(ErrandRow.due_at))
        )
        return [Lane(business_id) for business_id in found]

    return _deliver(hub, records.NAME, lanes, lambda _: ())


def _due(hub: Hub, name: str) -> tuple[ColumnElement[bool], ...]:
    return (
        col(ErrandRow.subscriber) == name,
        col(ErrandRow.state) == "due",
        col(ErrandRow.due_at) <= hub.now(),
    )


def _deliver(
    hub: Hub,
    name: str,
    lanes: Callable[[Session], list[Lane]],
    narrow: Callable[[Lane], Sequence[ColumnElement[bool]]],
) -> int:
    idle_until: dict[Lane, float] = {}  # with something due that waits for an earlier one

    def found(under_way: Collection[Lane], free: int) -> list[Lane]:
        with hub.reading() as session:
            there = lanes(session)
        now = time.monotonic()
        return [
            lane for lane in there if lane not in under_way and idle_until.get(lane, now) <= now
        ][:free]

    def do(lane: Lane) -> int:
        mine = (col(ErrandRow.business_id) == lane.business_id, *narrow(lane))
        tried = hub.deliver_events(only=(name,), among=mine, stops=True)
        if not tried:
            idle_until[lane] = time.monotonic() + LOOK_S
        return tried

    hub.fan_out_events()
    return side_by_side(hub, found, do, AT_ONCE)

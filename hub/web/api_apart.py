"""Orders named by an order that keeps apart from them: each is one of the same business."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlmodel import Session

from hub.core.orders import called
from hub.db.tables import OrderRow
from hub.flows.kept_apart import orders_called
from hub.web.api_models import OrderIn
from hub.web.problems import pointer

APART = "apart_from"


def named_wrongly(
    session: Session, business_id: str, orders: Sequence[OrderIn]
) -> Iterator[tuple[int, str]]:
    """Which of ``orders`` names one that is neither here nor among them, or itself; and why."""
    names = [name for order in orders for name in order.apart_from]
    if not names:
        return
    known = orders_called(session, business_id, names)
    coming: defaultdict[str, set[int]] = defaultdict(set)
    for n, order in enumerate(orders):
        for name in (order.ref, *called(order.number or order.ref)):
            coming[name].add(n)
    for n, order in enumerate(orders):
        for name in order.apart_from:
            if coming[name] == {n}:
                yield n, _itself(name)
            elif name not in known and not coming[name]:
                yield n, _nobody(name)


def none_of(session: Session, row: OrderRow, names: Sequence[str]) -> tuple[str, str] | None:
    """The field, and which of ``names`` no other order of the business has; ``None``: all are."""
    known = orders_called(session, row.business_id, names, row.connection_id)
    for name in names:
        if name not in known:
            return pointer(APART), _nobody(name)
        if known[name] == row.id:
            return pointer(APART), _itself(name)
    return None


def _nobody(name: str) -> str:
    return f"there is no order {name}"


def _itself(name: str) -> str:
    return f"{name} is this order; name the other one"

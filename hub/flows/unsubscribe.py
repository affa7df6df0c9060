"""The link in a mail by which its reader says that it is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel import Session, select

from hub.db.tables import BrandRow, NoticeRow, OrderRow
from hub.flows.brands import of_order
from hub.flows.notice_mail import reach_of
from hub.flows.suppressions import shown, start, stop, stopped
from hub.keys import hashed

if TYPE_CHECKING:
    from hub.app import Hub


@dataclass(frozen=True, slots=True)
class Reader:
    """Who opened such a link: as much as the page may show of it."""

    brand: BrandRow
    address: str  # shortened
    is_stopped: bool


def reader_of(hub: Hub, token: str) -> Reader | None:
    """``None`` for a link that no notice has."""
    with hub.reading() as session:
        row = session.exec(
            select(NoticeRow).where(NoticeRow.stop_hash == hashed(token))
        ).one_or_none()
        if row is None:
            return None
        reaches = reach_of(hub, row.channel)
        known = stopped(session, row.business_id, reaches, row.recipient)
        order = session.exec(
            select(OrderRow).where(
                OrderRow.business_id == row.business_id, OrderRow.id == row.order_id
            )
        ).one()
        brand = of_order(session, order)
    return Reader(brand, shown(reaches, row.recipient), known is not None)


def business_of(session: Session, token: str) -> str:
    """Whose notice has this link; empty for a link that no notice has."""
    query = select(NoticeRow.business_id).where(NoticeRow.stop_hash == hashed(token))
    return session.exec(query).first() or ""


def set_wish(hub: Hub, token: str, *, stops: bool) -> bool:
    """Write no more to this reader, or do again; ``False`` for a link no notice has."""
    with hub.unit() as unit:
        row = unit.session.exec(
            select(NoticeRow).where(NoticeRow.stop_hash == hashed(token))
        ).one_or_none()
        if row is None:
            return False
        where = (unit.session, row.business_id, reach_of(hub, row.channel), row.recipient)
        if stops:
            stop(*where, "link", hub.now(), actor="recipient")
        else:
            start(*where)
        return True

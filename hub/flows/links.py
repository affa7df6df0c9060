"""Tracking links: each contact of an order has one, with rules of its own.

The recipient's was there first, and is what books and programs are told; a store, whose customer
is whoever bought, is told the buyer's where that is somebody else. Another contact gets one when
the order comes in, or with the first message to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sqlmodel import Session, col, delete, select

from hub.core.ids import new_id
from hub.core.values import Contact, Role
from hub.core.visibility import is_a_gift
from hub.db.tables import AuditRow, LinkRow, OrderRow, PushRow
from hub.flows.brands import Brands
from hub.flows.order_rows import link_row
from hub.keys import Keys, hashed
from hub.live.pages import gifts

if TYPE_CHECKING:
    from hub.app import Hub


def whose(role: Role, contacts: Mapping[Role, Contact]) -> Role:
    """Whose link a contact gets: a buyer who waits for it themselves has the recipient's."""
    if role is Role.BUYER and not is_gift(contacts.values()):
        return Role.RECIPIENT
    return role


def is_gift(contacts: Iterable[Contact]) -> bool:
    return is_a_gift({one.role: one.name or one.email or one.phone for one in contacts})


def add_links(session: Session, keys: Keys, order: OrderRow, contacts: Iterable[Contact]) -> None:
    """In a unit: a link for each contact that has none yet. Safe to repeat."""
    by_role = {one.role: one for one in contacts}
    wanted = {whose(role, by_role) for role in by_role} - {Role.RECIPIENT}
    if not wanted:
        return
    known = set(
        session.exec(
            select(LinkRow.role).where(
                LinkRow.business_id == order.business_id, LinkRow.order_id == order.id
            )
        )
    )
    for role in sorted(wanted - known):
        session.add(link_row(keys, order, role))


def url_of(
    hub: Hub, session: Session, brands: Brands, order: OrderRow, role: Role = Role.RECIPIENT
) -> str:
    """The link of ``role``, under its brand's address; empty while the recipient has none."""
    epoch = session.exec(
        select(LinkRow.epoch).where(
            LinkRow.business_id == order.business_id,
            LinkRow.order_id == order.id,
            LinkRow.role == role,
        )
    ).one_or_none()
    if epoch is None and role is Role.RECIPIENT:
        return ""
    base = brands.address(hub, brands.of(order))
    return f"{base}/t/{hub.keys.role_token(order.id, role, epoch or 1)}"


def store_url(hub: Hub, session: Session, order: OrderRow) -> str:
    """The link that a store may show to its customer, who is whoever bought: the recipient's only
    where that is the same person, or where the buyer has none (orders from before there were).
    """
    is_present = gifts(session, order.business_id, [order.id])[order.id]
    role = Role.BUYER if is_present else Role.RECIPIENT
    known = select(LinkRow.id).where(
        LinkRow.business_id == order.business_id,
        LinkRow.order_id == order.id,
        LinkRow.role == role,
    )
    if session.exec(known).first() is None:
        role = Role.RECIPIENT
    return url_of(hub, session, Brands(session, order.business_id), order, role)


def links_of(hub: Hub, session: Session, business_id: str, order_id: str) -> dict[Role, str]:
    """All links of an order, under its brand's address, the recipient's first."""
    rows = session.exec(
        select(LinkRow, OrderRow)
        .join(OrderRow, col(OrderRow.id) == col(LinkRow.order_id))
        .where(
            LinkRow.business_id == business_id,
            OrderRow.business_id == business_id,
            LinkRow.order_id == order_id,
        )
    ).all()
    brands = Brands(session, business_id)
    found = {
        Role(row.role): f"{brands.address(hub, brands.of(order))}/t/"
        + hub.keys.role_token(order_id, row.role, row.epoch)
        for row, order in rows
    }
    return dict(sorted(found.items(), key=lambda one: (one[0] is not Role.RECIPIENT, one[0])))


def revoke(hub: Hub, business_id: str, order_id: str, role: Role, *, actor: str) -> None:
    """The link of one contact opens nothing any more, and another is made; others' stay.

    Who was told of the order by a browser of theirs is not any more. Raises ``LookupError``.
    """
    with hub.unit() as unit:
        row = unit.session.exec(
            select(LinkRow)
            .where(
                LinkRow.business_id == business_id,
                LinkRow.order_id == order_id,
                LinkRow.role == role,
            )
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise LookupError(f"order {order_id} has no link for {role}")
        row.epoch += 1
        row.token_hash = hashed(hub.keys.role_token(order_id, role, row.epoch))
        unit.session.exec(
            delete(PushRow).where(
                col(PushRow.business_id) == business_id,
                col(PushRow.order_id) == order_id,
                col(PushRow.role) == role,
            )
        )
        unit.session.add(
            AuditRow(
                id=new_id(),
                business_id=business_id,
                actor=actor,
                action="link revoked",
                subject=f"{role} of order {order_id}",
                at=hub.now(),
            )
        )

"""Browsers that want to hear of one order: they belong to its link, and go with it.

Of several browsers behind one link the last that asked is told.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sqlmodel import Session, col, delete, select

from hub.core.contracts import NotificationChannel
from hub.core.errors import HubError
from hub.core.push import Subscription
from hub.core.tracking_page import OPEN, Life
from hub.core.values import Role
from hub.db.tables import ChoiceRow, NoticeRuleRow, PushRow
from hub.flows.choices import providers
from hub.flows.tracking_link import Link, opened

if TYPE_CHECKING:
    from hub.app import Hub

AT_MOST = 5  # browsers behind one link
TO = "push:"
NO_BROWSER = "No browser of theirs listens for this order."


@runtime_checkable
class KeyForBrowsers(Protocol):
    """A channel to browsers has the key with which they subscribe."""

    def public_key(self) -> str: ...


def offers(hub: Hub, session: Session, link: Link) -> bool:
    """Whether the page may offer it: something is still to come, and a message would go out."""
    if link.life is not Life.FULL or link.seen.shows not in OPEN:
        return False
    channels = session.exec(
        select(ChoiceRow.plugin)
        .join(
            NoticeRuleRow,
            (col(NoticeRuleRow.business_id) == col(ChoiceRow.business_id))
            & (col(NoticeRuleRow.channel) == col(ChoiceRow.plugin)),
        )
        .where(
            ChoiceRow.business_id == link.business.id,
            ChoiceRow.kind == "channel",
            col(ChoiceRow.active),
            col(NoticeRuleRow.active),
            NoticeRuleRow.role == link.role,
        )
        .distinct()
    ).all()
    return any(_is_push(hub, one) for one in channels)


def key_for(hub: Hub, token: str) -> str | None:
    """What a browser subscribes with; ``None``: the page offers nothing."""
    with hub.reading() as session:
        link = opened(session, token, hub.now())
        if link is None or not offers(hub, session, link):
            return None
    for channel in providers(hub, link.business.id, NotificationChannel):
        if channel.reaches == "push" and isinstance(channel, KeyForBrowsers):
            try:
                return channel.public_key()
            except (HubError, ValueError):
                continue
    return None


def listen(hub: Hub, token: str, told: Subscription) -> bool:
    """This browser hears of the link's order; whether the link offers that. Safe to repeat."""
    with hub.unit() as unit:
        session = unit.session
        link = opened(session, token, hub.now())
        if link is None or not offers(hub, session, link):
            return False
        _take_out(session, link, told.endpoint)
        session.add(
            PushRow(
                business_id=link.business.id,
                order_id=link.order_id,
                role=link.role,
                endpoint_hash=_hash(told.endpoint),
                subscription=told.as_sent(),
                at=hub.now(),
            )
        )
        session.flush()
        for row in _all(session, link.business.id, link.order_id, link.role)[AT_MOST:]:
            session.delete(row)
    return True


def hush(hub: Hub, token: str, endpoint: str) -> bool:
    """This browser hears no more; whether the link opens anything. Safe to repeat."""
    with hub.unit() as unit:
        link = opened(unit.session, token, hub.now())
        if link is None:
            return False
        _take_out(unit.session, link, endpoint)
    return True


def listener(session: Session, business_id: str, order_id: str, role: Role) -> str:
    """Whom a push message about the order goes to, for a notice's row; empty: nobody listens."""
    rows = _all(session, business_id, order_id, role)
    return f"{TO}{rows[0].id}" if rows else ""


def subscription_of(session: Session, business_id: str, recipient: str) -> str:
    """As ``Message.to`` has it; empty where that browser has gone meanwhile."""
    row = session.exec(
        select(PushRow).where(
            PushRow.business_id == business_id, PushRow.id == recipient.removeprefix(TO)
        )
    ).one_or_none()
    return json.dumps(row.subscription) if row else ""


def forget_listener(session: Session, business_id: str, recipient: str) -> None:
    """In a unit: the push service does not know this browser any more."""
    session.exec(
        delete(PushRow).where(
            col(PushRow.business_id) == business_id,
            col(PushRow.id) == recipient.removeprefix(TO),
        )
    )


def _all(session: Session, business_id: str, order_id: str, role: str) -> list[PushRow]:
    """The last that asked first."""
    rows = session.exec(
        select(PushRow)
        .where(
            PushRow.business_id == business_id,
            PushRow.order_id == order_id,
            PushRow.role == role,
        )
        .order_by(col(PushRow.at).desc(), col(PushRow.id).desc())
    )
    return list(rows)


def _take_out(session: Session, link: Link, endpoint: str) -> None:
    session.exec(
        delete(PushRow).where(
            col(PushRow.business_id) == link.business.id,
            col(PushRow.order_id) == link.order_id,
            col(PushRow.role) == link.role,
            col(PushRow.endpoint_hash) == _hash(endpoint),
        )
    )


def _hash(endpoint: str) -> str:
    return sha256(endpoint.encode()).hexdigest()


def _is_push(hub: Hub, channel: str) -> bool:
    try:
        return hub.registry.get(NotificationChannel, channel).reaches == "push"
    except KeyError:
        return False

"""What a notice looks like before it is needed: a preview, and one sent to oneself."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.core.contracts import Message, NotificationChannel, Reaches
from hub.core.errors import ConfigError, HubError, MaybeSent
from hub.core.ids import new_id
from hub.core.jobs import NextStep, Reason
from hub.core.manners import RINGS
from hub.core.notice_words import About
from hub.core.notices import reachable
from hub.core.values import Role, TimeWindow
from hub.db.tables import AuditRow, BrandRow, BusinessRow, NoticeRuleRow, OrderRow
from hub.flows.brands import Brands
from hub.flows.choices import choice, mark, provider_of
from hub.flows.notice_mail import (
    Mail,
    about_order,
    composed,
    contacts_of,
    inline_of,
    message_id_for,
    reach_of,
)
from hub.flows.notice_manners import words_in

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)

TEST_SUBJECT = "A test from {brand}"
TEST_LINE = "A test from {brand}: messages by this channel arrive."
TEST_BODY = (
    "Hello,\n\nthis is what a message from {brand} looks like. It was sent from the set-up "
    "to see that messages arrive.\n\nThe button leads to nobody's order."
)


def preview(
    hub: Hub, business_id: str, rule_id: str, order_id: str | None = None
) -> tuple[str, str, str]:
    """Subject, text and HTML of a rule, about this order or (``None``) one made up.

    Raises ``LookupError`` for a rule or an order the business does not have.
    """
    mail, _ = sampled(hub, business_id, rule_id, order_id)
    return mail.subject, mail.text, mail.html


def sampled(
    hub: Hub,
    business_id: str,
    rule_id: str,
    order_id: str | None = None,
    *,
    brand: str = "",
    language: str = "",
) -> tuple[Mail, BrandRow]:
    """A rule's words in all their forms, and the brand that they wear.

    An order has both of its own; one made up is of ``brand`` (a short name; empty: the usual
    one) and reads ``language`` (empty: the business's). Raises ``LookupError`` for a rule, an
    order or a brand the business does not have.
    """
    with hub.reading() as session:
        business = session.get_one(BusinessRow, business_id)
        brands = Brands(session, business_id)
        look = _chosen(brands, brand)
        rule = session.exec(
            select(NoticeRuleRow).where(
                NoticeRuleRow.business_id == business_id, NoticeRuleRow.id == rule_id
            )
        ).one_or_none()
        if rule is None:
            raise LookupError("There is no such rule.")
        about = replace(_made_up(hub, look, brands.address(hub, look)), language=language)
        if order_id is not None:
            order = session.exec(
                select(OrderRow).where(OrderRow.business_id == business_id, OrderRow.id == order_id)
            ).one_or_none()
            if order is None:
                raise LookupError("There is no such order.")
            look = brands.of(order)
            contacts = contacts_of(session, order)
            contact = reachable(contacts, Role(rule.role), reach_of(hub, rule.channel))
            role = contact.role if contact else Role(rule.role)
            about = about_order(hub, session, brands, order, None, role)
            if contact is not None:
                about = replace(about, name=contact.name, language=contact.language)
        subject, body = words_in(session, rule, about.language, look.slug)
    mail = composed(hub, business, look, subject, body, about, reach_of(hub, rule.channel))
    return mail, look


def orders_to_try(hub: Hub, business_id: str, *, most: int = 30) -> list[tuple[str, str]]:
    """Ids and numbers of the latest orders, to see a rule's words with."""
    with hub.reading() as session:
        rows = session.exec(
            select(OrderRow.id, OrderRow.number)
            .where(OrderRow.business_id == business_id)
            .order_by(col(OrderRow.received_at).desc(), col(OrderRow.id).desc())
            .limit(most)
        )
        return [(id_, number) for id_, number in rows]


def send_test(
    hub: Hub, business_id: str, channel: str, recipient: str, *, actor: str, brand: str = ""
) -> str:
    """Send a real message by ``channel`` now, as ``brand`` (a short name; empty: the usual one)
    sends it; the carrier's id for it.

    Raises a ``HubError`` whose sentence says why it could not be sent; ``MaybeSent``
    when nobody knows whether it was; ``LookupError`` for a brand the business does not have.
    """
    row = choice(hub, business_id, "channel", channel)
    if row is None or not row.active:
        raise ConfigError(f"The channel {channel!r} is not set up.")
    message = _test_message(hub, business_id, recipient, reach_of(hub, channel), brand)
    try:
        carrier_id = provider_of(hub, row, NotificationChannel).send(message)
    except ConfigError as problem:
        mark(hub, business_id, row.id, "needs_attention", str(problem))
        raise
    except HubError:
        raise
    except Exception as error:
        log.exception("a test by channel=%s: no answer", channel)
        raise MaybeSent("No answer came. The log says more.") from error
    mark(hub, business_id, row.id, "ok")
    with hub.unit() as unit:
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action="test message sent",
                subject=channel,
                at=hub.now(),
            )
        )
    return carrier_id


def _test_message(
    hub: Hub, business_id: str, recipient: str, reaches: Reaches, slug: str
) -> Message:
    with hub.reading() as session:
        business = session.get_one(BusinessRow, business_id)
        brands = Brands(session, business_id)
        brand = _chosen(brands, slug)
        base = brands.address(hub, brand)
    words, about = TEST_LINE if reaches in RINGS else TEST_BODY, _made_up(hub, brand, base)
    mail = composed(hub, business, brand, TEST_SUBJECT, words, about, reaches)
    key = new_id()
    return Message(
        key=key,
        to=recipient,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        sender=brand.sender_name or brand.name,
        reply_to=brand.reply_to or brand.email,
        sender_id=brand.sms_sender,
        message_id=message_id_for(hub, key),
        inline=inline_of(brand, mail.html),
    )


def _chosen(brands: Brands, slug: str) -> BrandRow:
    """The usual one for no ``slug``."""
    found = next((one for one in brands.rows if one.slug == slug), None)
    if slug and found is None:
        raise LookupError("There is no such brand.")
    return found or brands.usual


def _made_up(hub: Hub, brand: BrandRow, base: str) -> About:
    """About nobody's order; ``base``: where the brand's pages stand."""
    now = hub.now().replace(minute=0, second=0, microsecond=0)
    window = TimeWindow(now + timedelta(hours=1), now + timedelta(hours=2))
    return About(
        order="1042",
        brand=brand.name,
        link=f"{base}/t/example",
        phone=brand.phone,
        name="Alex",
        address="Main Street 1",
        window=window,
        expected=window,
        closed_at=now,
        received_by="Alex",
        reason=Reason.NOBODY_HOME,
        next_step=NextStep.ANOTHER_DAY,
        next_day=now.date() + timedelta(days=1),
    )

"""What goes to a store, to the books and to recipients, without what a business keeps back."""

from __future__ import annotations

from dataclasses import replace

from hub.core.connecting import DeliveryRecord, OrderProgress, Stage
from hub.core.notice_words import About
from hub.core.orders import IncomingOrder
from hub.core.values import Address, DeliveredLine
from hub.core.visibility import Fact, Moment, Reader, Visibility, shown
from hub.core.visibility import Stage as HowFar

_STAGES: dict[Stage, HowFar] = {
    "on_the_way": HowFar.ON_THE_WAY,
    "arrived": HowFar.AT_THE_DOOR,
    "cancelled": HowFar.CANCELLED,
}
_NO_ADDRESS = Address(("(kept back)",))  # an order without any would be none
_WELL = ("succeeded", "partial")


def for_store(update: OrderProgress, rules: Visibility) -> OrderProgress:
    """``update`` as the order's store may have it."""
    stage = _STAGES.get(update.stage, HowFar.WAITING)
    if update.stage == "closed":
        stage = _ended(update.outcome)
    may = shown(rules, Reader.STORE, Moment(stage))
    return replace(
        update,
        received_by=update.received_by if Fact.RECIPIENT in may else "",
        point=update.point if Fact.POSITION in may else None,
        lines=update.lines if Fact.ITEMS in may else _nameless(update.lines),
        files=tuple(one for one in update.files if one.kind != "photo" or Fact.PHOTO in may),
    )


def for_books(record: DeliveryRecord, rules: Visibility) -> DeliveryRecord:
    """``record`` as the books may have it; its documents are made for them already."""
    may = shown(rules, Reader.BOOKS, Moment(_ended(record.outcome)))
    return replace(
        record,
        driver=record.driver if Fact.DRIVER in may else "",
        received_by=record.received_by if Fact.RECIPIENT in may else "",
        contacts=record.contacts if Fact.RECIPIENT in may else (),
        lines=record.lines if Fact.ITEMS in may else _nameless(record.lines),
    )


def order_for_books(order: IncomingOrder, rules: Visibility) -> IncomingOrder:
    """``order`` as the books may be asked where it belongs: questions leave, too.

    They fare worse at it by as much as is kept back.
    """
    may = shown(rules, Reader.BOOKS, Moment(HowFar.DONE))
    return replace(
        order,
        contacts=order.contacts if Fact.RECIPIENT in may else (),
        address=order.address if Fact.ADDRESS in may else _NO_ADDRESS,
        point=order.point if Fact.ADDRESS in may else None,
        lines=order.lines
        if Fact.ITEMS in may
        else tuple(replace(line, title="") for line in order.lines),
    )


def for_messages(about: About, rules: Visibility) -> About:
    """``about`` as it may be written to a recipient."""
    stage = HowFar.WAITING
    if about.closed_at is not None:
        stage = HowFar.FAILED if about.reason else HowFar.DONE
    may = shown(rules, Reader.MESSAGES, Moment(stage))
    return replace(
        about,
        name=about.name if Fact.RECIPIENT in may else "",
        received_by=about.received_by if Fact.RECIPIENT in may else "",
        address=about.address if Fact.ADDRESS in may else "",
    )


def for_contact(about: About, rules: Visibility, reader: Reader) -> About:
    """``about`` for somebody who does not wait for it: no more than their own page would say."""
    told = {fact for fact, rule in rules.of(reader).items() if rule.since != "never"}
    return replace(
        about,
        received_by=about.received_by if Fact.RECIPIENT in told else "",
        address=about.address if Fact.ADDRESS in told else "",
    )


def _ended(outcome: str) -> HowFar:
    if outcome in _WELL:
        return HowFar.DONE
    return HowFar.CANCELLED if outcome == "cancelled" else HowFar.FAILED


def _nameless(lines: tuple[DeliveredLine, ...]) -> tuple[DeliveredLine, ...]:
    """How much of which line changed hands, but not of what: a store knows its lines by number."""
    return tuple(replace(line, title="") for line in lines)

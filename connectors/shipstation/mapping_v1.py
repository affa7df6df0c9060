"""A V1 order as an order. Field names and examples: V1 OpenAPI 1.1.1 (read 2026-11)."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.shipstation.mapping import (
    PACIFIC,
    address,
    day,
    grams,
    is_withdrawn,
    known,
    loaded,
    starts,
    text,
    title,
)
from hub import Contact, IncomingOrder, Line, Role

# orderStatus in V1's OpenAPI; any other is set aside, not guessed. pending_fulfillment: handed
# to somebody who ships for the business. An order on hold comes back when its hold ends.
_WITHDRAWN = {
    "awaiting_shipment": False,
    "awaiting_payment": True,
    "pending_fulfillment": True,
    "shipped": True,
    "on_hold": True,
    "cancelled": True,
}
_CLOCKS_DIFFER = timedelta(minutes=5)


def to_order(
    order: Mapping[str, Any],
    *,
    due: str,
    tag: str,
    own: Set[str],
    now: datetime,
    names: Mapping[int, str],
    currency: str,
) -> IncomingOrder:
    """``names`` are the account's tags by id; ``own`` as in V2."""
    to, bill = order.get("shipTo") or {}, order.get("billTo") or {}
    advanced = order.get("advancedOptions") or {}
    tags = tags_of(order, names)
    status = text(order["orderStatus"])
    ours = status == "shipped" and bool(own & set(tags))
    withdrawn = (is_withdrawn(status, _WITHDRAWN) and not ours) or bool(tag and tag not in tags)
    items = [item for item in order.get("items") or () if not item.get("adjustment")]
    return IncomingOrder(
        ref=ref_of(order),
        number=text(order.get("orderNumber")) or ref_of(order),
        updated_at=moment(order["modifyDate"], now),
        status="cancelled" if withdrawn else "open",
        address=address(
            (to.get("street1"), to.get("street2"), to.get("street3")),
            to.get("city"),
            to.get("state"),
            to.get("postalCode"),
            to.get("country"),
            withdrawn=withdrawn,
        ),
        contacts=_contacts(to, bill, text(order.get("customerEmail"))),
        lines=loaded([_line(item) for item in items], grams(order.get("weight"), "units")),
        due_on=None if due == "none" else day(order.get("shipByDate")),
        payment_due=_unpaid(order, currency),
        instructions=text(order.get("customerNotes")),
        tags=tuple(name for name in tags if name not in own),
        custom=known(
            custom_field1=advanced.get("customField1"),
            custom_field2=advanced.get("customField2"),
            custom_field3=advanced.get("customField3"),
            internal_notes=without_results(text(order.get("internalNotes"))),
            gift_message=order.get("giftMessage"),
            requested_service=order.get("requestedShippingService"),
            external_id=order.get("orderKey"),
            store=f"se-{advanced['storeId']}" if advanced.get("storeId") else "",
            amount_paid=order.get("amountPaid") or "",
        ),
    )


NOTED = "[Last Mile Hub]"
"""Begins a line that the hub wrote into the internal notes; read back, it is left out."""


def without_results(notes: str) -> str:
    return "\n".join(line for line in notes.splitlines() if not line.startswith(NOTED)).strip()


def ref_of(order: Mapping[str, Any]) -> str:
    """V2's id of the same order, so that a change from V1 to V2 makes no order new."""
    return f"se-{order['orderId']}"


def moment(value: Any, now: datetime) -> datetime:
    """UTC for a time of V1's: Pacific, without an offset.

    In the hour that clocks show twice, the later meaning that has come already: an earlier one
    would make a later change look older than the one before it.
    """
    local = datetime.fromisoformat(text(value))
    if local.tzinfo:
        return local.astimezone(UTC)
    first, second = (local.replace(tzinfo=PACIFIC, fold=fold).astimezone(UTC) for fold in (0, 1))
    return second if second <= now + _CLOCKS_DIFFER else first


def wall(since: datetime) -> str:
    """What V1 is asked with, for whole seconds. Within the hour shown twice: its beginning."""
    local = since.astimezone(PACIFIC)
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        local = local.replace(minute=0, second=0)
    return local.strftime("%Y-%m-%d %H:%M:%S")


def tags_of(order: Mapping[str, Any], names: Mapping[int, str]) -> list[str]:
    return [names.get(tag_id, str(tag_id)) for tag_id in order.get("tagIds") or ()]


def held_until(order: Mapping[str, Any]) -> datetime | None:
    until = day(order.get("holdUntilDate"))
    return starts(until) if until and order.get("orderStatus") == "on_hold" else None


def _contacts(to: Mapping[str, Any], bill: Mapping[str, Any], email: str) -> tuple[Contact, ...]:
    # V2 shows V1's customerEmail as that of the ship-to address (same order in V1's examples and
    # V2's capture, 2026-08), so it is the recipient's here, too.
    recipient = Contact(
        Role.RECIPIENT, text(to.get("name")), text(to.get("phone")), email, text(to.get("company"))
    )
    name = text(bill.get("name"))
    if not name or name == recipient.name:
        return (recipient,)
    buyer = Contact(Role.BUYER, name, text(bill.get("phone")), email, text(bill.get("company")))
    return (recipient, buyer)


def _line(item: Mapping[str, Any]) -> Line:
    return Line(
        title(item.get("name"), item.get("options")),
        quantity=int(item.get("quantity") or 0),
        sku=text(item.get("sku")),
        barcode=text(item.get("upc")),
        weight_g=grams(item.get("weight"), "units"),
    )


def _unpaid(order: Mapping[str, Any], currency: str) -> str:
    """V1 names no currency, and hand-made orders often no payment: only where it was set."""
    if not currency or order.get("orderTotal") is None:
        return ""
    due = Decimal(str(order["orderTotal"])) - Decimal(str(order.get("amountPaid") or 0))
    return f"{due:.2f} {currency}" if due > 0 else ""

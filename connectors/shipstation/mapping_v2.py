"""A V2 shipment as an order. V1 calls the same thing an order (docs.shipstation.com,
understanding-orders-shipments, 2026-11): ``shipment_id`` "se-123" is V1's ``orderId`` 123."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import UTC, datetime
from typing import Any

from connectors.shipstation.mapping import (
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

# V2 OpenAPI 2025-08, shipment_status; any other is set aside, not guessed. "processing": a label
# is being bought; "label_purchased": one was, or the shipment was marked as shipped.
_WITHDRAWN = {"pending": False, "processing": True, "label_purchased": True, "cancelled": True}


def to_order(
    shipment: Mapping[str, Any], *, due: str, tag: str, own: Set[str], now: datetime
) -> IncomingOrder:
    """``own`` are tags the hub puts on orders: what wears one is shipped by the hub itself."""
    to = shipment.get("ship_to") or {}
    advanced = shipment.get("advanced_options") or {}
    tags = tags_of(shipment)
    status = text(shipment["shipment_status"])
    ours = status != "cancelled" and bool(own & set(tags))
    held = held_until(shipment)
    withdrawn = (
        (is_withdrawn(status, _WITHDRAWN) and not ours)
        or (held is not None and held > now)
        or bool(tag and tag not in tags)
        # A return travels to the ship-to address by a carrier's label, from whoever has the goods.
        or bool(shipment.get("is_return"))
    )
    deliver_by, ship_by = day(shipment.get("deliver_by_date")), day(shipment.get("ship_by_date"))
    paid, cod = shipment.get("amount_paid"), advanced.get("collect_on_delivery") or {}
    notes = (text(shipment.get("notes_from_buyer")), text(to.get("instructions")))
    return IncomingOrder(
        ref=shipment["shipment_id"],
        number=text(shipment.get("shipment_number")) or shipment["shipment_id"],
        updated_at=changed_at(shipment),
        status="cancelled" if withdrawn else "open",
        address=address(
            (to.get("address_line1"), to.get("address_line2"), to.get("address_line3")),
            to.get("city_locality"),
            to.get("state_province"),
            to.get("postal_code"),
            to.get("country_code"),
            withdrawn=withdrawn,
        ),
        contacts=_contacts(to, shipment.get("ship_from") or {}),
        lines=loaded(
            [_line(item) for item in shipment.get("items") or ()],
            grams(shipment.get("total_weight"), "unit"),
        ),
        parcels=len(shipment.get("packages") or ()) or None,
        due_on={"deliver_by": deliver_by or ship_by, "ship_by": ship_by}.get(due),
        payment_due=_money(cod.get("payment_amount")),
        instructions="\n".join(note for note in notes if note),
        tags=tuple(name for name in tags if name not in own),
        custom=known(
            custom_field1=advanced.get("custom_field1"),
            custom_field2=advanced.get("custom_field2"),
            custom_field3=advanced.get("custom_field3"),
            internal_notes=shipment.get("internal_notes"),
            gift_message=shipment.get("notes_for_gift"),
            requested_service=shipment.get("requested_shipment_service"),
            external_id=shipment.get("external_shipment_id"),
            store=shipment.get("store_id"),
            amount_paid=_money(paid),
        ),
    )


def changed_at(shipment: Mapping[str, Any]) -> datetime:
    moment = datetime.fromisoformat(text(shipment["modified_at"]))
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def tags_of(shipment: Mapping[str, Any]) -> list[str]:
    return [text(tag.get("name")) for tag in shipment.get("tags") or ()]


def held_until(shipment: Mapping[str, Any]) -> datetime | None:
    """When its hold ends. V2 has no status for it: a held shipment is pending with a date."""
    until = day(shipment.get("hold_until_date"))
    return starts(until) if until and shipment.get("shipment_status") == "pending" else None


def _contacts(to: Mapping[str, Any], sender: Mapping[str, Any]) -> tuple[Contact, ...]:
    people = [_contact(Role.RECIPIENT, to)]
    if text(sender.get("name")) or text(sender.get("company_name")):
        people.append(_contact(Role.SHIPPER, sender))
    return tuple(people)


def _contact(role: Role, who: Mapping[str, Any]) -> Contact:
    return Contact(
        role,
        name=text(who.get("name")),
        phone=text(who.get("phone")),
        email=text(who.get("email")),
        company=text(who.get("company_name")),
    )


def _line(item: Mapping[str, Any]) -> Line:
    return Line(
        title(item.get("name"), item.get("options")),
        quantity=int(item.get("quantity") or 0),
        sku=text(item.get("sku")),
        barcode=text(item.get("upc")),
        weight_g=grams(item.get("weight"), "unit"),
    )


def _money(money: Mapping[str, Any] | None) -> str:
    """'218.73 USD'; currencies come in small letters (captured 2026-08)."""
    if not money or not money.get("amount"):
        return ""
    return f"{money['amount']:.2f} {text(money.get('currency')).upper()}".strip()

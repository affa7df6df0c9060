"""Shopify's words and ours. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from connectors.shopify.units import (
    METHODS,
    Json,
    Terms,
    Unit,
    fate,
    is_driven,
    left,
    method_of,
    moment,
    units_of,
    updated_at,
)
from hub import Address, Contact, IncomingOrder, Line, Point, Role, TimeWindow, wanted

GRAMS = {
    "GRAMS": Decimal(1),
    "KILOGRAMS": Decimal(1000),
    "OUNCES": Decimal("28.349523"),
    "POUNDS": Decimal("453.592"),
}
OWED = frozenset({"PENDING", "PARTIALLY_PAID"})
"""AUTHORIZED is outstanding too, but the bank has promised it: nothing to collect."""
NO_VARIANT = "Default Title"  # what Shopify calls the only variant of a product without any
OUR_TAG = "Delivery: "
NOBODY_AT = ("-",)  # where a withdrawn order goes that has no address any more


def line_title(line: Json) -> str:
    variant = line["variantTitle"] or ""
    named = variant and variant != NO_VARIANT
    return f"{line['productTitle']} - {variant}" if named else str(line["productTitle"])


def to_order(unit: Unit, terms: Terms) -> IncomingOrder:
    """Raises ``ValueError`` for an open one that nobody could drive to."""
    order, own = unit.order, unit.own
    is_open = fate(unit, terms) != "withdrawn"
    asked = _attributes(unit)
    day, windows = _wanted(unit, asked, terms)
    return IncomingOrder(
        ref=unit.ref,
        number=unit.number,
        updated_at=updated_at(unit),
        status="open" if is_open else "cancelled",
        address=_address(unit, is_open=is_open),
        point=_point(unit) if terms.points else None,
        contacts=tuple(_contacts(unit)),
        lines=tuple(_line(line) for line in left(own) or own["lineItems"]["nodes"]),
        windows=windows,
        due_on=day,
        payment_due=_payment_due(unit) if terms.collects else "",
        instructions="\n".join(filter(None, (_said(unit, "instructions"), order["note"]))),
        tags=(*_tags(order), *(("test",) if order["test"] else ())),
        custom=_custom(unit, terms),
    )


def _address(unit: Unit, *, is_open: bool) -> Address:
    """The fulfilment order's own, which a move or a split may change; else the order's."""
    own, order = unit.own["destination"] or {}, unit.order["shippingAddress"] or {}
    place = own if own.get("address1") else order
    lines = tuple(filter(None, (place.get("address1"), place.get("address2"))))
    if not lines and is_open:
        raise ValueError("the shipping address has no street")
    country = place.get("countryCode") or place.get("countryCodeV2") or ""
    return Address(
        lines=lines or NOBODY_AT,
        city=place.get("city") or "",
        region=place.get("province") or place.get("provinceCode") or "",
        postcode=place.get("zip") or "",
        country="" if country == "ZZ" else country,  # ZZ: unknown region (CountryCode)
    )


def _point(unit: Unit) -> Point | None:
    own, order = unit.own["destination"] or {}, unit.order["shippingAddress"] or {}
    same = not own.get("address1") or own["address1"] == order.get("address1")
    lat, lon = order.get("latitude"), order.get("longitude")
    return Point(lat, lon) if same and lat is not None and lon is not None else None


def _contacts(unit: Unit) -> Iterator[Contact]:
    order = unit.order
    own, place = unit.own["destination"] or {}, order["shippingAddress"] or {}
    name = " ".join(filter(None, (own.get("firstName"), own.get("lastName"))))
    phone = _said(unit, "phone") or own.get("phone") or place.get("phone") or ""
    language = order["customerLocale"] or ""
    yield Contact(
        Role.RECIPIENT,
        name=name or place.get("name") or "",
        phone=phone,
        email=own.get("email") or "",
        company=own.get("company") or place.get("company") or "",
        language=language,
    )
    bill = order["billingAddress"] or {}
    buyer = Contact(
        Role.BUYER,
        name=bill.get("name") or "",
        phone=order["phone"] or bill.get("phone") or "",
        email=order["email"] or "",
        company=bill.get("company") or "",
        language=language,
    )
    if buyer.name or buyer.phone or buyer.email:
        yield buyer


def _line(line: Json) -> Line:
    weight = line["weight"] or {"value": 0, "unit": "GRAMS"}
    return Line(
        title=line_title(line),
        quantity=line["remainingQuantity"] or line["totalQuantity"],
        sku=line["sku"] or "",
        weight_g=round(Decimal(str(weight["value"])) * GRAMS[weight["unit"]]),
    )


def _attributes(unit: Unit) -> dict[str, str]:
    """Of the cart, then of its lines: date pickers write to either. Hidden ones begin with _."""
    lists = [line["lineItem"]["customAttributes"] for line in unit.own["lineItems"]["nodes"]]
    found: dict[str, str] = {}
    for attribute in (a for some in (unit.order["customAttributes"], *lists) for a in some):
        if attribute["value"]:
            found.setdefault(attribute["key"], attribute["value"])
    return found


def _wanted(
    unit: Unit, asked: Mapping[str, str], terms: Terms
) -> tuple[date | None, tuple[TimeWindow, ...]]:
    """The day, and the window where there is one: as the buyer chose, else as checkout promised,
    else by when the shop wants it fulfilled."""
    zone = unit.zone
    if text := _first(asked, terms.date_keys):
        hours = _first(asked, terms.time_keys)
        read = wanted(text, hours, zone, month_first=terms.month_first)
        if read.day or read.windows:
            return read.day, read.windows
    method = unit.own["deliveryMethod"] or {}
    opens, closes = method.get("minDeliveryDateTime"), method.get("maxDeliveryDateTime")
    if opens and closes and moment(opens) < moment(closes):
        return None, (TimeWindow(moment(opens), moment(closes)),)
    if last := closes or unit.own["fulfillBy"]:
        return moment(last).astimezone(zone).date(), ()
    return None, ()


def _first(asked: Mapping[str, str], keys: Sequence[str]) -> str:
    by_name = {key.casefold(): value for key, value in asked.items()}
    return next((by_name[key.casefold()] for key in keys if key.casefold() in by_name), "")


def _payment_due(unit: Unit) -> str:
    """Of the whole order, so only the first of its deliveries asks for it."""
    money = unit.order["totalOutstandingSet"]["shopMoney"]
    owed = unit.order["displayFinancialStatus"] in OWED and Decimal(money["amount"]) > 0
    driven = [one for one in units_of(unit.order, unit.zone) if is_driven(one.own)]
    asks = not driven or driven[0].ref == unit.ref
    return f"{money['amount']} {money['currencyCode']}" if owed and asks else ""


def _said(unit: Unit, field: str) -> str:
    """What the buyer told the driver at checkout."""
    said = (unit.own["deliveryMethod"] or {}).get("additionalInformation") or {}
    return said.get(field) or ""


def _tags(order: Json) -> Iterator[str]:
    return (tag for tag in order["tags"] if not tag.startswith(OUR_TAG))


def _custom(unit: Unit, terms: Terms) -> dict[str, str]:
    used = {key.casefold() for key in (*terms.date_keys, *terms.time_keys)}
    shown = {
        attribute["key"]: attribute["value"]
        for attribute in unit.order["customAttributes"]
        if attribute["value"] and attribute["key"].casefold() not in used
    }
    shown = {key: value for key, value in shown.items() if not key.startswith("_")}
    method = method_of(unit.own)
    # The hub plans a job from the depot that is named here, if it has one of that name.
    depot = unit.own["assignedLocation"]["name"]
    return {**shown, "depot": depot, "delivery_method": METHODS.get(method, method.lower())}

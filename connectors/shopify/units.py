"""The delivery unit: what of an order is sent from one location, and what becomes of it here.

Shopify calls it a fulfilment order. Its own lines say what is left to send; those of the order do
not (``LineItem.fulfillableQuantity`` is deprecated, Admin schema 2026-07).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal
from zoneinfo import ZoneInfo

Json = Mapping[str, Any]
Fate = Literal["open", "withdrawn", "silent"]
METHODS = {"LOCAL": "local", "SHIPPING": "shipping"}
"""PICK_UP, PICKUP_POINT, RETAIL and NONE need no driver (DeliveryMethodType, schema 2026-07)."""
METHOD_KEY = "checkout-method"
"""Zapiet writes pickup, delivery or shipping (docs.zapiet.com/guides/note-attributes, 2026-11)."""
READY = frozenset({"OPEN", "IN_PROGRESS"})
"""ON_HOLD and SCHEDULED come back when they are released or due; INCOMPLETE means that what is
left went to another fulfilment order (FulfillmentOrderStatus, schema 2026-07)."""
GONE = frozenset({"CANCELLED", "ERROR", "FAILURE"})  # of a fulfilment: nothing left


@dataclass(frozen=True, slots=True)
class Terms:
    """What of an order is wanted, and where in it the day stands."""

    methods: frozenset[str] = frozenset(METHODS.values())
    location: str = ""
    only_tag: str = ""
    keeps_fulfilled: bool = False
    date_keys: tuple[str, ...] = ()
    time_keys: tuple[str, ...] = ()
    month_first: bool = False
    collects: bool = True
    points: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """One fulfilment order, the order it belongs to, and its place among that order's."""

    ref: str
    order: Json
    own: Json
    place: int
    zone: tzinfo

    @property
    def number(self) -> str:
        """#1001, and #1001-2 for the second: ids only grow, so a place stays."""
        return str(self.order["name"]) + (f"-{self.place}" if self.place > 1 else "")


def number_of(gid: str) -> str:
    """12 for gid://shopify/FulfillmentOrder/12?…"""
    return gid.rpartition("/")[2].partition("?")[0]


def gid(ref: str) -> str:
    return f"gid://shopify/FulfillmentOrder/{ref}"


def tracking_number(ref: str, attempt: int = 1) -> str:
    """By it a fulfilment is known as ours; Shopify has no key that makes a repeat harmless."""
    return f"LMH-{ref}" + (f"-{attempt}" if attempt > 1 else "")


def is_ours(fulfilment: Json, ref: str) -> bool:
    ours = tracking_number(ref)
    numbers = [str(info["number"] or "") for info in fulfilment["trackingInfo"]]
    return any(number == ours or number.startswith(f"{ours}-") for number in numbers)


def stands(fulfilment: Json) -> bool:
    return fulfilment["status"] not in GONE


def units_of(order: Json, zone: tzinfo) -> Iterator[Unit]:
    """The order's fulfilment orders, the oldest first."""
    nodes = sorted(order["fulfillmentOrders"]["nodes"], key=lambda own: int(number_of(own["id"])))
    for place, own in enumerate(nodes, 1):
        yield Unit(number_of(own["id"]), order, own, place, zone)


def fate(unit: Unit, terms: Terms) -> Fate:
    """What the hub is told of it: go there, do not go, or nothing, since we have it in hand."""
    order, own = unit.order, unit.own
    if order["cancelledAt"]:
        # An order is cancelled when this is set, whatever its fulfilment status says.
        return "withdrawn"
    sent = [one for one in own["fulfillments"]["nodes"] if stands(one)]
    if any(is_ours(one, unit.ref) for one in sent):
        return "silent"  # we said ourselves that it left
    if not _is_wanted(unit, terms):
        return "withdrawn"
    if own["status"] in READY and left(own):
        return "open"
    return "silent" if own["status"] in {*READY, "CLOSED"} and _kept(sent, terms) else "withdrawn"


def updated_at(unit: Unit) -> datetime:
    """A hold or a move changes the fulfilment order; whether the order as well, nobody says."""
    return max(moment(unit.order["updatedAt"]), moment(unit.own["updatedAt"]))


def is_redacted(unit: Unit) -> bool:
    """Whether everything that names a person or a door was left out, and the town was not.

    So do apps without access to protected customer data get orders
    (github.com/nozzlegear/ShopifySharp/issues/894, 2026-11).
    """
    own, order = unit.own["destination"] or {}, unit.order["shippingAddress"] or {}
    private = ("address1", "zip", "phone", "firstName", "lastName", "name", "email")
    there = any(place.get(field) for place in (own, order) for field in private)
    town = any(place.get(field) for place in (own, order) for field in ("city", "countryCode"))
    return town and not there and not unit.order["email"] and not unit.order["phone"]


def names_anybody(orders: Sequence[Json]) -> bool:
    """Whether any of them has an address for mail or a door, so that the app may see them."""
    places = [order[key] or {} for order in orders for key in ("shippingAddress", "billingAddress")]
    named = any(place["name"] or place["address1"] for place in places if place)
    return named or any(order["email"] for order in orders)


def _is_wanted(unit: Unit, terms: Terms) -> bool:
    own = unit.own
    picked_up = any(
        attribute["key"].casefold() == METHOD_KEY and (attribute["value"] or "").lower() == "pickup"
        for attribute in unit.order["customAttributes"]
    )
    location = own["assignedLocation"]["location"]
    here = not terms.location or (location and number_of(location["id"]) == terms.location)
    tags = {tag.casefold() for tag in unit.order["tags"]}
    tagged = not terms.only_tag or terms.only_tag.casefold() in tags
    return bool(METHODS.get(method_of(own)) in terms.methods and not picked_up and here and tagged)


def _kept(sent: Sequence[Json], terms: Terms) -> bool:
    return bool(sent) and terms.keeps_fulfilled


def is_driven(own: Json) -> bool:
    return own["status"] not in ("CANCELLED", "INCOMPLETE") and method_of(own) in METHODS


def left(own: Json) -> list[Json]:
    lines = own["lineItems"]["nodes"]
    return [line for line in lines if line["remainingQuantity"] > 0 and line["requiresShipping"]]


def method_of(own: Json) -> str:
    """Orders made by hand and old ones have none; they are shipped."""
    return str((own["deliveryMethod"] or {}).get("methodType") or "SHIPPING")


def zone_of(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ValueError, LookupError, OSError):
        return UTC


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)

"""What a shop at Shopify knows: orders, fulfilment orders, fulfilments, subscriptions.

Records are dicts in the schema's own words; what takes arguments is a function.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError

Json = dict[str, Any]
GONE = ("CANCELLED", "ERROR", "FAILURE")
FILTERS = {
    "orders": {"updated_at", "status", "delivery_method", "fulfillment_status"},
    "fulfillmentOrders": {"updated_at"},
}
METHODS = {"LOCAL": "local", "SHIPPING": "shipping", "PICK_UP": "pick-up"}


def text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(gid: str) -> int:
    return int(gid.rpartition("/")[2])


def page(records: list[Json], first: int | None, after: str | None, most: int = 250) -> Json:
    """One page of a list that is sorted by id."""
    if first is None or not 1 <= first <= 250:
        raise GraphQLError("you must provide one of first or last")
    start = 0
    if after:
        start = next((n + 1 for n, one in enumerate(records) if one["id"] == after), -1)
        if start < 0:
            raise GraphQLError("Invalid cursor for current pagination sort.")
    found = records[start : start + min(first, most)]
    more = start + len(found) < len(records)
    end = found[-1]["id"] if found else None
    return {"nodes": found, "pageInfo": {"hasNextPage": more, "endCursor": end}}


class State:
    def __init__(self, now: Callable[[], datetime], shop: str, page_size: int) -> None:
        self.now, self.shop, self.page_size = now, shop, page_size
        self.zone = "Europe/Helsinki"
        self.orders: dict[str, Json] = {}
        self.units: dict[str, Json] = {}
        self.fulfilments: dict[str, Json] = {}
        self.hooks: dict[str, Json] = {}
        self.locations = {"1": "Bakery", "2": "Shop in town"}
        self.writes: list[tuple[str, Json]] = []
        self.mailed: list[str] = []
        self.uninstalled = False
        self.hides_data = False
        self._ids = 1000
        self._sorted: dict[str, list[tuple[str, int, str]]] = {}

    def id(self, kind: str) -> str:
        self._ids += 1
        return f"gid://shopify/{kind}/{self._ids}"

    def place(self, **given: Any) -> Json:
        """A paid order for local delivery of two loaves, with one fulfilment order."""
        at = text(self.now())
        gid = self.id("Order")
        order: Json = {
            "id": gid, "name": f"#{len(self.orders) + 1001}", "createdAt": at, "updatedAt": at,
            "cancelledAt": None, "closedAt": None, "test": False, "note": None, "tags": [],
            "email": "ana@example.com", "phone": None, "customerLocale": "en",
            "displayFinancialStatus": "PAID", "customAttributes": [],
            "totalOutstandingSet": {"shopMoney": {"amount": "0.0", "currencyCode": "EUR"}},
            "billingAddress": {"name": "Ana Buyer", "company": None, "phone": None},
            "shippingAddress": address("Ana Ito"),
        }  # fmt: skip
        order |= {key: value for key, value in given.items() if key in order}
        order["fulfillmentOrders"] = lambda info, first=None, after=None, **_: page(
            self.units_of(gid), first, after
        )
        self.orders[gid] = order
        if given.get("units", True):
            rest = {k: v for k, v in given.items() if k not in order and k != "units"}
            self.unit(gid, **{"updatedAt": order["updatedAt"], **rest})
        self._sorted.clear()
        return order

    def unit(self, order_id: str, **given: Any) -> Json:
        order = self.orders[order_id]
        gid = self.id("FulfillmentOrder")
        method = given.pop("method", "LOCAL")
        place = given.pop("location", "1")
        lines = given.pop("lines", (("Sourdough", 2),))
        ship = order["shippingAddress"] or {}
        first, _, last = (ship.get("name") or "").partition(" ")
        unit: Json = {
            "id": gid, "status": "OPEN", "updatedAt": text(self.now()), "fulfillAt": None,
            "fulfillBy": None, "order": order, "orderId": order_id,
            "assignedLocation": {
                "name": self.locations[place],
                "location": {"id": f"gid://shopify/Location/{place}"},
            },
            "deliveryMethod": {
                "methodType": method, "minDeliveryDateTime": None, "maxDeliveryDateTime": None,
                "additionalInformation": {"instructions": None, "phone": None},
            },
            "destination": {
                "firstName": first or None, "lastName": last or None, "email": order["email"],
                "province": None, "countryCode": ship.get("countryCodeV2"),
                **{n: ship.get(n) for n in ("company", "address1", "address2", "city", "zip", "phone")},
            } if ship else None,
            "all": [],
            **given,
        }  # fmt: skip
        for title, quantity, *more in lines:
            extra = more[0] if more else {}
            line_id = self.id("LineItem")
            attributes = extra.pop("attributes", []) if isinstance(extra, dict) else []
            unit["all"].append(
                {
                    "id": self.id("FulfillmentOrderLineItem"),
                    "totalQuantity": quantity,
                    "remainingQuantity": quantity,
                    "sku": title[:3].upper(),
                    "productTitle": title,
                    "variantTitle": None,
                    "requiresShipping": True,
                    "weight": {"value": 0.8, "unit": "KILOGRAMS"},
                    "lineItem": {"id": line_id, "customAttributes": attributes},
                    **extra,
                }  # fmt: skip
            )
        unit["lineItems"] = lambda info, first=None, after=None, **_: page(
            unit["all"], first, after
        )
        unit["supportedActions"] = lambda info: [
            {"action": action, "externalUrl": None} for action in self._actions(unit)
        ]
        unit["fulfillments"] = lambda info, first=None, after=None, reverse=False, **_: page(
            sorted(
                (f for f in self.fulfilments.values() if gid in f["parts"]),
                key=lambda f: number(f["id"]),
                reverse=reverse,
            ),
            first,
            after,
        )
        self.units[gid] = unit
        order.setdefault("own", []).append(unit)
        self._sorted.clear()
        return unit

    def units_of(self, order_id: str) -> list[Json]:
        return self.orders[order_id].get("own", [])

    def touch(self, *records: Json) -> None:
        for record in records:
            record["updatedAt"] = text(self.now())
        self._sorted.clear()

    def listed(self, kind: str, first: Any, after: Any, query: Any, reverse: bool = False) -> Json:
        """A page of a list sorted by last change, from a cursor that names the last record."""
        records = self.orders if kind == "orders" else self.units
        keys = self._keys(kind, records)
        wanted, start = self._filter(kind, query or ""), 0
        if not isinstance(first, int) or not 1 <= first <= 250:
            raise GraphQLError("you must provide one of first or last")
        if after:
            try:
                last = json.loads(b64decode(after, validate=True))
            except ValueError:
                raise GraphQLError("Invalid cursor for current pagination sort.") from None
            start = bisect_right(keys, (last["last_value"], last["last_id"], "~"))
        if since := wanted.pop("since", None):
            start = max(start, bisect_left(keys, (since, 0, "")))
        rest = keys[start:] if not reverse else keys[start:][::-1]
        found: list[tuple[str, int, str]] = []
        more = False
        for key in rest:
            if all(fits(records[key[2]]) for fits in wanted.values()):
                if len(found) == min(first, self.page_size):
                    more = True
                    break
                found.append(key)
        end = None
        if found:
            where = {"last_id": found[-1][1], "last_value": found[-1][0]}
            end = b64encode(json.dumps(where).encode()).decode()
        nodes = [records[key[2]] for key in found]
        return {"nodes": nodes, "pageInfo": {"hasNextPage": more, "endCursor": end}}

    def fulfil(
        self, parts: Iterable[Json], tracking: Json | None = None, *, notify: bool = False
    ) -> Json | str:
        """A fulfilment, or why there can be none."""
        parts = list(parts)
        taken = []
        for part in parts:
            unit = self.units.get(part["fulfillmentOrderId"])
            if unit is None:
                return "Fulfillment order does not exist."
            if "CREATE_FULFILLMENT" not in self._actions(unit):
                return f"Fulfillment order {number(unit['id'])} has an unfulfillable status= {unit['status'].lower()}."
            lines = {line["id"]: line for line in unit["all"]}
            asked = part.get("fulfillmentOrderLineItems") or [
                {"id": id, "quantity": line["remainingQuantity"]}
                for id, line in lines.items()
                if line["remainingQuantity"]
            ]
            for one in asked:
                line = lines.get(one["id"])
                if line is None or not 0 < one["quantity"] <= line["remainingQuantity"]:
                    return "Invalid fulfillment order line item quantity requested."
                taken.append((unit, line, one["quantity"]))
        if len({unit["order"]["id"] for unit, *_ in taken}) != 1:
            return "All fulfillment orders must belong to the same order."
        info = {"company": None, "number": None, "url": None, **(tracking or {})}
        fulfilment: Json = {
            "id": self.id("Fulfillment"), "status": "SUCCESS", "createdAt": text(self.now()),
            "parts": {unit["id"] for unit, *_ in taken},
            "taken": [(line["productTitle"], quantity) for _, line, quantity in taken],
            "order": taken[0][0]["order"], "told": [], "info": info,
        }  # fmt: skip
        fulfilment["trackingInfo"] = lambda _, first=None: (
            [fulfilment["info"]] if any(fulfilment["info"].values()) else []
        )
        fulfilment["events"] = lambda _, first=None, after=None, reverse=False, **__: page(
            sorted(fulfilment["told"], key=lambda e: e["happenedAt"], reverse=reverse), first, after
        )
        self.fulfilments[fulfilment["id"]] = fulfilment
        for unit, line, quantity in taken:
            line["remainingQuantity"] -= quantity
            left = any(line["remainingQuantity"] for line in unit["all"])
            unit["status"] = "IN_PROGRESS" if left else "CLOSED"
            self.touch(unit, unit["order"])
        if notify:
            self.mailed.append(fulfilment["order"]["name"])
        return fulfilment

    def cancel(self, order: Json) -> None:
        order["cancelledAt"] = text(self.now())
        for unit in self.units_of(order["id"]):
            if unit["status"] != "CLOSED":
                unit["status"] = "CLOSED"
                for line in unit["all"]:
                    line["remainingQuantity"] = 0
            self.touch(unit)
        self.touch(order)

    def _actions(self, unit: Json) -> list[str]:
        left = any(line["remainingQuantity"] for line in unit["all"])
        ready = unit["status"] in ("OPEN", "IN_PROGRESS") and not unit["order"]["cancelledAt"]
        return ["CREATE_FULFILLMENT", "HOLD"] if ready and left else []

    def _keys(self, kind: str, records: dict[str, Json]) -> list[tuple[str, int, str]]:
        if kind not in self._sorted:
            self._sorted[kind] = sorted(
                (one["updatedAt"], number(gid), gid) for gid, one in records.items()
            )
        return self._sorted[kind]

    def _filter(self, kind: str, query: str) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        pattern = r"(-?\w+):(>=|<=|>|<)?(?:'([^']*)'|(\S+))"
        if re.sub(pattern, "", query).strip():
            raise GraphQLError(f"the fake cannot search for {query!r}")
        for name, compares, quoted, bare in re.findall(pattern, query):
            if name.lstrip("-") not in FILTERS[kind]:
                raise GraphQLError(f"{kind} cannot be searched by {name}")
            value = quoted or bare
            if name == "updated_at" and compares == ">=":
                datetime.strptime(quoted, "%Y-%m-%dT%H:%M:%SZ")  # bare, its colons would end it
                wanted["since"] = quoted
            elif (name, value) == ("status", "open"):
                wanted["status"] = lambda one: not one["cancelledAt"] and not one["closedAt"]
            elif (name, value) == ("-fulfillment_status", "fulfilled"):
                wanted["fulfilled"] = lambda one: any(u["status"] != "CLOSED" for u in one["own"])
            elif name == "delivery_method":
                wanted["method"] = lambda one, value=value: any(
                    METHODS.get(u["deliveryMethod"]["methodType"]) == value for u in one["own"]
                )
            else:
                raise GraphQLError(f"the fake cannot search for {name}:{value}")
        return wanted


def address(name: str) -> Json:
    return {
        "name": name, "company": None, "address1": "Hämeentie 5", "address2": "B 12",
        "city": "Helsinki", "provinceCode": None, "zip": "00530", "countryCodeV2": "FI",
        "phone": "+358401234567", "latitude": 60.18, "longitude": 24.95,
    }  # fmt: skip

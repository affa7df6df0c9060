"""Reading what changed, while it changes.

Two lists are read, orders and fulfilment orders: a hold, a move or a new date changes the second,
and whether the first as well nobody says. Both are sorted by their last change and paged by
Shopify's cursors, which name the last record and not its place in the list, so one that moves to
the end hides no other. A cursor of ours keeps Shopify's while a list is being read; from its end
on the time of the newest change, from which the next look starts a little earlier.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from connectors.shopify import queries
from connectors.shopify.answers import Throttled, TooDear, Unknown
from connectors.shopify.client import Client
from connectors.shopify.units import Unit, gid, units_of, zone_of
from hub import Unavailable

Json = dict[str, Any]
OVERLAP = timedelta(minutes=3)
"""``updated_at`` has seconds, and the search index lags behind the shop by a few of them."""
AT_ONCE = 32  # orders; less when Shopify finds that too dear
SIZES = {"units": 2, "lines": 8}  # of one order; the rest is fetched by itself
List = Literal["orders", "units"]


@dataclass(frozen=True, slots=True)
class Place:
    """How far reading is. ``orders`` and ``units`` are when the newest known change was."""

    full: bool = False  # all that is open, rather than what changed
    list: List = "orders"
    since: str = ""  # what is being read began with; a cursor is good for one search only
    after: str = ""
    orders: str = ""
    units: str = ""

    @classmethod
    def read(cls, cursor: str | None) -> Place:
        """Of a cursor that cannot be read, the start."""
        try:
            known = json.loads(cursor or "")
            return cls(**{name: known[name] for name in cls.__slots__ if name in known})
        except (ValueError, TypeError):
            return cls(full=True)

    def __str__(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value})


class Reader:
    def __init__(self, client: Client, search: str) -> None:
        """``search`` narrows the first reading down, in Shopify's search syntax."""
        self._client = client
        self._search = search
        self._first = AT_ONCE

    def walk(self, cursor: str | None) -> Iterator[tuple[list[Unit], str]]:
        """Some fulfilment orders, and the cursor from which the rest can be read; each only
        once for what it is now."""
        place = Place.read(cursor)
        if place.full and not place.after:
            place = self._start(place)
        elif not place.after:
            place = self._next_look(place)
        told: dict[str, tuple[str, str]] = {}
        while True:
            units, place, is_last = self._page(place)
            news = [unit for unit in units if told.get(unit.ref) != _state(unit)]
            told |= {unit.ref: _state(unit) for unit in news}
            if news or (is_last and place.orders):
                yield news, str(place)
            if is_last:
                return

    def one(self, ref: str) -> Unit | None:
        """``None`` when Shopify has it no more."""
        data = self._client.ask(queries.ONE, id=gid(ref), **SIZES)
        if not (found := data["fulfillmentOrder"]):
            return None
        order = self._completed(found["order"])
        units = units_of(order, zone_of(data["shop"]["ianaTimezone"]))
        return next((unit for unit in units if unit.ref == ref), None)

    def _start(self, place: Place) -> Place:
        """Everything open is read; what changes meanwhile is looked for from now on."""
        newest = self._client.ask(queries.NEWEST)
        orders, units = (
            next((node["updatedAt"] for node in newest[name]["nodes"]), "")
            for name in ("orders", "fulfillmentOrders")
        )
        return replace(place, list="orders", orders=orders, units=units or orders)

    def _next_look(self, place: Place) -> Place:
        which = place.list
        known = place.orders if which == "orders" else place.units
        return replace(place, since=_earlier(known) if known else "")

    def _page(self, place: Place) -> tuple[list[Unit], Place, bool]:
        """One answer of Shopify's; whether there is nothing more to read for now."""
        query = queries.ORDERS if place.list == "orders" else queries.UNITS
        try:
            data = self._as_much_as_it_gives(query, place)
        except Unknown:
            if not place.after:
                raise
            # It no longer knows its cursor: from the newest change that is stored.
            return [], self._next_look(replace(place, after="")), False
        found = data["orders" if place.list == "orders" else "fulfillmentOrders"]
        zone = zone_of(data["shop"]["ianaTimezone"])
        orders = found["nodes"]
        if place.list == "units":
            orders = list({node["order"]["id"]: node["order"] for node in orders}.values())
        units = [unit for order in orders for unit in units_of(self._completed(order), zone)]
        return units, *self._moved(place, found)

    def _moved(self, place: Place, found: Mapping[str, Any]) -> tuple[Place, bool]:
        """Where reading goes on after the page ``found``."""
        times = [node["updatedAt"] for node in found["nodes"]]
        if times and not place.full:
            newest = max(times[-1], place.orders if place.list == "orders" else place.units)
            place = (
                replace(place, orders=newest)
                if place.list == "orders"
                else replace(place, units=newest)
            )
        if found["pageInfo"]["hasNextPage"]:
            return replace(place, after=found["pageInfo"]["endCursor"]), False
        if place.full:  # all of an order came with it
            return Place(orders=place.orders, units=place.units), True
        if place.list == "orders" and place.units:
            return self._next_look(replace(place, list="units", after="")), False
        return Place(orders=place.orders, units=place.units), True

    def _as_much_as_it_gives(self, query: str, place: Place) -> Json:
        """Fewer orders at once where that is too dear, or dearer than what can be spent now."""
        while True:
            try:
                return self._client.ask(
                    query,
                    first=self._first,
                    after=place.after or None,
                    query=self._search if place.full else _since(place.since),
                    **SIZES,
                )
            except TooDear:
                if self._first == 1:
                    raise
                self._first = max(1, self._first // 2)
            except Throttled as busy:
                less = int(self._first * busy.share)
                if not less:
                    raise
                self._first = less

    def _completed(self, order: Json) -> Json:
        """With the fulfilment orders and the lines that did not fit in the answer."""
        units = order["fulfillmentOrders"]
        while units["pageInfo"]["hasNextPage"]:
            after = units["pageInfo"]["endCursor"]
            more = self._client.ask(queries.MORE_UNITS, id=order["id"], after=after, **SIZES)
            units = _joined(units, more["order"], "fulfillmentOrders")
        nodes = [self._with_all_lines(own) for own in units["nodes"]]
        return {**order, "fulfillmentOrders": {**units, "nodes": nodes}}

    def _with_all_lines(self, own: Json) -> Json:
        lines = own["lineItems"]
        while lines["pageInfo"]["hasNextPage"]:
            after = lines["pageInfo"]["endCursor"]
            more = self._client.ask(queries.MORE_LINES, id=own["id"], after=after)
            lines = _joined(lines, more["fulfillmentOrder"], "lineItems")
        return {**own, "lineItems": lines}


def _joined(so_far: Json, more: Json | None, name: str) -> Json:
    if more is None:
        raise Unavailable("An order was taken away while it was read.")
    return {**more[name], "nodes": [*so_far["nodes"], *more[name]["nodes"]]}


def _state(unit: Unit) -> tuple[str, str]:
    return unit.order["updatedAt"], unit.own["updatedAt"]


def _since(moment: str) -> str | None:
    """Times need quotes, or their colons would end them (orders.query, schema 2026-07)."""
    return f"updated_at:>='{moment}'" if moment else None


def _earlier(moment: str) -> str:
    earlier = datetime.fromisoformat(moment).astimezone(UTC) - OVERLAP
    return earlier.strftime("%Y-%m-%dT%H:%M:%SZ")

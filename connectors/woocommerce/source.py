"""WooCommerce: orders of a store come in, and it hears how they fared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta, timezone, tzinfo
from functools import cached_property
from zoneinfo import ZoneInfo

from connectors.woocommerce import approval, checking, webhooks
from connectors.woocommerce.answers import Fault, Json, meaning
from connectors.woocommerce.catalogue import Catalogue
from connectors.woocommerce.client import Client
from connectors.woocommerce.mapping import RESTING, Terms, asks_for_a_time, is_done, to_order
from connectors.woocommerce.progress import SILENT, notes_for, stage_of, status_for
from connectors.woocommerce.reading import Place, walk
from connectors.woocommerce.settings import WAYS, WooCommerceSettings, words
from connectors.woocommerce.told import Told
from hub import (
    AcceptsWebhooks,
    ConfigError,
    HandsOverKeys,
    IncomingOrder,
    Option,
    OrderPage,
    OrderProgress,
    OrderSource,
    Refused,
    RetryLater,
    WebhookRequest,
    WritesBack,
)

OPTIONAL = (
    "more_statuses",
    "status_dispatched",
    "status_on_the_way",
    "status_delivered",
    "status_partial",
    "status_failed",
)


class WooCommerce(OrderSource, WritesBack, AcceptsWebhooks, HandsOverKeys):
    key = "woocommerce"
    title = "WooCommerce"
    Settings = WooCommerceSettings
    takes_late_proof = True
    ways = WAYS
    reads = (
        "Orders in the statuses you choose, with names, addresses, phones, the customer's note and"
        " the weights of the products."
    )
    writes = (
        "The status of the order where you choose one, order notes, and the tracking link in fields"
        " of the order. Prices, products and addresses are never touched."
    )
    settings: WooCommerceSettings

    def check(self) -> None:
        checking.check(self._client, writes=self.settings.write_back)

    def identity(self) -> str:
        """The store's host and path: with or without TLS and www it is the same one."""
        host = str(self.settings.url.host or "").lower().removeprefix("www.")
        return f"{host}{(self.settings.url.path or '').rstrip('/')}"

    def choices(self) -> Mapping[str, Sequence[Option]]:
        try:
            found = [Option(str(row["slug"]), str(row["name"])) for row in self._client.statuses()]
        except Fault as fault:
            if fault.status != 404:
                raise meaning(fault, self._client.host) from None
            found = [Option(slug, slug) for slug in ("processing", *RESTING[:-1])]
        usable = [one for one in found if one.value not in ("auto-draft", "checkout-draft")]
        taken = self.settings.statuses
        several = [Option(taken, taken)] if len(words(taken)) > 1 else []  # set by a program
        return {"statuses": [*several, *usable], **dict.fromkeys(OPTIONAL, usable)}

    def pages(self, cursor: str | None) -> Iterator[OrderPage]:
        """What is open first, then whatever changes, also for the worse."""
        start = Place.read(cursor)
        for rows, place in walk(self._client.orders, start, self._statuses(full=start.full)):
            yield self._page(rows, str(place))

    def one(self, ref: str) -> IncomingOrder | None:
        row = self._client.order(ref)
        return None if row is None else to_order(row, self._terms([row]))

    def write_back(self, update: OrderProgress) -> None:
        """Notes first, each looked for before it is written; then one change of the order, which
        carries the mark that this report is through."""
        if not self.settings.write_back or update.stage in SILENT:
            return
        row = self._client.order(update.order_ref)
        if row is None:
            raise Refused(f"Order {update.order_number} is no longer at {self._client.host}.")
        told = Told.read(row)
        if told.has(update.key, update.at) or row["status"] == "trash":
            return
        self._write_notes(update)
        status, setting = status_for(update, self.settings)
        if row["status"] not in (*self.settings.taken, told.status):
            status = ""  # people in the store moved it on: what they say stays
        stage = stage_of(update)
        fields = told.fields(update.key, update.at, stage, status, update.tracking_url)
        change = {"meta_data": fields, **({"status": status} if status else {})}
        self._client.change(update.order_ref, change, setting)

    def subscribe(self, url: str) -> str:
        return webhooks.subscribe(self._client, url, self.tools.webhook_secret)

    def unsubscribe(self) -> None:
        webhooks.unsubscribe(self._client, self.tools.webhook_secret)

    def verify(self, request: WebhookRequest) -> str | None:
        return webhooks.call_id(request, self.tools.webhook_secret)

    def approve_url(self, state: str, redirect: str, callback: str) -> str:
        checking.check_store(self._client)
        return approval.approve_url(self._client.url, state, redirect, callback)

    def keys(self, request: WebhookRequest) -> Mapping[str, str]:
        return approval.handed_over(request)

    def left_there(self) -> str:
        host = self._client.host
        return f"The hub's key still opens {host}. Delete it there under {checking.WHERE}."

    def _statuses(self, *, full: bool) -> Sequence[str]:
        """To ask for: all that can be on the road, and later what takes an order off it."""
        mine = self.settings
        moving = [mine.status_dispatched, mine.status_on_the_way]
        asked = (*mine.taken, *moving) if full else (*mine.taken, *mine.written, *RESTING)
        return list(dict.fromkeys(slug for slug in asked if slug))

    def _page(self, rows: Sequence[Json], cursor: str) -> OrderPage:
        terms = self._terms(rows)
        news = [row for row in rows if not is_done(row, terms)]
        return OrderPage.read(
            news, lambda row: to_order(row, terms), ref="id", cursor=cursor, number="number"
        )

    def _terms(self, rows: Sequence[Json]) -> Terms:
        mine = self.settings
        terms = Terms(
            taken=frozenset(mine.taken),
            date_keys=words(mine.date_keys),
            time_keys=words(mine.time_keys),
            extra_keys=words(mine.extra_keys),
            month_first=mine.date_order == "month_first",
            goods=self._catalogue.of(rows),
        )
        wants_zone = any(asks_for_a_time(row, terms) for row in rows)
        return replace(terms, zone=self._zone) if wants_zone else terms

    def _write_notes(self, update: OrderProgress) -> None:
        notes = list(notes_for(update, self.settings))
        there = self._client.notes(update.order_ref) if notes else ()
        for note in notes:
            if not note.stands_in(there):
                self._client.add_note(update.order_ref, note.text, to_customer=note.to_customer)

    @cached_property
    def _client(self) -> Client:
        mine = self.settings
        keys = mine.consumer_key.get_secret_value(), mine.consumer_secret.get_secret_value()
        url = str(mine.url).split("?")[0].rstrip("/").removesuffix("/wp-json")
        return Client(self.tools, url, keys, mine.query_string_auth)

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue(self._client, self.settings.weight_unit)

    @cached_property
    def _zone(self) -> tzinfo | None:
        """``None``: the store does not say; then each order shows how far its clocks were ahead."""
        if self.settings.time_zone:
            return ZoneInfo(self.settings.time_zone)
        try:
            said = self._client.index()
            name, hours = said.get("timezone_string"), said.get("gmt_offset")
            return ZoneInfo(str(name)) if name else timezone(timedelta(hours=float(hours or 0)))
        except (Fault, ConfigError, RetryLater, LookupError, ValueError, TypeError, OSError):
            return None

"""What a WooCommerce store keeps, and the calls that changes of it set off."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import md5
from hmac import digest
from typing import Any, Literal
from zoneinfo import ZoneInfo

import requests

from tests.fakes.woocommerce_schemas import answered, sample

KEY, SECRET = f"ck_{'4f' * 20}", f"cs_{'9e' * 20}"
CORE = {
    "pending": "Pending payment",
    "processing": "Processing",
    "on-hold": "On hold",
    "completed": "Completed",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
    "failed": "Failed",
}
Mood = Literal["well", "locked", "busy", "down", "babbling", "half", "hanging up"]


@dataclass(frozen=True)
class Call:
    """A webhook's call as it leaves the store."""

    webhook_id: int
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class State:
    """``page_size``: the most orders it gives at once, as some hosts make it."""

    page_size: int = 100
    secret: str = SECRET
    key: str = KEY
    zone: str = "Australia/Sydney"
    now: datetime = datetime(2024, 3, 4, 6, 0, tzinfo=UTC)
    permissions: str = "read_write"
    custom: dict[str, str] = field(default_factory=dict)  # statuses that plugins add
    weight_unit: str = "kg"
    woocommerce: bool = True
    pretty_links: bool = True
    behind_https: bool = False  # something before it speaks https: on a port it hears http
    drops_authorization: bool = False
    hides_index: bool = False
    hides_settings: bool = False
    old: bool = False  # before there was a list of statuses
    moved_to: str = ""
    slow_s: float = 0
    mood: Mood = "well"
    post: Callable[..., Any] = requests.post

    def __post_init__(self) -> None:
        self.orders: dict[int, dict[str, Any]] = {}
        self.order_notes: dict[int, list[dict[str, Any]]] = {}
        self.products: dict[int, dict[str, Any]] = {}
        self.variations: dict[int, dict[int, dict[str, Any]]] = {}
        self.webhooks: dict[int, dict[str, Any]] = {}
        self.mistakes: list[str] = []
        self.asked: list[str] = []  # "GET orders?…", keys left out
        self.mails: list[str] = []  # to customers
        self.cut_off: set[str] = set()  # "POST notes": it is done, and the answer is lost
        self._due: dict[tuple[int, int], None] = {}
        self._pings: list[Call] = []
        self._nonces: set[str] = set()
        self._refs: dict[str, int] = {}
        self._last_id = 10
        self.product(weight="4.2", number=10)

    def calls(self) -> list[Call]:
        """Those due now, with the orders as they are now: changes meanwhile went into one."""
        due, self._due = self._due, {}
        pings, self._pings = self._pings, []
        return pings + [self._call(self.webhooks[hook], order) for hook, order in due]

    def got(self, call: Call, status: int) -> None:
        """What a call was answered. After more than five failures in a row it stops for good."""
        hook = self.webhooks[call.webhook_id]
        hook["failures"] = 0 if status < 300 or status in (301, 302) else hook["failures"] + 1
        if hook["failures"] > 5:
            hook["status"] = "disabled"

    def _ring(self, topic: str, number: int) -> None:
        for hook in self.webhooks.values():
            if hook["topic"] == topic and hook["status"] == "active":
                self._due[hook["id"], number] = None

    def _call(self, hook: Mapping[str, Any], number: int) -> Call:
        gone = hook["topic"] == "order.deleted"
        document = {"id": number} if gone else self.orders[number]
        body = json.dumps(document, separators=(",", ":")).encode()
        resource, event = hook["topic"].split(".")
        second = f"{hook['id']}{self.now:%Y%m%d%H%M%S}".encode()
        headers = {
            "content-type": "application/json",
            "x-wc-webhook-source": "https://shop.test/",
            "x-wc-webhook-topic": hook["topic"],
            "x-wc-webhook-resource": resource,
            "x-wc-webhook-event": event,
            "x-wc-webhook-signature": b64encode(
                digest(hook["secret"].encode(), body, "sha256")
            ).decode(),
            "x-wc-webhook-id": str(hook["id"]),
            "x-wc-webhook-delivery-id": md5(second).hexdigest(),
        }
        return Call(hook["id"], hook["delivery_url"], headers, body)

    def _note(self, number: int, text: str, *, to_customer: bool) -> Any:
        """It changes no order, and rings no webhook."""
        note = {**sample("sample-order-notes.json")[0], "id": self._next_id()}
        note |= {"note": text, "customer_note": to_customer}
        self._dated(note, "date_created", self.now)
        answered("notes", note)
        self.order_notes.setdefault(number, []).append(note)
        if to_customer:
            self.mails.append(f"{number}: {text}")
        return note

    def _alter(self, row: dict[str, Any], fields: Mapping[str, Any], at: datetime) -> None:
        for name, value in fields.items():
            if name in ("billing", "shipping"):
                row[name] = {**row[name], **value}
            elif name == "meta_data":
                row[name] = self._meta(row[name], value)
            else:
                row[name] = value
        self._dated(row, "date_modified", at)
        changed = {name: row[name] for name in (*fields, "date_modified_gmt")}
        answered("order", changed, tuple(self.custom))  # the rest was so before

    def _meta(self, there: list[Any], new: list[Any]) -> list[Any]:
        """One that is written again under its name is replaced in its place."""
        found = [dict(meta) for meta in there]
        for meta in new:
            same = next((one for one in found if one["key"] == meta["key"]), None)
            if same:
                same["value"] = meta["value"]
            else:
                found.append({"id": self._next_id(), **meta})
        return found

    def _dated(self, row: dict[str, Any], name: str, at: datetime) -> None:
        for suffix, zone in (("", ZoneInfo(self.zone)), ("_gmt", UTC)):
            row[name + suffix] = f"{at.astimezone(zone):%Y-%m-%dT%H:%M:%S}"

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

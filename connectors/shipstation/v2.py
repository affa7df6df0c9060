"""ShipStation's V2 interface: an API key, shipments, signed webhooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from connectors.shipstation import mapping_v2 as mapping
from connectors.shipstation.client import (
    V2_URL,
    Batch,
    Caller,
    Gone,
    Hook,
    Record,
    Shipped,
    without_people,
)
from hub import IncomingOrder, Option, Refused, Tools

PAGE = 100
SECRET_HEADER = "X-Hub-Secret"  # noqa: S105  (its name)
_MILLISECOND = timedelta(milliseconds=1)


class V2:
    open_statuses: ClassVar[Sequence[str]] = ("pending",)
    # Names as in the webhooks guide and captures of 2026-09; the official enum lacks them.
    events: ClassVar[Sequence[str]] = (
        "shipment_created_v2",
        "label_created_v2",
        "fulfillment_shipped_v2",
        "fulfillment_canceled_v2",
    )

    def __init__(self, key: str, tools: Tools, order: Callable[[Record], IncomingOrder]) -> None:
        self.order = order
        self._now = tools.now
        self._secret = tools.webhook_secret
        self._api = Caller(tools, V2_URL, "V2", "v2_key", headers={"API-Key": key})
        self._tags: list[str] | None = None  # None: not asked yet

    def prove(self) -> None:
        self._api.listed("GET", ["tags"], "tags")

    def newest(self) -> datetime | None:
        query = {"sort_by": "modified_at", "sort_dir": "desc", "page": 1, "page_size": 1}
        _, rows = self._api.listed("GET", ["shipments"], "shipments", params=query)
        return self.changed_at(rows[0]) if rows else None

    def start(self, since: datetime) -> str:
        """Just before ``since``: whether a shipment modified then is meant is not documented."""
        before = (since - _MILLISECOND).astimezone(UTC)
        return before.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def changed_at(self, record: Record) -> datetime:
        return mapping.changed_at(record)

    def changed(self, start: str, page: int, status: str, store: str) -> Batch:
        query: dict[str, Any] = {
            "modified_at_start": start,
            "sort_by": "modified_at",
            "sort_dir": "asc",
            "page": page,
            "page_size": PAGE,
        }
        if status:
            query["shipment_status"] = status
        if store:
            query["store_id"] = store
        reply, rows = self._api.listed("GET", ["shipments"], "shipments", params=query)
        # links.next.href is not followed: our own address and a page number lead to the same
        # place and cannot lead elsewhere.
        return Batch(rows, more=bool(rows) and page < int(reply.get("pages") or 0))

    def ref(self, record: Record) -> str:
        return str(record.get("shipment_id", "?"))

    def number(self, record: Record) -> str:
        return str(record.get("shipment_number") or "")

    def one(self, ref: str) -> Record | None:
        try:
            reply = self._api.call("GET", ["shipments", ref])
        except Gone:
            return None
        return reply if isinstance(reply, dict) else None

    def held_until(self, record: Record) -> datetime | None:
        until = mapping.held_until(record)
        return until if until and until > self._now() else None

    def is_open(self, record: Record) -> bool:
        return record.get("shipment_status") in ("pending", "processing")

    def is_shipped(self, record: Record) -> bool:
        return record.get("shipment_status") == "label_purchased"

    def tags_of(self, record: Record) -> Sequence[str]:
        return mapping.tags_of(record)

    def stores(self) -> Sequence[Option]:
        """Those that the latest shipments came from: V2 has no list of stores."""
        query = {"sort_by": "modified_at", "sort_dir": "desc", "page": 1, "page_size": PAGE}
        _, rows = self._api.listed("GET", ["shipments"], "shipments", params=query)
        refs = dict.fromkeys(str(row["store_id"]) for row in rows if row.get("store_id"))
        return [Option(ref, f"Store {ref.removeprefix('se-')}") for ref in refs]

    def tags(self) -> Sequence[str]:
        if self._tags is None:
            _, rows = self._api.listed("GET", ["tags"], "tags")
            self._tags = [str(row.get("name", "")) for row in rows]
        return self._tags

    def missing_tags(self, wanted: Sequence[str]) -> Sequence[str]:
        """None: what is missing is created when it is first needed."""
        return ()

    def add_tag(self, ref: str, tag: str) -> None:
        if tag not in self.tags():
            self._api.call("POST", ["tags", tag])
            self._tags = [*self.tags(), tag]
        self._api.call("POST", ["shipments", ref, "tags", tag])

    def remove_tag(self, ref: str, tag: str) -> None:
        try:
            self._api.call("DELETE", ["shipments", ref, "tags", tag])
        except Gone:
            return  # somebody took it off

    def fulfilled(self, ref: str) -> bool:
        _, rows = self._api.listed(
            "GET", ["fulfillments"], "fulfillments", params={"shipment_id": ref}
        )
        return any(not row.get("voided") for row in rows if row.get("shipment_id") == ref)

    def mark_shipped(self, shipped: Shipped) -> None:
        """Raises ``Refused`` also for a 200 that carries an error: this call half succeeds."""
        one = {
            "shipment_id": shipped.ref,
            "tracking_number": shipped.tracking,
            "carrier_code": shipped.carrier,
            "ship_date": shipped.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "notify_customer": shipped.tell_customer,
            "notify_order_source": shipped.tell_store,
        }
        reply, rows = self._api.listed(
            "POST", ["fulfillments"], "fulfillments", json={"fulfillments": [one]}
        )
        done = any(
            row.get("shipment_id") == shipped.ref and row.get("fulfillment_id") for row in rows
        )
        if not done:
            raise Refused(
                f"ShipStation did not mark {shipped.tracking} as shipped: {_said(reply, rows)}"
            )

    def note(self, record: Record, line: str) -> None:
        """Nothing: V2's OpenAPI file (2025-08) has no call that changes a shipment."""

    def hook_url(self, url: str) -> str:
        return url

    def hooks(self) -> Sequence[Hook]:
        _, rows = self._api.listed("GET", ["environment", "webhooks"], "")
        return [
            Hook(
                str(row.get("webhook_id")),
                str(row.get("event")),
                str(row.get("url")),
                ours=self._carries_secret(row),
            )
            for row in rows
        ]

    def hook(self, event: str, url: str) -> None:
        body = {"name": "Last Mile Hub", "event": event, "url": url, "headers": self._headers()}
        self._api.call("POST", ["environment", "webhooks"], json=body)

    def mend_hook(self, hook: Hook, url: str) -> None:
        body = {"url": url, "headers": self._headers()}
        self._api.call("PUT", ["environment", "webhooks", hook.id], json=body)

    def unhook(self, hook: Hook) -> None:
        try:
            self._api.call("DELETE", ["environment", "webhooks", hook.id])
        except Gone:
            return

    def _headers(self) -> list[dict[str, str]]:
        return [{"key": SECRET_HEADER, "value": self._secret}]

    def _carries_secret(self, row: Mapping[str, Any]) -> bool:
        return bool(self._secret) and any(
            header.get("key", "").lower() == SECRET_HEADER.lower()
            and header.get("value") == self._secret
            for header in row.get("headers") or ()
        )


def _said(reply: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """The words of a partial failure. Where they stand is not documented, so all are taken."""
    found: list[str] = []
    for part in (reply, *rows):
        errors = part.get("errors") or ()
        texts = [part.get("error_message"), part.get("error"), part.get("message")]
        texts += [e.get("message") for e in errors if isinstance(e, dict)]
        found += [str(words) for words in texts if words]
    return without_people("; ".join(dict.fromkeys(found))) or "no reason given"

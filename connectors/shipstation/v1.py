"""ShipStation's V1 interface: a key with its secret, orders, Pacific time, 40 calls a minute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

from connectors.shipstation import mapping_v1 as mapping
from connectors.shipstation.client import V1_URL, Batch, Caller, Gone, Hook, Record, Shipped
from connectors.shipstation.mapping import PACIFIC, text
from hub import ConfigError, IncomingOrder, Option, Tools

PAGE = 500  # the most there is (V1 OpenAPI, List Orders)
SECRET_QUERY = "key"  # noqa: S105  (its name)
_SECOND = timedelta(seconds=1)
_STILL_HELD = timedelta(days=2)  # so long after its day a hold is asked about again
_NOT_SENT_BACK = frozenset(
    "orderId createDate modifyDate orderTotal userId shipments labelMessages holdUntilDate"
    " externallyFulfilled externallyFulfilledBy".split()
)
Map = Callable[[Record, Mapping[int, str]], IncomingOrder]


class V1:
    # Two lists at first: what is on hold must be known to come when its hold ends.
    open_statuses: ClassVar[Sequence[str]] = ("awaiting_shipment", "on_hold")
    events: ClassVar[Sequence[str]] = ("ORDER_NOTIFY", "SHIP_NOTIFY")

    def __init__(self, key: str, secret: str, tools: Tools, to_order: Map) -> None:
        self._now = tools.now
        self._secret = tools.webhook_secret
        self._to_order = to_order
        self._api = Caller(tools, V1_URL, "V1", "v1_secret", auth=(key, secret))
        self._names: dict[int, str] | None = None  # None: not asked yet

    def prove(self) -> None:
        self._api.listed("GET", ["stores"], "", params={"showInactive": "false"})

    def order(self, record: Record) -> IncomingOrder:
        return self._to_order(record, self._tag_names() if record.get("tagIds") else {})

    def newest(self) -> datetime | None:
        query = {"sortBy": "ModifyDate", "sortDir": "DESC", "page": 1, "pageSize": 1}
        _, rows = self._api.listed("GET", ["orders"], "orders", params=query)
        return self.changed_at(rows[0]) if rows else None

    def start(self, since: datetime) -> str:
        """The second before ``since``: "modified after the specified date" (List Orders)."""
        return mapping.wall(since - _SECOND)

    def changed_at(self, record: Record) -> datetime:
        return mapping.moment(record["modifyDate"], self._now())

    def changed(self, start: str, page: int, status: str, store: str) -> Batch:
        query: dict[str, Any] = {
            "modifyDateStart": start,
            "sortBy": "ModifyDate",
            "sortDir": "ASC",
            "page": page,
            "pageSize": PAGE,
        }
        if status:
            query["orderStatus"] = status
        if store:
            query["storeId"] = store.removeprefix("se-")
        reply, rows = self._api.listed("GET", ["orders"], "orders", params=query)
        return Batch(rows, more=bool(rows) and page < int(reply.get("pages") or 0))

    def ref(self, record: Record) -> str:
        return mapping.ref_of(record) if record.get("orderId") else "?"

    def number(self, record: Record) -> str:
        return str(record.get("orderNumber") or "")

    def one(self, ref: str) -> Record | None:
        try:
            reply = self._api.call("GET", ["orders", _number(ref)])
        except Gone:
            return None
        return reply if isinstance(reply, dict) else None

    def held_until(self, record: Record) -> datetime | None:
        until = mapping.held_until(record)
        return until if until and until > self._now() - _STILL_HELD else None

    def is_open(self, record: Record) -> bool:
        return record.get("orderStatus") in ("awaiting_shipment", "awaiting_payment", "on_hold")

    def is_shipped(self, record: Record) -> bool:
        return record.get("orderStatus") == "shipped"

    def tags_of(self, record: Record) -> Sequence[str]:
        return mapping.tags_of(record, self._tag_names())

    def stores(self) -> Sequence[Option]:
        _, rows = self._api.listed("GET", ["stores"], "", params={"showInactive": "false"})
        return [
            Option(f"se-{row['storeId']}", text(row.get("storeName")) or f"Store {row['storeId']}")
            for row in rows
            if row.get("storeId")
        ]

    def tags(self) -> Sequence[str]:
        return list(self._tag_names().values())

    def missing_tags(self, wanted: Sequence[str]) -> Sequence[str]:
        """V1 has no call that creates a tag."""
        return [tag for tag in wanted if tag not in self.tags()]

    def add_tag(self, ref: str, tag: str) -> None:
        self._tag("addtag", ref, self._tag_id(tag))

    def remove_tag(self, ref: str, tag: str) -> None:
        self._tag("removetag", ref, self._tag_id(tag))

    def fulfilled(self, ref: str) -> bool:
        # "Orders that have been marked as shipped either through the UI or the API will appear"
        # (V1 OpenAPI, List Fulfillments with parameters).
        number = _number(ref)
        _, rows = self._api.listed(
            "GET", ["fulfillments"], "fulfillments", params={"orderId": number}
        )
        return any(not row.get("voided") for row in rows if str(row.get("orderId")) == number)

    def mark_shipped(self, shipped: Shipped) -> None:
        body = {
            "orderId": int(_number(shipped.ref)),
            "carrierCode": shipped.carrier,
            "shipDate": shipped.at.astimezone(PACIFIC).date().isoformat(),
            "trackingNumber": shipped.tracking,
            "notifyCustomer": shipped.tell_customer,
            "notifySalesChannel": shipped.tell_store,
        }
        self._api.call("POST", ["orders", "markasshipped"], json=body)

    def note(self, record: Record, line: str) -> None:
        """Send the order back with one more line of notes.

        All of it: what is left out is cleared (createorder with an orderKey updates the order),
        so a null may be left out.
        """
        notes = text(record.get("internalNotes"))
        line = f"{mapping.NOTED} {line}"
        open_now = record.get("orderStatus") == "awaiting_shipment"
        if line in notes.splitlines() or not open_now or not record.get("orderKey"):
            return
        body = _without_nulls({n: v for n, v in record.items() if n not in _NOT_SENT_BACK})
        body["internalNotes"] = f"{notes}\n{line}".strip()
        self._api.call("POST", ["orders", "createorder"], json=body)

    def hook_url(self, url: str) -> str:
        """V1 signs nothing: a secret of the connection's own is part of the address."""
        joint = "&" if urlsplit(url).query else "?"
        return f"{url}{joint}{urlencode({SECRET_QUERY: self._secret})}"

    def hooks(self) -> Sequence[Hook]:
        # Names begin with capitals here and nowhere else (V1 OpenAPI, List Webhooks).
        _, rows = self._api.listed("GET", ["webhooks"], "webhooks")
        return [
            Hook(
                str(row.get("WebHookID")),
                str(row.get("HookType")),
                str(row.get("Url")),
                ours=self._secret
                in parse_qs(urlsplit(str(row.get("Url"))).query).get(SECRET_QUERY, []),
                works=bool(row.get("Active", True)),
            )
            for row in rows
        ]

    def hook(self, event: str, url: str) -> None:
        body = {"target_url": url, "event": event, "friendly_name": "Last Mile Hub"}
        self._api.call("POST", ["webhooks", "subscribe"], json=body)

    def mend_hook(self, hook: Hook, url: str) -> None:
        self.unhook(hook)
        self.hook(hook.event, url)

    def unhook(self, hook: Hook) -> None:
        try:
            self._api.call("DELETE", ["webhooks", hook.id])
        except Gone:
            return

    def _tag(self, what: str, ref: str, tag_id: int) -> None:
        body = {"orderId": int(_number(ref)), "tagId": tag_id}
        self._api.call("POST", ["orders", what], json=body)

    def _tag_id(self, tag: str) -> int:
        for tag_id, name in self._tag_names().items():
            if name == tag:
                return tag_id
        raise ConfigError(
            f"ShipStation has no tag “{tag}”, and its V1 interface cannot create one. Create the"
            " tag in ShipStation, or name another in this connection's settings.",
            field="way",
        )

    def _tag_names(self) -> Mapping[int, str]:
        if self._names is None:
            _, rows = self._api.listed("GET", ["accounts", "listtags"], "")
            self._names = {int(row["tagId"]): text(row.get("name")) for row in rows}
        return self._names


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _number(ref: str) -> str:
    """V1's id of an order: se-123 is 123. Raises ``Gone`` for one that V2 alone can name."""
    number = ref.removeprefix("se-")
    if not number.isascii() or not number.isdigit():
        raise Gone("ShipStation's V1 interface does not know this order; connect by V2.")
    return number

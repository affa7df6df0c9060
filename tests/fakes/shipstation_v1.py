"""The pages of ShipStation's V1 interface: wall-clock times of the Pacific coast throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, jsonify, request

from tests.fakes.shipstation_rows import Row

if TYPE_CHECKING:
    from tests.fakes.shipstation import FakeShipStation

_LOCKED = ("shipped", "cancelled")
# Told only in prose (descriptions of the operations in V1's OpenAPI file).
_REQUIRED = {
    "markasshipped": {"orderId", "carrierCode"},
    "addtag": {"orderId", "tagId"},
    "removetag": {"orderId", "tagId"},
    "createorder": {"orderNumber", "orderDate", "orderStatus", "billTo", "shipTo"},
    "subscribe": {"target_url", "event"},
}
_EVENTS = "ORDER_NOTIFY ITEM_ORDER_NOTIFY SHIP_NOTIFY ITEM_SHIP_NOTIFY".split()


def _wrong(why: str, status: int = 400) -> tuple[Any, int]:
    return jsonify(Message="The request is invalid.", ExceptionMessage=why), status


class V1Pages:
    def __init__(self, account: FakeShipStation) -> None:
        self.account = account

    def add_to(self, app: Flask) -> None:
        for method, path, view in (
            ("GET", "orders", self.orders),
            ("GET", "orders/<int:order_id>", self.order),
            ("POST", "orders/addtag", self.tag),
            ("POST", "orders/removetag", self.untag),
            ("POST", "orders/markasshipped", self.fulfil),
            ("POST", "orders/createorder", self.update),
            ("GET", "fulfillments", self.fulfillments),
            ("GET", "accounts/listtags", self.tags),
            ("GET", "stores", self.stores),
            ("GET", "webhooks", self.hooks),
            ("POST", "webhooks/subscribe", self.hook),
            ("DELETE", "webhooks/<int:hook_id>", self.unhook),
        ):
            app.add_url_rule(f"/{path}", f"v1 {method} {path}", view, methods=[method])

    def orders(self) -> Any:
        asked = request.args
        rows = list(self.account.rows.values())
        if status := asked.get("orderStatus"):
            rows = [row for row in rows if row.status == status]
        if store := asked.get("storeId"):
            rows = [row for row in rows if str(row.store) == store]
        if start := asked.get("modifyDateStart"):  # "modified after the specified date"
            rows = [row for row in rows if row.wall > start.replace(" ", "T") + ".0000000"]
        by_change = asked.get("sortBy") == "ModifyDate"
        rows.sort(key=lambda row: (row.wall, row.id) if by_change else ("", row.id))
        if asked.get("sortDir") == "DESC":
            rows.reverse()
        page, size = int(asked.get("page", 1)), int(asked.get("pageSize", 100))
        size = min(size, 500, self.account.page_size)
        shown = rows[(page - 1) * size : page * size]
        return jsonify(
            orders=[row.v1(self.account.tags) for row in shown],
            total=len(rows),
            page=page,
            pages=-(-len(rows) // size),
        )

    def order(self, order_id: int) -> Any:
        row = self.account.rows.get(order_id)
        return jsonify(row.v1(self.account.tags)) if row else _wrong("no such order", 404)

    def tag(self) -> Any:
        return self._tagged(lambda row, tag: tag in row.tags or row.tags.append(tag))

    def untag(self) -> Any:
        return self._tagged(lambda row, tag: tag in row.tags and row.tags.remove(tag))

    def _tagged(self, change: Any) -> Any:
        if why := _lacks(request.path):
            return _wrong(why)
        body = request.get_json()
        row = self.account.rows.get(body["orderId"])
        tag = next((n for n, i in self.account.tags.items() if i == body["tagId"]), None)
        if row is None or tag is None:
            return _wrong("no such order or tag", 404)
        change(row, tag)
        self.account.change(row)
        return jsonify(success=True, message="Done.")

    def fulfil(self) -> Any:
        body = request.get_json()
        row = self.account.rows.get(body.get("orderId"))
        if why := _lacks(request.path):
            return _wrong(why)
        if row is None:
            return _wrong("no such order", 404)
        if row.status in _LOCKED:
            return _wrong("The order is locked.")
        self.account.fulfil(
            row, body.get("trackingNumber", ""), body["carrierCode"], body.get("shipDate", "")
        )
        return jsonify(orderId=row.id, orderNumber=row.number)

    def update(self) -> Any:
        """createorder with the key of an order there is: what is left out is cleared."""
        if why := _lacks(request.path):
            return _wrong(why)
        body = request.get_json()
        row = next(
            (r for r in self.account.rows.values() if body.get("orderKey") == f"key-{r.id}"), None
        )
        if row is None or row.status in _LOCKED:
            return _wrong("The order is locked.")
        names = {tag_id: tag for tag, tag_id in self.account.tags.items()}
        row.tags = [names[tag_id] for tag_id in body.get("tagIds") or ()]
        row.internal_notes = body.get("internalNotes") or ""
        row.notes = body.get("customerNotes") or ""
        row.email = body.get("customerEmail") or ""
        row.name = body["shipTo"]["name"]
        row.street = body["shipTo"].get("street1") or ""
        row.paid = body.get("amountPaid") or 0
        row.items = row.items if body.get("items") else []
        self.account.change(row)
        return jsonify(row.v1(self.account.tags))

    def fulfillments(self) -> Any:
        order_id = request.args.get("orderId")
        found = [f for f in self.account.fulfillments if order_id in (None, str(f["row"].id))]
        shown = [
            {
                "fulfillmentId": one["id"],
                "orderId": one["row"].id,
                "orderNumber": one["row"].number,
                "trackingNumber": one["tracking"],
                "carrierCode": one["carrier"],
                "createDate": one["row"].wall,
                "voided": one["voided"],
            }
            for one in found
        ]
        return jsonify(fulfillments=shown, total=len(found), page=1, pages=0)

    def tags(self) -> Any:
        shown = [
            {"tagId": tag_id, "name": tag, "color": "#ff0000"}
            for tag, tag_id in self.account.tags.items()
        ]
        return jsonify(shown)

    def stores(self) -> Any:
        shown = [
            {"storeId": store, "storeName": name, "active": True}
            for store, name in self.account.stores.items()
        ]
        return jsonify(shown)

    def hooks(self) -> Any:
        shown = [
            {
                "WebHookID": hook["id"],
                "HookType": hook["event"],
                "Url": hook["url"],
                "Active": hook["active"],
                "Name": "",
            }
            for hook in self.account.hooks
            if hook["event"] in _EVENTS
        ]
        return jsonify(webhooks=shown)

    def hook(self) -> Any:
        if why := _lacks(request.path):
            return _wrong(why)
        body = request.get_json()
        if body["event"] not in _EVENTS:
            return _wrong("no such event")
        hook = {
            "id": 7000 + len(self.account.asked),
            "event": body["event"],
            "url": body["target_url"],
            "headers": [],
            "active": True,
        }
        self.account.hooks.append(hook)
        return jsonify(id=hook["id"])

    def unhook(self, hook_id: int) -> Any:
        kept = [hook for hook in self.account.hooks if hook["id"] != hook_id]
        if len(kept) == len(self.account.hooks):
            return _wrong("no such webhook", 404)
        self.account.hooks[:] = kept
        return "", 200


def _lacks(path: str) -> str:
    missing = _REQUIRED[path.rpartition("/")[2]] - set(request.get_json())
    return f"missing: {sorted(missing)}" if missing else ""


__all__ = ["Row", "V1Pages"]

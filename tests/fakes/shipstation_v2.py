"""The pages of ShipStation's V2 interface."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flask import Flask, jsonify, request

from tests.fakes.shipstation_rows import Row, zulu

if TYPE_CHECKING:
    from tests.fakes.shipstation import FakeShipStation

_TYPES = {"unauthorized": "security", "subscription_inactive": "account_status"}


def problem(code: str, message: str, status: int) -> tuple[Any, int]:
    error = {
        "error_source": "ShipStation",
        "error_type": _TYPES.get(code, "business_rules"),
        "error_code": code,
        "message": message,
    }
    return jsonify(request_id=str(uuid4()), errors=[error]), status


def _missing() -> tuple[Any, int]:
    return problem("invalid_identifier", "It was not found.", 404)


class V2Pages:
    def __init__(self, account: FakeShipStation) -> None:
        self.account = account

    def add_to(self, app: Flask) -> None:
        for method, path, view in (
            ("GET", "shipments", self.shipments),
            ("GET", "shipments/<ref>", self.shipment),
            ("POST", "shipments/<ref>/tags/<path:tag>", self.tag),
            ("DELETE", "shipments/<ref>/tags/<path:tag>", self.untag),
            ("GET", "tags", self.tags),
            ("POST", "tags/<path:tag>", self.create_tag),
            ("GET", "fulfillments", self.fulfillments),
            ("POST", "fulfillments", self.fulfil),
            ("GET", "environment/webhooks", self.hooks),
            ("POST", "environment/webhooks", self.hook),
            ("PUT", "environment/webhooks/<hook_id>", self.mend_hook),
            ("DELETE", "environment/webhooks/<hook_id>", self.unhook),
        ):
            name = f"v2 {method} {path}"
            app.add_url_rule(f"/v2/{path}", name, view, methods=[method])

    def shipments(self) -> Any:
        asked = request.args
        rows = [row for row in self.account.rows.values() if row.status != "awaiting_payment"]
        if status := asked.get("shipment_status"):
            rows = [row for row in rows if row.v2()["shipment_status"] == status]
        if store := asked.get("store_id"):
            rows = [row for row in rows if f"se-{row.store}" == store]
        if start := asked.get("modified_at_start"):
            since = datetime.fromisoformat(start)
            rows = [row for row in rows if row.changed >= since]
        by_change = asked.get("sort_by") == "modified_at"
        rows.sort(key=lambda row: (row.changed, row.id) if by_change else row.id)
        if asked.get("sort_dir", "desc") == "desc":
            rows.reverse()
        page, size = int(asked.get("page", 1)), int(asked.get("page_size", 25))
        size = min(size, self.account.page_size)
        shown = rows[(page - 1) * size : page * size]
        pages = max(1, -(-len(rows) // size))
        link = {"href": f"{request.base_url}?page={page}"}
        more = {"href": f"{request.base_url}?page={page + 1}"} if page < pages else {}
        return jsonify(
            shipments=[row.v2() for row in shown],
            total=len(rows),
            page=page,
            pages=pages,
            links={"first": link, "last": link, "prev": {}, "next": more},
        )

    def shipment(self, ref: str) -> Any:
        row = self._row(ref)
        return jsonify(row.v2()) if row else _missing()

    def tag(self, ref: str, tag: str) -> Any:
        row = self._row(ref)
        if row is None or tag not in self.account.tags:
            return _missing()
        if tag not in row.tags:
            row.tags.append(tag)
        self.account.change(row)
        return jsonify(shipment_id=ref, tag={"name": tag})

    def untag(self, ref: str, tag: str) -> Any:
        row = self._row(ref)
        if row is None or tag not in row.tags:
            return _missing()
        row.tags.remove(tag)
        self.account.change(row)
        return "", 204

    def tags(self) -> Any:
        return jsonify(tags=[{"name": tag} for tag in self.account.tags])

    def create_tag(self, tag: str) -> Any:
        self.account.tag_id(tag)
        return jsonify(name=tag)

    def fulfillments(self) -> Any:
        ref = request.args.get("shipment_id")
        found = [f for f in self.account.fulfillments if ref in (None, f["row"].ref)]
        link = {"href": f"{request.base_url}?page=1"}
        return jsonify(
            fulfillments=[_fulfillment(one) for one in found],
            total=len(found),
            page=1,
            pages=1,
            links={"first": link, "last": link, "prev": {}, "next": {}},
        )

    def fulfil(self) -> Any:
        if not self.account.email_verified:
            return problem("verification_failure", "Verify your account e-mail.", 403)
        done, wrong = [], False
        for one in request.get_json()["fulfillments"]:
            row = self._row(one["shipment_id"])
            why = self.account.refuse_fulfillment
            if row is None or row.status in ("shipped", "cancelled"):
                why = "The shipment cannot be fulfilled."
            if why:
                wrong = True
                done.append({"shipment_id": one["shipment_id"], "error_message": why})
                continue
            done.append(
                _fulfillment(
                    self.account.fulfil(
                        row, one["tracking_number"], one["carrier_code"], one["ship_date"]
                    )
                    | {"tell_store": one["notify_order_source"]}
                )
            )
        return jsonify(has_errors=wrong, fulfillments=done)

    def hooks(self) -> Any:
        return jsonify([_hook(one) for one in self.account.hooks if one["event"].endswith("_v2")])

    def hook(self) -> Any:
        body = request.get_json()
        if any((h["event"], h["url"]) == (body["event"], body["url"]) for h in self.account.hooks):
            return problem("webhook_event_type_conflict", "There is one.", 409)
        hook = {
            "id": 7000 + len(self.account.asked),
            "event": body["event"],
            "url": body["url"],
            "headers": body.get("headers", []),
            "active": True,
        }
        self.account.hooks.append(hook)
        return jsonify(_hook(hook))

    def mend_hook(self, hook_id: str) -> Any:
        for hook in self.account.hooks:
            if f"se-{hook['id']}" == hook_id:
                hook.update(request.get_json())
                return "", 204
        return _missing()

    def unhook(self, hook_id: str) -> Any:
        kept = [hook for hook in self.account.hooks if f"se-{hook['id']}" != hook_id]
        if len(kept) == len(self.account.hooks):
            return _missing()
        self.account.hooks[:] = kept
        return "", 204

    def _row(self, ref: str) -> Row | None:
        return self.account.rows.get(int(ref.removeprefix("se-")))


def _hook(hook: dict[str, Any]) -> dict[str, Any]:
    shown = {name: hook[name] for name in ("event", "url", "headers")}
    return {"webhook_id": f"se-{hook['id']}", **shown}


def _fulfillment(done: dict[str, Any]) -> dict[str, Any]:
    row = done["row"]
    return {
        "fulfillment_id": done["fulfillment_id"],
        "shipment_id": row.ref,
        "shipment_number": row.number,
        "tracking_number": done["tracking"],
        "created_at": zulu(row.changed),
        "ship_date": done["ship_date"],
        "voided": done["voided"],
        "order_source_notified": done.get("tell_store", False),
    }

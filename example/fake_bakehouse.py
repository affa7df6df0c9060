"""Bakehouse as it behaves from outside: enough of it to prove that the plugin is right."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from flask import Flask, request


class FakeBakehouse:
    page_size = 4
    secret = "tok-5ecret"  # noqa: S105

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.news: dict[str, dict[str, Any]] = {}  # by key: the same news again is no news
        self.webhook: dict[str, str] = {}
        self.mood = "well"
        self.asked = 0
        self.app = Flask("bakehouse")
        self.app.add_url_rule("/orders", view_func=self._list)
        self.app.add_url_rule("/orders/<ref>/news", view_func=self._tell, methods=["POST"])
        self.app.add_url_rule("/webhook", view_func=self._hook, methods=["POST"])

    def put(
        self, ref: str, changed: datetime, *, name: str = "Ana", cancelled: bool = False
    ) -> None:
        self.rows[ref] = {
            "id": ref,
            "name": f"#{ref}",
            "changed": changed.isoformat(),
            "to": name,
            "cancelled": cancelled,
            "street": "1 High St",
            "town": "Perth",
            "post": "6000",
            "lines": [{"what": "Sourdough", "qty": 2}],
        }

    def spoil(self, ref: str, changed: datetime) -> None:
        self.put(ref, changed)
        del self.rows[ref]["street"]

    def ref_of(self, ref: str) -> str:
        return ref

    def be(self, mood: str) -> None:
        self.mood = mood

    def place(self) -> tuple[str, str]:
        """One more order; its ref and its number."""
        ref = f"B{len(self.rows) + 1}"
        self.put(ref, datetime(2024, 3, 4, 6, tzinfo=UTC))
        return ref, self.rows[ref]["name"]

    def news_of(self, ref: str) -> list[dict[str, Any]]:
        return [one for one in self.news.values() if one["ref"] == ref]

    def call(self, number: str) -> tuple[dict[str, str], bytes]:
        """Headers and body of a webhook."""
        body = json.dumps({"call": number}).encode()
        digest = hmac.digest(self.webhook["secret"].encode(), body, hashlib.sha256)
        signed = base64.b64encode(digest).decode()
        return {"X-Shop-Signature": signed, "X-Shop-Call": number}, body

    def _list(self) -> Any:
        if (problem := self._refusal()) is not None:
            return problem
        self.asked += 1
        if ref := request.args.get("id"):
            return {"orders": [self.rows[ref]] if ref in self.rows else [], "more": False}
        since = request.args.get("changed_since", "")
        skip = int(request.args.get("skip", 0))
        rows = sorted(
            (row for row in self.rows.values() if row["changed"] >= since),
            key=lambda row: (row["changed"], row["id"]),
        )
        page = rows[skip : skip + self.page_size]
        return {"orders": page, "more": skip + self.page_size < len(rows)}

    def _tell(self, ref: str) -> Any:
        if (problem := self._refusal()) is not None:
            return problem
        if ref not in self.rows:
            return {"error": "no such order"}, 404
        told = request.get_json()
        self.news[told["key"]] = {"ref": ref, **told}
        return {}

    def _hook(self) -> Any:
        if (problem := self._refusal()) is not None:
            return problem
        self.webhook = request.get_json()
        return {}

    def _refusal(self) -> Any:
        if self.mood == "locked" or request.headers.get("X-Token") != self.secret:
            return {"error": "no"}, 401
        if self.mood == "busy":
            return {"error": "slow"}, 429, {"Retry-After": "7"}
        if self.mood == "down":
            return "oops", 503
        if self.mood == "babbling":
            return "<html>Maintenance</html>"
        return None

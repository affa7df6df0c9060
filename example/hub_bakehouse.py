"""Orders from Bakehouse, a (made-up) shop system with a small JSON API, and news back to it."""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, HttpUrl, SecretStr

from hub import (
    AcceptsWebhooks,
    Address,
    BadSignature,
    Contact,
    IncomingOrder,
    Line,
    OrderPage,
    OrderProgress,
    OrderSource,
    Refused,
    Role,
    WebhookRequest,
    WritesBack,
    hookimpl,
)


class BakehouseSettings(BaseModel):
    url: HttpUrl = Field(title="Shop address", description="As in https://shop.example")
    token: SecretStr = Field(title="API token", description="Bakehouse → Settings → API")


class Bakehouse(OrderSource, WritesBack, AcceptsWebhooks):
    key = "bakehouse"
    title = "Bakehouse"
    Settings = BakehouseSettings

    def check(self) -> None:
        self._get("orders", {"limit": 1})

    def identity(self) -> str:
        return self.settings.url.host or ""

    def pages(self, cursor: str | None) -> Iterator[OrderPage]:
        since, skip, more = cursor or "", 0, True
        while more:
            reply = self._get("orders", {"changed_since": since, "skip": skip})
            orders, more = reply["orders"], reply["more"]
            if orders:
                newest = orders[-1]["changed"]
                yield OrderPage.read(orders, to_order, ref="id", cursor=newest)
                # Skip only within one instant: a list that shifts hides orders.
                since, skip = newest, (skip + len(orders) if newest == since else 0)

    def one(self, ref: str) -> IncomingOrder | None:
        found = self._get("orders", {"id": ref})["orders"]
        return to_order(found[0]) if found else None

    def write_back(self, update: OrderProgress) -> None:
        news = {"stage": update.stage, "outcome": update.outcome, "link": update.tracking_url}
        try:
            self._post(f"orders/{update.order_ref}/news", {"key": update.key, **news})
        except Refused:
            raise Refused(f"Bakehouse has order {update.order_number} no more.") from None

    def subscribe(self, url: str) -> str:
        self._post("webhook", {"url": url, "secret": self.tools.webhook_secret})
        return ""

    def unsubscribe(self) -> None:
        self._post("webhook", {"url": ""})

    def verify(self, request: WebhookRequest) -> str | None:
        secret = self.tools.webhook_secret.encode()
        right = base64.b64encode(hmac.digest(secret, request.body, hashlib.sha256))
        signed = request.headers.get("x-shop-signature", "").encode()
        if not secret or not hmac.compare_digest(right, signed):
            raise BadSignature("This call is not from Bakehouse.")
        return request.headers.get("x-shop-call", "") or None

    def _get(self, path: str, query: Mapping[str, Any]) -> Any:
        return self.tools.http.get_json(self._url(path), params=query, headers=self._headers())

    def _post(self, path: str, body: Mapping[str, Any]) -> None:
        self.tools.http.post_json(self._url(path), body, headers=self._headers())

    def _url(self, path: str) -> str:
        return f"{self.settings.url}{path}"

    def _headers(self) -> dict[str, str]:
        return {"X-Token": self.settings.token.get_secret_value()}


def to_order(bake: Mapping[str, Any]) -> IncomingOrder:
    return IncomingOrder(
        ref=bake["id"],
        number=bake["name"],
        updated_at=datetime.fromisoformat(bake["changed"]),
        status="cancelled" if bake["cancelled"] else "open",
        contacts=(Contact(Role.RECIPIENT, bake["to"], phone=bake.get("phone", "")),),
        address=Address((bake["street"],), bake["town"], postcode=bake["post"], country="AU"),
        lines=tuple(Line(line["what"], line["qty"]) for line in bake["lines"]),
    )


@hookimpl
def hub_order_sources() -> list[type[OrderSource]]:
    return [Bakehouse]

"""The roots of the Admin API over a shop's state: what can be asked, and what can be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.fakes.shopify_state import GONE, Json, State, page, text

FIELDS = {"id", "updated_at"}


def problem(*texts: str) -> list[Json]:
    return [{"field": None, "message": one} for one in texts]


class Api:
    """``execute(root_value=…)``: each root field is a method of its name."""

    def __init__(self, state: State, granted: list[str], approved: bool) -> None:
        self._state, self._granted, self._approved = state, granted, approved

    def shop(self, info: Any) -> Json:
        state = self._state
        return {
            "name": "Husk", "myshopifyDomain": state.shop, "ianaTimezone": state.zone,
        }  # fmt: skip

    def currentAppInstallation(self, info: Any) -> Json:
        return {"accessScopes": [{"handle": scope} for scope in self._granted]}

    def locations(self, info: Any, first: int, after: str | None = None, **_: Any) -> Json:
        there = self._state.locations.items()
        rows = [{"id": f"gid://shopify/Location/{id}", "name": name} for id, name in there]
        return page(rows, first, after)

    def orders(
        self, info: Any, first: int, sortKey: str, after: Any = None, query: Any = None,
        reverse: bool = False,
    ) -> Json:  # fmt: skip
        assert sortKey == "UPDATED_AT"
        return self._state.listed("orders", first, after, query, reverse)

    def fulfillmentOrders(
        self, info: Any, first: int, sortKey: str, includeClosed: bool, after: Any = None,
        query: Any = None, reverse: bool = False,
    ) -> Json:  # fmt: skip
        assert sortKey == "UPDATED_AT"
        assert includeClosed
        return self._state.listed("fulfillmentOrders", first, after, query, reverse)

    def order(self, info: Any, id: str) -> Json | None:
        return self._state.orders.get(id)

    def fulfillmentOrder(self, info: Any, id: str) -> Json | None:
        return self._state.units.get(id)

    def webhookSubscriptions(self, info: Any, first: int, after: Any = None, **_: Any) -> Json:
        return page(list(self._state.hooks.values()), first, after)

    def fulfillmentCreate(self, info: Any, fulfillment: Json, message: str | None = None) -> Json:
        tracking = fulfillment.get("trackingInfo") or {}
        if "url" in tracking and "number" not in tracking:
            return {"fulfillment": None, "userErrors": problem("a url needs a number")}
        made = self._state.fulfil(
            fulfillment["lineItemsByFulfillmentOrder"],
            tracking,
            notify=bool(fulfillment.get("notifyCustomer")),
        )
        if isinstance(made, str):
            return {"fulfillment": None, "userErrors": problem(made)}
        self._wrote("fulfillmentCreate", fulfillment)
        return {"fulfillment": made, "userErrors": []}

    def fulfillmentTrackingInfoUpdate(
        self, info: Any, fulfillmentId: str, trackingInfoInput: Json, notifyCustomer: bool = False
    ) -> Json:
        there = self._state.fulfilments.get(fulfillmentId)
        if there is None:
            return {"fulfillment": None, "userErrors": problem("Fulfillment does not exist.")}
        there["info"] = {"company": None, "number": None, "url": None, **trackingInfoInput}
        self._state.touch(there["order"])
        self._wrote("fulfillmentTrackingInfoUpdate", trackingInfoInput)
        return {"fulfillment": there, "userErrors": []}

    def fulfillmentEventCreate(self, info: Any, fulfillmentEvent: Json) -> Json:
        there = self._state.fulfilments.get(fulfillmentEvent["fulfillmentId"])
        if there is None or there["status"] in GONE:
            return {"fulfillmentEvent": None, "userErrors": problem("Fulfillment is gone.")}
        happened = fulfillmentEvent.get("happenedAt") or text(self._state.now())
        datetime.fromisoformat(happened)
        event = {**fulfillmentEvent, "id": self._state.id("FulfillmentEvent")}
        event |= {"happenedAt": happened, "createdAt": text(self._state.now())}
        there["told"].append(event)
        self._state.touch(there["order"])
        self._wrote("fulfillmentEventCreate", fulfillmentEvent)
        return {"fulfillmentEvent": event, "userErrors": []}

    def tagsAdd(self, info: Any, id: str, tags: list[str]) -> Json:
        order = self._state.orders[id]
        order["tags"] = sorted({*order["tags"], *tags})
        self._state.touch(order)
        self._wrote("tagsAdd", {"tags": tags})
        return {"userErrors": []}

    def tagsRemove(self, info: Any, id: str, tags: list[str]) -> Json:
        order = self._state.orders[id]
        order["tags"] = [tag for tag in order["tags"] if tag not in tags]
        return {"userErrors": []}

    def webhookSubscriptionCreate(self, info: Any, topic: str, webhookSubscription: Json) -> Json:
        uri = webhookSubscription.get("uri") or ""
        said = ""
        if not self._approved and topic.startswith("ORDERS"):
            said = (
                "This app is not approved to subscribe to webhook topics containing"
                " protected customer data."
            )
        elif not uri.startswith("https://"):
            said = "Address protocol http:// is not supported"
        elif any((h["topic"], h["uri"]) == (topic, uri) for h in self._state.hooks.values()):
            said = "Address for this topic has already been taken"
        elif not set(webhookSubscription.get("includeFields") or ()) <= FIELDS:
            said = "Include fields are not valid"
        if said:
            return {"webhookSubscription": None, "userErrors": problem(said)}
        hook = {"name": None, **webhookSubscription, "id": self._state.id("WebhookSubscription")}
        hook["topic"] = topic
        self._state.hooks[hook["id"]] = hook
        self._wrote("webhookSubscriptionCreate", hook)
        return {"webhookSubscription": hook, "userErrors": []}

    def webhookSubscriptionDelete(self, info: Any, id: str) -> Json:
        gone = self._state.hooks.pop(id, None)
        self._wrote("webhookSubscriptionDelete", {"id": id})
        return {"userErrors": [] if gone else problem("Webhook subscription does not exist")}

    def appUninstall(self, info: Any) -> Json:
        self._state.uninstalled = True
        self._state.hooks.clear()
        return {"userErrors": []}

    def _wrote(self, name: str, what: Json) -> None:
        self._state.writes.append((name, dict(what)))

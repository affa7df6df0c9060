"""Telling Shopify, one thing after the other, each looked for before it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.shopify import progress, queries
from connectors.shopify.answers import refuse_user_errors
from connectors.shopify.client import Client
from connectors.shopify.units import gid
from hub import OrderProgress, Refused, Stage

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Teller:
    client: Client
    company: str
    fulfil_at: Stage
    notify: bool
    tags: bool

    def tell(self, update: OrderProgress) -> None:
        """Safe to repeat, also when it was cut off in its middle."""
        unit = self.client.ask(queries.PROGRESS, id=gid(update.order_ref))["fulfillmentOrder"]
        if unit is None:
            raise Refused(f"Order {update.order_number} is no longer at {self.client.shop}.")
        if unit["order"]["cancelledAt"]:
            return  # the shop called it off: it knows, and its customer was told
        if fulfilment := self._fulfilment(unit, update):
            self._add_event(fulfilment, update)
        if self.tags and (change := progress.tags(update, unit["order"]["tags"])):
            self._tag(unit["order"]["id"], *change)

    def _fulfilment(self, unit: Json, update: OrderProgress) -> Json | None:
        """What events belong to; made if it is time. ``None``: nothing left yet."""
        if there := progress.ours(unit, update):
            return self._tracked(there, update)
        due = progress.should_fulfil(update, self.fulfil_at)
        if due and progress.can_fulfil(unit):
            return self._fulfil(unit, update)
        if there := progress.adopted(unit, update):
            return self._tracked(there, update)
        if due:
            raise progress.why_not(unit, update)
        return None

    def _fulfil(self, unit: Json, update: OrderProgress) -> Json:
        is_part = update.stage == "closed" and update.outcome == "partial"
        is_part = is_part and bool(update.lines)  # without lines nobody says which
        lines = progress.handed_over(update, self._lines(unit["id"])) if is_part else []
        if is_part and not lines:
            raise Refused(
                f"Nothing of what was delivered of order {update.order_number} is left to fulfil"
                " in Shopify. Mark there what was."
            )
        wanted = progress.fulfilment_input(
            update, unit["id"], lines, self.company, notify=self.notify
        )
        made = self.client.ask(queries.FULFIL, fulfillment=wanted)["fulfillmentCreate"]
        refuse_user_errors(made, f"fulfil order {update.order_number}")
        return {"id": made["fulfillment"]["id"], "trackingInfo": [], "events": {"nodes": []}}

    def _lines(self, unit_id: str) -> Iterator[Json]:
        """Those that are left, as the hub was told of them."""
        after: str | None = None
        while True:
            found = self.client.ask(queries.MORE_LINES, id=unit_id, after=after)
            lines = found["fulfillmentOrder"]["lineItems"]
            for line in lines["nodes"]:
                if line["remainingQuantity"] > 0 and line["requiresShipping"]:
                    yield line
            if not lines["pageInfo"]["hasNextPage"]:
                return
            after = lines["pageInfo"]["endCursor"]

    def _tracked(self, fulfilment: Json, update: OrderProgress) -> Json:
        if update.stage != "cancelled" and progress.wants_tracking(fulfilment, update):
            info = progress.tracking_input(update, self.company)
            told = self.client.ask(queries.TRACKING, id=fulfilment["id"], info=info)
            what = f"take the tracking link of order {update.order_number}"
            refuse_user_errors(told["fulfillmentTrackingInfoUpdate"], what)
        return fulfilment

    def _add_event(self, fulfilment: Json, update: OrderProgress) -> None:
        event = progress.event_input(update, fulfilment["id"])
        if event is None or progress.is_told(fulfilment, event):
            return
        told = self.client.ask(queries.EVENT, event=event)["fulfillmentEventCreate"]
        refuse_user_errors(told, f"take the news of order {update.order_number}")

    def _tag(self, order_id: str, old: list[str], new: list[str]) -> None:
        told = self.client.ask(queries.TAGS, id=order_id, old=old, new=new)
        for payload in told.values():
            refuse_user_errors(payload, "tag the order")

"""What Shopify is told of a delivery, and what of it is there already.

A fulfilment says that goods left, its events how they fare. Neither has a key that makes a repeat
harmless: ours is known by its tracking number, an event by its status and moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.shopify.mapping import OUR_TAG, line_title
from connectors.shopify.units import is_ours, stands, tracking_number
from hub import OrderProgress, Refused, Stage

Json = Mapping[str, Any]
STAGES: tuple[Stage, ...] = ("dispatched", "on_the_way", "closed")
TOLD = frozenset({*STAGES, "cancelled"})
STATUS = {"dispatched": "CONFIRMED", "on_the_way": "OUT_FOR_DELIVERY", "cancelled": "FAILURE"}
ENDED = {
    "succeeded": "DELIVERED",
    "partial": "DELIVERED",
    "failed": "ATTEMPTED_DELIVERY",
    "skipped": "DELAYED",  # nobody was at the door
    "cancelled": "FAILURE",
}
"""FulfillmentEventStatus has no word for what came back (schema 2026-07)."""
OUTCOMES = tuple(ENDED)
LONGEST = 250
WHY_NOT = {
    "ON_HOLD": "is on hold in Shopify. Release it there, then send this again.",
    "SCHEDULED": "is scheduled for later in Shopify. Make it ready there, then send this again.",
}


def ours(unit: Json, update: OrderProgress) -> Json | None:
    """The fulfilment of this attempt, if it is there."""
    number = tracking_number(update.order_ref, update.attempt)
    return next((one for one in _standing(unit) if _tracking(one).get("number") == number), None)


def adopted(unit: Json, update: OrderProgress) -> Json | None:
    """Of an earlier attempt, else one that somebody made in Shopify; the newest."""
    there = _standing(unit)
    mine = [one for one in there if is_ours(one, update.order_ref)]
    if update.stage == "cancelled":  # what others sent is not ours to call off
        return next(iter(mine), None)
    return next(iter(mine or there), None)


def can_fulfil(unit: Json) -> bool:
    return any(one["action"] == "CREATE_FULFILLMENT" for one in unit["supportedActions"])


def should_fulfil(update: OrderProgress, fulfil_at: Stage) -> bool:
    """Goods that came back were not fulfilled, unless that was said when they left."""
    if update.stage == "closed":
        return update.outcome in ("succeeded", "partial")
    return update.stage in STAGES and STAGES.index(update.stage) >= STAGES.index(fulfil_at)


def why_not(unit: Json, update: OrderProgress) -> Refused:
    said = WHY_NOT.get(unit["status"], "has nothing left to fulfil in Shopify.")
    return Refused(f"Order {update.order_number} {said}")


def fulfilment_input(
    update: OrderProgress, unit_id: str, lines: Sequence[Json], company: str, *, notify: bool
) -> dict[str, Any]:
    """FulfillmentInput for all that is left, or for what of ``lines`` was handed over."""
    part: dict[str, Any] = {"fulfillmentOrderId": unit_id}
    if lines:
        part["fulfillmentOrderLineItems"] = list(lines)
    return {
        "lineItemsByFulfillmentOrder": [part],
        "notifyCustomer": notify,
        "trackingInfo": tracking_input(update, company),
    }


def tracking_input(update: OrderProgress, company: str) -> dict[str, str]:
    """``url`` needs ``number`` beside it (FulfillmentTrackingInput, schema 2026-07)."""
    number = tracking_number(update.order_ref, update.attempt)
    link = {"url": update.tracking_url} if update.tracking_url else {}
    return {"company": company, "number": number, **link}


def wants_tracking(fulfilment: Json, update: OrderProgress) -> bool:
    """Whether it has no tracking at all, or ours with a link that is no longer good. Another
    carrier's stays."""
    there = _tracking(fulfilment)
    if not (there.get("number") or there.get("url")):
        return True
    theirs = not is_ours(fulfilment, update.order_ref)
    return not theirs and bool(update.tracking_url) and there.get("url") != update.tracking_url


def handed_over(update: OrderProgress, lines: Iterable[Json]) -> list[dict[str, Any]]:
    """FulfillmentOrderLineItemInput for each line of which something was delivered.

    ``lines``: those of the fulfilment order that the hub's own were made of, in their order.
    """
    there = list(lines)
    found: dict[str, int] = {}
    for delivered in update.lines:
        known = delivered.title
        same = [line for line in there if not known or line_title(line) == known]
        if delivered.n < len(there) and there[delivered.n] in same:
            same = [there[delivered.n]]
        elif not known:
            same = []
        for line in same[:1]:
            left = line["remainingQuantity"] - found.get(line["id"], 0)
            if (quantity := min(delivered.delivered, left)) > 0:
                found[line["id"]] = found.get(line["id"], 0) + quantity
    return [{"id": id, "quantity": quantity} for id, quantity in found.items()]


def event_input(update: OrderProgress, fulfilment_id: str) -> dict[str, Any] | None:
    """FulfillmentEventInput; ``None`` for an outcome there is no word for."""
    status = ENDED.get(update.outcome) if update.stage == "closed" else STATUS.get(update.stage)
    if status is None:
        return None
    event: dict[str, Any] = {
        "fulfillmentId": fulfilment_id,
        "status": status,
        "happenedAt": _text(update.at),
    }
    if message := _message(update):
        event["message"] = message
    if update.eta and update.stage in ("dispatched", "on_the_way"):
        event["estimatedDeliveryAt"] = _text(update.eta)
    if update.point and update.stage == "closed":
        event |= {"latitude": update.point.lat, "longitude": update.point.lon}
    return event


def is_told(fulfilment: Json, event: Json) -> bool:
    """Or what it leads to: nothing is on its way after it arrived."""
    at, ends = datetime.fromisoformat(event["happenedAt"]), set(ENDED.values())
    there = [
        (one["status"], datetime.fromisoformat(one["happenedAt"]))
        for one in fulfilment["events"]["nodes"]
    ]
    is_over = event["status"] not in ends and any(
        status in ends and ended_at > at for status, ended_at in there
    )
    return is_over or (event["status"], at) in there


def tags(update: OrderProgress, there: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Tags to take away and to add; ``None`` when they are right."""
    if update.stage != "closed" or update.outcome not in OUTCOMES:
        return None
    new = OUR_TAG + update.outcome
    old = [OUR_TAG + outcome for outcome in OUTCOMES if outcome != update.outcome]
    right = new in there and not set(old) & set(there)
    return None if right else (old, [new])


def _standing(unit: Json) -> list[Json]:
    return [one for one in unit["fulfillments"]["nodes"] if stands(one)]


def _tracking(fulfilment: Json) -> Json:
    return next(iter(fulfilment["trackingInfo"]), {})


def _message(update: OrderProgress) -> str:
    if update.stage not in ("closed", "cancelled"):
        return ""
    short = [
        f"{line.delivered} of {line.ordered} {line.called}"
        + (f" ({line.reason})" if line.reason else "")
        for line in update.lines
        if line.delivered < line.ordered
    ]
    parts = [
        update.reason,
        f"Delivered in part: {', '.join(short)}" if update.outcome == "partial" and short else "",
        f"Received by {update.received_by}" if update.received_by else "",
        update.note,
        f"Proof: {update.proof_url}" if update.proof_url else "",
    ]
    text = ". ".join(part.rstrip(". ") for part in parts if part.strip())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _text(moment: datetime) -> str:
    """To the second, as Shopify keeps it: a repeat must find it again."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

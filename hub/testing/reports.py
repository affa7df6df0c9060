"""What the kits have stores and books told: each stage of an order, and records of its end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, get_args

from hub import (
    Address,
    Contact,
    DeliveredLine,
    DeliveryRecord,
    Document,
    IncomingOrder,
    OrderProgress,
    Role,
    Stage,
    WritesBack,
)
from hub.testing.provider import MONDAY

PDF = Document("POD 1001.pdf", "application/pdf", b"%PDF-1.7 proof of 1001")
PHOTO = Document("Door.jpg", "image/jpeg", b"\xff\xd8\xff the door")
OUTCOMES = ("succeeded", "partial", "failed", "skipped", "cancelled", "returned")
REASON = "nobody at home"
LINK = "https://hub.example/t/0193a1b2c3d4"
OPEN_STAGES: tuple[str, ...] = tuple(s for s in get_args(Stage) if s != "closed")
STAGES = (*OPEN_STAGES, *(f"closed {outcome}" for outcome in OUTCOMES[:4]))


def progress(order: tuple[str, str], stage: str, *, attempt: int = 1, **more: Any) -> OrderProgress:
    """``stage`` as in ``STAGES``; the same one always has the same key and time."""
    name, _, outcome = stage.partition(" ")
    ref, number = order
    at = MONDAY + timedelta(days=attempt - 1, minutes=10 * STAGES.index(stage))
    given: dict[str, Any] = {"tracking_url": LINK, "eta": at + timedelta(minutes=30)}
    if name == "closed":
        done = 0 if outcome in ("failed", "skipped") else 1
        given["lines"] = (DeliveredLine(0, "Sourdough", 2, 2 if outcome == "succeeded" else done),)
        given["received_by"] = "Sam" if done else ""
        given["reason"] = "" if outcome == "succeeded" else "Nobody was at home"
    if name == "cancelled":
        outcome = "cancelled"
    known: dict[str, Any] = {"key": f"{ref}-{stage}-{attempt}", "order_ref": ref, "at": at}
    known |= {"order_number": number, "stage": name, "outcome": outcome, "attempt": attempt}
    return OrderProgress(**{**known, **given, **more})


def on_the_road(src: WritesBack, order: tuple[str, str], stage: str) -> None:
    """Tell what comes before ``stage``."""
    for earlier in OPEN_STAGES[: min(STAGES.index(stage), OPEN_STAGES.index("cancelled"))]:
        src.write_back(progress(order, earlier))


def an_order(number: str = "1001", **more: Any) -> IncomingOrder:
    given: dict[str, Any] = {
        "ref": f"shop-{number}",
        "number": number,
        "updated_at": MONDAY,
        "address": Address(("1 High St",), "Leeds"),
        "contacts": (Contact(Role.BUYER, "Ana", email="ana@example.com"),),
    }
    return IncomingOrder(**{**given, **more})


def a_record(target: str, **more: Any) -> DeliveryRecord:
    given: Mapping[str, Any] = {
        "key": "event-1",
        "order_ref": "shop-1001",
        "order_number": "1001",
        "outcome": "succeeded",
        "at": MONDAY,
        "received_by": "Sam",
        "driver": "Kim",
        "documents": (PDF,),
        "target": target,
    }
    return DeliveryRecord(**{**given, **more})

"""What a report does to an order: its status, and notes in plain words."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.woocommerce.settings import WooCommerceSettings
from connectors.woocommerce.told import mark
from hub import OrderProgress

WORDS = {
    "succeeded": "Delivered",
    "partial": "Partly delivered",
    "failed": "Not delivered",
    "skipped": "Not attempted",
    "cancelled": "Delivery called off",
}
SILENT = ("placed", "planned", "arrived")
"""Stages that no shop acts on: a write costs it an e-mail's work and calls the hub back."""


@dataclass(frozen=True, slots=True)
class Note:
    text: str
    to_customer: bool = False

    def stands_in(self, notes: Iterable[Mapping[str, Any]]) -> bool:
        """Whether it was written. Staff's carry a mark; a customer's is known by its words, which
        say nothing that changes from one try to the next."""
        wanted = _bare(self.text)
        tail = re.search(r"\[\w+\]$", self.text)
        for note in notes:
            if bool(note.get("customer_note")) == self.to_customer:
                there = _bare(str(note.get("note", "")))
                if there == wanted or (tail and there.endswith(tail[0])):
                    return True
        return False


def stage_of(update: OrderProgress) -> str:
    return f"{update.stage} {update.outcome}".strip()


def status_for(update: OrderProgress, settings: WooCommerceSettings) -> tuple[str, str]:
    """The status that ``update`` asks for, and the setting that says so; empty: none.

    Proof that came later changes none.
    """
    if update.late_proof:
        return "", ""
    name = {
        "dispatched": "status_dispatched",
        "on_the_way": "status_on_the_way",
        "closed succeeded": "status_delivered",
        "closed partial": "status_partial",
        "closed failed": "status_failed",
    }.get(stage_of(update), "")
    return (getattr(settings, name), name) if name else ("", "")


def notes_for(update: OrderProgress, settings: WooCommerceSettings) -> Iterator[Note]:
    if settings.private_notes and (text := _for_staff(update)):
        yield Note(f"{text} [{mark(update.key)}]")
    wanted = settings.customer_notes
    if update.late_proof:
        return  # customers heard of it when it ended
    if wanted in (update.stage, "both") and (text := _for_customer(update)):
        yield Note(text, to_customer=True)


def _for_staff(update: OrderProgress) -> str:
    again = f", attempt {update.attempt}" if update.attempt > 1 else ""
    follow = f" Follow it: {update.tracking_url}" if update.tracking_url else ""
    match update.stage:
        case "on_the_way":
            return f"On the way{again}.{follow}"
        case "cancelled":
            return f"Delivery called off{again}.{_why(update)}"
        case "closed":
            late = "Proof of delivery added later. " if update.late_proof else ""
            parts = [f"{late}{WORDS.get(update.outcome, update.outcome)}{again}.{_why(update)}"]
            if update.received_by:
                parts.append(f"Received by {update.received_by}.")
            parts += _short_lines(update)
            if update.note:
                parts.append(update.note)
            if update.proof_url:
                parts.append(f"Proof: {update.proof_url}")
            return " ".join(parts)
    return ""


def _for_customer(update: OrderProgress) -> str:
    again = f" (attempt {update.attempt})" if update.attempt > 1 else ""
    follow = f" Follow it here: {update.tracking_url}" if update.tracking_url else ""
    match stage_of(update):
        case "on_the_way":
            return f"Your order is on its way{again}.{follow}"
        case "closed succeeded":
            return f"Your order was delivered{again}."
        case "closed partial":
            return f"Part of your order was delivered{again}."
        case "closed failed":
            return f"Your order could not be delivered{again}.{_why(update)}"
    return ""


def _why(update: OrderProgress) -> str:
    return f" {update.reason.rstrip('.')}." if update.reason else ""


def _short_lines(update: OrderProgress) -> Iterator[str]:
    for line in update.lines:
        if line.delivered < line.ordered:
            why = f" ({line.reason})" if line.reason else ""
            yield f"{line.delivered} of {line.ordered} {line.called}{why}."


def _bare(text: str) -> str:
    """Without what WordPress may do to a text it keeps: tags, entities, spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())

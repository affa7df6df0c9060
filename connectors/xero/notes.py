"""What an accountant reads of a delivery: one line of history, one file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from hashlib import sha256
from zoneinfo import ZoneInfo

from hub import DeliveredLine, DeliveryRecord

LONGEST_NOTE = 250
"""Letters of a note (developer.xero.com/documentation/api/history-and-notes, 2026-11)."""
SHORTEST_PIECE = 12
OUTCOMES = {
    "succeeded": "Delivered",
    "partial": "Delivered in part",
    "failed": "Not delivered",
    "skipped": "Not attempted",
    "cancelled": "Delivery cancelled",
    "returned": "Returned",
}


def marker(record: DeliveryRecord) -> str:
    """Tells our note from others, so that a repeat finds what is there. Late proof has a note
    of its own, also under the key of the record it belongs to."""
    return f"[hub {_short(f'{record.key}:late' if record.late_proof else record.key)}]"


def note(record: DeliveryRecord, zone: str, files: tuple[str, ...] = ()) -> str:
    """The line of history, ending in the record's marker; what is least needed goes first.

    An empty ``zone``: times as the hub gave them, in the business's.
    """
    end = " " + marker(record)
    at = record.at.astimezone(ZoneInfo(zone)) if zone else record.at
    when = f"{at.day} {at:%b %Y %H:%M} {at:%Z}"
    said = f"{OUTCOMES.get(record.outcome) or record.outcome.replace('_', ' ').capitalize()} {when}"
    if record.late_proof:
        said = f"Proof of delivery added later. {said}"
    for piece in _pieces(record, files):
        left = LONGEST_NOTE - len(end) - len(said) - len(". ")
        if len(piece) <= left:
            said += f". {piece}"
        elif left > SHORTEST_PIECE and not piece.startswith("Proof: "):  # half a link is none
            said += f". {piece[: left - 1]}…"
    return said + end


def file_name(name: str, key: str) -> str:
    """``name`` in letters that every system takes, made unique by ``key``: Xero puts one file in
    the place of another of the same name (linx.software/docs/plugins/xero, 2026-11)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem, dot, ending = re.sub(r"[^A-Za-z0-9._ -]+", "-", plain).rpartition(".")
    if not dot:
        stem, ending = ending, "pdf"
    return f"{stem.strip(' .-')[:80] or 'Proof of delivery'} {_short(key)}.{ending}"


def idempotency_key(key: str, what: str) -> str:
    """At most 128 letters (spec, parameter idempotencyKey)."""
    plain = f"{key}:{what}"
    return (
        plain
        if len(plain) <= 128 and plain.isascii()
        else f"{sha256(key.encode()).hexdigest()}:{what}"
    )


def _pieces(record: DeliveryRecord, files: tuple[str, ...]) -> Iterator[str]:
    """Most needed first."""
    if record.reason:
        yield _one_line(record.reason)
    if record.received_by:
        yield f"Received by {_one_line(record.received_by)}"
    if record.attempt > 1:
        yield f"Attempt {record.attempt}"
    if record.proof_url:
        yield f"Proof: {record.proof_url}"
    if short := [line for line in record.lines if line.delivered != line.ordered]:
        yield "; ".join(map(_shortfall, short))
    if record.driver:
        yield f"Driver {_one_line(record.driver)}"
    if record.note:
        yield _one_line(record.note)
    if files:
        yield f"Attached: {', '.join(files)}"


def _shortfall(line: DeliveredLine) -> str:
    why = f" ({_one_line(line.reason)})" if line.reason else ""
    return f"{line.delivered} of {line.ordered} {_one_line(line.called)[:40]}{why}"


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


def _short(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:10]

"""What the hub keeps on an order of what it reported: how it knows its own work again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

TRACKING = "_lmh_tracking_url"
STATUS = "_lmh_status"  # "on_the_way", "closed succeeded": the hub's words, for the shop's own use
REV = "_lmh_rev"  # "2026-11-24T13:02:00Z completed": the latest report, and the status it set
KEYS = "_lmh_keys"  # marks of the reports that are through
KEPT = 30  # reports of one order; it has some five


@dataclass(frozen=True, slots=True)
class Told:
    at: datetime | None = None  # None: nothing was reported
    status: str = ""  # WooCommerce's, set by the hub; empty: none was
    closed: bool = False
    marks: tuple[str, ...] = ()

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Told:
        """Nothing where people have changed the fields by hand beyond recognition."""
        said = {
            meta.get("key"): meta["value"]
            for meta in dicts(row.get("meta_data"))
            if isinstance(meta.get("value"), str)
        }
        at, _, status = said.get(REV, "").partition(" ")
        try:
            moment = datetime.fromisoformat(at).astimezone(UTC) if at else None
        except ValueError:
            return cls()
        closed = said.get(STATUS, "").startswith("closed")
        return cls(moment, status, closed, tuple(said.get(KEYS, "").split()))

    def has(self, key: str, at: datetime) -> bool:
        """Whether this report is through, or a later one is."""
        return mark(key) in self.marks or (self.at is not None and at < self.at)

    def fields(
        self, key: str, at: datetime, stage: str, status: str, tracking_url: str
    ) -> Sequence[Mapping[str, str]]:
        """The fields to write, ``status`` empty if it is not changed. One that is written again
        under its name is replaced in its place (measured 2026-11-22)."""
        said = {
            STATUS: stage,
            REV: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {status or self.status}".strip(),
            KEYS: " ".join((*self.marks, mark(key))[-KEPT:]),
        }
        if tracking_url:
            said[TRACKING] = tracking_url
        return [{"key": name, "value": value} for name, value in said.items()]


def dicts(value: Any) -> Sequence[Mapping[str, Any]]:
    """What of a list is an object; plugins put all kinds of things on an order."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def mark(key: str) -> str:
    """A short name for a report, which may stand where the shop's staff read."""
    return sha256(key.encode()).hexdigest()[:10]

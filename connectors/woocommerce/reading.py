"""Read a list of orders that moves while it is read, so that none is missed.

Orders come by their last change, oldest first, and each next request begins where the last page
ended rather than at a page number. Two habits of WooCommerce decide the rest (measured on
10.9.1, 2026-11-22): ``modified_after`` is strictly greater and counts whole seconds, and a page
past the end is an empty 200.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.woocommerce.client import Listed

Row = Mapping[str, Any]
Ask = Callable[[Mapping[str, str]], Listed]
SECOND = timedelta(seconds=1)
OVERLAP = timedelta(minutes=2)
"""An order is stamped when its change begins and is seen when that is committed; a checkout that
waits for its bank takes longer than a second."""
CLOCKS_APART = timedelta(minutes=15)
"""What answers for the store, a proxy say, may keep another time than what stamps its orders."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far the reading is: up to and with ``at``.

    ``full``: of all open orders, which ``began`` at that time by the store's clock. What
    changed since then is read once more when it is through.
    """

    at: datetime | None = None  # None: nothing is read yet
    full: bool = True
    began: datetime | None = None  # None: the store does not say

    @classmethod
    def read(cls, cursor: str | None) -> Place:
        if not cursor:
            return cls()
        at, *rest = cursor.split()
        began = _moment(rest[1]) if len(rest) > 1 else None
        return cls(_moment(at), bool(rest), began)

    def __str__(self) -> str:
        if self.at is None:
            return ""
        began = [_plain(self.began)] if self.began else []
        return " ".join([_plain(self.at), *(["full", *began] if self.full else [])])

    def through(self) -> Place:
        """Where to go on once all open orders are read: at what changed since that began. An old
        order that is still open must not have all that came after it read again."""
        at = self.began - CLOCKS_APART if self.full and self.began else self.at
        return Place(at, full=False)


def walk(ask: Ask, place: Place, statuses: Sequence[str]) -> Iterator[tuple[list[Row], Place]]:
    """Orders with one of ``statuses`` from ``place`` on, some at a time, with the place then."""
    query = {"orderby": "modified", "order": "asc", "status": ",".join(statuses)}
    after = place.at - OVERLAP if place.at else None
    seen: set[object] = set()  # at the last instant of the page before
    while True:
        listed = ask({**query, **_between(after)})
        if place == Place():
            place = Place(began=listed.at)
        moments = [moment for row in listed.rows if (moment := modified(row))]
        if not moments:
            if listed.rows or place.full:
                yield list(listed.rows), place.through()
            return
        oldest, newest = min(moments), max(moments)
        place = replace(place, at=max(newest, place.at or newest))
        if listed.more and oldest == newest:  # more at one instant than a page holds
            for rows in _instant(ask, query, newest):
                yield rows, place
            after, seen = newest, set()
            continue
        fresh = [row for row in listed.rows if row.get("id") not in seen]
        yield fresh, place if listed.more else place.through()
        if not listed.more:
            return
        after = newest - SECOND  # the instant may go on behind this page
        seen = {row.get("id") for row in listed.rows if modified(row) == newest}


def modified(row: Row) -> datetime | None:
    """``None``: it says nothing usable; then the order is set aside when it is mapped."""
    try:
        return _moment(row["date_modified_gmt"])
    except (LookupError, TypeError, ValueError):
        return None


def _instant(ask: Ask, query: Mapping[str, str], moment: datetime) -> Iterator[list[Row]]:
    """All orders last changed at ``moment``, by number. One that changes meanwhile moves the
    others up, which may hide one: then from the start again."""
    at = {**query, "orderby": "id", **_between(moment - SECOND, moment + SECOND)}
    page, total = 1, 0
    while True:
        listed = ask({**at, "page": str(page)})
        if page > 1 and listed.total < total:
            page = 1
            continue
        if page == 1:
            total = listed.total
        yield list(listed.rows)
        if not listed.more:
            return
        page += 1


def _between(after: datetime | None, before: datetime | None = None) -> Mapping[str, str]:
    """Naive GMT with ``dates_are_gmt``. Without it the store takes them for its own time, and west
    of Greenwich misses orders; with a ``Z`` besides it shifts them twice (measured 2026-11-22)."""
    ends = {"modified_after": after, "modified_before": before}
    said = {name: _plain(moment) for name, moment in ends.items() if moment}
    return {**said, "dates_are_gmt": "true"} if said else {}


def _plain(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)

"""Reading a list that moves while it is read, and orders that are on hold until some day."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from connectors.shipstation.client import Api, Batch, Record
from hub import OrderPage, Unavailable

OVERLAP = timedelta(minutes=1)
"""So far before the cursor each reading begins: a change may show later than it was made."""
BEGINNING = datetime(2010, 1, 1, tzinfo=UTC)  # ShipStation is younger


@dataclass(frozen=True, slots=True)
class Cursor:
    """``since``: all older changes are read. ``held``: when the holds of known orders end.

    While everything open is read for the first time, ``status`` is the list being read, and
    ``mark`` the newest change there was before: from there on changes are read afterwards, so
    that an order cancelled meanwhile is not overlooked.
    """

    since: datetime
    status: str = ""
    mark: datetime | None = None  # None: the first reading is done
    held: Mapping[str, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Cursor:
        kept = json.loads(text)
        mark = kept.get("mark")
        return cls(
            datetime.fromisoformat(kept["since"]),
            kept.get("status", ""),
            datetime.fromisoformat(mark) if mark else None,
            {ref: datetime.fromisoformat(until) for ref, until in kept.get("held", {}).items()},
        )

    def __str__(self) -> str:
        kept: dict[str, object] = {"since": self.since.isoformat()}
        if self.mark:
            kept |= {"status": self.status, "mark": self.mark.isoformat()}
        if self.held:
            kept["held"] = {ref: until.isoformat() for ref, until in self.held.items()}
        return json.dumps(kept)


def pages(api: Api, store: str, cursor: str | None, now: datetime) -> Iterator[OrderPage]:
    """What changed since ``cursor``; everything still open for ``None``."""
    if cursor is None:
        newest = api.newest()
        if newest is None:
            return
        at = Cursor(BEGINNING, api.open_statuses[0], newest)
    else:
        at = Cursor.of(cursor)
    yield from (reading := _Reading(api, store, at, now)).released()
    yield from reading.everything_open() if reading.at.mark else reading.changes()


class _Reading:
    def __init__(self, api: Api, store: str, at: Cursor, now: datetime) -> None:
        self.api, self.store, self.at, self.now = api, store, at, now

    def released(self) -> Iterator[OrderPage]:
        """Orders whose hold ends by now: that a day has come may change nothing about them."""
        due = [ref for ref, until in self.at.held.items() if until <= self.now]
        for ref in due:
            record = self.api.one(ref)
            if record is None:
                self._forget(ref)
            else:
                yield self._page([record], self.at.since)

    def everything_open(self) -> Iterator[OrderPage]:
        mark, statuses = self.at.mark, self.api.open_statuses
        assert mark is not None  # by the caller
        # A list of the other interface's: the account was changed to this one in its middle.
        begun = self.at.status if self.at.status in statuses else ""
        for status in statuses[statuses.index(begun) if begun else 0 :]:
            since = self.at.since if status == begun else BEGINNING
            for records, read_to in self._walk(since, status):
                self.at = replace(self.at, status=status)
                yield self._page(records, read_to)
        self.at = Cursor(mark, held=self.at.held)
        yield OrderPage((), str(self.at))

    def changes(self) -> Iterator[OrderPage]:
        for records, read_to in self._walk(self.at.since - OVERLAP, status=""):
            yield self._page(records, max(read_to, self.at.since))

    def _walk(self, since: datetime, status: str) -> Iterator[tuple[Sequence[Record], datetime]]:
        def read(start: str, page: int) -> Batch:
            return self.api.changed(start, page, status, self.store)

        return walk(read, self.api.start, self.api.changed_at, self.api.ref, since)

    def _page(self, records: Sequence[Record], since: datetime) -> OrderPage:
        for record in records:
            self._remember(record)
        self.at = replace(self.at, since=since)
        named = [
            {"ref": self.api.ref(record), "number": self.api.number(record), "record": record}
            for record in records
        ]
        return OrderPage.read(
            named,
            lambda row: self.api.order(row["record"]),
            ref="ref",
            cursor=str(self.at),
            number="number",
        )

    def _remember(self, record: Record) -> None:
        try:
            until = self.api.held_until(record)
        except (ValueError, TypeError):
            return  # set aside with its page
        if until:
            self.at = replace(self.at, held={**self.at.held, self.api.ref(record): until})
        else:
            self._forget(self.api.ref(record))

    def _forget(self, ref: str) -> None:
        if ref in self.at.held:
            held = {other: until for other, until in self.at.held.items() if other != ref}
            self.at = replace(self.at, held=held)


def walk(
    read: Callable[[str, int], Batch],
    start_of: Callable[[datetime], str],
    changed_at: Callable[[Record], datetime],
    ref: Callable[[Record], str],
    since: datetime,
) -> Iterator[tuple[Sequence[Record], datetime]]:
    """Some records, and the moment up to which everything older was given.

    After each page the list is asked anew from the page's last change, so that one that moves
    to its end hides no other. Pages are counted only among changes the list cannot tell apart;
    these are gone through until nothing new shows.
    """
    seen: set[tuple[str, str]] = set()
    page, grew = 1, False
    while True:
        batch = read(start_of(since), page)
        fresh = [record for record in batch.records if _version(record, ref) not in seen]
        seen.update(_version(record, ref) for record in fresh)
        grew = grew or bool(fresh)
        last = max(_latest(batch.records, changed_at, since), since)
        beyond = start_of(last) != start_of(since)
        if fresh:
            yield fresh, last if page == 1 and (beyond or not batch.more) else since
        if batch.more and not beyond:
            page += 1
        elif page > 1 and grew:
            page, grew = 1, False
        elif batch.more:
            since, page, grew, seen = last, 1, False, set()
        else:
            return


def _version(record: Record, ref: Callable[[Record], str]) -> tuple[str, str]:
    return ref(record), str(record.get("modified_at") or record.get("modifyDate"))


def _latest(
    records: Sequence[Record], changed_at: Callable[[Record], datetime], since: datetime
) -> datetime:
    """The last change that can be read. Raises ``Unavailable`` when none of many can."""
    for record in reversed(records):
        try:
            return changed_at(record)
        except (LookupError, TypeError, ValueError):
            continue
    if records:
        raise Unavailable("ShipStation answered orders without the time of their last change")
    return since

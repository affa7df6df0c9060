"""Reading invoices and quotes: what changed since, page after page, with their contacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors.xero.client import Page, XeroClient
from connectors.xero.mapping import (
    ID,
    NUMBER,
    WITHDRAWN,
    Paper,
    Record,
    is_wanted,
    is_withdrawn,
    issued_on,
    moment,
    text,
    to_order,
)
from connectors.xero.settings import XeroSettings
from hub import IncomingOrder, OrderPage

PAPERS: Mapping[str, tuple[Paper, ...]] = {
    "invoices": ("invoice",),
    "quotes": ("quote",),
    "both": ("invoice", "quote"),
    "nothing": (),
}


class Orders:
    """Contacts are fetched once for all invoices of one reading."""

    def __init__(self, client: XeroClient, settings: XeroSettings, today: date) -> None:
        self._client = client
        self._settings = settings
        self._today = today
        self._contacts: dict[str, Record] = {}

    def pages(self, cursor: str | None) -> Iterator[OrderPage]:
        """Invoices, then quotes. A page is asked for by the time of the one before it, not by
        number: a list that shifts while it is read hides nothing."""
        self._contacts.clear()
        position = Position.read(cursor)
        for paper in PAPERS[self._settings.reads]:
            for records in self._lists(paper, position.of(paper)):
                position = position.at(paper, records)
                yield self._page(paper, self._deliverable(paper, records), position.text())

    def one(self, ref: str) -> IncomingOrder | None:
        self._contacts.clear()
        for paper in PAPERS[self._settings.reads]:
            record = self._client.paper(paper, ref)
            if record is not None:
                if not self._concerns(paper, record):
                    return None
                self._fetch_contacts([record])
                page = self._page(paper, [record], cursor="")
                if page.rejects:
                    raise page.rejects[0]
                return page.orders[0]
        return None

    def _page(self, paper: Paper, records: Sequence[Record], cursor: str) -> OrderPage:
        def read(record: Record) -> IncomingOrder:
            return to_order(paper, record, self._contact(record), self._settings)

        return OrderPage.read(records, read, ref=ID[paper], cursor=cursor, number=NUMBER[paper])

    def _lists(self, paper: Paper, since: datetime | None) -> Iterator[list[Record]]:
        """What changed, oldest first; with ``since`` None, what is to be delivered now."""
        begins_anew, page = since is None, 1
        while True:
            read = self._list(paper, since, begins_anew, page)
            if read.records:
                yield read.records
            if read.is_last or not read.records:
                return
            newest = _newest(read.records)
            onward = _overlapping(newest) if newest else None
            if onward and (since is None or onward > since):
                since, page = onward, 1
            else:  # more than a page changed within two seconds
                page += 1

    def _list(self, paper: Paper, since: datetime | None, begins_anew: bool, page: int) -> Page:
        issued_from = self._issued_from if begins_anew else None
        if paper == "quote":
            return self._client.quotes(since=since, issued_from=issued_from, page=page)
        ended = () if begins_anew else sorted(WITHDRAWN["invoice"])
        return self._client.invoices(
            since=since,
            issued_from=issued_from,
            statuses=[*self._settings.statuses, *ended],
            page=page,
        )

    def _deliverable(self, paper: Paper, records: Sequence[Record]) -> list[Record]:
        kept = [
            record
            for record in records
            if self._concerns(paper, record)
            and (is_withdrawn(paper, record, self._settings) or not self._is_old(record))
        ]
        self._fetch_contacts(kept)
        return kept

    def _concerns(self, paper: Paper, record: Record) -> bool:
        if is_wanted(paper, record, self._settings):
            return True
        ours = paper == "quote" or record.get("Type") == "ACCREC"
        return ours and is_withdrawn(paper, record, self._settings)

    def _is_old(self, record: Record) -> bool:
        try:
            issued = issued_on(record)
        except ValueError:
            return False  # reading the order will say what is wrong with it
        return issued is not None and issued < self._issued_from

    @property
    def _issued_from(self) -> date:
        return self._today - timedelta(days=self._settings.days_back)

    def _fetch_contacts(self, records: Sequence[Record]) -> None:
        ids = {text(record.get("Contact") or {}, "ContactID") for record in records}
        missing = sorted(ids - self._contacts.keys() - {""})
        for contact in self._client.contacts(missing) if missing else ():
            self._contacts[text(contact, "ContactID")] = contact

    def _contact(self, record: Record) -> Record:
        """In full, or the name that came with the invoice for one that was merged into another."""
        summary: Record = record.get("Contact") or {}
        return self._contacts.get(text(summary, "ContactID"), summary)


@dataclass(frozen=True, slots=True)
class Position:
    """How far each list has been read: the newest change seen, ``None`` for nothing yet."""

    invoice: datetime | None = None
    quote: datetime | None = None

    @classmethod
    def read(cls, cursor: str | None) -> Position:
        at = [datetime.fromisoformat(part) if part else None for part in (cursor or "/").split("/")]
        return cls(*at)

    def text(self) -> str:
        return "/".join(at.isoformat() if at else "" for at in (self.invoice, self.quote))

    def of(self, paper: Paper) -> datetime | None:
        at = self.invoice if paper == "invoice" else self.quote
        return _overlapping(at) if at else None

    def at(self, paper: Paper, records: Sequence[Record]) -> Position:
        newest = _newest(records)
        if newest is None:
            return self
        changed: dict[str, Any] = {str(paper): newest}
        return replace(self, **changed)


def _newest(records: Sequence[Record]) -> datetime | None:
    """``None``: not one of them says when it changed."""
    return max(filter(None, map(_changed_at, records)), default=None)


def _changed_at(record: Record) -> datetime | None:
    try:
        return moment(record.get("UpdatedDateUTC"))
    except ValueError:
        return None


def _overlapping(newest: datetime) -> datetime:
    """``If-Modified-Since`` knows whole seconds, and whether it means "at" is not said."""
    return newest.astimezone(UTC).replace(microsecond=0) - timedelta(seconds=1)

"""The books: which invoice an order belongs to, and what is filed there.

Only a line of history, a file and, if asked for, the mark Sent are written. Amounts and lines
are the accountant's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from hashlib import sha256

from connectors.xero.client import XeroClient
from connectors.xero.mapping import (
    ID,
    WITHDRAWN,
    Paper,
    Record,
    amount,
    label,
    many,
    text,
)
from connectors.xero.notes import file_name, idempotency_key, marker, note
from connectors.xero.settings import XeroSettings
from hub import Candidate, DeliveryRecord, Document, IncomingOrder, Refused, Role

# Per document (docs.workato.com/connectors/xero, 2026-11; 3 MB each before April 2026).
MOST_FILES, LARGEST_FILE = 10, 10_000_000
SENDABLE = frozenset({"AUTHORISED", "PAID"})  # only what is approved can be marked (schema Invoice)


class Books:
    def __init__(self, client: XeroClient, settings: XeroSettings) -> None:
        self._client = client
        self._settings = settings

    def find(self, order: IncomingOrder) -> Sequence[Candidate]:
        """Every invoice that fits the rule, once, with why. An order that came from Xero is its
        own invoice or quote, until that is withdrawn."""
        for paper in ID:
            if ref := order.custom.get(f"xero_{paper}"):
                own = self._client.paper(paper, ref)
                if own is not None and text(own, "Status") not in WITHDRAWN[paper]:
                    return [_candidate(paper, own, "the order came from it")]
        found: dict[str, Candidate] = {}
        for record, why in self._fitting(order):
            candidate = _candidate("invoice", record, why)
            found.setdefault(candidate.ref, candidate)
        return list(found.values())

    def rule(self, order: IncomingOrder) -> str:
        """In words, what ``find`` goes by for ``order``."""
        mine = self._settings
        also = " of the same contact" if mine.same_contact and mine.find_by != "contact" else ""
        also += " and amount" if mine.same_amount and also else ""
        also = also or (" of the same amount" if mine.same_amount else "")
        if mine.find_by == "contact":
            who = next(filter(None, _words(order)), "") or "nobody: the order names no one"
            return f"Looked for an invoice{also} whose contact is {who}."
        numbers = " or ".join(self._numbers(order)) or "no number: the order has none"
        where = {
            "number": f"with the number {numbers}",
            "reference": f"whose reference names {numbers}",
        }.get(mine.find_by, f"with the number {numbers}, or whose reference names it")
        return f"Looked for an invoice{also} {where}."

    def numbered(self, number: str) -> Sequence[Candidate]:
        return [
            _candidate("invoice", record, "you named it")
            for record in self._client.invoices_numbered([number])
            if _same(text(record, "InvoiceNumber"), [number])
            and text(record, "Status") not in WITHDRAWN["invoice"]
        ]

    def record(self, record: DeliveryRecord) -> str:
        paper, ref = _target(record.target)
        there = self._client.paper(paper, ref)
        if there is None:
            raise Refused(f"The {paper} for order {record.order_number} is not in Xero any more.")
        name = label(paper, there).split(" · ")[0]
        status = text(there, "Status")
        if status in WITHDRAWN[paper]:
            raise Refused(f"{name} was {status.lower()} in Xero, and takes no record.")
        files = [(file_name(d.name, record.key), d) for d in record.documents if d.content]
        self._note(paper, ref, record, tuple(given for given, _ in files))
        self._attach(paper, ref, record, files, name)
        if self._settings.mark_sent and record.outcome in ("succeeded", "partial"):
            self._mark_sent(paper, ref, record, there)
        return f"{name} in Xero: history and notes" + (", files" if files else "")

    def _fitting(self, order: IncomingOrder) -> Iterator[tuple[Record, str]]:
        fitting = [
            (record, why)
            for record, why in self._by_rule(order)
            if text(record, "Status") not in WITHDRAWN["invoice"]
        ]
        asks_who = self._settings.same_contact and self._settings.find_by != "contact"
        contacts = self._contacts([record for record, _ in fitting]) if asks_who else {}
        for record, why in fitting:
            if asks_who:
                if not _is_of(contacts.get(_contact_id(record), {}), order):
                    continue
                why += ", same contact"
            if self._settings.same_amount:
                if not _asks_for(record, order):
                    continue
                why += ", same amount"
            yield record, why

    def _by_rule(self, order: IncomingOrder) -> Iterator[tuple[Record, str]]:
        rule, numbers = self._settings.find_by, self._numbers(order)
        if rule == "contact":
            yield from self._by_contact(order)
        if not numbers:
            return
        if rule in ("number", "number_or_reference"):
            for record in self._client.invoices_numbered(numbers):
                if _same(text(record, "InvoiceNumber"), numbers):
                    yield record, "same number"
        if rule in ("reference", "number_or_reference"):
            bare = min(numbers, key=len)  # what the others contain
            for record in self._client.invoices_mentioning(bare):
                if _names(text(record, "Reference"), numbers):
                    yield record, "its reference names the order"

    def _by_contact(self, order: IncomingOrder) -> Iterator[tuple[Record, str]]:
        asked = next(filter(None, _words(order)), "")
        if not asked:
            return
        who = [one for one in self._client.contacts_like(asked) if _is_of(one, order)]
        if who:
            for record in self._client.invoices_of([text(one, "ContactID") for one in who]):
                yield record, "same contact"

    def _contacts(self, records: Sequence[Record]) -> dict[str, Record]:
        """In full, by id: an invoice in a list carries no more than its contact's name."""
        ids = sorted({_contact_id(record) for record in records} - {""})
        return {text(one, "ContactID"): one for one in self._client.contacts(ids)}

    def _numbers(self, order: IncomingOrder) -> list[str]:
        """The order's number as it is and without each prefix: ``#1001``, ``1001``."""
        number = order.number.strip()
        bare = [
            number[len(prefix) :].strip()
            for prefix in self._settings.prefixes.split()
            if number.upper().startswith(prefix.upper())
        ]
        return list(dict.fromkeys(filter(None, (number, *bare))))

    def _note(self, paper: Paper, ref: str, record: DeliveryRecord, files: tuple[str, ...]) -> None:
        sign = marker(record)
        if any(sign in there for there in self._client.history(paper, ref)):
            return
        words = note(record, self._settings.time_zone, files)
        what = "late" if record.late_proof else "note"
        self._client.add_note(paper, ref, words, idempotency_key(f"{record.key}:{ref}", what))

    def _attach(
        self,
        paper: Paper,
        ref: str,
        record: DeliveryRecord,
        files: Sequence[tuple[str, Document]],
        name: str,
    ) -> None:
        if not files:
            return
        there = self._client.attachments(paper, ref)
        for given, document in files:
            if given in there:
                continue
            _demand_room(len(there), len(document.content), name)
            self._client.attach(
                paper,
                ref,
                given,
                document.content,
                online=self._settings.include_online,
                key=idempotency_key(
                    f"{record.key}:{ref}", f"pdf {sha256(given.encode()).hexdigest()[:10]}"
                ),
            )
            there.append(given)

    def _mark_sent(self, paper: Paper, ref: str, record: DeliveryRecord, there: Record) -> None:
        sendable = paper == "invoice" and text(there, "Status") in SENDABLE
        if sendable and not there.get("SentToContact"):
            self._client.mark_sent(ref, idempotency_key(f"{record.key}:{ref}", "sent"))


def _candidate(paper: Paper, record: Record, why: str) -> Candidate:
    return Candidate(f"{paper}/{record[ID[paper]]}", label(paper, record), why)


def _contact_id(record: Record) -> str:
    return text(record.get("Contact") or {}, "ContactID")


def _target(target: str) -> tuple[Paper, str]:
    paper, _, ref = target.rpartition("/")
    if not ref:
        raise Refused("No invoice was chosen for this record.")
    return ("quote" if paper == "quote" else "invoice"), ref


def _demand_room(files: int, size: int, name: str) -> None:
    if files >= MOST_FILES:
        raise Refused(
            f"{name} has {files} files, which is all Xero takes. The delivery is in its"
            " history; remove a file there and try again to add the proof."
        )
    if size > LARGEST_FILE:
        raise Refused(
            f"The proof for {name} has {size / 1e6:.1f} MB; Xero takes 10 MB. The delivery is"
            " in its history."
        )


def _same(value: str, numbers: Iterable[str]) -> bool:
    return value.upper() in {number.upper() for number in numbers}


def _names(reference: str, numbers: Iterable[str]) -> bool:
    """Whether one of ``numbers`` is a word of it: 1001 is in "Shop #1001", not in "10012"."""
    return any(
        re.search(rf"(?<![\w-]){re.escape(number)}(?![\w-])", reference, re.IGNORECASE)
        for number in numbers
    )


def _words(order: IncomingOrder) -> list[str]:
    """What may name the contact, surest first."""
    people = [who for role in (Role.BUYER, Role.RECIPIENT) if (who := order.contact(role))]
    return [
        *(who.email for who in people),
        *(who.company for who in people),
        *(who.name for who in people),
    ]


def _is_of(contact: Record, order: IncomingOrder) -> bool:
    person = f"{text(contact, 'FirstName')} {text(contact, 'LastName')}".strip()
    others = (text(other, "EmailAddress") for other in many(contact, "ContactPersons"))
    theirs = {text(contact, "Name"), text(contact, "EmailAddress"), person, *others}
    return bool({t.casefold() for t in theirs if t} & {w.strip().casefold() for w in _words(order)})


def _asks_for(record: Record, order: IncomingOrder) -> bool:
    """An order that names no amount fits none: the rule asks for one."""
    number, _, currency = order.payment_due.partition(" ")
    due = amount(number)
    asked = (amount(record.get("AmountDue")), amount(record.get("Total")))
    same_currency = not currency or currency == text(record, "CurrencyCode")
    return due is not None and same_currency and due in [a for a in asked if a != Decimal(0)]

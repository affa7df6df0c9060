"""The plugin keeps the contract of a record sink."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_tillroll import FakeTillroll
from hub_tillroll import Tillroll

from hub import (
    Address,
    AuthError,
    DeliveredLine,
    DeliveryRecord,
    Document,
    IncomingOrder,
    RateLimited,
    Refused,
    Tools,
    Unavailable,
)
from hub.testing import MONDAY, RecordSinkConformance, WsgiAdapter, lent

ORDER = IncomingOrder(ref="1", number="#1", updated_at=MONDAY, address=Address(("1 High St",)))
DELIVERED = DeliveryRecord(
    key="job-1",
    order_ref="1",
    order_number="#1",
    outcome="partial",
    at=MONDAY,
    received_by="Ana",
    lines=(DeliveredLine(0, "Sourdough", ordered=2, delivered=1),),
    documents=(Document("POD #1.pdf", "application/pdf", b"%PDF proof"),),
    target="A",
)


@pytest.fixture
def books() -> FakeTillroll:
    return FakeTillroll()


@pytest.fixture
def sink(books: FakeTillroll, tmp_path: Path) -> Tillroll:
    tools = lent(tmp_path, now=MONDAY)
    tools.http.mount("https://tillroll.test", WsgiAdapter(books.app))
    settings = Tillroll.Settings(url="https://tillroll.test", token=books.secret)
    return Tillroll(settings, tools)


def test_only_invoices_of_the_order_are_found(sink: Tillroll, books: FakeTillroll) -> None:
    assert sink.find(ORDER) == []
    books.bill("A", "#1")
    books.bill("B", "#2")
    [found] = sink.find(ORDER)
    assert (found.ref, found.label) == ("A", "Invoice INV-A")


def test_an_outcome_is_filed_with_its_lines_and_proof(sink: Tillroll, books: FakeTillroll) -> None:
    books.bill("A", "#1")
    assert sink.record(DELIVERED) == "delivery note N1 at its invoice"
    note = books.notes["job-1"]
    assert (note["invoice"], note["outcome"], note["received_by"]) == ("A", "partial", "Ana")
    assert note["lines"] == [{"what": "Sourdough", "qty": 1, "of": 2}]
    assert books.file("job-1") == b"%PDF proof"


def test_filing_again_files_nothing_new(sink: Tillroll, books: FakeTillroll) -> None:
    books.bill("A", "#1")
    assert sink.record(DELIVERED) == sink.record(DELIVERED)
    sink.record(replace(DELIVERED, key="job-2"))
    assert sorted(books.notes) == ["job-1", "job-2"]


def test_an_invoice_that_takes_no_note_is_refused(sink: Tillroll, books: FakeTillroll) -> None:
    books.bill("A", "#1", void=True)
    with pytest.raises(Refused, match="void"):
        sink.record(DELIVERED)


@pytest.mark.parametrize(
    ("mood", "error"), [("locked", AuthError), ("busy", RateLimited), ("down", Unavailable)]
)
def test_trouble_says_what_happens_next(
    sink: Tillroll, books: FakeTillroll, mood: str, error: type[Exception]
) -> None:
    books.bill("A", "#1")
    sink.check()
    books.mood = mood
    for ask in (sink.check, lambda: sink.find(ORDER), lambda: sink.record(DELIVERED)):
        with pytest.raises(error) as caught:
            ask()
        assert books.secret not in str(caught.value)
    assert books.secret not in repr(sink.settings)


class TestTillroll(RecordSinkConformance):
    @pytest.fixture
    def books(self) -> FakeTillroll:
        return FakeTillroll()

    def sink(self, books: FakeTillroll, tools: Tools) -> Tillroll:
        tools.http.mount("https://tillroll.test", WsgiAdapter(books.app))
        settings = Tillroll.Settings(url="https://tillroll.test", token=books.secret)
        return Tillroll(settings, tools)

    def document(self, books: FakeTillroll, name: str, number: str) -> None:
        books.bill(name, number)

    def notes(self, books: FakeTillroll, name: str) -> list[str]:
        return [
            f"{note['outcome']} {note['reason']} {note['received_by']} {note['lines']}"
            for note in books.notes.values()
            if note["invoice"] == name
        ]

    def files(self, books: FakeTillroll, name: str) -> list[bytes]:
        return [
            books.file(key, n)
            for key, note in books.notes.items()
            if note["invoice"] == name
            for n in range(len(note["files"]))
        ]

    def figures(self, books: FakeTillroll, name: str) -> Any:
        return dict(books.invoices[name])

    def withdraw(self, books: FakeTillroll, name: str) -> None:
        books.invoices[name]["void"] = True

    def remove(self, books: FakeTillroll, name: str) -> None:
        del books.invoices[name]

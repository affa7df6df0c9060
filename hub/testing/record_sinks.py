"""The promises of books that are told what was delivered, as tests to inherit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import pytest

from hub import (
    AuthError,
    DeliveredLine,
    Document,
    HubError,
    RateLimited,
    RecordSink,
    Refused,
    Tools,
    Unavailable,
)
from hub.testing.cutting import How, cut_off
from hub.testing.order_sources import Mood
from hub.testing.provider import (
    ProviderConformance,
    demand_identity,
    demand_sentence,
    expect,
    the_only,
)
from hub.testing.reports import OUTCOMES, PDF, PHOTO, REASON, a_record, an_order


class Books(Protocol):
    """Your fake of the books."""

    secret: str

    def be(self, mood: Mood) -> None:
        """As for ``hub.testing.Shop``."""


class RecordSinkConformance(ProviderConformance, ABC):
    @pytest.fixture
    @abstractmethod
    def books(self) -> Any: ...

    @abstractmethod
    def sink(self, books: Any, tools: Tools) -> RecordSink:
        """Yours, pointed at ``books``, set up to find a document by the order's number."""

    @abstractmethod
    def document(self, books: Any, name: str, number: str) -> None:
        """Add a document called ``name`` that belongs to the order ``number`` (``1001``)."""

    @abstractmethod
    def notes(self, books: Any, name: str) -> Sequence[str]:
        """What stands at the document, one text for each note."""

    @abstractmethod
    def files(self, books: Any, name: str) -> Sequence[bytes]:
        """The content of each file at the document."""

    @abstractmethod
    def figures(self, books: Any, name: str) -> Any:
        """Lines, amounts, dates, status: all that an accountant answers for, to compare."""

    @abstractmethod
    def withdraw(self, books: Any, name: str) -> None:
        """The document is voided: it takes no record any more."""

    @abstractmethod
    def remove(self, books: Any, name: str) -> None:
        """The books have this document no more."""

    @pytest.fixture
    def to(self, books: Any, tools: Tools) -> RecordSink:
        return self.sink(books, tools)

    def _target(self, books: Any, to: RecordSink, name: str = "A") -> str:
        self.document(books, name, "1001")
        found = the_only(to.find(an_order()), "candidate for order 1001")
        return found.ref

    # -- finding

    def test_the_one_document_of_an_order_is_found(self, books: Any, to: RecordSink) -> None:
        self.document(books, "A", "1001")
        self.document(books, "B", "2002")
        found = to.find(an_order())
        assert len(found) == 1, f"One document belongs to order 1001; `find` gave {len(found)}."
        assert found[0].ref, "A candidate without a `ref` cannot be filed at."
        assert found[0].label and found[0].why, (
            "A person may have to choose: `label` says which document it is, `why` why it fits."
        )

    def test_an_order_without_a_document_finds_none(self, books: Any, to: RecordSink) -> None:
        self.document(books, "B", "2002")
        assert list(to.find(an_order())) == [], "What belongs to another order is no candidate."
        assert list(to.find(an_order(""))) == [], "An order without a number fits nothing."

    def test_two_documents_are_both_named_for_a_person_to_choose(
        self, books: Any, to: RecordSink
    ) -> None:
        self.document(books, "A", "1001")
        self.document(books, "B", "1001")
        refs = [candidate.ref for candidate in to.find(an_order())]
        assert len(set(refs)) == 2, "Two documents fit: name both. The hub files at a single one."
        assert len(refs) == 2, "A document is named twice, and so would wait for a person."

    def test_a_number_within_another_is_another_order(self, books: Any, to: RecordSink) -> None:
        for n, number in enumerate(("10012", "21001", "1001-2", "11001")):
            self.document(books, f"N{n}", number)
        found = [candidate.label for candidate in to.find(an_order())]
        assert not found, f"1001 is not the number of {found}: compare whole numbers."

    def test_finding_changes_nothing(self, books: Any, to: RecordSink) -> None:
        self.document(books, "A", "1001")
        before = self.figures(books, "A")
        to.find(an_order())
        assert self.figures(books, "A") == before
        assert not self.notes(books, "A") and not self.files(books, "A"), "`find` only looks."

    # -- filing

    def test_a_delivery_is_one_note_and_one_file(self, books: Any, to: RecordSink) -> None:
        where = to.record(a_record(self._target(books, to)))
        note = the_only(self.notes(books, "A"), "note")
        assert "Sam" in note, f"The note does not say who received it: {note!r}."
        assert list(self.files(books, "A")) == [PDF.content], "The file is not as it was given."
        demand_sentence(where, "`record`, which says where a person finds it,")

    @pytest.mark.parametrize("outcome", OUTCOMES)
    def test_amounts_and_lines_stay_as_they_are(
        self, books: Any, to: RecordSink, outcome: str
    ) -> None:
        target = self._target(books, to)
        before = self.figures(books, "A")
        to.record(a_record(target, outcome=outcome, reason=REASON))
        assert self.figures(books, "A") == before, (
            f"A record of {outcome!r} changed what an accountant answers for. Add a note; leave"
            " lines, amounts and status alone."
        )

    def test_every_outcome_is_recorded_in_words_of_its_own(
        self, books: Any, to: RecordSink
    ) -> None:
        target = self._target(books, to)
        for n, outcome in enumerate(OUTCOMES):
            given = {"outcome": outcome, "reason": REASON, "received_by": "", "documents": ()}
            to.record(a_record(target, key=f"event-{n}", **given))
        notes = list(self.notes(books, "A"))
        assert len(notes) == len(OUTCOMES), f"{len(OUTCOMES)} records left {len(notes)} notes."
        silent = [note for note in notes[1:] if REASON not in note]
        assert not silent, f"Why it was not delivered is missing in {silent}."
        begins = {note.partition(REASON)[0][:24] for note in notes}
        assert len(begins) == len(OUTCOMES), f"Two outcomes read the same: {notes}."

    def test_a_partial_delivery_says_what_was_short(self, books: Any, to: RecordSink) -> None:
        lines = (
            DeliveredLine(0, "Sourdough", 3, 1, "damaged"),
            DeliveredLine(1, "Cake", 1, 1),
        )
        to.record(a_record(self._target(books, to), outcome="partial", lines=lines))
        note = the_only(self.notes(books, "A"), "note")
        assert "Sourdough" in note and "1" in note and "3" in note, (
            f"An accountant must read that 1 of 3 Sourdough came: {note!r}."
        )

    def test_late_proof_is_a_note_and_a_file_more(self, books: Any, to: RecordSink) -> None:
        target = self._target(books, to)
        to.record(a_record(target, documents=()))
        for _ in range(2):
            to.record(a_record(target, key="event-2", late_proof=True))
        notes = list(self.notes(books, "A"))
        assert len(notes) == 2, f"Late proof is one note more, not another record: {notes}."
        assert list(self.files(books, "A")) == [PDF.content], "The late proof is not there, once."

    def test_two_attempts_are_both_there(self, books: Any, to: RecordSink) -> None:
        target = self._target(books, to)
        first, again = Document(PDF.name, PDF.media_type, b"%PDF first"), PDF
        to.record(a_record(target, outcome="failed", reason=REASON, documents=(first,)))
        to.record(a_record(target, key="event-2", attempt=2, documents=(again,)))
        assert len(self.notes(books, "A")) == 2, "The second record was taken for the first."
        assert sorted(self.files(books, "A")) == sorted([first.content, again.content]), (
            "Two records whose files have one name: neither may take the other's place."
        )

    def test_two_documents_are_two_files(self, books: Any, to: RecordSink) -> None:
        record = a_record(self._target(books, to), documents=(PDF, PHOTO))
        to.record(record)
        to.record(record)
        there = sorted(self.files(books, "A"))
        assert there == sorted([PDF.content, PHOTO.content]), "Both files, each once."

    # -- again

    def test_a_repeat_files_nothing_more(self, books: Any, to: RecordSink, tools: Tools) -> None:
        record = a_record(self._target(books, to))
        first = to.record(record)
        assert to.record(record) == first, "A repeat says another place."
        self.sink(books, tools).record(record)  # the next process
        assert len(self.notes(books, "A")) == 1, "A repeat with the same key wrote a second note."
        assert len(self.files(books, "A")) == 1, "A repeat with the same key filed a second time."

    @pytest.mark.parametrize("how", ["answer lost", "never arrived"])
    def test_cut_off_anywhere_it_goes_on_where_it_was(
        self, books: Any, tools: Tools, to: RecordSink, how: How
    ) -> None:
        for nth in range(1, 40):
            name = f"C{nth}"
            self.document(books, name, f"{3000 + nth}")
            found = the_only(to.find(an_order(f"{3000 + nth}")), "candidate")
            record = a_record(found.ref, key=f"event-{nth}", documents=(PDF, PHOTO))
            error = None
            with cut_off(tools.http, nth, how) as cut:
                try:
                    self.sink(books, tools).record(record)
                except HubError as caught:
                    error = caught
            done = len(self.notes(books, name)) == 1 and len(self.files(books, name)) == 2
            assert error is not None or done, (
                f"Cut off at request {nth} ({how}), `record` ends well and has not filed all: raise"
                " the error, so that it is tried again."
            )
            assert error is None or isinstance(error, Unavailable), (
                f"Cut off at request {nth}, `record` raised {type(error).__name__} ({error}): only"
                " Unavailable is tried again."
            )
            self.sink(books, tools).record(record)
            assert len(self.notes(books, name)) == 1, f"Cut at {nth} ({how}): not one note."
            assert sorted(self.files(books, name)) == sorted([PDF.content, PHOTO.content]), (
                f"Cut off at request {nth} ({how}) and repeated: not each file once."
            )
            if not cut.happened:
                break

    # -- refused

    def test_a_document_that_takes_no_record_is_refused_in_a_sentence(
        self, books: Any, to: RecordSink
    ) -> None:
        record = a_record(self._target(books, to))
        self.withdraw(books, "A")
        expect(Refused, lambda: to.record(record), "a document that was voided")
        assert not self.notes(books, "A"), "A voided document was written to."

    def test_a_document_that_is_gone_is_refused_in_a_sentence(
        self, books: Any, to: RecordSink
    ) -> None:
        record = a_record(self._target(books, to))
        self.remove(books, "A")
        for target in (record.target, ""):
            gone = a_record(target)
            expect(Refused, partial(to.record, gone), f"the document {target!r}, gone")

    def test_a_document_taken_back_is_no_candidate(self, books: Any, to: RecordSink) -> None:
        self.document(books, "A", "1001")
        self.withdraw(books, "A")
        assert list(to.find(an_order())) == [], "A voided document takes no record: leave it out."

    @pytest.mark.parametrize(
        ("mood", "error"),
        [("locked", AuthError), ("busy", RateLimited), ("down", Unavailable)],
    )
    def test_books_that_do_not_answer_are_told_apart(
        self, books: Any, to: RecordSink, mood: Mood, error: type[HubError]
    ) -> None:
        record = a_record(self._target(books, to))
        books.be(mood)
        for act in (lambda: to.record(record), lambda: to.find(an_order())):
            caught = expect(error, act, f"books that are {mood}")
            assert books.secret not in f"{caught} {caught!r}", "The error tells the secret."

    def test_it_says_which_one_it_is(self, books: Any, to: RecordSink, tools: Tools) -> None:
        demand_identity(to, self.sink(books, tools), books.secret)

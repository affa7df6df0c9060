"""The books: the right invoice is found, and one line and one file are filed, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.xero.notes import LONGEST_NOTE, file_name, idempotency_key, marker, note
from connectors.xero.source import Xero
from hub import (
    Address,
    Contact,
    DeliveredLine,
    DeliveryRecord,
    Document,
    IncomingOrder,
    RateLimited,
    Refused,
    Role,
    Unavailable,
)
from tests.connectors.xero_worlds import bakery
from tests.fakes.xero import MONDAY, FakeXero, uuid

PDF = Document("POD 1001.pdf", "application/pdf", b"%PDF-1.7 proof")
LINK = "https://hub.example/p/abc"


@pytest.fixture
def fake() -> Iterator[FakeXero]:
    made = FakeXero()
    yield made
    assert made.wrong == []


def a_record(ref: str = "A", **given: Any) -> DeliveryRecord:
    usual: dict[str, Any] = {
        "key": "event-1",
        "order_ref": "shop-1",
        "order_number": "#1001",
        "outcome": "succeeded",
        "at": MONDAY,
        "received_by": "Sam",
        "driver": "Kim",
        "proof_url": LINK,
        "documents": (PDF,),
        "target": f"invoice/{uuid(ref)}",
    }
    return DeliveryRecord(**(usual | given))


def an_order(number: str = "#1001", **given: Any) -> IncomingOrder:
    buyer = Contact(Role.BUYER, "Ana", email="Ana@Example.com")
    usual: dict[str, Any] = {
        "ref": "shop-1",
        "number": number,
        "updated_at": MONDAY,
        "address": Address(("1 High St",)),
        "contacts": (buyer,),
    }
    return IncomingOrder(**(usual | given))


def refs(xero: Xero, order: IncomingOrder) -> set[str]:
    return {candidate.ref for candidate in xero.find(order)}


def invoices(*names: str) -> set[str]:
    return {f"invoice/{uuid(name)}" for name in names}


class TestFinding:
    def test_the_invoice_of_the_orders_number(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.put("A", MONDAY, InvoiceNumber="1001")
        fake.put("B", MONDAY, InvoiceNumber="10012")
        xero = bakery(fake, tmp_path, find_by="number")
        [found] = xero.find(an_order())
        assert found.ref == f"invoice/{uuid('A')}"
        assert found.label == "1001 · Ana · 13.00 NZD"
        assert found.why == "same number"
        assert [one.ref for one in xero.numbered("10012")] == [f"invoice/{uuid('B')}"]
        assert xero.numbered("1001x") == []

    @pytest.mark.parametrize(
        ("reference", "fits"),
        [
            ("1001", True),
            ("#1001", True),
            ("Shop order #1001, thanks", True),
            ("10012", False),
            ("21001", False),
            ("A-1001", False),
            ("", False),
        ],
    )
    def test_a_reference_names_the_order_as_a_word(
        self, fake: FakeXero, tmp_path: Path, reference: str, fits: bool
    ) -> None:
        fake.put("A", MONDAY, Reference=reference)
        found = refs(bakery(fake, tmp_path, find_by="reference"), an_order())
        assert found == (invoices("A") if fits else set())

    def test_prefixes_of_ones_own_are_stripped(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.put("A", MONDAY, InvoiceNumber="77")
        xero = bakery(fake, tmp_path, prefixes="# web-")
        assert refs(xero, an_order("WEB-77")) == invoices("A")

    def test_every_invoice_that_fits_is_returned_once(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.put("A", MONDAY, InvoiceNumber="1001", Reference="#1001")
        fake.put("B", MONDAY, Reference="1001")
        found = bakery(fake, tmp_path).find(an_order())
        assert [c.ref for c in found] == [f"invoice/{uuid('A')}", f"invoice/{uuid('B')}"]
        assert [c.why for c in found] == ["same number", "its reference names the order"]

    def test_what_fits_may_stand_on_a_later_page(self, fake: FakeXero, tmp_path: Path) -> None:
        for n in range(9):
            fake.put(f"R{n}", MONDAY, Reference=f"1001{n}")
        fake.put("A", MONDAY + timedelta(days=1), Reference="1001")
        xero = bakery(fake, tmp_path, find_by="reference")
        assert refs(xero, an_order()) == invoices("A")

    def test_voided_invoices_and_bills_do_not_fit(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.put("A", MONDAY, InvoiceNumber="1001", Status="VOIDED")
        fake.put("B", MONDAY, InvoiceNumber="1001", Type="ACCPAY")
        assert bakery(fake, tmp_path).find(an_order()) == []

    def test_the_same_contact_can_be_asked_for(self, fake: FakeXero, tmp_path: Path) -> None:
        ana = fake.contact("ana", "Ito Ltd", EmailAddress="ana@example.com")
        ben = fake.contact("ben", "Ben", EmailAddress="ben@example.com")
        fake.put("A", MONDAY, Reference="1001", Contact=ana)
        fake.put("B", MONDAY, Reference="1001", Contact=ben)
        [found] = bakery(fake, tmp_path, same_contact=True).find(an_order())
        assert found.ref == f"invoice/{uuid('A')}"
        assert found.why == "its reference names the order, same contact"

    def test_the_same_amount_can_be_asked_for(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.put("A", MONDAY, Reference="1001", AmountDue=13.0)
        fake.put("B", MONDAY, Reference="1001", AmountDue=99.0, Total=99.0)
        fake.put("C", MONDAY, Reference="1001", CurrencyCode="AUD")
        xero = bakery(fake, tmp_path, same_amount=True)
        assert refs(xero, an_order(payment_due="13.00 NZD")) == invoices("A")
        assert refs(xero, an_order()) == set()

    def test_a_contact_alone_can_be_the_rule(self, fake: FakeXero, tmp_path: Path) -> None:
        ana = fake.contact("ana", "Ito Ltd", EmailAddress="ana@example.com")
        other = fake.contact("x", "Other", EmailAddress="not.ana@example.com")
        fake.put("A", MONDAY, Contact=ana)
        fake.put("B", MONDAY, Contact=ana, AmountDue=50.0)
        fake.put("C", MONDAY, Contact=other)
        xero = bakery(fake, tmp_path, find_by="contact")
        assert refs(xero, an_order()) == invoices("A", "B")
        assert refs(xero, an_order(contacts=())) == set()
        both = bakery(fake, tmp_path, find_by="contact", same_amount=True)
        assert refs(both, an_order(payment_due="50.00 NZD")) == invoices("B")

    def test_an_order_from_xero_is_its_own_invoice_or_quote(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        fake.put("A", MONDAY)
        fake.quote("Q", MONDAY)
        xero = bakery(fake, tmp_path, reads="both")
        orders = [order for page in xero.pages(None) for order in page.orders]
        found = [candidate.ref for order in orders for candidate in xero.find(order)]
        assert found == [f"invoice/{uuid('A')}", f"quote/{uuid('Q')}"]

    def test_an_order_of_no_number_fits_nothing(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.put("A", MONDAY)
        assert bakery(fake, tmp_path).find(an_order("")) == []
        assert fake.calls == []


class TestFiling:
    def test_a_delivery_is_one_line_and_one_file(self, fake: FakeXero, tmp_path: Path) -> None:
        before = dict(fake.put("A", MONDAY))
        where = bakery(fake, tmp_path, time_zone="Pacific/Auckland").record(a_record())
        assert where == "INV-A in Xero: history and notes, files"
        [filed] = fake.notes("A")
        name = file_name("POD 1001.pdf", "event-1")
        assert filed == (
            "Delivered 4 Mar 2024 19:00 NZDT. Received by Sam. Proof: https://hub.example/p/abc."
            f" Driver Kim. Attached: {name} {marker(a_record())}"
        )
        assert fake.files("A") == {name: (PDF.content, False)}
        after = fake.home.invoices[uuid("A")]
        changed = {key for key in before if before[key] != after[key]}
        assert changed == {"HasAttachments"}

    @pytest.mark.parametrize(
        ("outcome", "begins"),
        [
            ("succeeded", "Delivered 4 Mar"),
            ("partial", "Delivered in part 4 Mar"),
            ("failed", "Not delivered 4 Mar"),
            ("skipped", "Not attempted 4 Mar"),
            ("cancelled", "Delivery cancelled 4 Mar"),
            ("returned", "Returned 4 Mar"),
            ("lost_at_sea", "Lost at sea 4 Mar"),
        ],
    )
    def test_every_outcome_is_recorded(
        self, fake: FakeXero, tmp_path: Path, outcome: str, begins: str
    ) -> None:
        fake.put("A", MONDAY)
        given = a_record(outcome=outcome, reason="nobody home", attempt=2, documents=())
        assert bakery(fake, tmp_path).record(given) == "INV-A in Xero: history and notes"
        [filed] = fake.notes("A")
        assert filed.startswith(begins)
        assert "nobody home" in filed
        assert "Attempt 2" in filed
        assert fake.files("A") == {}

    def test_a_partial_delivery_says_what_was_short(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.put("A", MONDAY)
        lines = (
            DeliveredLine(0, "Sourdough", 3, 1, "damaged"),
            DeliveredLine(1, "Cake", 1, 1),
        )
        bakery(fake, tmp_path).record(a_record(outcome="partial", lines=lines))
        [filed] = fake.notes("A")
        assert "1 of 3 Sourdough (damaged)" in filed
        assert "Cake" not in filed

    @pytest.mark.parametrize("key", ["event-1", "event-2"])
    def test_late_proof_is_a_line_of_its_own(
        self, fake: FakeXero, tmp_path: Path, key: str
    ) -> None:
        fake.put("A", MONDAY)
        xero = bakery(fake, tmp_path)
        xero.record(a_record(documents=()))
        for _ in range(2):
            xero.record(a_record(key=key, late_proof=True))
        assert [n.startswith("Proof of delivery added later") for n in fake.notes("A")] == [
            False,
            True,
        ]
        assert len(fake.files("A")) == 1

    def test_a_quote_is_filed_at_in_the_same_way(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.quote("Q", MONDAY)
        xero = bakery(fake, tmp_path, include_online=True)
        assert xero.record(a_record(target=f"quote/{uuid('Q')}")).startswith("Quote QU-Q in Xero")
        assert len(fake.notes("Q")) == len(fake.files("Q")) == 1

    def test_the_customer_sees_the_proof_only_if_asked_for(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        fake.put("A", MONDAY)
        bakery(fake, tmp_path, include_online=True).record(a_record())
        assert [online for _, online in fake.files("A").values()] == [True]

    def test_the_mark_sent_is_off_unless_asked_for(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.put("A", MONDAY)
        bakery(fake, tmp_path).record(a_record())
        assert "SentToContact" not in fake.home.invoices[uuid("A")]
        marking = bakery(fake, tmp_path, mark_sent=True)
        marking.record(a_record(key="event-2", outcome="failed"))
        assert "SentToContact" not in fake.home.invoices[uuid("A")]
        marking.record(a_record(key="event-3"))
        marking.record(a_record(key="event-4"))
        assert fake.home.invoices[uuid("A")]["SentToContact"] is True
        assert len(fake.asked("Invoices", "POST")) == 1

    def test_a_draft_is_not_marked_as_sent(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.put("A", MONDAY, Status="DRAFT")
        bakery(fake, tmp_path, mark_sent=True).record(a_record())
        assert fake.asked("Invoices", "POST") == []

    def test_two_documents_are_two_files(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.put("A", MONDAY)
        photo = Document("Photo.jpg", "image/jpeg", b"jpeg")
        xero = bakery(fake, tmp_path)
        xero.record(a_record(documents=(PDF, photo)))
        xero.record(a_record(documents=(PDF, photo)))
        assert sorted(content for content, _ in fake.files("A").values()) == [PDF.content, b"jpeg"]


class TestAgain:
    @pytest.mark.parametrize("keys_known", [True, False])
    def test_a_repeat_writes_nothing(
        self, fake: FakeXero, tmp_path: Path, keys_known: bool
    ) -> None:
        fake.put("A", MONDAY)
        xero = bakery(fake, tmp_path, mark_sent=True)
        first = xero.record(a_record())
        if not keys_known:
            fake.forget_keys()
        assert xero.record(a_record()) == first
        assert len(fake.notes("A")) == len(fake.files("A")) == 1
        assert len(fake.asked("Invoices", "PUT")) == 2

    @pytest.mark.parametrize("keys_known", [True, False])
    @pytest.mark.parametrize("lost", [1, 2, 3])
    def test_cut_off_anywhere_it_goes_on_where_it_was(
        self, fake: FakeXero, tmp_path: Path, lost: int, keys_known: bool
    ) -> None:
        """Each write was carried out and its answer lost."""
        fake.put("A", MONDAY)
        xero = bakery(fake, tmp_path, mark_sent=True)
        for _ in range(lost):
            fake.lost_answers = 1
            with pytest.raises(Unavailable):
                xero.record(a_record())
            if not keys_known:
                fake.forget_keys()
        fake.lost_answers = 0
        xero.record(a_record())
        assert len(fake.notes("A")) == len(fake.files("A")) == 1
        assert fake.home.invoices[uuid("A")]["SentToContact"] is True
        assert len([c for c in fake.calls if c.method in ("PUT", "POST")]) == 3

    def test_another_record_of_the_same_order_is_filed_beside_it(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        fake.put("A", MONDAY)
        xero = bakery(fake, tmp_path)
        xero.record(a_record(outcome="failed"))
        xero.record(a_record(key="event-2", attempt=2))
        assert len(fake.notes("A")) == len(fake.files("A")) == 2  # no file in another's place

    def test_what_we_wrote_comes_back_as_no_change(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.put("A", MONDAY)
        xero = bakery(fake, tmp_path)
        [page] = xero.pages(None)
        fake.wait(minutes=5)
        xero.record(a_record())
        [echo] = xero.pages(page.cursor)
        assert echo.orders[0].updated_at == MONDAY + timedelta(minutes=5)
        assert replace(echo.orders[0], updated_at=MONDAY) == page.orders[0]


class TestRefused:
    @pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
    def test_an_invoice_taken_back_takes_no_record(
        self, fake: FakeXero, tmp_path: Path, status: str
    ) -> None:
        fake.put("A", MONDAY, Status=status)
        with pytest.raises(Refused, match=f"INV-A was {status.lower()} in Xero"):
            bakery(fake, tmp_path).record(a_record())
        assert fake.notes("A") == []

    def test_an_invoice_that_is_gone_is_said_in_words(self, fake: FakeXero, tmp_path: Path) -> None:
        with pytest.raises(Refused, match="#1001 is not in Xero any more"):
            bakery(fake, tmp_path).record(a_record())

    def test_no_target_is_said_in_words(self, fake: FakeXero, tmp_path: Path) -> None:
        with pytest.raises(Refused, match="No invoice was chosen"):
            bakery(fake, tmp_path).record(a_record(target=""))

    def test_a_closed_period_is_refused_in_xeros_words(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        fake.put("A", MONDAY)
        fake.home.locked.add(uuid("A"))
        with pytest.raises(Refused, match="period lock date"):
            bakery(fake, tmp_path).record(a_record())

    def test_an_eleventh_file_is_refused_and_the_line_is_there(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        fake.put("A", MONDAY)
        fake.home.files[uuid("A")] = {f"{n}.pdf": (b"x", False) for n in range(10)}
        xero = bakery(fake, tmp_path)
        with pytest.raises(Refused, match="INV-A has 10 files"):
            xero.record(a_record())
        assert len(fake.notes("A")) == 1
        del fake.home.files[uuid("A")]["3.pdf"]  # somebody made room
        xero.record(a_record())
        assert len(fake.notes("A")) == 1
        assert len(fake.files("A")) == 10

    def test_too_large_a_proof_is_refused_and_the_line_is_there(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        fake.put("A", MONDAY)
        large = replace(PDF, content=b"x" * 12_300_000)
        with pytest.raises(Refused, match=r"12\.3 MB; Xero takes 10 MB"):
            bakery(fake, tmp_path).record(a_record(documents=(large,)))
        assert len(fake.notes("A")) == 1

    def test_a_used_up_minute_is_waited_for_without_a_second_line(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        fake.put("A", MONDAY)
        fake.use_up(minute=57)
        xero = bakery(fake, tmp_path)
        with pytest.raises(RateLimited):
            xero.record(a_record())
        fake.wait(minutes=1)
        xero.record(a_record())
        assert len(fake.notes("A")) == len(fake.files("A")) == 1


class TestWords:
    def test_the_least_needed_is_left_out_of_a_full_note(self) -> None:
        said = note(a_record(note="x" * 400, reason="r" * 60, received_by="Sam"), "UTC")
        assert len(said) <= LONGEST_NOTE
        assert "Received by Sam" in said
        assert LINK in said
        assert said.endswith(marker(a_record()))
        assert "…" in said

    def test_a_link_is_whole_or_not_there(self) -> None:
        said = note(a_record(reason="r" * 120, received_by="s" * 60), "UTC")
        assert len(said) <= LONGEST_NOTE
        assert "https" not in said or LINK in said

    @given(
        reason=st.text(max_size=400),
        received_by=st.text(max_size=400),
        words=st.text(max_size=400),
        outcome=st.sampled_from(["succeeded", "failed"]),
        key=st.text(min_size=1),
    )
    def test_a_note_is_never_too_long_and_always_marked(
        self, reason: str, received_by: str, words: str, outcome: str, key: str
    ) -> None:
        given = a_record(
            reason=reason, received_by=received_by, note=words, outcome=outcome, key=key
        )
        said = note(given, "Pacific/Auckland", ("POD.pdf",))
        assert len(said) <= LONGEST_NOTE
        assert said.endswith(marker(given))
        assert "\n" not in said

    @given(st.text(), st.text(min_size=1))
    def test_a_file_name_is_one_that_every_system_takes(self, name: str, key: str) -> None:
        made = file_name(name, key)
        assert made.isascii()
        assert not set(made) & set('<>:"/\\|?*[]{}#%')
        assert 0 < len(made) <= 140

    @pytest.mark.parametrize("key", ["event-1", "k" * 200, "ключ"])
    def test_an_idempotency_key_fits(self, key: str) -> None:
        made = idempotency_key(key, "note")
        assert len(made) <= 128
        assert made.isascii()
        assert made != idempotency_key(key, "pdf")

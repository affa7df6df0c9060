"""Reading on: what changed since, what was taken back, what it costs, what is in the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from requests.adapters import HTTPAdapter

from connectors.xero.mapping import to_order
from connectors.xero.source import Xero
from hub import AuthError, BadRecord, IncomingOrder, RateLimited, Refused, Unavailable
from hub.testing import lent, serve
from tests.connectors.xero_worlds import bakery, connected, kept
from tests.fakes.xero import MONDAY, ORIGINS, FakeXero, uuid

LATER = MONDAY + timedelta(hours=1)


@pytest.fixture
def fake() -> Iterator[FakeXero]:
    made = FakeXero()
    yield made
    assert made.wrong == []


def read(xero: Xero, cursor: str | None = None) -> list[IncomingOrder]:
    return [order for page in xero.pages(cursor) for order in page.orders]


def cursor_after(xero: Xero, cursor: str | None = None) -> str:
    return list(xero.pages(cursor))[-1].cursor


def test_a_voided_or_deleted_invoice_withdraws_its_order(fake: FakeXero, tmp_path: Path) -> None:
    xero = bakery(fake, tmp_path)
    for ref in ("A", "B", "C"):
        fake.put(ref, MONDAY)
    cursor = cursor_after(xero)
    fake.put("A", LATER, Status="VOIDED")
    fake.put("B", LATER, Status="DELETED")
    changed = {order.ref: order.status for order in read(xero, cursor) if order.updated_at == LATER}
    assert changed == {uuid("A"): "cancelled", uuid("B"): "cancelled"}


def test_only_the_statuses_chosen_become_orders(fake: FakeXero, tmp_path: Path) -> None:
    for status in ("DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"):
        fake.put(status, MONDAY, Status=status)
    assert [o.number for o in read(bakery(fake, tmp_path))] == ["INV-AUTHORISED"]
    both = bakery(fake, tmp_path, statuses=["AUTHORISED", "PAID"])
    assert {o.number for o in read(both)} == {"INV-AUTHORISED", "INV-PAID"}


def test_a_suppliers_bill_is_no_order(fake: FakeXero, tmp_path: Path) -> None:
    fake.put("BILL", MONDAY, Type="ACCPAY")
    xero = bakery(fake, tmp_path)
    assert read(xero) == []
    assert xero.one(uuid("BILL")) is None


def test_a_paid_invoice_asks_for_no_money_at_the_door(fake: FakeXero, tmp_path: Path) -> None:
    xero = bakery(fake, tmp_path, statuses=["AUTHORISED", "PAID"])
    fake.put("A", MONDAY)
    [before] = read(xero)
    fake.put("A", LATER, Status="PAID", AmountDue=0.0)
    [after] = read(xero, f"{before.updated_at.isoformat()}/")
    assert (before.payment_due, after.payment_due) == ("13.00 NZD", "")


def test_what_was_issued_long_ago_is_taken_as_delivered(fake: FakeXero, tmp_path: Path) -> None:
    fake.put("OLD", MONDAY - timedelta(days=40))
    fake.put("NEW", MONDAY - timedelta(days=20))
    xero = bakery(fake, tmp_path)
    assert [o.number for o in read(xero)] == ["INV-NEW"]
    old = fake.put("OLD", LATER, Date="/Date(1706000000000+0000)/")  # a reminder was sent
    cursor = f"{MONDAY.isoformat()}/"
    assert "INV-OLD" not in {o.number for o in read(xero, cursor)}
    old["Status"] = "VOIDED"
    assert [o.status for o in read(xero, cursor)] == ["cancelled"]
    assert [o.number for o in read(bakery(fake, tmp_path, days_back=90))] == ["INV-NEW"]


def test_quotes_are_read_when_asked_for_with_a_cursor_of_their_own(
    fake: FakeXero, tmp_path: Path
) -> None:
    xero = bakery(fake, tmp_path, reads="both")
    fake.put("I", MONDAY)
    fake.quote("Q", MONDAY + timedelta(minutes=5))
    fake.quote("DRAFT", MONDAY, Status="DRAFT")
    assert {o.number for o in read(xero)} == {"INV-I", "QU-Q"}
    cursor = cursor_after(xero)
    assert cursor.split("/") == [
        MONDAY.isoformat(),
        (MONDAY + timedelta(minutes=5)).isoformat(),
    ]
    fake.quote("Q", LATER, Status="INVOICED")
    changed = [o for o in read(xero, cursor) if o.updated_at == LATER]
    assert [(o.number, o.status) for o in changed] == [("QU-Q", "cancelled")]
    assert xero.one(uuid("Q")) == changed[0]
    assert fake.asked("Quotes")


def test_more_quotes_than_a_page_all_arrive(fake: FakeXero, tmp_path: Path) -> None:
    for n in range(230):
        fake.quote(f"Q{n}", MONDAY + timedelta(seconds=n // 120))
    xero = bakery(fake, tmp_path, reads="quotes")
    assert len({o.ref for o in read(xero)}) == 230


def test_xero_may_be_only_the_books(fake: FakeXero, tmp_path: Path) -> None:
    fake.put("A", MONDAY)
    xero = bakery(fake, tmp_path, reads="nothing")
    assert list(xero.pages(None)) == []
    assert fake.calls == []
    assert xero.one(uuid("A")) is None


def test_the_time_asked_from_is_really_sent_as_plain_utc(fake: FakeXero, tmp_path: Path) -> None:
    xero = bakery(fake, tmp_path)
    fake.put("A", MONDAY + timedelta(milliseconds=700))
    cursor = cursor_after(xero)
    assert "if-modified-since" not in fake.asked("Invoices")[0].headers
    read(xero, cursor)
    asked = fake.asked("Invoices")[-1]
    assert asked.headers["if-modified-since"] == "2024-03-04T05:59:59"
    assert asked.query["Statuses"] == "AUTHORISED,DELETED,VOIDED"
    assert asked.query["where"] == 'Type=="ACCREC"'


def test_a_quiet_hour_costs_one_call(fake: FakeXero, tmp_path: Path) -> None:
    xero = bakery(fake, tmp_path)
    fake.put("A", MONDAY)
    cursor = cursor_after(xero)
    fake.home.changed[uuid("A")] = MONDAY - timedelta(days=1)  # nothing in the overlap either
    fake.calls.clear()
    assert read(xero, cursor) == []
    assert len(fake.calls) == 1


def test_contacts_come_in_batches_and_once_each(fake: FakeXero, tmp_path: Path) -> None:
    fake.page_size = 200
    everyone = [fake.contact(f"c{n}", f"Name {n}") for n in range(120)]
    for n in range(180):
        fake.put(f"R{n}", MONDAY + timedelta(seconds=n), Contact=everyone[n % 120])
    orders = read(bakery(fake, tmp_path))
    assert {o.recipient.name for o in orders} == {f"Name {n}" for n in range(120)}
    assert len(fake.asked("Contacts")) == 3


def test_an_archived_contact_still_has_an_address(fake: FakeXero, tmp_path: Path) -> None:
    gone = fake.contact("c", "Ben", ContactStatus="ARCHIVED")
    fake.put("A", MONDAY, Contact=gone)
    assert [o.address.city for o in read(bakery(fake, tmp_path))] == ["Wellington"]


def test_a_contact_that_is_not_there_sets_its_invoice_aside(fake: FakeXero, tmp_path: Path) -> None:
    fake.put("A", MONDAY)
    fake.home.contacts.clear()
    xero = bakery(fake, tmp_path)
    [page] = xero.pages(None)
    assert [reject.ref for reject in page.rejects] == [uuid("A")]
    with pytest.raises(BadRecord, match="address"):
        xero.one(uuid("A"))


def test_one_is_none_for_what_is_not_in_xero_or_not_to_be_delivered(
    fake: FakeXero, tmp_path: Path
) -> None:
    fake.put("DRAFT", MONDAY, Status="DRAFT")
    xero = bakery(fake, tmp_path, reads="both")
    assert xero.one(uuid("NOWHERE")) is None
    assert xero.one(uuid("DRAFT")) is None


def test_an_invoice_without_a_readable_time_holds_nothing_up(
    fake: FakeXero, tmp_path: Path
) -> None:
    for n in range(4):
        fake.put(f"BAD{n}", MONDAY)["UpdatedDateUTC"] = "soon"
    fake.put("GOOD", MONDAY + timedelta(minutes=1))
    pages = list(bakery(fake, tmp_path).pages(None))
    assert [o.number for page in pages for o in page.orders] == ["INV-GOOD"]
    assert len({reject.ref for page in pages for reject in page.rejects}) == 4


class TestLimits:
    def test_the_last_call_of_a_minute_is_not_followed_by_another(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        for n in range(40):
            fake.put(f"R{n}", MONDAY + timedelta(minutes=n))
        fake.use_up(minute=54)
        xero, seen = bakery(fake, tmp_path), []
        with pytest.raises(RateLimited) as caught:
            for page in xero.pages(None):
                seen.append(page)
        assert caught.value.retry_after == 60
        assert seen
        assert all(call.status != 429 for call in fake.calls)
        fake.wait(minutes=1)
        rest = read(xero, seen[-1].cursor)
        assert len({o.ref for page in seen for o in page.orders} | {o.ref for o in rest}) == 40

    def test_a_minute_used_up_by_others_is_waited_for(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.use_up(minute=60)
        fake.clock += timedelta(seconds=20)
        with pytest.raises(RateLimited) as caught:
            read(bakery(fake, tmp_path))
        assert caught.value.retry_after == 40

    def test_a_day_used_up_is_said_in_words(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.use_up(day=5000)
        with pytest.raises(RateLimited, match="used up .*22 h 0 min") as caught:
            read(bakery(fake, tmp_path))
        assert caught.value.retry_after == 22 * 3600

    def test_reading_leaves_the_last_calls_of_a_day_to_records(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        for n in range(20):
            fake.put(f"R{n}", MONDAY + timedelta(minutes=n))
        fake.use_up(day=4898)
        xero = bakery(fake, tmp_path)
        with pytest.raises(RateLimited, match="used up"):
            read(xero)
        assert xero.find(read_one(fake, tmp_path)) != []

    def test_too_many_at_a_time_is_a_short_pause(self, fake: FakeXero, tmp_path: Path) -> None:
        fake.running[fake.home.tenant_id] = 5
        with pytest.raises(RateLimited) as caught:
            read(bakery(fake, tmp_path))
        assert caught.value.retry_after == 1

    def test_a_pause_asked_for_at_the_sign_in_is_passed_on(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        xero = bakery(fake, tmp_path)
        kept(xero.tools).kept["expires_at"] = MONDAY.isoformat()
        fake.be("busy")
        with pytest.raises(RateLimited) as caught:
            read(xero)
        assert caught.value.retry_after == 7


def read_one(fake: FakeXero, folder: Path) -> IncomingOrder:
    """An order that came from Xero, as the hub has it since."""
    record = fake.home.invoices[uuid("R0")]
    contact = fake.home.contacts[record["Contact"]["ContactID"]]
    return to_order("invoice", record, contact, bakery(fake, folder).settings)


class TestTrouble:
    @pytest.mark.parametrize("mood", ["half", "babbling", "down"])
    def test_half_an_answer_or_none_is_tried_again_later(
        self, fake: FakeXero, tmp_path: Path, mood: str
    ) -> None:
        fake.put("A", MONDAY)
        xero = bakery(fake, tmp_path)
        fake.be(mood)
        with pytest.raises(Unavailable):
            read(xero)
        with pytest.raises(Unavailable):
            xero.one(uuid("A"))
        with pytest.raises(Unavailable):
            xero.check()

    def test_an_organisation_that_was_disconnected_asks_to_reconnect(
        self, fake: FakeXero, tmp_path: Path
    ) -> None:
        xero = bakery(fake, tmp_path)
        fake.disconnected.add(fake.home.tenant_id)
        with pytest.raises(AuthError, match="Reconnect") as caught:
            read(xero)
        assert caught.value.field == "tenant_id"

    def test_a_missing_permission_is_named(self, fake: FakeXero, tmp_path: Path) -> None:
        xero = bakery(fake, tmp_path)
        kept(xero.tools).kept = fake.tokens(scopes=["offline_access", "accounting.contacts.read"])
        with pytest.raises(AuthError, match="permission"):
            read(xero)
        assert kept(xero.tools).refreshes == 0  # another token would say the same

    def test_no_secret_and_nobodys_address_stands_in_an_error(
        self, fake: FakeXero, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        fake.put("A", MONDAY)
        told: list[str] = []
        for mood in ("down", "babbling", "half", "busy", "locked"):
            xero = bakery(fake, tmp_path)
            fake.be("well")
            secrets = [*kept(xero.tools).kept.values(), fake.secret, fake.webhook_key, "High St"]
            fake.be(mood)
            with (
                caplog.at_level("DEBUG"),
                pytest.raises((AuthError, Unavailable, RateLimited, Refused)) as caught,
            ):
                read(xero)
            told += [str(caught.value), repr(caught.value), repr(xero.settings), caplog.text]
            assert not [s for s in secrets if any(s in text for text in told)]


def test_a_thousand_orders_are_read_in_few_calls(fake: FakeXero, tmp_path: Path) -> None:
    fake.page_size = 1000
    everyone = [fake.contact(f"c{n}", f"Name {n}") for n in range(100)]
    for n in range(1000):
        fake.put(f"R{n}", MONDAY + timedelta(seconds=n), Contact=everyone[n % 100])
    assert len({o.ref for o in read(bakery(fake, tmp_path))}) == 1000
    assert len(fake.asked("Invoices")) == 5  # 250 each, less the overlap
    assert len(fake.asked("Contacts")) == 2


def test_over_a_real_connection_a_reply_cut_off_is_an_outage(
    fake: FakeXero, tmp_path: Path
) -> None:
    fake.put("A", MONDAY)
    with serve(fake) as url:
        tools = lent(tmp_path, now=MONDAY)
        xero = connected(fake, tools)
        for origin in ORIGINS:
            tools.http.mount(origin, Elsewhere(url))
        assert [o.number for o in read(xero)] == ["INV-A"]
        fake.be("half")
        with pytest.raises(Unavailable):
            read(xero)


class Elsewhere:
    """Sends what is meant for Xero to ``url``, by a plain session: the hub's calls no loopback."""

    def __init__(self, url: str) -> None:
        self._url, self._adapter = url.rstrip("/"), HTTPAdapter()

    def send(self, request: Any, **kwargs: Any) -> Any:
        _, _, path = request.url.split("//", 1)[1].partition("/")
        request.url = f"{self._url}/{path}"
        return self._adapter.send(request, **kwargs)

    def close(self) -> None:
        self._adapter.close()

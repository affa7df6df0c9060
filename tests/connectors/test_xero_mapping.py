"""What an order takes from an invoice or a quote, and from its contact."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.xero.dates import date_in
from connectors.xero.mapping import Paper, moment, to_order
from connectors.xero.settings import XeroSettings, codes, weights_g
from hub import IncomingOrder, Role
from tests.fakes.xero import line, phone
from tests.fakes.xero_contract import data, loaded

ISSUED = date(2026, 11, 20)
STREET = {"AddressType": "STREET", "AddressLine1": "1 High St", "City": "Wellington"}
CONTACT: dict[str, Any] = {"ContactID": "c1", "Name": "Ana Ito", "Addresses": [STREET]}
INVOICE: dict[str, Any] = {
    "Type": "ACCREC",
    "InvoiceID": "7ef31b20-de17-4312-8382-412f869b1510",
    "InvoiceNumber": "INV-0042",
    "Status": "AUTHORISED",
    "Date": "/Date(1795132800000+0000)/",
    "DueDate": "/Date(1795824000000+0000)/",
    "UpdatedDateUTC": "/Date(1795152029000+0000)/",
    "CurrencyCode": "NZD",
    "AmountDue": 115.0,
}


def settings(**given: Any) -> XeroSettings:
    return XeroSettings(client_id="id", client_secret="secret", **given)


def order(
    record: dict[str, Any] | None = None,
    contact: dict[str, Any] | None = None,
    paper: Paper = "invoice",
    **given: Any,
) -> IncomingOrder:
    return to_order(paper, INVOICE | (record or {}), CONTACT | (contact or {}), settings(**given))


@cache
def description() -> dict[str, Any]:
    return loaded(data() / "xero_accounting.patched.yaml")


def samples(path: str, name: str) -> list[dict[str, Any]]:
    """The vendor's own example answer for a list."""
    answer = description()["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    return answer["example"][name]


def test_the_vendors_own_invoices_can_be_read() -> None:
    contact = samples("/Contacts", "Contacts")[0]
    read = [to_order("invoice", i, contact, settings()) for i in samples("/Invoices", "Invoices")]
    assert [o.number for o in read] == ["INV-0001", "INV-0002", "INV-0003"]
    assert [o.status for o in read] == ["cancelled", "open", "open"]
    assert [o.payment_due for o in read] == ["", "", "115.00 NZD"]
    assert read[2].updated_at == datetime(2018, 11, 2, 16, 37, 28, 927000, UTC)
    assert read[2].due_on == date(2018, 11, 7)


def test_the_vendors_own_contact_falls_back_to_its_postal_address() -> None:
    katherine = samples("/Contacts", "Contacts")[0]  # her street address has nothing in it
    read = order(contact=katherine)
    assert (read.address.city, read.address.region) == ("Palo Alto", "CA")
    assert (read.address.postcode, read.address.country) == ("94020", "US")
    assert read.recipient.name == "Katherine Warren"
    assert read.recipient.phone == "(626) 847-1294"  # no country code, so as it was typed
    assert read.recipient.email == "kat.warren@clampett.com"


def test_the_vendors_own_quote_can_be_read() -> None:
    [quote] = samples("/Quotes", "Quotes")
    read = to_order("quote", quote, CONTACT, settings())
    assert (read.ref, read.number) == ("be59294f-2a9c-4cee-8c64-0f0ddbc1883a", "QU-0001")
    assert read.due_on == date(2019, 10, 25)  # the day it expires
    assert [(x.title, x.sku, x.quantity) for x in read.lines] == [("Fish out of Water", "BOOK", 1)]
    assert read.payment_due == ""
    assert read.custom["xero_quote"] == read.ref
    assert read.custom["title"] == "Your Quote"


@pytest.mark.parametrize(
    ("sent", "moment_"),
    [
        ("/Date(1541176592690+0000)/", datetime(2018, 11, 2, 16, 36, 32, 690000, UTC)),
        ("/Date(1541176592690+1300)/", datetime(2018, 11, 2, 16, 36, 32, 690000, UTC)),
        ("/Date(1541176592690)/", datetime(2018, 11, 2, 16, 36, 32, 690000, UTC)),
        ("/Date(-86400000)/", datetime(1969, 12, 31, tzinfo=UTC)),
        ("2018-11-02T16:36:32", datetime(2018, 11, 2, 16, 36, 32, tzinfo=UTC)),
        ("2018-11-02T16:36:32Z", datetime(2018, 11, 2, 16, 36, 32, tzinfo=UTC)),
    ],
)
def test_a_time_is_utc_however_it_is_sent(sent: str, moment_: datetime) -> None:
    assert moment(sent) == moment_
    assert moment(sent).utcoffset() is not None


@pytest.mark.parametrize("sent", ["yesterday", "", None, "/Date()/", 5])
def test_what_is_no_time_is_a_value_error(sent: object) -> None:
    with pytest.raises(ValueError, match="isoformat"):
        moment(sent)


class TestWhere:
    def test_the_ship_to_address_of_the_invoice_comes_first(self) -> None:
        ship_to = {"InvoiceAddressType": "TO", "AddressLine1": "9 Dock Rd", "City": "Boston"}
        origin = {"InvoiceAddressType": "FROM", "AddressLine1": "Our bakery"}
        read = order({"InvoiceAddresses": [origin, ship_to]})
        assert read.address.lines == ("9 Dock Rd",)

    def test_all_four_lines_of_the_street_are_kept(self) -> None:
        lines = {f"AddressLine{n}": f"line {n}" for n in range(1, 5)}
        read = order(contact={"Addresses": [{"AddressType": "STREET", **lines}]})
        assert read.address.lines == ("line 1", "line 2", "line 3", "line 4")

    @pytest.mark.parametrize(
        ("written", "code"),
        [("New Zealand", "NZ"), ("nz", "NZ"), ("U.K.", "GB"), ("United States", "US"), ("", "AU")],
    )
    def test_a_country_in_words_becomes_its_code(self, written: str, code: str) -> None:
        read = order(contact={"Addresses": [STREET | {"Country": written}]}, country="au")
        assert read.address.country == code

    def test_a_country_nobody_knows_stays_in_the_address(self) -> None:
        read = order(contact={"Addresses": [STREET | {"Country": "Narnia"}]})
        assert (read.address.lines, read.address.country) == (("1 High St", "Narnia"), "")

    def test_no_address_at_all_is_no_order(self) -> None:
        with pytest.raises(ValueError, match="address"):
            order(contact={"Addresses": []})

    def test_a_voided_invoice_needs_no_address(self) -> None:
        read = order({"Status": "VOIDED"}, {"Addresses": None})
        assert read.status == "cancelled"


class TestWho:
    def test_a_company_with_a_person_names_both(self) -> None:
        read = order(contact={"Name": "Ito Ltd", "FirstName": "Ana", "LastName": "Ito"})
        assert (read.recipient.name, read.recipient.company) == ("Ana Ito", "Ito Ltd")
        buyer = read.contact(Role.BUYER)
        assert buyer is not None
        assert (buyer.name, buyer.company) == ("Ana Ito", "Ito Ltd")

    def test_attention_names_who_is_at_the_door(self) -> None:
        door = STREET | {"AttentionTo": "Goods in"}
        read = order(contact={"Name": "Ito Ltd", "FirstName": "Ana", "Addresses": [door]})
        assert (read.recipient.name, read.recipient.company) == ("Goods in", "Ito Ltd")
        buyer = read.contact(Role.BUYER)
        assert buyer is not None
        assert buyer.name == "Ana"

    def test_a_contact_of_one_name_is_the_recipient(self) -> None:
        read = order()
        assert (read.recipient.name, read.recipient.company) == ("Ana Ito", "")

    def test_a_mobile_comes_before_the_default_and_the_direct_dial(self) -> None:
        phones = [phone("DDI", "3"), phone("DEFAULT", "2"), phone("MOBILE", "1"), phone("FAX", "9")]
        assert order(contact={"Phones": phones}).recipient.phone == "1"
        assert order(contact={"Phones": phones[:2]}).recipient.phone == "2"
        assert order(contact={"Phones": phones[:1]}).recipient.phone == "3"
        assert order(contact={"Phones": phones[3:]}).recipient.phone == ""

    @pytest.mark.parametrize(
        ("number", "area", "country", "phone_"),
        [
            ("123 4567", "21", "64", "+64211234567"),
            ("123 4567", "021", "+64", "+64211234567"),
            ("06 1234", "", "0039", "+39061234"),  # Italy keeps its zero
            ("+64 21 123 4567", "", "", "+64211234567"),
            ("123 4567", "021", "", "021 123 4567"),
        ],
    )
    def test_a_phone_is_international_only_if_xero_says_so(
        self, number: str, area: str, country: str, phone_: str
    ) -> None:
        given = [phone("MOBILE", number, area, country)]
        assert order(contact={"Phones": given}).recipient.phone == phone_

    def test_groups_of_the_contact_are_tags(self) -> None:
        groups = [{"Name": "Trade"}, {"Name": "North run"}]
        assert order(contact={"ContactGroups": groups}).tags == ("Trade", "North run")


class TestWhat:
    def test_lines_carry_code_quantity_and_weight_for_one_piece(self) -> None:
        read = order(
            {"LineItems": [line("Sourdough", 2, 6.5, "bread"), line("Cake", 1, 30.0, "CAKE")]},
            weights="BREAD = 800 g; Cake = 1.2 kg",
        )
        assert [(x.title, x.quantity, x.sku, x.weight_g) for x in read.lines] == [
            ("Sourdough", 2, "bread", 800),
            ("Cake", 1, "CAKE", 1200),
        ]
        assert read.load_g == 2800

    def test_a_measure_is_one_piece_of_its_weight(self) -> None:
        read = order({"LineItems": [line("Flour, kg", 2.5, 3.0, "FLOUR")]}, weights="FLOUR=1kg")
        assert [(x.title, x.quantity, x.weight_g) for x in read.lines] == [
            ("Flour, kg × 2.5", 1, 2500)
        ]

    def test_freight_discounts_and_returns_are_no_goods(self) -> None:
        lines = [
            line("Delivery", 1, 9.0, "freight"),
            line("Loyalty", 1, -2.0),
            line("Back", -1, 5.0, "BREAD"),
            line("Sourdough", 1, 6.5),
        ]
        read = order({"LineItems": lines}, not_goods="FREIGHT, FEE")
        assert [x.title for x in read.lines] == ["Sourdough"]

    def test_a_line_of_text_is_an_instruction(self) -> None:
        lines = [{"Description": "Leave with\n the porter"}, line("Sourdough", 1, 6.5)]
        read = order({"LineItems": lines})
        assert read.instructions == "Leave with the porter"
        assert [x.title for x in read.lines] == ["Sourdough"]

    def test_what_is_given_away_is_delivered_too(self) -> None:
        assert len(order({"LineItems": [line("Sample", 1, 0.0, "S")]}).lines) == 1

    def test_a_line_without_a_description_is_named_by_its_item(self) -> None:
        bare = {"ItemCode": "BREAD", "Quantity": 1, "Item": {"Name": "Sourdough"}}
        assert order({"LineItems": [bare]}).lines[0].title == "Sourdough"

    def test_what_is_still_due_is_collected(self) -> None:
        assert order().payment_due == "115.00 NZD"
        assert order({"AmountDue": 0}).payment_due == ""
        assert order({"AmountDue": None}).payment_due == ""
        assert order(collect_amount_due=False).payment_due == ""

    def test_the_source_stays_known(self) -> None:
        read = order({"Reference": "PO 7"}, {"AccountNumber": "C-9"})
        assert read.custom == {
            "xero_invoice": INVOICE["InvoiceID"],
            "reference": "PO 7",
            "account_number": "C-9",
        }

    def test_a_collection_is_a_setting(self) -> None:
        assert order(kind="collect").kind == "collect"


class TestWhen:
    def test_the_due_date_is_the_day_unless_told_otherwise(self) -> None:
        assert order().due_on == date(2026, 11, 28)
        assert order(date_from="none").due_on is None
        expected = {"ExpectedPaymentDate": "/Date(1795910400000+0000)/"}
        assert order(expected, date_from="expected_payment_date").due_on == date(2026, 11, 29)

    def test_a_date_is_found_in_the_reference_or_in_a_line(self) -> None:
        reference = {"Reference": "PO 7, deliver 3/12/2026"}
        assert order(reference, date_from="reference").due_on == date(2026, 12, 3)
        assert order(reference, date_from="reference", month_first=True).due_on == date(2026, 3, 12)
        lines = {"LineItems": [line("Cake", 1, 3.0), {"Description": "For Sat 5 Dec"}]}
        assert order(lines, date_from="line").due_on == date(2026, 12, 5)

    def test_no_date_there_means_any_day(self) -> None:
        assert order({"Reference": "PO 7"}, date_from="reference").due_on is None
        assert order({"DueDate": None}).due_on is None

    @pytest.mark.parametrize(
        ("text", "day"),
        [
            ("2026-12-03", date(2026, 12, 3)),
            ("by 3.12.26", date(2026, 12, 3)),
            ("Thu 3rd December", date(2026, 12, 3)),
            ("Dec 3, 2026 please", date(2026, 12, 3)),
            ("3 January", date(2027, 1, 3)),
            ("16 Nov", date(2026, 11, 16)),  # billed some days after
            ("12 Market Street", None),
            ("31/02/2026", None),
            ("ratio 1/2", None),
            ("version 1.2.3", None),
            ("PO 2026-99-99", None),
            ("first 4 Dec, then 9 Dec", date(2026, 12, 4)),
        ],
    )
    def test_a_date_as_people_write_it(self, text: str, day: date | None) -> None:
        assert date_in(text, issued=ISSUED) == day

    @given(st.text())
    def test_no_text_breaks_the_search_for_a_date(self, text: str) -> None:
        date_in(text, issued=ISSUED)


class TestStatus:
    @pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
    def test_an_invoice_taken_back_cancels_the_order(self, status: str) -> None:
        assert order({"Status": status}).status == "cancelled"

    @pytest.mark.parametrize(
        ("status", "reads", "means"),
        [
            ("ACCEPTED", "quotes", "open"),
            ("DECLINED", "quotes", "cancelled"),
            ("DELETED", "quotes", "cancelled"),
            ("INVOICED", "quotes", "open"),
            ("INVOICED", "both", "cancelled"),  # the invoice takes over
        ],
    )
    def test_a_quote_ends_when_declined_or_taken_over(
        self, status: str, reads: str, means: str
    ) -> None:
        quote = {"QuoteID": "q1", "Status": status}
        assert order(quote, paper="quote", reads=reads).status == means


@given(
    st.dictionaries(
        st.sampled_from(
            sorted(INVOICE) + ["LineItems", "Contact", "Reference", "InvoiceAddresses"]
        ),
        st.none()
        | st.integers()
        | st.text()
        | st.lists(st.none() | st.dictionaries(st.text(), st.text())),
    )
)
@example({"AmountDue": 10**26})  # more than a quantized decimal holds
def test_a_mangled_invoice_is_set_aside_and_never_a_bug(change: dict[str, Any]) -> None:
    try:
        order(change)
    except (LookupError, TypeError, ValueError, AttributeError):
        pass


@pytest.mark.parametrize("text", ["BREAD", "BREAD = heavy", "= 5", "BREAD = -5", "BREAD = 5 lb"])
def test_a_weight_that_cannot_be_read_is_said_at_the_field(text: str) -> None:
    with pytest.raises(ValueError, match="BREAD = 800 g"):
        settings(weights=text)


def test_weights_and_codes_may_be_typed_freely() -> None:
    assert weights_g("bread=800; Cake : 1,5 KG ;\nX 1 = 2") == {
        "BREAD": 800,
        "CAKE": 1500,
        "X 1": 2,
    }
    assert codes("freight, Fee;x") == {"FREIGHT", "FEE", "X"}


def test_a_time_zone_there_is_not_is_said_at_the_field() -> None:
    with pytest.raises(ValueError, match="time zone"):
        settings(time_zone="Middle-earth/Shire")

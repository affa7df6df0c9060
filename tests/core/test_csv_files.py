"""What every sample file must come in as: a table of truths, read by hand."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.core.csv_orders import Preview, guess_columns, orders_from, read_table

DATA = Path(os.environ.get("HUB_TEST_DATA", "/nowhere")) / "imports"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="HUB_TEST_DATA names no test data")
NOW = datetime(2026, 12, 1, 6, tzinfo=UTC)
THIRD = date(2026, 12, 3)
TODAY = date(2026, 12, 1)


def preview(name: str, country: str) -> Preview:
    path = DATA / name
    table = read_table(path.read_bytes(), path.name)
    columns = guess_columns(table.headers, table.rows[:5])
    return orders_from(table, columns, zone=ZoneInfo("Europe/London"), country=country, now=NOW)


# file, country | per order: number ("" = none in the file), recipient, phone, first address
# line, city, postcode, lines, window hours, day
TRUTHS = [
    ("circuit_spoke_stops.csv", "GB", [
        ("", "Ali Example", "+447700900444", "10 Sample St", "Leeds", "LS1 1AA", [], "08:30-15:30", TODAY),
        ("", "Bo Example", "", "11 Sample St", "Leeds", "LS1 1AA", [], "10:30-23:59", TODAY),
    ]),
    ("de_shop_blank_continuation.csv", "DE", [
        ("WOO-1001", "Max Mustermann", "", "Musterstr. 1", "Berlin", "12345", [("Produkt A", 2), ("Produkt B", 1)], "", None),
    ]),
    ("ebay_orders_report_us.csv", "US", [
        ("24-10000-00001", "Pat Example", "+16175550101", "9 Sample Ave", "Boston", "02108", [("Demo card", 1)], "", None),
    ]),
    ("locate2u_stop_sheet.csv", "AU", [
        ("", "Kim Example", "+61491570006", "4/22 Fictional St, Fitzroy VIC 3065", "", "", [], "09:15-09:45", THIRD),
    ]),
    ("onfleet_tasks.csv", "US", [
        ("", "Jo Example", "+16175550103", "10 Sample St", "Boston", "02113", [], "09:00-12:00", THIRD),
    ]),
    ("optimoroute_orders.csv", "GB", [
        ("O1", "Kim", "", "10 Sample St, Boston, MA 02113, US", "", "", [], "08:00-15:00", THIRD),
    ]),
    ("prestashop_fr.csv", "FR", [
        ("77", "Léa Exemple", "+33600000000", "3 bis av. Démo", "Lyon", "69003", [("Miel 500 g", 2)], "", None),
    ]),
    ("royalmail_click_and_drop.csv", "GB", [
        ("RM-1", "Ali Example", "+447700900555", "Flat 2", "York", "YO1 7HH", [("Goods", 1)], "", TODAY),
    ]),
    ("shopify_orders_export.csv", "AU", [
        ("#1001", "Kim Example", "+61491570006", "4/22 Fictional St", "Fitzroy", "3065", [("Sourdough loaf", 1), ("Rye loaf", 1)], "09:00-12:00", THIRD),
        ("#1002", "Ned Example", "+61491570006", "Unit 7, 10 Sample Rd", "Darwin", "0800", [("Gift box", 1)], "09:00-12:00", THIRD),
    ]),
    ("trackroad_by_position.csv", "US", [
        ("A1", "", "+16175550102", "10 Sample St", "Boston", "02113", [], "09:00-12:00", TODAY),
        ("A2", "", "", "11 Sample St", "Boston", "02113", [], "13:00-17:00", TODAY),
    ]),
    ("woocommerce_advanced_order_export.csv", "GB", [
        ("2001", "Sam Example", "+447700900111", "12 Maple Street Flat 2", "York", "YO1 7HH", [("Candle", 2), ("Soap", 1)], "", None),
    ]),
    ("xero_sales_invoice_template.csv", "NZ", [
        ("INV-0001", "Demo Bakery Ltd", "", "5A Sample Street", "Auckland", "1010", [("Bread", 10), ("Rolls", 24)], "", None),
        ("INV-0002", "Sample Café", "", "5A Sample Street", "Auckland", "1010", [("Bread", 10)], "", None),
    ]),
    ("nasty/01_de_cp1252_semicolon.csv", "DE", [
        (f"B-100{n}", name, phone, street, city, plz, [("Goods", 1)], "09:00-12:00", TODAY)
        for n, (name, phone, street, city, plz) in enumerate([
            ("Jörg Müßig", "+49351000001", "Königstraße 3", "Dresden", "01067"),
            ("Änne Probst", "+49341000002", "Große Gasse 4", "Leipzig", "04109"),
            ("Fa. Höfer & Söhne", "+4989000003", "Münzweg 5", "München", "80331"),
            ("Übelhör Test", "+4940000004", "Süderstr. 6", "Hamburg", "20097"),
        ])
    ]),
    ("nasty/03_utf8bom_multiline_cells.csv", "GB", [
        (f"#100{n}", "Ana Example", "+447700900123", "Unit 4", "Leeds", "LS1 1AA", [], "09:00-12:00", THIRD)
        for n in range(1, 6)
    ]),
    ("nasty/05_mac_roman_cr.csv", "FR", [
        ("FR-1", "Sam Durand", "+33400000001", "12 rue des Lilas", "Bourg-en-Bresse", "01000", [], "09:00-12:00", TODAY),
        ("FR-2", "Lou Martin", "+33400000002", "3 bis av. Jean Moulin", "Lyon", "69003", [], "09:00-12:00", TODAY),
        ("FR-3", "Max Petit", "", "Lieu-dit Les Prés", "Grenoble", "38000", [], "00:00-10:00", TODAY),
    ]),
    ("nasty/07_preamble_footer_comma.csv", "GB", [
        (f"04-15250-0{n}", "Ali Hart", "+447700900111", "12 Maple Street", "York", "YO1 7HH", [], "", None)
        for n in range(4)
    ]),
    ("nasty/09_pipe_ascii.csv", "AU", [
        (f"R{n}", "Kim Test", "+61491570157", f"{n} Demo Ave", "Fitzroy", "3065", [], "", None)
        for n in range(6)
    ]),
    ("nasty/11_nl_semicolon_more_commas.csv", "NL", [
        ("", "Jansen, J.", "", "Hoofdstraat 1-A, 1234 AB Amsterdam", "", "", [], "", None),
        ("", "De Vries, P.", "", "Kerkweg 12 bis, 3511 AA Utrecht", "", "", [], "", None),
        ("", "Bakker, S.", "", "Dorpsstr. 5, 9711 AA Groningen", "", "", [], "", None),
    ]),
    ("nasty/13_utf16le_no_bom_tab.txt", "CH", [
        ("", "Beat Muster", "", "Bahnhofstrasse 1", "Vaduz", "9490", [], "", None),
        ("", "Urs Beispiel", "", "Dorfstr. 2", "Zürich", "8001", [], "", None),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "country", "truths"), TRUTHS, ids=[t[0] for t in TRUTHS])
def test_every_sample_file_comes_in_as_a_person_reads_it(name, country, truths):
    found = preview(name, country)
    assert not found.problems
    rows = []
    for order, truth in zip(found.orders, truths, strict=True):
        spans = [f"{w.opens:%H:%M}-{w.closes:%H:%M}" for w in order.windows]
        rows.append((
            "" if order.number.startswith("row-") else order.number,
            order.recipient.name,
            order.recipient.phone if truth[2] else "",
            order.address.lines[0],
            order.address.city,
            order.address.postcode,
            [(line.title, line.quantity) for line in order.lines],
            ", ".join(spans),
            order.due_on,
        ))  # fmt: skip
    assert rows == truths


def test_every_sample_file_has_its_truth():
    files = {p.name for p in DATA.glob("*.csv")} | {f"nasty/{n}" for n in _expected()}
    assert files == {name for name, _, _ in TRUTHS}


def test_hostile_files_are_read_with_their_encoding_separator_and_header():
    for name, truth in _expected().items():
        table = read_table((DATA / "nasty" / name).read_bytes(), name)
        assert (
            table.encoding, table.delimiter, table.header_row, len(table.headers), len(table.rows),
        ) == (
            truth["encoding"], truth["delimiter"], truth["header_row"],
            truth["columns"], truth["data_rows"],
        ), name  # fmt: skip


def test_cancelled_and_till_orders_of_a_shopify_export_stay_out_with_a_reason():
    reasons = dict(preview("shopify_orders_export.csv", "AU").skipped)
    assert reasons == {
        5: "cancelled on 2026-12-01",
        6: "sold at the till, no delivery address",
    }


def test_a_file_read_twice_gives_the_same_refs():
    for name, country, _ in TRUTHS:
        first, second = preview(name, country), preview(name, country)
        refs = [order.ref for order in first.orders]
        assert refs == [order.ref for order in second.orders]
        assert len(set(refs)) == len(refs)


def test_cash_on_delivery_becomes_a_payment_due():
    assert preview("woocommerce_advanced_order_export.csv", "GB").orders[0].payment_due == "30 GBP"


def _expected():
    return json.loads((DATA / "nasty" / "expected.json").read_text())

"""From rows to orders: joining, dates, windows, people, and what is asked back."""

import csv
import io
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.core.countries import country_code, repaired_postcode
from hub.core.csv_aliases import Field
from hub.core.csv_cells import clean, number
from hub.core.csv_columns import guess_columns
from hub.core.csv_orders import (
    orders_from,
    read_table,
    safe_cell,
    template_csv,
    unguarded,
)
from hub.core.csv_reading import Table
from hub.core.csv_template import MORE_COLUMNS
from hub.core.csv_windows import Unclear, read_clock, read_day, read_spans
from hub.core.orders import WISHED_PER_HOUR, Kind
from hub.core.phones import e164
from hub.core.values import TimeWindow

NOW = datetime(2026, 12, 1, 6, tzinfo=UTC)
HERE = NOW.astimezone(ZoneInfo("Europe/London"))


def read(text, country="GB", **more):
    table = read_table(text.encode(), "day.csv")
    columns = guess_columns(table.headers, table.rows[:5])
    zone = ZoneInfo("Europe/London")
    return orders_from(table, columns, zone=zone, country=country, now=NOW, **more)


def test_the_template_comes_in_without_a_problem():
    found = read(template_csv(date(2026, 12, 31)), "FI")
    assert not found.problems
    first, second = found.orders
    assert [line.title for line in first.lines] == ["Rye loaf", "Oat biscuits"]
    assert first.load_g == 1900
    assert first.address.postcode == "00100"
    assert second.payment_due == "12.50 EUR"
    assert second.windows[0].closes.timetz().replace(tzinfo=None) == time(16)


def test_a_ragged_row_is_a_problem_of_that_row_alone():
    found = read("Order,Name,Address\n1,Ann,1 Road\n2,Bob,2 Road,x\n3,Cy\n4,Di,4 Road\n")
    assert [order.number for order in found.orders] == ["1", "4"]
    assert [(p.row, p.is_fatal) for p in found.problems] == [(3, True), (4, True)]


def test_the_first_of_equal_headers_is_the_delivery_block():
    found = read(
        "Order number,Recipient name,Delivery address,Delivery city,Recipient name"
        ",Delivery address,Delivery city\n1,Ann,1 Road,York,Payer,9 Bank,London\n"
    )
    assert found.orders[0].recipient.name == "Ann"
    assert found.orders[0].address.city == "York"


def test_billing_columns_serve_only_where_there_is_no_delivery_address():
    billing = read("Order,Billing Name,Billing Address 1,Billing City\n1,Ann,1 Road,York\n")
    assert billing.orders[0].address.one_line() == "1 Road, York"
    both = read("Order,Billing Name,Billing Address 1,Name,Address 1\n1,Payer,9 Bank,Ann,\n")
    assert not both.orders
    assert both.problems[0].is_fatal


def test_rows_without_an_order_number_keep_their_ref_when_other_cells_change():
    one = read("Name,Address,Notes\nAnn,1 Road,bell\n").orders[0]
    two = read("Name,Address,Notes\nBob,2 Road,\nAnn,1 Road,knock\n").orders[1]
    assert one.ref == two.ref


def test_goods_that_need_no_shipping_stay_out_and_so_does_an_order_of_only_such():
    found = read(
        "Order,Name,Address,Item Name,Requires shipping,Shipping Method\n"
        "1,Ann,1 Road,Cake,true,Van\n1,,,Voucher,false,\n2,Bob,2 Road,Voucher,false,\n"
        "3,Cy,3 Road,Pie,true,Local pickup\n"
    )
    assert [[line.title for line in order.lines] for order in found.orders] == [["Cake"]]
    assert [row for row, _ in found.skipped] == [4, 5]


def test_shopify_orders_of_one_name_are_told_apart_by_their_id():
    found = read(
        "Name,Financial Status,Id,Lineitem name,Shipping Name,Shipping Address1\n"
        "#1,paid,77,Cake,Ann,1 Road\n#1,,,Pie,,\n#1,paid,78,Tart,Bob,2 Road\n"
    )
    assert [order.ref for order in found.orders] == ["77", "78"]
    assert [len(order.lines) for order in found.orders] == [2, 1]


def test_a_window_named_in_the_notes_counts_on_a_known_day():
    found = read(
        "Order,Name,Address,Delivery Date,Notes\n"
        "1,Ann,1 Road,2026-12-03,Please deliver between 9am and 5pm.\n"
    )
    window = found.orders[0].windows[0]
    assert (window.opens.hour, window.closes.hour) == (9, 17)


def test_two_addresses_under_one_number_are_asked_back():
    found = read("Order,Name,Address\n1,Ann,1 Road\n1,Bob,2 Road\n")
    assert len(found.orders) == 1
    assert "two addresses" in found.problems[0].message


@pytest.mark.parametrize(
    ("dates", "country", "expected", "asked"),
    [
        (("03/12/2026", "13/12/2026"), "US", date(2026, 12, 3), ()),
        (("12/03/2026", "12/13/2026"), "GB", date(2026, 12, 3), ()),
        (("03/12/2026", "04/12/2026"), "GB", date(2026, 12, 3), ("Delivery Date",)),
        (("12/03/2026", "12/04/2026"), "US", date(2026, 12, 3), ("Delivery Date",)),
        (("46359", "3.12.2026"), "US", date(2026, 12, 3), ()),
    ],
)
def test_a_column_of_dates_is_read_one_way(dates, country, expected, asked):
    rows = "".join(f"{n},Ann,{n} Road,{day}\n" for n, day in enumerate(dates))
    found = read(f"Order,Name,Address,Delivery Date\n{rows}", country)
    assert found.orders[0].due_on == expected
    assert found.asked == asked


@pytest.mark.parametrize(
    "text",
    ["2026-12-03", "3.12.2026", "3/12/26", "Dec-03-26", "3 Dec 2026", "Dec 3, 2026", "20261203",
     "Thu 3 December 2026", "3. Dezember 2026", "3 décembre 2026", "2026-12-03T10:00:00Z"],
)  # fmt: skip
def test_a_day_is_read_as_people_write_it(text):
    assert read_day(text, True, HERE).on == date(2026, 12, 3)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("09:00-12:00", [(9, 12)]), ("9am-12pm", [(9, 12)]), ("9 AM - 12 PM", [(9, 12)]),
        ("9-11am", [(9, 11)]), ("0900-1200", [(9, 12)]), ("9h-12h", [(9, 12)]),
        ("entre 9h et 12h", [(9, 12)]), ("zwischen 9 und 12", [(9, 12)]),
        ("tussen 9 en 12 uur", [(9, 12)]), ("between 9am and 5pm", [(9, 17)]),
        ("matin", [(9, 12)]), ("Vormittag", [(9, 12)]), ("mañana", [(9, 12)]),
        ("AFTERNOON", [(12, 18)]), ("evening", [(18, 21)]), ("before 10am", [(0, 10)]),
        ("avant 10h", [(0, 10)]), ("voor 10u", [(0, 10)]), ("9-12, 14-17", [(9, 12), (14, 17)]),
        ("9-Dec", [(9, 12)]), ("2026-12-09", [(9, 12)]),
    ],
)  # fmt: skip
def test_a_window_is_read_as_people_write_it(text, spans):
    assert read_spans(text) == [(time(a), time(b)) for a, b in spans]


@pytest.mark.parametrize(
    "text", ["22:00-02:00", "08:00-24:00", "soon", "17:00-9:00", "1-4", "25-26"]
)
def test_an_unclear_window_is_asked_back(text):
    with pytest.raises(Unclear):
        read_spans(text)
    found = read(f'Order,Name,Address,Time window\n1,Ann,1 Road,"{text}"\n')
    assert not found.orders[0].windows
    assert found.problems[0].column == "Time window"


def test_minutes_and_midnight_of_clocks():
    assert read_clock("12:23am") == (time(0, 23), 0)
    assert read_clock("3:56pm (+1)") == (time(15, 56), 1)
    assert read_clock("1700") == (time(17), 0)
    assert read_clock("0.375") == (time(9), 0)


def test_kinds_coordinates_priority_and_unknown_columns():
    found = read(
        "Order,Name,Address,Order type,Lat,Lon,Priority,Gate code\n"
        "1,Ann,1 Road,P,60.17,24.94,H,12A\n2,Bob,2 Road,service,0,0,9,\n"
    )
    first, second = found.orders
    assert (first.kind, first.priority, dict(first.custom)) == (
        Kind.COLLECT, 6, {"Gate code": "12A"},
    )  # fmt: skip
    assert first.point and (first.point.lat, first.point.lon) == (60.17, 24.94)
    assert (second.kind, second.point, second.priority) == (Kind.SERVE, None, 9)
    assert found.problems[0].row == 3


def test_what_a_row_asks_of_planning():
    found = read(
        "Order,Name,Address,Delivery Date,Can wait,Worth doing,Goods ready at,Max ride time"
        ",Further loads,Only driver,Not drivers,Kind of goods"
        ",Wished from,Wished until,Wish per hour,Minutes to the door\n"
        '1,Ann,1 Road,2026-12-31,yes,12.50,10:30,90,Pallets: 2,Mara,,"Raw fish, ice"'
        ",14:00,15:00,7.50,3\n"
        '2,Bob,2 Road,2026-12-31,no,,,,,,"Otso, Iris",,,12:00,,\n'
    )
    assert not found.problems
    first, second = found.orders
    assert (first.optional, first.prize, first.max_on_board_s) == (True, 1250, 5400)
    assert first.ready_at == datetime(2026, 12, 31, 10, 30, tzinfo=UTC)
    assert (dict(first.loads), first.only_driver) == ({"pallets": 2}, "Mara")
    assert first.goods == {"raw fish", "ice"}
    assert (second.optional, second.not_drivers) == (False, ("Otso", "Iris"))
    day = datetime(2026, 12, 31, tzinfo=UTC)
    assert first.wished == TimeWindow(day.replace(hour=14), day.replace(hour=15))
    assert (first.wished_per_hour, first.access_s) == (750, 180)
    assert second.wished == TimeWindow(day, day.replace(hour=12))
    assert (second.wished_per_hour, second.access_s) == (WISHED_PER_HOUR, None)


def test_a_wish_that_no_day_can_keep_is_told_at_its_cell():
    found = read(
        "Order,Name,Address,Delivery Date,Wished from,Wished until,Minutes to the door\n"
        "1,Ann,1 Road,,10:00,11:00,90\n2,Bob,2 Road,2026-12-31,11:00,10:00,5\n"
    )
    assert [order.wished for order in found.orders] == [None, None]
    said = [problem.message for problem in found.problems]
    assert "A wished time needs a day. Add a delivery date." in said
    assert "More than 60 minutes to the door. Write less." in said
    assert "The wished time ends before it begins. Correct one of its ends." in said


def test_what_planning_cannot_be_asked_is_told_at_its_cell():
    found = read(
        "Order,Name,Address,Optional,Release time,Max ride time,Further loads\n"
        "1,Ann,1 Road,perhaps,10:30,0,many\n"
    )
    [order] = found.orders
    assert (order.optional, order.ready_at, order.max_on_board_s, dict(order.loads)) == (
        False, None, None, {},
    )  # fmt: skip
    told = {problem.column: problem.message for problem in found.problems}
    assert "neither yes nor no" in told["Optional"]
    assert "Add a delivery date" in told["Release time"]
    assert "Write more" in told["Max ride time"]
    assert "pallets: 6" in told["Further loads"]


@pytest.mark.parametrize(
    ("text", "country", "number_"),
    [
        ("'+61 491 570 006", "AU", "+61491570006"), ("491570006", "AU", "+61491570006"),
        ("61491570006.0", "AU", "+61491570006"), ("6.1491570006E+10", "AU", "+61491570006"),
        ("+49 (0)351 000001", "DE", "+49351000001"), ("07700 900123", "GB", "+447700900123"),
        ("0044 7700 900123", "FI", "+447700900123"),
        ("0491 570 006 / 0491 570 157", "AU", "+61491570006"), ("n/a", "GB", None),
        ("6.149157E+10", "AU", None), ("3.58401E+11", "FI", None), ("+3,58401E+11", "FI", None),
        ("6.149157001E+10", "AU", "+61491570010"),
    ],
)  # fmt: skip
def test_phones_are_dialable_whatever_a_spreadsheet_did(text, country, number_):
    assert e164(text, country) == number_


@pytest.mark.parametrize(
    ("text", "country", "region", "code"),
    [
        ("800", "AU", "NT", "0800"), ("800", "AU", "VIC", "800"), ("2139", "US", "MA", "02139"),
        ("1067", "DE", "", "01067"), ("100", "FI", "", "00100"), ("1000.0", "FR", "", "01000"),
        ("yo17hh", "GB", "", "YO1 7HH"), ("3511aa", "NL", "", "3511 AA"),
        ("h2x1y4", "CA", "", "H2X 1Y4"), ("8001", "CH", "", "8001"),
    ],
)  # fmt: skip
def test_postcodes_get_their_zeros_and_spaces_back(text, country, region, code):
    assert repaired_postcode(text, country, region) == code


def test_countries_are_known_in_their_neighbours_languages():
    names = (
        "UK",
        "England",
        "Deutschland",
        "Schweiz",
        "Holland",
        "DEU",
        "fr",
        "Narnia",
    )
    assert [country_code(n) for n in names] == [
        "GB",
        "GB",
        "DE",
        "CH",
        "NL",
        "DE",
        "FR",
        None,
    ]


def test_numbers_of_both_comma_worlds():
    texts = ("1 234,56 €", "$1,110.03", "2,50", "1.234,56", "1,250", "none")
    values = ("1234.56", "1110.03", "2.50", "1234.56", "1250")
    assert [number(t) for t in texts] == [*map(Decimal, values), None]
    assert number("1,250", decimal_comma=True) == Decimal("1.250")


def test_wrapped_cells_come_in_plain():
    assert [clean(c) for c in ('="0306703"', "'3065", " x\u00a0y ")] == [
        "0306703",
        "3065",
        "x y",
    ]


@given(st.text())
def test_an_exported_cell_is_never_a_formula_and_comes_back_whole(text):
    cell = safe_cell(text)
    assert cell[:1] not in set("=+-@\t\r\n\0＝＋－＠")
    assert unguarded(cell) == text


@pytest.mark.parametrize("text", ["=1", "\t=1", "-1", " =1", "＝1", "\u200b=1", "@x", "+61"])
def test_the_known_ways_around_a_formula_guard_are_closed(text):
    assert safe_cell(text) == "'" + text


CELL = st.text(max_size=12) | st.sampled_from(
    [
        "12/13/2026",
        "9999-12-31",
        "9-12",
        "(+1)",
        "12:00 (+1)",
        "0,99999",
        "1e9",
        "²",
        "nan",
        ",",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(CELL, min_size=12, max_size=12), min_size=1, max_size=4))
def test_no_cell_stops_an_import(rows):
    fields = [
        Field.ORDER_REF, Field.LINE1, Field.DATE, Field.FROM, Field.TO, Field.WINDOW, Field.LAT,
        Field.LON, Field.QUANTITY, Field.WEIGHT, Field.PRIORITY, Field.PHONE,
    ]  # fmt: skip
    table = Table(
        tuple(f.value for f in fields), tuple(map(tuple, rows)), "utf-8", ",", 0,
        tuple(range(2, len(rows) + 2)),
    )  # fmt: skip
    found = orders_from(
        table,
        dict(enumerate(fields)),
        zone=ZoneInfo("Europe/London"),
        country="GB",
        now=NOW,
    )
    assert len(found.orders) <= len(rows)
    assert len({order.ref for order in found.orders}) == len(found.orders)


def test_the_template_has_as_many_cells_in_each_row():
    assert {len(row) for row in csv.reader(io.StringIO(template_csv(date(2026, 12, 31))))} == {20}


@pytest.mark.parametrize("zone", ["Europe/Helsinki", "Australia/Lord_Howe", "America/New_York"])
@given(
    st.sampled_from([date(2026, 3, 8), date(2026, 3, 29), date(2026, 10, 4), date(2026, 11, 1)]),
    st.times(),
    st.times(),
)
@example(date(2026, 3, 29), time(3, 30), time(4, 10))
@settings(max_examples=60, deadline=None)
def test_no_window_of_a_file_closes_before_it_opens(zone, day, one, other):
    """Whatever the clocks do that day; it is then stored and read again without its zone."""
    opens, closes = sorted([one, other])
    text = f"Order,Address,Date,From,To\n1,1 Road,{day},{opens:%H:%M},{closes:%H:%M}\n"
    table = read_table(text.encode(), "day.csv")
    columns = guess_columns(table.headers, table.rows)
    found = orders_from(
        table, columns, zone=ZoneInfo(zone), country="GB", now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    [window] = found.orders[0].windows
    assert not found.problems
    assert window.opens.astimezone(UTC) <= window.closes.astimezone(UTC)


def test_a_cell_longer_than_can_be_kept_is_named_and_what_became_of_it():
    def said(header, text):
        found = read(f"Order,Address,Item,{header}\n7,1 Road,Ham,{text}\n")
        return found.orders, [(p.row, p.column, p.is_fatal, p.message) for p in found.problems]

    [order], problems = said("Name", "n" * 201)
    assert order.recipient.name == "n" * 200
    too_long = "This is longer than 200 characters"
    assert problems == [(2, "Name", False, f"{too_long}; the rest was left out.")]
    [order], problems = said("SKU", "7" * 121)
    assert order.lines[0].sku == ""
    assert problems[0][3] == "This is longer than 120 characters; it was left out."
    assert said("Address 2", "8" * 201) == (
        [],
        [(2, "Address 2", True, f"{too_long}. Shorten it.")],
    )


def test_every_row_of_an_order_has_its_own_goods_checked():
    found = read(f"Order,Address,Item\n7,1 Road,Ham\n7,1 Road,{'e' * 501}\n")
    assert [len(line.title) for line in found.orders[0].lines] == [3, 500]
    assert [problem.row for problem in found.problems] == [3]


@pytest.mark.parametrize(
    ("written", "pieces", "said"),
    [
        ("2.5", 3, "“2.5” is not a whole number; it counts as 3."),
        ("0.4", 1, "“0.4” is not a whole number; it counts as 1."),
        ("2.0", 2, None),
    ],
)
def test_a_broken_number_of_pieces_is_rounded_up_and_said(written, pieces, said):
    """0.4 of a ham was left at home, half a bread of 2.5 too."""
    found = read(f"Order,Address,Item,Quantity\n7,1 Road,Ham,{written}\n")
    assert [line.quantity for line in found.orders[0].lines] == [pieces]
    assert [problem.message for problem in found.problems] == ([said] if said else [])


def test_nobody_stays_longer_than_a_day_at_a_door():
    found = read("Order,Address,Service time\n1,1 Road,90000\n2,2 Road,1440\n3,3 Road,0:15\n")
    assert [order.service_s for order in found.orders] == [None, 86400, 900]
    assert [(p.row, p.message) for p in found.problems] == [
        (2, "“90000” is more than 1,440 minutes; your usual time is taken.")
    ]


def test_an_address_of_signs_alone_is_none():
    """All of them were one place, and one pin served them all."""
    found = read("Order,Address,City\n1,---,***\n2,!!!,\n3,1 Road,York\n")
    assert [order.ref for order in found.orders] == ["3"]
    assert [(p.row, p.is_fatal) for p in found.problems] == [(2, True), (3, True)]


def test_a_phone_number_that_a_spreadsheet_cut_is_not_filled_with_zeros():
    """It was a stranger's."""
    found = read("Order,Address,Phone\n1,1 Road,3.58401E+11\n")
    assert [(p.row, p.message) for p in found.problems] == [
        (2, "Of “3.58401E+11” a spreadsheet kept the start only. Write it as +358401234567.")
    ]


@pytest.mark.parametrize(
    "status", ["Cancelled", "Cancelled by customer", "Canceled - refund", "Peruutettu"]
)
def test_what_begins_with_cancelled_stays_out(status):
    found = read(f"Order,Address,Status\n1,1 Road,{status}\n2,2 Road,Paid\n")
    assert [order.ref for order in found.orders] == ["2"]
    assert found.cancelled == [(2, "1")]


def test_what_may_mean_cancelled_comes_in_and_is_asked_back():
    found = read("Order,Address,Status\n1,1 Road,Partly cancelled\n2,2 Road,Partially refunded\n")
    assert [order.ref for order in found.orders] == ["1", "2"]
    assert [(p.row, p.column, p.is_fatal) for p in found.problems] == [(2, "Status", False)]


def test_a_row_of_nothing_but_an_order_number_is_left_out_by_name():
    found = read("Order,Name,Address\n1,Ann,1 Road\n8003,,\n2,Bob,2 Road\n")
    assert [order.number for order in found.orders] == ["1", "2"]
    [problem] = found.problems
    assert (problem.row, problem.is_fatal) == (3, True)
    assert "no address" in problem.message


def test_a_footer_is_named_among_what_needs_no_delivery():
    found = read("Order,Name,Address\n1,Ann,1 Road\n3 record(s) downloaded,,\n")
    assert not found.problems
    assert found.skipped == [(3, "nothing but “3 record(s) downloaded” stands in it")]


def test_goods_that_stand_alone_in_their_row_belong_to_the_order_above():
    found = read("Order,Name,Address,Item Name\n1,Ann,1 Road,Cake\n,,,Rye bread\n")
    assert [line.title for line in found.orders[0].lines] == ["Cake", "Rye bread"]


def test_a_broken_address_is_an_error_of_its_own_row():
    found = read("Order,Name,Address,Item Name\n1,Ann,1 Road,Cake\n,Fay,#REF!,Pie\n")
    assert [line.title for line in found.orders[0].lines] == ["Cake"]
    [problem] = found.problems
    assert (problem.row, problem.column, problem.is_fatal) == (3, "Address", True)


def test_goods_for_another_person_do_not_join_the_order_above():
    found = read("Order,Name,Address,Item Name\n1,Ann,1 Road,Cake\n,Fay,,Pie\n")
    assert [line.title for line in found.orders[0].lines] == ["Cake"]
    assert [(p.row, p.is_fatal) for p in found.problems] == [(3, True)]


def test_goods_below_a_row_that_is_left_out_stay_out_with_it():
    found = read("Order,Name,Address,Item Name\n1,Ann,1 Road,Cake\n2,Bob\n,,,Pie\n")
    assert [line.title for line in found.orders[0].lines] == ["Cake"]
    assert [(p.row, p.is_fatal) for p in found.problems] == [(3, True), (4, True)]
    assert "belongs to row 3" in found.problems[1].message


@pytest.mark.parametrize("shown", ["#REF!", "#N/A", "#DIV/0!", "#NAME?", "#WERT!", "#¡VALOR!"])
def test_what_a_spreadsheet_shows_for_an_error_is_no_value(shown):
    found = read(f"Order,Name,Address,Notes\n1,Ann,1 Road,{shown}\n")
    assert found.orders[0].instructions == ""
    assert [(p.row, p.column, p.is_fatal) for p in found.problems] == [(2, "Notes", False)]


def test_an_order_number_with_a_hash_is_no_error():
    for name in ("#1001", "#AB12!", "#B-7!", "#A12 RING TWICE!"):
        assert read(f"Order,Name,Address\n{name},Ann,1 Road\n").orders[0].number == name


def test_an_order_for_a_day_that_is_over_is_asked_about():
    found = read(
        "Order,Name,Address,Delivery Date,Time window\n"
        "1,Ann,1 Road,2020-11-26,\n2,Bob,2 Road,2026-11-30,9-12\n3,Cy,3 Road,2026-12-01,9-12\n"
    )
    assert [order.number for order in found.orders] == ["3"]
    assert [(past.row, past.column, past.day) for past in found.past] == [
        (2, "Delivery Date", date(2020, 11, 26)),
        (3, "Delivery Date", date(2026, 11, 30)),
    ]


def test_a_date_nobody_can_read_says_what_the_order_comes_in_for():
    found = read("Order,Name,Address,Delivery Date\n1,Ann,1 Road,soonish\n")
    assert found.orders[0].due_on is None
    assert found.problems[0].message.endswith("It is taken for any day.")


def test_hours_of_a_day_nobody_can_read_are_not_taken_for_todays():
    found = read("Order,Name,Address,Delivery Date,Time window\n1,Ann,1 Road,soonish,9-12\n")
    assert not found.orders
    assert found.problems[0].is_fatal


def test_problems_are_told_in_the_order_of_the_rows():
    found = read("Order,Name,Address,Phone\n1,Ann,,12\n2,Bob,2 Road,12\n3,Cy\n4,Di,4 Road,12\n")
    rows = [problem.row for problem in found.problems]
    assert rows == sorted(rows) == [2, 3, 4, 5]


def test_a_missing_address_is_named_by_the_files_own_column():
    found = read("Order,Name,Delivery address\n1,Ann,\n2,Bob,2 Road\n")
    assert [problem.column for problem in found.problems] == ["Delivery address"]
    assert [p.column for p in read("Order,Name\n1,Ann\n").problems] == [""]


def test_a_foreign_postcode_stays_short_where_the_file_kept_its_zeros():
    found = read(
        "Order,Name,Address,Postcode,City\n1,Aino,Katu 1,00100,Helsinki\n2,Urs,Weg 2,8001,Zürich\n",
        "FI",
    )
    assert [order.address.postcode for order in found.orders] == ["00100", "8001"]


def test_a_postcode_that_got_its_zeros_back_is_told():
    found = read("Order,Name,Address,Postcode,City\n1,Aino,Katu 1,1300,Vantaa\n", "FI")
    assert found.orders[0].address.postcode == "01300"
    assert found.repaired == [(2, "1300", "01300")]


def test_columns_that_can_be_added_are_understood_by_their_headings():
    headings = [heading for heading, _ in MORE_COLUMNS]
    meant = guess_columns(headings)
    assert len({meant[n] for n in range(len(headings))} - {Field.IGNORE}) == len(headings)


@pytest.mark.parametrize("hours", ["14:00,12:00", "2026-12-03 14:00,2026-12-03 12:00"])
def test_who_loses_his_hours_is_told_so(hours):
    """It said only “comes in”: the dispatcher found out at the door."""
    found = read(
        f"Order,Address,Date,Time window from,Time window to\n1,1 Road,2026-12-03,{hours}\n"
    )
    assert found.orders[0].windows == ()
    assert "comes in for any hour of the day" in found.problems[0].message

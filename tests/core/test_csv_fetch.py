"""Rows whose goods are fetched first, have several times, or name orders to be kept apart from."""

from datetime import time
from zoneinfo import ZoneInfo

import pytest

from hub.core.csv_aliases import Field
from hub.core.csv_columns import guess_columns
from hub.core.orders import Kind, PickUp
from hub.core.values import Address, Contact, Point, Role
from tests.core.test_csv_orders import read

HERE = ZoneInfo("Europe/London")
HEAD = "Order,Address,Date,Fetch at,Fetch from,Fetch phone,Fetch window,Fetch minutes,Fetch note\n"


def hours(windows):
    ends = [(one.opens.astimezone(HERE), one.closes.astimezone(HERE)) for one in windows]
    return [(opens.time(), closes.time()) for opens, closes in ends]


def test_what_is_fetched_first_says_where_from_whom_when_and_how_long():
    found = read(
        HEAD + '1,1 Road,2026-12-03,"9 Mill Lane, York",Ann,020 7946 0018,'
        "08:00-09:00; 13:00-14:00,7,Ring twice\n"
    )
    assert not found.problems
    [order] = found.orders
    assert order.kind is Kind.DELIVER and order.address.one_line().startswith("1 Road")
    fetch = order.pick_up
    assert fetch == PickUp(
        address=Address(("9 Mill Lane, York",), country="GB"),
        windows=fetch.windows,
        contact=Contact(Role.SHIPPER, "Ann", "+442079460018"),
        service_s=420,
        instructions="Ring twice",
    )
    assert hours(fetch.windows) == [(time(8), time(9)), (time(13), time(14))]


def test_its_address_may_stand_in_several_cells_or_be_a_point():
    found = read(
        "Order,Address,Pickup street,Pickup postcode,Pickup city\n1,1 Road,9 Mill Lane,YO1,York\n"
    )
    assert found.orders[0].pick_up.address == Address(("9 Mill Lane",), "York", "", "YO1", "GB")
    found = read("Order,Address,Fetch latitude,Fetch longitude\n1,1 Road,51.5,-0.12\n")
    assert found.orders[0].pick_up.point == Point(51.5, -0.12)


def test_an_order_with_empty_cells_comes_from_the_depot():
    found = read(HEAD + "1,1 Road,2026-12-03,,,,,,\n")
    assert found.orders[0].pick_up is None and not found.problems


@pytest.mark.parametrize(
    ("cells", "column", "said", "is_fatal"),
    [
        (",Ann,,,,", "Fetch from", "nothing of where it is fetched", True),
        ("9 Lane,,12,,,", "Fetch phone", "not a phone number", False),
        ("9 Lane,,,late,,", "Fetch window", "It is fetched at any hour", False),
        ("9 Lane,,,12:00-09:00,,", "Fetch window", "ends before it begins", False),
        ("9 Lane,,,,long,", "Fetch minutes", "your usual time is taken", False),
    ],
)
def test_what_is_wrong_with_it_is_told_at_its_row_and_column(cells, column, said, is_fatal):
    found = read(HEAD + f"1,1 Road,2026-12-03,{cells}\n")
    [problem] = found.problems
    assert (problem.row, problem.column, problem.is_fatal) == (2, column, is_fatal)
    assert said in problem.message
    assert len(found.orders) == (not is_fatal)


def test_hours_to_fetch_it_need_a_day():
    found = read("Order,Address,Fetch at,Fetch window\n1,1 Road,9 Lane,08:00-09:00\n")
    assert found.orders[0].pick_up.windows == ()
    assert "Hours need a day" in found.problems[0].message


def test_what_is_fetched_first_is_a_delivery_whatever_the_row_calls_it():
    found = read("Order,Address,Fetch at,Stop type\n1,1 Road,9 Lane,pickup\n")
    assert found.orders[0].kind is Kind.DELIVER
    assert "taken as a delivery" in found.problems[0].message


def test_several_times_stand_in_one_cell_between_semicolons():
    found = read(
        "Order,Address,Date,Delivery window\n1,1 Road,2026-12-03,09:00-11:00; 15:00-18:00\n"
    )
    assert hours(found.orders[0].windows) == [(time(9), time(11)), (time(15), time(18))]


def test_of_several_times_the_one_that_is_wrong_is_named_with_its_row_and_column():
    found = read(
        "Order,Address,Date,Delivery window\n"
        "1,1 Road,2026-12-03,09:00-11:00\n"
        "2,2 Road,2026-12-03,09:00-11:00; 18:00-15:00\n"
    )
    [problem] = found.problems
    assert (problem.row, problem.column) == (3, "Delivery window")
    assert "“18:00-15:00” ends before it begins" in problem.message
    many = "; ".join(["09:00-10:00"] * 11)
    found = read(f"Order,Address,Date,Delivery window\n1,1 Road,2026-12-03,{many}\n")
    assert "more than 10 time windows" in found.problems[0].message


def test_orders_to_be_kept_apart_from_are_named_by_their_numbers():
    found = read("Order,Address,Kept apart from\n1,1 Road,\n2,2 Road,1; 7\n3,3 Road,3\n")
    assert [order.apart_from for order in found.orders] == [(), ("1", "7"), ()]
    [problem] = found.problems
    assert (problem.row, problem.column) == (4, "Kept apart from")
    assert "apart from itself" in problem.message


def test_a_column_that_only_says_what_is_done_there_is_no_address():
    meant = guess_columns(["Order", "Address", "Pickup", "Time window from"])
    assert meant[2] is Field.STOP_TYPE and meant[3] is Field.FROM

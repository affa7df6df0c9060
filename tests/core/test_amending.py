"""What an amendment asks, what it may change at once, and what of it was decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.amending import Group, changed, differences, in_short, is_for, merged
from hub.core.orders import IncomingOrder, PickUp
from hub.core.values import Address, Contact, Line, Point, Role, TimeWindow

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
NOON = TimeWindow(NOW + timedelta(hours=6), NOW + timedelta(hours=7))
HOME = IncomingOrder(
    ref="1", number="1", updated_at=NOW, address=Address(("Street 1",)), lines=(Line("Loaf", 2),)
)
AWAY = Address(("Street 9",))
CHANGES: dict[str, dict[str, Any]] = {
    "address": {"address": AWAY},
    "point": {"point": Point(60.0, 25.0)},
    "window": {"windows": (NOON,)},
    "day": {"due_on": date(2026, 11, 24)},
    "more": {"lines": (Line("Loaf", 3),)},
    "fewer": {"lines": (Line("Loaf", 1),)},
    "other goods": {"lines": (Line("Cake", 1),)},
    "parcels": {"parcels": 7},
    "note": {"instructions": "Ring"},
    "fetched": {"pick_up": PickUp(address=AWAY)},
}
REPORTS = st.lists(st.sampled_from(sorted(CHANGES)), max_size=4).map(
    lambda names: replace(HOME, **{k: v for name in names for k, v in CHANGES[name].items()})
)


def test_what_changed_is_said_in_short_and_lines_are_goods_whatever_their_titles() -> None:
    after = replace(
        HOME,
        address=AWAY,
        windows=(NOON,),
        due_on=date(2026, 11, 24),
        instructions="Ring",
        parcels=7,
        lines=(Line("Loaf", 3), Line("Whole", 1)),
    )
    said = in_short(one.what for one in differences(HOME, after, UTC))
    assert said == "address, instructions, day, time, goods"


@pytest.mark.parametrize(
    ("change", "asks"),
    [
        ("address", (Group.WHERE,)),
        ("point", (Group.WHERE,)),
        ("fetched", (Group.WHERE, Group.WHEN)),
        ("window", (Group.WHEN,)),
        ("day", (Group.WHEN,)),
        ("more", (Group.GOODS,)),
        ("other goods", (Group.GOODS,)),
        ("parcels", (Group.GOODS,)),
        ("fewer", ()),
        ("note", ()),
    ],
)
def test_where_when_and_more_goods_ask_somebody(change: str, asks: tuple[Group, ...]) -> None:
    assert changed(HOME, replace(HOME, **CHANGES[change])) == asks


@given(before=REPORTS, last=REPORTS, incoming=REPORTS, asked=st.sets(st.sampled_from(Group)))
def test_what_is_in_force_never_asks_anything_new(
    before: IncomingOrder, last: IncomingOrder, incoming: IncomingOrder, asked: set[Group]
) -> None:
    found = merged(before, last, incoming, asked)
    assert changed(before, found.report) == ()
    assert set(changed(before, incoming)) == {*found.asked, *found.kept}
    assert not set(found.asked) & set(found.kept)
    assert found.report.instructions == incoming.instructions
    again = merged(found.report, incoming, incoming, found.asked)
    assert (again.report, again.asked, again.is_new) == (found.report, found.asked, False)


@given(before=REPORTS, incoming=REPORTS)
def test_what_was_kept_out_stays_out_and_what_is_taken_back_is_not_asked(
    before: IncomingOrder, incoming: IncomingOrder
) -> None:
    assert merged(before, incoming, incoming).asked == ()
    back = merged(before, incoming, before, changed(before, incoming))
    assert (back.report, back.asked, back.kept) == (before, (), ())


def test_differences_are_named_in_words_old_and_new() -> None:
    after = replace(
        HOME,
        address=AWAY,
        windows=(NOON,),
        lines=(Line("Loaf", 1), Line("Cake", 1)),
        contacts=(Contact(Role.RECIPIENT, "Aino", "+3581"),),
    )
    said = {one.what: (one.was, one.now) for one in differences(HOME, after, UTC)}
    assert said == {
        "Address": ("Street 1", "Street 9"),
        "Recipient": ("", "Aino"),
        "Phone": ("", "+3581"),
        "Time": ("", "Mon 23 Nov 12:00–13:00"),
        "Loaf": ("2", "1"),
        "Cake": ("0", "1"),
        "Parcels": ("1", "2"),
    }


def test_a_window_decides_for_which_shift_it_is_else_the_day() -> None:
    day, shift = date(2026, 11, 23), TimeWindow(NOW, NOW + timedelta(hours=9))
    assert is_for((NOON,), None, day, shift)
    tomorrow = TimeWindow(NOON.opens + timedelta(days=1), NOON.closes + timedelta(days=1))
    assert not is_for((tomorrow,), None, day, shift)
    assert is_for((tomorrow, NOON), day, day, shift)
    assert is_for((), None, day, shift)
    assert is_for((), day - timedelta(days=1), day, shift)
    assert not is_for((), day + timedelta(days=1), day, shift)

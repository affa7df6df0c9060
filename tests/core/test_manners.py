"""Quiet hours, limits, the carrier's words and what people answer."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.manners import Held, Manners, Undone, kept_quiet, quiet_until, too_often
from hub.core.notices import Trigger
from hub.core.receipts import LAST, RANK, WORDS, later
from hub.core.stop_words import wish

HELSINKI, SYDNEY = ZoneInfo("Europe/Helsinki"), ZoneInfo("Australia/Sydney")
NIGHT = Manners(quiet_from="21:00", quiet_to="08:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HELSINKI).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-23T20:59", None),
        ("2026-11-23T21:00", "2026-11-24T08:00"),
        ("2026-11-24T03:00", "2026-11-24T08:00"),
        ("2026-11-24T07:59", "2026-11-24T08:00"),
        ("2026-11-24T08:00", None),
        ("2026-03-29T02:30", "2026-03-29T08:00"),  # the night has an hour less
        ("2026-10-25T02:30", "2026-10-25T08:00"),  # and one more
    ],
)
def test_quiet_hours_go_over_midnight_by_the_clocks_there(now: str, until: str | None) -> None:
    assert quiet_until(at(now), NIGHT, HELSINKI) == (at(until) if until else None)


def test_quiet_hours_are_the_recipients_own() -> None:
    noon = at("2026-11-23T12:00")
    assert quiet_until(noon, NIGHT, HELSINKI) is None
    assert quiet_until(noon, NIGHT, SYDNEY) == datetime(2026, 11, 24, 8, tzinfo=SYDNEY)


def test_hours_within_a_day_and_none_at_all() -> None:
    nap = Manners(quiet_from="13:00", quiet_to="15:00")
    assert quiet_until(at("2026-11-23T14:00"), nap, HELSINKI) == at("2026-11-23T15:00")
    assert quiet_until(at("2026-11-23T15:00"), nap, HELSINKI) is None
    never = Manners(quiet_from="08:00", quiet_to="08:00")
    assert quiet_until(at("2026-11-23T03:00"), never, HELSINKI) is None


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    st.integers(0, 1439),
    st.integers(0, 1439),
)
def test_the_end_of_quiet_hours_is_never_quiet_and_less_than_a_day_away(
    when: datetime, begins: int, ends: int
) -> None:
    words = [f"{one // 60:02}:{one % 60:02}" for one in (begins, ends)]
    manners, now = Manners(quiet_from=words[0], quiet_to=words[1]), when.replace(tzinfo=UTC)
    end = quiet_until(now, manners, HELSINKI)
    if end is not None:
        assert now < end <= now + timedelta(hours=25)
        assert quiet_until(end, manners, HELSINKI) is None


def test_what_may_not_ring_is_held_dropped_or_goes_elsewhere() -> None:
    now, end = at("2026-11-23T22:00"), at("2026-11-24T08:00")
    late = end + timedelta(hours=1)
    held = kept_quiet("hold", now, late, end)
    assert isinstance(held, Held) and held.until == end
    passed = kept_quiet("hold", now, now + timedelta(minutes=20), end)
    assert isinstance(passed, Undone) and passed.elsewhere
    dropped, other = kept_quiet("drop", now, late, end), kept_quiet("other", now, late, end)
    assert isinstance(dropped, Undone) and not dropped.elsewhere
    assert isinstance(other, Undone) and other.elsewhere
    assert kept_quiet("send", now, late, end) is None
    assert kept_quiet("hold", now, late, None) is None


def test_limits_hold_for_all_but_what_nobody_may_miss() -> None:
    few = Manners(most_per_order=2, most_per_day=3)
    assert too_often(few, Trigger.NEAR, about_order=1, to_address=2) is None
    assert too_often(few, Trigger.NEAR, about_order=2, to_address=2)
    assert too_often(few, Trigger.NEAR, about_order=0, to_address=3)
    assert too_often(few, Trigger.CANCELLED, about_order=9, to_address=9) is None
    none = Manners(most_per_order=0, most_per_day=0)
    assert too_often(none, Trigger.NEAR, about_order=99, to_address=99) is None


def test_receipts_may_come_in_any_order_and_twice() -> None:
    for order in itertools.permutations(["queued", "sending", "sent", "delivered"]):
        word = ""
        for came in [*order, *order]:
            word = later(word, came)
        assert word == "delivered"
    assert later("delivered", "failed") == "delivered"
    assert later("undelivered", "delivered") == "delivered"
    assert later("failed", "delivered") == "failed"
    assert later("sent", "no such word") == "sent"


@given(st.lists(st.sampled_from(sorted(WORDS))))
def test_a_receipt_never_goes_down(came: list[str]) -> None:
    word = ""
    for one in came:
        after = later(word, one)
        assert RANK[after] >= RANK[word]
        assert RANK[word] < LAST or after in (word, "delivered")
        word = after


@pytest.mark.parametrize(
    "text",
    ["STOP", " stop. ", "Stop!", "please stop", "Opt out", "OPT-OUT", "Unsubscribe please", "quit",
     "StopAll", "no more texts", "Don't text me", "Don’t text me!", "Lopeta", "Arrêt", "توقف", "end",
     "Stop it!", "Stop sending", "Unsubscribe me, please", "STOP 🙏", "أوقف", "إيقاف", "Aufhören!"],
)  # fmt: skip
def test_whoever_wants_no_more_is_understood(text: str) -> None:
    assert wish(text) == "stop"


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("START", "start"),
        ("unstop", "start"),
        ("Help?", "help"),
        ("Please stop at the back door", None),
        ("the end of the street", None),
        ("Yes!", "start"),
        ("", None),
        ("🛑", None),
    ],
)
def test_other_answers_are_not_taken_for_it(text: str, means: str | None) -> None:
    assert wish(text) == means

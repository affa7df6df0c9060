"""What needs a dispatcher comes first, and says who, what and by how much."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hub.core.attention import Ahead, Kind, Loose, Matter, Round, Undecided, late_s, matters
from hub.core.values import TimeWindow

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def noticed(
    ahead: list[Ahead] | None = None,
    undecided: list[Undecided] | None = None,
    rounds: list[Round] | None = None,
    loose: list[Loose] | None = None,
) -> tuple[Matter, ...]:
    return matters(ahead or [], undecided or [], rounds or [], loose or [], now=NOW, zone=UTC)


def coming(eta_min: float, closes_min: float, number: str = "7") -> Ahead:
    closes = NOW + closes_min * MINUTE
    due = TimeWindow(closes - 30 * MINUTE, closes)
    return Ahead(f"stop-{number}", number, "Mara", NOW + eta_min * MINUTE, due)


def a_round(**changes: Any) -> Round:
    usual: dict[str, Any] = {
        "route_id": "r",
        "driver": "Mara",
        "published": True,
        "seen": True,
        "leaves_at": NOW - 60 * MINUTE,
        "began_at": NOW - 60 * MINUTE,
        "over": False,
        "heard_at": NOW,
    }
    return Round(**usual | changes)


def test_a_stop_after_its_promise_is_late_and_says_by_how_much() -> None:
    [one] = noticed([coming(32, 20)])
    assert one.kind is Kind.LATE
    assert one.about == "stop-7"
    assert one.said == "Mara comes to order 7 at 10:32, 12 min after 09:50–10:20."


def test_a_stop_with_little_to_spare_is_named_before_it_is_late() -> None:
    [one] = noticed([coming(14, 20)])
    assert one.kind is Kind.LATE_SOON
    assert "6 min before 09:50–10:20 ends" in one.said
    assert noticed([coming(5, 20)]) == ()


def test_a_narrow_promise_hours_ahead_is_no_alarm() -> None:
    """A promise of ten minutes was "late soon" from dawn on."""
    closes = NOW + 5 * MINUTE
    narrow = TimeWindow(closes - 10 * MINUTE, closes)
    assert noticed([Ahead("s", "7", "Mara", NOW, narrow)]) == ()
    assert noticed([coming(300 - 1, 300)]) == ()
    assert [one.kind for one in noticed([coming(80, 81)])] == [Kind.LATE_SOON]


def test_a_driver_who_is_late_everywhere_is_one_matter() -> None:
    [one] = noticed([coming(30 + n, 20, str(n)) for n in range(5)])
    assert one.kind is Kind.LATE
    assert one.said == "Mara comes late to 5 orders, to 0 at 10:30 first; by 14 min at most."
    assert one.about == "stop-0"
    [since] = noticed([coming(30 - 60 + n, 20 - 60, str(n)) for n in range(5)])
    assert "to 0 at 10:00 first" in since.said, "it named a time that was over"
    assert len(noticed([coming(30, 20, "1"), coming(31, 20, "2")])) == 2


def test_a_shift_that_ended_with_stops_to_do_needs_somebody() -> None:
    [one] = noticed(rounds=[a_round(over=True, left_open=2)])
    assert one.kind is Kind.LEFT_OPEN
    assert one.said == "Mara's shift has ended with 2 stops still to do."


def test_what_nobody_was_promised_is_never_late() -> None:
    nobody = Ahead("s", "7", "Mara", NOW + 60 * MINUTE, None)
    assert noticed([nobody]) == ()
    assert late_s(NOW, None, NOW) == 0


def test_an_estimate_in_the_past_does_not_make_an_open_stop_punctual() -> None:
    [one] = noticed([coming(-30, -5)])
    assert one.kind is Kind.LATE
    assert "at 10:00, 5 min after" in one.said


def test_the_driver_who_is_not_heard_of_is_named_once_the_shift_has_begun() -> None:
    [one] = noticed(rounds=[a_round(heard_at=NOW - 6 * MINUTE)])
    assert one.kind is Kind.NO_SIGNAL
    assert one.said == "No position from Mara since 09:54, 6 min ago."
    assert noticed(rounds=[a_round(heard_at=NOW - 4 * MINUTE)]) == ()
    [never] = noticed(rounds=[a_round(heard_at=None)])
    assert "since the shift began, 09:00" in never.said


def test_a_driver_whose_work_is_over_need_not_be_heard_of() -> None:
    assert noticed(rounds=[a_round(heard_at=None, over=True, seen=False)]) == ()


def test_who_should_have_left_is_named_with_what_holds_them() -> None:
    [one] = noticed(rounds=[a_round(began_at=None, heard_at=None)])
    assert (one.kind, one.urgency_s) == (Kind.NOT_STARTED, 3600)
    [draft] = noticed(rounds=[a_round(began_at=None, published=False)])
    assert "the route is not published" in draft.said
    later = a_round(began_at=None, leaves_at=NOW - 5 * MINUTE)
    assert noticed(rounds=[later]) == ()


def test_a_phone_that_shows_an_old_route_matters_from_an_hour_before_it_leaves() -> None:
    soon = a_round(began_at=None, seen=False, leaves_at=NOW + 50 * MINUTE)
    later = a_round(began_at=None, seen=False, leaves_at=NOW + 70 * MINUTE)
    assert [one.kind for one in noticed(rounds=[soon, later])] == [Kind.NOT_SEEN]


def test_the_most_urgent_comes_first_and_of_a_kind_the_worst() -> None:
    found = noticed(
        [coming(14, 20, "1"), coming(25, 20, "2"), coming(60, 20, "3")],
        [Undecided("o", "4", "Otso", "failed (nobody home)")],
        [a_round(heard_at=NOW - 9 * MINUTE)],
        [Loose("j", "5", "It is not planned yet.")],
    )
    assert [one.kind for one in found] == [
        Kind.LATE,
        Kind.LATE,
        Kind.FAILED,
        Kind.LATE_SOON,
        Kind.NO_SIGNAL,
        Kind.UNASSIGNED,
    ]
    assert [one.about for one in found[:2]] == ["stop-3", "stop-2"]
    assert found[2].said == "Order 4, Otso: failed (nobody home)."

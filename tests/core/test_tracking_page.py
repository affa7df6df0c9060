"""The page shows one state and one time, and says nothing a recipient must not know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.business import BusinessSettings
from hub.core.colours import BLACK, READABLE, contrast, luminance, readable_on, text_on
from hub.core.jobs import ON_A_PHONE, NextStep, Outcome, Reason, State
from hub.core.orders import Kind
from hub.core.page_clock import nears_at, turns_at
from hub.core.tracking_page import (
    Estimate,
    JobSeen,
    Life,
    Ride,
    Seen,
    Shows,
    current,
    decide,
    first_name,
    life,
    outwards,
    visible,
)
from hub.core.tracking_sentences import HEADLINES, STEPS
from hub.core.tracking_words import (
    Card,
    card,
    day_words,
    follow_words,
    outcome_line,
    signal_words,
    stays_words,
)
from hub.core.values import TimeWindow
from hub.core.visibility import ALWAYS, NEVER, NEXT, Fact, Reader, Rule, Visibility

HELSINKI = ZoneInfo("Europe/Helsinki")
NOON = datetime(2026, 11, 23, 10, tzinfo=UTC)  # in Helsinki
JOB = JobSeen(kind=Kind.DELIVER)
ON_PHONE = replace(JOB, state=State.DISPATCHED)
SETTINGS = BusinessSettings()
colours = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}")


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def span(opens: float, closes: float) -> TimeWindow:
    return TimeWindow(at(opens), at(closes))


def a_ride(arrive: float = 30, *, next_departs: float = 10, **more: object) -> Ride:
    ride = Ride(at(arrive), at(next_departs), stops_before=3, has_left=True)
    return replace(ride, **more)  # type: ignore[arg-type]


def closed(outcome: Outcome, minutes: float = -5, **more: object) -> JobSeen:
    ended = replace(JOB, state=State.CLOSED, outcome=outcome, ended_at=at(minutes))
    return replace(ended, closed_at=at(minutes), **more)  # type: ignore[arg-type]


def read(seen: Seen, now: datetime = NOON) -> Card:
    return card(seen, frozenset(Fact), HELSINKI, now)


def look(
    *jobs: JobSeen,
    promises: tuple[TimeWindow, ...] = (span(0, 60),),
    ride: Ride | None = None,
    now: datetime = NOON,
) -> Seen:
    return decide(jobs, promises, ride, window_s=3600, now=now)


@pytest.mark.parametrize(
    ("seen", "shows"),
    [
        (look(JOB, promises=()), Shows.ORDERED),
        (look(replace(JOB, state=State.ASSIGNED), promises=()), Shows.ORDERED),
        (look(ON_PHONE, ride=a_ride(has_left=False)), Shows.SCHEDULED),
        (look(ON_PHONE, ride=a_ride()), Shows.ON_ITS_WAY),
        (look(replace(JOB, state=State.EN_ROUTE), ride=a_ride()), Shows.ARRIVING),
        (look(replace(JOB, state=State.ARRIVED), ride=a_ride()), Shows.AT_THE_DOOR),
        (look(closed(Outcome.SUCCEEDED)), Shows.DONE),
        (look(closed(Outcome.PARTIAL)), Shows.DONE),
        (look(closed(Outcome.FAILED)), Shows.FAILED),
        (look(closed(Outcome.SKIPPED)), Shows.FAILED),
        (look(closed(Outcome.CANCELLED)), Shows.CANCELLED),
        (look(closed(Outcome.FAILED), replace(JOB, attempt=2), promises=()), Shows.RESCHEDULED),
        (look(JOB, promises=(span(0, 60),)), Shows.RESCHEDULED),  # taken off its route again
    ],
)
def test_each_state_of_a_job_is_one_state_of_the_page(seen: Seen, shows: Shows) -> None:
    assert seen.shows is shows


def test_the_page_of_a_pair_is_about_what_is_brought_not_what_is_fetched() -> None:
    fetched = replace(closed(Outcome.SUCCEEDED), kind=Kind.COLLECT)
    brought = replace(ON_PHONE, leg=2)
    assert current((fetched, brought)) is brought
    assert look(fetched, brought, ride=a_ride()).shows is Shows.ON_ITS_WAY


def test_a_pair_whose_goods_could_not_be_fetched_is_not_on_its_way() -> None:
    fetched = replace(closed(Outcome.FAILED), kind=Kind.COLLECT)
    seen = look(fetched, replace(ON_PHONE, leg=2), ride=a_ride())
    assert read(seen).headline == "We could not fetch your order yet"
    again = replace(JOB, kind=Kind.COLLECT, attempt=2)
    seen = look(fetched, again, replace(ON_PHONE, leg=2), ride=a_ride())
    assert seen.shows is Shows.ON_ITS_WAY


def test_of_several_times_asked_for_all_are_told_until_one_is_promised() -> None:
    asked = replace(JOB, windows=(span(0, 60), span(180, 240), span(1440, 1500)))
    seen = look(asked, promises=())
    told = read(seen)
    assert (seen.quoted, seen.others) == (asked.windows[0], asked.windows[1:])
    assert told.big == "12:00 – 13:00"
    assert list(told.lines[:3]) == [
        "Or 15:00 – 16:00.",
        "Or Tuesday 24 November, 12:00 – 13:00.",
        "It will be one of the times that were asked for.",
    ]
    promised = look(replace(asked, state=State.DISPATCHED), ride=a_ride(has_left=False))
    assert promised.others == ()


def test_the_newest_promise_is_quoted_as_the_mail_quoted_it() -> None:
    seen = look(ON_PHONE, promises=(span(3, 58),), ride=a_ride())
    assert seen.quoted == span(3, 58)  # cut to the hours asked for: 12:03–12:58 in both
    seen = look(ON_PHONE, promises=(span(0, 60), span(30, 90)), ride=a_ride(60))
    assert seen.quoted == span(30, 90)


def test_planned_is_not_the_step_of_a_retry_that_is_still_to_be_planned() -> None:
    seen = look(closed(Outcome.FAILED), replace(JOB, attempt=2), promises=())
    told = read(seen)
    assert "as soon as it is planned" in " ".join(told.lines)
    assert told.steps[told.step - 1] == "Ordered"
    seen = look(closed(Outcome.FAILED), replace(ON_PHONE, attempt=2), ride=a_ride(has_left=False))
    told = read(seen)
    assert told.steps[told.step - 1] == "Planned"


def test_a_recipient_is_told_what_their_copy_of_the_proof_leaves_out() -> None:
    assert stays_words(photos=True, items=False, brand="Husk") == "Photos stay with Husk."
    both = stays_words(photos=True, items=True, brand="Husk")
    assert both == "Photos and the list of items stay with Husk."
    assert stays_words(photos=False, items=False, brand="Husk") == ""


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_rounding_outwards_keeps_all_of_a_window_within_five_minutes(
    start: int, length: int
) -> None:
    window = TimeWindow(NOON + timedelta(seconds=start), NOON + timedelta(seconds=start + length))
    rounded = outwards(window)
    assert rounded.opens <= window.opens < rounded.opens + timedelta(minutes=5)
    assert rounded.closes - timedelta(minutes=5) < window.closes <= rounded.closes
    assert outwards(rounded) == rounded


def test_without_a_promise_the_plan_is_quoted_as_a_window() -> None:
    seen = look(ON_PHONE, promises=(), ride=a_ride(31))
    assert seen.quoted == span(0, 65)


@pytest.mark.parametrize(
    ("ride", "now"),
    [
        (a_ride(61), NOON),  # planned anew behind the promise
        (a_ride(30, next_departs=-40), NOON),  # the stop before should be done 40 minutes ago
        (a_ride(30, next_departs=90), at(61)),  # the promise is simply over
        (a_ride(30, estimate=Estimate(at(50), at(65), at(80))), NOON),
    ],
)
def test_a_time_that_will_not_be_kept_is_late_and_gets_a_new_one(ride: Ride, now: datetime) -> None:
    seen = look(ON_PHONE, ride=ride, now=now)
    assert seen.is_late
    assert seen.before == span(0, 60)
    assert seen.quoted is not None
    assert seen.quoted.closes > max(now, at(60))
    words = read(seen, now)
    assert words.headline == "Sorry, we are running late"
    assert words.struck == "12:00 – 13:00"


@given(
    st.integers(-90, 90),
    st.integers(-60, 120),
    st.integers(0, 90),
    st.sampled_from([None, (0, 0), (-4, 9), (-15, 40)]),
)
def test_until_a_page_is_to_turn_the_clock_changes_nothing_on_it(
    now: float, arrive: float, behind: int, spread: tuple[int, int] | None
) -> None:
    now, arrive = now + 0.5, arrive + 0.3  # on no round time, which nobody hits to the microsecond
    known = spread and Estimate(at(arrive - 4 + spread[0]), at(arrive), at(arrive + spread[1]))
    ride = a_ride(arrive, next_departs=arrive - behind, estimate=known or None)
    seen = look(ON_PHONE, ride=ride, now=at(now))
    turns = turns_at(seen, ride)
    assert turns is not None
    assert turns >= at(now), "it would turn without an end"

    def told(moment: datetime) -> object:
        then = look(ON_PHONE, ride=ride, now=moment)
        return then.shows, then.is_late, then.quoted, then.before

    for n in range(20):
        moment = at(now) + (turns - at(now)) * n / 20
        assert told(moment) == told(at(now)), f"it had changed at {moment}"


def test_what_is_on_time_is_not_late_and_who_is_at_the_door_never_is() -> None:
    assert not look(ON_PHONE, ride=a_ride(59)).is_late
    arrived = replace(JOB, state=State.ARRIVED)
    assert not look(arrived, ride=a_ride(30), now=at(90)).is_late


@given(
    st.sampled_from(sorted(ON_A_PHONE)),
    st.integers(-300, 300),
    st.integers(-300, 300),
    st.integers(-300, 300),
    st.booleans(),
)
def test_no_time_that_is_over_is_quoted_to_somebody_who_waits(
    state: State, arrive: int, departs: int, now: int, known: bool
) -> None:
    estimate = Estimate(at(arrive - 5), at(arrive), at(arrive + 5)) if known else None
    ride = a_ride(arrive, next_departs=departs, estimate=estimate)
    seen = look(replace(JOB, state=state), ride=ride, now=at(now))
    assert seen.quoted is not None
    assert seen.shows is Shows.AT_THE_DOOR or seen.quoted.closes >= at(now)
    assert (seen.before is not None) == seen.is_late


def test_an_estimate_is_a_minute_only_while_it_is_narrow() -> None:
    narrow = a_ride(estimate=Estimate(at(22), at(26), at(31)))
    wide = a_ride(estimate=Estimate(at(10), at(26), at(50)))
    assert read(look(ON_PHONE, ride=narrow)).big == "12:26"
    assert read(look(ON_PHONE, ride=wide)).big == "12:10 – 12:50"
    for ride in (narrow, wide):
        words = read(look(ON_PHONE, ride=ride))
        assert "We promised 12:00 – 13:00." in words.lines


def test_a_promise_moved_away_is_struck_through_with_its_day() -> None:
    tomorrow = 24 * 60
    ride = a_ride(tomorrow + 30, next_departs=tomorrow, has_left=False)
    seen = look(ON_PHONE, promises=(span(0, 60), span(tomorrow, tomorrow + 60)), ride=ride)
    words = read(seen)
    assert words.headline == "Your delivery has a new time"
    assert (words.struck, words.big) == ("12:00 – 13:00", "12:00 – 13:00")
    assert words.day == "Tomorrow, Tuesday 24 November"


def test_a_failure_says_why_and_the_one_thing_that_happens_next() -> None:
    job = closed(Outcome.FAILED, reason=Reason.NOBODY_HOME, next_step=NextStep.RETURN)
    words = read(look(job))
    assert words.headline == "Sorry, we missed you"
    assert words.lines == (
        "Today at 11:55: nobody was there to open the door.",
        "It goes back to the sender.",
    )
    assert words.steps == ()


def test_a_new_attempt_says_its_day_and_why_the_last_one_failed() -> None:
    first = closed(Outcome.FAILED, reason=Reason.NO_ACCESS, next_step=NextStep.ANOTHER_DAY)
    second = replace(JOB, attempt=2, due_on=date(2026, 11, 24))
    words = read(look(first, second, promises=()))
    assert words.headline == "We will try again"
    assert (words.big, words.day) == ("Tomorrow", "Tuesday 24 November")
    assert "could not get in" in words.lines[0]


@pytest.mark.parametrize(
    ("kind", "done"), [("deliver", "Delivered"), ("collect", "Collected"), ("serve", "Done")]
)
def test_words_fit_what_is_done(kind: str, done: str) -> None:
    seen = look(closed(Outcome.SUCCEEDED, kind=Kind(kind)))
    words = read(seen)
    assert (words.headline, words.big, words.step) == (done, "11:55", 4)
    assert outcome_line(seen, HELSINKI) == f"{done} 11:55, Monday 23 November 2026"


def test_every_kind_has_words_for_every_state() -> None:
    for kind in Kind:
        assert set(HEADLINES[kind]) == set(Shows)
        assert len(STEPS[kind]) == 4


def test_days_are_named_in_words() -> None:
    today = date(2026, 12, 31)
    said = [day_words(today + timedelta(days=n), today) for n in (-1, 0, 1, 2)]
    assert said == [
        "Yesterday, Wednesday 30 December",
        "Today",
        "Tomorrow, Friday 1 January",
        "Saturday 2 January 2027",
    ]


@pytest.mark.parametrize(
    ("hours", "left"),
    [(0, Life.FULL), (47.9, Life.FULL), (48, Life.BARE), (719, Life.BARE), (720, Life.GONE)],
)
def test_a_page_is_full_then_bare_then_gone(hours: float, left: Life) -> None:
    jobs = (closed(Outcome.SUCCEEDED, 0),)
    assert life(jobs, SETTINGS, NOON + timedelta(hours=hours)) is left


def test_a_page_stays_full_while_another_attempt_is_open() -> None:
    jobs = (closed(Outcome.FAILED), replace(JOB, attempt=2))
    assert life(jobs, SETTINGS, NOON + timedelta(days=90)) is Life.FULL


def seen_by(seen: Seen, rules: Visibility = SETTINGS.visibility) -> frozenset[Fact]:
    return visible(seen, Life.FULL, BusinessSettings(visibility=rules))


def test_what_may_be_seen_follows_state_and_settings() -> None:
    way, done = look(ON_PHONE, ride=a_ride()), look(closed(Outcome.SUCCEEDED))
    assert Fact.DRIVER in seen_by(way)
    assert not {Fact.DRIVER, Fact.PHOTO, Fact.ADDRESS} & seen_by(done)
    shy = Visibility().but(Reader.PAGE, items=NEVER, driver=NEVER, photo=ALWAYS)
    assert not {Fact.ITEMS, Fact.DRIVER, Fact.PHOTO} & seen_by(way, shy)
    assert Fact.PHOTO in seen_by(done, shy)


@pytest.mark.parametrize(("stops", "shown"), [(0, True), (3, True), (4, False), (30, False)])
def test_a_position_is_for_those_who_are_soon_next(stops: int, shown: bool) -> None:
    seen = look(ON_PHONE, ride=a_ride(stops_before=stops))
    assert (Fact.POSITION in seen_by(seen)) is shown
    before = look(ON_PHONE, ride=a_ride(stops_before=stops, has_left=False))
    assert Fact.POSITION not in seen_by(before)


EN_ROUTE = replace(JOB, state=State.EN_ROUTE)


@pytest.mark.parametrize(
    ("rule", "job", "stops", "minutes", "shown"),
    [
        (Rule("stops", 2), ON_PHONE, 2, 90, True),
        (Rule("stops", 2), ON_PHONE, 4, 5, False),
        (Rule("minutes", 20), ON_PHONE, 9, 20, True),
        (Rule("minutes", 20), ON_PHONE, 1, 21, False),
        (NEXT, ON_PHONE, 0, 30, True),
        (NEXT, ON_PHONE, 1, 5, False),
        (NEXT, EN_ROUTE, 3, 30, True),  # he heads for this one whatever the plan says
        (Rule("minutes", 20), EN_ROUTE, 3, 50, False),  # a minute is a minute all the same
        (NEVER, EN_ROUTE, 0, 1, False),
        (Rule("stops", 2), replace(JOB, state=State.ARRIVED), 0, 0, False),  # he stands outside
    ],
)
def test_the_business_says_from_when_a_driver_is_seen(
    rule: Rule, job: JobSeen, stops: int, minutes: int, shown: bool
) -> None:
    came = Estimate(at(minutes), at(minutes), at(minutes))
    seen = look(job, ride=a_ride(minutes, stops_before=stops, estimate=came))
    may = seen_by(seen, Visibility().but(Reader.PAGE, position=rule))
    assert (Fact.POSITION in may) is shown
    is_riding = seen.shows in (Shows.ON_ITS_WAY, Shows.ARRIVING)
    assert (follow_words(seen, may, rule) == "") is (shown or rule == NEVER or not is_riding)


def test_a_page_is_looked_at_again_when_so_few_minutes_are_left() -> None:
    came = Estimate(at(50), at(50), at(50))
    seen = look(ON_PHONE, ride=a_ride(50, estimate=came))
    rules = (
        ALWAYS,
        Rule("minutes", 20),
        Rule("minutes", 60),
        Rule("minutes", 45),
        Rule("stops", 1),
    )
    assert nears_at(seen, rules, NOON) == at(5)
    assert Fact.DRIVER in visible(
        look(ON_PHONE, ride=a_ride(50, estimate=came), now=at(5)),
        Life.FULL,
        BusinessSettings(visibility=Visibility().but(Reader.PAGE, driver=Rule("minutes", 45))),
    )
    assert nears_at(seen, rules[:1], NOON) is None
    assert nears_at(look(closed(Outcome.SUCCEEDED)), rules, NOON) is None


def test_a_phone_that_is_silent_is_said_with_the_time_it_was_last_heard_of() -> None:
    assert signal_words(at(-1), NOON, HELSINKI) == ""
    said = "No signal since 11:57. The time is an estimate."
    assert signal_words(at(-3), NOON, HELSINKI) == said


@pytest.mark.parametrize(
    ("full", "shown"),
    [
        ("Anna Virtanen", "Anna"),
        ("Virtanen, Anna", "Anna"),
        ("Mr. Smith", ""),
        ("mrs Smith", ""),
        ("", ""),
        ("王小明", "王小明"),
    ],
)
def test_only_a_first_name_is_shown(full: str, shown: str) -> None:
    assert first_name(full) == shown


@given(colours)
def test_text_on_any_brand_can_be_read(colour: str) -> None:
    assert contrast(colour, text_on(colour)) >= READABLE


@given(colours, st.sampled_from(["#ffffff", "#1d2025"]))
def test_any_brand_has_a_shade_that_can_be_read_on_a_card(colour: str, ground: str) -> None:
    assert contrast(readable_on(colour, ground), ground) >= READABLE


def test_contrast_is_measured_as_wcag_does() -> None:
    assert contrast("#ffffff", BLACK) == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the known near miss
    assert luminance("#ff0000") == pytest.approx(0.2126)
    assert readable_on("#0f6b5c", "#ffffff") == "#0f6b5c"
    with pytest.raises(ValueError, match="not a colour"):
        luminance("red")

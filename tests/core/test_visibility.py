"""What a business keeps back, from whom and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.business import Trade, suggested
from hub.core.connecting import DeliveryRecord, OrderProgress
from hub.core.kept_back import for_books, for_messages, for_store, order_for_books
from hub.core.notice_words import About
from hub.core.orders import IncomingOrder
from hub.core.road_ahead import ahead
from hub.core.values import Address, Contact, DeliveredLine, Line, Point, ProofFile, Role
from hub.core.visibility import (
    ALWAYS,
    FACTS,
    NEVER,
    Fact,
    Moment,
    Reader,
    Rule,
    Stage,
    Visibility,
    may,
    shown,
)

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
LINES = (DeliveredLine(0, "Insulin", 2, 1), DeliveredLine(1, "Plasters", 1, 1))
PROGRESS = OrderProgress(
    key="1",
    order_ref="7",
    order_number="7",
    stage="closed",
    at=NOW,
    outcome="succeeded",
    received_by="Anna Virtanen",
    point=Point(60.17, 24.94),
    lines=LINES,
    files=(
        ProofFile("photo", "image/jpeg", "a", "disk", "a"),
        ProofFile("signature", "image/png", "b", "disk", "b"),
    ),
)
RECORD = DeliveryRecord(
    key="1",
    order_ref="7",
    order_number="7",
    outcome="succeeded",
    at=NOW,
    driver="Mara Aho",
    received_by="Anna Virtanen",
    contacts=(Contact(Role.RECIPIENT, "Anna Virtanen"),),
    lines=LINES,
)
ORDER = IncomingOrder(
    ref="7",
    number="7",
    updated_at=NOW,
    address=Address(("Yrjönkatu 2",)),
    point=Point(60.17, 24.94),
    contacts=RECORD.contacts,
    lines=(Line("Insulin", 2),),
)
NOTHING = Visibility(
    page=dict.fromkeys(Fact, NEVER),
    messages={},
    store={},
    books={},
)
moments = st.builds(
    Moment,
    st.sampled_from(Stage),
    st.none() | st.integers(0, 9),
    st.none() | st.timedeltas(timedelta(0), timedelta(hours=3)),
    st.none() | st.floats(0, 20_000),
    st.booleans(),
)
rules = st.builds(
    Rule, st.sampled_from(("always", "stops", "minutes", "metres", "never")), st.integers(0, 500)
)


@given(moments, rules, st.sampled_from(Fact), st.sampled_from(Reader))
def test_a_threshold_never_shows_more_than_always_nor_less_than_never(
    now: Moment, rule: Rule, fact: Fact, reader: Reader
) -> None:
    always, never, so = (
        may(Visibility().but(reader, **{fact: one}), reader, fact, now)
        for one in (ALWAYS, NEVER, rule)
    )
    assert never is False
    assert always or not so


@given(moments, rules, st.sampled_from(Fact))
def test_who_comes_nearer_is_never_seen_less(now: Moment, rule: Rule, fact: Fact) -> None:
    if None in (now.stops_before, now.away, now.away_m):
        return
    assert now.away is not None and now.away_m is not None and now.stops_before is not None
    nearer = replace(now, stops_before=0, away=now.away / 2, away_m=now.away_m / 2)
    kept = Visibility().but(Reader.PAGE, **{fact: rule})
    assert may(kept, Reader.PAGE, fact, nearer) or not may(kept, Reader.PAGE, fact, now)


@pytest.mark.parametrize("stage", [Stage.DONE, Stage.FAILED, Stage.CANCELLED])
def test_nobody_follows_the_driver_of_what_is_over_whatever_is_set(stage: Stage) -> None:
    kept = Visibility(page=dict.fromkeys(Fact, ALWAYS))
    left = shown(kept, Reader.PAGE, Moment(stage, 0, timedelta(0), 0.0))
    assert not left & {Fact.POSITION, Fact.ROUTE, Fact.DRIVER, Fact.STOPS}
    assert shown(kept, Reader.PAGE, Moment(stage, is_fresh=False)) == frozenset()


def test_a_road_needs_both_its_ends_and_passes_nobody_else() -> None:
    kept = Visibility(page=dict.fromkeys(Fact, ALWAYS))
    way = Moment(Stage.ON_THE_WAY, 0)
    assert Fact.ROUTE in shown(kept, Reader.PAGE, way)
    assert Fact.ROUTE not in shown(kept, Reader.PAGE, replace(way, stops_before=1))
    for end in ("position", "address"):
        assert Fact.ROUTE not in shown(kept.but(Reader.PAGE, **{end: NEVER}), Reader.PAGE, way)


def test_a_fact_without_a_rule_is_shown_to_nobody() -> None:
    for reader in Reader:
        rules = Visibility.model_validate({one.value: {} for one in Reader})
        assert shown(rules, reader, Moment(Stage.DONE, 0, timedelta(0), 0.0)) == frozenset()


def test_what_a_pharmacy_brings_is_named_neither_on_the_page_nor_in_the_books() -> None:
    kept = suggested(Trade.PHARMACY).visibility
    done = Moment(Stage.DONE)
    assert Fact.ITEMS not in shown(kept, Reader.PAGE, done) | shown(kept, Reader.BOOKS, done)
    assert "Insulin" not in repr(for_books(RECORD, kept)) + repr(order_for_books(ORDER, kept))
    assert "Insulin" in repr(for_books(RECORD, Visibility()))
    assert Fact.ITEMS not in FACTS[Reader.MESSAGES]  # no message can name them


def test_a_store_and_the_books_get_nothing_that_is_kept_from_them() -> None:
    told = for_store(PROGRESS, NOTHING)
    assert (told.received_by, told.point) == ("", None)
    assert [(one.n, one.delivered, one.title) for one in told.lines] == [(0, 1, ""), (1, 1, "")]
    assert [one.kind for one in told.files] == ["signature"]
    assert told.lines[0].called == "of line 1"
    filed = for_books(RECORD, NOTHING)
    assert (filed.driver, filed.received_by, filed.contacts) == ("", "", ())
    left = repr((told, filed, order_for_books(ORDER, NOTHING)))
    for secret in ("Anna", "Mara", "Insulin", "Yrjönkatu", "24.94"):
        assert secret not in left
    assert for_store(PROGRESS, Visibility()) == PROGRESS
    assert for_books(RECORD, Visibility()) == RECORD
    assert order_for_books(ORDER, Visibility()) == ORDER


def test_a_message_names_nobody_and_no_place_where_the_business_says_so() -> None:
    about = About(order="7", brand="Husk", link="", name="Anna", address="Yrjönkatu 2")
    kept = for_messages(replace(about, received_by="Anna", closed_at=NOW), NOTHING)
    assert (kept.name, kept.address, kept.received_by) == ("", "", "")
    assert for_messages(about, Visibility()) == about


LOOP = [Point(60.0, 24.0 + n / 1000) for n in range(6)]


def rounded(line: list[Point]) -> list[tuple[float, float]]:
    return [(round(one.lat, 6), round(one.lon, 6)) for one in line]


def test_the_road_begins_at_the_driver_and_ends_at_the_door() -> None:
    here, door = Point(60.0001, 24.0015), Point(60.0001, 24.004)
    assert rounded(ahead(LOOP, here, door)) == rounded([here, *LOOP[2:5], door])
    assert ahead(LOOP, Point(60.01, 24.0015), door) == []  # he drives elsewhere
    assert ahead(LOOP, here, Point(60.01, 24.004)) == []  # the line leads not there
    assert ahead([], here, door) == []


def test_a_line_that_passes_twice_is_entered_at_the_last_time_before_the_door() -> None:
    there_and_back = [*LOOP[:4], *reversed(LOOP[:3]), Point(60.001, 24.0)]
    here, door = Point(60.0, 24.001), Point(60.001, 24.0)
    assert rounded(ahead(there_and_back, here, door)) == rounded([here, LOOP[0], door, door])

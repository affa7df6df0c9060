"""What counts as somebody asking where an order is, and how often it comes to that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.core.asked import Asked, Kind, contacts_of, figures, is_a_look, once
from hub.core.rating import CHANGES, MOST_WORDS, may_rate, read_rating

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
PHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Safari/604.1"}
CHROME = PHONE | {
    "sec-fetch-site": "none",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
}


def at(minutes: float, kind: Kind = Kind.ASKED, order: str = "o") -> Asked:
    return Asked(order, kind, NINE + timedelta(minutes=minutes))


@pytest.mark.parametrize("headers", [PHONE, CHROME, CHROME | {"sec-fetch-site": "cross-site"}])
def test_somebody_who_opens_the_page_looks(headers: dict[str, str]) -> None:
    assert is_a_look(headers)


@pytest.mark.parametrize(
    "headers",
    [
        CHROME | {"sec-fetch-site": "same-origin"},  # <meta refresh>, or what the script fetches
        PHONE | {"if-none-match": '"3f"'},
        CHROME | {"sec-fetch-dest": "empty"},
        CHROME | {"sec-purpose": "prefetch;prerender"},
        PHONE | {"purpose": "prefetch"},
        PHONE | {"x-purpose": "preview"},
        {"user-agent": "WhatsApp/2.23.20.0"},
        {"user-agent": "facebookexternalhit/1.1 Facebot Twitterbot/1.0"},
        {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"user-agent": "Slackbot-LinkExpanding 1.0"},
        {"user-agent": "TelegramBot (like TwitterBot)"},
        {"user-agent": ""},
        {},
    ],
)
def test_a_page_that_renews_itself_or_a_program_does_not(headers: dict[str, str]) -> None:
    assert not is_a_look(headers)


def test_asking_only_for_the_headers_is_no_look() -> None:
    assert not is_a_look(PHONE, "HEAD")


def test_the_same_within_ten_minutes_of_the_clock_is_one() -> None:
    assert once(Kind.VIEW, NINE) == once(Kind.VIEW, NINE + timedelta(minutes=9))
    assert once(Kind.VIEW, NINE) != once(Kind.VIEW, NINE + timedelta(minutes=10))
    assert once(Kind.VIEW, NINE) != once(Kind.CONTACT_TAP, NINE)


def test_a_tap_that_a_call_follows_is_one_contact_with_it() -> None:
    tap = at(0, Kind.CONTACT_TAP)
    assert len(contacts_of([tap, at(3)])) == 1
    assert len(contacts_of([tap, at(45)])) == 2
    assert len(contacts_of([tap])) == 1


def test_opened_pages_are_held_against_contacts() -> None:
    asked = [
        at(0, Kind.VIEW, "answered"),
        at(0, Kind.VIEW, "called"),
        at(5, Kind.ASKED, "called"),
        at(0, Kind.ASKED, "never opened"),
        at(0, Kind.ASKED, "called first"),  # and was sent the link then
        at(9, Kind.VIEW, "called first"),
        at(0, Kind.ASKED, "not delivered"),
    ]
    delivered = ["answered", "called", "never opened", "called first", *map(str, range(16))]
    found = figures(delivered, asked)
    assert (found.deliveries, found.opened, found.answered, found.contacts) == (20, 3, 2, 3)
    assert found.per_100 == 15
    assert round(found.per_100_opened) == 67
    assert round(found.per_100_unopened, 1) == 5.9
    assert found.is_enough and not figures(delivered[:19], asked).is_enough


def test_a_figure_of_nothing_is_none() -> None:
    assert figures([], [at(0)]).per_100 == 0


@pytest.mark.parametrize("stars", ["", "0", "6", "5.0", "٣", "-1", "five"])
def test_only_one_to_five_stars_are_taken(stars: str) -> None:
    with pytest.raises(ValueError, match="one to five"):
        read_rating(stars, "")


def test_words_are_plain_and_few() -> None:
    said = read_rating("2", "  late \x00 and\u2028cold \n\n\n bread " + "x" * 2000)
    assert said.comment.startswith("late and cold\nbread xxx")
    assert len(said.comment) == MOST_WORDS
    assert said.is_low


def test_a_rating_can_be_changed_for_a_week() -> None:
    assert may_rate(None, NINE)
    assert may_rate(NINE, NINE + CHANGES - timedelta(seconds=1))
    assert not may_rate(NINE, NINE + CHANGES)

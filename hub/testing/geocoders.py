"""The promises of an address lookup, as tests to inherit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from math import cos, hypot, radians
from typing import Any, ClassVar, get_args, get_type_hints

import pytest

from hub import (
    Address,
    AuthError,
    Geocoder,
    HubError,
    Match,
    Point,
    Provider,
    RateLimited,
    RetryLater,
    Tools,
)
from hub.testing.leaving_out import demand_able, demand_unable
from hub.testing.order_sources import Mood
from hub.testing.provider import PresentableConformance, expect, secrets_of

NEAR_M = 150
MOODY = "test_a_service_that_gives_no_answer_is_no_address_not_found"
CHECKED = "test_a_check_finds_out_that_the_key_is_refused"
MOODS: Sequence[Mood] = ("locked", "busy", "down", "babbling")
NOBODY = "nobody else is asked"
PRECISIONS = get_args(get_type_hints(Match)["precision"])
SURE = 0.8
IN_DOUBT = 0.7  # below it a dispatcher looks at the pin
MID_ATLANTIC = Point(30.0, -40.0)
HOSTILE = [
    '"; DROP TABLE street; --',
    "Xyzzyplugh 99",
    "' OR 1=1",
    "*",
    "NEAR(a b)",
    "%s %d {q} {0}",
    "\x00\x07",
    "🍞" * 50,
    "a" * 3000,
    "\u202e1 teertS",
]


class GeocoderConformance(PresentableConformance, ABC):
    """``known`` is a door that your data has; ``at`` is where it is."""

    known: ClassVar[Address]
    at: ClassVar[Point]

    @abstractmethod
    def geocoder(self, tools: Tools) -> Geocoder:
        """Yours, in front of data or of a fake service that has ``known`` and little else."""

    def be(self, mood: Mood) -> bool:
        """Let your fake service be as in ``hub.testing.Shop``.

        ``False``: it is never so, as where nobody else is asked. Exempt what asks for it.
        """
        return False

    def presented(self, tools: Tools) -> Provider:
        return self.geocoder(tools)

    @pytest.fixture
    def finds(self, tools: Tools) -> Geocoder:
        return self.geocoder(tools)

    # -- finding

    def test_the_very_door_is_found_and_sure(self, finds: Geocoder) -> None:
        match = demand_match(finds.locate(self.known))
        assert metres(match.point, self.at) <= NEAR_M, (
            f"{match.point} is {metres(match.point, self.at):.0f} m from the door. Latitude comes"
            " first in a Point."
        )
        assert match.confidence >= SURE, (
            f"The very door has confidence {match.confidence}: 1 is the door, 0 a guess."
        )
        assert match.precision == "rooftop", f"The very door is rooftop, not {match.precision}."

    def test_nothing_is_made_up_for_what_is_not_there(self, finds: Geocoder) -> None:
        nowhere = Address(("Xyzzyplugh 99",), "Qwghlmtown", postcode="", country="")
        match = finds.locate(nowhere)
        assert match is None or match.confidence < IN_DOUBT, (
            f"For a street that is nowhere it is {match.confidence:.0%} sure of {match.label!r}."
        )

    def test_an_empty_address_finds_nothing(self, finds: Geocoder) -> None:
        for nothing in (Address(()), Address(("",)), Address(("", " "), "", "", "", "")):
            assert finds.locate(nothing) is None, "Nothing was asked for; return None."

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_any_text_is_only_text(self, finds: Geocoder, text: str) -> None:
        for address in (
            Address((text,), self.known.city),
            replace(self.known, city=text),
            replace(self.known, postcode=text[:20]),
        ):
            try:
                found = finds.locate(address)
            except HubError:
                continue  # the service said no
            assert found is None or demand_match(found)

    # -- doubt

    def test_another_house_number_is_not_the_door(self, finds: Geocoder) -> None:
        sure = demand_match(finds.locate(self.known))
        lines = tuple("".join(c for c in line if not c.isdigit()) for line in self.known.lines)
        other = finds.locate(replace(self.known, lines=tuple(f"{line}9871" for line in lines)))
        if other is not None:
            demand_match(other)
            assert other.precision != "rooftop", (
                f"House 9871 is not there; {other.label!r} was given for it as the very door."
            )
            assert other.confidence < min(sure.confidence, IN_DOUBT), (
                f"{other.confidence} for a door that is not there, {sure.confidence} for one that"
                " is: a parcel goes to the wrong house and nobody looks."
            )

    def test_another_town_makes_it_doubtful(self, finds: Geocoder) -> None:
        sure = demand_match(finds.locate(self.known))
        elsewhere = replace(self.known, city="Qwghlmtown", postcode="")
        other = finds.locate(elsewhere)
        assert other is None or other.confidence < min(sure.confidence, IN_DOUBT), (
            "The street is right and the town another: many towns have that street. Be less sure."
        )

    def test_a_postcode_that_contradicts_makes_it_less_sure(self, finds: Geocoder) -> None:
        sure = demand_match(finds.locate(self.known))
        other = finds.locate(replace(self.known, postcode="99999"))
        assert other is None or other.confidence < sure.confidence, (
            "The postcode written is another one's: be less sure."
        )

    def test_the_street_may_stand_in_any_line(self, finds: Geocoder) -> None:
        match = finds.locate(replace(self.known, lines=("c/o Bakery", *self.known.lines)))
        found = demand_match(match)
        assert metres(found.point, self.at) <= NEAR_M, "A line before the street hides the door."

    def test_the_same_question_has_the_same_answer(self, finds: Geocoder, tools: Tools) -> None:
        first = finds.locate(self.known)
        finds.locate(Address(("Xyzzyplugh 99",)))
        assert finds.locate(self.known) == first, "It keeps something from one question to another."
        assert self.geocoder(tools).locate(self.known) == first

    # -- the other way

    def test_a_point_at_the_door_has_that_address_or_none(self, finds: Geocoder) -> None:
        match = finds.reverse(self.at)
        if match is not None:
            demand_match(match)
            assert metres(match.point, self.at) <= NEAR_M, (
                f"The address nearest to the door lies {metres(match.point, self.at):.0f} m off."
            )

    def test_the_open_sea_has_no_address(self, finds: Geocoder) -> None:
        assert finds.reverse(MID_ATLANTIC) is None, "None is near, so say None."

    # -- a service that fails

    @pytest.mark.parametrize(
        ("mood", "error"),
        [
            ("locked", AuthError),
            ("busy", RateLimited),
            ("down", RetryLater),
            ("babbling", HubError),
        ],
    )
    def test_a_service_that_gives_no_answer_is_no_address_not_found(
        self, finds: Geocoder, mood: Mood, error: type[HubError]
    ) -> None:
        """``None`` would have a dispatcher correct an address that is right."""
        demand_able(self, self.be(mood), f"{MOODY}[{mood}]", NOBODY)
        try:
            found: Any = finds.locate(self.known)
        except error as caught:
            for name, secret in secrets_of(finds.settings):
                assert secret not in f"{caught} {caught!r}", f"The error tells {name}."
        except Exception as other:
            raise AssertionError(
                f"A service that is {mood} is {error.__name__}, not {type(other).__name__}."
            ) from other
        else:
            raise AssertionError(
                f"A service that is {mood} found {found!r}. Raise {error.__name__}: None means"
                " that there is no such address."
            )

    def test_a_check_finds_out_that_the_key_is_refused(self, finds: Geocoder) -> None:
        finds.check()
        demand_able(self, self.be("locked"), CHECKED, NOBODY)
        expect(AuthError, finds.check, "a key that is refused")

    def test_what_is_left_out_it_cannot_do(self, finds: Geocoder) -> None:
        for mood in MOODS:
            asked = [f"{MOODY}[{mood}]", MOODY, *([CHECKED] if mood == "locked" else [])]
            able = not self.exempt.keys().isdisjoint(asked) and self.be(mood)
            demand_unable(self, asked, able, f"`be` knows a service that is {mood}")


def demand_match(match: Match | None) -> Match:
    assert match is not None, "An address that is in the data was not found."
    assert match.label.strip(), "A match without a label: a dispatcher reads it to compare."
    assert match.precision in PRECISIONS, (
        f"precision is one of {PRECISIONS}, not {match.precision!r}."
    )
    assert 0 <= match.confidence <= 1, (
        f"confidence lies between 0 (a guess) and 1 (the very door), not at {match.confidence}."
    )
    return match


def metres(a: Point, b: Point) -> float:
    return hypot(a.lat - b.lat, (a.lon - b.lon) * cos(radians(a.lat))) * 111_320

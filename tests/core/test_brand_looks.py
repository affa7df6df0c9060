"""A brand's look: whatever is chosen can be read, and nothing but what is offered can be chosen."""

from __future__ import annotations

import random
import re

import pytest

from hub.core.branding import (
    CARD,
    DARK_CARD,
    FONT_NAMES,
    FONTS,
    corrected,
    font,
    host_problem,
    palette,
    sender_id_problem,
    slug_of,
    words_for,
)
from hub.core.colours import READABLE, contrast

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def colours(n: int) -> list[str]:
    dice = random.Random(11)
    greys = [f"#{level:02x}{level:02x}{level:02x}" for level in range(0, 256, 5)]
    return [*greys, *(f"#{dice.randrange(1 << 24):06x}" for _ in range(n))]


def test_whatever_colours_are_chosen_all_that_is_written_can_be_read() -> None:
    some = colours(3000)
    for colour, header in zip(some, reversed(some), strict=True):
        painted = palette(colour, header)
        assert contrast(painted.colour, painted.on_colour) >= READABLE, colour
        assert contrast(painted.header, painted.on_header) >= READABLE, header
        assert contrast(painted.accent, CARD) >= READABLE, colour
        assert contrast(painted.dark_accent, DARK_CARD) >= READABLE, colour


def test_what_is_changed_to_be_readable_is_said_and_nothing_else_is() -> None:
    for colour in colours(500):
        painted = palette(colour)
        said = " ".join(corrected(painted))
        assert ("White text would be hard to read" in said) is (painted.accent != colour)
        assert ("At night" in said) is (painted.dark_accent != colour)


def test_a_colour_that_is_none_counts_as_not_chosen() -> None:
    assert palette("red;}", "</style>") == palette("#0f6b5c")
    assert palette("#112233", "").header == "#112233"


def test_every_choice_of_letters_is_a_list_of_names_that_ends_in_a_kind() -> None:
    assert FONTS.keys() == FONT_NAMES.keys()
    for stack in FONTS.values():
        assert stack.rpartition(",")[2] in ("sans-serif", "serif", "monospace")
        assert not set(stack) & set(";{}<>()\\")
        assert "Arabic" in stack
    assert font("evil;}") == FONTS["system"]


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [
        ("HuskBakery", True),
        ("Husk 24", True),
        ("A1B", True),
        ("", False),
        ("Hu", False),
        ("HuskBakery12", False),
        ("1234567", False),
        (" Husk", False),
        ("Husk ", False),
        ("_Husk", False),
        ("Bäckerei", False),
        ("Husk\n1", False),
    ],
)
def test_a_sender_of_texts_is_what_networks_take(text: str, is_taken: bool) -> None:
    assert (sender_id_problem(text) == "") is is_taken


@pytest.mark.parametrize(
    ("host", "is_taken"),
    [
        ("track.bakery.example", True),
        ("t.xn--bckerei-5wa.example", True),
        ("bakery.example", False),
        ("https://track.bakery.example", False),
        ("track.bakery.example/t", False),
        ("*.bakery.example", False),
        ("127.0.0.1", False),
        ("track..example", False),
        ("-a.bakery.example", False),
        ("a" * 64 + ".bakery.example", False),
        ("a b.bakery.example", False),
    ],
)
def test_a_domain_is_a_whole_name_below_ones_own(host: str, is_taken: bool) -> None:
    assert (host_problem(host) == "") is is_taken


def test_a_short_name_is_plain_whatever_the_name_is() -> None:
    assert slug_of("Café Übersee & Søn") == "cafe-ubersee-sn"
    assert slug_of("خبز") != slug_of("面包") and SLUG.fullmatch(slug_of("خبز"))
    for name in ("Husk Bakery", "x" * 90, "---", "Straße 9", "a" * 39 + " b"):
        assert SLUG.fullmatch(slug_of(name)), name


def test_words_are_read_in_ones_language_and_else_in_the_brands_own() -> None:
    own, others = (
        {"greeting": "Baked", "help": "Call"},
        {"de": {"greeting": "Gebacken", "help": ""}},
    )
    assert words_for("de", own, "en", others) == {"greeting": "Gebacken", "help": "Call"}
    assert words_for("de-AT", own, "en", others)["greeting"] == "Gebacken"
    assert words_for("ar", own, "en", others) == own
    assert words_for("en", own, "en", {"en": {"greeting": "Stale"}}) == own

"""A text message is counted as the network counts it, and shortened without losing its link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.sms import BASIC, EXTENDED, as_sms, count


@pytest.mark.parametrize(
    ("text", "alphabet", "parts"),
    [
        ("", "gsm", 1),
        ("a" * 160, "gsm", 1),
        ("a" * 161, "gsm", 2),
        ("a" * 306, "gsm", 2),
        ("a" * 307, "gsm", 3),
        ("€" * 80, "gsm", 1),
        ("€" * 81, "gsm", 2),
        ("a" * 152 + "€" + "a" * 152, "gsm", 3),  # the € does not fit into the first part
        ("a" * 152 + "€" + "a" * 151, "gsm", 2),
        ("a" * 152 + "€" + "a" * 153, "gsm", 3),  # 307 septets
        ("ç" + "a" * 69, "unicode", 1),
        ("ç" + "a" * 70, "unicode", 2),
        ("ç" + "a" * 133, "unicode", 2),
        ("ç" + "a" * 134, "unicode", 3),
        ("🍞" * 35, "unicode", 1),
        ("🍞" * 36, "unicode", 2),
        ("🍞" * 67, "unicode", 3),  # 134 units, but a pair never lies in two parts
        ("Ç", "gsm", 1),
        ("[{}]~^|\\", "gsm", 1),
        ("–", "unicode", 1),
    ],
)
def test_parts_are_counted_as_the_network_counts_them(text: str, alphabet: str, parts: int) -> None:
    assert count(text) == (alphabet, parts)


def test_the_alphabet_has_its_127_characters_and_an_escape() -> None:
    assert (len(BASIC), len(EXTENDED)) == (127, 10)
    assert not BASIC & EXTENDED


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("10:00 – 11:00", "10:00 - 11:00"),
        ("“it’s” here…", '"it\'s" here...'),
        ("Łódź áéîõů", "Lodz aéiou"),
        ("Bäckerei", "Bäckerei"),
        ("李小龍", "李小龍"),
        ("no\u00a0break\r\nline", "no break\nline"),
        ("Yrjo\u0308nkatu", "Yrjönkatu"),  # as a Mac writes it
        ("So\u00adfie\u200e and Ay\u2060la", "Sofie and Ayla"),  # as it was copied
        ("ساره\u200cها", "ساره\u200cها"),  # what joins letters stays where they need it
        ("Şahin Yıldız, Œuvre", "Sahin Yildiz, OEuvre"),
        ("2 × it´s well‐done", "2 x it's well-done"),
    ],
)
def test_typography_and_accents_are_made_plain(given: str, sent: str) -> None:
    assert as_sms(given).text == sent


def test_accents_are_kept_where_the_business_pays_for_them() -> None:
    assert as_sms("Łódź", keeps_accents=True).text == "Łódź"
    assert as_sms("Łódź", keeps_accents=True).alphabet == "unicode"


def test_a_text_that_is_too_long_keeps_its_link() -> None:
    link = "https://d.example/t/" + "x" * 22
    sent = as_sms(f"{'word ' * 100}{link}", most_parts=2)
    assert sent.parts == 2 and sent.text.endswith(f"... {link}")
    assert as_sms("word " * 200, most_parts=1).text.endswith("...")


@given(st.text(max_size=400), st.integers(1, 4), st.booleans())
def test_a_text_is_never_longer_than_allowed_and_never_empty_of_what_was_short(
    text: str, most: int, keeps: bool
) -> None:
    sent = as_sms(text, keeps_accents=keeps, most_parts=most)
    assert sent.parts <= most
    assert (sent.alphabet, sent.parts) == count(sent.text)
    assert as_sms(sent.text, keeps_accents=keeps, most_parts=most) == sent


@given(st.text(max_size=300))
def test_a_part_holds_what_it_can(text: str) -> None:
    alphabet, parts = count(text)
    room = 153 if alphabet == "gsm" else 67
    size = len(text.encode("utf-16-le", "surrogatepass")) // 2
    if alphabet == "gsm":
        size = sum(1 if one in BASIC else 2 for one in text)
    assert parts == 1 or size <= parts * room
    assert size <= (160 if alphabet == "gsm" else 70) or parts >= -(-size // room)

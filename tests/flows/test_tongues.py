"""Customers are spoken to in their language, whole: no string of the page or a notice lacks it."""

from __future__ import annotations

import ast
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

import hub
from hub.core import notice_words, tracking_sentences
from hub.core.notice_words import VARIABLES
from hub.core.tongue import ENGLISH
from hub.flows.tongues import CLOCK, DAY, FOLDER, SOURCE, YEAR, languages, tongue

PACKAGE = Path(hub.__file__).parent
TEMPLATES = (*PACKAGE.glob("web/templates/tracking/*"), *PACKAGE.glob("flows/notice_templates/*"))
MODULES = (
    *PACKAGE.glob("core/*words.py"),
    *PACKAGE.glob("flows/tracking_*.py"),
    *PACKAGE.glob("flows/notice_*.py"),
    *PACKAGE.glob("web/tracking*.py"),
)
OTHERS = [code for code in languages() if code != SOURCE]
SAY = re.compile(r"say\('((?:[^'\\]|\\.)*)'")
COUNT = re.compile(r"count\('((?:[^'\\]|\\.)*)', '((?:[^'\\]|\\.)*)'")
Said = str | tuple[str, str]


def used_words() -> set[Said]:
    """Every string that is said by the page or a notice; a pair where it goes by a number."""
    said: set[Said] = {CLOCK, DAY, YEAR, *tracking_sentences.all_words(), *notice_words.all_words()}
    for path in TEMPLATES:
        text = path.read_text()
        said |= set(SAY.findall(text)) | set(COUNT.findall(text))
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name == "say":
                    said |= set(_constants(node.args[0]))
                elif name == "count":
                    one, many = (_constants(arg) for arg in node.args[:2])
                    said |= set(zip(one, many, strict=True))
    return {one for one in said if one}


def _constants(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return [*_constants(node.body), *_constants(node.orelse)]
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return [node.value] if is_text else []  # type: ignore[attr-defined, list-item]


def catalogue(code: str) -> Catalog:
    with (FOLDER / f"{code}.po").open("rb") as file:
        return read_po(file, locale=code)


def holes(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("code", OTHERS)
def test_no_word_lacks_a_translation_and_none_is_left_over(code: str) -> None:
    known = {message.id: message for message in catalogue(code) if message.id}
    used = used_words()
    assert len(used) > 150  # it finds what there is to find
    assert used - known.keys() == set()
    assert known.keys() - used == set()
    for said, message in known.items():
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(forms) and not message.fuzzy, said
        asked = holes(said if isinstance(said, str) else said[1])
        for form in forms:
            # One and two may be said without a number: Arabic has a form for each.
            assert holes(form) | {"n"} == asked | {"n"}, (said, form)


@pytest.mark.parametrize("code", OTHERS)
def test_a_translated_notice_leaves_out_the_same_lines(code: str) -> None:
    known = {message.id: message.string for message in catalogue(code) if message.id}
    for text in notice_words.all_words():
        lines, theirs = text.split("\n"), known[text].split("\n")
        assert [holes(line) for line in lines] == [holes(line) for line in theirs], text
        assert holes(text) <= VARIABLES.keys() | {"day"}


@pytest.mark.parametrize("code", OTHERS)
def test_every_number_has_its_form(code: str) -> None:
    spoken = tongue(code)
    for n in (0, 1, 2, 3, 11, 100):
        said = spoken.count("{n} stop before you.", "{n} stops before you.", n)
        assert said not in ("", f"{n} stops before you.", f"{n} stop before you.")
        assert str(n) in said or n in (0, 1, 2)


def test_a_tongue_is_found_by_what_is_asked_for_and_else_english() -> None:
    assert [tongue(*asked).code for asked in (("de-AT",), ("AR",), ("xx", "de"), ("",), ("",))] == [
        *("de", "ar", "de", "en", "en")
    ]
    assert tongue("en").direction == tongue("de").direction == "ltr"
    assert tongue("ar").direction == "rtl"
    assert languages()["de"] == "Deutsch"


def test_days_and_times_are_said_as_the_language_says_them() -> None:
    day, at = date(2026, 11, 23), datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
    assert tongue("de").day(day) == "Montag, 23. November"
    assert tongue("de").day_and_year(day) == "Montag, 23. November 2026"
    assert "الاثنين" in tongue("ar").day(day)
    assert tongue("en").day(day) == ENGLISH.day(day) == "Monday 23 November"
    assert tongue("en").day_and_year(day) == ENGLISH.day_and_year(day)
    assert {tongue(code).clock(at) for code in languages()} == {"09:05"}

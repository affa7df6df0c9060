"""What notices say: the texts a business starts with, and the variables it may use in its own.

A text is plain words with variables such as ``{order}``. Nothing in it is ever run: a
variable is looked up once and its value is never looked into again. A line that names a
variable without a value is left out, so "Received by {received_by}." vanishes when
nobody said who it was.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from hub.core.business import Trade
from hub.core.jobs import NextStep, Reason
from hub.core.notices import Trigger
from hub.core.orders import Kind
from hub.core.tongue import ENGLISH, Tongue
from hub.core.tracking_sentences import NEXT, NO_RETURN, REASONS
from hub.core.values import TimeWindow

VARIABLES = {
    "order": "the order's number",
    "name": "the recipient's name",
    "brand": "your name, as in Branding",
    "visit": "delivery, collection or visit",
    "done": "delivered, collected or done",
    "address": "where it goes",
    "window": "the day and time they were told",
    "new": "“New time:” if they were told another one before",
    "before": "the day and time they were told before, if it is another one",
    "expected": "when the driver is expected, once on the way",
    "time": "when it was closed",
    "received_by": "the name given at the door",
    "reason": "why it did not succeed",
    "next_step": "what happens next",
    "link": "the tracking link",
    "phone": "your phone number, as in Branding",
}
MOST_SUBJECT, MOST_TEXT, MOST_VALUE = 150, 3000, 400
TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u200b")
NEW_TIME = "New time:"
ANOTHER_DAY = "We will try again on {day}."
_UNSEEN = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u2060-\u2064\u206a-\u206f\u3164\uffa0\ufff9-\ufffb"
    "\ufdd0-\ufdef\ufffe\uffff\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
"""Fillers, soft hyphens, tags: a text can be hidden in them, and one makes an SMS cost twice."""
_VARIABLE = re.compile(r"\{([a-z_]+)\}")
_JOINED = re.compile(r"(?<![.:!?])\n")  # within a sentence
_VISIT = {Kind.DELIVER: "delivery", Kind.COLLECT: "collection", Kind.SERVE: "visit"}
_DONE = {Kind.DELIVER: "delivered", Kind.COLLECT: "collected", Kind.SERVE: "done"}


@dataclass(frozen=True, slots=True)
class Text:
    subject: str
    body: str
    within_s: int


HOUR = 3600
USUAL: dict[Trigger, Text] = {
    Trigger.PLACED: Text(
        "Your order {order} from {brand}",
        "Hello {name},\n\nwe have your order {order} and will tell you when we are coming.\n"
        "It goes to {address}.\n\nYou can follow it at any time on its own page.",
        24 * HOUR,
    ),
    Trigger.DISPATCHED: Text(
        "{new} Your {visit} from {brand}: {window}",
        "Hello {name},\n\nyour {visit} is planned for\n{window}.\n"
        "This is a new time; {before} no longer holds.\n"
        "It goes to {address}.\n\nYou can see on its page how far we are.",
        4 * HOUR,
    ),
    Trigger.OUT: Text(
        "Your {visit} from {brand}: our driver has set out",
        "Hello {name},\n\nour driver has set out for your {visit} {order}.\n"
        "Expected {expected}.\n\nYou can see on its page how far we are.",
        4 * HOUR,
    ),
    Trigger.NEAR: Text(
        "Your {visit} from {brand} comes soon",
        "Hello {name},\n\nour driver will soon be with you for your {visit} {order}.\n"
        "Expected {expected}.",
        15 * 60,
    ),
    Trigger.ON_ITS_WAY: Text(
        "We are on our way to you",
        "Hello {name},\n\nyou are next: our driver is on the way for your {visit} {order}.\n"
        "Expected {expected}.",
        20 * 60,
    ),
    Trigger.ARRIVED: Text(
        "Our driver is there",
        "Hello {name},\n\nour driver is at your door for your {visit} {order}.",
        5 * 60,
    ),
    Trigger.NEW_TIME: Text(
        "Order {order}: we come at another time",
        "Hello {name},\n\nwe are sorry: your {visit} {order} comes at another time than\n"
        "we told you. Expected {expected},\nnot {window}.\n\n"
        "You can see on its page how far we are.",
        30 * 60,
    ),
    Trigger.DELIVERED: Text(
        "Order {order}: {done}",
        "Hello {name},\n\nyour order {order} is {done}: {time}.\nReceived by {received_by}.\n\n"
        "Thank you!",
        12 * HOUR,
    ),
    Trigger.FAILED: Text(
        "Order {order}: it did not work out",
        "Hello {name},\n\nwe are sorry, your {visit} {order} did not work out.\n{reason}\n\n"
        "{next_step}",
        12 * HOUR,
    ),
    Trigger.NEXT_STEP: Text(
        "Order {order}: what happens next",
        "Hello {name},\n\nabout your {visit} {order}, which did not work out:\n{next_step}",
        12 * HOUR,
    ),
    Trigger.WITHDRAWN: Text(
        "Order {order}: the time we told you no longer holds",
        "Hello {name},\n\nwe have to plan your {visit} {order} anew; the time we told you\n"
        "no longer holds. We will write as soon as there is a new one.",
        2 * HOUR,
    ),
    Trigger.CANCELLED: Text(
        "Order {order} is cancelled",
        "Hello {name},\n\nyour order {order} is cancelled. Nobody will come.\n"
        "If that is a mistake, call us: {phone}.",
        12 * HOUR,
    ),
    Trigger.REVIEW: Text(
        "How was your {visit} from {brand}?",
        "Hello {name},\n\nyour {visit} {order} is {done}. How did we do?\n"
        "Answer this mail; somebody reads it.",
        48 * HOUR,
    ),
}
SHORT: dict[Trigger, str] = {
    Trigger.PLACED: "{brand}: we have your order {order}.\n{link}",
    Trigger.DISPATCHED: "{new}\n{brand}: your {visit} comes {window}.\n{link}",
    Trigger.OUT: "{brand}: our driver has set out for your {visit}.\nExpected {expected}.\n{link}",
    Trigger.NEAR: "{brand}: our driver will soon be with you.\nExpected {expected}.\n{link}",
    Trigger.ON_ITS_WAY: "{brand}: you are next.\nExpected {expected}.\n{link}",
    Trigger.ARRIVED: "{brand}: our driver is at your door with order {order}.",
    Trigger.NEW_TIME: "{brand}: sorry, your {visit} comes at another time.\nExpected {expected}."
    "\n{link}",
    Trigger.DELIVERED: "{brand}: order {order} is {done}.\n{time}\n{link}",
    Trigger.FAILED: "{brand}: sorry, your {visit} {order} did not work out.\n{next_step}\n{link}",
    Trigger.NEXT_STEP: "{brand}: about order {order}:\n{next_step}\n{link}",
    Trigger.WITHDRAWN: "{brand}: the time told for order {order} no longer holds. We will tell"
    " you the new one.\n{link}",
    Trigger.CANCELLED: "{brand}: your order {order} is cancelled. Nobody will come.\n{link}",
    Trigger.REVIEW: "{brand}: how was your {visit} {order}?\n{link}",
}
"""For a phone: each fits in one part of a text with a brand of twenty letters."""
_PLACED = USUAL[Trigger.PLACED].within_s
BY_TRADE: dict[Trade, dict[Trigger, Text]] = {
    # Who opens a shared mail box need not learn that something comes from a pharmacy's shelf.
    Trade.PHARMACY: {
        Trigger.PLACED: Text(
            "Your delivery from {brand}",
            "Hello {name},\n\nwe have your order and will tell you when we are coming.\n"
            "Please have identification ready at the door.",
            _PLACED,
        ),
    },
    Trade.HEAVY_GOODS: {
        Trigger.PLACED: Text(
            "Your delivery {order} from {brand}",
            "Hello {name},\n\nwe have your order {order} and will tell you when we are coming.\n"
            "It goes to {address}.\n\nPlease see to it that the way to the unloading spot is free.",
            _PLACED,
        ),
    },
    Trade.COLLECTIONS: {
        Trigger.PLACED: Text(
            "Your collection {order} by {brand}",
            "Hello {name},\n\nyour collection {order} is booked; we will tell you when we come.\n"
            "We collect it at {address}.\n\nPlease have it packed and at hand.",
            _PLACED,
        ),
    },
    Trade.FIELD_SERVICE: {
        Trigger.PLACED: Text(
            "Your appointment {order} with {brand}",
            "Hello {name},\n\nyour appointment {order} is booked; we will tell you the time.\n"
            "We come to {address}.",
            _PLACED,
        ),
    },
}


def suggested_texts(trade: Trade, *, short: bool = False) -> dict[Trigger, Text]:
    """What a business of this trade tells its recipients until it writes its own.

    ``short``: for what a phone shows.
    """
    texts = {**USUAL, **BY_TRADE.get(trade, {})}
    if not short:
        return texts
    return {one: Text(text.subject, SHORT[one], text.within_s) for one, text in texts.items()}


def came_with_the_hub(body: str) -> bool:
    """Whether a business left this text as it was; what it wrote itself is its own."""
    return body in _OURS


def flowing(words: str) -> list[list[str]]:
    """The lines of each paragraph of one of our texts, for a reader that breaks lines itself.

    Our sentences are in lines so that one without a value can be left out: they are joined again.
    """
    return [_JOINED.sub(" ", part).split("\n") for part in words.split("\n\n")]


def spoken(wanted: str, written: Iterable[str]) -> str | None:
    """Which of the languages ``written`` somebody reads who wants ``wanted`` (BCP 47): the very
    one, else the same language of elsewhere; ``None``: none of them.
    """
    known, plain = sorted(written), wanted.strip().lower().replace("_", "-")
    if not plain:
        return None
    if plain in known:
        return plain
    main = plain.partition("-")[0]
    return next((one for one in known if one.partition("-")[0] == main), None)


def unknown_variables(text: str) -> list[str]:
    """The variables in a text that stand for nothing, for the form that saves it."""
    return sorted(set(_VARIABLE.findall(text)) - VARIABLES.keys())


def filled(text: str, values: Mapping[str, str]) -> str:
    """``text`` with its variables' values, without the lines that have nothing to say.

    Neither a text nor a value can make it longer than ``MOST_TEXT``, or take long.
    """
    said = {name: as_value(value) for name, value in values.items()}
    lines = [
        _VARIABLE.sub(lambda found: said.get(found[1], ""), line)
        for line in text[:MOST_TEXT].splitlines()
        if all(said.get(name) for name in _VARIABLE.findall(line))
    ]
    words = _unseen(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)))
    return words.strip()[:MOST_TEXT]


def filled_line(text: str, values: Mapping[str, str]) -> str:
    """One line for a subject: no line break survives, an empty variable leaves no gap."""
    said = {name: as_value(value) for name, value in values.items()}
    line = _unseen(_VARIABLE.sub(lambda found: said.get(found[1], ""), text[:MOST_TEXT]))
    return " ".join(line.split()).rstrip(" :")[:MOST_SUBJECT]


def as_value(value: str) -> str:
    """What strangers wrote, in one line and of a length that leaves room for the rest.

    A name with line breaks in it could write paragraphs of its own into a business's message.
    """
    return " ".join(_unseen(value[: 4 * MOST_VALUE]).split())[:MOST_VALUE]


def _unseen(text: str) -> str:
    """``text`` without what is not seen but acts: control characters, and marks that turn the
    direction of what follows, by which an address can be made to read as another.
    """
    seen = _UNSEEN.sub("", text)
    return "".join(one for one in seen if one == "\n" or one == "\t" or not _acts(one))


def _acts(one: str) -> bool:
    """Joiners within words (ZWJ, ZWNJ) and the marks of mixed writing (LRM, RLM) are no harm."""
    return unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") or one in TURNS


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a notice may speak of. ``None`` and empty: not known, or not so far yet."""

    order: str
    brand: str
    link: str
    name: str = ""
    language: str = ""  # the recipient's own; empty: the business's
    address: str = ""
    phone: str = ""
    kind: Kind = Kind.DELIVER
    window: TimeWindow | None = None
    before: TimeWindow | None = None  # told before, if it was another one
    expected: TimeWindow | None = None
    closed_at: datetime | None = None
    received_by: str = ""
    reason: Reason | None = None
    next_step: NextStep | None = None
    next_day: date | None = None


def values(about: About, zone: ZoneInfo, tongue: Tongue = ENGLISH) -> dict[str, str]:
    """The variables of ``VARIABLES``. Days carry their date: a mail is read when it is read."""
    closed = about.closed_at.astimezone(zone) if about.closed_at else None
    return {
        "order": about.order,
        "name": about.name,
        "brand": about.brand,
        "visit": tongue.say(_VISIT[about.kind]),
        "done": tongue.say(_DONE[about.kind]),
        "address": about.address,
        "window": _span(about.window, zone, tongue),
        "new": tongue.say(NEW_TIME) if about.before else "",
        "before": _span(about.before, zone, tongue),
        "expected": _span(about.expected, zone, tongue),
        "time": _at(closed, tongue) if closed else "",
        "received_by": about.received_by,
        "reason": tongue.say(REASONS.get(about.reason, "")) if about.reason else "",
        "next_step": _next(about, tongue),
        "link": about.link,
        "phone": about.phone,
    }


def all_words() -> Iterator[str]:
    """What is said here by looking it up, for whoever checks that it is translated."""
    for texts in (USUAL, *BY_TRADE.values()):
        for one in texts.values():
            yield from (one.subject, one.body)
    yield from SHORT.values()
    yield from (*_VISIT.values(), *_DONE.values(), NEW_TIME, ANOTHER_DAY)


_OURS = frozenset(all_words())


def _next(about: About, tongue: Tongue) -> str:
    step = about.next_step
    if step in (NextStep.RETURN, NextStep.COLLECT) and about.kind is not Kind.DELIVER:
        return tongue.say(NO_RETURN)
    if step is NextStep.ANOTHER_DAY and about.next_day is not None:
        return tongue.say(ANOTHER_DAY, day=tongue.day(about.next_day))
    return tongue.say(NEXT[step])


def _span(window: TimeWindow | None, zone: ZoneInfo, tongue: Tongue) -> str:
    if window is None:
        return ""
    opens, closes = window.opens.astimezone(zone), window.closes.astimezone(zone)
    return f"{_at(opens, tongue)} – {tongue.clock(closes)}"


def _at(local: datetime, tongue: Tongue) -> str:
    return tongue.say("{day}, {time}", day=tongue.day(local.date()), time=tongue.clock(local))

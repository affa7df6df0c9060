"""An order typed in by hand: what the form says, judged as the API judges an order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from admin.forms import sentence
from admin.order_planning import PLANNING_NAMES, PLANNING_SHOWN, read_planning
from admin.words import a_day
from hub.core.orders import IncomingOrder, Kind
from hub.core.phones import e164
from hub.core.values import moments
from hub.web.api_models import OrderIn

KINDS = [
    (Kind.DELIVER.value, "Deliver something"),
    (Kind.COLLECT.value, "Collect something"),
    (Kind.SERVE.value, "Do a service there"),
]
NAMES = ("number", "kind", "name", "phone", "email", "street", "more", "postcode", "city")
NAMES += ("day", "opens", "closes", "goods", "instructions")
NAMES += PLANNING_NAMES
_COUNTED = re.compile(r"(\d{1,7}) ?[x×*] ?(\S.*)|(\d{1,7}) +(\S.*)")
# Where the API's complaint about a field is shown.
_SHOWN = {
    "address.lines": "street",
    "address.city": "city",
    "address.postcode": "postcode",
    "contacts.name": "name",
    "contacts.phone": "phone",
    "contacts.email": "email",
    "lines.title": "goods",
    "lines.quantity": "goods",
    "lines": "goods",
    "instructions": "instructions",
    "number": "number",
    **PLANNING_SHOWN,
}


@dataclass(frozen=True, slots=True)
class Desk:
    """The business at whose desk it is typed, and when."""

    zone: ZoneInfo
    country: str
    now: datetime


def read_order(
    typed: Mapping[str, str], ref: str, desk: Desk
) -> tuple[IncomingOrder | None, dict[str, str]]:
    """The order, or what is wrong with each field (``""``: with none in particular)."""
    errors: dict[str, str] = {}
    day, windows = _when(typed, desk, errors)
    if not typed["street"]:
        errors["street"] = "Please fill this in."
    if typed["phone"] and not e164(typed["phone"], desk.country):
        errors["phone"] = "This is not a phone number we can dial. Write it as +358401234567."
    if typed["kind"] not in list(Kind):
        errors["kind"] = "Choose one of the list."
    given = {
        "ref": ref,
        "number": typed["number"],
        "kind": Kind.DELIVER if "kind" in errors else Kind(typed["kind"]),
        "address": {
            "lines": [line for line in (typed["street"], typed["more"]) if line],
            "postcode": typed["postcode"],
            "city": typed["city"],
            "country": desk.country,
        },
        "contacts": _contacts(typed),
        "lines": [_line(line) for line in typed["goods"].splitlines() if line.strip()],
        "windows": windows,
        "due_on": day,
        "instructions": typed["instructions"],
        **read_planning(typed, day, desk.zone, errors),
    }
    try:
        order = OrderIn.model_validate(given)
    except ValidationError as problem:
        for wrong in problem.errors(include_url=False):
            path = ".".join(part for part in wrong["loc"] if isinstance(part, str))
            if path or not errors:  # an empty street is told at the street, not again as a whole
                errors.setdefault(_SHOWN.get(path, ""), sentence(wrong))
        return None, errors
    # Without a number of its own it is numbered when it is stored, not by its ref.
    taken = replace(order.value(desk.country, desk.now), number=typed["number"])
    return (None, errors) if errors else (taken, {})


def _when(
    typed: Mapping[str, str], desk: Desk, errors: dict[str, str]
) -> tuple[date | None, list[dict[str, datetime]]]:
    """The day it is wanted and its window on it, as the API takes them."""
    day = a_day(typed["day"])
    if typed["day"] and day is None:
        errors["day"] = "This is not a day. Write it as 2026-12-31."
    elif day and day < desk.now.astimezone(desk.zone).date():
        errors["day"] = "This day is over. Choose today or a later one."
    ends = {name: _clock(typed, name, errors) for name in ("opens", "closes") if typed[name]}
    if not ends or errors:
        return day, []
    if day is None:
        errors["day"] = "Hours need a day. Choose one, or leave the hours empty."
        return None, []
    opens, closes = ends.get("opens") or time(0), ends.get("closes") or time(23, 59)
    if closes <= opens:
        errors["closes"] = "This is not after the time it begins."
        return day, []
    shown = moments(*(datetime.combine(day, at, desk.zone) for at in (opens, closes)))
    span = (at.astimezone(desk.zone) for at in shown)
    return day, [dict(zip(("opens", "closes"), span, strict=True))]


def _clock(typed: Mapping[str, str], name: str, errors: dict[str, str]) -> time | None:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", typed[name]):
        errors[name] = "This is not a time of day. Write it as 16:30."
        return None
    return time.fromisoformat(typed[name])


def _contacts(typed: Mapping[str, str]) -> list[dict[str, str]]:
    one = {name: typed[name] for name in ("name", "phone", "email")}
    return [one] if any(one.values()) else []


def _line(text: str) -> dict[str, Any]:
    """ "2 x Rye bread" or "2 Rye bread": how many, and of what; one where no number stands."""
    text = " ".join(text.split())
    if found := _COUNTED.fullmatch(text):
        return {"quantity": int(found[1] or found[3]), "title": found[2] or found[4]}
    return {"title": text}

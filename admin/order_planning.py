"""The part of a typed-in order that only planning asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from admin.order_numbers import read_minutes, read_number
from hub.core.crew_rules import read_amounts, read_goods
from hub.core.csv_planning import names
from hub.core.orders import MOST_TO_DOOR_MIN, WISHED_PER_HOUR
from hub.core.values import moments

PLANNING_NAMES = ("optional", "worth", "ready", "on_board_min", "loads")
PLANNING_NAMES += ("wished_opens", "wished_closes", "wished_cost", "access_min")
PLANNING_NAMES += ("only_driver", "not_drivers", "kinds_of_goods", "skills", "priority")
PLANNING_NAMES += ("service_min", "apart_from")
# Where the API's complaint about a field is shown.
PLANNING_SHOWN = {
    "prize": "worth",
    "ready_at": "ready",
    "max_on_board_s": "on_board_min",
    "loads": "loads",
    "only_driver": "only_driver",
    "not_drivers": "not_drivers",
    "goods": "kinds_of_goods",
    "skills": "skills",
    "priority": "priority",
    "wished": "wished_opens",
    "wished_per_hour": "wished_cost",
    "access_s": "access_min",
    "service_s": "service_min",
    "apart_from": "apart_from",
}


def read_planning(
    typed: Mapping[str, str], day: date | None, zone: ZoneInfo, errors: dict[str, str]
) -> dict[str, Any]:
    """As the API takes it; what is wrong goes to ``errors`` by the form's own names."""
    minutes = read_number(typed, "on_board_min", "minutes, such as 90", errors)
    if minutes is not None and minutes < 1:
        errors["on_board_min"] = "At least one minute."
        minutes = None
    worth = read_number(typed, "worth", "an amount, such as 12.50", errors)
    return {
        "optional": bool(typed["optional"]),
        "prize": round((worth or 0) * 100),
        "ready_at": _ready_at(typed["ready"], day, zone, errors),
        "max_on_board_s": round(minutes * 60) if minutes else None,
        "loads": _loads(typed["loads"], errors),
        "only_driver": typed["only_driver"],
        "not_drivers": names(typed["not_drivers"]),
        "goods": _goods(typed["kinds_of_goods"], errors),
        "skills": [word.lower() for word in names(typed["skills"])],
        "priority": _priority(typed["priority"], errors),
        "access_s": read_minutes(typed, "access_min", errors, most=MOST_TO_DOOR_MIN),
        "service_s": read_minutes(typed, "service_min", errors),
        "apart_from": names(typed["apart_from"]),
        **_wished(typed, day, zone, errors),
    }


def _ready_at(
    text: str, day: date | None, zone: ZoneInfo, errors: dict[str, str]
) -> datetime | None:
    if not text:
        return None
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        errors["ready"] = "This is not a time of day. Write it as 10:30."
    elif day is None:
        errors.setdefault("day", "The time it is ready needs a day. Choose one.")
    else:
        return datetime.combine(day, time.fromisoformat(text), zone)
    return None


def _wished(
    typed: Mapping[str, str], day: date | None, zone: ZoneInfo, errors: dict[str, str]
) -> dict[str, Any]:
    """When somebody had better come, and what an hour beside it costs."""
    price = read_number(typed, "wished_cost", "an amount, such as 5", errors)
    ends = [typed["wished_opens"] or "00:00", typed["wished_closes"] or "23:59"]
    if not (typed["wished_opens"] or typed["wished_closes"]):
        return {}
    for name, text in zip(("wished_opens", "wished_closes"), ends, strict=True):
        if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
            errors[name] = "This is not a time of day. Write it as 16:30."
            return {}
    if day is None:
        errors.setdefault("day", "A wished time needs a day. Choose one.")
        return {}
    opens, closes = (datetime.combine(day, time.fromisoformat(text), zone) for text in ends)
    if closes <= opens:
        errors["wished_closes"] = "This is not after the time it begins."
        return {}
    wished = dict(zip(("opens", "closes"), moments(opens, closes), strict=True))
    cents = WISHED_PER_HOUR if price is None else round(price * 100)
    return {"wished": wished, "wished_per_hour": cents}


def _priority(text: str, errors: dict[str, str]) -> int:
    if not text:
        return 0
    if not re.fullmatch("[0-9]", text):
        errors["priority"] = "Write 0 for the usual, up to 9 for what comes first."
        return 0
    return int(text)


def _goods(text: str, errors: dict[str, str]) -> list[str]:
    try:
        return sorted(read_goods(text))
    except ValueError as problem:
        errors["kinds_of_goods"] = str(problem)
        return []


def _loads(text: str, errors: dict[str, str]) -> dict[str, int]:
    try:
        return read_amounts(text)
    except ValueError as problem:
        errors["loads"] = str(problem)
        return {}

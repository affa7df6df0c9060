"""What recipients can do on their page, as a business types and keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from hub.core.demands import Demand
from hub.core.self_service import Action, Follow, SelfService
from hub.flows.settings_kept import keep_setting

if TYPE_CHECKING:
    from hub.app import Hub

MANY = {"allowed": Action, "follows": Follow, "weekdays": range(7)}
"""Fields of which several may be ticked, and what they may be."""
PROOFS = ("left_demands", "neighbour_demands")
WHOLE = {"hours": (0, 240), "note_stops": (0, 20), "minutes": (30, 720), "days": (0, 14)}
"""Whole numbers, the least and the most of each."""
CLOCKS = ("begins", "ends")
MOST_DIGITS = 6  # Python refuses to read some thousands of them
Sent = Mapping[str, Sequence[str]]


def typed(sent: Sent) -> tuple[SelfService, dict[str, str]]:
    """The rules that a form holds, and by field what is wrong with them; then the rules are as
    they come. Each field of ``sent`` is a list of what was ticked or typed.
    """
    wrong: dict[str, str] = {}
    given: dict[str, Any] = {name: _ticked(sent, name, known) for name, known in MANY.items()}
    for name, (least, most) in WHOLE.items():
        given[name] = _whole(one(sent, name), least, most, name, wrong)
    cap = one(sent, "most_jobs")
    given["most_jobs"] = _whole(cap, 1, 100_000, "most_jobs", wrong) if cap else None
    for name in PROOFS:
        picked = _ticked(sent, name, get_args(Demand))
        given[name] = None if one(sent, f"{name}-as") != "own" else picked
    hours = given["collect_hours"] = one(sent, "collect_hours")
    if len(hours) > 120:
        wrong["collect_hours"] = "Up to 120 letters."
    if Follow.COLLECT in given["follows"] and not hours:
        wrong["collect_hours"] = "Say when somebody is there: the customer comes by it."
    given |= {name: one(sent, name) for name in (*CLOCKS, "until")}
    if wrong:
        return SelfService(), wrong
    slots = {
        name: given.pop(name) for name in ("minutes", "days", "weekdays", *CLOCKS, "most_jobs")
    }
    try:
        return SelfService.model_validate({**given, "slots": slots}), {}
    except ValidationError as problem:
        return SelfService(), dict(_told(problem))


def as_sent(rules: SelfService) -> dict[str, list[str]]:
    """``rules`` as the form would send them."""
    slots = rules.slots
    sent: dict[str, list[str]] = {
        "allowed": [str(action) for action in rules.allowed],
        "follows": [str(follow) for follow in rules.follows],
        "weekdays": [str(day) for day in slots.weekdays],
        "until": [rules.until],
        "collect_hours": [rules.collect_hours],
        "most_jobs": ["" if slots.most_jobs is None else str(slots.most_jobs)],
        "begins": [slots.begins],
        "ends": [slots.ends],
        "hours": [str(rules.hours)],
        "note_stops": [str(rules.note_stops)],
        "minutes": [str(slots.minutes)],
        "days": [str(slots.days)],
    }
    for name in PROOFS:
        own: list[Demand] | None = getattr(rules, name)
        sent[name] = [*(own or [])]
        sent[f"{name}-as"] = ["usual" if own is None else "own"]
    return sent


def save_self_service(hub: Hub, business_id: str, rules: SelfService, *, actor: str) -> None:
    """Pages go by it from the next look; what was asked for stays."""
    keep_setting(
        hub, business_id, "self_service", rules, actor=actor, action="what recipients can do saved"
    )


def one(sent: Sent, name: str) -> str:
    return next(iter(sent.get(name, ())), "").strip()


def _ticked(sent: Sent, name: str, known: Iterable[object]) -> list[str]:
    """In the order of ``known``; what is none of it is not believed."""
    ticked = set(sent.get(name, ()))
    return [str(value) for value in known if str(value) in ticked]


def _whole(said: str, least: int, most: int, name: str, wrong: dict[str, str]) -> int | None:
    is_number = said.isascii() and said.isdecimal() and len(said) <= MOST_DIGITS
    if not (is_number and least <= int(said) <= most):
        wrong[name] = f"A whole number from {least} to {most:,}."
        return None
    return int(said)


def _told(problem: ValidationError) -> Iterable[tuple[str, str]]:
    for found in problem.errors():
        name = str(found["loc"][-1]) if found["loc"] else "ends"
        match name:
            case "begins" | "ends":
                yield name, "A time such as 09:00."
            case "slots":
                yield "ends", "No slot of that length fits between the first hour and the last."
            case _:
                yield name, "Choose one of the list."

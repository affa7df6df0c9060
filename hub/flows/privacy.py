"""Who sees what of a delivery, as a business types and keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, get_args

from hub.core.visibility import ALWAYS, FACTS, NEVER, PAGES, Fact, Reader, Rule, Since, Visibility
from hub.flows.settings_kept import keep_setting

if TYPE_CHECKING:
    from hub.app import Hub

LIMITS: Mapping[str, tuple[int, int, str]] = {
    "stops": (0, 20, "stops"),
    "minutes": (1, 240, "minutes"),
    "metres": (50, 50_000, "metres"),
}
"""Of what each threshold may be: the least, the most, and what it counts."""


def field(reader: Reader, fact: Fact) -> str:
    """The name of a rule's field in a form; ``-at`` behind it is the one of its number."""
    return f"{reader}-{fact}"


def typed(sent: Mapping[str, str]) -> tuple[Visibility, dict[str, str]]:
    """The rules that a form holds, and by field what is wrong with them.

    A page's are each a choice and a number, all others a box that is ticked or not.
    """
    rules: dict[str, dict[Fact, Rule]] = {}
    wrong: dict[str, str] = {}
    for reader, facts in FACTS.items():
        rules[reader.value] = found = {}
        for fact in facts:
            name = field(reader, fact)
            if reader not in PAGES:
                found[fact] = ALWAYS if sent.get(name) else NEVER
                continue
            try:
                found[fact] = _rule(sent.get(name, ""), sent.get(f"{name}-at", ""))
            except ValueError as error:
                found[fact] = NEVER
                wrong[f"{name}-at" if sent.get(name) in LIMITS else name] = str(error)
    return Visibility.model_validate(rules), wrong


def save_visibility(hub: Hub, business_id: str, rules: Visibility, *, actor: str) -> None:
    """Pages that are open follow within seconds; what was shown was shown."""
    keep_setting(hub, business_id, "visibility", rules, actor=actor, action="privacy saved")


def _rule(since: str, at: str) -> Rule:
    if since not in get_args(Since):
        raise ValueError("Choose one of the list.")
    if since not in LIMITS:
        return Rule(since)  # type: ignore[arg-type]
    least, most, what = LIMITS[since]
    if not at.strip().isdecimal() or not least <= int(at) <= most:
        raise ValueError(f"A number of {what} from {least} to {most:,}.")
    return Rule(since, int(at))  # type: ignore[arg-type]

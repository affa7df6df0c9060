"""Fields of what is sent and of what comes back, as the settings name them."""

from __future__ import annotations

import re
from typing import Any


def filled(template: Any, values: dict[str, str | int | bool]) -> Any:
    """``template`` with each ``{name}`` filled. One that stands alone keeps its value's type."""
    match template:
        case dict():
            return {name: filled(value, values) for name, value in template.items()}
        case list():
            return [filled(value, values) for value in template]
        case str():
            whole = template.strip("{}")
            if template == f"{{{whole}}}" and whole in values:
                return values[whole]
            return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), template)
    return template


def at(told: Any, path: str) -> Any:
    """What stands at ``messages.0.status``; ``None`` where there is no such place."""
    if not path:
        return None
    for step in path.split("."):
        if isinstance(told, list) and step.isdigit() and int(step) < len(told):
            told = told[int(step)]
        elif isinstance(told, dict) and step in told:
            told = told[step]
        else:
            return None
    return told if isinstance(told, str | int | float | bool) else None


def words(text: str) -> set[str]:
    """Codes or states, as they stand in one field with commas between."""
    return {word.strip() for word in text.split(",") if word.strip()}

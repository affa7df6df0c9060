"""The shapes of the API in words: what a field takes, as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldWords:
    """``shape`` names the shape that ``takes`` ends in, "" when it ends in none."""

    name: str
    takes: str
    shape: str
    about: str
    is_required: bool


def fields_in_words(shape: Schema, shapes: Mapping[str, Schema]) -> list[FieldWords]:
    """The fields of one shape, in their order."""
    required = shape.get("required", [])
    found = []
    for name, field in shape.get("properties", {}).items():
        takes, leads_to = in_words(field, shapes)
        if isinstance(default := field.get("default"), str | int) and default not in ("", 0):
            takes += f"; {default} if left out"
        about = field.get("description", "")
        found.append(FieldWords(name, takes, leads_to, about, name in required))
    return found


def in_words(field: Schema, shapes: Mapping[str, Schema]) -> tuple[str, str]:
    """What it takes, and the shape that comes after those words ("" for none)."""
    if target := str(field.get("$ref", "")).rpartition("/")[2]:
        plain = shapes[target]
        return ("", target) if "properties" in plain else in_words(plain, shapes)
    if either := field.get("anyOf"):
        one = next(kind for kind in either if kind.get("type") != "null")
        words, shape = in_words(one, shapes)
        return (f"nothing, or {words}" if len(either) > 1 else words), shape
    match field.get("type"):
        case "array":
            words, shape = in_words(field["items"], shapes)
            most = f", up to {field['maxItems']}," if "maxItems" in field else ""
            return f"list{most} of {words}", shape
        case "object":
            return "names, each with a text" if field.get("additionalProperties") else "object", ""
        case "string":
            return _text(field), ""
        case "integer" | "number":
            whole = "whole number" if field["type"] == "integer" else "number"
            return f"{whole}{_range(field)}", ""
    return str(field.get("type", "anything")), ""


def _text(field: Schema) -> str:
    if "enum" in field or "const" in field:
        return listed(field.get("enum", [field.get("const")]))
    match field.get("format"):
        case "date":
            return "day, such as 2026-11-30"
        case "date-time":
            return "moment with its zone, such as 2026-11-30T09:00:00+02:00"
    most = field.get("maxLength")
    return f"text, up to {most} characters" if most else "text"


def _range(field: Schema) -> str:
    least, most = field.get("minimum"), field.get("maximum")
    if least is None and most is None:
        return ""
    return f", {least:,} to {most:,}" if most is not None else f" from {least:,}"


def listed(words: Sequence[object]) -> str:
    """ "deliver, collect or serve" """
    texts = [str(word) for word in words]
    return " or ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))

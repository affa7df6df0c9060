"""WooCommerce's own description of its REST API, as a judge of what is asked and answered."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

WHERE = Path(os.environ.get("HUB_TEST_DATA", "/nowhere")) / "woocommerce"
HERE = WHERE.is_dir()
FILES = {
    "orders": "schema-orders-wc10.9.1.json",
    "order": "schema-orders-id-wc10.9.1.json",
    "batch": "schema-orders-batch-wc10.9.1.json",
    "notes": "schema-order-notes-wc10.9.1.json",
    "statuses": "schema-order-statuses-wc10.9.1.json",
    "products": "schema-products-wc10.9.1.json",
    "webhooks": "schema-webhooks-wc10.9.1.json",
}
OTHERWISE = ("image.id", "shipping_class_id")  # of another type (sample order, sample product)
EVERYWHERE = frozenset(["_fields", "consumer_key", "consumer_secret"])
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "date-time": (str,),
    "null": (type(None),),
}


class Wrong(Exception):
    """A parameter that the store refuses, and its words for it."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name, self.why = name, why


@cache
def document(name: str) -> Any:
    return json.loads((WHERE / FILES[name]).read_text())


@cache
def sample(name: str) -> Any:
    return json.loads((WHERE / name).read_text())


@cache
def recorded() -> Mapping[str, Any]:
    lines = (WHERE / "recorded-exchanges.jsonl").read_text().splitlines()
    return {exchange["name"]: exchange for exchange in map(json.loads, lines)}


@cache
def arguments(name: str, method: str) -> Mapping[str, Any]:
    for endpoint in document(name)["endpoints"]:
        if method in endpoint["methods"]:
            return dict(endpoint["args"])
    raise LookupError(f"{name} takes no {method}")


def with_statuses(described: Any, statuses: tuple[str, ...]) -> Any:
    """The same where plugins have registered ``statuses`` besides."""
    return {**described, "enum": [*described["enum"], *statuses]} if statuses else described


def query_of(
    name: str, method: str, query: Mapping[str, str], statuses: tuple[str, ...]
) -> Mapping[str, Any]:
    """``query`` as the store reads it. Raises ``Wrong``, and ``AssertionError`` for a parameter
    that is none: WordPress would ignore it silently, and so hide a mistake."""
    known = arguments(name, method)
    if unknown := query.keys() - known.keys() - EVERYWHERE:
        raise AssertionError(f"{method} {name} has no parameter {sorted(unknown)}")
    read = {key: one["default"] for key, one in known.items() if "default" in one}
    for key in query.keys() & known.keys():
        described = known[key]
        if key == "status" and described["type"] == "array":
            described = {**described, "items": with_statuses(described["items"], statuses)}
        read[key] = _read(key, query[key], described)
    return read


def body_of(name: str, method: str, body: Any, statuses: tuple[str, ...]) -> Mapping[str, Any]:
    known = arguments(name, method)
    if not isinstance(body, dict) or body.keys() - known.keys():
        raise AssertionError(f"{method} {name} does not take {body!r}")
    for key, value in body.items():
        described = known[key]
        if key == "status" and name == "order":
            described = with_statuses(described, statuses)
        if problem := next(problems(value, described, key), None):
            raise Wrong(key, problem)
        if described.get("readonly"):
            raise AssertionError(f"{key} is read-only")
    if missing := [key for key, one in known.items() if one.get("required") and key not in body]:
        raise Wrong(missing[0], "is required")
    return body


def answered(name: str, row: Mapping[str, Any], statuses: tuple[str, ...] = ()) -> None:
    """Raises ``AssertionError`` for an answer such as the store would not give."""
    properties = dict(document(name)["schema"]["properties"])
    properties["status"] = with_statuses(properties.get("status", {}), statuses or ())
    found = [
        problem
        for key, value in row.items()
        if key in properties
        for problem in problems(value, properties[key], key, answer=True)
        if not (key == "status" and value == "trash")
    ]
    assert not found, found


def problems(value: Any, described: Any, path: str, *, answer: bool = False) -> Iterator[str]:
    """What is wrong with ``value``. Real answers are null anywhere, and do not always keep to what
    the store itself says of them: ``OTHERWISE``."""
    types = described.get("type", "mixed")
    types = [types] if isinstance(types, str) else types
    if "mixed" in types or (answer and (value is None or path.endswith(OTHERWISE))):
        return
    right = tuple(kind for name in types for kind in _TYPES[name])
    if not isinstance(value, right) or (isinstance(value, bool) and bool not in right):
        yield f"{path} is not of type {','.join(types)}."
        return
    if "date-time" in types and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", value):
        yield f"{path}: Invalid date."
    if "enum" in described and value not in described["enum"]:
        *most, last = described["enum"]
        yield f"{path} is not one of {', '.join(most)}, and {last}."
    if isinstance(value, dict):
        inside = described.get("properties", {})
        for key in value.keys() & inside.keys():
            yield from problems(value[key], inside[key], f"{path}.{key}", answer=answer)
        if not answer and inside and (unknown := value.keys() - inside.keys()):
            yield f"{path} does not take {sorted(unknown)}"
    if isinstance(value, list) and "items" in described:
        for one in value:
            yield from problems(one, described["items"], path, answer=answer)


def _read(name: str, text: str, described: Mapping[str, Any]) -> Any:
    match described["type"]:
        case "integer":
            if not re.fullmatch(r"-?\d+", text):
                raise Wrong(name, f"{name} is not of type integer.")
            number = int(text)
            low, high = described.get("minimum", number), described.get("maximum", number)
            if not low <= number <= high:
                why = f"{name} must be between {low} (inclusive) and {high} (inclusive)"
                raise Wrong(name, why)
            return number
        case "boolean":
            if text not in ("true", "false", "1", "0"):
                raise Wrong(name, f"{name} is not of type boolean.")
            return text in ("true", "1")
        case "array":
            return [_read(name, part, described["items"]) for part in text.split(",") if part]
    if described.get("format") == "date-time":
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise Wrong(name, "Invalid date.") from None
    if problem := next(problems(text, described, name), None):
        raise Wrong(name, problem)
    return text

"""What every call of the API has: a key with a scope, a query, a body, an answer in JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from flask import Response, request
from pydantic import TypeAdapter, ValidationError

from hub.flows.api_keys import Caller, Scope, caller
from hub.web.idempotency import Answer
from hub.web.problems import Problem, pointer, unsafe

if TYPE_CHECKING:
    from hub.app import Hub

MOST_LISTED, LISTED = 200, 50
ROW_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def asks(hub: Hub, scope: Scope) -> Caller:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    asked = {"WWW-Authenticate": "Bearer"}
    if scheme.lower() != "bearer" or not key:
        raise Problem(401, "Send `Authorization: Bearer <key>`.", headers=asked)
    who = caller(hub, key) if key.isascii() and len(key) <= 200 else None
    if who is None:
        detail = "This key is not known, or it was revoked. Keys are made under API keys."
        raise Problem(401, detail, headers=asked)
    if scope not in who.scopes:
        raise Problem(403, f"This key has no scope {scope.value}.")
    return who


def valid[T](adapter: TypeAdapter[T], body: bytes) -> T:
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":  # lone surrogates: this parser refuses them
        raise Problem(400, f"The body is not usable JSON: {found[0]['msg']}.")
    errors = [
        (
            pointer(*(part for part in e["loc"] if part != "[key]")),
            e["msg"].removeprefix("Value error, "),
        )
        for e in found
    ]
    raise Problem(422, "Nothing was stored; mend the fields named.", errors)


def query_of(*allowed: str) -> dict[str, str]:
    """The query's parameters. Raises ``Problem`` for unknown, repeated and unusable ones."""
    found: dict[str, str] = {}
    for name, value in request.args.items(multi=True):
        if name not in allowed:
            raise Problem(422, "There is a query parameter this address does not know.")
        if name in found:
            raise Problem(422, f"{name} is given twice.")
        if not value or len(value) > 200 or unsafe(value):
            raise Problem(422, f"{name} must be 1 to 200 ordinary characters.")
        found[name] = value
    return found


def page_of(query: Mapping[str, str]) -> tuple[int, str]:
    """``limit`` and ``after`` of a list; "" for the first page."""
    limit, after = query.get("limit", str(LISTED)), query.get("after", "")
    # int() and isdigit() also take other scripts' digits
    if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= MOST_LISTED:
        raise Problem(422, f"limit must be a number from 1 to {MOST_LISTED}.")
    if after and not ROW_ID.fullmatch(after):
        raise Problem(422, "after must be the `next` of a page you were given.")
    return int(limit), after


def no_query() -> None:
    query_of()


def no_body() -> None:
    if request.get_data(cache=False):
        raise Problem(400, "This call takes no body.")


def actor_of(who: Caller) -> str:
    return f"api_key:{who.key_id}"


def respond(answer: Answer) -> Response:
    status, content = answer
    text = json.dumps(content, ensure_ascii=False)
    headers = {"Cache-Control": "no-store"}
    return Response(text, status, headers, content_type="application/json")


def no_such_source(known: Iterable[str]) -> str:
    """What is wrong with a ``source`` that is none of those there are."""
    return f"there is no such source; there are: {', '.join(sorted(known))}"

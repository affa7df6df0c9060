"""Errors as RFC 9457 problem details, and JSON bodies read without surprises."""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Sequence
from typing import Any

from flask import Flask, Request, Response, g, request
from jinja2 import Template
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from hub.core.ids import new_id
from hub.flows.tongues import tongue
from hub.web.pages import page

log = logging.getLogger(__name__)
AGAIN_S = 5  # until somebody who found the database locked should try again
MAX_DEPTH = 32
MAX_ERRORS = 100  # of one request; a caller mends the first ones first
# Possessive, with the closing quote optional: a cut-off string must not cost quadratic time.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
TITLES = {
    400: "The request cannot be read",
    401: "Not known here",
    403: "The API key does not allow this",
    404: "Not found",
    405: "Method not allowed",
    409: "In conflict with the present state",
    413: "The body is too large",
    415: "The body must be JSON",
    422: "The content is not valid",
    500: "Something went wrong here",
    503: "Busy at the moment",
}
MEANINGS = {
    400: "It is not JSON, or JSON that can be read in two ways. `detail` says where.",
    401: "No key came with the request, or one that is not known or was revoked.",
    403: "The key is known, but it has not the scope this call needs.",
    404: "No such address, or no such order or endpoint of yours.",
    405: "The address is right; the `Allow` header says what it takes.",
    409: "The order is closed or cancelled, another request is storing it at this moment, or"
    " there are too many endpoints.",
    413: "Send fewer orders at once: a body has at most 2 MB.",
    415: "Send `Content-Type: application/json` in UTF-8, not compressed.",
    422: "Nothing was stored. `errors` points at each field to mend.",
    500: "A fault of ours. It is logged under `error_id`; the request may be sent again.",
    503: "The database is held by something long. Send it again after `Retry-After` seconds.",
}
"""What each status of a problem asks of who sent the request; ``type`` points there."""
_HERE = {
    404: "There is nothing at this address.",
    405: "This address does not take that method. The Allow header says which it takes.",
    413: "The body is larger than this address takes.",
}
_FOR_PEOPLE = {
    400: ("That request cannot be read", "Go back, load the page again and repeat."),
    401: ("Please log in again", "Your session has ended. Nothing was changed."),
    403: ("You may not do this", "Your role does not include it. An owner can change your role."),
    404: ("There is no such page", "The address may be mistyped, or what was here is gone."),
    405: ("That cannot be done here", "Go back and use the buttons of the page."),
    413: ("The file is too large", "Choose a smaller one."),
    429: ("Too many requests", "Wait a minute, then try again."),
    500: ("Something went wrong here", ""),
    503: ("The hub is busy", "Nothing was changed. Wait a few seconds, then try again."),
}


class Problem(Exception):
    """Answer with ``status``. ``errors`` are (JSON pointer, what is wrong with it)."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[tuple[str, str]] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.errors, self.headers = errors, headers or {}


def pointer(*path: str | int) -> str:
    """An RFC 6901 JSON pointer; each part is cut at 200 characters."""
    parts = (str(part)[:200].replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{part}" for part in parts)


def json_body(incoming: Request) -> bytes:
    """The body, known to be plain UTF-8 JSON with nothing ambiguous in it.

    Raises ``Problem`` 400 or 415. What reads on may still meet lone surrogates in values.
    """
    if incoming.mimetype != "application/json":
        raise Problem(415, "Send the body as Content-Type: application/json.")
    if incoming.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        raise Problem(415, "Send the body in UTF-8.")
    if incoming.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, "Send the body without Content-Encoding.")
    body = incoming.get_data(cache=False)
    if _depth(body) > MAX_DEPTH:
        raise Problem(400, f"The JSON is nested more than {MAX_DEPTH} deep.")
    try:
        json.loads(
            body.decode("utf-8"),
            parse_constant=_no_constant,
            parse_float=_finite,
            object_pairs_hook=_once_each,
        )
    except UnicodeDecodeError:
        raise Problem(400, "The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(400, f"The body is not JSON: {error.msg} at {where}.") from None
    except ValueError as error:
        raise Problem(400, f"The body is not usable JSON: {error}.") from None
    return body


def unsafe(text: str) -> bool:
    """Whether it holds what no database column or UTF-8 answer can: NUL or half a character."""
    return any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text)


def answer_problems(app: Flask) -> None:
    """Every error becomes a problem, or a page for people, with an id that is also in the log."""

    @app.errorhandler(Problem)
    def known(problem: Problem) -> Response:
        return _response(problem)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response | HTTPException:
        if error.code is None or error.code < 400:
            return error
        if _for_people():
            return _page(error.code, _own_words(error))
        headers = {}
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            headers["Allow"] = ", ".join(sorted(error.valid_methods))
        said = "" if error.description == type(error).description else error.description
        detail = said or _HERE.get(error.code) or error.description or error.name
        if not said and error.code == 404 and request.path.startswith("/api/"):
            detail += " /api/docs lists what there is."
        return _response(Problem(error.code, detail, headers=headers))

    @app.errorhandler(OperationalError)
    def busy(error: OperationalError) -> Response:
        if "database is locked" not in str(error.orig):
            return bug(error)
        log.warning("the database was locked for too long route=%s", request.url_rule)
        detail = "Something large is being stored. Nothing was changed; try again."
        answer = _page(503, "") if _for_people() else _response(Problem(503, detail))
        answer.headers["Retry-After"] = str(AGAIN_S)
        return answer

    @app.errorhandler(Exception)
    def bug(error: Exception) -> Response:
        error_id = new_id()
        log.error("request failed error_id=%s route=%s", error_id, request.url_rule, exc_info=error)
        detail = f"The error is logged as {error_id}. Nothing was stored."
        if _for_people():
            return _page(500, detail)
        return _response(Problem(500, detail), error_id)


RECIPIENTS = ("/t/", "/u/")


def _page(code: int, what: str) -> Response:
    """For staff inside the frame they work in, so that the menu leads on; for recipients in a
    language that their browser asks for.
    """
    if request.path.startswith(RECIPIENTS):
        which = {404: "unknown", 429: "slow_down"}.get(code, "broken")
        spoken = tongue(*request.accept_languages.values())
        return page("tracking/message.html", code, which=which, look=None, tongue=spoken)
    templates: list[str | Template] = ["error.html"]
    if g.get("staff"):
        templates.insert(0, "panel/error.html")
    title, advice = _FOR_PEOPLE.get(code, ("That did not work", ""))
    return page(templates, code, code=code, title=title, what=what or advice)


def _own_words(error: HTTPException) -> str:
    """What one of our views said; empty where it is only the status in werkzeug's words."""
    said = error.description or ""
    return "" if said == type(error).description or error.code not in (403, 413) else said


def _for_people() -> bool:
    accepts = request.accept_mimetypes
    return "/api/" not in request.path and (not accepts or accepts.accept_html)


def _response(problem: Problem, error_id: str = "") -> Response:
    error_id = error_id or new_id()
    title = TITLES.get(problem.status, "The request failed")
    content: dict[str, Any] = {
        "type": f"/api/docs#status-{problem.status}",
        "title": title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": f"urn:uuid:{error_id}",
        "error_id": error_id,
    }
    if problem.errors:
        content["errors"] = [
            {"pointer": where, "detail": what} for where, what in problem.errors[:MAX_ERRORS]
        ]
    return Response(
        json.dumps(content),
        problem.status,
        {"Cache-Control": "no-store", **problem.headers},
        content_type="application/problem+json",
    )


def _depth(body: bytes) -> int:
    """How deep brackets nest outside strings. Counted in bytes: a parser would recurse."""
    depth = deepest = 0
    for byte in re.findall(rb"[\[\]{}]", _STRING.sub(b"", body)):
        depth += 1 if byte in (b"[", b"{") else -1
        deepest = max(deepest, depth)
    return deepest


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError("a number is too large")
    return number


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if unsafe(name):
            raise ValueError("a name holds characters that cannot be stored")
        if name in found:
            raise ValueError(f"the name {name[:60]!r} occurs twice in one object")
        found[name] = value
    return found

"""What a customer does on the page: call, rate, be told. Only the last needs a script."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from flask import Blueprint, Response, jsonify, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hub.core.errors import Refused
from hub.core.push import read_subscription
from hub.core.rating import read_rating
from hub.flows.enquiries import note_tap
from hub.flows.push import hush, key_for, listen
from hub.flows.ratings import rate
from hub.flows.throttle import within_limit
from hub.flows.tracking_view import brand_of
from hub.keys import hashed

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.app import Hub

CHANGES, WITHIN_S = 30, 600  # of one link: nobody changes their mind so often
MOST_BODY = 16_384


class Again(Protocol):
    def __call__(self, token: str, **typed: object) -> Response: ...


def asks(pages: Blueprint, hub: Hub, again: Again, unknown: Callable[[], Response]) -> None:
    """Add what a page takes to ``pages``; ``again``: the page with what was wrong."""

    @pages.post("/t/<token>/contact")
    def contact(token: str) -> AnyResponse:
        """That "Call us" was tapped. A browser's ping wants no answer; a form goes on to call."""
        request.max_content_length = MOST_BODY
        if note_tap(hub, token) is None:
            return unknown()
        brand = brand_of(hub, token)
        if "Ping-To" in request.headers or request.mimetype.startswith("text/"):
            return make_response("", 204)
        if brand is None or not brand.phone:
            return unknown()
        return redirect(f"tel:{''.join(brand.phone.split())}", 303)

    @pages.get("/t/sw.js")
    def worker() -> AnyResponse:
        """Of all pages the same; each registers it for itself alone."""
        text = (Path(__file__).parent / "static" / "tracking" / "sw.js").read_text()
        answer = make_response(text)
        answer.content_type = "text/javascript; charset=utf-8"
        answer.headers["Cache-Control"] = "no-cache"
        answer.headers["Content-Security-Policy"] = "default-src 'none'"
        return answer

    @pages.get("/t/<token>/push")
    def push_key(token: str) -> AnyResponse:
        key = key_for(hub, token)
        return unknown() if key is None else jsonify(key=key)

    @pages.post("/t/<token>/push")
    def push_on(token: str) -> AnyResponse:
        request.max_content_length = MOST_BODY
        try:
            told = read_subscription(request.get_json(silent=True))
        except ValueError:
            return unknown() if brand_of(hub, token) is None else make_response("", 422)
        if brand_of(hub, token) is None:
            return unknown()
        if not within_limit(hub, f"push {hashed(token)}", CHANGES, WITHIN_S):
            return make_response("", 429)
        return make_response("", 204) if listen(hub, token, told) else unknown()

    @pages.delete("/t/<token>/push")
    def push_off(token: str) -> AnyResponse:
        request.max_content_length = MOST_BODY
        told = request.get_json(silent=True)
        endpoint = told.get("endpoint") if isinstance(told, dict) else None
        if not isinstance(endpoint, str):
            return unknown() if brand_of(hub, token) is None else make_response("", 422)
        return make_response("", 204) if hush(hub, token, endpoint) else unknown()

    @pages.post("/t/<token>/rating")
    def rating(token: str) -> AnyResponse:
        request.max_content_length = MOST_BODY
        stars, comment = request.form.get("stars", ""), request.form.get("comment", "")
        if brand_of(hub, token) is None:
            return unknown()
        if not within_limit(hub, f"rating {hashed(token)}", CHANGES, WITHIN_S):
            return again(token, stars=stars, comment=comment, unrated="slow")
        try:
            said = read_rating(stars, comment)
        except ValueError:
            return again(token, stars=stars, comment=comment, unrated="stars")
        try:
            if not rate(hub, token, said):
                return unknown()
        except Refused:
            return again(token, unrated="late")
        return redirect(f"/t/{token}#rate", 303)

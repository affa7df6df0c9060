"""What a customer does on the page: call, rate. Forms that need no script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flask import Blueprint, Response, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hub.core.errors import Refused
from hub.core.rating import read_rating
from hub.flows.enquiries import note_tap
from hub.flows.ratings import rate
from hub.flows.throttle import within_limit
from hub.flows.tracking_view import brand_of

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
        return redirect(f"tel:{brand.phone.replace(' ', '')}", 303)

    @pages.post("/t/<token>/rating")
    def rating(token: str) -> AnyResponse:
        request.max_content_length = MOST_BODY
        stars, comment = request.form.get("stars", ""), request.form.get("comment", "")
        if brand_of(hub, token) is None:
            return unknown()
        if not within_limit(hub, f"rating {token[:8]}", CHANGES, WITHIN_S):
            return again(token, stars=stars, comment=comment, wrong="slow")
        try:
            said = read_rating(stars, comment)
        except ValueError:
            return again(token, stars=stars, comment=comment, wrong="stars")
        try:
            if not rate(hub, token, said):
                return unknown()
        except Refused:
            return again(token, wrong="late")
        return redirect(f"/t/{token}#rate", 303)

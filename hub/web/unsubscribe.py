"""The page behind "No more such messages", and the one click of a mail program (RFC 8058).

Opening it changes nothing: scanners of mail open every link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, request

from hub.flows.throttle import within_limit
from hub.flows.tongues import tongue
from hub.flows.unsubscribe import Reader, reader_of, set_wish
from hub.web.pages import page

if TYPE_CHECKING:
    from hub.app import Hub

GUESSES, WITHIN_S = 30, 600


def unsubscribe(hub: Hub) -> Blueprint:
    pages = Blueprint("unsubscribe", __name__)

    @pages.get("/u/<token>")
    def show(token: str) -> Response:
        reader = reader_of(hub, token)
        if reader is None:
            return _unknown(hub)
        return _page(reader)

    @pages.post("/u/<token>")
    def said(token: str) -> Response:
        """Also by a mail program itself, which sends one field and shows no page."""
        if not set_wish(hub, token, stops=request.form.get("wish") != "again"):
            return _unknown(hub)
        reader = reader_of(hub, token)
        assert reader is not None
        return _page(reader)

    @pages.after_request
    def unlisted(answer: Response) -> Response:
        answer.headers["X-Robots-Tag"] = "noindex, nofollow"
        return answer

    return pages


def _unknown(hub: Hub) -> Response:
    if not within_limit(hub, f"unsubscribe {request.remote_addr}", GUESSES, WITHIN_S):
        abort(429)
    return _page(None, 404)


def _page(reader: Reader | None, status: int = 200) -> Response:
    """In a language that the browser asks for: who reads it is known by an address alone."""
    spoken = tongue(*request.accept_languages.values())
    return page("tracking/unsubscribe.html", status, reader=reader, tongue=spoken)

"""A mail as its reader's program shows it, for a frame of ours."""

from __future__ import annotations

from base64 import b64encode

from flask import Response, make_response

from hub.db.tables import BrandRow
from hub.flows.notice_mail import inline_of

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'self'; sandbox"
)
"""A mail's styles are its own, for mail programs read no other; nothing in it runs."""


def mail_shown(html: str, brand: BrandRow) -> Response:
    """The document, with the pictures that a mail brings along. Its links open nothing."""
    for file in inline_of(brand, html):
        picture = f"data:{file.media_type};base64,{b64encode(file.content).decode()}"
        html = html.replace(f"cid:{file.cid}", picture)
    # A frame in a sandbox may open no other window, so that this ends every link in it.
    html = html.replace("<head>", '<head><base target="_blank">', 1)
    answer = make_response(html)
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    answer.headers["Cache-Control"] = "no-store"
    return answer

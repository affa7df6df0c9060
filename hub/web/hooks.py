"""What other systems call: connected sources, a store's keys, and carriers of messages.

Each address ends in a text that nobody can guess, and what comes in must be signed besides
where its sender can sign. A source's body is not believed: it only makes the hub look.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, request

from hub.core.contracts import WebhookRequest
from hub.core.errors import AuthError, BadSignature, ConfigError, HubError
from hub.flows.approvals import keys_came
from hub.flows.notice_receipts import receipt_came, reply_came
from hub.flows.rings import ring

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)
LONGEST = 1024 * 1024


def hooks(hub: Hub) -> Blueprint:
    surface = Blueprint("hooks", __name__, url_prefix="/hooks")

    @surface.route("/in/<token>", methods=["GET", "POST", "HEAD"])
    def called(token: str) -> Response:
        """200 for a genuine call, whatever comes of it; 401 for a forged one."""
        if request.method != "POST":
            return _empty(200)  # some look whether anybody is there before they subscribe
        try:
            ring(hub, token, _incoming())
        except LookupError:
            abort(404)
        except BadSignature:
            return _empty(401)
        except ConfigError as problem:  # a lost key: the source is still looked at by the clock
            log.warning("a webhook cannot be verified: %s", problem)
            return _empty(503)
        except HubError:
            return _empty(503)  # its sender's keys could not be fetched; it calls again
        return _empty(200)

    @surface.post("/keys/<state>")
    def keys(state: str) -> Response:
        try:
            keys_came(hub, state, _incoming())
        except (BadSignature, AuthError):
            return _empty(401)
        except LookupError:
            abort(404)
        return _empty(200)

    @surface.route("/told/<token>", methods=["GET", "POST"])
    def told(token: str) -> Response:
        """A carrier says what became of a message."""

        def take() -> Response:
            receipt_came(hub, token, _as_told(hub))
            return _empty(200)

        return _heard("a receipt", take)

    @surface.route("/answer/<token>", methods=["GET", "POST"])
    def answer(token: str) -> Response:
        """A carrier passes on what a recipient answered."""

        def take() -> Response:
            body, media_type = reply_came(hub, token, _as_told(hub))
            return Response(body, 200, content_type=media_type)

        return _heard("an answer", take)

    return surface


def _heard(what: str, take: Callable[[], Response]) -> Response:
    """What ``take`` answers to a carrier; 404 at an address nobody has, 401 to a forged call, 503
    while nobody can tell: it calls again.
    """
    try:
        return take()
    except LookupError:
        abort(404)
    except BadSignature:
        return _empty(401)
    except ConfigError as problem:
        log.warning("%s cannot be verified: %s", what, problem)
        return _empty(503)


def _as_told(hub: Hub) -> WebhookRequest:
    """With the address as the carrier was given it: that is what carriers sign, and what a proxy
    made of it may be another.
    """
    query = request.query_string.decode("latin-1")
    url = f"{hub.settings.public_url}{request.path}" + (f"?{query}" if query else "")
    return replace(_incoming(), url=url)


def _incoming() -> WebhookRequest:
    if (request.content_length or 0) > LONGEST:
        abort(413)
    return WebhookRequest(
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(),
        url=request.url,
        query=dict(request.args),
    )


def _empty(status: int) -> Response:
    """Without a body and a cookie, as Xero wants it (Webhooks overview, 2026-11)."""
    return Response(b"", status, content_type="text/plain")

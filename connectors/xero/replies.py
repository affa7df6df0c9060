"""What Xero's answers mean for the hub."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import requests

from connectors.xero.limits import refused
from hub import AuthError, HubError, Refused, Unavailable

RECONNECT = "Xero does not accept this connection. Reconnect it under Connections."


class Gone(Refused):
    """There is nothing of that id in this organisation."""


def document(reply: requests.Response) -> Mapping[str, Any]:
    """The JSON object of an answer; amounts keep the digits that were sent.

    Raises ``Unavailable`` for anything else, as a page of HTML or half an answer is.
    """
    try:
        read = json.loads(reply.content, parse_float=Decimal)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise Unavailable("Xero gave no usable answer.")
    return read


def records(reply: requests.Response, name: str) -> list[Mapping[str, Any]]:
    """The list ``name`` of an answer. Raises ``Unavailable`` when it has none."""
    found = document(reply).get(name)
    if not isinstance(found, list):
        raise Unavailable("Xero gave no usable answer.")
    return [entry for entry in found if isinstance(entry, dict)]


def demand(reply: requests.Response) -> None:
    """Raise what ``reply`` stands for, unless it is a 2xx.

    401 says ``TokenExpired`` or, when the token lacks a scope, ``AuthorizationUnsuccessful``;
    403 ``AuthenticationUnsuccessful`` when it is not for this organisation
    (github.com/XeroAPI/xero-node/issues/320 and /432, 2026-11).
    """
    if reply.ok:
        return
    raise _for_status(reply)


def lacks_scope(reply: requests.Response) -> bool:
    return reply.status_code == 401 and b"AuthorizationUnsuccessful" in reply.content


def _for_status(reply: requests.Response) -> HubError:
    match reply.status_code:
        case 401 if lacks_scope(reply):
            return AuthError(
                "Xero did not give the hub every permission it asks for."
                " Look at the scopes of this connection, then reconnect it."
            )
        case 401:
            return AuthError(RECONNECT)
        case 403:
            return AuthError(
                "The hub is not connected to this Xero organisation any more, or the person who"
                " connected it has left. Reconnect it under Connections.",
                field="tenant_id",
            )
        case 404:
            return Gone("It is not in Xero any more.")
        case 429:
            return refused(reply.headers)
        case status if status in (408, 409) or status >= 500 or status < 400:
            return Unavailable(f"Xero answered {status}.")
        case status:
            return Refused(f"Xero refused it: {_complaint(reply) or status}")


def _complaint(reply: requests.Response) -> str:
    """The first of Xero's own sentences: ``Elements[].ValidationErrors[].Message``, else
    ``Message`` (schema Error)."""
    try:
        said = document(reply)
        for element in said.get("Elements") or ():
            for problem in element.get("ValidationErrors") or ():
                return str(problem["Message"])[:200]
        return str(said.get("Message") or "")[:200]
    except (Unavailable, AttributeError, KeyError, TypeError):
        return ""

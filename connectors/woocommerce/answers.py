"""What a store's answers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from hub import AuthError, ConfigError, HubError, RateLimited, Refused, Unavailable

Json = Mapping[str, Any]
NO_ROUTE = "rest_no_route"


class NoJson(Unavailable):
    """A page for people came, half an answer, or another one than was asked for."""


class Fault(Exception):
    """How WooCommerce says no: ``{"code": …, "message": …, "data": {"status": …, "params": …}}``
    (recorded exchanges, 2026-11-22). Its message may repeat what was sent, so it is not kept."""

    def __init__(
        self, status: int, code: str, params: tuple[str, ...] = (), *, writing: bool = False
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code, self.params, self.writing = status, code, params, writing

    @property
    def read_only(self) -> bool:
        """Whether keys that were let in a moment ago may not write.

        The code is ``woocommerce_rest_authentication_error`` then, as it is for keys and
        signatures that are wrong over http (class-wc-rest-authentication.php, read 2026-11-26).
        """
        return self.writing and self.status in (401, 403)


def understood(reply: requests.Response, host: str) -> Any:
    """The decoded body. Raises what the status means; ``Fault`` for a no in WooCommerce's words.

    What is no JSON comes from the host or a firewall before the store, whatever its status, and
    goes away again: WooCommerce itself has no rate limit and no pages here.
    """
    if reply.status_code == 429:
        raise RateLimited(f"{host} asks for a pause.", retry_after=_pause(reply))
    if reply.status_code >= 500 or reply.status_code == 408:
        raise Unavailable(f"{host} answered {reply.status_code}.")
    try:
        answer = json.loads(reply.content.decode("utf-8-sig"))  # some plugins print a BOM
    except ValueError:
        raise NoJson(
            f"{host} answered {reply.status_code} with a page instead of data. If this stays so, "
            "ask your host whether a firewall keeps the hub out."
        ) from None
    if reply.status_code < 400:
        return answer
    said = answer if isinstance(answer, dict) else {}
    data = said.get("data")
    params = data.get("params") if isinstance(data, dict) else None
    names = tuple(params) if isinstance(params, dict) else ()
    writing = reply.request is not None and reply.request.method != "GET"
    raise Fault(reply.status_code, str(said.get("code", "")), names, writing=writing)


def meaning(fault: Fault, host: str, field: str = "") -> HubError:
    """What ``fault`` comes to; ``field`` is the setting that named the status sent."""
    if fault.read_only:
        return AuthError(
            f"{host} does not let these keys do this. Give WooCommerce keys of a shop manager "
            "with permissions Read/Write, then reconnect the store under Connections."
        )
    match fault.status:
        case 401 | 403:
            return AuthError(
                f"{host} does not accept these keys. Reconnect the store under Connections."
            )
        case 404 if fault.code == NO_ROUTE:  # so while WooCommerce is being updated, too
            return Unavailable(f"WooCommerce is switched off at {host}.")
        case 400 if "status" in fault.params:
            return ConfigError(
                f"{host} has no longer a status chosen here. Choose again under Connections.",
                field=field,
            )
    wrong = f" ({', '.join(fault.params)})" if fault.params else ""
    return Refused(f"{host} answered {fault.status} {fault.code}{wrong}.")


def rows(answer: Any, host: str) -> Sequence[Json]:
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise NoJson(f"{host} answered with something else than the list asked for.")
    return answer


def thing(answer: Any, host: str) -> Json:
    if not isinstance(answer, dict):
        raise NoJson(f"{host} answered with something else than what was asked for.")
    return answer


def number(reply: requests.Response, name: str) -> int | None:
    text = reply.headers.get(name, "")
    return int(text) if text.isdecimal() else None


def clock(reply: requests.Response) -> datetime | None:
    """When the store said this by its own clock; ``None`` where a proxy took that away."""
    return _http_date(reply.headers.get("Date", ""))


def _pause(reply: requests.Response) -> float:
    """Hosts ask for it, not WooCommerce, and in either form of RFC 9110, 10.2.3."""
    text = reply.headers.get("Retry-After", "")
    if text.isdecimal():
        return max(1.0, float(text))
    until, now = _http_date(text), clock(reply)
    return max(1.0, (until - now).total_seconds()) if until and now else 60.0


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None

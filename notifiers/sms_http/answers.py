"""What a gateway's answer means: the id of what it took, or why it did not."""

from __future__ import annotations

from typing import Any

import requests

from hub import (
    AuthError,
    ConfigError,
    Gone,
    HubError,
    MaybeSent,
    OptedOut,
    RateLimited,
    Refused,
)
from notifiers.sms_http.fields import at, words
from notifiers.sms_http.settings import GatewaySettings
from notifiers.texting import PAUSE_S, pause_s

FULL_S = 3600.0


def taken(settings: GatewaySettings, reply: requests.Response) -> str:
    """The gateway's id, if it took the message; else what its answer means."""
    told = _body(reply)
    code = str(at(told, settings.error_path) or "")
    said = f"The gateway answered {reply.status_code}" + (f", code {code[:40]}" if code else "")
    if code and (problem := _for_code(settings, code, said)) is not None:
        raise problem
    demand(reply, said)
    if settings.ok_path and str(at(told, settings.ok_path)) != settings.ok_value:
        raise Refused(f"{said}: it does not take this text.")
    carrier_id = at(told, settings.id_path)
    if carrier_id in (None, ""):
        raise MaybeSent(f"{said} and named no message; the text may have left.")
    return str(carrier_id)


def demand(reply: requests.Response, said: str) -> None:
    """Raise what a status other than 200 to 299 means, whatever its body says."""
    status = reply.status_code
    if status == 429:
        raise RateLimited(f"{said}: it asks for a pause.", retry_after=pause_s(reply))
    if status in (401, 403):
        raise AuthError(f"{said}: it does not accept what it knows you by.")
    if status == 404 or 300 <= status < 400:
        raise ConfigError(f"{said}: nobody takes messages at this address.")
    if status >= 500:
        raise MaybeSent(f"{said}; the text may have left.")
    if status >= 400:
        raise Refused(f"{said}: it does not take this text.")


def _for_code(settings: GatewaySettings, code: str, said: str) -> HubError | None:
    if code in words(settings.stop_codes):
        return OptedOut(f"{said}: they asked for no more texts.")
    if code in words(settings.gone_codes):
        return Gone(f"{said}: this number can receive no texts.")
    if code in words(settings.busy_codes):
        return RateLimited(f"{said}: it asks for a pause.", retry_after=PAUSE_S)
    if code in words(settings.full_codes):
        return RateLimited(f"{said}: nothing goes for now.", retry_after=FULL_S)
    if code in words(settings.setup_codes):
        return ConfigError(f"{said}: look at your account at the gateway.")
    return None


def _body(reply: requests.Response) -> Any:
    try:
        return reply.json()
    except ValueError:
        return None

"""Text messages by any gateway that is called by HTTP, as its settings describe it.

What gateways differ in is a table (docs/notices.md has the rows of six): where they are called
and how they know who calls, what they name a number and a text, how they say yes, which of their
codes mean what, and how they call back. Values are put into JSON, forms and queries by encoding
each one; nothing is pasted into a string that is parsed later.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, urlencode

import requests
from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from hub import (
    AuthError,
    BadSignature,
    ConfigError,
    Cost,
    Costs,
    Gone,
    HubError,
    MaybeSent,
    Message,
    NotificationChannel,
    OptedOut,
    RateLimited,
    Receipt,
    ReceivesReceipts,
    Refused,
    Reply,
    Sms,
    TakesReplies,
    Unavailable,
    WebhookRequest,
    as_sms,
    hookimpl,
)

TIMEOUT_S = (5, 10)
PAUSE_S, FULL_S = 5.0, 3600.0
DEEPEST = 8
_KNOWN = "{to} {to_noplus} {from} {text} {ref} {callback} {ttl_s} {ttl_ms} {unicode}"


class GatewaySettings(BaseModel):
    method: Literal["POST", "GET"] = Field(default="POST", title="Method")
    url: str = Field(
        title="Address",
        description="e.g. https://gateway.example/sms/json",
        pattern=r"^https?://[^\s]+$",
        max_length=500,
    )
    check_url: str = Field(
        default="",
        title="Address that tries the log-in",
        description="Read before this form is saved, e.g. your balance. Empty: nothing is tried.",
        pattern=r"^(https?://[^\s]+)?$",
        max_length=500,
    )
    auth: Literal["none", "basic", "bearer", "header"] = Field(
        default="basic",
        title="It knows you by",
        json_schema_extra={
            "labels": {
                "none": "What stands in the message's fields",
                "basic": "User and password",
                "bearer": "A bearer token",
                "header": "A header of its own",
            }
        },
    )
    user: str = Field(default="", title="User name", max_length=200)
    password: SecretStr = Field(
        default=SecretStr(""), title="Password or key", description="As the gateway gave it"
    )
    header: str = Field(
        default="Authorization",
        title="Name of that header",
        pattern=r"^[A-Za-z0-9-]{1,60}$",
    )
    header_prefix: str = Field(
        default="", title="Before the key in it", description="e.g. AccessKey", max_length=40
    )
    kind: Literal["form", "json", "query"] = Field(default="form", title="A message is sent as")
    fields: str = Field(
        title="Fields of a message",
        description="JSON. Put in: " + _KNOWN + " and {password}",
        max_length=2000,
        json_schema_extra={"control": "area"},
    )
    sender: str = Field(default="", title="Sender", max_length=20)
    ok_path: str = Field(
        default="",
        title="Where its answer says yes",
        description="e.g. messages.0.status. Empty: any answer of 200 to 299 is one.",
        max_length=200,
    )
    ok_value: str = Field(default="", title="The word for yes", max_length=60)
    id_path: str = Field(title="Where its answer names the message", max_length=200)
    error_path: str = Field(default="", title="Where its answer has an error code", max_length=200)
    gone_codes: str = Field(default="", title="Codes: never reached", max_length=500)
    stop_codes: str = Field(default="", title="Codes: wants no more", max_length=500)
    busy_codes: str = Field(default="", title="Codes: try again soon", max_length=500)
    full_codes: str = Field(default="", title="Codes: nothing goes for now", max_length=500)
    setup_codes: str = Field(default="", title="Codes: the account is wrong", max_length=500)
    drops_repeats: bool = Field(
        default=False,
        title="It drops a second message with the same reference",
        description="Only if the gateway says so: then {ref} must be among the fields.",
    )
    receipt_kind: Literal["json", "form", "query"] = Field(
        default="json", title="It calls back with"
    )
    receipt_key: str = Field(
        default="",
        title="Where a call names your reference",
        description="Empty: the address it was given says it.",
        max_length=200,
    )
    receipt_id: str = Field(default="", title="Where a call names its id", max_length=200)
    receipt_state: str = Field(default="status", title="Where a call has the state", max_length=200)
    sent_words: str = Field(default="sent, accepted, buffered", title="States: sent")
    delivered_words: str = Field(default="delivered", title="States: delivered")
    failed_words: str = Field(
        default="failed, undelivered, rejected, expired", title="States: not delivered"
    )
    reply_from: str = Field(
        default="from", title="Where an answer names its sender", max_length=200
    )
    reply_text: str = Field(default="text", title="Where an answer has its words", max_length=200)
    signature_header: str = Field(
        default="",
        title="Header with a signature of calls",
        description="HMAC-SHA256 of the body, as hex or base64. Empty: it signs nothing, and only"
        " its address, which nobody can guess, proves a call.",
        pattern=r"^[A-Za-z0-9-]{0,60}$",
    )
    signature_secret: SecretStr = Field(
        default=SecretStr(""),
        title="Secret of that signature",
        description="As the gateway shows it",
        json_schema_extra={"ring": "webhooks"},
    )
    keeps_accents: bool = Field(default=False, title="Keep accents")
    most_parts: int = Field(default=3, title="Most parts of a text", ge=1, le=10)
    price: Decimal = Field(default=Decimal(0), title="Price of a part", ge=0, le=100)
    currency: str = Field(default="EUR", title="Currency", pattern=r"^[A-Z]{3}$")

    @field_validator("fields")
    @classmethod
    def _template(cls, text: str) -> str:
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"This is no JSON: {error}.") from None
        if not isinstance(parsed, dict):
            raise ValueError('This must be one object: {"to": "{to}", "text": "{text}"}.')
        if _depth(parsed) > DEEPEST:
            raise ValueError(f"Fields lie in fields {DEEPEST} times at most.")
        if "{text}" not in text or not re.search(r"\{to(_noplus)?\}", text):
            raise ValueError("{to} (or {to_noplus}) and {text} must be in it.")
        return text

    @model_validator(mode="after")
    def _fits(self) -> GatewaySettings:
        if self.kind != "json" and not all(_is_plain(v) for v in json.loads(self.fields).values()):
            raise ValueError("A form and a query have no fields within fields.")
        if self.drops_repeats and "{ref}" not in self.fields:
            raise ValueError("To drop repeats it must be told {ref}.")
        if self.method == "GET" and self.kind != "query":
            raise ValueError("With GET a message is sent as a query.")
        if self.signature_header and not self.signature_secret.get_secret_value():
            raise ValueError("A signature needs its secret.")
        return self


class Gateway(NotificationChannel, ReceivesReceipts, TakesReplies, Costs):
    """Most gateways have no way to ask what became of a message; some drop repeats."""

    key = "sms_http"
    title = "SMS by a gateway"
    reaches = "phone"
    Settings = GatewaySettings

    @property
    def repeat_is_harmless(self) -> bool:  # type: ignore[override]  # the gateway's, not ours
        return bool(self.settings.drops_repeats)

    def check(self) -> None:
        """Read the address that is named for it; nothing is sent."""
        if not self.settings.check_url:
            return
        call = {"url": self.settings.check_url, **self._identity()}
        try:
            reply = self._http("GET", call)
        except requests.RequestException as error:
            raise Unavailable(f"No answer there: {self.tools.http.why(error)}.") from None
        said = f"The gateway answered {reply.status_code}"
        if reply.status_code >= 500:
            raise Unavailable(f"{said}.")
        _demand(reply, said)

    def send(self, message: Message) -> str:
        """The gateway's id for it."""
        try:
            reply = self._http(self.settings.method, self._call(message))
        except requests.RequestException as error:
            if self.tools.http.never_left(error):
                why = self.tools.http.why(error)
                raise Unavailable(f"The gateway was not reached: {why}.") from None
            raise MaybeSent("The gateway took the text and gave no answer.") from None
        return self._taken(reply)

    def cost(self, message: Message) -> Cost:
        parts = self._sms(message).parts
        return Cost(parts, int(self.settings.price * 1_000_000) * parts, self.settings.currency)

    def receipt(self, request: WebhookRequest) -> Receipt:
        told = self._called(request, self.settings.receipt_kind)
        key = _at(told, self.settings.receipt_key) if self.settings.receipt_key else None
        word = str(_at(told, self.settings.receipt_state) or "")
        return Receipt(
            str(key or request.query.get("n", "")),
            self._state(word),
            why=f"The gateway says {word!r}"[:200],
            carrier_id=str(_at(told, self.settings.receipt_id) or ""),
        )

    def reply(self, request: WebhookRequest) -> Reply:
        told = self._called(request, self.settings.receipt_kind)
        sender = str(_at(told, self.settings.reply_from) or "")
        sender = f"+{sender}" if sender.isdigit() else sender
        return Reply(sender, str(_at(told, self.settings.reply_text) or ""))

    def _sms(self, message: Message) -> Sms:
        settings = self.settings
        return as_sms(
            message.text, keeps_accents=settings.keeps_accents, most_parts=settings.most_parts
        )

    def _call(self, message: Message) -> dict[str, Any]:
        settings = self.settings
        given = _filled(json.loads(settings.fields), self._values(message))
        call: dict[str, Any] = {"url": settings.url, **self._identity()}
        match settings.kind:
            case "json":
                call["json"] = given
            case "form":
                call["data"] = given
            case "query":
                join = "&" if "?" in settings.url else "?"
                call["url"] += join + urlencode(given, quote_via=quote)
        return call

    def _values(self, message: Message) -> dict[str, str | int | bool]:
        to, sms = _number(message.to), self._sms(message)
        left_s = 3600
        if message.until is not None:
            left_s = max(60, round((message.until - self.tools.now()).total_seconds()))
        return {
            "to": to,
            "to_noplus": to.removeprefix("+"),
            "from": message.sender_id or self.settings.sender,
            "text": sms.text,
            "ref": message.key,
            "callback": message.receipts_to,
            "ttl_s": left_s,
            "ttl_ms": left_s * 1000,
            "unicode": sms.alphabet == "unicode",
            "password": self.settings.password.get_secret_value(),
        }

    def _identity(self) -> dict[str, Any]:
        settings, secret = self.settings, self.settings.password.get_secret_value()
        match settings.auth:
            case "basic":
                return {"auth": (settings.user, secret)}
            case "bearer":
                return {"headers": {"Authorization": f"Bearer {secret}"}}
            case "header":
                named = f"{settings.header_prefix} {secret}".strip()
                return {"headers": {settings.header: named}}
        return {}

    def _http(self, method: str, call: dict[str, Any]) -> requests.Response:
        try:
            return self.tools.http.request(method, timeout=TIMEOUT_S, allow_redirects=False, **call)
        except Refused as problem:  # a private address: nothing is wrong with the message
            raise ConfigError(str(problem)) from None

    def _taken(self, reply: requests.Response) -> str:
        """The gateway's id, if it took the message; else what its answer means."""
        settings, told = self.settings, _body(reply)
        code = str(_at(told, settings.error_path) or "") if settings.error_path else ""
        said = f"The gateway answered {reply.status_code}" + (f", code {code[:40]}" if code else "")
        if code and (problem := self._for_code(code, said)) is not None:
            raise problem
        _demand(reply, said)
        if settings.ok_path and str(_at(told, settings.ok_path)) != settings.ok_value:
            raise Refused(f"{said}: it does not take this text.")
        carrier_id = _at(told, settings.id_path)
        if carrier_id in (None, ""):
            raise MaybeSent(f"{said} and named no message; the text may have left.")
        return str(carrier_id)

    def _for_code(self, code: str, said: str) -> HubError | None:
        settings = self.settings
        if code in _words(settings.stop_codes):
            return OptedOut(f"{said}: they asked for no more texts.")
        if code in _words(settings.gone_codes):
            return Gone(f"{said}: this number can receive no texts.")
        if code in _words(settings.busy_codes):
            return RateLimited(f"{said}: it asks for a pause.", retry_after=PAUSE_S)
        if code in _words(settings.full_codes):
            return RateLimited(f"{said}: nothing goes for now.", retry_after=FULL_S)
        if code in _words(settings.setup_codes):
            return ConfigError(f"{said}: look at your account at the gateway.")
        return None

    def _called(self, request: WebhookRequest, kind: str) -> Any:
        """What a call says, once it is certain whose it is."""
        if name := self.settings.signature_header.lower():
            secret = self.settings.signature_secret.get_secret_value().encode()
            right = hmac.digest(secret, request.body, "sha256")
            given = request.headers.get(name, "").removeprefix("sha256=").encode()
            spelt = (right.hex().encode(), base64.b64encode(right))
            if not any(hmac.compare_digest(one, given) for one in spelt):
                raise BadSignature("This call is not signed by the gateway.")
        if kind == "query":
            return dict(request.query)
        if kind == "form":
            pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
            return dict(pairs)
        try:
            return json.loads(request.body)
        except (ValueError, RecursionError):
            return {}

    def _state(self, word: str) -> str:
        folded = word.casefold()
        for state, words in (
            ("delivered", self.settings.delivered_words),
            ("failed", self.settings.failed_words),
            ("sent", self.settings.sent_words),
        ):
            if folded in {one.casefold() for one in _words(words)}:
                return state
        return ""


def _filled(template: Any, values: dict[str, str | int | bool]) -> Any:
    """``template`` with each place filled. A string that is one place alone keeps its type."""
    match template:
        case dict():
            return {name: _filled(value, values) for name, value in template.items()}
        case list():
            return [_filled(value, values) for value in template]
        case str():
            whole = template.strip("{}")
            if template == f"{{{whole}}}" and whole in values:
                return values[whole]
            return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), template)
    return template


def _demand(reply: requests.Response, said: str) -> None:
    status = reply.status_code
    if status == 429:
        raise RateLimited(f"{said}: it asks for a pause.", retry_after=_pause_s(reply))
    if status in (401, 403):
        raise AuthError(f"{said}: it does not accept what it knows you by.")
    if status == 404 or 300 <= status < 400:
        raise ConfigError(f"{said}: nobody takes messages at this address.")
    if status >= 500:
        raise MaybeSent(f"{said}; the text may have left.")
    if status >= 400:
        raise Refused(f"{said}: it does not take this text.")


def _pause_s(reply: requests.Response) -> float:
    try:
        return max(1.0, float(reply.headers.get("Retry-After", "")))
    except ValueError:
        return PAUSE_S


def _body(reply: requests.Response) -> Any:
    try:
        return reply.json()
    except ValueError:
        return None


def _at(told: Any, path: str) -> Any:
    """What stands at ``messages.0.status``; ``None`` where there is no such place."""
    if not path:
        return None
    for step in path.split("."):
        if isinstance(told, list) and step.isdigit() and int(step) < len(told):
            told = told[int(step)]
        elif isinstance(told, dict) and step in told:
            told = told[step]
        else:
            return None
    return told if isinstance(told, str | int | float | bool) else None


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _words(text: str) -> set[str]:
    return {word.strip() for word in text.split(",") if word.strip()}


def _number(to: str) -> str:
    if to.startswith("+") and to[1:].isascii() and to[1:].isdigit() and 8 <= len(to) <= 16:
        return to
    raise Gone("This is no whole telephone number with its country, such as +358401234567.")


@hookimpl
def hub_notification_channels() -> list[type[NotificationChannel]]:
    return [Gateway]

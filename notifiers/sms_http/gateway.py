"""One call for each text, as the settings describe it, and the calls that come back."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import requests

from hub import (
    BadSignature,
    ConfigError,
    MaybeSent,
    Message,
    Receipt,
    ReceivesReceipts,
    Refused,
    Reply,
    TakesReplies,
    Unavailable,
    WebhookRequest,
)
from notifiers.sms_http.answers import demand, taken
from notifiers.sms_http.fields import at, filled, words
from notifiers.sms_http.settings import GatewaySettings
from notifiers.texting import Texts, number

TIMEOUT_S = (5, 10)


class Gateway(Texts, ReceivesReceipts, TakesReplies):
    """Most gateways have no way to ask what became of a message; some drop repeats."""

    key = "sms_http"
    title = "SMS by a gateway"
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
        demand(reply, said)

    def send(self, message: Message) -> str:
        """The gateway's id for it."""
        try:
            reply = self._http(self.settings.method, self._call(message))
        except requests.RequestException as error:
            if self.tools.http.never_left(error):
                why = self.tools.http.why(error)
                raise Unavailable(f"The gateway was not reached: {why}.") from None
            raise MaybeSent("The gateway took the text and gave no answer.") from None
        return taken(self.settings, reply)

    def receipt(self, request: WebhookRequest) -> Receipt:
        told = self._called(request, self.settings.receipt_kind)
        key = at(told, self.settings.receipt_key)
        word = str(at(told, self.settings.receipt_state) or "")
        return Receipt(
            str(key or request.query.get("n", "")),
            self._state(word),
            why=f"The gateway says {word!r}"[:200],
            carrier_id=str(at(told, self.settings.receipt_id) or ""),
        )

    def reply(self, request: WebhookRequest) -> Reply:
        told = self._called(request, self.settings.receipt_kind)
        sender = str(at(told, self.settings.reply_from) or "")
        sender = f"+{sender}" if sender.isdigit() else sender
        return Reply(sender, str(at(told, self.settings.reply_text) or ""))

    def _call(self, message: Message) -> dict[str, Any]:
        settings = self.settings
        given = filled(json.loads(settings.fields), self._values(message))
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
        to, sms = number(message.to), self.sms(message)
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
        for state, listed in (
            ("delivered", self.settings.delivered_words),
            ("failed", self.settings.failed_words),
            ("sent", self.settings.sent_words),
        ):
            if folded in {one.casefold() for one in words(listed)}:
                return state
        return ""

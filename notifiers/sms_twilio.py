"""Text messages by Twilio, or by anybody who speaks its Messages API.

Its own SDK waits for ever by default and loses ``Retry-After``, so the two calls it takes are
made here. Sources: Twilio's docs of Messages, webhooks-security and advanced-opt-out, and the
code of twilio-python 9.13.0 (2026-11).
"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from pydantic import BaseModel, Field, SecretStr, model_validator

from hub import (
    AuthError,
    BadSignature,
    ConfigError,
    Gone,
    HubError,
    LooksUp,
    MaybeSent,
    Message,
    NotificationChannel,
    OptedOut,
    RateLimited,
    Receipt,
    ReceivesReceipts,
    Refused,
    Reply,
    TakesReplies,
    Unavailable,
    WebhookRequest,
    hookimpl,
)
from notifiers.texting import Currency, MostParts, Price, Texts, number, pause_s

TIMEOUT_S = (5, 10)  # it may take 26 s to answer; by then nobody can know anyway
VALID_S = (60, 36_000)  # a ValidityPeriod must lie within
LOOK_BACK = timedelta(minutes=2)  # its clock and ours
GONE = {21211, 21214, 21217, 21614, 21635, 30005, 30006}
OPTED_OUT = {21610}
SETUP = {
    20003, 20404, 20005, 21212, 21401, 21408, 21603, 21606, 21608, 21612, 21659, 21660, 21703,
    30002, 30007, 30032, 30034,
}  # fmt: skip
"""Nothing is wrong with the message: the account, the sender or a registration is."""
PAUSE_S = {63038: 3600.0, 21611: 600.0}  # the account's day is full; the sender's queue is
STATES = {"canceled": "cancelled", "read": "delivered", "partially_delivered": "delivered"}


class TwilioSettings(BaseModel):
    account_sid: str = Field(
        title="Account SID", description="Begins with AC", pattern=r"^AC[0-9a-fA-F]{32}$"
    )
    login_sid: str = Field(
        default="",
        title="API key SID",
        description="Begins with SK. Recommended: it can be revoked by itself.",
        pattern=r"^(SK[0-9a-fA-F]{32})?$",
    )
    api_secret: SecretStr = Field(
        default=SecretStr(""), title="API key secret", description="Shown once, when it is made"
    )
    auth_token: SecretStr = Field(
        title="Auth token",
        description="Proves that receipts and answers come from Twilio. Without an API key it is"
        " also what sends.",
        json_schema_extra={"ring": "webhooks"},
    )
    next_auth_token: SecretStr = Field(
        default=SecretStr(""),
        title="Secondary auth token",
        description="While you change tokens; calls signed by either are believed.",
        json_schema_extra={"ring": "webhooks"},
    )
    sender: str = Field(
        title="Sender",
        description="Your number (+…), a messaging service (MG…) or a name of up to 11 letters",
        pattern=r"^(\+[1-9]\d{6,14}|\d{3,8}|MG[0-9a-fA-F]{32}|[A-Za-z0-9 _&-]{2,11})$",
    )
    keeps_accents: bool = Field(
        default=False,
        title="Keep accents",
        description="Off: ő becomes o, so that a text stays one part.",
    )
    most_parts: MostParts = 3
    price: Price = Decimal(0)
    currency: Currency = "USD"
    base_url: str = Field(
        default="https://api.twilio.com",
        title="API address",
        description="Another one for a gateway that speaks the same API",
        pattern=r"^https?://[^\s/]+$",
    )

    @model_validator(mode="after")
    def _whole(self) -> TwilioSettings:
        if bool(self.login_sid) != bool(self.api_secret.get_secret_value()):
            raise ValueError("An API key has two parts: enter both, or neither.")
        return self


class Twilio(Texts, LooksUp, ReceivesReceipts, TakesReplies):
    """Its API takes no key that makes a repeat harmless and says so; what became of a message
    whose answer was lost is looked up by whom it went to and its words.
    """

    key = "sms_twilio"
    title = "SMS by Twilio"
    Settings = TwilioSettings
    answer = ("<Response/>", "text/xml")  # Twilio itself answers STOP and HELP

    def check(self) -> None:
        """Read the account; nothing is sent."""
        self._read(f"{self._account()}.json")

    def send(self, message: Message) -> str:
        """Twilio's id for it (SM…)."""
        form = {
            "To": number(message.to),
            "Body": self.sms(message).text,
            **self._sender(message),
            **self._validity(message),
        }
        if message.receipts_to:
            form["StatusCallback"] = message.receipts_to
        try:
            reply = self._http("POST", self._messages(), data=form)
        except requests.RequestException as error:
            if self.tools.http.never_left(error):
                why = self.tools.http.why(error)
                raise Unavailable(f"Twilio was not reached: {why}.") from None
            raise MaybeSent("Twilio took the text and gave no answer.") from None
        if reply.status_code >= 500:  # seen after it was stored
            raise MaybeSent(f"Twilio answered {reply.status_code}; the text may have left.")
        _demand(reply)
        sid = _json(reply).get("sid")
        if not isinstance(sid, str) or not sid:
            raise MaybeSent("Twilio's answer names no message; the text may have left.")
        return sid

    def became(self, message: Message) -> Any:
        """By recipient and words, among what was made since ``message.made_at``."""
        since = (message.made_at or self.tools.now() - timedelta(days=1)) - LOOK_BACK
        words = self.sms(message).text
        # Queued messages have no DateSent yet, so the day is asked for and dates compared here.
        query: dict[str, str] | None = {
            "To": number(message.to),
            "DateSent>": f"{since.astimezone(UTC) - timedelta(days=1):%Y-%m-%d}",
            "PageSize": "200",
        }
        path: str | None = urlsplit(self._messages()).path
        found = []
        for _ in range(10):
            if path is None:
                break
            page = self._read(path, query)
            found += [one for one in page.get("messages", []) if _is(one, words, since)]
            path, query = page.get("next_page_uri"), None
        if not found:
            return "unknown"
        return "failed" if all(one["status"] in ("failed", "canceled") for one in found) else "sent"

    def receipt(self, request: WebhookRequest) -> Receipt:
        """The key stands in the address's query (``n``), which is signed with the rest."""
        told = self._signed(request)
        state = told.get("MessageStatus") or told.get("SmsStatus", "")
        code = told.get("ErrorCode", "")
        error = int(code) if code.isdigit() else 0
        return Receipt(
            request.query.get("n", ""),
            STATES.get(state, state),
            why=f"Twilio's error {error}" if error else "",
            carrier_id=told.get("MessageSid", ""),
            gone=error in GONE,
        )

    def reply(self, request: WebhookRequest) -> Reply:
        told = self._signed(request)
        wish = {"STOP": "stop", "START": "start", "HELP": "help"}.get(told.get("OptOutType", ""))
        return Reply(told.get("From", ""), told.get("Body", ""), wish or "")  # type: ignore[arg-type]

    def _sender(self, message: Message) -> dict[str, str]:
        if message.sender_id:  # the brand's name, where networks allow names
            return {"From": message.sender_id}
        name = "MessagingServiceSid" if self.settings.sender.startswith("MG") else "From"
        return {name: self.settings.sender}

    def _validity(self, message: Message) -> dict[str, str]:
        """Twilio gives up on what is no use any more."""
        if message.until is None:
            return {}
        left_s = round((message.until - self.tools.now()).total_seconds())
        return {"ValidityPeriod": str(min(max(left_s, VALID_S[0]), VALID_S[1]))}

    def _messages(self) -> str:
        return f"{self.settings.base_url}{self._account()}/Messages.json"

    def _account(self) -> str:
        return f"/2010-04-01/Accounts/{self.settings.account_sid}"

    def _read(self, path: str, query: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            reply = self._http("GET", f"{self.settings.base_url}{path}", params=query)
        except requests.RequestException as error:
            raise Unavailable(f"Twilio gave no answer: {self.tools.http.why(error)}.") from None
        if reply.status_code >= 500:
            raise Unavailable(f"Twilio answered {reply.status_code}.")
        _demand(reply)
        return _json(reply)

    def _http(self, method: str, url: str, **more: Any) -> requests.Response:
        settings = self.settings
        name, secret = settings.account_sid, settings.auth_token
        if settings.login_sid:
            name, secret = settings.login_sid, settings.api_secret
        auth = (name, secret.get_secret_value())
        try:
            return self.tools.http.request(
                method, url, auth=auth, timeout=TIMEOUT_S, allow_redirects=False, **more
            )
        except Refused as problem:  # a private address: nothing is wrong with the message
            raise ConfigError(str(problem)) from None

    def _signed(self, request: WebhookRequest) -> dict[str, str]:
        """What the call says, once it is certain that it is Twilio's."""
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        given = request.headers.get("x-twilio-signature", "").encode()
        for secret in (self.settings.auth_token, self.settings.next_auth_token):
            if token := secret.get_secret_value():
                for url in _spellings(request.url):
                    right = signature(token, url, pairs).encode()
                    if hmac.compare_digest(right, given):
                        return dict(pairs)
        raise BadSignature("This call is not signed by Twilio.")


def signature(token: str, url: str, pairs: list[tuple[str, str]]) -> str:
    """X-Twilio-Signature of a form post: the URL, then each name and value, sorted."""
    told = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.digest(token.encode(), told.encode(), "sha1")).decode()


def _spellings(url: str) -> list[str]:
    """With and without its usual port: Twilio signs either."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    host = parts.netloc.rpartition("@")[2]
    bare = host.removesuffix(f":{usual}")
    hosts = dict.fromkeys((host, bare, f"{bare}:{usual}" if ":" not in bare else bare))
    return [url.replace(f"//{parts.netloc}", f"//{one}", 1) for one in hosts]


def _demand(reply: requests.Response) -> None:
    """Raise what a refusal means; nothing was sent."""
    if reply.status_code < 300:
        return
    told = _json(reply, lenient=True)
    code = told.get("code") if isinstance(told.get("code"), int) else 0
    said = f"Twilio answered {reply.status_code}" + (f", error {code}" if code else "")
    raise _meaning(reply, code, said)


def _meaning(reply: requests.Response, code: Any, said: str) -> HubError:
    if code in PAUSE_S:
        return RateLimited(f"{said}: no more is taken now.", retry_after=PAUSE_S[code])
    if reply.status_code == 429 or code == 20429:
        return RateLimited(f"{said}: it asks for a pause.", retry_after=pause_s(reply))
    if reply.status_code in (401, 403) and code not in SETUP - {20003}:
        return AuthError(f"{said}: it does not accept these keys. Enter them again.")
    if code in OPTED_OUT:
        return OptedOut(f"{said}: they asked for no more texts from this sender.")
    if code in GONE:
        return Gone(f"{said}: this number can receive no texts.")
    if code in SETUP or reply.status_code == 404 or 300 <= reply.status_code < 400:
        return ConfigError(f"{said}: look at the sender and the account in Twilio's console.")
    return Refused(f"{said}: it does not take this text.")


def _json(reply: requests.Response, *, lenient: bool = False) -> dict[str, Any]:
    try:
        told = reply.json()
    except ValueError:
        told = None
    if isinstance(told, dict):
        return told
    if lenient:
        return {}
    raise MaybeSent("Twilio's answer cannot be read.")


def _is(one: Any, words: str, since: datetime) -> bool:
    if not isinstance(one, dict) or one.get("body") != words:
        return False
    if str(one.get("direction", "")).startswith("inbound"):
        return False
    try:
        made = datetime.strptime(str(one.get("date_created")), "%a, %d %b %Y %H:%M:%S %z")
    except ValueError:
        return False
    return made >= since.replace(microsecond=0)


@hookimpl
def hub_notification_channels() -> list[type[NotificationChannel]]:
    return [Twilio]

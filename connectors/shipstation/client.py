"""What ShipStation's two interfaces have in common: calls, refusals, and what is asked of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol
from urllib.parse import quote

import requests

from hub import AuthError, ConfigError, IncomingOrder, Option, RateLimited, Refused, Tools
from hub import Unavailable as _Unavailable

V2_URL = "https://api.shipstation.com/v2"
V1_URL = "https://ssapi.shipstation.com"
JWKS_URL = "https://api.shipengine.com/jwks"
Record = Mapping[str, Any]

# docs.shipstation.com/apis/shipstation-v2/docs/reference/errors-codes and error_code in the V2
# OpenAPI file, 2025-08: what an account without the interface is told.
_NO_PLAN = frozenset(
    "subscription_inactive trial_expired invalid_billing_plan terms_not_accepted".split()
)
_UNVERIFIED = "verification_failure"


class Gone(Refused):
    """ShipStation has what was named no more."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One page of orders, oldest change first; ``more`` pages follow it."""

    records: Sequence[Record]
    more: bool


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook as ShipStation lists it. ``ours`` when it carries this connection's secret."""

    id: str
    event: str
    url: str
    ours: bool
    works: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """What is told when an order is marked as shipped."""

    ref: str
    tracking: str
    at: datetime
    carrier: str
    tell_customer: bool
    tell_store: bool


class Api(Protocol):
    """What the connector asks of ShipStation, whichever interface answers.

    Refs are V2's in both ("se-123"). A ``start`` is text as the interface filters by it, so
    that two moments it cannot tell apart have one text.
    """

    open_statuses: ClassVar[Sequence[str]]
    events: ClassVar[Sequence[str]]

    def prove(self) -> None: ...
    def newest(self) -> datetime | None: ...
    def start(self, since: datetime) -> str: ...
    def changed_at(self, record: Record) -> datetime: ...
    def changed(self, start: str, page: int, status: str, store: str) -> Batch: ...
    def ref(self, record: Record) -> str: ...
    def number(self, record: Record) -> str:
        """What people there call it; empty when it has none."""

    def one(self, ref: str) -> Record | None: ...
    def order(self, record: Record) -> IncomingOrder: ...
    def held_until(self, record: Record) -> datetime | None:
        """When to ask about it again, of an order on hold."""

    def is_open(self, record: Record) -> bool: ...
    def is_shipped(self, record: Record) -> bool: ...
    def tags_of(self, record: Record) -> Sequence[str]: ...
    def stores(self) -> Sequence[Option]: ...
    def tags(self) -> Sequence[str]: ...
    def missing_tags(self, wanted: Sequence[str]) -> Sequence[str]: ...
    def add_tag(self, ref: str, tag: str) -> None: ...
    def remove_tag(self, ref: str, tag: str) -> None: ...
    def fulfilled(self, ref: str) -> bool: ...
    def mark_shipped(self, shipped: Shipped) -> None: ...
    def note(self, record: Record, line: str) -> None: ...
    def hooks(self) -> Sequence[Hook]: ...
    def hook(self, event: str, url: str) -> None: ...
    def mend_hook(self, hook: Hook, url: str) -> None: ...
    def unhook(self, hook: Hook) -> None: ...
    def hook_url(self, url: str) -> str: ...


def signing_keys(tools: Tools) -> list[Mapping[str, Any]]:
    """The public keys V2 signs webhooks with, as JWK (RFC 7517)."""
    try:
        answer = tools.http.get_json(JWKS_URL)
    except (ConfigError, Refused):  # no key of ours is asked for there
        raise _Unavailable("ShipStation's list of signing keys cannot be had") from None
    keys = answer.get("keys") if isinstance(answer, dict) else None
    if not isinstance(keys, list):
        raise _Unavailable("ShipStation's list of signing keys cannot be read")
    return [key for key in keys if isinstance(key, dict)]


@dataclass(slots=True)
class Caller:
    """Calls one interface as one account, and turns every refusal into the hub's errors."""

    tools: Tools
    base: str
    name: str  # "V1" or "V2", for sentences
    key_field: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)  # None: the headers say who
    _pause_s: float = 0  # what the last answer asked for before the next call

    def call(self, method: str, path: Sequence[str], **kwargs: Any) -> Any:
        """The decoded answer; ``None`` for an empty one. ``path`` parts are quoted here.

        Raises ``Gone`` for 404. A redirect is not followed: it would carry the key along.
        """
        if self._pause_s:
            pause, self._pause_s = self._pause_s, 0
            raise RateLimited("ShipStation's calls for this minute are used up", retry_after=pause)
        url = "/".join((self.base, *(quote(part, safe="") for part in path)))
        try:
            reply = self.tools.http.request(
                method, url, headers=dict(self.headers), auth=self.auth, allow_redirects=False,
                **kwargs,
            )  # fmt: skip
            self._count(reply)
            self._refuse(reply)
            return reply.json() if reply.content.strip() else None
        except requests.RequestException as error:  # also undecodable JSON
            why = self.tools.http.why(error)
            raise _Unavailable(f"ShipStation gave no usable answer: {why}.") from None

    def listed(self, method: str, path: Sequence[str], key: str, **kwargs: Any) -> tuple[Any, Any]:
        """(the answer, its list of objects under ``key``). Raises ``Unavailable`` without one."""
        try:
            reply = self.call(method, path, **kwargs)
        except Gone:  # a list is always there
            raise _Unavailable("ShipStation answered 404") from None
        rows = reply.get(key) if key and isinstance(reply, dict) else reply
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise _Unavailable("ShipStation answered something that is not what it promises")
        return reply, rows

    def _count(self, reply: requests.Response) -> None:
        # V1: all responses say how many calls are left in this window and when the next begins;
        # "stop making requests until X-Rate-Limit-Reset seconds have elapsed" (V1 OpenAPI, "API
        # Rate Limits"). V2 was not seen to send these; where it does they mean the same.
        if reply.headers.get("X-Rate-Limit-Remaining", "").strip() == "0":
            self._pause_s = _seconds(reply)

    def _refuse(self, reply: requests.Response) -> None:
        match reply.status_code:
            case 401 | 402 | 403:
                raise self._unwelcome(reply)
            case 404:
                raise Gone("ShipStation has this order, tag or webhook no more")
            case 429:
                self._pause_s = 0
                pause = _seconds(reply)
                raise RateLimited("ShipStation asks for a pause", retry_after=pause)
            case status if 300 <= status < 400 or status == 408 or status >= 500:
                raise _Unavailable(f"ShipStation answered {status}")
            case status if status >= 400:
                codes, said = _problems(reply)
                if _UNVERIFIED in codes:
                    raise _unverified()
                raise Refused(f"ShipStation answered {status}: {said}")

    def _unwelcome(self, reply: requests.Response) -> ConfigError:
        codes, _ = _problems(reply)
        if codes & _NO_PLAN or reply.status_code == 402:
            other = (
                "Use an API key and secret of V1, or change the plan."
                if self.name == "V2"
                else "Look at the subscription in ShipStation."
            )
            return AuthError(
                f"This ShipStation account's plan does not include the {self.name} interface now."
                f" {other}",
                field="way",
            )
        if _UNVERIFIED in codes:
            return _unverified()
        what = "key" if self.auth is None else "key with this secret"
        return AuthError(
            f"ShipStation does not accept this {self.name} {what}. Copy it again, or create a new"
            " one in ShipStation under Settings → Account → API Settings.",
            field=self.key_field,
        )


def _unverified() -> ConfigError:
    # docs.shipstation.com/create-fulfillments, 2026-11: "your account email to be verified".
    return ConfigError(
        "ShipStation marks orders as shipped only for an account whose e-mail address is"
        " verified. Confirm the address in ShipStation, then try again.",
        field="ship_when",
    )


def _seconds(reply: requests.Response) -> float:
    for name in ("Retry-After", "X-Rate-Limit-Reset"):
        try:
            return max(1.0, float(reply.headers.get(name, "")))
        except ValueError:
            continue
    return 60.0


def _problems(reply: requests.Response) -> tuple[set[str], str]:
    """(error codes, what a person may read of them: never what we sent)."""
    try:
        body = reply.json()
    except ValueError:
        return set(), "no reason given"
    errors = body.get("errors") if isinstance(body, dict) else None
    rows = [row for row in errors or () if isinstance(row, dict)]
    codes = {str(row["error_code"]) for row in rows if row.get("error_code")}
    words = [str(row["message"]) for row in rows if row.get("message")]
    if not words and isinstance(body, dict):
        # V1: a general sentence, and the fields at fault with values of theirs, which stay away.
        general = body.get("Message") or body.get("message") or "no reason given"
        words = [str(general), *(body.get("ModelState") or {})]
    return codes, without_people(" ".join(words))


def without_people(words: str) -> str:
    """What the other side said, short and with what looks like an address or number left out."""
    return re.sub(r"\S+@\S+|\+?\d[\d ()./-]{6,}\d", "…", words)[:200]

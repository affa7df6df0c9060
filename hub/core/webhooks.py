"""Webhooks to a business's own programs, as Standard Webhooks 1.0.0 has them: when each is tried
again, what an answer means, and how it is signed.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, read 2026-11.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.core.errors import BadSignature, ConfigError

DELAYS_S = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Before each attempt, after the one before: ten in 75 h 35 min 5 s."""
LASTS = timedelta(seconds=sum(DELAYS_S))
JITTER = 0.1  # of the delay: what failed together need not come back together
WITHIN_S = 15.0  # a receiver that takes longer should answer first and work after
LONGEST_PAUSE_S = 86_400.0  # of what Retry-After may ask: a slip of a date is not obeyed for years
MOST_HEARD = 4000  # bytes of an answer that are kept
PREFIX = "whsec_"
OLD_SIGNS = timedelta(hours=24)  # beside the new secret, after it was changed
TOLERANCE_S = 300  # between the sender's clock and the receiver's


class Fate(StrEnum):
    DELIVERED = "delivered"
    AGAIN = "again"
    DEAD = "dead"  # after the last attempt
    GONE = "gone"  # nobody listens there any more: the endpoint is switched off


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt. ``status`` ``None``: none came, and ``problem`` says why."""

    status: int | None
    lasted_ms: int
    text: str = ""
    problem: str = ""
    retry_after_s: float | None = None  # only where 429 or 503 asked for it


@dataclass(frozen=True, slots=True)
class Judged:
    """``wait_s`` until the next attempt. ``pause_s``: so long, nothing goes to this endpoint."""

    fate: Fate
    wait_s: float = 0.0
    pause_s: float = 0.0


def judged(answer: Answer, attempt: int, key: str) -> Judged:
    """What follows the ``attempt``-th answer, from 1; ``key`` varies the delays of each webhook.

    A ``Retry-After`` only ever makes a delay longer: ten attempts stay ten.
    """
    if answer.status is not None and 200 <= answer.status < 300:
        return Judged(Fate.DELIVERED)
    if answer.status == 410:
        return Judged(Fate.GONE)
    pause_s = min(answer.retry_after_s or 0.0, LONGEST_PAUSE_S)
    if attempt >= len(DELAYS_S):
        return Judged(Fate.DEAD, pause_s=pause_s)
    return Judged(Fate.AGAIN, max(delay_s(attempt, key), pause_s), pause_s)


def delay_s(attempt: int, key: str) -> float:
    """From the ``attempt``-th attempt, counted from 1, to the next.

    Each attempt is moved by up to a tenth of its delay, but the first and the last; so the
    delays of one webhook always add up to ``LASTS``.
    """
    return DELAYS_S[attempt] + _moved_s(attempt + 1, key) - _moved_s(attempt, key)


def _moved_s(attempt: int, key: str) -> float:
    if attempt in (1, len(DELAYS_S)):
        return 0.0
    chance = hashlib.sha256(f"{key}:{attempt}".encode()).digest()
    share = int.from_bytes(chance[:4]) / 2**32
    return JITTER * DELAYS_S[attempt - 1] * (2 * share - 1)


def in_words(status: int) -> str:
    """Why an answer with this status is none that counts; "" for one that does."""
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"It answered {status}, a redirect. Those are not followed: give the final address."
    match status:
        case 410:
            return "It answered 410: nobody listens there any more."
        case 429:
            return "It answered 429: it asks for a pause."
        case 401 | 403:
            return f"It answered {status}: it does not accept the webhook. Does it know the secret?"
        case 404:
            return "It answered 404: there is nothing at this address."
    return f"It answered {status}."


def signature_headers(
    secrets: Sequence[str], key: str, at: datetime, body: bytes
) -> dict[str, str]:
    """The three headers of an attempt made ``at``; one signature for each secret, newest first."""
    seconds = int(at.timestamp())
    signatures = " ".join(signature(secret, key, seconds, body) for secret in secrets)
    return {
        "webhook-id": key,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signatures,
    }


def signature(secret: str, key: str, seconds: int, body: bytes) -> str:
    """``v1,`` and the HMAC-SHA256 of ``key.seconds.body``. Raises ``ConfigError`` like ``raw``."""
    digest = hmac.digest(raw(secret), f"{key}.{seconds}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def raw(secret: str) -> bytes:
    """The bytes that sign. Raises ``ConfigError`` for a text that is no such secret."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ConfigError(
            f"This is no webhook secret. It begins with {PREFIX} and goes on in base64."
        ) from None


def verified(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The webhook's id. ``headers`` have their names in lower case.

    Raises ``BadSignature`` with a sentence for the developer whose receiver it is.
    """
    key, stamp, signed = (headers.get(f"webhook-{name}", "") for name in PARTS)
    for name, value in zip(PARTS, (key, stamp, signed), strict=True):
        if not value:
            raise BadSignature(f"The header webhook-{name} is missing. Does a proxy drop it?")
    if not (stamp.isascii() and stamp.isdigit()):
        raise BadSignature(f"webhook-timestamp is {stamp[:40]!r}, no number of seconds.")
    behind_s = int(now.timestamp()) - int(stamp)
    if abs(behind_s) > TOLERANCE_S:
        side = "behind" if behind_s > 0 else "ahead of"
        raise BadSignature(
            f"It was signed at a time {abs(behind_s)} s {side} this machine's clock; "
            f"{TOLERANCE_S} s are allowed. Set the clocks, or it is an old one sent again."
        )
    wanted = signature(secret, key, int(stamp), body)
    given = [one for one in signed.split() if one.startswith("v1,")]
    if not given:
        raise BadSignature("webhook-signature holds no signature that begins with v1,.")
    if not any(hmac.compare_digest(one.encode(), wanted.encode()) for one in given):
        raise BadSignature(
            "The signature does not fit. Either the secret is another endpoint's or an old one, "
            "or the body is not byte for byte what was sent: parsed and written again, say."
        )
    return key


PARTS = ("id", "timestamp", "signature")

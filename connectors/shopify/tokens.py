"""The token in force, whichever way the shop was connected.

- pasted: for ever
- own store: 24 hours, then asked for again by client id and secret; nothing to refresh by
- app install: for ever, or, asked for as ``expiring``, an hour, and a refresh token that is
  replaced at each use (shopify.dev/changelog/offline-access-tokens-now-support-expiry-and-refresh,
  2026-11)

``tools.tokens`` lets one process at a time renew, and keeps what was there if it dies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from hub import AuthError, Tokens, Tools, Unavailable

EARLY = timedelta(minutes=2)
RECONNECT = "Shopify does not let the hub into {shop}. Reconnect it under Connections."
SIGN_IN = "Approve the app at Shopify first: connect it under Connections."
Kept = Mapping[str, str]


class Access(Protocol):
    def token(self) -> str:
        """Raises ``AuthError`` when there is none and none can be had."""

    def after(self, refused: str) -> str:
        """Another token than ``refused``, which Shopify turned down; empty if there is none."""

    def ended(self, shop: str) -> AuthError:
        """What to say when Shopify turned it down and there is no other."""


class Pasted:
    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        if not self._token:
            raise AuthError("Paste the access token, which begins with shpat_.", field="token")
        return self._token

    def after(self, refused: str) -> str:
        return ""

    def ended(self, shop: str) -> AuthError:
        return AuthError(
            f"{shop} does not accept this access token. Copy it again, or make another one.",
            field="token",
        )


class Renewed:
    """``renew`` makes new tokens of those kept; ``first`` says whether it can without any."""

    def __init__(self, tools: Tools, renew: Callable[[Kept], Kept], *, first: bool) -> None:
        self._tools = tools
        self._renew = renew
        self._first = first

    def token(self) -> str:
        return self._good(self._tokens.load(), self._is_fresh)

    def after(self, refused: str) -> str:
        kept = self._tokens.load()
        if "expires_at" not in kept and not self._first:
            return ""  # it was to last for ever, and nothing to renew it by was given
        return self._good(kept, lambda kept: kept.get("access_token", refused) != refused)

    def ended(self, shop: str) -> AuthError:
        return AuthError(RECONNECT.format(shop=shop))

    def _good(self, kept: Kept, good: Callable[[Kept], bool]) -> str:
        if not good(kept):
            # Somebody else may renew while we wait for our turn; theirs is as good.
            kept = self._tokens.refresh_once(lambda now: now if good(now) else self._renew(now))
        if not (token := kept.get("access_token")):
            raise AuthError(SIGN_IN)
        return token

    def _is_fresh(self, kept: Kept) -> bool:
        if not kept.get("access_token"):
            return not self._first  # none, and none can be had: ``_good`` says so
        ends = kept.get("expires_at")
        return not ends or datetime.fromisoformat(ends) - EARLY > self._tools.now()

    @property
    def _tokens(self) -> Tokens:
        if self._tools.tokens is None:
            raise AuthError(SIGN_IN)
        return self._tools.tokens


class Given:
    """Tokens for one last piece of work, after which nobody needs them."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def token(self) -> str:
        return self._kept.get("access_token", "")

    def after(self, refused: str) -> str:
        return ""

    def ended(self, shop: str) -> AuthError:
        return AuthError(RECONNECT.format(shop=shop))


def kept_from(answer: Mapping[str, Any], now: datetime) -> Kept:
    """What to keep of the token endpoint's ``answer``; without ``expires_at`` it lasts."""
    token, life, refresh = (answer.get(n) for n in ("access_token", "expires_in", "refresh_token"))
    if not isinstance(token, str) or not token:
        raise Unavailable("Shopify gave no usable token.")
    kept = {"access_token": token}
    if isinstance(life, int):
        kept["expires_at"] = (now + timedelta(seconds=life)).astimezone(UTC).isoformat()
    if isinstance(refresh, str) and refresh:
        kept["refresh_token"] = refresh
    return kept

"""The token in force, renewed in good time.

An access token lives 30 minutes. A refresh token is good for one use and replaced by it; Xero
takes the old one for 30 minutes more, should the answer have been lost, and forgets one that
nobody used for 60 days (developer.xero.com/faq/oauth2, 2026-11). ``tools.tokens`` lets one
process at a time refresh and keeps what was there if it dies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hub import AuthError, Tokens, Tools, Unavailable

EARLY = timedelta(minutes=2)
LIFE_S = 1800
SIGN_IN = "Sign in to Xero first: connect it under Connections."
Kept = Mapping[str, str]


class Access:
    """``refresh`` makes new tokens of those kept."""

    def __init__(self, tools: Tools, refresh: Callable[[Kept], Kept]) -> None:
        self._tools = tools
        self._refresh = refresh

    def token(self) -> str:
        kept = self._tokens.load()
        if not self._is_fresh(kept):
            kept = self._tokens.refresh_once(self._unless(self._is_fresh))
        return _access_token(kept)

    def after(self, refused: str) -> str:
        """Another token than ``refused``, which Xero turned down before its time."""

        def is_another(kept: Kept) -> bool:
            return kept.get("access_token", refused) != refused

        kept = self._tokens.load()
        if not is_another(kept):
            kept = self._tokens.refresh_once(self._unless(is_another))
        return _access_token(kept)

    def _unless(self, good: Callable[[Kept], bool]) -> Callable[[Kept], Kept]:
        """Somebody else may have refreshed while we waited for our turn; theirs is as good."""
        return lambda kept: kept if good(kept) else self._refresh(kept)

    def _is_fresh(self, kept: Kept) -> bool:
        ends = kept.get("expires_at")
        if not ends or not kept.get("access_token"):
            return False
        return datetime.fromisoformat(ends) - EARLY > self._tools.now()

    @property
    def _tokens(self) -> Tokens:
        if self._tools.tokens is None:
            raise AuthError(SIGN_IN)
        return self._tools.tokens


class Given:
    """Tokens for one last piece of work, after which nobody needs them."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def load(self) -> Kept:
        return self._kept

    def refresh_once(self, refresh: Callable[[Kept], Kept]) -> Kept:
        self._kept = refresh(self._kept)
        return self._kept


def kept_from(answer: Mapping[str, Any], now: datetime, before: Kept) -> Kept:
    """What to keep of the token endpoint's ``answer``."""
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise Unavailable("Xero gave no usable answer.")
    life = answer.get("expires_in")
    ends = now + timedelta(seconds=int(life) if isinstance(life, int) else LIFE_S)
    kept = {"access_token": token, "expires_at": ends.astimezone(UTC).isoformat()}
    if refresh := answer.get("refresh_token") or before.get("refresh_token"):
        kept["refresh_token"] = str(refresh)
    return kept


def _access_token(kept: Kept) -> str:
    """Raises ``AuthError`` when there is none: somebody disconnected while we waited."""
    if not (token := kept.get("access_token")):
        raise AuthError(SIGN_IN)
    return token

"""Tools as the hub would lend them, for a provider under test."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from hub import Tools
from hub.http import Http

WEBHOOK_SECRET = "wh00kSecretOfThisConnection0123456789abc"  # noqa: S105  (of a test)


class KeptTokens:
    """Tokens in memory; how often they were refreshed is in ``refreshes``."""

    def __init__(self, kept: Mapping[str, str] | None = None) -> None:
        self.kept: dict[str, str] = dict(kept or {})
        self.refreshes = 0

    def load(self) -> Mapping[str, str]:
        return dict(self.kept)

    def refresh_once(
        self, refresh: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> Mapping[str, str]:
        self.kept = dict(refresh(dict(self.kept)))
        self.refreshes += 1
        return dict(self.kept)


def lent(data_dir: Path, *, now: datetime, tokens: Mapping[str, str] | None = None) -> Tools:
    """Tools with a clock that stands at ``now``; mount a fake with ``tools.http.mount``."""
    return Tools(
        http=Http(),
        now=lambda: now,
        log=logging.getLogger("conformance"),
        data_dir=data_dir,
        tokens=KeptTokens(tokens),
        webhook_secret=WEBHOOK_SECRET,
    )

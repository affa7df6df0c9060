"""What every plugin shares: what the hub lends it, its settings, and the proof that they work."""

from __future__ import annotations

import logging
import socket
from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel

if TYPE_CHECKING:
    from hub.http import Http


class Tokens(Protocol):
    """Where a connection keeps what lets it in for a while; texts only, times in ISO 8601."""

    def load(self) -> Mapping[str, str]:
        """What is kept, after every refresh anywhere; empty before the first."""

    def refresh_once(
        self, refresh: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> Mapping[str, str]:
        """What ``refresh`` makes of what is kept, which replaces it; or what somebody else made
        of it since this ``load``, for one process at a time may refresh.

        A process that is killed in its middle leaves what was kept, and another goes on from
        there after a minute. What ``refresh`` raises is passed on; then nothing changes.
        """


@dataclass(frozen=True, slots=True)
class Tools:
    """What the hub lends a provider, so that tests can lend something else.

    ``http`` is a ``requests.Session`` with timeouts whose ``get_json`` and
    ``post_json`` raise the hub's errors; ``now`` is UTC. Only a connection has ``tokens`` and a
    ``webhook_secret``: letters and digits of its own, to sign what it is sent. A proof store
    knows for whom it keeps things by ``business_id``; others get none. Where somebody waits for
    it, ``within_s`` is how long in all: try once and no longer than that. ``cores``: how many
    processes a long computation may keep busy, its own among them.
    """

    http: Http
    now: Callable[[], datetime]
    log: logging.Logger
    data_dir: Path
    tokens: Tokens | None = None
    webhook_secret: str = field(default="", repr=False)
    business_id: str = ""
    within_s: float | None = None
    cores: int = 1

    def connect(self, host: str, port: int, timeout_s: float) -> socket.socket:
        """A connected socket, for a provider that speaks something other than HTTP.

        Raises ``Refused`` for an address inside a private network that the operator did
        not allow, ``OSError`` when nobody answers.
        """
        return self.http.connect(host, port, timeout_s)


@dataclass(frozen=True, slots=True)
class Option:
    """One of several values of a setting, and what people call it."""

    value: str
    label: str


class NoSettings(BaseModel):
    """For providers that need none."""


class Provider(ABC):
    """What every contract below shares. Subclass one of those, not this.

    Example: ``class Printer`` at the top of docs/plugins.md.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    Settings: ClassVar[type[BaseModel]] = NoSettings

    def __init__(self, settings: Any, tools: Tools) -> None:
        self.settings = settings
        self.tools = tools

    def check(self) -> None:  # noqa: B027  (most providers have nothing to prove)
        """Prove that the settings work, touching nothing.

        Raises ``ConfigError`` or ``AuthError`` with a sentence for the business, and the
        name of the setting that is to blame where it is known; ``Unavailable`` if that
        could not be found out now.
        """

    def choices(self) -> Mapping[str, Sequence[Option]]:
        """What may be chosen for a setting, by its name, as the other side has it now.

        Asked once ``check`` passed: its locations, statuses, organisations. Settings that are
        in no form until then have a default. Raises like ``check``.
        """
        return {}

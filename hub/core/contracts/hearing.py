"""What a plugin hears: the events of the hub, and calls from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from hub.core.contracts.provider import Tools
from hub.core.events import Event


@dataclass(frozen=True, slots=True)
class Subscriber:
    """``handle`` is called at least once for each event of the given types.

    Calls for one subject come in order; a failing subscriber delays only itself.
    Use ``event.id`` to make repeats harmless. An event older than ``within`` is
    parked rather than tried again: news that comes too late helps nobody.
    Example: ``greet`` at the end of docs/plugins.md.
    """

    name: str
    events: tuple[type[Event], ...]
    handle: Callable[[Event, Tools], None]
    within: timedelta = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    url: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

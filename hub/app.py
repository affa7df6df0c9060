"""The hub itself: settings, database, plugins, keys and a clock in one object."""

from __future__ import annotations

import logging
import shutil
import tempfile
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from argon2 import PasswordHasher
from pydantic import ValidationError
from sqlalchemy import ColumnElement, Engine
from sqlmodel import Session

import hub.db.tables
from hub.core.contracts import Provider, Subscriber, Tools
from hub.core.errors import ConfigError, HubError
from hub.db import outbox
from hub.db.engine import open_engine
from hub.db.memory import alike_engine, memory_engine
from hub.db.unit import Unit, forbid_open_unit, reading, unit
from hub.flows.kept_places import KeptPlaces
from hub.http import Http
from hub.keys import Keys
from hub.live.store import Positions
from hub.reactions import reactions
from hub.registry import Registry
from hub.settings import Settings
from hub.turns import Turns

P = TypeVar("P", bound=Provider)
assert hub.db.tables.OUTSIDE  # importing the tables is what fills SQLModel.metadata


class Hub:
    def __init__(
        self,
        engine: Engine,
        registry: Registry,
        settings: Settings,
        keys: Keys,
        *,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.engine = engine
        self.registry = registry
        self.settings = settings
        self.keys = keys
        self.passwords = PasswordHasher()  # argon2id as RFC 9106 has it for little memory
        self.now = now or settings.clock()
        self.turns = Turns()
        self.places = KeptPlaces()
        self.tools = Tools(
            Http(settings.http_allow, settings.http_instead),
            self.now,
            logging.getLogger("hub.plugin"),
            settings.data_dir,
        )

    @classmethod
    def from_settings(cls, settings: Settings, now: Callable[[], datetime] | None = None) -> Hub:
        """The installed hub: its database must have been migrated (``hub up`` does).

        ``now``: another clock than that of the settings.
        """
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        registry = Registry.installed(without=settings.plugins_off)
        keys = Keys.at(settings.data_dir / "keys" / "keys.json")
        return cls(open_engine(settings.database_url), registry, settings, keys, now=now)

    @classmethod
    def in_memory(
        cls,
        *plugins: object,
        now: Callable[[], datetime] | None = None,
        data_dir: Path | None = None,
        url: str = "",
        http_allow: tuple[str, ...] = (),
    ) -> Hub:
        """A complete hub that forgets everything; for tests and notebooks.

        ``url`` names another (empty) database; without plugins every installed one loads.
        ``http_allow`` is what ``HUB_HTTP_ALLOW`` would name. Without ``data_dir`` its files
        live in a temporary directory and go when the hub does.
        """
        folder = data_dir or Path(tempfile.mkdtemp(prefix="hub-"))
        engine = alike_engine(url) if url else memory_engine()
        registry = Registry() if plugins else Registry.installed()
        for plugin in plugins:
            registry.add(plugin, getattr(plugin, "__name__", repr(plugin)))
        settings = replace(Settings.from_environment({}), data_dir=folder, http_allow=http_allow)
        settings = replace(settings, database_url=url or settings.database_url)
        hub = cls(engine, registry, settings, Keys.at(folder / "keys.json"), now=now)
        # It guards nothing that outlives it, so nobody need wait for its hashes.
        hub.passwords = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        if data_dir is None:
            weakref.finalize(hub, shutil.rmtree, folder, ignore_errors=True)
        return hub

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        with unit(self.engine) as u:
            yield u

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent look that takes no write lock and keeps nothing."""
        with reading(self.engine) as session:
            yield session

    @property
    def positions(self) -> Positions:
        """Where drivers are and were."""
        return Positions.open(self.settings)

    def provider(
        self, kind: type[P], key: str, settings: Mapping[str, Any], tools: Tools | None = None
    ) -> P:
        """A ready provider. Raises ``ConfigError`` if plugin or settings are no longer valid."""
        forbid_open_unit("using a plugin")
        try:
            cls = self.registry.get(kind, key)
        except KeyError:
            raise ConfigError(f"the plugin for {key!r} is not installed") from None
        try:
            return cls(cls.Settings.model_validate(settings), tools or self.tools)
        except ValidationError as error:
            raise ConfigError(
                f"{cls.title}: {error.error_count()} settings are not valid"
            ) from None
        except HubError:
            raise
        except Exception:  # a stranger's code; what it was given may be in the message
            self.tools.log.exception("provider %s cannot be made", key)
            raise ConfigError(
                f"{cls.title} cannot be started: its plugin failed."
                " Whoever runs this server finds more in the log."
            ) from None

    def deliver_events(
        self,
        *,
        only: Collection[str] = (),
        but: Collection[str] = (),
        among: Sequence[ColumnElement[bool]] = (),
        stops: bool = False,
    ) -> int:
        """Fan out what was announced and deliver what is due; how many were attempted.

        Which errands, and when it stops, is as ``hub.db.outbox.deliver_due`` has it.
        """
        self.fan_out_events()
        about = (self.engine, self.subscribers, self.tools)
        return outbox.deliver_due(*about, only=only, but=but, among=among, stops=stops)

    def fan_out_events(self) -> None:
        """Make an errand of each announced event for each who wants to hear of it."""
        outbox.fan_out(self.engine, self.subscribers)

    @property
    def subscribers(self) -> Mapping[str, Subscriber]:
        """Every plugin's, and the hub's own reactions."""
        return {**self.registry.subscribers, **{s.name: s for s in reactions(self)}}

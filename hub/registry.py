"""Find plugins, load them one by one, and look up what they provide."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, TypeVar

import pluggy

from hub.core import contracts, hookspecs
from hub.core.contracts import Provider, Subscriber

if TYPE_CHECKING:
    from flask import Flask

    from hub.app import Hub

log = logging.getLogger(__name__)

GROUP = "hub.plugins"
HOOKS: dict[type[Provider], str] = {
    contracts.OrderSource: "hub_order_sources",
    contracts.RoutingStrategy: "hub_routing_strategies",
    contracts.NotificationChannel: "hub_notification_channels",
    contracts.PodStore: "hub_pod_stores",
    contracts.Geocoder: "hub_geocoders",
    contracts.TravelTimes: "hub_travel_times",
    contracts.RecordSink: "hub_record_sinks",
    contracts.EtaModel: "hub_eta_models",
}

P = TypeVar("P", bound=Provider)


@cache
def _named() -> list[EntryPoint]:
    """What the installed distributions name; reading all their files is slow, so once."""
    return sorted(entry_points(group=GROUP), key=lambda point: point.name)


@dataclass(frozen=True, slots=True)
class Problem:
    """A plugin that could not be used, for the panel's Plugins page."""

    plugin: str
    message: str


class Registry:
    def __init__(self) -> None:
        self.plugins = pluggy.PluginManager("hub")
        self.plugins.add_hookspecs(hookspecs)
        self.problems: list[Problem] = []
        self._providers: dict[tuple[type[Provider], str], type[Provider]] = {}
        self.subscribers: dict[str, Subscriber] = {}

    @classmethod
    def installed(cls, *, without: frozenset[str] = frozenset()) -> Registry:
        """Every plugin that an installed distribution names under ``hub.plugins``."""
        registry = cls()
        for point in _named():
            if point.name not in without:
                registry.add_entry_point(point)
        return registry

    def add_entry_point(self, point: EntryPoint) -> None:
        try:
            plugin = point.load()
        except Exception as error:
            self._problem(point.name, error)
        else:
            self.add(plugin, point.name)

    def add(self, plugin: object, name: str) -> None:
        """Register one plugin; a plugin that fails is noted and the rest still load."""
        try:
            self.plugins.register(plugin, name)
            self.plugins.check_pending()
            self._collect(name)
        except Exception as error:
            if self.plugins.has_plugin(name):
                self.plugins.unregister(name=name)
            self._problem(name, error)

    def _collect(self, name: str) -> None:
        others = [p for n, p in self.plugins.list_name_plugin() if n != name]
        for kind, hook in HOOKS.items():
            for classes in self.plugins.subset_hook_caller(hook, others)():
                for cls in classes:
                    self._offer(kind, cls)
        for subscribers in self.plugins.subset_hook_caller("hub_subscribers", others)():
            for subscriber in subscribers:
                if subscriber.name in self.subscribers:
                    raise ValueError(f"subscriber {subscriber.name!r} exists already")
                self.subscribers[subscriber.name] = subscriber

    def _offer(self, kind: type[Provider], cls: type[Provider]) -> None:
        if not (isinstance(cls, type) and issubclass(cls, kind)):
            raise TypeError(f"{cls!r} is not a subclass of {kind.__name__}")
        taken = self._providers.setdefault((kind, cls.key), cls)
        if taken is not cls:
            raise ValueError(f"{kind.__name__} {cls.key!r} is already {taken.__module__}")

    def _problem(self, name: str, error: Exception) -> None:
        log.exception("plugin %s cannot be used", name)
        self.problems.append(Problem(name, f"{type(error).__name__}: {error}"))

    def init_app(self, app: Flask, hub: Hub) -> None:
        """Let every plugin add to the web application; one that fails is noted, the rest go on."""
        for name, plugin in self.plugins.list_name_plugin():
            others = [p for n, p in self.plugins.list_name_plugin() if n != name]
            if plugin is None or not hasattr(plugin, "hub_init_app"):
                continue
            try:
                self.plugins.subset_hook_caller("hub_init_app", others)(app=app, hub=hub)
            except Exception as error:
                self._problem(name, error)

    def get(self, kind: type[P], key: str) -> type[P]:
        """The provider class for a stored key. Raises ``KeyError`` if its plugin is gone."""
        return self._providers[kind, key]  # type: ignore[return-value]

    def all(self, kind: type[P]) -> list[type[P]]:
        """Every provider of a kind, by key."""
        return [self.get(kind, key) for k, key in sorted(self._providers, key=str) if k is kind]

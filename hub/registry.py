"""Find plugins, load them one by one, and look up what they provide."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy
from pydantic import BaseModel

from hub.core import connecting, contracts, hookspecs
from hub.core.contracts import Provider, Subscriber

if TYPE_CHECKING:
    from flask import Flask

    from hub.app import Hub

log = logging.getLogger(__name__)

GROUP = "hub.plugins"
OURS = "lastmile-hub"
HOOKS: dict[type[Provider], str] = {
    connecting.OrderSource: "hub_order_sources",
    contracts.RoutingStrategy: "hub_routing_strategies",
    contracts.NotificationChannel: "hub_notification_channels",
    contracts.PodStore: "hub_pod_stores",
    contracts.Geocoder: "hub_geocoders",
    contracts.TravelTimes: "hub_travel_times",
    connecting.RecordSink: "hub_record_sinks",
    contracts.EtaModel: "hub_eta_models",
}

SHARED: dict[type[Provider], tuple[type[Provider], ...]] = {
    connecting.OrderSource: (connecting.RecordSink,),
    connecting.RecordSink: (connecting.OrderSource,),
}
"""A connection is known by its key alone, so one key is one class whatever it can do."""

P = TypeVar("P", bound=Provider)
ROUTINES = (FunctionType, MethodType, BuiltinFunctionType)


@cache
def _named() -> list[EntryPoint]:
    """What the installed distributions name; reading all their files is slow, so once.

    The hub's own come first: a stranger's plugin must not take a key from them.
    """
    return sorted(entry_points(group=GROUP), key=lambda point: (not _is_ours(point), point.name))


def _is_ours(point: EntryPoint | None) -> bool:
    return point is not None and point.dist is not None and point.dist.name == OURS


def own_plugins() -> list[EntryPoint]:
    """Those that come with the hub itself."""
    return [point for point in _named() if _is_ours(point)]


def not_installed(names: Iterable[str]) -> list[str]:
    """Those of ``names`` that no installed plugin has."""
    return sorted(set(names) - {point.name for point in _named()})


@dataclass(frozen=True, slots=True)
class Problem:
    """A plugin that could not be used: what went wrong, and what whoever installed it can do."""

    plugin: str
    message: str
    remedy: str = ""
    origin: str = ""


class Taken(ValueError):
    """Two plugins want the same name or key; the one that came first has it.

    ``by_hub``: that is the hub itself, which cannot be uninstalled.
    """

    def __init__(self, message: str, *, by_hub: bool = False) -> None:
        super().__init__(message)
        self.by_hub = by_hub


@dataclass(slots=True)
class _Offer:
    """All that one plugin provides, looked at before any of it is used."""

    providers: dict[tuple[type[Provider], str], type[Provider]] = field(default_factory=dict)
    subscribers: dict[str, Subscriber] = field(default_factory=dict)


class _Plugins(pluggy.PluginManager):
    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """Of what a module holds, only what can be a hook is looked at closely: looking takes
        longer than all else about a plugin.
        """
        held = vars(plugin) if isinstance(plugin, ModuleType) else {}
        if name in held and type(held[name]) not in ROUTINES:
            return None
        return super().parse_hookimpl_opts(plugin, name)


class Registry:
    def __init__(self) -> None:
        self.plugins = _Plugins("hub")
        self.plugins.add_hookspecs(hookspecs)
        self.problems: list[Problem] = []
        self._providers: dict[tuple[type[Provider], str], type[Provider]] = {}
        self.subscribers: dict[str, Subscriber] = {}
        self._offers: dict[str, _Offer] = {}
        self._points: dict[str, EntryPoint] = {}

    @classmethod
    def installed(cls, *, without: frozenset[str] = frozenset()) -> Registry:
        """Every plugin that an installed distribution names under ``hub.plugins``."""
        registry = cls()
        for name in not_installed(without):
            log.warning("HUB_PLUGINS_OFF names %s, but no such plugin is installed", name)
        for point in _named():
            if point.name not in without:
                registry.add_entry_point(point)
        return registry

    def add_entry_point(self, point: EntryPoint) -> None:
        try:
            plugin = point.load()
        except (Exception, SystemExit) as error:  # a module that ends the program ends itself
            self._problem(point.name, error, point)
        else:
            self.add(plugin, point.name, point)

    def add(self, plugin: object, name: str, point: EntryPoint | None = None) -> None:
        """Register one plugin, all of it or nothing; what is wrong with it is noted."""
        if self.plugins.has_plugin(name):
            said = f"another plugin is called {name!r} already: {self.origin_of(name)}"
            self._problem(name, Taken(said, by_hub=_is_ours(self._points.get(name))), point)
            return
        try:
            self.plugins.register(plugin, name)
            self.plugins.check_pending()
            offer = self._offer_of(name)
        except (Exception, SystemExit) as error:
            if self.plugins.has_plugin(name):
                self.plugins.unregister(name=name)
            self._problem(name, error, point)
        else:
            if point is not None:
                self._points[name] = point
            self._offers[name] = offer
            self._providers |= offer.providers
            self.subscribers |= offer.subscribers

    def offered(self, name: str) -> list[tuple[type[Provider], type[Provider]]]:
        """What the plugin ``name`` provides: pairs of a contract and a class."""
        found = self._offers[name].providers if name in self._offers else {}
        return [(kind, cls) for (kind, _), cls in found.items()]

    def distribution_of(self, name: str) -> Distribution | None:
        """What it was installed with; ``None`` for one that was added by hand."""
        return self._points[name].dist if name in self._points else None

    def origin_of(self, name: str) -> str:
        return _origin(self._points.get(name))

    def subscribers_of(self, name: str) -> list[str]:
        return sorted(self._offers[name].subscribers) if name in self._offers else []

    def _offer_of(self, name: str) -> _Offer:
        offer = _Offer()
        for kind, hook in HOOKS.items():
            for cls in self._said(name, hook):
                check_class(kind, cls)
                for known in (self._providers, offer.providers):
                    for other in (kind, *SHARED.get(kind, ())):
                        taken = known.get((other, cls.key), cls)
                        if taken is not cls:
                            raise self._taken(kind, taken)
                offer.providers[kind, cls.key] = cls
        for subscriber in self._said(name, "hub_subscribers"):
            if not isinstance(subscriber, Subscriber):
                raise TypeError(f"hub_subscribers gives {subscriber!r}, which is no hub.Subscriber")
            if subscriber.name in self.subscribers.keys() | offer.subscribers.keys():
                raise Taken(f"subscriber {subscriber.name!r} exists already")
            offer.subscribers[subscriber.name] = subscriber
        return offer

    def _taken(self, kind: type[Provider], by: type[Provider]) -> Taken:
        """Who has the key, by the name that people see."""
        said = f"{kind.__name__} {by.key!r} is already {by.__module__}'s"
        for name, offer in self._offers.items():
            if by in offer.providers.values():
                by_hub = _is_ours(self._points.get(name))
                whose = "part of the hub itself" if by_hub else f"offered by {name}"
                return Taken(f"{said}, {whose} ({self.origin_of(name)})", by_hub=by_hub)
        return Taken(said)

    def _said(self, name: str, hook: str) -> Iterator[Any]:
        """What this one plugin answers to a hook, an item at a time."""
        others = [p for n, p in self.plugins.list_name_plugin() if n != name]
        for answer in self.plugins.subset_hook_caller(hook, others)():
            if not isinstance(answer, list | tuple):
                raise TypeError(f"{hook} gives {answer!r}, not a list")
            yield from answer

    def _problem(self, name: str, error: BaseException, point: EntryPoint | None = None) -> None:
        log.error("plugin %s cannot be used", name, exc_info=error)
        origin = _origin(point or self._points.get(name))
        self.problems.append(Problem(name, _short(error), remedy(name, error), origin))

    def init_app(self, app: Flask, hub: Hub) -> None:
        """Let every plugin add to the web application; one that fails is noted, the rest go on."""
        for name, plugin in self.plugins.list_name_plugin():
            others = [p for n, p in self.plugins.list_name_plugin() if n != name]
            if plugin is None or not hasattr(plugin, "hub_init_app"):
                continue
            try:
                self.plugins.subset_hook_caller("hub_init_app", others)(app=app, hub=hub)
            except (Exception, SystemExit) as error:
                self._problem(name, error)

    def get(self, kind: type[P], key: str) -> type[P]:
        """The provider class for a stored key. Raises ``KeyError`` if its plugin is gone."""
        return self._providers[kind, key]  # type: ignore[return-value]

    def all(self, kind: type[P]) -> list[type[P]]:
        """Every provider of a kind, by key."""
        return [self.get(kind, key) for k, key in sorted(self._providers, key=str) if k is kind]


def check_class(kind: type[Provider], cls: object) -> None:
    """Raises ``TypeError`` with a sentence for its author when ``cls`` could not be used."""
    if not (isinstance(cls, type) and issubclass(cls, kind)):
        raise TypeError(f"{cls!r} is not a subclass of {kind.__name__}")
    for name in ("key", "title"):
        value = getattr(cls, name, None)
        if not (isinstance(value, str) and value.strip()):
            raise TypeError(f"{cls.__name__} has no {name}: give it a text")
    if not (isinstance(cls.Settings, type) and issubclass(cls.Settings, BaseModel)):
        raise TypeError(f"{cls.__name__}.Settings is not a pydantic model")
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(cls.__abstractmethods__))
        raise TypeError(f"{cls.__name__} does not define {missing}")


def remedy(name: str, error: BaseException) -> str:
    """What whoever installed the plugin can do about ``error``."""
    off = f"switch it off with HUB_PLUGINS_OFF={name}"
    match error:
        case ModuleNotFoundError(name=str(missing)) if missing.partition(".")[0] != "hub":
            return f"It needs {missing}, which is not installed here. Install that, or {off}."
        case ImportError() | pluggy.PluginValidationError():
            return f"It was written for another version of the hub. Update it, or {off}."
        case Taken(by_hub=True):
            return f"The hub keeps its own. Who wrote {name} has to choose another; or {off}."
        case Taken():
            return f"Keep one of the two: uninstall the other, or {off}."
    return f"Update it, tell who wrote it, or {off}."


def _origin(point: EntryPoint | None) -> str:
    """The distribution and its version."""
    if point is None or point.dist is None:
        return "added by hand"
    return f"{point.dist.name} {point.dist.version}"


def _short(error: BaseException) -> str:
    """For a page: no more than a few lines, and nothing of where things lie on this machine."""
    said = re.sub(r" ?\((?:/|[A-Z]:\\)[^)]*\)", "", " ".join(str(error).split()))
    return f"{type(error).__name__}: {said[:500] or 'it says no more'}"

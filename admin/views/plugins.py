"""What is plugged in, what it offers, and what could not be loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from hub.core import contracts
from hub.core.contracts import Provider
from hub.web.pages import page
from hub.web.staff import needs

if TYPE_CHECKING:
    from hub.app import Hub

KINDS: tuple[tuple[type[Provider], str], ...] = (
    (contracts.OrderSource, "Orders in"),
    (contracts.RoutingStrategy, "Route planning"),
    (contracts.TravelTimes, "Travel times"),
    (contracts.Geocoder, "Address search"),
    (contracts.NotificationChannel, "Messages"),
    (contracts.PodStore, "Proof storage"),
    (contracts.RecordSink, "Books"),
    (contracts.EtaModel, "Arrival times"),
)


@dataclass
class Plugin:
    """One plugin; ``offers`` are pairs of a kind and a provider's title."""

    name: str
    module: str
    origin: str
    offers: list[tuple[str, str]] = field(default_factory=list)


def plugins(hub: Hub) -> Blueprint:
    pages = Blueprint("plugins", __name__, url_prefix="/panel", template_folder="../templates")

    @pages.get("/plugins")
    @needs()
    def show() -> AnyResponse:
        return page(
            "panel/plugins.html",
            plugins=installed(hub),
            problems=hub.registry.problems,
            off=sorted(hub.settings.plugins_off),
        )

    return pages


def installed(hub: Hub) -> list[Plugin]:
    """Every loaded plugin with what it offers, by name."""
    origins = _origins()
    found = [
        Plugin(
            name,
            getattr(plugin, "__name__", type(plugin).__module__),
            origins.get(name, "added by hand"),
        )
        for name, plugin in hub.registry.plugins.list_name_plugin()
        if plugin is not None
    ]
    for kind, title in KINDS:
        for cls in hub.registry.all(kind):
            owners = [p for p in found if f"{cls.__module__}.".startswith(f"{p.module}.")]
            if owners:
                owners[0].offers.append((title, cls.title))
    return sorted(found, key=lambda plugin: plugin.name)


def _origins() -> dict[str, str]:
    """By plugin, name and version of the distribution it came with."""
    return {
        point.name: f"{point.dist.name} {point.dist.version}"
        for point in entry_points(group="hub.plugins")
        if point.dist is not None
    }

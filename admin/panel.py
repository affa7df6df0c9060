"""The panel's pages and menu, gathered in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, g, request

from admin import auth, records
from admin.views import (
    address_search,
    addresses,
    asked,
    books,
    branding,
    changes,
    connections,
    day,
    errands,
    home,
    imports,
    keys,
    manners,
    map,
    messages,
    orders,
    plugins,
    privacy,
    proof,
    proof_storage,
    ratings,
    reach,
    self_service,
    settings,
    travel_times,
    webhooks,
)
from hub.flows.log_in import Role
from hub.web.pages import STATIC
from hub.web.staff import may

if TYPE_CHECKING:
    from hub.app import Hub

BLUEPRINTS = (
    auth.auth,
    home.home,
    records.records,
    branding.branding,
    keys.keys,
    map.map_page,
    messages.messages,
    manners.manners,
    plugins.plugins,
    settings.settings,
    privacy.privacy,
    self_service.self_service,
    address_search.address_search,
    travel_times.travel_times,
    proof_storage.proof_storage,
    day.day,
    changes.changes,
    orders.orders,
    proof.proof,
    imports.import_pages,
    addresses.addresses,
    errands.errands,
    connections.connections,
    books.books,
    webhooks.webhooks,
    asked.asked,
    ratings.ratings,
    reach.reach,
)


@dataclass(frozen=True)
class Item:
    """A line of the menu; ``path`` is also the prefix by which it knows it is the present one.

    Besides owners, only ``roles`` see it: those its page lets in.
    """

    title: str
    path: str
    roles: tuple[Role, ...] = ()


ALL = (Role.DISPATCHER, Role.ACCOUNTANT, Role.VIEWER)
LOOKS = (Role.DISPATCHER, Role.VIEWER)
ACTS = (Role.DISPATCHER,)

MENU: tuple[tuple[str, tuple[Item, ...]], ...] = (
    ("", (Item("Home", "/panel/", ALL),)),
    (
        "The day",
        (
            Item("Board", "/board/", ALL),
            Item("Day", "/panel/day", ALL),
            Item("Orders", "/panel/orders", ALL),
            Item("Import", "/panel/import", ACTS),
            Item("Addresses", "/panel/addresses", LOOKS),
            Item("Reach", "/panel/reach", LOOKS),
            Item("Stuck", "/panel/stuck", ACTS),
            Item("Enquiries", "/panel/asked", LOOKS),
            Item("Ratings", "/panel/ratings", LOOKS),
            Item("Books", "/panel/books", (Role.DISPATCHER, Role.ACCOUNTANT)),
        ),
    ),
    (
        "Set up",
        (
            Item("Depots", "/panel/records/depots", ALL),
            Item("Vehicles", "/panel/records/vehicles", ALL),
            Item("Drivers", "/panel/records/drivers", ALL),
            Item("Zones", "/panel/records/zones", ALL),
            Item("Branding", "/panel/branding"),
            Item("Connections", "/panel/connections", (Role.DISPATCHER, Role.ACCOUNTANT)),
            Item("Messages", "/panel/messages", ACTS),
            Item("Map", "/panel/map"),
        ),
    ),
    (
        "Business",
        (
            Item("Settings", "/panel/settings"),
            Item("People", "/panel/people"),
            Item("Public address", "/panel/address"),
            Item("API keys", "/panel/keys"),
            Item("Webhooks", "/panel/webhooks"),
            Item("Plugins", "/panel/plugins"),
        ),
    ),
)


def panel(app: Flask, hub: Hub) -> None:
    """Add the panel to ``app``: all of it below /panel, guarded by ``hub.web.staff``."""
    app.extensions[STATIC].append(Path(__file__).parent / "static")
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint(hub))
    app.context_processor(
        lambda: {"panel_menu": menu(), "is_here": is_here, "me": g.get("staff"), "may": may}
    )


def menu() -> list[tuple[str, list[Item]]]:
    """What whoever looks can open, by group; groups with nothing in them are left out."""
    seen = [(title, [item for item in items if may(*item.roles)]) for title, items in MENU]
    return [(title, items) for title, items in seen if items]


def is_here(path: str) -> bool:
    """Whether the page shown lies below the menu line's ``path``."""
    if path == "/panel/":
        return request.path == path
    path = path.rstrip("/")
    return request.path == path or request.path.startswith(f"{path}/")

"""What is plugged in: where it comes from, what it offers, how far it goes, what ails it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.core import connecting, contracts
from hub.core.contracts import Provider
from hub.core.levels import Judged, judge
from hub.db.tables import ChoiceRow, ConnectionRow
from hub.flows.choices import KINDS as CHOSEN
from hub.registry import Registry, not_installed

if TYPE_CHECKING:
    from hub.app import Hub

KINDS: Mapping[type[Provider], str] = {
    connecting.OrderSource: "Orders in",
    connecting.RecordSink: "Deliveries in the books",
    contracts.RoutingStrategy: "Route planning",
    contracts.TravelTimes: "Travel times",
    contracts.EtaModel: "Arrival times",
    contracts.Geocoder: "Address search",
    contracts.NotificationChannel: "Messages",
    contracts.PodStore: "Proof storage",
}
SET_UP_AS: Mapping[type[Provider], str] = {
    connecting.OrderSource: "connection",
    connecting.RecordSink: "connection",
    **{kind: word for word, kind in CHOSEN.items()},
}
CHOSEN_AT: Mapping[str, str] = {
    "channel": "/panel/messages",
    "geocoder": "/panel/settings/address-search",
    "pod_store": "/panel/settings/proof-storage",
    "travel_times": "/panel/settings/travel-times",
}


@dataclass(frozen=True, slots=True)
class Installed:
    """One loaded plugin; ``offers`` are pairs of a kind and a provider's title, in words.

    ``uses`` are what a business may set up of it: pairs of a table's word and a key.
    """

    name: str
    origin: str
    offers: tuple[tuple[str, str], ...]
    subscribers: tuple[str, ...]
    judged: Judged
    uses: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something a business set up that does not work now; ``provider`` is one of ``uses``.

    ``needs_you``: it waits for a person; otherwise it is tried again by itself.
    """

    provider: tuple[str, str]
    title: str
    error: str
    page: str
    needs_you: bool


def installed(registry: Registry) -> list[Installed]:
    """Every loaded plugin, by name."""
    return sorted(
        (
            _seen(registry, name, plugin)
            for name, plugin in registry.plugins.list_name_plugin()
            if plugin is not None
        ),
        key=lambda one: one.name,
    )


def switched_off(hub: Hub) -> tuple[list[str], list[str]]:
    """What ``HUB_PLUGINS_OFF`` names: plugins that are left out, and names that none has."""
    unknown = not_installed(hub.settings.plugins_off)
    return sorted(hub.settings.plugins_off - set(unknown)), unknown


def _seen(registry: Registry, name: str, plugin: object) -> Installed:
    offered = registry.offered(name)
    kinds = list(KINDS)
    ranked = sorted(offered, key=lambda pair: (kinds.index(pair[0]), pair[1].title.casefold()))
    distribution = registry.distribution_of(name)
    return Installed(
        name,
        registry.origin_of(name),
        tuple((KINDS[kind], cls.title) for kind, cls in ranked),
        tuple(registry.subscribers_of(name)),
        judge(
            dict.fromkeys(cls for _, cls in ranked),
            described=_has_readme(plugin) or _is_described(distribution),
        ),
        frozenset((SET_UP_AS[kind], cls.key) for kind, cls in offered if kind in SET_UP_AS),
    )


def _has_readme(plugin: object) -> bool:
    """Whether its package holds one; a single module keeps its own beside it."""
    module = plugin if inspect.ismodule(plugin) else inspect.getmodule(type(plugin))
    file = getattr(module, "__file__", None)
    if not file or not hasattr(module, "__path__"):
        return False
    return any(Path(file).parent.glob("README*"))


def _is_described(distribution: Distribution | None) -> bool:
    """Whether it came with a long description, which is where a README goes."""
    if distribution is None:
        return False
    about = distribution.metadata
    return bool((about.get("Description") or str(about.get_payload() or "")).strip())  # type: ignore[attr-defined]


def troubles(hub: Hub, business_id: str) -> list[Trouble]:
    """What this business uses and cannot now, in the plugin's own sentence."""
    with hub.reading() as session:
        connections = session.exec(
            select(ConnectionRow)
            .where(
                ConnectionRow.business_id == business_id,
                ConnectionRow.last_error != "",
                col(ConnectionRow.state).in_(("failing", "needs_reconnect")),
            )
            .order_by(col(ConnectionRow.title))
        ).all()
        chosen = session.exec(
            select(ChoiceRow)
            .where(
                ChoiceRow.business_id == business_id,
                ChoiceRow.last_error != "",
                col(ChoiceRow.active).is_(True),
            )
            .order_by(col(ChoiceRow.plugin))
        ).all()
    return [
        *(
            Trouble(
                ("connection", row.plugin),
                row.title,
                row.last_error,
                f"/panel/connections/{row.id}",
                row.state != "failing",
            )
            for row in connections
        ),
        *(
            Trouble(
                (row.kind, row.plugin),
                _title(hub, row),
                row.last_error,
                CHOSEN_AT[row.kind],
                row.state != "failing",
            )
            for row in chosen
        ),
    ]


def _title(hub: Hub, row: ChoiceRow) -> str:
    try:
        return hub.registry.get(CHOSEN[row.kind], row.plugin).title
    except KeyError:
        return row.plugin

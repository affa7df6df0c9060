"""Every place where a plugin can join in.

Implement any of these in a module or object named by a ``hub.plugins`` entry
point. They are called once, when the hub starts, and must neither do I/O nor
read settings: they only say what exists. What a business configures is then
made by calling the class returned here with its settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

from hub.core.connecting import OrderSource, RecordSink
from hub.core.contracts import (
    EtaModel,
    Geocoder,
    NotificationChannel,
    PodStore,
    RoutingStrategy,
    Subscriber,
    TravelTimes,
)

if TYPE_CHECKING:
    from flask import Flask

    from hub.app import Hub

hookspec = pluggy.HookspecMarker("hub")
hookimpl = pluggy.HookimplMarker("hub")


@hookspec
def hub_order_sources() -> list[type[OrderSource]]:  # type: ignore[empty-body]
    """Places orders come from: shops, ERPs, files.

    The panel offers each under Connections; one business may connect several of
    a kind. Add ``WritesBack`` or ``AcceptsWebhooks`` to the class's bases if it
    can do those.
    """


@hookspec
def hub_routing_strategies() -> list[type[RoutingStrategy]]:  # type: ignore[empty-body]
    """Ways to plan a day. The panel offers them per depot."""


@hookspec
def hub_notification_channels() -> list[type[NotificationChannel]]:  # type: ignore[empty-body]
    """Ways to reach a recipient. Which events use which channel is a notice rule, not code."""


@hookspec
def hub_pod_stores() -> list[type[PodStore]]:  # type: ignore[empty-body]
    """Places to keep photos and signatures. One is active; old proof stays readable
    in the store that took it."""


@hookspec
def hub_geocoders() -> list[type[Geocoder]]:  # type: ignore[empty-body]
    """Address lookups, tried in the order set in the panel until one matches."""


@hookspec
def hub_travel_times() -> list[type[TravelTimes]]:  # type: ignore[empty-body]
    """Sources of driving times for planning and ETAs."""


@hookspec
def hub_record_sinks() -> list[type[RecordSink]]:  # type: ignore[empty-body]
    """Accounts that receive a record of each delivery."""


@hookspec
def hub_eta_models() -> list[type[EtaModel]]:  # type: ignore[empty-body]
    """Ways to work out when a driver will be at each stop."""


@hookspec
def hub_subscribers() -> list[Subscriber]:  # type: ignore[empty-body]
    """Code to run after something happened. See ``hub.core.events`` for what can.

    Runs in the worker, outside any transaction, with retries; never in the
    request that caused the event.
    """


@hookspec
def hub_init_app(app: Flask, hub: Hub) -> None:
    """Add blueprints, CLI commands or template folders to the web app.

    Called once per process while the app is built. The admin panel itself
    arrives through this hook.
    """

"""Orders from ShipStation, by its V2 or its V1 interface."""

from connectors.shipstation.source import ShipStation
from hub import OrderSource, hookimpl


@hookimpl
def hub_order_sources() -> list[type[OrderSource]]:
    return [ShipStation]

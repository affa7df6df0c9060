"""Shopify: orders of a shop come in by fulfilment order, and the shop hears how they fared."""

from connectors.shopify.source import Shopify
from hub import OrderSource, hookimpl


@hookimpl
def hub_order_sources() -> list[type[OrderSource]]:
    return [Shopify]

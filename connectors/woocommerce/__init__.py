"""Orders from WooCommerce, and how they fared back to it."""

from connectors.woocommerce.source import WooCommerce
from hub import OrderSource, hookimpl


@hookimpl
def hub_order_sources() -> list[type[OrderSource]]:
    return [WooCommerce]

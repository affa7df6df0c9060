"""Xero: approved invoices and quotes as orders, and a record of each delivery in the books."""

from connectors.xero.source import Xero
from hub import OrderSource, RecordSink, hookimpl


@hookimpl
def hub_order_sources() -> list[type[OrderSource]]:
    return [Xero]


@hookimpl
def hub_record_sinks() -> list[type[RecordSink]]:
    return [Xero]

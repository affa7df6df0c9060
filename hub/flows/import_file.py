"""Take in a file of orders: look at it first, then store it whole."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hub.core.csv_orders import Preview, guess_columns, orders_from
from hub.db.tables import BusinessRow
from hub.flows.connections import connection_id
from hub.flows.sync import SyncReport, store_all
from hub.xlsx import read_file

if TYPE_CHECKING:
    from hub.app import Hub


def preview(
    hub: Hub, business_id: str, content: bytes, file_name: str, *, day_first: bool | None = None
) -> Preview:
    """What storing the file would do, and what is wrong in which row. Stores nothing.

    ``day_first`` None: decided per column where the dates allow it. Raises
    ``BadFile`` for a file that cannot be read as a table.
    """
    with hub.reading() as session:
        business = session.get_one(BusinessRow, business_id)
    table = read_file(content, file_name)
    columns = guess_columns(table.headers, table.rows[:20])
    return orders_from(
        table,
        columns,
        zone=ZoneInfo(business.zone),
        country=business.country,
        now=hub.now(),
        day_first=day_first,
    )


def store_preview(hub: Hub, business_id: str, seen: Preview, *, actor: str) -> SyncReport:
    """Store every readable order of a preview, together. The same file again changes nothing."""
    connection = connection_id(hub, business_id, "csv")
    return store_all(hub, business_id, connection, seen.orders, actor=actor)

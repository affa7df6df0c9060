"""Where a driver was: what his phones told, as long as it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.db.tables import DeviceRow, DriverRow
from hub.live.store import StoredFix

if TYPE_CHECKING:
    from hub.app import Hub


def track_of(
    hub: Hub, business_id: str, driver_id: str, since: datetime, until: datetime
) -> Mapping[str, Sequence[StoredFix]]:
    """Device id -> its fixes from ``since`` until before ``until``, oldest first; phones that
    are no longer his too. Raises ``LookupError`` for a driver of another business.
    """
    with hub.reading() as session:
        known = session.exec(
            select(DriverRow.id).where(
                DriverRow.business_id == business_id, DriverRow.id == driver_id
            )
        ).first()
        if known is None:
            raise LookupError(f"no driver {driver_id}")
        devices = session.exec(
            select(DeviceRow.id)
            .where(
                DeviceRow.business_id == business_id,
                DeviceRow.driver_id == driver_id,
                col(DeviceRow.paired_at).is_not(None),
            )
            .order_by(col(DeviceRow.id))
        ).all()
    span = (int(since.timestamp() * 1000), int(until.timestamp() * 1000) - 1)
    return {id: hub.positions.track(business_id, id, *span) for id in devices}

"""Whether a worker does what is due: it says so now and then, and the panel says when it does not.

By the real clock, as leases go. Where a clock is moved by hand everything stands still with it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from hub.db.tables import BusinessRow, MeaningCursorRow

if TYPE_CHECKING:
    from hub.app import Hub

WORKER = "worker"
"""Its row among the cursors: up to which second, since 1970, it was at work."""
STILL = timedelta(minutes=3)
"""A busy worker says it late; one that was restarted is back within a minute."""
SAYS = text(
    "INSERT INTO meaning_cursor(id, last_id) VALUES (:id, :at)"
    " ON CONFLICT (id) DO UPDATE SET last_id = excluded.last_id"
)


def say_at_work(hub: Hub, at: datetime | None = None) -> None:
    """``at``: another moment than now."""
    second = int((at or datetime.now(UTC)).timestamp())
    with hub.unit() as unit:
        unit.session.execute(SAYS, {"id": WORKER, "at": second})


def still_since(hub: Hub, business_id: str) -> datetime | None:
    """Since when no worker is at work; ``None`` while one is, or where none can be missed yet."""
    if hub.settings.clock_file is not None:
        return None
    with hub.reading() as session:
        row = session.get(MeaningCursorRow, WORKER)
        founded_at = session.get_one(BusinessRow, business_id).created_at
    if row is None:
        return founded_at if hub.now() - founded_at > STILL else None
    last = datetime.fromtimestamp(row.last_id, UTC)
    return last if datetime.now(UTC) - last > STILL else None

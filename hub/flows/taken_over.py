"""What a worker that was killed had in hand, free for the next one at once.

For the one worker that follows a hand-moved clock, and nobody else: leases go by the real
clock, in which a demonstration's whole day is over before they are.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col

from hub.core.notices import NoticeState
from hub.db.tables import ErrandRow, NoticeRow

if TYPE_CHECKING:
    from hub.app import Hub


def take_over(hub: Hub) -> None:
    """Of every business: errands that were claimed and notices that were being sent."""
    now = hub.now()
    with hub.unit() as unit:
        unit.session.exec(
            update(ErrandRow)
            .where(
                col(ErrandRow.state) == "due",
                col(ErrandRow.due_at) > now,
                col(ErrandRow.attempts) > 0,
                col(ErrandRow.last_error) == "",
            )
            .values(due_at=now)
        )
        unit.session.exec(
            update(NoticeRow)
            .where(col(NoticeRow.state) == NoticeState.SENDING)
            .values(leased_until=datetime.now(UTC))
        )

"""Where a driver was after he went home is nobody's business, however late the hub hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import select

from hub.core.events import ShiftEnded
from hub.db.tables import ShiftRow
from hub.live.driving import ms, shifts_of
from hub.live.off_shift import let_go

if TYPE_CHECKING:
    from hub.app import Hub


def forget_off_shift(hub: Hub, event: ShiftEnded) -> int:
    """Let go of what his phones told after the shift; how many fixes went. Safe to repeat."""
    business_id, driver_id, now = event.business_id, event.driver_id, hub.now()
    with hub.reading() as session:
        ended_at = session.exec(
            select(ShiftRow.ended_at).where(
                ShiftRow.business_id == business_id, ShiftRow.id == event.subject_id
            )
        ).one_or_none()
        shifts = shifts_of(session, {business_id}, {driver_id}, now)[driver_id]
    if ended_at is None:
        return 0

    def is_kept(at_ms: int) -> bool:
        return any(shift.covers(at_ms, ms(now)) for shift in shifts)

    return let_go(hub.positions, business_id, driver_id, ms(ended_at), is_kept)

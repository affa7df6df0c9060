"""What people changed while a day was being planned: their word stands, no plan goes over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlmodel import Session, col, select

from hub.core.errors import HubError
from hub.db.tables import ShiftRow
from hub.flows.day import Day

Drafts = Mapping[str, Sequence[str]]  # shift id -> its jobs, in their order


class ChangedByHand(HubError):
    """Somebody arranged a draft while its day was planned, and it was kept."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody changed a draft while this day was planned, so the drafts were left as they "
            "are. Plan again to replace them."
        )


def is_arranged(before: Drafts, now: Drafts) -> bool:
    """Whether a job was put on a draft, on another one, or in another place.

    Not where one only came off: an order that was cancelled, or no longer of this day.
    """
    was = {id for order in before.values() for id in order}
    here = {id for order in now.values() for id in order}
    return not here <= was or any(
        [id for id in before.get(shift, ()) if id in here] != list(now.get(shift, ()))
        for shift in before.keys() | now.keys()
    )


def shifts_as_seen(session: Session, seen: Day) -> bool:
    """Whether everybody planned for still works as it was read: the same hours and vehicle,
    and the same stops to stay first.
    """
    rows = session.exec(
        select(ShiftRow).where(
            ShiftRow.business_id == seen.depot.business_id,
            col(ShiftRow.id).in_([shift.id for shift in seen.shifts]),
        )
    )
    return {row.id: _work(row) for row in rows} == {row.id: _work(row) for row in seen.shifts}


def _work(shift: ShiftRow) -> tuple[object, ...]:
    return (
        shift.starts_at,
        shift.ends_at,
        shift.ended_at,
        shift.driver_id,
        shift.vehicle_id,
        shift.depot_id,
        shift.end_depot_id,
        *shift.kept_first,
    )

"""A day that is planned while it is under way: nobody leaves before now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hub.core.planning import VehicleToPlan
from hub.core.values import TimeWindow
from hub.db.tables import ShiftRow

STEP_S = 300
"""Plans begin at the next full five minutes: somebody has to look at one before a van leaves."""


def leaves_from(now: datetime) -> datetime:
    """The earliest moment at which what is planned ``now`` can begin."""
    return datetime.fromtimestamp((int(now.timestamp()) // STEP_S + 1) * STEP_S, UTC)


def still_at_work(shifts: Sequence[ShiftRow], now: datetime) -> list[ShiftRow]:
    """The shifts that have time left for what is planned ``now``."""
    return [shift for shift in shifts if shift.ends_at > leaves_from(now)]


def from_now(vehicle: VehicleToPlan, now: datetime) -> VehicleToPlan:
    """With what is left of its shift, which ends later than ``leaves_from(now)``."""
    opens = max(vehicle.shift.opens, leaves_from(now))
    return replace(vehicle, shift=TimeWindow(opens, vehicle.shift.closes))

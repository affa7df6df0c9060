"""A driver's breaks as his route has them, kept beside its stops and read again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hub.core.crew_rules import breaks_on, read_breaks
from hub.core.values import TimeWindow
from hub.db.tables import DriverRow, RouteRow, ShiftRow


def rests_kept(rests: Sequence[TimeWindow | None]) -> list[Any]:
    """One for each of the driver's breaks; what was missed is kept as nothing."""
    return [
        None if one is None else [one.opens.isoformat(), one.closes.isoformat()] for one in rests
    ]


def late_rests(
    route: RouteRow, shift: ShiftRow, driver: DriverRow, zone: ZoneInfo
) -> tuple[TimeWindow, ...]:
    """Those that begin later than the driver's settings say."""
    if not route.rests:
        return ()
    usual = read_breaks(driver.planning.get("breaks", ""))
    due = breaks_on(usual, shift.day, TimeWindow(shift.starts_at, shift.ends_at), zone)
    pairs = zip(due, rests_read(route.rests), strict=False)
    return tuple(r for one, r in pairs if r is not None and r.opens > one.window.closes)


def rests_read(kept: Sequence[Any]) -> tuple[TimeWindow | None, ...]:
    return tuple(
        None
        if one is None
        else TimeWindow(datetime.fromisoformat(one[0]), datetime.fromisoformat(one[1]))
        for one in kept
    )

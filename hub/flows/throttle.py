"""Count tries of something, so that guessing is slow. Real time; survives restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hub.db.tables import ThrottleRow

if TYPE_CHECKING:
    from hub.app import Hub


def within_limit(hub: Hub, key: str, most: int, within_s: int) -> bool:
    """Count one try of ``key``; ``False`` once there were more than ``most`` in the span.

    The span starts with the first try. ``key`` is hashed by nobody: put no secret into it.
    """
    now = datetime.now(UTC)
    with hub.unit() as unit:
        row = unit.session.get(ThrottleRow, key[:120], with_for_update=True)
        if row is None:
            row = ThrottleRow(key=key[:120], since=now)
            unit.session.add(row)
        if row.since < now - timedelta(seconds=within_s):
            row.count, row.since = 0, now
        row.count += 1
        return row.count <= most


def forgive(hub: Hub, key: str) -> None:
    """Forget the tries of ``key``: it was the right person after all."""
    with hub.unit() as unit:
        if (row := unit.session.get(ThrottleRow, key[:120])) is not None:
            unit.session.delete(row)

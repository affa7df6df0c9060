"""Count tries of something, so that guessing is slow. Real time; survives restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, text

from hub.db.tables import ThrottleRow

if TYPE_CHECKING:
    from hub.app import Hub

_SINCE = ThrottleRow.__table__.c.since.type  # type: ignore[attr-defined]
_FIRST = text(
    "INSERT INTO throttle(key, count, since) VALUES (:key, 0, :now) ON CONFLICT DO NOTHING"
).bindparams(bindparam("now", type_=_SINCE))


def within_limit(hub: Hub, key: str, most: int, within_s: int) -> bool:
    """Count one try of ``key``; ``False`` once there were more than ``most`` in the span.

    The span starts with the first try. ``key`` is hashed by nobody: put no secret into it.
    """
    now = datetime.now(UTC)
    fresh = now - timedelta(seconds=within_s)
    with hub.unit() as unit:
        # Made before it is locked: of two first tries at once, both found none.
        unit.session.execute(_FIRST, {"key": key[:120], "now": now})
        row = unit.session.get_one(ThrottleRow, key[:120], with_for_update=True)
        if row.since < fresh:
            row.count, row.since = 0, now
        row.count += 1
        return row.count <= most


def forgive(hub: Hub, key: str) -> None:
    """Forget the tries of ``key``: it was the right person after all."""
    with hub.unit() as unit:
        if (row := unit.session.get(ThrottleRow, key[:120])) is not None:
            unit.session.delete(row)

"""Count tries of something, so that guessing is slow. Real time; survives restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, text
from sqlmodel import col, delete

from hub.db.tables import ThrottleRow

if TYPE_CHECKING:
    from hub.app import Hub

_SINCE = ThrottleRow.__table__.c.since.type  # type: ignore[attr-defined]
# One statement: of tries that come at once each is counted, and no row goes in between.
_COUNT = text(
    """
    INSERT INTO throttle (key, count, since) VALUES (:key, 1, :now)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN throttle.since < :fresh THEN 1 ELSE throttle.count + 1 END,
        since = CASE WHEN throttle.since < :fresh THEN :now ELSE throttle.since END
    RETURNING count
    """
).bindparams(bindparam("now", type_=_SINCE), bindparam("fresh", type_=_SINCE))


def within_limit(hub: Hub, key: str, most: int, within_s: int) -> bool:
    """Count one try of ``key``; ``False`` once there were more than ``most`` in the span.

    The span starts with the first try. ``key`` is hashed by nobody: put no secret into it.
    """
    now = datetime.now(UTC)
    tried = {"key": key[:120], "now": now, "fresh": now - timedelta(seconds=within_s)}
    with hub.unit() as unit:
        return bool(unit.session.execute(_COUNT, tried).scalar_one() <= most)


def forgive(hub: Hub, key: str) -> None:
    """Forget the tries of ``key``: it was the right person after all."""
    with hub.unit() as unit:
        unit.session.exec(delete(ThrottleRow).where(col(ThrottleRow.key) == key[:120]))

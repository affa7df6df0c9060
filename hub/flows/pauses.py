"""The pause that the other side of a connection asked for holds whatever the hub wants of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement
from sqlmodel import col, or_

from hub.core.errors import RateLimited
from hub.db.tables import ConnectionRow
from hub.flows.connected import row_of

if TYPE_CHECKING:
    from hub.app import Hub


def hold(hub: Hub, connection: ConnectionRow, pause: RateLimited) -> None:
    """Ask nothing of it until the pause is over."""
    with hub.unit() as unit:
        row = row_of(unit.session, connection.business_id, connection.id)
        lengthen(row, hub.now(), pause)


def lengthen(row: ConnectionRow, now: datetime, pause: RateLimited) -> datetime:
    """In a unit: when the pause is over. A longer one that it asked for before stays."""
    until = now + timedelta(seconds=pause.retry_after)
    row.not_before = max(row.not_before or until, until)
    return row.not_before


def respect(hub: Hub, connection: ConnectionRow) -> None:
    """Raises ``RateLimited`` with what is left of its pause."""
    until = paused_until(connection, hub.now())
    if until is not None:
        left_s = (until - hub.now()).total_seconds()
        raise RateLimited(f"{connection.title} asked for a pause.", retry_after=left_s)


def paused_until(row: ConnectionRow, now: datetime) -> datetime | None:
    """``None``: it may be asked."""
    return row.not_before if row.not_before is not None and row.not_before > now else None


def may_be_asked(now: datetime) -> ColumnElement[bool]:
    """``paused_until`` for a query."""
    return or_(col(ConnectionRow.not_before).is_(None), col(ConnectionRow.not_before) <= now)

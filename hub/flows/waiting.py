"""Whether there is anything to do, asked at the price of one look.

For a worker whose clock leaps: it asks some thousand times a minute.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, or_, select
from sqlmodel import col, exists

from hub.core.notices import NoticeState
from hub.db.tables import (
    ConnectionRow,
    ErrandRow,
    EventRow,
    ImprovementRow,
    NoticeRow,
    PlanRow,
    WebhookRow,
)
from hub.flows.improvements import OPEN as OPEN_SEARCHES
from hub.flows.meanings import has_meanings
from hub.flows.planning_run import OPEN

if TYPE_CHECKING:
    from hub.app import Hub

EVENTS, IMPROVEMENTS, MEANINGS = "events", "improvements", "meanings"
NOTICES, PLANS = "notices", "plans"
SOURCES, WEBHOOKS = "sources", "webhooks"
_NOW = bindparam("now", type_=EventRow.__table__.c.received_at.type)  # type: ignore[attr-defined]
_REAL = bindparam("real", type_=EventRow.__table__.c.received_at.type)  # type: ignore[attr-defined]
_LOOK = select(
    or_(
        exists().where(col(EventRow.fanned_out).is_(False)),
        exists().where(col(ErrandRow.state) == "due", col(ErrandRow.due_at) <= _NOW),
    ).label(EVENTS),
    exists()
    .where(
        or_(
            and_(col(NoticeRow.state) == NoticeState.DUE, col(NoticeRow.due_at) <= _NOW),
            and_(col(NoticeRow.state) == NoticeState.SENDING, col(NoticeRow.leased_until) < _REAL),
        )
    )
    .label(NOTICES),
    exists().where(col(ImprovementRow.state).in_(OPEN_SEARCHES)).label(IMPROVEMENTS),
    exists().where(col(PlanRow.state).in_(OPEN)).label(PLANS),
    exists()
    .where(
        col(ConnectionRow.state).in_(("ok", "failing")),
        or_(col(ConnectionRow.not_before).is_(None), col(ConnectionRow.not_before) <= _NOW),
        or_(
            and_(col(ConnectionRow.due_at) <= _NOW, col(ConnectionRow.leased_until).is_(None)),
            col(ConnectionRow.leased_until) < _REAL,
        ),
    )
    .label(SOURCES),
    exists().where(col(WebhookRow.state) == "due", col(WebhookRow.due_at) <= _NOW).label(WEBHOOKS),
)


def what_waits(hub: Hub) -> frozenset[str]:
    """Of every business: which kinds of work there is something of."""
    with hub.reading() as session:
        row = session.execute(_LOOK, {"now": hub.now(), "real": datetime.now(UTC)}).one()
    names = (EVENTS, IMPROVEMENTS, NOTICES, PLANS, SOURCES, WEBHOOKS)
    found = {name for name in names if getattr(row, name)}
    return frozenset(found | ({MEANINGS} if has_meanings(hub) else set()))

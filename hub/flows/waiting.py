"""Whether there is anything to do, asked at the price of one look.

For a worker whose clock leaps: it asks some thousand times a minute.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, bindparam, or_, select
from sqlmodel import col, exists

from hub.core.notices import NoticeState
from hub.db.tables import (
    ConnectionRow,
    ErrandRow,
    EventRow,
    ImprovementRow,
    MeaningCursorRow,
    NoticeRow,
    PlanRow,
    WebhookRow,
)
from hub.flows import records, write_back
from hub.flows.improvements import OPEN as OPEN_SEARCHES
from hub.flows.locate import LOCATE
from hub.flows.meanings import CURSOR, has_meanings
from hub.flows.planning_run import OPEN

if TYPE_CHECKING:
    from hub.app import Hub

EVENTS, ADDRESSES, SHOPS, BOOKS = "events", "addresses", "shops", "books"
"""What was announced; and who hears of it apart from the others."""
MEANINGS, NOTICES, PLANS, IMPROVEMENTS = "meanings", "notices", "plans", "improvements"
SOURCES, WEBHOOKS = "sources", "webhooks"
_NOW = bindparam("now", type_=EventRow.__table__.c.received_at.type)  # type: ignore[attr-defined]
_REAL = bindparam("real", type_=EventRow.__table__.c.received_at.type)  # type: ignore[attr-defined]
_APART = {ADDRESSES: LOCATE, SHOPS: write_back.NAME, BOOKS: records.NAME}


def _errands(whose: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(col(ErrandRow.state) == "due", col(ErrandRow.due_at) <= _NOW, whose)


_LOOK = select(
    or_(
        exists().where(col(EventRow.fanned_out).is_(False)),
        _errands(col(ErrandRow.subscriber).not_in(_APART.values())),
    ).label(EVENTS),
    *(_errands(col(ErrandRow.subscriber) == name).label(kind) for kind, name in _APART.items()),
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
    select(col(MeaningCursorRow.last_id))
    .where(col(MeaningCursorRow.id) == CURSOR)
    .scalar_subquery()
    .label(MEANINGS),
)
_LOOKED_FOR = (EVENTS, *_APART, IMPROVEMENTS, NOTICES, PLANS, SOURCES, WEBHOOKS)


def what_waits(hub: Hub) -> frozenset[str]:
    """Of every business: which kinds of work there is something of."""
    with hub.reading() as session:
        row = session.execute(_LOOK, {"now": hub.now(), "real": datetime.now(UTC)}).one()
    found = {name for name in _LOOKED_FOR if getattr(row, name)}
    noticed = has_meanings(hub, row.meanings or 0)
    return frozenset(found | ({MEANINGS} if noticed else set()))

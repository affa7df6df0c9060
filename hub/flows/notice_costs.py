"""What messages have cost, month by month and channel by channel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import case, col, func

from hub.db.tables import BusinessRow, NoticeRow
from hub.flows.notice_manners import LEFT

if TYPE_CHECKING:
    from hub.app import Hub


@dataclass(frozen=True, slots=True)
class Spent:
    """What left by one channel in a month; ``micros``: millionths of ``currency``."""

    month: date  # its first day
    channel: str
    messages: int
    parts: int
    micros: int
    currency: str  # empty: it costs nothing, or nobody said what


def spent(hub: Hub, business_id: str, *, months: int = 12) -> list[Spent]:
    """The latest month first; by the business's own calendar."""
    with hub.reading() as session:
        zone = ZoneInfo(session.get_one(BusinessRow, business_id).zone)
        firsts = [hub.now().astimezone(zone).date().replace(day=1)]
        while len(firsts) < months:
            firsts.append(_before(firsts[-1]))
        left_at = func.coalesce(NoticeRow.sent_at, NoticeRow.created_at)
        since = [left_at >= _midnight(first, zone) for first in firsts]
        month = case(*((later, n) for n, later in enumerate(since)))
        rows = session.execute(
            select(
                month.label("month"),
                col(NoticeRow.channel),
                col(NoticeRow.currency),
                func.count(),
                func.sum(NoticeRow.parts),
                func.sum(NoticeRow.cost_micros),
            )
            .where(
                col(NoticeRow.business_id) == business_id,
                col(NoticeRow.state).in_(LEFT),
                since[-1],
                left_at < _midnight(_next(firsts[0]), zone),
            )
            .group_by("month", col(NoticeRow.channel), col(NoticeRow.currency))
            .order_by("month", col(NoticeRow.channel), col(NoticeRow.currency))
        )
        return [
            Spent(firsts[n], channel, count, int(parts or 0), int(micros or 0), currency)
            for n, channel, currency, count, parts, micros in rows
        ]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def _next(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _before(first: date) -> date:
    return date(first.year - (first.month == 1), (first.month - 2) % 12 + 1, 1)

"""Who is so many stops or minutes away that their rule says: tell them, once.

Nothing happens at the moment somebody becomes near, so the clock looks. A round that has not
begun tells nobody: no news beats wrong news.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core.jobs import ON_A_PHONE, State
from hub.core.notices import Trigger
from hub.db.tables import (
    EstimateRow,
    JobRow,
    NoticeRow,
    NoticeRuleRow,
    OrderRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
)
from hub.db.unit import one_at_a_time
from hub.flows.notify import reserve_for

if TYPE_CHECKING:
    from hub.app import Hub

COMES = ON_A_PHONE - {State.ARRIVED}


def tell_near(hub: Hub) -> int:
    """Reserve what those who are near are to be told; how many notices are new. Safe to repeat."""
    with hub.reading() as session:
        rules = session.exec(
            select(NoticeRuleRow).where(
                NoticeRuleRow.trigger == Trigger.NEAR, col(NoticeRuleRow.active)
            )
        ).all()
        coming = {
            business_id: _coming(session, business_id)
            for business_id in {rule.business_id for rule in rules}
        }
        near = [
            (rule, job_ids)
            for rule in rules
            if (job_ids := _near(session, rule, coming[rule.business_id], hub.now()))
        ]
    return sum(_tell(hub, rule, job_ids) for rule, job_ids in near)


@dataclass(frozen=True, slots=True)
class _Coming:
    """A job a driver is still to come to; ``before``: as many stops come first."""

    job_id: str
    before: int
    at: datetime | None  # ``None``: no estimate yet


def _coming(session: Session, business_id: str) -> list[_Coming]:
    rows = session.exec(
        select(StopRow, JobRow, EstimateRow)
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .join(ShiftRow, col(ShiftRow.id) == col(RouteRow.shift_id))
        .outerjoin(EstimateRow, col(EstimateRow.job_id) == col(JobRow.id))
        .where(
            StopRow.business_id == business_id,
            JobRow.business_id == business_id,
            col(RouteRow.published_at).is_not(None),
            col(ShiftRow.began_at).is_not(None),
            col(ShiftRow.ended_at).is_(None),
            col(JobRow.state).in_(ON_A_PHONE),
        )
        .order_by(col(StopRow.route_id), col(StopRow.n))
    ).all()
    ahead: dict[str, list[int]] = defaultdict(list)  # stops where something is left to do
    found = []
    for stop, job, estimate in rows:
        stops = ahead[stop.route_id]
        if stop.n not in stops:
            stops.append(stop.n)
        if job.state in COMES:
            found.append(_Coming(job.id, len(stops) - 1, estimate.p50 if estimate else None))
    return found


def _near(
    session: Session, rule: NoticeRuleRow, coming: Sequence[_Coming], now: datetime
) -> list[str]:
    """Jobs that the rule calls near and has not told."""
    soon = now + timedelta(minutes=rule.minutes)
    near = [
        one.job_id
        for one in coming
        if (rule.stops > 0 and one.before <= rule.stops)
        or (rule.minutes > 0 and one.at is not None and one.at <= soon)
    ]
    told = select(NoticeRow.event_id).where(
        NoticeRow.business_id == rule.business_id,
        NoticeRow.rule_id == rule.id,
        col(NoticeRow.event_id).in_(near),
    )
    known = set(session.exec(told)) if near else set()
    return [job_id for job_id in near if job_id not in known]


def _tell(hub: Hub, rule: NoticeRuleRow, job_ids: Sequence[str]) -> int:
    with hub.unit() as unit:
        session = unit.session
        one_at_a_time(session, rule.business_id, key_share=True)
        rows = session.exec(
            select(OrderRow, JobRow)
            .join(JobRow, col(JobRow.order_id) == col(OrderRow.id))
            .where(
                OrderRow.business_id == rule.business_id,
                JobRow.business_id == rule.business_id,
                col(JobRow.id).in_(job_ids),
                col(JobRow.state).in_(COMES),
            )
        ).all()
        now = hub.now()
        return sum(
            reserve_for(session, now, (Trigger.NEAR,), order, job, job.id, now, (rule.id,))
            for order, job in rows
        )

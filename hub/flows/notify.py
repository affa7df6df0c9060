"""Reserve what an event is to tell: one notice for each rule, whoever delivers it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, update
from sqlmodel import Session, col, select

from hub.core.events import Event
from hub.core.notices import (
    ON_A_ROUTE_AGAIN,
    PAIRED,
    NoticeState,
    Trigger,
    job_of_event,
    moment,
    trigger_of,
)
from hub.db.tables import JobRow, NoticeRow, NoticeRuleRow, OrderRow
from hub.db.unit import one_at_a_time
from hub.flows.notice_claim import breaks_promise

if TYPE_CHECKING:
    from hub.app import Hub


def reserve(hub: Hub, event: Event) -> int:
    """Reserve what ``event`` is to tell; how many notices are new. Safe to repeat."""
    trigger = trigger_of(event)
    if trigger is None or (trigger is Trigger.NEW_TIME and _keeps_promise(hub, event)):
        return 0
    with hub.unit() as unit:
        session = unit.session
        one_at_a_time(session, event.business_id)
        order, job = _subject(session, event)
        if order is None or (trigger not in PAIRED and _is_first_of_two(session, job)):
            return 0
        if trigger is Trigger.DISPATCHED:
            _drop_withdrawn(session, event)
        rules = _rules_without_notice(session, event, trigger)
        for rule in rules:
            due_at, expires_at = moment(trigger, event.occurred_at, rule.within_s)
            session.add(
                NoticeRow(
                    business_id=event.business_id,
                    event_id=event.id,
                    rule_id=rule.id,
                    order_id=order.id,
                    job_id=job.id if job else None,
                    trigger=trigger,
                    channel=rule.channel,
                    recipient="",
                    due_at=due_at,
                    expires_at=expires_at,
                    created_at=hub.now(),
                )
            )
        return len(rules)


def _keeps_promise(hub: Hub, event: Event) -> bool:
    """Arrivals move many times a day; few of those times leave what was promised."""
    with hub.reading() as session:
        job = session.exec(
            select(JobRow).where(
                JobRow.business_id == event.business_id, JobRow.id == job_of_event(event)
            )
        ).one_or_none()
        return job is None or not breaks_promise(session, job)


def _subject(session: Session, event: Event) -> tuple[OrderRow | None, JobRow | None]:
    its_job = and_(
        col(JobRow.business_id) == event.business_id, col(JobRow.id) == job_of_event(event)
    )
    found = session.exec(
        select(OrderRow, JobRow)
        .outerjoin(JobRow, its_job)
        .where(OrderRow.business_id == event.business_id, OrderRow.id == event.subject_id)
    ).one_or_none()
    return found or (None, None)


def _drop_withdrawn(session: Session, event: Event) -> None:
    """What waits to say that an earlier time of this job no longer holds: there is a new one."""
    due_by, _ = moment(Trigger.WITHDRAWN, event.occurred_at, 0)
    session.exec(
        update(NoticeRow)
        .where(
            col(NoticeRow.business_id) == event.business_id,
            col(NoticeRow.job_id) == job_of_event(event),
            col(NoticeRow.trigger) == Trigger.WITHDRAWN,
            col(NoticeRow.state) == NoticeState.DUE,
            col(NoticeRow.due_at) <= due_by,  # not what a later event took back again
        )
        .values(state=NoticeState.DROPPED, error=ON_A_ROUTE_AGAIN)
    )


def _is_first_of_two(session: Session, job: JobRow | None) -> bool:
    if job is None or job.leg != 1:
        return False
    second = session.exec(
        select(JobRow.id).where(
            JobRow.business_id == job.business_id, JobRow.order_id == job.order_id, JobRow.leg == 2
        )
    ).first()
    return second is not None


def _rules_without_notice(session: Session, event: Event, trigger: Trigger) -> list[NoticeRuleRow]:
    reserved = select(NoticeRow.rule_id).where(
        NoticeRow.business_id == event.business_id, NoticeRow.event_id == event.id
    )
    return list(
        session.exec(
            select(NoticeRuleRow).where(
                NoticeRuleRow.business_id == event.business_id,
                NoticeRuleRow.trigger == trigger,
                col(NoticeRuleRow.active),
                col(NoticeRuleRow.id).not_in(reserved),
            )
        )
    )

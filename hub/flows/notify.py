"""Reserve what an event is to tell: one notice for each rule, whoever delivers it again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import and_, update
from sqlmodel import Session, col, select

from hub.core.events import Event, ShiftBegan
from hub.core.jobs import ON_A_PHONE
from hub.core.notices import (
    ON_A_ROUTE_AGAIN,
    ONCE_A_JOB,
    PAIRED,
    NoticeState,
    Trigger,
    job_of_event,
    moment,
    triggers_of,
)
from hub.core.values import Role
from hub.db.tables import (
    ContactRow,
    JobRow,
    NoticeRow,
    NoticeRuleRow,
    OrderRow,
    RouteRow,
    StopJobRow,
    StopRow,
)
from hub.db.unit import one_at_a_time
from hub.flows.notice_claim import breaks_promise

if TYPE_CHECKING:
    from hub.app import Hub

WAITS = frozenset({Trigger.REVIEW})
"""Told as many minutes later as its rule says."""


def reserve(hub: Hub, event: Event) -> int:
    """Reserve what ``event`` is to tell; how many notices are new. Safe to repeat."""
    triggers = triggers_of(event)
    if not triggers or (Trigger.NEW_TIME in triggers and _keeps_promise(hub, event)):
        return 0
    with hub.unit() as unit:
        session = unit.session
        one_at_a_time(session, event.business_id, key_share=True)  # who has a notice adds rows
        if isinstance(event, ShiftBegan):
            about = on_board(session, event)
        else:
            about = [subject_of(session, event)]
        if Trigger.DISPATCHED in triggers and about[0][0] is not None:
            _drop_withdrawn(session, event)
        return sum(
            reserve_for(session, hub.now(), triggers, order, job, event.id, event.occurred_at)
            for order, job in about
            if order is not None
        )


def reserve_for(
    session: Session,
    now: datetime,
    triggers: Iterable[Trigger],
    order: OrderRow,
    job: JobRow | None,
    event_id: str,
    occurred_at: datetime,
    rule_ids: Collection[str] | None = None,
) -> int:
    """In a unit that holds the business: how many notices about ``order`` are new.

    ``rule_ids``: by these rules alone.
    """
    if is_first_of_two(session, job):
        triggers = [one for one in triggers if one in PAIRED]
    keys = {one: job.id if job is not None and one in ONCE_A_JOB else event_id for one in triggers}
    rules = [
        rule
        for rule in _rules_without_notice(session, order, keys)
        if rule_ids is None or rule.id in rule_ids
    ]
    for rule in rules:
        trigger = Trigger(rule.trigger)
        wait_s = rule.minutes * 60 if trigger in WAITS else 0
        due_at, expires_at = moment(trigger, occurred_at, rule.within_s, wait_s=wait_s)
        session.add(
            NoticeRow(
                business_id=order.business_id,
                event_id=keys[trigger],
                rule_id=rule.id,
                order_id=order.id,
                job_id=job.id if job else None,
                trigger=trigger,
                channel=rule.channel,
                recipient="",
                due_at=due_at,
                expires_at=expires_at,
                created_at=now,
            )
        )
    return len(rules)


def asking_businesses(session: Session) -> set[str]:
    """Those that tell what happens more often than anybody else cares for."""
    return set(
        session.exec(
            select(NoticeRuleRow.business_id)
            .where(
                col(NoticeRuleRow.trigger).in_([Trigger.OUT, Trigger.ARRIVED]),
                col(NoticeRuleRow.active),
            )
            .distinct()
        )
    )


def _keeps_promise(hub: Hub, event: Event) -> bool:
    """Arrivals move many times a day; few of those times leave what was promised."""
    with hub.reading() as session:
        job = session.exec(
            select(JobRow).where(
                JobRow.business_id == event.business_id, JobRow.id == job_of_event(event)
            )
        ).one_or_none()
        return job is None or not breaks_promise(session, job)


def subject_of(session: Session, event: Event) -> tuple[OrderRow | None, JobRow | None]:
    its_job = and_(
        col(JobRow.business_id) == event.business_id, col(JobRow.id) == job_of_event(event)
    )
    found = session.exec(
        select(OrderRow, JobRow)
        .outerjoin(JobRow, its_job)
        .where(OrderRow.business_id == event.business_id, OrderRow.id == event.subject_id)
    ).one_or_none()
    return found or (None, None)


def on_board(
    session: Session, event: Event, *, whatever: bool = False
) -> list[tuple[OrderRow | None, JobRow | None]]:
    """What a shift that began has on its published round; ``whatever`` has become of it since."""
    query = (
        select(OrderRow, JobRow)
        .join(JobRow, col(JobRow.order_id) == col(OrderRow.id))
        .join(StopJobRow, col(StopJobRow.job_id) == col(JobRow.id))
        .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .where(
            OrderRow.business_id == event.business_id,
            JobRow.business_id == event.business_id,
            RouteRow.business_id == event.business_id,
            RouteRow.shift_id == event.subject_id,
            col(RouteRow.published_at).is_not(None),
        )
        .order_by(col(StopRow.n), col(JobRow.id))
    )
    if not whatever:
        query = query.where(col(JobRow.state).in_(ON_A_PHONE))
    return [(order, job) for order, job in session.exec(query)]


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


def is_first_of_two(session: Session, job: JobRow | None) -> bool:
    if job is None or job.leg != 1:
        return False
    second = session.exec(
        select(JobRow.id).where(
            JobRow.business_id == job.business_id, JobRow.order_id == job.order_id, JobRow.leg == 2
        )
    ).first()
    return second is not None


def _rules_without_notice(
    session: Session, order: OrderRow, keys: dict[Trigger, str]
) -> list[NoticeRuleRow]:
    """``keys``: by which each trigger is told once. A rule for somebody whom the order does not
    name tells nobody, but for a recipient, for whom there is the buyer.
    """
    if not keys:
        return []
    reserved = select(NoticeRow.rule_id).where(
        NoticeRow.business_id == order.business_id,
        col(NoticeRow.event_id).in_(set(keys.values())),
    )
    rules = session.exec(
        select(NoticeRuleRow).where(
            NoticeRuleRow.business_id == order.business_id,
            col(NoticeRuleRow.trigger).in_(list(keys)),
            col(NoticeRuleRow.active),
            col(NoticeRuleRow.id).not_in(reserved),
        )
    ).all()
    if all(rule.role == Role.RECIPIENT for rule in rules):
        return list(rules)
    named = {
        Role.RECIPIENT,
        *session.exec(
            select(ContactRow.role).where(
                ContactRow.business_id == order.business_id, ContactRow.order_id == order.id
            )
        ),
    }
    return [rule for rule in rules if rule.role in named]

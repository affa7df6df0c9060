"""Tell recipients: reserve a notice with its event, send it outside any unit, settle it.

A notice is reserved once per event and rule, whoever delivers the event again. It is
worded when it is first claimed, just before it leaves, so that it says what is true
then; from there on its words, its recipient and its ``Message-ID`` stay the same.

What a crash leaves ``sending`` past its lease may have left or not. A carrier that can
be asked is asked; one that drops repeats gets it again; any other gets it once more,
and the notice is then *uncertain* for ever. Never more than two leave.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import Session, col, select

from hub.core.contracts import LooksUp, NotificationChannel
from hub.core.errors import ConfigError, HubError, MaybeSent, RateLimited, RetryLater
from hub.core.events import Event
from hub.core.notices import (
    MOST_SENDS,
    ON_A_ROUTE_AGAIN,
    PAIRED,
    Accepted,
    NoticeState,
    Rejected,
    Settled,
    Trigger,
    Unknown,
    Verdict,
    job_of_event,
    moment,
    settled,
    trigger_of,
)
from hub.db.tables import BusinessRow, JobRow, NoticeRow, NoticeRuleRow, OrderRow
from hub.flows.choices import ChoiceState, choice, mark, provider_of
from hub.flows.notice_claim import Turn, claim, waiting

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)  # an SMTP conversation waits up to 20 s in each of ten steps


def reserve(hub: Hub, event: Event) -> int:
    """Reserve what ``event`` is to tell; how many notices are new. Safe to repeat."""
    trigger = trigger_of(event)
    if trigger is None:
        return 0
    with hub.unit() as unit:
        session = unit.session
        session.get_one(BusinessRow, event.business_id, with_for_update=True)  # one at a time
        order, job = _subject(session, event)
        if order is None or (_is_first_of_two(session, job) and trigger not in PAIRED):
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


def send_due(hub: Hub, *, limit: int = 50, lease: timedelta = LEASE) -> int:
    """Send or drop what is due and clear up after a crash; how many were tried."""
    tried = 0
    for business_id, notice_id in waiting(hub, limit):
        turn = claim(hub, business_id, notice_id, lease)
        if turn is not None:
            _carry_out(hub, turn)
            tried += 1
    return tried


def _subject(session: Session, event: Event) -> tuple[OrderRow | None, JobRow | None]:
    order = session.exec(
        select(OrderRow).where(
            OrderRow.business_id == event.business_id, OrderRow.id == event.subject_id
        )
    ).one_or_none()
    job = session.exec(
        select(JobRow).where(
            JobRow.business_id == event.business_id, JobRow.id == job_of_event(event)
        )
    ).one_or_none()
    return order, job


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


def _carry_out(hub: Hub, turn: Turn) -> None:
    """Find out what became of it if it may have left before, else send it; then settle."""
    try:
        channel = _channel(hub, turn)
        known = _recovered(channel, turn) if turn.again else None
    except HubError as problem:
        _mark(hub, turn, problem)
        _settle(hub, turn, _put_off(turn, problem))
        return
    if known is not None:
        _settle(hub, turn, known)
        return
    sends = turn.sends
    if turn.again:
        sends = 1 if isinstance(channel, LooksUp) else turn.sends + 1
        if not _leaves_again(hub, turn, sends):
            return
    verdict = _sent(hub, channel, turn)
    harmless = channel.repeat_is_harmless or isinstance(channel, LooksUp)
    result = settled(verdict, sends=sends, attempts=turn.attempts, harmless=harmless)
    _settle(hub, turn, result, verdict)


def _channel(hub: Hub, turn: Turn) -> NotificationChannel:
    row = choice(hub, turn.business_id, "channel", turn.channel)
    if row is None or not row.active:
        raise ConfigError(f"The channel {turn.channel!r} is no longer set up.")
    return provider_of(hub, row, NotificationChannel)


def _recovered(channel: NotificationChannel, turn: Turn) -> Settled | None:
    """What is known of a notice that was being sent; ``None``: send it again."""
    if isinstance(channel, LooksUp):
        match channel.status(turn.message.key):
            case "sent":
                return Settled(NoticeState.SENT, turn.sends)
            case "failed":
                return Settled(NoticeState.FAILED, turn.sends, "The carrier could not deliver it.")
        return Settled(NoticeState.DROPPED, 0, turn.passed) if turn.passed else None
    if turn.passed:
        return _given_up(turn)
    if turn.sends >= MOST_SENDS and not channel.repeat_is_harmless:
        why = "Sending was interrupted twice; it may have arrived twice, once or not at all."
        return Settled(NoticeState.UNCERTAIN, turn.sends, why)
    return None


def _given_up(turn: Turn) -> Settled:
    why = f"It may have arrived; it was not repeated. {turn.passed}"
    return Settled(NoticeState.UNCERTAIN, turn.sends, why)


def _put_off(turn: Turn, problem: HubError) -> Settled:
    """Nothing left in this turn, and nothing is known of an earlier one."""
    if turn.passed:
        return _given_up(turn)
    sends = turn.sends + 1 if turn.again else turn.sends
    verdict = Rejected(str(problem), permanent=False)
    return settled(verdict, sends=sends, attempts=turn.attempts, harmless=False)


def _leaves_again(hub: Hub, turn: Turn, sends: int) -> bool:
    """Write down, before the first byte, that it may leave once more; ``False``: not our turn."""
    with hub.unit() as unit:
        row = _ours(unit.session, turn)
        if row is None:
            return False
        row.sends = sends
        return True


def _sent(hub: Hub, channel: NotificationChannel, turn: Turn) -> Verdict:
    try:
        carrier_id = channel.send(turn.message)
    except RateLimited as pause:
        return Rejected(str(pause), permanent=False, retry_after_s=pause.retry_after)
    except (RetryLater, ConfigError) as problem:
        _mark(hub, turn, problem)
        return Rejected(str(problem), permanent=False)
    except MaybeSent as doubt:
        return Unknown(str(doubt))
    except HubError as refusal:
        return Rejected(str(refusal), permanent=True)
    except Exception as error:  # it may have left before this happened
        log.exception("notice=%s channel=%s: no answer", turn.notice_id, turn.channel)
        return Unknown(f"No answer came ({type(error).__name__}).")
    _mark(hub, turn, None)
    return Accepted(carrier_id)


def _settle(hub: Hub, turn: Turn, result: Settled, verdict: Verdict | None = None) -> None:
    with hub.unit() as unit:
        row = _ours(unit.session, turn)
        if row is None:
            log.warning("notice=%s was taken over by another worker", turn.notice_id)
            return
        row.state, row.sends, row.error = result.state, result.sends, result.error[:4000]
        row.claim, row.leased_until = "", None
        wait = timedelta(seconds=result.wait_s)
        if result.state is NoticeState.DUE:
            row.due_at = min(hub.now() + wait, row.expires_at + timedelta(seconds=1))
        elif result.state is NoticeState.SENDING:
            row.leased_until = datetime.now(UTC) + wait
        elif isinstance(verdict, Accepted):
            row.carrier_id, row.sent_at = verdict.carrier_id[:300], hub.now()


def _ours(session: Session, turn: Turn) -> NoticeRow | None:
    return session.exec(
        select(NoticeRow)
        .where(
            NoticeRow.business_id == turn.business_id,
            NoticeRow.id == turn.notice_id,
            NoticeRow.claim == turn.claim,
        )
        .with_for_update()
    ).one_or_none()


def _mark(hub: Hub, turn: Turn, problem: HubError | None) -> None:
    """Note on the channel's choice how it fares, where the business sees it."""
    row = choice(hub, turn.business_id, "channel", turn.channel)
    if row is not None:
        state: ChoiceState = "ok"
        if problem is not None:
            state = "needs_attention" if isinstance(problem, ConfigError) else "failing"
        mark(hub, turn.business_id, row.id, state, str(problem or ""))

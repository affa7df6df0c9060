"""Claim one notice for one worker: is it still true, by what and to whom, in which words?

Two workers never claim the same one: the claim is a conditional update with a lease in
real time, and only who holds the claim may settle it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, update
from sqlmodel import Session, col, select

from hub.core.contracts import Message
from hub.core.ids import new_id
from hub.core.jobs import ON_A_PHONE, Outcome, State
from hub.core.notices import (
    NoticeState,
    Situation,
    Trigger,
    address_for,
    overtaken,
    reachable,
)
from hub.core.values import Role
from hub.db.tables import (
    BrandRow,
    BusinessRow,
    ChoiceRow,
    JobRow,
    NoticeRow,
    NoticeRuleRow,
    OrderRow,
)
from hub.db.unit import took_one
from hub.flows.notice_mail import (
    about_order,
    brand_of,
    composed,
    contacts_of,
    inline_of,
    message_id_for,
    next_attempt,
    reach_of,
)

if TYPE_CHECKING:
    from hub.app import Hub

STAND_IN = "console"
"""A business that chose this has its other channels' notices printed until they are set up."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One worker's turn with one notice.

    ``again``: an earlier turn may have let it leave, ``sends`` times by now. ``passed``
    says why it should not leave any more; empty: it should.
    """

    business_id: str
    notice_id: str
    claim: str
    channel: str
    message: Message
    sends: int
    attempts: int
    again: bool
    passed: str


def waiting(hub: Hub, limit: int) -> list[tuple[str, str]]:
    """Business and id of each notice that is due or was left ``sending``, oldest first."""
    with hub.reading() as session:
        rows = session.exec(
            select(NoticeRow.business_id, NoticeRow.id)
            .where(_claimable(hub))
            .order_by(col(NoticeRow.due_at), col(NoticeRow.id))
            .limit(limit)
        ).all()
    return [(business_id, notice_id) for business_id, notice_id in rows]


def claim(hub: Hub, business_id: str, notice_id: str, lease: timedelta) -> Turn | None:
    """The turn, if it is ours and there is something to do; a notice to drop is dropped here."""
    token = new_id()
    with hub.unit() as unit:
        taken = update(NoticeRow).where(
            col(NoticeRow.business_id) == business_id,
            col(NoticeRow.id) == notice_id,
            _claimable(hub),
        )
        lease_ends = datetime.now(UTC) + lease
        values = {"state": NoticeState.SENDING, "claim": token, "leased_until": lease_ends}
        if not took_one(unit.session.exec(taken.values(**values))):
            return None
        row = unit.session.exec(
            select(NoticeRow).where(NoticeRow.business_id == business_id, NoticeRow.id == notice_id)
        ).one()
        again = row.sends > 0
        passed = _passed(hub, unit.session, row)
        if not again and (why := passed or _worded(hub, unit.session, row)):
            row.state, row.error, row.claim, row.leased_until = NoticeState.DROPPED, why, "", None
            return None
        row.attempts += 1
        row.sends = max(row.sends, 1)
        brand = brand_of(unit.session, business_id)
        turn = Turn(
            business_id=business_id,
            notice_id=notice_id,
            claim=token,
            channel=row.channel,
            message=_message(brand, row),
            sends=row.sends,
            attempts=row.attempts,
            again=again,
            passed=passed,
        )
    # The logo is drawn for mail programs outside the unit: that takes its time.
    pictures = inline_of(brand, turn.message.html)
    return replace(turn, message=replace(turn.message, inline=pictures))


def _claimable(hub: Hub) -> Any:
    return or_(
        and_(col(NoticeRow.state) == NoticeState.DUE, col(NoticeRow.due_at) <= hub.now()),
        and_(
            col(NoticeRow.state) == NoticeState.SENDING,
            col(NoticeRow.leased_until) < datetime.now(UTC),
        ),
    )


def _passed(hub: Hub, session: Session, row: NoticeRow) -> str:
    if hub.now() > row.expires_at:
        last = f" Last tried: {row.error}" if row.error else ""
        return f"Its moment had passed.{last}"
    return overtaken(Trigger(row.trigger), _situation(session, row))


def _situation(session: Session, row: NoticeRow) -> Situation:
    jobs = session.exec(
        select(JobRow).where(JobRow.business_id == row.business_id, JobRow.order_id == row.order_id)
    ).all()
    job = next((one for one in jobs if one.id == row.job_id), None)
    following = next_attempt(session, job) if job else None
    last_leg = max((one.leg for one in jobs), default=1)
    return Situation(
        job=State(job.state) if job else None,
        cancelled=_order(session, row).status == "cancelled",
        succeeded=any(one.outcome == Outcome.SUCCEEDED and one.leg == last_leg for one in jobs),
        tried_again=following is not None and State(following.state) in ON_A_PHONE | {State.CLOSED},
        told_newer=_has_newer(session, row),
    )


def _has_newer(session: Session, row: NoticeRow) -> bool:
    newer = session.exec(
        select(NoticeRow.id).where(
            NoticeRow.business_id == row.business_id,
            NoticeRow.order_id == row.order_id,
            NoticeRow.rule_id == row.rule_id,
            NoticeRow.job_id == row.job_id,
            NoticeRow.id > row.id,
        )
    ).first()
    return newer is not None


def _worded(hub: Hub, session: Session, row: NoticeRow) -> str:
    """Why this notice cannot go out, as a sentence; empty once its words are on its row."""
    if row.message_id:  # worded in an earlier turn, in which nothing left
        return ""
    channel = _carrier(session, row)
    if channel is None:
        return _none_set_up(session, row)
    rule = session.exec(
        select(NoticeRuleRow).where(
            NoticeRuleRow.business_id == row.business_id, NoticeRuleRow.id == row.rule_id
        )
    ).one()
    order = _order(session, row)
    reaches = reach_of(hub, channel)
    contact = reachable(contacts_of(session, order), Role(rule.role), reaches)
    if contact is None:
        return f"There is no address for {rule.channel}: neither {rule.role} nor buyer has one."
    if reaches == "nobody" and not address_for(reaches, contact):
        return "There is nobody to tell: the order names no recipient and no buyer."
    job = session.exec(
        select(JobRow).where(JobRow.business_id == row.business_id, JobRow.id == row.job_id)
    ).one_or_none()
    business = session.get_one(BusinessRow, row.business_id)
    about = replace(about_order(hub, session, order, job), name=contact.name)
    brand = brand_of(session, row.business_id)
    mail = composed(hub, business, brand, rule.subject, rule.body, about)
    row.channel, row.recipient = channel, address_for(reaches, contact)
    row.subject, row.body, row.html = mail.subject, mail.text, mail.html
    row.message_id = message_id_for(hub, row.id)
    return ""


def _active(session: Session, row: NoticeRow) -> list[str]:
    return list(
        session.exec(
            select(ChoiceRow.plugin).where(
                ChoiceRow.business_id == row.business_id,
                ChoiceRow.kind == "channel",
                col(ChoiceRow.active),
            )
        )
    )


def _carrier(session: Session, row: NoticeRow) -> str | None:
    active = _active(session, row)
    return next((one for one in (row.channel, STAND_IN) if one in active), None)


def _none_set_up(session: Session, row: NoticeRow) -> str:
    if not _active(session, row):
        return "No channel is set up."
    return f"The channel {row.channel!r} is not set up."


def _message(brand: BrandRow, row: NoticeRow) -> Message:
    return Message(
        key=row.id,
        to=row.recipient,
        subject=row.subject,
        text=row.body,
        html=row.html,
        sender=brand.sender_name or brand.name,
        reply_to=brand.email,
        message_id=row.message_id,
    )


def _order(session: Session, row: NoticeRow) -> OrderRow:
    return session.exec(
        select(OrderRow).where(OrderRow.business_id == row.business_id, OrderRow.id == row.order_id)
    ).one()

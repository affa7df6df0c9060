"""Claim one notice for one worker: is it still true, by what and to whom, in which words?

Two workers never claim the same one: the claim is a conditional update with a lease in
real time, and only who holds the claim may settle it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, update
from sqlmodel import Session, col, exists, select

from hub.core.contracts import Message
from hub.core.ids import new_id
from hub.core.jobs import ON_A_PHONE, Outcome, State
from hub.core.manners import Held, Undone
from hub.core.notices import (
    NoticeState,
    Situation,
    Trigger,
    address_for,
    overtaken,
    reachable,
)
from hub.core.told import leaves
from hub.core.values import Contact, Role, TimeWindow
from hub.db.tables import BrandRow, EstimateRow, JobRow, NoticeRow, OrderRow
from hub.flows.links import add_links, whose
from hub.flows.notice_known import Known
from hub.flows.notice_mail import (
    about_order,
    composed,
    contacts_of,
    expected,
    inline_of,
    message_id_for,
    reach_of,
    stop_link_of,
    stop_token_of,
)
from hub.flows.notice_manners import minded, undone, words_of
from hub.flows.promises import expect, in_force, promise, work_begins
from hub.flows.push import NO_BROWSER, TO, listener, subscription_of
from hub.keys import hashed

if TYPE_CHECKING:
    from hub.app import Hub

LOOKED_AT_AGAIN = timedelta(minutes=5)
"""After a failure of ours: somebody may have mended what it stumbled over."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One worker's turn with one notice.

    ``again``: an earlier turn may have let it leave, ``sends`` times by now. ``passed``
    says why it should not leave any more; empty: it should. ``says`` is the window it tells.
    """

    business_id: str
    notice_id: str
    claim: str
    brand: BrandRow
    channel: str
    message: Message
    sends: int
    attempts: int
    again: bool
    passed: str
    says: TimeWindow | None
    job_id: str | None
    trigger: Trigger
    expires_at: datetime
    receipt: str = ""  # what the carrier called back to say already


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


def claim(
    hub: Hub,
    known: Known,
    session: Session,
    business_id: str,
    notice_id: str,
    lease: timedelta,
) -> Turn | None:
    """In a unit: the turn, if it is ours and there is something to do; a notice to drop is
    dropped here.
    """
    token = new_id()
    taken = update(NoticeRow).where(
        col(NoticeRow.business_id) == business_id,
        col(NoticeRow.id) == notice_id,
        _claimable(hub),
    )
    lease_ends = datetime.now(UTC) + lease
    values = {"state": NoticeState.SENDING, "claim": token, "leased_until": lease_ends}
    mine = taken.values(**values).returning(NoticeRow)
    row = session.scalars(mine.execution_options(synchronize_session=False)).one_or_none()
    if row is None:
        return None
    again = row.sends > 0
    about = _about(session, row)
    passed = _passed(hub, session, row, about)
    if not again and (why := passed or _kept_back(hub, known, session, row, about)):
        undone(hub, session, row, why)
        return None
    row.attempts += 1
    row.sends = max(row.sends, 1)
    brand = known.brands(session, business_id).of(about.order)
    return Turn(
        business_id=business_id,
        notice_id=notice_id,
        claim=token,
        brand=brand,
        channel=row.channel,
        message=_message(hub, known, session, brand, row),
        receipt=row.receipt,
        sends=row.sends,
        attempts=row.attempts,
        again=again,
        passed=passed,
        says=_says(session, row, about.job),
        job_id=row.job_id,
        trigger=Trigger(row.trigger),
        expires_at=row.expires_at,
    )


def with_pictures(turn: Turn) -> Turn:
    """The logo is drawn for mail programs outside any unit: that takes its time."""
    pictures = inline_of(turn.brand, turn.message.html)
    return replace(turn, message=replace(turn.message, inline=pictures))


def put_off(hub: Hub, session: Session, business_id: str, notice_id: str, why: str) -> None:
    """In a unit: a notice that could not even be looked at stands in nobody's way; it is
    looked at again later, until its moment has passed.
    """
    row = session.exec(
        select(NoticeRow).where(NoticeRow.business_id == business_id, NoticeRow.id == notice_id)
    ).one()
    row.error = why
    if row.state == NoticeState.DUE:
        row.due_at = min(hub.now() + LOOKED_AT_AGAIN, row.expires_at + timedelta(seconds=1))
    elif row.state == NoticeState.SENDING:
        row.leased_until = datetime.now(UTC) + LOOKED_AT_AGAIN


@dataclass(frozen=True, slots=True)
class _About:
    """What a notice is about; ``jobs`` are all of its order's. ``told_newer``: a newer notice
    says the same.
    """

    order: OrderRow
    told_newer: bool
    jobs: list[JobRow]
    job: JobRow | None


def _about(session: Session, row: NoticeRow) -> _About:
    newer = exists().where(
        col(NoticeRow.business_id) == row.business_id,
        col(NoticeRow.order_id) == row.order_id,
        col(NoticeRow.rule_id) == row.rule_id,
        col(NoticeRow.job_id) == row.job_id,
        col(NoticeRow.id) > row.id,
    )
    order, told_newer = session.exec(
        select(OrderRow, newer).where(
            OrderRow.business_id == row.business_id, OrderRow.id == row.order_id
        )
    ).one()
    jobs = session.exec(
        select(JobRow).where(JobRow.business_id == row.business_id, JobRow.order_id == row.order_id)
    ).all()
    return _About(
        order, told_newer, list(jobs), next((one for one in jobs if one.id == row.job_id), None)
    )


def _claimable(hub: Hub) -> Any:
    return or_(
        and_(col(NoticeRow.state) == NoticeState.DUE, col(NoticeRow.due_at) <= hub.now()),
        and_(
            col(NoticeRow.state) == NoticeState.SENDING,
            col(NoticeRow.leased_until) < datetime.now(UTC),
        ),
    )


def _passed(hub: Hub, session: Session, row: NoticeRow, about: _About) -> str:
    if hub.now() > row.expires_at:
        last = f" Last tried: {row.error}" if row.error else ""
        return f"Its moment had passed.{last}"
    return overtaken(Trigger(row.trigger), _situation(session, row, about))


def _situation(session: Session, row: NoticeRow, about: _About) -> Situation:
    job, jobs = about.job, about.jobs
    following = [
        one for one in jobs if job and (one.leg, one.attempt) == (job.leg, job.attempt + 1)
    ]
    last_leg = max((one.leg for one in jobs), default=1)
    return Situation(
        job=State(job.state) if job else None,
        cancelled=about.order.status == "cancelled",
        on_time=job is not None
        and row.trigger == Trigger.NEW_TIME
        and not breaks_promise(session, job),
        succeeded=any(one.outcome == Outcome.SUCCEEDED and one.leg == last_leg for one in jobs),
        tried_again=any(State(one.state) in ON_A_PHONE | {State.CLOSED} for one in following),
        fetched=job is not None and job.fetched_at is not None,
        told_newer=about.told_newer,
    )


def _kept_back(
    hub: Hub, known: Known, session: Session, row: NoticeRow, about: _About
) -> Held | Undone | str | None:
    """What keeps it from leaving now; ``None`` or empty: nothing, and its words are on its row."""
    unworded = _worded(hub, known, session, row, about)
    return unworded or minded(hub, known, session, row, about.job)


def _worded(
    hub: Hub, known: Known, session: Session, row: NoticeRow, about: _About
) -> Undone | str:
    """Why this notice cannot go out; empty once its words are on its row."""
    if row.message_id:  # worded in an earlier turn, in which nothing left
        return ""
    channel = known.carrier(session, row.business_id, row.channel)
    if channel is None:
        if not known.has_channels(session, row.business_id):
            return "No channel is set up."
        return Undone(f"The channel {row.channel!r} is not set up.", elsewhere=True)
    rule, reaches = known.rule(session, row), reach_of(hub, channel)
    contacts = contacts_of(session, about.order)
    contact = reachable(contacts, Role(rule.role), reaches)
    browser = ""
    if reaches == "push":  # a browser belongs to a link, not to a contact
        role = whose(Role(rule.role), contacts)
        browser = listener(session, row.business_id, row.order_id, role)
        if not browser:
            return NO_BROWSER  # an extra: who never asked for it is told otherwise anyway
        contact = replace(contacts.get(role, Contact(role)), role=role)
    if contact is None:
        roles = "neither recipient nor buyer" if rule.role == Role.RECIPIENT else f"no {rule.role}"
        return Undone(f"There is no address for {row.channel}: {roles} has one.", elsewhere=True)
    if reaches == "nobody" and not address_for(reaches, contact):
        return "There is nobody to tell: the order names no recipient and no buyer."
    brands = known.brands(session, row.business_id)
    brand = brands.of(about.order)
    add_links(session, hub.keys, about.order, [contact, *contacts.values()])
    session.flush()
    to_say = about_order(hub, session, brands, about.order, about.job, contact.role)
    if row.trigger == Trigger.REVIEW and to_say.link:
        to_say = replace(to_say, link=f"{to_say.link}#rate")
    business = known.business(session, row.business_id)
    to_say = replace(to_say, name=contact.name, language=contact.language)
    subject, body = words_of(session, row, rule, contact.language, brand.slug)
    stop_link = stop_link_of(hub, row.id, brands.address(hub, brand)) if reaches == "email" else ""
    mail = composed(hub, business, brand, subject, body, to_say, reaches, stop_link)
    if not mail.text:
        return Undone("Every line of its text names something that is not known.", elsewhere=True)
    row.channel, row.recipient = channel, browser or address_for(reaches, contact)
    row.subject, row.body, row.html = mail.subject, mail.text, mail.html
    row.message_id = message_id_for(hub, row.id)
    row.stop_hash = hashed(stop_token_of(hub, row.id)) if stop_link else None
    return ""


def breaks_promise(session: Session, job: JobRow) -> bool:
    """Whether the driver is expected at another time than was promised last."""
    estimate = session.exec(
        select(EstimateRow).where(
            EstimateRow.business_id == job.business_id, EstimateRow.job_id == job.id
        )
    ).one_or_none()
    if estimate is None:
        return False
    told = in_force(session, job.business_id, job.id)
    return leaves(told, work_begins(job, estimate, told).p50)


def _says(session: Session, row: NoticeRow, job: JobRow | None) -> TimeWindow | None:
    """From when to when somebody comes, by this notice; ``None``: it does not say."""
    if job is None or row.trigger not in (Trigger.NEW_TIME, Trigger.ON_ITS_WAY):
        return None
    return expected(session, job)


def told(hub: Hub, session: Session, turn: Turn, window: TimeWindow) -> None:
    """In the unit that settles a notice which left: keep what it said of when somebody comes."""
    job = session.exec(
        select(JobRow).where(JobRow.business_id == turn.business_id, JobRow.id == turn.job_id)
    ).one()
    keep = promise if turn.trigger is Trigger.NEW_TIME else expect
    keep(session, job, window, told_by=f"notice:{turn.notice_id}", at=hub.now())


def _message(hub: Hub, known: Known, session: Session, brand: BrandRow, row: NoticeRow) -> Message:
    listens_at = known.listens_at(session, row.business_id, row.channel)
    base = known.brands(session, row.business_id).address(hub, brand)
    return Message(
        key=row.id,
        to=subscription_of(session, row.business_id, row.recipient)
        if row.recipient.startswith(TO)
        else row.recipient,
        subject=row.subject,
        text=row.body,
        html=row.html,
        sender=brand.sender_name or brand.name,
        reply_to=brand.reply_to or brand.email,
        sender_id=brand.sms_sender,
        message_id=row.message_id,
        receipts_to=f"{listens_at}?n={row.id}" if listens_at else "",
        unsubscribe=stop_link_of(hub, row.id, base) if row.stop_hash else "",
        made_at=row.created_at,
        until=row.expires_at,
    )

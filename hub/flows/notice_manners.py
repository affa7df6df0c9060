"""Before a notice leaves: whether it may, now, to this person; and who tells it where it may not.

Where a rule's channel cannot tell somebody, its other channel does, by a notice of its own that
says which one it stands for. Who wants no more by one channel is not sought by another.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import tzfpy
from sqlmodel import Session, col, func, or_, select

from hub.core.contracts import Cost, NotificationChannel, Reaches
from hub.core.errors import Gone, HubError, OptedOut
from hub.core.manners import RINGS, Held, Undone, kept_quiet, quiet_until, too_often
from hub.core.notice_words import spoken
from hub.core.notices import NoticeState, Rejected, Trigger
from hub.core.values import Role
from hub.db.tables import JobRow, NoticeRow, NoticeRuleRow, NoticeWordingRow, PlaceRow
from hub.flows.notice_mail import reach_of
from hub.flows.push import TO, forget_listener
from hub.flows.suppressions import WORDS, spelled, stop, stopped

if TYPE_CHECKING:
    from hub.app import Hub
    from hub.flows.notice_known import Known

LEFT = (NoticeState.SENDING, NoticeState.SENT, NoticeState.UNCERTAIN)
DAY = timedelta(hours=24)
SETTLES = timedelta(minutes=10)
"""After a new time was told: a board on which somebody still moves stops, and a jam that grows,
break the next promise in the same minute, and nobody reads two messages of that.
"""
JUST_TOLD = "Another time was told just now: this one waits until it is sure."


def minded(
    hub: Hub, known: Known, session: Session, row: NoticeRow, job: JobRow | None
) -> Held | Undone | None:
    """What keeps a worded notice from leaving now; ``None``: nothing does."""
    reaches = reach_of(hub, row.channel)
    if reaches in ("email", "phone", "push"):
        no_more = stopped(session, row.business_id, reaches, row.recipient)
        if no_more is not None:
            return Undone(WORDS[no_more.why], elsewhere=no_more.why == "gone")
    if known.has_sibling_rules(session, row) and _told_already(session, row, reaches):
        return Undone("The same person is told this by another message.")
    if (too_soon := _told_just_now(hub, session, row)) is not None:
        return too_soon
    if reaches not in RINGS:
        return None
    manners = known.settings(session, row.business_id).manners
    rule = known.rule(session, row)
    zone = zone_of(session, job) or ZoneInfo(known.business(session, row.business_id).zone)
    ends_at = quiet_until(hub.now(), manners, zone)
    quiet = kept_quiet(rule.in_quiet, hub.now(), row.expires_at, ends_at)  # type: ignore[arg-type]
    if quiet is not None:
        return quiet
    about_order, to_address = _told_so_far(hub, session, row)
    return too_often(manners, Trigger(row.trigger), about_order=about_order, to_address=to_address)


def undone(hub: Hub, session: Session, row: NoticeRow, why: Held | Undone | str) -> None:
    """In the unit that claimed it: what becomes of a notice that does not leave now.

    One that is held is put into words anew when it leaves.
    """
    row.claim, row.leased_until = "", None
    if isinstance(why, Held):
        row.state, row.due_at, row.error = NoticeState.DUE, why.until, why.why
        row.message_id = ""
        return
    row.state, row.error = NoticeState.DROPPED, why if isinstance(why, str) else why.why
    if isinstance(why, Undone) and why.elsewhere:
        tell_elsewhere(hub, session, row)


def refused(
    hub: Hub, session: Session, business_id: str, notice_id: str, verdict: Rejected
) -> None:
    """In the unit that settles it: the carrier will never take this one."""
    row = session.exec(
        select(NoticeRow).where(NoticeRow.business_id == business_id, NoticeRow.id == notice_id)
    ).one()
    reaches = reach_of(hub, row.channel)
    if verdict.never and row.recipient.startswith(TO):
        forget_listener(session, row.business_id, row.recipient)
        tell_elsewhere(hub, session, row)
        return
    if verdict.never == "stop":
        stop(session, row.business_id, reaches, row.recipient, "carrier", hub.now())
        return
    if verdict.never == "gone":
        stop(session, row.business_id, reaches, row.recipient, "gone", hub.now())
    tell_elsewhere(hub, session, row)


def never_of(refusal: HubError) -> Rejected:
    """A refusal as the hub's own verdict."""
    match refusal:
        case OptedOut():
            return Rejected(str(refusal), permanent=True, never="stop")
        case Gone():
            return Rejected(str(refusal), permanent=True, never="gone")
    return Rejected(str(refusal), permanent=True)


def charged(cost: Cost | None, sends: int) -> dict[str, int | str]:
    """What to keep on a notice of what it has cost, each of its ``sends``."""
    if cost is None or sends <= 0:
        return {}
    return {
        "parts": cost.parts * sends,
        "cost_micros": cost.micros * sends,
        "currency": cost.currency[:3],
    }


def tell_elsewhere(hub: Hub, session: Session, row: NoticeRow) -> None:
    """In a unit: have the rule's other channel tell it while its moment lasts. Once."""
    rule = session.exec(
        select(NoticeRuleRow).where(
            NoticeRuleRow.business_id == row.business_id, NoticeRuleRow.id == row.rule_id
        )
    ).one()
    if row.instead_of or not rule.fallback or rule.fallback == row.channel:
        return
    if hub.now() > row.expires_at or _is_stood_in_for(session, row):
        return
    session.add(
        NoticeRow(
            business_id=row.business_id,
            event_id=row.id,
            rule_id=row.rule_id,
            order_id=row.order_id,
            job_id=row.job_id,
            trigger=row.trigger,
            channel=rule.fallback,
            recipient="",
            due_at=hub.now(),
            expires_at=row.expires_at,
            created_at=hub.now(),
            instead_of=row.id,
        )
    )


def words_of(
    session: Session, row: NoticeRow, rule: NoticeRuleRow, language: str, brand: str = ""
) -> tuple[str, str]:
    """Subject and text of a notice, in ``language`` where the business wrote them in it; those
    of the brand with that short name go before those of all brands.

    One that stands in for another channel's uses the words of its own channel's rule.
    """
    words = _own_rule(session, row, rule) if row.instead_of else rule
    return words_in(session, words, language, brand)


def words_in(
    session: Session, rule: NoticeRuleRow, language: str, brand: str = ""
) -> tuple[str, str]:
    """A rule's subject and text, in ``language`` where the business wrote them in it; those of
    ``brand`` before those of all brands.
    """
    rows = session.exec(
        select(NoticeWordingRow).where(
            NoticeWordingRow.business_id == rule.business_id,
            NoticeWordingRow.rule_id == rule.id,
            col(NoticeWordingRow.brand).in_({brand, ""}),
        )
    ).all()
    for whose in dict.fromkeys((brand, "")):
        written = {one.language: one for one in rows if one.brand == whose}
        chosen = spoken(language, written)
        if chosen is None and whose:  # the brand's own words for whoever speaks another language
            chosen = "" if "" in written else None
        if chosen is not None:
            return written[chosen].subject or rule.subject, written[chosen].body
    return rule.subject, rule.body


def _own_rule(session: Session, row: NoticeRow, rule: NoticeRuleRow) -> NoticeRuleRow:
    siblings = session.exec(
        select(NoticeRuleRow).where(
            NoticeRuleRow.business_id == row.business_id,
            NoticeRuleRow.trigger == rule.trigger,
            NoticeRuleRow.channel == row.channel,
            col(NoticeRuleRow.role).in_([rule.role, Role.RECIPIENT]),
        )
    ).all()
    same_role = [one for one in siblings if one.role == rule.role]
    return next(iter([*same_role, *siblings]), rule)


def zone_of(session: Session, job: JobRow | None) -> ZoneInfo | None:
    """The clocks where the job is; ``None`` where nobody knows where that is."""
    if job is None:
        return None
    place = session.exec(
        select(PlaceRow).where(PlaceRow.business_id == job.business_id, PlaceRow.id == job.place_id)
    ).one_or_none()
    if place is None or place.lat is None or place.lon is None:
        return None
    try:
        return ZoneInfo(tzfpy.get_tz(place.lon, place.lat))
    except (KeyError, ValueError, OSError):  # at sea, or a zone newer than our list
        return None


def _told_already(session: Session, row: NoticeRow, reaches: Reaches) -> bool:
    """Whether another rule tells the same person of the same event by the same channel."""
    others = session.exec(
        select(NoticeRow.recipient).where(
            NoticeRow.business_id == row.business_id,
            NoticeRow.event_id == row.event_id,
            NoticeRow.trigger == row.trigger,
            NoticeRow.channel == row.channel,
            NoticeRow.id != row.id,
            col(NoticeRow.state).in_(LEFT),
        )
    ).all()
    mine = spelled(reaches, row.recipient)
    return any(spelled(reaches, one) == mine for one in others)


def _told_just_now(hub: Hub, session: Session, row: NoticeRow) -> Held | None:
    """Whether the same rule told another time of the same job a moment ago: then this one waits,
    and says what is true by then.
    """
    if row.trigger != Trigger.NEW_TIME:
        return None
    others = session.exec(
        select(NoticeRow.sent_at).where(
            NoticeRow.business_id == row.business_id,
            NoticeRow.job_id == row.job_id,
            NoticeRow.rule_id == row.rule_id,
            NoticeRow.trigger == Trigger.NEW_TIME,
            NoticeRow.id != row.id,
            col(NoticeRow.state).in_(LEFT),
        )
    ).all()
    # One that is being sent just now has no time yet.
    until = max((at or hub.now() for at in others), default=hub.now() - SETTLES) + SETTLES
    if until <= hub.now():
        return None
    return Held(until, JUST_TOLD)


def _told_so_far(hub: Hub, session: Session, row: NoticeRow) -> tuple[int, int]:
    """How many messages that ring left: about this order, and to this address in a day."""
    ringing = [cls.key for cls in hub.registry.all(NotificationChannel) if cls.reaches in RINGS]
    about = select(func.count()).where(
        NoticeRow.business_id == row.business_id,
        NoticeRow.order_id == row.order_id,
        NoticeRow.id != row.id,
        col(NoticeRow.channel).in_(ringing),
        col(NoticeRow.state).in_(LEFT),
    )
    to = select(func.count()).where(
        NoticeRow.business_id == row.business_id,
        NoticeRow.recipient == row.recipient,
        NoticeRow.id != row.id,
        col(NoticeRow.channel).in_(ringing),
        col(NoticeRow.state).in_(LEFT),
        or_(col(NoticeRow.sent_at).is_(None), col(NoticeRow.sent_at) > hub.now() - DAY),
    )
    return session.exec(about).one(), session.exec(to).one()


def _is_stood_in_for(session: Session, row: NoticeRow) -> bool:
    other = session.exec(
        select(NoticeRow.id).where(
            NoticeRow.business_id == row.business_id, NoticeRow.event_id == row.id
        )
    ).first()
    return other is not None

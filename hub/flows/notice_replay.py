"""A day that is over, told again on paper: what the rules as they are now would have sent.

Events, promises and contacts are those of that day; words are of what is known today. Nothing
is sent and nothing is kept. What the clock alone brings about ("soon there") is no event and is
left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from hub.core.business import BusinessSettings
from hub.core.contracts import Reaches
from hub.core.events import EtaChanged, Event, ShiftBegan
from hub.core.manners import RINGS, Held, Manners, kept_quiet, quiet_until, too_often
from hub.core.notices import (
    ASKED,
    HEARD,
    ONCE_A_JOB,
    Trigger,
    address_for,
    moment,
    reachable,
    triggers_of,
)
from hub.core.sms import as_sms
from hub.core.told import leaves
from hub.core.values import Role, TimeWindow
from hub.db.errand_turns import to_event
from hub.db.tables import (
    BusinessRow,
    EventRow,
    JobRow,
    NoticeRow,
    NoticeRuleRow,
    OrderRow,
    PromiseRow,
)
from hub.flows.brands import Brands
from hub.flows.notice_mail import about_order, composed, contacts_of, reach_of
from hub.flows.notice_manners import JUST_TOLD, SETTLES, words_in, zone_of
from hub.flows.notify import WAITS, is_first_of_two, on_board, subject_of
from hub.flows.suppressions import WORDS, stopped

if TYPE_CHECKING:
    from hub.app import Hub

MOST = 500
NAMES = [cls.__name__ for cls in (*HEARD, *ASKED)]


@dataclass(frozen=True, slots=True)
class Replayed:
    """One message that would have been. ``why``: it would not, or later; ``then``: what became
    of it that day, empty where no such message was reserved.
    """

    at: datetime
    order_id: str
    number: str
    trigger: str
    channel: str
    role: str
    to: str
    subject: str
    text: str
    parts: int  # 0: it is not counted in parts
    why: str
    then: str


def replay(hub: Hub, business_id: str, day: date) -> list[Replayed]:
    """What the day's events would have told, in their order; the first ``MOST`` of them."""
    with hub.reading() as session:
        told = _Day(hub, session, business_id)
        zone = ZoneInfo(told.business.zone)
        begins = datetime.combine(day, time.min, zone)
        ends = datetime.combine(day + timedelta(days=1), time.min, zone)
        rows = session.exec(
            select(EventRow)
            .where(
                EventRow.business_id == business_id,
                col(EventRow.name).in_(NAMES),
                col(EventRow.received_at) >= begins,
                col(EventRow.received_at) < ends,
            )
            .order_by(col(EventRow.seq))
        )
        found: list[Replayed] = []
        for row in rows:
            found += told.tells(to_event(row))
            if len(found) >= MOST:
                break
    return found[:MOST]


class _Day:
    """Reads once what every message of the day needs, and counts what it has told so far."""

    def __init__(self, hub: Hub, session: Session, business_id: str) -> None:
        self._hub, self._session = hub, session
        self.business = session.get_one(BusinessRow, business_id)
        self._brands = Brands(session, business_id)
        settings = BusinessSettings.model_validate(self.business.settings)
        self._manners: Manners = settings.manners
        self._rules: Sequence[NoticeRuleRow] = session.exec(
            select(NoticeRuleRow).where(
                NoticeRuleRow.business_id == business_id, col(NoticeRuleRow.active)
            )
        ).all()
        self._orders: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()
        self._once: set[tuple[str, ...]] = set()
        self._new_times: dict[tuple[str, str], datetime] = {}  # when told last, by rule and job

    def tells(self, event: Event) -> list[Replayed]:
        about = (
            on_board(self._session, event, whatever=True)
            if isinstance(event, ShiftBegan)
            else [subject_of(self._session, event)]
        )
        return [
            self._one(event, rule, order, job)
            for order, job in about
            if order is not None
            for trigger in triggers_of(event)
            if self._is_told(trigger, event, job)
            for rule in self._rules
            if rule.trigger == trigger
        ]

    def _is_told(self, trigger: Trigger, event: Event, job: JobRow | None) -> bool:
        if trigger is Trigger.NEW_TIME:
            assert isinstance(event, EtaChanged)
            promise = self._promised(event)
            return leaves(promise, datetime.fromisoformat(event.eta))
        pairs = (Trigger.FAILED, Trigger.NEXT_STEP)
        return trigger in pairs or not is_first_of_two(self._session, job)

    def _promised(self, event: EtaChanged) -> TimeWindow | None:
        """The promise that was in force then."""
        row = self._session.exec(
            select(PromiseRow)
            .where(
                PromiseRow.business_id == event.business_id,
                PromiseRow.job_id == event.job_id,
                PromiseRow.n > 0,
                PromiseRow.at <= event.occurred_at,
            )
            .order_by(col(PromiseRow.n).desc())
        ).first()
        return TimeWindow(row.opens, row.closes) if row else None

    def _one(
        self, event: Event, rule: NoticeRuleRow, order: OrderRow, job: JobRow | None
    ) -> Replayed:
        trigger, reaches = Trigger(rule.trigger), reach_of(self._hub, rule.channel)
        wait_s = rule.minutes * 60 if trigger in WAITS else 0
        at, until = moment(trigger, event.occurred_at, rule.within_s, wait_s=wait_s)
        contact = reachable(contacts_of(self._session, order), Role(rule.role), reaches)
        to = address_for(reaches, contact) if contact else ""
        role = contact.role if contact else Role(rule.role)
        about = about_order(self._hub, self._session, self._brands, order, job, role)
        if contact is not None:
            about = replace(about, name=contact.name, language=contact.language)
        brand = self._brands.of(order)
        subject, body = words_in(self._session, rule, about.language, brand.slug)
        mail = composed(self._hub, self.business, brand, subject, body, about, reaches)
        return Replayed(
            at=at,
            order_id=order.id,
            number=order.number,
            trigger=rule.trigger,
            channel=rule.channel,
            role=rule.role,
            to=to,
            subject=mail.subject,
            text=mail.text,
            parts=as_sms(mail.text).parts if reaches == "phone" else 0,
            why=self._why(event, rule, job, reaches, to, at, until),
            then=self._then(event, rule, job),
        )

    def _why(
        self,
        event: Event,
        rule: NoticeRuleRow,
        job: JobRow | None,
        reaches: Reaches,
        to: str,
        at: datetime,
        until: datetime,
    ) -> str:
        """Why it would not have left, or not at once; empty: it would have."""
        if not to:
            return "There is no address for it."
        if no_more := stopped(self._session, self.business.id, reaches, to):
            return WORDS[no_more.why]
        told = (event.id, rule.trigger, rule.channel, to)
        if told in self._once:
            return "The same person is told this by another message."
        if job is not None and rule.trigger == Trigger.NEW_TIME and self._waits(rule, job, at):
            return JUST_TOLD
        if reaches in RINGS:
            zone = zone_of(self._session, job) or ZoneInfo(self.business.zone)
            ends_at = quiet_until(at, self._manners, zone)
            quiet = kept_quiet(rule.in_quiet, at, until, ends_at)  # type: ignore[arg-type]
            if quiet is not None and not isinstance(quiet, Held):
                return quiet.why
            often = too_often(
                self._manners,
                Trigger(rule.trigger),
                about_order=self._orders[event.subject_id],
                to_address=self._addresses[to],
            )
            if often is not None:
                return often.why
            self._orders[event.subject_id] += 1
            self._addresses[to] += 1
            if isinstance(quiet, Held):
                self._once.add(told)
                return quiet.why
        self._once.add(told)
        return ""

    def _waits(self, rule: NoticeRuleRow, job: JobRow, at: datetime) -> bool:
        """Whether another time was told just before, so that this one is told later."""
        key = rule.id, job.id
        last = self._new_times.get(key, at - SETTLES)
        if at - last >= SETTLES:
            self._new_times[key] = at
            return False
        if last <= at:  # else it is told with the one that waits already
            self._new_times[key] = last + SETTLES
        return True

    def _then(self, event: Event, rule: NoticeRuleRow, job: JobRow | None) -> str:
        once = job is not None and rule.trigger in ONCE_A_JOB
        row = self._session.exec(
            select(NoticeRow.state).where(
                NoticeRow.business_id == self.business.id,
                NoticeRow.event_id == (job.id if job is not None and once else event.id),
                NoticeRow.rule_id == rule.id,
            )
        ).one_or_none()
        return row or ""

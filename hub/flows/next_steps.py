"""After a job that did not succeed: exactly one next step, by rule or by a dispatcher.

What is retried depends on where the goods are. The two legs of a pair whose goods were
never fetched are one undertaking: they end together, and together they are tried again.
Once fetched, only the delivery is left, from the depot where the driver brought them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, select

from hub.core import jobs
from hub.core.business import BusinessSettings
from hub.core.errors import HubError
from hub.core.events import JobClosed, NextStepChosen
from hub.core.jobs import ON_A_PHONE, NextStep, Outcome, Reason, State, next_step
from hub.db.tables import BusinessRow, JobRow, OrderRow
from hub.db.unit import Unit
from hub.flows.prove import job_of
from hub.flows.route_news import tell_routes
from hub.flows.sync import call_off, place_ids, release

if TYPE_CHECKING:
    from hub.app import Hub

OPEN_ENDED = frozenset({Outcome.FAILED, Outcome.SKIPPED, Outcome.PARTIAL})
FETCHED = frozenset({Outcome.SUCCEEDED, Outcome.PARTIAL})
RETRIES = frozenset({NextStep.RETRY_TODAY, NextStep.ANOTHER_DAY})


class StepTaken(HubError):
    """This job's next step was already chosen, or it needs none."""


def settle(hub: Hub, business_id: str, job_id: str) -> NextStep | None:
    """Take the usual next step; ``None`` leaves it to the dispatcher. Safe to repeat."""
    with hub.reading() as session:
        job = job_of(session, business_id, job_id)
        other = _other_leg(session, job)
    if job.leg == 1 and job.outcome in FETCHED and other is not None:
        # Its delivery may have failed before we heard that the goods were fetched.
        _settle_one(hub, business_id, other.id)
    return _settle_one(hub, business_id, job.id)


def choose_step(
    hub: Hub,
    business_id: str,
    job_id: str,
    step: NextStep,
    *,
    actor: str,
    on_day: date | None = None,
) -> JobRow | None:
    """Choose ``step``; the job of the next attempt, or ``None`` when nothing follows.

    ``on_day`` is for another day (``None``: tomorrow). For a pair that starts anew the
    answer is its first leg. A return needs no job: the driver brings the goods along.
    Raises ``StepTaken`` the second time.
    """
    with hub.unit() as unit:
        following = choose_in(unit, hub, business_id, job_id, step, actor=actor, on_day=on_day)
    return following[0] if following else None


def choose_in(
    unit: Unit,
    hub: Hub,
    business_id: str,
    job_id: str,
    step: NextStep,
    *,
    actor: str,
    on_day: date | None = None,
) -> list[JobRow]:
    """``choose_step`` within a unit that decides more: the jobs of the next attempt."""
    choice = _Choice(hub, unit, business_id, actor)
    job = choice.job(job_id)
    choice.end_together(job, step)
    following: list[JobRow] = []
    if step in RETRIES:
        following = choice.try_again(job, choice.day(step, on_day))
    elif step is NextStep.CANCEL:
        choice.cancel(job.order_id)
    choice.announce(job, step, following)
    return following


def give_up_in(
    unit: Unit, hub: Hub, business_id: str, job: JobRow, step: NextStep, *, actor: str
) -> None:
    """End another attempt that no driver has yet: it comes to ``step`` instead."""
    choice = _Choice(hub, unit, business_id, actor)
    for leg in _attempt(unit.session, job):
        if leg.state != State.CLOSED:
            leg.next_step = step
            choice.end_waiting(leg)
    choice.announce(job, step, [])


class _Choice:
    """What one unit does about a job that did not succeed."""

    def __init__(self, hub: Hub, unit: Unit, business_id: str, actor: str) -> None:
        self.unit, self.session, self.keys = unit, unit.session, hub.keys
        self.business_id, self.actor, self.now = business_id, actor, hub.now()
        business = self.session.get_one(BusinessRow, business_id, with_for_update=True)
        self.zone = ZoneInfo(business.zone)
        self.legs: list[int] = []

    def job(self, job_id: str) -> JobRow:
        job = job_of(self.session, self.business_id, job_id)
        if job.state != State.CLOSED or job.outcome not in OPEN_ENDED:
            raise StepTaken("Only a job that ended without success has a next step.")
        if job.next_step:
            raise StepTaken(f"The next step was already chosen: {job.next_step}.")
        if self.order(job.order_id).status == "cancelled":
            raise StepTaken("The order was cancelled; nothing follows.")
        return job

    def order(self, order_id: str) -> OrderRow:
        return self.session.exec(
            select(OrderRow).where(
                OrderRow.business_id == self.business_id, OrderRow.id == order_id
            )
        ).one()

    def end_together(self, job: JobRow, step: NextStep) -> None:
        """Note the step on the job, and on its other leg where that has lost its sense too."""
        job.next_step = step
        other = _other_leg(self.session, job)
        # Whatever is fetched later needs a place to be brought to: a first leg is never alone.
        self.legs = [1, 2] if other is not None and job.leg == 1 else [job.leg]
        if other is None or other.outcome in FETCHED or other.outcome == Outcome.CANCELLED:
            return
        if job.leg == 1 and job.outcome == Outcome.PARTIAL:
            return  # what was fetched is still delivered; the rest is a pair again
        self.legs = [1, 2]
        other.next_step = step
        if step is NextStep.COLLECT:
            # What was never fetched lies at no depot of ours: nobody is to be sent there for it.
            delivery = other if job.leg == 1 else job
            delivery.next_step = NextStep.CANCEL
        if other.state != State.CLOSED:
            self._close(other, job.reason)

    def end_waiting(self, job: JobRow) -> None:
        self._close(job, "")

    def day(self, step: NextStep, on_day: date | None) -> date:
        today = self.now.astimezone(self.zone).date()
        if step is NextStep.RETRY_TODAY:
            return today
        return on_day or today + timedelta(days=1)

    def try_again(self, job: JobRow, day: date) -> list[JobRow]:
        """New jobs for the legs, from this attempt's; the old windows were for the old attempt."""
        attempt = self._last_attempt(job.order_id) + 1
        release(self.unit, self.keys, self.order(job.order_id), self.now, self.actor)
        # Not where the old one was: its driver may have been told a new address on the way.
        places = place_ids(self.unit, self.keys, self.order(job.order_id), self.now)
        following = [
            JobRow(
                business_id=self.business_id,
                order_id=old.order_id,
                attempt=attempt,
                leg=old.leg,
                kind=old.kind,
                place_id=places[min(old.leg - len(places), -1)],
                due_on=day,
                not_before=day,
                service_s=old.service_s,
                driver_note=old.driver_note,
                created_at=self.now,
            )
            for old in _attempt(self.session, job)
            if old.leg in self.legs
        ]
        self.session.add_all(following)
        return following

    def cancel(self, order_id: str) -> None:
        """Cancel the order as a person would: whatever is still open for it is closed."""
        call_off(self.unit, self.keys, self.order(order_id), self.now, self.actor)

    def announce(self, job: JobRow, step: NextStep, following: Sequence[JobRow]) -> None:
        self.unit.announce(
            NextStepChosen(
                **self._about(job),
                job_id=job.id,
                step=step,
                next_job_id=following[0].id if following else "",
            )
        )

    def _close(self, job: JobRow, reason: str) -> None:
        """Nobody stood at its door: skipped if a driver had it, cancelled if none did."""
        on_a_phone = State(job.state) in ON_A_PHONE
        outcome = Outcome.SKIPPED if on_a_phone else Outcome.CANCELLED
        job.state = jobs.close(State(job.state), outcome)
        job.outcome, job.reason = outcome, reason
        job.closed_at = job.closed_occurred_at = self.now
        job.version += 1
        tell_routes(self.unit, self.business_id, [job], self.now, self.actor)
        self.unit.announce(
            JobClosed(
                **self._about(job),
                job_id=job.id,
                outcome=outcome,
                attempt=job.attempt,
                reason=reason,
            )
        )

    def _last_attempt(self, order_id: str) -> int:
        last: int | None = self.session.exec(
            select(func.max(JobRow.attempt)).where(
                JobRow.business_id == self.business_id, JobRow.order_id == order_id
            )
        ).one()
        return last or 0

    def _about(self, job: JobRow) -> dict[str, Any]:
        now: datetime = self.now
        return {
            "business_id": self.business_id,
            "subject_id": job.order_id,
            "occurred_at": now,
            "received_at": now,
            "actor": self.actor,
        }


def _settle_one(hub: Hub, business_id: str, job_id: str) -> NextStep | None:
    with hub.reading() as session:
        job = job_of(session, business_id, job_id)
        step = _usual(session, job, session.get_one(BusinessRow, business_id))
    if step is None or job.next_step:
        return NextStep(job.next_step) if job.next_step else None
    try:
        choose_step(hub, business_id, job.id, step, actor="hub")
    except StepTaken:  # a dispatcher was faster, or the order is gone
        with hub.reading() as session:
            taken = job_of(session, business_id, job.id).next_step
        return NextStep(taken) if taken else None
    return step


def _usual(session: Session, job: JobRow, business: BusinessRow) -> NextStep | None:
    if job.state != State.CLOSED or job.outcome not in OPEN_ENDED or not job.reason:
        return None
    other = _other_leg(session, job)
    if job.leg == 2 and other is not None and other.outcome not in FETCHED:
        return None  # nothing was on board: the first leg decides for both
    most = BusinessSettings.model_validate(business.settings).most_attempts
    return next_step(Reason(job.reason), job.attempt, most_attempts=most)


def _attempt(session: Session, job: JobRow) -> Sequence[JobRow]:
    """The legs of the job's attempt, itself among them, the first leg first."""
    return session.exec(
        select(JobRow)
        .where(
            JobRow.business_id == job.business_id,
            JobRow.order_id == job.order_id,
            JobRow.attempt == job.attempt,
        )
        .order_by(col(JobRow.leg))
    ).all()


def _other_leg(session: Session, job: JobRow) -> JobRow | None:
    """``None`` when the job is no half of a pair."""
    return next((leg for leg in _attempt(session, job) if leg.leg != job.leg), None)

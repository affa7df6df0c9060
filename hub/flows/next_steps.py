"""After a job that did not succeed: exactly one next step, by rule or by a dispatcher."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hub.core.business import BusinessSettings
from hub.core.errors import HubError
from hub.core.events import NextStepChosen
from hub.core.jobs import NextStep, Outcome, Reason, State, next_step
from hub.db.tables import BusinessRow, JobRow
from hub.flows.prove import job_of

if TYPE_CHECKING:
    from hub.app import Hub

OPEN_ENDED = frozenset({Outcome.FAILED, Outcome.SKIPPED, Outcome.PARTIAL})


class StepTaken(HubError):
    """This job's next step was already chosen, or it needs none."""


def settle(hub: Hub, business_id: str, job_id: str) -> NextStep | None:
    """Take the usual next step; ``None`` leaves it to the dispatcher. Safe to repeat."""
    with hub.reading() as session:
        job = job_of(session, business_id, job_id)
        business = session.get_one(BusinessRow, business_id)
    if job.next_step:
        return NextStep(job.next_step)
    if job.state != State.CLOSED or job.outcome not in OPEN_ENDED or not job.reason:
        return None
    most = BusinessSettings.model_validate(business.settings).most_attempts
    step = next_step(Reason(job.reason), job.attempt, most_attempts=most)
    if step is not None:
        try:
            choose_step(hub, business_id, job_id, step, actor="hub")
        except StepTaken:  # a dispatcher was faster
            return settle(hub, business_id, job_id)
    return step


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

    ``on_day`` is for another day (``None``: tomorrow). Raises ``StepTaken`` the second time.
    """
    now = hub.now()
    with hub.unit() as unit:
        zone = ZoneInfo(unit.session.get_one(BusinessRow, business_id, with_for_update=True).zone)
        job = job_of(unit.session, business_id, job_id)
        if job.state != State.CLOSED or job.outcome not in OPEN_ENDED:
            raise StepTaken("Only a job that ended without success has a next step.")
        if job.next_step:
            raise StepTaken(f"The next step was already chosen: {job.next_step}.")
        job.next_step = step
        following = None
        if step in (NextStep.RETRY_TODAY, NextStep.ANOTHER_DAY):
            today = now.astimezone(zone).date()
            day = today if step is NextStep.RETRY_TODAY else on_day or today + timedelta(days=1)
            # The old windows were for the old attempt; a new promise is made when it is planned.
            following = JobRow(
                business_id=business_id,
                order_id=job.order_id,
                attempt=job.attempt + 1,
                leg=job.leg,
                kind=job.kind,
                place_id=job.place_id,
                due_on=day,
                not_before=day,
                service_s=job.service_s,
                driver_note=job.driver_note,
                created_at=now,
            )
            unit.session.add(following)
        unit.announce(
            NextStepChosen(
                business_id=business_id,
                subject_id=job.order_id,
                occurred_at=now,
                received_at=now,
                actor=actor,
                job_id=job.id,
                step=step,
                next_job_id=following.id if following else "",
            )
        )
    return following

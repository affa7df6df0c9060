"""Make the change that lets a job fit, where it is the business's to make, and plan again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core.errors import Refused
from hub.core.events import OrderAmended
from hub.core.jobs import State
from hub.core.values import TimeWindow
from hub.core.ways_out import Change
from hub.db.tables import AuditRow, BusinessRow, JobRow, PlanRow, RouteRow, ShiftRow
from hub.db.unit import Unit
from hub.flows.day_due import windows_of
from hub.flows.order_rows import window_document
from hub.flows.planning_run import ask_plan
from hub.flows.prove import job_of
from hub.flows.route_now import legs_of
from hub.flows.ways_found import Way, ways_seen

if TYPE_CHECKING:
    from hub.app import Hub

NONE = timedelta()
GONE = "The day has changed since. Plan it again to see what would help now."


def take_way(
    hub: Hub, business_id: str, plan_id: str, job_id: str, n: int, *, actor: str
) -> PlanRow:
    """Make the ``n``-th change found for a job, and have its depot's day planned again with it.

    The routes that showed that it works are where planning begins, so the job is served if
    nothing else has changed. Raises ``Refused`` where the change can no longer be made,
    ``LookupError`` for what is not there or is not the hub's to change.
    """
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        run, way = _found(unit.session, business_id, plan_id, job_id, n)
        _still_out(unit.session, business_id, job_id)
        match way.kind:
            case Change.OVERTIME | Change.START_EARLIER:
                _longer_shift(unit, business_id, way)
            case Change.OPEN_EARLIER | Change.CLOSE_LATER:
                _wider_window(unit, business_id, way, hub.now(), actor)
            case Change.LEAVE_ZONE:
                _outside_once(unit, business_id, way, job_id)
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action=f"way_out.{way.kind}",
                subject=f"job:{job_id}",
                at=hub.now(),
            )
        )
    return ask_plan(hub, business_id, run.depot_id, run.day, actor=actor, start=way.routes)


def _found(
    session: Session, business_id: str, plan_id: str, job_id: str, n: int
) -> tuple[PlanRow, Way]:
    run = session.exec(
        select(PlanRow).where(PlanRow.business_id == business_id, PlanRow.id == plan_id)
    ).one_or_none()
    if run is None:
        raise LookupError(f"no plan {plan_id}")
    newer = session.exec(
        select(PlanRow.id).where(
            PlanRow.business_id == business_id,
            PlanRow.depot_id == run.depot_id,
            PlanRow.day == run.day,
            PlanRow.n > run.n,
        )
    ).first()
    if newer is not None:
        raise Refused(GONE)
    ways = ways_seen(run).get(job_id)
    if ways is None or not 0 <= n < len(ways.ways) or not ways.ways[n].button:
        raise LookupError(f"no way out {n} for job {job_id}")
    return run, ways.ways[n]


def _still_out(session: Session, business_id: str, job_id: str) -> None:
    job = session.exec(
        select(JobRow).where(JobRow.business_id == business_id, JobRow.id == job_id)
    ).one_or_none()
    if job is None or job.state != State.CREATED:
        raise Refused(GONE)


def _shift(unit: Unit, business_id: str, way: Way) -> ShiftRow:
    shift = unit.session.exec(
        select(ShiftRow).where(ShiftRow.business_id == business_id, ShiftRow.id == way.vehicle_id)
    ).one_or_none()
    published = unit.session.exec(
        select(RouteRow.id).where(
            RouteRow.business_id == business_id,
            RouteRow.shift_id == way.vehicle_id,
            col(RouteRow.published_at).is_not(None),
        )
    ).first()
    if shift is None or published is not None:
        raise Refused(GONE)
    return shift


def _longer_shift(unit: Unit, business_id: str, way: Way) -> None:
    shift = _shift(unit, business_id, way)
    more = timedelta(seconds=way.amount)
    if way.kind == Change.OVERTIME:
        shift.ends_at += more
    else:
        shift.starts_at -= more


def _outside_once(unit: Unit, business_id: str, way: Way, job_id: str) -> None:
    """On this day the driver may do the job, with the other half of its pair, outside his zones."""
    shift = _shift(unit, business_id, way)
    job = job_of(unit.session, business_id, job_id)
    ids = [leg.id for leg in legs_of(unit.session, business_id, job)]
    shift.besides = list(dict.fromkeys([*shift.besides, *ids]))


def _wider_window(unit: Unit, business_id: str, way: Way, now: datetime, actor: str) -> None:
    """As a person moved it: the source asking for another window later has its way again."""
    job = unit.session.exec(
        select(JobRow).where(JobRow.business_id == business_id, JobRow.id == way.window)
    ).one_or_none()
    if job is None or job.state != State.CREATED:
        raise Refused(GONE)
    by = timedelta(seconds=way.amount)
    earlier, later = (by, NONE) if way.kind == Change.OPEN_EARLIER else (NONE, by)
    wider = [TimeWindow(w.opens - earlier, w.closes + later) for w in windows_of(job)]
    job.windows, job.version = window_document(tuple(wider)), job.version + 1
    unit.announce(
        OrderAmended(
            business_id=business_id,
            subject_id=job.order_id,
            occurred_at=now,
            received_at=now,
            actor=actor,
            changed=("windows",),
        )
    )

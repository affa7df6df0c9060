"""What a tracking link opens: whose order, which job of it, and how far that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, or_, select

from hub.core.business import BusinessSettings
from hub.core.jobs import NextStep, Outcome, Reason, State
from hub.core.orders import Kind
from hub.core.tracking_page import (
    CHOSEN,
    Estimate,
    JobSeen,
    Life,
    Ride,
    Seen,
    current,
    decide,
    has_left,
    life,
    made_first,
    over_at,
    visible,
)
from hub.core.values import Role, TimeWindow
from hub.core.visibility import Fact, Reader, page_reader
from hub.db.tables import (
    BusinessRow,
    EstimateRow,
    JobRow,
    LinkRow,
    PromiseRow,
    ProofRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
)
from hub.flows.promises import in_force, work_begins
from hub.keys import hashed
from hub.live.pages import gifts


@dataclass(frozen=True, slots=True)
class Link:
    """What a token opens. ``job`` is the row that ``seen`` is about, ``ride`` the one it is on.

    ``may``: what may be seen as long as nobody knows where the driver is, see ``may_from``.
    ``role``: whose link it is; ``promise``: the one in force, ``None`` before there is any.
    """

    business: BusinessRow
    order_id: str
    settings: BusinessSettings
    life: Life
    job: JobRow
    stop: StopRow | None
    route: RouteRow | None
    ride: Ride | None
    seen: Seen
    may: frozenset[Fact]
    role: Role = Role.RECIPIENT
    reader: Reader = Reader.PAGE
    promise: TimeWindow | None = None

    @property
    def decides(self) -> bool:
        """Whether who has it may change what is done: a buyer, a site or a shipper only looks."""
        return self.role is Role.RECIPIENT

    def may_from(self, away_m: float | None) -> frozenset[Fact]:
        """What may be seen while the driver is so far from the door."""
        return visible(self.seen, self.life, self.settings, away_m, self.reader)


def link_row(session: Session, token: str) -> LinkRow | None:
    """The one query that is not of one business: the token says which business it is."""
    return session.exec(select(LinkRow).where(LinkRow.token_hash == hashed(token))).one_or_none()


def opened(session: Session, token: str, now: datetime) -> Link | None:
    """``None`` for a token that is unknown or revoked."""
    row = link_row(session, token)
    if row is None:
        return None
    return of_order(session, row.business_id, row.order_id, Role(row.role), now)


def of_order(session: Session, business_id: str, order_id: str, role: Role, now: datetime) -> Link:
    """What the link of ``role`` opens of an order that there is."""
    business = session.exec(select(BusinessRow).where(BusinessRow.id == business_id)).one()
    settings = BusinessSettings.model_validate(business.settings)
    rows = session.exec(
        select(JobRow).where(JobRow.business_id == business_id, JobRow.order_id == order_id)
    ).all()
    proven_at = _proven_at(session, business_id, order_id)
    jobs = {_job_seen(one, proven_at.get(one.id)): one for one in rows}
    job = jobs[current(list(jobs))]
    stop, route = _published(session, business_id, job.id)
    ride = _ride(session, business_id, job, stop, route)
    promises, told_by = _promises(session, business_id, job.id)
    seen = decide(
        list(jobs),
        promises,
        ride,
        window_s=settings.window_s,
        now=now,
        chosen=told_by == CHOSEN,
    )
    left = life(list(jobs), settings, now)
    reader = page_reader(role, is_gift=gifts(session, business_id, [order_id])[order_id])
    may = visible(seen, left, settings, reader=reader)
    promise = promises[-1] if promises else None
    return Link(
        business,
        order_id,
        settings,
        left,
        job,
        stop,
        route,
        ride,
        seen,
        may,
        role,
        reader,
        promise,
    )


def _proven_at(session: Session, business_id: str, order_id: str) -> dict[str, datetime]:
    """By job, when its proof says that it ended; one cancelled before the door ended otherwise."""
    return dict(
        session.exec(
            select(ProofRow.job_id, ProofRow.occurred_at)
            .join(JobRow, col(JobRow.id) == col(ProofRow.job_id))
            .where(
                ProofRow.business_id == business_id,
                JobRow.order_id == order_id,
                JobRow.outcome != Outcome.CANCELLED,
            )
        ).all()
    )


def _job_seen(row: JobRow, proven_at: datetime | None) -> JobSeen:
    return JobSeen(
        kind=Kind(row.kind),
        attempt=row.attempt,
        leg=row.leg,
        state=State(row.state),
        outcome=Outcome(row.outcome) if row.outcome else None,
        reason=Reason(row.reason) if row.reason else None,
        next_step=NextStep(row.next_step) if row.next_step else None,
        due_on=row.due_on,
        windows=tuple(
            TimeWindow(datetime.fromisoformat(opens), datetime.fromisoformat(closes))
            for opens, closes in row.windows
        ),
        ended_at=proven_at or row.closed_occurred_at,
        closed_at=row.closed_at,
        fetched_at=row.fetched_at,
    )


def _published(
    session: Session, business_id: str, job_id: str
) -> tuple[StopRow | None, RouteRow | None]:
    found = session.exec(
        select(StopRow, RouteRow)
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .where(
            StopRow.business_id == business_id,
            StopJobRow.job_id == job_id,
            col(RouteRow.published_at).is_not(None),
        )
    ).first()
    return found if found else (None, None)


def _promises(session: Session, business_id: str, job_id: str) -> tuple[list[TimeWindow], str]:
    """The oldest first, and who told the last."""
    rows = session.exec(
        select(PromiseRow)
        .where(PromiseRow.business_id == business_id, PromiseRow.job_id == job_id, PromiseRow.n > 0)
        .order_by(col(PromiseRow.n))
    ).all()
    return [TimeWindow(row.opens, row.closes) for row in rows], rows[-1].told_by if rows else ""


def _ride(
    session: Session,
    business_id: str,
    job: JobRow,
    stop: StopRow | None,
    route: RouteRow | None,
) -> Ride | None:
    if stop is None or route is None or job.state == State.CLOSED:
        return None
    others = session.exec(
        select(StopRow, JobRow.state, JobRow.outcome)
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .where(StopRow.business_id == business_id, StopRow.route_id == route.id)
        .order_by(col(StopRow.n))
    ).all()
    to_do = {one.n: one for one, state, _ in others if state != State.CLOSED}
    states: dict[int, list[str]] = {}
    for one, state, _ in others:
        states.setdefault(one.n, []).append(state)
    shift = session.exec(
        select(ShiftRow).where(ShiftRow.business_id == business_id, ShiftRow.id == route.shift_id)
    ).one()
    return Ride(
        arrive_at=stop.arrive_at,
        next_departs_at=to_do[min(to_do)].depart_at,
        stops_before=made_first(stop.n, states),
        has_left=has_left((state, outcome) for _, state, outcome in others),
        estimate=_estimate(session, job, route),
        began_at=shift.began_at,
        over_at=over_at(shift.ended_at, shift.ends_at),
    )


def _estimate(session: Session, job: JobRow, route: RouteRow) -> Estimate | None:
    """When the driver's work begins there; one made for another route says nothing here."""
    row = session.exec(
        select(EstimateRow).where(
            EstimateRow.business_id == job.business_id,
            EstimateRow.job_id == job.id,
            or_(col(EstimateRow.route_id).is_(None), EstimateRow.route_id == route.id),
        )
    ).one_or_none()
    return (
        work_begins(job, row, in_force(session, job.business_id, job.id))
        if row is not None
        else None
    )

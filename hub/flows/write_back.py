"""Tell the store that an order came from how it fares. Errands: at least once, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from hub.core.business import BusinessSettings
from hub.core.connecting import OrderProgress, Stage, WritesBack
from hub.core.errors import ConfigError, RateLimited
from hub.core.events import (
    DriverArrived,
    DriverHeaded,
    Event,
    JobClosed,
    JobDispatched,
    OrderCancelled,
    OrderPlaced,
    ProofCompleted,
)
from hub.core.jobs import Outcome
from hub.core.kept_back import for_store
from hub.core.values import DeliveredLine, Point, ProofFile
from hub.db.tables import (
    BusinessRow,
    ConnectionRow,
    ErrandRow,
    EstimateRow,
    EventRow,
    JobRow,
    OrderRow,
    ProofFileRow,
    ProofRow,
)
from hub.flows.connected import BORN, class_of, provider_of, row_of
from hub.flows.document.words import reason as words_of
from hub.flows.late_proof import is_late, said_with
from hub.flows.links import store_url
from hub.flows.order_rows import order_report
from hub.flows.pauses import hold, respect

if TYPE_CHECKING:
    from hub.app import Hub

NAME = "hub.write_back"
STAGES: dict[type[Event], Stage] = {
    OrderPlaced: "placed",
    JobDispatched: "dispatched",
    DriverHeaded: "on_the_way",
    DriverArrived: "arrived",
    JobClosed: "closed",
    OrderCancelled: "cancelled",
    ProofCompleted: "closed",
}
TOLD = tuple(STAGES)


def write_back(hub: Hub, event: Event) -> None:
    """Tell it if its source can be told; nothing for what came by file or by the API.

    Raises what the source raises; a connection that no longer works, or asks for a pause, is
    marked besides. Nothing either for what was parked while something newer went through: told
    now it would be told last.
    """
    found = None if _is_overtaken(hub, event) else _progress(hub, event)
    if found is None:
        return
    connection, update = found
    if connection.state in ("off", "approving"):
        return
    source = class_of(hub, connection.plugin)
    if not issubclass(source, WritesBack):
        return
    if update.late_proof and not source.takes_late_proof:
        return
    try:
        provider = provider_of(hub, connection)
        assert isinstance(provider, WritesBack)
        respect(hub, connection)
        provider.write_back(update)
    except RateLimited as pause:
        hold(hub, connection, pause)
        raise
    except ConfigError as problem:
        needs_reconnect(hub, connection, problem)
        raise


def needs_reconnect(hub: Hub, connection: ConnectionRow, problem: ConfigError) -> None:
    """Say on the connection that a person has to look at it."""
    with hub.unit() as unit:
        row = row_of(unit.session, connection.business_id, connection.id)
        if row.state in ("ok", "failing"):
            row.state, row.last_error, row.due_at = "needs_reconnect", str(problem)[:4000], None


def _is_overtaken(hub: Hub, event: Event) -> bool:
    """Whether the source was told of something later. Proof that came late is about the same."""
    mine, its, errand = aliased(EventRow), aliased(EventRow), ErrandRow
    with hub.reading() as session:
        query = (
            select(its.id)
            .join(errand, col(errand.event_seq) == col(its.seq))
            .join(mine, col(mine.seq) < col(its.seq))
            .where(
                errand.business_id == event.business_id,
                errand.subject_id == event.subject_id,
                errand.subscriber == NAME,
                errand.state == "done",
                mine.id == event.id,
                its.occurred_at >= mine.occurred_at,
                its.name != ProofCompleted.__name__,
            )
        )
        return session.exec(query.limit(1)).first() is not None


def _progress(hub: Hub, event: Event) -> tuple[ConnectionRow, OrderProgress] | None:
    business_id = event.business_id
    with hub.reading() as session:
        order = session.exec(
            select(OrderRow).where(
                OrderRow.business_id == business_id, OrderRow.id == event.subject_id
            )
        ).one_or_none()
        if order is None:
            return None
        connection = session.exec(
            select(ConnectionRow).where(
                ConnectionRow.business_id == business_id,
                ConnectionRow.id == order.connection_id,
                col(ConnectionRow.plugin).not_in(BORN),
            )
        ).one_or_none()
        if connection is None:
            return None
        job = _job(session, business_id, getattr(event, "job_id", ""))
        if isinstance(event, OrderCancelled):  # what is delivered stays delivered
            job = _delivered(session, business_id, order.id)
        if job is not None and job.kind == "collect" and job.leg == 1 and _is_pair(session, job):
            return None  # the store waits for the delivery, of which this is the first half
        proof = _proof(session, business_id, job)
        late = isinstance(event, ProofCompleted)
        if late and (job is None or proof is None or not is_late(job, proof)):
            return None  # its end was told with it
        ended = _ended(session, event, job, proof)
        files = _files(session, business_id, job)
        estimate = _estimate(session, business_id, job)
        business = session.get_one(BusinessRow, business_id)
        link = store_url(hub, session, order)
    rules = BusinessSettings.model_validate(business.settings).visibility
    report = order_report.validate_python(order.report)
    closed = ended is not None
    stage = "closed" if closed else STAGES[type(event)]
    told = OrderProgress(
        key=event.id,
        order_ref=order.ref,
        order_number=order.number,
        stage="cancelled" if ended and ended[0] == "cancelled" else stage,
        at=event.occurred_at,
        custom=report.custom,
        outcome=ended[0] if ended else "",
        reason=words_of(ended[1]) if ended else "",
        attempt=job.attempt if job else 1,
        eta=estimate.p50 if estimate else None,
        tracking_url=link,
        proof_url=f"{link}/proof.pdf" if closed and proof else "",
        received_by=proof.name if closed and proof else "",
        note=proof.note if closed and proof else "",
        point=_point(proof) if closed else None,
        lines=tuple(DeliveredLine(**line) for line in proof.lines) if closed and proof else (),
        files=files if closed else (),
        late_proof=late,
    )
    return connection, for_store(told, rules)


def _ended(
    session: Session, event: Event, job: JobRow | None, proof: ProofRow | None
) -> tuple[str, str] | None:
    """Outcome and reason; ``None`` where ``event`` says of no end."""
    if isinstance(event, JobClosed):
        return event.outcome, event.reason
    if job is not None and isinstance(event, OrderCancelled):
        return job.outcome, job.reason
    if job is not None and proof is not None and isinstance(event, ProofCompleted):
        return said_with(session, job, proof)
    return None


def _delivered(session: Session, business_id: str, order_id: str) -> JobRow | None:
    """The job that ended an order well: the last leg of a pair, if it did."""
    rows = session.exec(
        select(JobRow)
        .where(JobRow.business_id == business_id, JobRow.order_id == order_id)
        .order_by(col(JobRow.attempt).desc())
    ).all()
    last_leg = max((row.leg for row in rows), default=1)
    well = (Outcome.SUCCEEDED, Outcome.PARTIAL)
    return next((row for row in rows if row.leg == last_leg and row.outcome in well), None)


def _job(session: Session, business_id: str, job_id: str) -> JobRow | None:
    return session.exec(
        select(JobRow).where(JobRow.business_id == business_id, JobRow.id == job_id)
    ).one_or_none()


def _is_pair(session: Session, job: JobRow) -> bool:
    legs = session.exec(
        select(JobRow.leg).where(
            JobRow.business_id == job.business_id,
            JobRow.order_id == job.order_id,
            JobRow.attempt == job.attempt,
        )
    )
    return max(legs) > 1


def _proof(session: Session, business_id: str, job: JobRow | None) -> ProofRow | None:
    if job is None:
        return None
    return session.exec(
        select(ProofRow).where(ProofRow.business_id == business_id, ProofRow.job_id == job.id)
    ).one_or_none()


def _files(session: Session, business_id: str, job: JobRow | None) -> tuple[ProofFile, ...]:
    if job is None:
        return ()
    rows = session.exec(
        select(ProofFileRow)
        .where(ProofFileRow.business_id == business_id, ProofFileRow.job_id == job.id)
        .where(col(ProofFileRow.proof_id).is_not(None))
        .order_by(col(ProofFileRow.id))
    )
    return tuple(
        ProofFile(row.kind, row.media_type, row.sha256, row.store, row.store_ref) for row in rows
    )


def _estimate(session: Session, business_id: str, job: JobRow | None) -> EstimateRow | None:
    if job is None:
        return None
    return session.exec(
        select(EstimateRow).where(
            EstimateRow.business_id == business_id, EstimateRow.job_id == job.id
        )
    ).one_or_none()


def _point(proof: ProofRow | None) -> Point | None:
    if proof is None or proof.lat is None or proof.lon is None:
        return None
    return Point(proof.lat, proof.lon)

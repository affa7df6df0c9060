"""How far estimates were off: what was estimated two hours to five minutes before an arrival
is remembered, and compared once the job is over and its arrival known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, select

from hub.core.contracts import PastError
from hub.core.jobs import State
from hub.db.tables import ActRow, EstimateRow, EtaErrorRow, JobRow, RouteRow
from hub.db.unit import one_at_a_time

if TYPE_CHECKING:
    from hub.app import Hub

MARKS_S = (7200, 3600, 1800, 900, 300)
"""So long before it is due an estimate is remembered, once each."""
LOOKED_AT = 2000  # the newest errors of a depot: some weeks of a few vans
AT_ONCE = 50  # in one unit


def sampled(samples: Sequence[Any], now: datetime, p50: datetime) -> list[Any]:
    """``samples`` with the estimate ``p50`` made ``now``, if it is the first at its mark."""
    ahead_s = (p50 - now).total_seconds()
    passed = [mark for mark in MARKS_S if ahead_s <= mark]
    known = {mark for mark, _, _ in samples}
    if not passed or passed[-1] in known or ahead_s <= 0:
        return list(samples)
    return [*samples, [passed[-1], round(now.timestamp()), round(p50.timestamp())]]


def history(session: Session, business_id: str, depot_id: str) -> list[PastError]:
    """How far estimates of this depot were off, the newest first."""
    rows = session.exec(
        select(EtaErrorRow.ahead_s, EtaErrorRow.error_s)
        .where(EtaErrorRow.business_id == business_id, EtaErrorRow.depot_id == depot_id)
        .order_by(col(EtaErrorRow.at).desc(), col(EtaErrorRow.id).desc())
        .limit(LOOKED_AT)
    )
    return [PastError(ahead_s, error_s) for ahead_s, error_s in rows]


def learn(hub: Hub) -> int:
    """Compare what was estimated of jobs that are over; how many were looked at."""
    with hub.reading() as session:
        over = session.exec(
            select(EstimateRow.business_id, EstimateRow.id)
            .join(JobRow, col(JobRow.id) == col(EstimateRow.job_id))
            .where(
                EstimateRow.business_id == JobRow.business_id,
                col(EstimateRow.route_id).is_not(None),
                JobRow.state == State.CLOSED,
            )
            .limit(AT_ONCE)
        ).all()
    of_business: dict[str, list[str]] = {}
    for business_id, estimate_id in over:
        of_business.setdefault(business_id, []).append(estimate_id)
    for business_id, estimate_ids in of_business.items():
        with hub.unit() as unit:
            one_at_a_time(unit.session, business_id)
            for estimate_id in estimate_ids:
                _compare(unit.session, business_id, estimate_id)
    return len(over)


def _compare(session: Session, business_id: str, estimate_id: str) -> None:
    row = session.exec(
        select(EstimateRow).where(
            EstimateRow.business_id == business_id, EstimateRow.id == estimate_id
        )
    ).one_or_none()
    if row is None or row.route_id is None:  # another worker was faster
        return
    route = session.exec(
        select(RouteRow).where(RouteRow.business_id == business_id, RouteRow.id == row.route_id)
    ).one()
    if (arrived_at := _arrived_at(session, row)) is not None:
        for _, made_s, p50_s in row.samples:
            made_at = datetime.fromtimestamp(made_s, UTC)
            if made_at < arrived_at:
                session.add(_error(row, route, arrived_at, made_at, p50_s))
    row.route_id, row.samples = None, []


def _error(
    row: EstimateRow, route: RouteRow, arrived_at: datetime, made_at: datetime, p50_s: int
) -> EtaErrorRow:
    return EtaErrorRow(
        business_id=row.business_id,
        depot_id=route.depot_id,
        ahead_s=round((arrived_at - made_at) / timedelta(seconds=1)),
        error_s=round(arrived_at.timestamp() - p50_s),
        at=arrived_at,
    )


def _arrived_at(session: Session, row: EstimateRow) -> datetime | None:
    """When somebody first came to the door; ``None``: nobody said so."""
    return session.exec(
        select(ActRow.occurred_at)
        .where(
            ActRow.business_id == row.business_id,
            ActRow.route_id == row.route_id,
            ActRow.job_id == row.job_id,
            ActRow.kind == "arrive",
            ActRow.result == "applied",
        )
        .order_by(col(ActRow.occurred_at))
    ).first()

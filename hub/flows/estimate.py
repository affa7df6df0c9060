"""When a driver will be at each door that is left, told anew when that is news.

Read, talk, write: what lies ahead is read, roads and model are asked, and one unit per
route keeps the estimates with what they announce. Nobody else writes estimates.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session, col, delete, or_, select

from hub.core.business import BusinessSettings
from hub.core.contracts import Arrival, PastError
from hub.core.errors import HubError
from hub.core.eta import changed
from hub.core.events import EtaChanged
from hub.core.fit import begins_as_told
from hub.core.jobs import ON_A_PHONE, State
from hub.core.told import leaves
from hub.core.values import TimeWindow
from hub.db.tables import BusinessRow, EstimateRow, JobRow, RouteRow, StopJobRow, StopRow
from hub.db.unit import Unit
from hub.flows.ahead import Begun, JobAhead, Round, Trust, begun_routes, round_of
from hub.flows.arrivals import arrivals_of, asked_of, presumed_at, travel_of
from hub.flows.eta_errors import history, learn, sampled
from hub.flows.route_now import promises_of
from hub.live.store import LastFix, Positions

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)
WORTH_S = 30  # an estimate that moved by less is not stored: pages would flicker for nothing
ESTIMATED = ON_A_PHONE - {State.ARRIVED}


@dataclass(frozen=True, slots=True)
class _Fresh:
    """One job's estimate as it now is, and whether it is told anew; ``row``: as it was."""

    row: EstimateRow | None
    job: JobAhead
    arrival: Arrival
    samples: tuple[object, ...]
    told_p50: datetime
    is_told: bool


def estimate_routes(
    hub: Hub, positions: Positions | None = None, route_ids: Collection[str] | None = None
) -> int:
    """Estimate what is left of every round that is being driven; how many rounds changed.

    ``route_ids``: only these, for whoever just changed them. Safe to repeat. A round that
    cannot be estimated leaves the others alone.
    """
    source, now = positions or Positions.open(hub.settings), hub.now()
    with hub.reading() as session:
        begun = begun_routes(session, now)
        if route_ids is not None:
            begun = [one for one in begun if one.route.id in route_ids]
        whose = {one.route.business_id for one in begun}
        moved_s = {id: _settings(session, id).eta_moves_s for id in whose}
    fixes = {id: source.last(id) for id in whose}
    past: dict[tuple[str, str], Sequence[PastError]] = {}
    moved = 0
    for one in begun:
        try:
            news_s = moved_s[one.route.business_id]
            fix = _fix_of(one, fixes[one.route.business_id])
            moved += _estimate(hub, one, fix, past, news_s, now)
        except HubError as problem:
            log.warning("route=%s cannot be estimated: %s", one.route.id, problem)
        except Exception:
            log.exception("route=%s cannot be estimated", one.route.id)
    if route_ids is None:
        learn(hub)
        _forget_moved(hub)
    return moved


def _forget_moved(hub: Hub) -> None:
    """Estimates of jobs that left the route they were made for say nothing any more."""
    left = (
        select(EstimateRow.business_id, EstimateRow.id)
        .join(JobRow, col(JobRow.id) == col(EstimateRow.job_id))
        .outerjoin(StopJobRow, col(StopJobRow.job_id) == col(EstimateRow.job_id))
        .outerjoin(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
        .where(
            col(EstimateRow.route_id).is_not(None),
            JobRow.state != State.CLOSED,
            or_(col(StopRow.id).is_(None), col(StopRow.route_id) != col(EstimateRow.route_id)),
        )
    )
    with hub.reading() as session:
        if session.exec(left.limit(1)).first() is None:
            return
    with hub.unit() as unit:
        for business_id, estimate_id in unit.session.exec(left).all():
            unit.session.exec(
                delete(EstimateRow).where(
                    col(EstimateRow.business_id) == business_id, col(EstimateRow.id) == estimate_id
                )
            )


def _fix_of(begun: Begun, fixes: Sequence[LastFix]) -> LastFix | None:
    """The driver's last one since this shift began, by whichever of his phones."""
    if begun.began_at is None:
        return None
    began_ms = begun.began_at.timestamp() * 1000
    mine = (fix for fix in fixes if fix.driver_id == begun.route.driver_id)
    return next((fix for fix in mine if fix.at_ms >= began_ms), None)


def _estimate(
    hub: Hub,
    begun: Begun,
    fix: LastFix | None,
    past: dict[tuple[str, str], Sequence[PastError]],
    moved_s: int,
    now: datetime,
) -> bool:
    """``past``: business and depot -> how far estimates were off there, once it was read.
    ``moved_s``: an estimate that moved by so much is news.
    """
    with hub.reading() as session:
        ahead = round_of(session, begun, fix, now)
        if ahead is None or not ahead.doors:
            return False
        depot = (ahead.business_id, ahead.depot_id)
        if depot not in past:
            past[depot] = history(session, *depot)
    asked = asked_of(hub, ahead, now)
    if asked.pace:  # whoever measures the roads knows their hours: then the business's do not count
        with hub.reading() as session:
            ahead = round_of(session, replace(begun, pace=asked.pace), fix, now) or ahead
    travel_s: Sequence[int] = travel_of(ahead, asked, now)
    if ahead.trust is Trust.SILENT:
        presumed = presumed_at(ahead, travel_s, now)
        if presumed is None:
            return False
        ahead, travel_s = presumed
    arrivals = arrivals_of(hub, ahead, travel_s, past[depot], now)
    with hub.reading() as session:
        if not any(_fresh(session, ahead, arrivals, moved_s, now)):
            return False
    with hub.unit() as unit:
        if not _still_so(unit.session, ahead):
            return False  # looked at again in a moment
        for fresh in list(_fresh(unit.session, ahead, arrivals, moved_s, now)):
            _keep(unit, ahead, fresh, now)
    return True


def _fresh(
    session: Session, ahead: Round, arrivals: Sequence[Arrival], moved_s: int, now: datetime
) -> Iterator[_Fresh]:
    """What is to be stored of ``arrivals``, beside what is stored already."""
    ids = [job.job_id for door in ahead.doors for job in door.jobs]
    known = {row.job_id: row for row in _rows(session, ahead.business_id, ids)}
    promises = promises_of(session, ahead.business_id, ids)
    for door, arrival in zip(ahead.doors, arrivals, strict=True):
        for job in door.jobs:
            row = known.get(job.job_id)
            fresh = _one(row, job, arrival, promises.get(job.job_id), moved_s, now)
            if row is None or fresh.is_told or _is_worth(row, fresh, ahead):
                yield fresh


def _one(
    row: EstimateRow | None,
    job: JobAhead,
    arrival: Arrival,
    promise: TimeWindow | None,
    moved_s: int,
    now: datetime,
) -> _Fresh:
    # Until the first is announced, the plan is what was: it went out with the route. One that
    # was changed since, against the promise, nobody heard of.
    told = row.told_p50 if row is not None and row.told_p50 is not None else job.begins_at
    if (row is None or row.told_p50 is None) and promise is not None:
        told = min(max(told, promise.opens), promise.closes)
    served_at = begins_as_told(job.windows, arrival.p50, promise)
    if leaves(promise, told) and not leaves(promise, served_at, by=timedelta(0)):
        told = served_at  # it holds again before anybody was told that it did not
    is_told = changed(told, served_at, promise, moved_s=moved_s)
    samples = sampled(row.samples if row is not None else [], now, arrival.p50)
    return _Fresh(row, job, arrival, tuple(samples), served_at if is_told else told, is_told)


def _is_worth(row: EstimateRow, fresh: _Fresh, ahead: Round) -> bool:
    pairs = (
        (row.p10, fresh.arrival.p10),
        (row.p50, fresh.arrival.p50),
        (row.p90, fresh.arrival.p90),
    )
    return (
        row.route_id != ahead.route_id
        or row.told_p50 != fresh.told_p50
        or len(row.samples) != len(fresh.samples)
        or any(abs((a - b).total_seconds()) >= WORTH_S for a, b in pairs)
    )


def _still_so(session: Session, ahead: Round) -> bool:
    """Whether the route is as it was read; whoever else writes it waits until we are done."""
    route = session.exec(
        select(RouteRow)
        .where(RouteRow.business_id == ahead.business_id, RouteRow.id == ahead.route_id)
        .with_for_update()
    ).one_or_none()
    if route is None or route.version != ahead.version or route.published_at is None:
        return False
    wanted = {job.job_id for door in ahead.doors for job in door.jobs}
    here = session.exec(
        select(JobRow.id)
        .join(StopJobRow, col(StopJobRow.job_id) == col(JobRow.id))
        .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
        .where(
            JobRow.business_id == ahead.business_id,
            StopRow.route_id == ahead.route_id,
            col(JobRow.state).in_(ESTIMATED),
        )
    )
    return wanted <= set(here)


def _keep(unit: Unit, ahead: Round, fresh: _Fresh, now: datetime) -> None:
    arrival, job = fresh.arrival, fresh.job
    row = fresh.row or EstimateRow(
        business_id=ahead.business_id,
        job_id=job.job_id,
        p10=arrival.p10,
        p50=arrival.p50,
        p90=arrival.p90,
        version=0,
        updated_at=now,
    )
    row.p10, row.p50, row.p90 = arrival.p10, arrival.p50, arrival.p90
    row.version, row.updated_at, row.route_id = row.version + 1, now, ahead.route_id
    row.samples, row.told_p50 = list(fresh.samples), fresh.told_p50
    unit.session.add(row)
    if fresh.is_told:
        unit.announce(
            EtaChanged(
                business_id=ahead.business_id,
                subject_id=job.order_id,
                occurred_at=now,
                received_at=now,
                job_id=job.job_id,
                eta=fresh.told_p50.isoformat(),
            )
        )


def _rows(session: Session, business_id: str, job_ids: Sequence[str]) -> Sequence[EstimateRow]:
    return session.exec(
        select(EstimateRow).where(
            EstimateRow.business_id == business_id, col(EstimateRow.job_id).in_(job_ids)
        )
    ).all()


def _settings(session: Session, business_id: str) -> BusinessSettings:
    business = session.get_one(BusinessRow, business_id)
    return BusinessSettings.model_validate(business.settings)

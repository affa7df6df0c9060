"""The first stops of a draft that a dispatcher keeps: planning again leaves them where they are.

They are kept with the shift as jobs, so that they outlive the draft they were chosen on. What left
the draft since is kept no more. What a person turned among them is kept in the order it has now,
and what he put behind them is free again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from hub.core.errors import Refused
from hub.core.plan_request import JobToPlan, VehicleToPlan
from hub.db.tables import JobRow, OrderRow, RouteRow, ShiftRow, StopJobRow, StopRow
from hub.flows.audit import note
from hub.flows.route_conflict import RouteConflict
from hub.flows.route_news import now_different

if TYPE_CHECKING:
    from hub.app import Hub


def keep_first(
    hub: Hub, business_id: str, job_id: str, *, actor: str, expected_version: int
) -> int:
    """Keep the stops of a draft first, up to and with that of ``job_id``; how many jobs that are.

    Raises ``LookupError`` for a job of another business, or that is on no route any more,
    ``Refused`` for one on a route that is published: no plan changes that, and ``RouteConflict``
    where the draft is not at ``expected_version``.
    """
    with hub.unit() as unit:
        holds = (
            select(StopRow.route_id)
            .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
            .where(StopRow.business_id == business_id, StopJobRow.job_id == job_id)
        )
        route, shift = _of(unit.session, business_id, col(RouteRow.id).in_(holds), expected_version)
        order = _order(unit.session, business_id, [shift.id])[shift.id]
        [stop_id] = [stop for stop, job in order if job == job_id]
        last = max(n for n, (stop, _) in enumerate(order) if stop == stop_id)
        shift.kept_first = [job for _, job in order[: last + 1]]
        now_different(unit, route, hub.now(), actor)
        note(hub, unit.session, business_id, actor, "stops kept first", f"route:{route.id}")
        return len(shift.kept_first)


def let_go(hub: Hub, business_id: str, route_id: str, *, actor: str, expected_version: int) -> None:
    """No stop of this draft is kept first any more. Raises as ``keep_first``."""
    with hub.unit() as unit:
        route, shift = _of(unit.session, business_id, RouteRow.id == route_id, expected_version)
        if shift.kept_first:
            shift.kept_first = []
            now_different(unit, route, hub.now(), actor)
            action = "stops no longer kept first"
            note(hub, unit.session, business_id, actor, action, f"route:{route.id}")


def kept_first(
    session: Session, business_id: str, shifts: Iterable[ShiftRow], jobs: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Shift id -> which of ``jobs`` stay first, as ``PlanRequest.fixed`` has it."""
    asked = {shift.id: shift for shift in shifts if shift.kept_first}
    if not asked:
        return {}
    orders = _order(session, business_id, list(asked))
    found = {}
    for id, shift in asked.items():
        kept = set(shift.kept_first)
        here = tuple(job for _, job in orders[id] if job in kept and job in jobs)
        if here:
            found[id] = here
    return found


def turned(session: Session, route: RouteRow, stop_id: str) -> None:
    """After a person put a stop of ``route`` elsewhere in its order: among those that stay first
    it does too, behind them no more. Nothing of a published route.
    """
    shift = session.get_one(ShiftRow, route.shift_id)
    if route.published_at is not None or not shift.kept_first:
        return
    order = _order(session, route.business_id, [shift.id])[shift.id]
    at = [n for n, (stop, _) in enumerate(order) if stop == stop_id]
    moved, was = {order[n][1] for n in at}, set(shift.kept_first)
    last = max((n for n, (_, job) in enumerate(order) if job in was - moved), default=-1)
    stays = min(at) < last or (bool(moved & was) and min(at) == last + 1)
    kept = was | moved if stays else was - moved
    shift.kept_first = [job for _, job in order if job in kept]


def taken_off(session: Session, route: RouteRow, jobs: Collection[str]) -> None:
    """``jobs`` left this draft: they stay first no more, also if they come back to it."""
    shift = session.get_one(ShiftRow, route.shift_id)
    if route.published_at is None and set(jobs).intersection(shift.kept_first):
        shift.kept_first = [id for id in shift.kept_first if id not in jobs]


def kept_although(
    fixed: Mapping[str, Sequence[str]],
    jobs: Mapping[str, JobToPlan],
    vehicles: Mapping[str, VehicleToPlan],
    numbers: Mapping[str, str],
    drivers: Mapping[str, str],
) -> Iterator[str]:
    """A sentence for each job that stays first with somebody who could not get it otherwise;
    ``numbers``: job id -> that of its order, ``drivers``: shift id -> a name.

    That one is there too late, or too heavy, the day's page says beside the stop.
    """
    for shift_id, ids in fixed.items():
        van, name = vehicles[shift_id], drivers[shift_id]
        for job in (jobs[id] for id in ids):
            if missing := sorted(job.skills - van.offers):
                yield (
                    f"Order {numbers[job.id]} stays first with {name}, though it needs"
                    f" {' and '.join(missing)}."
                )
            elif job.vehicle not in (None, van.id) or van.id in job.forbidden_vehicles:
                yield f"Order {numbers[job.id]} stays first with {name}, though others must do it."


def _of(
    session: Session,
    business_id: str,
    which: ColumnElement[bool] | bool,
    expected_version: int,
) -> tuple[RouteRow, ShiftRow]:
    found = session.exec(
        select(RouteRow, ShiftRow)
        .join(ShiftRow, col(ShiftRow.id) == col(RouteRow.shift_id))
        .where(RouteRow.business_id == business_id, which)
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise LookupError("It is on no route any more.")
    if found[0].published_at is not None:
        raise Refused("This route is published: no plan changes it.")
    if (version := found[0].version) != expected_version:
        raise RouteConflict(
            f"The route is at version {version}, not {expected_version}. Look again."
        )
    return found


def _order(
    session: Session, business_id: str, shift_ids: Collection[str]
) -> dict[str, list[tuple[str, str]]]:
    """Shift id -> the stop and job ids of its draft, in their order."""
    rows = session.exec(
        select(RouteRow.shift_id, StopRow.id, StopJobRow.job_id)
        .join(StopRow, col(StopRow.route_id) == col(RouteRow.id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .join(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
        .where(
            RouteRow.business_id == business_id,
            col(RouteRow.shift_id).in_(shift_ids),
            col(RouteRow.published_at).is_(None),
        )
        .order_by(col(StopRow.n), OrderRow.number, col(JobRow.leg))
    )
    orders: dict[str, list[tuple[str, str]]] = {id: [] for id in shift_ids}
    for shift_id, stop_id, job_id in rows:
        orders[shift_id].append((stop_id, job_id))
    return orders

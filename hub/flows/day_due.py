"""Which jobs may be done on a day, and from which depot.

A job belongs to one depot: the one that its order's custom field ``depot`` names (by
name or id), else the nearest of those where somebody works that day. Both halves of a
pair belong to the depot nearest to where it is collected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from math import cos, radians
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, or_, select

from hub.core.jobs import State
from hub.core.orders import IncomingOrder
from hub.core.values import TimeWindow
from hub.db.tables import DepotRow, JobRow, OrderRow, PlaceRow, RouteRow, StopJobRow, StopRow
from hub.flows.shifts import last_ends_at

Due = tuple[JobRow, OrderRow, PlaceRow]
DEPOT = "depot"  # the custom field that names a job's depot


def due_jobs(session: Session, business_id: str, day: date, zone: ZoneInfo) -> list[Due]:
    """Every open job with a place on the map that may be done on ``day`` and is on no phone.

    Also what is to be done in the night after it, where somebody works then.
    """
    rows = session.exec(
        select(JobRow, OrderRow, PlaceRow)
        .join(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
        .join(PlaceRow, col(PlaceRow.id) == col(JobRow.place_id))
        .where(
            JobRow.business_id == business_id,
            col(JobRow.state).in_((State.CREATED, State.PLANNED, State.ASSIGNED)),
            col(PlaceRow.lat).is_not(None),
            or_(col(JobRow.due_on).is_(None), col(JobRow.due_on) <= day + timedelta(days=1)),
            or_(col(JobRow.not_before).is_(None), col(JobRow.not_before) <= day),
        )
        .order_by(col(JobRow.id))
    ).all()
    if not rows:
        return []  # a day that is on its drivers' phones: it is looked at every few seconds
    midnight = datetime.combine(day, datetime.min.time(), zone)
    ends = midnight + timedelta(days=1)
    night_ends = last_ends_at(session, business_id, day) or ends
    return [
        row
        for row in rows
        if _is_of_day(row[0], day, midnight, ends) or _is_of_night(row[0], ends, night_ends)
    ]


def with_both_legs(session: Session, business_id: str, rows: Sequence[Due]) -> list[Due]:
    """Without the legs whose other leg is still open but cannot be planned with them."""
    if not rows:
        return []
    here = {job.id for job, _, _ in rows}
    open_legs = session.exec(
        select(JobRow.id, JobRow.order_id, JobRow.attempt).where(
            JobRow.business_id == business_id,
            JobRow.state != State.CLOSED,
            col(JobRow.order_id).in_({job.order_id for job, _, _ in rows}),
        )
    )
    torn = {(order, attempt) for job, order, attempt in open_legs if job not in here}
    return [row for row in rows if (row[0].order_id, row[0].attempt) not in torn]


def on_other_routes(
    session: Session, business_id: str, day: date, depot_ids: Sequence[str]
) -> set[str]:
    """Jobs that are on a route which planning these depots on ``day`` leaves alone."""
    return set(
        session.exec(
            select(StopJobRow.job_id)
            .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
            .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
            .where(
                StopJobRow.business_id == business_id,
                or_(
                    RouteRow.day != day,
                    col(RouteRow.published_at).is_not(None),
                    col(RouteRow.depot_id).not_in(depot_ids),
                ),
            )
        )
    )


def published_shifts(session: Session, business_id: str, day: date) -> set[str]:
    """The shifts of ``day`` whose route is on its driver's phone."""
    return set(
        session.exec(
            select(RouteRow.shift_id).where(
                RouteRow.business_id == business_id,
                RouteRow.day == day,
                col(RouteRow.published_at).is_not(None),
            )
        )
    )


def homes_of(
    rows: Sequence[Due], reports: Mapping[str, IncomingOrder], homes: Sequence[DepotRow]
) -> dict[str, str]:
    """Job id -> the id of the depot it belongs to."""
    named = {key: home.id for home in homes for key in (home.id, home.name.casefold())}
    first: dict[tuple[str, int], Due] = {}
    for row in sorted(rows, key=lambda row: row[0].leg):
        first.setdefault((row[0].order_id, row[0].attempt), row)
    home: dict[tuple[str, int], str] = {}
    for key, (_, order, place) in first.items():
        said = reports[order.id].custom.get(DEPOT, "").strip().casefold()
        home[key] = named.get(said) or min(homes, key=lambda depot: _apart(depot, place)).id
    return {job.id: home[job.order_id, job.attempt] for job, _, _ in rows}


def windows_of(job: JobRow) -> tuple[TimeWindow, ...]:
    return tuple(
        TimeWindow(datetime.fromisoformat(opens), datetime.fromisoformat(closes))
        for opens, closes in job.windows
    )


def _is_of_day(job: JobRow, day: date, midnight: datetime, ends: datetime) -> bool:
    """A window of another day is that day's business; a job without one may go any day."""
    if job.due_on is not None and job.due_on > day:
        return False
    windows = windows_of(job)
    return not windows or any(midnight <= w.closes and w.opens < ends for w in windows)


def _is_of_night(job: JobRow, midnight: datetime, ends: datetime) -> bool:
    """It can be done after ``midnight``, before the last shift ``ends``.

    A window that merely begins with the new day ("before noon") says nothing of its night.
    """
    return any(
        midnight <= w.opens < ends and (w.opens > midnight or w.closes <= ends)
        for w in windows_of(job)
    )


def _apart(depot: DepotRow, place: PlaceRow) -> float:
    """Grows with the distance; good enough to say which depot is nearest."""
    lat, lon = place.lat or 0.0, place.lon or 0.0
    east = (lon - depot.lon + 180) % 360 - 180
    return (lat - depot.lat) ** 2 + (east * cos(radians(lat))) ** 2

"""A running day as the dispatch board shows it: routes, drivers, and what needs somebody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from hub.core.attention import Ahead, Loose, Matter, Round, Undecided, Unread, Wish, matters
from hub.core.business import BusinessSettings
from hub.core.events import RouteHandedOver
from hub.core.jobs import Outcome, State
from hub.core.values import TimeWindow
from hub.db.tables import BusinessRow, DriverRow, EventRow, JobRow, RouteRow, ShiftRow
from hub.flows.amended_seen import unread, wishes
from hub.flows.day_seen import Counts, DaySeen, JobSeen, RouteSeen, Unserved
from hub.flows.improve_unasked import is_worth
from hub.flows.improvements import HUB, ImprovementSeen, last_improvement
from hub.flows.overview import day_seen
from hub.live.store import LastFix, Positions

if TYPE_CHECKING:
    from hub.app import Hub

Last = Callable[[str], Sequence[LastFix]]
"""Where each phone of a business was last, the newest first."""


@dataclass(frozen=True, slots=True)
class Where:
    """A driver's last position. ``heading`` in degrees, ``battery`` in percent, if known."""

    lat: float
    lon: float
    heading: float | None
    acc_m: float
    battery: float | None
    at: datetime


@dataclass(frozen=True, slots=True)
class LaneSeen:
    """A route with its driver's shift; ``where`` only while the driver works today.

    ``given`` is from whom the driver took it over, and when; ``None`` where he always had it.
    """

    route: RouteSeen
    starts_at: datetime
    ends_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    where: Where | None
    given: tuple[str, datetime] | None = None

    @property
    def on_duty(self) -> bool:
        return self.began_at is not None and self.ended_at is None

    @property
    def on_break(self) -> bool:
        """By the driver's own word."""
        return self.on_duty and any(one.until is None for one in self.route.had)

    @property
    def seen(self) -> bool:
        return self.route.acknowledged >= self.route.version


@dataclass(frozen=True, slots=True)
class BoardSeen:
    """``lanes`` by the driver's name; ``matters`` the most urgent first, only for today.

    ``better``: a rest of the day that is worth its changes and waits for a decision.
    """

    day: date
    now: datetime
    is_today: bool
    lanes: tuple[LaneSeen, ...]
    left_out: tuple[Unserved, ...]
    to_review: int
    counts: Counts
    matters: tuple[Matter, ...]
    better: ImprovementSeen | None = None


def board_seen(
    hub: Hub, business_id: str, day: date | None = None, last: Last | None = None
) -> BoardSeen:
    """``day`` ``None`` is the business's today."""
    now = hub.now()
    with hub.reading() as session:
        business = session.get_one(BusinessRow, business_id)
    zone = ZoneInfo(business.zone)
    today = now.astimezone(zone).date()
    day = day or today
    seen = day_seen(hub, business_id, day)
    with hub.reading() as session:
        shifts = _shifts(session, business_id, day)
        open_ends = _undecided(session, business_id, seen)
        given = _given(session, business_id, seen)
        ids = [route.id for route in seen.routes if route.published]
        versions = {route.id: route.version for route in seen.routes}
        found = last_improvement(session, business_id, day, versions)
        wanted = wishes(session, business_id, now), unread(session, business_id, ids)
    # A night shift of yesterday still drives, so days do not decide: shifts do.
    on_duty = any(shift.began_at and not shift.ended_at for shift in shifts.values())
    places = _places(last or Positions.open(hub.settings).last, business_id) if on_duty else {}
    lanes = tuple(
        _lane(route, shifts[route.id], places, given.get(route.id)) for route in seen.routes
    )
    is_today = day == today
    settings = BusinessSettings.model_validate(business.settings)
    return BoardSeen(
        day,
        now,
        is_today,
        lanes,
        seen.left_out,
        seen.to_review,
        seen.counts,
        _matters(lanes, seen, open_ends, wanted, now, zone) if is_today else (),
        found if found and is_today and _is_shown(found, settings, now) else None,
    )


def due_of(job: JobSeen) -> TimeWindow | None:
    """What lateness is judged against: the promise, else the last window asked for."""
    return job.promise or max(job.windows, key=lambda window: window.closes, default=None)


def _is_shown(found: ImprovementSeen, settings: BusinessSettings, now: datetime) -> bool:
    return found.is_offered(now) and (found.asked_by != HUB or is_worth(found, settings))


def _shifts(session: Session, business_id: str, day: date) -> dict[str, ShiftRow]:
    """Route id -> its shift."""
    return dict(
        session.exec(
            select(RouteRow.id, ShiftRow)
            .join(ShiftRow, col(ShiftRow.id) == col(RouteRow.shift_id))
            .where(RouteRow.business_id == business_id, RouteRow.day == day)
        ).all()
    )


def _undecided(session: Session, business_id: str, seen: DaySeen) -> set[str]:
    """Ids of jobs that failed and have no next step."""
    ended = [job.id for route in seen.routes for job in route.jobs if job.state == State.CLOSED]
    return set(
        session.exec(
            select(JobRow.id).where(
                JobRow.business_id == business_id,
                col(JobRow.id).in_(ended),
                col(JobRow.outcome).in_((Outcome.FAILED, Outcome.SKIPPED)),
                JobRow.next_step == "",
            )
        )
    )


def _places(last: Last, business_id: str) -> dict[str, Where]:
    """Driver id -> where; of several phones the one heard of last."""
    found: dict[str, Where] = {}
    for fix in last(business_id):
        at = datetime.fromtimestamp(fix.at_ms / 1000, UTC)
        found.setdefault(
            fix.driver_id, Where(fix.lat, fix.lon, fix.heading, fix.acc_m, fix.battery, at)
        )
    return found


def _given(session: Session, business_id: str, seen: DaySeen) -> dict[str, tuple[str, datetime]]:
    """Route id -> the name of who drove it before, and when it was handed over."""
    told = session.exec(
        select(EventRow)
        .where(
            EventRow.business_id == business_id,
            EventRow.name == RouteHandedOver.__name__,
            col(EventRow.subject_id).in_([route.id for route in seen.routes]),
        )
        .order_by(col(EventRow.seq))
    ).all()
    if not told:
        return {}
    names = dict(
        session.exec(
            select(DriverRow.id, DriverRow.name).where(
                DriverRow.business_id == business_id,
                col(DriverRow.id).in_([row.payload["from_driver_id"] for row in told]),
            )
        ).all()
    )
    return {
        row.subject_id: (names.get(row.payload["from_driver_id"], ""), row.occurred_at)
        for row in told
    }


def _lane(
    route: RouteSeen,
    shift: ShiftRow,
    places: dict[str, Where],
    given: tuple[str, datetime] | None,
) -> LaneSeen:
    began_at, ended_at = shift.began_at, shift.ended_at
    where = places.get(route.driver_id) if began_at and not ended_at else None
    if where and began_at and where.at < began_at:
        where = None  # of an earlier shift: nobody knows where he is now
    return LaneSeen(route, shift.starts_at, shift.ends_at, began_at, ended_at, where, given)


def _matters(
    lanes: Sequence[LaneSeen],
    seen: DaySeen,
    open_ends: set[str],
    wanted: tuple[Sequence[Wish], Sequence[Unread]],
    now: datetime,
    zone: ZoneInfo,
) -> tuple[Matter, ...]:
    ahead = [
        Ahead(stop.id, job.number, lane.route.driver, job.eta, due_of(job))
        for lane in lanes
        if lane.route.published
        for stop in lane.route.stops
        for job in stop.jobs
        if job.state != State.CLOSED
    ]
    undecided = [
        Undecided(job.order_id, job.number, route.driver, _why(job))
        for route in seen.routes
        for job in route.jobs
        if job.id in open_ends
    ]
    rounds = [
        Round(
            lane.route.id,
            lane.route.driver,
            lane.route.published,
            lane.seen,
            lane.route.leaves_at,
            lane.began_at,
            lane.ended_at is not None or all(stop.closed for stop in lane.route.stops),
            lane.where.at if lane.where else None,
            sum(not stop.closed for stop in lane.route.stops) if lane.ended_at is not None else 0,
        )
        for lane in lanes
    ]
    loose = [Loose(one.job_id, one.number, one.reason) for one in seen.left_out]
    return matters(ahead, undecided, rounds, loose, *wanted, now=now, zone=zone)


def _why(job: JobSeen) -> str:
    how = "failed" if job.outcome == Outcome.FAILED else "skipped"
    return f"{how} ({job.reason.replace('_', ' ')})" if job.reason else how

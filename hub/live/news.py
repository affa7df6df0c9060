"""What happened in the hub since the live process last looked, and who may watch the board."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Engine, func, or_
from sqlmodel import Session, col, select

from hub.core.events import ShiftBegan
from hub.core.log_in import is_over
from hub.db.tables import (
    EstimateRow,
    EventRow,
    JobRow,
    LogInRow,
    MembershipRow,
    RouteRow,
    StaffRow,
    StopJobRow,
    StopRow,
)
from hub.db.unit import reading
from hub.live.driving import batches, owned

# An event of these moves what others on the same route see: how many come before them.
ON_A_ROUTE = frozenset(
    {"JobDispatched", "JobWithdrawn", "DriverHeaded", "DriverArrived", "DriverLeft", "JobClosed"}
)
# PostgreSQL gives out numbers before it commits: one may become visible long after higher ones.
# Numbers that were passed over are looked for until no transaction can be so old.
MISSED_S = 900.0
BACK = 10_000  # numbers before the newest, among which some may be missing at the start
LATE = timedelta(seconds=30)  # from when an estimate says it was written until it is committed


@dataclass(frozen=True, slots=True)
class Route:
    business_id: str
    driver_id: str
    version: int


@dataclass(frozen=True, slots=True)
class News:
    """Whose orders and which routes were in the news; ``routes`` holds all there is of them.

    ``given``: each of those that were given away, with the driver who had it before. ``shifts``
    maps who began or ended one to his business, ``businesses`` each to the newest event's number;
    ``seq`` is the newest of all.
    """

    orders: frozenset[str]
    routes: Mapping[str, Route]
    given: Sequence[Route]
    shifts: Mapping[str, str]
    businesses: Mapping[str, int]
    seq: int


@dataclass(frozen=True, slots=True)
class _Gap:
    """Numbers, both included, that were not there; looked for until ``until_s``, monotonic."""

    low: int
    high: int
    until_s: float


class Newspaper:
    """Reads the journal of events on from where it stopped. One thread at a time.

    No event is passed by: whoever has dealt with ``news`` says so by ``dealt``, else it comes
    again, and numbers that are missing are looked for later.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with reading(engine) as session:
            newest = session.exec(select(func.max(EventRow.seq))).one() or 0
            low = max(0, newest - BACK)
            seen = _numbers(session, [col(EventRow.seq) > low])
        self.seq, self._gaps = newest, _gaps(low + 1, newest, seen, _until_s())
        self._next = self.seq, self._gaps

    def news(self) -> News | None:
        """What was announced since the last that was dealt with; ``None`` when nothing was."""
        at_s = time.monotonic()
        with reading(self._engine) as session:
            new = _numbers(session, [col(EventRow.seq) > self.seq])
            ranges = [col(EventRow.seq).between(gap.low, gap.high) for gap in self._gaps]
            late = [seq for some in batches(ranges) for seq in _numbers(session, some)]
            newest = new[-1] if new else self.seq
            gaps = [
                left
                for gap in self._gaps
                for left in _gaps(gap.low, gap.high, late, gap.until_s)
                if gap.until_s > at_s
            ]
            gaps += _gaps(self.seq + 1, newest, new, _until_s())
            told = self._told(session, [*late, *new], newest) if late or new else None
        self._next = newest, gaps
        if told is None:
            self.dealt()
        return told

    def dealt(self) -> None:
        """All that was in the last ``news`` is known where it has to be."""
        self.seq, self._gaps = self._next

    def _told(self, session: Session, numbers: Sequence[int], newest: int) -> News:
        orders: dict[str, str] = {}
        moving: dict[str, str] = {}
        routes: set[str] = set()
        givers: set[tuple[str, str]] = set()
        shifts: dict[str, tuple[str, str]] = {}
        businesses: dict[str, int] = {}
        for some in batches(numbers):
            for row in session.exec(select(EventRow).where(col(EventRow.seq).in_(some))):
                known = businesses.get(row.business_id, 0)
                businesses[row.business_id] = max(row.seq or 0, known)
                if row.subject_kind == "shift":
                    shifts[row.subject_id] = row.business_id, str(row.payload["driver_id"])
                    continue
                if row.subject_kind == "route":
                    routes.add(row.subject_id)
                    if "from_driver_id" in row.payload:
                        givers.add((row.subject_id, str(row.payload["from_driver_id"])))
                    continue
                orders[row.subject_id] = row.business_id
                if row.name in ON_A_ROUTE:
                    moving[row.subject_id] = row.business_id
                    if "route_id" in row.payload:
                        routes.add(str(row.payload["route_id"]))
        routes |= _routes_of(session, moving)
        routes |= _routes_in(session, set(businesses), list(shifts))
        found = _routes(session, set(businesses), routes)
        given = [
            replace(found[route_id], driver_id=driver_id)
            for route_id, driver_id in givers
            if route_id in found
        ]
        at_work = {driver_id: business_id for business_id, driver_id in shifts.values()}
        return News(frozenset(orders), found, given, at_work, businesses, newest)


class Estimates:
    """Reads which estimates were written anew. One thread at a time.

    Several are written with the same moment, and committed one after another: what is read is
    told apart by its version, and ``LATE`` is looked back.
    """

    def __init__(self, engine: Engine, moment: datetime) -> None:
        self._engine = engine
        self._newest, self._read = moment, dict[str, int]()
        self._next = self._newest, self._read

    def news(self) -> frozenset[str]:
        """The orders whose estimates are new since the last that was dealt with."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(
                    JobRow.order_id,
                    EstimateRow.job_id,
                    EstimateRow.version,
                    EstimateRow.updated_at,
                )
                .join(JobRow, col(JobRow.id) == col(EstimateRow.job_id))
                .where(col(EstimateRow.updated_at) >= self._newest - LATE)
            ).all()
        newest = max([self._newest, *(at for _, _, _, at in rows)])
        self._next = newest, {job_id: version for _, job_id, version, _ in rows}
        return frozenset(
            order_id for order_id, job_id, version, _ in rows if self._read.get(job_id) != version
        )

    def dealt(self) -> None:
        """All that was in the last ``news`` is known where it has to be."""
        self._newest, self._read = self._next


def shift_began(engine: Engine, business_id: str, after: int) -> bool:
    """Whether a shift began that the journal has after this number."""
    with reading(engine) as session:
        found = session.exec(
            select(EventRow.seq).where(
                EventRow.business_id == business_id,
                col(EventRow.seq) > after,
                EventRow.name == ShiftBegan.__name__,
            )
        )
        return found.first() is not None


def boards(engine: Engine, hashes: Sequence[str]) -> dict[str, str]:
    """Session hashes to the businesses whose board they may watch, as ``staff_of`` has it."""
    now, found = datetime.now(UTC), {}
    with reading(engine) as session:
        for some in batches(hashes):
            for row, business_id in session.exec(
                select(LogInRow, MembershipRow.business_id)
                .join(StaffRow, col(StaffRow.id) == col(LogInRow.staff_id))
                .join(MembershipRow, col(MembershipRow.staff_id) == col(LogInRow.staff_id))
                .where(
                    col(MembershipRow.business_id) == col(LogInRow.business_id),
                    col(LogInRow.token_hash).in_(some),
                    col(StaffRow.disabled).is_(False),
                    col(MembershipRow.accepted_at).is_not(None),
                )
            ):
                if not is_over(row.created_at, row.seen_at, now):
                    found[row.token_hash] = business_id
    return found


def _until_s() -> float:
    return time.monotonic() + MISSED_S


def _numbers(session: Session, any_of: Sequence[ColumnElement[bool]]) -> list[int]:
    """The numbers of events of every business, rising."""
    found = session.exec(select(EventRow.seq).where(or_(*any_of)).order_by(col(EventRow.seq)))
    return [seq for seq in found if seq is not None]


def _gaps(low: int, high: int, seen: Iterable[int], until_s: float) -> list[_Gap]:
    """What is missing of ``seen``, which rises, from ``low`` to ``high``."""
    found = []
    for seq in seen:
        if low <= seq <= high:
            if seq > low:
                found.append(_Gap(low, seq - 1, until_s))
            low = seq + 1
    if low <= high:
        found.append(_Gap(low, high, until_s))
    return found


def _routes_of(session: Session, orders: Mapping[str, str]) -> set[str]:
    """The routes that jobs of these orders are on."""
    found: set[str] = set()
    for some in batches(list(orders)):
        found.update(
            session.exec(
                select(StopRow.route_id)
                .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
                .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
                .where(
                    owned(StopRow, {orders[one] for one in some}),
                    col(JobRow.order_id).in_(some),
                )
            )
        )
    return found


def _routes_in(session: Session, businesses: set[str], shifts: Sequence[str]) -> set[str]:
    """The routes that are driven in these shifts."""
    found: set[str] = set()
    for some in batches(shifts):
        found.update(
            session.exec(
                select(RouteRow.id).where(
                    owned(RouteRow, businesses), col(RouteRow.shift_id).in_(some)
                )
            )
        )
    return found


def _routes(session: Session, businesses: set[str], routes: set[str]) -> dict[str, Route]:
    return {
        id_: Route(business_id, driver_id, version)
        for some in batches(list(routes))
        for id_, business_id, driver_id, version in session.exec(
            select(RouteRow.id, RouteRow.business_id, RouteRow.driver_id, RouteRow.version).where(
                owned(RouteRow, businesses), col(RouteRow.id).in_(some)
            )
        )
    }

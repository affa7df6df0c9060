"""A planned day as plain values, for whoever shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.core.breaks_had import Had
from hub.core.jobs import Outcome, State
from hub.core.plan_request import Pace
from hub.core.values import TimeWindow
from hub.db.tables import PlanRow
from hub.flows.ways_found import WaysSeen, is_looking, not_looked_at

Loads = dict[str, int]  # g, cm3, parcels
DONE = frozenset({Outcome.SUCCEEDED, Outcome.PARTIAL})
MOVING = frozenset({State.EN_ROUTE, State.ARRIVED, State.CLOSED})
NOT_DONE = frozenset({Outcome.FAILED, Outcome.SKIPPED})


@dataclass(frozen=True, slots=True)
class JobSeen:
    """``late``: it will be, or was, done after what its recipient was told or asked for;
    ``early``: before what was told.

    ``eta`` is the estimate, else the plan; ``promise`` is ``None`` while none was made.
    """

    id: str
    order_id: str
    number: str
    name: str
    kind: str
    attempt: int
    leg: int
    state: str
    outcome: str
    reason: str
    windows: tuple[TimeWindow, ...]
    promise: TimeWindow | None
    eta: datetime
    late: bool
    early: bool
    load: Loads
    wished: TimeWindow | None = None

    @property
    def cancelled(self) -> bool:
        return self.outcome == Outcome.CANCELLED


@dataclass(frozen=True, slots=True)
class StopSeen:
    id: str
    n: int
    arrive_at: datetime
    depart_at: datetime
    address: str
    place_id: str
    lat: float | None
    lon: float | None
    jobs: tuple[JobSeen, ...]

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(job.number for job in self.jobs)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(job.kind for job in self.jobs)

    @property
    def late(self) -> bool:
        return any(job.late for job in self.jobs)

    @property
    def closed(self) -> bool:
        return all(job.state == State.CLOSED for job in self.jobs)

    @property
    def cancelled(self) -> bool:
        """Nothing is left to do here: it is on the list, but nobody drives there."""
        return all(job.cancelled for job in self.jobs)


@dataclass(frozen=True, slots=True)
class TakeOverSeen:
    """Where a route fetches the load of another van, or (``is_reload``) its own next one at the
    depot; ``done_at`` ``None``: it has not yet. ``is_needed``: it did, or still has to.
    """

    n: int
    van: str
    place: str
    arrive_at: datetime
    depart_at: datetime
    done_at: datetime | None
    is_reload: bool
    parcels: int
    is_needed: bool

    @property
    def said(self) -> str:
        """What is done there, within a sentence."""
        if not self.is_reload:
            return f"takes over the load of {self.van}"
        if not self.parcels:
            return "back at the depot: unload"
        return f"back at the depot: load {self.parcels} parcel{'' if self.parcels == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class RouteSeen:
    """``load``: the most that is ever on board; ``capacity`` names only what is limited.

    ``geometry`` is empty while no line is known: join the stops. ``acknowledged`` is the
    version that the driver has seen. ``pace`` is of the roads on that day.
    """

    id: str
    version: int
    acknowledged: int
    driver_id: str
    driver: str
    vehicle_id: str | None
    vehicle: str
    depot_id: str
    depot: tuple[float, float]
    leaves_at: datetime | None
    back_at: datetime | None
    shift_ends_at: datetime
    published: bool
    distance_m: int
    load: Loads
    capacity: Loads
    geometry: Sequence[Sequence[float]]
    stops: tuple[StopSeen, ...]
    take_overs: tuple[TakeOverSeen, ...] = ()
    pace: tuple[Pace, ...] = ()
    rests: tuple[TimeWindow, ...] = ()  # its driver's breaks that are only planned
    late_rests: tuple[TimeWindow, ...] = ()  # those of them that begin later than they should
    kept_first: frozenset[str] = frozenset()  # ids of jobs that stay first when planned again
    had: tuple[Had, ...] = ()  # the breaks that its driver said he had, or has

    @property
    def over(self) -> Loads:
        """By how much it carries too much, for each kind of load that does."""
        excess = {name: self.load.get(name, 0) - most for name, most in self.capacity.items()}
        return {name: amount for name, amount in excess.items() if amount > 0}

    @property
    def to_drive(self) -> tuple[StopSeen, ...]:
        """Where somebody drives, or drove."""
        return tuple(stop for stop in self.stops if not stop.cancelled)

    @property
    def on_the_way(self) -> tuple[StopSeen | TakeOverSeen, ...]:
        """Its stops, and where it loads, as they are listed."""
        return tuple(sorted((*self.stops, *self.take_overs), key=lambda one: one.n))

    @property
    def stage(self) -> str:
        """``draft``, ``published``, ``loaded``, ``under_way`` once the van left, or ``over``."""
        if not self.published:
            return "draft"
        states = {job.state for job in self.jobs if not job.cancelled}
        if states <= {State.CLOSED}:
            return "over"
        if states & MOVING:
            return "under_way"
        return "loaded" if State.LOADED in states else "published"

    @property
    def jobs(self) -> tuple[JobSeen, ...]:
        return tuple(job for stop in self.stops for job in stop.jobs)


@dataclass(frozen=True, slots=True)
class Unserved:
    """A job of the day that is on no route, and why. ``ways``: what would help, where that
    was looked for.
    """

    job_id: str
    order_id: str
    number: str
    kind: str
    address: str
    lat: float | None
    lon: float | None
    reason: str
    ways: WaysSeen | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Of jobs on routes; ``jobs`` without the cancelled.

    ``late`` and ``early`` ones also count elsewhere.
    """

    routes: int
    published: int
    stops: int
    jobs: int
    done: int
    not_done: int
    cancelled: int
    early: int
    late: int
    unserved: int

    @property
    def to_do(self) -> int:
        """Of those on routes, the open ones."""
        return self.jobs - self.done - self.not_done


@dataclass(frozen=True, slots=True)
class DaySeen:
    """``plans``: the latest run of each depot that has one, oldest first."""

    routes: tuple[RouteSeen, ...]
    left_out: tuple[Unserved, ...]
    to_review: int
    plans: tuple[PlanRow, ...]

    @property
    def is_looking(self) -> bool:
        """What would help those on no route is being looked for."""
        return any(is_looking(plan) for plan in self.plans)

    @property
    def not_looked_at(self) -> int:
        """Of those on no route, how many were too many to look at."""
        return sum(not_looked_at(plan) for plan in self.plans)

    @property
    def unserved(self) -> tuple[tuple[str, str], ...]:
        """An order's number with the reason it is on no route."""
        return tuple((one.number, one.reason) for one in self.left_out)

    @property
    def counts(self) -> Counts:
        jobs = [job for route in self.routes for job in route.jobs]
        return Counts(
            routes=len(self.routes),
            published=sum(route.published for route in self.routes),
            stops=sum(len(route.to_drive) for route in self.routes),
            jobs=sum(not job.cancelled for job in jobs),
            done=sum(job.outcome in DONE for job in jobs),
            not_done=sum(job.outcome in NOT_DONE for job in jobs),
            cancelled=sum(job.cancelled for job in jobs),
            early=sum(job.early for job in jobs),
            late=sum(job.late for job in jobs),
            unserved=len(self.left_out),
        )

"""What is left of a lost round, who takes a share of it, and what that costs.

What is taken over is a job of its own to the core, at the place where that is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from hub.core.fit import Problem, RouteNow
from hub.core.plan_request import JobToPlan, TravelMatrix
from hub.core.values import TimeWindow

Travel = Mapping[str, TravelMatrix]
Unit = tuple[JobToPlan, ...]
Kind = Literal["replacement", "shared", "depot", "driver"]
WAITS_AT_MOST = timedelta(hours=12)  # for a load that is still on its way to the depot


@dataclass(frozen=True, slots=True)
class Load:
    """What is left of a round, and where its goods are taken over.

    ``units``: single jobs and whole pairs, in the order they were to be done in. ``aboard``: ids
    of those whose goods are in the van; the others anybody can do at once. ``ready_at`` ``None``:
    the goods are at ``place`` already. ``waiting``: ids of those whose goods are still at the
    depot, to be loaded at ``yard`` for ``load_s``; a van that starts at ``depot`` may bring them.
    """

    place: int
    transfer_s: int
    units: tuple[Unit, ...]
    aboard: frozenset[str]
    ready_at: datetime | None = None
    waiting: frozenset[str] = frozenset()
    yard: int = 0
    load_s: int = 0
    depot: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """One route before and after; ``job_ids`` came to it. ``take_over``: the id of the stop's job
    where it fetches their goods, ``loading``: of the one where it loads them at the depot; empty if
    it fetches nothing there.
    """

    was: RouteNow
    route: RouteNow
    job_ids: tuple[str, ...]
    take_over: str
    loading: str = ""

    @property
    def fetches(self) -> tuple[JobToPlan, ...]:
        """Taking over its goods, and loading them; as far as there are any to fetch."""
        jobs = (job for stop in self.route.stops for job in stop.jobs)
        return tuple(job for job in jobs if job.id in (self.take_over, self.loading))


@dataclass(frozen=True, slots=True)
class Way:
    """``cost`` in cents, more than without it; ``late``: the promises that break, each by how
    much more. ``left_out``: ids of jobs that nobody can do by it. ``why_not``: why it cannot be
    taken at all; empty if it can.
    """

    kind: Kind
    key: str
    shares: tuple[Share, ...] = ()
    left_out: tuple[str, ...] = ()
    late: tuple[Problem, ...] = ()
    cost: int = 0
    extra_m: int = 0
    why_not: str = ""
    is_looked_at: bool = True

    @property
    def moved(self) -> int:
        """Jobs that somebody else does now."""
        return sum(len(share.job_ids) for share in self.shares)

    @property
    def late_s(self) -> int:
        return sum(problem.amount for problem in self.late)

    @property
    def burden(self) -> tuple[bool, int, int, int]:
        """The less, the better."""
        return bool(self.why_not), len(self.left_out), self.late_s // 60, self.cost


def price(route: RouteNow, travel: Travel) -> int:
    """Cents for driving ``route`` from start to end; nothing for one that nobody drives."""
    if not route.stops:
        return 0
    vehicle = route.vehicle
    hours = (route.home - route.leave).total_seconds() / 3600
    km = metres_of(route, travel) / 1000
    return round(vehicle.fixed_cost + vehicle.per_km * km + vehicle.per_hour * hours)


def take_over(id: str, load: Load, goods: Sequence[JobToPlan]) -> JobToPlan:
    """The work of taking ``goods`` over, after which they are on board."""
    total: Counter[str] = Counter()
    for job in goods:
        total.update(job.load)
    windows: tuple[TimeWindow, ...] = ()
    if load.ready_at is not None:
        windows = (TimeWindow(load.ready_at, load.ready_at + WAITS_AT_MOST),)
    return JobToPlan(
        id=id,
        place=load.place,
        service_s=load.transfer_s,
        load=dict(total),
        load_direction="collect",
        windows=windows,
    )


def from_it(job: JobToPlan, take_over_id: str) -> JobToPlan:
    """``job`` once its goods are taken over at a stop of the same route."""
    return replace(job, pair_with=take_over_id, leg="deliver", load_direction="deliver")


def metres_of(route: RouteNow, travel: Travel) -> int:
    if not route.stops:
        return 0
    metres = travel[route.vehicle.profile].metres
    return sum(metres[a][b] for a, b in pairwise(route.way))

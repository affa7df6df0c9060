"""Routes by PyVRP's iterated local search, the best of what was measured.

PyVRP only chooses who does what in which order; times, breaks and the repair of
anything it could not express are ``completed``'s. Days of ordinary size start from the
quick answer, so that stopping at any moment keeps something lawful, and never end with
anything worse.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyvrp
from pyvrp.solve import SolveParams

from hub import JobToPlan, Need, Plan, PlanRequest, RoutingStrategy, VehicleToPlan, completed

UNITS = 1800  # PyVRP counts whole units; 1/1800 cent keeps prices per km and hour whole
REPORT_S = 1.0
QUICK_JOBS = 600  # the quick answer took 0.4 s for 600 jobs; 4 s if no load limits the vans
IDLE_ITERATIONS = 20_000  # without a better plan: small days end early, and always the same

Orders = dict[str, list[str]]
Matrix = np.ndarray[Any, np.dtype[np.int64]]  # the shape that PyVRP's own types can take


class PyvrpRouting(RoutingStrategy):
    key = "pyvrp"
    title = "Best routes (PyVRP)"

    def capabilities(self) -> frozenset[Need]:
        return frozenset(Need) - {
            Need.PAIRS,
            Need.TIME_ON_BOARD,
            Need.BREAKS,
            Need.OVERTIME,
            Need.LOCKED_PREFIX,
            Need.RELOADS,
            Need.NEVER_TOGETHER,
            Need.WISHES,
            Need.BALANCE,
            Need.WANTED_VEHICLE,
            Need.KNOWN_ORDER,
            Need.PACE,
            Need.MAX_DISTANCE,
            Need.ACCESS,
        }

    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        watch = _Watch(request, time.monotonic() + request.time_limit_s, progress)
        quick = completed(request, {}) if len(request.jobs) <= QUICK_JOBS else None
        if quick is not None and not progress(quick):
            return quick
        model = _Model(request, all_fit=quick is not None and not quick.unassigned)
        if not model.copies or not model.types:
            return quick or completed(request, {})
        watch.best = quick
        watch.model = model
        params = SolveParams(
            # Leaving a job out is dear; running late must be able to become dearer.
            penalty=pyvrp.PenaltyParams(max_penalty=1e9),
            ils=pyvrp.IteratedLocalSearchParams(callbacks=watch),
        )
        result = pyvrp.solve(
            model.data,
            stop=watch,
            seed=request.seed,
            collect_stats=False,
            params=params,
            initial_solution=None if quick is None else model.solution(quick),
        )
        made = completed(request, model.orders(result.best))
        return made if watch.best is None else min(watch.best, made, key=request.loss)


class _Watch(pyvrp.IteratedLocalSearchCallbacks):
    """Ends the search in time, and tells of better plans about once a second."""

    def __init__(
        self, request: PlanRequest, deadline: float, progress: Callable[[Plan], bool]
    ) -> None:
        self.request, self.deadline, self.progress = request, deadline, progress
        self.model: _Model | None = None
        self.best: Plan | None = None  # by the hub's own cost, which is not PyVRP's for all days
        self.better: pyvrp.Solution | None = None
        self.tell_at = time.monotonic() + REPORT_S
        self.idle = 0

    def on_best(self, best: pyvrp.Solution) -> None:
        self.better, self.idle = best, 0

    def __call__(self, best_cost: float) -> bool:
        now = time.monotonic()
        self.idle += 1
        if now >= self.deadline or self.idle > IDLE_ITERATIONS:
            return True
        if now < self.tell_at:
            return False
        if self.better is not None and self.model is not None:
            made = completed(self.request, self.model.orders(self.better))
            self.best = made if self.best is None else min(self.best, made, key=self.request.loss)
            self.better = None
        done = time.monotonic()
        self.tell_at = done + max(REPORT_S, 9 * (done - now))  # telling may cost a tenth
        return self.best is not None and not self.progress(self.best)


@dataclass(frozen=True, slots=True)
class _Copy:
    """A job in one of its windows, in seconds from the first shift's start."""

    job: JobToPlan
    opens: int
    closes: int


@dataclass(slots=True)
class _Type:
    """Vehicles that do not differ, and the matrix they drive by."""

    like: VehicleToPlan
    profile: int
    ids: list[str] = field(default_factory=list)


class _Model:
    """The request as PyVRP sees it. One location per job, then one per depot."""

    def __init__(self, request: PlanRequest, *, all_fit: bool) -> None:
        self.request, self.all_fit = request, all_fit
        self.zero = min((v.shift.opens.timestamp() for v in request.vehicles), default=0.0)
        self.horizon = max((self._shift(v)[1] for v in request.vehicles), default=0)
        self.copies: list[_Copy] = []
        self.jobs: list[JobToPlan] = []
        for job in request.jobs:
            spans = self._spans(job)
            if spans and any(_may(vehicle, job) for vehicle in request.vehicles):
                self.jobs.append(job)
                self.copies += [_Copy(job, *span) for span in spans]
        self.location = {job.id: n for n, job in enumerate(self.jobs)}
        ends = [v.start for v in request.vehicles] + [v.end for v in request.vehicles]
        self.depots: list[int | None] = list(dict.fromkeys(ends))  # None: where nobody drives
        self.names = sorted({name for v in request.vehicles for name in v.capacity})
        self.types: list[_Type] = []
        if self.copies and request.vehicles:
            self._build()

    def solution(self, plan: Plan) -> pyvrp.Solution:
        """A plan's routes as a place to start from; jobs PyVRP cannot see are dropped."""
        copy = {(c.job.id, c.opens, c.closes): n for n, c in enumerate(self.copies)}
        routes = []
        for n, kind in enumerate(self.types):
            for id in kind.ids:
                visits = []
                for visit in plan.routes.get(id, ()):
                    start = visit.start.timestamp() - self.zero
                    spans = self._spans_of.get(visit.job_id, [])
                    fits = [span for span in spans if span[0] <= start <= span[1]]
                    visits += [copy[(visit.job_id, *span)] for span in fits[:1]]
                if visits:
                    routes.append(pyvrp.Route(self.data, visits, n))
        return pyvrp.Solution(self.data, routes)

    def orders(self, solution: pyvrp.Solution) -> Orders:
        """Job ids per vehicle id; identical vehicles take their routes in turn."""
        free = [list(kind.ids) for kind in self.types]
        orders: Orders = {}
        for route in solution.routes():
            visits = [activity.idx for activity in route if activity.is_client()]
            if visits and free[route.vehicle_type()]:
                id = free[route.vehicle_type()].pop(0)
                orders[id] = [self.copies[n].job.id for n in visits]
        return orders

    def _build(self) -> None:
        request = self.request
        matrices: dict[tuple[object, ...], int] = {}
        distances: list[Matrix] = []
        durations: list[Matrix] = []
        kinds: dict[tuple[object, ...], _Type] = {}
        for vehicle in request.vehicles:
            barred = frozenset(job.id for job in self.jobs if not _may(vehicle, job))
            way = (vehicle.profile, vehicle.service_factor, vehicle.per_km, barred)
            if way not in matrices:
                matrices[way] = len(matrices)
                metres, seconds = self._matrices(vehicle, barred)
                distances.append(metres)
                durations.append(seconds)
            same = (
                *(way, vehicle.start, vehicle.end, vehicle.shift, vehicle.overtime_s),
                *(tuple(sorted(vehicle.capacity.items())), vehicle.max_duration_s),
                *(vehicle.max_jobs, vehicle.fixed_cost, vehicle.per_hour),
            )
            kinds.setdefault(same, _Type(vehicle, matrices[way])).ids.append(vehicle.id)
        self.types = list(kinds.values())
        self._spans_of: dict[str, list[tuple[int, int]]] = {}
        for copy in self.copies:
            self._spans_of.setdefault(copy.job.id, []).append((copy.opens, copy.closes))
        groups = self._groups()
        where = {n: group for group, members in enumerate(groups) for n in members}
        points = [request.places[job.place] for job in self.jobs]
        points += [request.places[depot or 0] for depot in self.depots]
        self.data = pyvrp.ProblemData(
            locations=[pyvrp.Location(p.lat, p.lon) for p in points],
            clients=[self._client(copy, where.get(n)) for n, copy in enumerate(self.copies)],
            depots=[pyvrp.Depot(len(self.jobs) + n) for n in range(len(self.depots))],
            vehicle_types=[self._vehicles(kind) for kind in self.types],
            distance_matrices=distances,
            duration_matrices=durations,
            groups=[pyvrp.ClientGroup(members, required=self._must(members)) for members in groups],
        )

    def _groups(self) -> list[list[int]]:
        several: dict[str, list[int]] = {}
        for n, copy in enumerate(self.copies):
            several.setdefault(copy.job.id, []).append(n)
        return [members for members in several.values() if len(members) > 1]

    def _must(self, members: Sequence[int]) -> bool:
        return self.all_fit and not self.copies[members[0]].job.optional

    def _client(self, copy: _Copy, group: int | None) -> pyvrp.Client:
        job = copy.job
        must = self.all_fit and not job.optional
        brings = job.load_direction == "deliver"
        waits = brings and job.ready_at is not None
        ready = self._seconds(job.ready_at.timestamp()) if waits and job.ready_at else 0
        return pyvrp.Client(
            self.location[job.id],
            # The last dimension counts jobs, for ``max_jobs``.
            delivery=[*(job.load.get(name, 0) if brings else 0 for name in self.names), 1],
            pickup=[
                *(job.load.get(n, 0) if job.load_direction == "collect" else 0 for n in self.names),
                0,
            ],
            tw_early=copy.opens,
            tw_late=copy.closes,
            release_time=min(max(0, ready), copy.closes),
            prize=0 if must else self._prize(job),
            required=must and group is None,
            group=group,
        )

    def _prize(self, job: JobToPlan) -> int:
        """An optional job's own; for others more than any detour, doubled per priority."""
        if job.optional:
            return job.prize * UNITS
        dearest = max(
            v.fixed_cost * UNITS + self.horizon * v.per_hour * UNITS // 3600
            for v in self.request.vehicles
        )
        return (dearest + 100_000 * UNITS) << max(0, min(job.priority, 9))

    def _vehicles(self, kind: _Type) -> pyvrp.VehicleType:
        like = kind.like
        opens, closes = self._shift(like)
        load = {name: sum(job.load.get(name, 0) for job in self.jobs) for name in self.names}
        most = [like.capacity.get(name, load[name]) for name in self.names]
        longest = closes - opens if like.max_duration_s is None else like.max_duration_s
        return pyvrp.VehicleType(
            num_available=len(kind.ids),
            capacity=[*most, len(self.jobs) if like.max_jobs is None else like.max_jobs],
            start_depot=self.depots.index(like.start),
            end_depot=self.depots.index(like.end),
            fixed_cost=like.fixed_cost * UNITS,
            tw_early=opens,
            tw_late=closes,
            shift_duration=longest,
            unit_distance_cost=1,
            unit_duration_cost=like.per_hour * UNITS // 3600,
            profile=kind.profile,
        )

    def _matrices(self, vehicle: VehicleToPlan, barred: frozenset[str]) -> tuple[Matrix, Matrix]:
        """Costs of the metres, and seconds; service is part of the way out of a job,
        since PyVRP knows no slower drivers. A job barred is further than the day is long.
        """
        travel = self.request.travel[vehicle.profile]
        places = [job.place for job in self.jobs]
        places += [0 if depot is None else depot for depot in self.depots]
        index = np.ix_(places, places)
        metres = np.asarray(travel.metres, dtype=np.int64)[index]
        seconds = np.asarray(travel.seconds, dtype=np.int64)[index]
        metres = metres * vehicle.per_km * UNITS // 1000
        if None in self.depots:
            nowhere = len(self.jobs) + self.depots.index(None)
            for matrix in (metres, seconds):
                matrix[:, nowhere] = 0
                matrix[nowhere, :] = 0
        for n, job in enumerate(self.jobs):
            seconds[n, :] += int(-(-job.service_s * vehicle.service_factor // 1))
            if job.id in barred:
                seconds[:, n] = 4 * self.horizon
        np.fill_diagonal(seconds, 0)
        np.fill_diagonal(metres, 0)
        return metres, seconds

    def _spans(self, job: JobToPlan) -> list[tuple[int, int]]:
        if not job.windows:
            return [(0, self.horizon)]
        spans = {
            (max(0, self._seconds(w.opens.timestamp())), int(w.closes.timestamp() - self.zero))
            for w in job.windows
        }
        return sorted((o, min(c, self.horizon)) for o, c in spans if o <= min(c, self.horizon))

    def _shift(self, vehicle: VehicleToPlan) -> tuple[int, int]:
        closes = int(vehicle.shift.closes.timestamp() - self.zero)
        return self._seconds(vehicle.shift.opens.timestamp()), closes + vehicle.overtime_s

    def _seconds(self, moment: float) -> int:
        return int(-(-(moment - self.zero) // 1))


def _may(vehicle: VehicleToPlan, job: JobToPlan) -> bool:
    return (
        job.vehicle in (None, vehicle.id)
        and vehicle.id not in job.forbidden_vehicles
        and job.skills <= vehicle.offers
    )

"""A planning request as PyVRP sees it, and its answers in the hub's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyvrp
from pyvrp import Activity, ActivityType

from hub import JobToPlan, Plan, PlanRequest
from hub.plugins.routing_pyvrp.vehicles import (
    UNITS,
    Fleet,
    earliest,
    latest,
    may_do,
    rounded_up,
)

Orders = dict[str, list[str]]
Span = tuple[int, int]  # seconds from the first shift's start
Reloads = Mapping[str, Sequence[tuple[int, int]]]  # vehicle id -> (after so many visits, place)


@dataclass(frozen=True, slots=True)
class _Copy:
    """A job in one of its windows."""

    job: JobToPlan
    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class _Pair:
    """Goods from one door to another. PyVRP knows one window at each: two that follow on each
    other, the widest of those.
    """

    collect: JobToPlan
    deliver: JobToPlan
    collect_span: Span
    deliver_span: Span


def reloads_of(plan: Plan) -> Reloads:
    return {
        id: tuple((reload.after_visits, reload.place) for reload in reloads)
        for id, reloads in plan.reloads.items()
    }


class Model:
    """One location per job, then one per depot, then one for where vehicles load again.

    ``all_fit``: a plan without any job that is not optional is no answer, which PyVRP is faster
    with than with prizes. ``starts``: when jobs begin in a plan that is known, an epoch; drives
    take what they take then.

    Jobs that no vehicle can do are not in it. The jobs of a pair are not counted where
    ``max_jobs`` limits them, nor those of an earlier load: `completed` leaves out who is too much.
    """

    def __init__(
        self, request: PlanRequest, *, all_fit: bool, starts: Mapping[str, float] | None = None
    ) -> None:
        self.request, self.all_fit = request, all_fit
        self.zero, self.horizon = earliest(request), latest(request)
        self.jobs: list[JobToPlan] = []
        self.copies: list[_Copy] = []
        self.pairs: list[_Pair] = []
        self._spans_of: dict[str, list[Span]] = {}
        self._choose_jobs()
        self.location = {job.id: n for n, job in enumerate(self.jobs)}
        self.is_empty = not self.jobs or not request.vehicles
        if not self.is_empty:
            self.fleet = Fleet(request, self.jobs, starts or {})
            self.data = self._data()

    def solution(
        self,
        orders: Mapping[str, Sequence[str]],
        starts: Mapping[str, float],
        reloads: Reloads | None = None,
    ) -> pyvrp.Solution:
        """Orders as a place to start from; jobs PyVRP cannot see are dropped.

        ``starts``: when a job with several windows begins, an epoch.
        """
        loads = reloads or {}
        visit = {(c.job.id, c.opens, c.closes): n for n, c in enumerate(self.copies)}
        half = {pair.collect.id: (ActivityType.PICKUP, n) for n, pair in enumerate(self.pairs)}
        half |= {pair.deliver.id: (ActivityType.DELIVERY, n) for n, pair in enumerate(self.pairs)}
        routes = []
        for n, kind in enumerate(self.fleet.types):
            for id in kind.ids:
                visits = []
                due = dict(loads.get(id, ()))
                for count, job_id in enumerate(orders.get(id, ())):
                    if count in due:
                        depot = self.fleet.reload_depot(kind.like, due[count])
                        visits.append(Activity(ActivityType.DEPOT, depot))
                    if job_id in half:
                        visits.append(Activity(*half[job_id]))
                        continue
                    spans = self._spans_of.get(job_id, [])
                    if len(spans) > 1:
                        start = starts.get(job_id, 0.0) - self.zero
                        spans = [span for span in spans if span[0] <= start <= span[1]]
                    visits += [
                        Activity(ActivityType.CLIENT, visit[(job_id, *span)]) for span in spans[:1]
                    ]
                if visits:
                    routes.append(pyvrp.Route(self.data, visits, n))
        return pyvrp.Solution(self.data, routes)

    def orders(self, solution: pyvrp.Solution) -> Orders:
        """Job ids per vehicle id; identical vehicles take their routes in turn."""
        free = [list(kind.ids) for kind in self.fleet.types]
        orders: Orders = {}
        for route in solution.routes():
            visits = [self._job_id(activity) for activity in route if not activity.is_depot()]
            if visits and free[route.vehicle_type()]:
                orders[free[route.vehicle_type()].pop(0)] = visits
        return orders

    def _job_id(self, activity: Activity) -> str:
        if activity.is_client():
            return self.copies[activity.idx].job.id
        pair = self.pairs[activity.idx]
        return pair.collect.id if activity.is_pickup() else pair.deliver.id

    def _choose_jobs(self) -> None:
        vehicles, known = self.request.vehicles, {job.id: job for job in self.request.jobs}
        for job in self.request.jobs:
            spans = self._spans(job)
            if job.pair_with is None:
                if spans and any(may_do(vehicle, job) for vehicle in vehicles):
                    self.jobs.append(job)
                    self.copies += [_Copy(job, *span) for span in spans]
                    self._spans_of[job.id] = spans
            elif job.leg == "collect":
                other = known[job.pair_with]
                both = _widest(spans, self._spans(other))
                if both and any(may_do(v, job) and may_do(v, other) for v in vehicles):
                    self.jobs += [job, other]
                    self.pairs.append(_Pair(job, other, *both))

    def _data(self) -> pyvrp.ProblemData:
        request, fleet = self.request, self.fleet
        groups = self._groups()
        where = {n: group for group, members in enumerate(groups) for n in members}
        points = [request.places[job.place] for job in self.jobs]
        points += [request.places[depot or 0] for depot in fleet.depots]
        points += [request.places[place] for place, _ in fleet.reloads]
        return pyvrp.ProblemData(
            locations=[pyvrp.Location(p.lat, p.lon) for p in points],
            clients=[self._client(copy, where.get(n)) for n, copy in enumerate(self.copies)],
            depots=[
                pyvrp.Depot(len(self.jobs) + n)
                for n in range(len(fleet.depots) + len(fleet.reloads))
            ],
            vehicle_types=fleet.vehicle_types(),
            distance_matrices=fleet.distances,
            duration_matrices=fleet.durations,
            groups=[pyvrp.ClientGroup(members, required=self._must(members)) for members in groups],
            shipments=[self._shipment(pair) for pair in self.pairs],
        )

    def _groups(self) -> list[list[int]]:
        several: dict[str, list[int]] = {}
        for n, copy in enumerate(self.copies):
            several.setdefault(copy.job.id, []).append(n)
        return [members for members in several.values() if len(members) > 1]

    def _must(self, members: Sequence[int]) -> bool:
        return self.all_fit and not self.copies[members[0]].job.optional

    def _client(self, copy: _Copy, group: int | None) -> pyvrp.Client:
        job, fleet = copy.job, self.fleet
        must = self.all_fit and not job.optional
        brings, takes = (job.load_direction == way for way in ("deliver", "collect"))
        ready = 0
        if brings and job.ready_at is not None:
            ready = rounded_up(job.ready_at.timestamp() - self.zero)
        return pyvrp.Client(
            self.location[job.id],
            delivery=fleet.load(job, if_=brings, counts=1),
            pickup=fleet.load(job, if_=takes),
            tw_early=copy.opens,
            tw_late=copy.closes,
            release_time=min(max(0, ready), copy.closes),
            prize=0 if must else self._prize(job),
            required=must and group is None,
            group=group,
        )

    def _shipment(self, pair: _Pair) -> pyvrp.Shipment:
        must = self.all_fit and not (pair.collect.optional and pair.deliver.optional)
        return pyvrp.Shipment(
            self.location[pair.collect.id],
            self.location[pair.deliver.id],
            pickup_tw_early=pair.collect_span[0],
            pickup_tw_late=pair.collect_span[1],
            delivery_tw_early=pair.deliver_span[0],
            delivery_tw_late=pair.deliver_span[1],
            amount=self.fleet.load(pair.collect),
            prize=0 if must else self._prize(pair.collect) + self._prize(pair.deliver),
            required=must,
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

    def _spans(self, job: JobToPlan) -> list[Span]:
        if not job.windows:
            return [(0, self.horizon)]
        spans = {
            (
                max(0, rounded_up(w.opens.timestamp() - self.zero)),
                int(w.closes.timestamp() - self.zero),
            )
            for w in job.windows
        }
        return sorted((o, min(c, self.horizon)) for o, c in spans if o <= min(c, self.horizon))


def _widest(spans: Sequence[Span], then: Sequence[Span]) -> tuple[Span, Span] | None:
    """One of each, where what begins in the first can be over before the second."""
    both = [(one, other) for one in spans for other in then if one[0] <= other[1]]
    return max(both, key=lambda pair: sum(c - o for o, c in pair), default=None)

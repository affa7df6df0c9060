"""Routes by OR-Tools, for what PyVRP cannot express: breaks, pairs, what is locked.

It starts from the quick answer and improves it by guided local search, or keeps it. A
van that both delivers and collects counts as fuller than it is; ``completed`` uses the rest.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from hub import JobToPlan, Need, Plan, PlanRequest, RoutingStrategy, VehicleToPlan, completed

UNITS = 1800  # whole units per cent, as prices per km and hour need them
REPORT_S = 1.0
ENOUGH_S = (0.5, 0.008)  # at all, and times the jobs squared: its search has no end of its own.
# Of eight mixed days of 20 jobs, four times as long made one cheaper, by a thousandth.


class OrtoolsRouting(RoutingStrategy):
    key = "ortools"
    title = "Breaks, pairs and locked stops (OR-Tools)"

    def capabilities(self) -> frozenset[Need]:
        return frozenset(Need)

    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        enough_s = ENOUGH_S[0] + ENOUGH_S[1] * len(request.jobs) ** 2
        deadline = time.monotonic() + min(request.time_limit_s, enough_s)
        quick = completed(request, {})
        if not progress(quick) or not request.jobs or not request.vehicles:
            return quick
        orders = _Search(request).run(quick, deadline, progress)
        if orders is None and request.fixed:
            others = _without_the_fixed(request, quick)
            if others.jobs and others.vehicles:
                better = _Search(others).run(quick, deadline, lambda best: progress(quick))
                orders = None if better is None else {**_fixed(request, quick), **better}
        made = quick if orders is None else completed(request, orders)
        return min(quick, made, key=request.loss)


def _fixed(request: PlanRequest, quick: Plan) -> dict[str, list[str]]:
    return {
        v: [visit.job_id for visit in way]
        for v, way in quick.routes.items()
        if request.fixed.get(v)
    }


def _without_the_fixed(request: PlanRequest, quick: Plan) -> PlanRequest:
    """The day of the vehicles nobody fixed: a person may fix what no rule allows,
    and OR-Tools then finds no answer for anybody.
    """
    theirs = {id for ids in _fixed(request, quick).values() for id in ids}
    jobs = {job.id: job for job in request.jobs if job.id not in theirs}
    return replace(
        request,
        jobs=tuple(j for j in jobs.values() if j.pair_with is None or j.pair_with in jobs),
        vehicles=tuple(v for v in request.vehicles if not request.fixed.get(v.id)),
        fixed={},
    )


class _Search:
    """The request as OR-Tools sees it: a node per job, then one per depot."""

    def __init__(self, request: PlanRequest) -> None:
        self.request = request
        self.jobs, self.vehicles = request.jobs, request.vehicles
        self.zero = min(v.shift.opens.timestamp() for v in self.vehicles)
        self.horizon = max(self._closes(v) + v.overtime_s for v in self.vehicles)
        ends = [v.start for v in self.vehicles] + [v.end for v in self.vehicles]
        self.depots: list[int | None] = list(dict.fromkeys(ends))  # None: where nobody drives
        node = {depot: len(self.jobs) + n for n, depot in enumerate(self.depots)}
        self.manager = pywrapcp.RoutingIndexManager(
            len(self.jobs) + len(self.depots),
            len(self.vehicles),
            [node[v.start] for v in self.vehicles],
            [node[v.end] for v in self.vehicles],
        )
        self.model = pywrapcp.RoutingModel(self.manager)
        self.solver = self.model.solver()
        self.at = {job.id: self.manager.NodeToIndex(n) for n, job in enumerate(self.jobs)}
        self.fixed = {id for ids in request.fixed.values() for id in ids}
        self.time = self._hours_and_costs()
        self._capacities()
        for job in self.jobs:
            self._job(job)
        for n, vehicle in enumerate(self.vehicles):
            self._locked(n, vehicle)
            self._breaks(n, vehicle)

    def run(
        self, start: Plan, deadline: float, progress: Callable[[Plan], bool]
    ) -> dict[str, list[str]] | None:
        """Job ids per vehicle id; ``None`` when the model has no answer."""
        told_at = time.monotonic()

        def found() -> None:
            nonlocal told_at
            if time.monotonic() - told_at >= REPORT_S:
                orders = self._orders(lambda index: self.model.NextVar(index).Value())
                go_on = progress(completed(self.request, orders))
                told_at = time.monotonic()
                if not go_on:
                    self.model.CancelSearch()

        self.model.AddAtSolutionCallback(found)
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        parameters.local_search_metaheuristic = metaheuristic
        left = max(0.1, deadline - time.monotonic())
        parameters.time_limit.FromMilliseconds(round(left * 1000))
        self.model.CloseModelWithParameters(parameters)
        routes = [[v.job_id for v in start.routes.get(vehicle.id, ())] for vehicle in self.vehicles]
        nodes = [[self.at[id] for id in route if id in self.at] for route in routes]
        first = self.model.ReadAssignmentFromRoutes(nodes, True)
        if first is None:
            answer = self.model.SolveWithParameters(parameters)
        else:
            answer = self.model.SolveFromAssignmentWithParameters(first, parameters)
        if answer is None:
            return None
        return self._orders(lambda index: answer.Value(self.model.NextVar(index)))

    def _orders(self, follow: Callable[[int], int]) -> dict[str, list[str]]:
        orders: dict[str, list[str]] = {}
        for n, vehicle in enumerate(self.vehicles):
            index = follow(self.model.Start(n))
            while not self.model.IsEnd(index):
                job = self.jobs[self.manager.IndexToNode(index)]
                orders.setdefault(vehicle.id, []).append(job.id)
                index = follow(index)
        return orders

    def _hours_and_costs(self) -> Any:
        drives = []
        for n, vehicle in enumerate(self.vehicles):
            metres, seconds = self._matrices(vehicle)
            drives.append(self.model.RegisterTransitMatrix(seconds))
            price = self.model.RegisterTransitMatrix(metres)
            self.model.SetArcCostEvaluatorOfVehicle(price, n)
            self.model.SetFixedCostOfVehicle(vehicle.fixed_cost * UNITS, n)
        self.model.AddDimensionWithVehicleTransits(
            drives, self.horizon, self.horizon, False, "time"
        )
        hours = self.model.GetDimensionOrDie("time")
        for n, vehicle in enumerate(self.vehicles):
            opens, closes = self._seconds(vehicle.shift.opens), self._closes(vehicle)
            start, end = self.model.Start(n), self.model.End(n)
            latest = closes + vehicle.overtime_s
            hours.CumulVar(start).SetRange(opens, latest)
            hours.CumulVar(end).SetRange(opens, latest)
            hours.SetSpanCostCoefficientForVehicle(vehicle.per_hour * UNITS // 3600, n)
            if vehicle.overtime_s:
                price_s = vehicle.overtime_per_hour * UNITS // 3600
                hours.SetCumulVarSoftUpperBound(end, closes, price_s)
            if vehicle.max_duration_s is not None:
                hours.SetSpanUpperBoundForVehicle(vehicle.max_duration_s, n)
        return hours

    def _capacities(self) -> None:
        rows = {
            name: [self._put_on_board(job, name) for job in self.jobs]
            for name in {name for vehicle in self.vehicles for name in vehicle.capacity}
        }
        for name, row in rows.items():
            most = sum(abs(amount) for amount in row)
            limits = [v.capacity.get(name, most) for v in self.vehicles]
            self._count(row, limits, f"load {name}")
        if any(v.max_jobs is not None for v in self.vehicles):
            most = len(self.jobs)
            limits = [most if v.max_jobs is None else v.max_jobs for v in self.vehicles]
            self._count([1] * most, limits, "jobs")

    def _count(self, row: list[int], limits: list[int], name: str) -> None:
        amounts = [*row, *(0 for _ in self.depots)]
        each = self.model.RegisterUnaryTransitVector(amounts)
        self.model.AddDimensionWithVehicleCapacity(each, 0, limits, True, name)

    def _put_on_board(self, job: JobToPlan, name: str) -> int:
        if job.pair_with and job.leg == "deliver":
            other = next(j for j in self.jobs if j.id == job.pair_with)
            return -other.load.get(name, 0)
        return 0 if job.load_direction == "none" and not job.pair_with else job.load.get(name, 0)

    def _job(self, job: JobToPlan) -> None:
        index = self.at[job.id]
        begins = self.time.CumulVar(index)
        if job.id not in self.fixed:
            self._when(job, begins)
            self.model.AddDisjunction([index], self._prize(job))
            able = [n for n, v in enumerate(self.vehicles) if _may(v, job)]
            self.model.VehicleVar(index).SetValues([-1, *able])
        if (
            job.pair_with
            and job.leg == "collect"
            and self.fixed.isdisjoint({job.id, job.pair_with})
        ):
            self._pair(job, next(j for j in self.jobs if j.id == job.pair_with))
        from_depot = job.load_direction == "deliver" and not job.pair_with
        for n, _ in enumerate(self.vehicles):
            leaves = self.time.CumulVar(self.model.Start(n))
            if from_depot and job.ready_at is not None and job.id not in self.fixed:
                here = self.model.VehicleVar(index) == n
                self.solver.Add(leaves >= here * self._seconds(job.ready_at))
            if job.max_on_board_s is not None and from_depot:
                here = self.model.VehicleVar(index) == n
                spare = 2 * self.horizon
                self.solver.Add(begins - leaves <= spare - here * (spare - job.max_on_board_s))

    def _when(self, job: JobToPlan, begins: Any) -> None:
        spans = sorted(
            (self._seconds(w.opens), math.floor(w.closes.timestamp() - self.zero))
            for w in job.windows
        )
        spans = [
            (max(0, o), min(c, self.horizon)) for o, c in spans if o <= self.horizon and c >= 0
        ]
        if not spans:
            if job.windows:
                self.model.VehicleVar(self.at[job.id]).SetValues([-1])
            return
        begins.SetRange(spans[0][0], max(closes for _, closes in spans))
        known = spans[0][1]
        for opens, closes in spans[1:]:
            if opens > known + 1:
                begins.RemoveInterval(known + 1, opens - 1)
            known = max(known, closes)

    def _pair(self, collect: JobToPlan, deliver: JobToPlan) -> None:
        first, then = self.at[collect.id], self.at[deliver.id]
        self.model.AddPickupAndDelivery(first, then)
        self.solver.Add(self.model.VehicleVar(first) == self.model.VehicleVar(then))
        begins, brings = self.time.CumulVar(first), self.time.CumulVar(then)
        self.solver.Add(begins <= brings)
        if deliver.max_on_board_s is not None:
            quickest = min(_service(v, collect) for v in self.vehicles)
            self.solver.Add(brings - begins <= deliver.max_on_board_s + quickest)

    def _locked(self, n: int, vehicle: VehicleToPlan) -> None:
        before = self.model.Start(n)
        for id in self.request.fixed.get(vehicle.id, ()):
            self.solver.Add(self.model.NextVar(before) == self.at[id])
            before = self.at[id]

    def _breaks(self, n: int, vehicle: VehicleToPlan) -> None:
        if not vehicle.breaks:
            return
        rests = [
            self.solver.FixedDurationIntervalVar(
                max(0, self._seconds(rest.window.opens)),
                max(0, math.floor(rest.window.closes.timestamp() - self.zero)),
                rest.duration_s,
                False,
                f"{vehicle.id} rests",
            )
            for rest in vehicle.breaks
        ]
        works = [_service(vehicle, job) for job in self.jobs] + [0 for _ in self.depots]
        nodes = [self.manager.IndexToNode(i) for i in range(self.model.Size())]
        self.time.SetBreakIntervalsOfVehicle(rests, n, [works[node] for node in nodes])

    def _prize(self, job: JobToPlan) -> int:
        """An optional job's own; for others more than any detour, doubled per priority."""
        if job.optional:
            return job.prize * UNITS
        dearest = max(v.fixed_cost + self.horizon * v.per_hour // 3600 for v in self.vehicles)
        return ((dearest + 100_000) * UNITS) << max(0, min(job.priority, 9))

    def _matrices(self, vehicle: VehicleToPlan) -> tuple[list[list[int]], list[list[int]]]:
        """What the metres cost, and seconds with the service before leaving."""
        travel = self.request.travel[vehicle.profile]
        places: list[int | None] = [*(job.place for job in self.jobs), *self.depots]
        works = [_service(vehicle, job) for job in self.jobs] + [0 for _ in self.depots]
        metres, seconds = [], []
        for work, here in zip(works, places, strict=True):
            far = [0 if None in (here, to) else travel.metres[here][to] for to in places]  # type: ignore[index]
            long = [0 if None in (here, to) else travel.seconds[here][to] for to in places]  # type: ignore[index]
            metres.append([m * vehicle.per_km * UNITS // 1000 for m in far])
            seconds.append([work + s for s in long])
        return metres, seconds

    def _seconds(self, moment: datetime) -> int:
        return math.ceil(moment.timestamp() - self.zero)

    def _closes(self, vehicle: VehicleToPlan) -> int:
        return math.floor(vehicle.shift.closes.timestamp() - self.zero)


def _service(vehicle: VehicleToPlan, job: JobToPlan) -> int:
    return math.ceil(job.service_s * vehicle.service_factor)


def _may(vehicle: VehicleToPlan, job: JobToPlan) -> bool:
    return (
        job.vehicle in (None, vehicle.id)
        and vehicle.id not in job.forbidden_vehicles
        and job.skills <= vehicle.offers
    )

"""A day to plan as OR-Tools' routing model, and its search for orders."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from hub import JobToPlan, Plan, PlanRequest, VehicleToPlan, completed
from hub.plugins.ortools_ways import UNITS, Chance, Ways, service_s

REPORT_S = 1.0
FARTHEST_M = 1 << 40
PAIRS_APART = 4000  # of one rule: more only slow the search down, and `completed` parts the rest


class Search:
    """The request as OR-Tools sees it: a node per job, then per chance to reload and per depot.

    ``known``: a plan that tells when its drives will be driven, about.
    """

    def __init__(self, request: PlanRequest, known: Plan | None = None) -> None:
        self.request = request
        self.jobs, self.vehicles = request.jobs, request.vehicles
        self.zero = min(v.shift.opens.timestamp() for v in self.vehicles)
        self.horizon = max(self._closes(v) + v.overtime_s for v in self.vehicles)
        ends = [v.start for v in self.vehicles] + [v.end for v in self.vehicles]
        self.depots: list[int | None] = list(dict.fromkeys(ends))  # None: where nobody drives
        self.reloads = [
            Chance(n, place)
            for n, v in enumerate(self.vehicles)
            for place in v.reload_at
            for _ in range(v.max_reloads)
        ]
        visits = () if known is None else (v for way in known.routes.values() for v in way)
        starts = {visit.job_id: visit.start.timestamp() for visit in visits}
        self.ways = Ways(request, self.reloads, self.depots, starts)
        before_depots = len(self.jobs) + len(self.reloads)
        node = {depot: before_depots + n for n, depot in enumerate(self.depots)}
        self.manager = pywrapcp.RoutingIndexManager(
            before_depots + len(self.depots),
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
        self._apart()
        for n, vehicle in enumerate(self.vehicles):
            self._may_reload(n, vehicle)
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
        nodes = [self._stops(start, n, vehicle) for n, vehicle in enumerate(self.vehicles)]
        first = self.model.ReadAssignmentFromRoutes(nodes, True)
        if first is None:
            answer = self.model.SolveWithParameters(parameters)
        else:
            answer = self.model.SolveFromAssignmentWithParameters(first, parameters)
        if answer is None:
            return None
        return self._orders(lambda index: answer.Value(self.model.NextVar(index)))

    def _stops(self, plan: Plan, n: int, vehicle: VehicleToPlan) -> list[int]:
        """The indexes of what ``vehicle`` does by ``plan``, reloads among them."""
        chances = [
            (reload.place, self.manager.NodeToIndex(len(self.jobs) + at))
            for at, reload in enumerate(self.reloads)
            if reload.vehicle == n
        ]
        due = {reload.after_visits: reload.place for reload in plan.reloads.get(vehicle.id, ())}
        found = []
        for count, visit in enumerate(plan.routes.get(vehicle.id, ())):
            if count in due:
                chance = next(one for one in chances if one[0] == due[count])
                chances.remove(chance)
                found.append(chance[1])
            if visit.job_id in self.at:
                found.append(self.at[visit.job_id])
        return found

    def _orders(self, follow: Callable[[int], int]) -> dict[str, list[str]]:
        orders: dict[str, list[str]] = {}
        for n, vehicle in enumerate(self.vehicles):
            index = follow(self.model.Start(n))
            while not self.model.IsEnd(index):
                node = self.manager.IndexToNode(index)
                if node < len(self.jobs):
                    orders.setdefault(vehicle.id, []).append(self.jobs[node].id)
                index = follow(index)
        return orders

    def _hours_and_costs(self) -> Any:
        drives, ways = [], []
        for n, vehicle in enumerate(self.vehicles):
            metres, seconds = self.ways.matrices(vehicle)
            drives.append(self.model.RegisterTransitMatrix(seconds))
            price = self.model.RegisterTransitMatrix(self.ways.prices(vehicle, metres))
            self.model.SetArcCostEvaluatorOfVehicle(price, n)
            if any(v.max_distance_m is not None for v in self.vehicles):
                ways.append(self.model.RegisterTransitMatrix(metres))
            self.model.SetFixedCostOfVehicle(vehicle.fixed_cost * UNITS, n)
        self.model.AddDimensionWithVehicleTransits(
            drives, self.horizon, self.horizon, False, "time"
        )
        hours = self.model.GetDimensionOrDie("time")
        if ways:
            limits = [FARTHEST_M if (m := v.max_distance_m) is None else m for v in self.vehicles]
            self.model.AddDimensionWithVehicleTransitAndCapacity(ways, 0, limits, True, "metres")
        uneven = self.request.uneven_per_hour * UNITS // 3600
        if uneven:
            hours.SetGlobalSpanCostCoefficient(uneven)
        for n, vehicle in enumerate(self.vehicles):
            opens, closes = self._seconds(vehicle.shift.opens), self._closes(vehicle)
            start, end = self.model.Start(n), self.model.End(n)
            latest = closes + vehicle.overtime_s
            hours.CumulVar(start).SetRange(opens, latest)
            hours.CumulVar(end).SetRange(opens, latest)
            # Each hour also makes the mean longer, from which the longest day is told.
            hour = vehicle.per_hour * UNITS // 3600 - uneven // len(self.vehicles)
            hours.SetSpanCostCoefficientForVehicle(max(0, hour), n)
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
            self._load(row, limits, f"load {name}")
        if any(v.max_jobs is not None for v in self.vehicles):
            most = len(self.jobs)
            limits = [most if v.max_jobs is None else v.max_jobs for v in self.vehicles]
            self._count([1] * most, limits, "jobs")

    def _count(self, row: list[int], limits: list[int], name: str) -> None:
        amounts = [*row, *(0 for _ in self.reloads), *(0 for _ in self.depots)]
        each = self.model.RegisterUnaryTransitVector(amounts)
        self.model.AddDimensionWithVehicleCapacity(each, 0, limits, True, name)

    def _load(self, row: list[int], limits: list[int], name: str) -> None:
        """Counts what was put on board since the last loading, where all of it is put down."""
        if not self.reloads:
            self._count(row, limits, name)
            return
        empty = [-limits[reload.vehicle] for reload in self.reloads]
        each = self.model.RegisterUnaryTransitVector([*row, *empty, *(0 for _ in self.depots)])
        self.model.AddDimensionWithVehicleCapacity(each, max(limits), limits, True, name)
        board = self.model.GetDimensionOrDie(name)
        for n in range(len(self.jobs)):
            board.SlackVar(self.manager.NodeToIndex(n)).SetValue(0)
        for n in range(len(self.vehicles)):
            board.SlackVar(self.model.Start(n)).SetValue(0)

    def _may_reload(self, n: int, vehicle: VehicleToPlan) -> None:
        first = len(self.jobs)
        here = [
            self.manager.NodeToIndex(first + at)
            for at, reload in enumerate(self.reloads)
            if reload.vehicle == n
        ]
        for index in here:
            self.model.VehicleVar(index).SetValues([-1, n])
        if here:
            self.model.AddDisjunction(here, 0, vehicle.max_reloads)

    def _apart(self) -> None:
        """Jobs that one vehicle must not do, or carry if it has one load for the day."""
        for one, other in self.request.never_together:
            named = [(a, b) for a in self._named(one) for b in self._named(other)]
            for a, b in named[:PAIRS_APART]:
                if a.id in self.fixed and b.id in self.fixed:
                    continue
                both_ids = {a.id, b.id} == {one, other}
                first, second = (self.model.VehicleVar(self.at[job.id]) for job in (a, b))
                for n, vehicle in enumerate(self.vehicles):
                    if both_ids or not (vehicle.reload_at and vehicle.max_reloads):
                        self.solver.Add((first == n) + (second == n) <= 1)

    def _named(self, name: str) -> list[JobToPlan]:
        return [job for job in self.jobs if name == job.id or name in job.goods]

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
            if job.wishes:
                self._wished(job, index)
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
        for n, vehicle in enumerate(self.vehicles):
            if vehicle.reload_at and vehicle.max_reloads:
                continue  # it may fetch this one later
            leaves = self.time.CumulVar(self.model.Start(n))
            if from_depot and job.ready_at is not None and job.id not in self.fixed:
                here = self.model.VehicleVar(index) == n
                self.solver.Add(leaves >= here * self._seconds(job.ready_at))
            if job.max_on_board_s is not None and from_depot:
                here = self.model.VehicleVar(index) == n
                spare = 2 * self.horizon
                self.solver.Add(begins - leaves <= spare - here * (spare - job.max_on_board_s))

    def _wished(self, job: JobToPlan, index: int) -> None:
        early = max(job.wishes, key=lambda wish: wish.early_per_hour)
        late = max(job.wishes, key=lambda wish: wish.late_per_hour)
        opens = min(max(0, self._seconds(early.window.opens)), self.horizon)
        closes = max(0, math.floor(late.window.closes.timestamp() - self.zero))
        early_s, late_s = early.early_per_hour * UNITS, late.late_per_hour * UNITS
        self.time.SetCumulVarSoftLowerBound(index, opens, early_s // 3600)
        self.time.SetCumulVarSoftUpperBound(index, closes, late_s // 3600)

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
            quickest = min(service_s(v, collect) for v in self.vehicles)
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
        works = self.ways.works(vehicle)
        nodes = [self.manager.IndexToNode(i) for i in range(self.model.Size())]
        self.time.SetBreakIntervalsOfVehicle(rests, n, [works[node] for node in nodes])

    def _prize(self, job: JobToPlan) -> int:
        """An optional job's own; for others more than any detour, doubled per priority."""
        if job.optional:
            return job.prize * UNITS
        dearest = max(v.fixed_cost + self.horizon * v.per_hour // 3600 for v in self.vehicles)
        return ((dearest + 100_000) * UNITS) << max(0, min(job.priority, 9))

    def _seconds(self, moment: datetime) -> int:
        return math.ceil(moment.timestamp() - self.zero)

    def _closes(self, vehicle: VehicleToPlan) -> int:
        return math.floor(vehicle.shift.closes.timestamp() - self.zero)


def _may(vehicle: VehicleToPlan, job: JobToPlan) -> bool:
    return (
        job.vehicle in (None, vehicle.id)
        and vehicle.id not in job.forbidden_vehicles
        and job.skills <= vehicle.offers
    )

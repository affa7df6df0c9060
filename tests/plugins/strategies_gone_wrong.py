"""Routing strategies as strangers write them, for the process that runs them."""

import os
import time
from collections.abc import Callable
from dataclasses import replace

from hub import Need, Plan, PlanRequest, RoutingStrategy, completed


class Dies(RoutingStrategy):
    key = title = "dies"

    def capabilities(self) -> frozenset[Need]:
        return frozenset()

    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        os._exit(9)


class DiesLate(Dies):
    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        progress(completed(request, {}))
        os._exit(9)


class Raises(Dies):
    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        raise ZeroDivisionError("no vehicles to divide by")


class Lawless(Dies):
    """Serves everything twice."""

    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        plan = completed(request, {})
        return replace(plan, routes={id: (*way, *way) for id, way in plan.routes.items()})


class LawlessLate(Lawless):
    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        progress(completed(request, {}))
        return super().plan(request, progress)


class Speechless(Dies):
    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        progress(None)  # type: ignore[arg-type]
        return None  # type: ignore[return-value]


class Forgetful(Dies):
    """Ends with less than it showed."""

    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        progress(completed(request, {}))
        routes = {vehicle.id: () for vehicle in request.vehicles}
        return Plan(routes, {job.id: "Forgotten." for job in request.jobs})


class Deaf(Dies):
    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        progress(completed(request, {}))
        time.sleep(600)
        raise AssertionError


class Willing(Dies):
    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        best = completed(request, {}, ("the best",))
        while progress(best):
            time.sleep(0.05)
        return best


class InParts(Dies):
    """Not wrong at all: plans a small day as large ones are, with what cores it is lent."""

    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        from hub.plugins.routing_pyvrp.crew import Crew
        from hub.plugins.routing_pyvrp.large import LargeDay, Pace

        with Crew(self.tools.cores) as crew:
            assert crew.cores == 2
            pace = Pace(request.time_limit_s, part_jobs=40)
            return LargeDay(request, pace, progress, crew).plan()

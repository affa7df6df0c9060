"""Carousel: each vehicle takes its slice of the town, and drives it round the depot.

A sweep: Gillett and Miller, "A heuristic algorithm for the vehicle-dispatch problem", 1974.
"""

from collections.abc import Callable
from math import atan2, cos, radians

from hub import JobToPlan, Need, Plan, PlanRequest, RoutingStrategy, completed, hookimpl


class Carousel(RoutingStrategy):
    key = "carousel"
    title = "Carousel (round the depot)"

    def capabilities(self) -> frozenset[Need]:
        # ``completed`` keeps every rule, whatever it is given. What to leave out is no rule.
        return frozenset(Need) - {Need.PRIORITIES, Need.OPTIONAL}

    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        round_town = sorted(request.jobs, key=lambda job: (bearing(request, job), job.id))
        each = -(-len(round_town) // max(1, len(request.vehicles)))
        slices = {
            vehicle.id: [job.id for job in round_town[n * each : (n + 1) * each]]
            for n, vehicle in enumerate(request.vehicles)
        }
        plan = completed(request, slices)
        progress(plan)
        return plan


def bearing(request: PlanRequest, job: JobToPlan) -> float:
    """Where ``job`` lies as seen from where the first vehicle starts, in radians."""
    here = request.places[request.vehicles[0].start] if request.vehicles else request.places[0]
    there = request.places[job.place]
    return atan2(there.lat - here.lat, (there.lon - here.lon) * cos(radians(here.lat)))


@hookimpl
def hub_routing_strategies() -> list[type[RoutingStrategy]]:
    return [Carousel]

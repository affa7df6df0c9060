"""What a day asks of a routing strategy, as names that it can claim to honour."""

from __future__ import annotations

from enum import StrEnum

from hub.core.pace import traffic_of
from hub.core.plan_request import PlanRequest


class Need(StrEnum):
    """What a request can ask of a strategy beyond visiting every job once."""

    WINDOWS = "windows"
    SEVERAL_WINDOWS = "several_windows"
    CAPACITY = "capacity"
    COLLECTIONS = "collections"  # loads that come back to the depot
    SKILLS = "skills"
    VEHICLE_CHOICE = "vehicle_choice"  # forbidden and prescribed vehicles, zones, same driver
    PAIRS = "pairs"
    TIME_ON_BOARD = "time_on_board"
    RELEASE_TIMES = "release_times"
    PRIORITIES = "priorities"
    OPTIONAL = "optional"
    SHIFTS = "shifts"
    BREAKS = "breaks"
    MAX_DURATION = "max_duration"
    OVERTIME = "overtime"
    MAX_JOBS = "max_jobs"  # balance: no more than so many for one driver
    LOCKED_PREFIX = "locked_prefix"
    OPEN_END = "open_end"
    OTHER_END = "other_end"  # ends elsewhere than it starts
    MULTI_DEPOT = "multi_depot"
    SEVERAL_PROFILES = "several_profiles"
    SERVICE_FACTOR = "service_factor"  # a driver slower or faster at the door
    COSTS = "costs"  # vehicles that cost differently
    RELOADS = "reloads"
    NEVER_TOGETHER = "never_together"
    WISHES = "wishes"  # a wanted window or a promise, at a price
    BALANCE = "balance"  # a price on uneven days
    WANTED_VEHICLE = "wanted_vehicle"  # the same driver, or one in his zone, at a price
    KNOWN_ORDER = "known_order"  # a price on changing what stood before
    PACE = "pace"  # drives that take longer at some times of day
    MAX_DISTANCE = "max_distance"
    ACCESS = "access"  # from the van to the door, once for jobs at one place


def needs_of(request: PlanRequest) -> frozenset[Need]:
    """Everything this request asks of a strategy."""
    jobs, vehicles = request.jobs, request.vehicles
    limited = {name for vehicle in vehicles for name in vehicle.capacity}
    loaded = [job for job in jobs if any(job.load.get(name) for name in limited)]
    costs = {(v.fixed_cost, v.per_km, v.per_hour, v.overtime_per_hour) for v in vehicles}
    asked = {
        Need.WINDOWS: any(job.windows for job in jobs),
        Need.SEVERAL_WINDOWS: any(len(job.windows) > 1 for job in jobs),
        Need.CAPACITY: bool(loaded),
        Need.COLLECTIONS: any(j.load_direction == "collect" and not j.pair_with for j in loaded),
        Need.SKILLS: any(job.skills for job in jobs),
        Need.VEHICLE_CHOICE: any(job.vehicle or job.forbidden_vehicles for job in jobs),
        Need.PAIRS: any(job.pair_with for job in jobs),
        Need.TIME_ON_BOARD: any(job.max_on_board_s is not None for job in jobs),
        Need.RELEASE_TIMES: any(job.ready_at for job in jobs),
        Need.PRIORITIES: len({job.priority for job in jobs}) > 1,
        Need.OPTIONAL: any(job.optional for job in jobs),
        Need.SHIFTS: bool(vehicles),
        Need.BREAKS: any(vehicle.breaks for vehicle in vehicles),
        Need.MAX_DURATION: any(vehicle.max_duration_s is not None for vehicle in vehicles),
        Need.OVERTIME: any(vehicle.overtime_s for vehicle in vehicles),
        Need.MAX_JOBS: any(vehicle.max_jobs is not None for vehicle in vehicles),
        Need.LOCKED_PREFIX: any(request.fixed.values()),
        Need.OPEN_END: any(vehicle.end is None for vehicle in vehicles),
        Need.OTHER_END: any(v.end is not None and v.end != v.start for v in vehicles),
        Need.MULTI_DEPOT: len({vehicle.start for vehicle in vehicles}) > 1,
        Need.SEVERAL_PROFILES: len({vehicle.profile for vehicle in vehicles}) > 1,
        Need.SERVICE_FACTOR: any(vehicle.service_factor != 1.0 for vehicle in vehicles),
        Need.COSTS: len(costs) > 1,
        Need.RELOADS: any(vehicle.reload_at and vehicle.max_reloads for vehicle in vehicles),
        Need.NEVER_TOGETHER: bool(request.never_together),
        Need.WISHES: any(job.wishes for job in jobs),
        Need.BALANCE: request.uneven_per_hour > 0,
        Need.WANTED_VEHICLE: any(
            (job.wanted_vehicle and job.other_vehicle_cost) or any(job.vehicle_costs.values())
            for job in jobs
        ),
        Need.KNOWN_ORDER: request.reorder_cost > 0 and any(request.before.values()),
        Need.PACE: any(traffic_of(request.travel[v.profile].pace) for v in vehicles),
        Need.MAX_DISTANCE: any(vehicle.max_distance_m is not None for vehicle in vehicles),
        Need.ACCESS: any(request.access_s.get(job.place) for job in jobs),
    }
    return frozenset(need for need, wanted in asked.items() if wanted)

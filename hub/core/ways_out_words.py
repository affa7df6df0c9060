"""Ways out as a dispatcher reads them: "Aino works 14 min longer, until 17:14"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from hub.core.plan_request import JobToPlan, PlanRequest, VehicleToPlan
from hub.core.ways_out import Change, WayOut


def in_words(way: WayOut, request: PlanRequest, names: Mapping[str, str], zone: tzinfo) -> str:
    """What would have to be so for the job to fit, to follow "It fits if".

    ``names``: vehicle id -> who or what a dispatcher knows it as. Minutes are rounded up.
    """
    job = next(job for job in request.jobs if job.id == way.job_id)
    other = next((one for one in request.jobs if one.id == job.pair_with), job)
    vehicle = next((one for one in request.vehicles if one.id == way.vehicle_id), None)
    if vehicle is not None:
        return _of_vehicle(way, vehicle, names.get(vehicle.id, vehicle.id), zone)
    return _of_job(way, job if job.windows or not other.windows else other, zone)


def _of_vehicle(way: WayOut, vehicle: VehicleToPlan, name: str, zone: tzinfo) -> str:
    more = span(way.amount)
    match way.change:
        case Change.OVERTIME:
            until = vehicle.shift.closes + timedelta(seconds=vehicle.overtime_s + _up(way.amount))
            return f"{name} works {more} longer, until {_clock(until, zone)}"
        case Change.START_EARLIER:
            begins = vehicle.shift.opens - timedelta(seconds=_up(way.amount))
            return f"{name} starts {more} earlier, at {_clock(begins, zone)}"
        case Change.CAPACITY:
            return f"{name} carries {amount(way.dimension, way.amount)} more"
        case Change.LONGER_DAY:
            return f"{name} may be out {more} longer than the longest day"
        case Change.MORE_JOBS:
            jobs = "one job" if way.amount == 1 else f"{way.amount} jobs"
            return f"{name} does {jobs} more than the most allowed"
        case Change.FARTHER:
            return f"{name} drives {math.ceil(way.amount / 100) / 10:g} km farther than allowed"
        case Change.NO_BREAK:
            return f"{name} goes without a break"
        case Change.SKILL:
            return f"{name} has {way.dimension}"
        case Change.ANOTHER_VAN:
            return f"one more driver works, with hours and a van like those of {name}"
    return f"{name} may do it"


def _of_job(way: WayOut, job: JobToPlan, zone: tzinfo) -> str:
    more = span(way.amount)
    by = timedelta(seconds=_up(way.amount))
    match way.change:
        case Change.OPEN_EARLIER:
            opens = min(window.opens for window in job.windows) - by
            return f"its window opens {more} earlier, at {_clock(opens, zone)}"
        case Change.CLOSE_LATER:
            closes = max(window.closes for window in job.windows) + by
            return f"its window closes {more} later, at {_clock(closes, zone)}"
        case Change.READY_EARLIER if job.ready_at is not None:
            return f"its goods are ready {more} earlier, at {_clock(job.ready_at - by, zone)}"
        case Change.ON_BOARD_LONGER:
            return f"it may be on board {more} longer"
    return f"it takes {more} less at the door"


def span(seconds: int) -> str:
    """Whole minutes, rounded up: ``1 h 5 min``."""
    hours, minutes = divmod(_up(seconds) // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def amount(dimension: str, units: int) -> str:
    """Of a load, rounded up so that it is enough: grams as kg, cm³ as litres."""
    match dimension:
        case "g":
            return f"{math.ceil(units / 100) / 10:g} kg"
        case "cm3":
            return f"{math.ceil(units / 100) / 10:g} l"
    return f"{units} {dimension}"


def _up(seconds: int) -> int:
    return -(-seconds // 60) * 60


def _clock(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%H:%M}"

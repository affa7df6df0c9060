"""What a business wants of every plan: what matters most, and drivers whom people know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from hub.core.plan_request import JobToPlan, VehicleToPlan

Aim = Literal["cheapest", "few", "even"]
"""What matters most: the least money, few drivers on the road, or days of like length."""
A_DRIVER = 6000  # cents: going without one is worth a detour of two hours and some kilometres
AN_UNEVEN_HOUR = 2500  # cents: as dear as an hour on the road


def aimed(vehicle: VehicleToPlan, aim: Aim) -> VehicleToPlan:
    """With what a driver on the road costs beside the way, where few are wanted."""
    if aim != "few":
        return vehicle
    return replace(vehicle, fixed_cost=vehicle.fixed_cost + A_DRIVER)


def uneven_per_hour(aim: Aim) -> int:
    """What ``PlanRequest.uneven_per_hour`` is for it."""
    return AN_UNEVEN_HOUR if aim == "even" else 0


def knowing(job: JobToPlan, known: str | None, cost: int) -> JobToPlan:
    """``known``: the vehicle of the driver who was last at its door, if he works that day."""
    if known is None or not cost:
        return job
    return replace(job, wanted_vehicle=known, other_vehicle_cost=cost)


def vehicles_known(
    last: Mapping[str, str], places: Mapping[str, str], shift_of: Mapping[str, str]
) -> dict[str, str]:
    """Job id -> the shift of whom its door knows. ``last``: place id -> the driver last there;
    ``places``: job id -> place id; ``shift_of``: driver id -> his shift of the day.
    """
    return {
        job: shift_of[last[place]]
        for job, place in places.items()
        if place in last and last[place] in shift_of
    }

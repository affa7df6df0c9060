"""What may be typed about how vehicles and drivers are planned, and how it is kept.

Money is typed in the business's currency and kept in whole cents of it; what is left
empty is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from hub.core.crew_rules import amounts_text, read_amounts, read_breaks
from hub.core.measures import Measures, measured
from hub.db.tables import VehicleRow

MEASURED = frozenset({"car", "van", "truck"})
_OWN = frozenset({"g", "cm3", "parcels"})  # capacities with a field of their own
RELOAD_S = 900  # to put down what came back and load anew, where nobody said how long it takes
MUST = "must"


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


Money = Annotated[float | None, Field(ge=0, le=100_000), BeforeValidator(_blank_is_none)]
Kilometres = Annotated[int | None, Field(gt=0, le=3000), BeforeValidator(_blank_is_none)]
Hours = Annotated[float | None, Field(gt=0, le=24), BeforeValidator(_blank_is_none)]
Minutes = Annotated[int | None, Field(gt=0, le=720), BeforeValidator(_blank_is_none)]
Jobs = Annotated[int | None, Field(gt=0, le=1000), BeforeValidator(_blank_is_none)]
Metres = Annotated[float | None, Field(ge=0.5, le=30), BeforeValidator(_blank_is_none)]
Tonnes = Annotated[float | None, Field(ge=0.1, le=100), BeforeValidator(_blank_is_none)]
Loadings = Annotated[int | None, Field(ge=1, le=10), BeforeValidator(_blank_is_none)]
Percent = Annotated[int | None, Field(ge=20, le=500), BeforeValidator(_blank_is_none)]


class ZoneRulesIn(BaseModel):
    """To which zones somebody or something keeps, and what it costs to leave them."""

    zones: list[str] = Field(
        default=[],
        title="Zones",
        max_length=200,
        description="None: goes everywhere.",
        json_schema_extra={"control": "checks"},
    )
    zone_rule: Literal["must", "prefer"] = Field(
        default="must",
        title="Outside these zones",
        json_schema_extra={"labels": {"must": "Never goes there", "prefer": "At a price"}},
    )
    outside_cost: Money = Field(
        default=None,
        title="Price of a stop outside",
        description="In your currency, where it may go there at a price.",
    )

    @model_validator(mode="after")
    def _has_a_price(self) -> Self:
        if self.zones and self.zone_rule != MUST and not self.outside_cost:
            raise PydanticCustomError(
                "no_price", "Say what a stop outside costs, more than 0.", {"field": "outside_cost"}
            )
        return self

    def zone_planning(self) -> dict[str, Any]:
        if not self.zones:
            return {}
        cost = _whole(self.outside_cost, 100) or 0
        return {
            "zones": self.zones,
            "zone_rule": self.zone_rule,
            **({} if self.zone_rule == MUST else {"outside_cost": cost}),
        }


class VehicleRulesIn(ZoneRulesIn):
    """What a vehicle costs, what else it can be full of, and how often it is loaded."""

    most_loads: Loadings = Field(
        default=None,
        title="Most loads a day",
        description="2 or more: it comes back to the depot and loads again. Empty: 1.",
    )
    reload_min: Minutes = Field(
        default=None,
        title="Minutes to load again",
        description="Empty: as the depot has it.",
    )
    day_cost: Money = Field(
        default=None,
        title="Cost of a day it is used",
        description="In your currency. Empty: nothing.",
    )
    km_cost: Money = Field(
        default=None, title="Cost per km", description="In your currency. Empty: 0.30."
    )
    hour_cost: Money = Field(
        default=None,
        title="Cost per hour on the road",
        description="With the driver. Empty: 25.00.",
    )
    farthest_km: Kilometres = Field(
        default=None,
        title="Farthest in a day, in km",
        description="Such as what a charge lasts for. Empty: no limit.",
    )
    height_m: Metres = Field(
        default=None,
        title="Height, in m",
        description="With its load. Low bridges are kept out of where Travel times says that"
        " measures count. Empty: as its kind usually is.",
    )
    length_m: Metres = Field(default=None, title="Length, in m", description="A truck's.")
    weight_t: Tonnes = Field(
        default=None, title="Weight with its load, in t", description="A truck's."
    )
    further: str = Field(
        default="",
        title="Also holds at most",
        max_length=500,
        description="Such as pallets: 6, crates: 40. Orders say how many of these they are.",
    )

    @field_validator("further")
    @classmethod
    def _amounts(cls, further: str) -> str:
        return amounts_text(read_amounts(further).items())

    def planning(self) -> dict[str, Any]:
        costs = {"fixed_cost": self.day_cost, "per_km": self.km_cost, "per_hour": self.hour_cost}
        kept = {name: round(cost * 100) for name, cost in costs.items() if cost is not None}
        if self.farthest_km is not None:
            kept["max_distance_m"] = self.farthest_km * 1000
        for name, typed, factor in (
            ("height_cm", self.height_m, 100),
            ("length_cm", self.length_m, 100),
            ("weight_kg", self.weight_t, 1000),
        ):
            if typed is not None:
                kept[name] = round(typed * factor)
        if self.most_loads is not None:
            kept["max_reloads"] = self.most_loads - 1
        if self.reload_min is not None:
            kept["reload_s"] = self.reload_min * 60
        return kept | self.zone_planning()


class DriverRulesIn(ZoneRulesIn):
    """When a driver rests, how long and how much a day may become, and where it ends."""

    ends_at: Annotated[str | None, BeforeValidator(_blank_is_none)] = Field(
        default=None, title="The day ends"
    )
    breaks: str = Field(
        default="",
        title="Breaks",
        max_length=500,
        description="Such as 30 min between 11:30 and 13:30, 15 min at 10:00.",
    )
    longest_h: Hours = Field(
        default=None,
        title="Longest day, in hours",
        description="From leaving to being back. Empty: the whole shift.",
    )
    most_jobs: Jobs = Field(default=None, title="Most jobs a day")
    overtime_min: Minutes = Field(
        default=None,
        title="Overtime allowed, in minutes",
        description="After the shift. Empty: none.",
    )
    overtime_cost: Money = Field(
        default=None,
        title="Extra cost of an hour of overtime",
        description="In your currency, on top of the usual hour.",
    )
    door_percent: Percent = Field(
        default=None,
        title="Time at the door, in percent of the usual",
        description="120 for a beginner, 80 for somebody quick. Empty: 100.",
    )

    @field_validator("breaks")
    @classmethod
    def _rests(cls, breaks: str) -> str:
        return ", ".join(str(one) for one in read_breaks(breaks))

    def planning(self) -> dict[str, Any]:
        kept = {
            "ends_at": self.ends_at,
            "breaks": self.breaks or None,
            "max_duration_s": _whole(self.longest_h, 3600),
            "max_jobs": self.most_jobs,
            "overtime_s": _whole(self.overtime_min, 60),
            "overtime_per_hour": _whole(self.overtime_cost, 100),
            "door_percent": self.door_percent,
            **self.zone_planning(),
        }
        return {name: value for name, value in kept.items() if value is not None}


def vehicle_typed(planning: Mapping[str, Any], capacity: Mapping[str, int]) -> dict[str, Any]:
    """As ``VehicleRulesIn`` takes it."""
    return {
        "day_cost": _parts(planning.get("fixed_cost"), 100),
        "km_cost": _parts(planning.get("per_km"), 100),
        "hour_cost": _parts(planning.get("per_hour"), 100),
        "farthest_km": _parts(planning.get("max_distance_m"), 1000),
        "height_m": _parts(planning.get("height_cm"), 100),
        "length_m": _parts(planning.get("length_cm"), 100),
        "weight_t": _parts(planning.get("weight_kg"), 1000),
        "further": amounts_text((k, v) for k, v in capacity.items() if k not in _OWN),
        "most_loads": None if (again := planning.get("max_reloads")) is None else again + 1,
        "reload_min": _parts(planning.get("reload_s"), 60),
        **_zones_typed(planning),
    }


def driver_typed(planning: Mapping[str, Any]) -> dict[str, Any]:
    """As ``DriverRulesIn`` takes it."""
    return {
        "ends_at": planning.get("ends_at"),
        "breaks": planning.get("breaks", ""),
        "longest_h": _parts(planning.get("max_duration_s"), 3600),
        "most_jobs": planning.get("max_jobs"),
        "overtime_min": _parts(planning.get("overtime_s"), 60),
        "overtime_cost": _parts(planning.get("overtime_per_hour"), 100),
        "door_percent": planning.get("door_percent"),
        **_zones_typed(planning),
    }


def _zones_typed(planning: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "zones": planning.get("zones", []),
        "zone_rule": planning.get("zone_rule", MUST),
        "outside_cost": _parts(planning.get("outside_cost"), 100),
    }


def profile_of(van: VehicleRow | None) -> str:
    """How roads are told of it: its kind and, of what drives on an engine, its measures."""
    if van is None:
        return "car"
    if van.profile not in MEASURED:
        return van.profile
    told = van.planning
    sizes = Measures(told.get("height_cm"), told.get("length_cm"), told.get("weight_kg"))
    return measured(van.profile, sizes)


def _whole(typed: float | None, factor: int) -> int | None:
    return None if typed is None else round(typed * factor)


def _parts(kept: int | None, factor: int) -> float | None:
    return None if kept is None else kept / factor

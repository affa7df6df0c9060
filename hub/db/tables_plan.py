"""Who and what drives, and in which order."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.db.columns import LONG, document, moment, owner, ref, row_id, text


class DepotRow(SQLModel, table=True):
    __tablename__ = "depot"
    id: str = row_id()
    business_id: str = owner()
    name: str = text()
    address: str = text(500, default="")
    lat: float
    lon: float
    strategy: str = text(60, default="pyvrp")
    service_s: int | None = None  # usual time at a door; None: as the business has it
    reload_s: int | None = None  # to load again there; None: as ``RELOAD_S`` of fleet_rules


class ZoneRow(SQLModel, table=True):
    """A part of where a business delivers; drivers and vehicles name it in their ``planning``."""

    __tablename__ = "zone"
    __table_args__ = (UniqueConstraint("business_id", "name"),)
    id: str = row_id()
    business_id: str = owner()
    name: str = text()
    area: list[Any] = document(default_factory=list)  # [[[[lat, lon], …], hole, …], …]
    postcodes: list[str] = document(default_factory=list)  # "00100", "001*", "00100 to 00199"


class VehicleRow(SQLModel, table=True):
    __tablename__ = "vehicle"
    id: str = row_id()
    business_id: str = owner()
    name: str = text()
    profile: str = text(20, default="car")
    capacity: dict[str, Any] = document(default_factory=dict)  # {"g":…, "cm3":…, "parcels":…}
    skills: list[str] = document(default_factory=list)
    planning: dict[str, Any] = document(default_factory=dict)  # {"fixed_cost", "per_km", …} cents
    active: bool = True


class DriverRow(SQLModel, table=True):
    __tablename__ = "driver"
    id: str = row_id()
    business_id: str = owner()
    name: str = text()
    phone: str = text(60, default="")
    skills: list[str] = document(default_factory=list)
    vehicle_id: str | None = ref("vehicle.id", default=None, nullable=True)
    depot_id: str | None = ref("depot.id", default=None, nullable=True)
    works: dict[str, Any] = document(default_factory=dict)  # {"0": ["08:00", "16:00"], …} Monday 0
    planning: dict[str, Any] = document(default_factory=dict)  # {"breaks", "overtime_s", …}
    active: bool = True


class ShiftRow(SQLModel, table=True):
    __tablename__ = "shift"
    __table_args__ = (UniqueConstraint("driver_id", "starts_at"),)
    id: str = row_id()
    business_id: str = owner()
    driver_id: str = ref("driver.id", index=True)
    vehicle_id: str | None = ref("vehicle.id", default=None, nullable=True)
    depot_id: str = ref("depot.id")
    end_depot_id: str | None = ref("depot.id", default=None, nullable=True)  # None: the start
    day: date = Field(index=True)  # the business's day it starts on
    starts_at: datetime = moment()
    ends_at: datetime = moment()
    began_at: datetime | None = moment(default=None, nullable=True)
    ended_at: datetime | None = moment(default=None, nullable=True)
    besides: list[str] = document(default_factory=list)  # jobs he may do outside his zones
    kept_first: list[str] = document(  # jobs that stay first on its draft, in this order
        default_factory=list, sa_column_kwargs={"server_default": "[]"}
    )
    had: list[Any] = document(  # [[from, until | None], …], the breaks that he said he had
        default_factory=list, sa_column_kwargs={"server_default": "[]"}
    )


class PlanRow(SQLModel, table=True):
    """One planning run for a depot and day; ``n`` counts them."""

    __tablename__ = "plan"
    __table_args__ = (UniqueConstraint("depot_id", "day", "n"),)
    id: str = row_id()
    business_id: str = owner()
    depot_id: str = ref("depot.id", index=True)
    day: date = Field(index=True)
    n: int
    state: str = text(20, default="waiting")  # waiting|solving|done|cancelled|failed
    strategy: str = text(60)
    progress: dict[str, Any] = document(default_factory=dict)
    result: dict[str, Any] = document(default_factory=dict)  # routes, unassigned with reasons
    error: str = text(LONG, default="")
    stop_asked: bool = False
    leased_until: datetime | None = moment(default=None, nullable=True)
    created_at: datetime = moment()
    done_at: datetime | None = moment(default=None, nullable=True)


class ImprovementRow(SQLModel, table=True):
    """One search for a better rest of a day. ``found`` is the best so far, its ``n`` counts them.

    ``asked_by``: an actor; ``hub`` where nobody asked. ``ended``: what became of it.
    """

    __tablename__ = "improvement"
    id: str = row_id()
    business_id: str = owner()
    day: date = Field(index=True)
    asked_by: str = text(60)
    state: str = text(20, default="waiting")  # waiting|searching|done|cancelled|failed
    cpu_s: float
    versions: dict[str, Any] = document(default_factory=dict)  # of routes looked at, by id
    found: dict[str, Any] = document(default_factory=dict)
    tries: int = 0
    stop_asked: bool = False
    ended: str = text(20, default="")  # published|dropped
    error: str = text(LONG, default="")
    leased_until: datetime | None = moment(default=None, nullable=True)
    created_at: datetime = moment()
    done_at: datetime | None = moment(default=None, nullable=True)


class RouteRow(SQLModel, table=True):
    """One driver's stops for one shift. ``acknowledged`` is the version the phone has shown."""

    __tablename__ = "route"
    id: str = row_id()
    business_id: str = owner()
    shift_id: str = ref("shift.id", index=True, unique=True)
    depot_id: str = ref("depot.id", index=True)
    driver_id: str = ref("driver.id", index=True)
    vehicle_id: str | None = ref("vehicle.id", default=None, nullable=True)
    day: date = Field(index=True)
    version: int = 1
    acknowledged: int = 0
    published_at: datetime | None = moment(default=None, nullable=True)
    geometry: list[Any] = document(default_factory=list)  # [[lat, lon], …]
    distance_m: int = 0
    leaves_at: datetime | None = moment(default=None, nullable=True)
    back_at: datetime | None = moment(default=None, nullable=True)
    rests: list[Any] = document(default_factory=list)  # [[from, to] | None, …], one a break
    # [[left at, seconds it took, on free roads], …] from door to door; None: not read yet
    drives: list[Any] | None = Field(default=None, nullable=True, sa_type=JSON(none_as_null=True))


class StopRow(SQLModel, table=True):
    __tablename__ = "stop"
    __table_args__ = (UniqueConstraint("route_id", "n"),)
    id: str = row_id()
    business_id: str = owner()
    route_id: str = ref("route.id", index=True)
    n: int
    place_id: str = ref("place.id")
    arrive_at: datetime = moment()  # as planned
    depart_at: datetime = moment()


class StopJobRow(SQLModel, table=True):
    __tablename__ = "stop_job"
    __table_args__ = (UniqueConstraint("stop_id", "job_id"),)
    id: str = row_id()
    business_id: str = owner()
    stop_id: str = ref("stop.id", index=True)
    job_id: str = ref("job.id", unique=True)


class TakeOverRow(SQLModel, table=True):
    """A stop without a customer: there a driver takes over what another van has on board, or
    (``is_reload``) loads what he brings next; then it is from his own route.

    ``job_ids`` are the jobs whose goods it is. ``ready_at`` ``None``: they are there.
    ``done_at`` ``None``: nobody has said that they are on board.
    """

    __tablename__ = "take_over"
    id: str = row_id()
    business_id: str = owner()
    stop_id: str = ref("stop.id", unique=True)
    from_route_id: str = ref("route.id", index=True)
    van: str = text()
    driver: str = text()  # whose load it was
    place: str = text(500)
    job_ids: list[Any] = document(default_factory=list)
    service_s: int
    is_reload: bool = False
    ready_at: datetime | None = moment(default=None, nullable=True)
    done_at: datetime | None = moment(default=None, nullable=True)

"""By which it is seen that a route is another one, without reading its work.

Versions say most of it; sums say the rest: a door that takes longer, a pin that was moved, a
promise. They are asked of all routes of a day at once.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import String, cast, func, select
from sqlmodel import Session, col

from hub.db.tables import (
    BusinessRow,
    DepotRow,
    DriverRow,
    JobRow,
    OrderRow,
    PlaceRow,
    PromiseRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    TakeOverRow,
    VehicleRow,
)

Mark = tuple[object, ...]


def marks_of(session: Session, business_id: str, day: date) -> dict[str, Mark]:
    """Route id -> what is another one as soon as anything is that its times or limits hang on."""
    ours = col(RouteRow.business_id) == business_id, col(RouteRow.day) == day
    crews = session.execute(
        select(
            col(RouteRow.id),
            col(RouteRow.version),
            col(RouteRow.published_at),
            col(RouteRow.leaves_at),
            col(RouteRow.back_at),
            cast(RouteRow.rests, String).label("rests"),
            col(ShiftRow.starts_at),
            col(ShiftRow.ends_at),
            col(ShiftRow.depot_id),
            col(ShiftRow.end_depot_id),
            cast(ShiftRow.had, String).label("had"),
            col(DriverRow.name),
            cast(DriverRow.skills, String).label("driver_skills"),
            cast(DriverRow.planning, String).label("driver_planning"),
            col(VehicleRow.name),
            col(VehicleRow.profile),
            cast(VehicleRow.capacity, String).label("vehicle_capacity"),
            cast(VehicleRow.skills, String).label("vehicle_skills"),
            cast(VehicleRow.planning, String).label("vehicle_planning"),
        )
        .select_from(RouteRow)
        .join(ShiftRow, col(ShiftRow.id) == col(RouteRow.shift_id))
        .join(DriverRow, col(DriverRow.id) == col(RouteRow.driver_id))
        .outerjoin(VehicleRow, col(VehicleRow.id) == col(RouteRow.vehicle_id))
        .where(*ours)
    ).all()
    stops = select(
        col(StopRow.route_id),
        func.count(),
        func.sum(JobRow.version),
        func.sum(OrderRow.version),
        func.sum(func.coalesce(PlaceRow.service_s, -1)),
        func.sum(func.coalesce(PlaceRow.access_s, -1)),
        func.sum(PlaceRow.lat),
        func.sum(PlaceRow.lon),
        func.min(StopRow.arrive_at),
        func.max(StopRow.depart_at),
    ).select_from(StopRow)
    work = session.execute(
        stops.join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .join(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
        .join(PlaceRow, col(PlaceRow.id) == col(StopRow.place_id))
        .where(*ours)
        .group_by(col(StopRow.route_id))
    ).all()
    told = session.execute(
        select(col(StopRow.route_id), func.count(), func.max(PromiseRow.at))
        .select_from(StopRow)
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(PromiseRow, col(PromiseRow.job_id) == col(StopJobRow.job_id))
        .where(*ours)
        .group_by(col(StopRow.route_id))
    ).all()
    taken = session.execute(
        select(
            col(StopRow.route_id),
            col(TakeOverRow.id),
            col(TakeOverRow.done_at),
            col(TakeOverRow.ready_at),
        )
        .select_from(StopRow)
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .join(TakeOverRow, col(TakeOverRow.stop_id) == col(StopRow.id))
        .where(*ours)
    ).all()
    business = session.get_one(BusinessRow, business_id)
    depots = select(
        col(DepotRow.id), col(DepotRow.lat), col(DepotRow.lon), col(DepotRow.service_s)
    ).where(col(DepotRow.business_id) == business_id)
    shared = str(business.settings), str(session.execute(depots).all())
    marks: dict[str, list[object]] = {row[0]: [shared, str(row)] for row in crews}
    for row in (*work, *told, *taken):
        if row[0] in marks:
            marks[row[0]].append(str(row))
    return {id: tuple(parts) for id, parts in marks.items()}

"""How fast streets are just now, learned from drivers' phones and told to Valhalla's map.

Every minute the fixes of the last quarter of an hour are put on the streets of the built map anew.
Nothing is kept of them but, for a street that two drivers went along, a speed; a street of which a
quarter of an hour has nothing new is as the map has it again. Drivers of all businesses count
together, for they share the map: but for those of businesses that do not want it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlmodel import Session, col, or_, select

from hub.core.breaks_had import spans
from hub.core.business import BusinessSettings
from hub.core.contracts import TravelTimes
from hub.core.errors import ConfigError, Refused
from hub.core.stays import Fix
from hub.core.street_speeds import (
    PARKED_MS,
    Drive,
    Passed,
    Speeds,
    Street,
    drives_of,
    passed,
    speeds,
    together,
)
from hub.core.values import Point, TimeWindow
from hub.db.tables import (
    BusinessRow,
    DepotRow,
    DeviceRow,
    PlaceRow,
    RouteRow,
    ShiftRow,
    StopRow,
    VehicleRow,
)
from hub.flows.breaks import breaks_of
from hub.flows.rests import rests_read
from hub.live.store import StoredFix
from hub.maps.build import BuildRunning, alone
from hub.maps.present_speeds import Present, are_known, present, write_speeds
from hub.maps.snapping import snapped
from hub.maps.turns import is_installed, traffic

if TYPE_CHECKING:
    from hub.app import Hub

EVERY_S = 60
WITHIN = timedelta(minutes=15)
"""Two vans of a few dozen meet on a main street so often; a jam lasts longer, mostly."""
PARKED = timedelta(milliseconds=PARKED_MS)
IN_TRAFFIC = frozenset({"car", "van"})
"""Trucks are slow where cars are not, and bicycles pass by."""
KNOWS_STREETS = "valhalla"


@dataclass(slots=True)
class _Rounds:
    """Of one driver, who may have two at once: when he works, where all doors are, his breaks."""

    works: list[TimeWindow] = field(default_factory=list)
    doors: list[Point] = field(default_factory=list)
    breaks: list[TimeWindow] = field(default_factory=list)


def learn_street_speeds(hub: Hub) -> int:
    """Tell the map how fast streets are; of how many it was told. Safe to repeat.

    0 where it is not switched on, or there is no map with turns. Several workers of one machine
    share the work: who comes while another is at it, or just after, does nothing.
    """
    map_dir = (hub.settings.data_dir / "map" / "current").resolve()
    if not is_installed() or not traffic(map_dir).is_file():
        return 0
    now = hub.now()
    try:
        with alone(traffic(map_dir).with_name("present.lock")):
            last = present(map_dir)
            if not _is_wanted(hub):
                if last is not None and last.told:
                    write_speeds(map_dir, {}, now_s=round(now.timestamp()))
                return 0
            if last is not None and 0 <= now.timestamp() - last.at_s < EVERY_S / 2:
                return 0
            return _learn(hub, map_dir, now).told
    except BuildRunning:
        return 0
    except (OSError, ConfigError):
        if traffic(map_dir).is_file():
            raise
        return 0  # a new map was built meanwhile, which is told in a minute


def streets_now(hub: Hub) -> Present | None:
    """What was learned in the last minutes; ``None`` where nothing is, or any more."""
    map_dir = (hub.settings.data_dir / "map" / "current").resolve()
    is_fresh = hub.settings.street_speeds and are_known(map_dir, hub.now().timestamp())
    return present(map_dir) if is_fresh else None


def _is_wanted(hub: Hub) -> bool:
    travel = (cls.key for cls in hub.registry.all(TravelTimes))
    return hub.settings.street_speeds and KNOWS_STREETS in travel


def _learn(hub: Hub, map_dir: Path, now: datetime) -> Present:
    drivers = list(_drivers(hub, now))
    # Valhalla keeps 17 MB for every thread that ever asked it, and chores run in twenty: it is
    # asked in one that ends with this.
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(_told, hub, map_dir, drivers).result()
    hub.tools.log.info(
        "street speeds: drivers=%s streets=%s slower=%s", len(drivers), len(found.kmh), found.slower
    )
    return write_speeds(map_dir, found.kmh, now_s=round(now.timestamp()), slower=found.slower)


def _told(hub: Hub, map_dir: Path, drivers: Sequence[Sequence[Drive]]) -> Speeds:
    streets = dict[int, Street]()
    each = [together(_passed(hub, map_dir, drives, streets)) for drives in drivers]
    return speeds(each, streets)


def _passed(
    hub: Hub, map_dir: Path, drives: Iterable[Drive], streets: dict[int, Street]
) -> Iterator[dict[int, Passed]]:
    """What each of ``drives`` says; the streets they were on are put into ``streets``."""
    for drive in drives:
        try:
            found = snapped(map_dir, [Point(fix.lat, fix.lon) for fix in drive.fixes])
        except Refused as problem:  # beyond the edge of the map
            hub.tools.log.debug("street speeds: %s", problem)
            continue
        for n, street in enumerate(found.streets):
            if 0 < n < len(found.streets) - 1:
                streets[street.number] = street
            else:  # driven in part, so that its length is not known as well
                streets.setdefault(street.number, street)
        yield passed(drive, found)


def _drivers(hub: Hub, now: datetime) -> Iterator[list[Drive]]:
    """The drives of each driver of the last minutes, whatever phones he has."""
    with hub.reading() as session:
        rows = session.exec(select(BusinessRow).order_by(BusinessRow.id)).all()
        sharing = [
            row.id for row in rows if BusinessSettings.model_validate(row.settings).shares_speeds
        ]
    before, since = now - WITHIN - PARKED, now - WITHIN
    span_ms = (round(before.timestamp() * 1000), round(now.timestamp() * 1000))
    for business_id in sharing:
        tracks = hub.positions.tracks(business_id, *span_ms)
        if not tracks:
            continue
        with hub.reading() as session:
            drivers = _drivers_of(session, business_id, list(tracks))
            rounds = _rounds(session, business_id, set(drivers.values()), now)
        found: defaultdict[str, list[Drive]] = defaultdict(list)
        for device_id, fixes in tracks.items():
            driver_id = drivers.get(device_id, "")
            if (one := rounds.get(driver_id)) is not None:
                # What was before tells who is parked, and nothing else.
                aside = [*one.breaks, TimeWindow(before, since)]
                found[driver_id] += drives_of(_within(fixes, one.works), one.doors, aside)
        yield from (drives for drives in found.values() if drives)


def _drivers_of(session: Session, business_id: str, devices: Sequence[str]) -> dict[str, str]:
    rows = session.exec(
        select(DeviceRow.id, DeviceRow.driver_id).where(
            DeviceRow.business_id == business_id, col(DeviceRow.id).in_(devices)
        )
    )
    return dict(rows.all())


def _rounds(
    session: Session, business_id: str, drivers: set[str], now: datetime
) -> dict[str, _Rounds]:
    """Driver -> the rounds he is on, or was a moment ago, by car or van."""
    rows = session.exec(
        select(RouteRow, ShiftRow, DepotRow)
        .join(ShiftRow, col(ShiftRow.id) == col(RouteRow.shift_id))
        .join(DepotRow, col(DepotRow.id) == col(RouteRow.depot_id))
        .outerjoin(VehicleRow, col(VehicleRow.id) == col(RouteRow.vehicle_id))
        .where(
            RouteRow.business_id == business_id,
            col(RouteRow.driver_id).in_(drivers),
            col(RouteRow.published_at).is_not(None),
            col(ShiftRow.began_at).is_not(None),
            col(ShiftRow.began_at) > now - timedelta(days=1),
            or_(col(ShiftRow.ended_at).is_(None), col(ShiftRow.ended_at) > now - WITHIN),
            or_(col(VehicleRow.id).is_(None), col(VehicleRow.profile).in_(IN_TRAFFIC)),
        )
    ).all()
    doors = _doors(session, business_id, [route.id for route, _, _ in rows])
    found: defaultdict[str, _Rounds] = defaultdict(_Rounds)
    for route, shift, depot in rows:
        ended_at, began_at = min(shift.ended_at or now, now), shift.began_at
        if began_at is None or ended_at <= began_at:
            continue
        his = found[route.driver_id]
        his.works.append(TimeWindow(began_at, ended_at))
        his.doors += [Point(depot.lat, depot.lon), *doors[route.id]]
        his.breaks += spans(rests_read(route.rests), breaks_of(shift), now)
    return found


def _doors(
    session: Session, business_id: str, routes: Sequence[str]
) -> defaultdict[str, list[Point]]:
    rows = session.exec(
        select(StopRow.route_id, PlaceRow.lat, PlaceRow.lon)
        .join(PlaceRow, col(PlaceRow.id) == col(StopRow.place_id))
        .where(StopRow.business_id == business_id, col(StopRow.route_id).in_(routes))
    )
    found: defaultdict[str, list[Point]] = defaultdict(list)
    for route_id, lat, lon in rows:
        if lat is not None and lon is not None:
            found[route_id].append(Point(lat, lon))
    return found


def _within(fixes: Iterable[StoredFix], works: Iterable[TimeWindow]) -> list[Fix]:
    """Those of a shift that no app made up."""
    spans_ms = [(one.opens.timestamp() * 1000, one.closes.timestamp() * 1000) for one in works]
    return [
        Fix(fix.seq, fix.at_ms, fix.lat, fix.lon, fix.acc_m, fix.speed_ms, fix.heading)
        for fix in fixes
        if not fix.mock and any(since <= fix.at_ms <= until for since, until in spans_ms)
    ]

"""How fast streets are: from phones of all businesses on a map to the minutes of a driver's turns."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.core.business import BusinessSettings
from hub.core.stays import Fix
from hub.core.values import Point
from hub.db.tables import (
    BusinessRow,
    DepotRow,
    DeviceRow,
    DriverRow,
    PlaceRow,
    RouteRow,
    ShiftRow,
    StopRow,
    VehicleRow,
)
from hub.flows import street_speeds
from hub.flows.directions import directions_to
from hub.flows.found import found
from hub.flows.street_speeds import WITHIN, learn_street_speeds, streets_now
from hub.live.fixes import Fix as Posted
from hub.live.ledger import chunk_of, open_ledger
from hub.live.values import Device
from hub.maps.build import alone
from hub.maps.present_speeds import GOOD_FOR_S, present
from hub.plugins.travel_valhalla import ValhallaTravelTimes
from hub.worker import CHORES
from tests.street_worlds import fixes_along, way_m

TEN = datetime(2026, 11, 23, 8, tzinfo=UTC)
STATION, MARKET = Point(60.1710, 24.9414), Point(60.1680, 24.9520)
FAR = Point(60.1760, 24.9300)
JAM_MS, FREE_MS = 2.0, 9.0


class Town:
    """A hub whose map is its own; vans of several businesses drive from the station to the market."""

    def __init__(self, map_dir: Path, data_dir: Path, url: str = "") -> None:
        current = data_dir / "map" / "current"
        shutil.copytree(map_dir / "map" / "current" / "turns", current / "turns")
        self.now = TEN
        self.hub = Hub.in_memory(now=lambda: self.now, data_dir=data_dir, url=url)
        self.hub.settings = replace(self.hub.settings, street_speeds=True)
        assert self.hub.positions  # its tables are made by whoever opens it first
        self.current = current.resolve()
        self.way = self.turns().route([STATION, MARKET], TEN, "car").geometry

    def turns(self) -> ValhallaTravelTimes:
        return ValhallaTravelTimes(None, self.hub.tools)  # type: ignore[arg-type]

    def seconds(self) -> int:
        return self.turns().route([STATION, MARKET], self.now, "car").legs[0].seconds

    def business(self, name: str, *, shares: bool = True) -> str:
        id_ = found(self.hub, name, zone="Europe/Helsinki", country="FI")
        with self.hub.unit() as unit:
            row = unit.session.get_one(BusinessRow, id_)
            row.settings = BusinessSettings(shares_speeds=shares).model_dump(mode="json")
        return id_

    def driver(
        self, business_id: str, profile: str = "van", doors: Sequence[Point] = (FAR,)
    ) -> DeviceRow:
        """On a shift since nine, with a published round to ``doors``; his phone."""
        with self.hub.unit() as unit:
            add, flush = unit.session.add, unit.session.flush
            depot = DepotRow(business_id=business_id, name="Yard", lat=60.1900, lon=24.9000)
            van = VehicleRow(business_id=business_id, name="Van", profile=profile)
            driver = DriverRow(business_id=business_id, name="Mara")
            add(depot), add(van), add(driver)
            flush()
            shift = ShiftRow(
                business_id=business_id,
                driver_id=driver.id,
                depot_id=depot.id,
                day=date(2026, 11, 23),
                starts_at=TEN - timedelta(hours=1),
                ends_at=TEN + timedelta(hours=7),
                began_at=TEN - timedelta(hours=1),
            )
            add(shift)
            flush()
            route = RouteRow(
                business_id=business_id,
                shift_id=shift.id,
                depot_id=depot.id,
                driver_id=driver.id,
                vehicle_id=van.id,
                day=shift.day,
                published_at=shift.starts_at,
            )
            add(route)
            for n, door in enumerate(doors, 1):
                place = PlaceRow(
                    business_id=business_id,
                    key=f"{driver.id} {n}",
                    address={},
                    lat=door.lat,
                    lon=door.lon,
                    updated_at=TEN,
                )
                add(place)
                flush()
                add(
                    StopRow(
                        business_id=business_id,
                        route_id=route.id,
                        n=n,
                        place_id=place.id,
                        arrive_at=TEN,
                        depart_at=TEN,
                    )
                )
            phone = DeviceRow(business_id=business_id, driver_id=driver.id, paired_at=TEN)
            add(phone)
            flush()
        return phone

    def another_phone(self, phone: DeviceRow) -> DeviceRow:
        with self.hub.unit() as unit:
            other = DeviceRow(
                business_id=phone.business_id, driver_id=phone.driver_id, paired_at=TEN
            )
            unit.session.add(other)
            unit.session.flush()
        return other

    def drives(self, phone: DeviceRow, speed_ms: float = JAM_MS, ended_s: int = 20) -> None:
        """All of the way, the market reached so many seconds ago."""
        took_ms = round(1000 * way_m(self.way) / speed_ms)
        start_ms = round(self.now.timestamp() * 1000) - ended_s * 1000 - took_ms
        fixes = fixes_along(self.way, lambda _: speed_ms, start_ms=start_ms, seed=len(phone.id))
        self.tells(phone, fixes)

    def tells(self, phone: DeviceRow, fixes: Sequence[Fix]) -> None:
        posted = [Posted(f.seq, f.at_ms, f.lat, f.lon, f.acc_m, f.speed_ms) for f in fixes]
        device = Device(phone.id, phone.business_id, phone.driver_id)
        ledger = open_ledger(self.hub.settings)
        ledger.begin([(phone.business_id, phone.id)])
        ledger.commit([chunk_of(device, posted, posted[-1].t)], [], [])
        ledger.close()

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def town(helsinki: Path, tmp_path: Path) -> Town:
    return Town(helsinki, tmp_path)


def jammed(town: Town, *phones: DeviceRow) -> int:
    """How many streets are told once these drove slowly."""
    for phone in phones:
        town.drives(phone)
    return learn_street_speeds(town.hub)


def test_two_vans_in_a_jam_make_the_way_longer_for_everybody(town: Town) -> None:
    """Of two businesses that share the map."""
    free_s = town.seconds()
    told = jammed(town, town.driver(town.business("Husk")), town.driver(town.business("Rival")))
    assert told > 3
    assert town.seconds() > 1.5 * free_s
    seen = streets_now(town.hub)
    assert seen is not None and seen.told == told and 0.9 * told < seen.slower <= told


def test_vans_on_a_free_road_make_nothing_slower(town: Town) -> None:
    free_s = town.seconds()
    husk = town.business("Husk")
    for _ in range(2):
        town.drives(town.driver(husk), FREE_MS)
    assert learn_street_speeds(town.hub) > 3
    assert town.seconds() < 1.2 * free_s


def test_one_driver_alone_tells_nothing_with_however_many_phones(town: Town) -> None:
    """What leaves would be where he is, and how he drives."""
    phone = town.driver(town.business("Husk"))
    assert jammed(town, phone, town.another_phone(phone)) == 0
    town.later(minutes=1)
    assert jammed(town, town.driver(town.business("Rival"))) > 3


def test_after_a_quarter_of_an_hour_streets_are_as_the_map_has_them(town: Town) -> None:
    free_s = town.seconds()
    husk = town.business("Husk")
    assert jammed(town, town.driver(husk), town.driver(husk)) > 3
    town.now += WITHIN
    assert learn_street_speeds(town.hub) == 0
    assert streets_now(town.hub) is None and town.seconds() == free_s


def test_should_the_worker_be_gone_nobody_believes_its_last_jam_for_long(town: Town) -> None:
    free_s = town.seconds()
    husk = town.business("Husk")
    assert jammed(town, town.driver(husk), town.driver(husk)) > 3
    town.later(seconds=GOOD_FOR_S + 1)
    assert streets_now(town.hub) is None and town.seconds() == free_s


def test_a_business_that_says_no_is_not_counted_but_may_look(town: Town) -> None:
    no = town.business("Shy", shares=False)
    assert jammed(town, town.driver(no), town.driver(no)) == 0
    town.later(minutes=1)
    assert jammed(town, town.driver(town.business("Husk"))) == 0


def test_nothing_after_the_shift_or_in_a_break_is_counted(town: Town) -> None:
    husk = town.business("Husk")
    ended, resting = town.driver(husk), town.driver(husk)
    with town.hub.unit() as unit:
        for shift in unit.session.exec(select(ShiftRow)):
            if shift.driver_id == ended.driver_id:
                shift.ended_at = TEN - timedelta(minutes=14)
            else:
                began_at = TEN - timedelta(minutes=14)
                shift.had = [[began_at.isoformat(), TEN.isoformat()]]
    assert jammed(town, ended, resting, town.driver(husk)) == 0


def test_what_drivers_stand_at_their_doors_makes_no_street_slow(town: Town) -> None:
    """Three doors on the way: two minutes at each, and none of it is traffic."""
    free_s = town.seconds()
    third = way_m(town.way) / 4
    halts = [(n * third, 120) for n in (1, 2, 3)]
    start_ms = round((TEN - timedelta(minutes=9)).timestamp() * 1000)
    for name in ("Husk", "Rival"):
        fixes = fixes_along(town.way, lambda _: FREE_MS, start_ms=start_ms, stands=halts)
        stood = [fix for fix in fixes if fix.speed_ms == 0.0]
        doors = [Point(fix.lat, fix.lon) for fix in stood[:: len(stood) // 3]]
        town.tells(town.driver(town.business(name), doors=doors), fixes)
    learn_street_speeds(town.hub)
    assert town.seconds() < 1.2 * free_s


def test_who_had_parked_before_the_quarter_of_an_hour_begins_was_in_no_jam(town: Town) -> None:
    """Of his ten minutes there only the last two lie within it."""
    husk, half_m = town.business("Husk"), way_m(town.way) / 2
    start_ms = round((TEN - timedelta(minutes=23)).timestamp() * 1000) - round(1000 * half_m / 12.0)
    for _ in range(2):
        fixes = fixes_along(
            town.way, lambda _: 12.0, start_ms=start_ms, stands=[(half_m, 600)], noise_m=2
        )
        town.tells(town.driver(husk), fixes)
    assert learn_street_speeds(town.hub) > 3
    assert streets_now(town.hub).slower == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("profile", ["truck", "bicycle", "walk"])
def test_trucks_and_bicycles_are_no_measure_of_traffic(town: Town, profile: str) -> None:
    husk = town.business("Husk")
    assert jammed(town, town.driver(husk, profile), town.driver(husk, profile)) == 0


def test_fixes_that_an_app_made_up_are_not_believed(town: Town) -> None:
    husk = town.business("Husk")
    phones = [town.driver(husk), town.driver(husk)]
    for phone in phones:
        start_ms = round(TEN.timestamp() * 1000) - 600_000
        fixes = fixes_along(town.way, lambda _: JAM_MS, start_ms=start_ms)
        device = Device(phone.id, husk, phone.driver_id)
        made_up = [Posted(f.seq, f.at_ms, f.lat, f.lon, f.acc_m, mock=True) for f in fixes]
        ledger = open_ledger(town.hub.settings)
        ledger.begin([(husk, phone.id)])
        ledger.commit([chunk_of(device, made_up, made_up[-1].t)], [], [])
        ledger.close()
    assert learn_street_speeds(town.hub) == 0


def test_it_is_off_until_it_is_switched_on_and_takes_back_what_it_told(town: Town) -> None:
    free_s = town.seconds()
    husk = town.business("Husk")
    on, off = town.hub.settings, replace(town.hub.settings, street_speeds=False)
    town.hub.settings = off
    assert jammed(town, town.driver(husk), town.driver(husk)) == 0
    assert present(town.current) is None
    town.hub.settings = on
    assert learn_street_speeds(town.hub) > 3
    town.hub.settings = off
    assert learn_street_speeds(town.hub) == 0 and streets_now(town.hub) is None
    assert town.seconds() == free_s and present(town.current).told == 0  # type: ignore[union-attr]


def test_two_workers_do_not_do_it_twice(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    husk = town.business("Husk")
    phones = [town.driver(husk), town.driver(husk)]
    with alone(town.current / "turns" / "present.lock"):
        assert jammed(town, *phones) == 0
    assert learn_street_speeds(town.hub) > 3
    assert learn_street_speeds(town.hub) == 0  # a moment later
    assert streets_now(town.hub) is not None


def test_a_map_that_is_built_anew_meanwhile_is_no_failure(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    class Builder(logging.Handler):
        """Takes the old map away once the speeds are known and not yet told."""

        def emit(self, record: logging.LogRecord) -> None:
            if record.msg.startswith("street speeds: drivers"):
                shutil.rmtree(town.current)

    caplog.set_level(logging.INFO)
    husk, builder = town.business("Husk"), Builder()
    logging.getLogger().addHandler(builder)
    try:
        assert jammed(town, town.driver(husk), town.driver(husk)) == 0
    finally:
        logging.getLogger().removeHandler(builder)
    assert not town.current.exists()


def test_without_a_map_or_valhalla_nothing_happens(
    tmp_path: Path, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = Hub.in_memory(data_dir=tmp_path / "bare")
    bare.settings = replace(bare.settings, street_speeds=True)
    assert learn_street_speeds(bare) == 0 and streets_now(bare) is None
    husk = town.business("Husk")
    monkeypatch.setattr(street_speeds, "is_installed", lambda: False)
    assert jammed(town, town.driver(husk), town.driver(husk)) == 0


def test_a_driver_reads_the_minutes_of_the_jam_and_counts_no_jam_twice(town: Town) -> None:
    """Where the hour is slow already, by what the business says, whichever is slower counts."""
    husk = town.business("Husk")
    phone = town.driver(husk, doors=[MARKET])
    with town.hub.reading() as session:
        [stop] = session.exec(select(StopRow)).all()

    def minutes(factor: float = 1.0) -> float:
        with town.hub.unit() as unit:
            row = unit.session.get_one(BusinessRow, husk)
            rush = {"first_day": 0, "last_day": 6, "begins_min": 0, "ends_min": 0}
            row.settings = {**row.settings, "rush_hours": [{**rush, "factor": factor}]}
        said = directions_to(town.hub, phone, stop.id, here=STATION, language="en")
        assert said.turns
        return said.seconds / 60

    free = minutes()
    assert minutes(2.0) == pytest.approx(2 * free, abs=0.1)
    assert jammed(town, town.driver(husk), town.driver(husk)) > 3
    jam = minutes()
    assert jam > 1.5 * free
    assert minutes(1.2) == pytest.approx(jam, abs=0.1)
    assert minutes(20 * jam / free) > 2 * jam


def test_the_worker_does_it_each_minute() -> None:
    [chore] = [one for one in CHORES if one.do is learn_street_speeds]
    assert chore.every_s == 60 and chore.aside


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_fixes_are_learned_from_alike_on_postgresql(
    database_url: str, helsinki: Path, tmp_path: Path
) -> None:
    town = Town(helsinki, tmp_path, database_url)
    husk = town.business("Husk")
    assert jammed(town, town.driver(husk), town.driver(husk)) > 3

"""How fast streets are: of drives alone, never of doors, breaks, parking or one driver."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.stays import Fix, metres
from hub.core.street_speeds import (
    FEWEST,
    PARKED_MS,
    Drive,
    Passed,
    Snapped,
    Spot,
    Street,
    drives_of,
    passed,
    speeds,
    together,
)
from hub.core.values import Point, TimeWindow
from tests.core.gps_traces import DATA, recorded_fixes
from tests.street_worlds import FREE_MS, at, fixes_along, way_m

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOON_MS = round(NOON.timestamp() * 1000)
ROAD = [Point(60.17, 24.94), Point(60.17, 24.976)]  # 2 km to the east
THIRDS = tuple(Street(n, 500.0, 36.0) for n in range(4))
"""The road as four streets in a row."""


def driven(speed_ms: float = FREE_MS, jam_ms: float = FREE_MS, **more: object) -> list[Fix]:
    """Along the road, its second quarter so slow."""
    return fixes_along(
        ROAD,
        lambda m: jam_ms if 500 <= m < 1000 else speed_ms,
        start_ms=NOON_MS,
        noise_m=0,
        **more,  # type: ignore[arg-type]
    )


def along(drive: Drive) -> Snapped:
    """Snapped by hand: so far east is so far along."""
    spots = []
    for fix in drive.fixes:
        far_m = metres(ROAD[0].lat, ROAD[0].lon, fix.lat, fix.lon)
        n = min(int(far_m // 500), 3)
        spots.append(Spot(n, far_m - 500 * n))
    return Snapped(THIRDS, tuple(spots))


def kmh(
    fixes: list[Fix], doors: list[Point] | None = None, breaks: list[TimeWindow] | None = None
) -> dict[int, int]:
    """What one driver says of each quarter."""
    found = together(passed(one, along(one)) for one in drives_of(fixes, doors or [], breaks or []))
    return {n: round(3.6 * each.metres / each.seconds) for n, each in found.items()}


def test_a_jam_is_slow_where_it_is_and_nowhere_else() -> None:
    told = kmh(driven(jam_ms=1.5))
    assert told[0] == pytest.approx(36, abs=1) and told[3] == pytest.approx(36, abs=1)
    assert told[1] == pytest.approx(5.4, abs=0.6)


def test_who_waits_at_a_light_in_a_jam_is_in_it() -> None:
    assert kmh(driven(stands=[(700, 60)]))[1] == pytest.approx(500 / 110 * 3.6, abs=2)


@pytest.mark.parametrize("hold_s", [40, 150, 170])
def test_what_somebody_stands_at_his_doors_makes_no_street_slow(hold_s: int) -> None:
    """However short, and though a stay of it would not yet be parked."""
    door = at(ROAD, 720)
    fixes = driven(stands=[(700, hold_s)])
    assert kmh(fixes)[1] < 25
    assert kmh(fixes, [door]) == {n: 36 for n in range(4)}


def test_who_parks_anywhere_makes_no_street_slow() -> None:
    fixes = driven(stands=[(700, 400)])
    told = kmh(fixes)
    assert len(drives_of(fixes, [])) == 2
    assert set(told) == {0, 1, 2, 3} and min(told.values()) >= 30


def test_a_break_makes_no_street_slow_though_he_drives_to_his_lunch() -> None:
    fixes = driven(jam_ms=1.5)
    lunch = TimeWindow(NOON + timedelta(seconds=45), NOON + timedelta(minutes=7))
    assert kmh(fixes, breaks=[lunch]).get(1, 36) > 30


def test_of_a_silence_nothing_is_said() -> None:
    fixes = [fix for fix in driven(jam_ms=1.5) if not 50 < (fix.at_ms - NOON_MS) / 1000 < 400]
    assert kmh(fixes).get(1, 36) > 30


def test_a_fix_off_the_road_and_one_whose_way_is_not_known_tell_nothing() -> None:
    [drive] = drives_of(driven(jam_ms=1.5), [])
    whole = along(drive)
    lost = Snapped(THIRDS, tuple(None if s and s.at == 1 else s for s in whole.spots))
    assert 1 not in passed(drive, lost)
    cut = tuple(Spot(s.at, s.along_m, goes_on=False) for s in whole.spots if s)
    assert passed(drive, Snapped(THIRDS, cut)) == {}


def test_a_way_much_longer_than_straight_is_not_the_one_that_was_driven() -> None:
    fixes = tuple(driven()[:2])
    drive = Drive(fixes, (False, False))
    assert passed(drive, Snapped(THIRDS, (Spot(0, 0.0), Spot(3, 100.0)))) == {}


STREETS = {1: Street(1, 100.0, 50.0), 2: Street(2, 2000.0, 50.0)}


def on(number: int, speed_kmh: float, length_m: float = 100.0) -> dict[int, Passed]:
    return {number: Passed(length_m, 3.6 * length_m / speed_kmh)}


def test_one_driver_alone_tells_of_no_street_however_often_he_comes() -> None:
    assert FEWEST == 2
    often = together([on(1, 10), on(1, 11), on(1, 12)])
    assert speeds([often], STREETS).kmh == {}
    assert set(speeds([often, on(1, 12)], STREETS).kmh) == {1}


def test_a_street_is_as_slow_as_more_than_half_of_its_drivers_say() -> None:
    for slow, told in (([10, 50], 50), ([10, 12, 50], 12), ([10, 50, 50], 50), ([8, 9], 9)):
        found = speeds([on(1, each) for each in slow], STREETS)
        assert found.kmh[1] == pytest.approx(told)
        assert found.slower == (told < 40)


def test_nobody_is_told_to_be_faster_than_the_map_says() -> None:
    assert speeds([on(1, 90), on(1, 80)], STREETS).kmh == {1: 50.0}


def test_who_turned_off_at_once_says_nothing_of_a_street() -> None:
    assert speeds([on(1, 10, 40), on(1, 10, 40)], STREETS).kmh == {}
    assert speeds([on(2, 10, 150), on(2, 10, 150)], STREETS).kmh == {}
    assert speeds([on(2, 10, 250), on(2, 10, 250)], STREETS).slower == 1


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(2, 20), st.integers(0, 170)), min_size=1, max_size=4),
    st.integers(3, 12),
)
def test_seconds_and_metres_are_those_of_the_drive(
    quarters: list[tuple[float, int]], every_s: int
) -> None:
    """None is lost and none is counted twice, whatever the pace and the lights."""
    fixes = fixes_along(
        ROAD,
        lambda m: quarters[min(int(m // 500), len(quarters) - 1)][0],
        start_ms=NOON_MS,
        every_s=every_s,
        noise_m=0,
        stands=[(500 * n + 250, hold) for n, (_, hold) in enumerate(quarters)],
    )
    found = drives_of(fixes, [])
    told = together(passed(one, along(one)) for one in found)
    assert sum(each.metres for each in told.values()) == pytest.approx(
        sum(way_m([Point(a.lat, a.lon) for a in one.fixes]) for one in found), abs=2
    )
    assert sum(each.seconds for each in told.values()) == pytest.approx(
        sum((one.fixes[-1].at_ms - one.fixes[0].at_ms) / 1000 for one in found), abs=0.1
    )


@pytest.mark.skipif(not DATA.is_dir(), reason="HUB_TEST_DATA names no recorded traces")
@pytest.mark.parametrize("name", ["geolife", "posmo", "gpsies"])
def test_no_recorded_drive_holds_a_long_halt(name: str) -> None:
    """Real phones, with their noise: what is left of a trace goes on all the time."""
    fixes = recorded_fixes(name)
    found = drives_of(fixes, [])
    assert found
    for drive in found:
        for n, fix in enumerate(drive.fixes):
            later = [one for one in drive.fixes[n:] if one.at_ms - fix.at_ms > PARKED_MS + 60_000]
            if later:
                stood = [one for one in drive.fixes[n:] if one.at_ms <= later[0].at_ms]
                assert max(metres(fix.lat, fix.lon, o.lat, o.lon) for o in stood) > 20
        assert all(b.at_ms - a.at_ms <= 75_000 for a, b in pairwise(drive.fixes))

"""Drives whose truth is known: recorded ones with clear stays, and made ones along recorded ways.

Truth never comes from the code under test. Of a recorded trace it is every long stay, found
with the whole trace at hand; of a made drive it is where the van was put. ``scored`` counts
what a fence said against it.
"""

from __future__ import annotations

import csv
import dataclasses
import math
import os
import random
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import cos, hypot, radians
from pathlib import Path
from statistics import median

from msgspec.structs import replace

from hub.core.tracking import Fact, Fence, Fix, Kind, Track, advance

DATA = Path(os.environ.get("HUB_TEST_DATA", "/nowhere")) / "gps"
DEGREE_M = 111_195.0
PLAIN_M = 100
LATE_MS = 120_000  # an arrival or departure told by more than this off the truth is not that one
STAY_M, STAY_MS = 40, 240_000  # nobody disputes four minutes within a house's width
GPX = "{http://www.topografix.com/GPX/1/1}trkpt"


@dataclass(frozen=True, slots=True)
class Visit:
    """The truth: at this stop from ``came_ms`` to ``left_ms``; ``None``: the trace ends there.

    He may have come as early as ``since_ms``, when he was last seen elsewhere, and left as
    late as ``until_ms``; 0: both are known to the second.
    """

    stop_id: str
    came_ms: int
    left_ms: int | None
    since_ms: int = 0
    until_ms: int = 0


@dataclass(frozen=True, slots=True)
class Drive:
    name: str
    fixes: tuple[Fix, ...]
    fences: tuple[Fence, ...]  # those visited, in their order, and others he only passes
    visits: tuple[Visit, ...]
    late_ms: int = LATE_MS


@dataclass(frozen=True, slots=True)
class Score:
    """Of arrivals and departures together."""

    right: int = 0
    false: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        told = self.right + self.false
        return self.right / told if told else 1.0

    @property
    def recall(self) -> float:
        true = self.right + self.missed
        return self.right / true if true else 1.0

    def __add__(self, other: Score) -> Score:
        return Score(self.right + other.right, self.false + other.false, self.missed + other.missed)


# ---- what fences say ----


def ours(drive: Drive) -> list[Fact]:
    track, said = Track(), []
    for fix in drive.fixes:
        track, facts, _ = advance(track, fix, drive.fences, fix.at_ms)
        said += facts
    return said


def plain(drive: Drive) -> list[Fact]:
    """Inside of 100 m he has come, outside of it he has left."""
    said, inside = [], set[str]()
    for fix in drive.fixes:
        for fence in drive.fences:
            is_in = apart_m(fence.lat, fence.lon, fix.lat, fix.lon) < PLAIN_M
            if is_in != (fence.stop_id in inside):
                kind = Kind.ARRIVED if is_in else Kind.LEFT
                inside ^= {fence.stop_id}
                said.append(Fact(kind, fence.stop_id, fix.at_ms, 1.0, fix.seq))
    return said


def standing(said: Iterable[Fact]) -> list[Fact]:
    """Arrivals and departures that were not taken back."""
    kept: list[Fact] = []
    undoes = {Kind.NOT_ARRIVED: Kind.ARRIVED, Kind.NOT_LEFT: Kind.LEFT}
    for fact in said:
        undone = undoes.get(fact.kind)
        if undone is None:
            kept.append(fact)
            continue
        last = max(
            n for n, one in enumerate(kept) if one.stop_id == fact.stop_id and one.kind is undone
        )
        del kept[last]
    return kept


def scored(drives: Iterable[Drive], fence: Callable[[Drive], list[Fact]]) -> Score:
    return sum((_score(drive, standing(fence(drive))) for drive in drives), Score())


def _score(drive: Drive, said: Sequence[Fact]) -> Score:
    free = list(said)
    wanted = [
        (Kind.ARRIVED, one.stop_id, one.since_ms or one.came_ms, one.came_ms)
        for one in drive.visits
    ]
    wanted += [
        (Kind.LEFT, one.stop_id, one.left_ms, one.until_ms or one.left_ms)
        for one in drive.visits
        if one.left_ms is not None
    ]
    right = 0
    for kind, stop_id, from_ms, to_ms in wanted:
        of_it = (one for one in free if one.kind is kind and one.stop_id == stop_id)
        near = min(of_it, key=lambda one: abs(2 * one.at_ms - from_ms - to_ms), default=None)
        if near is not None and (from_ms - drive.late_ms <= near.at_ms <= to_ms + drive.late_ms):
            free.remove(near)
            right += 1
    return Score(right, len(free), len(wanted) - right)


# ---- recorded traces ----


def recorded_fixes(name: str) -> list[Fix]:
    """Of ``geolife``, ``google``, ``gpsies`` or ``posmo``, in the order of their moments."""
    rows = []
    with (DATA / f"{name}_trajectory.csv").open(newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            at = datetime.fromisoformat(row["tracked_at"][:26].replace("Z", "")).replace(tzinfo=UTC)
            place = float(row["latitude"]), float(row["longitude"])
            rows.append((round(at.timestamp() * 1000), *place, float(row["accuracy"])))
    rows.sort()
    fixes: list[Fix] = []
    for at_ms, lat, lon, acc_m in rows:
        if not fixes or at_ms > fixes[-1].at_ms:
            # Two of the four recorders did not know how far they were off, and wrote 1 or 0.
            fixes.append(Fix(len(fixes), at_ms, lat, lon, acc_m if acc_m > 1 else 15.0))
    return fixes


def recorded_drive(name: str, noise_m: float = 0, seed: int = 1, lost: float = 0) -> Drive:
    """A recorded trace with a door in the middle of each long stay, and doors only passed.

    ``noise_m`` is added, and the share ``lost`` of its fixes left out in runs of 30 s.
    """
    rng = random.Random(f"{name} {seed}")
    clean = recorded_fixes(name)
    doors: list[Fence] = []
    visits: list[Visit] = []
    for n, stay in enumerate(_long_stays(clean)):
        lat, lon = median(one.lat for one in stay), median(one.lon for one in stay)
        near = next((d for d in doors if apart_m(d.lat, d.lon, lat, lon) < 2 * PLAIN_M), None)
        if near is not None and apart_m(near.lat, near.lon, lat, lon) > STAY_M:
            continue  # by a door, but not at it: nobody can say what is right
        door = near or Fence(f"stay {n}", lat, lon)
        if near is None:
            doors.append(door)
        visit = _witnessed(clean, stay, door)
        last = next((one for one in reversed(visits) if one.stop_id == door.stop_id), None)
        if last is not None and (last.until_ms or math.inf) > stay[0].at_ms:
            visits.remove(last)  # he was not seen elsewhere in between
            visit = dataclasses.replace(visit, came_ms=last.came_ms, since_ms=last.since_ms)
        visits.append(visit)
    gap_ms = median(b.at_ms - a.at_ms for a, b in zip(clean, clean[1:], strict=False))
    fences = (*doors, *_passed(clean, doors))
    fixes = tuple(_thinned(_noisy(clean, noise_m, rng), lost, rng))
    return Drive(name, fixes, fences, tuple(visits), LATE_MS + round(2 * gap_ms))


def _witnessed(fixes: Sequence[Fix], stay: Sequence[Fix], door: Fence) -> Visit:
    elsewhere = [
        one.at_ms
        for one in fixes
        if one.acc_m <= PLAIN_M and apart_m(door.lat, door.lon, one.lat, one.lon) > 150
    ]
    since_ms = max((at for at in elsewhere if at < stay[0].at_ms), default=fixes[0].at_ms)
    until_ms = min((at for at in elsewhere if at > stay[-1].at_ms), default=None)
    left_ms = None if until_ms is None else stay[-1].at_ms
    return Visit(door.stop_id, stay[0].at_ms, left_ms, since_ms, until_ms or 0)


def _long_stays(fixes: Sequence[Fix]) -> Iterator[list[Fix]]:
    """Longest runs of good fixes that all lie about their own middle."""
    good = [one for one in fixes if one.acc_m <= PLAIN_M]
    n = 0
    while n < len(good):
        stay, end = [good[n]], n + 1
        while end < len(good) and _is_near_middle([*stay[-200:], good[end]]):
            if good[end].at_ms - stay[-1].at_ms > STAY_MS:
                break  # of so long a silence nobody knows the truth
            stay.append(good[end])
            end += 1
        if stay[-1].at_ms - stay[0].at_ms >= STAY_MS:
            yield stay
            n = end
        else:
            n += 1


def _is_near_middle(fixes: Sequence[Fix]) -> bool:
    lat, lon = median(one.lat for one in fixes), median(one.lon for one in fixes)
    newest = fixes[-1]
    return apart_m(lat, lon, newest.lat, newest.lon) <= STAY_M and (
        apart_m(lat, lon, fixes[0].lat, fixes[0].lon) <= STAY_M
    )


def _passed(fixes: Sequence[Fix], doors: Sequence[Fence]) -> list[Fence]:
    """Doors on the way that nobody halted at: every nearby minute of the trace moves on."""
    found: list[Fence] = []
    for n in range(0, len(fixes), 20):
        here = fixes[n]
        others = [*doors, *found]
        if any(apart_m(o.lat, o.lon, here.lat, here.lon) < 3 * PLAIN_M for o in others):
            continue
        near = [one for one in fixes if apart_m(here.lat, here.lon, one.lat, one.lon) < 150]
        if all(_moves_on(fixes, one.seq) for one in near):
            found.append(Fence(f"passed {n}", here.lat, here.lon))
    return found


def _moves_on(fixes: Sequence[Fix], n: int) -> bool:
    here = fixes[n]
    for one in fixes[n + 1 :]:
        if apart_m(here.lat, here.lon, one.lat, one.lon) > 60:
            return one.at_ms - here.at_ms < 20_000
    return False


def _thinned(fixes: Sequence[Fix], lost: float, rng: random.Random) -> Iterator[Fix]:
    silent_until = 0
    for fix in fixes:
        if fix.at_ms < silent_until:
            continue
        if rng.random() < lost / 8:  # eight fixes or so are lost at a time
            silent_until = fix.at_ms + 30_000
        yield fix


# ---- made drives ----


@dataclass(frozen=True, slots=True)
class Phone:
    """How it sees the truth."""

    noise_m: float
    every_s: int = 4
    tells_speed: bool = True
    jump_share: float = 0.006
    tunnels: int = 1


@dataclass(frozen=True, slots=True)
class _Moment:
    at_s: int
    x: float
    y: float
    speed_ms: float
    in_tunnel: bool = False


def ways() -> dict[str, list[tuple[float, float]]]:
    """Ways to drive, as (lat, lon): a grid of streets, and where they lie here, recorded ones."""
    found = {"grid": _grid()}
    if DATA.is_dir():
        for name in ("geolife", "posmo", "gpsies"):
            found[name] = _spaced([(one.lat, one.lon) for one in recorded_fixes(name)])
        points = ET.parse(DATA / "andorra_for_map_matching.gpx").iter(GPX)  # noqa: S314
        found["andorra"] = _spaced(
            [(float(p.attrib["lat"]), float(p.attrib["lon"])) for p in points]
        )
    return found


def made_drives(noises_m: Sequence[float], seeds: int = 4, **phone: int | bool) -> list[Drive]:
    return [
        made_drive(name, way, Phone(noise_m, **phone), seed)
        for name, way in ways().items()
        for noise_m in noises_m
        for seed in range(seeds)
    ]


def made_drive(name: str, way: Sequence[tuple[float, float]], phone: Phone, seed: int) -> Drive:
    """A van calls at doors along ``way``, waits at lights, passes other doors.

    He parks within 25 m of the pin's place by the road, is there for one to four minutes and
    walks to the door. Lights hold for 10 to 45 s; one in three is just before or behind a
    door that he does not call at then.
    """
    rng = random.Random(f"{name} {phone.noise_m} {seed}")
    lat0, lon0 = way[0]
    flat = [
        ((lon - lon0) * DEGREE_M * cos(radians(lat0)), (lat - lat0) * DEGREE_M) for lat, lon in way
    ]
    moments, doors, truth = _driven(flat, rng, phone.tunnels)

    def place(x: float, y: float) -> tuple[float, float]:
        return lat0 + y / DEGREE_M, lon0 + x / DEGREE_M / cos(radians(lat0))

    fences = tuple(Fence(stop_id, *place(x, y)) for stop_id, x, y in doors)
    start_ms = 1_790_000_000_000
    visits = tuple(Visit(id_, start_ms + a * 1000, start_ms + b * 1000) for id_, a, b in truth)
    clean = [
        Fix(0, start_ms + m.at_s * 1000, *place(m.x, m.y), 5.0, m.speed_ms)
        for m in moments
        if m.at_s % phone.every_s == 0 and not m.in_tunnel
    ]
    fixes = _noisy([replace(one, seq=n) for n, one in enumerate(clean)], phone.noise_m, rng)
    seen = tuple(
        replace(one, speed_ms=one.speed_ms if phone.tells_speed else None)
        for one in _jumpy(fixes, phone.jump_share, rng)
    )
    return Drive(f"{name} {phone.noise_m:g} m #{seed}", seen, fences, visits)


def _driven(
    flat: Sequence[tuple[float, float]], rng: random.Random, tunnels: int
) -> tuple[list[_Moment], list[tuple[str, float, float]], list[tuple[str, int, int]]]:
    along = [0.0]
    for (x, y), (x2, y2) in zip(flat, flat[1:], strict=False):
        along.append(along[-1] + hypot(x2 - x, y2 - y))
    doors: list[tuple[str, float, float]] = []
    halts: list[tuple[float, int, str]] = []  # how far along, how long, the stop or ""
    at_m = 300.0
    while at_m < along[-1] - 300:
        x, y = _at(flat, along, at_m)
        side = rng.choice((-1, 1)) * rng.uniform(6, 28)
        x2, y2 = _at(flat, along, at_m + 5)
        far = hypot(x2 - x, y2 - y) or 1.0
        door = x - side * (y2 - y) / far, y + side * (x2 - x) / far
        # A way that comes by again would make one halt a call at two doors: no truth there.
        if all(hypot(door[0] - dx, door[1] - dy) > 60 for _, dx, dy in doors):
            is_called_at = rng.random() < 0.6
            stop_id = f"{'door' if is_called_at else 'passed'} {len(doors)}"
            doors.append((stop_id, *door))
            if is_called_at:
                halts.append((at_m + rng.uniform(-25, 25), rng.randint(60, 240), stop_id))
            elif rng.random() < 0.35:
                halts.append(
                    (at_m + rng.choice((-1, 1)) * rng.uniform(20, 60), rng.randint(10, 45), "")
                )
        at_m += rng.choice((110, 250, 400, 700))
        if rng.random() < 0.4:
            halts.append((at_m - 70, rng.randint(10, 45), ""))
    apart: list[tuple[float, int, str]] = []
    for halt in sorted(halts):  # two red lights in a row before one door are as long as a call
        if halt[2] or all(abs(halt[0] - other[0]) > 150 for other in apart if not other[2]):
            apart.append(halt)
    return _timed(flat, along, apart, doors, rng, tunnels)


def _timed(
    flat: Sequence[tuple[float, float]],
    along: Sequence[float],
    halts: list[tuple[float, int, str]],
    doors: list[tuple[str, float, float]],
    rng: random.Random,
    tunnels: int,
) -> tuple[list[_Moment], list[tuple[str, float, float]], list[tuple[str, int, int]]]:
    where = {stop_id: (x, y) for stop_id, x, y in doors}
    moments: list[_Moment] = []
    truth: list[tuple[str, int, int]] = []
    tunnel_m = [rng.uniform(500, along[-1]) for _ in range(tunnels)]
    at_s, at_m, speed = 0, 0.0, 8.0
    for halt_m, hold_s, stop_id in [*halts, (along[-1], 0, "")]:
        while at_m < halt_m:
            speed = min(max(speed + rng.uniform(-1, 1), 4.0), 14.0, max(2.0, (halt_m - at_m) / 3))
            at_m = min(halt_m, at_m + speed)
            is_dark = any(start <= at_m < start + 700 for start in tunnel_m)
            is_dark = is_dark and halt_m - at_m > 150
            moments.append(_Moment(at_s, *_at(flat, along, at_m), speed, is_dark))
            at_s += 1
        x, y = _at(flat, along, at_m)
        if stop_id:
            truth.append((stop_id, at_s, at_s + hold_s))
        to_x, to_y = where.get(stop_id, (x, y))
        walk_s = max(1.0, hypot(to_x - x, to_y - y) / 1.3)
        for n in range(hold_s):
            part = min(1.0, n / walk_s, (hold_s - n) / walk_s)
            pace = 1.3 if stop_id and part < 1 else 0.0
            moments.append(_Moment(at_s, x + part * (to_x - x), y + part * (to_y - y), pace))
            at_s += 1
    return moments, doors, truth


def _at(
    flat: Sequence[tuple[float, float]], along: Sequence[float], at_m: float
) -> tuple[float, float]:
    low, high = 0, len(along) - 1
    while high - low > 1:
        mid = (low + high) // 2
        low, high = (mid, high) if along[mid] <= at_m else (low, mid)
    part = (at_m - along[low]) / ((along[high] - along[low]) or 1.0)
    part = min(1.0, max(0.0, part))
    (x, y), (x2, y2) = flat[low], flat[high]
    return x + part * (x2 - x), y + part * (y2 - y)


def _noisy(fixes: Sequence[Fix], noise_m: float, rng: random.Random) -> list[Fix]:
    """Off by ``noise_m`` in the mean square; errors drift within half a minute or so."""
    x = y = 0.0
    found, before_ms = [], fixes[0].at_ms
    for fix in fixes:
        keeps = 0.5 ** ((fix.at_ms - before_ms) / 15_000)
        fresh = noise_m / 2**0.5 * (1 - keeps * keeps) ** 0.5
        x, y = keeps * x + rng.gauss(0, fresh), keeps * y + rng.gauss(0, fresh)
        acc_m = hypot(fix.acc_m, noise_m * rng.uniform(0.7, 1.4))
        lat, lon = fix.lat + y / DEGREE_M, fix.lon + x / DEGREE_M / cos(radians(fix.lat))
        found.append(replace(fix, lat=lat, lon=lon, acc_m=acc_m))
        before_ms = fix.at_ms
    return found


def _jumpy(fixes: Sequence[Fix], share: float, rng: random.Random) -> Iterator[Fix]:
    """With walls that throw one to three fixes 150 to 600 m off, at their usual accuracy."""
    thrown, off = 0, (0.0, 0.0)
    for fix in fixes:
        if not thrown and rng.random() < share:
            thrown = rng.randint(1, 3)
            far = rng.uniform(150, 600) / DEGREE_M
            off = rng.choice((-far, far)), rng.choice((-far, far))
        if thrown:
            thrown -= 1
            fix = replace(fix, lat=fix.lat + off[0], lon=fix.lon + off[1])
        yield fix


def _grid() -> list[tuple[float, float]]:
    """Eight kilometres through blocks of 180 m, the same each time."""
    rng, x, y, dx, dy = random.Random(7), 0.0, 0.0, 180.0, 0.0
    found = [(60.17, 24.94)]
    for _ in range(44):
        if rng.random() < 0.35:
            dx, dy = rng.choice(((dy, -dx), (-dy, dx)))
        x, y = x + dx, y + dy
        found.append((60.17 + y / DEGREE_M, 24.94 + x / DEGREE_M / cos(radians(60.17))))
    return found


def _spaced(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without knots: a point each 30 m or more; leaps of over a kilometre end the way."""
    found = [points[0]]
    for lat, lon in points:
        far_m = apart_m(*found[-1], lat, lon)
        if far_m > 1000:
            break
        if far_m >= 30:
            found.append((lat, lon))
    return found


def apart_m(lat: float, lon: float, lat2: float, lon2: float) -> float:
    return hypot((lon2 - lon) * cos(radians(lat)), lat2 - lat) * DEGREE_M

"""How fast streets are driven just now, from where phones were, one drive held against another.

What a drive says of a street is little: somebody waited for a parcel, parked in the second row or
had only one red light. So time at doors, parked, on a break and off the road is no part of a drive,
and a street is told by at least ``FEWEST`` drivers, of whom the faster of the middle two counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hub.core.fences import REACH_M
from hub.core.stays import Fix, Stays, metres, stays_after
from hub.core.values import Point, TimeWindow

FEWEST = 2
"""Drivers that a street's speed takes. Of one alone it would be his own, and whoever asks for the
way there could tell where he is and how he drives, across businesses that share a map. What leaves
is no time and no name; of two and more, not even whose drive it was."""
PARKED_MS = 180_000  # no light and no queue holds a van at one place for three minutes, mostly
SURE_M = 50  # vaguer than that a fix may lie on the next street
SILENT_MS = 75_000  # phones with a dark screen speak once a minute; after longer he may have stood
SHORTEST_M = 150  # a shorter drive is a search for a place to park, and snapped by chance
ROUND_ABOUT, ROUND_ABOUT_M = 2.5, 150  # so much longer than straight, and it is another way
FASTEST_MS = 60  # no van goes 216 km/h
MOST_OF_IT, LONG_M = 0.5, 200
"""So much of a street somebody drives, in share or metres, for it to be told by that."""
SLOWER = 0.8
"""Of what the map says. Lights and turns make a tenth of that anywhere, which is no jam."""


@dataclass(frozen=True, slots=True)
class Drive:
    """Fixes in their order, without those while parked; ``aside``: at a door or on a break."""

    fixes: tuple[Fix, ...]
    aside: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Street:
    """A directed stretch of road between two crossings, by its number in the built map."""

    number: int
    length_m: float
    free_kmh: float


@dataclass(frozen=True, slots=True)
class Spot:
    """So far along the ``at``-th street of a way; ``goes_on``: how to the next fix, is known."""

    at: int
    along_m: float
    goes_on: bool = True


@dataclass(frozen=True, slots=True)
class Snapped:
    """A drive put on streets, in the order driven; ``None`` for a fix that is on none of them."""

    streets: tuple[Street, ...]
    spots: tuple[Spot | None, ...]


@dataclass(frozen=True, slots=True)
class Passed:
    metres: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Passed) -> Passed:
        return Passed(self.metres + other.metres, self.seconds + other.seconds)


@dataclass(frozen=True, slots=True)
class Speeds:
    """Street's number -> km/h; ``slower``: how many go slower than the map says."""

    kmh: Mapping[int, float]
    slower: int = 0


def drives_of(
    fixes: Iterable[Fix], doors: Sequence[Point], breaks: Sequence[TimeWindow] = ()
) -> list[Drive]:
    """The drives of one phone, from its ``fixes`` in the order of their moments.

    ``doors`` are those of the driver's round, his depot's too. One drive ends, and the next begins,
    where he parked or his phone was silent.
    """
    sure = [fix for fix in fixes if fix.acc_m <= SURE_M]
    rests = [(rest.opens.timestamp() * 1000, rest.closes.timestamp() * 1000) for rest in breaks]
    parked = _parked(sure)
    found, run = list[Drive](), list[Fix]()
    for fix in sure:
        is_parked = any(since <= fix.at_ms <= until for since, until in parked)
        if run and (is_parked or fix.at_ms - run[-1].at_ms > SILENT_MS):
            found += _drive(run, doors, rests)
            run = []
        if not is_parked:
            run.append(fix)
    return [*found, *_drive(run, doors, rests)]


def passed(drive: Drive, snapped: Snapped) -> dict[int, Passed]:
    """Street's number -> the metres and seconds that ``drive`` was seen on it.

    Between two fixes he is taken to have gone at one speed. Time at doors and off the road, and
    between fixes whose way is not known, is no street's.
    """
    found: defaultdict[int, Passed] = defaultdict(Passed)
    fixes = zip(drive.fixes, drive.aside, snapped.spots, strict=True)
    for (a, a_aside, here), (b, b_aside, there) in pairwise(fixes):
        if a_aside or b_aside or here is None or there is None or not here.goes_on:
            continue
        seconds = (b.at_ms - a.at_ms) / 1000
        way = list(_way(snapped.streets, here, there))
        way_m = sum(part_m for _, part_m in way)
        straight_m = metres(a.lat, a.lon, b.lat, b.lon)
        if not -ROUND_ABOUT_M < way_m <= _drivable_m(straight_m, seconds):
            continue
        for street, part_m in way:
            share = part_m / way_m if len(way) > 1 and way_m else 1 / len(way)
            found[street.number] += Passed(part_m, seconds * share)
    return dict(found)


def speeds(drivers: Iterable[Mapping[int, Passed]], streets: Mapping[int, Street]) -> Speeds:
    """What ``drivers`` tell together, one mapping for each, however many phones and drives he had.

    Nobody is told to be faster than the map says: who speeds sets no time for others.
    """
    told: defaultdict[int, list[float]] = defaultdict(list)
    for driver in drivers:
        for number, on_it in driver.items():
            needed_m = max(1.0, min(MOST_OF_IT * streets[number].length_m, LONG_M))
            if on_it.seconds > 0 and on_it.metres >= needed_m:
                told[number].append(3.6 * on_it.metres / on_it.seconds)
    kmh = {
        number: min(_middle(each), streets[number].free_kmh)
        for number, each in told.items()
        if len(each) >= FEWEST
    }
    slower = sum(each < SLOWER * streets[number].free_kmh for number, each in kmh.items())
    return Speeds(kmh, slower)


def together(drives: Iterable[Mapping[int, Passed]]) -> dict[int, Passed]:
    """Several drives of one driver as one."""
    found: defaultdict[int, Passed] = defaultdict(Passed)
    for drive in drives:
        for number, on_it in drive.items():
            found[number] += on_it
    return dict(found)


def _middle(each: Sequence[float]) -> float:
    """Of an even number the faster: a jam is believed once more than half of them were in it."""
    return sorted(each)[len(each) // 2]


def _parked(fixes: Iterable[Fix]) -> list[tuple[int, int]]:
    """From when to when somebody stood too long for traffic, in ms."""
    stays, stood = Stays(), dict[int, int]()
    for fix in fixes:
        stays = stays_after(stays, fix)
        if stays.now is not None and stays.now.until_ms - stays.now.since_ms >= PARKED_MS:
            stood[stays.now.since_ms] = stays.now.until_ms
    return list(stood.items())


def _drive(
    run: Sequence[Fix], doors: Sequence[Point], rests: Sequence[tuple[float, float]]
) -> Iterator[Drive]:
    way_m = sum(metres(a.lat, a.lon, b.lat, b.lon) for a, b in pairwise(run))
    if way_m < SHORTEST_M:
        return
    aside = tuple(
        any(metres(fix.lat, fix.lon, door.lat, door.lon) <= REACH_M for door in doors)
        or any(since <= fix.at_ms <= until for since, until in rests)
        for fix in run
    )
    if not all(aside):
        yield Drive(tuple(run), aside)


def _drivable_m(straight_m: float, seconds: float) -> float:
    return min(ROUND_ABOUT * straight_m + ROUND_ABOUT_M, FASTEST_MS * seconds)


def _way(streets: Sequence[Street], here: Spot, there: Spot) -> Iterator[tuple[Street, float]]:
    """The streets from one spot to the next, each with the metres driven on it.

    Noise puts who crawls behind where he was, and the map then has him drive the same street anew:
    that is less than nothing, or he would seem faster than he is.
    """
    driven = streets[here.at : there.at + 1] or streets[here.at : here.at + 1]
    if all(street.number == driven[0].number for street in driven):
        yield driven[0], there.along_m - here.along_m if there.at >= here.at else 0.0
        return
    yield streets[here.at], max(0.0, streets[here.at].length_m - here.along_m)
    for between in streets[here.at + 1 : there.at]:
        yield between, between.length_m
    yield streets[there.at], there.along_m

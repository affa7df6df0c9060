"""What the built map says of a town: its doors, and where a bakery could stand."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hub.core.planning import TravelMatrix
from hub.core.values import Address, Point

AT_ONCE = 60  # doors in one table of times: it grows with their square
FAR_S = 7200  # whoever drives longer than that to a door lives in another town


@dataclass(frozen=True, slots=True)
class Door:
    """``is_plain``: no other door of the town bears the same name."""

    address: Address
    point: Point
    is_plain: bool


def doors_of(addresses: Path, country: str) -> list[Door]:
    """Every numbered address of a built map, in the order of the alphabet."""
    with closing(sqlite3.connect(f"file:{addresses}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT s.name, a.number, a.postcode, a.city, avg(a.lat), avg(a.lon), count(*)"
            " FROM address a JOIN street s ON s.id = a.street WHERE a.number <> ''"
            " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        ).fetchall()
    named = Counter((street, number) for street, number, *_ in rows)
    return [
        Door(
            Address((f"{street} {number}",), city or "", postcode=postcode or "", country=country),
            Point(lat, lon),
            n == 1 and named[street, number] == 1 and bool(postcode or city),
        )
        for street, number, postcode, city, lat, lon, n in rows
    ]


def middle_of(doors: Sequence[Door]) -> Door:
    """The door nearest to where half of the others lie to each side.

    Raises ``LookupError`` for a map without addresses.
    """
    if not doors:
        raise LookupError("This map has no addresses with numbers; the demo needs some.")
    lat = sorted(door.point.lat for door in doors)[len(doors) // 2]
    lon = sorted(door.point.lon for door in doors)[len(doors) // 2]
    return min(doors, key=lambda door: (door.point.lat - lat) ** 2 + (door.point.lon - lon) ** 2)


def within_reach(
    doors: Sequence[Door], depot: Point, matrix: Callable[[Sequence[Point]], TravelMatrix]
) -> list[Door]:
    """The doors that a road leads to and back from, so from each to each other one too."""
    found: list[Door] = []
    for n in range(0, len(doors), AT_ONCE):
        some = doors[n : n + AT_ONCE]
        seconds = matrix([depot, *(door.point for door in some)]).seconds
        found += [
            door
            for i, door in enumerate(some, 1)
            if seconds[0][i] < FAR_S and seconds[i][0] < FAR_S
        ]
    return found

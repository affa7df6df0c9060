"""How fast streets are now, told to every router that has the map open.

Valhalla maps ``traffic.tar`` into memory: a tile in it has a header and one number of 64 bits for
each directed street. What is written there holds at the next question, in all processes, and
until it is written again or the map is built anew. Each number is written at once, so who reads
sees a street's old speed or its new one. The header is what the wheel's
``valhalla_build_extract`` writes (3.9.1); the bits of a speed were found right by trying them.
"""

from __future__ import annotations

import json
import tarfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hub.core.errors import ConfigError
from hub.maps.turns import traffic
from hub.storage import durable_write

HEADER_WORDS = 4  # tile, last update; streets and version in halves, two spare halves
UPDATED = 1
VERSION = 3
TILE_BITS = 25  # of a street's number: level and tile; the rest counts within the tile
WHOLE = 255  # the speed holds to the end of the street
FASTEST_KMH = 250
STEP_KMH = 2
GOOD_FOR_S = 300
"""So long what was written is believed: should nobody write any more, it is not a jam for ever."""

Words = np.memmap[Any, np.dtype[np.uint64]]


@dataclass(frozen=True, slots=True)
class Present:
    """Of the last writing: when (epoch seconds), how many streets were told, how many of them
    go slower than the map says."""

    at_s: int
    told: int
    slower: int


def write_speeds(
    map_dir: Path, kmh: Mapping[int, float], *, now_s: int, slower: int = 0
) -> Present:
    """Tell these speeds; of no other street one is known any more. Safe to repeat.

    ``kmh`` goes by the numbers of ``snapping``, of this same build; those it has not are left out.
    Raises ``ConfigError`` where the map has no turns. One process at a time.
    """
    file = traffic(map_dir)
    if not file.is_file():
        raise ConfigError("The built map keeps no present speeds: it was built without turns.")
    by_tile: defaultdict[int, dict[int, float]] = defaultdict(dict)
    for street, speed in kmh.items():
        by_tile[street & ((1 << TILE_BITS) - 1)][street >> TILE_BITS] = speed
    words: Words = np.memmap(file, dtype="<u8", mode="r+")
    told = 0
    for tile, begins, count in _tiles(file, words):
        new = {n: speed for n, speed in by_tile[tile].items() if n < count}
        if not new and not words[begins + UPDATED]:
            continue  # nothing was ever told there: most of a country, mostly
        streets = words[begins + HEADER_WORDS : begins + HEADER_WORDS + count]
        for n, speed in new.items():
            streets[n] = _encoded(speed)
        for n in np.flatnonzero(streets).tolist():
            if n not in new:
                streets[n] = 0
        words[begins + UPDATED] = now_s if new else 0
        told += len(new)
    found = Present(now_s, told, min(slower, told))
    durable_write(_beside(map_dir), json.dumps(asdict(found)).encode())
    return found


def present(map_dir: Path) -> Present | None:
    """What was written last; ``None``: nothing ever."""
    try:
        return Present(**json.loads(_beside(map_dir).read_bytes()))
    except FileNotFoundError:
        return None


def are_known(map_dir: Path, now_s: float) -> bool:
    """Whether any street's present speed is, so that it is worth asking by them.

    What was written later than ``now_s`` was so before the clock was set back, nobody knows when.
    """
    last = present(map_dir)
    return last is not None and last.told > 0 and abs(now_s - last.at_s) <= GOOD_FOR_S


def _beside(map_dir: Path) -> Path:
    return traffic(map_dir).with_name("present.json")


def _tiles(file: Path, words: Words) -> Iterator[tuple[int, int, int]]:
    """Each tile, where it begins among ``words``, and how many streets it has."""
    with tarfile.open(file) as tar:
        for member in tar:
            if member.name.endswith(".gph"):
                begins = member.offset_data // 8  # files in a tar begin at multiples of 512
                tile, halves = int(words[begins]), int(words[begins + 2])
                count, version = halves & 0xFFFFFFFF, halves >> 32
                if version != VERSION:
                    raise ConfigError(
                        f"Present speeds are of version {version}, not {VERSION}."
                        " Build the map again with the Valhalla that is installed."
                    )
                yield tile, begins, count


def _encoded(kmh: float) -> int:
    """One speed for the whole street. 0 would be not known, for which no stretch is set."""
    # A speed of 0 would close the street; whoever crawls still moves.
    raw = max(1, round(min(max(kmh, 0.0), FASTEST_KMH) / STEP_KMH))
    return raw | raw << 7 | WHOLE << 28

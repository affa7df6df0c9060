"""How fast streets are now, told to every router that has the map open.

Valhalla maps ``traffic.tar`` into memory: a tile in it has a header and one number of 64 bits for
each directed street. What is written there holds at the next question, in all processes, and
until it is written again or the map is built anew. The header is what the wheel's
``valhalla_build_extract`` writes (3.9.1); the bits of a speed were found right by trying them.
"""

from __future__ import annotations

import mmap
import struct
import tarfile
from collections.abc import Mapping
from pathlib import Path

from hub.core.errors import ConfigError
from hub.maps.turns import traffic

HEADER = struct.Struct("<2Q4I")  # tile, last update, streets, version, two spare
VERSION = 3
TILE_BITS = 25  # of a street's number: level and tile; the rest counts within the tile
WHOLE = 255  # the speed holds to the end of the street
FASTEST_KMH = 250
STEP_KMH = 2


def write_speeds(map_dir: Path, kmh: Mapping[int, float | None], *, now_s: int) -> int:
    """How many of these streets the built map has; ``None``: not known any more, as on the map.

    ``kmh`` goes by the numbers that ``ValhallaTravelTimes.snapped`` gives, of this same build.
    Raises ``ConfigError`` where the map has no turns.
    """
    file = traffic(map_dir)
    if not file.is_file():
        raise ConfigError("The built map keeps no present speeds: it was built without turns.")
    written = 0
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as memory:
        tiles = _tiles(file, memory)
        for street, speed in kmh.items():
            tile, n = street & ((1 << TILE_BITS) - 1), street >> TILE_BITS
            begins, count = tiles.get(tile, (0, 0))
            if n >= count:
                continue
            struct.pack_into("<Q", memory, begins + HEADER.size + 8 * n, _encoded(speed))
            struct.pack_into("<Q", memory, begins + 8, now_s)
            written += 1
    return written


def _tiles(file: Path, memory: mmap.mmap) -> dict[int, tuple[int, int]]:
    """Tile -> where it begins in the file, and how many streets it has."""
    found = {}
    with tarfile.open(file) as tar:
        for member in tar:
            if member.name.endswith(".gph"):
                tile, _, count, version, _, _ = HEADER.unpack_from(memory, member.offset_data)
                if version != VERSION:
                    raise ConfigError(
                        f"Present speeds are of version {version}, not {VERSION}."
                        " Build the map again with the Valhalla that is installed."
                    )
                found[tile] = member.offset_data, count
    return found


def _encoded(kmh: float | None) -> int:
    """One speed for the whole street; 0 is not known, for which no stretch is set."""
    if kmh is None:
        return 0
    # A speed of 0 would close the street; whoever crawls still moves.
    raw = max(1, round(min(max(kmh, 0.0), FASTEST_KMH) / STEP_KMH))
    return raw | raw << 7 | WHOLE << 28

"""``python -m benchmarks.matrix --json``: matrices of travel beside the least they could cost.

Places all over the demo's map, or another extract, others for each of ``--seeds``; the floor is
OSRM's own Table call, its answer unread. In milliseconds of processor time, the median of calls
taken in turns, each as often as ``--seconds`` of them allow.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import osrm

from benchmarks import Line
from benchmarks.lent import tools
from hub import Point
from hub.demo.day import EXTRACT as HELSINKI
from hub.maps.build import build
from hub.plugins.travel_crow import CrowTravelTimes
from hub.plugins.travel_osrm import OsrmTravelTimes

SIZES = (100, 250, 500, 1000)
LEAST = 3  # calls of each
AT = datetime(2026, 11, 25, 8, tzinfo=UTC)
BOX = {  # south, west, north, east of where people live, for extracts that are mostly mountains
    "andorra": (42.46, 1.45, 42.60, 1.66),
    "liechtenstein": (47.06, 9.48, 47.25, 9.56),
    "helsinki-centre": (60.155, 24.91, 60.185, 24.97),
    "helsinki": (60.155, 24.91, 60.185, 24.97),
}


def matrices(extract: Path, seconds: float, seed: int) -> list[Line]:
    lines = []
    with TemporaryDirectory(prefix="hub-bench-") as folder:
        build(extract, Path(folder) / "map", built_at=AT)
        roads = OsrmTravelTimes(OsrmTravelTimes.Settings(), tools(Path(folder)))
        crow = CrowTravelTimes(CrowTravelTimes.Settings(), tools(Path(folder)))
        engine, _ = roads._engine("car")
        for size in SIZES:
            places = _places(extract, size, seed)
            asked = osrm.TableParameters(
                coordinates=[(p.lon, p.lat) for p in places],
                annotations=["duration", "distance"],
                generate_hints=False,
            )
            took = _cpu_ms(
                {
                    "floor": lambda asked=asked: engine.Table(asked),
                    "osrm": lambda places=places: roads.matrix(places, AT),
                    "osrm, a block": lambda places=places: roads.matrix(places, AT).block(
                        range(len(places)), range(len(places))
                    ),
                    "crow": lambda places=places: crow.matrix(places, AT),
                },
                seconds / len(SIZES),
            )
            lines += [
                Line(f"{size} places by {key}", took[key], took["floor"], "ms", "a bare OSRM Table")
                for key in ("osrm", "osrm, a block", "crow")
            ]
    return lines


def _places(extract: Path, count: int, seed: int) -> list[Point]:
    chance = random.Random(count + 100_000 * (seed - 1))
    south, west, north, east = BOX[_named(extract)]
    return [Point(chance.uniform(south, north), chance.uniform(west, east)) for _ in range(count)]


def _named(extract: Path) -> str:
    return extract.name.removesuffix(".osm.pbf")


def _cpu_ms(calls: dict[str, Callable[[], object]], seconds: float) -> dict[str, float]:
    took: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    until = time.process_time() + seconds
    while time.process_time() < until or len(next(iter(took.values()))) < LEAST:
        for name, call in calls.items():
            began = time.process_time()
            call()
            took[name].append((time.process_time() - began) * 1000)
    return {name: median(each) for name, each in took.items()}


def main(argv: Sequence[str] | None = None) -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks.matrix", description=__doc__)
    wanted.add_argument("--extract", type=Path, default=HELSINKI)
    wanted.add_argument("--seconds", type=float, default=20.0, help="processor time of each seed")
    wanted.add_argument("--seeds", type=int, default=1)
    wanted.add_argument("--json", action="store_true", help="one JSON object a line")
    asked = wanted.parse_args(argv)
    if _named(asked.extract) not in BOX or not asked.extract.is_file():
        wanted.error(f"There is no extract {asked.extract} of these: {', '.join(BOX)}.")
    for seed in range(1, asked.seeds + 1):
        for line in matrices(asked.extract, asked.seconds, seed):
            if asked.json:
                said = {"benchmark": "matrix", "seed": seed, **asdict(line), "ratio": line.ratio}
                print(json.dumps(said), flush=True)
            else:
                print(f"{line.name:28} {line.ours:10.1f} ms  {line.against} {line.floor:.1f} ms")


if __name__ == "__main__":
    main()

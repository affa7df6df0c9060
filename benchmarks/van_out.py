"""What all ways out of a van that drops out cost to find, in CPU seconds.

python -m benchmarks.van_out [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time

from hub.core.rescue import Way, shared_out
from tests.lost_vans import LostVan, a_lost_van

DAYS = {
    "2 helpers, 29 and 6 stops, 19 left": {},
    "twice that": {"stops": (58, 12), "left": 38},
    "6 helpers, 10 stops each, 15 left, 2 free": {"stops": (10,) * 6, "left": 15, "free": 2},
    "6 helpers, 30 stops each, 30 left, 2 free": {"stops": (30,) * 6, "left": 30, "free": 2},
}


def every_way(day: LostVan) -> list[Way]:
    """As a dispatcher asks: each alone, those on the road together, and everybody by the depot."""
    load, travel, now = day.load, day.travel, day.now
    found = [
        shared_out("replacement", one.id, [one], load, travel, now, (), ("at once",))
        for one in day.takers
    ]
    road = [one for one in day.takers if one.stops]
    found.append(shared_out("shared", "", road, load, travel, now))
    found.append(shared_out("depot", "", day.takers, load, travel, now, (), ("at once", "last")))
    return found


def main() -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks.van_out", description=__doc__)
    wanted.add_argument("--profile", action="store_true")
    wanted.add_argument("--days", type=int, default=len(DAYS))
    wanted.add_argument("--rush", action="store_true")
    asked = wanted.parse_args()
    for name, size in list(DAYS.items())[: asked.days]:
        day = a_lost_van(1, rush=asked.rush, **size)  # type: ignore[arg-type]
        seen = cProfile.Profile()
        began = time.process_time()
        ways = seen.runcall(every_way, day) if asked.profile else every_way(day)
        took = time.process_time() - began
        print(f"{name}: {took:.2f} CPU s", flush=True)
        for way in ways:
            said = way.why_not or f"{len(way.left_out)} left, {way.late_s // 60} min late"
            print(f"   {way.kind:11} {way.key:3} {way.moved:3} moved, {said}, {way.cost} cents")
        if asked.profile:
            pstats.Stats(seen).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()

"""``python -m benchmarks.best_places --json [--drivers N] [--stops N] [--asked N] [--url URL]``

The board's best places for a job that comes in, on a published day: asked the first time, asked
again, asked after a job was put on a route, asked when minutes have passed, and without anything
kept. Beside it the same with every route judged in full. Seconds are of the processor.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles

from hub.db.tables import JobRow
from hub.flows.dispatch import add_job, best_places
from hub.flows.kept_places import KeptPlaces
from tests.flows.test_kept_places import judging_all
from tests.many_routes import ManyRoutes, many_routes


def measured(world: ManyRoutes, asked: int, profile: str) -> dict[str, object]:
    first, *jobs = world.jobs(1 + 4 * asked)
    told: dict[str, object] = {"first_ms": round(_spent(lambda: _ask(world, first)), 1)}
    if profile:
        seen = cProfile.Profile()
        seen.runcall(lambda: [_ask(world, first) for _ in range(20)])
        pstats.Stats(seen).sort_stats("cumulative").print_stats(45)
    again = [_spent(lambda: _ask(world, first)) for _ in range(asked)]
    told["again_ms"] = _spread(again)
    told["new_job_ms"] = _spread([_spent(lambda j=job: _ask(world, j)) for job in jobs[:asked]])
    after = []
    for job in jobs[asked : 2 * asked]:
        best = _ask(world, job)[0]
        if best.fits:
            add_job(
                world.hub,
                world.business_id,
                best.route_id,
                job.id,
                actor="staff:1",
                expected_version=best.version,
            )
        after.append(_spent(lambda: _ask(world, first)))
    told["after_insertion_ms"] = _spread(after)
    later = []
    for _ in range(min(asked, 10)):
        world.now[0] += timedelta(minutes=4)
        later.append(_spent(lambda: _ask(world, first)))
    told["minutes_later_ms"] = _spread(later)
    rebuilt = []
    for _ in range(3):
        world.hub.places = KeptPlaces()
        rebuilt.append(_spent(lambda: _ask(world, first)))
    told["rebuilt_ms"] = _spread(rebuilt)
    told["every_route_ms"] = _spread([_spent(lambda: judging_all(world, first)) for _ in range(3)])
    return told


def _ask(world: ManyRoutes, job: JobRow):  # type: ignore[no-untyped-def]
    return best_places(world.hub, world.business_id, job.id, world.day)


def _spent(what: Callable[[], object]) -> float:
    began = time.process_time()
    what()
    return (time.process_time() - began) * 1000


def _spread(times: list[float]) -> dict[str, float]:
    found = {"p50": round(median(times), 1)}
    if len(times) > 3:
        found["p99"] = round(quantiles(times, n=100, method="inclusive")[98], 1)
    return found


def main() -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks.best_places", description=__doc__)
    wanted.add_argument("--drivers", type=int, default=50)
    wanted.add_argument("--stops", type=int, default=1000)
    wanted.add_argument("--asked", type=int, default=30)
    wanted.add_argument("--url", default="")
    wanted.add_argument("--profile", default="")
    wanted.add_argument("--json", action="store_true")
    asked = wanted.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = asked.url or f"sqlite:///{Path(folder) / 'hub.db'}"
        world = many_routes(url, Path(folder), drivers=asked.drivers, stops=asked.stops)
        told = {"stops": asked.stops, "drivers": asked.drivers}
        told |= measured(world, asked.asked, asked.profile)  # type: ignore[assignment]
    if asked.json:
        print(json.dumps(told), flush=True)
    else:
        print(*(f"{name}={value}" for name, value in told.items()), flush=True)


if __name__ == "__main__":
    main()

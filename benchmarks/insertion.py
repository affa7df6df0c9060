"""``python -m benchmarks.insertion --json --seeds N --seconds S [--dir FOLDER] [name ...]``

Jobs that come in while everybody is under way. The best known plan of an instance loses some jobs;
a quarter of the day is over, and what is done or headed for stays; the lost jobs are offered
again one by one, in the order of a seed. Then they alone are improved for up to ``S`` seconds.
Beside it the same by a plain look at every place (``Draft``), and PyVRP from the same plan: how
many planned stops change their driver. Times are of the processor; regret is against the plan
that knew everything.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import pyvrp

from benchmarks.instances import Instance, _span, instances
from hub.core.ad_hoc import AdHoc
from hub.core.improve import improve
from hub.core.insertion import Draft
from hub.core.schedule import Timetable, epoch

NAMES = ("R1_2_3", "RC1_10_5")
LOST = {"R1_2_3": 42, "RC1_10_5": 60}
STEPS_S = (0.1, 0.4, 1.5)
Orders = dict[str, list[str]]


class Morning:
    """A plan under way without the jobs that will be offered. ``fixed`` is done or headed for."""

    def __init__(self, instance: Instance, path: Path, seed: int) -> None:
        self.instance = instance
        lines = path.with_suffix(".sol").read_text().splitlines()
        solution = [line.split(":")[1].split() for line in lines if line.startswith("Route")]
        whole = instance.request(1, seed)
        orders = {f"v{n}": way for n, way in enumerate(solution)}
        timetable = Timetable(whole)
        depot_closes = epoch(whole.vehicles[0].shift.closes)
        opens = epoch(whole.vehicles[0].shift.opens)
        now = opens + (depot_closes - opens) // 4
        fixed: dict[str, tuple[str, ...]] = {}
        for id, order in orders.items():
            trip = timetable.trip(timetable.vehicles[id], order)
            assert trip is not None
            leaves = [trip.leave, *(stop[3] for stop in trip.stops)]
            fixed[id] = tuple(
                stop[0] for stop, at in zip(trip.stops, leaves, strict=False) if at <= now
            )
        free = [id for id, order in orders.items() for id in order[len(fixed[id]) :]]
        lost = random.Random(seed).sample(free, min(LOST.get(instance.name, 60), len(free)))
        self.lost, gone = lost, set(lost)
        self.orders: Orders = {v: [i for i in o if i not in gone] for v, o in orders.items()}
        vehicles = tuple(
            v if fixed.get(v.id) else replace(v, shift=_span(now - opens, depot_closes - opens))
            for v in whole.vehicles
        )
        self.request = replace(
            whole, vehicles=vehicles, fixed={k: f for k, f in fixed.items() if f}
        )
        self.home = {i: v for v, o in self.orders.items() for i in o}

    def moved(self, orders: Mapping[str, Sequence[str]]) -> int:
        """How many planned stops another vehicle has than before."""
        at = {i: v for v, order in orders.items() for i in order}
        return sum(at.get(i) != v for i, v in self.home.items())

    def regret(self, orders: Mapping[str, Sequence[str]]) -> float:
        """Percent of distance above the plan that knew everything."""
        way = self.instance.data.distance_matrices()[0]
        total = 0
        for order in orders.values():
            through = [0, *(int(i) for i in order), 0] if order else []
            total += sum(int(way[a, b]) for a, b in zip(through, through[1:], strict=False))
        return self.instance.gap(total)


def ours(morning: Morning, seconds: float, seed: int) -> dict[str, Any]:
    desk = AdHoc(Timetable(morning.request), morning.orders)
    looked, searched, taken, out = [], [], [], 0
    for id in morning.lost:
        began = time.process_time()
        desk.spots((id,), 3)
        spotted = time.process_time()
        offers = desk.offers((id,), 3)
        found = time.process_time()
        if not offers:
            out += 1
            continue
        desk.take(offers[0])
        looked.append(spotted - began)
        searched.append(found - spotted)
        taken.append(time.process_time() - found)
    told = {
        "spots_ms": _spread(looked),
        "search_ms": _spread(searched),
        "commit_ms": _spread(taken),
        "not_fitting": out,
        "moved": morning.moved(desk.orders),
        "regret": {"0": round(morning.regret(desk.orders), 2)},
    }
    used = 0.0
    for step in [s for s in STEPS_S if s <= seconds]:
        began, span = time.process_time(), step - used
        improve(
            desk, morning.lost, lambda b=began, s=span: (time.process_time() - b) / s, seed=seed
        )
        used = step
        told["regret"][str(step)] = round(morning.regret(desk.orders), 2)
    told["moved_after"] = morning.moved(desk.orders)
    return told


def every_place(morning: Morning) -> dict[str, Any]:
    """The cheapest lawful place by trying one after the other."""
    draft = Draft(Timetable(morning.request))
    draft.follow(morning.orders)
    searched = []
    for id in morning.lost[:20]:
        began = time.process_time()
        draft.insert((id,))
        searched.append(time.process_time() - began)
    return {"search_ms": _spread(searched), "moved": morning.moved(draft.orders)}


def whole_day_again(morning: Morning, seconds: float, seed: int) -> dict[str, Any]:
    """PyVRP from the plan that stood, free to change everything: what that does to drivers."""
    data = morning.instance.data
    ways = [[int(i) - 1 for i in order] for order in morning.orders.values()]
    until = time.process_time() + seconds
    found = pyvrp.solve(
        data,
        stop=lambda cost: time.process_time() >= until,
        seed=seed,
        collect_stats=False,
        initial_solution=pyvrp.Solution(data, [pyvrp.Route(data, way, 0) for way in ways if way]),
    ).best
    ways = [[str(a.idx + 1) for a in route if a.is_client()] for route in found.routes()]
    # A route is the vehicle's that had most of its stops.
    orders: Orders = {}
    for way in sorted(ways, key=len, reverse=True):
        had = [morning.home[i] for i in way if i in morning.home]
        best = max(sorted(set(had) - orders.keys()), key=had.count, default=f"new {len(orders)}")
        orders[best] = way
    return {"moved": morning.moved(orders), "regret": round(morning.regret(orders), 2)}


def _spread(times: Sequence[float]) -> dict[str, float]:
    if len(times) < 2:
        return {}
    return {
        "p50": round(median(times) * 1000, 3),
        "p99": round(quantiles(times, n=100, method="inclusive")[98] * 1000, 3),
    }


def main() -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks.insertion", description=__doc__)
    wanted.add_argument("names", nargs="*", metavar="name", default=NAMES)
    wanted.add_argument("--seeds", type=int, default=3)
    wanted.add_argument("--seconds", type=float, default=1.5, help="of improvement")
    wanted.add_argument("--dir", type=Path, default=None)
    wanted.add_argument("--json", action="store_true")
    asked = wanted.parse_args()
    for instance in instances(asked.dir, asked.names):
        for seed in range(1, asked.seeds + 1):
            morning = Morning(instance, instance.path, seed)
            told = {
                "instance": instance.name,
                "seed": seed,
                "jobs": len(morning.request.jobs),
                "fixed": sum(map(len, morning.request.fixed.values())),
                "lost": len(morning.lost),
                "ours": ours(morning, asked.seconds, seed),
                "every_place": every_place(morning),
                "pyvrp": whole_day_again(morning, asked.seconds, seed),
            }
            if asked.json:
                print(json.dumps(told), flush=True)
            else:
                print(*(f"{name}={value}" for name, value in told.items()), flush=True)


if __name__ == "__main__":
    main()

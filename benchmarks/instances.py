"""Published instances with their best known solutions, as days to plan.

The convention is DIMACS's: distance is Euclidean times ten, truncated (``.vrp`` with windows), or
rounded (without); travel time is distance; the cost is the distance alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyvrp

from hub import ArrayTravel, JobToPlan, PlanRequest, Point, TimeWindow, VehicleToPlan

MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
LONG_S = 10_000_000  # a shift where the file sets no hours
UNREADABLE = (ArithmeticError, LookupError, OSError, TypeError, ValueError)  # PyVRP has no own
DEGREE = 10_000  # places of the file's plane in a degree: only nearness counts


@dataclass(frozen=True)
class Instance:
    name: str
    data: pyvrp.ProblemData
    best_known: float  # in the units of its matrix
    path: Path

    @property
    def kind(self) -> str:
        """The class it is reported with."""
        n = self.data.num_clients
        for most, kind in ((100, "Solomon-100"), (200, "GH-200"), (400, "GH-400")):
            if n <= most:
                return kind
        return "GH-1000" if n <= 1000 else "XXL"

    def gap(self, cost: float) -> float:
        """Percent above the best known."""
        return 100 * (cost / self.best_known - 1)

    def cost(self, routes: Sequence[Sequence[int]]) -> int:
        """Of routes as client numbers from 1; checked here, by no solver's own code.

        Raises ``ValueError`` for routes that are not lawful.
        """
        if sorted(n for route in routes for n in route) != list(
            range(1, self.data.num_clients + 1)
        ):
            raise ValueError(f"{self.name}: a client is missing or doubled")
        way = self.data.distance_matrices()[0]
        kind = self.data.vehicle_types()[0]
        if len(routes) > kind.num_available:
            raise ValueError(f"{self.name}: {len(routes)} vehicles of {kind.num_available}")
        total, clients = 0, self.data.clients()
        for route in routes:
            now, here, load = kind.tw_early, 0, 0
            for n in route:
                client = clients[n - 1]
                now = max(now + int(way[here, n]), client.tw_early)
                if now > client.tw_late:
                    raise ValueError(f"{self.name}: client {n} is served too late")
                total += int(way[here, n])
                now, here, load = now + client.service_duration, n, load + client.delivery[0]
            total += int(way[here, 0])
            if now + int(way[here, 0]) > kind.tw_late or load > kind.capacity[0]:
                raise ValueError(f"{self.name}: a route is too long or too full")
        return total

    def request(self, time_limit_s: float, seed: int) -> PlanRequest:
        """A cent a metre and nothing else, so that the least cost is the least distance."""
        kind = self.data.vehicle_types()[0]
        closes = min(kind.tw_late, LONG_S)
        metres = self.data.distance_matrices()[0].astype(np.int32)
        jobs = tuple(
            JobToPlan(
                id=str(n),
                place=n,
                service_s=client.service_duration,
                load={"units": client.delivery[0]},
                windows=(_span(client.tw_early, client.tw_late),)
                if client.tw_late <= closes
                else (),
            )
            for n, client in enumerate(self.data.clients(), 1)
        )
        vehicles = tuple(
            VehicleToPlan(
                id=f"v{n}",
                start=0,
                end=0,
                shift=_span(0, closes),
                capacity={"units": kind.capacity[0]},
                per_km=1000,
                per_hour=0,
            )
            for n in range(kind.num_available)
        )
        return PlanRequest(
            places=tuple(Point(at.y / DEGREE, at.x / DEGREE) for at in self.data.locations()),
            travel={"car": ArrayTravel(metres, metres)},
            jobs=jobs,
            vehicles=vehicles,
            time_limit_s=time_limit_s,
            seed=seed,
        )


def instances(folder: Path | None = None, names: Sequence[str] = ()) -> Iterator[Instance]:
    """Pairs of ``.vrp`` and ``.sol`` in ``folder``, small ones first; ``names``: only these.

    Raises ``ValueError`` for a name that it has not, and for a pair that cannot be read: a mean
    over fewer than were meant would look like one over all.
    """
    folder = folder or Path(os.environ["HUB_TEST_DATA"]) / "vrp"
    paths = [path for path in folder.glob("*.vrp") if not names or path.stem in names]
    if missing := sorted(set(names) - {path.stem for path in paths}):
        raise ValueError(f"{folder} has no {', '.join(missing)}.")
    if not paths:
        raise ValueError(f"{folder} has no instances (.vrp).")
    found = [read(path) for path in paths]
    yield from sorted(found, key=lambda one: (one.data.num_clients, one.name))


def read(path: Path) -> Instance:
    """Raises ``ValueError`` where it, or the best known solution beside it, cannot be read."""
    try:
        return _read(path)
    except UNREADABLE as error:
        sol = path.with_suffix(".sol").name
        why = f"{path.name} and {sol} cannot be read ({type(error).__name__}: {error})."
        raise ValueError(f"{why} Mend them, or name the others.") from error


def _read(path: Path) -> Instance:
    words = path.read_text().split("NODE_COORD_SECTION")[0]
    windows = "SERVICE_TIME" in words or "VRPTW" in words
    data = pyvrp.read(path, round_func="dimacs" if windows else "round")
    best = float(path.with_suffix(".sol").read_text().split("Cost")[1].split()[0])
    return Instance(path.stem, data, best * (10 if windows else 1), path)


def routes_of(plan_routes: Mapping[str, Sequence[object]]) -> list[list[int]]:
    ways = [[int(visit.job_id) for visit in visits] for visits in plan_routes.values()]  # type: ignore[attr-defined]
    return [way for way in ways if way]


def _span(opens: int, closes: int) -> TimeWindow:
    return TimeWindow(MIDNIGHT + timedelta(seconds=opens), MIDNIGHT + timedelta(seconds=closes))

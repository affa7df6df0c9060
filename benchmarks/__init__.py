"""Figures for docs/benchmarks.md, each beside a floor or a peer measured in the same run.

A ratio travels between machines, a bare figure does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from hub.core.ids import new_id
from hub.flows.pairing import pair, pairing_code
from tests.driving_worlds import Morning, a_morning

FOLDER = TemporaryDirectory(prefix="hub-bench-")  # goes when the program ends


@dataclass(frozen=True, slots=True)
class Line:
    """``ours`` and ``floor`` (a peer's, or what it is built on) are in ``unit``."""

    name: str
    ours: float
    floor: float
    unit: str
    against: str

    @property
    def ratio(self) -> float:
        return self.ours / self.floor


def per_call_ms(calls: dict[str, Callable[[], object]], seconds: float) -> dict[str, float]:
    """The median of each; taken in turns, so that a busy moment falls on all of them."""
    for call in calls.values():
        call()  # what is made once is not measured
    took: dict[str, list[float]] = {name: [] for name in calls}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            took[name].append((time.perf_counter() - began) * 1000)
    return {name: median(each) for name, each in took.items()}


def a_published_day(jobs: int) -> tuple[Morning, str]:
    """One driver's published route on SQLite on disk, and that driver's token."""
    url = f"sqlite:///{Path(FOLDER.name) / new_id()}.db"
    day = a_morning(jobs, url)
    day.publish()
    token = pair(day.hub, pairing_code(day.hub, day.business_id, day.drivers[0]))
    assert token is not None
    return day, token

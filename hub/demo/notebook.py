"""What truly happened on this day, as the simulator knows it: nobody asked the hub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.core.notices import Trigger
from hub.core.orders import IncomingOrder
from hub.demo.phone import File

Key = tuple[str, Trigger]  # an e-mail address, and what it is told


@dataclass(frozen=True, slots=True)
class Visit:
    """A driver at a door. ``ready_s`` is when work could begin there."""

    driver: str
    stop_id: str
    jobs: tuple[str, ...]
    came_s: float
    ready_s: float


@dataclass(frozen=True, slots=True)
class Ending:
    """How a driver ended a job at its door, and what he brought as proof."""

    number: str
    outcome: str
    at_s: float
    demands: tuple[str, ...]
    files: tuple[File, ...]


@dataclass
class Notebook:
    """``orders`` by their numbers; ``promised``: notices by whom they are to reach."""

    orders: dict[str, IncomingOrder] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    endings: dict[str, Ending] = field(default_factory=dict)
    promised: Counter[Key] = field(default_factory=Counter)
    open: set[str] = field(default_factory=set)  # numbers of orders that are not over
    hiccups: list[str] = field(default_factory=list)

    def placed(self, order: IncomingOrder) -> None:
        self.orders[order.number] = order
        self.open.add(order.number)

    def visits_of(self) -> Mapping[str, list[Visit]]:
        """Job id -> the visits to its door, in their order."""
        found: dict[str, list[Visit]] = {}
        for visit in self.visits:
            for job_id in visit.jobs:
                found.setdefault(job_id, []).append(visit)
        return found

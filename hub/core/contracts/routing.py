"""Who drives where in which order, and when they arrive."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.core.contracts.provider import Provider
from hub.core.planning import Need, Plan, PlanRequest


class RoutingStrategy(Provider):
    """A way to turn jobs and vehicles into routes.

    Example: ``hub plugin new NAME --kind routing-strategy``.
    """

    @abstractmethod
    def capabilities(self) -> frozenset[Need]:
        """What it can honour; the hub asks another strategy for the rest."""

    @abstractmethod
    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        """Answer within about ``request.time_limit_s``; leave out what cannot be served.

        ``progress(best)`` returning ``False`` means: stop, keep the best. The
        same request and seed give the same plan. The hub checks the answer with
        ``violations`` and refuses one that breaks a promise.
        """


class EtaModel(Provider):
    """A way to work out arrivals. An installed one is asked before the built-in one.

    ::

        def estimate(self, route, progress, history):
            at, found = progress.now, []
            for travel_s, service_s in zip(route.travel_s, route.service_s):
                at += timedelta(seconds=travel_s)
                found.append(Arrival(at, at, at + timedelta(minutes=5)))
                at += timedelta(seconds=service_s)
            return found
    """

    @abstractmethod
    def estimate(
        self, route: RouteAhead, progress: RouteProgress, history: Sequence[PastError]
    ) -> Sequence[Arrival]:
        """One arrival for every remaining stop, in order, never before ``progress.now``.

        ``history``: how far earlier estimates of this depot were off, the newest first.
        """


@dataclass(frozen=True, slots=True)
class RouteAhead:
    """Remaining stops in order: the drive to each, the time at it, when its work can begin.

    The first drive begins at ``RouteProgress.now``; ``opens`` is in epoch seconds, 0 where
    work can begin at any time.
    """

    travel_s: tuple[int, ...]
    service_s: tuple[int, ...]
    opens: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RouteProgress:
    """``late_s``: behind the plan at the next stop, negative while ahead of it.

    ``way_pace`` and ``work_pace``: how long the ways and the work at doors took so far on
    this round, as a multiple of the plan; 1 until enough is known. ``RouteAhead`` goes by
    them already.
    """

    now: datetime
    late_s: float = 0.0
    way_pace: float = 1.0
    work_pace: float = 1.0


@dataclass(frozen=True, slots=True)
class PastError:
    """An estimate made ``ahead_s`` before an arrival was ``error_s`` too early."""

    ahead_s: int
    error_s: int  # arrival minus estimate


@dataclass(frozen=True, slots=True)
class Arrival:
    p10: datetime
    p50: datetime
    p90: datetime

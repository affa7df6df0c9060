"""A strategy that takes its time, in a module that its process can import quickly."""

from __future__ import annotations

import time
from collections.abc import Callable

from hub import Need, Plan, PlanRequest, RoutingStrategy, completed


class SlowRouting(RoutingStrategy):
    """Has its plan at once and goes on looking for a better one until told, or out of time."""

    key = "slow"
    title = "Slow"

    def capabilities(self) -> frozenset[Need]:
        return frozenset(Need)

    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        until = time.monotonic() + request.time_limit_s
        best = completed(request, {})
        while progress(best) and time.monotonic() < until:
            time.sleep(0.05)
        return best

"""A routing strategy that is right: it tries orders by chance until time is up."""

import random
import time
from collections.abc import Callable
from dataclasses import replace

from hub import Need, Plan, PlanRequest, RoutingStrategy, Tools, completed
from hub.testing import RoutingStrategyConformance


class Trying(RoutingStrategy):
    key = "trying"
    title = "Trying"

    def capabilities(self) -> frozenset[Need]:
        return frozenset(Need)

    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        until = time.monotonic() + request.time_limit_s
        dice = random.Random(request.seed)
        best = completed(request, {})
        asked = request
        for _ in range(3):
            if not progress(best) or time.monotonic() > until:
                break
            ids = [job.id for job in request.jobs]
            dice.shuffle(ids)
            orders = {vehicle.id: ids[:5] for vehicle in request.vehicles[:1]}
            found = completed(asked, orders)
            best = min(best, found, key=request.loss)
        return best


class TestReference(RoutingStrategyConformance):
    def strategy(self, tools: Tools) -> Trying:
        return Trying(Trying.Settings(), tools)


__all__ = ["replace"]  # for what is planted

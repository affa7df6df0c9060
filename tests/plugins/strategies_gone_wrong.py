"""Routing strategies as strangers write them, for the process that runs them."""

import os
import time
from collections.abc import Callable

from hub import Need, Plan, PlanRequest, RoutingStrategy, completed


class Dies(RoutingStrategy):
    key = title = "dies"

    def capabilities(self) -> frozenset[Need]:
        return frozenset()

    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        os._exit(9)


class DiesLate(Dies):
    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        progress(completed(request, {}))
        os._exit(9)


class Raises(Dies):
    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        raise ZeroDivisionError("no vehicles to divide by")


class Deaf(Dies):
    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        progress(completed(request, {}))
        time.sleep(600)
        raise AssertionError


class Willing(Dies):
    def plan(self, request: PlanRequest, progress: Callable[[Plan], bool]) -> Plan:
        best = completed(request, {}, ("the best",))
        while progress(best):
            time.sleep(0.05)
        return best

"""An ETA model that is right, and small enough to be made wrong."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hub import Arrival, EtaModel, PastError, RouteAhead, RouteProgress, Tools
from hub.testing import EtaModelConformance


class Plain(EtaModel):
    key = "plain"
    title = "Plain"

    def estimate(
        self, route: RouteAhead, progress: RouteProgress, history: Sequence[PastError]
    ) -> Sequence[Arrival]:
        clock = progress.now
        found = []
        for n in range(len(route.travel_s)):
            clock = clock + timedelta(seconds=route.travel_s[n])
            margin = timedelta(seconds=60) + (clock - progress.now) / 5
            found.append(Arrival(max(progress.now, clock - margin), clock, clock + margin))
            opens_at = datetime.fromtimestamp(route.opens[n], UTC)
            clock = max(clock, opens_at)
            clock = clock + timedelta(seconds=route.service_s[n])
        return found


class TestReference(EtaModelConformance):
    def model(self, tools: Tools) -> Plain:
        return Plain(Plain.Settings(), tools)

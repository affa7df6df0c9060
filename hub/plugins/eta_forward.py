"""Arrivals by driving the rest of the round in thought: ways, waits and work, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hub import Ahead, Arrival, EtaModel, PastError, RouteAhead, RouteProgress, estimate


class ForwardEta(EtaModel):
    """The built-in model. Another that is installed is asked instead."""

    key = "forward"
    title = "Ways, waits and work"

    def estimate(
        self, route: RouteAhead, progress: RouteProgress, history: Sequence[PastError]
    ) -> Sequence[Arrival]:
        stops = zip(route.travel_s, route.service_s, route.opens, strict=True)
        ahead = [
            Ahead(str(n), travel_s, service_s, datetime.fromtimestamp(opens, UTC))
            for n, (travel_s, service_s, opens) in enumerate(stops)
        ]
        return estimate(progress.now, ahead, history)

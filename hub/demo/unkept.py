"""Promises that the board itself does not expect to be kept, and that nobody is told anew of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.demo.notebook import Notebook

BY_S = 600.0  # of less, nobody need be told
FOR_S = 900.0  # a notice is sent at the next look; some of them are looks at a driver who stands
WAITS = ("dispatched", "loaded", "en_route")


class Unkept:
    """Looks at the board beside whoever plays the day, and complains to ``book``."""

    def __init__(self, book: Notebook) -> None:
        self.book = book
        self._since: dict[tuple[str, str], float] = {}

    def look(self, board: Mapping[str, Any], at_s: float) -> None:
        """Note what is expected too late ``at_s``; once for each promise that stays so."""
        seen = set()
        for stop in (stop for route in board["routes"] for stop in route["stops"]):
            for job in stop["jobs"]:
                order = self.book.orders.get(job["number"])
                if order is not None and order.pick_up is not None:
                    continue  # fetching the goods is told to nobody
                if job["state"] not in WAITS or job["promise"] is None:
                    continue
                late_s = _s(stop["estimate"]) - _s(job["promise"][1])
                if late_s > BY_S and _s(stop["estimate"]) > at_s:
                    seen.add((job["number"], job["promise"][1]))
        for one in self._since.keys() - seen:
            del self._since[one]
        for one in seen:
            since_s = self._since.setdefault(one, at_s)
            if since_s + FOR_S <= at_s:
                self._since[one] = float("inf")
                said = f"Order {one[0]} is expected after {one[1]}, and nobody was told."
                self.book.hiccups.append(said)


def _s(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()

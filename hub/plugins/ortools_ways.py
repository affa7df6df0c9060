"""What each way between two nodes of OR-Tools' model takes, and what it costs.

The nodes are the jobs, then the chances to reload, then the depots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hub import JobToPlan, PlanRequest, VehicleToPlan
from hub.plugins.routing_pyvrp.slowed import Clock

UNITS = 1800  # whole units per cent, as prices per km and hour need them


@dataclass(frozen=True, slots=True)
class Chance:
    """``vehicle``, by its number, may reload at ``place``."""

    vehicle: int
    place: int


class Ways:
    """The tables of a request. ``depots`` are places; ``None``: where nobody drives. ``starts``:
    when jobs begin in a plan that is known, an epoch; drives take what they take then.
    """

    def __init__(
        self,
        request: PlanRequest,
        reloads: Sequence[Chance],
        depots: Sequence[int | None],
        starts: Mapping[str, float],
    ) -> None:
        self.request, self.jobs, self.starts = request, request.jobs, starts
        self.reloads, self.depots = reloads, depots

    def works(self, vehicle: VehicleToPlan) -> list[int]:
        """Seconds at each node once its service begins."""
        loading = (vehicle.reload_s for _ in self.reloads)
        works = (service_s(vehicle, job) for job in self.jobs)
        return [*works, *loading, *(0 for _ in self.depots)]

    def matrices(self, vehicle: VehicleToPlan) -> tuple[list[list[int]], list[list[int]]]:
        """Metres, and seconds with the service before leaving and the way to the door after."""
        travel = self.request.travel[vehicle.profile]
        places: list[int | None] = [
            *(job.place for job in self.jobs),
            *(reload.place for reload in self.reloads),
            *self.depots,
        ]
        slowed = self._slowed(vehicle, places) if travel.pace else None
        doors = [self._walk(vehicle, job.place) for job in self.jobs]
        walks = doors + [0] * (len(places) - len(doors))
        metres, seconds = [], []
        for n, (work, here) in enumerate(zip(self.works(vehicle), places, strict=True)):
            far = [0 if None in (here, to) else travel.metres[here][to] for to in places]  # type: ignore[index]
            long = [0 if None in (here, to) else travel.seconds[here][to] for to in places]  # type: ignore[index]
            if slowed is not None:
                long = slowed[n]
            if any(walks):
                stays = [n < len(doors) and here == to for to in places]
                ways = zip(long, walks, stays, strict=True)
                long = [s if stay else s + walk for s, walk, stay in ways]
            metres.append(far)
            seconds.append([work + s for s in long])
        return metres, seconds

    def _walk(self, vehicle: VehicleToPlan, place: int) -> int:
        return vehicle.at_door_s(self.request.access_s.get(place, 0))

    def _slowed(self, vehicle: VehicleToPlan, places: Sequence[int | None]) -> list[list[int]]:
        """Seconds between all nodes at the time they are driven."""
        travel = self.request.travel[vehicle.profile]
        here = [0 if place is None else place for place in places]
        seconds, _ = travel.block(here, here)
        for n, place in enumerate(places):
            if place is None:
                seconds[n, :] = seconds[:, n] = 0
        arrives = np.full(len(places), np.nan)
        arrives[: len(self.jobs)] = [self.starts.get(job.id, np.nan) for job in self.jobs]
        leaves = arrives + np.array(self.works(vehicle))
        slowed: list[list[int]] = (
            Clock(travel.pace, vehicle.shift).slowed(seconds, leaves, arrives).tolist()
        )
        return slowed

    def prices(self, vehicle: VehicleToPlan, metres: list[list[int]]) -> list[list[int]]:
        """What each way costs: its metres, who does the job it leaves, an order turned round."""
        ranks = {id: n for n, id in enumerate(self.request.before.get(vehicle.id, ()))}
        known = [ranks.get(job.id) for job in self.jobs]
        others = [None] * (len(metres) - len(known))
        prices = []
        for n, (row, rank) in enumerate(zip(metres, [*known, *others], strict=True)):
            price = [m * vehicle.per_km * UNITS // 1000 for m in row]
            job = self.jobs[n] if n < len(self.jobs) else None
            if job and job.wanted_vehicle not in (None, vehicle.id):
                price = [p + job.other_vehicle_cost * UNITS for p in price]
            if job and (own := job.vehicle_costs.get(vehicle.id, 0)):
                price = [p + own * UNITS for p in price]
            if self.request.reorder_cost and rank is not None:
                for to, next_rank in enumerate(known):
                    if next_rank is not None and next_rank < rank:
                        price[to] += self.request.reorder_cost * UNITS
            prices.append(price)
        return prices


def service_s(vehicle: VehicleToPlan, job: JobToPlan) -> int:
    return vehicle.at_door_s(job.service_s)

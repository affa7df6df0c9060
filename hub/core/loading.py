"""What is on board between two loadings, what must not be there together, and where to reload."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from hub.core.plan_request import JobToPlan, PlanRequest, VehicleToPlan

KEPT = 24
"""Ways to reload that are remembered for each stretch of a route, the shortest. Of 114 orders of
six jobs that could be driven with reloads in any way, each could be in one of these."""

_Way = tuple[float, tuple[tuple[int, int], ...]]  # what the detours cost; (after n jobs, place)


def starts_on_board(job: JobToPlan) -> bool:
    return job.load_direction == "deliver" and not job.pair_with


class Loading:
    """A request's rules about loads, prepared for asking often."""

    def __init__(self, request: PlanRequest, jobs: Mapping[str, JobToPlan]) -> None:
        self.request, self.jobs = request, jobs
        apart: dict[str, set[str]] = defaultdict(set)
        for one, other in request.never_together:
            apart[one].add(other)
            apart[other].add(one)
        self._apart = {name: frozenset(others) for name, others in apart.items()}

    def may_reload(self, vehicle: VehicleToPlan) -> int:
        """How often it may."""
        return vehicle.max_reloads if vehicle.reload_at else 0

    def fits(self, vehicle: VehicleToPlan, order: Sequence[str], locked: int) -> bool:
        """Whether one load of ``vehicle`` is enough for ``order``."""
        for name, limit in vehicle.capacity.items():
            if self._peak(name, order) > limit:
                return False
        return not self._apart or self.agrees(vehicle, order, locked)

    def agrees(self, vehicle: VehicleToPlan, order: Sequence[str], locked: int) -> bool:
        """Whether nothing is together that must not be, if it reloads as often as it can."""
        if not self.may_share(order, locked):
            return False
        return bool(self.may_reload(vehicle)) or self._goods_agree(order, order[:locked])

    def may_share(self, order: Sequence[str], locked: int) -> bool:
        """Whether one vehicle may do all of ``order``, on however many trips."""
        if not self._apart:
            return True
        here = frozenset(order)
        return all(here.isdisjoint(self._apart.get(id, ())) for id in order[locked:])

    def reloads(
        self, vehicle: VehicleToPlan, order: Sequence[str]
    ) -> Iterator[tuple[tuple[int, int], ...]]:
        """Ways to reload on ``order``, each as (after so many jobs, place); the fewest reloads
        first, of as many the shortest detours.
        """
        reach = self._reach(vehicle, order)
        cuts = self._cuts(order)
        price = {at: self._detours(vehicle, order, at) for at in cuts}
        begun: dict[int, list[_Way]] = {0: [(0.0, ())]}
        for trips in range(self.may_reload(vehicle) + 1):
            whole = [way for at, ways in begun.items() if reach[at] == len(order) for way in ways]
            yield from (way for _, way in sorted(whole)[:KEPT])
            if trips == self.may_reload(vehicle):
                return
            longer: dict[int, list[_Way]] = defaultdict(list)
            for at, ways in begun.items():
                for cut in (cut for cut in cuts if at < cut <= reach[at]):
                    longer[cut] += [
                        (cost + more, (*way, (cut, place)))
                        for cost, way in ways
                        for more, place in price[cut]
                    ]
            begun = {cut: sorted(ways)[:KEPT] for cut, ways in longer.items()}

    def _peak(self, name: str, order: Sequence[str]) -> int:
        jobs = self.jobs
        board = 0
        for id in order:
            job = jobs[id]
            if job.load_direction == "deliver" and not job.pair_with:
                board += job.load.get(name, 0)
        peak = board
        for id in order:
            board += _change(jobs[id], name, jobs)
            peak = max(peak, board)
        return peak

    def _reach(self, vehicle: VehicleToPlan, order: Sequence[str]) -> list[int]:
        """For each position, up to which one the jobs fit on one trip from there."""
        found = []
        locked = frozenset(self.request.fixed.get(vehicle.id, ()))
        for first in range(len(order)):
            peak, board = dict.fromkeys(vehicle.capacity, 0), dict.fromkeys(vehicle.capacity, 0)
            until = first
            while until < len(order):
                job = self.jobs[order[until]]
                for name in vehicle.capacity:
                    if starts_on_board(job):
                        peak[name] += job.load.get(name, 0)
                    else:
                        board[name] += _change(job, name, self.jobs)
                        peak[name] = max(peak[name], board[name])
                if any(peak[name] > limit for name, limit in vehicle.capacity.items()):
                    break
                trip = order[first : until + 1]
                if self._apart and not self._goods_agree(trip, [id for id in trip if id in locked]):
                    break
                until += 1
            found.append(until)
        return found

    def _goods_agree(self, trip: Sequence[str], locked: Sequence[str]) -> bool:
        """Whether what rides together may; what a person put together is theirs."""
        goods = {good for id in trip for good in self.jobs[id].goods}
        free = {good for id in trip if id not in locked for good in self.jobs[id].goods}
        return all(goods.isdisjoint(self._apart.get(good, ())) for good in free)

    def _cuts(self, order: Sequence[str]) -> list[int]:
        """Positions before which it may reload: nothing of a pair is on board."""
        position = {id: n for n, id in enumerate(order)}
        riding = [
            (position[id], position[other])
            for id in order
            if self.jobs[id].leg == "collect" and (other := self.jobs[id].pair_with) in position
        ]
        return [at for at in range(1, len(order)) if not any(a < at <= b for a, b in riding)]

    def _detours(
        self, vehicle: VehicleToPlan, order: Sequence[str], at: int
    ) -> list[tuple[float, int]]:
        travel = self.request.travel[vehicle.profile]
        here, there = self.jobs[order[at - 1]].place, self.jobs[order[at]].place

        def price(a: int, b: int) -> float:
            hours = travel.seconds[a][b] / 3600
            return hours * vehicle.per_hour + travel.metres[a][b] / 1000 * vehicle.per_km

        return [
            (price(here, place) + price(place, there) - price(here, there), place)
            for place in vehicle.reload_at
        ]


def _change(job: JobToPlan, name: str, jobs: Mapping[str, JobToPlan]) -> int:
    """What is more on board (or less) after ``job``."""
    if job.pair_with:
        if job.leg == "collect":
            return job.load.get(name, 0)
        return -jobs[job.pair_with].load.get(name, 0)
    if job.load_direction == "none":
        return 0
    return job.load.get(name, 0) * (1 if job.load_direction == "collect" else -1)

"""Better places for some jobs of a day, while all others keep their vehicle.

Ruin and recreate (Schrimpf et al. 2000; strings and blinks after Christiaens and Vanden Berghe,
"Slack Induction by String Removals", 2020): take a few neighbours off their routes, put each back
where that is cheapest, and keep what is not much worse; at the end the best that was seen.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hub.core.ad_hoc import AdHoc, units
from hub.core.schedule import Trip

MOST_OUT = 10  # units taken out together: more take longer and rarely find more
NEAR = 24  # neighbours that are taken out with one
BLINK = 0.05  # a place is overlooked so often, or the same routes come back every time
WARM = 0.003  # of the mean cost of a unit at the start, what may be worse; nothing at the end
Unit = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stability:
    """What it costs to change what people know. ``home``: job id -> the vehicle that has it."""

    home: Mapping[str, str] = field(default_factory=dict)
    move_price: int = 0  # for each job that another vehicle would do

    def dearer(self, unit: Unit, vehicles: Sequence[str]) -> dict[str, float] | None:
        """Vehicle id -> what it costs on top to have it do ``unit``."""
        home = self.home.get(unit[0])
        if home is None or not self.move_price:
            return None
        price = float(self.move_price * len(unit))
        return {id: price for id in vehicles if id != home}


def improve(
    desk: AdHoc,
    movable: Sequence[str],
    share: Callable[[], float],
    *,
    stability: Stability | None = None,
    seed: int = 0,
    on_best: Callable[[Mapping[str, tuple[str, ...]]], None] = lambda orders: None,
) -> int:
    """Leave ``desk`` with the best that was found; what that saves, in the unit of its costs.

    Only ``movable`` jobs change place. ``share`` is of the time that is used up, from 0: at 1
    the search ends. Every route stays lawful, and never costs more than before altogether.
    ``on_best`` hears the orders of each that is better than all before.
    """
    return _Search(desk, movable, stability or Stability(), seed).run(share, on_best)


class _Search:
    def __init__(self, desk: AdHoc, movable: Sequence[str], stability: Stability, seed: int):
        self.desk, self.stability = desk, stability
        self.chance = random.Random(seed)  # noqa: S311  (a search, not a secret)
        timetable = desk.timetable
        on_a_route = {id: v for v, order in desk.orders.items() for id in order}
        locked = set(timetable.owner)
        wanted = [id for id in movable if id in on_a_route]
        self.units = [u for u in units(timetable.jobs, wanted) if locked.isdisjoint(u)]
        self.at = {unit: on_a_route[unit[0]] for unit in self.units}
        self.vehicles = [vehicle.id for vehicle in timetable.request.vehicles]
        self.near = self._near()

    def run(
        self,
        share: Callable[[], float],
        on_best: Callable[[Mapping[str, tuple[str, ...]]], None],
    ) -> int:
        began = cost = best = self._cost()
        if not self.units:
            return 0
        kept = dict(self.desk.orders), dict(self.desk.trips), dict(self.at)
        warm = WARM * max(1.0, self.desk.cost / max(1, sum(map(len, self.desk.orders.values()))))
        warm *= len(self.units)
        while (used := share()) < 1:
            if not (touched := self._try()):
                continue
            new = self._cost()
            worst = cost - warm * (1 - used) * math.log(1 - self.chance.random())
            if new < worst:
                cost = new
                if new < best:
                    best = new
                    kept = dict(self.desk.orders), dict(self.desk.trips), dict(self.at)
                    on_best(kept[0])
            else:
                self._undo(touched)
        orders, trips, self.at = kept
        for id, order in orders.items():
            if self.desk.orders[id] != order:
                self.desk.restore(id, order, trips[id])
        return began - best

    def _try(self) -> dict[str, tuple[tuple[str, ...], Trip, dict[Unit, str]]] | None:
        """Take some out and put them back; the routes as they were, or ``None`` if it failed."""
        out = self._chosen()
        touched: dict[str, tuple[tuple[str, ...], Trip, dict[Unit, str]]] = {}
        before = {unit: self.at[unit] for unit in out}

        def note(vehicle: str) -> None:
            if vehicle not in touched:
                was = self.desk.orders[vehicle], self.desk.trips[vehicle], before
                touched[vehicle] = was

        by_vehicle: dict[str, set[str]] = {}
        for unit in out:
            by_vehicle.setdefault(self.at[unit], set()).update(unit)
        for vehicle, ids in by_vehicle.items():
            note(vehicle)
            if not self.desk.without(vehicle, frozenset(ids)):
                self._undo(touched)
                return None
        for unit in self._turn(out):
            offer = None
            dearer = self.stability.dearer(unit, self.vehicles)
            for spot in self.desk.spots(unit, 4, dearer):
                if self.chance.random() < BLINK:
                    continue
                if (offer := self.desk.judged(unit, spot)) is not None:
                    break
            if offer is None:
                self._undo(touched)
                return None
            note(offer.vehicle_id)
            self.desk.take(offer)
            self.at[unit] = offer.vehicle_id
        return touched

    def _undo(self, touched: Mapping[str, tuple[tuple[str, ...], Trip, dict[Unit, str]]]) -> None:
        for vehicle, (order, trip, before) in touched.items():
            self.desk.restore(vehicle, order, trip)
            self.at.update(before)

    def _chosen(self) -> list[Unit]:
        first = self.chance.randrange(len(self.units))
        most = min(len(self.units), MOST_OUT)
        size = self.chance.randint(1, most)
        others = [n for n in self.near[first] if self.chance.random() < 0.7]
        return [self.units[n] for n in [first, *others][:size]]

    def _turn(self, out: list[Unit]) -> list[Unit]:
        """In which order they are put back: what is hard to place first, or by chance."""
        jobs, windows = self.desk.timetable.jobs, self.desk.timetable.windows
        self.chance.shuffle(out)
        match self.chance.randrange(3):
            case 0:
                return out
            case 1:
                return sorted(out, key=lambda u: -sum(jobs[u[0]].load.values()))
        return sorted(out, key=lambda u: windows[u[0]][-1][1] if windows[u[0]] else 1 << 60)

    def _near(self) -> list[list[int]]:
        """For each unit the others, the nearest first."""
        request = self.desk.timetable.request
        places = [self.desk.timetable.jobs[unit[0]].place for unit in self.units]
        profile = request.vehicles[0].profile if request.vehicles else ""
        if not places:
            return []
        far, _ = request.travel[profile].block(places, places)
        return [[int(m) for m in row if m != n][:NEAR] for n, row in enumerate(np.argsort(far))]

    def _cost(self) -> int:
        moved = sum(
            len(unit)
            for unit, vehicle in self.at.items()
            if self.stability.home.get(unit[0], vehicle) != vehicle
        )
        return self.desk.cost + moved * self.stability.move_price

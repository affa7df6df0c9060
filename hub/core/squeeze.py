"""Making room: whether a job that is left out fits if some of the others move over.

A free place is tried first; then neighbours are taken out, the job goes in and they are put back
wherever they fit. Nobody is left out for it, or nothing has happened.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np

from hub.core.ad_hoc import AdHoc, units
from hub.core.plan_request import PlanRequest
from hub.core.schedule import Timetable, Trip

MOST_OUT = 6  # units that are taken out together
Unit = tuple[str, ...]


def room(
    request: PlanRequest, orders: Mapping[str, Sequence[str]], unit: Unit, tries: int, seed: int = 0
) -> dict[str, tuple[str, ...]] | None:
    """Lawful routes with everybody of ``orders`` and ``unit``, if ``squeeze`` finds some.

    ``None`` also where ``orders`` break a rule of ``request`` already.
    """
    try:
        desk = AdHoc(Timetable(request), orders)
    except ValueError:  # who may begin sooner does, and may be out for too long by it
        return None
    return dict(desk.orders) if squeeze(desk, unit, tries, seed) else None


def squeeze(desk: AdHoc, unit: Unit, tries: int, seed: int = 0) -> bool:
    """Have ``unit`` (a job, or a pair in its order) served beside all who are served now.

    ``tries``: how often others are moved over before it is given up; then ``desk`` is as it was.
    """
    if offers := desk.offers(unit, 1):
        desk.take(offers[0])
        return True
    chance = random.Random(seed)  # noqa: S311  (a search, not a secret)
    near = _near(desk, unit)
    start = {v: (desk.orders[v], desk.trips[v]) for v in desk.orders}
    for n in range(tries if near else 0):
        if _try(desk, unit, near, chance, n):
            return True
    for vehicle, (order, trip) in start.items():
        if desk.orders[vehicle] != order:
            desk.restore(vehicle, order, trip)
    return False


def _try(desk: AdHoc, unit: Unit, near: list[Unit], chance: random.Random, n: int) -> bool:
    """One change. It stays if everybody is served by it, whether ``unit`` is then or not."""
    before: dict[str, tuple[tuple[str, ...], Trip]] = {}

    def note(vehicle: str) -> None:
        before.setdefault(vehicle, (desk.orders[vehicle], desk.trips[vehicle]))

    def back() -> bool:
        for vehicle, (order, trip) in before.items():
            desk.restore(vehicle, order, trip)
        return False

    if n < len(near):
        out = [near[n]]  # each alone first
    else:
        pool = near[: max(4, len(near) // (1 + n % 3))]
        out = chance.sample(pool, min(len(pool), chance.randint(2, MOST_OUT)))
    at = {id: vehicle for vehicle, order in desk.orders.items() for id in order}
    for vehicle in {at[one[0]] for one in out}:
        ids = frozenset(id for one in out if at[one[0]] == vehicle for id in one)
        note(vehicle)
        if not desk.without(vehicle, ids):
            return back()
    with_it = True
    if offers := desk.offers(unit, 1):
        note(offers[0].vehicle_id)
        desk.take(offers[0])
    else:
        with_it = False  # moving others about may still open a door for the next try
    chance.shuffle(out)
    for one in out:
        best = desk.offers(one, 1 if chance.random() < 0.7 else 3)
        if not best:
            return back()
        offer = best[-1] if chance.random() < 0.3 else best[0]
        note(offer.vehicle_id)
        desk.take(offer)
    return with_it


def _near(desk: AdHoc, unit: Unit) -> list[Unit]:
    """Whoever may be moved, those nearest to ``unit`` first."""
    timetable = desk.timetable
    request = timetable.request
    served: Sequence[str] = [id for order in desk.orders.values() for id in order]
    free = [one for one in units(timetable.jobs, served) if timetable.owner.keys().isdisjoint(one)]
    if not free or not request.vehicles:
        return []
    places = [timetable.jobs[one[0]].place for one in free]
    seconds = request.travel[request.vehicles[0].profile].seconds
    here = timetable.jobs[unit[0]].place
    far = np.array([seconds[here][place] + seconds[place][here] for place in places])
    return [free[n] for n in np.argsort(far, kind="stable")]

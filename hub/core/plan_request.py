"""What a routing strategy is asked and what it answers: values only, no judgement.

Places are indexes into ``PlanRequest.places``. Loads and capacities are named
dimensions (``g``, ``cm3``, ``parcels`` …), whole numbers; a vehicle has no limit
in a dimension it does not name. Import these from ``hub.core.planning``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any, ClassVar, Literal

import numpy as np

from hub.core.values import Point, TimeWindow

Whole = np.ndarray[Any, np.dtype[np.int64]]  # two dimensions, of seconds or metres


@dataclass(frozen=True, slots=True)
class Pace:
    """From ``begins`` on, until the next one, a drive takes ``factor`` times its seconds."""

    begins: datetime
    factor: float  # 1.4 in the rush hour, 0.9 at night; more than 0


@dataclass(frozen=True, slots=True)
class TravelMatrix:
    """``seconds[i][j]`` and ``metres[i][j]`` from place *i* to place *j*; square, zero diagonal.

    Kinds of it for many places are in ``hub.core.travel``: whoever works on a part of them asks
    for a ``block``, whoever follows a way says so first by ``learn``.

    ``pace``, earliest first, says how the seconds change with the time of day. Each piece of a
    drive goes at the pace of its own moment, so who leaves later never arrives sooner.
    """

    seconds: Sequence[Sequence[int]]
    metres: Sequence[Sequence[int]]
    pace: tuple[Pace, ...] = ()
    is_whole: ClassVar[bool] = True  # False: what nobody asked for yet has to be fetched

    def block(self, rows: Sequence[int], cols: Sequence[int]) -> tuple[Whole, Whole]:
        """Seconds and metres from each of ``rows`` to each of ``cols``."""
        return _picked(self.seconds, rows, cols), _picked(self.metres, rows, cols)

    def part(self, places: Sequence[int]) -> TravelMatrix:
        """The same between ``places`` alone, which are 0, 1, … in it."""
        seconds, metres = self.block(places, places)
        return TravelMatrix(seconds.tolist(), metres.tolist(), self.pace)

    def paced(self, pace: tuple[Pace, ...]) -> TravelMatrix:
        """The same roads at another pace of the day."""
        return TravelMatrix(self.seconds, self.metres, pace)

    def learn(self, ways: Iterable[Sequence[int]]) -> None:
        """The legs of these ways will be asked for, one by one."""


def _picked(cells: Sequence[Sequence[int]], rows: Sequence[int], cols: Sequence[int]) -> Whole:
    if len(cols) < 2:
        return np.array([[cells[r][c] for c in cols] for r in rows], dtype=np.int64).reshape(
            len(rows), len(cols)
        )
    of = itemgetter(*cols)
    return np.array([of(cells[r]) for r in rows], dtype=np.int64).reshape(len(rows), len(cols))


@dataclass(frozen=True, slots=True)
class RoadStep:
    """One instruction, in the language asked for, and what to drive until the next."""

    text: str
    seconds: int
    metres: int


@dataclass(frozen=True, slots=True)
class RoadLeg:
    """``free_s``: what it takes where no street is slower just now; ``None``: not known apart."""

    seconds: int
    metres: int
    steps: tuple[RoadStep, ...] = ()
    free_s: int | None = None


@dataclass(frozen=True, slots=True)
class RoadRoute:
    """The way through some places: its shape, and one leg between each two of them."""

    geometry: tuple[Point, ...]
    legs: tuple[RoadLeg, ...]


LoadDirection = Literal["deliver", "collect", "none"]


@dataclass(frozen=True, slots=True)
class Wish:
    """When a job had better begin, and what each hour before or after it costs.

    A recipient's wish, or a promise: a window that may be left, at a price.
    """

    window: TimeWindow
    early_per_hour: int = 0
    late_per_hour: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobToPlan:
    """One visit to make.

    ``load`` is on board from the start of the route (``deliver``) or from here to
    its end (``collect``). The two jobs of a pair name each other in ``pair_with``:
    ``leg`` ``collect`` comes first and its ``load`` stays on board until ``deliver``.
    ``windows`` hold the *start* of service; none: at any time. ``service_s`` is all the time
    it takes there, but for ``PlanRequest.access_s``. ``prize`` is what serving an ``optional``
    job is worth, in the unit of the vehicles' costs. ``ready_at``: a vehicle that brings it
    from the depot does not leave sooner. ``max_on_board_s``: from leaving (for a pair, from
    collecting) to the start of service here. ``goods`` are the names that
    ``PlanRequest.never_together`` speaks of. Each of ``wishes`` costs what it says.
    ``other_vehicle_cost`` is due when another one than ``wanted_vehicle`` does it: the driver
    they know, or whom it was planned for. ``vehicle_costs``: what is due when one of these does
    it. ``zones``: ids of those it lies in; ``hub.core.zones.zoned`` makes of them, and of what
    vehicles keep to, ``forbidden_vehicles`` and ``vehicle_costs``; ``outside`` are those of
    ``forbidden_vehicles`` that nothing else forbids.
    """

    id: str
    place: int
    service_s: int = 0
    load: Mapping[str, int] = field(default_factory=dict)
    load_direction: LoadDirection = "deliver"
    windows: tuple[TimeWindow, ...] = ()
    skills: frozenset[str] = frozenset()
    priority: int = 0  # higher is served first; 0 … 9
    pair_with: str | None = None  # None: not one of a pair
    leg: Literal["collect", "deliver"] = "deliver"
    optional: bool = False
    prize: int = 0
    vehicle: str | None = None  # None: any vehicle may do it
    forbidden_vehicles: frozenset[str] = frozenset()
    ready_at: datetime | None = None  # None: the goods are there
    max_on_board_s: int | None = None  # None: no limit
    goods: frozenset[str] = frozenset()
    wishes: tuple[Wish, ...] = ()
    wanted_vehicle: str | None = None  # None: whoever it is
    other_vehicle_cost: int = 0
    vehicle_costs: Mapping[str, int] = field(default_factory=dict)
    zones: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KeepsTo:
    """Some zones of a vehicle or driver. ``outside_cost``: what each job outside all of them
    costs; ``None``: there are none outside, but for ``besides``, ids of jobs.
    """

    zones: frozenset[str]
    outside_cost: int | None = None
    besides: frozenset[str] = frozenset()

    def has(self, job: JobToPlan) -> bool:
        return not self.zones.isdisjoint(job.zones) or job.id in self.besides


@dataclass(frozen=True, slots=True)
class Break:
    """A rest of ``duration_s`` that begins within ``window``, never during service.

    A window of no length makes it fixed. Resting before leaving or after coming
    home counts, so a short route needs none.
    """

    window: TimeWindow
    duration_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleToPlan:
    """A vehicle with its driver for one shift; both ways lie within ``shift``.

    ``overtime_s`` may be added to the end of the shift, at ``overtime_per_hour`` on
    top. Costs are whole minor units of money (cents), for this vehicle when used.
    It may go to one of ``reload_at`` up to ``max_reloads`` times, for ``reload_s``:
    it puts down what it collected and loads what it delivers until the next time.
    It stays in the zones of every one of ``keeps_to``, or pays.
    """

    id: str
    start: int
    end: int | None  # None: the day ends at the last job
    shift: TimeWindow
    capacity: Mapping[str, int] = field(default_factory=dict)
    offers: frozenset[str] = frozenset()
    max_duration_s: int | None = None  # None: only the shift limits it
    max_jobs: int | None = None  # None: no limit
    overtime_s: int = 0
    breaks: tuple[Break, ...] = ()
    profile: str = "car"
    service_factor: float = 1.0
    fixed_cost: int = 0
    per_km: int = 30
    per_hour: int = 2500
    overtime_per_hour: int = 0
    max_distance_m: int | None = None  # None: no limit, as for a van that fills up anywhere
    reload_at: tuple[int, ...] = ()
    max_reloads: int = 0
    reload_s: int = 0
    keeps_to: tuple[KeepsTo, ...] = ()

    def at_door_s(self, usual_s: int) -> int:
        """What takes ``usual_s`` at a door, by this driver; in whole seconds, rounded up."""
        return math.ceil(usual_s * self.service_factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """``fixed``: for a vehicle id, the job ids that stay first, in this order.

    What a person fixed is theirs: its window, skill and vehicle rules are not held
    against a plan, nor is a route of nothing else; only its order and the roads are.

    ``access_s``: for a place, the seconds from the parked van to the door. They come before
    service, once for the jobs done there in a row. ``never_together``: two names of goods,
    which then do not ride the same trip (from one loading to the next), or two ids of jobs,
    which one vehicle does not do on this day.

    ``uneven_per_hour`` is the price of each hour by which the longest day of a vehicle is longer
    than their mean, with those that stay at home. ``before``: for a vehicle id, the job ids in
    the order that people know; ``reorder_cost`` is due for each of them that has to move for
    the others to be in their old order.

    ``not_before``: no shift can be made to begin earlier, for that moment is over. What vehicles
    may do is in their shifts alone.
    """

    places: tuple[Point, ...]
    travel: Mapping[str, TravelMatrix]  # by vehicle profile
    jobs: tuple[JobToPlan, ...]
    vehicles: tuple[VehicleToPlan, ...]
    fixed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    access_s: Mapping[int, int] = field(default_factory=dict)
    never_together: frozenset[tuple[str, str]] = frozenset()
    uneven_per_hour: int = 0
    before: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reorder_cost: int = 0
    not_before: datetime | None = None
    time_limit_s: float = 10.0
    seed: int = 0

    def loss(self, plan: Plan) -> tuple[int, int]:
        """What plans are compared by, the least is the best: jobs left out that had to be
        done, twice as bad for each step of priority; then the cost, and the prizes forgone.
        """
        out = [job for job in self.jobs if job.id in plan.unassigned]
        weight = sum(1 << max(0, min(job.priority, 9)) for job in out if not job.optional)
        return weight, plan.cost + sum(job.prize for job in out if job.optional)


@dataclass(frozen=True, slots=True)
class Visit:
    """Between ``arrive`` and ``start`` the driver waits for the window, or rests."""

    job_id: str
    arrive: datetime
    start: datetime
    depart: datetime


@dataclass(frozen=True, slots=True)
class Reload:
    """A stop at ``place`` after ``after_visits`` of the vehicle's visits, to unload and load."""

    after_visits: int
    place: int
    arrive: datetime
    depart: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """Every job of the request is in one of ``routes`` or has a reason in ``unassigned``.

    ``spans``: from leaving to being home, for each vehicle with visits (an open
    route is home at its last departure). ``breaks``: one for each of the vehicle's
    breaks, in their order. ``reloads``, in their order, for each vehicle that has any.
    ``cost`` is money and every price of the request. ``notes`` are sentences for the dispatcher.
    """

    routes: Mapping[str, tuple[Visit, ...]]  # vehicle id -> visits in order
    unassigned: Mapping[str, str]  # job id -> reason a dispatcher can read
    cost: int = 0
    spans: Mapping[str, TimeWindow] = field(default_factory=dict)
    breaks: Mapping[str, tuple[TimeWindow, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    reloads: Mapping[str, tuple[Reload, ...]] = field(default_factory=dict)

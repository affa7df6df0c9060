"""What being late, too full or too far costs a run of PyVRP at its beginning.

PyVRP makes each a tenth cheaper, or half as dear again, every so many steps, by how many of the
plans it saw were lawful. Its own beginning is half of the most that it may become: a day of 1,000
jobs was searched for a minute until a little lateness in passing was worth a look. On routes of 40
stops 45 s ended 6.9 % above the best known so, and 4.3 % from here (one seed).
"""

from __future__ import annotations

import numpy as np
import pyvrp
from pyvrp.PenaltyManager import PenaltyManager

from hub.plugins.routing_pyvrp.vehicles import Matrix

MOST = 1e9  # leaving a job out is dear; running late must be able to become dearer
LATE = 10.0  # times what a second of driving costs; it stayed between 3 and 40 on 1,000 jobs
FULL = 0.1  # of a usual way, for the load of a usual job; it stayed between 0.01 and 0.2
STEPS = 100  # until it is thought over; a part of a large day makes a few thousand
SAMPLE = 500  # rows and columns of a matrix that are looked at
Penalties = tuple[list[float], float, float]  # a unit of each load, a second, a unit of distance


def manager(data: pyvrp.ProblemData, *, mild: bool) -> PenaltyManager:
    """``mild``: from here, for large days of long routes on which all jobs fit; else PyVRP's own.

    Others ended dearer so: 1,000 jobs on routes of 11 at 4.1 % instead of 2.3, and 400 of C2_4_8 at
    2.6 % instead of 1.9 after 5 s. Where there is no room for all, leaving one out is so dear that
    all would be late.
    """
    if not mild:
        own = pyvrp.PenaltyParams(max_penalty=MOST)
        return PenaltyManager(own.midpoint_penalties(data), own)
    params = pyvrp.PenaltyParams(max_penalty=MOST, solutions_between_updates=STEPS)
    return PenaltyManager(at_first(data), params)


def at_first(data: pyvrp.ProblemData) -> Penalties:
    """By what a usual way costs, takes and is long; where vehicles differ, by the dearest."""
    late = far = way = 1.0
    for kind in data.vehicle_types():
        distance = _usual(data.distance_matrices()[kind.profile])
        seconds = _usual(data.duration_matrices()[kind.profile])
        cost = distance * kind.unit_distance_cost + seconds * kind.unit_duration_cost
        way = max(way, cost)
        late = max(late, LATE * cost / max(1.0, seconds))
        far = max(far, LATE * cost / max(1.0, distance))
    return [FULL * way / load for load in _loads(data)], late, far


def _loads(data: pyvrp.ProblemData) -> list[float]:
    """Of a usual job that has any, in each dimension."""
    jobs = [np.maximum(client.delivery, client.pickup) for client in data.clients()]
    jobs += [np.asarray(shipment.amount) for shipment in data.shipments()]
    columns = np.array(jobs, dtype=np.float64).reshape(len(jobs), data.num_load_dimensions).T
    return [float(some[some > 0].mean()) if some.any() else 1.0 for some in columns]


def _usual(matrix: Matrix) -> float:
    step = max(1, len(matrix) // SAMPLE)
    some = matrix[::step, ::step]
    return float(np.median(some[some > 0])) if some.any() else 0.0

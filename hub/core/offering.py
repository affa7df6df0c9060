"""The best routes for new work, judging in full only those that can be among them.

``QuickPlaces`` knows the shortest detour of every route at once. A route is judged only while its
detour alone is less than what the best so far cost: so the answer is that of judging all. Where
drives take longer at some hours a detour may cost less than it seems, and the answer is a good one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hub.core.driving import spans_of
from hub.core.fit import Placement
from hub.core.plan_request import JobToPlan
from hub.core.quick_places import QuickPlaces

OTHERS = 12  # routes judged in full where it does not fit, the shortest detours first


@dataclass(frozen=True, slots=True)
class Bounds:
    """Route id -> the least seconds of driving that the work would add.

    ``fits``: where that may break nothing; ``others``: where it breaks something for sure.
    """

    fits: Mapping[str, float]
    others: Mapping[str, float]


def bounds(places: QuickPlaces, legs: Sequence[JobToPlan]) -> Bounds:
    """For ``legs`` (one job, or a pair), in whatever routes there are. The vehicles of
    ``places`` must cost a second of driving 1 and a metre nothing.
    """
    nearest = [places.nearest(leg) for leg in legs]
    least = {id: max(one[id] for one in nearest) for id in nearest[0]}
    if len(legs) > 1:
        return Bounds(least, {})
    [job] = legs
    fits = places.fitting(job, spans_of(job.windows))
    return Bounds(fits, {id: more for id, more in least.items() if id not in fits})


def best_routes(
    found: Bounds, judge: Callable[[str], Placement], most: int = 3
) -> list[tuple[str, Placement]]:
    """Up to ``most`` routes with the work on them, the best first, as ``Placement.burden`` has it.

    First those that it fits. Where it fits fewer than ``most``, of the others only ``OTHERS`` are
    judged.
    """
    judged: list[tuple[str, Placement]] = []
    for id in sorted(found.fits, key=lambda id: (found.fits[id], id)):
        fitting = sorted(_cost_s(one) for _, one in judged if not one.problems)
        if len(fitting) >= most and fitting[most - 1] <= found.fits[id]:
            break
        judged.append((id, judge(id)))
    if sum(not one.problems for _, one in judged) < most:
        nearest = sorted(found.others, key=lambda id: (found.others[id], id))
        judged += [(id, judge(id)) for id in nearest[:OTHERS]]
    return sorted(judged, key=lambda one: (one[1].burden, one[0]))[:most]


def _cost_s(found: Placement) -> int:
    return found.extra_s + found.earlier_s

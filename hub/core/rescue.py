"""The ways out for the work of a van or a driver that drops out, and what each of them costs.

What is aboard is taken over where the van stands (or at the depot, once it is back there) before
any of it is delivered: the stop where that is done is a job of its own to the core, named in
``pair_with`` by everything that comes from it. So is going by the depot for what the van was to
load there next; who starts at that depot has it on board from the start. Only rules that hold
anyway decide: what breaks one for everybody is left out, for a person to decide or for another day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from hub.core.fit import Problem, RouteNow
from hub.core.rescue_sharing import CARE, WHENS, Care, OutOfTimeError, Sharing, When
from hub.core.rescue_way import Kind, Load, Share, Travel, Way, from_it, take_over

__all__ = [
    "CARE",
    "NOBODY",
    "NO_TIME",
    "WHENS",
    "Care",
    "Load",
    "Share",
    "Travel",
    "Way",
    "When",
    "from_it",
    "shared_out",
    "take_over",
]
NOBODY = "Nobody else is on the road or free today."
NO_TIME = "There was no time to look at this."


def shared_out(
    kind: Kind,
    key: str,
    takers: Sequence[RouteNow],
    load: Load,
    travel: Travel,
    now: datetime,
    known: Sequence[Problem] = (),
    whens: Sequence[When] = WHENS,
    *,
    goes_on: Callable[[], bool] = lambda: True,
    care: Care = CARE,
) -> Way:
    """Each unit to whoever of ``takers`` it makes least late, then drives least for it.

    ``known``: what was broken before anything happened; ``whens``: what is tried. Where there is
    one taker, the order it was to be done in is tried too. Once ``goes_on`` says ``False`` it is
    the best of what was tried until then, or not looked at.
    """
    if not takers:
        return Way(kind, key, why_not=NOBODY)
    if not any(taker.stops for taker in takers):
        whens = whens[:1]  # it is all one where nothing else is to do
    mine = takers if load.waiting and kind != "driver" else ()  # who gets in there has no van yet
    at_start = {one.id for one in mine if not one.has_left and one.vehicle.start == load.depot}
    plans = list[Sharing]()
    for brings in [at_start, set[str]()] if at_start else [at_start]:  # or comes back for it later
        sharing = partial(Sharing, takers, load, travel, now, known, brings, goes_on, care)
        try:
            if len(takers) == 1:  # first: a better order must be better
                plans.append(sharing().in_order())
            for when in whens:
                plans.append(sharing().greedily(when))
        except OutOfTimeError:
            break
    if not plans:
        return Way(kind, key, why_not=NO_TIME, is_looked_at=False)
    best = min((plan.way(kind, key) for plan in plans), key=lambda way: way.burden)
    return best if best.moved or not load.units else replace(best, why_not=_refusal(plans[-1]))


def _refusal(plan: Sharing) -> str:
    said = plan.refused.most_common(1)
    return said[0][0] if said else NOBODY

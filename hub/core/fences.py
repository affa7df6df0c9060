"""Which door a stay is at: arrivals and departures, each as sure as it is, and take-backs."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from hub.core.stays import DEGREE_M, VAGUE_M, Fix, Stay, Stays, metres

REACH_M = 75  # from the pin to where a van finds room; geocoders put pins on roofs
EXIT_M = 110  # wider than the reach, or noise at its edge would open and close the door
LOOK_MS = 25_000  # nobody delivers in less, and every crossing holds up for less
AT_DOOR_M = 25
PER_M_MS = 700  # so much longer must he stay for each metre further off: lights are anywhere
BRIEF_MS = 50_000  # who drives on so soon from an open stop waited there, and called on nobody
ROLL_MS = 6_000  # phones that tell no speed count in the time in which he rolls up and off
AGAIN_MS = 60_000  # he passes doors that are done more often than he calls there again
AWAY_MS = 10_000  # one fix outside is noise, two at once may be
RETURN_MS = 180_000  # who is back so soon had never left, or walls had thrown his fixes
OTHER_M, DONE_M = 20, 45
"""By how much another open stop must be nearer than the next of the plan, and one that is done."""


class Kind(StrEnum):
    ARRIVED = "arrived"
    LEFT = "left"
    NOT_ARRIVED = "not_arrived"  # takes back the last ``arrived``
    NOT_LEFT = "not_left"  # takes back the last ``left``


class Fence(Struct, frozen=True, gc=False):
    """A stop's pin. ``is_open`` while work is left to do there; nobody comes before ``from_ms``."""

    stop_id: str
    lat: float
    lon: float
    is_open: bool = True
    from_ms: int = -1


class Fact(Struct, frozen=True, gc=False):
    """``at_ms`` is when it happened, the fix ``fix_seq`` what made it sure."""

    kind: Kind
    stop_id: str
    at_ms: int
    confidence: float
    fix_seq: int


class Visit(Struct, frozen=True, gc=False):
    """From the moment he came (``since_ms``) to the last at which he stood there.

    ``brief_ms``: who leaves an open stop sooner waited there, and called on nobody.
    ``stay_ms`` is the beginning of the stay by which it goes on.
    """

    fence: Fence
    since_ms: int
    until_ms: int
    brief_ms: int
    stay_ms: int
    away: int = 0  # fixes outside, one after another
    away_ms: int = 0  # when the first of them was


class Nearby(Struct, frozen=True, gc=False):
    """``here``: where the driver is; ``gone``: where he was a moment ago; ``done``: all he left.

    ``told_ms`` is the beginning of the stay that has been told of: one stay is one arrival,
    unless its stop is closed meanwhile. Then what follows ``free_ms`` may be another's.
    ``waited_ms`` is the end of the last visit that turned out to be none.
    """

    here: tuple[Visit, ...] = ()
    gone: tuple[Visit, ...] = ()
    done: frozenset[str] = frozenset()
    told_ms: int = -1
    free_ms: int = -1
    waited_ms: int = -1


def nearby(
    near: Nearby, stays: Stays, fix: Fix, fences: Sequence[Fence]
) -> tuple[Nearby, tuple[Fact, ...]]:
    """Where the driver is after ``fix``, which has led to ``stays``, and what is new of it."""
    facts: tuple[Fact, ...] = ()
    ended, stay = stays.ended, stays.now
    if ended is not None and ended.held_ms >= LOOK_MS and ended.since_ms != near.told_ms:
        near, facts = _come(near, ended, fix, fences)  # known by the silence that followed it
    if near.here:
        near, left = _look_about(near, stay, fix, fences)
        facts += left
    stands = stay is not None and stay.until_ms == fix.at_ms
    if stay is not None and stands and stay.held_ms >= LOOK_MS and stay.since_ms != near.told_ms:
        near, come = _come(near, stay, fix, fences)
        facts += come
    return near, facts


def _look_about(
    near: Nearby, stay: Stay | None, fix: Fix, fences: Sequence[Fence]
) -> tuple[Nearby, tuple[Fact, ...]]:
    """Who is still where he was."""
    here: list[Visit] = []
    facts: list[Fact] = []
    gone, done, waited_ms = near.gone, near.done, near.waited_ms
    told_ms, free_ms = near.told_ms, near.free_ms
    stay_ms = -1 if stay is None or stay.until_ms != fix.at_ms else stay.since_ms
    for visit in near.here:
        fence = _as_it_is(visit.fence, fences)
        if visit.fence.is_open and not fence.is_open:
            told_ms, free_ms = -1, fix.at_ms
        far_m = metres(fence.lat, fence.lon, fix.lat, fix.lon)
        is_out = far_m - (fix.acc_m if fix.acc_m > VAGUE_M else min(fix.acc_m, 50.0)) > EXIT_M
        visit = _with(visit, fence, is_out, stay_ms, fix)
        waited = _waited(visit) and stay is not None and stay.since_ms >= visit.until_ms
        is_sure = visit.away > 1 and fix.at_ms - visit.away_ms >= AWAY_MS
        if not (waited or is_sure):
            here.append(visit)
            continue
        fact = _gone(visit, _sure(fix.acc_m) * (0.6 + 0.35 * min(1.0, far_m / EXIT_M / 4)), fix)
        facts.append(fact)
        told_ms = -1
        if fact.kind is Kind.LEFT:
            gone, done = (*gone[-1:], visit), done | {fence.stop_id}
        else:
            waited_ms = visit.until_ms
    return Nearby(tuple(here), gone, done, told_ms, free_ms, waited_ms), tuple(facts)


def _come(
    near: Nearby, stay: Stay, fix: Fix, fences: Sequence[Fence]
) -> tuple[Nearby, tuple[Fact, ...]]:
    """The arrival that ``stay`` is, if it is one and is long enough for that."""
    found = _door(near, stay, fences)
    if found is None:
        return near, ()
    fence, far_m = found
    if any(one.fence.stop_id == fence.stop_id for one in near.here):
        return _stay_on(near, stay, fence), ()
    back = next((one for one in near.gone if one.fence.stop_id == fence.stop_id), None)
    began_ms = stay.since_ms if back is None else max(stay.again_ms, back.until_ms)
    since_ms = max(began_ms, near.free_ms, near.waited_ms, fence.from_ms)
    if stay.until_ms < since_ms:
        return near, ()
    held_ms = min(stay.held_ms, max(stay.until_ms, fix.at_ms) - since_ms)
    further_ms = round(PER_M_MS * max(0.0, far_m - AT_DOOR_M))
    again_ms = AGAIN_MS if back is None and fence.stop_id in near.done else 0
    if held_ms < LOOK_MS + further_ms + again_ms:
        return near, ()
    brief_ms = BRIEF_MS + further_ms + (ROLL_MS if fix.speed_ms is None else 0)
    confidence = _sure(stay.vague_m) * held_ms / (held_ms + 15_000)
    confidence *= 1 - 0.4 * min(1.0, far_m / REACH_M) ** 2
    # Who stands at this door since has left those he stood at before.
    left = [one for one in near.here if one.until_ms < since_ms]
    facts = [_gone(one, confidence * 0.9, fix) for one in left]
    gone = near.gone + tuple(
        one for one, fact in zip(left, facts, strict=True) if fact.kind is Kind.LEFT
    )
    done = near.done | {one.fence.stop_id for one in gone}
    if back is not None and since_ms - back.until_ms <= RETURN_MS:
        kind, came_ms = Kind.NOT_LEFT, back.since_ms
    else:
        kind, came_ms = Kind.ARRIVED, since_ms
    facts.append(Fact(kind, fence.stop_id, since_ms, round(confidence, 3), fix.seq))
    here = (
        *(one for one in near.here if one.until_ms >= since_ms),
        Visit(fence, came_ms, stay.until_ms, brief_ms, stay.since_ms),
    )
    gone = tuple(one for one in gone if one.fence.stop_id != fence.stop_id)[-2:]
    done = done - {fence.stop_id} if kind is Kind.NOT_LEFT else done
    return Nearby(here, gone, done, stay.since_ms, near.free_ms, near.waited_ms), tuple(facts)


def _stay_on(near: Nearby, stay: Stay, fence: Fence) -> Nearby:
    """He parked anew, or went about the house: it is the same visit."""
    here = tuple(
        replace(one, until_ms=stay.until_ms, stay_ms=stay.since_ms)
        if one.fence.stop_id == fence.stop_id
        else one
        for one in near.here
    )
    return replace(near, here=here, told_ms=stay.since_ms)


def _door(near: Nearby, stay: Stay, fences: Sequence[Fence]) -> tuple[Fence, float] | None:
    """The stop that ``stay`` is most likely at, and how far from its middle that is."""
    reach_m = REACH_M + min(stay.vague_m, 30.0)
    if near.free_ms > stay.since_ms:  # on from a closed stop: to a door further off he drives
        reach_m /= 2
    here = {visit.fence.stop_id for visit in near.here}
    just_gone = {visit.fence.stop_id for visit in near.gone}
    best: tuple[float, Fence, float] | None = None
    extra_m = 0
    for fence in fences:
        if abs(fence.lat - stay.lat) * DEGREE_M > reach_m:
            continue
        far_m = metres(fence.lat, fence.lon, stay.lat, stay.lon)
        if far_m > reach_m:
            continue
        is_done = fence.stop_id in near.done
        if fence.stop_id in here:
            cost_m = far_m if fence.is_open else far_m + OTHER_M
        elif fence.is_open and not is_done:
            cost_m, extra_m = far_m + extra_m, OTHER_M
        elif fence.stop_id in just_gone:
            cost_m = far_m + OTHER_M
        elif is_done and not fence.is_open:
            continue
        else:
            cost_m = far_m + DONE_M
        if best is None or cost_m < best[0]:
            best = cost_m, fence, far_m
    return best and (best[1], best[2])


def _gone(visit: Visit, confidence: float, fix: Fix) -> Fact:
    kind = Kind.NOT_ARRIVED if _waited(visit) else Kind.LEFT
    return Fact(kind, visit.fence.stop_id, visit.until_ms, round(confidence, 3), fix.seq)


def _with(visit: Visit, fence: Fence, is_out: bool, stay_ms: int, fix: Fix) -> Visit:
    if is_out:
        away_ms = visit.away_ms or fix.at_ms
        return replace(visit, fence=fence, away=visit.away + 1, away_ms=away_ms)
    until_ms = fix.at_ms if visit.stay_ms == stay_ms else visit.until_ms
    return Visit(fence, visit.since_ms, until_ms, visit.brief_ms, visit.stay_ms)


def _waited(visit: Visit) -> bool:
    """Whether nothing was done there, should he go on now."""
    return visit.fence.is_open and visit.until_ms - visit.since_ms < visit.brief_ms


def _as_it_is(fence: Fence, fences: Sequence[Fence]) -> Fence:
    """With its present pin and state; as it was once it is off the route."""
    return next((one for one in fences if one.stop_id == fence.stop_id), fence)


def _sure(vague_m: float) -> float:
    return 1 / (1 + (min(vague_m, 250.0) / 60) ** 2)  # even the vaguest tells a little

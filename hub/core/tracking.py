"""What a phone's fixes mean: which are believed, where the driver stays, when he comes and goes.

A fix alone says little: it may be 50 m off, and a van that waits at lights is inside of many
fences. So fixes are gathered into stays, and a stay's middle, which is far surer than any one
fix, is held against the fences. What was said is taken back when what follows says otherwise.

A fold: fix by fix or in batches of any size the facts are the same. ``hub.core.fences``
decides about the doors.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from hub.core.fences import Fact, Fence, Kind, Nearby, nearby
from hub.core.stays import VAGUE_M, WALK_MS, Fix, Stays, metres, stays_after

__all__ = ["Fact", "Fence", "Fix", "Kind", "Track", "Verdict", "advance"]

AHEAD_MS = 60_000  # by so much a phone's clock may run ahead
FASTEST_MS = 60  # no van goes 216 km/h
BRISK_MS = 20  # how fast a phone goes that does not say
FASTER_MS2 = 5  # from 0 to 100 km/h in 6 s
LOOSE_M = 30  # two good fixes of a phone that lies still are at times so far apart
PACE_S, PACE_SHARE = 20, 0.5
"""Only fixes so close in time tell of a speed, beyond what their errors make of standing still."""


class Verdict(StrEnum):
    KEPT = "kept"
    DUPLICATE = "duplicate"
    FUTURE = "future"
    PAST = "past"  # older than one that told something
    INACCURATE = "inaccurate"  # no place, but it may end or lengthen a stay
    JUMP = "jump"  # further than anybody drives; believed if the next one says so too


class Track(Struct, frozen=True, gc=False):
    """Of one phone: what has to be remembered between two fixes.

    ``seq`` is the highest looked at, ``heard_ms`` the moment of the last fix that told anything,
    ``last`` the last that told a place, ``suspect`` the jump that was not believed.
    """

    seq: int = -1
    heard_ms: int = -1
    last: Fix | None = None
    suspect: Fix | None = None
    stays: Stays = Stays()
    nearby: Nearby = Nearby()


def advance(
    track: Track, fix: Fix, fences: Sequence[Fence], now_ms: int
) -> tuple[Track, tuple[Fact, ...], Verdict]:
    """The track after ``fix``, what that tells about ``fences``, and whether it is believed.

    ``fences`` are the stops of the driver's route in the order of the plan, closed ones too:
    only so can it be told when the driver left. Per stop ``arrived`` comes first; after it
    ``left`` or ``not_arrived``; after ``left`` again ``arrived``, or ``not_left``.
    """
    verdict = _verdict(track, fix, now_ms)
    if verdict is Verdict.KEPT or verdict is Verdict.INACCURATE:
        is_coarse = verdict is Verdict.INACCURATE
        seen = _paced(track.last, fix)
        stays = stays_after(track.stays, seen, is_coarse=is_coarse)
        near, facts = nearby(track.nearby, stays, seen, fences)
        last = track.last if is_coarse else fix
        return Track(fix.seq, fix.at_ms, last, None, stays, near), facts, verdict
    if verdict is Verdict.JUMP:
        return replace(track, seq=fix.seq, suspect=fix), (), verdict
    return track, (), verdict


def _verdict(track: Track, fix: Fix, now_ms: int) -> Verdict:
    if fix.seq <= track.seq:
        return Verdict.DUPLICATE
    if fix.at_ms > now_ms + AHEAD_MS:
        return Verdict.FUTURE
    if fix.at_ms <= track.heard_ms:
        return Verdict.DUPLICATE if fix.at_ms == track.heard_ms else Verdict.PAST
    if fix.acc_m > VAGUE_M:
        return Verdict.INACCURATE
    if track.last is None or _is_drivable(track.last, fix):
        return Verdict.KEPT
    suspect = track.suspect
    if suspect is not None and fix.at_ms > suspect.at_ms and _is_drivable(suspect, fix):
        return Verdict.KEPT
    return Verdict.JUMP


def _is_drivable(a: Fix, b: Fix) -> bool:
    """Whether a van can be at ``b`` after it was at ``a``."""
    span_s = (b.at_ms - a.at_ms) / 1000
    far_m = metres(a.lat, a.lon, b.lat, b.lon)
    loose_m = LOOSE_M + 1.5 * (a.acc_m + b.acc_m)
    if far_m <= loose_m:
        return True
    pace_ms = BRISK_MS if a.speed_ms is None else max(a.speed_ms, b.speed_ms or 0.0)
    way_m = min(FASTEST_MS * span_s, pace_ms * span_s + FASTER_MS2 / 2 * span_s * span_s)
    return far_m <= way_m + loose_m


def _paced(last: Fix | None, fix: Fix) -> Fix:
    """``fix`` with the speed that it must have had at least, if its phone tells none."""
    if fix.speed_ms is not None or last is None:
        return fix
    span_s = (fix.at_ms - last.at_ms) / 1000
    far_m = metres(last.lat, last.lon, fix.lat, fix.lon) - PACE_SHARE * (last.acc_m + fix.acc_m)
    if span_s > PACE_S or far_m <= WALK_MS * span_s:
        return fix
    return replace(fix, speed_ms=far_m / span_s)

"""Where a driver stays: fixes that lie about one place, gathered until he moves on."""

from __future__ import annotations

from math import copysign, cos, hypot, pi, sqrt

from msgspec import Struct
from msgspec.structs import replace

RADIAN = pi / 180
DEGREE_M = 111_194.93  # a degree of latitude on a sphere of 6,371 km
ROOM_M = 35  # from the van to the door and back, with the error of a good fix
TIGHT_M = 18  # back so close, he is where he was; so far off for half a minute, he is elsewhere
WALK_MS = 2.2  # faster is driving; phones measure speed well even where they misplace themselves
SETTLED_MS = 15_000  # a shorter halt ends with the first fix elsewhere, a longer with the second
RESUME_MS = 120_000  # walls throw fixes about for a minute or two, then the old place is true again
VAGUE_M = 100  # wider than a fence: cell towers and Wi-Fi lists, not satellites
CELL_M = 500  # vaguer than this a fix tells nothing of whether somebody still stays
LATELY_MS = 25_000  # the errors of fixes that follow each other hang together about so long
FORGET_MS = 600_000  # so long a fix counts: early ones, taken while he still rolled, fade
SPARSE_MS = 20_000  # phones with a dark screen speak once a minute: between, they may have stood
CREEP_MS = 6.0  # how fast vans get about, waiting at lights included


class Fix(Struct, frozen=True, gc=False):
    """``acc_m`` is the radius that the phone believes itself in; ``None``: it did not say.

    A struct as all that is made anew with each fix: a frozen dataclass takes eight times as long
    to make, which was a seventh of what taking positions in costs.
    """

    seq: int
    at_ms: int
    lat: float
    lon: float
    acc_m: float
    speed_ms: float | None = None
    heading: float | None = None


class Stay(Struct, frozen=True, gc=False):
    """From its first fix to its last; ``held_ms`` is what of that was spent here.

    ``lat`` and ``lon`` are its middle, ``vague_m`` how far that may be off; ``lately`` is the
    middle of the last half minute, ``again_ms`` when the driver came back to it last.
    """

    since_ms: int
    until_ms: int
    lat: float
    lon: float
    vague_m: float
    lately: tuple[float, float]
    held_ms: int = 0
    again_ms: int = 0


class Stays(Struct, frozen=True, gc=False):
    """The present one; ``doubt`` is a lonely fix away from it, ``before`` the last that ended.

    ``ended`` is the stay that the newest fix put an end to, if it did.
    """

    now: Stay | None = None
    doubt: Fix | None = None
    before: Stay | None = None
    ended: Stay | None = None


def metres(lat: float, lon: float, lat2: float, lon2: float) -> float:
    """Between two places some kilometres apart at most, as if the Earth were flat there."""
    east = lon2 - lon
    if east > 180 or east < -180:  # the date line runs between them
        east -= copysign(360, east)
    return DEGREE_M * hypot(east * cos(lat * RADIAN), lat2 - lat)


def stays_after(stays: Stays, fix: Fix, *, is_coarse: bool = False) -> Stays:
    """The stays after ``fix``. A coarse one moves no middle: it lengthens a stay or doubts it."""
    stay, doubt = stays.now, stays.doubt
    if stay is None:
        return stays if is_coarse else Stays(_begun(fix))
    if is_coarse and fix.acc_m > CELL_M:
        return Stays(stay, doubt, stays.before)
    # Who drove, if only for a moment, and halts close by has parked anew.
    has_driven = doubt is not None and _drives(doubt)
    if _belongs(stay, fix, TIGHT_M if has_driven else ROOM_M):
        if is_coarse:
            return Stays(_lasting(stay, fix), doubt, stays.before)
        stay = _longer(stay, fix)
        elsewhere_m = metres(stay.lat, stay.lon, *stay.lately)
        if elsewhere_m > TIGHT_M + min(fix.acc_m, 60.0):
            return _crept_on(stay, fix)
        return Stays(stay, None, stays.before)
    is_settled = stay.until_ms - stay.since_ms >= SETTLED_MS
    if is_coarse or (is_settled and doubt is None):
        return Stays(stay, doubt or fix, stays.before)
    return _moved_on(stays, stay if is_settled else _with_credit(stay, fix), fix)


def _moved_on(stays: Stays, ended: Stay, fix: Fix) -> Stays:
    before, doubt = stays.before, stays.doubt
    if before is not None and fix.at_ms - before.until_ms > RESUME_MS:
        before = None
    if before is not None and _belongs(before, fix, TIGHT_M):
        back = replace(before, until_ms=fix.at_ms, again_ms=fix.at_ms)
        return Stays(back, None, None, ended)
    if ended.until_ms - ended.since_ms >= SETTLED_MS:
        before = ended
    if doubt is not None and doubt.acc_m <= VAGUE_M and not _drives(doubt):
        earlier = _begun(doubt)
        if _belongs(earlier, fix, ROOM_M):
            return Stays(_longer(earlier, fix), None, before, ended)
    return Stays(_begun(fix), None, before, ended)


def _crept_on(stay: Stay, fix: Fix) -> Stays:
    """Walked or rolled on so slowly that no single fix gave it away."""
    since_ms = max(stay.since_ms, fix.at_ms - LATELY_MS)
    ended = replace(stay, until_ms=since_ms, held_ms=max(0, stay.held_ms - fix.at_ms + since_ms))
    begun = Stay(
        since_ms, fix.at_ms, *stay.lately, max(fix.acc_m, 5.0), stay.lately, fix.at_ms - since_ms,
        since_ms,
    )  # fmt: skip
    return Stays(begun, None, ended, ended)


def _drives(fix: Fix) -> bool:
    return fix.speed_ms is not None and fix.speed_ms > WALK_MS


def _belongs(stay: Stay, fix: Fix, room_m: float) -> bool:
    if fix.speed_ms is not None and fix.speed_ms > WALK_MS:
        return False
    room_m += 1.5 * min(fix.acc_m, 60.0) if fix.acc_m <= VAGUE_M else fix.acc_m
    return metres(stay.lat, stay.lon, fix.lat, fix.lon) <= room_m


def _begun(fix: Fix) -> Stay:
    at_ms, lat, lon = fix.at_ms, fix.lat, fix.lon
    return Stay(at_ms, at_ms, lat, lon, max(fix.acc_m, 5.0), (lat, lon), 0, at_ms)


def _lasting(stay: Stay, fix: Fix) -> Stay:
    return replace(stay, until_ms=fix.at_ms, held_ms=stay.held_ms + fix.at_ms - stay.until_ms)


def _longer(stay: Stay, fix: Fix) -> Stay:
    span_ms, acc_m = fix.at_ms - stay.until_ms, max(fix.acc_m, 5.0)
    # By time, less if it is vaguer than those before: errors count by their squares.
    worth = min(1.0, (3 * stay.vague_m / acc_m) ** 2)
    share = worth * max(span_ms / (stay.held_ms + 2 * span_ms), min(0.5, span_ms / FORGET_MS))
    mine, its = 1 / (stay.vague_m * stay.vague_m), 1 / (acc_m * acc_m)
    newest = span_ms / (span_ms + LATELY_MS)
    lat, lon = stay.lately
    return Stay(
        stay.since_ms,
        fix.at_ms,
        stay.lat + share * (fix.lat - stay.lat),
        stay.lon + share * (fix.lon - stay.lon),
        max(sqrt(1 / (mine + its)), acc_m * 0.3),  # neighbours err alike: no more is gained
        (lat + newest * (fix.lat - lat), lon + newest * (fix.lon - lon)),
        stay.held_ms + span_ms,
        stay.again_ms,
    )


def _with_credit(stay: Stay, fix: Fix) -> Stay:
    """What of a long silence after a short stay was spent there rather than on the way."""
    silent_ms = fix.at_ms - stay.until_ms
    if silent_ms < SPARSE_MS:
        return stay
    way_ms = metres(stay.lat, stay.lon, fix.lat, fix.lon) / CREEP_MS * 1000
    return replace(stay, held_ms=stay.held_ms + max(0, round(silent_ms - way_ms)))

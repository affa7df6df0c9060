"""A fix as a phone sends it, as it is packed on disk, and what is wrong with one that is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from hub.live.problems import Problem

MOST_FIXES = 500  # a phone's hour without signal is three of these
_MOST_NUMBER = 2**53 - 1  # what JavaScript counts exactly

Ms = Annotated[int, Meta(ge=0, le=253_402_300_799_000)]  # to the year 9999


class Fix(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One GPS reading. ``seq`` is the phone's number, ``t`` its clock in ms; speed in m/s.

    ``mock``: the phone says an app made it up; kept, but it means nothing.
    """

    seq: Annotated[int, Meta(ge=1, le=_MOST_NUMBER)]
    t: Ms
    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    acc: Annotated[float, Meta(ge=0)]
    spd: Annotated[float, Meta(ge=0)] | None = None
    hdg: Annotated[float, Meta(ge=0, le=360)] | None = None
    bat: Annotated[float, Meta(ge=0, le=100)] | None = None
    mock: bool = False


class StoredFix(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A fix as it lies on disk, in this order; new columns only at the end."""

    seq: int
    at_ms: int
    lat: float
    lon: float
    acc_m: float
    speed_ms: float | None = None
    heading: float | None = None
    battery: float | None = None
    mock: bool = False


class _Batch(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    fixes: Annotated[list[Fix], Meta(min_length=1, max_length=MOST_FIXES)]


_read = msgspec.json.Decoder(_Batch).decode
_pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder(list[StoredFix]).decode
"""The fixes of a chunk, in the order of their numbers."""


def read(body: bytes) -> list[Fix]:
    """The fixes in ``body`` by their numbers, each number once. Raises ``Problem`` 400, 422."""
    try:
        fixes = _read(body)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(400, f"The body is not JSON: {error}.") from None
    return in_order(fixes.fixes)


def in_order(fixes: list[Fix]) -> list[Fix]:
    """Sorted by number; of those with the same number the first."""
    before = 0
    for fix in fixes:
        if fix.seq <= before:
            break
        before = fix.seq
    else:
        return fixes
    once: dict[int, Fix] = {}
    for fix in fixes:
        once.setdefault(fix.seq, fix)
    return [once[seq] for seq in sorted(once)]


def span_ms(fixes: Sequence[Fix]) -> tuple[int, int]:
    """The first and the last moment of them, which may come in any order."""
    moments = [fix.t for fix in fixes]
    return min(moments), max(moments)


def pack(fixes: Sequence[Fix]) -> bytes:
    return _pack(
        [
            (f.seq, f.t, f.lat, f.lon, f.acc, f.spd, f.hdg, f.bat, True)
            if f.mock
            else (f.seq, f.t, f.lat, f.lon, f.acc, f.spd, f.hdg, f.bat)
            for f in fixes
        ]
    )


def _invalid(said: str) -> Problem:
    """msgspec says ``Expected `int`, got `str` - at `$.fixes[0].seq```."""
    what, _, where = said.partition(" - at `$")
    path = where.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/")
    return Problem(422, "The fixes are not valid; nothing was stored.", ((path, what),))

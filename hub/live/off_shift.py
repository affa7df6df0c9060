"""What phones told after a shift goes once its end is known, which may be hours later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import astuple
from sqlalchemy import Connection, text

from hub.core.stays import VAGUE_M
from hub.db.engine import WRITE
from hub.live.fixes import Fix, StoredFix, pack, unpack
from hub.live.store import Positions

IsKept = Callable[[int], bool]
"""Whether what was told at that moment (ms) lies within some shift."""


def let_go(
    positions: Positions, business_id: str, driver_id: str, after_ms: int, is_kept: IsKept
) -> int:
    """Let go of what this driver's phones told after that moment, but of what is kept.

    How many fixes went; what they meant goes with them, as far as no act says it yet. Their
    numbers stay taken: a phone that sends them again has them dropped again. Safe to repeat.
    """
    gone = 0
    with positions.engine.execution_options(**WRITE).begin() as connection:
        for device_id in _devices(connection, business_id, driver_id):
            about = {"business": business_id, "device": device_id, "after": after_ms}
            found = _cut(connection, about, is_kept)
            if found:
                _newest_again(connection, about, found)
            gone += len(found)
            for id_, at_ms in connection.execute(_MEANINGS, about).all():
                if not is_kept(at_ms):
                    connection.execute(_FORGET, about | {"id": id_})
    return gone


def _devices(connection: Connection, business_id: str, driver_id: str) -> Sequence[str]:
    """Those of the driver; on PostgreSQL held, as who stores more of them holds them."""
    statement = _DEVICES if connection.dialect.name == "sqlite" else text(f"{_DEVICES} FOR UPDATE")
    rows = connection.execute(statement, {"business": business_id, "driver": driver_id})
    return [device_id for (device_id,) in rows]


def _cut(connection: Connection, about: dict[str, Any], is_kept: IsKept) -> set[int]:
    """The numbers of the fixes that went."""
    gone: set[int] = set()
    for id_, data in connection.execute(_CHUNKS, about).all():
        held = unpack(data)
        left = [fix for fix in held if fix.at_ms <= about["after"] or is_kept(fix.at_ms)]
        if len(left) == len(held):
            continue
        gone |= {fix.seq for fix in held} - {fix.seq for fix in left}
        if not left:
            connection.execute(_DROP, about | {"id": id_})
            continue
        moments = [fix.at_ms for fix in left]
        values = {"id": id_, "seq0": left[0].seq, "n": len(left), "data": _packed(left)}
        values |= {"t0": min(moments), "t1": max(moments)}
        connection.execute(_SHORTEN, about | values)
    return gone


def _newest_again(connection: Connection, about: dict[str, Any], gone: set[int]) -> None:
    """Where the phone was last is where it was before, if that is one that went."""
    if connection.execute(_LAST, about).scalar_one() not in gone:
        return
    found = connection.execute(_NEWEST, about).first()
    fixes = unpack(found[0]) if found else []
    good = [fix for fix in fixes if fix.acc_m <= VAGUE_M and not fix.mock]
    last = max(good, key=lambda fix: fix.at_ms, default=None)
    names = ("seq", "t", "lat", "lon", "acc", "spd", "hdg", "bat")
    nowhere = (0, 0, None, None, None, None, None, None)
    values = nowhere if last is None else astuple(last)[: len(names)]
    connection.execute(_MOVE, about | dict(zip(names, values, strict=True)))


def _packed(fixes: Sequence[StoredFix]) -> bytes:
    return pack([Fix(*astuple(fix)) for fix in fixes])


_DEVICES = text(
    "SELECT device_id FROM last_fix WHERE business_id = :business AND driver_id = :driver"
    " ORDER BY device_id"
)
_OWN = "business_id = :business AND device_id = :device"
_CHUNKS = text(f"SELECT id, data FROM fix_chunk WHERE {_OWN} AND t1 > :after")  # noqa: S608
_DROP = text(f"DELETE FROM fix_chunk WHERE {_OWN} AND id = :id")  # noqa: S608
_SHORTEN = text(
    "UPDATE fix_chunk SET seq0 = :seq0, n = :n, t0 = :t0, t1 = :t1, data = :data"  # noqa: S608
    f" WHERE {_OWN} AND id = :id"
)
_LAST = text(f"SELECT seq FROM last_fix WHERE {_OWN}")  # noqa: S608
_NEWEST = text(f"SELECT data FROM fix_chunk WHERE {_OWN} ORDER BY t1 DESC LIMIT 1")  # noqa: S608
_MOVE = text(
    "UPDATE last_fix SET seq = :seq, t = :t, lat = :lat, lon = :lon, acc = :acc, spd = :spd,"  # noqa: S608
    f" hdg = :hdg, bat = :bat WHERE {_OWN}"
)
_MEANINGS = text(f"SELECT id, at_ms FROM meaning WHERE {_OWN} AND at_ms > :after")  # noqa: S608
_FORGET = text(f"DELETE FROM meaning WHERE {_OWN} AND id = :id")  # noqa: S608

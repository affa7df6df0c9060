"""A way out in words and figures, as a dispatcher reads it."""

from __future__ import annotations

from dataclasses import dataclass

from hub.core.rescue import Way
from hub.core.rescue_every import Asked


@dataclass(frozen=True, slots=True)
class WaySaid:
    """``cost`` in cents; ``late``: a sentence for each promise; ``left_out``: order numbers."""

    kind: str
    key: str
    who: str
    why_not: str
    is_looked_at: bool
    cost: int
    extra_m: int
    moved: int
    late_s: int
    late: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """Of the van that is out and of its depot; ``numbers``: job id -> order."""

    van: str
    depot: str
    numbers: dict[str, str]


def said(way: Way, asked: Asked, names: Names) -> WaySaid:
    return WaySaid(
        way.kind,
        way.key,
        _who(way, asked, names),
        way.why_not,
        way.is_looked_at,
        way.cost,
        way.extra_m,
        way.moved,
        way.late_s,
        tuple(one.said for one in way.late),
        tuple(names.numbers[id] for id in way.left_out),
    )


def _who(way: Way, asked: Asked, names: Names) -> str:
    drivers = [share.was.driver for share in way.shares]
    id = way.key.partition(":")[2]
    match way.kind:
        case "replacement":
            one = {**asked.road, **asked.free}.get(id)
            if one is None or (not drivers and way.is_looked_at):
                return "Somebody else takes over all of it"
            free = "" if id in asked.free else ", on the way already"
            return f"{one.driver} takes over all of it in {one.van}{free}"
        case "shared":
            return "Those on the road share it" + _named(drivers)
        case "depot":
            return f"The load goes back to {names.depot}" + _named(drivers)
        case "driver":
            one = asked.swaps.get(id)
            if one is None or (not drivers and way.is_looked_at):
                return f"Somebody else drives on in {names.van}"
            return f"{one.driver} drives on in {names.van}"


def _named(names: list[str]) -> str:
    *others, last = names or [""]
    listed = f"{', '.join(others)} and {last}" if others else last
    return f": {listed}" if listed else ""

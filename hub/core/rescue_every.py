"""Every way out at once, as far as there is time for it; the best of each kind are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.core.fit import Problem, RouteNow
from hub.core.rescue import NO_TIME, Load, Travel, Way, When, shared_out

FREE_ONES = 3  # drivers without a route that are each shown as a way of their own
NO_ROOM = "Nobody is free today, and nobody on the road has room for all of it."
AT_ONCE: tuple[When, ...] = ("at once",)
AT_DEPOT: tuple[When, ...] = ("at once", "last")


def always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Asked:
    """What is left, and who could help. ``free``: who would drive a van of his own, ``swaps``: who
    would the one that stands there, by the ids of their routes; ``at_depot``: the load once it is
    back; ``no_swap``: why nobody can drive that van; empty if somebody may.
    """

    road: Mapping[str, RouteNow]
    free: Mapping[str, RouteNow]
    swaps: Mapping[str, RouteNow]
    load: Load
    at_depot: Load
    travel: Travel
    now: datetime
    known: tuple[Problem, ...]
    no_swap: str

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of all ways, those first that are soon found and often taken."""
        swaps = () if self.no_swap else tuple(f"in:{id}" for id in self.swaps)
        free, road = [[f"to:{id}" for id in ones] for ones in (self.free, self.road)]
        return (*free, "shared", *swaps, "depot", *road)

    def named(self, key: str, goes_on: Callable[[], bool] = always) -> Way | None:
        """The way called ``key``; ``None`` for one that there is not."""
        kind, _, id = key.partition(":")
        everybody = {**self.road, **self.free}
        load, travel, now, known = self.load, self.travel, self.now, self.known
        match kind:
            case "to" if id in everybody:
                one = [everybody[id]]
                return shared_out(
                    "replacement", key, one, load, travel, now, known, AT_ONCE, goes_on=goes_on
                )
            case "in" if id in self.swaps and not self.no_swap:
                one = [self.swaps[id]]
                return shared_out("driver", key, one, load, travel, now, known, goes_on=goes_on)
            case "shared":
                road = list(self.road.values())
                if not road:
                    return Way("shared", key, why_not="Nobody else is on the road today.")
                return shared_out("shared", key, road, load, travel, now, known, goes_on=goes_on)
            case "depot":
                takers, back = list(everybody.values()), self.at_depot
                return shared_out(
                    "depot", key, takers, back, travel, now, known, AT_DEPOT, goes_on=goes_on
                )
        return None


def each_way(asked: Asked, goes_on: Callable[[], bool] = always) -> Iterator[list[Way]]:
    """What is to be shown after each way that was looked at, the best first; at last everything,
    with those that there was no time for once ``goes_on`` said ``False``.
    """
    found = dict[str, Way]()
    for key in asked.keys:
        if not goes_on():
            break
        way = asked.named(key, goes_on)
        if way is not None and way.is_looked_at:
            found[key] = way
            yield shown(asked, found)
    yield shown(asked, found, is_all=True)


def shown(asked: Asked, found: Mapping[str, Way], *, is_all: bool = False) -> list[Way]:
    """The best first. ``is_all``: nothing else will be looked at."""
    free = [found[key] for id in asked.free if (key := f"to:{id}") in found]
    road = [found[key] for id in asked.road if (key := f"to:{id}") in found]
    whole = [one for one in road if not one.why_not and not one.left_out]
    best = _best(free, FREE_ONES) + _best(whole, 1)
    best += [found[key] for key in ("shared", "depot") if key in found]
    best += _best([found[key] for id in asked.swaps if (key := f"in:{id}") in found], FREE_ONES)
    if asked.no_swap:
        best.append(Way("driver", "in:", why_not=asked.no_swap))
    if is_all:
        missing = [key for key in asked.keys if key not in found]
        if not free and not whole and not any(key.startswith("to:") for key in missing):
            best.append(Way("replacement", "to:", why_not=NO_ROOM))
        best += [_not_looked_at(key) for key in missing]
    return sorted(best, key=lambda one: one.burden)


def _best(ways: Sequence[Way], most: int) -> list[Way]:
    return sorted(ways, key=lambda one: one.burden)[:most]


def _not_looked_at(key: str) -> Way:
    match key.partition(":")[0]:
        case "to":
            return Way("replacement", key, why_not=NO_TIME, is_looked_at=False)
        case "in":
            return Way("driver", key, why_not=NO_TIME, is_looked_at=False)
        case "shared":
            return Way("shared", key, why_not=NO_TIME, is_looked_at=False)
    return Way("depot", key, why_not=NO_TIME, is_looked_at=False)

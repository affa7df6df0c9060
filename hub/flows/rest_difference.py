"""What a better rest of a day would change, for each driver, before anybody decides."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from hub.core.fit import RouteNow
from hub.core.fit_problems import problems
from hub.core.rest_of_day import Better, Order, Rest, order_of
from hub.flows.board_moves import driven


@dataclass(frozen=True, slots=True)
class Proposed:
    """A route's order of what is still to do: the jobs of each stop. ``version``: looked at."""

    route_id: str
    version: int
    stops: Order


@dataclass(frozen=True, slots=True)
class RouteDifference:
    """What would change for one driver. ``came`` and ``left``: order number and other driver.

    ``turned``: stops that stay on the route at another place in its order. ``broken``: what
    recipients were told and would no longer hold; ``mended``: orders whose recipients would
    have waited beyond it, and no longer do.
    """

    route_id: str
    driver: str
    came: tuple[tuple[str, str], ...]
    left: tuple[tuple[str, str], ...]
    turned: int
    was_s: int
    is_s: int
    was_m: int
    is_m: int
    home_was: datetime
    home_is: datetime
    broken: tuple[str, ...]
    mended: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Improvement:
    """Only the routes that change; none of them: nothing better was found.

    ``worth_s``: what it is worth in seconds of driving, less what the changes of drivers cost.
    """

    day: date
    routes: tuple[RouteDifference, ...] = ()
    proposed: tuple[Proposed, ...] = ()
    worth_s: int = 0

    @property
    def saved_s(self) -> int:
        return sum(one.was_s - one.is_s for one in self.routes)

    @property
    def saved_m(self) -> int:
        return sum(one.was_m - one.is_m for one in self.routes)

    @property
    def is_nothing(self) -> bool:
        """Too little to be read: not a minute, not 100 metres, and nobody in time again."""
        return abs(self.saved_s) < 30 and abs(self.saved_m) < 50 and not self.mended

    @property
    def moved(self) -> int:
        """Jobs that another driver would do."""
        return sum(len(one.came) for one in self.routes)

    @property
    def turned(self) -> int:
        return sum(one.turned for one in self.routes)

    @property
    def told_anew(self) -> int:
        return sum(len(one.broken) for one in self.routes)

    @property
    def mended(self) -> int:
        return sum(len(one.mended) for one in self.routes)


def improvement_of(
    day: date, rest: Rest, better: Better, versions: Mapping[str, int]
) -> Improvement:
    """``better`` as it is shown; ``versions`` of the routes it was made from."""
    after = {id: rest.laid(id, order) for id, order in better.orders.items()}
    return Improvement(
        day,
        tuple(_difference(rest, after, id) for id in after),
        tuple(Proposed(id, versions[id], order_of(route)) for id, route in after.items()),
        better.worth_s,
    )


def _difference(rest: Rest, after: Mapping[str, RouteNow], id: str) -> RouteDifference:
    before, then = rest.routes[id], after[id]
    was = {job: r for r in after for stop in order_of(rest.routes[r]) for job in stop}
    now = {job: r for r, route in after.items() for stop in order_of(route) for job in stop}
    number = before.numbers
    came = [(number[j], rest.routes[r].driver) for j, r in was.items() if now[j] == id != r]
    left = [(number[j], after[now[j]].driver) for j, r in was.items() if r == id != now[j]]
    was_s, was_m = driven(before, rest.travel)
    is_s, is_m = driven(then, rest.travel)
    still = {one.about for route in after.values() for one in problems(route)}
    return RouteDifference(
        id,
        before.driver,
        tuple(came),
        tuple(left),
        _turned(before, then),
        was_s,
        is_s,
        was_m,
        is_m,
        before.home,
        then.home,
        tuple(one.said for one in rest.fresh(then)),
        tuple(
            number[one.about]
            for one in problems(before)
            if one.is_promise and one.about not in still
        ),
    )


def _turned(before: RouteNow, after: RouteNow) -> int:
    """The fewest stops of both that one has to move for the other order: those outside the
    longest run that keeps its order.
    """
    was = {job: n for n, stop in enumerate(order_of(before)) for job in stop}
    kept = list(dict.fromkeys(was[job] for stop in order_of(after) for job in stop if job in was))
    run = list[int]()
    for n in kept:
        at = bisect_left(run, n)
        run[at : at + 1] = [n]
    return len(kept) - len(run)

"""Every rule that a route as it now stands would break, with a sentence for a dispatcher."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.core.fit_route import RouteNow, Stage, boards, fullest, jobs_of, served
from hub.core.plan_request import JobToPlan
from hub.core.zones import is_barred

Begun = tuple[JobToPlan, datetime]  # a job, and when it would begin


@dataclass(frozen=True, slots=True)
class Problem:
    """``amount`` by which rule ``kind`` is broken for ``about`` (a job, a kind of load, the number
    of a break).
    """

    kind: str
    about: str
    amount: int
    said: str

    @property
    def is_promise(self) -> bool:
        """No rule of the route, but what a recipient was told would no longer hold."""
        return self.kind == "promise"


def problems(route: RouteNow) -> tuple[Problem, ...]:
    """Every rule that what is still to do would break, with a sentence for a dispatcher."""
    begun = list(beginnings(route))
    return (
        *_overloads(route),
        *_lacking(route),
        *_apart(route),
        *_never_both(route),
        *_late(route, begun),
        *_overtime(route),
        *_rests(route),
        *_limits(route),
        *_kept_back(route, begun),
        *_torn(route),
        *_missed(route, begun),
    )


def worse(after: Sequence[Problem], before: Sequence[Problem]) -> tuple[Problem, ...]:
    """The problems that were not there, or not so large, before."""
    known = {(one.kind, one.about): one.amount for one in before}
    return tuple(one for one in after if one.amount > known.get((one.kind, one.about), 0))


def beginnings(route: RouteNow) -> Iterator[Begun]:
    """What is still to do, and when it would begin."""
    for stop in route.stops[route.first_free :]:
        spans = served(route, stop, stop.arrive)
        for job, (start, _) in zip(stop.jobs, spans, strict=True):
            yield job, start


def _overloads(route: RouteNow) -> Iterator[Problem]:
    """From the first place where something may come in: what was on board before is past, and a
    load as large later on is another one.
    """
    first = route.first_free
    for name, limit in route.vehicle.capacity.items():
        after = boards(route, name)
        still = [after[first], *fullest(route, name)[first + 1 :]]
        most, n = max((board, -n) for n, board in enumerate(still, first))
        if most > limit:
            listed = route.listed.index(route.stops[-n - 1]) + 1 if n else 0
            stays = after[-n] == most
            where = f"{'after' if stays else 'at'} stop {listed}" if n else "when it leaves"
            said = f"{route.van} would carry {_amount(name, most - limit)} too much {where}."
            yield Problem("load", name, most - limit, said)


def _lacking(route: RouteNow) -> Iterator[Problem]:
    for stop in route.stops[route.first_free :]:
        for job in stop.jobs:
            if missing := sorted(job.skills - route.vehicle.offers):
                needs = " and ".join(missing)
                said = f"{route.driver} cannot do {_order(route, job)}: it needs {needs}."
                yield Problem("skill", job.id, len(missing), said)
            if is_barred(route.vehicle, job):
                said = f"O{_order(route, job)[1:]} lies outside the zones of {route.driver}."
                yield Problem("zone", job.id, 1, said)


def _apart(route: RouteNow) -> Iterator[Problem]:
    """Goods that would share a load; who loads again at the depot has several."""
    loads: dict[str, list[JobToPlan]] = {}
    for stop in route.stops:
        for job in stop.jobs:
            if job.goods and stop.stage is not Stage.SKIPPED:
                loads.setdefault(job.pair_with or "", []).append(job)
    for one, other in sorted(route.apart):
        for load in loads.values():
            ones = [job for job in load if one in job.goods]
            others = [job for job in load if other in job.goods]
            if ones and others:
                named = f"{_order(route, ones[0])} and {_order(route, others[0])}"
                said = f"{one.capitalize()} and {other} would ride together: {named}."
                yield Problem("goods", f"{one} {other}", len(ones) * len(others), said)


def _never_both(route: RouteNow) -> Iterator[Problem]:
    """Jobs that no vehicle does both on one day, also where one is done already."""
    here = {
        job.id: job for stop in route.stops if stop.stage is not Stage.SKIPPED for job in stop.jobs
    }
    orders = {
        tuple(sorted((_order(route, here[one]), _order(route, here[other]))))
        for one, other in route.apart
        if one in here and other in here
    }
    for one, other in sorted(orders):
        said = f"O{one[1:]} and {other} are to be kept apart: no vehicle may take both."
        yield Problem("apart", f"{one} {other}", 1, said)


def _late(route: RouteNow, begun: Sequence[Begun]) -> Iterator[Problem]:
    for job, start in begun:
        closes = max((window.closes for window in job.windows), default=start)
        if start > closes:
            late_s = int((start - closes).total_seconds())
            at = f"{route.driver} would be at {_order(route, job)} at {_clock(route, start)}"
            said = f"{at}, {_span(late_s)} after its window closes."
            yield Problem("window", job.id, late_s, said)


def _overtime(route: RouteNow) -> Iterator[Problem]:
    over = route.home - route.vehicle.shift.closes
    over_s = int(over.total_seconds()) - route.vehicle.overtime_s
    if over_s > 0 and route.first_free < len(route.stops):
        back = f"{route.driver} would be back at {_clock(route, route.home)}"
        yield Problem("shift", "", over_s, f"{back}, {_span(over_s)} after the shift ends.")


def _rests(route: RouteNow) -> Iterator[Problem]:
    """Breaks that would begin too late; what was missed before now is no fault of a change."""
    for n, (one, rest) in enumerate(zip(route.vehicle.breaks, route.rests, strict=False)):
        if rest is None or rest.opens <= one.window.closes:
            continue
        late_s = int((rest.opens - one.window.closes).total_seconds())
        of = f"{route.driver}'s break of {_span(one.duration_s)}"
        until, at = _clock(route, one.window.closes), _clock(route, rest.opens)
        said = f"{of} should begin by {until} and could only at {at}."
        yield Problem("break", str(n), late_s, said)


def _limits(route: RouteNow) -> Iterator[Problem]:
    """How long, how far and for how many jobs its driver may be out."""
    own = route.vehicle
    if route.first_free == len(route.stops):
        return
    if own.max_duration_s is not None:
        over_s = int((route.home - route.leave).total_seconds()) - own.max_duration_s
        if over_s > 0:
            out = f"{route.driver} would be out for {_span(own.max_duration_s + over_s)}"
            said = f"{out}, {_span(over_s)} longer than allowed."
            yield Problem("duration", "", over_s, said)
    if own.max_distance_m is not None and route.metres > own.max_distance_m:
        over_m = route.metres - own.max_distance_m
        said = f"{route.van} would drive {_km(route.metres)}, {_km(over_m)} more than it may."
        yield Problem("distance", "", over_m, said)
    if own.max_jobs is not None and (count := jobs_of(route)) > own.max_jobs:
        said = f"{route.driver} would have {count} jobs and may have {own.max_jobs} a day."
        yield Problem("jobs", "", count - own.max_jobs, said)


def _kept_back(route: RouteNow, begun: Sequence[Begun]) -> Iterator[Problem]:
    """Goods that would be on board for too long."""
    departs = {job.id: stop.depart for stop in route.stops for job in stop.jobs}
    for job, start in begun:
        if job.max_on_board_s is not None and job.leg == "deliver":
            since = departs.get(job.pair_with or "", route.leave)
            over = start - since - timedelta(seconds=job.max_on_board_s)
            if over > timedelta(0):
                over_s = int(over.total_seconds())
                on_board = f"O{_order(route, job)[1:]} would be on board {_span(over_s)} too long"
                yield Problem("on_board", job.id, over_s, f"{on_board}.")


def _torn(route: RouteNow) -> Iterator[Problem]:
    order = [job for stop in route.stops for job in stop.jobs]
    at = {job.id: n for n, job in enumerate(order)}
    for n, job in enumerate(order):
        if job.pair_with is None:
            continue
        named, other = _order(route, job), at.get(job.pair_with)
        if other is None:
            said = f"Both halves of {named} must be on one route."
            yield Problem("pair", job.id, 1, said)
        elif job.leg == "deliver" and other > n:
            yield Problem("pair", job.id, 1, f"{named} would be delivered before it is collected.")


def _missed(route: RouteNow, begun: Sequence[Begun]) -> Iterator[Problem]:
    for job, start in begun:
        promise = route.promises.get(job.id)
        if promise is not None and start > promise.closes:
            late_s = int((start - promise.closes).total_seconds())
            told = f"{_clock(route, promise.opens)}–{_clock(route, promise.closes)}"
            at = f"{route.driver} would be there at {_clock(route, start)}"
            said = f"O{_order(route, job)[1:]} was promised {told}; {at}, {_span(late_s)} late."
            yield Problem("promise", job.id, late_s, said)


def _order(route: RouteNow, job: JobToPlan) -> str:
    return f"order {route.numbers.get(job.id, job.id)}"


def _clock(route: RouteNow, at: datetime) -> str:
    return f"{at.astimezone(route.zone):%H:%M}"


def _span(seconds: int) -> str:
    hours, minutes = divmod(-(-seconds // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _km(metres: int) -> str:
    return f"{metres / 1000:.1f} km"


def _amount(name: str, amount: int) -> str:
    match name:
        case "g":
            return f"{amount / 1000:g} kg"
        case "cm3":
            return f"{amount / 1000:g} l"
    return f"{amount} {name.removesuffix('s') if amount == 1 else name}"

"""Which breaks a driver had, by what he said of them, and which of those that were planned.

What is planned is a guess about a person; what he said is a fact. So a break that he had counts
where he had it, and the planned one that it was counts no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.core.values import TimeWindow

BEGINS, ENDS = "start_break", "end_break"
ENOUGH = 0.5  # of a planned break; what was shorter was a tap by mistake, or a coffee
USUAL = timedelta(minutes=15)  # of one that nobody planned
SLIP = timedelta(seconds=3)
"""Who taps twice in a moment hits the button that ends the break he began: there was none."""


@dataclass(frozen=True, slots=True)
class Had:
    """A break as its driver told it. ``until`` ``None``: it is under way."""

    since: datetime
    until: datetime | None = None


def breaks_had(said: Iterable[tuple[datetime, str]]) -> tuple[Had, ...]:
    """The breaks of one shift, by when acts happened and their kinds; those of one moment in order.

    Any act but ``BEGINS`` ends the one that is under way: who is at a door, or on the way to
    one, works again. Who begins twice without an end between began the first time. What was over
    within ``SLIP`` was no break.
    """
    found, since = list[Had](), None
    for at, kind in sorted(said, key=lambda one: one[0]):
        if kind == BEGINS:
            since = since or at
        elif since is not None:
            if at - since > SLIP:
                found.append(Had(since, at))
            since = None
    return tuple(found) if since is None else (*found, Had(since))


def planned_as_had(
    planned: Sequence[TimeWindow | None], had: Sequence[Had]
) -> Mapping[int, TimeWindow]:
    """The number of a planned break -> when it was really had, as far as that is known.

    Each break that was had is the planned one that began nearest to it and is not had yet.
    One that is under way ends as late as it was planned to be long.
    """
    found: dict[int, TimeWindow] = {}
    for one in had:
        free = [
            (abs(rest.opens - one.since), n)
            for n, rest in enumerate(planned)
            if rest is not None and n not in found and _is_enough(one, rest)
        ]
        if free:
            _, n = min(free)
            rest = planned[n]
            assert rest is not None
            found[n] = TimeWindow(one.since, one.until or one.since + (rest.closes - rest.opens))
    return found


def spans(
    planned: Sequence[TimeWindow | None], had: Sequence[Had], now: datetime
) -> tuple[TimeWindow, ...]:
    """All that were had, in their order; one under way until it probably ends, ``now`` or later."""
    ends = {rest.opens: rest.closes for rest in planned_as_had(planned, had).values()}
    return tuple(
        TimeWindow(one.since, one.until or max(now, ends.get(one.since, one.since + USUAL)))
        for one in had
    )


def unplanned_until(planned: Sequence[TimeWindow | None], had: Sequence[Had]) -> datetime | None:
    """When that break probably ends which is under way and was not planned, if one is."""
    told = {rest.opens for rest in planned_as_had(planned, had).values()}
    under_way = (one.since for one in had if one.until is None and one.since not in told)
    return next((since + USUAL for since in under_way), None)


def not_told(planned: Sequence[TimeWindow | None], had: Sequence[Had]) -> tuple[TimeWindow, ...]:
    """The planned ones of which nothing was said: had as planned, or still to come."""
    told = planned_as_had(planned, had)
    due = [rest for n, rest in enumerate(planned) if rest is not None and n not in told]
    return tuple(sorted(due, key=lambda one: one.opens))


def with_plan(
    planned: Sequence[TimeWindow | None], timed: Sequence[TimeWindow | None], had: Sequence[Had]
) -> tuple[TimeWindow | None, ...]:
    """What to keep as planned of a route that is ``timed`` anew: of a break that is under way the
    plan as it was, for it may turn out too short to have been that one.
    """
    under_way = {one.since for one in had if one.until is None}
    told = planned_as_had(planned, had)
    stays = {n for n, rest in told.items() if rest.opens in under_way}
    return tuple(planned[n] if n in stays else rest for n, rest in enumerate(timed))


def _is_enough(one: Had, rest: TimeWindow) -> bool:
    return one.until is None or one.until - one.since >= ENOUGH * (rest.closes - rest.opens)

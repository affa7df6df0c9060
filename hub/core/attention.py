"""What of a running day needs a dispatcher, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from hub.core.values import TimeWindow

SOON = timedelta(minutes=10)
"""A stop with less than this to spare is late at the next red light: still time to move it. Of a
narrow promise a quarter is enough."""
NEAR = timedelta(minutes=90)
"""Further ahead, what is still to spare says little: much will come between."""
MANY = 3  # orders of one driver that are late for the same reason are one matter
SILENT = timedelta(minutes=5)
"""Our page sends each few seconds and a standing tracker each 2 min: two beats and a half."""
UNSEEN = timedelta(minutes=60)
"""Before they leave, drivers look at their phones when they come in, not the evening before."""
OVERDUE = timedelta(minutes=10)
"""Nobody leaves to the minute."""


UNREAD_AFTER = timedelta(minutes=5)
"""A driver at a door looks at the phone again when he is done there."""


class Kind(StrEnum):
    """In the order in which a dispatcher can still change something for a recipient."""

    ASKED = "asked"  # somebody may be driving to a door that is not the right one any more
    LATE = "late"
    FAILED = "failed"
    LEFT_OPEN = "left_open"
    UNREAD = "unread"
    NOT_STARTED = "not_started"
    LATE_SOON = "late_soon"
    NO_SIGNAL = "no_signal"
    UNASSIGNED = "unassigned"
    NOT_SEEN = "not_seen"


_RANK = {kind: n for n, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Ahead:
    """A job still to be done. ``due``: what its recipient was told or asked for, if anything."""

    stop_id: str
    number: str
    driver: str
    eta: datetime
    due: TimeWindow | None


@dataclass(frozen=True, slots=True)
class Undecided:
    """A job that did not succeed and for which nobody has said what follows."""

    order_id: str
    number: str
    driver: str
    why: str


@dataclass(frozen=True, slots=True)
class Round:
    """A route and its driver's shift. ``heard_at``: the last position, ``None`` without one."""

    route_id: str
    driver: str
    published: bool
    seen: bool  # the phone shows the present version
    leaves_at: datetime | None
    began_at: datetime | None
    over: bool  # nothing is left to do, or the shift has ended
    heard_at: datetime | None
    left_open: int = 0  # stops that are still to do, though the shift has ended


@dataclass(frozen=True, slots=True)
class Loose:
    """A job of the day that is on no route."""

    job_id: str
    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What an order's source wants changed, and somebody has to decide."""

    amendment_id: str
    number: str
    driver: str
    what: str  # "address, time"
    asked_at: datetime
    started: bool  # the driver has it on board, or has set off


@dataclass(frozen=True, slots=True)
class Unread:
    """A change on a driver's phone that he has not acknowledged."""

    route_id: str
    number: str
    what: str
    told_at: datetime


@dataclass(frozen=True, slots=True)
class Matter:
    """``about`` is the id of the stop, order, route or job that ``said`` speaks of."""

    kind: Kind
    about: str
    said: str
    urgency_s: int = 0


def matters(
    ahead: Sequence[Ahead],
    undecided: Sequence[Undecided],
    rounds: Sequence[Round],
    loose: Sequence[Loose],
    wishes: Sequence[Wish] = (),
    unread: Sequence[Unread] = (),
    *,
    now: datetime,
    zone: tzinfo,
) -> tuple[Matter, ...]:
    """Everything that needs somebody: kinds in the order of ``Kind``, then the worst first."""
    found = [
        *(_wanted(one, now) for one in wishes),
        *_grouped(_late(ahead, now, zone), now, zone),
        *(
            Matter(Kind.FAILED, one.order_id, f"Order {one.number}, {one.driver}: {one.why}.")
            for one in undecided
        ),
        *(one for each in rounds for one in _of_round(each, unread, now, zone)),
        *(
            Matter(Kind.UNASSIGNED, one.job_id, f"Order {one.number} is on no route: {one.reason}")
            for one in loose
        ),
    ]
    return tuple(sorted(found, key=lambda one: (_RANK[one.kind], -one.urgency_s, one.said)))


def late_s(eta: datetime, due: TimeWindow | None, now: datetime) -> int:
    """By how much a job comes after ``due``; an open one never comes before ``now``."""
    if due is None:
        return 0
    return max(0, int((max(eta, now) - due.closes).total_seconds()))


def _late(ahead: Sequence[Ahead], now: datetime, zone: tzinfo) -> Iterator[tuple[Ahead, Matter]]:
    for one in ahead:
        if one.due is None:
            continue
        told = f"{_clock(one.due.opens, zone)}–{_clock(one.due.closes, zone)}"
        over_s = late_s(one.eta, one.due, now)
        spare = one.due.closes - max(one.eta, now)
        at = _clock(max(one.eta, now), zone)
        if over_s >= 60:
            said = f"{one.driver} comes to order {one.number} at {at}, {_span(over_s)} after {told}"
            yield one, Matter(Kind.LATE, one.stop_id, f"{said}.", over_s)
        elif spare <= min(SOON, (one.due.closes - one.due.opens) / 4) and one.eta - now <= NEAR:
            said = f"{one.driver} comes to order {one.number} at {at}, just as {told} is over."
            if spare >= timedelta(minutes=1):
                left = _span(_s(spare))
                said = (
                    f"{one.driver} comes to order {one.number} at {at}, {left} before {told} ends."
                )
            yield one, Matter(Kind.LATE_SOON, one.stop_id, said, -_s(spare))


def _grouped(
    found: Iterable[tuple[Ahead, Matter]], now: datetime, zone: tzinfo
) -> Iterator[Matter]:
    """A driver who is late everywhere is one matter, about the first stop that is."""
    by_driver: dict[tuple[str, Kind], list[tuple[Ahead, Matter]]] = {}
    for one, matter in found:
        by_driver.setdefault((one.driver, matter.kind), []).append((one, matter))
    for (driver, kind), some in by_driver.items():
        if kind is not Kind.LATE or len({one.stop_id for one, _ in some}) < MANY:
            yield from (matter for _, matter in some)
            continue
        first, _ = min(some, key=lambda each: each[0].eta)
        most_s = max(matter.urgency_s for _, matter in some)
        said = (
            f"{driver} comes late to {len(some)} orders, to {first.number} at"
            f" {_clock(max(first.eta, now), zone)} first; by {_span(most_s)} at most."
        )
        yield Matter(kind, first.stop_id, said, most_s)


def _wanted(one: Wish, now: datetime) -> Matter:
    since = _span(_s(now - one.asked_at))
    said = f"Order {one.number}, {one.driver}: the source wants a change ({one.what}), for {since}."
    if one.started:
        said = f"{said} The driver goes on as it was."
    return Matter(Kind.ASKED, one.amendment_id, said, _s(now - one.asked_at))


def _of_round(
    one: Round, unread: Sequence[Unread], now: datetime, zone: tzinfo
) -> Iterator[Matter]:
    if one.left_open:
        stops = "1 stop" if one.left_open == 1 else f"{one.left_open} stops"
        said = f"{one.driver}'s shift has ended with {stops} still to do."
        yield Matter(Kind.LEFT_OPEN, one.route_id, said, one.left_open)
    if one.over:
        return
    if one.began_at is None:
        yield from _not_gone(one, now, zone)
    else:
        silent = now - (one.heard_at or one.began_at)
        if silent >= SILENT:
            since = "since" if one.heard_at else "since the shift began,"
            at = _clock(one.heard_at or one.began_at, zone)
            said = f"No position from {one.driver} {since} {at}, {_span(_s(silent))} ago."
            yield Matter(Kind.NO_SIGNAL, one.route_id, said, _s(silent))
    soon = one.began_at is not None or (one.leaves_at and one.leaves_at - now <= UNSEEN)
    overdue = [
        change
        for change in unread
        if change.route_id == one.route_id and now - change.told_at >= UNREAD_AFTER
    ]
    if overdue and soon:
        first = min(overdue, key=lambda change: change.told_at)
        waits = _span(_s(now - first.told_at))
        more = f", and {len(overdue) - 1} more" if len(overdue) > 1 else ""
        said = f"{one.driver} has not confirmed for {waits} what changed about order {first.number}"
        said = f"{said} ({first.what}){more}."
        yield Matter(Kind.UNREAD, one.route_id, said, _s(now - first.told_at))
    elif one.published and not one.seen and soon:
        said = f"{one.driver}'s phone has not shown the route as it is now."
        yield Matter(Kind.NOT_SEEN, one.route_id, said)


def _not_gone(one: Round, now: datetime, zone: tzinfo) -> Iterator[Matter]:
    if one.leaves_at is None or now - one.leaves_at < OVERDUE:
        return
    what = "has not begun" if one.published else "cannot begin: the route is not published"
    said = f"{one.driver} should have left at {_clock(one.leaves_at, zone)} and {what}."
    yield Matter(Kind.NOT_STARTED, one.route_id, said, _s(now - one.leaves_at))


def _s(span: timedelta) -> int:
    return int(span.total_seconds())


def _clock(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"


def _span(seconds: int) -> str:
    hours, minutes = divmod(max(1, seconds // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"

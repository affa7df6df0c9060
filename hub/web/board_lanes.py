"""Where everything of a day falls on the board's time axis, in percent of its width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hub.core.attention import SILENT, late_s
from hub.core.jobs import Outcome, State
from hub.flows.board import BoardSeen, LaneSeen, due_of
from hub.flows.day_seen import DONE, JobSeen, StopSeen, TakeOverSeen
from hub.web.route_map import numbers_of

NARROWEST = 3.2  # percent of 60 rem, the axis at its narrowest: room for two digits
PER_DIGIT = 1.0  # more for a third
STATES = {
    State.ARRIVED: "at the door",
    State.EN_ROUTE: "on the way there",
    State.LOADED: "loaded",
    State.DISPATCHED: "to do",
}
OUTCOMES = {
    Outcome.SUCCEEDED: "done",
    Outcome.PARTIAL: "done in part",
    Outcome.FAILED: "failed",
    Outcome.SKIPPED: "skipped",
}


@dataclass(frozen=True, slots=True)
class Axis:
    """Whole hours around all that happens. ``hours``: percent and what the clock says there."""

    opens: datetime
    closes: datetime
    hours: tuple[tuple[float, str], ...]

    def at(self, moment: datetime) -> float:
        span = (self.closes - self.opens).total_seconds()
        share = (moment - self.opens).total_seconds() / span
        return round(100 * min(1.0, max(0.0, share)), 1)


@dataclass(frozen=True, slots=True)
class Bar:
    """A stop. ``x``, ``w`` and ``plan_x`` in percent, ``level`` counts rows downwards from 0.

    ``late_jobs`` counts its open jobs that are late.
    ``look``: done | failed | late | now | "" (to come); ``mark`` says it in a word as well, and
    ``short`` where there is room for no word: a bar is as wide as its stop is long.
    """

    stop: StopSeen
    x: float
    w: float
    plan_x: float
    level: int
    look: str
    mark: str
    short: str
    said: str
    eta: datetime
    late_s: int
    late_jobs: int
    state: str
    movable: bool


@dataclass(frozen=True, slots=True)
class Lane:
    n: int  # its colour and its number on the map
    seen: LaneSeen
    bars: tuple[Bar, ...]
    levels: int
    shift: tuple[float, float]  # x and w
    reloads: tuple[tuple[float, float, str], ...]  # x, w, in words
    rests: tuple[tuple[float, float, str], ...]  # the same
    stale: bool

    @property
    def to_do(self) -> int:
        return sum(not bar.stop.closed for bar in self.bars)

    @property
    def late_jobs(self) -> int:
        return sum(bar.late_jobs for bar in self.bars)

    @property
    def done(self) -> int:
        return sum(bar.look == "done" for bar in self.bars)

    @property
    def not_done(self) -> int:
        return sum(bar.look == "failed" for bar in self.bars)


def axis_of(board: BoardSeen, zone: ZoneInfo) -> Axis:
    moments = [
        moment
        for lane in board.lanes
        for moment in (
            lane.starts_at,
            lane.ends_at,
            *(stop.arrive_at for stop in lane.route.stops),
            *(job.eta for job in lane.route.jobs),
        )
    ]
    noon = datetime(board.day.year, board.day.month, board.day.day, 12, tzinfo=zone)
    first, last = min(moments, default=noon), max(moments, default=noon)
    opens = first.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    closes = last.astimezone(zone).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    whole = max(1, round((closes - opens).total_seconds() / 3600))
    every = 1 if whole <= 14 else 2
    hours = tuple(
        (round(100 * n / whole, 1), f"{(opens + timedelta(hours=n)).astimezone(zone):%H:%M}")
        for n in range(0, whole, every)
    )
    return Axis(opens, closes, hours)


def lanes_of(board: BoardSeen, axis: Axis, zone: ZoneInfo) -> tuple[Lane, ...]:
    n_of = numbers_of([seen.route for seen in board.lanes])
    return tuple(_lane(n_of[one.route.id], one, board.now, axis, zone) for one in board.lanes)


def _lane(n: int, seen: LaneSeen, now: datetime, axis: Axis, zone: ZoneInfo) -> Lane:
    stops = seen.route.to_drive
    bars = _in_levels([_bar(stop, seen, now, axis, zone) for stop in stops])
    x = axis.at(seen.starts_at)
    heard_at = seen.where.at if seen.where else None
    return Lane(
        n,
        seen,
        bars,
        1 + max((bar.level for bar in bars), default=0),
        (x, round(axis.at(seen.ends_at) - x, 1)),
        tuple(_reload(one, axis) for one in seen.route.take_overs if one.is_reload),
        tuple(_rests(seen, now, axis, zone)),
        heard_at is None or now - heard_at >= SILENT,
    )


def _reload(one: TakeOverSeen, axis: Axis) -> tuple[float, float, str]:
    x = axis.at(one.arrive_at)
    return x, round(axis.at(one.depart_at) - x, 1), f"Stop {one.n}: {one.said}"


def _rests(
    seen: LaneSeen, now: datetime, axis: Axis, zone: ZoneInfo
) -> Iterator[tuple[float, float, str]]:
    """Breaks as planned, but those that the driver told as he had them."""
    spans = [(one.opens, one.closes, "Break {}–{}") for one in seen.route.rests]
    for one in seen.route.had:
        said = "Had a break {}–{}" if one.until else "On a break since {}"
        spans.append((one.since, max(one.since, one.until or now), said))
    for opens, closes, said in sorted(spans):
        if opens < axis.closes and axis.opens < closes:
            x, w = axis.at(opens), round(axis.at(closes) - axis.at(opens), 1)
            yield x, w, said.format(*(f"{at.astimezone(zone):%H:%M}" for at in (opens, closes)))


def _bar(stop: StopSeen, seen: LaneSeen, now: datetime, axis: Axis, zone: ZoneInfo) -> Bar:
    # To the minute, so that the board is drawn anew once a minute and not at every look.
    soonest = now.replace(second=0, microsecond=0)
    eta = min(job.eta if job.state == State.CLOSED else max(job.eta, soonest) for job in stop.jobs)
    open_jobs = [job for job in stop.jobs if job.state != State.CLOSED]
    late = max(_late_s(job, now) for job in open_jobs or stop.jobs)
    state = _state(stop)
    look = _look(stop, late)
    late_jobs = sum(_late_s(job, now) >= 60 for job in open_jobs)
    mark = _minutes(late) + " late" if late_jobs else ""
    if look == "failed":
        mark = state
    service = max(0.0, axis.at(stop.depart_at) - axis.at(stop.arrive_at))
    w = round(max(service, NARROWEST + PER_DIGIT * max(0, len(str(stop.n)) - 2)), 1)
    return Bar(
        stop,
        min(axis.at(eta), round(100 - w, 1)),
        w,
        axis.at(stop.arrive_at),
        0,
        look,
        mark,
        "✗" if look == "failed" else _short(late) if mark else "",
        _said(stop, eta, late, state, zone),
        eta,
        late,
        late_jobs,
        state,
        seen.ended_at is None
        and bool(open_jobs)
        and all(job.state != State.ARRIVED for job in open_jobs),
    )


def _late_s(job: JobSeen, now: datetime) -> int:
    """In whole minutes, as the list of what needs attention says it; an open job by the clock."""
    if job.cancelled:
        return 0
    by = job.eta if job.state == State.CLOSED else now
    return late_s(job.eta, due_of(job), by) // 60 * 60


def _state(stop: StopSeen) -> str:
    for state, words in STATES.items():
        if any(job.state == state for job in stop.jobs):
            return words
    outcomes = {job.outcome for job in stop.jobs}
    return next((words for end, words in reversed(OUTCOMES.items()) if end in outcomes), "draft")


def _look(stop: StopSeen, late: int) -> str:
    if stop.closed:
        return (
            "done" if all(job.outcome in DONE or job.cancelled for job in stop.jobs) else "failed"
        )
    if late >= 60:
        return "late"
    under_way = {State.ARRIVED, State.EN_ROUTE}
    return "now" if any(job.state in under_way for job in stop.jobs) else ""


def _said(stop: StopSeen, eta: datetime, late: int, state: str, zone: ZoneInfo) -> str:
    """All there is to know, for a tooltip and for those who listen."""
    orders = ", ".join(stop.numbers)
    said = [f"Stop {stop.n}, order{'s' if len(stop.jobs) > 1 else ''} {orders}", stop.address]
    said.append(state)
    said.append(f"planned {stop.arrive_at.astimezone(zone):%H:%M}")
    said.append(f"{'was' if stop.closed else 'expected'} {eta.astimezone(zone):%H:%M}")
    for due in {due_of(job) for job in stop.jobs} - {None}:
        assert due
        opens, closes = (at.astimezone(zone) for at in (due.opens, due.closes))
        said.append(f"promised {opens:%H:%M}–{closes:%H:%M}")
    for wished in {job.wished for job in stop.jobs} - {None}:
        assert wished
        opens, closes = (at.astimezone(zone) for at in (wished.opens, wished.closes))
        said.append(f"wished {opens:%H:%M}–{closes:%H:%M}")
    if late >= 60:
        said.append(f"{_minutes(late)} late")
    return ", ".join(said)


def _in_levels(bars: Sequence[Bar]) -> tuple[Bar, ...]:
    """None covers another: what has no room comes a level lower."""
    ends: list[float] = []
    placed = {}
    for bar in sorted(bars, key=lambda one: (one.x, one.stop.n)):
        level = next((n for n, end in enumerate(ends) if end <= bar.x), len(ends))
        ends[level:] = [bar.x + bar.w + 0.2, *ends[level + 1 :]]
        placed[bar.stop.id] = replace(bar, level=level)
    return tuple(placed[bar.stop.id] for bar in bars)


def _short(seconds: int) -> str:
    minutes = seconds // 60
    return f"+{minutes}" if minutes < 100 else f"+{minutes // 60} h"


def _minutes(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02d}" if hours else f"{minutes} min"

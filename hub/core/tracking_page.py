"""What the page behind a tracking link shows: one state, one time, and no more than it may.

The link is about an order, so the page follows the order's last leg (what is
brought, fetched or done at the recipient's) across all its attempts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from hub.core.business import BusinessSettings
from hub.core.fit import begins_as_told
from hub.core.jobs import ON_A_PHONE, NextStep, Outcome, Reason, State
from hub.core.orders import Kind
from hub.core.values import TimeWindow
from hub.core.visibility import Fact, Moment, Reader, Stage, shown

ROUND_TO = timedelta(minutes=5)
_NARROWEST = timedelta(minutes=15)
_SURE = timedelta(minutes=20)  # a wider spread as one time would be false minutes
OVERDUE = timedelta(hours=6)  # past its planned end, a shift that nobody ended is over
EARLY = timedelta(minutes=1)  # a phone's clock may be behind by that much
FRESH = timedelta(minutes=2)  # a phone tells every few seconds; a tunnel is shorter
SHOWN = timedelta(minutes=15)  # older than that a place says nothing of where somebody is
CHOSEN = "recipient"  # who told a promise that its recipient chose on the page
_HONORIFICS = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "herr", "frau", "mme", "m"})


class Shows(StrEnum):
    ORDERED = "ordered"  # nothing is promised yet
    SCHEDULED = "scheduled"  # on a published route; a time is promised
    RESCHEDULED = "rescheduled"  # what was said before no longer holds
    ON_ITS_WAY = "on_its_way"  # the round has begun, others come first
    ARRIVING = "arriving"
    AT_THE_DOOR = "at_the_door"
    DONE = "done"
    FAILED = "failed"
    FETCHED = "fetched"  # it failed, was kept at the depot, and its recipient has been for it
    CANCELLED = "cancelled"


OPEN = frozenset(Shows) - {Shows.DONE, Shows.FAILED, Shows.FETCHED, Shows.CANCELLED}
WATCHED = OPEN | {Shows.FAILED}
"""What may still change while somebody has the page open: after a failure something follows."""
_STAGES = {
    Shows.ON_ITS_WAY: Stage.ON_THE_WAY,
    Shows.ARRIVING: Stage.ON_THE_WAY,
    Shows.AT_THE_DOOR: Stage.AT_THE_DOOR,
    Shows.DONE: Stage.DONE,
    Shows.FAILED: Stage.FAILED,
    Shows.FETCHED: Stage.CANCELLED,  # nobody needs to find a door any more, nor took it at one
    Shows.CANCELLED: Stage.CANCELLED,
}
RIDING = frozenset({Shows.ON_ITS_WAY, Shows.ARRIVING, Shows.AT_THE_DOOR})

ON_A_MAP = RIDING | {Shows.SCHEDULED, Shows.RESCHEDULED}


class Life(StrEnum):
    """How much of a page is left."""

    FULL = "full"
    BARE = "bare"  # one line with the outcome
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSeen:
    """``ended_at`` is when it ended at the door, ``closed_at`` when the hub learned of it.

    ``fetched_at``: when goods kept at the depot were fetched there.
    """

    kind: Kind
    attempt: int = 1
    leg: int = 1
    state: State = State.CREATED
    outcome: Outcome | None = None
    reason: Reason | None = None
    next_step: NextStep | None = None
    due_on: date | None = None
    windows: tuple[TimeWindow, ...] = ()
    ended_at: datetime | None = None
    closed_at: datetime | None = None
    fetched_at: datetime | None = None

    @property
    def is_closed(self) -> bool:
        return self.state is State.CLOSED

    @property
    def is_kept(self) -> bool:
        """Whether goods wait at the depot for their recipient to fetch them."""
        to_be_fetched = self.kind is Kind.DELIVER and self.next_step is NextStep.COLLECT
        return to_be_fetched and self.fetched_at is None


@dataclass(frozen=True, slots=True)
class Estimate:
    """When the driver comes: in 1 of 10 cases before ``p10``, in half before ``p50``."""

    p10: datetime
    p50: datetime
    p90: datetime

    @property
    def is_sure(self) -> bool:
        """Whether it may be told as one time instead of a window."""
        return self.p90 - self.p10 <= _SURE

    @property
    def window(self) -> TimeWindow:
        """From when to when, on round times and not narrower than is fair."""
        return outwards(TimeWindow(self.p10, max(self.p90, self.p10 + _NARROWEST)))


@dataclass(frozen=True, slots=True)
class Ride:
    """The published route the job is on, as far as its recipient is concerned.

    ``next_departs_at`` is when the driver should have left the first stop that is
    still open; ``has_left`` whether he is on the road. ``estimate`` ``None``: only the plan
    is known. ``began_at``: when his shift began, ``None`` while it has not; ``over_at``: from
    when on nobody drives it any more, whatever is left, see ``over_at``.
    """

    arrive_at: datetime
    next_departs_at: datetime
    stops_before: int
    has_left: bool
    estimate: Estimate | None = None
    began_at: datetime | None = None
    over_at: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        return self.over_at is not None and self.over_at <= now

    def is_at(self, moment: datetime, now: datetime) -> bool:
        """Whether where its driver was at ``moment`` says where he is on this ride.

        Not while he drives another, or loads; nor where he was before his shift.
        """
        if self.began_at is None or not self.has_left or self.is_over(now):
            return False
        return moment >= self.began_at - EARLY


@dataclass(frozen=True, slots=True)
class Seen:
    """``quoted`` is the time to show, ``before`` one that was told and no longer holds.

    ``expected`` says more exactly when, within what was promised; ``earlier`` is the
    attempt before the one shown. Each is ``None`` where there is nothing to say.
    ``stops_before`` are those the driver makes first; ``unreached``: he has gone home without
    having been there. ``others``: times asked for as well, while none of them is promised.
    """

    shows: Shows
    job: JobSeen
    quoted: TimeWindow | None = None
    before: TimeWindow | None = None
    is_late: bool = False
    expected: Estimate | None = None
    stops_before: int = 0
    away: timedelta | None = None  # how long until the driver comes, if that is known
    earlier: JobSeen | None = None
    pick_up_failed: bool = False
    unreached: bool = False
    others: tuple[TimeWindow, ...] = ()


def decide(
    jobs: Sequence[JobSeen],
    promises: Sequence[TimeWindow],
    ride: Ride | None,
    *,
    window_s: int,
    now: datetime,
    chosen: bool = False,
) -> Seen:
    """What the page of an order with ``jobs`` (all attempts and legs, at least one) shows.

    ``promises`` are those of the job shown, oldest first; ``ride`` is ``None`` while it
    is on no published route. ``chosen``: the last promise is the time that its recipient chose.
    """
    job = current(jobs)
    earlier = next((one for one in _last_leg(jobs) if one.attempt == job.attempt - 1), None)
    if job.is_closed:
        return Seen(_ending(job), job, earlier=earlier)
    if _pick_up_failed(jobs):
        return Seen(Shows.FAILED, job, earlier=earlier, pick_up_failed=True)
    if ride is None or job.state not in ON_A_PHONE:
        return _unplanned(job, earlier, promises, chosen)
    if ride.is_over(now):
        broken = promises[-1] if promises else None
        return Seen(Shows.RESCHEDULED, job, before=broken, earlier=earlier, unreached=True)
    return _riding(job, earlier, promises, ride, timedelta(seconds=window_s), now)


def current(jobs: Sequence[JobSeen]) -> JobSeen:
    """The job the page is about: the last attempt at what happens at the recipient's."""
    return max(_last_leg(jobs), key=lambda job: job.attempt)


def life(jobs: Sequence[JobSeen], settings: BusinessSettings, now: datetime) -> Life:
    """Full while anything is open and some hours after, then bare, then gone.

    While goods are kept for their recipient the page says where, so it is full until it is gone.
    """
    closed = [job.fetched_at or job.closed_at for job in jobs if job.closed_at is not None]
    if not closed or not all(job.is_closed for job in jobs):
        return Life.FULL
    age = now - max(closed)
    if current(jobs).is_kept and age < timedelta(days=settings.page_bare_days):
        return Life.FULL
    if age < timedelta(hours=settings.page_full_h):
        return Life.FULL
    return Life.BARE if age < timedelta(days=settings.page_bare_days) else Life.GONE


def moment(seen: Seen, left: Life, away_m: float | None = None) -> Moment:
    """How far it is, for ``hub.core.visibility``; ``away_m``: from the driver to the door."""
    stage = _STAGES.get(seen.shows, Stage.WAITING)
    # He heads for this one, whatever the plan says.
    stops_before = 0 if seen.shows is Shows.ARRIVING else seen.stops_before
    return Moment(stage, stops_before, seen.away, away_m, left is Life.FULL)


def visible(
    seen: Seen,
    left: Life,
    settings: BusinessSettings,
    away_m: float | None = None,
    reader: Reader = Reader.PAGE,
) -> frozenset[Fact]:
    """What whoever has the link may see, by the rules for such a ``reader``.

    Nothing here depends on other recipients, so nothing of theirs can show.
    """
    return shown(settings.visibility, reader, moment(seen, left, away_m))


def outwards(window: TimeWindow) -> TimeWindow:
    """``window`` on round times: it opens no later and closes no earlier than it did."""
    return TimeWindow(floored(window.opens), ceiled(window.closes))


def rounded(at: datetime, width: timedelta) -> TimeWindow:
    """A window so wide around ``at``, on the nearest round times; with ``at`` in it."""
    opens = floored(at - width / 2 + ROUND_TO / 2)
    return TimeWindow(min(opens, at), max(at, opens + width + -width % ROUND_TO))


def floored(at: datetime) -> datetime:
    """The round time at or before."""
    return at - _over(at)


def ceiled(at: datetime) -> datetime:
    """The round time at or after."""
    return at + -_over(at) % ROUND_TO


def work_begins(
    there: Estimate, windows: Sequence[TimeWindow], told: TimeWindow | None
) -> Estimate:
    """When work begins at a door, by when the driver is ``there``; ``told``: what is promised."""
    p10, p50, p90 = (begins_as_told(windows, at, told) for at in (there.p10, there.p50, there.p90))
    return Estimate(p10, p50, p90)


def made_first(n: int, route: Mapping[int, Collection[str]]) -> int:
    """How many stops the driver makes before number ``n``; ``route``: number -> its jobs' states.

    Where he is, or is on the way to, comes first, be it out of turn.
    """
    to_do = {one for one, states in route.items() if any(s != State.CLOSED for s in states)}
    begun = {one for one in to_do if {State.EN_ROUTE, State.ARRIVED}.intersection(route[one])}
    return sum((one not in begun, one) < (n not in begun, n) for one in to_do)


def has_left(route: Iterable[tuple[str, str]]) -> bool:
    """Whether the driver of these jobs, each with its state and outcome, is on the road: he said
    so, or somebody was visited. Who began the shift, and loads, is not.
    """
    visited = (Outcome.SUCCEEDED, Outcome.PARTIAL, Outcome.FAILED)
    return any(
        state in (State.EN_ROUTE, State.ARRIVED) or outcome in visited for state, outcome in route
    )


def over_at(ended_at: datetime | None, ends_at: datetime) -> datetime:
    """From when on a shift is over that was ended then or, by the plan, ends at ``ends_at``."""
    return ended_at or ends_at + OVERDUE


def first_name(full: str) -> str:
    """What a stranger with the link may read of a name; empty where that is not sure."""
    given = full.split(",", 1)[-1].split()
    if not given or given[0].endswith(".") or given[0].lower() in _HONORIFICS:
        return ""
    return given[0][:40]


def _last_leg(jobs: Sequence[JobSeen]) -> list[JobSeen]:
    last = max(job.leg for job in jobs)
    return [job for job in jobs if job.leg == last]


def _pick_up_failed(jobs: Sequence[JobSeen]) -> bool:
    last = max(job.leg for job in jobs)
    fetching = [job for job in jobs if job.leg < last]
    if not fetching:
        return False
    latest = max(fetching, key=lambda job: job.attempt)
    return latest.outcome in (Outcome.FAILED, Outcome.SKIPPED, Outcome.CANCELLED)


def _ending(job: JobSeen) -> Shows:
    if job.next_step in (NextStep.RETURN, NextStep.COLLECT):
        if job.outcome is Outcome.PARTIAL:
            return Shows.DONE
        return Shows.FETCHED if job.fetched_at is not None else Shows.FAILED
    match job.outcome:
        case Outcome.SUCCEEDED | Outcome.PARTIAL:
            return Shows.DONE
        case Outcome.CANCELLED:
            return Shows.CANCELLED
    return Shows.FAILED


def _unplanned(
    job: JobSeen, earlier: JobSeen | None, promises: Sequence[TimeWindow], chosen: bool
) -> Seen:
    """Not on a phone: a draft route does not count, for it may still change."""
    if chosen and promises and promises[-1] in job.windows:
        before = _moved(promises)
        shows = Shows.ORDERED if before is None and earlier is None else Shows.RESCHEDULED
        return Seen(shows, job, quoted=promises[-1], before=before, earlier=earlier)
    broken = promises[-1] if promises else None
    if broken is None and earlier is None:
        first, *others = job.windows or (None,)
        return Seen(Shows.ORDERED, job, quoted=first, others=tuple(filter(None, others)))
    return Seen(Shows.RESCHEDULED, job, before=broken, earlier=earlier)


def _riding(
    job: JobSeen,
    earlier: JobSeen | None,
    promises: Sequence[TimeWindow],
    ride: Ride,
    width: timedelta,
    now: datetime,
) -> Seen:
    half = width / 2
    # A promise is quoted as every message quotes it; only what is worked out here is rounded.
    planned = outwards(TimeWindow(ride.arrive_at - half, ride.arrive_at + half))
    promise = promises[-1] if promises else planned
    coming = _coming(ride, half, now)
    shows = _how_far(job.state, ride)
    quoted: TimeWindow = promise
    before: TimeWindow | None = None
    is_late = shows is not Shows.AT_THE_DOOR and max(coming.p50, now) > promise.closes
    if is_late:
        quoted, before = coming.window, quoted
    elif shows is Shows.SCHEDULED and (moved := _moved(promises)) is not None:
        shows, before = Shows.RESCHEDULED, moved
    return Seen(
        shows,
        job,
        quoted=quoted,
        before=before,
        is_late=is_late,
        expected=coming if ride.estimate and shows in RIDING and not is_late else None,
        stops_before=ride.stops_before,
        away=coming.p50 - now,
        earlier=earlier,
    )


def _how_far(state: State, ride: Ride) -> Shows:
    match state:
        case State.ARRIVED:
            return Shows.AT_THE_DOOR
        case State.EN_ROUTE:
            return Shows.ARRIVING
    return Shows.ON_ITS_WAY if ride.has_left else Shows.SCHEDULED


def _coming(ride: Ride, half: timedelta, now: datetime) -> Estimate:
    """The stored estimate, else the plan shifted by how far the round is behind; never past."""
    if (known := ride.estimate) is not None:
        return Estimate(max(known.p10, now), max(known.p50, now), max(known.p90, now))
    behind = max(timedelta(0), now - ride.next_departs_at)
    arrive_at = max(ride.arrive_at + behind, now)
    return Estimate(arrive_at, arrive_at, arrive_at + half)


def _moved(promises: Sequence[TimeWindow]) -> TimeWindow | None:
    """The promise before the last, if who waited then would wait in vain."""
    if len(promises) < 2:
        return None
    before, now = promises[-2], promises[-1]
    return before if before.closes < now.opens or now.closes < before.opens else None


def _over(moment: datetime) -> timedelta:
    """How far ``moment`` is past the last round time. Zones are whole quarters off UTC."""
    return timedelta(seconds=moment.timestamp() % ROUND_TO.total_seconds())

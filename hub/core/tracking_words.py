"""What each state of the tracking page reads like; the sentences are ``tracking_sentences``.

Times are in the business's zone; a day is named in words unless it is today. What is said is
English until a tongue says it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from hub.core.jobs import NextStep, Outcome, Reason
from hub.core.orders import Kind
from hub.core.tongue import ENGLISH, Tongue
from hub.core.tracking_page import FRESH, Estimate, JobSeen, Seen, Shows
from hub.core.tracking_sentences import (
    ARRIVING,
    ASKED_FOR,
    FETCHED,
    HEADLINES,
    KEPT,
    LATE,
    MISSED_YOU,
    NEXT,
    NO_RETURN,
    NO_SIGNAL,
    ONE_OF,
    OR_AT,
    PARTLY,
    PICK_UP_FAILED,
    PLANNED_ANEW,
    PROMISED,
    REASONS,
    REST_FETCHED,
    REST_FOLLOWS,
    STAY,
    STEP_OF,
    STEPS,
    TIME_FOLLOWS,
    TRY_AGAIN,
    UNKNOWN_REASON,
    UNREACHED,
    YOU_CHOOSE,
)
from hub.core.values import TimeWindow
from hub.core.visibility import Fact, Rule

Tone = Literal["plain", "ok", "late", "bad"]
MOST_OWN_WORDS = 300
_UNBROKEN = "\u00a0–\u2060\u00a0"
"""From one time to another, beside a day: there the line breaks. After a dash it would without
U+2060, whatever blank follows (Unicode's line breaking, rule 12a)."""


@dataclass(frozen=True, slots=True)
class Card:
    """The page's first card. ``big`` and ``struck`` are times, ``day`` the day of ``big``.

    ``step`` counts from 1; 0 means there is no progress to show.
    """

    headline: str
    tone: Tone
    big: str = ""
    day: str = ""
    struck: str = ""
    lines: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    step: int = 0


def card(
    seen: Seen,
    may: frozenset[Fact],
    zone: ZoneInfo,
    now: datetime,
    tongue: Tongue = ENGLISH,
    *,
    chooses: bool = False,
) -> Card:
    """What ``seen`` reads like at ``now`` to somebody who may see so much of it.

    ``chooses``: whether they may say, on the same page, what follows a failure.
    """
    told = _Words(may, zone, now, tongue, chooses=chooses)
    big, day = told.time(seen)
    return Card(
        headline=tongue.say(_headline(seen, may)),
        tone=_tone(seen),
        big=big,
        day=day,
        struck=told.span(seen.before, with_day=True) if seen.before else "",
        lines=tuple(line for line in told.lines(seen) if line),
        steps=tuple(map(tongue.say, STEPS[seen.job.kind])) if seen.shows in STEP_OF else (),
        step=_step(seen),
    )


def outcome_line(seen: Seen, zone: ZoneInfo, tongue: Tongue = ENGLISH) -> str:
    """All that is left to say of an order that was completed some days ago."""
    ended = _done_at(seen)
    headline = tongue.say(_headline(seen, frozenset()))
    if ended is None:
        return headline
    local = ended.astimezone(zone)
    at, day = tongue.clock(local), tongue.day_and_year(local.date())
    return tongue.say("{what} {time}, {day}", what=headline, time=at, day=day)


def own_words(seen: Seen, texts: Mapping[str, str]) -> str:
    """The business's own line below the status; empty where it wrote none.

    ``texts``: a greeting while all is well, thanks once it is done, help when something
    is wrong, be it that it did not work out the first time.
    """
    which = {"plain": "greeting", "ok": "thanks", "late": "help", "bad": "help"}[_tone(seen)]
    lost_its_time = seen.shows is Shows.RESCHEDULED and seen.quoted is None
    if seen.shows is Shows.FAILED or lost_its_time:
        which = "help"  # nobody reads of bread still warm that it waits at the depot
    return texts.get(which, "").strip()[:MOST_OWN_WORDS]


def day_words(day: date, today: date, tongue: Tongue = ENGLISH) -> str:
    """``Today``, ``Tomorrow, Tuesday 24 November`` or ``Friday 27 November``."""
    match (day - today).days:
        case 0:
            return tongue.say("Today")
        case 1:
            return tongue.say("Tomorrow, {day}", day=tongue.day(day))
        case -1:
            return tongue.say("Yesterday, {day}", day=tongue.day(day))
    return tongue.day(day) if day.year == today.year else tongue.day_and_year(day)


def stays_words(*, photos: bool, items: bool, brand: str, tongue: Tongue = ENGLISH) -> str:
    """What the proof has and its recipient's copy has not; empty where nothing is left out."""
    said = STAY.get((photos, items), "")
    return tongue.say(said, brand=brand) if said else ""


def stops_words(stops_before: int, tongue: Tongue = ENGLISH) -> str:
    if stops_before == 0:
        return tongue.say("You are the next stop.")
    return tongue.count("{n} stop before you.", "{n} stops before you.", stops_before)


def follow_words(seen: Seen, may: frozenset[Fact], rule: Rule, tongue: Tongue = ENGLISH) -> str:
    """From when on the driver can be seen on the map; empty where he can be, or never.

    ``may``: what may be seen already; ``rule``: the one for his position.
    """
    if seen.shows not in (Shows.ON_ITS_WAY, Shows.ARRIVING) or Fact.POSITION in may:
        return ""
    match rule:
        case Rule("stops", 0):
            return tongue.say("You can follow the driver on the map once you are next.")
        case Rule("stops", at):
            return tongue.count(
                "You can follow the driver on the map from {n} stop before you.",
                "You can follow the driver on the map from {n} stops before you.",
                at,
            )
        case Rule("minutes", at):
            return tongue.count(
                "You can follow the driver on the map {n} minute before.",
                "You can follow the driver on the map {n} minutes before.",
                at,
            )
        case Rule("metres", at):
            return tongue.count(
                "You can follow the driver on the map from {n} metre away.",
                "You can follow the driver on the map from {n} metres away.",
                at,
            )
    return ""


def signal_words(
    fixed_at: datetime, now: datetime, zone: ZoneInfo, tongue: Tongue = ENGLISH
) -> str:
    """That the driver's phone was not heard of for a while; empty while it is."""
    if now - fixed_at <= FRESH:
        return ""
    return tongue.say(NO_SIGNAL, time=tongue.clock(fixed_at.astimezone(zone)))


def promise_lines(
    promises: Sequence[tuple[TimeWindow, datetime]],
    zone: ZoneInfo,
    now: datetime,
    tongue: Tongue = ENGLISH,
) -> tuple[tuple[str, str], ...]:
    """What was promised, each with when that was told, the oldest first."""
    told = _Words(frozenset(), zone, now, tongue)

    def when(local: datetime) -> str:
        day, time = tongue.day(local.date()), tongue.clock(local)
        said = tongue.say("told on {day} at {time}", day=day, time=time)
        return said.replace(f" {time}", f"\u00a0{time}")  # no line ends on "at"

    return tuple(
        (told.span(window, with_day=True), when(at.astimezone(zone))) for window, at in promises
    )


class _Words:
    def __init__(
        self,
        may: frozenset[Fact],
        zone: ZoneInfo,
        now: datetime,
        tongue: Tongue,
        *,
        chooses: bool = False,
    ) -> None:
        self.may, self.tongue, self.say = may, tongue, tongue.say
        self.chooses = chooses
        self.zone, self.today = zone, now.astimezone(zone).date()

    def time(self, seen: Seen) -> tuple[str, str]:
        """The big time and its day; both may be empty."""
        if (done_at := _done_at(seen)) is not None:
            return self.tongue.clock(done_at.astimezone(self.zone)), self.day(done_at)
        if seen.shows is Shows.AT_THE_DOOR:
            return "", ""
        if (coming := seen.expected) is not None:
            return self.coming(coming), self.day(coming.p50)
        if seen.quoted is not None:
            return self.span(seen.quoted), self.day(seen.quoted.opens)
        waits = seen.shows in (Shows.ORDERED, Shows.RESCHEDULED) and not seen.unreached
        if waits and seen.job.due_on is not None:
            return self.due(seen.job.due_on)
        return "", ""

    def lines(self, seen: Seen) -> list[str]:
        match seen.shows:
            case Shows.ORDERED:
                asked = ASKED_FOR if seen.quoted or seen.job.due_on else ""
                asked = ONE_OF if seen.others else asked
                return [*self.others(seen), self.say(asked), self.say(TIME_FOLLOWS)]
            case Shows.SCHEDULED | Shows.RESCHEDULED:
                follows = "" if seen.quoted else self.say(TIME_FOLLOWS)
                tried = self.say(UNREACHED) if seen.unreached else self.tried(seen.earlier)
                return [tried, follows]
            case Shows.ON_ITS_WAY:
                return [self.stops(seen), self.promised(seen)]
            case Shows.ARRIVING:  # the headline says who is next, unless it says something else
                return [self.stops(seen) if seen.is_late else "", self.promised(seen)]
            case Shows.DONE if seen.job.outcome is Outcome.PARTIAL:
                rest = REST_FETCHED if seen.job.fetched_at else ""
                return [self.say(rest if seen.job.next_step else REST_FOLLOWS)]
            case Shows.FAILED:
                return self.failed(seen)
            case Shows.FETCHED:
                return [self.say(FETCHED)]
        return []

    def others(self, seen: Seen) -> list[str]:
        """The times beside the one that is shown, with their day where that is another."""
        shown = seen.quoted.opens.astimezone(self.zone).date() if seen.quoted else self.today
        said = []
        for window in seen.others:
            day, when = window.opens.astimezone(self.zone).date(), self.span(window)
            if day != shown:
                when = self.say("{day}, {time}", day=self.tongue.day(day), time=when)
            said.append(self.say(OR_AT, window=when))
        return said

    def stops(self, seen: Seen) -> str:
        before = 0 if seen.shows is Shows.ARRIVING else seen.stops_before
        return stops_words(before, self.tongue) if Fact.STOPS in self.may else ""

    def failed(self, seen: Seen) -> list[str]:
        if seen.pick_up_failed:
            return [self.say(NEXT[None])]
        job = seen.job
        if job.next_step in (NextStep.RETURN, NextStep.COLLECT) and job.kind is not Kind.DELIVER:
            return [self.tried(job), self.say(NO_RETURN)]
        tried = self.tried(job) or self.tried(seen.earlier)
        undecided = YOU_CHOOSE if self.chooses and job.next_step is None else NEXT[job.next_step]
        return [tried, self.say(undecided)]

    def tried(self, job: JobSeen | None) -> str:
        """When and why an attempt came to nothing; empty for one that did not."""
        if job is None or job.ended_at is None:
            return ""
        if job.outcome in (Outcome.SUCCEEDED, Outcome.CANCELLED):
            return ""
        at = self.tongue.clock(job.ended_at.astimezone(self.zone))
        day = job.ended_at.astimezone(self.zone).date()
        is_near = abs((day - self.today).days) <= 1
        when = self.say(
            "{day} at {time}" if is_near else "{day}, {time}", day=self.day(job.ended_at), time=at
        )
        why = REASONS.get(job.reason, "") if job.reason else ""
        return f"{when}: {self.inside(why or UNKNOWN_REASON)}"

    def inside(self, sentence: str) -> str:
        """A sentence after a colon: in English with a small letter, else as it is translated."""
        said = self.say(sentence)
        return f"{said[0].lower()}{said[1:]}" if said == sentence else said

    def due(self, day: date) -> tuple[str, str]:
        """A day as something large and what stands below it."""
        match (day - self.today).days:
            case 0:
                return self.say("Today"), ""
            case 1:
                return self.say("Tomorrow"), self.tongue.day(day)
        return day_words(day, self.today, self.tongue), ""

    def coming(self, estimate: Estimate) -> str:
        """One time when it is sure enough, else from when to when."""
        if estimate.is_sure:
            return self.tongue.clock(estimate.p50.astimezone(self.zone))
        return self.span(estimate.window)

    def promised(self, seen: Seen) -> str:
        """What the time above is measured by."""
        if seen.expected is None or seen.quoted is None:
            return ""
        return self.say(PROMISED, window=self.span(seen.quoted))

    def span(self, window: TimeWindow, *, with_day: bool = False) -> str:
        opens, closes = (one.astimezone(self.zone) for one in (window.opens, window.closes))
        times = f"{self.tongue.clock(opens)} – {self.tongue.clock(closes)}"
        if with_day and opens.date() != self.today:
            day = day_words(opens.date(), self.today, self.tongue)
            return self.say("{day}, {time}", day=day, time=times.replace(" – ", _UNBROKEN))
        return times

    def day(self, moment: datetime) -> str:
        return day_words(moment.astimezone(self.zone).date(), self.today, self.tongue)


def _headline(seen: Seen, may: frozenset[Fact]) -> str:
    usual = HEADLINES[seen.job.kind][seen.shows]
    if seen.is_late:
        return LATE
    match seen.shows:
        case Shows.ARRIVING if Fact.STOPS not in may:
            return ARRIVING
        case Shows.DONE if seen.job.outcome is Outcome.PARTIAL:
            return PARTLY[seen.job.kind]
        case Shows.FAILED if seen.pick_up_failed:
            return PICK_UP_FAILED
        case Shows.FAILED if _is_kept(seen):
            return KEPT
        case Shows.FAILED if seen.job.reason is Reason.NOBODY_HOME:
            return MISSED_YOU
        case Shows.RESCHEDULED if seen.quoted is None:
            return TRY_AGAIN if seen.earlier and not seen.unreached else PLANNED_ANEW
    return usual


def _is_kept(seen: Seen) -> bool:
    """It waits for its recipient: what is to be done now is more than what went wrong before."""
    return seen.job.kind is Kind.DELIVER and seen.job.next_step is NextStep.COLLECT


def _done_at(seen: Seen) -> datetime | None:
    """When it came to a good end; ``None`` where it did not, or where nobody knows when."""
    if seen.shows is Shows.FETCHED:
        return seen.job.fetched_at
    return seen.job.ended_at if seen.shows is Shows.DONE else None


def _step(seen: Seen) -> int:
    """Back at the first step while a new time is being looked for: nothing is planned."""
    if seen.shows is Shows.RESCHEDULED and seen.quoted is None:
        return 1
    return STEP_OF.get(seen.shows, 0)


def _tone(seen: Seen) -> Tone:
    if seen.is_late:
        return "late"
    if seen.shows in (Shows.DONE, Shows.FETCHED):
        return "ok"
    if seen.shows is Shows.FAILED and _is_kept(seen):
        return "plain"
    return "bad" if seen.shows in (Shows.FAILED, Shows.CANCELLED) else "plain"

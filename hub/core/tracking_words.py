"""Every sentence of the tracking page, in one place: what a state reads like.

Times are in the business's zone; a day is named in words unless it is today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from hub.core.jobs import NextStep, Outcome, Reason
from hub.core.orders import Kind
from hub.core.tracking_page import FRESH, Estimate, JobSeen, Seen, Shows
from hub.core.values import TimeWindow
from hub.core.visibility import Fact, Rule

Tone = Literal["plain", "ok", "late", "bad"]
S = Shows

STEPS = {
    Kind.DELIVER: ("Ordered", "Planned", "On its way", "Delivered"),
    Kind.COLLECT: ("Booked", "Planned", "On the way", "Collected"),
    Kind.SERVE: ("Booked", "Planned", "On the way", "Done"),
}
STEP_OF = {
    S.ORDERED: 1,
    S.SCHEDULED: 2,
    S.RESCHEDULED: 2,
    S.ON_ITS_WAY: 3,
    S.ARRIVING: 3,
    S.AT_THE_DOOR: 3,
    S.DONE: 4,
}
HEADLINES: dict[Kind, dict[Shows, str]] = {
    Kind.DELIVER: {
        S.ORDERED: "We have your order",
        S.SCHEDULED: "Your delivery is planned",
        S.RESCHEDULED: "Your delivery has a new time",
        S.ON_ITS_WAY: "Your order is on its way",
        S.ARRIVING: "Arriving now: you are next",
        S.AT_THE_DOOR: "The driver is at your door",
        S.DONE: "Delivered",
        S.FAILED: "We could not deliver your order",
        S.CANCELLED: "This delivery is cancelled",
    },
    Kind.COLLECT: {
        S.ORDERED: "Your collection is booked",
        S.SCHEDULED: "Your collection is planned",
        S.RESCHEDULED: "Your collection has a new time",
        S.ON_ITS_WAY: "The driver is on the way",
        S.ARRIVING: "Arriving now: you are next",
        S.AT_THE_DOOR: "The driver is at your door",
        S.DONE: "Collected",
        S.FAILED: "We could not collect it",
        S.CANCELLED: "This collection is cancelled",
    },
    Kind.SERVE: {
        S.ORDERED: "Your visit is booked",
        S.SCHEDULED: "Your visit is planned",
        S.RESCHEDULED: "Your visit has a new time",
        S.ON_ITS_WAY: "We are on the way",
        S.ARRIVING: "Arriving now: you are next",
        S.AT_THE_DOOR: "We are at your door",
        S.DONE: "Done",
        S.FAILED: "We could not do the work",
        S.CANCELLED: "This visit is cancelled",
    },
}
PARTLY = {
    Kind.DELIVER: "Partly delivered",
    Kind.COLLECT: "Partly collected",
    Kind.SERVE: "Partly done",
}
REASONS = {
    Reason.NOBODY_HOME: "Nobody was there to open the door.",
    Reason.REFUSED: "It was refused at the door.",
    Reason.WRONG_ADDRESS: "The address could not be found.",
    Reason.NO_ACCESS: "The driver could not get in.",
    Reason.CLOSED: "It was closed.",
    Reason.UNSAFE: "It was not safe to stop.",
    Reason.DAMAGED: "Something was damaged.",
    Reason.MISSING_ITEMS: "Something was missing.",
    Reason.NO_ID: "The identification we need was not there.",
    Reason.NO_PAYMENT: "The payment could not be made.",
    Reason.NO_TIME: "The driver ran out of time.",
    Reason.VEHICLE: "The vehicle broke down.",
    Reason.WEATHER: "The weather did not allow it.",
}
NEXT: dict[NextStep | None, str] = {
    None: "You need not do anything. We will contact you about what happens next.",
    NextStep.RETRY_TODAY: "We will try again today.",
    NextStep.ANOTHER_DAY: "We will try again on another day.",
    NextStep.RETURN: "It goes back to the sender.",
    NextStep.CANCEL: "We will not try again.",
}
NO_RETURN = "We will not try again by ourselves. Call us if you still need it."
TIME_FOLLOWS = "You will see the time here as soon as it is planned."
ARRIVING = "Arriving now"
MISSED_YOU = "Sorry, we missed you"
TRY_AGAIN = "We will try again"
PLANNED_ANEW = "We are looking for a new time"
UNREACHED = "Sorry, the driver did not get to you on this round."
LATE = "Sorry, we are running late"
PICK_UP_FAILED = "We could not fetch your order yet"
ASKED_FOR = "This is the time that was asked for."
MOST_OWN_WORDS = 300
REST_FOLLOWS = "We will contact you about the rest."
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)


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


def card(seen: Seen, may: frozenset[Fact], zone: ZoneInfo, now: datetime) -> Card:
    """What ``seen`` reads like at ``now`` to somebody who may see so much of it."""
    told = _Words(may, zone, now)
    big, day = told.time(seen)
    return Card(
        headline=_headline(seen, may),
        tone=_tone(seen),
        big=big,
        day=day,
        struck=told.span(seen.before, with_day=True) if seen.before else "",
        lines=tuple(line for line in told.lines(seen) if line),
        steps=STEPS[seen.job.kind] if seen.shows in STEP_OF else (),
        step=_step(seen),
    )


def outcome_line(seen: Seen, zone: ZoneInfo) -> str:
    """All that is left to say of an order that was completed some days ago."""
    ended = seen.job.ended_at
    if ended is None or seen.shows is not Shows.DONE:
        return _headline(seen, frozenset())
    local = ended.astimezone(zone)
    return f"{_headline(seen, frozenset())} {_clock(local)}, {_long_day(local.date())} {local.year}"


def own_words(tone: Tone, texts: Mapping[str, str]) -> str:
    """The business's own line below the status; empty where it wrote none.

    ``texts``: a greeting while all is well, thanks once it is done, help when something
    is wrong.
    """
    which = {"plain": "greeting", "ok": "thanks", "late": "help", "bad": "help"}[tone]
    return texts.get(which, "").strip()[:MOST_OWN_WORDS]


def day_words(day: date, today: date) -> str:
    """``Today``, ``Tomorrow, Tuesday 24 November`` or ``Friday 27 November``."""
    match (day - today).days:
        case 0:
            return "Today"
        case 1:
            return f"Tomorrow, {_long_day(day)}"
        case -1:
            return f"Yesterday, {_long_day(day)}"
    return _long_day(day) if day.year == today.year else f"{_long_day(day)} {day.year}"


def stays_words(*, photos: bool, items: bool, brand: str) -> str:
    """What the proof has and its recipient's copy has not; empty where nothing is left out."""
    what = [*(["photos"] if photos else []), *(["the list of items"] if items else [])]
    if not what:
        return ""
    verb = "stays" if what == ["the list of items"] else "stay"
    return f"{' and '.join(what).capitalize()} {verb} with {brand}."


def stops_words(stops_before: int) -> str:
    match stops_before:
        case 0:
            return "You are the next stop."
        case 1:
            return "1 stop before you."
    return f"{stops_before} stops before you."


def follow_words(seen: Seen, may: frozenset[Fact], rule: Rule) -> str:
    """From when on the driver can be seen on the map; empty where he can be, or never.

    ``may``: what may be seen already; ``rule``: the one for his position.
    """
    if seen.shows not in (Shows.ON_ITS_WAY, Shows.ARRIVING) or Fact.POSITION in may:
        return ""
    match rule:
        case Rule("stops", 0):
            return "You can follow the driver on the map once you are next."
        case Rule("stops", at):
            stops = "1 stop" if at == 1 else f"{at} stops"
            return f"You can follow the driver on the map from {stops} before you."
        case Rule("minutes", at):
            return f"You can follow the driver on the map {at} minutes before."
        case Rule("metres", at):
            return f"You can follow the driver on the map from {at} metres away."
    return ""


def signal_words(fixed_at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """That the driver's phone was not heard of for a while; empty while it is."""
    if now - fixed_at <= FRESH:
        return ""
    return f"No signal since {_clock(fixed_at.astimezone(zone))}. The time is an estimate."


class _Words:
    def __init__(self, may: frozenset[Fact], zone: ZoneInfo, now: datetime) -> None:
        self.may = may
        self.zone, self.today = zone, now.astimezone(zone).date()

    def time(self, seen: Seen) -> tuple[str, str]:
        """The big time and its day; both may be empty."""
        if seen.shows is Shows.DONE and seen.job.ended_at is not None:
            return _clock(seen.job.ended_at.astimezone(self.zone)), self.day(seen.job.ended_at)
        if seen.shows is Shows.AT_THE_DOOR:
            return "", ""
        if (coming := seen.expected) is not None:
            return self.coming(coming), self.day(coming.p50)
        if seen.quoted is not None:
            return self.span(seen.quoted), self.day(seen.quoted.opens)
        waits = seen.shows in (Shows.ORDERED, Shows.RESCHEDULED) and not seen.unreached
        if waits and seen.job.due_on is not None:
            first, _, rest = day_words(seen.job.due_on, self.today).partition(", ")
            return first, rest
        return "", ""

    def lines(self, seen: Seen) -> list[str]:
        match seen.shows:
            case Shows.ORDERED:
                asked = ASKED_FOR if seen.quoted or seen.job.due_on else ""
                return [asked, TIME_FOLLOWS]
            case Shows.SCHEDULED | Shows.RESCHEDULED:
                follows = "" if seen.quoted else TIME_FOLLOWS
                return [UNREACHED if seen.unreached else self.tried(seen.earlier), follows]
            case Shows.ON_ITS_WAY:
                return [self.stops(seen), self.promised(seen)]
            case Shows.ARRIVING:  # the headline says who is next, unless it says something else
                return [self.stops(seen) if seen.is_late else "", self.promised(seen)]
            case Shows.DONE if seen.job.outcome is Outcome.PARTIAL:
                return ["" if seen.job.next_step else REST_FOLLOWS]
            case Shows.FAILED:
                return self.failed(seen)
        return []

    def stops(self, seen: Seen) -> str:
        before = 0 if seen.shows is Shows.ARRIVING else seen.stops_before
        return stops_words(before) if Fact.STOPS in self.may else ""

    def failed(self, seen: Seen) -> list[str]:
        if seen.pick_up_failed:
            return [NEXT[None]]
        job = seen.job
        if job.next_step is NextStep.RETURN and job.kind is not Kind.DELIVER:
            return [self.tried(job), NO_RETURN]
        return [self.tried(job), NEXT[job.next_step]]

    def tried(self, job: JobSeen | None) -> str:
        """When and why an attempt came to nothing; empty for one that did not."""
        if job is None or job.ended_at is None or job.outcome is Outcome.SUCCEEDED:
            return ""
        at = _clock(job.ended_at.astimezone(self.zone))
        day = self.day(job.ended_at)
        when = f"{day} at {at}" if day.startswith(("Today", "Yesterday")) else f"{day}, {at}"
        why = REASONS.get(job.reason, "") if job.reason else ""
        return f"{when}: {why[0].lower()}{why[1:]}" if why else f"{when}: it did not work out."

    def coming(self, estimate: Estimate) -> str:
        """One time when it is sure enough, else from when to when."""
        if estimate.is_sure:
            return _clock(estimate.p50.astimezone(self.zone))
        return self.span(estimate.window)

    def promised(self, seen: Seen) -> str:
        """What the time above is measured by."""
        if seen.expected is None or seen.quoted is None:
            return ""
        return f"We promised {self.span(seen.quoted)}."

    def span(self, window: TimeWindow, *, with_day: bool = False) -> str:
        opens, closes = (one.astimezone(self.zone) for one in (window.opens, window.closes))
        times = f"{_clock(opens)} – {_clock(closes)}"
        if with_day and opens.date() != self.today:
            return f"{day_words(opens.date(), self.today)}, {times}"
        return times

    def day(self, moment: datetime) -> str:
        return day_words(moment.astimezone(self.zone).date(), self.today)


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
        case Shows.FAILED if seen.job.reason is Reason.NOBODY_HOME:
            return MISSED_YOU
        case Shows.RESCHEDULED if seen.quoted is None:
            return TRY_AGAIN if seen.earlier and not seen.unreached else PLANNED_ANEW
    return usual


def _step(seen: Seen) -> int:
    """Back at the first step while a new time is being looked for: nothing is planned."""
    if seen.shows is Shows.RESCHEDULED and seen.quoted is None:
        return 1
    return STEP_OF.get(seen.shows, 0)


def _tone(seen: Seen) -> Tone:
    if seen.is_late:
        return "late"
    if seen.shows is Shows.DONE:
        return "ok"
    return "bad" if seen.shows in (Shows.FAILED, Shows.CANCELLED) else "plain"


def _clock(local: datetime) -> str:
    return f"{local:%H:%M}"


def _long_day(day: date) -> str:
    return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"

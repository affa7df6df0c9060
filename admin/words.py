"""Times and states in the words of the panel's pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from flask import request

from hub.core.jobs import State
from hub.core.notices import Trigger
from hub.db.tables import JobRow
from hub.flows.kept_goods import is_kept
from hub.flows.order_story import ENDED, STEPS

Span = tuple[datetime, datetime]
YEARS = range(2000, 2200)  # a slip of the finger is no day to plan
STATES = {
    State.CREATED: ("To be planned", ""),
    State.NEEDS_REVIEW: ("Address to check", "warn"),
    State.ON_HOLD: ("On hold", "warn"),
    State.PLANNED: ("On a draft", ""),
    State.ASSIGNED: ("On a draft", ""),
    State.DISPATCHED: ("With the driver", "info"),
    State.LOADED: ("Loaded", "info"),
    State.EN_ROUTE: ("On its way", "info"),
    State.ARRIVED: ("At the door", "info"),
}
TRIGGERS = {
    Trigger.PLACED: "The order has arrived",
    Trigger.DISPATCHED: "A time is promised",
    Trigger.OUT: "The round has begun",
    Trigger.NEAR: "The driver will soon be there",
    Trigger.ON_ITS_WAY: "The driver is on the way",
    Trigger.ARRIVED: "The driver is at the door",
    Trigger.NEW_TIME: "The driver comes at another time than promised",
    Trigger.DELIVERED: "It is delivered",
    Trigger.FAILED: "It did not work out",
    Trigger.NEXT_STEP: "What happens next was decided",
    Trigger.WITHDRAWN: "A promised time no longer holds",
    Trigger.CANCELLED: "The order is cancelled",
    Trigger.REVIEW: "How was it?",
}
ROLES = {
    "recipient": "the recipient",
    "buyer": "the buyer",
    "site": "the site",
    "shipper": "the shipper",
}
RECEIPTS = {
    "accepted": ("with the carrier", ""),
    "queued": ("with the carrier", ""),
    "sending": ("with the carrier", ""),
    "sent": ("sent, says the carrier", ""),
    "delivered": ("arrived, says the carrier", "ok"),
    "undelivered": ("not arrived, says the carrier", "bad"),
    "failed": ("not arrived, says the carrier", "bad"),
    "cancelled": ("not sent, says the carrier", "bad"),
}
NOTICES = {
    "due": ("waiting", ""),
    "sending": ("sending", "info"),
    "sent": ("sent", "ok"),
    "uncertain": ("uncertain", "warn"),
    "failed": ("failed", "bad"),
    "dropped": ("not sent", "warn"),
}
OUTCOMES = {"succeeded": "ok", "partial": "warn", "failed": "bad", "skipped": "warn"}


@dataclass(frozen=True, slots=True)
class Clock:
    """How moments read in a business's zone."""

    zone: ZoneInfo
    year: int = 0  # days of another year are shown with it; 0: no day is

    @classmethod
    def of(cls, zone: str, now: datetime | None = None) -> Clock:
        here = ZoneInfo(zone)
        return cls(here, now.astimezone(here).year if now else 0)

    def today(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()

    def midnight(self, now: datetime) -> datetime:
        """When the day of ``now`` began."""
        return datetime.combine(self.today(now), time.min, self.zone)

    def time(self, at: datetime | None) -> str:
        return f"{at.astimezone(self.zone):%H:%M}" if at else ""

    def moment(self, at: datetime | None) -> str:
        return f"{at.astimezone(self.zone):%a %-d %b, %H:%M}" if at else ""

    def window(self, span: Span) -> str:
        """ "09:00–12:00"; one that begins or ends at midnight has one side only."""
        opens, closes = (at.astimezone(self.zone) for at in span)
        if (opens.hour, opens.minute) == (0, 0):
            return f"until {closes:%H:%M}"
        if (closes.hour, closes.minute) in ((0, 0), (23, 59)):
            return f"from {opens:%H:%M}"
        return f"{opens:%H:%M}–{closes:%H:%M}"

    def day_window(self, span: Span) -> str:
        return f"{self.day(span[0].astimezone(self.zone))}, {self.window(span)}"

    def day(self, on: date) -> str:
        """ "Thu 26 Nov", with the year where it is not this one."""
        return f"{on:%a %-d %b %Y}" if self.year not in (0, on.year) else f"{on:%a %-d %b}"

    def due(self, due_on: date | None, windows: Sequence[Span]) -> str:
        """When a job is wanted; empty: any day."""
        if windows:
            return self.day_window(windows[0]) + (" or other times" if len(windows) > 1 else "")
        return self.day(due_on) if due_on else ""

    def wanted(self, due_on: date | None, windows: Sequence[Span]) -> str:
        """As ``due``, with all the times: "Mon 23 Nov, 09:00–11:00 or 15:00–18:00"."""
        days: dict[date, list[str]] = {}
        for span in sorted(windows):
            days.setdefault(span[0].astimezone(self.zone).date(), []).append(self.window(span))
        said = [f"{self.day(day)}, {' or '.join(times)}" for day, times in days.items()]
        return "; or ".join(said) or self.due(due_on, ())


def pill(job: JobRow | None) -> tuple[str, str]:
    """A job's state or outcome in words, and the class of its pill."""
    if job is None:
        return ("Nothing to do", "")
    if job.state != State.CLOSED:
        return STATES[State(job.state)]
    if job.fetched_at is not None:
        return ("Collected at the depot", "ok")
    if is_kept(job):
        return ("Kept to be collected", "warn")
    if job.next_step:
        return (f"{ENDED[job.outcome]}: {STEPS[job.next_step]}", OUTCOMES.get(job.outcome, ""))
    return (ENDED.get(job.outcome, job.outcome), OUTCOMES.get(job.outcome, ""))


def minutes(seconds: float) -> str:
    """ "12 min", "1 h 20 min" """
    whole = max(1, round(seconds / 60))
    return f"{whole} min" if whole < 60 else f"{whole // 60} h {whole % 60:02d} min"


def load(amounts: Mapping[str, int], capacity: Mapping[str, int]) -> str:
    """What a van carries, of what it can where that is known."""
    parts = []
    if (parcels := amounts.get("parcels", 0)) or capacity.get("parcels"):
        most = f" of {capacity['parcels']}" if capacity.get("parcels") else ""
        parts.append(f"{parcels}{most} parcel{'' if parcels == 1 and not most else 's'}")
    if (grams := amounts.get("g", 0)) or capacity.get("g"):
        most = f" of {capacity['g'] / 1000:g}" if capacity.get("g") else ""
        parts.append(f"{round(grams / 1000, 1):g}{most} kg")
    return ", ".join(parts)


def typed(name: str, most: int = 500) -> str:
    """A field of the form or the query as text that can be stored."""
    value = request.form.get(name, "") if request.method == "POST" else request.args.get(name, "")
    return value.replace("\0", "").strip()[:most]


def typed_day(name: str) -> date | None:
    """``None`` when no day was given, or none that orders can be for."""
    return a_day(typed(name, 10))


def a_day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None

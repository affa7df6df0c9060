"""A way out as a sentence for the dispatcher, with names of people and times on their clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hub.core.plan_request import JobToPlan, PlanRequest
from hub.core.ways_out import Change, WayOut

MINUTE = 60


@dataclass(frozen=True, slots=True)
class Crew:
    """Who is meant by a vehicle of a request. ``vehicle`` is empty where none has a name."""

    driver: str
    vehicle: str = ""

    @property
    def load_space(self) -> str:
        return self.vehicle or f"{self.driver}'s vehicle"


LESS = " Less may be enough: that was not tried to the end."


def said(way: WayOut, request: PlanRequest, crews: Mapping[str, Crew], zone: ZoneInfo) -> str:
    """Under which condition the job fits, and whether less may do. Times are in ``zone``.

    A vehicle without a crew is called by its id.
    """
    return _fits_if(way, request, crews, zone) + LESS * (not way.is_least)


def button(way: WayOut, crews: Mapping[str, Crew]) -> str:
    """What the button says that makes the change; empty where it is not the hub's to make."""
    who = crews.get(way.vehicle_id, Crew(way.vehicle_id)).driver
    match way.change:
        case Change.OVERTIME:
            return f"Let {who} work {minutes(way.amount)} longer"
        case Change.START_EARLIER:
            return f"Let {who} start {minutes(way.amount)} earlier"
        case Change.OPEN_EARLIER | Change.CLOSE_LATER:
            return "Change the window"
        case Change.LEAVE_ZONE:
            return f"Let {who} go there this once"
    return ""


def minutes(seconds: int) -> str:
    """ "14 min", "1 h 20 min", "2 h"; with seconds what is no whole minute."""
    whole, rest = divmod(seconds, MINUTE)
    hours, left = divmod(whole, 60)
    parts = [f"{hours} h" if hours else "", f"{left} min" if left else "", f"{rest} s" * bool(rest)]
    return " ".join(part for part in parts if part)


def amount(way: WayOut) -> str:
    """ "40 kg", "3 l", "2 parcels"."""
    match way.dimension:
        case "g":
            return f"{way.amount / 1000:g} kg"
        case "cm3":
            return f"{way.amount / 1000:g} l"
    name = way.dimension.removesuffix("s") if way.amount == 1 else way.dimension
    return f"{way.amount} {name}"


def windowed(request: PlanRequest, way: WayOut) -> JobToPlan:
    """The job whose window a change of windows is about: of a pair, the half that has one."""
    jobs = {job.id: job for job in request.jobs}
    job = jobs[way.job_id]
    other = jobs.get(job.pair_with or "")
    pair = [job] if other is None else [one for one in (job, other) if one.windows]
    return min(pair or [job], key=lambda one: one.leg != "collect")


def _fits_if(way: WayOut, request: PlanRequest, crews: Mapping[str, Crew], zone: ZoneInfo) -> str:
    who = crews.get(way.vehicle_id, Crew(way.vehicle_id))
    much = minutes(way.amount)
    shift = next((v.shift for v in request.vehicles if v.id == way.vehicle_id), None)
    over_s = next((v.overtime_s for v in request.vehicles if v.id == way.vehicle_id), 0)
    job = next(job for job in request.jobs if job.id == way.job_id)
    match way.change:
        case Change.OVERTIME:
            ends = _clock(shift.closes, over_s + way.amount, zone) if shift else ""
            return f"It fits if {who.driver} works {much} longer, until {ends}."
        case Change.START_EARLIER:
            begins = _clock(shift.opens, -way.amount, zone) if shift else ""
            return f"It fits if {who.driver} starts {much} earlier, at {begins}."
        case Change.OPEN_EARLIER | Change.CLOSE_LATER:
            return f"It fits if {_window(way, request, much, zone)}."
        case Change.CAPACITY:
            return f"It fits if {who.load_space} may carry {amount(way)} more."
        case Change.LONGER_DAY:
            return f"It fits if {who.driver}'s longest working day may be {much} longer."
        case Change.MORE_JOBS:
            more = f"{way.amount} {'stop' if way.amount == 1 else 'stops'}"
            return f"It fits if {who.driver} may take {more} more."
        case Change.FARTHER:
            return f"It fits if {who.load_space} may drive {way.amount / 1000:g} km farther."
        case Change.READY_EARLIER:
            at = f", at {_clock(job.ready_at, -way.amount, zone)}" if job.ready_at else ""
            return f"It fits if its goods are ready {much} earlier{at}."
        case Change.ON_BOARD_LONGER:
            return f"It fits if it may be on board {much} longer."
        case Change.SHORTER_SERVICE:
            return f"It fits if it takes {much} less at the door."
        case Change.NO_BREAK:
            return f"It fits if {who.driver}'s break is moved or left out."
        case Change.SKILL:
            return f"It fits if {who.driver} or {who.load_space} has: {way.dimension}."
        case Change.LEAVE_ZONE:
            return f"It fits if {who.driver} may go outside their zones for it."
        case Change.ALLOW:
            return f"It fits if {who.driver} may do it."
    return f"It fits if one more driver works, with the hours and the vehicle of {who.driver}."


def _window(way: WayOut, request: PlanRequest, much: str, zone: ZoneInfo) -> str:
    windows = windowed(request, way).windows
    opens = way.change is Change.OPEN_EARLIER
    verb, when = ("open", "earlier") if opens else ("close", "later")
    if len(windows) > 1:
        return f"its windows {verb} {much} {when}"
    first = windows[0]
    at = _clock(first.opens, -way.amount, zone) if opens else _clock(first.closes, way.amount, zone)
    return f"its window {verb}s {much} {when}, at {at}"


def _clock(at: datetime, later_s: int, zone: ZoneInfo) -> str:
    return f"{(at + timedelta(seconds=later_s)).astimezone(zone):%H:%M}"

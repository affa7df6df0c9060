"""What a recipient may do on the page behind the link, and until when.

A business says what it allows and until when; how the order stands and the time decide. What a
driver needs to get in (note, code, who may take it) is open until he is nearly there; what
changes a plan (another time, calling it off) ends at the cut-off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from hub.core.demands import Demand
from hub.core.jobs import NextStep
from hub.core.orders import Kind
from hub.core.values import TimeWindow, moments

MOST_NOTE, MOST_CODE, MOST_WHERE = 300, 60, 120  # characters; a driver reads them at a door


class Action(StrEnum):
    NOTE = "note"
    ACCESS_CODE = "access_code"  # of a door or gate, for the driver's eyes alone
    SAFE_PLACE = "safe_place"
    NEIGHBOUR = "neighbour"
    ANOTHER_SLOT = "another_slot"
    CANCEL = "cancel"
    NEXT_STEP = "next_step"  # after an attempt that came to nothing


Asked = Literal[
    "note",
    "access_code",
    "safe_place",
    "neighbour",
    "in_person",
    "another_slot",
    "cancel",
    "next_step",
]
"""What can have been asked for: an action, or that it is handed over in person after all."""


class Follow(StrEnum):
    """What a recipient may choose after an attempt that came to nothing."""

    TODAY = "today"
    ANOTHER_DAY = "another_day"
    SAFE_PLACE = "safe_place"
    COLLECT = "collect"
    RETURN = "return"


STEP_OF = {
    Follow.TODAY: NextStep.RETRY_TODAY,
    Follow.ANOTHER_DAY: NextStep.ANOTHER_DAY,
    Follow.SAFE_PLACE: NextStep.ANOTHER_DAY,
    Follow.COLLECT: NextStep.COLLECT,
    Follow.RETURN: NextStep.RETURN,
}
TO_GET_IN = (Action.NOTE, Action.ACCESS_CODE, Action.SAFE_PLACE, Action.NEIGHBOUR)
AT_A_DOOR = frozenset({Action.SAFE_PLACE, Action.NEIGHBOUR})  # only of goods that are brought
GOODS_ONLY = frozenset({Follow.SAFE_PLACE, Follow.COLLECT, Follow.RETURN})
_A_PHOTO: list[Demand] = ["photo"]
Until = Literal["hours", "published"]


class Slots(BaseModel):
    """The times that may be chosen. ``begins`` and ``ends``: "HH:MM" by the business's clocks.

    ``weekdays``: 0 is Monday. ``most_jobs`` of a day that is not planned yet; ``None``: no limit.
    """

    minutes: int = Field(default=120, ge=30, le=720)
    days: int = Field(default=5, ge=0, le=14)
    weekdays: list[int] = Field(default=[0, 1, 2, 3, 4, 5])
    begins: str = Field(default="09:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    ends: str = Field(default="19:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    most_jobs: int | None = Field(default=None, ge=1, le=100_000)

    @model_validator(mode="after")
    def _forwards(self) -> Slots:
        if minutes_of(self.ends) - minutes_of(self.begins) < self.minutes:
            raise ValueError("No slot of that length fits between the first hour and the last.")
        return self


class SelfService(BaseModel):
    """What a business allows.

    ``until``: what changes a plan ends so many ``hours`` before the time told begins, or as soon
    as a time is told. ``note_stops``: what helps a driver to get in ends when fewer stops come
    first. ``left_demands`` and ``neighbour_demands``: the proof then; ``None``: as ever.
    ``collect_hours``: when somebody is at the depot, as it is to be read.
    """

    allowed: list[Action] = Field(default=[*TO_GET_IN, Action.ANOTHER_SLOT, Action.NEXT_STEP])
    follows: list[Follow] = Field(default=[Follow.TODAY, Follow.ANOTHER_DAY, Follow.SAFE_PLACE])
    until: Until = "hours"
    hours: int = Field(default=12, ge=0, le=240)
    note_stops: int = Field(default=1, ge=0, le=20)
    left_demands: list[Demand] | None = Field(default_factory=lambda: _A_PHOTO.copy())
    neighbour_demands: list[Demand] | None = None
    slots: Slots = Field(default_factory=Slots)
    collect_hours: str = Field(default="", max_length=120)

    def demands(self, leave: str, usual: list[Demand]) -> list[Demand]:
        """The proof of a success for what may be left there; ``leave`` empty: nowhere."""
        match leave:
            case Action.SAFE_PLACE:
                return usual if self.left_demands is None else self.left_demands
            case Action.NEIGHBOUR:
                return usual if self.neighbour_demands is None else self.neighbour_demands
        return usual


def locked_away() -> SelfService:
    """For goods that only their recipient may take."""
    doors = [Action.NOTE, Action.ACCESS_CODE, Action.ANOTHER_SLOT, Action.NEXT_STEP]
    return SelfService(allowed=doors, follows=[Follow.TODAY, Follow.ANOTHER_DAY])


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an order stands for its recipient.

    ``told_opens``: when the time begins that was told or asked for; ``None``: there is none;
    ``is_told``: it was told, for this very attempt.
    ``began``: it is on board, or its round has begun. ``undecided``: it came to nothing, and
    nobody has said what follows. ``retries``: it did before, and waits for another attempt that no
    driver has yet. ``is_paired``: it is fetched first, and is still to be.
    ``needs_a_person``: before anybody tries again, something has to be put right.
    ``came_at``: when the order came in; ``None``: nobody knows.
    """

    kind: Kind
    is_open: bool
    on_a_phone: bool = False
    began: bool = False
    at_the_door: bool = False
    stops_before: int = 0
    told_opens: datetime | None = None
    is_told: bool = False
    undecided: bool = False
    retries: bool = False
    is_paired: bool = False
    needs_a_person: bool = False
    came_at: datetime | None = None


class Why(StrEnum):
    """Why something that the business allows is closed now."""

    PAST = "past"  # the cut-off
    SOON = "soon"  # the cut-off, which was before the order came
    TOLD = "told"  # a time was told, and it ends there
    COMING = "coming"  # the driver is on the way with it
    NEAR = "near"  # nearly there, or at the door


@dataclass(frozen=True, slots=True)
class Answer:
    """``until``: when it ends, or ended, by the clock; ``None``: not by the clock.

    ``why`` ``None`` of what is closed: nothing is to be said about it.
    """

    is_open: bool
    why: Why | None = None
    until: datetime | None = None


SHUT = Answer(False)


def answers(rules: SelfService, now_is: Standing, now: datetime) -> Mapping[Action, Answer]:
    """What may be done now, and of all else why not."""
    return {action: answer(rules, action, now_is, now) for action in Action}


def answer(rules: SelfService, action: Action, now_is: Standing, now: datetime) -> Answer:
    if action not in rules.allowed:
        return SHUT
    if action is Action.NEXT_STEP:
        return Answer(bool(follows(rules, now_is, now)))
    if not now_is.is_open or (action in AT_A_DOOR and now_is.kind is not Kind.DELIVER):
        return SHUT
    return _to_get_in(rules, now_is) if action in TO_GET_IN else _plan(rules, action, now_is, now)


def follows(rules: SelfService, now_is: Standing, now: datetime) -> tuple[Follow, ...]:
    """What may be chosen after an attempt that came to nothing; empty where none did."""
    if not (now_is.undecided or now_is.retries) or Action.NEXT_STEP not in rules.allowed:
        return ()
    if now_is.is_paired:
        return ()  # the goods are not here: whoever fetches them has a say
    if not now_is.undecided and _is_settled(rules, now_is, now):
        return ()
    goods = now_is.kind is Kind.DELIVER
    if now_is.needs_a_person:
        can = {Follow.COLLECT, Follow.RETURN} if goods else set()
        return tuple(one for one in Follow if one in rules.follows and one in can)
    return tuple(one for one in Follow if one in rules.follows and (goods or one not in GOODS_ONLY))


def offered(slots: Slots, zone: tzinfo, now: datetime) -> Iterator[TimeWindow]:
    """Every slot that begins after ``now``, the earliest first, whether or not anybody is free."""
    today = now.astimezone(zone).date()
    for n in range(slots.days + 1):
        day = today + timedelta(days=n)
        if day.weekday() in slots.weekdays:
            for window in _of_day(slots, day, zone):
                if window.opens > now:
                    yield window


def minutes_of(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _of_day(slots: Slots, day: date, zone: tzinfo) -> Iterator[TimeWindow]:
    begins, ends = minutes_of(slots.begins), minutes_of(slots.ends)
    for at in range(begins, ends - slots.minutes + 1, slots.minutes):
        opens, closes = (_clock(day, minute, zone) for minute in (at, at + slots.minutes))
        yield TimeWindow(*moments(opens, closes))


def _clock(day: date, minute: int, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(minute // 60, minute % 60), zone)


def _to_get_in(rules: SelfService, now_is: Standing) -> Answer:
    if not now_is.began:
        return Answer(True)
    near = now_is.at_the_door or now_is.stops_before < rules.note_stops
    return Answer(False, Why.NEAR) if near else Answer(True)


def _is_settled(rules: SelfService, now_is: Standing, now: datetime) -> bool:
    """Whether a time was told for the next attempt that is still to come, past its cut-off."""
    if not now_is.is_told or now_is.told_opens is None or now >= now_is.told_opens:
        return False
    return not _plan(rules, Action.ANOTHER_SLOT, now_is, now).is_open


def _plan(rules: SelfService, action: Action, now_is: Standing, now: datetime) -> Answer:
    if now_is.is_paired and action is Action.ANOTHER_SLOT:
        return SHUT  # where it is fetched has a say in when, too
    if now_is.began:
        return Answer(False, Why.COMING)
    if rules.until == "published":
        return Answer(False, Why.TOLD) if now_is.on_a_phone else Answer(True)
    if now_is.told_opens is None:
        return Answer(True)
    until = now_is.told_opens - timedelta(hours=rules.hours)
    if now < until:
        return Answer(True, until=until)
    was_ever = now_is.came_at is None or now_is.came_at < until
    return Answer(False, Why.PAST if was_ever else Why.SOON, until)

"""Manners: when nobody is to be disturbed, how often at most, and what happens instead.

Quiet hours are by the recipient's own clocks. What may not leave in them is held until they end
if its moment lasts that long, dropped, or goes by the channel that makes no noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, StringConstraints

from hub.core.contracts import Reaches
from hub.core.notices import Trigger
from hub.core.values import moments

InQuiet = Literal["send", "hold", "drop", "other"]
Clock = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
]
RINGS: frozenset[Reaches] = frozenset({"phone", "push"})
"""What makes a noise where it arrives; only this is counted and kept quiet."""
ALWAYS = frozenset({Trigger.FAILED, Trigger.CANCELLED, Trigger.WITHDRAWN})
"""Told however often the recipient was told of this order already: else he waits for nothing."""


class Manners(BaseModel):
    """How a business wants its recipients treated; equal times: no hour is quiet."""

    quiet_from: Clock = Field(
        default="21:00", title="Quiet from", description="By the clocks where the stop is."
    )
    quiet_to: Clock = Field(default="08:00", title="Quiet until")
    most_per_order: int = Field(
        default=6,
        title="Most texts about one order",
        ge=0,
        le=100,
        description="Texts and push messages. Failures and cancellations always go. 0: no limit.",
    )
    most_per_day: int = Field(
        default=12,
        title="Most texts to one number in 24 hours",
        ge=0,
        le=1000,
        description="All orders together. 0: no limit.",
    )


@dataclass(frozen=True, slots=True)
class Held:
    """It leaves later."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Undone:
    """It does not leave. ``elsewhere``: the rule's other channel may tell it instead."""

    why: str
    elsewhere: bool = False


def quiet_until(now: datetime, manners: Manners, zone: ZoneInfo) -> datetime | None:
    """When the quiet hours end that ``now`` lies in; ``None``: it lies in none."""
    begins, ends = _time(manners.quiet_from), _time(manners.quiet_to)
    if begins == ends:
        return None
    today = now.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        over = day if ends > begins else day + timedelta(days=1)
        start, end = moments(
            datetime.combine(day, begins, zone), datetime.combine(over, ends, zone)
        )
        if start <= now < end:
            return end.astimezone(now.tzinfo)
    return None


def kept_quiet(
    in_quiet: InQuiet, now: datetime, expires_at: datetime, ends_at: datetime | None
) -> Held | Undone | None:
    """What becomes of a message that would ring now; ``None``: it goes.

    ``ends_at``: the end of the quiet hours, ``None`` outside of them.
    """
    if ends_at is None or in_quiet == "send":
        return None
    match in_quiet:
        case "hold" if ends_at <= expires_at:
            return Held(ends_at, "Quiet hours: it waits until they are over.")
        case "hold":
            return Undone("Quiet hours: its moment would have passed when they end.", True)
        case "drop":
            return Undone("Quiet hours: this message is not sent in them.")
        case "other":
            return Undone("Quiet hours: it goes by the other channel.", True)


def too_often(
    manners: Manners, trigger: Trigger, *, about_order: int, to_address: int
) -> Undone | None:
    """Whether enough was told already: ``about_order`` by what rings, and in the last 24 hours
    ``to_address``.
    """
    if trigger in ALWAYS:
        return None
    if manners.most_per_order and about_order >= manners.most_per_order:
        return Undone(f"{about_order} texts were sent about this order, which is the limit.")
    if manners.most_per_day and to_address >= manners.most_per_day:
        return Undone(f"{to_address} texts went to this number in 24 hours, which is the limit.")
    return None


def _time(text: str) -> time:
    return time.fromisoformat(text)

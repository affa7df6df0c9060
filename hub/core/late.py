"""Why a job on a route is late, its stops being in that order, and whether leaving earlier helps.

Whoever leaves earlier comes earlier everywhere, until a stop where work may not begin before a
window opens. So the least there is to gain before the late job decides. In traffic an hour of
leaving earlier is not an hour of arriving earlier: each drive is driven again, from its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.core.pace import Traffic, departs, drive_s

MINUTE = timedelta(minutes=1)
Drive = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Begun:
    """When work begins on a job, and since when it might: ``None``, at any time.

    ``then``: the drive that follows, from when to when; ``None``: the next job is there too.
    """

    number: str
    at: datetime
    opens: datetime | None
    then: Drive | None = None


@dataclass(frozen=True, slots=True)
class LateBecause:
    """Leaving ``earlier`` (whole minutes) would do; or ``None``, and ``held_by`` is the job before
    it that could not begin so much earlier, as its window opens then.
    """

    earlier: timedelta | None
    held_by: Begun | None


def late_because(
    late: timedelta,
    before: Sequence[Begun],
    first: Drive | None = None,
    traffic: Traffic | None = None,
) -> LateBecause:
    """``before``: what is done on the route before the job that is ``late``, in order; ``first``:
    the drive to the first of all.
    """
    needed = -(-late // MINUTE) * MINUTE
    for one in reversed(before):
        needed = _earlier(one.then, needed, traffic)
        if one.opens is not None and one.at - one.opens < needed:
            return LateBecause(None, one)
    return LateBecause(-(-_earlier(first, needed, traffic) // MINUTE) * MINUTE, None)


def _earlier(drive: Drive | None, needed: timedelta, traffic: Traffic | None) -> timedelta:
    """By how much earlier to set off so as to be there earlier by ``needed``."""
    if drive is None or traffic is None:
        return needed
    leave, arrive = drive
    return leave - departs(traffic, arrive - needed, drive_s(traffic, leave, arrive))

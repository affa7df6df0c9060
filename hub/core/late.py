"""Why a job on a route is late, its stops being in that order, and whether leaving earlier helps.

Whoever leaves earlier comes earlier everywhere, until a stop where work may not begin before a
window opens. So the least there is to gain before the late job decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Begun:
    """When work begins on a job, and since when it might: ``None``, at any time."""

    number: str
    at: datetime
    opens: datetime | None


@dataclass(frozen=True, slots=True)
class LateBecause:
    """Leaving ``earlier`` (whole minutes) would do; or ``None``, and ``held_by`` is the job before
    it that could not begin so much earlier, as its window opens then.
    """

    earlier: timedelta | None
    held_by: Begun | None


def late_because(late: timedelta, before: Sequence[Begun]) -> LateBecause:
    """``before``: what is done on the route before the job that is ``late``, in order."""
    needed = -(-late // MINUTE) * MINUTE
    held = [one for one in before if one.opens is not None and one.at - one.opens < needed]
    if held:
        return LateBecause(None, held[-1])
    return LateBecause(needed, None)

"""How far one comes when drives take longer at some times of the day."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hub.core.plan_request import Pace


class Traffic:
    """The paces of one profile; moments are epoch seconds.

    Each piece of a drive goes at the pace of its own moment (Ichoua, Gendreau and Potvin,
    2003): a factor that held for the whole drive would let who leaves later arrive sooner.
    """

    def __init__(self, paces: Sequence[Pace]) -> None:
        self._changes = [(math.ceil(pace.begins.timestamp()), pace.factor) for pace in paces]

    def arrival(self, leave: int, drive_s: float) -> int:
        """When a drive of ``drive_s`` undisturbed seconds is over; whole seconds, rounded up."""
        now, factor, left = leave, 1.0, drive_s
        for begins, next_factor in self._changes:
            if begins > now:
                if left * factor <= begins - now:
                    break
                left -= (begins - now) / factor
                now = begins
            factor = next_factor
        # A millionth of a second is no reason to be a whole one later.
        return math.ceil(now + left * factor - 1e-6)

    def driven(self, since: int, until: int) -> float:
        """The undisturbed seconds of driving that fit between two moments."""
        now, factor, done = since, 1.0, 0.0
        for begins, next_factor in self._changes:
            if begins >= until:
                break
            if begins > now:
                done += (begins - now) / factor
                now = begins
            factor = next_factor
        return done + max(0, until - now) / factor

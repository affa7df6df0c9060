"""What somebody thought of a delivery: one to five stars and a few words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

LEAST, MOST, LOW = 1, 5, 2
MOST_WORDS = 1000  # characters
CHANGES = timedelta(days=7)
"""So long somebody may think better of it."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Rating:
    stars: int
    comment: str = ""

    @property
    def is_low(self) -> bool:
        return self.stars <= LOW


def read_rating(stars: str, comment: str) -> Rating:
    """What a form sent. Raises ``ValueError`` for anything but one to five stars."""
    if stars not in {str(n) for n in range(LEAST, MOST + 1)}:
        raise ValueError("Choose one to five stars.")
    lines = [" ".join(line.split()) for line in _CONTROLS.sub(" ", comment).splitlines()]
    return Rating(int(stars), "\n".join(line for line in lines if line)[:MOST_WORDS])


def may_rate(first_at: datetime | None, now: datetime) -> bool:
    """``first_at``: when a rating was first given, ``None`` while there is none."""
    return first_at is None or now - first_at < CHANGES

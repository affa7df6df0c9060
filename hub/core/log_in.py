"""How long a session of staff lasts."""

from datetime import datetime, timedelta

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=14)


def is_over(created_at: datetime, seen_at: datetime, now: datetime) -> bool:
    """By the real clock: a demo's hand-moved one logs nobody out."""
    return seen_at < now - IDLE or created_at < now - LONGEST

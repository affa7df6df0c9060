"""Two people at one route: the second decides again."""

from __future__ import annotations

from datetime import datetime

from hub.core.errors import HubError


class RouteConflict(HubError):
    """Somebody changed the route meanwhile; look again and decide again.

    ``by`` and ``at`` say who and when, where that is known.
    """

    def __init__(self, message: str, *, by: str = "", at: datetime | None = None) -> None:
        super().__init__(message)
        self.by, self.at = by, at

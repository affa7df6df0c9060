"""What a recipient may see, worked out from the rows and a business's wishes alone.

Written apart from the code it judges: it shares no line with it and reads the database by
itself. A wish is (since, at) as in the settings: always | stops | minutes | metres | never.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Any

from sqlalchemy import text

Wish = tuple[str, int]


@dataclass(frozen=True)
class Answer:
    """``must``: shown for certain; ``may``: allowed. Between them it is a matter of seconds."""

    may: bool
    must: bool


NO, YES, PERHAPS = Answer(False, False), Answer(True, True), Answer(True, False)


class Truth:
    """How the order stands at ``now``, by the rows. ``fix``: the driver's last, (lat, lon, at)."""

    def __init__(
        self,
        session: Any,
        order_id: str,
        now: datetime,
        fix: tuple[float, float, datetime] | None,
        full_h: int,
        bare_days: int,
    ) -> None:
        self.now = now
        rows = (
            session.execute(
                text(
                    "SELECT job.id, job.order_id, job.attempt, job.state, job.outcome, job.closed_at,"
                    " place.lat, place.lon, s.n, s.arrive_at, s.depart_at, r.id AS route,"
                    " shift.began_at, shift.ended_at, shift.ends_at, estimate.p50,"
                    " estimate.route_id AS estimated_on FROM job"
                    " JOIN place ON place.id = job.place_id"
                    " LEFT JOIN stop_job ON stop_job.job_id = job.id"
                    " LEFT JOIN stop s ON s.id = stop_job.stop_id"
                    " LEFT JOIN route r ON r.id = s.route_id AND r.published_at IS NOT NULL"
                    " LEFT JOIN shift ON shift.id = r.shift_id"
                    " LEFT JOIN estimate ON estimate.job_id = job.id"
                )
            )
            .mappings()
            .all()
        )
        mine = [row for row in rows if row["order_id"] == order_id]
        self.job = max(mine, key=lambda row: row["attempt"])
        self.route = [row for row in rows if row["route"] and row["route"] == self.job["route"]]
        self.fix = fix
        ended = [_at(row["closed_at"]) for row in mine if row["closed_at"]]
        self.is_full, self.is_gone = True, False
        if all(row["state"] == "closed" for row in mine):
            age = now - max(ended)
            self.is_full = age < timedelta(hours=full_h)
            self.is_gone = not self.is_full and age >= timedelta(days=bare_days)

    @property
    def phase(self) -> str:
        """waiting | road | door | done | failed | cancelled"""
        state, outcome = self.job["state"], self.job["outcome"]
        if state == "closed":
            if outcome in ("succeeded", "partial"):
                return "done"
            return "cancelled" if outcome == "cancelled" else "failed"
        if not self.job["route"] or self._shift_is_over():
            return "waiting"
        if state == "arrived":
            return "door"
        return "road" if state == "en_route" or self._has_left() else "waiting"

    @property
    def stops_before(self) -> int:
        if self.job["state"] == "en_route":
            return 0
        stops: dict[int, list[str]] = {}
        for row in self.route:
            stops.setdefault(row["n"], []).append(row["state"])
        before = 0
        for n, states in stops.items():
            if n == self.job["n"] or all(state == "closed" for state in states):
                continue
            is_begun = "en_route" in states or "arrived" in states
            before += is_begun or n < self.job["n"]
        return before

    @property
    def leaves_out(self) -> bool:
        """Whether somebody whom the plan has before this one still waits."""
        return any(row["n"] < self.job["n"] and row["state"] != "closed" for row in self.route)

    @property
    def least_minutes(self) -> float:
        """He is not sooner there than that, whoever reckons."""
        if self.job["p50"] and self.job["estimated_on"] in (None, self.job["route"]):
            comes = _at(self.job["p50"])
        else:
            comes = _at(self.job["arrive_at"])
        return (max(comes, self.now) - self.now).total_seconds() / 60

    def heard(self) -> tuple[float, float] | None:
        """Where the driver is; ``None``: nobody knows, or it was before his shift, or long ago."""
        if self.fix is None or not self.job["began_at"] or self._shift_is_over():
            return None
        lat, lon, at = self.fix
        if at < _at(self.job["began_at"]) - timedelta(minutes=1):
            return None
        return None if self.now - at > timedelta(minutes=15) else (lat, lon)

    def metres(self) -> float | None:
        here = self.heard()
        if here is None:
            return None
        a, b, c, d = map(radians, (*here, self.job["lat"], self.job["lon"]))
        half = sin((c - a) / 2) ** 2 + cos(a) * cos(c) * sin((d - b) / 2) ** 2
        return 2 * 6_371_009 * asin(sqrt(half))

    def _has_left(self) -> bool:
        return any(
            row["state"] in ("en_route", "arrived")
            or row["outcome"] in ("succeeded", "partial", "failed")
            for row in self.route
        )

    def _shift_is_over(self) -> bool:
        ended, ends = self.job["ended_at"], self.job["ends_at"]
        until = _at(ended) if ended else _at(ends) + timedelta(hours=6)
        return until <= self.now


ON_PAGE = {
    "position": ("road",),
    "route": ("road",),
    "driver": ("road", "door"),
    "stops": ("road",),
    "recipient": ("waiting", "road", "door", "failed", "done"),
    "address": ("waiting", "road", "door", "failed"),
    "items": ("waiting", "road", "door", "failed", "done", "cancelled"),
    "photo": ("done",),
    "payment": ("waiting", "road", "door", "failed"),
}


def rules_for(role: str, buyer: str, recipient: str) -> str:
    """Whose wishes the link of ``role`` goes by, from who the order says they are."""
    if role == "buyer":
        return "buyer"
    return "gift" if buyer and recipient and buyer != recipient else "page"


def on_the_page(truth: Truth, wishes: dict[str, Wish], fact: str) -> Answer:
    """Whether the page, its stream and its files may show ``fact``."""
    phase = truth.phase
    if not truth.is_full or phase not in ON_PAGE[fact]:
        return NO
    if fact == "route":
        ends = [on_the_page(truth, wishes, end) for end in ("position", "address")]
        if truth.stops_before or truth.leaves_out or not all(end.may for end in ends):
            return NO
    if fact == "position" and truth.heard() is None:
        return NO
    answer = _near(truth, wishes[fact], phase)
    if fact in ("route", "recipient", "photo"):  # not wherever it may be there is one to show
        return PERHAPS if answer.may else NO
    return answer


def _near(truth: Truth, wish: Wish, phase: str) -> Answer:
    since, at = wish
    if since in ("always", "never"):
        return YES if since == "always" else NO
    if phase != "road":
        return YES if phase in ("door", "done", "failed") else NO
    if since == "stops":
        return YES if truth.stops_before <= at else NO
    if since == "minutes":
        return PERHAPS if truth.least_minutes <= at else NO
    off = truth.metres()
    if off is None:
        return NO
    if abs(off - at) < 0.01 * at:
        return PERHAPS
    return YES if off < at else NO


def _at(value: Any) -> datetime:
    """A moment as SQLite keeps it: text without a zone, in UTC."""
    from datetime import UTC

    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

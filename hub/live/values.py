"""What the live process knows of the business's day: who drives, where to, and who may look."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.core.business import BusinessSettings
from hub.core.page_clock import nears_at, turns_at
from hub.core.stays import metres
from hub.core.tracking import Fence
from hub.core.tracking_page import JobSeen, Ride, Seen, decide, life, moment
from hub.core.values import Point, Role, TimeWindow
from hub.core.visibility import Fact, Reader, may, page_reader

AHEAD_MS = 60_000  # a phone's clock may run ahead by this much before a fix lies in the future


@dataclass(frozen=True, slots=True)
class Device:
    id: str
    business_id: str
    driver_id: str


@dataclass(frozen=True, slots=True)
class Shift:
    """``ended_ms`` is ``None`` while it goes on; after ``latest_ms`` nothing of it counts."""

    began_ms: int
    ended_ms: int | None
    latest_ms: int

    def covers(self, t: int, now_ms: int) -> bool:
        until = now_ms + AHEAD_MS if self.ended_ms is None else self.ended_ms
        return self.began_ms <= t <= min(until, self.latest_ms)


@dataclass(frozen=True, slots=True)
class Round:
    """A published route that is being driven, its stops as fences in the order of the plan."""

    route_id: str
    version: int
    fences: tuple[Fence, ...]


@dataclass(slots=True)
class Driving:
    """A phone's driver: whether he works, and where he goes (``None``: nowhere yet)."""

    device: Device
    shifts: tuple[Shift, ...] = ()
    round: Round | None = None

    def works_at(self, t: int, now_ms: int) -> bool:
        for shift in self.shifts:
            if shift.covers(t, now_ms):
                return True
        return False

    def works_all_along(self, first_ms: int, last_ms: int, now_ms: int) -> bool:
        """Whether one shift covers both moments, and so all between."""
        for shift in self.shifts:
            if shift.covers(first_ms, now_ms) and shift.covers(last_ms, now_ms):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Page:
    """What the page behind a link is made of. ``driver_id`` is empty off any begun route.

    ``door`` is known only where it matters how many metres away the driver is.
    """

    business_id: str
    order_id: str
    jobs: tuple[JobSeen, ...]
    promises: tuple[TimeWindow, ...]
    ride: Ride | None
    settings: BusinessSettings = field(compare=False)
    route_id: str = ""
    driver_id: str = ""
    door: Point | None = None
    chosen: bool = False  # the last promise is the time that its recipient chose
    role: Role = Role.RECIPIENT
    is_gift: bool = False

    def of(self, role: Role) -> Page:
        """The same order's page behind the link of ``role``."""
        return self if role is self.role else replace(self, role=role)

    @property
    def reader(self) -> Reader:
        return page_reader(self.role, is_gift=self.is_gift)

    def seen(self, now: datetime) -> Seen:
        about = self.jobs, self.promises, self.ride
        return decide(*about, window_s=self.settings.window_s, now=now, chosen=self.chosen)

    def turns_at(self, now: datetime) -> datetime | None:
        """When it is worth looking at again, though nobody did anything; ``None``: never."""
        seen, rules = self.seen(now), self.settings.visibility.of(self.reader).values()
        found = (turns_at(seen, self.ride), nears_at(seen, rules, now))
        return min((at for at in found if at is not None), default=None)

    def shows_driver(self, lat: float, lon: float, at: datetime, now: datetime) -> bool:
        """Whether it may be shown at this moment that the driver was there ``at`` another."""
        if self.ride is None or not self.driver_id or not self.ride.is_at(at, now):
            return False
        door = self.door
        away_m = None if door is None else metres(lat, lon, door.lat, door.lon)
        how_far = moment(self.seen(now), life(self.jobs, self.settings, now), away_m)
        return may(self.settings.visibility, self.reader, Fact.POSITION, how_far)

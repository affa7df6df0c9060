"""Ways and times between places: by road where there is a map, else in straight lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hub.core.business import BusinessSettings
from hub.core.errors import ConfigError, HubError
from hub.core.measures import measures_of
from hub.core.plan_request import Pace
from hub.core.planning import TravelMatrix
from hub.core.rush_hours import RushHour, paces_on
from hub.core.travel import AskedTravel
from hub.core.values import Point
from hub.db.tables import BusinessRow
from hub.flows.travel_asked import (
    LAST,
    believable,
    for_all,
    for_lines,
    in_order,
    keys_for_all,
    not_asked,
    own_pace,
    set_up_by,
    told_by,
)
from hub.lent import AskTravel, Make

if TYPE_CHECKING:
    from hub.app import Hub

NO_ROAD_S = 1_000_000
"""Whoever measures travel says so much, or more, where no road leads: eleven days."""
OFF_MAP = "Its pin lies off the map: no road leads there."
WHOLE_UP_TO = 1_500
"""Places whose whole matrix is asked for at once: it takes 160 MB as Python's numbers. A day with
more is asked for in parts, where they are planned."""
PROBED = 20  # places by which it is seen who can answer for a large day
DEGREES = 5  # decimals kept of a shape's coordinates: about one metre


@dataclass(frozen=True, slots=True)
class Way:
    """The line a route drives, ``[[lat, lon], …]``, and how long it is; empty: not known."""

    geometry: list[list[float]]
    distance_m: int


UNKNOWN = Way([], 0)


@dataclass(frozen=True, slots=True)
class Roads:
    """Travel between places and depots (``index`` by their ids), for each vehicle profile."""

    index: Mapping[str, int]
    travel: Mapping[str, TravelMatrix]

    def lead_to(self, place_id: str) -> bool:
        """Whether any kind of vehicle can come there from anywhere."""
        here = self.index[place_id]
        return any(
            n != here and row[here] < NO_ROAD_S
            for matrix in self.travel.values()
            for n, row in enumerate(matrix.seconds)
        )


@dataclass(frozen=True, slots=True)
class Rush:
    """When a business's roads are slower, on the days ``first`` to ``last``."""

    rules: Sequence[RushHour]
    zone: ZoneInfo
    first: date
    last: date

    @classmethod
    def of(cls, business: BusinessRow, first: date, last: date) -> Rush:
        settings = BusinessSettings.model_validate(business.settings)
        return cls(settings.rush_hours, ZoneInfo(business.zone), first, last)

    def paces(self, profile: str) -> tuple[Pace, ...]:
        return paces_on(self.rules, measures_of(profile)[0], self.first, self.last, self.zone)

    def slow(self, travel: TravelMatrix, profile: str) -> TravelMatrix:
        """``travel`` at these paces; as it is if whoever measured it knows the time of day."""
        paces = self.paces(profile)
        return travel.paced(paces) if paces and not travel.pace else travel


def travel_between(
    hub: Hub,
    business_id: str,
    points: Sequence[Point],
    depart_at: datetime,
    profile: str,
    *,
    passing: bool = False,
    notes: list[str] | None = None,
) -> TravelMatrix:
    """By what the business set up for it, else by road where there is a map, else straight.

    ``passing``: some of the places move, so what is told of them is not kept, and somebody waits.
    ``notes`` is given a sentence for each service of the business that gave no answer.
    """
    silent = list[str]()
    for asked in in_order(hub, business_id, len(points), profile, passing=passing):
        if why := not_asked(asked, len(points), passing=passing):
            silent.append(why)
            continue
        try:
            found = told_by(hub, asked, points, depart_at, profile, keep=not passing)
        except HubError as problem:  # no map, or none for this kind of vehicle
            hub.tools.log.info("travel times %s: %s", asked.provider.key, problem)
            if asked.provider.key == LAST:
                raise
            if asked.choice is not None:
                silent.append(str(problem).rstrip("."))
        else:
            if notes is not None:
                notes += [f"Travel times are by {asked.provider.title}: {why}." for why in silent]
            return found
    raise ConfigError(f"Nobody tells travel times for the profile {profile!r}.")


def travel_of_day(
    hub: Hub,
    business_id: str,
    points: Sequence[Point],
    depart_at: datetime,
    profile: str,
    notes: list[str] | None = None,
) -> TravelMatrix:
    """Like ``travel_between``; of a large day it is asked when and where it is needed.

    Then by whoever answers for some places of it first; not by services that the business set up:
    the ways between 10,000 places are a hundred million.
    """
    if len(points) <= WHOLE_UP_TO:
        return travel_between(hub, business_id, points, depart_at, profile, notes=notes)
    if notes is not None:
        notes += [
            f"{one.provider.title} is not asked for more than {WHOLE_UP_TO:,} places."
            for one in set_up_by(hub, business_id)
        ]
    kind, _ = measures_of(profile)
    some = points[:: max(1, len(points) // PROBED)]
    for asked in for_all(hub, keys_for_all(hub)):
        provider, told = asked.provider, asked.profile(profile)
        try:
            found = provider.matrix(some, depart_at, told)
            if not asked.is_ours:
                believable(found, len(some))
        except HubError as problem:
            hub.tools.log.info("travel times %s: %s", provider.key, problem)
        except Exception:
            if asked.is_ours:
                raise
            hub.tools.log.exception("travel times %s failed", provider.key)
        else:
            make: Make = (type(provider).__module__, type(provider).__qualname__, {})
            ask = AskTravel(make, hub.settings.data_dir, depart_at, told)
            return AskedTravel(points, ask, found.pace or own_pace(provider, depart_at))
    raise ConfigError(f"Nobody tells travel times for the profile {kind!r}.")


def way_through(
    hub: Hub, business_id: str, points: Sequence[Point], depart_at: datetime, profile: str
) -> Way:
    """The way through ``points`` in this order. Never fails: at worst it is ``UNKNOWN``.

    Whoever answers for all is asked first: a line is not worth what a service charges for it.
    """
    for asked in for_lines(hub, business_id, len(points), profile):
        try:
            road = asked.provider.route(points, depart_at, asked.profile(profile))
        except HubError as problem:  # no map, or no road joins two of the places
            hub.tools.log.info("way by %s: %s", asked.provider.key, problem)
        except Exception:  # a drawing is not worth a plan, whatever is wrong with it
            hub.tools.log.exception("way by %s failed", asked.provider.key)
        else:
            line = [[round(p.lat, DEGREES), round(p.lon, DEGREES)] for p in road.geometry]
            return Way(line, sum(leg.metres for leg in road.legs))
    return UNKNOWN

"""The times that a recipient may choose from: those that the plan can serve, and no other.

A day that has routes is asked of them: one must have room for the job in that time, without
breaking a rule or a promise. Of a day without one it is only known who is to work then and how
many jobs are for it already; that is all that is looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy.orm import defer
from sqlmodel import Session, col, or_, select

from hub.core.fit import placed
from hub.core.jobs import NotNow, State
from hub.core.self_service import Slots, minutes_of, offered
from hub.core.values import TimeWindow
from hub.db.tables import JobRow, PlaceRow, RouteRow
from hub.flows.board_moves import without
from hub.flows.day_due import windows_of
from hub.flows.offers import MOST_ROUTES, nearest
from hub.flows.route_now import (
    RouteConflict,
    laid,
    roads_for,
    route_holding,
    still_driven,
    to_plan,
    usual_at,
)
from hub.flows.shifts import working_on

if TYPE_CHECKING:
    from hub.app import Hub

BEST = 2  # a second one, should the first be taken meanwhile


@dataclass(frozen=True, slots=True)
class Free:
    """A time somebody can come; ``window`` ``None``: any on ``day``, as soon as it can be.

    ``route_ids``: where it goes, the best first; none on a day that is not planned yet.
    """

    day: date
    window: TimeWindow | None
    route_ids: tuple[str, ...] = ()


class FreeSlots:
    """Of one job: ``legs`` as they are, or (closed) as those of the next attempt will be."""

    def __init__(self, hub: Hub, business_id: str, legs: Sequence[JobRow], zone: ZoneInfo) -> None:
        self.hub, self.business_id, self.legs, self.zone = hub, business_id, legs, zone
        with hub.reading() as session:
            own = route_holding(session, business_id, [leg.id for leg in legs])
            known = session.exec(
                select(PlaceRow.id).where(
                    PlaceRow.business_id == business_id,
                    col(PlaceRow.id).in_({leg.place_id for leg in legs}),
                    col(PlaceRow.lat).is_not(None),
                )
            ).all()
        open_now = any(leg.state != State.CLOSED for leg in legs)
        self.own = own if open_now else None
        # What waits for a person's look, or is held, goes on no route.
        waits = any(leg.state in (State.NEEDS_REVIEW, State.ON_HOLD) for leg in legs)
        self.can_go = not waits and all(leg.place_id in known for leg in legs)

    def all(self, slots: Slots, now: datetime, *, but: TimeWindow | None = None) -> Iterator[Free]:
        """Every slot that can be served, the earliest first; ``but`` is what holds already."""
        by_day: dict[date, list[TimeWindow]] = defaultdict(list)
        for window in offered(slots, self.zone, now):
            if window != but:
                by_day[window.opens.astimezone(self.zone).date()].append(window)
        for day, windows in by_day.items():
            yield from self._on(day, windows, slots)

    def one(self, slots: Slots, window: TimeWindow, now: datetime) -> Free | None:
        """``None`` if it is no slot of the business, or cannot be served (any more)."""
        if window not in list(offered(slots, self.zone, now)):
            return None
        day = window.opens.astimezone(self.zone).date()
        return next(self._on(day, [window], slots), None)

    def today(self, now: datetime) -> Free | None:
        """Today at any time, on a route that is still driven."""
        day = now.astimezone(self.zone).date()
        routes = self._routes(day)
        found = self._served(day, routes, ()) if routes and self.can_go else ()
        return Free(day, None, found) if found else None

    def _on(self, day: date, windows: Sequence[TimeWindow], slots: Slots) -> Iterator[Free]:
        if not self.can_go:
            return
        routes = self._routes(day)
        if routes:
            for window in windows:
                if found := self._served(day, routes, (window,)):
                    yield Free(day, window, found)
        elif self._takes(day, slots):
            hours = self._hours(day)
            yield from (Free(day, one) for one in windows if self._is_worked(one, day, hours))

    def _served(
        self, day: date, routes: Sequence[RouteRow], windows: Sequence[TimeWindow]
    ) -> tuple[str, ...]:
        """Ids of routes that can, first the one it is on: then nothing else changes."""
        ids = [route.id for route in routes]
        own = self.own if self.own is not None and self.own.id in ids else None
        if own is not None and self._stays(own, windows):
            return (own.id,)
        try:
            best = self.hub.places.best(
                self.hub,
                self.business_id,
                day,
                routes,
                self.legs,
                {},
                but=() if own is None else (own.id,),
                most=BEST,
                windows=windows,
            )
        except (NotNow, RouteConflict):  # no road leads there, or a route changes at this moment
            return ()
        return tuple(one.route_id for one in best if not one.after.problems)

    def _stays(self, route: RouteRow, windows: Sequence[TimeWindow]) -> bool:
        """Whether the route it is on can bring it then, too."""
        hub, ids = self.hub, {leg.id for leg in self.legs}
        roads = roads_for(hub, self.business_id, (route.id,))
        try:
            with hub.reading() as session:
                usual = usual_at(session, route)
                known = to_plan(session, self.business_id, self.legs, usual, roads)
                present = laid(session, self.business_id, route, roads).now
        except RouteConflict:
            return False
        work = [known[leg.id][0] for leg in self.legs]
        work[-1] = replace(work[-1], windows=tuple(windows))
        rest = without(present, ids)
        told = {id: window for id, window in rest.promises.items() if id not in ids}
        rest = replace(rest, promises=told)
        return not placed(rest, work, roads.travel, hub.now()).problems

    def _routes(self, day: date) -> list[RouteRow]:
        """Those that are still driven; of very many the nearest."""
        with self.hub.reading() as session:
            found = session.exec(
                select(RouteRow)
                .options(defer(col(RouteRow.geometry)))  # type: ignore[arg-type]
                .where(
                    RouteRow.business_id == self.business_id, RouteRow.day == day, still_driven()
                )
            ).all()
        by_id = {route.id: route for route in found}
        if len(by_id) > MOST_ROUTES:
            near = nearest(self.hub, self.business_id, self.legs, by_id)
            return [by_id[id] for id in near]
        return list(by_id.values())

    def _takes(self, day: date, slots: Slots) -> bool:
        with self.hub.reading() as session:
            return takes_more(session, self.business_id, self.legs, day, slots, self.zone)

    def _hours(self, day: date) -> list[tuple[int, int]]:
        """From when to when each driver works, in minutes of the day; past midnight: on."""
        found = []
        for one in working_on(self.hub, self.business_id, day):
            if one.hours is not None:
                begins, ends = (minutes_of(clock) for clock in one.hours)
                found.append((begins, ends if ends > begins else ends + 24 * 60))
        return found

    def _is_worked(self, window: TimeWindow, day: date, hours: Sequence[tuple[int, int]]) -> bool:
        """Whether somebody works for half of it, and so can come in it."""
        local = window.opens.astimezone(self.zone)
        opens = local.hour * 60 + local.minute
        length = round((window.closes - window.opens).total_seconds() / 60)
        return any(
            min(ends, opens + length) - max(begins, opens) >= length / 2 for begins, ends in hours
        )


def takes_more(
    session: Session,
    business_id: str,
    legs: Sequence[JobRow],
    day: date,
    slots: Slots,
    zone: ZoneInfo,
) -> bool:
    """Whether a day without a route takes ``legs`` beside what is for it already."""
    any_route = select(RouteRow.id).where(RouteRow.business_id == business_id, RouteRow.day == day)
    if session.exec(any_route.limit(1)).first() is not None:
        return False  # its drivers have gone home, or have just been planned
    if slots.most_jobs is None:
        return True
    rows = session.exec(
        select(JobRow).where(
            JobRow.business_id == business_id,
            JobRow.state != State.CLOSED,
            or_(col(JobRow.due_on).is_(None), col(JobRow.due_on) == day),
        )
    ).all()
    ids = {leg.id for leg in legs}
    return len([job for job in rows if job.id not in ids and _is_for(job, day, zone)]) < (
        slots.most_jobs
    )


def _is_for(job: JobRow, day: date, zone: ZoneInfo) -> bool:
    if job.due_on is not None:
        return job.due_on == day
    return any(window.opens.astimezone(zone).date() == day for window in windows_of(job))

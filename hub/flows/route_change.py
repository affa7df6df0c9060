"""What one unit does to routes: take jobs off, put them on, tell whom it concerns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, select

from hub.core import jobs
from hub.core.breaks_had import with_plan
from hub.core.business import BusinessSettings
from hub.core.errors import HubError
from hub.core.events import JobWithdrawn, RouteChanged, RoutePublished
from hub.core.fit import Placement, Problem, RouteNow, Stage, begins_as_told, placed, timed, worse
from hub.core.jobs import ON_A_PHONE, Act, NotNow, State
from hub.core.values import TimeWindow
from hub.db.tables import (
    AuditRow,
    BusinessRow,
    EventRow,
    JobRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
)
from hub.db.unit import Unit
from hub.flows.actors import names_of
from hub.flows.breaks import breaks_of
from hub.flows.day_due import windows_of
from hub.flows.kept_first import taken_off
from hub.flows.promising import promise_each
from hub.flows.prove import job_of
from hub.flows.rests import rests_kept, rests_read
from hub.flows.roads import OFF_MAP, Roads
from hub.flows.route_news import now_different
from hub.flows.route_now import (
    Laid,
    RouteConflict,
    laid,
    legs_of,
    promises_of,
    route_of,
    stops_of,
    to_plan,
    usual_at,
    work_of,
)
from hub.flows.take_overs import fetches_of, forget

if TYPE_CHECKING:
    from hub.app import Hub


class DoesNotFit(HubError):
    """The change breaks a rule; ``problems`` say which and by how much. A person may insist."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.said for problem in problems))
        self.problems = tuple(problems)

    @property
    def only_promises(self) -> bool:
        """It could be done, but recipients were told something else."""
        return all(problem.is_promise for problem in self.problems)


class Change:
    """Made inside a unit; whoever else changes routes of this business waits for it."""

    def __init__(self, hub: Hub, unit: Unit, business_id: str, actor: str) -> None:
        self.unit, self.session, self.now = unit, unit.session, hub.now()
        self.business_id, self.actor = business_id, actor
        business = self.session.get_one(BusinessRow, business_id, with_for_update=True)
        self.settings = BusinessSettings.model_validate(business.settings)

    def route(self, route_id: str, expected_version: int | None) -> RouteRow:
        """Raises ``RouteConflict`` when it is not at ``expected_version`` (``None``: any)."""
        route = route_of(self.session, self.business_id, route_id)
        if expected_version is not None and route.version != expected_version:
            by, at = self._changed(route)
            raise RouteConflict(
                f"The route is at version {route.version}, not {expected_version}. Look again.",
                by=by,
                at=at,
            )
        return route

    def _changed(self, route: RouteRow) -> tuple[str, datetime | None]:
        """Who made the route what it is, and when; ``None`` before it is on a phone."""
        told = self.session.exec(
            select(EventRow)
            .where(
                EventRow.business_id == self.business_id,
                EventRow.name == RouteChanged.__name__,
                EventRow.subject_id == route.id,
            )
            .order_by(col(EventRow.seq).desc())
            .limit(1)
        ).first()
        if told is None:
            return "", None
        return names_of(self.session, self.business_id, {told.actor})[told.actor], told.occurred_at

    def legs(self, job_id: str) -> list[JobRow]:
        """The job, with the other half of its pair."""
        return legs_of(
            self.session, self.business_id, job_of(self.session, self.business_id, job_id)
        )

    def told(self, route: RouteRow, legs: Sequence[JobRow]) -> dict[str, TimeWindow]:
        """Job id -> the promise in force for ``legs``, which are on ``route``."""
        return told_of(self.session, route, legs)

    def laid(self, route: RouteRow, roads: Roads) -> Laid:
        return laid(self.session, self.business_id, route, roads)

    def take_off(
        self, route: RouteRow, legs: Sequence[JobRow], *, comes_back: bool = False
    ) -> None:
        """``NotNow`` once the driver is there; ``LookupError`` if none is on ``route``.

        ``comes_back``: it is put on again in this very unit, so nobody is told that it left.
        """
        here = {stop.id for stop in stops_of(self.session, self.business_id, route.id)}
        links = {
            leg.id: link for leg in legs if (link := self._link(leg.id)) and link.stop_id in here
        }
        if not links:
            raise LookupError(f"job {legs[-1].id} is not on route {route.id}")
        for leg in legs:
            if leg.id not in links:
                continue
            if leg.state != State.CLOSED:
                leg.state = jobs.after(State(leg.state), Act.UNPLAN)
                leg.version += 1
            self.session.delete(links[leg.id])
            if route.published_at is not None and not comes_back:
                self.unit.announce(
                    JobWithdrawn(**self.about(leg), job_id=leg.id, route_id=route.id)
                )
        if not comes_back:
            taken_off(self.session, route, links)
        self.session.flush()

    def put_on(
        self,
        route: RouteRow,
        legs: Sequence[JobRow],
        roads: Roads,
        *,
        force: bool,
        told: Mapping[str, TimeWindow] | None = None,
        known: Sequence[Problem] = (),
    ) -> Placement:
        """Place ``legs`` where it costs least, after what is under way; see ``fitting``.

        ``told``: what was promised of them on the published route that they come from;
        ``known``: what was broken there already.
        """
        if any(self._link(leg.id) is not None for leg in legs):
            raise NotNow("The job is on a route already; move it.")
        if any(leg.place_id is None or leg.place_id not in roads.index for leg in legs):
            raise NotNow("The job has no place on the map yet.")
        if not all(roads.lead_to(leg.place_id or "") for leg in legs):
            raise NotNow(OFF_MAP)
        for leg in legs:
            leg.state = jobs.after(jobs.after(State(leg.state), Act.PLAN), Act.ASSIGN)
            leg.version += 1
        before = self.laid(route, roads)
        new = to_plan(self.session, self.business_id, legs, usual_at(self.session, route), roads)
        now = before.now.naming({id: number for id, (_, number) in new.items()})
        now = now.keeping(told or {})
        found = placed(now, [new[leg.id][0] for leg in legs], roads.travel, self.now)
        found = replace(found, problems=worse(found.problems, known))
        self.fitting(route, found.problems, force)
        self._write(
            before, found.route, {leg.place_id: roads.index[leg.place_id or ""] for leg in legs}
        )
        return found

    def fitting(self, route: RouteRow, problems: Sequence[Problem], force: bool) -> None:
        """Raises ``DoesNotFit`` if there are problems; ``force`` puts them on record instead."""
        if problems and not force:
            raise DoesNotFit(problems)
        if problems:
            said = " ".join(problem.said for problem in problems)
            self.audit(f"decided although: {said}", f"route:{route.id}")

    def retime(self, route: RouteRow, roads: Roads) -> bool:
        """Drop empty stops and time the rest anew; whether the route is now another one.

        Stops where everything is cancelled come last: nobody drives there.
        """
        before = self.laid(route, roads)
        after = timed(before.now, roads.travel, self.now)
        nowhere = (id for id in before.stops if id in before.cancelled)
        in_order = [*(stop.id for stop in after.listed), *nowhere]
        if after == before.now and in_order == list(before.stops):
            return False
        self._write(before, after, {})
        return True

    def reorder(
        self, before: Laid, route: RouteNow, places: Mapping[str | None, int] | None = None
    ) -> None:
        """Store ``route``: the stops of ``before`` in another order, at other times.

        ``places``: place id -> index, where there are stops that ``before`` did not have.
        """
        self._write(before, route, places or {})

    def lay(self, before: Laid, route: RouteNow, places: dict[str | None, int]) -> None:
        """Store ``route``, with work that was on none; ``places``: place id -> index, of that."""
        self._write(before, route, places)

    def publish(self, route: RouteRow, roads: Roads | None) -> None:
        """Tell every job of ``route``; those cancelled or held since they were planned leave it.

        With ``roads`` it is timed anew first: it should have left already.
        """
        work = work_of(self.session, self.business_id, route.id)
        stops = stops_of(self.session, self.business_id, route.id)
        for stop in stops:
            for job in work.get(stop.id, []):
                if job.state != State.ASSIGNED and (link := self._link(job.id)) is not None:
                    self.session.delete(link)
                    self.session.flush()
                    work[stop.id] = [one for one in work[stop.id] if one is not job]
        fetches = fetches_of(self.session, self.business_id, route.id)
        needed = {id for id, fetch in fetches.items() if fetch.stage is not Stage.SKIPPED}
        kept = [stop for stop in stops if work.get(stop.id) or stop.id in needed]
        forget(self.session, self.business_id, fetches.keys() - needed)
        for stop in stops:
            if stop not in kept:
                self.session.delete(stop)
        self.session.flush()
        self._number(kept)
        if roads is not None:
            self.retime(route, roads)
        route.published_at = self.now
        self.unit.announce(
            RoutePublished(
                business_id=self.business_id,
                subject_kind="route",
                subject_id=route.id,
                occurred_at=self.now,
                received_at=self.now,
                actor=self.actor,
            )
        )
        self.tell(route, [job for stop in kept for job in work.get(stop.id, [])])

    def tell(
        self,
        route: RouteRow,
        legs: Collection[JobRow],
        told: Mapping[str, TimeWindow] | None = None,
    ) -> None:
        """Put new jobs of a published route on the phone, each with a promise.

        What was ``told`` of them before is promised again where it still holds.
        """
        if route.published_at is not None:
            stops = {s.id: s for s in stops_of(self.session, self.business_id, route.id)}
            work = work_of(self.session, self.business_id, route.id)
            ids = {leg.id for leg in legs}
            self._tell(
                route.id,
                [(stops[id], job) for id in stops for job in work.get(id, []) if job.id in ids],
                told or {},
            )

    def promise_anew(self, route: RouteRow, legs: Collection[JobRow]) -> None:
        """Whoever of ``legs``, on a phone now, was told another time than they are served at is
        told a new one; the old promise is kept.
        """
        told = self.told(route, [leg for leg in legs if leg.state in ON_A_PHONE])
        work = work_of(self.session, self.business_id, route.id)
        ids, late = {leg.id for leg in legs}, list[tuple[StopRow, JobRow]]()
        for stop in stops_of(self.session, self.business_id, route.id):
            for job in work.get(stop.id, []):
                if job.id in ids and job.state in ON_A_PHONE:
                    at = begins_as_told(windows_of(job), stop.arrive_at, told.get(job.id))
                    promise = told.get(job.id)
                    if promise is None or not promise.opens <= at <= promise.closes:
                        late.append((stop, job))
        promise_each(self, route.id, self._shift_of(route.id), late, {})

    def tell_late(self, route: RouteRow, problems: Sequence[Problem]) -> None:
        """Once a change of a published ``route`` is made all the same: whoever it makes wait is
        told when somebody comes now, and not only when the driver is about to be late.

        On a round that has begun or should have, the estimate tells them.
        """
        late = {problem.about for problem in problems if problem.is_promise}
        if route.published_at is None or not late or self._is_watched(route):
            return
        work = work_of(self.session, self.business_id, route.id)
        legs = [job for here in work.values() for job in here if job.id in late]
        self.promise_anew(route, legs)

    def _is_watched(self, route: RouteRow) -> bool:
        """Whether arrivals on it are estimated, as ``ahead.begun_routes`` has it."""
        shift = self._shift_row(route.id)
        due = route.leaves_at is not None and route.leaves_at <= self.now
        return shift.ended_at is None and (shift.began_at is not None or due)

    def bump(self, route: RouteRow) -> None:
        now_different(self.unit, route, self.now, self.actor)

    def audit(self, action: str, subject: str) -> None:
        self.session.add(
            AuditRow(
                business_id=self.business_id,
                actor=self.actor,
                action=action[:200],
                subject=subject,
                at=self.now,
            )
        )

    def _tell(
        self,
        route_id: str,
        work: Sequence[tuple[StopRow, JobRow]],
        told: Mapping[str, TimeWindow],
    ) -> None:
        for _, job in work:
            job.state, job.version = jobs.after(State(job.state), Act.DISPATCH), job.version + 1
        promise_each(self, route_id, self._shift_of(route_id), work, told)

    def _write(self, before: Laid, route: RouteNow, places: Mapping[str | None, int]) -> None:
        """Store ``route`` over ``before``; ``places``: place id -> index, of what is new."""
        place_of = {index: id for id, index in places.items() if id is not None}
        rows: list[StopRow] = []
        for stop in route.listed:
            row = before.stops.get(stop.id) or StopRow(
                business_id=self.business_id,
                route_id=route.id,
                n=len(before.stops) + len(rows) + 1,
                place_id=place_of[stop.place],
                arrive_at=stop.arrive,
                depart_at=stop.depart,
            )
            row.arrive_at, row.depart_at = stop.arrive, stop.depart
            self.session.add(row)
            rows.append(row)
        self.session.flush()
        for row, stop in zip(rows, route.listed, strict=True):
            for job in stop.jobs:
                if job.id not in before.jobs and job.id not in before.fetched:
                    self.session.add(
                        StopJobRow(business_id=self.business_id, stop_id=row.id, job_id=job.id)
                    )
        left = [row for row in before.stops.values() if row not in rows]
        for row in left:
            if row.id not in before.cancelled:
                self.session.delete(row)
        self.session.flush()
        self._number([*rows, *(row for row in left if row.id in before.cancelled)])
        stored = before.route
        stored.leaves_at, stored.back_at = route.leave, route.home
        had = breaks_of(self._shift_row(stored.id))
        stored.rests = rests_kept(with_plan(rests_read(stored.rests), route.rests, had))
        stored.geometry, stored.distance_m = [], 0  # drawn anew once the unit is over

    def _shift_of(self, route_id: str) -> TimeWindow:
        shift = self._shift_row(route_id)
        return TimeWindow(shift.starts_at, shift.ends_at)

    def _shift_row(self, route_id: str) -> ShiftRow:
        return self.session.exec(
            select(ShiftRow)
            .join(RouteRow, col(RouteRow.shift_id) == col(ShiftRow.id))
            .where(RouteRow.business_id == self.business_id, RouteRow.id == route_id)
        ).one()

    def _number(self, stops: Sequence[StopRow]) -> None:
        for n, stop in enumerate(stops, 1):  # aside first: (route, n) is unique at every moment
            stop.n = -n
        self.session.flush()
        for n, stop in enumerate(stops, 1):
            stop.n = n
        self.session.flush()

    def _link(self, job_id: str) -> StopJobRow | None:
        return self.session.exec(
            select(StopJobRow).where(
                StopJobRow.business_id == self.business_id, StopJobRow.job_id == job_id
            )
        ).one_or_none()

    def about(self, job: JobRow) -> dict[str, Any]:
        return {
            "business_id": self.business_id,
            "subject_id": job.order_id,
            "occurred_at": self.now,
            "received_at": self.now,
            "actor": self.actor,
        }


def told_of(session: Session, route: RouteRow, legs: Sequence[JobRow]) -> dict[str, TimeWindow]:
    """Job id -> the promise in force for ``legs``, which are on ``route``; none for a draft."""
    if route.published_at is None:
        return {}
    return promises_of(session, route.business_id, [leg.id for leg in legs])

"""The driver's day: take what a phone says happened.

A phone may say a thing twice, late or in the wrong order. Every act is kept;
a job's state is worked out anew from all its acts in the order they occurred.

A phone's clock is believed from ``BEHIND`` before the hub's to ``AHEAD`` of it. An act
outside that (a flat battery's 1970, a wrong year) is taken at the hub's own time, and what
the phone said stays in its body as ``phone_said``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError
from sqlalchemy import update
from sqlmodel import Session, col, select

from hub.core.events import (
    DriverArrived,
    DriverHeaded,
    DriverLeft,
    JobClosed,
    ShiftBegan,
    ShiftEnded,
)
from hub.core.jobs import NotNow, Outcome, State
from hub.db.tables import (
    ActRow,
    DeviceRow,
    JobRow,
    ProofRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    TakeOverRow,
)
from hub.db.unit import Unit, one_at_a_time
from hub.flows.breaks import AROUND, SAYS_OF_BREAKS, settle_breaks
from hub.flows.closing import Closing, Impossible, check, close_job, keep_late_proof
from hub.flows.late_proof import completed
from hub.flows.pairing import device_for, pair, pairing_code
from hub.flows.questions import seen
from hub.flows.states import NOT_ARRIVED, SAYS_HOW_FAR, settle_arrivals, work_out
from hub.keys import Keys

if TYPE_CHECKING:
    from hub.app import Hub

__all__ = ["ActResult", "IncomingAct", "device_for", "pair", "pairing_code", "take_acts"]

AHEAD = timedelta(minutes=5)
"""How far a phone's clock may run ahead before the hub's own time is taken instead."""
BEHIND = timedelta(days=7)
"""How long a phone may have been without signal; what it says of earlier is not believed."""
TOLD: dict[str, type[DriverHeaded] | type[DriverArrived] | type[DriverLeft]] = {
    "head_for": DriverHeaded,
    "arrive": DriverArrived,
    "leave": DriverLeft,
}
SEES = "the dispatcher sees the proof"
ENDED = {Outcome.CANCELLED.value: "cancelled"} | {
    one.value: f"closed as {one}" for one in Outcome if one is not Outcome.CANCELLED
}
Result = Literal["applied", "noted", "refused"]
NO_SHIFT = "No shift of this driver is near this time."
MOVED_ON = "The job is no longer on this driver's route; the dispatcher decides."
"""Such a close keeps all it says; see ``hub.flows.claims``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingAct:
    """``act_id`` is the phone's own. ``job_id`` ``None``: about the whole route or shift."""

    act_id: str
    kind: str
    occurred_at: datetime
    job_id: str | None = None
    route_id: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActResult:
    """The phone may forget an act once it has its result, whatever that is."""

    act_id: str
    result: str  # applied | noted | refused
    why: str = ""
    repeated: bool = False


def take_acts(hub: Hub, device: DeviceRow, acts: Sequence[IncomingAct]) -> list[ActResult]:
    """Take a batch, one unit for each act; what was taken before is answered as before.

    The answers come in the order of ``acts``. A moment nobody can believe becomes the
    hub's own time; acts of such a phone keep their order by their ids.
    """
    now = hub.now()
    at = [_believed(act, now).occurred_at for act in acts]
    in_time = sorted(range(len(acts)), key=lambda n: (at[n], acts[n].act_id))
    known = _answered(hub, device, acts)
    answers = {n: known.get(acts[n].act_id) or _take(hub, device, acts[n]) for n in in_time}
    return [answers[n] for n in range(len(acts))]


def _answered(hub: Hub, device: DeviceRow, acts: Sequence[IncomingAct]) -> Mapping[str, ActResult]:
    """What was answered before of many: a phone whose signal broke off says all of it again."""
    if len(acts) < 2:
        return {}
    with hub.reading() as session:
        rows = session.exec(
            select(ActRow.act_id, ActRow.result, ActRow.why).where(
                ActRow.business_id == device.business_id,
                ActRow.device_id == device.id,
                col(ActRow.act_id).in_([act.act_id for act in acts]),
            )
        )
        return {
            act_id: ActResult(act_id, result, why, repeated=True) for act_id, result, why in rows
        }


def _take(hub: Hub, device: DeviceRow, act: IncomingAct) -> ActResult:
    with hub.unit() as unit:
        # The acts of one business wait for each other here, so that the same act on
        # two connections is seen as known by the second.
        one_at_a_time(unit.session, device.business_id)
        if (known := _known(unit.session, device, act.act_id)) is not None:
            return ActResult(act.act_id, known.result, known.why, repeated=True)
        now = hub.now()
        return _Taking(unit, hub.keys, now, device, _believed(act, now)).take()


def _believed(act: IncomingAct, now: datetime) -> IncomingAct:
    # A difference never overflows, as year 1 in another zone does when it is put into UTC.
    if -BEHIND <= act.occurred_at - now <= AHEAD:
        return replace(act, occurred_at=act.occurred_at.astimezone(UTC))
    said = {**act.body, "phone_said": act.occurred_at.isoformat()}
    return replace(act, occurred_at=now, body=said)


def _known(session: Session, device: DeviceRow, act_id: str) -> ActRow | None:
    return session.exec(
        select(ActRow).where(
            ActRow.business_id == device.business_id,
            ActRow.device_id == device.id,
            ActRow.act_id == act_id,
        )
    ).one_or_none()


class _Taking:
    """One act within its unit."""

    def __init__(
        self, unit: Unit, keys: Keys, now: datetime, device: DeviceRow, act: IncomingAct
    ) -> None:
        self.unit, self.session, self.keys, self.now = unit, unit.session, keys, now
        self.device, self.act = device, act
        self.business_id = device.business_id
        self.late: ProofRow | None = None

    def take(self) -> ActResult:
        job, route = self._job(), self._route()
        row = ActRow(
            business_id=self.business_id,
            device_id=self.device.id,
            act_id=self.act.act_id,
            route_id=route.id if route else None,
            job_id=job.id if job else None,
            kind=self.act.kind,
            body=dict(self.act.body),
            occurred_at=self.act.occurred_at,
            received_at=self.now,
        )
        was = job.state if job else ""
        result, why = self._apply(job, route)
        row.result, row.why = result, why[:500]
        row.decision = "open" if why == MOVED_ON else ""
        self.session.add(row)
        self.session.flush()
        if self.late is not None and job is not None:
            actor = f"device:{self.device.id}"
            completed(self.unit, job, self.late, self.now, actor)
        if job is not None and self.act.kind in ("arrive", "leave", NOT_ARRIVED):
            settle_arrivals(self.session, self.business_id, job.id)
        if route is not None and self.act.kind in SAYS_HOW_FAR:
            work_out(self.session, self.business_id, route.id)
        if job is not None and row.result == "applied":
            self._announce(job, was)
        if row.kind in SAYS_OF_BREAKS and row.result != "refused":
            whose, actor = self.device.driver_id, f"device:{self.device.id}"
            about = (self.business_id, whose, row.kind, self._at, self.now, actor)
            settle_breaks(self.unit, *about)
        self._seen()
        return ActResult(self.act.act_id, row.result, row.why)

    def _apply(self, job: JobRow | None, route: RouteRow | None) -> tuple[Result, str]:
        match self.act.kind:
            case "start_shift" | "end_shift":
                return self._shift(route)
            case "start_break" | "end_break":
                is_known = self._shift_of(route) is not None
                return ("applied", "") if is_known else ("noted", NO_SHIFT)
            case "acknowledge":
                return self._acknowledge(route)
            case "take_over":
                return self._take_over(route)
            case "load" if self.act.job_id is None:
                return ("applied", "") if route else ("noted", "No route is on this phone.")
            case "close" if job is not None:
                return self._close(job, route)
            case "load" | "head_for" | "arrive" | "leave" | "not_arrived" if job is not None:
                return self._move(job, route)
            case "load" | "head_for" | "arrive" | "leave" | "not_arrived" | "close":
                return "refused", "There is no such job."
        return "refused", f"Nobody knows what {self.act.kind!r} means."

    def _move(self, job: JobRow, route: RouteRow | None) -> tuple[Result, str]:
        if job.state == State.CLOSED:
            ended = job.closed_occurred_at
            if job.outcome == Outcome.CANCELLED or ended is None or ended < self.act.occurred_at:
                return "noted", f"The job was already closed: {job.outcome}."
        elif route is None:
            return "noted", "The job is no longer on this driver's route."
        return "applied", ""

    def _announce(self, job: JobRow, was: str) -> None:
        """Where the driver is now said to be; ``was``: the job's state before it was said."""
        event = TOLD.get(self.act.kind)
        if self.act.kind == NOT_ARRIVED and was == State.ARRIVED and job.state != was:
            event = DriverLeft
        if event is not None:
            self.unit.announce(event(**self._about(job), job_id=job.id))

    def _close(self, job: JobRow, route: RouteRow | None) -> tuple[Result, str]:
        try:
            closing = Closing.model_validate(self.act.body)
        except ValidationError as error:
            first = error.errors()[0]
            return "refused", f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        if job.state == State.CLOSED:
            at = self.act.occurred_at
            late = keep_late_proof(self.unit, self.keys, job, closing, at, self.now)
            if late is None:
                return "noted", f"The job was already closed: {job.outcome}."
            self.late = late
            return "noted", f"The job was {ENDED[job.outcome]} meanwhile; {SEES}."
        try:
            if route is None:
                check(self.session, job, closing)
                return "noted", MOVED_ON
            at = self.act.occurred_at
            proof = close_job(self.unit, self.keys, job, closing, at, self.now)
        except Impossible as problem:
            return "refused", str(problem)
        except NotNow as problem:
            return "noted", str(problem)
        self.unit.announce(
            JobClosed(
                **self._about(job),
                job_id=job.id,
                outcome=job.outcome,
                attempt=job.attempt,
                reason=job.reason,
                proof_id=proof.id,
            )
        )
        return "applied", ""

    @property
    def _at(self) -> datetime:
        """By a clock that runs ahead he would go on after he went home."""
        return min(self.act.occurred_at, self.now)

    def _shift_of(self, route: RouteRow | None) -> ShiftRow | None:
        query = select(ShiftRow).where(
            ShiftRow.business_id == self.business_id,
            ShiftRow.starts_at <= self._at + AROUND,
            ShiftRow.ends_at >= self._at - AROUND,
        )
        if route is not None:
            query = query.where(ShiftRow.id == route.shift_id)
        else:
            query = query.where(ShiftRow.driver_id == self.device.driver_id)
        near = self.session.exec(query)
        return min(near, key=lambda one: abs(one.starts_at - self._at), default=None)

    def _shift(self, route: RouteRow | None) -> tuple[Result, str]:
        shift, at = self._shift_of(route), self._at
        if shift is None:
            return "noted", NO_SHIFT
        was = shift.began_at, shift.ended_at
        event: type[ShiftBegan] | type[ShiftEnded]
        if self.act.kind == "start_shift":
            shift.began_at, event = min(at, shift.began_at or at), ShiftBegan
        else:
            shift.ended_at, event = max(at, shift.ended_at or at), ShiftEnded
        if was != (shift.began_at, shift.ended_at):
            about = self._told(at) | {"subject_kind": "shift", "subject_id": shift.id}
            self.unit.announce(event(**about, driver_id=shift.driver_id))
        return "applied", ""

    def _take_over(self, route: RouteRow | None) -> tuple[Result, str]:
        """The load of another van is in this one. Safe to repeat: the first time counts."""
        if route is None:
            return "noted", "The route is no longer this driver's."
        row = self.session.exec(
            select(TakeOverRow)
            .join(StopRow, col(StopRow.id) == col(TakeOverRow.stop_id))
            .where(
                TakeOverRow.business_id == self.business_id,
                TakeOverRow.stop_id == str(self.act.body.get("stop_id", "")),
                StopRow.route_id == route.id,
            )
        ).one_or_none()
        if row is None:
            return "refused", "There is nothing to take over at that stop."
        at = min(self.act.occurred_at, self.now)
        row.done_at = min(at, row.done_at or at)
        return "applied", ""

    def _acknowledge(self, route: RouteRow | None) -> tuple[Result, str]:
        version = self.act.body.get("version")
        if route is None:
            return "noted", "The route is no longer this driver's."
        if not isinstance(version, int):
            return "refused", "Say which version was shown."
        route.acknowledged = max(route.acknowledged, min(version, route.version))
        seen(self.unit, route, self.act.occurred_at, self.now, f"device:{self.device.id}")
        return "applied", ""

    def _job(self) -> JobRow | None:
        return self.session.exec(
            select(JobRow).where(
                JobRow.business_id == self.business_id, JobRow.id == self.act.job_id
            )
        ).one_or_none()

    def _route(self) -> RouteRow | None:
        """The published route of this driver that the act is about; ``None``: there is none."""
        query = select(RouteRow).where(
            RouteRow.business_id == self.business_id,
            RouteRow.driver_id == self.device.driver_id,
            col(RouteRow.published_at).is_not(None),
        )
        if self.act.job_id is not None:
            query = (
                query.join(StopRow, col(StopRow.route_id) == col(RouteRow.id))
                .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
                .where(StopJobRow.job_id == self.act.job_id)
            )
        elif self.act.route_id is None:
            return None
        else:
            query = query.where(RouteRow.id == self.act.route_id)
        return self.session.exec(query).first()

    def _seen(self) -> None:
        mine = update(DeviceRow).where(
            col(DeviceRow.business_id) == self.business_id, col(DeviceRow.id) == self.device.id
        )
        self.session.exec(mine.values(seen_at=self.now))

    def _about(self, job: JobRow) -> dict[str, Any]:
        return self._told(self.act.occurred_at) | {"subject_id": job.order_id}

    def _told(self, at: datetime) -> dict[str, Any]:
        return {
            "business_id": self.business_id,
            "occurred_at": at,
            "received_at": self.now,
            "actor": f"device:{self.device.id}",
        }

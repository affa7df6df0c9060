"""The driver's day: pair a phone, and take what it says happened.

A phone may say a thing twice, late or in the wrong order. Every act is kept;
a job's state is worked out anew from all its acts in the order they occurred.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from hub.core import jobs
from hub.core.business import BusinessSettings
from hub.core.events import DriverArrived, DriverHeaded, DriverLeft, Event, JobClosed
from hub.core.jobs import NotNow, Outcome, Reason, State
from hub.core.proof import given_by, missing
from hub.db.tables import (
    ActRow,
    BusinessRow,
    DeviceRow,
    DriverRow,
    JobRow,
    ProofFileRow,
    ProofRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
)
from hub.db.unit import Unit
from hub.flows.prove import append, proof_fields, proof_of
from hub.keys import hashed

if TYPE_CHECKING:
    from hub.app import Hub

PAIRING = timedelta(minutes=10)
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that reads like something else
ON_A_JOB = {act.value: act for act in (jobs.Act.LOAD, jobs.Act.HEAD_FOR, jobs.Act.ARRIVE)} | {
    "leave": jobs.Act.LEAVE
}
TOLD: dict[str, type[DriverHeaded] | type[DriverArrived] | type[DriverLeft]] = {
    "head_for": DriverHeaded,
    "arrive": DriverArrived,
    "leave": DriverLeft,
}
Result = Literal["applied", "noted", "refused"]


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


class Closing(BaseModel):
    """The body of a ``close``: how it ended and the proof that is not a file."""

    outcome: Literal["succeeded", "partial", "failed", "skipped"]
    reason: Reason | None = None
    name: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=1000)
    pin_ok: bool | None = None
    scans: list[str] = Field(default_factory=list, max_length=500)
    lines: list[dict[str, Any]] = Field(default_factory=list, max_length=500)
    files: list[dict[str, str]] = Field(default_factory=list, max_length=50)  # kind, sha256
    lat: float | None = Field(default=None, ge=-90, le=90)
    lon: float | None = Field(default=None, ge=-180, le=180)
    accuracy_m: float | None = None
    position_age_s: float | None = None
    no_position: str = Field(default="", max_length=200)


def pairing_code(hub: Hub, business_id: str, driver_id: str) -> str:
    """A code that pairs one phone, once, within ten minutes."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(10))
    with hub.unit() as unit:
        driver = unit.session.exec(
            select(DriverRow).where(DriverRow.business_id == business_id, DriverRow.id == driver_id)
        ).one_or_none()
        if driver is None:
            raise LookupError(f"no driver {driver_id}")
        unit.session.add(
            DeviceRow(
                business_id=business_id,
                driver_id=driver_id,
                pairing_hash=hashed(code),
                pairing_until=hub.now() + PAIRING,
            )
        )
    return code


def pair(hub: Hub, code: str) -> str | None:
    """The new device's token, shown once; ``None`` for a code unknown, used or too old."""
    token = secrets.token_urlsafe(32)
    now = hub.now()
    with hub.unit() as unit:
        device = unit.session.exec(
            select(DeviceRow)
            .where(DeviceRow.pairing_hash == hashed(code.strip().upper().replace("-", "")))
            .with_for_update()
        ).one_or_none()
        if device is None or device.pairing_until is None or device.pairing_until < now:
            return None
        device.token_hash, device.pairing_hash, device.pairing_until = hashed(token), None, None
        device.paired_at = device.seen_at = now
    return token


def device_for(hub: Hub, token: str) -> DeviceRow | None:
    """The paired device whose token this is; ``None`` for one unknown or revoked."""
    with hub.reading() as session:
        return session.exec(
            select(DeviceRow).where(
                DeviceRow.token_hash == hashed(token), col(DeviceRow.revoked_at).is_(None)
            )
        ).one_or_none()


def take_acts(hub: Hub, device: DeviceRow, acts: Sequence[IncomingAct]) -> list[ActResult]:
    """Take a batch, one unit for each act; what was taken before is answered as before."""
    return [_take(hub, device, act) for act in sorted(acts, key=lambda act: act.occurred_at)]


def _take(hub: Hub, device: DeviceRow, act: IncomingAct) -> ActResult:
    try:
        with hub.unit() as unit:
            if (known := _known(unit.session, device, act.act_id)) is not None:
                return ActResult(act.act_id, known.result, known.why, repeated=True)
            return _Taking(unit, hub.now(), device, act).take()
    except IntegrityError:  # the same act on two connections at once
        with hub.reading() as session:
            known = _known(session, device, act.act_id)
        if known is None:
            raise
        return ActResult(act.act_id, known.result, known.why, repeated=True)


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

    def __init__(self, unit: Unit, now: datetime, device: DeviceRow, act: IncomingAct) -> None:
        self.unit, self.session, self.now = unit, unit.session, now
        self.device, self.act = device, act
        self.business_id = device.business_id

    def take(self) -> ActResult:
        self.session.get_one(BusinessRow, self.business_id, with_for_update=True)
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
        result, why = self._apply(job, route)
        row.result, row.why = result, why[:500]
        self.session.add(row)
        self.session.flush()
        if route is not None:
            _work_out(self.session, self.business_id, route.id)
        device = self.session.get_one(DeviceRow, self.device.id)
        device.seen_at = self.now
        return ActResult(self.act.act_id, result, row.why)

    def _apply(self, job: JobRow | None, route: RouteRow | None) -> tuple[Result, str]:
        match self.act.kind:
            case "start_shift" | "end_shift":
                return self._shift(route)
            case "acknowledge":
                return self._acknowledge(route)
            case "load" if self.act.job_id is None:
                return ("applied", "") if route else ("noted", "No route is on this phone.")
            case "close" if job is not None:
                return self._close(job, route)
            case "load" | "head_for" | "arrive" | "leave" if job is not None:
                return self._move(job, route)
            case "load" | "head_for" | "arrive" | "leave" | "close":
                return "refused", "There is no such job."
        return "refused", f"Nobody knows what {self.act.kind!r} means."

    def _move(self, job: JobRow, route: RouteRow | None) -> tuple[Result, str]:
        if job.state == State.CLOSED:
            ended = job.closed_occurred_at
            if job.outcome == Outcome.CANCELLED or ended is None or ended < self.act.occurred_at:
                return "noted", f"The job was already closed: {job.outcome}."
        elif route is None:
            return "noted", "The job is no longer on this driver's route."
        if (event := TOLD.get(self.act.kind)) is not None:
            self._announce(event(**self._about(job), job_id=job.id))
        return "applied", ""

    def _close(self, job: JobRow, route: RouteRow | None) -> tuple[Result, str]:
        try:
            closing = Closing.model_validate(self.act.body)
        except ValidationError as error:
            first = error.errors()[0]
            return "refused", f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        if job.state == State.CLOSED:
            if job.outcome == Outcome.CANCELLED:
                if proof_of(self.session, self.business_id, job.id) is None:
                    self._keep_proof(job, closing)
                return "noted", "The job was cancelled meanwhile; the dispatcher sees the proof."
            return "noted", f"The job was already closed: {job.outcome}."
        if route is None:
            return "noted", "The job is no longer on this driver's route; the dispatcher decides."
        if closing.outcome in (Outcome.FAILED, Outcome.SKIPPED) and closing.reason is None:
            return "refused", "Say why it did not succeed."
        if lacking := missing(self._demands(closing), self._given(job, closing)):
            return "refused", f"Proof is missing: {', '.join(lacking)}."
        try:
            job.state = jobs.close(State(job.state), Outcome(closing.outcome))
        except NotNow as problem:
            return "noted", str(problem)
        job.outcome, job.reason = closing.outcome, closing.reason or ""
        job.closed_at, job.closed_occurred_at = self.now, self.act.occurred_at
        job.version += 1
        proof = self._keep_proof(job, closing)
        self._announce(
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

    def _demands(self, closing: Closing) -> Sequence[str]:
        business = self.session.get_one(BusinessRow, self.business_id)
        settings = BusinessSettings.model_validate(business.settings)
        match closing.outcome:
            case "skipped":
                return ()
            case "failed":
                return settings.failure_demands
        return settings.demands

    def _given(self, job: JobRow, closing: Closing) -> set[Any]:
        stored = self.session.exec(
            select(ProofFileRow.kind).where(
                ProofFileRow.business_id == self.business_id, ProofFileRow.job_id == job.id
            )
        ).all()
        # A file the act names by its hash counts: it may still be on its way up.
        named = [file.get("kind", "") for file in closing.files if file.get("sha256")]
        return set(
            given_by(
                name=closing.name,
                note=closing.note,
                pin_ok=closing.pin_ok,
                has_lines=bool(closing.lines),
                file_kinds={*stored, *named},
            )
        )

    def _keep_proof(self, job: JobRow, closing: Closing) -> ProofRow:
        has_place = closing.lat is not None and closing.lon is not None
        proof = ProofRow(
            business_id=self.business_id,
            job_id=job.id,
            occurred_at=self.act.occurred_at,
            received_at=self.now,
            **closing.model_dump(exclude={"outcome", "reason", "files", "no_position"}),
            no_position="" if has_place else closing.no_position or "the phone gave no position",
        )
        self.session.add(proof)
        self.session.flush()
        for file in self.session.exec(
            select(ProofFileRow).where(
                ProofFileRow.business_id == self.business_id, ProofFileRow.job_id == job.id
            )
        ):
            file.proof_id = proof.id
        append(self.unit, self.business_id, job.id, proof_fields(job, proof), self.now)
        return proof

    def _shift(self, route: RouteRow | None) -> tuple[Result, str]:
        query = select(ShiftRow).where(ShiftRow.business_id == self.business_id)
        if route is not None:
            query = query.where(ShiftRow.id == route.shift_id)
        else:
            query = query.where(ShiftRow.driver_id == self.device.driver_id)
        at = self.act.occurred_at
        near = [
            shift
            for shift in self.session.exec(query)
            if shift.starts_at - timedelta(hours=6) <= at <= shift.ends_at + timedelta(hours=6)
        ]
        if not near:
            return "noted", "No shift of this driver is near this time."
        shift = min(near, key=lambda one: abs(one.starts_at - at))
        if self.act.kind == "start_shift":
            shift.began_at = min(at, shift.began_at or at)
        else:
            shift.ended_at = max(at, shift.ended_at or at)
        return "applied", ""

    def _acknowledge(self, route: RouteRow | None) -> tuple[Result, str]:
        version = self.act.body.get("version")
        if route is None:
            return "noted", "The route is no longer this driver's."
        if not isinstance(version, int):
            return "refused", "Say which version was shown."
        route.acknowledged = max(route.acknowledged, min(version, route.version))
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

    def _announce(self, event: Event) -> None:
        self.unit.announce(event)

    def _about(self, job: JobRow) -> dict[str, Any]:
        return {
            "business_id": self.business_id,
            "subject_id": job.order_id,
            "occurred_at": self.act.occurred_at,
            "received_at": self.now,
            "actor": f"device:{self.device.id}",
        }


def _work_out(session: Session, business_id: str, route_id: str) -> None:
    """Set the states of a route's open jobs from all its acts in the order they occurred."""
    rows = session.exec(
        select(JobRow)
        .join(StopJobRow, col(StopJobRow.job_id) == col(JobRow.id))
        .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
        .where(JobRow.business_id == business_id, StopRow.route_id == route_id)
    ).all()
    acts = session.exec(
        select(ActRow)
        .where(
            ActRow.business_id == business_id,
            ActRow.route_id == route_id,
            ActRow.result == "applied",
            col(ActRow.kind).in_(list(ON_A_JOB)),
        )
        .order_by(col(ActRow.occurred_at), col(ActRow.act_id))
    ).all()
    for job in rows:
        if State(job.state) not in jobs.ON_A_PHONE:
            continue
        state = State.DISPATCHED
        for act in acts:
            if act.job_id in (job.id, None):
                state = _moved(state, ON_A_JOB[act.kind])
            elif act.kind == "head_for" and state is State.EN_ROUTE:
                state = State.DISPATCHED  # on the way to another one instead
        if job.state != state:
            job.state, job.version = state, job.version + 1


def _moved(state: State, act: jobs.Act) -> State:
    try:
        return jobs.after(state, act)
    except NotNow:
        return state

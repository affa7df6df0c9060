"""What fixes mean becomes acts: the geofence says that a driver arrived, left, or did not.

Meanings are read in the order of their ids from where the cursor stands. All that follow
each other about one route are one unit: its acts, its jobs' states, its events and the
cursor. A kill loses none and doubles none.

A meaning may be taken back by a later one. Then its act counts no more, and the job is
again as far as the other acts say; see ``hub.flows.states`` for who outranks whom.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from hub.core.events import DriverArrived, DriverLeft
from hub.core.jobs import Outcome, State
from hub.db.tables import (
    ActRow,
    BusinessRow,
    JobRow,
    MeaningCursorRow,
    RouteRow,
    StopJobRow,
    StopRow,
)
from hub.db.unit import Unit
from hub.flows.states import FENCE, settle_arrivals, told_states, work_out
from hub.live.store import Meaning, Positions

if TYPE_CHECKING:
    from hub.app import Hub

CURSOR = "positions"
AT_ONCE = 500  # meanings read in one go; a unit holds those of one route among them
SAYS = {"arrived": "arrive", "left": "leave"}
TAKES_BACK = {"not_arrived": "arrive", "not_left": "leave"}
TAKEN_BACK = "The fixes that followed say otherwise."


def apply_meanings(hub: Hub, positions: Positions | None = None) -> int:
    """Make acts of what was noticed since; how many meanings were taken. Safe to repeat.

    Several workers may do so at once: who comes second finds the cursor moved on.
    """
    source = positions or Positions.open(hub.settings)
    taken = 0
    while found := source.meanings(_stands_at(hub), AT_ONCE):
        for about in _by_route(found):
            taken += _take(hub, about)
        if len(found) < AT_ONCE:
            break
    return taken


def has_meanings(hub: Hub, after_id: int) -> bool:
    """Whether anything was noticed after that which no act says yet."""
    return Positions.open(hub.settings).has_meanings(after_id)


def act_id_of(meaning: Meaning, job_id: str) -> str:
    """The same for ever, so that a meaning is never told twice; in the order of meanings."""
    return f"{FENCE}{meaning.id:015d}:{job_id}"


def _stands_at(hub: Hub) -> int:
    with hub.reading() as session:
        row = session.get(MeaningCursorRow, CURSOR)
        return row.last_id if row else 0


def _by_route(meanings: Sequence[Meaning]) -> Iterator[list[Meaning]]:
    """Runs of the same route; their order as a whole stays."""
    for _, about in groupby(meanings, key=lambda one: (one.business_id, one.route_id)):
        yield list(about)


def _take(hub: Hub, meanings: Sequence[Meaning]) -> int:
    """Take those of one route that the cursor has not passed meanwhile; how many those were."""
    business_id, route_id = meanings[0].business_id, meanings[0].route_id
    with hub.unit() as unit:
        session = unit.session
        # The same turn that a phone's acts of this business wait for.
        business = session.get(BusinessRow, business_id, with_for_update=True)
        cursor = _cursor(session)
        fresh = [one for one in meanings if one.id > cursor.last_id]
        if not fresh:
            return 0
        route = _route(session, business_id, route_id) if business else None
        if route is not None:
            _Noticing(unit, route, hub.now()).take(fresh)
        cursor.last_id = fresh[-1].id
        return len(fresh)


def _cursor(session: Session) -> MeaningCursorRow:
    made = "INSERT INTO meaning_cursor(id, last_id) VALUES (:id, 0) ON CONFLICT DO NOTHING"
    session.execute(text(made), {"id": CURSOR})
    return session.get_one(MeaningCursorRow, CURSOR, with_for_update=True)


def _route(session: Session, business_id: str, route_id: str) -> RouteRow | None:
    """``None`` once it is gone, or was taken back from its driver's phone."""
    return session.exec(
        select(RouteRow).where(
            RouteRow.business_id == business_id,
            RouteRow.id == route_id,
            col(RouteRow.published_at).is_not(None),
        )
    ).one_or_none()


class _Noticing:
    """What was noticed about one route, within its unit."""

    def __init__(self, unit: Unit, route: RouteRow, now: datetime) -> None:
        self.unit, self.session, self.route, self.now = unit, unit.session, route, now
        self.business_id = route.business_id

    def take(self, meanings: Sequence[Meaning]) -> None:
        states = told_states(self.session, self.business_id, self.route.id)
        for meaning in meanings:
            if meaning.driver_id != self.route.driver_id:
                continue  # the route was handed to somebody else meanwhile
            jobs = self._jobs_at(meaning.stop_id)
            for job in jobs:
                self._note(meaning, job)
                self.session.flush()
                settle_arrivals(self.session, self.business_id, job.id)
            fresh = told_states(self.session, self.business_id, self.route.id)
            for job in jobs:
                self._tell(meaning, job, states.get(job.id), fresh.get(job.id))
            states = fresh
        work_out(self.session, self.business_id, self.route.id, states)

    def _jobs_at(self, stop_id: str) -> Sequence[JobRow]:
        """In a fixed order; none once the stop left the route."""
        return self.session.exec(
            select(JobRow)
            .join(StopJobRow, col(StopJobRow.job_id) == col(JobRow.id))
            .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
            .where(
                JobRow.business_id == self.business_id,
                StopRow.route_id == self.route.id,
                StopRow.id == stop_id,
            )
            .order_by(col(JobRow.id))
        ).all()

    def _note(self, meaning: Meaning, job: JobRow) -> None:
        if self._known(meaning, job):
            return
        taken_back = self._taken_back(meaning, job) if meaning.kind in TAKES_BACK else None
        if taken_back is not None:
            taken_back.result, taken_back.why = "noted", TAKEN_BACK
        result, why = _counts(meaning, job, taken_back)
        self.session.add(
            ActRow(
                business_id=self.business_id,
                device_id=meaning.device_id,
                act_id=act_id_of(meaning, job.id),
                route_id=self.route.id,
                job_id=job.id,
                kind=SAYS.get(meaning.kind, meaning.kind),
                body={"by": "geofence", "confidence": round(meaning.confidence, 3)},
                occurred_at=_moment(meaning.at_ms),
                received_at=self.now,
                result=result,
                why=why,
            )
        )

    def _known(self, meaning: Meaning, job: JobRow) -> bool:
        known = self.session.exec(
            select(ActRow.id).where(
                ActRow.business_id == self.business_id,
                ActRow.device_id == meaning.device_id,
                ActRow.act_id == act_id_of(meaning, job.id),
            )
        ).first()
        return known is not None

    def _taken_back(self, meaning: Meaning, job: JobRow) -> ActRow | None:
        """The geofence's own last word that this one takes back; never what a driver told."""
        return self.session.exec(
            select(ActRow)
            .where(
                ActRow.business_id == self.business_id,
                ActRow.device_id == meaning.device_id,
                ActRow.job_id == job.id,
                ActRow.kind == TAKES_BACK[meaning.kind],
                col(ActRow.act_id).startswith(FENCE),
                ActRow.act_id < act_id_of(meaning, job.id),
                ActRow.result == "applied",
            )
            .order_by(col(ActRow.act_id).desc())
        ).first()

    def _tell(
        self, meaning: Meaning, job: JobRow, before: State | None, after: State | None
    ) -> None:
        """Announce what is now another thing than before."""
        about = self._about(meaning, job) | {"confidence": meaning.confidence}
        if after is State.ARRIVED and before is not State.ARRIVED:
            self.unit.announce(DriverArrived(**about))
        elif before is State.ARRIVED and after is not State.ARRIVED:
            self.unit.announce(DriverLeft(**about))

    def _about(self, meaning: Meaning, job: JobRow) -> dict[str, Any]:
        return {
            "business_id": self.business_id,
            "subject_id": job.order_id,
            "job_id": job.id,
            "occurred_at": _moment(meaning.at_ms),
            "received_at": self.now,
            "actor": f"device:{meaning.device_id}",
        }


def _counts(meaning: Meaning, job: JobRow, taken_back: ActRow | None) -> tuple[str, str]:
    """The act's result, and why it changes nothing if it is only noted."""
    at = _moment(meaning.at_ms)
    if meaning.kind in TAKES_BACK:
        return ("applied", "") if taken_back else ("noted", "There was nothing to take back.")
    if job.state == State.CLOSED:
        ended = job.closed_occurred_at
        if job.outcome == Outcome.CANCELLED or ended is None or ended < at:
            return "noted", f"The job was already closed: {job.outcome}."
    return "applied", ""


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)

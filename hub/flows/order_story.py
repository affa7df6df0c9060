"""Orders as a dispatcher looks for them, and one order with all that happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, String, cast, exists
from sqlmodel import Session, and_, col, or_, select

from hub.core import jobs
from hub.core.amending import Decision, Group
from hub.core.fit import begins_as_told
from hub.core.jobs import ON_A_PHONE, Outcome, Reason, State
from hub.core.orders import IncomingOrder
from hub.core.places import place_key
from hub.core.tracking_words import REASONS
from hub.core.values import Address, TimeWindow
from hub.db.tables import (
    ActRow,
    AmendmentRow,
    BusinessRow,
    ContactRow,
    DriverRow,
    EstimateRow,
    EventRow,
    JobRow,
    NoticeRow,
    OrderRow,
    PlaceRow,
    PromiseRow,
    ProofFileRow,
    ProofRow,
    RouteRow,
    StopJobRow,
    StopRow,
)
from hub.flows.actors import names_of
from hub.flows.amended_seen import AmendmentSeen, amendments_of
from hub.flows.claims import OPEN, Claim, claims_of
from hub.flows.next_steps import OPEN_ENDED
from hub.flows.orders import OrderSeen, one_order
from hub.flows.sync import address_document

if TYPE_CHECKING:
    from hub.app import Hub

UNDER_WAY = (State.DISPATCHED, State.LOADED, State.EN_ROUTE, State.ARRIVED)
FILTERS = {
    "open": "Open",
    "review": "Address to check",
    "planned": "On a draft route",
    "under_way": "With a driver",
    "undecided": "Needs a decision",
    "done": "Done",
    "failed": "An attempt failed",
    "cancelled": "Cancelled",
}
"""What a list of orders can be narrowed to, in words."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order in a list. ``job`` is the one that says how far it is: the last attempt's."""

    id: str
    number: str
    name: str
    address: str
    job: JobRow | None
    due_on: date | None
    windows: tuple[tuple[datetime, datetime], ...]
    attempts: int
    is_claimed: bool  # a driver says it is done, and nobody said yet whether that counts

    def is_overdue(self, midnight: datetime) -> bool:
        """Whether it is still open, and its day was over at ``midnight``, when today began."""
        if self.job is None or self.job.state == State.CLOSED:
            return False
        if self.windows:
            return max(closes for _, closes in self.windows) < midnight
        return self.due_on is not None and self.due_on < midnight.date()


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to an order, told for people; ``who`` may be empty."""

    at: datetime
    what: str
    detail: str
    who: str


@dataclass(frozen=True, slots=True)
class JobStory:
    """One attempt: where, by whom, and how it went. Rows are ``None`` where nothing is known.

    ``files`` are the proof's; ``unnamed`` came from a phone that never named them in an act.
    ``begins_at`` is when work is planned to begin, so after any waiting.
    """

    row: JobRow
    place: PlaceRow | None
    address: str
    windows: tuple[tuple[datetime, datetime], ...]
    driver: str
    route: RouteRow | None
    begins_at: datetime | None
    estimate: EstimateRow | None
    promise: PromiseRow | None
    proof: ProofRow | None
    files: tuple[ProofFileRow, ...]
    unnamed: tuple[ProofFileRow, ...]
    claims: tuple[Claim, ...]

    @property
    def is_undecided(self) -> bool:
        return (
            self.row.state == State.CLOSED
            and self.row.outcome in OPEN_ENDED
            and not self.row.next_step
        )


@dataclass(frozen=True, slots=True)
class Story:
    seen: OrderSeen
    report: IncomingOrder
    link: str  # the customer's page; empty while there is none
    jobs: tuple[JobStory, ...]
    moments: tuple[Moment, ...]
    notices: tuple[NoticeRow, ...]
    amendments: tuple[AmendmentSeen, ...]


def orders_like(
    hub: Hub,
    business_id: str,
    *,
    text: str = "",
    state: str = "",
    day: date | None = None,
    before: str = "",
    limit: int = 50,
) -> list[OrderLine]:
    """Up to ``limit`` orders, newest first, with smaller ids than ``before``.

    ``text`` is looked for in number, name, phone and address; ``state`` is one of
    ``FILTERS``; ``day`` keeps what is due, promised or routed on it.
    """
    with hub.reading() as session:
        wanted = select(OrderRow).where(OrderRow.business_id == business_id)
        if before:
            wanted = wanted.where(col(OrderRow.id) < before)
        if text.strip():
            wanted = wanted.where(_has_text(business_id, text.strip()))
        if state in FILTERS:
            wanted = wanted.where(_has_state(business_id, state))
        if day is not None:
            wanted = wanted.where(_is_on(session, business_id, day))
        rows = session.exec(wanted.order_by(col(OrderRow.id).desc()).limit(limit)).all()
        return _lines(session, business_id, rows)


def order_story(hub: Hub, business_id: str, order_id: str) -> Story:
    """Everything a person may want to know of one order. Raises ``LookupError``."""
    with hub.reading() as session:
        seen = one_order(session, business_id, order_id)
        if seen is None:
            raise LookupError(f"no order {order_id}")
        told = session.exec(
            select(EventRow)
            .where(EventRow.business_id == business_id, EventRow.subject_id == order_id)
            .order_by(col(EventRow.occurred_at), col(EventRow.seq))
        ).all()
        names = names_of(session, business_id, {event.actor for event in told})
        attempts = {job.id: job.attempt for job in seen.jobs}
        moments = [_moment(event, names, attempts) for event in told]
        notices = session.exec(
            select(NoticeRow)
            .where(NoticeRow.business_id == business_id, NoticeRow.order_id == order_id)
            .order_by(col(NoticeRow.created_at))
        ).all()
        amended = amendments_of(session, business_id, order_id)
        stories = tuple(_job(session, business_id, job, seen) for job in seen.jobs)
    link = ""
    if seen.link_epoch is not None:
        link = f"{hub.settings.public_url}/t/{hub.keys.link_token(order_id, seen.link_epoch)}"
    return Story(seen, seen.report, link, stories, tuple(moments), tuple(notices), amended)


def _has_text(business_id: str, text: str) -> ColumnElement[bool]:
    like = f"%{_plain(text)}%"
    digits = "".join(c for c in text if c.isdigit()).lstrip("0")
    phone = [col(ContactRow.phone).like(f"%{digits}%")] if len(digits) >= 5 else []
    folded = place_key(Address((text,)))
    conditions = [
        col(OrderRow.number).ilike(like, escape="\\"),
        col(OrderRow.ref).ilike(like, escape="\\"),
        exists().where(
            col(ContactRow.business_id) == business_id,
            col(ContactRow.order_id) == col(OrderRow.id),
            or_(
                col(ContactRow.name).ilike(like, escape="\\"),
                col(ContactRow.email).ilike(like, escape="\\"),
                *phone,
            ),
        ),
    ]
    if folded:
        conditions.append(
            exists().where(
                col(JobRow.business_id) == business_id,
                col(JobRow.order_id) == col(OrderRow.id),
                col(JobRow.place_id) == col(PlaceRow.id),
                col(PlaceRow.key).like(f"%{_plain(folded)}%", escape="\\"),
            )
        )
    return or_(*conditions)


def _plain(text: str) -> str:
    """``text`` for LIKE, its wildcards meant as written."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _has_state(business_id: str, state: str) -> ColumnElement[bool]:
    job_state, outcome = col(JobRow.state), col(JobRow.outcome)
    match state:
        case "cancelled":
            return col(OrderRow.status) == "cancelled"
        case "done":
            is_open = _a_job(business_id, job_state != State.CLOSED)
            is_done = _a_job(business_id, outcome.in_((Outcome.SUCCEEDED, Outcome.PARTIAL)))
            return and_(col(OrderRow.status) == "open", is_done, ~is_open)
        case "failed":
            return _a_job(business_id, outcome.in_((Outcome.FAILED, Outcome.SKIPPED)))
        case "undecided":
            failed = outcome.in_(list(OPEN_ENDED))
            undecided = and_(failed, col(JobRow.next_step) == "")
            asked = exists().where(
                col(AmendmentRow.business_id) == business_id,
                col(AmendmentRow.order_id) == col(OrderRow.id),
                col(AmendmentRow.state) == "open",
            )
            return or_(asked, _a_job(business_id, or_(undecided, _is_claimed(business_id))))
        case "review":
            return _a_job(business_id, job_state == State.NEEDS_REVIEW)
        case "planned":
            return _a_job(business_id, job_state.in_((State.PLANNED, State.ASSIGNED)))
        case "under_way":
            return _a_job(business_id, job_state.in_(UNDER_WAY))
    return _a_job(business_id, job_state != State.CLOSED)


def _a_job(business_id: str, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        col(JobRow.business_id) == business_id, col(JobRow.order_id) == col(OrderRow.id), condition
    )


def _is_claimed(business_id: str) -> ColumnElement[bool]:
    said = exists().where(
        col(ActRow.business_id) == business_id,
        col(ActRow.job_id) == col(JobRow.id),
        col(ActRow.decision) == OPEN,
    )
    return and_(col(JobRow.state) != State.CLOSED, said)


def _is_on(session: Session, business_id: str, day: date) -> ColumnElement[bool]:
    routed = (
        select(StopJobRow.job_id)
        .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .where(RouteRow.business_id == business_id, RouteRow.day == day)
    )
    wanted = _windowed(session, business_id, day)
    return _a_job(
        business_id,
        or_(col(JobRow.due_on) == day, col(JobRow.id).in_(wanted), col(JobRow.id).in_(routed)),
    )


def _windowed(session: Session, business_id: str, day: date) -> list[str]:
    """The jobs with a window on ``day``, which is the business's day, not that of its text."""
    zone = ZoneInfo(session.get_one(BusinessRow, business_id).zone)
    begins = datetime.combine(day, time(0), zone)
    ends = datetime.combine(day + timedelta(days=1), time(0), zone)
    text = cast(col(JobRow.windows), String)
    # A window's text may name the day before or after, as its source's zone has it.
    near = [text.like(f"%{day + timedelta(days=n)}T%") for n in (-1, 0, 1)]
    jobs = session.exec(select(JobRow).where(JobRow.business_id == business_id, or_(*near)))
    return [
        job.id for job in jobs if any(begins <= end and at < ends for at, end in windows_of(job))
    ]


def _lines(session: Session, business_id: str, rows: Sequence[OrderRow]) -> list[OrderLine]:
    ids = [row.id for row in rows]
    last: dict[str, JobRow] = {}
    for job in session.exec(
        select(JobRow)
        .where(JobRow.business_id == business_id, col(JobRow.order_id).in_(ids))
        .order_by(col(JobRow.attempt), col(JobRow.leg))
    ):
        before = last.get(job.order_id)
        # Of a pair, the leg that is still to be done tells how far the order is.
        if before is None or before.attempt < job.attempt or before.state == State.CLOSED:
            last[job.order_id] = job
    claimed = set(
        session.exec(
            select(JobRow.order_id).where(
                JobRow.business_id == business_id,
                col(JobRow.order_id).in_(ids),
                _is_claimed(business_id),
            )
        )
    )
    lines = []
    for row in rows:
        report = OrderSeen(row, "", (), {}, None).report
        held = last.get(row.id)
        lines.append(
            OrderLine(
                row.id,
                row.number,
                report.recipient.name or report.recipient.company,
                report.address.one_line(),
                held,
                held.due_on if held else None,
                windows_of(held) if held else (),
                held.attempt if held else 0,
                row.id in claimed,
            )
        )
    return lines


def windows_of(job: JobRow) -> tuple[tuple[datetime, datetime], ...]:
    return tuple((datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in job.windows)


def _job(session: Session, business_id: str, job: JobRow, seen: OrderSeen) -> JobStory:
    place = None
    if job.place_id is not None:
        place = session.exec(
            select(PlaceRow).where(PlaceRow.business_id == business_id, PlaceRow.id == job.place_id)
        ).one()
    on = session.exec(
        select(StopRow, RouteRow, DriverRow)
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .join(DriverRow, col(DriverRow.id) == col(RouteRow.driver_id))
        .where(StopRow.business_id == business_id, StopJobRow.job_id == job.id)
    ).one_or_none()
    proof = session.exec(
        select(ProofRow).where(ProofRow.business_id == business_id, ProofRow.job_id == job.id)
    ).one_or_none()
    files = session.exec(
        select(ProofFileRow)
        .where(ProofFileRow.business_id == business_id, ProofFileRow.job_id == job.id)
        .order_by(col(ProofFileRow.id))
    ).all()
    claims = tuple(claims_of(session, business_id, job))
    said = {file.id for claim in claims for file in claim.files}
    promise = session.exec(
        select(PromiseRow)
        .where(PromiseRow.business_id == business_id, PromiseRow.job_id == job.id)
        .order_by(col(PromiseRow.n).desc())
    ).first()
    address = address_document.validate_python(place.address).one_line() if place else ""
    return JobStory(
        job,
        place,
        address or (place.label if place else ""),
        windows_of(job),
        on[2].name if on else "",
        on[1] if on else None,
        _begins_at(job, on[0], promise) if on else None,
        seen.estimates.get(job.id),
        promise,
        proof,
        tuple(file for file in files if file.proof_id is not None),
        tuple(file for file in files if file.proof_id is None and file.id not in said),
        claims,
    )


def _begins_at(job: JobRow, stop: StopRow, promise: PromiseRow | None) -> datetime:
    """When work is planned to begin: whoever is there too early waits."""
    windows = [TimeWindow(opens, closes) for opens, closes in windows_of(job)]
    told = None
    if promise is not None and job.state in ON_A_PHONE:
        told = TimeWindow(promise.opens, promise.closes)
    return begins_as_told(windows, stop.arrive_at, told)


def _moment(event: EventRow, names: dict[str, str], attempts: dict[str, int]) -> Moment:
    what, detail = _words(event.name, event.payload)
    attempt = attempts.get(event.payload.get("job_id", ""), 1)
    if attempt > 1:
        what = f"{what} (attempt {attempt})"
    return Moment(event.occurred_at, what, detail, names[event.actor])


def _words(name: str, told: dict[str, Any]) -> tuple[str, str]:
    """What happened, and a detail that may be empty."""
    match name:
        case "OrderPlaced":
            return "Order received", ""
        case "OrderAmended":
            return "Order changed", ", ".join(told["changed"]).replace("_", " ")
        case "AmendmentProposed":
            again = "" if told["version"] == 1 else " again"
            return f"The source asks{again} for a change", ", ".join(
                ASKED[one] for one in told["changed"]
            )
        case "AmendmentDecided":
            return DECIDED.get(told["decision"], told["decision"]), ""
        case "AmendmentSeen":
            return "The driver has confirmed the change", ""
        case "ProofCompleted":
            return "Proof added later", ""
        case "OrderCancelled":
            return "Order cancelled", ""
        case "JobLocated" if told["sure"]:
            return "Address found", ""
        case "JobLocated":
            return "Address needs a look", "nobody could say for sure where it is"
        case "JobDispatched":
            return "Sent to the driver", ""
        case "JobWithdrawn":
            return "Taken off the route", ""
        case "DriverHeaded":
            return "Driver on the way", ""
        case "DriverArrived":
            return "Driver arrived", ""
        case "DriverLeft":
            return "Driver left", ""
        case "EtaChanged":
            return "New arrival time", ""
        case "JobClosed":
            return ENDED.get(told["outcome"], told["outcome"]), reason_in_words(told["reason"])
        case "NextStepChosen":
            return "Next step", STEPS.get(told["step"], told["step"])
    return name, ""


def reason_in_words(reason: str) -> str:
    """Why a job failed or waits; reasons that are sentences already stay as they are."""
    if reason == Reason.OTHER:
        return "Another reason"
    return REASONS[Reason(reason)].rstrip(".") if reason in REASONS else reason.replace("_", " ")


"""Actors whose name nobody knows any more."""
ENDED = {
    Outcome.SUCCEEDED.value: "Done",
    Outcome.PARTIAL.value: "Partly done",
    Outcome.FAILED.value: "Failed at the door",
    Outcome.SKIPPED.value: "Not attempted",
    Outcome.CANCELLED.value: "Cancelled",
}
ASKED = {Group.WHERE.value: "address", Group.WHEN.value: "time", Group.GOODS.value: "goods"}
DECIDED = {
    Decision.TAKE.value: "The change was taken",
    Decision.KEEP.value: "The change was not taken: it stays as it was",
    Decision.OFF.value: "Off its route, by what its source wants now",
    Decision.WITHDRAWN.value: "The source does not ask for the change any more",
    Decision.LATE.value: "The change came too late for the driver",
}
STEPS = {
    jobs.NextStep.RETRY_TODAY.value: "try again today",
    jobs.NextStep.ANOTHER_DAY.value: "try again another day",
    jobs.NextStep.RETURN.value: "return to sender",
    jobs.NextStep.CANCEL.value: "cancel",
}

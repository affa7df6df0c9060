"""One order with all that happened to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, select

from hub.core import jobs
from hub.core.amending import Decision, Group
from hub.core.asked import Kind
from hub.core.fit import begins_as_told
from hub.core.jobs import ON_A_PHONE, Outcome, Reason, State
from hub.core.orders import IncomingOrder
from hub.core.tracking_sentences import REASONS
from hub.core.values import Role, TimeWindow
from hub.db.tables import (
    DriverRow,
    EnquiryRow,
    EstimateRow,
    EventRow,
    JobRow,
    NoticeRow,
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
from hub.flows.brands import Brands
from hub.flows.claims import Claim, claims_of
from hub.flows.enquiries import enquiries_of
from hub.flows.kept_apart import Apart, apart_from
from hub.flows.kept_goods import is_kept
from hub.flows.links import links_of
from hub.flows.next_steps import OPEN_ENDED
from hub.flows.orders import OrderSeen, one_order
from hub.flows.orders_listed import windows_of
from hub.flows.promises import told_of
from hub.flows.push import NO_BROWSER
from hub.flows.ratings import Rated, ratings_of
from hub.flows.sync import address_document
from hub.flows.wishes import NOTHING, Wished, wished

if TYPE_CHECKING:
    from hub.app import Hub


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
    told: tuple[PromiseRow, ...]
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

    @property
    def is_kept(self) -> bool:
        return is_kept(self.row)


@dataclass(frozen=True, slots=True)
class Story:
    seen: OrderSeen
    report: IncomingOrder
    link: str  # the customer's page; empty while there is none
    links: dict[Role, str]  # of each contact that has one
    jobs: tuple[JobStory, ...]
    moments: tuple[Moment, ...]
    notices: tuple[NoticeRow, ...]
    ratings: tuple[Rated, ...]
    amendments: tuple[AmendmentSeen, ...]
    wished: Wished = NOTHING  # what the customer said on the page
    apart: tuple[Apart, ...] = ()  # the orders that no vehicle takes beside it
    brand: str = ""  # whose look its page has; empty where the business has but one


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
        pairs = {job.attempt for job in seen.jobs if job.leg > 1}
        about = {job.id: _which(job, job.attempt in pairs) for job in seen.jobs}
        moments = [_moment(event, names, about) for event in told]
        notices = session.exec(
            select(NoticeRow)
            .where(
                NoticeRow.business_id == business_id,
                NoticeRow.order_id == order_id,
                NoticeRow.error != NO_BROWSER,  # most never ask for it
            )
            .order_by(col(NoticeRow.created_at))
        ).all()
        asked = enquiries_of(session, business_id, order_id)
        names |= names_of(session, business_id, {one.actor for one in asked if one.actor})
        moments += [_asked(one, names) for one in asked]
        ratings = ratings_of(session, business_id, order_id=order_id)
        amended = amendments_of(session, business_id, order_id)
        said = wished(session, business_id, order_id)
        links = links_of(hub, session, business_id, order_id)
        apart = tuple(apart_from(session, business_id, order_id))
        brands = Brands(session, business_id)
        brand = brands.of(seen.row).name if len(brands.rows) > 1 else ""
        stories = tuple(_job(session, business_id, job, seen) for job in seen.jobs)
    moments.sort(key=lambda one: one.at)
    return Story(
        seen,
        seen.report,
        links.get(Role.RECIPIENT, ""),
        links,
        stories,
        tuple(moments),
        tuple(notices),
        tuple(ratings),
        amended,
        said,
        apart,
        brand,
    )


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
    told = told_of(session, business_id, job.id)
    promise = max((row for row in told if row.n > 0), key=lambda row: row.n, default=None)
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
        tuple(told),
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


def _which(job: JobRow, is_half: bool) -> str:
    """Which of an order's jobs it is, in words; empty for the one that needs none."""
    said = ["where it is fetched"] if is_half and job.leg == 1 else []
    if job.attempt > 1:
        said.append(f"attempt {job.attempt}")
    return ", ".join(said)


def _moment(event: EventRow, names: dict[str, str], about: dict[str, str]) -> Moment:
    """``about``: by job id, which of the order's jobs it is."""
    what, detail = _words(event.name, event.payload)
    if which := about.get(event.payload.get("job_id", "")):
        what = f"{what} ({which})"
    return Moment(event.occurred_at, what, detail, names[event.actor])


def _asked(one: EnquiryRow, names: dict[str, str]) -> Moment:
    what = {
        Kind.VIEW: "Tracking page opened",
        Kind.CONTACT_TAP: "“Call us” tapped on the page",
    }.get(Kind(one.kind), ASKED_HOW.get(one.channel, "Somebody asked where it is"))
    if one.role not in ("", "recipient"):
        what = f"{what} ({one.role})"
    return Moment(one.at, what, one.note, names.get(one.actor, ""))


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
        case "RecipientAsked":
            return WISHED.get(told["what"], told["what"]), "on the page behind the link"
        case "RatingGiven":
            again = " anew" if told["changed"] else ""
            return f"Rated{again}", "1 star" if told["stars"] == 1 else f"{told['stars']} stars"
        case "GoodsFetched":
            return "Collected at the depot", ""
        case "GoodsNotFetched":
            return "Not collected after all", "it is at the depot still"
        case "NextStepChosen":
            return "Next step", STEPS.get(told["step"], told["step"])
    return name, ""


def reason_in_words(reason: str) -> str:
    """Why a job failed or waits; reasons that are sentences already stay as they are."""
    if reason == Reason.OTHER:
        return "Another reason"
    return REASONS[Reason(reason)].rstrip(".") if reason in REASONS else reason.replace("_", " ")


"""Actors whose name nobody knows any more."""
ASKED_HOW = {
    "phone": "Somebody called: where is it?",
    "mail": "Somebody wrote: where is it?",
    "chat": "Somebody asked in the chat where it is",
    "counter": "Somebody asked at the counter where it is",
}
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
WISHED = {
    "note": "Note for the driver",
    "access_code": "Door code for the driver",
    "safe_place": "May be left in a safe place",
    "neighbour": "May be left with a neighbour",
    "in_person": "To be handed over in person",
    "another_slot": "Another time chosen",
    "cancel": "Cancelled by the customer",
    "next_step": "The customer chose what follows",
}
STEPS = {
    jobs.NextStep.RETRY_TODAY.value: "try again today",
    jobs.NextStep.ANOTHER_DAY.value: "try again another day",
    jobs.NextStep.RETURN.value: "return to sender",
    jobs.NextStep.COLLECT.value: "kept for the customer to collect",
    jobs.NextStep.CANCEL.value: "cancel",
}

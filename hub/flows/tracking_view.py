"""Everything the page behind a tracking link may show, read for one order of one business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from hub.core.business import BusinessSettings
from hub.core.contracts import PodStore
from hub.core.errors import ConfigError, HubError
from hub.core.jobs import NextStep, Outcome, Reason, State
from hub.core.orders import Kind
from hub.core.tracking_page import (
    Estimate,
    JobSeen,
    Life,
    Ride,
    Seen,
    Shows,
    Visible,
    current,
    decide,
    first_name,
    life,
    visible,
)
from hub.core.tracking_words import Card, card, outcome_line, own_words, stays_words
from hub.core.values import Point, Role, TimeWindow
from hub.db.tables import (
    BrandRow,
    BusinessRow,
    ContactRow,
    DriverRow,
    EstimateRow,
    JobRow,
    LineRow,
    LinkRow,
    OrderRow,
    PlaceRow,
    PromiseRow,
    ProofFileRow,
    ProofRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
)
from hub.flows.document import pod_pdf
from hub.flows.sync import address_document, order_report
from hub.keys import hashed

if TYPE_CHECKING:
    from hub.app import Hub


@dataclass(frozen=True, slots=True)
class Item:
    """One line of goods; ``delivered`` is ``None`` until it was counted at the door."""

    title: str
    quantity: int
    delivered: int | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """The proof, as far as a recipient sees it; ``stays`` says what their copy leaves out."""

    received_by: str
    photos: int
    stays: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A page's content. All below ``outcome`` is empty unless ``life`` is full.

    ``pin`` and ``handover`` are ``None`` where the state or the settings show none.
    """

    language: str
    brand: BrandRow
    life: Life
    outcome: str
    shows: Shows | None = None
    card: Card | None = None
    own_words: str = ""
    number: str = ""
    address: str = ""
    recipient: str = ""
    driver: str = ""
    to_pay: str = ""
    items: tuple[Item, ...] = ()
    pin: Point | None = None
    handover: Handover | None = None


@dataclass(frozen=True, slots=True)
class _Link:
    """What a token opens. ``job`` is the row that ``seen`` is about."""

    business: BusinessRow
    order_id: str
    settings: BusinessSettings
    life: Life
    job: JobRow
    stop: StopRow | None
    route: RouteRow | None
    seen: Seen
    may: Visible


def tracked(hub: Hub, token: str) -> Tracked | None:
    """The page behind ``token``; ``None`` for one that is unknown or revoked."""
    now = hub.now()
    with hub.reading() as session:
        link = _open(session, token, now)
        return None if link is None else _content(session, link, now)


def brand_of(hub: Hub, token: str) -> BrandRow | None:
    """The brand of the link's business; ``None`` for a token unknown or revoked."""
    with hub.reading() as session:
        link = _row(session, token)
        return None if link is None else _brand(session, link.business_id)


def photo(hub: Hub, token: str, n: int) -> bytes | None:
    """Photo number ``n`` (from 1) of the hand-over; ``None`` if the page shows no such photo."""
    with hub.reading() as session:
        link = _open(session, token, hub.now())
        if link is None or link.life is not Life.FULL or not link.may.photo:
            return None
        files = _photos(session, link)
    if not 1 <= n <= len(files):
        return None
    try:
        return hub.provider(PodStore, files[n - 1].store, {}).get(files[n - 1].store_ref)
    except (KeyError, HubError):  # still on its way up, or no longer kept
        return None


def document(hub: Hub, token: str) -> bytes | None:
    """The proof as PDF, while the full page shows a hand-over; else ``None``."""
    with hub.reading() as session:
        link = _open(session, token, hub.now())
        if link is None or link.life is not Life.FULL or link.seen.shows is not Shows.DONE:
            return None
    try:
        return pod_pdf(hub, link.business.id, link.job.id, for_recipient=True)
    except (LookupError, ConfigError):  # no proof, or nothing installed to typeset it
        return None


def _row(session: Session, token: str) -> LinkRow | None:
    """The one query that is not of one business: the token says which business it is."""
    return session.exec(select(LinkRow).where(LinkRow.token_hash == hashed(token))).one_or_none()


def _open(session: Session, token: str, now: datetime) -> _Link | None:
    row = _row(session, token)
    if row is None:
        return None
    business_id = row.business_id
    business = session.exec(select(BusinessRow).where(BusinessRow.id == business_id)).one()
    settings = BusinessSettings.model_validate(business.settings)
    rows = session.exec(
        select(JobRow).where(JobRow.business_id == business_id, JobRow.order_id == row.order_id)
    ).all()
    proven_at = _proven_at(session, business_id, row.order_id)
    jobs = {_job_seen(one, proven_at.get(one.id)): one for one in rows}
    job = jobs[current(list(jobs))]
    stop, route = _published(session, business_id, job.id)
    seen = decide(
        list(jobs),
        _promises(session, business_id, job.id),
        _ride(session, business_id, job, stop, route),
        window_s=settings.window_s,
        now=now,
    )
    left = life(list(jobs), settings, now)
    may = visible(seen, settings)
    return _Link(business, row.order_id, settings, left, job, stop, route, seen, may)


def _content(session: Session, link: _Link, now: datetime) -> Tracked:
    business_id, seen, may = link.business.id, link.seen, link.may
    zone = ZoneInfo(link.business.zone)
    brand = _brand(session, business_id)
    outcome = outcome_line(seen, zone)
    if link.life is not Life.FULL:
        return Tracked(
            language=link.business.language, brand=brand, life=link.life, outcome=outcome
        )
    order = session.exec(
        select(OrderRow).where(OrderRow.business_id == business_id, OrderRow.id == link.order_id)
    ).one()
    place = _place(session, link) if may.address or may.map else None
    proof = _proof(session, link) if seen.shows is Shows.DONE else None
    status = card(seen, zone, now)
    return Tracked(
        language=link.business.language,
        brand=brand,
        life=link.life,
        outcome=outcome,
        shows=seen.shows,
        card=status,
        own_words=own_words(status.tone, brand.texts),
        number=order.number,
        address=_street_and_town(place) if place and may.address else "",
        recipient=_recipient(session, link) if may.address else "",
        driver=_driver(session, link) if may.driver_name else "",
        to_pay=order_report.validate_python(order.report).payment_due if may.address else "",
        items=_items(session, link, proof) if may.items else (),
        pin=_point(place) if place and may.map else None,
        handover=_handover(session, link, proof, brand.name) if proof else None,
    )


def _proven_at(session: Session, business_id: str, order_id: str) -> dict[str, datetime]:
    """By job, when its proof says that it ended; one cancelled before the door ended otherwise."""
    return dict(
        session.exec(
            select(ProofRow.job_id, ProofRow.occurred_at)
            .join(JobRow, col(JobRow.id) == col(ProofRow.job_id))
            .where(
                ProofRow.business_id == business_id,
                JobRow.order_id == order_id,
                JobRow.outcome != Outcome.CANCELLED,
            )
        ).all()
    )


def _job_seen(row: JobRow, proven_at: datetime | None) -> JobSeen:
    return JobSeen(
        kind=Kind(row.kind),
        attempt=row.attempt,
        leg=row.leg,
        state=State(row.state),
        outcome=Outcome(row.outcome) if row.outcome else None,
        reason=Reason(row.reason) if row.reason else None,
        next_step=NextStep(row.next_step) if row.next_step else None,
        due_on=row.due_on,
        windows=tuple(
            TimeWindow(datetime.fromisoformat(opens), datetime.fromisoformat(closes))
            for opens, closes in row.windows
        ),
        ended_at=proven_at or row.closed_occurred_at,
        closed_at=row.closed_at,
    )


def _published(
    session: Session, business_id: str, job_id: str
) -> tuple[StopRow | None, RouteRow | None]:
    found = session.exec(
        select(StopRow, RouteRow)
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
        .where(
            StopRow.business_id == business_id,
            StopJobRow.job_id == job_id,
            col(RouteRow.published_at).is_not(None),
        )
    ).first()
    return found if found else (None, None)


def _promises(session: Session, business_id: str, job_id: str) -> list[TimeWindow]:
    rows = session.exec(
        select(PromiseRow)
        .where(PromiseRow.business_id == business_id, PromiseRow.job_id == job_id)
        .order_by(col(PromiseRow.n))
    )
    return [TimeWindow(row.opens, row.closes) for row in rows]


def _ride(
    session: Session,
    business_id: str,
    job: JobRow,
    stop: StopRow | None,
    route: RouteRow | None,
) -> Ride | None:
    if stop is None or route is None or job.state == State.CLOSED:
        return None
    others = session.exec(
        select(StopRow, JobRow.state)
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .where(StopRow.business_id == business_id, StopRow.route_id == route.id)
        .order_by(col(StopRow.n))
    ).all()
    to_do = {one.n: one for one, state in others if state != State.CLOSED}
    began_at = session.exec(
        select(ShiftRow.began_at).where(
            ShiftRow.business_id == business_id, ShiftRow.id == route.shift_id
        )
    ).one()
    moving = {State.LOADED, State.EN_ROUTE, State.ARRIVED}
    return Ride(
        arrive_at=stop.arrive_at,
        next_departs_at=to_do[min(to_do)].depart_at,
        stops_before=sum(n < stop.n for n in to_do),
        has_begun=began_at is not None or any(State(state) in moving for _, state in others),
        estimate=_estimate(session, business_id, job.id),
    )


def _estimate(session: Session, business_id: str, job_id: str) -> Estimate | None:
    row = session.exec(
        select(EstimateRow).where(
            EstimateRow.business_id == business_id, EstimateRow.job_id == job_id
        )
    ).one_or_none()
    return None if row is None else Estimate(row.p10, row.p50, row.p90)


def _brand(session: Session, business_id: str) -> BrandRow:
    return session.exec(select(BrandRow).where(BrandRow.business_id == business_id)).one()


def _place(session: Session, link: _Link) -> PlaceRow | None:
    return session.exec(
        select(PlaceRow).where(
            PlaceRow.business_id == link.business.id, PlaceRow.id == link.job.place_id
        )
    ).one_or_none()


def _street_and_town(place: PlaceRow) -> str:
    address = address_document.validate_python(place.address)
    return ", ".join(part for part in (*address.lines[:1], address.city) if part)


def _point(place: PlaceRow) -> Point | None:
    if place.lat is None or place.lon is None:
        return None
    return Point(place.lat, place.lon)


def _recipient(session: Session, link: _Link) -> str:
    """Who is at the door by first name; a pair's buyer is not shown to its recipient."""
    names = dict(
        session.exec(
            select(ContactRow.role, ContactRow.name).where(
                ContactRow.business_id == link.business.id, ContactRow.order_id == link.order_id
            )
        ).all()
    )
    return first_name(names.get(Role.RECIPIENT) or names.get(Role.BUYER) or "")


def _driver(session: Session, link: _Link) -> str:
    if link.route is None:
        return ""
    name = session.exec(
        select(DriverRow.name).where(
            DriverRow.business_id == link.business.id, DriverRow.id == link.route.driver_id
        )
    ).one()
    return first_name(name)


def _items(session: Session, link: _Link, proof: ProofRow | None) -> tuple[Item, ...]:
    counted = {line["n"]: line.get("delivered") for line in (proof.lines if proof else ())}
    rows = session.exec(
        select(LineRow)
        .where(LineRow.business_id == link.business.id, LineRow.order_id == link.order_id)
        .order_by(col(LineRow.n))
    )
    return tuple(Item(row.title, row.quantity, counted.get(row.n)) for row in rows)


def _proof(session: Session, link: _Link) -> ProofRow | None:
    return session.exec(
        select(ProofRow).where(
            ProofRow.business_id == link.business.id, ProofRow.job_id == link.job.id
        )
    ).one_or_none()


def _handover(session: Session, link: _Link, proof: ProofRow, brand: str) -> Handover:
    taken = _photos_taken(session, link)
    shown = len(taken) if link.may.photo else 0
    stays = stays_words(
        photos=len(taken) > shown,
        items=bool(proof.lines) and not link.may.items,
        brand=brand or link.business.name,
    )
    return Handover(first_name(proof.name), shown, stays)


def _photos(session: Session, link: _Link) -> Sequence[ProofFileRow]:
    return _photos_taken(session, link) if link.may.photo else ()


def _photos_taken(session: Session, link: _Link) -> Sequence[ProofFileRow]:
    return session.exec(
        select(ProofFileRow)
        .where(
            ProofFileRow.business_id == link.business.id,
            ProofFileRow.job_id == link.job.id,
            ProofFileRow.kind == "photo",
            col(ProofFileRow.proof_id).is_not(None),  # else no act named it: it proves nothing
        )
        .order_by(col(ProofFileRow.received_at), col(ProofFileRow.id))
    ).all()

"""The parts of a tracking page that are about people, goods and proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from hub.core.jobs import State
from hub.core.tongue import Tongue
from hub.core.tracking_page import first_name
from hub.core.tracking_words import stays_words
from hub.core.values import Point, Role
from hub.core.visibility import Fact
from hub.db.tables import (
    ContactRow,
    DriverRow,
    JobRow,
    LineRow,
    OrderRow,
    PlaceRow,
    ProofFileRow,
    ProofRow,
    StopJobRow,
    StopRow,
)
from hub.flows.sync import address_document
from hub.flows.tongues import Spoken, tongue
from hub.flows.tracking_link import Link


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


def order(session: Session, business_id: str, order_id: str) -> OrderRow:
    return session.exec(
        select(OrderRow).where(OrderRow.business_id == business_id, OrderRow.id == order_id)
    ).one()


def place(session: Session, link: Link) -> PlaceRow | None:
    return session.exec(
        select(PlaceRow).where(
            PlaceRow.business_id == link.business.id, PlaceRow.id == link.job.place_id
        )
    ).one_or_none()


def street_and_town(place: PlaceRow) -> str:
    address = address_document.validate_python(place.address)
    return ", ".join(part for part in (*address.lines[:1], address.city) if part)


def point(place: PlaceRow) -> Point | None:
    if place.lat is None or place.lon is None:
        return None
    return Point(place.lat, place.lon)


def recipient(session: Session, link: Link) -> str:
    """Who is at the door by first name; a pair's buyer is not shown to its recipient."""
    names = dict(
        session.exec(
            select(ContactRow.role, ContactRow.name).where(
                ContactRow.business_id == link.business.id, ContactRow.order_id == link.order_id
            )
        ).all()
    )
    return first_name(names.get(Role.RECIPIENT) or names.get(Role.BUYER) or "")


def passes_others(session: Session, link: Link) -> bool:
    """Whether, by the plan, somebody who still waits comes before this one."""
    assert link.stop is not None
    open_before = (
        select(StopRow.id)
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .where(
            StopRow.business_id == link.business.id,
            StopRow.route_id == link.stop.route_id,
            StopRow.n < link.stop.n,
            JobRow.state != State.CLOSED,
        )
    )
    return session.exec(open_before.limit(1)).first() is not None


def tongue_of(session: Session, link: Link) -> Spoken:
    """The language of whose link it is, else of whoever is at the door, else the business's."""
    known = dict(
        session.exec(
            select(ContactRow.role, ContactRow.language).where(
                ContactRow.business_id == link.business.id, ContactRow.order_id == link.order_id
            )
        ).all()
    )
    theirs = known.get(link.role) or known.get(Role.RECIPIENT) or known.get(Role.BUYER) or ""
    return tongue(theirs, link.business.language)


def driver(session: Session, link: Link) -> str:
    if link.route is None:
        return ""
    name = session.exec(
        select(DriverRow.name).where(
            DriverRow.business_id == link.business.id, DriverRow.id == link.route.driver_id
        )
    ).one()
    return first_name(name)


def items(session: Session, link: Link, proof: ProofRow | None) -> tuple[Item, ...]:
    counted = {line["n"]: line.get("delivered") for line in (proof.lines if proof else ())}
    rows = session.exec(
        select(LineRow)
        .where(LineRow.business_id == link.business.id, LineRow.order_id == link.order_id)
        .order_by(col(LineRow.n))
    )
    return tuple(Item(row.title, row.quantity, counted.get(row.n)) for row in rows)


def proof(session: Session, link: Link) -> ProofRow | None:
    return session.exec(
        select(ProofRow).where(
            ProofRow.business_id == link.business.id, ProofRow.job_id == link.job.id
        )
    ).one_or_none()


def handover(session: Session, link: Link, proof: ProofRow, brand: str, spoken: Tongue) -> Handover:
    taken = _photos_taken(session, link)
    shown = len(taken) if Fact.PHOTO in link.may else 0
    stays = stays_words(
        photos=len(taken) > shown,
        items=bool(proof.lines) and Fact.ITEMS not in link.may,
        brand=brand or link.business.name,
        tongue=spoken,
    )
    received_by = first_name(proof.name) if Fact.RECIPIENT in link.may else ""
    return Handover(received_by, shown, stays)


def photos(session: Session, link: Link) -> Sequence[ProofFileRow]:
    return _photos_taken(session, link) if Fact.PHOTO in link.may else ()


def _photos_taken(session: Session, link: Link) -> Sequence[ProofFileRow]:
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

"""The places a business knows: which wait for a person, and what is remembered of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from sqlmodel import Session, col, select

from hub.core.contracts import Match
from hub.core.jobs import State
from hub.core.places import place_key
from hub.core.values import Address, Contact, Point
from hub.db.tables import AuditRow, BusinessRow, JobRow, OrderRow, PlaceRow
from hub.flows.locate import AddressBook, place_of
from hub.flows.sync import address_document, order_report

if TYPE_CHECKING:
    from hub.app import Hub

KNOWN = 5  # places of the business's own that a search shows before the geocoders' answers
COORDINATES = re.compile(r"^\s*(-?\d{1,2}\.\d+)\s*[,; ]\s*(-?\d{1,3}\.\d+)\s*$")
POSTCODE_FIRST = re.compile(r"^(?P<postcode>[A-Z]{0,2}-?\d{3,6})\s+(?P<city>\D+)$")

contacts_document: TypeAdapter[list[Contact]] = TypeAdapter(list[Contact])


@dataclass(frozen=True, slots=True)
class Found:
    """Where one geocoder, named by its key, thinks the address is."""

    geocoder: str
    match: Match


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that cannot be planned before its place is known."""

    job_id: str
    order_id: str
    order_number: str
    kind: str
    recipient: str


@dataclass(frozen=True, slots=True)
class ReviewSeen:
    """A place whose pin a dispatcher must set. ``candidates``: the surest first, maybe none."""

    place_id: str
    address: Address
    candidates: tuple[Found, ...]
    waiting: tuple[Waiting, ...]

    @property
    def order_numbers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.order_number for one in self.waiting))


def to_review(hub: Hub, business_id: str, *, most: int = 50) -> list[ReviewSeen]:
    """Up to ``most`` places with jobs in ``needs_review``, the longest waiting first.

    Asks the geocoders anew: the map may know the street by now. A geocoder that does
    not answer costs its candidates, not the page.
    """
    with hub.reading() as session:
        places = _under_review(session, business_id, most)
        waiting = {place.id: _waiting(session, business_id, place.id) for place in places}
    book = AddressBook.of(hub, business_id)
    seen = []
    for place in places:
        address = address_document.validate_python(place.address)
        candidates = tuple(Found(key, match) for key, match in book.ask(address).items())
        seen.append(ReviewSeen(place.id, address, candidates, waiting[place.id]))
    return seen


def search(hub: Hub, business_id: str, text: str) -> list[Match]:
    """Points for what a dispatcher typed: coordinates, places known already, then geocoders'."""
    if (typed := COORDINATES.match(text)) is not None:
        return _point(float(typed[1]), float(typed[2]))
    if not text.strip():
        return []
    with hub.reading() as session:
        country = session.get_one(BusinessRow, business_id).country
        known = _known(session, business_id, text)
    answers = AddressBook.of(hub, business_id).ask(_as_address(text, country))
    return [*known, *answers.values()]


def remember(
    hub: Hub,
    business_id: str,
    place_id: str,
    *,
    access_note: str,
    safe_place: str,
    contacts: Sequence[Contact],
    service_s: int | None,
    actor: str,
    access_s: int | None = None,
) -> PlaceRow:
    """Keep what is known of a place for every later order; what was kept before is replaced.

    ``service_s`` ``None``: the usual time. ``access_s``: from the parked van to the door. Raises
    ``LookupError`` for a place of another business, ``ValueError`` for a time nobody spends there.
    """
    if service_s is not None and not 0 <= service_s <= 14_400:
        raise ValueError("The time at the door is between 0 and 4 hours.")
    if access_s is not None and not 0 <= access_s <= 3600:
        raise ValueError("From the van to the door it is between 0 and 60 minutes.")
    with hub.unit() as unit:
        place = place_of(unit.session, business_id, place_id)
        place.access_note, place.safe_place = access_note.strip()[:1000], safe_place.strip()[:500]
        place.contacts = contacts_document.dump_python(list(contacts), mode="json")
        place.service_s, place.access_s, place.updated_at = service_s, access_s, hub.now()
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action="place remembered",
                subject=place_id,
                at=hub.now(),
            )
        )
    return place


def contacts_at(place: PlaceRow) -> list[Contact]:
    """The people kept for a place: a caretaker, a gate."""
    return contacts_document.validate_python(place.contacts)


def _under_review(session: Session, business_id: str, most: int) -> Sequence[PlaceRow]:
    asked = (
        select(JobRow.place_id)
        .where(JobRow.business_id == business_id, JobRow.state == State.NEEDS_REVIEW)
        .distinct()
    )
    return session.exec(
        select(PlaceRow)
        .where(PlaceRow.business_id == business_id, col(PlaceRow.id).in_(asked))
        .order_by(col(PlaceRow.updated_at), col(PlaceRow.id))
        .limit(most)
    ).all()


def _waiting(session: Session, business_id: str, place_id: str) -> tuple[Waiting, ...]:
    rows = session.exec(
        select(JobRow, OrderRow)
        .join(OrderRow, col(OrderRow.id) == col(JobRow.order_id))
        .where(
            JobRow.business_id == business_id,
            JobRow.place_id == place_id,
            JobRow.state == State.NEEDS_REVIEW,
        )
        .order_by(col(JobRow.id))
    )
    return tuple(
        Waiting(
            job.id,
            order.id,
            order.number,
            job.kind,
            order_report.validate_python(order.report).recipient.name,
        )
        for job, order in rows
    )


def _known(session: Session, business_id: str, text: str) -> list[Match]:
    key = place_key(Address((text,)))
    if not key:
        return []
    rows = session.exec(
        select(PlaceRow)
        .where(
            PlaceRow.business_id == business_id,
            col(PlaceRow.lat).is_not(None),
            col(PlaceRow.key).contains(key, autoescape=True),
        )
        .order_by(col(PlaceRow.confidence).desc(), col(PlaceRow.id))
        .limit(KNOWN)
    ).all()
    return [
        Match(
            Point(place.lat, place.lon),
            address_document.validate_python(place.address).one_line(),
            "rooftop",
            place.confidence,
        )
        for place in rows
        if place.lat is not None and place.lon is not None
    ]


def _as_address(text: str, country: str) -> Address:
    """``Yrjönkatu 10, 00120 Helsinki`` in its parts, as far as commas tell them."""
    first, *rest = [part.strip() for part in text.split(",") if part.strip()] or [text]
    last = rest.pop() if rest else ""
    split = POSTCODE_FIRST.match(last)
    postcode, city = (split["postcode"], split["city"]) if split else ("", last)
    return Address((first, *rest), city=city.strip(), postcode=postcode, country=country)


def _point(lat: float, lon: float) -> list[Match]:
    try:
        point = Point(lat, lon)
    except ValueError:
        return []
    return [Match(point, f"{lat:.5f}, {lon:.5f}", "rooftop", 1.0)]

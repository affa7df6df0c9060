"""The rows that one reported order becomes, and what they say.

Ids are given: a row that makes its own took twice as long, which a list of 1,000 shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from hub.core.ids import new_id
from hub.core.orders import IncomingOrder, Kind
from hub.core.places import place_key
from hub.core.values import Address, Point, Role, TimeWindow
from hub.db.tables import ContactRow, JobRow, LineRow, LinkRow, OrderRow, PlaceRow
from hub.keys import Keys, hashed

order_report: TypeAdapter[IncomingOrder] = TypeAdapter(IncomingOrder)
address_document: TypeAdapter[Address] = TypeAdapter(Address)

Spot = tuple[Address, Point | None]


def order_row(
    business_id: str, connection_id: str, incoming: IncomingOrder, now: datetime
) -> OrderRow:
    return OrderRow(
        id=new_id(),
        business_id=business_id,
        connection_id=connection_id,
        ref=incoming.ref,
        number=incoming.number,
        report=order_report.dump_python(incoming, mode="json"),
        received_at=now,
        updated_at=now,
    )


def link_row(keys: Keys, order: OrderRow, role: str = Role.RECIPIENT) -> LinkRow:
    """The first tracking link of one contact; only the hash of the token."""
    return LinkRow(
        id=new_id(),
        business_id=order.business_id,
        order_id=order.id,
        role=role,
        token_hash=hashed(keys.role_token(order.id, role, 1)),
    )


def contact_rows(order: OrderRow, incoming: IncomingOrder) -> list[ContactRow]:
    """The first contact of each role."""
    first = {contact.role: contact for contact in reversed(incoming.contacts)}
    return [
        ContactRow(
            id=new_id(),
            business_id=order.business_id,
            order_id=order.id,
            role=contact.role,
            name=contact.name,
            phone=contact.phone,
            email=contact.email,
            language=contact.language,
        )
        for contact in reversed(first.values())
    ]


def line_rows(order: OrderRow, incoming: IncomingOrder) -> list[LineRow]:
    return [
        LineRow(
            id=new_id(),
            business_id=order.business_id,
            order_id=order.id,
            n=n,
            title=line.title,
            sku=line.sku,
            barcode=line.barcode,
            quantity=line.quantity,
            weight_g=line.weight_g,
            volume_cm3=line.volume_cm3,
        )
        for n, line in enumerate(incoming.lines)
    ]


@dataclass(frozen=True, slots=True)
class Leg:
    """What one job of an order is to do, as its source reports it."""

    kind: Kind
    spot: Spot
    windows: tuple[TimeWindow, ...]
    service_s: int | None


def legs(incoming: IncomingOrder) -> list[Leg]:
    """One, or two where the goods are fetched first."""
    last = Leg(incoming.kind, spot(incoming), incoming.windows, incoming.service_s)
    if (fetch := incoming.pick_up) is None:
        return [last]
    where = (fetch.address, fetch.point)
    return [Leg(Kind.COLLECT, where, fetch.windows, fetch.service_s), last]


def keep_walk(incoming: IncomingOrder, places: Mapping[str, PlaceRow]) -> None:
    """How far it is from the van to the door is known of the address from now on."""
    if incoming.access_s is not None:
        places[spot_key(spot(incoming))].access_s = incoming.access_s


def job_rows(
    order: OrderRow,
    incoming: IncomingOrder,
    places: Mapping[str, PlaceRow],
    now: datetime,
    attempt: int = 1,
) -> Iterator[JobRow]:
    """One job a leg. ``places``: by ``spot_key``."""
    for n, leg in enumerate(legs(incoming), 1):
        yield JobRow(
            id=new_id(),
            business_id=order.business_id,
            order_id=order.id,
            attempt=attempt,
            leg=n,
            kind=leg.kind,
            place_id=places[spot_key(leg.spot)].id,
            windows=window_document(leg.windows),
            due_on=incoming.due_on,
            service_s=leg.service_s,
            created_at=now,
        )


def place_row(business_id: str, where: Spot, now: datetime) -> PlaceRow:
    return PlaceRow(
        id=new_id(),
        business_id=business_id,
        key=spot_key(where),
        address=address_document.dump_python(where[0], mode="json"),
        contacts=[],
        updated_at=now,
    )


def spots(incoming: IncomingOrder) -> list[Spot]:
    """Where its jobs are, in their order."""
    return [leg.spot for leg in legs(incoming)]


def spot(incoming: IncomingOrder) -> Spot:
    return incoming.address, incoming.point


def spot_key(where: Spot) -> str:
    """The key of its place: the address or, where there is none, the point."""
    address, point = where
    return place_key(address) or (f"{point.lat:.5f} {point.lon:.5f}" if point else "")


def window_document(windows: tuple[TimeWindow, ...]) -> list[list[str]]:
    return [[w.opens.isoformat(), w.closes.isoformat()] for w in windows]

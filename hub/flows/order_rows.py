"""The rows that one reported order becomes, and what they say.

Ids are given: a row that makes its own took twice as long, which a list of 1,000 shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from pydantic import TypeAdapter

from hub.core.ids import new_id
from hub.core.orders import IncomingOrder, Kind
from hub.core.places import place_key
from hub.core.values import Address, Point, TimeWindow
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


def link_row(keys: Keys, order: OrderRow) -> LinkRow:
    """Its first tracking link; only the hash of the token."""
    token_hash = hashed(keys.link_token(order.id, 1))
    return LinkRow(
        id=new_id(), business_id=order.business_id, order_id=order.id, token_hash=token_hash
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


def job_rows(
    order: OrderRow, incoming: IncomingOrder, places: Mapping[str, PlaceRow], now: datetime
) -> Iterator[JobRow]:
    """One job, or two where the goods are fetched first. ``places``: by ``spot_key``."""
    legs: list[tuple[Kind, Spot, tuple[TimeWindow, ...], int | None]]
    legs = [(incoming.kind, spot(incoming), incoming.windows, incoming.service_s)]
    if (fetch := incoming.pick_up) is not None:
        where = (fetch.address, fetch.point)
        legs.insert(0, (Kind.COLLECT, where, fetch.windows, fetch.service_s))
    for leg, (kind, where, windows, service_s) in enumerate(legs, 1):
        yield JobRow(
            id=new_id(),
            business_id=order.business_id,
            order_id=order.id,
            leg=leg,
            kind=kind,
            place_id=places[spot_key(where)].id,
            windows=window_document(windows),
            due_on=incoming.due_on,
            service_s=service_s,
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
    fetch = incoming.pick_up
    first = [] if fetch is None else [(fetch.address, fetch.point)]
    return [*first, spot(incoming)]


def spot(incoming: IncomingOrder) -> Spot:
    return incoming.address, incoming.point


def spot_key(where: Spot) -> str:
    """The key of its place: the address or, where there is none, the point."""
    address, point = where
    return place_key(address) or (f"{point.lat:.5f} {point.lon:.5f}" if point else "")


def window_document(windows: tuple[TimeWindow, ...]) -> list[list[str]]:
    return [[w.opens.isoformat(), w.closes.isoformat()] for w in windows]

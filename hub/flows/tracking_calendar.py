"""The time that a page tells, as an appointment for its recipient's calendar."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from sqlmodel import func, select

from hub.core.calendar_file import Appointment
from hub.core.orders import Kind
from hub.core.tracking_page import OPEN, Life
from hub.core.visibility import Fact
from hub.db.tables import PromiseRow
from hub.flows import tracking_parts as parts
from hub.flows.brands import Brands
from hub.flows.tracking_link import opened

if TYPE_CHECKING:
    from hub.app import Hub


def appointment(hub: Hub, token: str) -> Appointment | None:
    """``None`` for a link that is unknown, and where no time is told (any more)."""
    with hub.reading() as session:
        link = opened(session, token, hub.now())
        if link is None or link.life is not Life.FULL or link.seen.shows not in OPEN:
            return None
        if link.seen.quoted is None or link.seen.others:
            return None
        told = session.exec(
            select(func.max(PromiseRow.n)).where(
                PromiseRow.business_id == link.business.id, PromiseRow.job_id == link.job.id
            )
        ).one()
        say = parts.tongue_of(session, link).say
        brands = Brands(session, link.business.id)
        whose = brands.of(parts.order(session, link.business.id, link.order_id))
        brand = whose.name or link.business.name
        base = brands.address(hub, whose)
        place = parts.place(session, link) if Fact.ADDRESS in link.may else None
    match link.seen.job.kind:
        case Kind.DELIVER:
            title = say("Delivery from {brand}", brand=brand)
        case Kind.COLLECT:
            title = say("Collection by {brand}", brand=brand)
        case _:
            title = say("Visit by {brand}", brand=brand)
    # Of a later attempt, too, the numbers go on: attempts have fewer promises than that each.
    sequence = (link.seen.job.attempt - 1) * 1000 + max(told or 0, 0)
    return Appointment(
        uid=f"{sha256(link.order_id.encode()).hexdigest()[:32]}@last-mile-hub",
        sequence=sequence,
        window=link.seen.quoted,
        title=title,
        text=say("The time may still move a little. This page always has the latest:"),
        place=parts.street_and_town(place) if place else "",
        url=f"{base}/t/{token}",
    )

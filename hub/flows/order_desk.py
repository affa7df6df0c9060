"""What a dispatcher does to one order: type it in, call it off, note something, show a proof."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlmodel import Session, func, select

from hub.core.errors import Refused
from hub.core.jobs import State
from hub.core.orders import IncomingOrder
from hub.db.tables import AuditRow, BusinessRow, ConnectionRow, OrderRow, ProofFileRow
from hub.flows.connected import TYPED_IN
from hub.flows.kept_apart import orders_called, refuse_unknown
from hub.flows.orders import cancel_order, one_order, orders_by_ref
from hub.flows.proof_store import content_of
from hub.flows.prove import job_of
from hub.flows.route_news import tell_routes
from hub.flows.sync import store

if TYPE_CHECKING:
    from hub.app import Hub


def take_order(hub: Hub, business_id: str, order: IncomingOrder, *, actor: str) -> str:
    """The id of a typed order, stored as one that came by the API would be.

    Its ``ref`` makes a repeat harmless. Without a number it gets the next of ours. Raises
    ``Refused`` for a number that another order has, ``UnknownOrdersError`` for one it is to be kept
    apart from that is not here.
    """
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        source = _typed_in(unit.session, business_id)
        if known := orders_by_ref(unit.session, business_id, source.id, [order.ref]):
            return known[order.ref].row.id
        number = order.number or _next_number(unit.session, source)
        if order.number and _is_taken(unit.session, business_id, number):
            raise Refused(f"There is an order {number} already.")
        if names := order.apart_from:
            refuse_unknown(names, orders_called(unit.session, business_id, names, source.id))
        about = (unit, hub.keys, business_id, source.id)
        store(*about, [replace(order, number=number)], (), hub.now(), actor)
        return orders_by_ref(unit.session, business_id, source.id, [order.ref])[order.ref].row.id


def _typed_in(session: Session, business_id: str) -> ConnectionRow:
    """The connection of orders typed in here; made with the first of them."""
    row = session.exec(
        select(ConnectionRow).where(
            ConnectionRow.business_id == business_id, ConnectionRow.slug == TYPED_IN
        )
    ).one_or_none()
    if row is None:
        row = ConnectionRow(
            business_id=business_id, slug=TYPED_IN, plugin=TYPED_IN, title="Typed in"
        )
        session.add(row)
        session.flush()
    return row


def _next_number(session: Session, source: ConnectionRow) -> str:
    mine = (OrderRow.business_id == source.business_id, OrderRow.connection_id == source.id)
    n = session.exec(select(func.count()).select_from(OrderRow).where(*mine)).one() + 1
    while _is_taken(session, source.business_id, f"T-{n}"):
        n += 1
    return f"T-{n}"


def _is_taken(session: Session, business_id: str, number: str) -> bool:
    taken = select(OrderRow.id).where(
        OrderRow.business_id == business_id, OrderRow.number == number
    )
    return session.exec(taken.limit(1)).first() is not None


def call_off(hub: Hub, business_id: str, order_id: str, *, actor: str) -> None:
    """Cancel an order's open jobs. Safe to repeat; raises ``Refused`` when all is done.

    Raises ``LookupError`` for an order of another business.
    """
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        seen = one_order(unit.session, business_id, order_id)
        if seen is None:
            raise LookupError(f"no order {order_id}")
        cancel_order(unit, hub.keys, seen, hub.now(), actor)


def note_for_driver(hub: Hub, business_id: str, job_id: str, note: str, *, actor: str) -> None:
    """What the driver reads at this job. Raises ``Refused`` once it is closed."""
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        job = job_of(unit.session, business_id, job_id)
        if job.state == State.CLOSED:
            raise Refused("This job is closed; nobody would read the note.")
        if (said := note.strip()[:1000]) == job.driver_note:
            return
        job.driver_note, job.version = said, job.version + 1
        tell_routes(unit, business_id, [job], hub.now(), actor)
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action="job.note",
                subject=job_id,
                at=hub.now(),
            )
        )


def proof_file(hub: Hub, business_id: str, job_id: str, file_id: str) -> tuple[str, bytes]:
    """Media type and content of one file of a proof.

    Raises ``LookupError`` for a file of another business or job and for one that is gone, a
    ``HubError`` for one that was changed or whose store cannot be asked.
    """
    with hub.reading() as session:
        file = session.exec(
            select(ProofFileRow).where(
                ProofFileRow.business_id == business_id,
                ProofFileRow.job_id == job_id,
                ProofFileRow.id == file_id,
            )
        ).one_or_none()
    if file is None:
        raise LookupError(f"no file {file_id} of job {job_id}")
    return file.media_type, content_of(hub, file)

"""What the books keep of a closed job: how it ended, when, with whom, and the proof as a PDF."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import Session, select

from hub.core.business import BusinessSettings
from hub.core.connecting import DeliveryRecord, Document
from hub.core.kept_back import for_books, order_for_books
from hub.core.orders import IncomingOrder
from hub.core.values import Contact, DeliveredLine, Role
from hub.core.visibility import Reader
from hub.db.tables import BusinessRow, ContactRow, JobRow, LinkRow, OrderRow
from hub.flows.brands import link_of
from hub.flows.document import pod_pdf
from hub.flows.document.told import Told
from hub.flows.document.words import reason as words_of
from hub.flows.late_proof import is_whole, said_with
from hub.flows.order_rows import order_report
from hub.flows.prove import job_of, proof_of

if TYPE_CHECKING:
    from hub.app import Hub


def delivery_of(
    hub: Hub, session: Session, business_id: str, job_id: str
) -> tuple[IncomingOrder, DeliveryRecord, bool]:
    """The order, what the books keep of it, and whether its proof is whole.

    Both without what the business keeps from its books. Of a job that was cancelled while it
    was done, it is what the proof says.
    """
    job = job_of(session, business_id, job_id)
    order = session.exec(
        select(OrderRow).where(OrderRow.business_id == business_id, OrderRow.id == job.order_id)
    ).one()
    proof = proof_of(session, business_id, job_id)
    outcome, reason, at = job.outcome, job.reason, _ended_at(job)
    if done_anyway := proof is not None and job.outcome == "cancelled":
        outcome, reason = said_with(session, job, proof)
        at = proof.occurred_at
    business = session.get_one(BusinessRow, business_id)
    rules = BusinessSettings.model_validate(business.settings).visibility
    zone = ZoneInfo(business.zone)
    contacts = session.exec(
        select(ContactRow).where(
            ContactRow.business_id == business_id, ContactRow.order_id == order.id
        )
    ).all()
    epoch = session.exec(
        select(LinkRow.epoch).where(
            LinkRow.business_id == business_id,
            LinkRow.order_id == order.id,
            LinkRow.role == "recipient",
        )
    ).one()
    link = link_of(hub, session, order, epoch)
    driver = Told.read(session, business_id, job_id).driver if proof else None
    record = DeliveryRecord(
        key=job_id,
        order_ref=order.ref,
        order_number=order.number,
        outcome=outcome,
        at=at.astimezone(zone),
        reason=words_of(reason),
        late_proof=done_anyway,
        attempt=job.attempt,
        driver=driver.name if driver else "",
        received_by=proof.name if proof else "",
        note=proof.note if proof else "",
        contacts=tuple(Contact(Role(one.role), one.name, one.phone, one.email) for one in contacts),
        lines=tuple(DeliveredLine(**line) for line in proof.lines) if proof else (),
        proof_url=f"{link}/proof.pdf" if proof else "",
    )
    return (
        order_for_books(order_report.validate_python(order.report), rules),
        for_books(record, rules),
        proof is not None and is_whole(session, proof),
    )


def _ended_at(job: JobRow) -> datetime:
    at = job.closed_occurred_at or job.closed_at
    assert at is not None  # a closed job
    return at


def documents_of(
    hub: Hub, business_id: str, job_id: str, delivery: DeliveryRecord, whole: bool
) -> tuple[Document, ...]:
    """Under another name while it is incomplete: books tell files apart by their names."""
    if not delivery.proof_url:
        return ()
    name = f"POD {delivery.order_number or delivery.order_ref}"
    if delivery.attempt > 1:
        name = f"{name} attempt {delivery.attempt}"
    if not whole:
        name = f"{name} incomplete"
    pdf = pod_pdf(hub, business_id, job_id, reader=Reader.BOOKS, hurries=False)
    return (Document(f"{name}.pdf", "application/pdf", pdf),)

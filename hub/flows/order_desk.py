"""What a dispatcher does to one order: call it off, leave the driver a note, show a proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import select

from hub.core.contracts import PodStore
from hub.core.errors import Refused
from hub.core.jobs import State
from hub.db.tables import AuditRow, BusinessRow, ProofFileRow
from hub.flows.choices import choice, provider_of
from hub.flows.orders import cancel_order, one_order
from hub.flows.prove import job_of
from hub.flows.route_news import tell_routes

if TYPE_CHECKING:
    from hub.app import Hub


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

    Raises ``LookupError`` for a file of another business or job and for one that is gone.
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
    chosen = choice(hub, business_id, "pod_store", file.store)
    store = provider_of(hub, chosen, PodStore) if chosen else hub.provider(PodStore, file.store, {})
    return file.media_type, store.get(file.store_ref)

"""Bring orders in. CSV, API and every connected shop end in the same ``store``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from sqlmodel import col, delete, select

from hub.core import jobs
from hub.core.errors import BadRecord
from hub.core.events import OrderAmended, OrderCancelled, OrderPlaced
from hub.core.jobs import Outcome, State
from hub.core.orders import IncomingOrder, Kind, compare
from hub.core.places import place_key
from hub.core.values import Address, Point, TimeWindow
from hub.db.tables import (
    BusinessRow,
    ContactRow,
    JobRow,
    LineRow,
    LinkRow,
    OrderRow,
    PlaceRow,
    RejectRow,
)
from hub.db.unit import Unit
from hub.flows.route_news import tell_routes
from hub.keys import Keys, hashed

if TYPE_CHECKING:
    from hub.app import Hub

order_report: TypeAdapter[IncomingOrder] = TypeAdapter(IncomingOrder)
address_document: TypeAdapter[Address] = TypeAdapter(Address)
SHOWN = frozenset({"number", "address", "point", "contacts", "pick_up", "lines", "parcels"})
SHOWN |= {"windows", "payment_due", "instructions"}
"""The fields of an order that its driver's phone or its route depend on."""


@dataclass
class SyncReport:
    placed: int = 0
    amended: int = 0
    cancelled: int = 0
    repeats: int = 0
    rejects: int = 0


def store_all(
    hub: Hub,
    business_id: str,
    connection_id: str,
    orders: Iterable[IncomingOrder],
    rejects: Iterable[BadRecord] = (),
    *,
    actor: str = "hub",
) -> SyncReport:
    """Store all of them in one unit, or none. Safe to repeat."""
    with hub.unit() as unit:
        return store(unit, hub.keys, business_id, connection_id, orders, rejects, hub.now(), actor)


def store(
    unit: Unit,
    keys: Keys,
    business_id: str,
    connection_id: str,
    orders: Iterable[IncomingOrder],
    rejects: Iterable[BadRecord],
    now: datetime,
    actor: str,
) -> SyncReport:
    """Store within a unit that somebody else commits, so that a cursor can go with it."""
    # Whoever changes routes of this business waits, as we wait for them. Not the usual
    # FOR UPDATE: a caller that has already written rows of the business must not deadlock.
    unit.session.get_one(BusinessRow, business_id, with_for_update={"key_share": True})
    writer = _Writer(unit, keys, business_id, connection_id, now, actor)
    for incoming in orders:
        writer.take(incoming)
    for reject in rejects:
        writer.set_aside(reject)
    return writer.report


class _Writer:
    def __init__(
        self,
        unit: Unit,
        keys: Keys,
        business_id: str,
        connection_id: str,
        now: datetime,
        actor: str,
    ) -> None:
        self.unit, self.session, self.keys = unit, unit.session, keys
        self.business_id, self.connection_id = business_id, connection_id
        self.now, self.actor = now, actor
        self.report = SyncReport()

    def take(self, incoming: IncomingOrder) -> None:
        row = self.session.exec(
            select(OrderRow).where(
                OrderRow.business_id == self.business_id,
                OrderRow.connection_id == self.connection_id,
                OrderRow.ref == incoming.ref,
            )
        ).one_or_none()
        known = None if row is None else order_report.validate_python(row.report)
        change = compare(known, incoming)
        if change.kind in ("unchanged", "stale"):
            self.report.repeats += 1
            return
        if row is None:
            self._place(incoming)
            return
        row.report = order_report.dump_python(incoming, mode="json")
        row.status, row.number, row.updated_at = incoming.status, incoming.number, self.now
        row.version += 1
        if change.kind == "cancelled":
            self._cancel(row.id)
        else:
            self._amend(row.id, incoming, change.fields)

    def set_aside(self, reject: BadRecord) -> None:
        self.report.rejects += 1
        row = self.session.exec(
            select(RejectRow).where(
                RejectRow.business_id == self.business_id,
                RejectRow.connection_id == self.connection_id,
                RejectRow.ref == reject.ref,
            )
        ).one_or_none()
        if row is None:
            row = RejectRow(
                business_id=self.business_id,
                connection_id=self.connection_id,
                ref=reject.ref,
                problem=reject.problem,
                at=self.now,
            )
            self.session.add(row)
        row.problem, row.at = reject.problem, self.now

    def _place(self, incoming: IncomingOrder) -> None:
        order = OrderRow(
            business_id=self.business_id,
            connection_id=self.connection_id,
            ref=incoming.ref,
            number=incoming.number,
            report=order_report.dump_python(incoming, mode="json"),
            received_at=self.now,
            updated_at=self.now,
        )
        self.session.add(order)
        self.session.flush()
        token = self.keys.link_token(order.id, 1)
        self.session.add(
            LinkRow(business_id=self.business_id, order_id=order.id, token_hash=hashed(token))
        )
        self._details(order.id, incoming)
        if incoming.pick_up is not None:
            pick_up = incoming.pick_up
            place = self._place_for(pick_up.address, pick_up.point)
            self._job(order.id, incoming, place, Kind.COLLECT, pick_up.windows, pick_up.service_s)
        place = self._place_for(incoming.address, incoming.point)
        self._job(
            order.id,
            incoming,
            place,
            incoming.kind,
            incoming.windows,
            incoming.service_s,
            leg=1 if incoming.pick_up is None else 2,
        )
        self.report.placed += 1
        self.unit.announce(OrderPlaced(**self._about(order.id)))

    def _amend(self, order_id: str, incoming: IncomingOrder, changed: tuple[str, ...]) -> None:
        self._details(order_id, incoming)
        still_open = self._open_jobs(order_id)
        for job in still_open:
            if job.leg == 1 and incoming.pick_up is not None:
                continue
            job.windows, job.due_on = _windows(incoming.windows), incoming.due_on
            job.service_s, job.version = incoming.service_s, job.version + 1
            # A job that is already on somebody's list keeps its place until a person decides.
            if State(job.state) in (State.CREATED, State.NEEDS_REVIEW, State.ON_HOLD):
                place = self._place_for(incoming.address, incoming.point)
                job.place_id = place.id
                if State(job.state) is State.NEEDS_REVIEW and place.lat is not None:
                    job.state = jobs.after(State.NEEDS_REVIEW, jobs.Act.LOCATE)
        if SHOWN.intersection(changed):
            tell_routes(self.unit, self.business_id, still_open, self.now, self.actor)
        self.report.amended += 1
        self.unit.announce(OrderAmended(**self._about(order_id), changed=changed))

    def _cancel(self, order_id: str) -> None:
        still_open = self._open_jobs(order_id)
        for job in still_open:
            job.state = jobs.close(State(job.state), Outcome.CANCELLED)
            job.outcome, job.closed_at, job.closed_occurred_at = "cancelled", self.now, self.now
            job.version += 1
        tell_routes(self.unit, self.business_id, still_open, self.now, self.actor, withdrawn=True)
        self.report.cancelled += 1
        self.unit.announce(OrderCancelled(**self._about(order_id)))

    def _details(self, order_id: str, incoming: IncomingOrder) -> None:
        for table in (ContactRow, LineRow):
            self.session.exec(
                delete(table).where(
                    col(table.business_id) == self.business_id, col(table.order_id) == order_id
                )
            )
        told: set[str] = set()
        for contact in incoming.contacts:
            if contact.role not in told:
                told.add(contact.role)
                self.session.add(
                    ContactRow(
                        business_id=self.business_id,
                        order_id=order_id,
                        role=contact.role,
                        name=contact.name,
                        phone=contact.phone,
                        email=contact.email,
                        language=contact.language,
                    )
                )
        for n, line in enumerate(incoming.lines):
            self.session.add(
                LineRow(
                    business_id=self.business_id,
                    order_id=order_id,
                    n=n,
                    title=line.title,
                    sku=line.sku,
                    barcode=line.barcode,
                    quantity=line.quantity,
                    weight_g=line.weight_g,
                    volume_cm3=line.volume_cm3,
                )
            )

    def _place_for(self, address: Address, point: Point | None) -> PlaceRow:
        key = place_key(address) or (f"{point.lat:.5f} {point.lon:.5f}" if point else "")
        place = self.session.exec(
            select(PlaceRow).where(PlaceRow.business_id == self.business_id, PlaceRow.key == key)
        ).one_or_none()
        if place is None:
            place = PlaceRow(
                business_id=self.business_id,
                key=key,
                address=address_document.dump_python(address, mode="json"),
                updated_at=self.now,
            )
            self.session.add(place)
            self.session.flush()
        if point is not None and place.source != "staff":  # a pin a person set outranks a file
            place.lat, place.lon, place.confidence = point.lat, point.lon, 1.0
            place.source, place.updated_at = "order", self.now
        return place

    def _job(
        self,
        order_id: str,
        incoming: IncomingOrder,
        place: PlaceRow,
        kind: Kind,
        windows: tuple[TimeWindow, ...],
        service_s: int | None,
        leg: int = 1,
    ) -> None:
        self.session.add(
            JobRow(
                business_id=self.business_id,
                order_id=order_id,
                leg=leg,
                kind=kind,
                place_id=place.id,
                windows=_windows(windows),
                due_on=incoming.due_on,
                service_s=service_s,
                created_at=self.now,
            )
        )

    def _open_jobs(self, order_id: str) -> list[JobRow]:
        return list(
            self.session.exec(
                select(JobRow).where(
                    JobRow.business_id == self.business_id,
                    JobRow.order_id == order_id,
                    JobRow.state != State.CLOSED,
                )
            )
        )

    def _about(self, order_id: str) -> dict[str, Any]:
        return {
            "business_id": self.business_id,
            "subject_id": order_id,
            "occurred_at": self.now,
            "received_at": self.now,
            "actor": self.actor,
        }


def _windows(windows: tuple[TimeWindow, ...]) -> list[list[str]]:
    return [[w.opens.isoformat(), w.closes.isoformat()] for w in windows]

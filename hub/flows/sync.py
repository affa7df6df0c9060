"""Bring orders in. CSV, API and every connected shop end in the same ``store``.

Some hundred at a time, each kind of row read and written by one statement: a unit holds
the database, and drivers' acts wait for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import col, delete, select

from hub.core import jobs
from hub.core.errors import BadRecord
from hub.core.events import OrderAmended, OrderCancelled, OrderPlaced
from hub.core.jobs import Outcome, State
from hub.core.orders import Change, IncomingOrder, compare
from hub.db.tables import (
    BusinessRow,
    ContactRow,
    JobRow,
    LineRow,
    OrderRow,
    PlaceRow,
    RejectRow,
)
from hub.db.unit import Unit
from hub.flows.many_events import announce_all
from hub.flows.order_rows import (
    Spot,
    address_document,
    contact_rows,
    job_rows,
    line_rows,
    link_row,
    order_report,
    order_row,
    place_row,
    spot,
    spot_key,
    spots,
    window_document,
)
from hub.flows.route_news import tell_routes
from hub.keys import Keys

if TYPE_CHECKING:
    from hub.app import Hub

__all__ = ["SyncReport", "address_document", "order_report", "store", "store_all"]

AT_ONCE = 500  # orders; a statement of SQLite takes 32,766 values
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
    for some in _apart(orders):
        writer.take(some)
    writer.set_aside(list(rejects))
    return writer.report


def _apart(orders: Iterable[IncomingOrder]) -> Iterator[dict[str, IncomingOrder]]:
    """Some at a time, by ref and in their order; a ref that comes again waits for the next."""
    some: dict[str, IncomingOrder] = {}
    for incoming in orders:
        if len(some) == AT_ONCE or incoming.ref in some:
            yield some
            some = {}
        some[incoming.ref] = incoming
    if some:
        yield some


@dataclass(frozen=True, slots=True)
class _Known:
    """An order that is stored already, as reported now; ``jobs`` are those still open."""

    row: OrderRow
    incoming: IncomingOrder
    change: Change
    jobs: list[JobRow]

    @property
    def last_legs(self) -> list[JobRow]:
        return [job for job in self.jobs if job.leg != 1 or self.incoming.pick_up is None]

    @property
    def movable(self) -> list[JobRow]:
        """A job that is already on somebody's list keeps its place until a person decides."""
        free = (State.CREATED, State.NEEDS_REVIEW, State.ON_HOLD)
        return [job for job in self.last_legs if State(job.state) in free]


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

    def take(self, orders: Mapping[str, IncomingOrder]) -> None:
        new, known = self._compared(orders)
        amended = [one for one in known if one.change.kind == "amended"]
        wanted = [where for incoming in new for where in spots(incoming)]
        wanted += [spot(one.incoming) for one in amended if one.movable]
        places = self._places(wanted)
        self._place(new, places)
        self._amend(amended, places)
        self._cancel([one for one in known if one.change.kind == "cancelled"])
        self.session.flush()

    def set_aside(self, rejects: Sequence[BadRecord]) -> None:
        self.report.rejects += len(rejects)
        refs = {reject.ref for reject in rejects}
        known = {row.ref: row for row in self._of_connection(RejectRow, refs)}
        for reject in rejects:
            row = known.get(reject.ref)
            if row is None:
                row = known[reject.ref] = RejectRow(
                    business_id=self.business_id,
                    connection_id=self.connection_id,
                    ref=reject.ref,
                    problem=reject.problem,
                    at=self.now,
                )
                self.session.add(row)
            row.problem, row.at = reject.problem, self.now

    def _compared(
        self, orders: Mapping[str, IncomingOrder]
    ) -> tuple[list[IncomingOrder], list[_Known]]:
        """Those not seen before, and those that are now different."""
        rows = {row.ref: row for row in self._of_connection(OrderRow, orders)}
        new, different = [], []
        for ref, incoming in orders.items():
            row = rows.get(ref)
            before = None if row is None else order_report.validate_python(row.report)
            change = compare(before, incoming)
            if change.kind in ("unchanged", "stale"):
                self.report.repeats += 1
            elif row is None:
                new.append(incoming)
            else:
                different.append((row, incoming, change))
        open_jobs = self._open_jobs([row.id for row, _, _ in different])
        return new, [_Known(*one, open_jobs[one[0].id]) for one in different]

    def _place(self, new: Sequence[IncomingOrder], places: Mapping[str, PlaceRow]) -> None:
        about = self.business_id, self.connection_id
        orders = [order_row(*about, incoming, self.now) for incoming in new]
        self.session.add_all(orders)
        self.session.flush()  # before the rows that point to them
        for order, incoming in zip(orders, new, strict=True):
            self.session.add(link_row(self.keys, order))
            self.session.add_all(contact_rows(order, incoming))
            self.session.add_all(line_rows(order, incoming))
            self.session.add_all(job_rows(order, incoming, places, self.now))
        announce_all(self.unit, (OrderPlaced(**self._about(order.id)) for order in orders))
        self.report.placed += len(new)

    def _amend(self, amended: Sequence[_Known], places: Mapping[str, PlaceRow]) -> None:
        self._forget_details([one.row.id for one in amended])
        shown = list[JobRow]()
        for one in amended:
            self._renew(one)
            self.session.add_all(contact_rows(one.row, one.incoming))
            self.session.add_all(line_rows(one.row, one.incoming))
            for job in one.last_legs:
                job.windows = window_document(one.incoming.windows)
                job.due_on, job.service_s = one.incoming.due_on, one.incoming.service_s
                job.version += 1
            for job in one.movable:
                place = places[spot_key(spot(one.incoming))]
                job.place_id = place.id
                if State(job.state) is State.NEEDS_REVIEW and place.lat is not None:
                    job.state = jobs.after(State.NEEDS_REVIEW, jobs.Act.LOCATE)
            if SHOWN.intersection(one.change.fields):
                shown += one.jobs
        if shown:
            tell_routes(self.unit, self.business_id, shown, self.now, self.actor)
        announce_all(
            self.unit,
            (OrderAmended(**self._about(one.row.id), changed=one.change.fields) for one in amended),
        )
        self.report.amended += len(amended)

    def _cancel(self, cancelled: Sequence[_Known]) -> None:
        withdrawn = [job for one in cancelled for job in one.jobs]
        for job in withdrawn:
            job.state = jobs.close(State(job.state), Outcome.CANCELLED)
            job.outcome, job.closed_at, job.closed_occurred_at = "cancelled", self.now, self.now
            job.version += 1
        if withdrawn:
            about = self.unit, self.business_id, withdrawn, self.now, self.actor
            tell_routes(*about, withdrawn=True)
        for one in cancelled:
            self._renew(one)
        announce_all(self.unit, (OrderCancelled(**self._about(one.row.id)) for one in cancelled))
        self.report.cancelled += len(cancelled)

    def _renew(self, one: _Known) -> None:
        row, incoming = one.row, one.incoming
        row.report = order_report.dump_python(incoming, mode="json")
        row.status, row.number, row.updated_at = incoming.status, incoming.number, self.now
        row.version += 1

    def _forget_details(self, order_ids: Collection[str]) -> None:
        for table in (ContactRow, LineRow) if order_ids else ():
            self.session.exec(
                delete(table).where(
                    col(table.business_id) == self.business_id, col(table.order_id).in_(order_ids)
                )
            )

    def _places(self, wanted: Sequence[Spot]) -> dict[str, PlaceRow]:
        """Stored places by ``spot_key``, each at the last point that was reported for it."""
        keys = {spot_key(where) for where in wanted}
        places = {row.key: row for row in self._known_places(keys)}
        for where in wanted:
            key, point = spot_key(where), where[1]
            if key not in places:
                places[key] = place_row(self.business_id, where, self.now)
                self.session.add(places[key])
            place = places[key]
            if point is not None and place.source != "staff":  # a person's pin outranks a file
                place.lat, place.lon, place.confidence = point.lat, point.lon, 1.0
                place.source, place.updated_at = "order", self.now
        self.session.flush()  # before the jobs that are there
        return places

    def _known_places(self, keys: Collection[str]) -> Sequence[PlaceRow]:
        if not keys:
            return ()
        mine = PlaceRow.business_id == self.business_id
        return self.session.exec(select(PlaceRow).where(mine, col(PlaceRow.key).in_(keys))).all()

    def _of_connection[R: (OrderRow, RejectRow)](
        self, table: type[R], refs: Collection[str]
    ) -> Sequence[R]:
        if not refs:
            return ()
        return self.session.exec(
            select(table).where(
                table.business_id == self.business_id,
                table.connection_id == self.connection_id,
                col(table.ref).in_(refs),
            )
        ).all()

    def _open_jobs(self, order_ids: Collection[str]) -> Mapping[str, list[JobRow]]:
        found: defaultdict[str, list[JobRow]] = defaultdict(list)
        if order_ids:
            for job in self.session.exec(
                select(JobRow).where(
                    JobRow.business_id == self.business_id,
                    col(JobRow.order_id).in_(order_ids),
                    JobRow.state != State.CLOSED,
                )
            ):
                found[job.order_id].append(job)
        return found

    def _about(self, order_id: str) -> dict[str, Any]:
        return {
            "business_id": self.business_id,
            "subject_id": order_id,
            "occurred_at": self.now,
            "received_at": self.now,
            "actor": self.actor,
        }

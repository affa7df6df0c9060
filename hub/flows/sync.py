"""Bring orders in. CSV, API and every connected shop end in the same ``store``.

Some hundred at a time, each kind of row read and written by one statement: a unit holds
the database, and drivers' acts wait for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlmodel import col, delete, select

from hub.core import jobs
from hub.core.amending import LEFT, Difference
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
from hub.flows.kept_apart import APART_BY
from hub.flows.kept_apart import renew as renew_apart
from hub.flows.kept_goods import keep_no_more
from hub.flows.known import DONE, SHOWN, Known, about_called_off
from hub.flows.links import add_links
from hub.flows.many_events import announce_all
from hub.flows.order_rows import (
    Leg,
    Spot,
    address_document,
    contact_rows,
    job_rows,
    keep_walk,
    legs,
    line_rows,
    link_row,
    order_report,
    order_row,
    place_row,
    spot_key,
    spots,
    window_document,
)
from hub.flows.questions import drop, held_back, on_a_phone, tell, words
from hub.flows.readdress import Move, brings_back, move
from hub.flows.route_news import tell_routes
from hub.flows.sealed import seal_amended
from hub.keys import Keys

if TYPE_CHECKING:
    from hub.app import Hub

__all__ = [
    "SyncReport",
    "address_document",
    "call_off",
    "order_report",
    "place_ids",
    "release",
    "store",
    "store_all",
]

AT_ONCE = 500  # orders; a statement of SQLite takes 32,766 values
CANCELLED = {False: "cancelled", True: "cancelled; bring back what is on board"}


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
    alone(unit, business_id)
    writer = _Writer(unit, keys, business_id, connection_id, now, actor)
    for some in _apart(orders):
        writer.take(some)
    writer.set_aside(list(rejects))
    return writer.report


def alone(unit: Unit, business_id: str) -> BusinessRow:
    """Whoever else changes this business's orders or routes waits, as we wait for them: what is
    read from here on is what is changed.

    Not the usual FOR UPDATE: a caller that has already written rows of the business must not
    deadlock.
    """
    return unit.session.get_one(BusinessRow, business_id, with_for_update={"key_share": True})


def call_off(unit: Unit, keys: Keys, order: OrderRow, now: datetime, actor: str) -> None:
    """Cancel ``order`` and its open jobs, whatever its source says.

    Its report stays the source's last word, so that the same report again is nothing new.
    It is opened again, as a new attempt, by a report that is newer than ``now`` and of
    which something that matters at the door is different; or by a source that cancelled
    it as well and then takes that back.
    """
    alone(unit, order.business_id)
    writer = _Writer(unit, keys, order.business_id, order.connection_id, now, actor)
    writer.call_off(order)


def release(unit: Unit, keys: Keys, order: OrderRow, now: datetime, actor: str) -> bool:
    """What its source said last is in force, and held back no longer; whether anything was.

    A question that is open stays so: who decided it says how.
    """
    if order.said is None:
        return False
    writer = _Writer(unit, keys, order.business_id, order.connection_id, now, actor)
    writer.release(order)
    return True


def place_ids(unit: Unit, keys: Keys, order: OrderRow, now: datetime) -> list[str]:
    """Where the legs of ``order`` are to be done by its last report."""
    writer = _Writer(unit, keys, order.business_id, order.connection_id, now, "hub")
    return writer.place_ids(order_report.validate_python(order.report))


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
        amended = held_back(self.unit, amended, self.now, self.actor)
        self._expect(amended)
        wanted = [where for incoming in new for where in spots(incoming)]
        reopened = [one for one in amended if one.reopens]
        wanted += [where for one in reopened for where in spots(one.incoming)]
        moved = [leg for one in amended for _, was, leg in one.asked if was.spot != leg.spot]
        places = self._places([*wanted, *(leg.spot for leg in moved)])
        self._place(new, places)
        self._reopen(reopened, places)
        self._amend(amended, places)
        self._tell(amended)
        self._cancel([one for one in known if one.change.kind == "cancelled"])
        about = self.business_id, [one.row.id for one in known], self.now
        seal_amended(self.unit, self.keys, *about)
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
            row.number, row.problem, row.at = reject.number[:200], reject.problem, self.now

    def _compared(
        self, orders: Mapping[str, IncomingOrder]
    ) -> tuple[list[IncomingOrder], list[Known]]:
        """Those not seen before, and those that are now different."""
        rows = {row.ref: row for row in self._of_connection(OrderRow, orders)}
        new, different = [], []
        for ref, incoming in orders.items():
            row = rows.get(ref)
            before = None if row is None else order_report.validate_python(row.report)
            last = order_report.validate_python(row.said) if row and row.said else before
            change = compare(last, incoming)
            if row is not None and before is not None and row.status != before.status:
                change = about_called_off(row, incoming, change)
            if change.kind in ("unchanged", "stale"):
                self.report.repeats += 1
            elif row is None or before is None:
                new.append(incoming)
            else:
                different.append((row, before, incoming, change))
        open_jobs = self._open_jobs([row.id for row, *_ in different])
        return new, [Known(*one, open_jobs[one[0].id]) for one in different]

    def _place(self, new: Sequence[IncomingOrder], places: Mapping[str, PlaceRow]) -> None:
        about = self.business_id, self.connection_id
        orders = [order_row(*about, incoming, self.now) for incoming in new]
        self.session.add_all(orders)
        self.session.flush()  # before the rows that point to them
        for order, incoming in zip(orders, new, strict=True):
            self.session.add(link_row(self.keys, order))
            self.session.add_all(contact_rows(order, incoming))
            if len(incoming.contacts) > 1:
                add_links(self.session, self.keys, order, incoming.contacts)
            self.session.add_all(line_rows(order, incoming))
            self.session.add_all(job_rows(order, incoming, places, self.now))
            keep_walk(incoming, places)
        self._keep_apart(list(zip(orders, new, strict=True)), are_new=True)
        announce_all(self.unit, (OrderPlaced(**self._about(order.id)) for order in orders))
        self.report.placed += len(new)

    def _reopen(self, reopened: Sequence[Known], places: Mapping[str, PlaceRow]) -> None:
        """Another attempt for each, unless what it is about was delivered before."""
        tried = self._tried([one.row.id for one in reopened])
        for one in reopened:
            last = len(legs(one.before))
            known = tried[one.row.id]
            if not any(leg == last and outcome in DONE for _, leg, outcome in known):
                attempt = max((attempt for attempt, _, _ in known), default=0) + 1
                rows = job_rows(one.row, one.incoming, places, self.now, attempt)
                self.session.add_all(rows)

    def _amend(self, amended: Sequence[Known], places: Mapping[str, PlaceRow]) -> None:
        self._forget_details([one.row.id for one in amended])
        shown, moves = list[JobRow](), list[Move]()
        for one in amended:
            self._renew(one)
            if one.incoming.access_s != one.before.access_s:
                keep_walk(one.incoming, places)
            self.session.add_all(contact_rows(one.row, one.incoming))
            add_links(self.session, self.keys, one.row, one.incoming.contacts)
            self.session.add_all(line_rows(one.row, one.incoming))
            for job, was, leg in one.asked:
                self._ask(one, job, was, leg)
                if was.spot != leg.spot:
                    together = [other for other in one.jobs if other.attempt == job.attempt]
                    moves.append(Move(job, places[spot_key(leg.spot)], together))
            if SHOWN.intersection(one.change.fields):
                shown += one.jobs
        parted = [one for one in amended if APART_BY.intersection(one.change.fields)]
        self._keep_apart([(one.row, one.incoming) for one in parted], are_new=False)
        about = self.now, self.actor
        left = {job.id for job in move(self.unit, self.business_id, moves, *about)}
        if shown := [job for job in shown if job.id not in left]:
            tell_routes(self.unit, self.business_id, shown, *about)
        announce_all(
            self.unit,
            (
                OrderAmended(**self._about(one.row.id), changed=one.change.fields)
                for one in amended
                if one.change.fields
            ),
        )
        self.report.amended += len(amended)

    def _keep_apart(
        self, reported: Sequence[tuple[OrderRow, IncomingOrder]], *, are_new: bool
    ) -> None:
        if reported:
            self.session.flush()  # they are looked for by their numbers
            renew_apart(self.session, self.business_id, reported, are_new=are_new)

    def _tell(self, amended: Sequence[Known]) -> None:
        for one in amended:
            if there := on_a_phone(one.jobs):
                changes = words(one.before, one.incoming, self.zone)
                tell(self.unit, one.row, there, changes, self.now, self.actor)

    def release(self, order: OrderRow) -> None:
        before = order_report.validate_python(order.report)
        said = order_report.validate_python(order.said)
        fields = compare(replace(before, updated_at=said.updated_at), said).fields
        change, open_jobs = Change("amended", fields), self._open_jobs([order.id])[order.id]
        one = Known(order, before, said, change, open_jobs)
        moved = [leg for _, was, leg in one.asked if was.spot != leg.spot]
        order.said = None
        self._amend([one], self._places([leg.spot for leg in moved]))
        seal_amended(self.unit, self.keys, self.business_id, [order.id], self.now)
        self.session.flush()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.session.get_one(BusinessRow, self.business_id).zone)

    def _ask(self, one: Known, job: JobRow, was: Leg, leg: Leg) -> None:
        """Only what the source changed: the day of another attempt was decided here."""
        if was.service_s != leg.service_s:
            job.service_s = leg.service_s
        if was.windows != leg.windows:
            job.windows = window_document(leg.windows)
        if was.windows != leg.windows or one.before.due_on != one.incoming.due_on:
            job.due_on, job.not_before = one.incoming.due_on, None
        job.version += 1

    def call_off(self, order: OrderRow) -> None:
        drop(self.unit, [order], self.now, self.actor)
        self._withdraw(self._open_jobs([order.id])[order.id])
        keep_no_more(self.unit, self.business_id, [order.id], self.now, self.actor)
        order.status, order.updated_at = "cancelled", self.now
        order.version += 1
        self.unit.announce(OrderCancelled(**self._about(order.id)))
        self.session.flush()

    def _cancel(self, cancelled: Sequence[Known]) -> None:
        drop(self.unit, [one.row for one in cancelled], self.now, self.actor)
        self._withdraw([job for one in cancelled for job in one.jobs])
        ids = [one.row.id for one in cancelled]
        keep_no_more(self.unit, self.business_id, ids, self.now, self.actor)
        for one in cancelled:
            self._renew(one)
        announce_all(self.unit, (OrderCancelled(**self._about(one.row.id)) for one in cancelled))
        self.report.cancelled += len(cancelled)

    def _withdraw(self, withdrawn: Sequence[JobRow]) -> None:
        shown = {job.id: brings_back(self.session, job) for job in on_a_phone(withdrawn)}
        for job in withdrawn:
            job.state = jobs.close(State(job.state), Outcome.CANCELLED)
            job.outcome, job.closed_at, job.closed_occurred_at = "cancelled", self.now, self.now
            job.version += 1
        if withdrawn:
            about = self.unit, self.business_id, withdrawn, self.now, self.actor
            tell_routes(*about, withdrawn=True)
        for job in withdrawn:
            if job.id in shown:
                order = self.session.get_one(OrderRow, job.order_id)
                off = Difference(LEFT, "to do", CANCELLED[shown[job.id]])
                tell(self.unit, order, [job], [off], self.now, self.actor)

    def _expect(self, amended: Sequence[Known]) -> None:
        """Places that are asked for are known, so that somebody can find them on the map."""
        asked = [order_report.validate_python(one.row.said) for one in amended if one.row.said]
        wanted = {spot_key(where): where for one in asked for where in spots(one)}
        known = {row.key for row in self._known_places(wanted)}
        self._places([where for key, where in wanted.items() if key not in known])

    def _renew(self, one: Known) -> None:
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

    def place_ids(self, incoming: IncomingOrder) -> list[str]:
        places = self._places(spots(incoming))
        return [places[spot_key(where)].id for where in spots(incoming)]

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

    def _tried(self, order_ids: Collection[str]) -> Mapping[str, list[tuple[int, int, str]]]:
        """Attempt, leg and outcome of every job of these orders."""
        found: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
        if order_ids:
            for order_id, attempt, leg, outcome in self.session.exec(
                select(JobRow.order_id, JobRow.attempt, JobRow.leg, JobRow.outcome).where(
                    JobRow.business_id == self.business_id, col(JobRow.order_id).in_(order_ids)
                )
            ):
                found[order_id].append((attempt, leg, outcome))
        return found

    def _about(self, order_id: str) -> dict[str, Any]:
        return {
            "business_id": self.business_id,
            "subject_id": order_id,
            "occurred_at": self.now,
            "received_at": self.now,
            "actor": self.actor,
        }

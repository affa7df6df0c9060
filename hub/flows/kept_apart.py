"""Orders that no vehicle takes on the same day: who said so, and which jobs that is about.

A report names others by id, ref or number, of its own business alone; one that is not here yet is
waited for. A dispatcher may say more on the order's page, which no report takes back. It counts for
both, whichever of the two named the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, or_, select

from hub.core.errors import Refused
from hub.core.events import OrderAmended
from hub.core.jobs import State
from hub.core.orders import IncomingOrder, called
from hub.db.tables import ApartRow, BusinessRow, JobRow, OrderRow
from hub.flows.audit import note

if TYPE_CHECKING:
    from hub.app import Hub

MOST = 50  # as the API takes
AT_ONCE = 500
APART_BY = frozenset({"apart_from", "number"})  # what of a report has `renew` look again
TO_PLAN = (State.CREATED, State.PLANNED, State.ASSIGNED)


class UnknownOrdersError(Refused):
    """Orders are named that the business does not have, or the order names itself."""


@dataclass(frozen=True, slots=True)
class Apart:
    """Another order, as an order's page shows it. ``order_id`` ``None``: it is not here yet.

    ``written``: what a person called it on this page; empty where nobody did.
    """

    order_id: str | None
    number: str
    written: str


def orders_called(
    session: Session, business_id: str, names: Iterable[str], connection_id: str = ""
) -> dict[str, str]:
    """Name -> the id of the order of this business that is called so; without those nobody is.

    By its id, else its ref, else its number with or without a ``#``; of several that one of
    ``connection_id``, else the latest.
    """
    wanted = list(dict.fromkeys(names))
    ranked: dict[str, tuple[int, bool, str]] = {}
    for first in range(0, len(wanted), AT_ONCE):
        some = wanted[first : first + AT_ONCE]
        written = {text for name in some for text in (name, *called(name))}
        rows = session.exec(
            select(OrderRow.id, OrderRow.ref, OrderRow.number, OrderRow.connection_id).where(
                OrderRow.business_id == business_id,
                or_(
                    col(OrderRow.id).in_(some),
                    col(OrderRow.ref).in_(some),
                    col(OrderRow.number).in_(written),
                ),
            )
        ).all()
        for name in some:
            for id, ref, number, connection in rows:
                how = _how(name, id, ref, number)
                if how and (rank := (how, connection == connection_id, id)) > ranked.get(
                    name, (0, False, "")
                ):
                    ranked[name] = rank
    return {name: id for name, (_, _, id) in ranked.items()}


def renew(
    session: Session,
    business_id: str,
    reported: Sequence[tuple[OrderRow, IncomingOrder]],
    *,
    are_new: bool,
) -> None:
    """What these reports, of one connection, say; and what was said of orders before they came, or
    were called so.
    """
    said = {row.id: incoming.apart_from for row, incoming in reported}
    _arrived(session, business_id, [row for row, _ in reported])
    if are_new and not any(said.values()):
        return
    rows = _of(session, business_id, said)
    written = {(row.order_id, row.name) for row in rows if row.by_hand}
    for row in rows:
        if not row.by_hand:
            if row.name in said[row.order_id]:
                written.add((row.order_id, row.name))
            else:
                session.delete(row)
    names = [name for one in said.values() for name in one]
    known = orders_called(session, business_id, names, reported[0][0].connection_id)
    for order, incoming in reported:
        for name in dict.fromkeys(incoming.apart_from):
            if (order.id, name) not in written and known.get(name) != order.id:
                session.add(_row(order, name, known.get(name), by_hand=False))
    if not are_new:
        _planned_anew(session, business_id, said)


def keep_apart(
    hub: Hub, business_id: str, order_id: str, names: Sequence[str], *, actor: str
) -> None:
    """From now on a person keeps the order apart from these, and from no others. Safe to repeat.

    A name that was there already means the order it meant, whatever else is called so by now.
    Raises ``LookupError`` for an order of another business, ``UnknownOrdersError`` for names that
    no other order of the business has.
    """
    with hub.unit() as unit:
        session = unit.session
        session.get_one(BusinessRow, business_id, with_for_update=True)
        order = session.exec(
            select(OrderRow).where(OrderRow.business_id == business_id, OrderRow.id == order_id)
        ).one_or_none()
        if order is None:
            raise LookupError(f"no order {order_id}")
        rows = _of(session, business_id, [order_id])
        before = {row.name: row.other_id for row in rows if row.by_hand and row.other_id}
        new = [name for name in names if name not in before]
        known = orders_called(session, business_id, new, order.connection_id)
        known |= {name: before[name] for name in names if name in before}
        refuse_unknown(names, known, order_id)
        reported = {row.name for row in rows if not row.by_hand}
        was, wanted = {row.name for row in rows if row.by_hand}, known.keys() - reported
        if was == wanted:
            return
        for row in rows:
            if row.by_hand and row.name not in wanted:
                session.delete(row)
        for name in sorted(wanted - was):
            session.add(_row(order, name, known[name], by_hand=True))
        _planned_anew(session, business_id, {order_id})
        now = hub.now()
        unit.announce(
            OrderAmended(
                business_id=business_id,
                subject_id=order_id,
                occurred_at=now,
                received_at=now,
                actor=actor,
                changed=("apart_from",),
            )
        )
        note(hub, session, business_id, actor, "orders kept apart", f"order:{order_id}")


def why_not(hub: Hub, business_id: str, names: Sequence[str]) -> str:
    """Why an order cannot be kept apart from these; empty: it can."""
    with hub.reading() as session:
        try:
            refuse_unknown(names, orders_called(session, business_id, names))
        except UnknownOrdersError as problem:
            return str(problem)
    return ""


def refuse_unknown(names: Sequence[str], known: Mapping[str, str], order_id: str = "") -> None:
    """Raises ``UnknownOrdersError`` unless all ``names`` are ``known``, and none is the order."""
    if len(names) > MOST:
        raise UnknownOrdersError(f"At most {MOST} orders.")
    if missing := [name for name in names if name not in known]:
        raise UnknownOrdersError(f"There is no order {missing[0][:60]}. Write its number or id.")
    if order_id in known.values():
        raise UnknownOrdersError("This is the order itself. Name the other one.")


def apart_from(session: Session, business_id: str, order_id: str) -> list[Apart]:
    """From which others an order is kept apart, by its word or theirs; by their numbers."""
    rows = session.exec(
        select(ApartRow).where(
            ApartRow.business_id == business_id,
            or_(ApartRow.order_id == order_id, ApartRow.other_id == order_id),
        )
    ).all()
    others = {_other(row, order_id) for row in rows}
    numbers = dict(
        session.exec(
            select(OrderRow.id, OrderRow.number).where(
                OrderRow.business_id == business_id, col(OrderRow.id).in_(others - {None})
            )
        ).all()
    )
    found: dict[str, Apart] = {}
    for row in sorted(rows, key=lambda row: row.by_hand and row.order_id == order_id):
        id = _other(row, order_id)
        written = row.name if row.by_hand and row.order_id == order_id else ""
        found[id or row.name] = Apart(id, numbers.get(id or "", row.name), written)
    return sorted(found.values(), key=lambda one: one.number)


def apart_jobs(
    session: Session, business_id: str, job_ids: Collection[str]
) -> frozenset[tuple[str, str]]:
    """Two and two, the jobs that no vehicle does both; one of each two is of ``job_ids``."""
    if not job_ids:
        return frozenset()
    one, other = aliased(JobRow), aliased(JobRow)
    pairs = (
        select(col(one.id), col(other.id))
        .select_from(ApartRow)
        .join(one, col(one.order_id) == col(ApartRow.order_id))
        .join(other, col(other.order_id) == col(ApartRow.other_id))
        .where(ApartRow.business_id == business_id)
    )
    if len(job_ids) <= AT_ONCE:
        pairs = pairs.where(or_(col(one.id).in_(job_ids), col(other.id).in_(job_ids)))
    mine = set(job_ids)
    return frozenset(
        (min(a, b), max(a, b)) for a, b in session.exec(pairs) if a in mine or b in mine
    )


def others_of(session: Session, business_id: str, job_ids: Collection[str]) -> frozenset[str]:
    """The jobs that whoever does ``job_ids`` must not do."""
    pairs = apart_jobs(session, business_id, job_ids)
    return frozenset(id for pair in pairs for id in pair) - set(job_ids)


def on_one_route(
    session: Session, business_id: str, routes: Mapping[str, Mapping[str, str]]
) -> dict[str, list[tuple[str, str]]]:
    """Route id -> the orders, two and two, that it has both although they are kept apart.

    ``routes``: route id -> its jobs, each with the number of its order.
    """
    every = {id for jobs in routes.values() for id in jobs}
    pairs = apart_jobs(session, business_id, every)
    found: dict[str, set[tuple[str, str]]] = {}
    for route_id, jobs in routes.items():
        for one, other in pairs:
            if one in jobs and other in jobs:
                low, high = sorted((jobs[one], jobs[other]))
                found.setdefault(route_id, set()).add((low, high))
    return {id: sorted(twos) for id, twos in found.items()}


def _how(name: str, id: str, ref: str, number: str) -> int:
    """How surely an order is meant; 0: it is not."""
    if name == id:
        return 4
    if name == ref:
        return 3
    return 2 if name == number else int(number in called(name))


def _arrived(session: Session, business_id: str, orders: Sequence[OrderRow]) -> None:
    """Who waited for one of ``orders`` is kept apart from it now."""
    names = {name for o in orders for name in (o.id, o.ref, o.number, *called(o.number))}
    waiting = session.exec(
        select(ApartRow).where(
            ApartRow.business_id == business_id,
            col(ApartRow.other_id).is_(None),
            col(ApartRow.name).in_(names),
        )
    ).all()
    if not waiting:
        return
    ours = {order.id for order in orders}
    known = orders_called(session, business_id, [row.name for row in waiting])
    for row in waiting:
        if (id := known.get(row.name)) in ours and id != row.order_id:
            row.other_id = id
    _planned_anew(session, business_id, {row.order_id for row in waiting if row.other_id})


def _planned_anew(session: Session, business_id: str, order_ids: Collection[str]) -> None:
    """A plan that is being made does not know it, and is not used."""
    for job in session.exec(
        select(JobRow).where(
            JobRow.business_id == business_id,
            col(JobRow.order_id).in_(order_ids),
            col(JobRow.state).in_(TO_PLAN),
        )
    ):
        job.version += 1


def _of(session: Session, business_id: str, order_ids: Collection[str]) -> Sequence[ApartRow]:
    return session.exec(
        select(ApartRow).where(
            ApartRow.business_id == business_id, col(ApartRow.order_id).in_(order_ids)
        )
    ).all()


def _row(order: OrderRow, name: str, other_id: str | None, *, by_hand: bool) -> ApartRow:
    return ApartRow(
        business_id=order.business_id,
        order_id=order.id,
        other_id=other_id,
        name=name,
        by_hand=by_hand,
    )


def _other(row: ApartRow, order_id: str) -> str | None:
    return row.other_id if row.order_id == order_id else row.order_id

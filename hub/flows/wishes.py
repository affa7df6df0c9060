"""What recipients say on the page behind the link, kept and read: of each kind the last counts."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, col, func, select

from hub.core.amending import Difference
from hub.core.events import RecipientAsked
from hub.core.jobs import State
from hub.core.self_service import AT_A_DOOR, Action
from hub.db.tables import JobRow, OrderRow, WishRow
from hub.db.unit import Unit
from hub.flows.questions import on_a_phone, tell
from hub.flows.route_news import tell_routes

ACTOR = "recipient"
IN_PERSON = "in_person"  # takes back that it may be left somewhere
CODE_IS_NEW = "new, see the stop"  # the code itself is on the stop alone


@dataclass(frozen=True, slots=True)
class Wished:
    """What holds now of an order; empty where nothing was said.

    ``leave``: ``safe_place`` or ``neighbour``, at ``where``. ``n`` counts all that was ever said.
    """

    note: str = ""
    access_code: str = ""
    leave: str = ""
    where: str = ""
    n: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.note or self.access_code or self.leave)


NOTHING = Wished()


def wished(session: Session, business_id: str, order_id: str) -> Wished:
    return wished_of(session, business_id, [order_id]).get(order_id, NOTHING)


def wished_of(
    session: Session, business_id: str, order_ids: Collection[str]
) -> Mapping[str, Wished]:
    """Order id -> what its recipient said, of those who said something."""
    if not order_ids:
        return {}
    rows = session.exec(
        select(WishRow)
        .where(WishRow.business_id == business_id, col(WishRow.order_id).in_(order_ids))
        .order_by(col(WishRow.n))
    )
    found: dict[str, Wished] = {}
    for row in rows:
        found[row.order_id] = _with(found.get(row.order_id, NOTHING), row)
    return found


def key_of(n: int, kind: str, said: str) -> str:
    """By it a form sent twice is one wish; ``n``: how many there were when it was made."""
    return hashlib.sha256(f"{n}\n{kind}\n{said}".encode()).hexdigest()


def is_known(session: Session, business_id: str, order_id: str, key: str) -> bool:
    known = select(WishRow.id).where(
        WishRow.business_id == business_id, WishRow.order_id == order_id, WishRow.key == key
    )
    return session.exec(known).first() is not None


def keep(
    unit: Unit,
    order: OrderRow,
    job: JobRow,
    kind: str,
    said: str,
    *,
    key: str,
    now: datetime,
    what: str = "",
) -> None:
    """One wish, on the record with its event; ``what`` it is about, if that is not ``kind``."""
    last = unit.session.exec(
        select(func.max(WishRow.n)).where(
            WishRow.business_id == order.business_id, WishRow.order_id == order.id
        )
    ).one()
    unit.session.add(
        WishRow(
            business_id=order.business_id,
            order_id=order.id,
            job_id=job.id,
            n=(last or 0) + 1,
            key=key,
            kind=kind,
            said=said,
            at=now,
        )
    )
    unit.session.flush()
    unit.announce(
        RecipientAsked(
            business_id=order.business_id,
            subject_id=order.id,
            occurred_at=now,
            received_at=now,
            actor=ACTOR,
            job_id=job.id,
            what=what or kind,
        )
    )


def tell_driver(
    unit: Unit, order: OrderRow, jobs: Sequence[JobRow], before: Wished, now: datetime
) -> None:
    """Each phone that shows the order shows it with this, and its driver is to acknowledge it."""
    after = wished(unit.session, order.business_id, order.id)
    still_open = [job for job in jobs if job.state != State.CLOSED]
    tell_routes(unit, order.business_id, still_open, now, ACTOR)
    if there := on_a_phone(still_open):
        tell(unit, order, there, differences(before, after), now, ACTOR)


def differences(before: Wished, after: Wished) -> list[Difference]:
    """What a driver reads; the code stands on the stop alone."""
    found = []
    if before.note != after.note:
        found.append(Difference("Customer's note", before.note, after.note))
    if before.access_code != after.access_code:
        found.append(Difference("Door code", "", CODE_IS_NEW if after.access_code else "gone"))
    if (was := leave_words(before)) != (is_now := leave_words(after)):
        found.append(Difference("If nobody is home", was, is_now))
    return found


def for_staff(one: Wished) -> tuple[tuple[str, str], ...]:
    """What, and what was said; of a door code only that there is one."""
    code = "given, on the driver's phone" if one.access_code else ""
    found = (
        ("Customer's note", one.note),
        ("Door code", code),
        ("If nobody is home", leave_words(one)),
    )
    return tuple((what, said) for what, said in found if said)


def leave_words(one: Wished) -> str:
    """For staff and drivers; empty: it is handed over in person."""
    how = {Action.SAFE_PLACE.value: "leave it", Action.NEIGHBOUR.value: "give it to the neighbour"}
    return f"{how[one.leave]}: {one.where}" if one.leave else ""


def _with(known: Wished, row: WishRow) -> Wished:
    known = replace(known, n=row.n)
    match row.kind:
        case Action.NOTE:
            return replace(known, note=row.said)
        case Action.ACCESS_CODE:
            return replace(known, access_code=row.said)
    if row.kind == IN_PERSON:
        return replace(known, leave="", where="")
    if row.kind in AT_A_DOOR:
        return replace(known, leave=row.kind if row.said else "", where=row.said)
    return known

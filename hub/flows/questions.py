"""What a source wants of an order that is on a phone: asked once, folded, told, and seen by whom.

Within a unit that holds the business. While a question is open, or was answered with "keep",
``OrderRow.report`` is what everybody goes by and ``OrderRow.said`` what the source said last.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, select

from hub.core.amending import Decision, Difference, Group, differences, merged
from hub.core.events import AmendmentDecided, AmendmentProposed, AmendmentSeen
from hub.core.jobs import ON_A_PHONE, State
from hub.core.orders import Change, IncomingOrder, compare
from hub.db.tables import (
    AmendmentRow,
    BusinessRow,
    JobRow,
    OrderRow,
    RouteRow,
    StopJobRow,
    StopRow,
)
from hub.db.unit import Unit
from hub.flows.known import SHOWN, Known
from hub.flows.order_rows import order_report

OPEN, TOLD = "open", "told"


def open_questions(
    session: Session, business_id: str, order_ids: Collection[str]
) -> Mapping[str, AmendmentRow]:
    """Order id -> what waits to be decided about it."""
    if not order_ids:
        return {}
    rows = session.exec(
        select(AmendmentRow).where(
            AmendmentRow.business_id == business_id,
            col(AmendmentRow.order_id).in_(order_ids),
            AmendmentRow.state == OPEN,
        )
    )
    return {row.order_id: row for row in rows}


def held_back(unit: Unit, known: Sequence[Known], now: datetime, actor: str) -> list[Known]:
    """``known`` with only that of each report which may be taken at once; the rest is asked."""
    waiting = [one for one in known if on_a_phone(one.jobs) or one.row.said is not None]
    if not waiting:
        return list(known)
    about = unit.session, waiting[0].row.business_id
    asked = open_questions(*about, [one.row.id for one in waiting])
    zone = ZoneInfo(about[0].get_one(BusinessRow, about[1]).zone)
    return [
        _held(unit, one, asked.get(one.row.id), zone, now, actor) if one in waiting else one
        for one in known
    ]


def _held(
    unit: Unit, one: Known, question: AmendmentRow | None, zone: ZoneInfo, now: datetime, actor: str
) -> Known:
    if not on_a_phone(one.jobs):
        one.row.said = None
        if question is not None:
            answer(unit, question, Decision.OFF, now, "hub")
        return one
    last = one.before if one.row.said is None else order_report.validate_python(one.row.said)
    groups = [Group(name) for name in question.asked] if question else []
    found = merged(one.before, last, one.incoming, groups)
    waits = bool(found.asked or found.kept)
    one.row.said = order_report.dump_python(one.incoming, mode="json") if waits else None
    if found.asked:
        now_asked = differences(found.report, one.incoming, zone)
        if question is None:
            question = _new(unit, one.row, OPEN, now_asked, now, actor)
            question.asked = list(found.asked)
            _propose(unit, question, now, actor)
        elif found.is_new:
            question.asked, question.changes = list(found.asked), _document(now_asked)
            question.version, question.weighed_at, question.why = question.version + 1, None, ""
            question.proposed_at, question.proposed_by = now, actor
            _propose(unit, question, now, actor)
    elif question is not None:
        answer(unit, question, Decision.WITHDRAWN, now, actor)
    left = compare(replace(one.before, updated_at=found.report.updated_at), found.report)
    return replace(one, incoming=found.report, change=Change("amended", left.fields))


def tell(
    unit: Unit,
    order: OrderRow,
    jobs: Sequence[JobRow],
    changes: Sequence[Difference],
    now: datetime,
    actor: str,
) -> None:
    """What was taken at once is shown, old and new, on the phone that has ``jobs``."""
    route = route_with(unit.session, order.business_id, [job.id for job in jobs])
    if route is None or not changes:
        return
    row = _new(unit, order, TOLD, changes, now, actor)
    row.decided_at, row.decided_by, row.weighed_at = now, "hub", now
    row.route_id, row.told_version = route.id, route.version


def words(before: IncomingOrder, after: IncomingOrder, zone: ZoneInfo) -> tuple[Difference, ...]:
    """What ``tell`` says of a change, where a driver would notice it."""
    fields = compare(replace(before, updated_at=after.updated_at), after).fields
    return differences(before, after, zone) if SHOWN.intersection(fields) else ()


def answer(
    unit: Unit, question: AmendmentRow, decision: Decision, now: datetime, actor: str
) -> None:
    """The question is answered; what follows from it is the caller's."""
    question.state, question.decided_at, question.decided_by = decision, now, actor
    unit.announce(
        AmendmentDecided(
            **_about(question, now, actor),
            amendment_id=question.id,
            decision=decision,
            version=question.version,
        )
    )


def drop(unit: Unit, orders: Sequence[OrderRow], now: datetime, actor: str) -> None:
    """Of an order that is cancelled nobody asks where it should go; its report is what its source
    said last.
    """
    for order in orders:
        if order.said is not None:
            order.report, order.said = order.said, None
    for business_id in {order.business_id for order in orders}:
        ids = [order.id for order in orders if order.business_id == business_id]
        for question in open_questions(unit.session, business_id, ids).values():
            answer(unit, question, Decision.WITHDRAWN, now, actor)


def shown_on(question: AmendmentRow, route: RouteRow) -> None:
    """``route`` shows it in its present version, and its driver is to acknowledge that."""
    question.route_id, question.told_version, question.seen_at = route.id, route.version, None


def seen(unit: Unit, route: RouteRow, at: datetime, now: datetime, actor: str) -> None:
    """Its driver has acknowledged the route, and all that it showed by then. Safe to repeat."""
    rows = unit.session.exec(
        select(AmendmentRow).where(
            AmendmentRow.business_id == route.business_id,
            AmendmentRow.route_id == route.id,
            col(AmendmentRow.seen_at).is_(None),
            AmendmentRow.told_version <= route.acknowledged,
            AmendmentRow.state != OPEN,
        )
    ).all()
    for row in rows:
        row.seen_at = at
        about = _about(row, now, actor) | {"occurred_at": at}
        unit.announce(AmendmentSeen(**about, amendment_id=row.id, route_id=route.id))


def on_a_phone(jobs: Collection[JobRow]) -> list[JobRow]:
    return [job for job in jobs if State(job.state) in ON_A_PHONE]


def route_with(session: Session, business_id: str, job_ids: Collection[str]) -> RouteRow | None:
    """The published route that has one of these jobs."""
    return session.exec(
        select(RouteRow)
        .join(StopRow, col(StopRow.route_id) == col(RouteRow.id))
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .where(
            RouteRow.business_id == business_id,
            col(RouteRow.published_at).is_not(None),
            col(StopJobRow.job_id).in_(job_ids),
        )
    ).first()


def _new(
    unit: Unit,
    order: OrderRow,
    state: str,
    changes: Sequence[Difference],
    now: datetime,
    actor: str,
) -> AmendmentRow:
    last = unit.session.exec(
        select(func.max(AmendmentRow.n)).where(
            AmendmentRow.business_id == order.business_id, AmendmentRow.order_id == order.id
        )
    ).one()
    row = AmendmentRow(
        business_id=order.business_id,
        order_id=order.id,
        n=(last or 0) + 1,
        state=state,
        changes=_document(changes),
        proposed_at=now,
        proposed_by=actor,
    )
    unit.session.add(row)
    unit.session.flush()
    return row


def _propose(unit: Unit, question: AmendmentRow, now: datetime, actor: str) -> None:
    unit.announce(
        AmendmentProposed(
            **_about(question, now, actor),
            amendment_id=question.id,
            changed=tuple(question.asked),
            version=question.version,
        )
    )


def _document(changes: Sequence[Difference]) -> list[list[str]]:
    return [list(astuple(one)) for one in changes]


def _about(row: AmendmentRow, now: datetime, actor: str) -> dict[str, Any]:
    return {
        "business_id": row.business_id,
        "subject_id": row.order_id,
        "occurred_at": now,
        "received_at": now,
        "actor": actor,
    }

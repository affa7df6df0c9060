"""How long what recipients said is kept: a code until nobody needs it, the rest as proof is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import String, cast, col, or_, select

from hub.core.jobs import Outcome, State
from hub.core.self_service import Action
from hub.db.tables import AmendmentRow, JobRow, WishRow
from hub.flows.wishes import ACTOR

if TYPE_CHECKING:
    from hub.app import Hub

AT_ONCE = 200


def forget_said(hub: Hub, business_id: str, before: datetime) -> int:
    """Empty codes of orders with nothing left to do, and all that was said ``before``, with
    what drivers were told of it; how many.

    That something was said stays. Safe to repeat.
    """
    emptied = 0
    for empty in (_empty_some, _empty_changes):
        while some := empty(hub, business_id, before):
            emptied += some
    return emptied


def _empty_some(hub: Hub, business_id: str, before: datetime) -> int:
    undecided = col(JobRow.outcome).in_((Outcome.FAILED, Outcome.SKIPPED)) & (
        col(JobRow.next_step) == ""
    )
    still_needed = select(JobRow.order_id).where(
        JobRow.business_id == business_id, or_(col(JobRow.state) != State.CLOSED, undecided)
    )
    code_of_none = (col(WishRow.kind) == Action.ACCESS_CODE.value) & col(WishRow.order_id).not_in(
        still_needed
    )
    with hub.unit() as unit:
        rows = unit.session.exec(
            select(WishRow)
            .where(
                WishRow.business_id == business_id,
                WishRow.said != "",
                or_(code_of_none, col(WishRow.at) < before),
            )
            .limit(AT_ONCE)
        ).all()
        for row in rows:
            row.said = ""
    return len(rows)


def _empty_changes(hub: Hub, business_id: str, before: datetime) -> int:
    """A driver was told a note word for word."""
    with hub.unit() as unit:
        rows = unit.session.exec(
            select(AmendmentRow)
            .where(
                AmendmentRow.business_id == business_id,
                AmendmentRow.proposed_by == ACTOR,
                AmendmentRow.proposed_at < before,
                cast(col(AmendmentRow.changes), String) != "[]",
            )
            .limit(AT_ONCE)
        ).all()
        for row in rows:
            row.changes = []
    return len(rows)

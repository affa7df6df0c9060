"""What customers asked and said is let go of: browsers with the page, words with the proof."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import col, delete, or_, select, update

from hub.core.jobs import State
from hub.db.tables import EnquiryRow, JobRow, PushRow, RatingRow

if TYPE_CHECKING:
    from hub.app import Hub


def let_go(hub: Hub, business_id: str, *, pages: datetime, proofs: datetime) -> int:
    """How many rows. ``pages``: what closed before shows no page any more. Safe to repeat.

    That somebody asked, and how many stars there were, stays: it names nobody.
    """
    with_a_page = select(JobRow.order_id).where(
        JobRow.business_id == business_id,
        or_(col(JobRow.state) != State.CLOSED, col(JobRow.closed_at) >= pages),
    )
    with hub.unit() as unit:
        session = unit.session
        gone = session.exec(
            delete(PushRow).where(
                col(PushRow.business_id) == business_id,
                col(PushRow.order_id).not_in(with_a_page),
            )
        ).rowcount
        gone += session.exec(
            update(EnquiryRow)
            .where(
                col(EnquiryRow.business_id) == business_id,
                col(EnquiryRow.at) < proofs,
                col(EnquiryRow.note) != "",
            )
            .values(note="")
        ).rowcount
        gone += session.exec(
            update(RatingRow)
            .where(
                col(RatingRow.business_id) == business_id,
                col(RatingRow.changed_at) < proofs,
                col(RatingRow.comment) != "",
            )
            .values(comment="")
        ).rowcount
    return gone

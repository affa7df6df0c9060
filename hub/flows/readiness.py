"""What would leave a published route unseen: drivers without a phone, recipients nobody tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.db.tables import ChoiceRow, DeviceRow, NoticeRuleRow
from hub.flows.notice_known import STAND_IN

if TYPE_CHECKING:
    from hub.app import Hub


def with_phone(hub: Hub, business_id: str) -> frozenset[str]:
    """The ids of the drivers who have a phone paired now."""
    with hub.reading() as session:
        return frozenset(
            session.exec(
                select(DeviceRow.driver_id).where(
                    DeviceRow.business_id == business_id,
                    DeviceRow.kind == "phone",
                    col(DeviceRow.paired_at).is_not(None),
                    col(DeviceRow.revoked_at).is_(None),
                )
            )
        )


def tells_recipients(hub: Hub, business_id: str) -> bool:
    """Whether any message would leave: a rule is on, and its channel or the stand-in is in use."""
    with hub.reading() as session:
        carriers = _channels(session, business_id)
        wanted = session.exec(
            select(NoticeRuleRow.channel).where(
                NoticeRuleRow.business_id == business_id, col(NoticeRuleRow.active)
            )
        ).all()
    return any(channel in carriers or STAND_IN in carriers for channel in wanted)


def _channels(session: Session, business_id: str) -> set[str]:
    return set(
        session.exec(
            select(ChoiceRow.plugin).where(
                ChoiceRow.business_id == business_id,
                ChoiceRow.kind == "channel",
                col(ChoiceRow.active),
            )
        )
    )

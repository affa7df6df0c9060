"""The record of changes: who did what to what, and when, for whoever asks later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import Session

from hub.db.tables import AuditRow

if TYPE_CHECKING:
    from hub.app import Hub

MOST = 200  # characters of a subject


def note(
    hub: Hub, session: Session, business_id: str, actor: str, action: str, subject: str
) -> None:
    """Written in the unit that makes the change: there is neither without the other."""
    row = AuditRow(
        business_id=business_id,
        actor=actor,
        action=action,
        subject=subject[:MOST],
        at=hub.now(),
    )
    session.add(row)

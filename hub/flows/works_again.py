"""A connection that lets the hub in again: it goes on where it stopped, and says so for a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select, update

from hub.core.errors import AuthError, ConfigError
from hub.db.tables import AuditRow, ConnectionRow, ErrandRow
from hub.db.unit import Unit, forbid_open_unit
from hub.flows.connected import provider_of, row_of
from hub.flows.strangers import proven

if TYPE_CHECKING:
    from hub.app import Hub

UNWELL = ("failing", "needs_reconnect")
SAID_FOR = timedelta(days=1)
_ACTION = "connection.works again"


def try_now(hub: Hub, business_id: str, connection_id: str, *, actor: str) -> None:
    """Ask the other side whether it lets the hub in; if it does, go on at once.

    Raises ``HubError`` with what it says, then all is as before; ``LookupError`` for a connection
    of another business.
    """
    forbid_open_unit("trying a connection")
    with hub.reading() as session:
        row = row_of(session, business_id, connection_id)
    if row.state not in UNWELL:
        return
    proven(provider_of(hub, row))
    with hub.unit() as unit:
        row = row_of(unit.session, business_id, connection_id)
        if row.state in UNWELL:
            note_again(hub, unit, row, actor)
            row.state, row.failures, row.last_error, row.due_at = "ok", 0, "", hub.now()
            try_parked(hub, unit, row)


def note_again(hub: Hub, unit: Unit, row: ConnectionRow, actor: str) -> None:
    """In the unit that mends ``row``, before its state is "ok"; nothing where it was."""
    if row.state in UNWELL:
        unit.session.add(
            AuditRow(
                business_id=row.business_id,
                actor=actor,
                action=_ACTION,
                subject=f"connection:{row.id}",
                at=hub.now(),
            )
        )


def again_since(session: Session, row: ConnectionRow, now: datetime) -> datetime | None:
    """When it began to work again; ``None`` if it does not, or has for longer than a day."""
    if row.state != "ok":
        return None
    return session.exec(
        select(AuditRow.at)
        .where(
            AuditRow.business_id == row.business_id,
            AuditRow.action == _ACTION,
            AuditRow.subject == f"connection:{row.id}",
            col(AuditRow.at) > now - SAID_FOR,
        )
        .order_by(col(AuditRow.at).desc())
        .limit(1)
    ).first()


def try_parked(hub: Hub, unit: Unit, row: ConnectionRow) -> None:
    """What was parked because this connection did not work."""
    unit.session.exec(
        update(ErrandRow)
        .where(
            col(ErrandRow.business_id) == row.business_id,
            col(ErrandRow.state) == "parked",
            col(ErrandRow.subscriber).in_(("hub.write_back", "hub.records")),
            col(ErrandRow.last_error).startswith(AuthError.__name__)
            | col(ErrandRow.last_error).startswith(ConfigError.__name__),
        )
        .values(state="due", attempts=0, due_at=hub.now())
    )

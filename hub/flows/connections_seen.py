"""A business's connections as its people see them: how each fares, and what was set aside."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, col, func, select

from hub.core.connecting import AcceptsWebhooks, OrderSource, RecordSink, WritesBack
from hub.core.errors import BadRecord, HubError, Refused
from hub.core.orders import what_is_wrong
from hub.db.tables import ConnectionRow, OrderRow, RecordRow, RejectRow
from hub.flows.connected import BORN, HOOK, class_of, provider_of, row_of
from hub.flows.pauses import paused_until
from hub.flows.secrets import WEBHOOKS, opened
from hub.flows.sync import store_all
from hub.flows.works_again import again_since

if TYPE_CHECKING:
    from hub.app import Hub


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that could not become an order, by its number at the source."""

    id: str
    number: str
    problem: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConnectionSeen:
    """``kind`` is what its plugin calls itself; ``does`` what it can do, in words."""

    row: ConnectionRow
    kind: str
    does: tuple[str, ...]
    orders: int
    rejects: int
    unfiled: int
    is_reading: bool
    paused_until: datetime | None  # it asked for a pause
    again_since: datetime | None  # it failed before, and works since then


def connections_seen(hub: Hub, business_id: str) -> list[ConnectionSeen]:
    """Those a business made, the disconnected ones last."""
    with hub.reading() as session:
        rows = session.exec(
            select(ConnectionRow)
            .where(ConnectionRow.business_id == business_id, col(ConnectionRow.plugin).not_in(BORN))
            .order_by(col(ConnectionRow.state) == "off", col(ConnectionRow.title))
        ).all()
        return [_seen(hub, session, row) for row in rows]


def connections_unwell(hub: Hub, business_id: str) -> list[ConnectionRow]:
    """Those that let the hub in no more, or cannot be read for some time."""
    with hub.reading() as session:
        return list(
            session.exec(
                select(ConnectionRow)
                .where(
                    ConnectionRow.business_id == business_id,
                    col(ConnectionRow.state).in_(("needs_reconnect", "failing")),
                )
                .order_by(col(ConnectionRow.title))
            )
        )


@dataclass(frozen=True, slots=True)
class SetAside:
    """How many records of a connection wait for a person."""

    connection_id: str
    title: str
    count: int


def set_aside(hub: Hub, business_id: str) -> list[SetAside]:
    """By connection, for those that a business made."""
    with hub.reading() as session:
        found = session.exec(
            select(ConnectionRow.id, ConnectionRow.title, func.count())
            .join(RejectRow, col(RejectRow.connection_id) == col(ConnectionRow.id))
            .where(
                ConnectionRow.business_id == business_id,
                RejectRow.business_id == business_id,
                col(ConnectionRow.plugin).not_in(BORN),
            )
            .group_by(col(ConnectionRow.id), col(ConnectionRow.title))
            .order_by(col(ConnectionRow.title))
        ).all()
    return [SetAside(*one) for one in found]


def unfiled(hub: Hub, business_id: str) -> int:
    """How many deliveries the books cannot keep without a person."""
    with hub.reading() as session:
        return session.exec(
            select(func.count())
            .select_from(RecordRow)
            .where(
                RecordRow.business_id == business_id,
                col(RecordRow.state).in_(("parked", "unmatched")),
            )
        ).one()


def connection_seen(hub: Hub, business_id: str, connection_id: str) -> ConnectionSeen:
    """Raises ``LookupError`` when the business has no such connection."""
    with hub.reading() as session:
        return _seen(hub, session, row_of(session, business_id, connection_id))


def rejects_of(hub: Hub, business_id: str, connection_id: str, limit: int = 100) -> list[Reject]:
    """What was set aside, the newest first."""
    with hub.reading() as session:
        rows = session.exec(
            select(RejectRow)
            .where(RejectRow.business_id == business_id, RejectRow.connection_id == connection_id)
            .order_by(col(RejectRow.at).desc(), col(RejectRow.id))
            .limit(limit)
        ).all()
    return [Reject(row.id, row.number or row.ref, row.problem, row.at) for row in rows]


def fetch_again(hub: Hub, business_id: str, connection_id: str, reject_id: str, actor: str) -> str:
    """Ask the source for a record that was set aside; returns the order's number.

    Raises ``Refused`` with what is still wrong with it, or that the source has it no more;
    ``LookupError`` for a record that is not set aside (any more).
    """
    with hub.reading() as session:
        row = row_of(session, business_id, connection_id)
        reject = _reject(session, business_id, connection_id, reject_id)
    named = reject.number or reject.ref
    source = provider_of(hub, row)
    if not isinstance(source, OrderSource):
        raise LookupError("no orders come from here")
    try:
        order = source.one(reject.ref)
    except BadRecord as still:
        raise Refused(f"{named} still cannot be taken: {still.problem}") from None
    except NotImplementedError:
        raise Refused(f"{row.title} cannot give one record alone. Use Look at all of it.") from None
    except HubError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:  # as OrderPage.read
        raise Refused(f"{named} still cannot be taken: {what_is_wrong(error)}") from None
    if order is None:
        raise Refused(f"{row.title} does not have {named} any more. Let it go.")
    store_all(hub, business_id, connection_id, [order], actor=actor)
    let_go_reject(hub, business_id, connection_id, reject_id)
    return order.number


def let_go_reject(hub: Hub, business_id: str, connection_id: str, reject_id: str) -> None:
    """Raises ``LookupError`` for a record that is not set aside (any more)."""
    with hub.unit() as unit:
        unit.session.delete(_reject(unit.session, business_id, connection_id, reject_id))


def webhook_url(hub: Hub, business_id: str, connection_id: str) -> str:
    """Where the other side calls; only for those who may see what lets somebody ring."""
    secret = opened(hub, business_id, connection_id, (WEBHOOKS,)).get(HOOK, "")
    return f"{hub.settings.public_url}/hooks/in/{secret}" if secret else ""


def _reject(session: Session, business_id: str, connection_id: str, reject_id: str) -> RejectRow:
    row = session.exec(
        select(RejectRow).where(
            RejectRow.business_id == business_id,
            RejectRow.connection_id == connection_id,
            RejectRow.id == reject_id,
        )
    ).one_or_none()
    if row is None:
        raise LookupError(f"no reject {reject_id}")
    return row


def _seen(hub: Hub, session: Session, row: ConnectionRow) -> ConnectionSeen:
    kind, does = f"{row.plugin} (not installed)", tuple[str, ...]()
    with suppress(HubError):
        cls = class_of(hub, row.plugin)
        abilities = (
            (OrderSource, "orders in"),
            (WritesBack, "news back"),
            (AcceptsWebhooks, "calls when something changes"),
            (RecordSink, "deliveries in the books"),
        )
        kind, does = cls.title, tuple(word for base, word in abilities if issubclass(cls, base))

    def count(table: type[OrderRow | RejectRow | RecordRow], *more: object) -> int:
        mine = table.business_id == row.business_id, table.connection_id == row.id
        query = select(func.count()).select_from(table).where(*mine, *more)  # type: ignore[arg-type]
        return session.exec(query).one()

    return ConnectionSeen(
        row,
        kind,
        does,
        count(OrderRow),
        count(RejectRow),
        count(RecordRow, col(RecordRow.state).in_(("parked", "unmatched"))),
        row.leased_until is not None,
        paused_until(row, hub.now()),
        again_since(session, row, hub.now()),
    )

"""What was sent to whom and what was answered; sent again by hand, one or all that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, func, select

from hub.core.errors import ConfigError, Refused
from hub.core.webhook_types import TEST
from hub.db.tables import AttemptLogRow, AuditRow, EndpointRow, WebhookRow
from hub.db.unit import Unit
from hub.flows.endpoint_secrets import signing_secrets
from hub.flows.endpoints import endpoint_of, endpoints_of

if TYPE_CHECKING:
    from hub.app import Hub

Shown = Literal["all", "waiting", "dead", "delivered"]
PAGE = 50
WORRYING = timedelta(hours=6)
"""A receiver that fails for so long does not come back by itself: an owner hears of it."""


@dataclass(frozen=True, slots=True)
class EndpointSeen:
    row: EndpointRow
    waiting: int
    dead: int
    delivered: int


@dataclass(frozen=True, slots=True)
class WebhookSeen:
    """``attempts``: all of them, oldest first."""

    row: WebhookRow
    endpoint: EndpointRow
    attempts: Sequence[AttemptLogRow]


def endpoints_seen(hub: Hub, business_id: str) -> list[EndpointSeen]:
    with hub.reading() as session:
        counts = _counts(session, business_id)
        return [_seen(row, counts) for row in endpoints_of(session, business_id)]


def endpoint_seen(hub: Hub, business_id: str, endpoint_id: str) -> EndpointSeen:
    """Raises ``LookupError``."""
    with hub.reading() as session:
        row = endpoint_of(session, business_id, endpoint_id)
        return _seen(row, _counts(session, business_id))


def unwell(hub: Hub, business_id: str) -> list[EndpointRow]:
    """Endpoints that an owner should look at: switched off by the hub, or failing for long."""
    with hub.reading() as session:
        rows = endpoints_of(session, business_id)
    return [
        row
        for row in rows
        if row.state in ("gone", "failing")
        or (row.state == "on" and row.failing_since and hub.now() - row.failing_since >= WORRYING)
    ]


def webhooks_of(
    hub: Hub,
    business_id: str,
    endpoint_id: str,
    shown: Shown = "all",
    before: str = "",
    *,
    limit: int = PAGE,
) -> tuple[list[WebhookRow], str]:
    """A page of the log, newest first, and what the next page is asked with; "" on the last."""
    wanted = select(WebhookRow).where(*_mine(business_id, endpoint_id))
    if shown != "all":
        wanted = wanted.where(WebhookRow.state == ("due" if shown == "waiting" else shown))
    if before:
        wanted = wanted.where(WebhookRow.id < before)
    with hub.reading() as session:
        rows = session.exec(wanted.order_by(col(WebhookRow.id).desc()).limit(limit + 1)).all()
    return list(rows[:limit]), rows[limit - 1].id if len(rows) > limit else ""


def webhook_seen(hub: Hub, business_id: str, webhook_id: str) -> WebhookSeen:
    """Raises ``LookupError``."""
    with hub.reading() as session:
        row = _webhook(session, business_id, webhook_id)
        attempts = session.exec(
            select(AttemptLogRow)
            .where(AttemptLogRow.business_id == business_id, AttemptLogRow.webhook_id == webhook_id)
            .order_by(col(AttemptLogRow.id))
        ).all()
        return WebhookSeen(row, endpoint_of(session, business_id, row.endpoint_id), attempts)


def replay(hub: Hub, business_id: str, webhook_id: str, *, actor: str) -> None:
    """As ``send_again``, in a unit of its own."""
    with hub.unit() as unit:
        send_again(hub, unit, business_id, webhook_id, actor)


def send_again(
    hub: Hub, unit: Unit, business_id: str, webhook_id: str, actor: str, endpoint_id: str = ""
) -> WebhookRow:
    """In a unit: send it now under the same id, with ten attempts if it had ended.

    One that waits for its next attempt is tried now, after what has to go before it. Raises
    ``LookupError``, also where it is another endpoint's than one given; ``Refused`` while it is
    on its way, its receiver asked for a pause, or its endpoint is off.
    """
    row = _webhook(unit.session, business_id, webhook_id, lock=True)
    if endpoint_id and row.endpoint_id != endpoint_id:
        raise LookupError(f"no webhook {webhook_id} of {endpoint_id}")
    if row.type == TEST:
        raise Refused("A test is not sent again; send another one.")
    endpoint = _is_on(unit, business_id, row.endpoint_id)
    if row.state == "due":
        if endpoint.paused_until is not None and endpoint.paused_until > hub.now():
            raise Refused("Its receiver asked for a pause. It is sent when that is over.")
        if not _hurry(hub, unit, row):
            raise Refused("It is on its way already.")
    else:
        row.state, row.attempts, row.due_at, row.settled_at = "due", 0, hub.now(), None
    _audit(hub, unit, business_id, "webhook.sent again", f"webhook:{webhook_id}", actor)
    unit.session.flush()
    return row


def _hurry(hub: Hub, unit: Unit, row: WebhookRow) -> int:
    """``row``, and what has to go before it, is due now; how many waited. Attempts count on."""
    waited = unit.session.exec(
        update(WebhookRow)
        .where(
            *_mine(row.business_id, row.endpoint_id),
            col(WebhookRow.subject_id) == row.subject_id,
            col(WebhookRow.state) == "due",
            col(WebhookRow.seq) <= row.seq,
            col(WebhookRow.due_at) > hub.now(),
        )
        .values(due_at=hub.now())
    ).rowcount
    return int(waited)


def replay_dead(
    hub: Hub, business_id: str, endpoint_id: str, since: datetime, *, actor: str
) -> int:
    """As ``send_dead``, in a unit of its own."""
    with hub.unit() as unit:
        return send_dead(hub, unit, business_id, endpoint_id, since, actor)


def send_dead(
    hub: Hub, unit: Unit, business_id: str, endpoint_id: str, since: datetime, actor: str
) -> int:
    """In a unit: send again, in their order, all dead letters of what happened from ``since``.

    How many. Raises ``LookupError``; ``Refused`` while the endpoint is off.
    """
    _is_on(unit, business_id, endpoint_id)
    found = unit.session.exec(
        update(WebhookRow)
        .where(
            *_mine(business_id, endpoint_id),
            col(WebhookRow.state) == "dead",
            col(WebhookRow.type) != TEST,
            col(WebhookRow.occurred_at) >= since,
        )
        .values(state="due", attempts=0, due_at=hub.now(), settled_at=None)
    ).rowcount
    subject = f"endpoint:{endpoint_id}"
    _audit(hub, unit, business_id, f"endpoint.sent {found} again", subject, actor)
    return int(found)


def oldest_dead(hub: Hub, business_id: str, endpoint_id: str) -> datetime | None:
    """When the first of what was given up happened."""
    with hub.reading() as session:
        return session.exec(
            select(func.min(WebhookRow.occurred_at)).where(
                *_mine(business_id, endpoint_id),
                col(WebhookRow.state) == "dead",
                col(WebhookRow.type) != TEST,
            )
        ).one()


def unsound(hub: Hub, business_id: str) -> list[str]:
    """One sentence for each endpoint that cannot work as it is stored; for ``hub verify``."""
    with hub.reading() as session:
        rows = endpoints_of(session, business_id)
        waiting = _counts(session, business_id)
    problems = []
    for row in rows:
        try:
            signing_secrets(hub, business_id, row.id)
        except ConfigError as problem:
            problems.append(f"endpoint {row.id}: {problem}")
        if row.state != "on" and (n := waiting.get((row.id, "due"), 0)):
            problems.append(f"endpoint {row.id}: it is off, but {n} webhooks wait for it")
    return problems


def _is_on(unit: Unit, business_id: str, endpoint_id: str) -> EndpointRow:
    endpoint = endpoint_of(unit.session, business_id, endpoint_id, lock=True)
    if endpoint.state != "on":
        raise Refused("The endpoint is switched off. Switch it on, then send again.")
    return endpoint


def _webhook(
    session: Session, business_id: str, webhook_id: str, *, lock: bool = False
) -> WebhookRow:
    wanted = select(WebhookRow).where(
        WebhookRow.business_id == business_id, WebhookRow.id == webhook_id
    )
    row = session.exec(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        raise LookupError(f"no webhook {webhook_id}")
    return row


def _mine(business_id: str, endpoint_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        col(WebhookRow.business_id) == business_id,
        col(WebhookRow.endpoint_id) == endpoint_id,
    )


def _counts(session: Session, business_id: str) -> Mapping[tuple[str, str], int]:
    """(Endpoint id, state) -> how many."""
    rows = session.exec(
        select(WebhookRow.endpoint_id, WebhookRow.state, func.count())
        .where(WebhookRow.business_id == business_id, WebhookRow.type != TEST)
        .group_by(col(WebhookRow.endpoint_id), col(WebhookRow.state))
    )
    return {(endpoint_id, state): n for endpoint_id, state, n in rows}


def _seen(row: EndpointRow, counts: Mapping[tuple[str, str], int]) -> EndpointSeen:
    waiting, dead, delivered = (
        counts.get((row.id, state), 0) for state in ("due", "dead", "delivered")
    )
    return EndpointSeen(row, waiting, dead, delivered)


def _audit(hub: Hub, unit: Unit, business_id: str, action: str, subject: str, actor: str) -> None:
    values: dict[str, Any] = {"action": action, "subject": subject, "at": hub.now()}
    unit.session.add(AuditRow(business_id=business_id, actor=actor, **values))

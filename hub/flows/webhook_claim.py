"""Which webhooks can be sent now, and which worker has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, exists, select

from hub.core.ids import new_id
from hub.core.webhook_types import TEST
from hub.db.tables import EndpointRow, WebhookRow
from hub.db.unit import Unit

if TYPE_CHECKING:
    from hub.app import Hub

LEASE = timedelta(minutes=2)  # an attempt ends after 15 s, and after its name was looked up
AT_ONCE, FOR_ONE = 16, 4  # on their way: of all endpoints, and of one
Clock = Callable[[], datetime]


def real() -> datetime:
    """Receivers compare the time of a signature with their own clocks, in a demo too."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """One attempt, claimed."""

    business_id: str
    endpoint_id: str
    webhook_id: str
    claim: str
    url: str
    body: str
    attempt: int  # from 1


def claimed(
    hub: Hub, unit: Unit, free: int, flying: Sequence[Turn], lease: timedelta
) -> list[Turn]:
    """In a unit: up to ``free`` turns, besides those that are ``flying``."""
    on_their_way = Counter(turn.endpoint_id for turn in flying)
    turns: list[Turn] = []
    rows = unit.session.exec(
        select(WebhookRow, EndpointRow)
        .join(EndpointRow, col(EndpointRow.id) == col(WebhookRow.endpoint_id))
        .where(*_due(hub, flying))
        .order_by(col(WebhookRow.due_at), col(WebhookRow.seq), col(WebhookRow.id))
        .limit(4 * AT_ONCE)
        .with_for_update(skip_locked=True, of=WebhookRow)
    )
    for row, endpoint in rows:
        if len(turns) == free:
            break
        if on_their_way[endpoint.id] < FOR_ONE:
            on_their_way[endpoint.id] += 1
            row.claim, row.leased_until = new_id(), real() + lease
            turns.append(turn_of(row, endpoint))
    return turns


def turn_of(row: WebhookRow, endpoint: EndpointRow) -> Turn:
    return Turn(
        row.business_id,
        row.endpoint_id,
        row.id,
        row.claim,
        endpoint.url,
        row.body,
        row.attempts + 1,
    )


def has_due(hub: Hub, flying: Sequence[Turn]) -> bool:
    with hub.reading() as session:
        return _first(session, hub, flying) is not None


def _first(session: Session, hub: Hub, flying: Sequence[Turn]) -> str | None:
    query = (
        select(WebhookRow.id)
        .join(EndpointRow, col(EndpointRow.id) == col(WebhookRow.endpoint_id))
        .where(*_due(hub, flying))
    )
    return session.exec(query.limit(1)).first()


def _due(hub: Hub, flying: Sequence[Turn]) -> tuple[ColumnElement[bool], ...]:
    """What can be sent: the first of its subject at each endpoint that takes more now."""
    earlier = aliased(WebhookRow)
    is_earlier = or_(
        col(earlier.seq) < col(WebhookRow.seq),
        and_(col(earlier.seq) == col(WebhookRow.seq), col(earlier.id) < col(WebhookRow.id)),
    )
    blocked = exists().where(
        col(earlier.endpoint_id) == col(WebhookRow.endpoint_id),
        col(earlier.subject_id) == col(WebhookRow.subject_id),
        col(earlier.state) == "due",
        is_earlier,
    )
    other = aliased(WebhookRow)
    in_hand = exists().where(
        col(other.endpoint_id) == col(WebhookRow.endpoint_id),
        col(other.subject_id) == col(WebhookRow.subject_id),
        col(other.id) != col(WebhookRow.id),
        col(other.state) == "due",
        col(other.leased_until) > real(),
    )
    full = [id_ for id_, n in Counter(turn.endpoint_id for turn in flying).items() if n >= FOR_ONE]
    paused = col(EndpointRow.paused_until)
    return (
        col(WebhookRow.state) == "due",
        col(WebhookRow.due_at) <= hub.now(),
        or_(col(WebhookRow.leased_until).is_(None), col(WebhookRow.leased_until) < real()),
        or_(paused.is_(None), paused <= hub.now()),
        col(WebhookRow.endpoint_id).not_in(full),
        col(WebhookRow.id).not_in([turn.webhook_id for turn in flying]),
        ~blocked,
        ~in_hand,  # a later one, while an earlier one is sent again
        col(EndpointRow.state) == "on",
        col(WebhookRow.type) != TEST,
    )

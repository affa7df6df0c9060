"""Which webhooks can be sent now, and which worker has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
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
AT_ONCE, FOR_BUSINESS, FOR_ONE = 16, 8, 4
"""On their way: of all endpoints, of those of one business, and of one."""
FAILING, FAILING_ONE = 8, 1
"""Likewise of those that fail, which may be silent: the others keep the rest."""
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
    fails: bool  # its endpoint does


class _Room:
    """What more may be on its way, besides ``flying``."""

    def __init__(self, flying: Iterable[Turn]) -> None:
        self.of_business, self.of_endpoint = Counter[str](), Counter[str]()
        self.failing = 0
        for turn in flying:
            self.take(turn.business_id, turn.endpoint_id, turn.fails)

    def take(self, business_id: str, endpoint_id: str, fails: bool) -> None:
        self.of_business[business_id] += 1
        self.of_endpoint[endpoint_id] += 1
        self.failing += fails

    def has(self, endpoint: EndpointRow) -> bool:
        fails = endpoint.failing_since is not None
        return (
            self.of_business[endpoint.business_id] < FOR_BUSINESS
            and self.of_endpoint[endpoint.id] < (FAILING_ONE if fails else FOR_ONE)
            and not (fails and self.failing >= FAILING)
        )

    def asked(self) -> tuple[ColumnElement[bool], ...]:
        """``has`` for a query."""
        at, since = self.of_endpoint.items(), col(EndpointRow.failing_since)
        full = [id_ for id_, n in self.of_business.items() if n >= FOR_BUSINESS]
        well_full = [id_ for id_, n in at if n >= FOR_ONE]
        failing_full = [id_ for id_, n in at if n >= FAILING_ONE]
        failing = () if self.failing < FAILING else (since.is_(None),)
        return (
            col(EndpointRow.business_id).not_in(full),
            col(EndpointRow.id).not_in(well_full),
            or_(since.is_(None), col(EndpointRow.id).not_in(failing_full)),
            *failing,
        )


def claimed(
    hub: Hub, unit: Unit, free: int, flying: Sequence[Turn], lease: timedelta
) -> list[Turn]:
    """In a unit: up to ``free`` turns, besides those that are ``flying``."""
    room = _Room(flying)
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
        if room.has(endpoint):
            room.take(endpoint.business_id, endpoint.id, endpoint.failing_since is not None)
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
        endpoint.failing_since is not None,
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
    paused = col(EndpointRow.paused_until)
    return (
        col(WebhookRow.state) == "due",
        col(WebhookRow.due_at) <= hub.now(),
        or_(col(WebhookRow.leased_until).is_(None), col(WebhookRow.leased_until) < real()),
        or_(paused.is_(None), paused <= hub.now()),
        *_Room(flying).asked(),
        col(WebhookRow.id).not_in([turn.webhook_id for turn in flying]),
        ~blocked,
        ~in_hand,  # a later one, while an earlier one is sent again
        col(EndpointRow.state) == "on",
        col(WebhookRow.type) != TEST,
    )

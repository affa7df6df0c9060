"""What happened, put into words for each endpoint of a business. Sent by ``webhook_send``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from hub.core.events import (
    Event,
    JobClosed,
    NextStepChosen,
    OrderAmended,
    RatingGiven,
    RoutePublished,
)
from hub.core.webhook_types import DATA, HEARD, TEST, Body, types_of
from hub.db.tables import (
    ConnectionRow,
    EndpointRow,
    EventRow,
    JobRow,
    OrderRow,
    RouteRow,
    WebhookRow,
)
from hub.flows.endpoints import LISTENS, SWITCHED_OFF
from hub.flows.job_facts import facts_of

if TYPE_CHECKING:
    from hub.app import Hub

NAME = "hub.webhooks"
__all__ = ["HEARD", "NAME", "put_down", "body_of_a_test"]


def put_down(hub: Hub, event: Event) -> int:
    """One webhook for each endpoint that is told of ``event``; how many. Safe to repeat.

    For one that the hub switched off they are dead letters at once, so that they can be sent
    when it is on again.
    """
    with hub.reading() as session:
        told = [
            (endpoint, type_)
            for endpoint in _listening(session, event.business_id)
            for type_ in types_of(event)
            if type_ in endpoint.types
        ]
        if not told:
            return 0
        bodies = dict(_bodies(session, event))
        seq = session.exec(
            select(EventRow.seq).where(
                EventRow.business_id == event.business_id, EventRow.id == event.id
            )
        ).one()
    with hub.unit() as unit:
        # Who switches one off meanwhile waits, and then finds what is put down here.
        now = _listens(event.business_id).with_for_update(read=True)
        endpoints = {row.id: row for row in unit.session.exec(now)}
        known = set(
            unit.session.exec(
                select(WebhookRow.endpoint_id, WebhookRow.type).where(
                    WebhookRow.business_id == event.business_id, WebhookRow.event_id == event.id
                )
            )
        )
        new = [
            _row(hub, endpoints[endpoint.id], event, seq or 0, type_, bodies[type_])
            for endpoint, type_ in told
            if endpoint.id in endpoints and (endpoint.id, type_) not in known and type_ in bodies
        ]
        unit.session.add_all(new)
    return len(new)


def body_of_a_test(hub: Hub) -> str:
    """What somebody who sends a test sends."""
    data = DATA[TEST].model_validate({"message": "It works."})
    return Body(type=TEST, timestamp=hub.now(), data=data).written()


def _listening(session: Session, business_id: str) -> Sequence[EndpointRow]:
    return session.exec(_listens(business_id)).all()


def _listens(business_id: str) -> SelectOfScalar[EndpointRow]:
    return (
        select(EndpointRow)
        .where(EndpointRow.business_id == business_id, col(EndpointRow.state).in_(LISTENS))
        .order_by(col(EndpointRow.id))
    )


def _row(
    hub: Hub, endpoint: EndpointRow, event: Event, seq: int, type_: str, body: str
) -> WebhookRow:
    row = WebhookRow(
        business_id=event.business_id,
        endpoint_id=endpoint.id,
        event_id=event.id,
        seq=seq,
        subject_id=event.subject_id,
        type=type_,
        body=body,
        due_at=hub.now(),
        occurred_at=event.occurred_at,
    )
    if endpoint.state != "on":
        row.state, row.problem, row.settled_at = "dead", SWITCHED_OFF, hub.now()
    return row


def _bodies(session: Session, event: Event) -> Iterator[tuple[str, str]]:
    """What each type of ``event`` says; nothing of an order or route that is no longer there."""
    if isinstance(event, RoutePublished):
        known = _route(session, event)
    else:
        known = _order(session, event)
    if known is None:
        return
    for type_ in types_of(event):
        data = DATA[type_].model_validate(known)
        yield type_, Body(type=type_, timestamp=event.occurred_at, data=data).written()


def _route(session: Session, event: Event) -> dict[str, Any] | None:
    route = session.exec(
        select(RouteRow).where(
            RouteRow.business_id == event.business_id, RouteRow.id == event.subject_id
        )
    ).one_or_none()
    return {"route": {"id": route.id, "day": route.day}} if route else None


def _order(session: Session, event: Event) -> dict[str, Any] | None:
    """All that can be said; each type takes what it has a field for."""
    row = session.exec(
        select(OrderRow, ConnectionRow.slug)
        .join(ConnectionRow, col(ConnectionRow.id) == col(OrderRow.connection_id))
        .where(OrderRow.business_id == event.business_id, OrderRow.id == event.subject_id)
    ).one_or_none()
    if row is None:
        return None
    order, source = row
    said: dict[str, Any] = {
        "order": {"id": order.id, "ref": order.ref, "source": source, "number": order.number}
    }
    if isinstance(event, OrderAmended):
        return said | {"changed": list(event.changed)}
    job = session.exec(
        select(JobRow).where(
            JobRow.business_id == event.business_id, JobRow.id == getattr(event, "job_id", "")
        )
    ).one_or_none()
    if job is None:
        return said if not hasattr(event, "job_id") else None
    said["job"] = {"id": job.id, "kind": job.kind, "attempt": job.attempt, "leg": job.leg}
    plain = ("eta", "route_id", "what")
    said |= {name: getattr(event, name) for name in plain if hasattr(event, name)}
    match event:
        case RatingGiven():
            rating = {"id": event.rating_id, "stars": event.stars, "changed": event.changed}
            said["rating"] = rating
        case NextStepChosen():
            said |= {"step": event.step, "next_job_id": event.next_job_id or None}
        case JobClosed():
            proof = facts_of(session, event.business_id, [order.id])[job.id].proof
            files = [{"kind": k, "sha256": sha256} for k, sha256 in proof.files] if proof else []
            given = list(proof.given) if proof else []
            said |= {"outcome": event.outcome, "reason": event.reason}
            said["proof"] = {"given": given, "files": files}
    return said

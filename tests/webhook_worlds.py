"""A bakery whose program listens, and a receiver that can be told how to behave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask, Response, request
from sqlmodel import select

from hub.app import Hub
from hub.core.events import Event, OrderPlaced
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Point
from hub.db.tables import AttemptLogRow, EndpointRow, OrderRow, WebhookRow
from hub.flows.connections import connection_id
from hub.flows.endpoints import EndpointIn, make_endpoint
from hub.flows.found import found
from hub.flows.sync import store_all
from hub.flows.webhook_send import send_webhooks
from hub.testing import WsgiAdapter

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
ERP = "https://93.184.215.14"  # public, so that it may be called; no name is looked up for it
URL = f"{ERP}/webhooks"


@dataclass(frozen=True)
class Call:
    headers: dict[str, str]
    body: bytes
    path: str = ""

    @property
    def key(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """Answers as ``mood`` says to each call; 200 while nobody says otherwise."""

    calls: list[Call] = field(default_factory=list)
    mood: Callable[[Call], Response] = lambda _: Response("thanks")

    def be(self, status: int, text: str = "", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.mood = lambda _: Response(text, status, named)

    @property
    def app(self) -> Flask:
        app = Flask("receiver")

        @app.post("/<path:any>")
        def called(any: str) -> Response:
            headers = {name.lower(): value for name, value in request.headers.items()}
            call = Call(headers, request.get_data(), request.path)
            self.calls.append(call)
            return self.mood(call)

        return app


@dataclass
class World:
    hub: Hub
    business_id: str
    receiver: Receiver
    now: list[datetime]
    endpoint_id: str = ""
    secret: str = ""

    def listen(self, **given: object) -> str:
        made = make_endpoint(
            self.hub,
            self.business_id,
            EndpointIn.model_validate({"url": URL, **given}),
            actor="staff:1",
        )
        self.endpoint_id, self.secret = made.endpoint.id, made.secret
        return made.endpoint.id

    def order(self, *refs: str) -> None:
        store_all(
            self.hub,
            self.business_id,
            connection_id(self.hub, self.business_id, "api"),
            [
                IncomingOrder(
                    ref=ref,
                    number=ref,
                    updated_at=self.now[0],
                    address=Address((f"Street {ref}",)),
                    point=Point(60.17, 24.94),
                )
                for ref in refs
            ],
        )

    def announce(self, subject: str, kind: type[Event] = OrderPlaced, **more: object) -> None:
        with self.hub.unit() as unit:
            unit.announce(
                kind(
                    business_id=self.business_id,
                    subject_id=subject,
                    occurred_at=self.now[0],
                    received_at=self.now[0],
                    **more,  # type: ignore[arg-type]
                )
            )

    def work(self) -> int:
        """What the worker does now; how many attempts were made."""
        while self.hub.deliver_events():
            pass
        return send_webhooks(self.hub, clock=lambda: self.now[0])

    def later(self, **span: float) -> None:
        self.now[0] += timedelta(**span)

    def to_the_next(self) -> bool:
        """Move the clock to when something is due next; whether anything will be."""
        later = (row.due_at for row in self.webhooks() if row.state == "due")
        due = [at for at in (*later, self.endpoint().paused_until) if at and at > self.now[0]]
        if due:
            self.now[0] = min(due)
        return bool(due)

    def order_ids(self) -> list[str]:
        with self.hub.reading() as session:
            return list(session.exec(select(OrderRow.id).order_by(OrderRow.id)))

    def endpoint(self) -> EndpointRow:
        with self.hub.reading() as session:
            return session.get_one(EndpointRow, self.endpoint_id)

    def webhooks(self) -> list[WebhookRow]:
        with self.hub.reading() as session:
            return list(session.exec(select(WebhookRow).order_by(WebhookRow.id)))

    def attempts(self) -> list[AttemptLogRow]:
        with self.hub.reading() as session:
            return list(session.exec(select(AttemptLogRow).order_by(AttemptLogRow.id)))


def a_world(url: str = "", folder: Path | None = None, *plugins: object) -> World:
    now = [MONDAY]
    hub = Hub.in_memory(*(plugins or (object(),)), now=lambda: now[0], url=url, data_dir=folder)
    receiver = Receiver()
    hub.tools.http.mount(ERP, WsgiAdapter(receiver.app))
    return World(hub, found(hub, "Husk", zone="Europe/Helsinki", country="FI"), receiver, now)

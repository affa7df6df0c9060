"""A shop that tells its recipients, and carriers that do as they are bid."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

from sqlalchemy import text
from sqlmodel import select

import notifiers.console
import notifiers.email
from hub import (
    LooksUp,
    Message,
    NotificationChannel,
    PodStore,
    RoutingStrategy,
    TravelTimes,
    hookimpl,
)
from hub.app import Hub
from hub.core.events import Event
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Contact, Point, Role
from hub.db.errand_turns import to_event
from hub.db.tables import (
    DepotRow,
    DriverRow,
    EventRow,
    JobRow,
    NoticeRow,
    OrderRow,
    RouteRow,
)
from hub.flows.choices import choose
from hub.flows.connections import connection_id
from hub.flows.dispatch import publish
from hub.flows.drive import IncomingAct, take_acts
from hub.flows.found import found
from hub.flows.notice_send import send_due
from hub.flows.pairing import device_for, pair, pairing_code
from hub.flows.plan import plan_day
from hub.flows.sync import store_all
from hub.plugins.pod_disk import DiskPodStore
from hub.plugins.routing_nearest import NearestRouting
from hub.plugins.travel_crow import CrowTravelTimes
from tests.mail_worlds import Mailbox, settings_for

DAY = date(2026, 11, 23)
SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)
ANA = Contact(Role.RECIPIENT, name="Ana <b>Aalto</b>", email="ana@example.com")
BEN = Contact(Role.BUYER, name="Ben", email="ben@example.com")
PHOTO = [{"kind": "photo", "sha256": "0" * 64}]


class Crash(BaseException):
    """What a kill looks like from inside: nobody catches it."""


class Carrier:
    """What three made-up channels share: what they took, and how they are to behave."""

    def __init__(self) -> None:
        self.took: list[str] = []
        self.trouble: list[BaseException] = []  # one for each send, before it leaves
        self.crash_after = 0  # how many sends leave and then crash


class Shop:
    """A bakery with a mailbox, three more channels and a clock moved by hand."""

    def __init__(self, url: str, box: Mailbox) -> None:
        self.now, self.box, self.carrier = SIX, box, Carrier()
        carrier = self.carrier

        class Pigeon(NotificationChannel):
            key = "pigeon"
            title = "Pigeon"
            reaches = "email"

            def send(self, message: Message) -> str:
                if carrier.trouble:
                    raise carrier.trouble.pop(0)
                carrier.took.append(message.message_id)
                if carrier.crash_after:
                    carrier.crash_after -= 1
                    raise Crash
                return "coo"

        class Pager(Pigeon):
            key = "pager"
            repeat_is_harmless = True

        class Post(Pigeon, LooksUp):
            key = "post"

            def status(self, key: str) -> Literal["sent", "unknown", "failed"]:
                return "sent" if any(key in one for one in carrier.took) else "unknown"

        class Plugin:
            __name__ = "shop"

            @hookimpl
            def hub_notification_channels(self) -> list[type[NotificationChannel]]:
                return [Pigeon, Pager, Post]

            @hookimpl
            def hub_pod_stores(self) -> list[type[PodStore]]:
                return [DiskPodStore]

            @hookimpl
            def hub_travel_times(self) -> list[type[TravelTimes]]:
                return [CrowTravelTimes]

            @hookimpl
            def hub_routing_strategies(self) -> list[type[RoutingStrategy]]:
                return [NearestRouting]

        plugins = (Plugin(), notifiers.email, notifiers.console)
        self.hub = Hub.in_memory(*plugins, now=lambda: self.now, url=url, http_allow=("127.0.0.1",))
        self.business_id = found(self.hub, "Husk & Co", zone="Europe/Helsinki", country="FI")

    def uses_mail(self) -> Shop:
        self.choose("email", **settings_for(self.box))
        return self

    def uses_only(self, plugin: str) -> Shop:
        """Every rule of this shop goes by ``plugin``."""
        self.choose(plugin)
        with self.hub.unit() as unit:
            unit.session.execute(text("UPDATE notice_rule SET channel = :c"), {"c": plugin})
        return self

    def choose(self, plugin: str, **values: object) -> None:
        choose(self.hub, self.business_id, "channel", plugin, values, actor="staff:1")

    def order(self, ref: str = "17", *contacts: Contact, status: str = "open") -> None:
        order = IncomingOrder(
            ref=ref,
            number=ref,
            updated_at=self.now,
            address=Address(("Yrjönkatu 1",), city="Helsinki", country="FI"),
            point=Point(60.172, 24.94),
            contacts=contacts or (ANA,),
            status=status,  # type: ignore[arg-type]
        )
        api = connection_id(self.hub, self.business_id, "api")
        store_all(self.hub, self.business_id, api, [order])

    def tick(self, *, minutes: float = 0) -> None:
        """Time passes, and the worker does what it does."""
        self.now += timedelta(minutes=minutes)
        for _ in range(3):
            self.hub.deliver_events()
        self.send()

    def send(self) -> None:
        try:
            while send_due(self.hub, lease=timedelta(0)):
                pass
        except Crash:
            pass

    def on_the_road(self) -> RouteRow:
        with self.hub.unit() as unit:
            depot = DepotRow(business_id=self.business_id, name="B", lat=60.1699, lon=24.9384)
            unit.session.add(depot)
            unit.session.flush()
            works = {"0": ["08:00", "17:00"]}
            unit.session.add(
                DriverRow(business_id=self.business_id, name="M", depot_id=depot.id, works=works)
            )
        plan_day(self.hub, self.business_id, DAY, strategy="nearest")
        with self.hub.reading() as session:
            route = session.exec(select(RouteRow)).one()
        return publish(
            self.hub, self.business_id, route.id, actor="staff:1", expected_version=route.version
        )

    def says(self, kind: str, **body: object) -> None:
        with self.hub.reading() as session:
            driver = session.exec(select(DriverRow)).one()
        code = pairing_code(self.hub, self.business_id, driver.id)
        device = device_for(self.hub, pair(self.hub, code) or "")
        assert device is not None
        act = IncomingAct(
            act_id=f"{kind}{self.now}",
            kind=kind,
            job_id=self.job().id,
            occurred_at=self.now,
            body=body,
        )
        assert [one.result for one in take_acts(self.hub, device, [act])] == ["applied"]

    def job(self) -> JobRow:
        with self.hub.reading() as session:
            return session.exec(select(JobRow).order_by(JobRow.id)).first()  # type: ignore[return-value]

    def notices(self, trigger: str = "") -> list[NoticeRow]:
        with self.hub.reading() as session:
            rows = session.exec(select(NoticeRow).order_by(NoticeRow.id)).all()
        return [row for row in rows if trigger in ("", row.trigger)]

    def events(self) -> list[Event]:
        with self.hub.reading() as session:
            return [to_event(row) for row in session.exec(select(EventRow))]

    def link(self) -> str:
        with self.hub.reading() as session:
            order = session.exec(select(OrderRow)).one()
        return f"{self.hub.settings.public_url}/t/{self.hub.keys.link_token(order.id, 1)}"

"""A shop whose recipients have telephones, and the carrier that reaches them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from sqlalchemy import text
from sqlmodel import col, select

import notifiers.sms_http
import notifiers.sms_twilio
from hub.core.business import BusinessSettings
from hub.core.manners import Manners
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Contact, Point, Role
from hub.db.tables import (
    BusinessRow,
    DriverRow,
    EstimateRow,
    NoticeRow,
    NoticeRuleRow,
    OrderRow,
    RouteRow,
)
from hub.flows.choices import choice, hook_of
from hub.flows.connections import connection_id
from hub.flows.drive import IncomingAct, take_acts
from hub.flows.notice_rules import add_rules
from hub.flows.pairing import device_for, pair, pairing_code
from hub.flows.sync import store_all
from hub.testing import WsgiAdapter
from hub.web.app import create_app
from tests.fakes.twilio import SID, TOKEN, FakeTwilio, signed
from tests.mail_worlds import Mailbox
from tests.notify_worlds import Shop

ORIGIN = "https://hub.example"
PHONE = "+358401234567"
PIA = Contact(Role.RECIPIENT, name="Pia", phone=PHONE, email="pia@example.com")


class TextingShop(Shop):
    """Texts by a fake Twilio, mail by a real server; every rule by text is on, by mail off."""

    def __init__(self, url: str, box: Mailbox) -> None:
        super().__init__(url, box)
        self.twilio = FakeTwilio()
        for module in (notifiers.sms_twilio, notifiers.sms_http):
            self.hub.registry.add(module, module.__name__)
        self.hub.settings = replace(self.hub.settings, public_url=ORIGIN)
        self.hub.tools.http.mount("https://api.twilio.com", WsgiAdapter(self.twilio.app))
        given = {"account_sid": SID, "auth_token": TOKEN, "sender": "+15017122661"}
        self.choose("sms_twilio", **given, price="0.05", currency="EUR")
        self.uses_mail()
        add_rules(self.hub, self.business_id, "sms_twilio")
        self.set_rules("sms_twilio", active=True)
        self.set_rules("email", active=False)
        self.minds(quiet_from="00:00", quiet_to="00:00")

    @cached_property
    def client(self) -> FlaskClient:
        return create_app(self.hub).test_client()

    def set_rules(self, channel: str, trigger: str = "", role: str = "", **values: object) -> None:
        with self.hub.unit() as unit:
            rules = unit.session.exec(
                select(NoticeRuleRow).where(
                    NoticeRuleRow.business_id == self.business_id, NoticeRuleRow.channel == channel
                )
            )
            for rule in rules:
                if trigger in ("", rule.trigger) and role in ("", rule.role):
                    for name, value in values.items():
                        setattr(rule, name, value)

    def minds(self, **values: object) -> None:
        with self.hub.unit() as unit:
            row = unit.session.get_one(BusinessRow, self.business_id)
            kept = BusinessSettings.model_validate(row.settings)
            kept.manners = Manners.model_validate({**kept.manners.model_dump(), **values})
            row.settings = kept.model_dump(mode="json")

    def texts(self) -> list[str]:
        return [row["body"] for row in self.twilio.rows]

    def send(self) -> None:
        """Twice: what one channel cannot tell, another one does."""
        super().send()
        super().send()

    def street(self, count: int) -> None:
        """So many orders, each at a door of its own."""
        orders = [
            IncomingOrder(
                ref=f"D{n}",
                number=f"D{n}",
                updated_at=self.now,
                address=Address((f"Street {n}",), city="Helsinki", country="FI"),
                point=Point(60.172 + n / 200, 24.94),
                contacts=(Contact(Role.RECIPIENT, name=f"P{n}", phone=f"+35840123450{n}"),),
            )
            for n in range(count)
        ]
        api = connection_id(self.hub, self.business_id, "api")
        store_all(self.hub, self.business_id, api, orders)

    def of(self, ref: str) -> list[NoticeRow]:
        with self.hub.reading() as session:
            query = (
                select(NoticeRow)
                .join(OrderRow, col(OrderRow.id) == col(NoticeRow.order_id))
                .where(OrderRow.ref == ref)
                .order_by(col(NoticeRow.id))
            )
            return list(session.exec(query))

    def hook(self, channel: str = "sms_twilio") -> str:
        row = choice(self.hub, self.business_id, "channel", channel)
        assert row is not None
        return hook_of(self.hub, row.id)

    def calls_back(self, n: int, status: str, **more: str) -> int:
        """The carrier's call about its ``n``-th text; the hub's answer."""
        url, body, headers = self.twilio.call_back(self.twilio.rows[n]["sid"], status, **more)
        return self.posted(url, body, headers)

    def answers(self, words: str, sender: str = PHONE, **more: str) -> int:
        url = f"{ORIGIN}/hooks/answer/{self.hook()}"
        return self.posted(*signed(url, {"From": sender, "Body": words, **more}))

    def posted(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return self.client.post(path, data=body, headers=headers).status_code

    def lease_over(self) -> None:
        with self.hub.unit() as unit:
            unit.session.execute(text("UPDATE notice SET leased_until = '2026-01-01 00:00:00'"))

    def begins_shift(self) -> None:
        """The driver of the only round says so."""
        with self.hub.reading() as session:
            driver = session.exec(select(DriverRow)).one()
            route = session.exec(select(RouteRow)).one()
        code = pairing_code(self.hub, self.business_id, driver.id)
        device = device_for(self.hub, pair(self.hub, code) or "")
        assert device is not None
        act = IncomingAct(
            act_id=f"start{self.now}",
            kind="start_shift",
            job_id=None,
            route_id=route.id,
            occurred_at=self.now,
            body={},
        )
        assert [one.result for one in take_acts(self.hub, device, [act])] == ["applied"]

    def expects(self, minutes: float) -> None:
        """The driver of the only job is expected then."""
        at, job = self.now + timedelta(minutes=minutes), self.job()
        with self.hub.unit() as unit:
            query = select(EstimateRow).where(EstimateRow.job_id == job.id)
            row = unit.session.exec(query).one_or_none() or EstimateRow(
                business_id=self.business_id, job_id=job.id, p10=at, p50=at, p90=at, updated_at=at
            )
            row.p10, row.p50, row.p90 = at, at, at + timedelta(minutes=10)
            unit.session.add(row)

    def passes(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

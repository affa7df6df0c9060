"""Random days, looked at from outside: what leaves is held against an oracle at every step.

Judged are the bytes a recipient's browser gets: the page, its stream, what it asks now and then,
its photo and its document. ``HUB_WALK_SEED`` begins elsewhere.
"""

from __future__ import annotations

import io
import os
import random
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import text
from sqlmodel import select

from hub.core.values import Contact, Role
from hub.db.engine import WRITE
from hub.db.tables import BusinessRow, EstimateRow, JobRow
from hub.flows.brands import Brands
from hub.flows.connections import connection_id
from hub.flows.delivery import delivery_of, documents_of
from hub.flows.drive import IncomingAct, take_acts
from hub.flows.links import links_of
from hub.flows.notice_mail import about_order, composed
from hub.flows.prove import put_file
from hub.flows.sync import order_report, store_all
from hub.keys import hashed
from hub.live import pages
from hub.live.audience import Audience
from hub.live.store import LastFix, Positions
from tests import privacy_oracle as oracle
from tests.driving_worlds import a_copy
from tests.privacy_oracle import NO, Truth, Wish, on_the_page
from tests.tracking_worlds import EIGHT, Street, a_picture, scheduled
from tests.web.test_tracking import app_of

SEED = int(os.environ.get("HUB_WALK_SEED", "20261127"))
STEPS_A_DAY = 40
DOCUMENT_EVERY = 60  # looks; typesetting takes longer than all else
LOOKS = 0.2  # at one step in five; what a step changed stays
PHOTO = a_picture(64, 48, "#7a5b45")
MINE = {
    "driver": ("Mara",),
    "stops": ("stop before you", "stops before you", "You are the next stop", "you are next"),
    "recipient": ("Anna",),
    "address": ("Yrjönkatu 2", 'data-pin="stop"'),
    "items": ("Sourdough", "Rye bread"),
    "photo": ("/photo/1",),
    "position": ('data-pin="driver"', 'id="signal" class="muted"'),
    "route": ('class="map-line"',),
    "payment": ("19.50 EUR",),
}
READERS = ("page", "gift", "buyer")  # whose wishes there are: two links, and an order with no buyer
RULE = "You can follow the driver[^<]*"  # says what the business set, not how things stand
NEVER_SHOWN = ("Virtanen", "anna@example.fi", "+358401234567", "C 12", "Otso", "Blom", "berta@")
OTHERS = tuple(f"Yrjönkatu {n}" for n in (1, 3, 4, 5))
LETTER = "{name}|{address}|{received_by}|{order}"
PAGE_FACTS = tuple(oracle.ON_PAGE)
BOXES = {
    "messages": ("recipient", "address"),
    "books": ("position", "driver", "recipient", "address", "items", "photo"),
}


@cache
def _published() -> Street:
    return scheduled()


class Reader:
    """An open stream that keeps what it is sent."""

    def __init__(self) -> None:
        self.got = b""

    def write(self, data: bytes) -> None:
        self.got += data

    def end(self) -> None: ...


class Walk:
    """One day of one order, and everybody who looks at it."""

    def __init__(self, dice: random.Random, seen: Counter[str]) -> None:
        self.dice, self.seen = dice, seen
        kept = _published()
        self.street = Street(a_copy(kept.day), kept.device)
        self.day, self.hub = self.street.day, self.street.hub
        self.day.now[0] = EIGHT - timedelta(minutes=10)
        self.business_id = self.street.business_id
        self.buyer = dice.choice(("", "Berta Blom"))
        self._ordered()
        self.client: FlaskClient = app_of(self.street).test_client()
        self.token = self.street.token
        self.order_id = self.street.order.id
        with self.hub.reading() as session:
            jobs = session.exec(select(JobRow.id, JobRow.order_id).order_by(JobRow.id)).all()
        self.jobs = [job_id for job_id, _ in jobs]
        self.mine = next(job_id for job_id, order_id in jobs if order_id == self.order_id)
        self.route_id = self.day.route().id
        self.fix: tuple[float, float, datetime] | None = None
        self.acts = self.fixes = 0
        self.all_wishes: dict[str, dict[str, Wish]] = {one: {} for one in READERS}
        self.boxes: dict[str, set[str]] = {reader: set(facts) for reader, facts in BOXES.items()}
        self.full_h, self.bare_days = 48, 30
        for wishes in self.all_wishes.values():
            wishes.update({fact: self._wish() for fact in PAGE_FACTS})
        self._keep_wishes()
        self._act("start_shift", None, {})
        heard: list[LastFix] = []
        if dice.random() < 0.4:  # a day that is driven in its order, up to this door
            for n in range(1, len(self.jobs)):
                job_id = self.street.job_at(n).id
                if job_id == self.mine:
                    break
                self._act("close", job_id, {"outcome": "failed", "reason": "refused"})
            heard = [self.fix_at(60.1739, 24.94)]
        self.audience = Audience(self.hub.now)
        self.audience.moved(heard)
        page = pages.by_token(self.hub.engine, [hashed(self.token)])[hashed(self.token)]
        self.topic = self.audience.open(hashed(self.token), page, 1)
        self.reader: Any = Reader()
        self.topic.streams.add(self.reader)
        self.buyers = self._links().get("buyer", "")
        assert bool(self.buyers) == bool(self.buyer)

    @property
    def wishes(self) -> dict[str, Wish]:
        """What counts for the recipient's link."""
        return self.all_wishes[oracle.rules_for("recipient", self.buyer, "Anna Virtanen")]

    def _ordered(self) -> None:
        """As its source has it: something is to pay, and maybe it is a present."""
        report = order_report.validate_python(self.street.order.report)
        contacts = [*report.contacts]
        if self.buyer:
            contacts.append(Contact(Role.BUYER, self.buyer, "", "berta@example.fi"))
        api = connection_id(self.hub, self.business_id, "api")
        changed = replace(
            report,
            contacts=tuple(contacts),
            payment_due="19.50 EUR",
            updated_at=report.updated_at + timedelta(minutes=1),
        )
        store_all(self.hub, self.business_id, api, [changed])

    def _links(self) -> dict[str, str]:
        with self.hub.reading() as session:
            found = links_of(self.hub, session, self.business_id, self.order_id)
        return {str(role): url.rpartition("/")[2] for role, url in found.items()}

    def step(self) -> None:
        roll = self.dice.random()
        if roll < 0.30:
            self._drive()
        elif roll < 0.55:
            self._fix()
        elif roll < 0.75:
            self._change_a_wish()
        elif roll < 0.85:
            self._estimate()
        else:
            minutes = self.dice.choice((1, 1, 3, 10, 16, 40))
            self.day.now[0] += timedelta(minutes=minutes)
            if self.dice.random() < 0.02:
                self.day.now[0] += timedelta(hours=self.dice.choice((9, 47, 49, 500, 800)))
        if self.dice.random() < LOOKS:
            self.seen["looks"] += 1
            self._judge()

    # What happens

    def _drive(self) -> None:
        job_id: str | None = self.mine if self.dice.random() < 0.35 else self.dice.choice(self.jobs)
        kind = self.dice.choices(
            ("start_shift", "head_for", "arrive", "close", "end_shift"), (3, 4, 3, 4, 0.3)
        )[0]
        body: dict[str, object] = {}
        if kind.endswith("shift"):
            job_id = None
        if kind == "close":
            if job_id == self.mine and self.dice.random() < 0.6:
                return  # most of what there is to hide is hidden before the end
            body = self._ending(job_id or "")
        self._act(kind, job_id, body)

    def _act(self, kind: str, job_id: str | None, body: dict[str, object]) -> None:
        self.acts += 1
        act = IncomingAct(
            act_id=f"walk-{self.acts}",
            kind=kind,
            occurred_at=self.hub.now(),
            job_id=job_id,
            route_id=self.route_id,
            body=body,
        )
        take_acts(self.hub, self.street.device, [act])

    def _ending(self, job_id: str) -> dict[str, object]:
        known_by = sha256(PHOTO).hexdigest()
        outcome = self.dice.choice(("succeeded", "succeeded", "partial", "failed"))
        body: dict[str, object] = {"outcome": outcome, "name": "Anna Virtanen"}
        if outcome == "failed":
            return {**body, "reason": "nobody_home", "note": "rang"}
        if self.dice.random() < 0.8:
            put_file(self.hub, self.business_id, job_id, "photo", "image/jpeg", PHOTO, known_by)
        body["files"] = [{"kind": "photo", "sha256": known_by}]
        body |= {"lat": 60.17402, "lon": 24.94031, "accuracy_m": 9}
        if outcome == "partial":
            counted = {"n": 0, "title": "Sourdough loaf", "ordered": 2, "delivered": 1}
            body |= {"reason": "missing_items", "lines": [counted]}
        return body

    def _fix(self) -> None:
        off = self.dice.choice((0.0002, 0.002, 0.01, 0.05))
        lat = round(60.174 - off * self.dice.random(), 6)
        lon = round(24.94 + off * (self.dice.random() - 0.5), 6)
        at = self.hub.now() - timedelta(minutes=self.dice.choice((0, 0, 0, 5, 20)))
        if self.fix is not None and at <= self.fix[2]:
            return
        one = self.fix_at(lat, lon, at)
        looks = self.dice.random() < LOOKS
        if looks:
            self._follow()
        self.reader.got = b""
        self.topic.told_at = 0.0  # a second has passed for its readers
        self.audience.moved([one])
        if looks:
            truth = self._truth()
            told = on_the_page(truth, self.wishes, "position")
            self._hold("position", b"lat" in self.reader.got, told, "sent on", self._story(truth))

    def fix_at(self, lat: float, lon: float, at: datetime | None = None) -> LastFix:
        """Stored as the live process stores it."""
        at = at or self.hub.now()
        self.fixes += 1
        self.fix = (lat, lon, at)
        one = LastFix(
            self.street.device.id,
            self.business_id,
            self.street.device.driver_id,
            self.fixes,
            round(at.timestamp() * 1000),
            lat,
            lon,
            8.0,
            None,
            90.0,
            None,
            0,
        )
        engine = Positions.open(self.hub.settings).engine
        with engine.execution_options(**WRITE).begin() as connection:
            connection.execute(
                text(
                    "REPLACE INTO last_fix (device_id, business_id, driver_id, through, seq, t, lat,"
                    " lon, acc, hdg, received_ms) VALUES (:device_id, :business_id, :driver_id,"
                    " :seq, :seq, :at_ms, :lat, :lon, 8, 90, 0)"
                ),
                msgspec.structs.asdict(one),
            )
        return one

    def _estimate(self) -> None:
        comes = self.hub.now() + timedelta(minutes=self.dice.choice((1, 4, 12, 30, 90)))
        with self.hub.unit() as unit:
            row = unit.session.exec(
                select(EstimateRow).where(
                    EstimateRow.business_id == self.business_id, EstimateRow.job_id == self.mine
                )
            ).one_or_none()
            if row is None:
                row = EstimateRow(
                    business_id=self.business_id,
                    job_id=self.mine,
                    version=0,
                    p10=comes,
                    p50=comes,
                    p90=comes,
                    updated_at=self.hub.now(),
                )
                unit.session.add(row)
            row.p10, row.p50, row.p90 = comes, comes, comes + timedelta(minutes=9)

    def _wish(self) -> Wish:
        since = self.dice.choice(("always", "always", "stops", "minutes", "metres", "never"))
        limit = {"stops": (0, 1, 2, 3), "minutes": (2, 10, 20, 60), "metres": (60, 300, 1500, 9000)}
        return since, self.dice.choice(limit[since]) if since in limit else 0

    def _change_a_wish(self) -> None:
        if self.dice.random() < 0.7:
            one = self.all_wishes[self.dice.choice(READERS)]
            one[self.dice.choice(PAGE_FACTS)] = self._wish()
        elif self.dice.random() < 0.8:
            reader = self.dice.choice(tuple(BOXES))
            self.boxes[reader] ^= {self.dice.choice(BOXES[reader])}
        else:
            self.full_h = self.dice.choice((1, 24, 48))
            self.bare_days = self.dice.choice((2, 10, 30))
        self._keep_wishes()

    def _keep_wishes(self) -> None:
        rules: dict[str, Any] = {
            reader: {fact: {"since": since, "at": at} for fact, (since, at) in wishes.items()}
            for reader, wishes in self.all_wishes.items()
        }
        for reader, facts in BOXES.items():
            told = self.boxes[reader]
            rules[reader] = {
                fact: {"since": "always" if fact in told else "never", "at": 0} for fact in facts
            }
        with self.hub.unit() as unit:
            row = unit.session.get_one(BusinessRow, self.business_id)
            more = {"page_full_h": self.full_h, "page_bare_days": self.bare_days}
            row.settings = {**row.settings, **more, "visibility": rules}

    # What is seen of it

    def _judge(self) -> None:
        truth = self._truth()
        story = self._story(truth)
        told = {fact: on_the_page(truth, self.wishes, fact) for fact in PAGE_FACTS}
        self._judge_page(self.token, told, "page", story)
        if self.buyers:
            self._judge_buyer(truth)
        self._judge_stream(told["position"], story)
        if self.dice.random() < 0.25:
            photo = self.client.get(f"/t/{self.token}/photo/1").status_code == 200
            self._hold("photo", photo, told["photo"], "file", story)
        if truth.phase == "done" and self.dice.random() < 1 / DOCUMENT_EVERY:
            self._judge_documents(told, story)
        if self.dice.random() < 0.1:
            self._judge_letter()

    def _judge_page(
        self, token: str, told: dict[str, oracle.Answer], where: str, story: object
    ) -> None:
        html = self.client.get(f"/t/{token}").text
        words = re.sub(RULE, "", html.partition("<script")[0])
        shown = {fact for fact, marks in MINE.items() if any(mark in words for mark in marks)}
        for fact in PAGE_FACTS:
            self._hold(fact, fact in shown, told[fact], where, story)
        for secret in (*NEVER_SHOWN, *OTHERS):
            assert secret not in html, (secret, story)

    def _judge_buyer(self, truth: Truth) -> None:
        """The other link of the same order, by its own wishes: its page, its photo, its stream."""
        wishes = self.all_wishes[oracle.rules_for("buyer", self.buyer, "Anna Virtanen")]
        story = ("buyer", truth.phase, wishes, self.fix)
        told = {fact: on_the_page(truth, wishes, fact) for fact in PAGE_FACTS}
        self._judge_page(self.buyers, told, "buyer", story)
        photo = self.client.get(f"/t/{self.buyers}/photo/1").status_code == 200
        self._hold("photo", photo, told["photo"], "buyer's file", story)
        by = hashed(self.buyers)
        page = pages.by_token(self.hub.engine, [by])[by]
        audience = Audience(self.hub.now)
        audience.positions = self.audience.positions
        sent = audience.first_of(audience.open(by, page, 1))
        self._hold("position", b"lat" in sent, told["position"], "buyer's stream", story)

    def _truth(self) -> Truth:
        with self.hub.reading() as session:
            return Truth(
                session, self.order_id, self.hub.now(), self.fix, self.full_h, self.bare_days
            )

    def _story(self, truth: Truth) -> object:
        return (truth.phase, truth.stops_before if truth.route else None, self.wishes, self.fix)

    def _follow(self) -> None:
        """The live process has heard of what changed."""
        page = pages.by_token(self.hub.engine, [hashed(self.token)])[hashed(self.token)]
        self.audience.changed(self.topic, page, self.topic.v + 1)

    def _judge_stream(self, told: oracle.Answer, story: object) -> None:
        """What who watches is sent, what who opens the page gets first, and what is asked now and then."""
        self.reader.got = b""
        self.topic.told_at = 0.0
        self._follow()
        pushed, self.reader.got = self.reader.got, b""
        first = self.audience.first_of(self.topic)
        now = msgspec.json.encode(self.audience.position(self.topic))
        for sent in (pushed, first, now):
            self._hold("position", b"lat" in sent, told, "stream", story)
        for secret in (*NEVER_SHOWN, *OTHERS, "Mara", "Anna", "Yrjönkatu"):
            assert secret.encode() not in pushed + first + now

    def _judge_documents(self, told: dict[str, oracle.Answer], story: object) -> None:
        answer = self.client.get(f"/t/{self.token}/proof.pdf")
        if answer.status_code == 200:
            said = _words_of(answer.data)
            for fact, mark in (
                ("items", "Sourdough"),
                ("driver", "Mara"),
                ("address", "Yrjönkatu"),
            ):
                self._hold(fact, mark in said, _at_most(told[fact]), "document", story)
            assert "60.17402" not in said, story
            has_photo = sha256(PHOTO).hexdigest()[:16] in said
            self._hold("photo", has_photo, _at_most(told["photo"]), "document", story)
        with self.hub.reading() as session:
            order, record, whole = delivery_of(self.hub, session, self.business_id, self.mine)
        about = (self.hub, self.business_id, self.mine, record, whole)
        filed = " ".join(_words_of(one.content) for one in documents_of(*about))
        left = f"{order!r} {record!r} {filed}"
        may = self.boxes["books"]
        for fact, mark in (
            *(("driver", "Mara"), ("recipient", "Virtanen"), ("address", "Yrjönkatu")),
            *(("items", "Sourdough"), ("position", "60.17402")),
        ):
            assert fact in may or mark not in left, (fact, may)
            self.seen[f"books {fact}"] += mark in left

    def _judge_letter(self) -> None:
        with self.hub.reading() as session:
            order, job = self.street.order, session.get_one(JobRow, self.mine)
            brands = Brands(session, self.business_id)
            brand = brands.of(order)
            about = about_order(self.hub, session, brands, order, job)
            business = session.get_one(BusinessRow, self.business_id)
            about = replace(about, name="Anna Virtanen")
        for mark, fact in (("Anna", "recipient"), ("Yrjönkatu", "address")):
            letter = composed(self.hub, business, brand, LETTER, LETTER.replace("|", "\n"), about)
            is_told = mark in letter.subject + letter.text + letter.html
            assert is_told == (fact in self.boxes["messages"]), (fact, letter.text)
            self.seen[f"letter {fact}"] += is_told

    def _hold(
        self, fact: str, is_shown: bool, told: oracle.Answer, where: str, story: object
    ) -> None:
        assert told.may or not is_shown, ("LEAK", fact, where, story)
        assert is_shown or not told.must, ("HIDDEN", fact, where, story)
        self.seen[f"{where} {fact}"] += is_shown


def _at_most(told: oracle.Answer) -> oracle.Answer:
    """A document has other reasons to leave something out."""
    return oracle.PERHAPS if told.may else NO


def _words_of(pdf: bytes) -> str:
    return " ".join(
        " ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages
    )


def walked(steps: int, seed: int) -> Counter[str]:
    """How often what was seen where, after so many steps without a leak."""
    dice, seen = random.Random(seed), Counter[str]()
    while steps > 0:
        walk = Walk(dice, seen)
        for _ in range(min(steps, STEPS_A_DAY)):
            walk.step()
        steps -= STEPS_A_DAY
    return seen


def test_nothing_is_seen_that_the_oracle_would_hide_nor_hidden_that_it_would_show() -> None:
    seen = walked(400, SEED)
    for fact in PAGE_FACTS:
        # Who shows nothing leaks nothing. A road is rarely seen: four wishes must come together.
        assert seen[f"page {fact}"] or (fact == "route" and seen["buyer route"]), fact
        assert seen[f"buyer {fact}"] or fact in ("route", "photo"), fact
    assert seen["stream position"]


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_hundred_thousand_steps_leak_nothing() -> None:
    seen = walked(100_000, SEED + 1)
    print(SEED, dict(seen))
    for fact in PAGE_FACTS:
        assert seen[f"page {fact}"] > 50, fact

"""kill -9, pauses, lost answers, time-outs and errors around texts and mails: none lost, none
doubled that could have been looked up or carries a key, and whatever may have come twice says so.

A real mail server, a carrier with Twilio's API and a gateway that drops repeats by their key, each
on a port of its own, and a worker in its own process that is killed again and again, often just
when the other side has the message.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Contact, Point, Role
from hub.db.migrate import migrate
from hub.db.tables import NoticeRow, NoticeRuleRow
from hub.flows.choices import choose
from hub.flows.connections import connection_id
from hub.flows.found import found
from hub.flows.notice_rules import add_rules
from hub.flows.sync import store_all
from hub.settings import Settings
from hub.testing.serving import serve
from tests.fakes.gateways import SHAPES, FakeGateway
from tests.fakes.twilio import SID, TOKEN, FakeTwilio
from tests.faults.texting import with_texts
from tests.mail_worlds import Mailbox, a_mailbox, settings_for

MAILER = Path(__file__).with_name("mailer.py")
WAYS = ("mail", "text", "keyed")
SILENT_S = 11.0  # a text's answer is waited for ten seconds, a mail's twenty


@dataclass
class Weather:
    """What befalls the calls of one side, besides kills, and how often it did."""

    seed: int
    befalls: dict[str, float]  # share of calls by trouble; the rest go well
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._chance, self._lock = random.Random(self.seed), threading.Lock()

    def next(self) -> str:
        with self._lock:
            troubles = [*self.befalls, "well"]
            shares = [*self.befalls.values(), 1 - sum(self.befalls.values())]
            mood = self._chance.choices(troubles, shares)[0]
            self.seen[mood] += 1
        return mood


@dataclass
class Killer:
    """Kills its caller once it has the message and before it says so."""

    kills_after: int = 0
    victim: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def strikes(self) -> bool:
        with self.lock:
            if not self.kills_after:
                return False
            self.kills_after -= 1
            if self.kills_after:
                return False
        _kill(self.victim)
        return True


@dataclass
class KillingTwilio(FakeTwilio):
    killer_of: Killer = field(default_factory=Killer)
    weather: Weather = field(default_factory=lambda: Weather(1, {}))

    def _next_mood(self) -> str:
        return self.weather.next()

    def _row(self, form: Any) -> dict[str, Any]:
        row = super()._row(form)
        if self.killer_of.strikes():
            with self.lock:
                self.rows.append(row)  # it has it
            raise ConnectionAbortedError
        return row


@dataclass
class KillingGateway(FakeGateway):
    killer_of: Killer = field(default_factory=Killer)
    weather: Weather = field(default_factory=lambda: Weather(1, {}))
    calls: int = 0

    def _take(self) -> Any:
        mood = self.weather.next()
        if mood == "busy":
            return {"error": "slow"}, 429, {"Retry-After": "1"}
        answer = super()._take()
        self.calls += 1
        if self.killer_of.strikes():
            raise ConnectionAbortedError
        if mood == "lost":
            time.sleep(SILENT_S)
        return ({"error": "oops"}, 500) if mood == "broken" else answer


class KillingPost(Mailbox):
    """A mail server that also puts off, hangs up and falls silent, the mail in its hands."""

    def __init__(self, weather: Weather) -> None:
        super().__init__()
        self.killer_of, self.weather = Killer(), weather

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mood = self.weather.next()
        if mood == "busy":
            return "451 4.7.1 Try again later"
        answer = await super().handle_DATA(server, session, envelope)
        if self.killer_of.strikes() or mood == "hung up":
            server.transport.abort()
        if mood == "lost":
            await asyncio.sleep(2 * SILENT_S)
        return answer


@dataclass
class Sides:
    """Who takes the messages, each killing and each in its own weather."""

    post: KillingPost
    twilio: KillingTwilio
    gateway: KillingGateway

    def killers(self) -> dict[str, Killer]:
        ours = (self.post.killer_of, self.twilio.killer_of, self.gateway.killer_of)
        return dict(zip(WAYS, ours, strict=True))


def a_shop(folder: Path, sides: Sides, carrier: str, gateway: str, count: int) -> Hub:
    settings = replace(
        Settings.from_environment({}),
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'hub.db'}",
        http_allow=("127.0.0.1",),
    )
    hub = Hub.from_settings(settings)
    with_texts(hub)
    migrate(hub.engine)
    business_id = found(hub, "Husk", zone="UTC")
    choose(hub, business_id, "channel", "email", settings_for(sides.post), actor="staff:1")
    texts = {"account_sid": SID, "auth_token": TOKEN, "sender": "Husk", "base_url": carrier}
    choose(hub, business_id, "channel", "sms_twilio", texts, actor="staff:1")
    path = SHAPES["pigeon"].path
    keyed = sides.gateway.settings(url=f"{gateway}{path}", check_url=f"{gateway}/v1/me")
    choose(hub, business_id, "channel", "sms_http", keyed, actor="staff:1")
    whose = {"email": Role.BUYER, "sms_twilio": Role.SITE, "sms_http": Role.SHIPPER}
    add_rules(hub, business_id, "sms_twilio")
    add_rules(hub, business_id, "sms_http")
    with hub.unit() as unit:
        for rule in unit.session.exec(select(NoticeRuleRow)):
            rule.active, rule.in_quiet = rule.trigger == "placed", "send"
            rule.role, rule.fallback = whose[rule.channel], ""
    orders = [an_order(n) for n in range(count)]
    store_all(hub, business_id, connection_id(hub, business_id, "api"), orders)
    while hub.deliver_events():
        pass
    return hub


def an_order(n: int) -> IncomingOrder:
    """Of five, two are told by mail, two by a carrier that can be asked, one by one with keys."""
    match n % 5:
        case 0 | 1:
            contact = Contact(Role.BUYER, name="Ben", email=f"b{n}@example.com")
        case 2 | 3:
            contact = Contact(Role.SITE, name="Ana", phone=f"+35840{n:07}")
        case _:
            contact = Contact(Role.SHIPPER, name="Eva", phone=f"+35850{n:07}")
    return IncomingOrder(
        ref=f"R{n}",
        number=f"R{n}",
        updated_at=datetime.now(UTC) - timedelta(seconds=1),
        address=Address((f"Street {n}",)),
        point=Point(60.15 + n / 100_000, 24.9),
        contacts=(contact,),
    )


@pytest.fixture(scope="module")
def mailer() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, str(MAILER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def works(
    mailer: subprocess.Popen[str],
    folder: Path,
    killers: dict[str, Killer],
    chance: random.Random | None,
    kills_within: int,
) -> str:
    """ "done", or "killed" if ``chance`` had it so."""
    assert mailer.stdin is not None and mailer.stdout is not None
    how = "" if chance is None else chance.choice([*WAYS, "any"])
    for way, killer in killers.items():
        killer.kills_after = chance.randint(1, kills_within) if chance and how == way else 0
    mailer.stdin.write(f"{folder}\n")
    mailer.stdin.flush()
    victim = int(mailer.stdout.readline())
    for killer in killers.values():
        killer.victim = victim
    if chance is not None:
        # Whoever is not killed in a conversation is killed at any moment.
        wait_s = chance.uniform(0.0, 0.4) if how == "any" else 120.0
        kill = threading.Timer(wait_s, _kill, [victim])
        kill.start()
        ended = mailer.stdout.readline().strip()
        kill.cancel()
    else:
        ended = mailer.stdout.readline().strip()
    for killer in killers.values():
        killer.kills_after = 0
    return ended


def _kill(victim: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)


def tried(
    mailer: subprocess.Popen[str],
    folder: Path,
    count: int,
    kills: int,
    seed: int,
    *,
    within: int,
    silent: float = 0.0,
) -> str:
    """How it went, in figures. A kill comes ``within`` so many messages of its kind; ``silent``:
    the share of messages whose answer is a time-out.
    """
    chance = random.Random(seed)
    troubles = {"busy": 0.05, "broken": 0.03, "lost": silent}
    sides = Sides(
        KillingPost(Weather(seed, {"busy": 0.03, "hung up": 0.02, "lost": silent / 2})),
        KillingTwilio(pause_s=1, stalls_s=SILENT_S, weather=Weather(seed + 1, troubles)),
        KillingGateway(SHAPES["pigeon"], weather=Weather(seed + 2, troubles)),
    )
    killers = sides.killers()
    with (
        a_mailbox(sides.post),
        serve(sides.twilio.app) as carrier,
        serve(sides.gateway.app) as gateway,
    ):
        for app in (sides.twilio.app, sides.gateway.app):
            app.testing = False  # what is raised in there is an error to its caller
        hub = a_shop(folder, sides, carrier.rstrip("/"), gateway.rstrip("/"), count)
        for n in range(kills):
            ended = works(mailer, folder, killers, chance, within)
            assert ended == "killed", f"nothing was left for the kill after {n}"
        assert works(mailer, folder, killers, None, 1) == "done"
        mails = Counter(str(mail["To"]) for mail in sides.post.mails)
        texts = Counter(row["to"] for row in sides.twilio.rows)
        keyed = Counter(to for to, _, _ in sides.gateway.has)
    with hub.reading() as session:
        notices = session.exec(select(NoticeRow)).all()
    told = {row.recipient: row for row in notices}
    assert len(notices) == len(told) == count, "one for each order"
    by_channel = {"email": mails, "sms_twilio": texts, "sms_http": keyed}
    doubled = flagged = 0
    for recipient, row in told.items():
        got = by_channel[row.channel].pop(recipient, 0)
        if row.channel != "email" or row.state != "uncertain":
            assert (row.state, got) == ("sent", 1), (row.channel, row.state, row.error, got)
            continue
        assert row.sends == 2
        assert got <= 2 and (got >= 1 or "interrupted twice" in row.error)
        doubled, flagged = doubled + (got == 2), flagged + 1
    assert not any(by_channel.values()), "nobody was told whom no notice names"
    gone_dark = sides.post.weather.seen["hung up"] + sides.post.weather.seen["lost"]
    assert doubled <= kills + gone_dark, "at most one mail twice for each crash or lost answer"
    return (
        f"{count} notices, {kills} kills; mail {dict(sides.post.weather.seen)},"
        f" carrier {dict(sides.twilio.weather.seen)},"
        f" gateway {dict(sides.gateway.weather.seen)}"
        f" ({sides.gateway.calls - len(sides.gateway.has)} repeats dropped there by their key);"
        f" lost 0; mails twice {doubled}, flagged {flagged}; texts twice 0"
    )


@pytest.mark.soak
def test_a_killed_worker_loses_and_doubles_nothing(
    mailer: subprocess.Popen[str], tmp_path: Path
) -> None:
    tried(mailer, tmp_path, count=50, kills=4, seed=1, within=3)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_five_thousand_notices_survive_two_hundred_kills(
    mailer: subprocess.Popen[str], tmp_path: Path
) -> None:
    print(tried(mailer, tmp_path, count=5000, kills=200, seed=2, within=12, silent=0.01))

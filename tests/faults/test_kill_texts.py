"""kill -9, pauses, lost answers and errors around texts and mails: none lost, none doubled that
could have been looked up, and whatever may have come twice says so.

A real mail server, a carrier with Twilio's API on a port of its own, and a worker in its own
process that is killed again and again, often just when the other side has the message.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

import notifiers.sms_twilio
from hub import NotificationChannel
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
from tests.fakes.twilio import SID, TOKEN, FakeTwilio
from tests.faults.test_kill_mail import KillingMailbox
from tests.mail_worlds import a_mailbox, settings_for

MAILER = Path(__file__).with_name("mailer.py")
TEXTING = 0.6  # of the recipients; the others get a mail


@dataclass
class KillingTwilio(FakeTwilio):
    """Kills its caller once it has the text and before it says so."""

    kills_after: int = 0
    victim: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    troubles: float = 0.0  # how many of the calls end in something else than an answer

    def _next_mood(self) -> str:
        if self.chance.random() >= self.troubles:
            return "well"
        return self.chance.choice(["busy", "broken", "lost"])

    def _row(self, form: Any) -> dict[str, Any]:
        row = super()._row(form)
        with self.lock:
            if self.kills_after:
                self.kills_after -= 1
                if not self.kills_after:
                    self.rows.append(row)  # it has it
                    with suppress(ProcessLookupError):
                        os.kill(self.victim, signal.SIGKILL)
                    raise ConnectionAbortedError
        return row


def a_shop(folder: Path, box: KillingMailbox, carrier: str, count: int) -> Hub:
    settings = replace(
        Settings.from_environment({}),
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'hub.db'}",
        http_allow=("127.0.0.1",),
    )
    hub = Hub.from_settings(settings)
    try:
        hub.registry.get(NotificationChannel, "sms_twilio")
    except KeyError:  # not installed anew since it is there
        hub.registry.add(notifiers.sms_twilio, "notifiers.sms_twilio")
    migrate(hub.engine)
    business_id = found(hub, "Husk", zone="UTC")
    choose(hub, business_id, "channel", "email", settings_for(box), actor="staff:1")
    texts = {"account_sid": SID, "auth_token": TOKEN, "sender": "Husk", "base_url": carrier}
    choose(hub, business_id, "channel", "sms_twilio", texts, actor="staff:1")
    add_rules(hub, business_id, "sms_twilio")
    with hub.unit() as unit:
        for rule in unit.session.exec(select(NoticeRuleRow)):
            rule.active, rule.in_quiet = rule.trigger == "placed", "send"
            rule.role = "site" if rule.channel == "sms_twilio" else "buyer"
            rule.fallback = ""
    orders = [an_order(n, is_text=n < count * TEXTING) for n in range(count)]
    store_all(hub, business_id, connection_id(hub, business_id, "api"), orders)
    while hub.deliver_events():
        pass
    return hub


def an_order(n: int, *, is_text: bool) -> IncomingOrder:
    contact = (
        Contact(Role.SITE, name="Ana", phone=f"+35840{n:07}")
        if is_text
        else Contact(Role.BUYER, name="Ben", email=f"b{n}@example.com")
    )
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
    box: KillingMailbox,
    twilio: KillingTwilio,
    chance: random.Random | None,
    kills_within: int,
) -> str:
    """ "done", or "killed" if ``chance`` had it so."""
    assert mailer.stdin is not None and mailer.stdout is not None
    how = "" if chance is None else chance.choice(["mail", "text", "any"])
    box.kills_after = chance.randint(1, kills_within) if chance and how == "mail" else 0
    twilio.kills_after = chance.randint(1, kills_within) if chance and how == "text" else 0
    mailer.stdin.write(f"{folder}\n")
    mailer.stdin.flush()
    victim = int(mailer.stdout.readline())
    box.victim = twilio.victim = victim
    if chance is not None:
        # Whoever is not killed in a conversation is killed at any moment.
        wait_s = chance.uniform(0.0, 0.4) if how == "any" else 30.0
        kill = threading.Timer(wait_s, _kill, [victim])
        kill.start()
        ended = mailer.stdout.readline().strip()
        kill.cancel()
    else:
        ended = mailer.stdout.readline().strip()
    box.kills_after = twilio.kills_after = 0
    return ended


def _kill(victim: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)


def tried(mailer: subprocess.Popen[str], folder: Path, count: int, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    twilio = KillingTwilio(chance=random.Random(seed + 1), troubles=0.1, pause_s=1)
    with a_mailbox(KillingMailbox()) as box, serve(twilio.app) as url:
        twilio.app.testing = False  # what is raised in there is a broken line to its caller
        hub = a_shop(folder, box, url.rstrip("/"), count)
        for _ in range(kills):
            works(mailer, folder, box, twilio, chance, max(2, count // kills))
        twilio.troubles = 0.02
        assert works(mailer, folder, box, twilio, None, 1) == "done"
        mails = Counter(str(mail["To"]) for mail in box.mails)
        texts = Counter(row["to"] for row in twilio.rows)
    with hub.reading() as session:
        notices = session.exec(select(NoticeRow)).all()
    told = {row.recipient: row for row in notices}
    assert len(notices) == len(told) == count, "one for each order"
    for recipient, row in told.items():
        by_text = row.channel == "sms_twilio"
        got = (texts if by_text else mails).pop(recipient, 0)
        if by_text:
            assert (row.state, got) == ("sent", 1), (row.state, row.error, got)
        elif row.state == "uncertain":
            assert row.sends == 2
            assert got <= 2 and (got >= 1 or "interrupted twice" in row.error)
        else:
            assert (row.state, got) == ("sent", 1), (row.state, row.error, got)
    assert not texts and not mails, "nobody was told whom no notice names"


@pytest.mark.soak
def test_a_killed_worker_loses_and_doubles_nothing(
    mailer: subprocess.Popen[str], tmp_path: Path
) -> None:
    tried(mailer, tmp_path, count=24, kills=4, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_five_thousand_notices_survive_forty_kills(
    mailer: subprocess.Popen[str], tmp_path: Path
) -> None:
    tried(mailer, tmp_path, count=5000, kills=40, seed=2)

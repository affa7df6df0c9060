"""kill -9 around the send: every mail arrives, at most twice, and twice only if it says so."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Contact, Point, Role
from hub.db.migrate import migrate
from hub.db.tables import NoticeRow
from hub.flows.choices import choose
from hub.flows.connections import connection_id
from hub.flows.found import found
from hub.flows.sync import store_all
from hub.settings import Settings
from tests.mail_worlds import Mailbox, a_mailbox, settings_for

SEEDS = int(os.environ.get("HUB_KILL_SEEDS", "1"))
MAILER = Path(__file__).with_name("mailer.py")
ORDERS = 10
KILLS = 3


def a_shop_with_orders(folder: Path, box: Mailbox) -> Hub:
    settings = replace(
        Settings.from_environment({}),
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'hub.db'}",
        http_allow=("127.0.0.1",),
    )
    hub = Hub.from_settings(settings)
    migrate(hub.engine)
    business_id = found(hub, "Husk", zone="UTC")
    choose(hub, business_id, "channel", "email", settings_for(box), actor="staff:1")
    orders = [
        IncomingOrder(
            ref=f"R{n}",
            number=f"R{n}",
            updated_at=datetime.now(UTC) - timedelta(seconds=1),
            address=Address((f"Street {n}",)),
            point=Point(60.15 + n / 1000, 24.9),
            # Two in five have no address: those are dropped, not lost.
            contacts=(Contact(Role.RECIPIENT, name="Ana", email=f"a{n}@example.com"),)
            if n % 5 < 3
            else (),
        )
        for n in range(ORDERS)
    ]
    store_all(hub, business_id, connection_id(hub, business_id, "api"), orders)
    while hub.deliver_events():  # here: an errand that is killed waits two minutes by design
        pass
    return hub


@pytest.fixture(scope="module")
def mailer() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, str(MAILER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def work(
    mailer: subprocess.Popen[str], folder: Path, box: KillingMailbox, chance: random.Random | None
) -> str:
    """Let a mailer work; "done", or "killed" if ``chance`` came first.

    Half of the kills come from within the conversation, at the moment the server has
    the mail: that is the one place where nobody can know.
    """
    assert mailer.stdin is not None
    assert mailer.stdout is not None
    if chance is not None and chance.random() < 0.5:
        box.kills_after = chance.randint(1, 4)
    mailer.stdin.write(f"{folder}\n")
    mailer.stdin.flush()
    box.victim = int(mailer.stdout.readline())
    if chance is not None and not box.kills_after:
        time.sleep(chance.uniform(0.0, 0.4))
        with suppress(ProcessLookupError):
            os.kill(box.victim, signal.SIGKILL)
    ended = mailer.stdout.readline().strip()
    box.kills_after = 0
    return ended


class KillingMailbox(Mailbox):
    """Kills its caller once it has the mail and before it says so."""

    kills_after = 0
    victim = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        if self.kills_after:
            self.kills_after -= 1
            if not self.kills_after:
                os.kill(self.victim, signal.SIGKILL)
        return answer


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_killed_mailer_loses_nothing_and_doubts_what_it_doubles(
    mailer: subprocess.Popen[str], tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    with a_mailbox(KillingMailbox()) as box:
        hub = a_shop_with_orders(tmp_path, box)
        for _ in range(KILLS):
            if work(mailer, tmp_path, box, chance) == "done":
                break
        assert work(mailer, tmp_path, box, None) == "done"
        arrived: dict[str, list[EmailMessage]] = defaultdict(list)
        for mail in box.mails:
            arrived[mail["Message-ID"]].append(mail)
    with hub.reading() as session:
        notices = session.exec(select(NoticeRow)).all()
    assert len(notices) == len({notice.event_id for notice in notices}) == ORDERS
    for notice in notices:
        mails = arrived.pop(notice.message_id, [])
        assert {mail["To"] for mail in mails} <= {notice.recipient}
        match notice.state:
            case "sent":
                assert len(mails) == 1
            case "uncertain":
                assert notice.sends == 2
                twice_interrupted = "interrupted twice" in notice.error
                assert (0 if twice_interrupted else 1) <= len(mails) <= 2
            case state:
                assert (state, len(mails)) == ("dropped", 0)
                assert "no address" in notice.error
    assert arrived == {}  # no mail that no notice knows of
    assert sum(notice.state == "dropped" for notice in notices) == ORDERS * 2 // 5

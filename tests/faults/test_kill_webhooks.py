"""kill -9 while webhooks are on their way: none is lost, and each order's keep their order."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import pytest
from flask import Flask, request
from sqlmodel import select
from standardwebhooks import Webhook

from hub.app import Hub
from hub.core.events import OrderCancelled
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Point
from hub.db.migrate import migrate
from hub.db.tables import OrderRow, WebhookRow
from hub.flows.connections import connection_id
from hub.flows.endpoints import EndpointIn, make_endpoint
from hub.flows.found import found
from hub.flows.sync import store_all
from hub.testing import serve
from tests.faults.webhooker import settings_at

ROOT = Path(__file__).parents[2]
SEEDS = int(os.environ.get("HUB_KILL_SEEDS", "1"))
ORDERS, NEWS = 4, 3  # events of each order
KILLS = 2


class Killing:
    """A receiver that kills its caller at the n-th call, before or after it took it in."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []  # webhook-id, order
        self.victim, self.kills_at, self.calls = 0, 0, 0
        self.secret = ""
        self.turn = threading.Lock()  # four come at a time
        self.app = Flask("killing")
        self.app.add_url_rule("/", view_func=self.called, methods=["POST"])

    def called(self) -> tuple[str, int]:
        body = Webhook(self.secret).verify(request.get_data(), dict(request.headers))
        with self.turn:
            self.calls += 1
            self.taken.append((request.headers["webhook-id"], body["data"]["order"]["ref"]))
            if self.calls == self.kills_at:
                with suppress(ProcessLookupError):
                    os.kill(self.victim, signal.SIGKILL)
        return "", 200


def a_shop_whose_program_listens(folder: Path, url: str) -> tuple[Hub, str]:
    hub = Hub.from_settings(settings_at(folder))
    migrate(hub.engine)
    business_id = found(hub, "Husk", zone="UTC")
    made = make_endpoint(hub, business_id, EndpointIn(url=url), actor="staff:1")
    orders = [
        IncomingOrder(
            ref=f"R{n}",
            number=f"R{n}",
            updated_at=datetime.now(UTC) - timedelta(seconds=1),
            address=Address((f"Street {n}",)),
            point=Point(60.15 + n / 1000, 24.9),
        )
        for n in range(ORDERS)
    ]
    store_all(hub, business_id, connection_id(hub, business_id, "api"), orders)
    with hub.unit() as unit:
        now = hub.now()
        about = {"business_id": business_id, "occurred_at": now, "received_at": now}
        for _ in range(NEWS - 1):
            for order_id in unit.session.exec(select(OrderRow.id)):
                unit.announce(OrderCancelled(**about, subject_id=order_id))
    while hub.deliver_events():  # here: an errand that is killed waits two minutes by design
        pass
    return hub, made.secret


@pytest.fixture(scope="module")
def sender() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.webhooker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_killed_sender_loses_nothing_and_keeps_the_order(
    sender: subprocess.Popen[str], tmp_path: Path, seed: int
) -> None:
    chance, there = random.Random(seed), Killing()
    with serve(there.app) as url:
        hub, there.secret = a_shop_whose_program_listens(tmp_path, url)
        ends = []
        for _ in range(KILLS):
            ends.append(a_life(sender, tmp_path, there, chance.randint(1, 6)))
        ends.append(a_life(sender, tmp_path, there, 0))
    assert ends == [*["killed"] * KILLS, "done"]
    with hub.reading() as session:
        rows = session.exec(select(WebhookRow).order_by(WebhookRow.seq)).all()
    assert len(rows) == ORDERS * NEWS
    assert {row.state for row in rows} == {"delivered"}
    came = defaultdict(list)
    for key, ref in there.taken:
        came[ref].append(key)
    wanted = defaultdict(list)
    for row in rows:
        wanted[row.subject_id].append(row.id)
    in_order = [[key for key, _ in groupby(keys)] for keys in came.values()]
    assert sorted(in_order) == sorted(wanted.values())


def a_life(sender: subprocess.Popen[str], folder: Path, there: Killing, kills_at: int) -> str:
    """Let a sender work; "done", or "killed" at its ``kills_at``-th call."""
    assert sender.stdin is not None
    assert sender.stdout is not None
    with there.turn:
        there.calls, there.kills_at, there.victim = 0, 0, 0
        sender.stdin.write(f"{folder}\n")
        sender.stdin.flush()
        there.victim = int(sender.stdout.readline())
        there.kills_at = kills_at
    return sender.stdout.readline().strip()

"""A store's orders come in through its limits, and however often the reader is killed each of them
is there, once.

``HUB_KILL_SEEDS`` says how many kills: 200 with ten thousand orders, as `make soak` has it.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from hub.core import events
from hub.db.migrate import migrate
from hub.db.tables import ConnectionRow, EventRow, JobRow, OrderRow, RejectRow
from hub.flows.connect import connect
from hub.flows.found import found
from hub.registry import Registry
from hub.testing import serve
from tests.connectors.shopify_worlds import needs_data
from tests.faults.puller import a_hub, the_connection
from tests.faults.stores import ACCOUNTS, MONDAY, Account, set_clock

pytestmark = needs_data
ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("HUB_KILL_SEEDS", "2"))
ORDERS = 50 * KILLS
MORE = sorted(ACCOUNTS.keys() - {"woocommerce"})


@pytest.fixture(scope="module")
def reader() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.puller"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        yield program
        assert program.stdin is not None
        program.stdin.close()


@pytest.mark.parametrize(
    "vendor",
    ["woocommerce", *(pytest.param(one, marks=pytest.mark.soak) for one in MORE)],
)
def test_every_order_comes_in_once_however_often_its_reader_is_killed(
    reader: subprocess.Popen[str], tmp_path: Path, vendor: str
) -> None:
    set_clock(tmp_path, MONDAY)
    account = ACCOUNTS[vendor](tmp_path, ORDERS)
    with serve(account) as url:
        instead = dict.fromkeys(account.origins, url.rstrip("/"))
        connected(account, tmp_path, instead)
        account.asked = account.refused = 0
        chance, killed, began = random.Random(vendor), 0, time.monotonic()
        usual_s = 0.0
        while True:
            after_s = chance.uniform(0.05, max(2 * usual_s / KILLS, 0.6))
            code = a_life(reader, tmp_path, instead, after_s if killed < KILLS else None)
            killed += code == -9
            assert code in (0, -9)
            if code == 0:
                break
            usual_s = max(usual_s, time.monotonic() - began)
        took_s = time.monotonic() - began
    print(
        f"\n{vendor}: {ORDERS} orders in {took_s:.1f} s, {ORDERS / took_s:.0f} orders/s,"
        f" {account.asked / ORDERS:.3f} requests an order, {account.refused} of them told to wait,"
        f" {killed} kills"
    )
    all_there_once(account, tmp_path, instead)


def a_life(
    reader: subprocess.Popen[str], folder: Path, instead: dict[str, str], after_s: float | None
) -> int:
    assert reader.stdin is not None
    assert reader.stdout is not None
    print(json.dumps([str(folder), instead, after_s]), file=reader.stdin, flush=True)
    return int(reader.stdout.readline())


def connected(account: Account, folder: Path, instead: dict[str, str]) -> None:
    hub = a_hub(folder, instead, Registry.installed())
    migrate(hub.engine)
    business_id = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    connect(hub, business_id, account.plugin, account.settings, actor="staff:1")
    hub.engine.dispose()


def all_there_once(account: Account, folder: Path, instead: dict[str, str]) -> None:
    hub = a_hub(folder, instead, Registry())
    with hub.reading() as session:
        refs = Counter(session.exec(select(OrderRow.ref)))
        jobs = Counter(session.exec(select(JobRow.order_id)))
        told = Counter(
            session.exec(
                select(EventRow.subject_id).where(EventRow.name == events.OrderPlaced.__name__)
            )
        )
        rejects = session.exec(select(RejectRow)).all()
    assert rejects == []
    assert set(refs) == account.refs
    assert set(refs.values()) == set(jobs.values()) == set(told.values()) == {1}
    assert len(jobs) == len(told) == len(refs)
    row: ConnectionRow = the_connection(hub)
    assert (row.state, row.orders_placed) == ("ok", len(refs))
    hub.engine.dispose()

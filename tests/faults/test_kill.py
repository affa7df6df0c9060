"""kill -9 while orders come in and a day is planned: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.db.migrate import migrate
from hub.db.tables import DepotRow, DriverRow, EventRow, JobRow, OrderRow, RouteRow, StopJobRow
from hub.flows.found import found
from hub.settings import Settings

SEEDS = int(os.environ.get("HUB_KILL_SEEDS", "4"))
WORKER = Path(__file__).with_name("worker.py")
ORDERS = 30


def a_hub(folder: Path) -> Hub:
    settings = replace(
        Settings.from_environment({}),
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'hub.db'}",
    )
    hub = Hub.from_settings(settings)
    migrate(hub.engine)
    return hub


def a_business(hub: Hub) -> str:
    business_id = found(hub, "Husk", zone="UTC")
    with hub.unit() as unit:
        unit.session.add(DepotRow(business_id=business_id, name="Bakery", lat=60.17, lon=24.94))
        works = {str(day): ["06:00", "20:00"] for day in range(7)}
        unit.session.add(DriverRow(business_id=business_id, name="Mara", works=works))
    return business_id


def work(folder: Path, business_id: str, kill_after_s: float | None) -> list[str]:
    """What the worker acknowledged, one word a line, until it was killed or done."""
    child = subprocess.Popen(
        [sys.executable, str(WORKER), str(folder), business_id, str(ORDERS)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    told = [child.stdout.readline().strip()]  # "ready": from here on it may be killed
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        child.send_signal(signal.SIGKILL)
    told += child.stdout.read().split()
    child.wait(60)
    return told


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_killed_worker_loses_and_doubles_nothing(tmp_path: Path, seed: int) -> None:
    hub = a_hub(tmp_path)
    business_id = a_business(hub)
    chance = random.Random(seed)
    acknowledged: set[str] = set()
    for _ in range(2):
        told = work(tmp_path, business_id, chance.uniform(0.0, 0.6))
        acknowledged |= {word for word in told if word.startswith("R")}
        with hub.reading() as session:
            refs = list(session.exec(select(OrderRow.ref)))
            assert acknowledged <= set(refs)
            assert len(refs) == len(set(refs)) == len(session.exec(select(JobRow)).all())
            # A draft is there as a whole or not at all.
            on_routes = list(session.exec(select(StopJobRow.job_id)))
            states = Counter(session.exec(select(JobRow.state)))
            assert states["assigned"] == len(on_routes)
            if on_routes:
                assert len(session.exec(select(RouteRow)).all()) == 1
    assert "planned" in work(tmp_path, business_id, None)
    with hub.reading() as session:
        assert len(session.exec(select(OrderRow)).all()) == ORDERS
        placed = session.exec(select(EventRow).where(EventRow.name == "OrderPlaced")).all()
        assert len(placed) == ORDERS
        assert set(session.exec(select(JobRow.state))) == {"assigned"}

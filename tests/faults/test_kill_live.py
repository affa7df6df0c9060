"""kill -9 of the live process, at any moment and under load, loses no fix that was acknowledged."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from hub.core import tracking
from hub.db.tables import PlaceRow, ShiftRow, StopRow
from hub.flows.drive import device_for, pair, pairing_code
from hub.keys import hashed
from hub.live.driving import drivings
from hub.live.store import Positions
from hub.settings import DEMO_MARK
from tests.driving_worlds import TEN, Morning, a_morning
from tests.live_worlds import EIGHT, OnSocket, at_ms

ROOT = Path(__file__).parents[2]
SEEDS = range(int(os.environ.get("HUB_KILL_SEEDS", "1")))
PHONES = 8
KILLS = 3
JOBS = 4


@dataclass
class Phone:
    """Sends its drive in batches that overlap, and keeps what it was not told is safe."""

    token: str
    device_id: str
    drive: list[dict[str, Any]]
    acked: int = 0
    broken: int = 0
    refused: list[tuple[int, bytes]] = field(default_factory=list)

    def post(self, at: Path, rng: random.Random) -> None:
        start = max(0, self.acked - rng.randrange(5))
        batch = self.drive[start : start + rng.randint(5, 25)]
        connection = OnSocket(at, timeout_s=10)
        try:
            headers = {"Authorization": f"Bearer {self.token}"}
            connection.request("POST", "/live/fixes", json.dumps({"fixes": batch}), headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status == 200:
                self.acked = max(self.acked, json.loads(said)["seq"])
            else:
                self.refused.append((answer.status, said))
        except OSError:  # killed, or not there yet
            self.broken += 1
            time.sleep(0.02)
        except Exception:
            self.broken += 1
        finally:
            connection.close()

    @property
    def is_done(self) -> bool:
        return self.acked >= len(self.drive)


@dataclass
class Day:
    morning: Morning
    folder: Path
    socket: Path
    phones: list[Phone]
    kind: str = "hub"

    def process(self) -> subprocess.Popen[bytes]:
        clock = self.folder / "clock"
        clock.write_text(TEN.isoformat())
        (self.folder / DEMO_MARK).touch()
        env = {
            **os.environ,
            "HUB_DATA_DIR": str(self.folder),
            "HUB_DATABASE_URL": self.morning.hub.settings.database_url,
            "HUB_CLOCK": str(clock),
        }
        self.socket.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.faults.live_program", str(self.socket), self.kind]
        return subprocess.Popen(command, env=env, cwd=ROOT, start_new_session=True)

    def positions(self) -> Positions:
        return Positions.open(replace(self.morning.hub.settings, data_dir=self.folder))


def a_day(url: str, folder: Path, socket: Path) -> Day:
    """Eight phones of two drivers, who both drive from door to door for some minutes."""
    morning = a_morning(JOBS, url)
    morning.publish()
    with morning.hub.unit() as unit:
        route = morning.route()
        shift = unit.session.get_one(ShiftRow, route.shift_id)
        shift.began_at = EIGHT
        doors = [
            (place.lat, place.lon)
            for _, place in unit.session.exec(
                select(StopRow, PlaceRow)
                .join(PlaceRow, PlaceRow.id == StopRow.place_id)
                .order_by(StopRow.n)
            )
        ]
    phones = []
    for _ in range(PHONES):
        token = pair(
            morning.hub, pairing_code(morning.hub, morning.business_id, morning.drivers[0])
        )
        device = device_for(morning.hub, token or "")
        assert token is not None
        assert device is not None
        phones.append(Phone(token, device.id, a_drive(doors)))
    return Day(morning, folder, socket, phones)


def a_drive(doors: list[Any]) -> list[dict[str, Any]]:
    """Four minutes at each door, the way between in steps of some 20 m, one fix each 5 s."""
    places = []
    lat, lon = doors[0][0] - 0.004, doors[0][1]
    for to_lat, to_lon in doors:
        steps = max(1, round(abs(to_lat - lat) / 0.0002))
        places += [(lat + (to_lat - lat) * n / steps, to_lon) for n in range(1, steps + 1)]
        places += [(to_lat, to_lon)] * 48
        lat, lon = to_lat, to_lon
    places += [(lat + n * 0.0002, lon) for n in range(1, 30)]
    return [
        {"seq": n, "t": at_ms(EIGHT + timedelta(seconds=5 * n)), "lat": a, "lon": b, "acc": 6}
        for n, (a, b) in enumerate(places, start=1)
    ]


def live_through(day: Day, seed: int, kills: int) -> None:
    """Post until all is acknowledged, while the process is killed ``kills`` times."""
    rng = random.Random(seed)
    stopped = threading.Event()

    def send(phone: Phone, rng: random.Random) -> None:
        while not phone.is_done and not stopped.is_set():
            phone.post(day.socket, rng)

    senders = [
        threading.Thread(target=send, args=(phone, random.Random(f"{seed} {n}")))
        for n, phone in enumerate(day.phones)
    ]
    process = day.process()
    try:
        for sender in senders:
            sender.start()
        for _ in range(kills):
            began = sum(phone.acked for phone in day.phones)
            until = time.monotonic() + 60
            while sum(phone.acked for phone in day.phones) == began and time.monotonic() < until:
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.15))
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process = day.process()
        for sender in senders:
            sender.join(90)
    finally:
        stopped.set()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_acknowledged_fix_and_no_arrival_is_lost_or_doubled(
    seed: int, database_url: str, tmp_path: Path
) -> None:
    with tempfile.TemporaryDirectory(prefix="live-", dir="/tmp") as run:
        day = a_day(database_url, tmp_path, Path(run) / "live.sock")
        live_through(day, seed, KILLS)
    positions = day.positions()
    expected = list(range(1, len(day.phones[0].drive) + 1))
    for phone in day.phones:
        assert phone.refused == [], f"seed {seed}"
        track = positions.track(day.morning.business_id, phone.device_id, 0, at_ms(TEN) * 2)
        assert [one.seq for one in track] == expected, f"seed {seed}"
    assert sum(phone.broken for phone in day.phones) > 0, "no kill hit anybody"
    meanings = positions.meanings(0, limit=10_000)
    undisturbed = noticed(day)
    assert len(undisturbed) >= 2 * JOBS - 1
    for phone in day.phones:
        mine = [
            (str(one.kind), one.stop_id, one.fix_seq)
            for one in meanings
            if one.device_id == phone.device_id
        ]
        assert mine == undisturbed, f"seed {seed}"


def noticed(day: Day) -> list[tuple[str, str, int]]:
    """What the drive means to somebody who sees it in one piece."""
    known = drivings(day.morning.hub.engine, [hashed(day.phones[0].token)], TEN)
    [driving] = known.values()
    assert driving.round is not None
    track, facts = tracking.Track(), []
    for one in day.phones[0].drive:
        fix = tracking.Fix(one["seq"], one["t"], one["lat"], one["lon"], one["acc"])
        track, new, _ = tracking.advance(track, fix, driving.round.fences, at_ms(TEN))
        facts += [(str(fact.kind), fact.stop_id, fact.fix_seq) for fact in new]
    return facts


@pytest.mark.soak
def test_a_process_that_answers_before_it_commits_is_found_out(tmp_path: Path) -> None:
    lost = 0
    with tempfile.TemporaryDirectory(prefix="live-", dir="/tmp") as run:
        day = a_day(f"sqlite:///{tmp_path / 'hub.db'}", tmp_path, Path(run) / "live.sock")
        day.kind = "careless"
        live_through(day, 1, KILLS)
    positions = day.positions()
    for phone in day.phones:
        track = positions.track(day.morning.business_id, phone.device_id, 0, at_ms(TEN) * 2)
        lost += phone.acked - len(track)
    assert lost > 0

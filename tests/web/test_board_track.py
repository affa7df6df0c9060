"""Where a van was on a day, for who asks afterwards."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub.flows.drive import device_for
from hub.live.fixes import Fix
from hub.live.ledger import open_ledger
from hub.live.meaning import Meanings
from hub.live.store import Positions
from hub.live.values import Device
from hub.live.writer import CannotStore, Kept, Posted, Writer
from tests.board_worlds import Running, a_running_day


@pytest.fixture
def day(tmp_path: Path) -> Running:
    return a_running_day(tmp_path)


def drive(day: Running, driver: str, minutes: int) -> list[int]:
    """A fix each minute from now on, stored as the live process does; their numbers."""
    phone = device_for(day.hub, day.phones[driver])
    assert phone
    device = Device(phone.id, day.business_id, phone.driver_id)
    start_ms = round(day.now[0].timestamp() * 1000)
    moments = [start_ms + 60_000 * n for n in range(minutes)]
    fixes = [Fix(seq=at, t=at, lat=60.17, lon=24.94, acc=8.0) for at in moments]
    answers: list[Kept | CannotStore] = []
    Positions.open(day.hub.settings)
    writer = Writer(
        lambda: open_ledger(day.hub.settings),
        Meanings(),
        lambda some: [answer(kept) for answer, kept in some],  # type: ignore[func-returns-value]
    )
    writer.put([(Posted(device, None, fixes, start_ms), answers.append)])
    writer.close()
    assert isinstance(answers[0], Kept)
    return moments


def test_a_track_holds_every_fix_of_the_day_and_none_of_another(day: Running) -> None:
    today = drive(day, "Mara", 5)
    day.now[0] += timedelta(days=1)
    tomorrow = drive(day, "Mara", 3)
    day.now[0] -= timedelta(days=1)
    path = f"/board/drivers/{day.drivers['Mara']}/track"
    assert seqs(day, path) == today
    assert seqs(day, f"{path}?day={(day.now[0] + timedelta(days=1)).date()}") == tomorrow


def seqs(day: Running, path: str) -> list[int]:
    phones = day.client.get(path).get_json()["phones"]
    return [fix["seq"] for phone in phones for fix in phone["fixes"]]


def test_nobody_sees_the_track_of_another_businesss_driver(day: Running) -> None:
    stranger = "01900000-0000-7000-8000-000000000000"
    assert day.client.get(f"/board/drivers/{stranger}/track").status_code == 404

"""A map asked for in the panel is built once, beside the one in use, whatever dies meanwhile."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.core.errors import Refused
from hub.db.tables import AuditRow, DepotRow
from hub.flows.found import found
from hub.flows.map_build import MOST_TRIES, ask_map, asked_document, build_waiting, map_state
from hub.maps.build import BuildRunning, alone, build, read_info

HELSINKI = Path(__file__).parents[2] / "hub" / "demo" / "helsinki.osm.pbf"
SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)
ROOT = str(Path(__file__).parents[2])
HOLD = """
import sys, time
from pathlib import Path
from hub.maps.build import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
WORKER = """
import sys
from pathlib import Path
from datetime import UTC, datetime
from hub.flows.map_build import _work
if __name__ == "__main__":
    _work(Path(sys.argv[1]), [], datetime.now(UTC))
"""


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    url = f"sqlite:///{tmp_path / 'hub.db'}"  # a connection for each of several threads
    return Hub.in_memory(now=lambda: SIX, data_dir=tmp_path, url=url)


@pytest.fixture
def bakery(hub: Hub) -> str:
    return a_business(hub, 60.1699, 24.9484)


def a_business(hub: Hub, lat: float, lon: float) -> str:
    business_id = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    with hub.unit() as unit:
        unit.session.add(DepotRow(business_id=business_id, name="Bakery", lat=lat, lon=lon))
    return business_id


def child(code: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, "PYTHONPATH": ROOT},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def somebody_builds(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "map").mkdir()
    holder = child(HOLD, tmp_path / "map" / "build.lock")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    yield
    holder.kill()
    holder.wait()
    holder.stdout.close()


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "map" / "incoming").glob("*"))


@pytest.mark.soak
def test_an_uploaded_extract_becomes_the_map_in_use(
    hub: Hub, bakery: str, tmp_path: Path, block: Path
) -> None:
    assert map_state(hub).asked is None
    with block.open("rb") as upload:
        state = ask_map(
            hub,
            upload,
            within_km=None,
            actor="staff:1",
            business_id=bakery,
            file_name="uusimaa.osm.pbf",
        )
    assert state.in_use is None
    assert state.asked is not None
    assert (state.asked.stage, state.asked.file_name) == ("waiting", "uusimaa.osm.pbf")
    assert len(files(tmp_path)) == 1
    assert build_waiting(hub) is True
    after = map_state(hub)
    assert after.asked is not None
    assert (after.asked.stage, after.asked.share, after.asked.error) == ("done", 1.0, "")
    assert after.in_use is not None
    assert after.in_use.counts["addresses"] > 250
    assert after.in_use.profiles == ("car", "van", "truck", "bicycle", "cargo_bike", "walk")
    assert files(tmp_path) == []
    assert build_waiting(hub) is False
    with hub.reading() as session:
        audit = session.exec(select(AuditRow)).one()
    assert (audit.actor, audit.subject) == ("staff:1", "uusimaa.osm.pbf")


@pytest.mark.soak
def test_the_map_is_cut_around_the_depots_of_every_business(
    hub: Hub, bakery: str, tmp_path: Path, helsinki: Path
) -> None:
    a_business(hub, -33.9, 18.4)  # far off: it neither widens the map nor hinders it
    whole = read_info(helsinki / "map")
    assert whole is not None
    ask_map(hub, HELSINKI, within_km=1, actor="staff:1")
    request = asked_document.validate_json((tmp_path / "map" / "asked.json").read_bytes())
    assert request.within_km == 1
    build_waiting(hub)
    info = map_state(hub).in_use
    assert info is not None
    assert whole.bbox[0] <= info.bbox[0] < info.bbox[2] <= whole.bbox[2]


def test_an_extract_far_from_every_depot_is_refused_with_a_sentence(
    hub: Hub, tmp_path: Path
) -> None:
    a_business(hub, 52.52, 13.4)
    with pytest.raises(Refused, match=r"covers none of your depots \(Bakery\)"):
        ask_map(hub, HELSINKI, within_km=None, actor="staff:1")
    assert map_state(hub).asked is None
    assert files(tmp_path) == []


def test_a_depot_that_moved_away_meanwhile_ends_in_a_sentence(hub: Hub, bakery: str) -> None:
    ask_map(hub, HELSINKI, within_km=5, actor="staff:1")
    with hub.unit() as unit:
        unit.session.exec(select(DepotRow)).one().lat = 10.0
    build_waiting(hub)
    asked = map_state(hub).asked
    assert asked is not None
    assert asked.stage == "failed"
    assert "covers none of your depots" in asked.error


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 a zip file", "no OpenStreetMap extract"),
        (b"\x00\x00\x00\x0d\x0a\x09OSMHeader and then nothing", "cannot be read"),
    ],
    ids=["empty", "zip", "cut short"],
)
def test_a_file_that_is_no_extract_is_refused_and_not_kept(
    hub: Hub, tmp_path: Path, content: bytes, why: str
) -> None:
    with pytest.raises(Refused, match=why):
        ask_map(hub, io.BytesIO(content), within_km=None, actor="staff:1")
    assert files(tmp_path) == []


def test_a_damaged_extract_ends_in_a_sentence_and_the_old_map_stays(
    hub: Hub, tmp_path: Path, block: Path
) -> None:
    before = build(block, tmp_path / "map", built_at=SIX, profiles=())
    half = HELSINKI.read_bytes()[:300_000]
    ask_map(hub, io.BytesIO(half), within_km=None, actor="staff:1")
    build_waiting(hub)
    state = map_state(hub)
    assert state.asked is not None
    assert state.asked.stage == "failed"
    assert "cannot be read" in state.asked.error
    assert state.in_use == before
    assert files(tmp_path) == []


def test_an_upload_larger_than_allowed_is_refused(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="larger than 1 MB"):
        ask_map(
            hub,
            io.BytesIO(HELSINKI.read_bytes() * 3),
            within_km=None,
            actor="staff:1",
            most_bytes=1_000_000,
        )
    assert files(tmp_path) == []


def test_the_map_in_use_names_the_file_it_was_built_from(
    hub: Hub, bakery: str, tmp_path: Path, block: Path
) -> None:
    with block.open("rb") as upload:
        ask_map(hub, upload, within_km=None, actor="staff:1", file_name="Etelä Suomi.osm.pbf")
    assert build_waiting(hub)
    in_use = map_state(hub).in_use
    assert in_use is not None and in_use.source == "Etelä-Suomi.osm.pbf"


def test_a_later_request_replaces_the_one_that_waits(hub: Hub, tmp_path: Path, block: Path) -> None:
    ask_map(hub, block, within_km=None, actor="staff:1")
    [first] = files(tmp_path)
    ask_map(hub, block, within_km=None, actor="staff:2")
    [second] = files(tmp_path)
    assert first != second


def test_a_cut_without_depots_is_refused(hub: Hub) -> None:
    with pytest.raises(Refused, match="no depot yet"):
        ask_map(hub, HELSINKI, within_km=5, actor="staff:1")


@pytest.mark.usefixtures("somebody_builds")
def test_two_builds_never_run_at_once(hub: Hub, tmp_path: Path, block: Path) -> None:
    with pytest.raises(BuildRunning, match="being built already"):
        build(block, tmp_path / "map", built_at=SIX, profiles=())
    assert list((tmp_path / "map").glob("build-*")) == []
    ask_map(hub, block, within_km=None, actor="staff:1")
    build_waiting(hub)
    asked = map_state(hub).asked
    assert asked is not None
    assert (asked.stage, asked.tries) == ("waiting", 0)  # its turn comes
    assert len(files(tmp_path)) == 1


@pytest.mark.soak
def test_two_workers_build_one_request_once(hub: Hub, tmp_path: Path, block: Path) -> None:
    ask_map(hub, block, within_km=None, actor="staff:1")
    workers = [Thread(target=build_waiting, args=(hub,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    asked = map_state(hub).asked
    assert asked is not None
    assert (asked.stage, asked.tries) == ("done", 1)
    assert len(list((tmp_path / "map").glob("build-*"))) == 1


def test_nothing_is_asked_for_while_a_map_is_built(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "map").mkdir()
    with alone(tmp_path / "map" / "asked.lock"), pytest.raises(BuildRunning):
        ask_map(hub, HELSINKI, within_km=None, actor="staff:1")
    ask_map(hub, HELSINKI, within_km=None, actor="staff:1")


@pytest.mark.soak
def test_a_build_killed_half_way_leaves_the_map_and_is_begun_again(
    hub: Hub, tmp_path: Path, block: Path
) -> None:
    before = build(block, tmp_path / "map", built_at=SIX, profiles=())
    ask_map(hub, block, within_km=None, actor="staff:1")
    worker = child(WORKER, tmp_path / "map")
    until = time.monotonic() + 60
    while (asked := map_state(hub).asked) is None or not asked.step:
        assert time.monotonic() < until
        time.sleep(0.01)
    os.killpg(worker.pid, signal.SIGKILL)  # and its builder, as `hub up` does
    worker.wait()
    assert worker.stdout is not None
    worker.stdout.close()
    state = map_state(hub)
    assert state.in_use == before
    assert state.asked is not None
    assert state.asked.stage == "building"
    build_waiting(hub)
    after = map_state(hub)
    assert after.asked is not None
    assert (after.asked.stage, after.asked.tries) == ("done", 2)
    assert after.in_use != before
    assert len(list((tmp_path / "map").glob("build-*"))) == 1


def test_a_build_that_takes_its_machine_down_is_not_tried_for_ever(
    hub: Hub, tmp_path: Path
) -> None:
    ask_map(hub, HELSINKI, within_km=None, actor="staff:1")
    path = tmp_path / "map" / "asked.json"
    request = asked_document.validate_json(path.read_bytes())
    died = asked_document.dump_python(request) | {"stage": "building", "tries": MOST_TRIES}
    path.write_bytes(asked_document.dump_json(asked_document.validate_python(died)))
    build_waiting(hub)
    asked = map_state(hub).asked
    assert asked is not None
    assert asked.stage == "failed"
    assert "interrupted 3 times" in asked.error


def test_a_build_that_dies_of_itself_says_so(hub: Hub, tmp_path: Path, block: Path) -> None:
    ask_map(hub, block, within_km=None, actor="staff:1")
    worker = Thread(target=build_waiting, args=(hub,))
    worker.start()
    until = time.monotonic() + 60
    while (asked := map_state(hub).asked) is None or asked.stage != "building":
        assert time.monotonic() < until
        time.sleep(0.01)
    while not (builders := multiprocessing.active_children()):
        assert time.monotonic() < until
        time.sleep(0.01)
    [builder] = builders
    builder.kill()
    worker.join()
    asked = map_state(hub).asked
    assert asked is not None
    assert asked.stage == "failed"
    assert "ended early (code -9)" in asked.error
    assert read_info(tmp_path / "map") is None
    assert files(tmp_path) == []

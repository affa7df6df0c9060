"""What was kept long enough is let go; what must stay stays, and still verifies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from sqlmodel import SQLModel, select

from hub import PodStore, Unavailable, hookimpl
from hub.app import Hub
from hub.core.ids import new_id
from hub.db.tables import (
    ActRow,
    BusinessRow,
    ChainRow,
    ConnectionRow,
    IdempotencyRow,
    ImportRow,
    LogInRow,
    ProofFileRow,
    ProofRow,
    SeenCallRow,
    StaffRow,
    ThrottleRow,
)
from hub.flows.drive import take_acts
from hub.flows.found import found
from hub.flows.prove import put_file, verify
from hub.flows.retain import AT_ONCE, retain
from hub.live.fixes import Fix
from hub.live.ledger import open_ledger
from hub.live.meaning import Meanings
from hub.live.values import Device
from hub.live.writer import Posted, Writer
from hub.storage import path_beside, sweep
from tests.driving_worlds import SIX, Morning, a_morning, act

PICTURE = b"a photo of a door"
HASH = sha256(PICTURE).hexdigest()
DAY = timedelta(days=1)


def count(hub: Hub, table: type[SQLModel]) -> int:
    with hub.reading() as session:
        return len(session.exec(select(table)).all())


def add(hub: Hub, *rows: SQLModel) -> None:
    with hub.unit() as unit:
        unit.session.add_all(rows)


def a_hub() -> tuple[Hub, str]:
    hub = Hub.in_memory(now=lambda: SIX)
    return hub, found(hub, "Husk", zone="Europe/Helsinki", country="FI")


def a_delivery(orders: int = 1, *, apart: timedelta = timedelta()) -> Morning:
    day = a_morning(orders)
    day.publish()
    phone = day.phone()
    for n, job in enumerate(day.jobs()):
        day.now[0] = SIX + n * apart
        put_file(day.hub, day.business_id, job.id, "photo", "image/jpeg", PICTURE, HASH)
        said = {"outcome": "succeeded", "name": "Ana", "lat": 60.1, "lon": 24.9}
        close = act(f"{n}", "close", job, n, **said, files=[{"kind": "photo", "sha256": HASH}])
        [done] = take_acts(day.hub, phone, [close])
        assert done.result == "applied"
    return day


def on_disk(day: Morning) -> bool:
    return (day.hub.settings.data_dir / "proof" / day.business_id / HASH[:2] / HASH).exists()


def keep_proof(day: Morning, days: int, business_id: str = "") -> None:
    with day.hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, business_id or day.business_id)
        business.settings = {**business.settings, "proof_days": days}


def test_answers_kept_for_repeated_requests_go_after_a_day() -> None:
    hub, business = a_hub()
    for hours in (23, 25):
        at = datetime.now(UTC) - timedelta(hours=hours)
        row = IdempotencyRow(business_id=business, key=f"{hours}", request_hash="x", at=at)
        add(hub, row)
    retain(hub)
    with hub.reading() as session:
        assert session.exec(select(IdempotencyRow.key)).all() == ["23"]


def test_throttles_and_log_ins_go_by_the_real_clock() -> None:
    hub, _ = a_hub()
    real = datetime.now(UTC)
    staff = StaffRow(email="a@husk.example", created_at=real)
    add(hub, staff)
    for days in (0.5, 1.5):
        add(hub, ThrottleRow(key=f"{days}", count=1, since=real - days * DAY))
    for days in (29, 31):
        at = real - days * DAY
        row = LogInRow(token_hash=f"{days}", staff_id=staff.id, csrf="x", created_at=at, seen_at=at)
        add(hub, row)
    retain(hub)
    with hub.reading() as session:
        assert session.exec(select(ThrottleRow.key)).all() == ["0.5"]
        assert session.exec(select(LogInRow.token_hash)).all() == ["29"]


def test_webhook_ids_go_after_thirty_days() -> None:
    hub, business = a_hub()
    with hub.reading() as session:
        connection = session.exec(select(ConnectionRow.id)).first()
    for days in (29, 31):
        row = SeenCallRow(
            business_id=business,
            connection_id=connection or "",
            remote_id=f"{days}",
            at=SIX - days * DAY,
        )
        add(hub, row)
    retain(hub)
    with hub.reading() as session:
        assert session.exec(select(SeenCallRow.remote_id)).all() == ["29"]


def test_an_uploaded_file_goes_after_thirty_days_but_not_that_it_came() -> None:
    hub, business = a_hub()
    for days in (29, 31):
        row = ImportRow(
            business_id=business,
            file_name=f"{days}.csv",
            sha256="x",
            content=b"Aino",
            report={"placed": 1},
            at=SIX - days * DAY,
        )
        add(hub, row)
    assert retain(hub).uploads == 1
    with hub.reading() as session:
        rows = {row.file_name: (row.content, row.report) for row in session.exec(select(ImportRow))}
    assert rows == {"29.csv": (b"Aino", {"placed": 1}), "31.csv": (b"", {"placed": 1})}
    assert retain(hub).uploads == 0


def test_positions_go_when_each_business_says() -> None:
    day = a_morning(1)
    other = found(day.hub, "Other", zone="Europe/Helsinki", country="FI")
    with day.hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, day.business_id)
        business.settings = {**business.settings, "fixes_days": 5}
    for business_id, days in [(day.business_id, 4), (day.business_id, 6), (other, 6), (other, 31)]:
        put_fix(
            day.hub, Device(f"{business_id[-20:]}-{days}", business_id, "driver"), SIX - days * DAY
        )
    retain(day.hub)
    kept = [
        fix.device_id for one in (day.business_id, other) for fix in day.hub.positions.last(one)
    ]
    assert kept == [f"{day.business_id[-20:]}-4", f"{other[-20:]}-6"]


def put_fix(hub: Hub, device: Device, at: datetime) -> None:
    at_ms = int(at.timestamp() * 1000)
    stored = threading.Event()
    hub.positions  # noqa: B018  (makes the file)
    writer = Writer(lambda: open_ledger(hub.settings), Meanings(), lambda answers: stored.set())
    one = Posted(device, None, [Fix(1, at_ms, 60.0, 24.0, 5.0)], at_ms)
    writer.put([(one, lambda kept: None)])
    assert stored.wait(10)
    writer.close()


def test_more_than_one_units_worth_goes_in_one_run() -> None:
    hub, business = a_hub()
    rows = [
        IdempotencyRow(business_id=business, key=f"{n}", request_hash="x", at=SIX - 2 * DAY)
        for n in range(2 * AT_ONCE + 1)
    ]
    add(hub, *rows)
    assert retain(hub).rows == 2 * AT_ONCE + 1
    assert count(hub, IdempotencyRow) == 0


def test_proof_goes_when_its_days_are_over_and_the_chain_still_verifies() -> None:
    day = a_delivery()
    keep_proof(day, 30)
    with day.hub.reading() as session:
        before = session.exec(select(ChainRow.hash).order_by(ChainRow.n)).all()
    day.now[0] = SIX + 29 * DAY
    assert (retain(day.hub).proofs, on_disk(day)) == (0, True)
    day.now[0] = SIX + 31 * DAY
    report = retain(day.hub)
    assert (report.proofs, report.files) == (1, 1)
    assert not on_disk(day)
    assert (count(day.hub, ProofRow), count(day.hub, ProofFileRow)) == (0, 0)
    with day.hub.reading() as session:
        assert session.exec(select(ActRow)).one().body == {}  # "Ana" was in there too
        links = session.exec(select(ChainRow).order_by(ChainRow.n)).all()
    assert [link.hash for link in links][:-1] == before
    assert links[-1].commitments == {"forgotten": "1,2"}
    assert all(link.salts == {} for link in links)
    assert verify(day.hub, day.business_id) == []
    assert day.jobs()[0].outcome == "succeeded"


def test_what_a_phone_said_that_became_no_proof_goes_as_proof_does(database_url: str) -> None:
    day = a_morning(1, database_url)
    day.publish()
    keep_proof(day, 30)
    said = {"outcome": "succeeded", "name": "Ana", "note": "By hand", "lat": 60.1, "lon": 24.9}
    [told] = take_acts(day.hub, day.phone(), [act("0", "close", day.jobs()[0], 0, **said)])
    assert told.result == "refused"
    day.now[0] = SIX + 29 * DAY
    assert retain(day.hub).acts == 0
    day.now[0] = SIX + 31 * DAY
    assert retain(day.hub).acts == 1
    with day.hub.reading() as session:
        kept = session.exec(select(ActRow)).one()
    assert (kept.body, kept.why) == ({}, "Proof is missing: photo.")
    assert retain(day.hub).acts == 0


def test_letting_go_twice_is_letting_go_once() -> None:
    day = a_delivery()
    day.now[0] = SIX + 400 * DAY
    retain(day.hub)
    again = retain(day.hub)
    assert (again.rows, again.uploads, again.proofs, again.files, again.acts) == (0,) * 5


def test_a_younger_proof_keeps_the_bytes_it_shares_with_an_older_one() -> None:
    day = a_delivery(2, apart=20 * DAY)
    keep_proof(day, 30)
    day.now[0] = SIX + 31 * DAY
    assert retain(day.hub).files == 1
    assert on_disk(day)
    assert verify(day.hub, day.business_id) == []
    day.now[0] = SIX + 51 * DAY
    assert retain(day.hub).files == 1
    assert not on_disk(day)


def test_an_upload_no_act_ever_named_goes_too() -> None:
    day = a_morning(1)
    day.publish()
    [job] = day.jobs()
    put_file(day.hub, day.business_id, job.id, "photo", "image/jpeg", PICTURE, HASH)
    day.now[0] = SIX + 366 * DAY
    assert retain(day.hub).files == 1
    assert not on_disk(day)
    assert verify(day.hub, day.business_id) == []


class Sulking(PodStore):
    """A store that does not answer until it is told to."""

    key = "disk"
    title = "Sulking"
    is_up = False
    pictures: dict[str, bytes] = {}  # noqa: RUF012  one store, however often it is opened

    def put(self, content: bytes, *, media_type: str, sha256: str) -> str:
        self.pictures[sha256] = content
        return sha256

    def get(self, ref: str) -> bytes:
        return self.pictures[ref]

    def delete(self, ref: str) -> None:
        if not Sulking.is_up:
            raise Unavailable("the store is down")
        self.pictures.pop(ref, None)


class SulkingPlugin:
    __name__ = "sulking"

    @hookimpl
    def hub_pod_stores(self) -> list[type[PodStore]]:
        return [Sulking]


def test_a_file_whose_store_is_down_is_removed_when_it_is_back() -> None:
    day = a_delivery()
    sulking = Hub.in_memory(SulkingPlugin(), now=lambda: SIX + 366 * DAY)
    hub = Hub(day.hub.engine, sulking.registry, day.hub.settings, day.hub.keys, now=sulking.now)
    with hub.reading() as session:
        Sulking.pictures[session.exec(select(ProofFileRow.store_ref)).one()] = PICTURE
    assert (retain(hub).proofs, count(hub, ProofFileRow)) == (1, 1)
    with hub.reading() as session:
        assert all(link.salts == {} for link in session.exec(select(ChainRow)))
    assert verify(hub, day.business_id) == []
    Sulking.is_up = True
    assert retain(hub).files == 1
    assert (Sulking.pictures, count(hub, ProofFileRow)) == ({}, 0)


def test_what_a_killed_write_left_goes_after_an_hour_and_nothing_else() -> None:
    day = a_delivery()
    proof = day.hub.settings.data_dir / "proof" / day.business_id / HASH[:2] / HASH
    old, young = path_beside(proof), path_beside(proof)
    others = [proof, proof.with_name(".notes.txt"), proof.with_name(f"{HASH}.{new_id()}")]
    for path in (old, young, *others[1:]):
        path.write_bytes(PICTURE[:5])
    long_ago = time.time() - 3700
    for path in (old, *others):
        os.utime(path, (long_ago, long_ago))
    assert retain(day.hub).half_written == 1
    assert not old.exists()
    assert all(path.exists() for path in (young, *others))


def test_a_write_killed_half_way_leaves_nothing_but_what_is_swept(tmp_path: Path) -> None:
    program = (
        "import os, sys, pathlib; from hub.storage import durable_write\n"
        "def kill(*_):\n"
        "    os.kill(os.getpid(), 9)\n"
        "sys.addaudithook(lambda name, _: name == 'os.rename' and kill())\n"
        f"durable_write(pathlib.Path({str(tmp_path / 'proof')!r}), b'whole')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False)
    assert ended.returncode == -9
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"whole"]
    assert not (tmp_path / "proof").exists()
    assert sweep(tmp_path, time.time() + 1) == 1
    assert list(tmp_path.iterdir()) == []

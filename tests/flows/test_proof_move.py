"""Proof is brought to another store file by file, and no file is ever without its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, BinaryIO

import pytest
from sqlmodel import delete, select

from hub import ConfigError, PodStore
from hub.app import Hub
from hub.cli import main
from hub.core.ids import new_id
from hub.core.orders import IncomingOrder
from hub.core.values import Address
from hub.db.tables import AuditRow, ChainRow, JobRow, ProofFileRow
from hub.flows.connections import connection_id
from hub.flows.document import pod_pdf
from hub.flows.drive import take_acts
from hub.flows.found import found
from hub.flows.proof_leaving import sweep_unknown
from hub.flows.proof_move import MoveReport, move_proof
from hub.flows.proof_store import choose_store, content_of
from hub.flows.prove import put_file, verify
from hub.flows.retain import retain
from hub.flows.sync import store_all
from hub.settings import Settings
from tests.driving_worlds import SIX, Morning, a_morning, act
from tests.pod_worlds import Storage, a_storage, may_use_buckets, use_bucket
from tests.tracking_worlds import a_picture

DAY = timedelta(days=1)
PHOTOS = [a_picture(64, 48, colour) for colour in ("red", "green", "blue")]


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with a_storage() as running:
        yield running


@pytest.fixture
def bucket(storage: Storage) -> str:
    storage.faults.clear()
    name = f"b-{new_id()}"
    storage.bucket(name)
    return name


@pytest.fixture
def day(request: pytest.FixtureRequest, storage: Storage, bucket: str) -> Morning:
    """A delivery with three photos on disk, and a bucket for what comes after.

    On each kind of database for a test that names ``database_url``.
    """
    names = request.fixturenames
    url = request.getfixturevalue("database_url") if "database_url" in names else ""
    day = a_morning(1, url)
    may_use_buckets(day.hub)
    day.publish()
    [job] = day.jobs()
    for photo in PHOTOS:
        known_by = sha256(photo).hexdigest()
        put_file(day.hub, day.business_id, job.id, "photo", "image/jpeg", photo, known_by)
    named = [{"kind": "photo", "sha256": sha256(photo).hexdigest()} for photo in PHOTOS]
    close = act("0", "close", job, 0, outcome="succeeded", name="Ana", files=named)
    assert take_acts(day.hub, day.phone(), [close])[0].result == "applied"
    use_bucket(day.hub, day.business_id, storage, bucket)
    return day


def move(day: Morning, to: str = "s3", **more: Any) -> MoveReport:
    return move_proof(day.hub, day.business_id, to, actor="operator", **more)


def files(day: Morning) -> list[ProofFileRow]:
    with day.hub.reading() as session:
        return list(session.exec(select(ProofFileRow).order_by(ProofFileRow.id)))  # type: ignore[arg-type]


def on_disk(day: Morning) -> int:
    proofs = day.hub.settings.data_dir / "proof"
    return sum(path.is_file() for path in proofs.rglob("*"))


def test_every_file_lies_in_the_bucket_after_it_and_the_evidence_holds(
    day: Morning, storage: Storage, bucket: str, database_url: str
) -> None:
    report = move(day)
    assert (report.moved, report.removed, report.problems) == (3, 0, [])
    assert {file.store for file in files(day)} == {"s3"}
    assert sorted(storage.objects(bucket).values()) == sorted(PHOTOS)
    assert [content_of(day.hub, file) for file in files(day)] == PHOTOS
    assert verify(day.hub, day.business_id) == []
    with day.hub.reading() as session:
        assert len(session.exec(select(ChainRow)).all()) == 4 + 3  # each move is a link
        noted = session.exec(select(AuditRow).where(AuditRow.action == "pod_store moved")).one()
    assert (noted.actor, noted.subject) == ("operator", "3 files to s3")
    pdf = pod_pdf(day.hub, day.business_id, day.jobs()[0].id)
    assert pdf.startswith(b"%PDF")


def test_old_bytes_stay_unless_they_are_to_go(day: Morning) -> None:
    move(day)
    assert on_disk(day) == 3
    assert sweep_unknown(day.hub, day.business_id, datetime.now(UTC) + DAY) == 0
    assert on_disk(day) == 3
    assert (move(day, "disk").moved, on_disk(day)) == (3, 3)
    report = move(day, remove=True)
    assert (report.moved, report.removed) == (3, 3)
    assert on_disk(day) == 0
    assert verify(day.hub, day.business_id) == []


def test_a_second_time_there_is_nothing_to_do(day: Morning) -> None:
    move(day)
    with day.hub.reading() as session:
        links = len(session.exec(select(ChainRow)).all())
    assert move(day).moved == 0
    with day.hub.reading() as session:
        assert len(session.exec(select(ChainRow)).all()) == links


class Killed(BaseException):
    pass


def test_whoever_is_killed_goes_on_where_he_stopped(day: Morning) -> None:
    def kill(report: MoveReport) -> None:
        raise Killed

    with pytest.raises(Killed):
        move(day, remove=True, progress=kill)
    assert sorted(file.store for file in files(day)) == ["disk", "disk", "s3"]
    assert verify(day.hub, day.business_id) == []
    assert move(day, remove=True).moved == 2
    assert verify(day.hub, day.business_id) == []
    assert on_disk(day) == 0


def with_store(day: Morning, put_from: Any) -> None:
    """The bucket's store, whose ``put_from`` is this one, given the real one."""
    real = day.hub.registry.get(PodStore, "s3")

    class Changed(real):  # type: ignore[misc, valid-type]
        def put_from(self, source: BinaryIO, *, media_type: str, sha256: str) -> str:
            there = super().put_from
            return str(put_from(self, there, source, media_type=media_type, sha256=sha256))

    day.hub.registry._providers[PodStore, "s3"] = Changed


def test_whoever_is_killed_between_the_bytes_and_the_row_has_moved_nothing_and_lost_nothing(
    day: Morning, storage: Storage, bucket: str
) -> None:
    real = day.hub.registry.get(PodStore, "s3")

    def dying(store: PodStore, put: Any, source: BinaryIO, **about: str) -> str:
        put(source, **about)
        raise Killed

    with_store(day, dying)
    with pytest.raises(Killed):
        move(day)
    assert len(storage.objects(bucket)) == 1
    assert {file.store for file in files(day)} == {"disk"}
    assert verify(day.hub, day.business_id) == []
    day.hub.registry._providers[PodStore, "s3"] = real
    assert move(day).moved == 3
    assert len(storage.objects(bucket)) == 3


def test_a_store_that_gives_back_something_else_is_not_believed(
    day: Morning, storage: Storage, bucket: str
) -> None:
    def lying(store: PodStore, put: Any, source: BinaryIO, **about: str) -> str:
        ref = put(source, **about)
        storage.client().put_object(Bucket=bucket, Key=ref, Body=b"another door")
        return str(ref)

    with_store(day, lying)
    report = move(day, remove=True)
    assert (report.moved, report.removed, len(report.problems)) == (0, 0, 3)
    assert {file.store for file in files(day)} == {"disk"}
    assert on_disk(day) == 3
    assert verify(day.hub, day.business_id) == []


def test_a_file_that_was_changed_or_lost_stays_where_it_is_and_is_named(day: Morning) -> None:
    changed, lost, whole = files(day)
    proofs = day.hub.settings.data_dir / "proof"
    [path] = proofs.rglob(changed.sha256)
    path.write_bytes(b"another door")
    [path] = proofs.rglob(lost.sha256)
    path.unlink()
    report = move(day, remove=True)
    assert report.moved == 1
    assert [problem.partition(" was not moved: ")[2] for problem in report.problems] == [
        "This file was changed on the disk since it was stored.",
        "it is missing from its store",
    ]
    assert [file.store for file in files(day)] == ["disk", "disk", "s3"]
    assert content_of(day.hub, files(day)[2]) == PHOTOS[2]


def test_a_file_that_was_let_go_of_meanwhile_does_not_come_back(
    day: Morning, storage: Storage, bucket: str
) -> None:
    def meanwhile(store: PodStore, put: Any, source: BinaryIO, **about: str) -> str:
        ref = put(source, **about)
        with day.hub.unit() as unit:
            gone = delete(ProofFileRow).where(ProofFileRow.sha256 == about["sha256"])  # type: ignore[arg-type]
            unit.session.exec(gone)
        return str(ref)

    with_store(day, meanwhile)
    assert move(day).moved == 0
    assert files(day) == []
    assert sweep_unknown(day.hub, day.business_id, datetime.now(UTC) + DAY) == 6
    assert storage.objects(bucket) == {}


def test_copies_that_stayed_go_with_their_proof(
    day: Morning, storage: Storage, bucket: str
) -> None:
    move(day)
    day.now[0] = SIX + 400 * DAY
    assert retain(day.hub).files == 3
    assert storage.objects(bucket) == {}
    assert on_disk(day) == 3
    sweep_unknown(day.hub, day.business_id, datetime.now(UTC) + DAY)
    assert on_disk(day) == 0


def test_nothing_is_moved_to_a_store_that_does_not_work(
    day: Morning, storage: Storage, bucket: str
) -> None:
    storage.client().delete_bucket(Bucket=bucket)
    with pytest.raises(ConfigError, match="There is no bucket"):
        move(day)
    assert {file.store for file in files(day)} == {"disk"}


def test_another_businesss_files_stay_where_they_are(day: Morning) -> None:
    other = found(day.hub, "Other", zone="UTC")
    choose_store(day.hub, other, "disk", {}, actor="staff:1")
    assert move_proof(day.hub, other, "disk", actor="operator").moved == 0
    assert {file.store for file in files(day)} == {"disk"}


def test_the_operator_moves_a_businesss_proof_from_the_command_line(
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    storage: Storage,
    bucket: str,
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HUB_HTTP_ALLOW", "127.0.0.1")
    assert main(["found", "Husk", "--zone", "UTC"]) == 0
    business_id = capsys.readouterr().out.strip()
    hub = Hub.from_settings(Settings.from_environment())
    order = IncomingOrder(ref="1", number="1", updated_at=SIX, address=Address(("Street 1",)))
    store_all(hub, business_id, connection_id(hub, business_id, "api"), [order])
    with hub.reading() as session:
        job = session.exec(select(JobRow)).one()
    about = (hub, business_id, job.id, "photo", "image/jpeg", PHOTOS[0])
    put_file(*about, sha256(PHOTOS[0]).hexdigest())
    use_bucket(hub, business_id, storage, bucket)
    assert main(["pod", "move", business_id, "--remove"]) == 0
    told = "1 files moved to s3, 1 removed where they lay before, 0 problems\n"
    assert capsys.readouterr().out == told
    assert main(["verify"]) == 0
    assert capsys.readouterr().out == "2 links and 1 files hold\n"
    assert main(["backup", str(tmp_path / "b.tar.gz")]) == 0
    assert "1 proof files are not in it: they lie in s3." in capsys.readouterr().out
    storage.client().delete_object(Bucket=bucket, Key=next(iter(storage.objects(bucket))))
    assert main(["pod", "move", business_id, "--to", "disk"]) == 1
    assert "missing from its store" in capsys.readouterr().err
    assert main(["verify"]) == 1

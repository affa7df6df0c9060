"""Each business's proof lies where it chose, opens from where it lies, and goes when it is due."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from requests import ReadTimeout
from requests.adapters import BaseAdapter
from sqlalchemy import text
from sqlmodel import select

from hub import AuthError, ConfigError, Kept, PodStore, Refused, Unavailable, hookimpl
from hub.addresses import GuardedAdapter
from hub.core.ids import new_id
from hub.db.tables import AuditRow, BusinessRow, LeavingRow, ProofFileRow
from hub.db.unit import UnitOpen
from hub.flows.choices import choice
from hub.flows.drive import pair, pairing_code, take_acts
from hub.flows.found import found
from hub.flows.order_desk import proof_file
from hub.flows.proof_leaving import finish, sweep_unknown, take_away
from hub.flows.proof_store import KIND, choose_store, content_of, in_use, lying, put
from hub.flows.proof_store import Stores as PatientStores
from hub.flows.prove import put_file, verify
from hub.flows.retain import retain
from hub.turns import Turns
from hub.web.app import create_app
from tests.driving_worlds import SIX, Morning, a_morning, act
from tests.pod_worlds import SECRET, Storage, a_storage, may_use_buckets, use_bucket

DOOR, STEPS = b"a photo of a door", b"a photo of the steps"
DAY = timedelta(days=1)


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
def day(request: pytest.FixtureRequest) -> Morning:
    """On each kind of database for a test that names ``database_url``."""
    names = request.fixturenames
    url = request.getfixturevalue("database_url") if "database_url" in names else ""
    day = a_morning(2, url)
    may_use_buckets(day.hub)
    day.publish()
    return day


def brought(day: Morning, content: bytes, n: int = 0) -> ProofFileRow:
    about = (day.hub, day.business_id, day.jobs()[n].id)
    return put_file(*about, "photo", "image/jpeg", content, sha256(content).hexdigest())


def files(day: Morning) -> list[ProofFileRow]:
    with day.hub.reading() as session:
        return list(session.exec(select(ProofFileRow).order_by(ProofFileRow.id)))  # type: ignore[arg-type]


def on_disk(day: Morning) -> list[bytes]:
    proofs = day.hub.settings.data_dir / "proof"
    return sorted(path.read_bytes() for path in proofs.rglob("*") if path.is_file())


def test_a_business_that_chose_nothing_keeps_its_proof_on_disk(day: Morning) -> None:
    assert in_use(day.hub, day.business_id) == "disk"
    assert brought(day, DOOR).store == "disk"
    assert on_disk(day) == [DOOR]


def test_after_a_switch_new_files_go_to_the_bucket_and_older_ones_still_open(
    day: Morning, storage: Storage, bucket: str
) -> None:
    older = brought(day, DOOR)
    use_bucket(day.hub, day.business_id, storage, bucket)
    newer = brought(day, STEPS)
    assert (older.store, newer.store) == ("disk", "s3")
    assert list(storage.objects(bucket).values()) == [STEPS]
    assert on_disk(day) == [DOOR]
    assert [content_of(day.hub, file) for file in (older, newer)] == [DOOR, STEPS]
    shown = (
        proof_file(day.hub, day.business_id, file.job_id, file.id)[1] for file in (older, newer)
    )
    assert list(shown) == [DOOR, STEPS]
    assert verify(day.hub, day.business_id) == []
    choose_store(day.hub, day.business_id, "disk", {}, actor="staff:1")
    assert brought(day, b"x").store == "disk"
    assert content_of(day.hub, newer) == STEPS
    held = {key: one.files for key, one in lying(day.hub, day.business_id).items()}
    assert held == {"disk": 2, "s3": 1}


def test_settings_are_tried_before_they_are_kept(
    day: Morning, storage: Storage, bucket: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        use_bucket(day.hub, day.business_id, storage, "no-such-bucket")
    assert caught.value.field == "bucket"
    with pytest.raises(ValidationError):
        use_bucket(day.hub, day.business_id, storage, bucket, endpoint_url="nowhere")
    storage.seen.clear()
    with pytest.raises(ConfigError, match="there is '…' in it") as caught:
        use_bucket(day.hub, day.business_id, storage, bucket, secret_access_key="sEcret…")
    assert caught.value.field == "secret_access_key"
    assert storage.seen == []
    assert choice(day.hub, day.business_id, KIND, "s3") is None
    assert in_use(day.hub, day.business_id) == "disk"
    use_bucket(day.hub, day.business_id, storage, bucket)
    assert storage.objects(bucket) == {}


def test_the_secret_key_lies_sealed_and_is_kept_when_left_empty(
    day: Morning, storage: Storage, bucket: str
) -> None:
    use_bucket(day.hub, day.business_id, storage, bucket)
    use_bucket(day.hub, day.business_id, storage, bucket, prefix="proof", secret_access_key="")
    with day.hub.reading() as session:
        stored = [*session.execute(text("SELECT settings FROM choice"))]
        stored += [*session.execute(text("SELECT sealed FROM secret"))]
    assert SECRET not in json.dumps([str(one) for one in stored])
    assert brought(day, DOOR).store_ref.startswith("proof/")
    with day.hub.reading() as session:
        noted = session.exec(select(AuditRow.action, AuditRow.subject)).all()
    assert ("pod_store chosen", "s3") in [tuple(one) for one in noted]


def test_one_businesss_choice_is_not_anothers(day: Morning, storage: Storage, bucket: str) -> None:
    other = found(day.hub, "Other", zone="UTC")
    use_bucket(day.hub, day.business_id, storage, bucket)
    assert in_use(day.hub, other) == "disk"
    use_bucket(day.hub, other, storage, bucket)
    brought(day, DOOR)
    known_by = sha256(DOOR).hexdigest()
    theirs = put(day.hub, other, DOOR, media_type="image/jpeg", sha256=known_by)
    assert len(storage.objects(bucket)) == 2
    take_away(day.hub, other, "s3", theirs.ref)
    assert verify(day.hub, day.business_id) == []


def test_the_bucket_cannot_be_changed_under_the_files_that_lie_in_it(
    day: Morning, storage: Storage, bucket: str
) -> None:
    another = f"b-{new_id()}"
    storage.bucket(another)
    use_bucket(day.hub, day.business_id, storage, bucket)
    use_bucket(day.hub, day.business_id, storage, another)  # nothing lies there yet
    file = brought(day, DOOR)
    with pytest.raises(ConfigError, match=f"1 files lie in .*{another}, and would not be found"):
        use_bucket(day.hub, day.business_id, storage, bucket)
    assert content_of(day.hub, file) == DOOR
    use_bucket(day.hub, day.business_id, storage, another, prefix="elsewhere")
    assert content_of(day.hub, file) == DOOR


def test_a_bucket_that_was_changed_while_a_file_was_put_is_noticed(
    day: Morning, storage: Storage, bucket: str, database_url: str
) -> None:
    """The file would have lain in the bucket before, and its row have named the one after."""
    another = f"b-{new_id()}"
    storage.bucket(another)
    use_bucket(day.hub, day.business_id, storage, bucket)

    real = day.hub.registry.get(PodStore, "s3")

    class Meanwhile(real):  # type: ignore[misc, valid-type]
        def put_from(self, *args: object, **values: object) -> str:
            ref = super().put_from(*args, **values)
            day.hub.registry._providers[PodStore, "s3"] = real
            use_bucket(day.hub, day.business_id, storage, another)
            return str(ref)

    day.hub.registry._providers[PodStore, "s3"] = Meanwhile
    with pytest.raises(Unavailable, match="has just changed"):
        brought(day, DOOR)
    assert files(day) == []
    assert content_of(day.hub, brought(day, DOOR)) == DOOR


def test_a_storage_that_is_down_leaves_no_row_and_says_so_until_it_is_back(
    day: Morning, storage: Storage, bucket: str
) -> None:
    use_bucket(day.hub, day.business_id, storage, bucket)
    storage.faults += ["AccessDenied"]
    with pytest.raises(AuthError):
        brought(day, DOOR)
    assert files(day) == []
    row = choice(day.hub, day.business_id, KIND, "s3")
    assert row is not None
    assert row.state == "needs_attention"
    assert "may not write" in row.last_error
    brought(day, DOOR)
    row = choice(day.hub, day.business_id, KIND, "s3")
    assert row is not None
    assert (row.state, row.last_error) == ("ok", "")


def test_a_phone_is_told_to_come_again_while_the_storage_is_down(
    day: Morning, storage: Storage, bucket: str
) -> None:
    use_bucket(day.hub, day.business_id, storage, bucket)
    client = create_app(day.hub).test_client()
    token = pair(day.hub, pairing_code(day.hub, day.business_id, day.drivers[0]))
    picture = Path(__file__).parents[2].joinpath("docs/images/driver.png").read_bytes()
    url = f"/driver/api/files/{day.jobs()[0].id}/{sha256(picture).hexdigest()}?kind=photo"
    headers = {"Authorization": f"Bearer {token}"}
    for fault in ("AccessDenied", "QuotaExceeded", "EntityTooLarge", "OperationAborted"):
        storage.faults += [fault]
        answer = client.put(url, data=picture, headers=headers)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30"), fault
        assert "bucket" not in answer.text
        storage.faults.clear()
        row = choice(day.hub, day.business_id, KIND, "s3")
        assert row is not None
        state = "failing" if fault == "OperationAborted" else "needs_attention"
        assert (row.state, row.last_error != "") == (state, True)
    assert client.put(url, data=picture, headers=headers).status_code == 200
    assert list(storage.objects(bucket).values()) == [picture]


def test_a_silent_storage_is_asked_once_and_then_left_alone_for_a_moment(
    day: Morning, storage: Storage, bucket: str
) -> None:
    """Every thread of the web process waited for it two minutes, again and again."""
    use_bucket(day.hub, day.business_id, storage, bucket)
    kept, waits, clock = brought(day, DOOR), list[Any](), [0.0]

    class Silent(BaseAdapter):
        def send(self, *_: Any, timeout: Any = None, **__: Any) -> Any:
            waits.append(timeout)
            clock[0] += 10
            raise ReadTimeout

        def close(self) -> None: ...

    day.hub.turns = Turns(lambda: clock[0])
    day.hub.tools.http.mount(storage.url, Silent())
    with pytest.raises(Unavailable, match="no usable answer"):
        brought(day, STEPS)
    assert waits == [(3.0, 10.0)]
    for refused in (
        lambda: brought(day, STEPS),
        lambda: proof_file(day.hub, day.business_id, kept.job_id, kept.id),
    ):
        with pytest.raises(Unavailable, match="did not answer just now"):
            refused()
    clock[0] += 21
    with pytest.raises(Unavailable, match="no usable answer"):
        content_of(day.hub, kept)
    with pytest.raises(Unavailable):  # who has time asks, and asks again
        content_of(day.hub, kept, PatientStores(day.hub, day.business_id))
    assert waits[1:] == [(3.0, 10.0), *[(5.0, 30.0)] * 4]
    day.hub.tools.http.mount(storage.url, GuardedAdapter(("127.0.0.1",)))
    clock[0] += 21
    assert content_of(day.hub, kept) == DOOR


def test_a_store_is_never_asked_within_a_unit(day: Morning) -> None:
    with day.hub.unit(), pytest.raises(UnitOpen):
        put(day.hub, day.business_id, DOOR, media_type="x/y", sha256=sha256(DOOR).hexdigest())


def test_a_file_that_was_changed_or_lost_in_the_bucket_is_found(
    day: Morning, storage: Storage, bucket: str
) -> None:
    use_bucket(day.hub, day.business_id, storage, bucket)
    changed, lost = brought(day, DOOR), brought(day, STEPS)
    client = storage.client()
    client.put_object(Bucket=bucket, Key=changed.store_ref, Body=b"another door")
    client.delete_object(Bucket=bucket, Key=lost.store_ref)
    problems = verify(day.hub, day.business_id)
    assert [problem.partition(": ")[2] for problem in problems] == [
        "its content was changed",
        "is missing from its store (s3)",
    ]
    with pytest.raises(Refused):
        proof_file(day.hub, day.business_id, changed.job_id, changed.id)


def closed(day: Morning, content: bytes) -> None:
    brought(day, content)
    named = [{"kind": "photo", "sha256": sha256(content).hexdigest()}]
    close = act("0", "close", day.jobs()[0], 0, outcome="succeeded", name="Ana", files=named)
    [told] = take_acts(day.hub, day.phone(), [close])
    assert told.result == "applied"


def test_a_proof_whose_days_are_over_leaves_the_bucket(
    day: Morning, storage: Storage, bucket: str
) -> None:
    use_bucket(day.hub, day.business_id, storage, bucket)
    closed(day, DOOR)
    day.now[0] = SIX + 400 * DAY
    assert retain(day.hub).files == 1
    assert storage.objects(bucket) == {}
    assert files(day) == []
    assert verify(day.hub, day.business_id) == []


def test_a_file_stays_due_while_its_bucket_cannot_be_asked(
    day: Morning, storage: Storage, bucket: str
) -> None:
    use_bucket(day.hub, day.business_id, storage, bucket)
    closed(day, DOOR)
    day.now[0] = SIX + 400 * DAY
    storage.faults += ["AccessDenied"]
    assert retain(day.hub).files == 0
    assert len(files(day)) == 1
    assert retain(day.hub).files == 1
    assert storage.objects(bucket) == {}


def test_what_no_row_knows_of_is_swept_after_a_day_and_nothing_else(
    day: Morning, storage: Storage, bucket: str
) -> None:
    orphan = {"media_type": "image/jpeg", "sha256": sha256(STEPS).hexdigest()}
    brought(day, DOOR)
    put(day.hub, day.business_id, STEPS, **orphan)  # and then its process died
    use_bucket(day.hub, day.business_id, storage, bucket)
    kept = brought(day, DOOR, 1)
    put(day.hub, day.business_id, STEPS, **orphan)
    now = datetime.now(UTC)
    assert sweep_unknown(day.hub, day.business_id, now - DAY) == 0
    assert len(storage.objects(bucket)) == 2
    assert sweep_unknown(day.hub, day.business_id, now + DAY) == 2
    assert storage.objects(bucket) == {kept.store_ref: DOOR}
    assert on_disk(day) == [DOOR]
    assert verify(day.hub, day.business_id) == []


def test_a_bucket_that_cannot_be_asked_does_not_stop_the_sweep_of_another_store(
    day: Morning, storage: Storage, bucket: str
) -> None:
    put(day.hub, day.business_id, DOOR, media_type="x/y", sha256=sha256(DOOR).hexdigest())
    use_bucket(day.hub, day.business_id, storage, bucket)
    storage.client().delete_bucket(Bucket=bucket)
    assert sweep_unknown(day.hub, day.business_id, datetime.now(UTC) + DAY) == 1
    assert on_disk(day) == []


class Slow(PodStore):
    """A store in the middle of whose removal something else happens."""

    key = "slow"
    title = "Slow"
    holds: dict[str, bytes] = {}  # noqa: RUF012  one store, however often it is opened
    meanwhile = staticmethod(lambda: None)
    full = False

    def put(self, content: bytes, *, media_type: str, sha256: str) -> str:
        if self.full:
            raise Refused("slow.example answered 413: no room left")
        self.holds[sha256] = content
        return sha256

    def get(self, ref: str) -> bytes:
        return self.holds[ref]

    def delete(self, ref: str) -> None:
        type(self).meanwhile()
        self.holds.pop(ref, None)

    def kept(self, before: datetime) -> Iterator[Kept]:
        yield from [Kept(ref, ref) for ref in self.holds]


class SlowPlugin:
    @hookimpl
    def hub_pod_stores(self) -> list[type[PodStore]]:
        return [Slow]


@pytest.fixture
def slow(day: Morning, database_url: str) -> Morning:
    Slow.holds.clear()
    day.hub.registry.add(SlowPlugin(), "slow")
    choose_store(day.hub, day.business_id, "slow", {}, actor="staff:1")
    return day


def test_bytes_that_are_just_being_removed_are_brought_again(slow: Morning) -> None:
    """The phone's photo was believed safe, and then removed with the orphan it equalled."""
    put(slow.hub, slow.business_id, DOOR, media_type="x/y", sha256=sha256(DOOR).hexdigest())
    refused = []

    def bring() -> None:
        with pytest.raises(Unavailable) as caught:
            brought(slow, DOOR)
        refused.append(caught.value)

    Slow.meanwhile = staticmethod(bring)
    try:
        assert sweep_unknown(slow.hub, slow.business_id, datetime.now(UTC) + DAY) == 1
    finally:
        Slow.meanwhile = staticmethod(lambda: None)
    assert len(refused) == 1
    assert files(slow) == []
    gone_since(slow, minutes=5)
    assert content_of(slow.hub, brought(slow, DOOR)) == DOOR


def gone_since(day: Morning, **span: float) -> None:
    with day.hub.unit() as unit:
        for mark in unit.session.exec(select(LeavingRow)):
            assert mark.gone_at
            mark.gone_at -= timedelta(**span)


def test_bytes_that_were_removed_after_they_were_put_are_brought_again(
    slow: Morning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep was over before the row was written: the phone heard 200, and the photo was gone."""

    def put_then_swept(self: Slow, content: bytes, *, media_type: str, sha256: str) -> str:
        self.holds[sha256] = content
        monkeypatch.undo()
        assert sweep_unknown(slow.hub, slow.business_id, datetime.now(UTC) + DAY) == 1
        return sha256

    monkeypatch.setattr(Slow, "put", put_then_swept)
    with pytest.raises(Unavailable):
        brought(slow, DOOR)
    assert files(slow) == []
    gone_since(slow, minutes=5)
    assert content_of(slow.hub, brought(slow, DOOR)) == DOOR
    gone_since(slow, hours=1)
    finish(slow.hub, slow.business_id)
    with slow.hub.reading() as session:
        assert session.exec(select(LeavingRow)).all() == []
    assert content_of(slow.hub, files(slow)[0]) == DOOR


def test_no_store_can_refuse_the_right_bytes(
    slow: Morning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The phone threw its photo away because somebody's plugin refused it."""
    monkeypatch.setattr(Slow, "full", True)
    with pytest.raises(ConfigError, match="no room left"):
        brought(slow, DOOR)
    row = choice(slow.hub, slow.business_id, KIND, "slow")
    assert row is not None
    assert (row.state, "no room left" in row.last_error) == ("needs_attention", True)


def test_what_somebody_died_over_is_removed_an_hour_later(slow: Morning) -> None:
    file = brought(slow, DOOR)
    with slow.hub.unit() as unit:
        now = datetime.now(UTC)
        for ref, hours in ((file.store_ref, 2), ("gone", 2), ("under-way", 0.5)):
            Slow.holds.setdefault(ref, b"")
            mark = {"store": "slow", "store_ref": ref, "since": now - timedelta(hours=hours)}
            unit.session.add(LeavingRow(business_id=slow.business_id, **mark))
    finish(slow.hub, slow.business_id)
    assert sorted(Slow.holds) == sorted([file.store_ref, "under-way"])
    take_away(slow.hub, slow.business_id, "slow", "under-way")  # another is at it
    assert "under-way" in Slow.holds


def test_a_store_whose_plugin_is_gone_is_said_and_stops_nothing(slow: Morning) -> None:
    closed(slow, DOOR)
    del slow.hub.registry._providers[PodStore, "slow"]
    [problem] = verify(slow.hub, slow.business_id)
    assert "the plugin for 'slow' is not installed" in problem
    with pytest.raises(ConfigError):
        brought(slow, STEPS)
    slow.now[0] = SIX + 400 * DAY
    with slow.hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, slow.business_id)
        business.settings = {**business.settings, "proof_days": 30}
    report = retain(slow.hub)
    assert (report.proofs, report.files) == (1, 0)

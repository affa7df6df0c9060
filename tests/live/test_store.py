"""Positions are stored once, in order, with what they mean, and let go of in time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.tracking import Fence
from hub.db.engine import create_tables, open_engine
from hub.live.fixes import Fix
from hub.live.ledger import Ledger, open_ledger
from hub.live.meaning import Meanings
from hub.live.off_shift import let_go
from hub.live.problems import CannotStore
from hub.live.store import Positions
from hub.live.values import Device, Round
from hub.live.writer import Kept, Posted, Writer
from hub.settings import Settings

PHONE = Device("device-1", "business-1", "driver-1")
OTHER = Device("device-2", "business-2", "driver-2")
START = 1_795_680_000_000  # a morning in November 2026


def a_fix(seq: int, lat: float = 60.17, lon: float = 24.94, **more: Any) -> Fix:
    """One each five seconds."""
    return Fix(seq, START + seq * 5000, lat, lon, 8.0, **more)


@dataclass
class Ledgered:
    settings: Settings
    positions: Positions

    def a_writer(self, open_: Callable[[], Ledger] | None = None) -> Writer:
        def tell_all(answers: Any) -> None:
            for answer, kept in answers:
                answer(kept)

        return Writer(open_ or (lambda: open_ledger(self.settings)), Meanings(), tell_all)


@pytest.fixture
def ledgered(empty_database_url: str, tmp_path: Path) -> Ledgered:
    named = Settings.from_environment(
        {"HUB_DATA_DIR": str(tmp_path), "HUB_DATABASE_URL": empty_database_url}
    )
    engine = open_engine(empty_database_url)
    create_tables(engine)
    engine.dispose()
    return Ledgered(named, Positions.open(named))


@pytest.fixture
def writer(ledgered: Ledgered) -> Iterator[Writer]:
    one = ledgered.a_writer()
    yield one
    one.close()


def post(
    writer: Writer, *fixes: Fix, device: Device = PHONE, round_: Round | None = None
) -> Kept | CannotStore:
    answered = threading.Event()
    answers: list[Kept | CannotStore] = []

    def answer(kept: Kept | CannotStore) -> None:
        answers.append(kept)
        answered.set()

    writer.put([(Posted(device, round_, fixes, fixes[-1].t + 1000), answer)])
    assert answered.wait(10)
    return answers[0]


def seqs(positions: Positions, device: Device = PHONE) -> list[int]:
    return [fix.seq for fix in positions.track(device.business_id, device.id, 0, START * 2)]


def test_what_was_posted_can_be_read_as_it_was(ledgered: Ledgered, writer: Writer) -> None:
    sent = a_fix(1, spd=4.5, hdg=270.0, bat=81.0)
    assert post(writer, sent) == Kept(ledgered.positions.last("business-1")[0])
    [stored] = ledgered.positions.track("business-1", "device-1", START, START + 10_000)
    assert (stored.seq, stored.at_ms, stored.lat, stored.lon) == (1, sent.t, 60.17, 24.94)
    assert (stored.acc_m, stored.speed_ms, stored.heading, stored.battery) == (8, 4.5, 270, 81)


def test_a_batch_sent_again_in_other_pieces_is_stored_once(
    ledgered: Ledgered, writer: Writer
) -> None:
    post(writer, *map(a_fix, (1, 2, 3)))
    post(writer, *map(a_fix, (2, 3, 4)))
    post(writer, *map(a_fix, (1, 2, 3, 4, 5)))
    assert post(writer, *map(a_fix, (1, 2))) == Kept()
    assert seqs(ledgered.positions) == [1, 2, 3, 4, 5]


def test_what_was_overtaken_is_stored_too(ledgered: Ledgered, writer: Writer) -> None:
    post(writer, *map(a_fix, (10, 20, 30)))
    for some in ((3, 5), (1, 4, 10), (12, 20, 31), (11, 25, 29), (5, 15, 25)):
        assert isinstance(post(writer, *map(a_fix, some)), Kept)
    everything = [1, 3, 4, 5, 10, 11, 12, 15, 20, 25, 29, 30, 31]
    assert seqs(ledgered.positions) == everything
    [last] = ledgered.positions.last("business-1")
    assert last.seq == 31, "what comes late moves nobody back"


def test_what_was_overtaken_is_stored_beside_what_waits_with_it(ledgered: Ledgered) -> None:
    """All of it in one commit, as after a commit that took long."""
    opened = threading.Event()

    def open_() -> Ledger:
        opened.wait(10)
        return open_ledger(ledgered.settings)

    one = ledgered.a_writer(open_)
    answers: list[Kept | CannotStore] = []
    for some in ((9,), (10, 20), (12, 14), (13, 20), (14,), (2, 12), (21,), (2,)):
        one.put([(Posted(PHONE, None, list(map(a_fix, some)), START + 10**6), answers.append)])
    opened.set()
    one.close()
    assert all(isinstance(answer, Kept) for answer in answers), answers
    assert seqs(ledgered.positions) == [2, 9, 10, 12, 13, 14, 20, 21]


def test_a_number_that_another_fix_had_is_counted_and_not_stored(
    ledgered: Ledgered, writer: Writer
) -> None:
    post(writer, *map(a_fix, (1, 2, 3)))
    other = Fix(2, a_fix(2).t + 1, 60.2, 24.9, 8.0)
    assert post(writer, other, a_fix(3)) == Kept(clashes=1)
    assert seqs(ledgered.positions) == [1, 2, 3]


def test_a_new_process_goes_on_where_the_last_one_stopped(ledgered: Ledgered) -> None:
    first = ledgered.a_writer()
    post(first, *map(a_fix, (1, 2, 3)))
    first.close()
    second = ledgered.a_writer()
    post(second, *map(a_fix, (2, 3, 4)))
    second.close()
    assert seqs(ledgered.positions) == [1, 2, 3, 4]


def test_two_processes_that_get_the_same_batch_store_it_once(ledgered: Ledgered) -> None:
    writers = [ledgered.a_writer(), ledgered.a_writer()]
    for n in range(1, 40, 3):
        batch = [a_fix(seq) for seq in range(max(1, n - 2), n + 3)]
        threads = [threading.Thread(target=post, args=(one, *batch)) for one in writers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for one in writers:
        one.close()
    assert seqs(ledgered.positions) == list(range(1, 40))


def test_each_business_sees_its_own_drivers_only(ledgered: Ledgered, writer: Writer) -> None:
    post(writer, a_fix(1))
    post(writer, a_fix(1), device=OTHER)
    assert [one.driver_id for one in ledgered.positions.last("business-1")] == ["driver-1"]
    assert ledgered.positions.last("business-1", ["driver-2"]) == []
    assert ledgered.positions.track("business-1", "device-2", 0, START * 2) == []


def test_the_last_place_stays_when_nothing_believable_follows(
    ledgered: Ledgered, writer: Writer
) -> None:
    post(writer, a_fix(1))
    assert post(writer, replace_acc(a_fix(2), 50_000)) == Kept()
    [last] = ledgered.positions.last("business-1")
    assert last.seq == 1
    assert seqs(ledgered.positions) == [1, 2]


def replace_acc(fix: Fix, acc_m: float) -> Fix:
    return Fix(fix.seq, fix.t, fix.lat, fix.lon, acc_m)


def test_a_made_up_position_is_kept_but_means_nothing(ledgered: Ledgered, writer: Writer) -> None:
    assert post(writer, a_fix(1, mock=True)) == Kept()
    assert ledgered.positions.last("business-1") == []
    [stored] = ledgered.positions.track("business-1", "device-1", 0, START * 2)
    assert stored.mock


ROUND = Round("route-1", 1, (Fence("stop-1", 60.17, 24.94), Fence("stop-2", 60.2, 24.94)))


def a_drive() -> list[Fix]:
    """To the first stop, four minutes there, and away."""
    way = [60.16 + n * 0.001 for n in range(10)]
    stay = [60.17] * 48
    away = [60.17 + n * 0.001 for n in range(1, 12)]
    return [a_fix(n, lat) for n, lat in enumerate([*way, *stay, *away], start=1)]


def kinds(positions: Positions) -> list[tuple[str, str]]:
    return [(one.stop_id, one.kind) for one in positions.meanings(0)]


def test_an_arrival_and_a_departure_are_noticed_once_however_the_fixes_come(
    ledgered: Ledgered,
) -> None:
    """A process that ends in the middle of the stay remembers that the driver was there."""
    drive = a_drive()
    for some in (drive[:30], drive[20:40], drive[35:]):
        one = ledgered.a_writer()
        post(one, *some, round_=ROUND)
        one.close()
    assert kinds(ledgered.positions) == [("stop-1", "arrived"), ("stop-1", "left")]
    arrived = ledgered.positions.meanings(0)[0]
    assert (arrived.business_id, arrived.driver_id) == ("business-1", "driver-1")
    assert (arrived.device_id, arrived.route_id) == ("device-1", "route-1")
    assert 0 < arrived.confidence <= 1


def test_a_stop_that_comes_onto_the_route_while_he_stands_there_is_arrived_at(
    ledgered: Ledgered,
) -> None:
    """Whether or not the process that saw him come is the one that sees him leave."""
    drive = a_drive()
    for some, round_ in ((drive[:30], None), (drive[30:50], ROUND), (drive[50:], ROUND)):
        one = ledgered.a_writer()
        post(one, *some, round_=round_)
        one.close()
    assert kinds(ledgered.positions) == [("stop-1", "arrived"), ("stop-1", "left")]


def test_a_clock_that_runs_ahead_and_is_set_right_holds_nobody_up(
    ledgered: Ledgered, writer: Writer
) -> None:
    came_ms = a_fix(1).t
    early = Fix(1, came_ms + 59_000, 60.17, 24.94, 8.0)
    writer.put([(Posted(PHONE, None, [early], came_ms), lambda kept: None)])
    right = a_fix(2, 60.1701)
    kept = post(writer, right)
    assert isinstance(kept, Kept) and kept.last is not None
    assert (kept.last.seq, kept.last.at_ms) == (2, right.t)
    assert ledgered.positions.last("business-1") == [kept.last]


def test_what_was_told_off_any_shift_goes_with_what_it_means(
    ledgered: Ledgered, writer: Writer
) -> None:
    drive = a_drive()
    for some in (drive[:9], drive[9:40], drive[40:]):
        post(writer, *some, round_=ROUND)
    post(writer, a_fix(3), device=OTHER)
    assert kinds(ledgered.positions) == [("stop-1", "arrived"), ("stop-1", "left")]
    again_ms = drive[-3].t  # when his next shift begins

    def cut(driver_id: str = "driver-1") -> int:
        about = "business-1", driver_id, drive[20].t
        return let_go(ledgered.positions, *about, lambda at_ms: at_ms >= again_ms)

    assert cut("driver-2") == 0
    assert cut() == len(drive) - 21 - 3
    assert cut() == 0
    assert seqs(ledgered.positions) == [fix.seq for fix in (*drive[:21], *drive[-3:])]
    assert seqs(ledgered.positions, OTHER) == [3]
    assert kinds(ledgered.positions) == [("stop-1", "arrived")]
    assert ledgered.positions.last("business-1")[0].seq == drive[-1].seq
    after_all = let_go(ledgered.positions, "business-1", "driver-1", START, lambda at_ms: False)
    assert after_all == 24
    assert ledgered.positions.last("business-1") == []
    post(writer, *drive[5:12])
    assert seqs(ledgered.positions) == [fix.seq for fix in drive[5:12]]


def test_meanings_are_read_on_from_a_cursor(ledgered: Ledgered, writer: Writer) -> None:
    post(writer, *a_drive(), round_=ROUND)
    first, second = ledgered.positions.meanings(0)
    assert ledgered.positions.meanings(0, limit=1) == [first]
    assert ledgered.positions.meanings(first.id) == [second]


def test_ids_of_meanings_rise_even_over_a_new_file(tmp_path: Path) -> None:
    """The cursor lies in the hub's database, and in its backups; the positions do not."""
    highest = 0
    for name in ("before", "after"):
        named = Settings.from_environment({"HUB_DATA_DIR": str(tmp_path / name)})
        new = Ledgered(named, Positions.open(named))
        one = new.a_writer()
        post(one, *a_drive(), round_=ROUND)
        one.close()
        ids = [meaning.id for meaning in new.positions.meanings(highest)]
        assert len(ids) == 2
        highest = max(ids)


def test_what_is_old_is_let_go_of_for_one_business(ledgered: Ledgered, writer: Writer) -> None:
    post(writer, *a_drive(), round_=ROUND)
    post(writer, a_fix(1), device=OTHER)
    assert ledgered.positions.forget("business-1", START + 10**9) == 4
    assert seqs(ledgered.positions) == []
    assert kinds(ledgered.positions) == []
    assert seqs(ledgered.positions, OTHER) == [1]
    post(writer, a_fix(900))  # the phone is known anew
    assert seqs(ledgered.positions) == [900]


class Broken:
    """A ledger whose disk is full."""

    def begin(self, phones: object) -> dict[str, int]:
        raise OSError("No space left on device")

    def roll_back(self) -> None: ...

    def close(self) -> None: ...


def test_nobody_is_told_that_it_is_safe_while_nothing_can_be_stored(ledgered: Ledgered) -> None:
    ledgers: list[Any] = [Broken(), Broken(), open_ledger(ledgered.settings)]
    one = ledgered.a_writer(lambda: ledgers.pop(0))
    assert isinstance(post(one, a_fix(1)), CannotStore)
    assert isinstance(post(one, a_fix(1), a_fix(2)), CannotStore)
    assert post(one, a_fix(1), a_fix(2)) != CannotStore
    one.close()
    assert seqs(ledgered.positions) == [1, 2]


def test_closing_stores_what_waits(ledgered: Ledgered) -> None:
    one = ledgered.a_writer()
    for n in range(1, 200):
        one.put([(Posted(PHONE, None, [a_fix(n)], START), lambda kept: None)])
    one.close()
    assert seqs(ledgered.positions) == list(range(1, 200))


@given(st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=12), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None)
def test_every_number_is_stored_exactly_once_whatever_a_phone_sends(
    batches: list[list[int]],
) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        named = Settings.from_environment({"HUB_DATA_DIR": folder})
        world = Ledgered(named, Positions(Positions.open(named).engine))
        one = world.a_writer()
        sent: set[int] = set()
        for batch in batches:
            kept = post(one, *map(a_fix, sorted(set(batch))))
            assert isinstance(kept, Kept)
            assert kept.clashes == 0
            sent |= set(batch)
            assert seqs(world.positions) == sorted(sent)
        one.close()


def test_settings_name_a_file_of_its_own_on_sqlite_only(tmp_path: Path) -> None:
    named = Settings.from_environment({"HUB_DATA_DIR": str(tmp_path)})
    Positions.open(named)
    assert (tmp_path / "positions.db").exists()
    apart = replace(named, database_url="postgresql://example/hub")
    assert Positions.open(apart).engine.dialect.name == "postgresql"

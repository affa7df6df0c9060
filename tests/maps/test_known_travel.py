"""What a service told of two places is not asked again, whoever asks, until it is too old."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hub import AnswersInParts, Point, Unavailable
from hub.maps.known_travel import KnownTravel

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
STREET = [Point(60 + n / 1000, 24 + n * n / 5000) for n in range(40)]


class Service(AnswersInParts):
    """Charges for each way it tells of, and remembers what it told."""

    good_for = timedelta(days=7)

    def __init__(self, breaks_after: int = 10**9, factor: int = 1) -> None:
        self.told: list[tuple[Point, Point]] = []
        self.breaks_after, self.factor = breaks_after, factor

    def basis(self, depart_at: datetime, profile: str) -> str:
        return f"roads by {profile}"

    def part(
        self, sources: Sequence[Point], targets: Sequence[Point], depart_at: datetime, profile: str
    ) -> tuple[Any, Any]:
        if len(self.told) >= self.breaks_after:
            raise Unavailable("It hung up.")
        self.told += [(a, b) for a in sources for b in targets]
        metres = [[self.way(a, b) for b in targets] for a in sources]
        return np.array(metres) // 10, np.array(metres)

    def way(self, a: Point, b: Point) -> int:
        """Another one there than back."""
        return self.factor * round(1e6 * (2 * abs(a.lat - b.lat) + max(0, a.lon - b.lon)))


def asked(known: KnownTravel, service: Service, places: Sequence[Point], **more: Any) -> Any:
    more = {"now": AT, "profile": "van", **more}
    profile, now = more.pop("profile"), more.pop("now")
    return known.matrix(service, places, AT, profile, now=now, **more)


@pytest.fixture
def known(tmp_path: Path) -> KnownTravel:
    return KnownTravel(tmp_path / "travel.db")


def test_a_day_with_one_more_order_asks_for_its_row_and_column_alone(known: KnownTravel) -> None:
    service = Service()
    asked(known, service, STREET[:30])
    service.told.clear()
    matrix = asked(known, service, STREET[:31])
    new = STREET[30]
    assert len(service.told) == 30 + 30
    assert all(new in way for way in service.told)
    fresh = Service().part(STREET[:31], STREET[:31], AT, "van")
    np.fill_diagonal(fresh[0], 0)
    assert [list(row) for row in matrix.seconds] == fresh[0].tolist()
    assert [list(row) for row in matrix.metres] == fresh[1].tolist()


def test_the_same_places_in_another_order_are_known(known: KnownTravel) -> None:
    service = Service()
    forth = asked(known, service, STREET)
    told = len(service.told)
    back = asked(known, service, STREET[::-1])
    assert len(service.told) == told
    assert back.metres[0][39] == forth.metres[39][0]
    use = known.use()
    assert (use.wanted, use.known) == (2 * 40 * 39, 40 * 39)
    assert 40 * 40 * 20 < use.bytes < 200_000


def test_what_the_answer_hangs_on_is_kept_apart(known: KnownTravel) -> None:
    service = Service()
    asked(known, service, STREET[:5])
    asked(known, service, STREET[:5], profile="walk")
    assert len(service.told) == 50


def test_an_old_answer_is_asked_again_and_replaced(known: KnownTravel) -> None:
    asked(known, Service(), STREET[:5])
    later = AT + timedelta(days=7, minutes=1)
    slower = Service(factor=3)
    matrix = asked(known, slower, STREET[:5], now=later)
    assert matrix.metres[0][4] == slower.way(STREET[0], STREET[4])
    assert asked(known, Service(), STREET[:5], now=later).metres[0] == matrix.metres[0]


def test_places_nobody_asked_for_in_three_months_are_forgotten(known: KnownTravel) -> None:
    assert known.forget(AT) == 0
    assert not known.file.exists()
    asked(known, Service(), STREET[:30])
    asked(known, Service(), STREET[:3], now=AT + timedelta(days=30))
    assert known.forget(AT + timedelta(days=91)) == 27


def test_places_a_metre_apart_are_one(known: KnownTravel) -> None:
    service = Service()
    asked(known, service, STREET[:3])
    moved = [Point(p.lat + 1e-6, p.lon - 1e-6) for p in STREET[:3]]
    asked(known, service, moved)
    assert len(service.told) == 9


def test_what_was_told_before_a_service_broke_off_is_not_paid_again(known: KnownTravel) -> None:
    many = [Point(60 + n / 1000, 24) for n in range(120)]
    first = Service(breaks_after=2 * 50 * 120)
    with pytest.raises(Unavailable):
        asked(known, first, many)
    second = Service()
    asked(known, second, many)
    assert len(first.told) == 12_000
    assert len(second.told) < 120 * 120 - 50 * 120


def test_a_passing_place_is_looked_up_and_not_kept(known: KnownTravel) -> None:
    service = Service()
    asked(known, service, STREET[:10])
    service.told.clear()
    for n in range(2):
        asked(known, service, [*STREET[:10], Point(61, 25)], keep=False)
        assert len(service.told) == (n + 1) * 20


def test_a_full_file_forgets_what_was_told_longest_ago(tmp_path: Path) -> None:
    known = KnownTravel(tmp_path / "travel.db", most_bytes=150_000)
    service = Service()
    for n in range(12):
        places = [Point(50 + n + k / 1000, 8) for k in range(30)]
        asked(known, service, places, now=AT + timedelta(hours=n))
        assert known.use().bytes <= 200_000
    told = len(service.told)
    asked(known, service, places, now=AT + timedelta(hours=12))
    assert len(service.told) == told
    asked(known, service, [Point(50 + k / 1000, 8) for k in range(30)], now=AT)
    assert len(service.told) > told


@pytest.mark.parametrize("damage", [b"this is no database at all", b""])
def test_a_damaged_file_costs_an_answer_and_nothing_else(known: KnownTravel, damage: bytes) -> None:
    asked(known, Service(), STREET[:5])
    known.file.write_bytes(damage)
    service = Service()
    for _ in range(3):
        matrix = asked(known, service, STREET[:5])
    assert matrix.metres[0][4] == service.way(STREET[0], STREET[4])
    assert len(service.told) <= 50


def test_few_places_are_no_question(known: KnownTravel) -> None:
    service = Service()
    assert list(asked(known, service, []).seconds) == []
    assert asked(known, service, STREET[:1]).seconds[0] == [0]
    assert service.told == []


def ask_often(file: Path, first: int) -> None:
    known = KnownTravel(file)
    for n in range(first, first + 12):
        service = Service()
        matrix = asked(known, service, STREET[n : n + 12])
        assert matrix.metres[0][11] == service.way(STREET[n], STREET[n + 11])


def test_several_processes_share_the_file(tmp_path: Path) -> None:
    file = tmp_path / "travel.db"
    apart = multiprocessing.get_context("spawn")
    workers = [apart.Process(target=ask_often, args=(file, n)) for n in (0, 6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    service = Service()
    asked(KnownTravel(file), service, STREET[:12])
    assert service.told == []

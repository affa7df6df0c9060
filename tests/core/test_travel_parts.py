"""Travel between many places: read in blocks, asked for where it is needed, the same to read."""

import pickle
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from hub import ArrayTravel, Point, TravelMatrix, completed, day_part, violations
from hub.core.travel import AskedTravel
from tests.planning_worlds import any_day

STREET = [Point(60.0, 24.0 + n / 100) for n in range(1200)]


def on_a_street(places: Sequence[Point]) -> TravelMatrix:
    at = np.array([round((p.lon - 24) * 100) for p in places])
    far = np.abs(at[:, None] - at)
    return ArrayTravel(far * 60, far * 500)


class Counting:
    """Answers, and remembers how many ways it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, places: Sequence[Point]) -> TravelMatrix:
        self.asked.append(len(places) ** 2)
        return on_a_street(places)


@pytest.mark.parametrize(
    "travel",
    [
        TravelMatrix([[0, 60, 120], [60, 0, 60], [120, 60, 0]], [[0, 5, 9], [5, 0, 4], [9, 4, 0]]),
        ArrayTravel(np.array([[0, 60, 120], [60, 0, 60], [120, 60, 0]]), np.zeros((3, 3), int)),
        AskedTravel(STREET[:3], on_a_street),
    ],
)
def test_a_block_and_a_part_are_what_the_matrix_says(travel):
    seconds, _ = travel.block([2, 0], [1])
    assert seconds.tolist() == [[60], [60]]
    assert travel.part([2, 0]).seconds[0][1] == travel.seconds[2][0] == 120
    assert type(travel.seconds[2][1]) is int  # a date can be moved by it
    assert pickle.loads(pickle.dumps(travel)).seconds[0][2] == 120


def test_a_block_larger_than_one_question_is_put_together(monkeypatch):
    monkeypatch.setattr("hub.core.travel.AT_ONCE", 100)
    monkeypatch.setattr("hub.core.travel.STRIP", 30)
    seconds, metres = AskedTravel(STREET, on_a_street).block(range(7), range(1200))
    assert seconds.tolist() == [[abs(i - j) * 60 for j in range(1200)] for i in range(7)]
    assert metres[3, 1000] == 997 * 500


def test_who_reads_cell_by_cell_asks_for_everything_once():
    count = Counting()
    travel = AskedTravel(STREET[:90], count)
    assert [list(row) for row in travel.seconds] == [
        [abs(i - j) * 60 for j in range(90)] for i in range(90)
    ]
    assert sum(count.asked) < 2 * 90**2


def test_a_large_day_asks_for_the_legs_of_its_routes_and_little_more():
    """The whole matrix of this day has 1.4 million ways."""
    day = any_day(5, jobs=14, hard=False)
    van = replace(day.vehicles[0], end=0, start=0, capacity={}, max_jobs=None, profile="car")
    job = next(job for job in day.jobs if not job.windows and job.vehicle is None)
    job = replace(job, service_s=0, skills=frozenset(), forbidden_vehicles=frozenset(), load={})
    vans = tuple(replace(van, id=f"v{n}", max_duration_s=None) for n in range(12))
    count = Counting()
    request = replace(
        day,
        places=tuple(STREET[:1200]),
        jobs=tuple(replace(job, id=f"j{n}", place=n, ready_at=None) for n in range(1, 1200)),
        vehicles=vans,
        travel={"car": AskedTravel(STREET, count)},
        fixed={},
    )
    orders = {
        van.id: [f"j{n}" for n in range(100 * i + 1, 100 * i + 99)] for i, van in enumerate(vans)
    }
    made = completed(request, orders)
    violations(request, made)
    assert sum(count.asked) < 400_000
    assert max(count.asked) <= 101**2


@pytest.mark.parametrize("seed", range(3))
def test_the_quick_answer_to_a_day_asked_for_in_parts_is_lawful(seed):
    request = any_day(seed, jobs=60, hard=False)
    whole = request.travel
    index = {place: n for n, place in enumerate(request.places)}

    class Known:
        def __init__(self, profile: str) -> None:
            self.profile = profile

        def __call__(self, places: Sequence[Point]) -> TravelMatrix:
            return whole[self.profile].part([index[place] for place in places])

    travel = {p: AskedTravel(request.places, Known(p)) for p in whole}
    asked = replace(request, travel=travel)
    made = completed(asked, {})
    assert violations(asked, made) == violations(request, made) == []
    assert made.cost > 0


def test_a_part_of_a_day_is_a_day():
    request = any_day(2, jobs=40, hard=False)
    some = day_part(request, request.jobs[10:30], request.vehicles[:2])
    assert len(some.places) <= 20 + 4
    made = completed(some, {})
    assert violations(some, made) == []
    orders = {id: [visit.job_id for visit in visits] for id, visits in made.routes.items()}
    back = completed(request, orders)
    for id, order in orders.items():
        assert [visit.job_id for visit in back.routes[id]][: len(order)] or not order
    assert violations(request, back) == []


def test_the_quick_answer_to_many_jobs_comes_in_parts(monkeypatch):
    request = any_day(1, jobs=80, hard=True)
    monkeypatch.setattr("hub.core.planning.IN_PARTS", 50)
    monkeypatch.setattr("hub.core.plan_parts.QUICK_JOBS", 20)
    made = completed(request, {})
    assert violations(request, made) == []
    assert len(made.unassigned) < 80

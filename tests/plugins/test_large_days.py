"""Large days, planned in parts side by side: the same promises as a day in one run."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from hub import JobToPlan, Plan, completed, violations
from hub.fork_server import has_ended
from hub.plugins.routing_pyvrp import PyvrpRouting
from hub.plugins.routing_pyvrp.crew import Crew
from hub.plugins.routing_pyvrp.groups import clusters, dealt, even, flat
from hub.plugins.routing_pyvrp.large import LargeDay, Pace
from hub.plugins.routing_pyvrp.search import Limit, Task
from hub.solving import solve
from tests.planning_worlds import a_van, any_day, between

SHORT = Pace(30, iterations=40, rounds=3, part_jobs=40)


def planned(request, pace=SHORT, cores=1, progress=lambda best: True) -> Plan:
    with Crew(cores) as crew:
        return LargeDay(request, pace, progress, crew).plan()


def a_large_day(seed: int, jobs: int = 120):
    return replace(any_day(seed, jobs=jobs, hard=False), seed=seed)


@pytest.mark.parametrize("seed", range(4))
def test_parts_keep_every_rule_and_lose_or_double_nothing(seed):
    request = a_large_day(seed)
    plan = planned(request)
    assert violations(request, plan) == []
    served = [visit.job_id for visits in plan.routes.values() for visit in visits]
    assert sorted([*served, *plan.unassigned]) == sorted(job.id for job in request.jobs)
    assert all(plan.unassigned.values())


@pytest.mark.soak
def test_parts_keep_pairs_together():
    """Goods for doors anywhere in town; a part that has half of a pair could not bring any."""
    request = a_large_day(5, jobs=160)
    jobs = list(request.jobs)
    for n in range(0, 40, 2):
        one, other = jobs[n], jobs[n + 1]
        jobs[n] = JobToPlan(id=one.id, place=one.place, pair_with=other.id, leg="collect")
        jobs[n + 1] = JobToPlan(id=other.id, place=other.place, pair_with=one.id, priority=9)
    request = replace(request, jobs=tuple(jobs))
    for some, _ in clusters(request, flat(request.places), 40, 0):
        here = {job.id for job in some}
        assert all(job.pair_with in here for job in some if job.pair_with)
    plan = planned(request)
    assert violations(request, plan) == []
    first = planned(request, replace(SHORT, rounds=0))
    assert request.loss(plan) < request.loss(first)


def test_parts_go_on_from_routes_with_several_loads():
    """Where vehicles load again is another number in each part of the day."""
    day = a_large_day(6, jobs=80)
    jobs = tuple(
        JobToPlan(id=job.id, place=job.place, service_s=60, load={"g": 1}) for job in day.jobs
    )
    vans = tuple(
        a_van(
            f"v{n}",
            shift=between(6, 22),
            capacity={"g": 6},
            start=n % 2,
            end=n % 2,
            reload_at=(1 - n % 2,),
            max_reloads=2,
        )
        for n in range(8)
    )
    request = replace(day, jobs=jobs, vehicles=vans)
    plan = planned(request)
    assert violations(request, plan) == []
    assert plan.unassigned == {}
    assert sum(map(len, plan.reloads.values())) > 0
    assert request.loss(plan) < request.loss(planned(request, replace(SHORT, rounds=0)))


def test_rounds_make_a_day_cheaper():
    request = a_large_day(1)
    first = planned(request, replace(SHORT, rounds=0))
    assert request.loss(planned(request, replace(SHORT, rounds=4))) < request.loss(first)


def test_the_same_seed_gives_the_same_plan_by_any_number_of_processes():
    request = a_large_day(2)
    assert planned(request, cores=1) == planned(request, cores=3)


def test_progress_is_told_and_a_word_stops_all_processes():
    request = a_large_day(3)
    told: list[Plan] = []

    def enough(best: Plan) -> bool:
        told.append(best)
        return False

    began = time.monotonic()
    plan = planned(request, Pace(120, part_jobs=40), 2, enough)
    assert time.monotonic() - began < 110  # before its limit
    assert told
    assert request.loss(plan) <= request.loss(told[-1])
    assert violations(request, plan) == []


def test_a_helping_process_that_dies_costs_its_part_only():
    request = a_large_day(0)
    with Crew(2) as crew:
        (helper,) = crew._helpers
        os.kill(helper.process.pid, signal.SIGKILL)
        plan = LargeDay(request, SHORT, lambda best: True, crew).plan()
    assert violations(request, plan) == []
    assert len(plan.unassigned) <= len(completed(request, {}).unassigned) + 5


def test_helping_processes_end_with_the_crew():
    request = a_large_day(0)
    with Crew(2) as crew:
        (helper,) = crew._helpers
        tasks = [Task(request, Limit(60), 1)] * 2
        looked = []
        list(crew.each(tasks, lambda: bool(looked.append(1)) or len(looked) > 3))
    assert helper.process.poll() is not None


@pytest.mark.skipif(sys.platform != "linux", reason="by prctl(2)")
def test_a_helping_process_dies_with_whoever_began_it():
    program = """
import os, signal
from hub.plugins.routing_pyvrp.crew import Crew
crew = Crew(2)
crew._helpers[0].pipe.send("stop")  # ignored: it has no task
print(crew._helpers[0].process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    said = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=False)
    helper = int(said.stdout)
    until = time.monotonic() + 30
    while not has_ended(helper) and time.monotonic() < until:
        time.sleep(0.05)
    assert has_ended(helper)


def test_a_large_day_is_planned_apart_by_two_processes():
    request = replace(a_large_day(1), time_limit_s=3)
    make = ("tests.plugins.strategies_gone_wrong", "InParts", {})
    told: list[Plan] = []
    plan = solve(make, request, on_progress=told.append, cores=2)
    assert plan.notes == ()
    assert violations(request, plan) == []


def test_vehicles_with_nothing_to_do_are_dealt_once():
    shares = dealt([f"v{n}" for n in range(7)], [["a"] * 10, ["b"], ["c"] * 20])
    flat = [id for share in shares for id in share]
    assert len(flat) == len(set(flat))
    assert all(shares)


def test_pyvrp_plans_in_parts_from_so_many_jobs_on(monkeypatch):
    monkeypatch.setattr("hub.plugins.routing_pyvrp.strategy.LARGE_JOBS", 50)
    request = replace(a_large_day(2, jobs=60), time_limit_s=1)
    plan = PyvrpRouting(PyvrpRouting.Settings(), None).plan(request, lambda best: True)
    assert violations(request, plan) == []


@pytest.mark.parametrize(
    ("jobs", "size", "cores", "parts"),
    [
        (1000, 360, 2, 2),  # three took as long as four
        (1000, 250, 2, 4),
        (1000, 360, 1, 3),
        (1000, 360, 8, 6),  # no part below 150 jobs
        (700, 2000, 2, 2),
        (100, 250, 4, 1),
        (10_000, 600, 2, 17),  # of many, the last leave few idle
    ],
)
def test_parts_are_as_many_as_keep_all_processes_busy(jobs, size, cores, parts):
    assert even(jobs, size, cores, smallest=150) == parts

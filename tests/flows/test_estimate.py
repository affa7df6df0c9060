"""When a driver will be at each door that is left, and when that is told anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlmodel import select

from hub import Arrival, EtaModel, PastError, RouteAhead, RouteProgress, hookimpl
from hub.core.jobs import NextStep
from hub.db.tables import EstimateRow, EtaErrorRow, JobRow, PromiseRow, RouteRow, StopRow
from hub.flows.ahead import begun_routes
from hub.flows.dispatch import add_job, remove_job
from hub.flows.estimate import estimate_routes
from hub.flows.next_steps import choose_step
from tests.flows.test_meanings import cut_off
from tests.noticing_worlds import Round, moment

EIGHT = -120.0  # minutes past ten: the shift and the plan begin
DEPOT = (60.1699, 24.9384)
PHOTO = [{"kind": "photo", "sha256": "0" * 64}]


@pytest.fixture
def driving(database_url: str) -> Round:
    return under_way(Round(database_url))


def under_way(driving: Round) -> Round:
    driving.clock(EIGHT)
    driving.tell("start_shift", None, EIGHT)
    driving.at(*DEPOT, EIGHT)
    return driving


def estimate(driving: Round, minute: float | None = None) -> int:
    if minute is not None:
        driving.clock(minute)
    return estimate_routes(driving.hub, driving.positions)


def estimates(driving: Round) -> dict[str, EstimateRow]:
    with driving.hub.reading() as session:
        return {row.job_id: row for row in session.exec(select(EstimateRow))}


def minutes_off(driving: Round) -> list[float]:
    """By stop: minutes from the plan to the estimate."""
    known = estimates(driving)
    return [
        round((known[job.id].p50 - stop.arrive_at).total_seconds() / 60, 1)
        for stop, job in driving.stops()
        if job.id in known
    ]


def news(driving: Round) -> list[str]:
    return [row.payload["job_id"] for row in driving.told("EtaChanged")]


def close(driving: Round, n: int, minute: float) -> None:
    driving.tell("close", n, minute, outcome="succeeded", files=PHOTO)


def test_a_round_that_runs_to_plan_is_estimated_as_planned_and_tells_nobody(
    driving: Round,
) -> None:
    assert estimate(driving) == 1
    assert all(abs(off) <= 1 for off in minutes_off(driving))
    assert len(minutes_off(driving)) == 3
    assert news(driving) == []


def test_a_round_that_nobody_began_in_time_is_later_for_all_and_told_as_a_window(
    database_url: str,
) -> None:
    """Its customers read one and the same minute, "on its way", and were never written to."""
    driving = Round(database_url)
    for minute in (20, 40, 60):
        assert estimate(driving, EIGHT + minute) == 1
    off = minutes_off(driving)
    assert off == [pytest.approx(60, abs=1)] * 3
    assert all(row.p90 - row.p10 > timedelta(minutes=30) for row in estimates(driving).values())
    assert Counter(news(driving)) == {job.id: 3 for _, job in driving.stops()}


def test_a_round_that_is_not_due_or_is_over_is_not_estimated(database_url: str) -> None:
    driving = Round(database_url)
    driving.clock(EIGHT - 1)
    assert estimate(driving) == 0
    driving.tell("start_shift", None, EIGHT)
    driving.tell("end_shift", None, EIGHT + 1)
    assert estimate(driving) == 0
    assert estimates(driving) == {}


def test_an_estimate_follows_from_where_the_driver_is(driving: Round) -> None:
    driving.at(60.30, 24.94, EIGHT + 10)  # 14 km north: half an hour and more
    estimate(driving, EIGHT + 10)
    first, *others = minutes_off(driving)
    assert 40 < first < 60
    assert all(off == pytest.approx(first, abs=0.2) for off in others)


def test_arrivals_never_lie_in_the_past(driving: Round) -> None:
    driving.at(60.1719, 24.94, EIGHT + 2)
    estimate(driving, EIGHT + 60)  # nothing was heard for an hour
    assert all(row.p10 >= moment(EIGHT + 60) for row in estimates(driving).values())


def test_the_rest_of_the_work_at_a_door_comes_before_the_way_to_the_next(driving: Round) -> None:
    driving.tell("arrive", 0, EIGHT + 5)
    driving.at(*driving.place(0), EIGHT + 6)
    estimate(driving, EIGHT + 6)
    (first, job), (second, following), _ = driving.stops()
    known = estimates(driving)
    assert job.id not in known
    left_at = moment(EIGHT + 5) + (first.depart_at - first.arrive_at)
    way = second.arrive_at - first.depart_at
    assert abs(known[following.id].p50 - (left_at + way)) <= timedelta(seconds=2)


def test_who_works_longer_than_planned_is_expected_to_do_so_at_the_next_doors(
    driving: Round,
) -> None:
    driving.tell("arrive", 0, EIGHT + 5)
    close(driving, 0, EIGHT + 20)  # instead of a few minutes
    driving.at(*driving.place(0), EIGHT + 20)
    estimate(driving, EIGHT + 20)
    second, third = minutes_off(driving)
    assert third > second + 0.5


def test_a_driver_who_drove_off_without_closing_is_not_waited_for(driving: Round) -> None:
    driving.tell("arrive", 0, EIGHT + 5)
    driving.at(*driving.place(2), EIGHT + 7)
    estimate(driving, EIGHT + 7)
    following = driving.job(1)
    assert estimates(driving)[following.id].p50 < moment(EIGHT + 8)


def test_without_a_fix_the_last_door_tells_where_the_driver_is(database_url: str) -> None:
    driving = Round(database_url)
    driving.clock(EIGHT)
    driving.tell("start_shift", None, EIGHT)
    close(driving, 0, EIGHT + 30)
    estimate(driving, EIGHT + 30)
    (first, _), (second, job), _ = driving.stops()
    way = second.arrive_at - first.depart_at
    assert abs(estimates(driving)[job.id].p50 - (moment(EIGHT + 30) + way)) < timedelta(seconds=3)


def test_a_driver_nobody_hears_of_is_taken_to_go_on_as_planned(driving: Round) -> None:
    """Each minute of silence made everybody who waited a minute later."""
    estimate(driving)
    before = [row.p50 for _, row in sorted(estimates(driving).items())]
    estimate(driving, EIGHT + 6)
    (first, _), *_ = driving.stops()
    assert first.depart_at < moment(EIGHT + 6)
    after = [row.p50 for _, row in sorted(estimates(driving).items())]
    # By now he stands at the second door; of the first nothing new is known.
    assert all(abs(a - b) < timedelta(seconds=40) for a, b in zip(before, after, strict=True))
    assert news(driving) == []
    assert estimate(driving, EIGHT + 60) == 0


def test_the_door_a_driver_heads_for_comes_first(driving: Round) -> None:
    driving.tell("head_for", 2, EIGHT + 1)
    estimate(driving)
    known = estimates(driving)
    in_order = sorted(driving.stops(), key=lambda pair: known[pair[1].id].p50)
    assert [stop.n for stop, _ in in_order] == [3, 1, 2]


def test_who_comes_before_a_window_opens_waits_and_so_do_those_behind(driving: Round) -> None:
    opens = moment(EIGHT + 60)
    with driving.hub.unit() as unit:
        row = unit.session.get_one(JobRow, driving.job(0).id)
        row.windows = [[opens.isoformat(), moment(EIGHT + 90).isoformat()]]
        stop = unit.session.get_one(StopRow, driving.stops()[0][0].id)
        stop.depart_at = opens + timedelta(minutes=3)
    estimate(driving)
    first, second, _ = (estimates(driving)[job.id] for _, job in driving.stops())
    assert first.p50 < opens
    assert second.p50 >= opens + timedelta(minutes=3)


def test_who_comes_before_the_promised_time_waits_and_so_do_those_behind(driving: Round) -> None:
    """The plan keeps what was told, and the estimate follows the plan."""
    estimate(driving)
    before = minutes_off(driving)
    first, _ = driving.stops()[0]
    told = first.arrive_at + timedelta(minutes=20)
    with driving.hub.unit() as unit:
        row = unit.session.exec(
            select(PromiseRow).where(PromiseRow.job_id == driving.job(0).id)
        ).one()
        row.opens, row.closes = told, told + timedelta(minutes=30)
    estimate(driving, EIGHT + 1)
    after = minutes_off(driving)
    assert after[0] == pytest.approx(before[0], abs=1.1)
    assert after[1] > 15 and after[2] > 15


def test_a_delay_is_announced_once_for_each_who_waits(driving: Round) -> None:
    estimate(driving)
    for minute in (45, 45.5, 46, 47):  # the van stands in the yard
        driving.at(*DEPOT, EIGHT + minute)
        estimate(driving, EIGHT + minute)
    assert Counter(news(driving)) == {job.id: 1 for _, job in driving.stops()}


def test_what_was_announced_is_the_moment_the_work_can_begin(driving: Round) -> None:
    driving.at(*DEPOT, EIGHT + 45)
    estimate(driving, EIGHT + 45)
    for told in driving.told("EtaChanged"):
        row = estimates(driving)[told.payload["job_id"]]
        assert told.payload["eta"] == row.told_p50.isoformat() == row.p50.isoformat()


def test_a_worker_cut_off_at_any_moment_announces_each_delay_once(driving: Round) -> None:
    driving.at(*DEPOT, EIGHT + 45)
    for nth in range(1, 30):
        with cut_off(driving, nth):
            estimate(driving, EIGHT + 45)
    assert Counter(news(driving)) == {job.id: 1 for _, job in driving.stops()}


def test_a_job_that_left_the_route_is_no_longer_estimated(driving: Round) -> None:
    estimate(driving)
    gone, route = driving.job(2).id, driving.day.route()
    remove_job(
        driving.hub,
        driving.business_id,
        route.id,
        gone,
        actor="staff:1",
        expected_version=route.version,
    )
    estimate(driving)
    assert gone not in estimates(driving)


def test_a_round_on_which_nothing_is_left_is_not_read_any_more(driving: Round) -> None:
    for n in range(len(driving.stops())):
        with driving.hub.reading() as session:
            assert len(begun_routes(session, driving.hub.now())) == 1
        close(driving, n, EIGHT + 10 * n)
    with driving.hub.reading() as session:
        assert begun_routes(session, driving.hub.now()) == []


def test_a_round_that_was_done_is_estimated_again_once_somebody_is_tried_again_on_it(
    driving: Round,
) -> None:
    [(_, missed), *others] = driving.stops()
    driving.tell("close", 0, EIGHT + 10, outcome="failed", reason="other", note="no bell")
    for n in range(1, len(others) + 1):
        close(driving, n, EIGHT + 10 + 10 * n)
    assert estimate(driving, EIGHT + 60) == 0
    about = driving.hub, driving.business_id
    again = choose_step(*about, missed.id, NextStep.RETRY_TODAY, actor="staff:1")
    assert again is not None
    with driving.hub.reading() as session:
        route = session.exec(select(RouteRow)).one()
    version = route.version
    add_job(*about, route.id, again.id, actor="staff:1", expected_version=version, force=True)
    assert estimate(driving, EIGHT + 61) == 1
    assert again.id in estimates(driving)


def test_what_stands_still_is_not_written_again(driving: Round) -> None:
    assert estimate(driving) == 1
    assert estimate(driving, EIGHT + 0.2) == 0


def test_a_known_arrival_tells_how_far_earlier_estimates_were_off(driving: Round) -> None:
    driving.at(60.30, 24.94, EIGHT + 1)
    estimate(driving, EIGHT + 1)  # more than half an hour away
    expected = estimates(driving)[driving.job(0).id].p50
    driving.noticed("arrived", 0, EIGHT + 60)
    driving.clock(EIGHT + 60)
    driving.apply()
    close(driving, 0, EIGHT + 62)
    estimate(driving)
    estimate(driving)
    with driving.hub.reading() as session:
        [row] = session.exec(select(EtaErrorRow)).all()
    assert row.ahead_s == 59 * 60
    assert row.error_s == round((moment(EIGHT + 60) - expected).total_seconds())
    assert row.at == moment(EIGHT + 60)


def test_past_errors_say_how_sure_an_estimate_is(driving: Round) -> None:
    estimate(driving)
    job = driving.job(2).id
    before = estimates(driving)[job]
    with driving.hub.unit() as unit:
        for n in range(40):
            unit.session.add(
                EtaErrorRow(
                    business_id=driving.business_id,
                    depot_id=driving.day.route().depot_id,
                    ahead_s=400,
                    error_s=600 if n % 2 else -90,
                    at=moment(EIGHT),
                )
            )
    estimate(driving)
    after = estimates(driving)[job]
    assert after.p90 - after.p50 == timedelta(seconds=600) > before.p90 - before.p50
    assert after.p50 - after.p10 == timedelta(seconds=90)


class Optimist(EtaModel):
    key = "optimist"
    title = "All at once"

    def estimate(
        self, route: RouteAhead, progress: RouteProgress, history: Sequence[PastError]
    ) -> Sequence[Arrival]:
        at = progress.now + timedelta(minutes=7)
        return [Arrival(at, at, at) for _ in route.travel_s]


class Confused(Optimist):
    key = "confused"

    def estimate(
        self, route: RouteAhead, progress: RouteProgress, history: Sequence[PastError]
    ) -> Sequence[Arrival]:
        return super().estimate(route, progress, history)[1:]


def installed(driving: Round, model: type[EtaModel]) -> None:
    class Plugin:
        @hookimpl
        def hub_eta_models(self) -> list[type[EtaModel]]:
            return [model]

    driving.hub.registry.add(Plugin(), "another")


def test_a_model_that_was_installed_is_asked_instead_of_the_built_in_one() -> None:
    driving = under_way(Round())
    installed(driving, Optimist)
    estimate(driving)
    assert {row.p50 for row in estimates(driving).values()} == {moment(EIGHT + 7)}


def test_a_model_that_makes_no_sense_is_not_believed() -> None:
    driving = under_way(Round())
    installed(driving, Confused)
    estimate(driving)
    assert all(abs(off) <= 1 for off in minutes_off(driving))


def test_a_route_that_changed_while_it_was_estimated_is_left_for_the_next_time() -> None:
    driving = under_way(Round())
    route = driving.day.route()
    gone = driving.job(2).id

    class Slow(Optimist):
        """While it thinks, a dispatcher takes a job off."""

        key = "slow"

        def estimate(
            self, route_: RouteAhead, progress: RouteProgress, history: Sequence[PastError]
        ) -> Sequence[Arrival]:
            if driving.day.route().version == route.version:
                remove_job(
                    driving.hub,
                    driving.business_id,
                    route.id,
                    gone,
                    actor="staff:1",
                    expected_version=route.version,
                )
            return super().estimate(route_, progress, history)

    installed(driving, Slow)
    assert estimate(driving) == 0
    assert estimates(driving) == {}
    assert estimate(driving) == 1
    assert set(estimates(driving)) == {driving.job(0).id, driving.job(1).id}

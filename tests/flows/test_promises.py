"""What was told is kept for ever; only what was promised is in force."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import select

from hub.core.values import TimeWindow
from hub.db.tables import PromiseRow
from hub.flows.promises import expect, in_force, last_expected, promise
from hub.flows.route_now import promises_of
from tests.noticing_worlds import Round, moment


def window(minute: float, wide: float = 20) -> TimeWindow:
    return TimeWindow(moment(minute), moment(minute) + timedelta(minutes=wide))


def told(driving: Round) -> list[tuple[int, str]]:
    with driving.hub.reading() as session:
        rows = session.exec(
            select(PromiseRow).where(PromiseRow.job_id == driving.job().id).order_by(PromiseRow.n)
        )
        return [(row.n, row.told_by) for row in rows]


def test_what_is_expected_is_kept_and_binds_nobody(database_url: str) -> None:
    driving = Round(database_url)
    job = driving.job()
    with driving.hub.reading() as session:
        before = in_force(session, driving.business_id, job.id)
    with driving.hub.unit() as unit:
        for minute in (5, 5, 9):
            expect(unit.session, job, window(minute), told_by="page", at=moment(0))
    with driving.hub.reading() as session:
        assert in_force(session, driving.business_id, job.id) == before
        assert last_expected(session, driving.business_id, job.id) == window(9)
        assert promises_of(session, driving.business_id, [job.id]) == {job.id: before}
    assert told(driving) == [(-2, "page"), (-1, "page"), (1, "page")]


def test_a_new_promise_is_in_force_and_the_old_one_is_kept(database_url: str) -> None:
    driving = Round(database_url)
    job = driving.job()
    with driving.hub.unit() as unit:
        expect(unit.session, job, window(5), told_by="page", at=moment(0))
        for _ in range(2):
            promise(unit.session, job, window(40), told_by="notice:1", at=moment(0))
    with driving.hub.reading() as session:
        assert in_force(session, driving.business_id, job.id) == window(40)
    assert told(driving) == [(-1, "page"), (1, "page"), (2, "notice:1")]

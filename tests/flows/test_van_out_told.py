"""Who is made late by a van that dropped out hears of it once, by the worker's own chores."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from sqlmodel import select

from hub.db.tables import EventRow, NoticeRow, PromiseRow
from hub.worker import CHORES
from tests.board_worlds import MINUTE, Running
from tests.flows.test_van_out import day, look, open_jobs, take, the
from tests.journeys.test_van_lost import Told

__all__ = ["day"]
DOES = {"deliver events", "estimate arrivals", "see who is near", "send notices"}


def works(day: Running, minutes: int) -> None:
    """Two workers, minute after minute."""
    chores = [chore for chore in CHORES if chore.name in DOES]
    assert len(chores) == len(DOES)
    for _ in range(minutes):
        for chore in [*chores, *chores]:
            chore.do(day.hub)
        day.now[0] += MINUTE


def sent(day: Running, trigger: str) -> Counter[str]:
    """Job id -> how many such messages went out."""
    with day.hub.reading() as session:
        rows = session.exec(
            select(NoticeRow.job_id).where(NoticeRow.trigger == trigger, NoticeRow.state == "sent")
        )
        return Counter(id for id in rows if id)


def promised(day: Running) -> Counter[str]:
    with day.hub.reading() as session:
        return Counter(session.exec(select(PromiseRow.job_id).where(PromiseRow.n > 0)))


def test_each_customer_whom_it_makes_late_is_promised_anew_and_told_once(day: Running) -> None:
    Told(day)
    works(day, 3)
    before, known = sent(day, "new_time"), promised(day)
    day.now[0] += timedelta(hours=1)
    hers = {job.id for job in open_jobs(day, "Mara")}
    out = look(day)
    take(day, the(out, "shared"), out)
    works(day, 5)
    fresh, again = sent(day, "new_time") - before, promised(day) - known
    assert hers <= fresh.keys()
    assert set(fresh.values()) == set(again.values()) == {1}
    assert fresh.keys() == again.keys()


def test_a_break_under_way_is_told_as_over_with_the_round(day: Running) -> None:
    day.says("Mara", "start_break", day.now[0])
    day.now[0] += 10 * MINUTE
    out = look(day)
    take(day, the(out, "shared"), out)
    with day.hub.reading() as session:
        rows = session.exec(select(EventRow).order_by(EventRow.seq)).all()
    told = [row.name for row in rows if row.name in ("BreakBegan", "BreakEnded", "ShiftEnded")]
    assert told == ["BreakBegan", "BreakEnded", "ShiftEnded"]

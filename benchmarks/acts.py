"""A driver's acts, one unit each, against one bare row and its commit."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from benchmarks import Line, a_published_day, per_call_ms
from hub.db.tables import ActRow
from hub.flows.drive import IncomingAct, device_for, take_acts
from tests.driving_worlds import TEN

JOBS = 20


def acts(seconds: float) -> list[Line]:
    day, token = a_published_day(JOBS)
    device, jobs, numbers = device_for(day.hub, token), day.jobs(), count()
    assert device is not None
    day.now[0] = TEN + timedelta(hours=4)

    def say() -> None:
        n = next(numbers)
        job, at = jobs[n % len(jobs)].id, TEN + timedelta(seconds=n)
        act = IncomingAct(act_id=f"a{n}", kind="arrive", occurred_at=at, job_id=job)
        take_acts(day.hub, device, [act])

    def insert() -> None:
        whose = {"business_id": day.business_id, "device_id": "floor", "kind": "arrive"}
        row = ActRow(act_id=f"a{next(numbers)}", occurred_at=TEN, received_at=TEN, **whose)
        with day.hub.unit() as unit:
            unit.session.add(row)

    took = per_call_ms({"ours": say, "floor": insert}, seconds)
    ours, floor = 1000 / took["ours"], 1000 / took["floor"]
    return [Line(f"acts on a route of {JOBS} jobs", ours, floor, "/s", "insert and commit")]

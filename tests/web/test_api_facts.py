"""What the API tells a shop of the door: promised when, arrived when, proved by what."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.core.jobs import NextStep
from hub.flows.api_keys import make_key
from hub.flows.kept_goods import note_fetched, note_not_fetched
from hub.flows.next_steps import choose_step
from hub.web.app import create_app
from tests.board_worlds import Running, a_running_day

PHOTO = "0" * 64


@pytest.fixture
def day(tmp_path: Path, database_url: str) -> Running:
    return a_running_day(tmp_path, url=database_url)


def jobs(day: Running) -> dict[str, Any]:
    """Job id -> the job as a shop's program sees it."""
    _, key = make_key(day.hub, day.business_id, "shop", ["orders:read"])
    client = create_app(day.hub).test_client()
    answer = client.get("/api/v1/orders", headers={"Authorization": f"Bearer {key}"})
    return {job["id"]: job for order in answer.get_json()["orders"] for job in order["jobs"]}


def test_a_shop_sees_promise_arrival_and_proof_as_they_come(day: Running) -> None:
    [job] = day.jobs(day.stops("Mara")[0])
    planned = jobs(day)[job.id]
    assert planned["promise"]["opens"] < planned["promise"]["closes"]
    assert planned["arrived_at"] is None
    assert planned["proof"] is None

    came = day.now[0] + timedelta(minutes=4)
    day.begin("Mara", at=day.now[0])
    day.says("Mara", "arrive", came, job)
    assert jobs(day)[job.id]["arrived_at"] == came.isoformat().replace("+00:00", "Z")

    files = [{"kind": "photo", "sha256": PHOTO}]
    proof = {"outcome": "succeeded", "name": "Aino", "files": files}
    day.says("Mara", "close", came + timedelta(minutes=2), job, **proof)
    # The photo is still on its way up: only what is kept is proof.
    assert jobs(day)[job.id]["proof"] == {"given": ["name"], "files": []}


def test_an_arrival_that_was_taken_back_is_none(day: Running) -> None:
    first, second = (day.jobs(stop)[0] for stop in day.stops("Mara")[:2])
    day.begin("Mara", at=day.now[0])
    day.says("Mara", "arrive", day.now[0] + timedelta(minutes=1), first)
    day.says("Mara", "leave", day.now[0] + timedelta(minutes=2), first)
    assert jobs(day)[first.id]["arrived_at"] is None
    assert jobs(day)[second.id]["arrived_at"] is None


def test_the_board_tells_the_same_promise_for_each_job(day: Running) -> None:
    told = {
        job["id"]: job["promise"]
        for route in day.client.get("/board/data").get_json()["routes"]
        for stop in route["stops"]
        for job in stop["jobs"]
    }
    assert len(told) == 8
    known = jobs(day)
    for job_id, (opens, closes) in told.items():
        assert known[job_id]["promise"]["opens"][:19] == opens[:19]
        assert known[job_id]["promise"]["closes"][:19] == closes[:19]


def test_a_shop_sees_what_follows_and_when_its_goods_were_collected(day: Running) -> None:
    [job] = day.jobs(day.stops("Mara")[0])
    day.begin("Mara", at=day.now[0])
    day.says("Mara", "close", day.now[0], job, outcome="failed", reason="nobody_home")
    about = (day.hub, day.business_id, job.id)
    choose_step(*about, NextStep.COLLECT, actor="staff:1")
    seen = jobs(day)[job.id]
    assert (seen["next_step"], seen["fetched_at"]) == ("collect", None)
    note_fetched(*about, actor="staff:1")
    at = day.now[0].isoformat().replace("+00:00", "Z")
    assert jobs(day)[job.id]["fetched_at"] == at
    note_not_fetched(*about, actor="staff:1")
    assert jobs(day)[job.id]["fetched_at"] is None

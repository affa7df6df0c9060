"""A published route after one of its orders was cancelled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.core.amending import Decision
from hub.core.values import Address, Line
from hub.db.tables import OrderRow, ProofRow, StopJobRow, StopRow
from hub.flows.connections import connection_id
from hub.flows.dispatch import remove_job, retime_without
from hub.flows.drive import take_acts
from hub.flows.order_desk import call_off
from hub.flows.overview import day_seen
from hub.flows.sync import order_report, store_all
from tests.amending_worlds import decided
from tests.driving_worlds import DAY, PHOTO, TEN, Morning, a_morning, act


def by_the_panel(day: Morning, order_id: str) -> None:
    call_off(day.hub, day.business_id, order_id, actor="staff:1")


def by_its_source(day: Morning, order_id: str) -> None:
    reported(day, order_id, status="cancelled")


def reported(day: Morning, order_id: str, **changes: object) -> None:
    with day.hub.reading() as session:
        known = order_report.validate_python(session.get_one(OrderRow, order_id).report)
    changed = replace(known, updated_at=known.updated_at + timedelta(hours=1), **changes)  # type: ignore[arg-type]
    store_all(day.hub, day.business_id, connection_id(day.hub, day.business_id, "api"), [changed])


def stops(day: Morning) -> list[tuple[str, StopRow]]:
    with day.hub.reading() as session:
        query = select(StopJobRow.job_id, StopRow).join(StopRow).order_by(StopRow.n)
        return [(job_id, stop) for job_id, stop in session.exec(query)]


def deliver(hub: Hub) -> None:
    for _ in range(3):
        hub.deliver_events()


@pytest.mark.parametrize("cancel", [by_the_panel, by_its_source])
def test_a_cancel_times_the_rest_anew_and_nobody_drives_there(
    cancel: Callable[[Morning, str], None],
) -> None:
    """The stop stayed as number 1 at 08:07, the others where they were, and all of them counted."""
    day = a_morning()
    day.publish()
    [(first, _), *rest], before = stops(day), day.route()
    order_id = next(job.order_id for job in day.jobs() if job.id == first)
    cancel(day, order_id)
    deliver(day.hub)
    after, now = stops(day), day.route()
    assert [job_id for job_id, _ in after] == [*(job_id for job_id, _ in rest), first]
    assert all(
        new.arrive_at < old.arrive_at for (_, new), (_, old) in zip(after, rest, strict=False)
    )
    assert before.leaves_at and before.back_at and now.leaves_at and now.back_at
    assert now.back_at < before.back_at
    assert now.version > before.version
    assert len(now.geometry) == len(before.geometry) - 1
    [route] = day_seen(day.hub, day.business_id, DAY).routes
    assert len(route.to_drive) == 2
    retime_without(day.hub, day.business_id, order_id, actor="hub")  # the same event again
    assert day.route().version == now.version


def test_late_proof_of_a_cancelled_order_is_still_taken() -> None:
    day = a_morning()
    day.publish()
    job = day.jobs()[0]
    by_the_panel(day, job.order_id)
    deliver(day.hub)
    closing = act("1", "close", job, 0, outcome="succeeded", name="Aino", files=PHOTO)
    [answer] = take_acts(day.hub, day.phone(), [closing])
    assert (answer.result, "sees the proof" in answer.why) == ("noted", True)
    with day.hub.reading() as session:
        assert [proof.job_id for proof in session.exec(select(ProofRow))] == [job.id]


def test_what_was_cancelled_is_neither_done_nor_on_board() -> None:
    """One delivered, two failed, one skipped and one cancelled were "5 done"."""
    day = a_morning(5)
    for job in day.jobs():
        reported(day, job.order_id, lines=(Line("Flour", weight_g=1000),))
    day.publish()
    well, failed, again, skipped, gone = day.jobs()
    ended = [
        act("1", "close", well, 0, outcome="succeeded", name="Aino", files=PHOTO),
        act("2", "close", failed, 1, outcome="failed", reason="nobody_home", files=PHOTO),
        act("3", "close", again, 2, outcome="failed", reason="refused", files=PHOTO),
        act("4", "close", skipped, 3, outcome="skipped", reason="no_time"),
    ]
    answers = take_acts(day.hub, day.phone(), ended)
    assert [answer.result for answer in answers] == ["applied"] * 4, answers
    by_the_panel(day, gone.order_id)
    deliver(day.hub)
    seen = day_seen(day.hub, day.business_id, DAY)
    counts = seen.counts
    assert (counts.done, counts.not_done, counts.cancelled, counts.jobs) == (1, 3, 1, 4)
    assert counts.stops == 4
    assert seen.routes[0].load["g"] == 4000


def test_a_job_that_a_dispatcher_takes_off_for_its_new_address_times_the_rest_anew() -> None:
    """The others kept the times they had with the stop that nobody drives to any more."""
    day = a_morning()
    day.publish()
    [(first, _), *rest] = stops(day)
    order_id = next(job.order_id for job in day.jobs() if job.id == first)
    nowhere = Address(("Mannerheimintie 1",), city="Helsinki", country="FI")
    reported(day, order_id, address=nowhere, point=None)
    deliver(day.hub)
    decided(day, Decision.OFF)
    deliver(day.hub)
    after = stops(day)
    assert [job_id for job_id, _ in after] == [job_id for job_id, _ in rest]
    assert all(
        new.arrive_at < old.arrive_at for (_, new), (_, old) in zip(after, rest, strict=True)
    )


def test_a_job_that_leaves_a_draft_for_its_new_address_times_the_rest_anew() -> None:
    """A draft kept its times, and was published with them."""
    day = a_morning()
    [(first, _), *rest] = stops(day)
    order_id = next(job.order_id for job in day.jobs() if job.id == first)
    nowhere = Address(("Mannerheimintie 1",), city="Helsinki", country="FI")
    reported(day, order_id, address=nowhere, point=None)
    deliver(day.hub)
    assert all(
        new.arrive_at < old.arrive_at for (_, new), (_, old) in zip(stops(day), rest, strict=True)
    )
    assert len(day.route().geometry) == 4
    version = day.route().version
    deliver(day.hub)
    assert day.route().version == version


def test_what_a_dispatcher_took_off_is_timed_once_however_late_the_news_arrives() -> None:
    """The phone had to acknowledge a second version, some seconds apart from the first."""
    day = a_morning()
    day.publish()
    under_way, _, third = [next(j for j in day.jobs() if j.id == id) for id, _ in stops(day)]
    day.now[0] = TEN
    take_acts(day.hub, day.phone(), [act("h", "head_for", under_way, 0)])
    route = day.route()
    about = (day.hub, day.business_id, route.id, third.id)
    removed = remove_job(*about, actor="staff:1", expected_version=route.version)
    day.now[0] += timedelta(minutes=1)
    deliver(day.hub)
    assert day.route().version == removed.version

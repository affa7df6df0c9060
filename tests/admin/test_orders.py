"""Orders in the panel: found, told as a story, decided."""

from __future__ import annotations

import hashlib
import io
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlmodel import select

from hub.app import Hub
from hub.core.jobs import NextStep, Reason
from hub.core.notices import Trigger
from hub.db.tables import (
    ActRow,
    DriverRow,
    EventRow,
    JobRow,
    NoticeRow,
    NoticeRuleRow,
    OrderRow,
    ProofFileRow,
    ProofRow,
    RouteRow,
)
from hub.flows.api_keys import Scope, make_key
from hub.flows.dispatch import hand_over, publish
from hub.flows.drive import take_acts
from hub.flows.import_file import preview, store_preview
from hub.flows.next_steps import choose_step
from hub.flows.order_desk import call_off
from hub.flows.pairing import device_for, pair, pairing_code
from hub.flows.plan import plan_day
from hub.flows.prove import put_file
from tests.admin.desk import DAY, SIX, Desk, a_desk, a_hub, text_of, with_orders
from tests.driving_worlds import act


@pytest.fixture
def now() -> list[datetime]:
    return [SIX]


@pytest.fixture
def hub(helsinki: Path, tmp_path: Path, now: list[datetime]) -> Hub:
    return a_hub(helsinki, tmp_path, now=now)


@pytest.fixture
def desk(hub: Hub) -> Desk:
    desk = a_desk(hub)
    with_orders(desk)
    return desk


def path_of(desk: Desk, number: str) -> str:
    order = next(o for o in desk.rows(OrderRow) if o.number == number)
    return f"/panel/orders/{order.id}"


def on_the_road(desk: Desk, now: list[datetime]) -> str:
    """Publish Mara's route; fail the first job at its door. The job's id."""
    plan_day(desk.hub, desk.business_id, DAY, strategy="nearest")
    route = desk.rows(RouteRow)[0]
    publish(desk.hub, desk.business_id, route.id, actor="staff:1", expected_version=route.version)
    device = device_for(
        desk.hub, pair(desk.hub, pairing_code(desk.hub, desk.business_id, route.driver_id)) or ""
    )
    assert device is not None
    now[0] = SIX + timedelta(hours=5)
    job = next(j for j in desk.rows(JobRow) if j.state == "dispatched")
    take_acts(
        desk.hub,
        device,
        [
            act(
                "a1",
                "close",
                job,
                1,
                outcome="failed",
                reason=Reason.WRONG_ADDRESS,
                note="no such door",
            )
        ],
    )
    return job.id


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=1002", ["1002"]),
        ("q=laine", ["1001"]),
        ("q=mannerheimintie", ["1001"]),
        ("q=0401234567", ["1001"]),
        ("q=nobody+like+this", []),
        ("q=%25", []),
        ("state=review", ["1003"]),
        ("state=open&q=100", ["1001", "1002", "1003", "1004"]),
        ("state=done", []),
        ("day=2026-11-23&q=1004", ["1004"]),
        ("day=2026-11-24", []),
        ("day=yesterday", ["1001", "1002", "1003", "1004"]),
    ],
)
def test_orders_are_found_by_what_a_dispatcher_knows(
    desk: Desk, query: str, found: list[str]
) -> None:
    page = desk.get(f"/panel/orders?{query}")
    assert page.status_code == 200
    assert [n for n in ("1001", "1002", "1003", "1004") if f">{n}</a>" in page.text] == found


def test_a_long_list_is_paged_without_losing_an_order(desk: Desk) -> None:
    lines = "".join(f"2{n:03};Yrjönkatu 10;Helsinki\n" for n in range(120))
    seen = preview(desk.hub, desk.business_id, f"Order no;Street;City\n{lines}".encode(), "o.csv")
    store_preview(desk.hub, desk.business_id, seen, actor="staff:1")
    import re

    path, numbers = "/panel/orders", []
    while path:
        page = desk.get(path).text
        numbers += re.findall(r'/panel/orders/[0-9a-f-]+">(\d+)<', page)
        more = re.search(r'href="(/panel/orders\?[^"]*before=[^"]*)"', page)
        path = more[1].replace("&amp;", "&") if more else ""
    assert len(numbers) == len(set(numbers)) == 124


def test_an_order_tells_its_story(desk: Desk, now: list[datetime]) -> None:
    on_the_road(desk, now)
    job = next(j for j in desk.rows(JobRow) if j.outcome == "failed")
    page = text_of(desk.get(f"/panel/orders/{job.order_id}"))
    for words in (
        "Order received",
        "Address found",
        "Sent to the driver",
        "Failed at the door: The address could not be found",
    ):
        assert words in page
    assert "Mara" in page
    assert "10:01" in page  # local time


def test_messages_on_an_order_name_the_occasion_and_the_channel_as_people_do(desk: Desk) -> None:
    order = desk.rows(OrderRow)[0]
    rule = next(rule for rule in desk.rows(NoticeRuleRow) if rule.trigger == Trigger.PLACED)
    event = next(event for event in desk.rows(EventRow) if event.subject_id == order.id)
    notice = NoticeRow(
        business_id=desk.business_id,
        event_id=event.id,
        rule_id=rule.id,
        order_id=order.id,
        trigger=rule.trigger,
        channel=rule.channel,
        recipient="aino@example.com",
        state="sent",
        due_at=SIX,
        expires_at=SIX,
        created_at=SIX,
    )
    with desk.hub.unit() as unit:
        unit.session.add(notice)
    page = text_of(desk.get(f"/panel/orders/{order.id}"))
    assert "The order has arrived sent E-mail" in page


def test_an_order_that_came_by_an_api_key_says_which(desk: Desk) -> None:
    key_id, _ = make_key(desk.hub, desk.business_id, "Web shop", [Scope.ORDERS_WRITE])
    order = desk.rows(OrderRow)[0]
    call_off(desk.hub, desk.business_id, order.id, actor=f"api_key:{key_id}")
    page = text_of(desk.get(f"/panel/orders/{order.id}"))
    assert "Order cancelled API key Web shop" in page and "api_key" not in page


def test_a_failed_attempt_is_found_though_another_follows(desk: Desk, now: list[datetime]) -> None:
    job_id = on_the_road(desk, now)
    choose_step(desk.hub, desk.business_id, job_id, NextStep.RETRY_TODAY, actor="staff:1")
    (job,) = [job for job in desk.rows(JobRow) if job.id == job_id]
    number = next(order.number for order in desk.rows(OrderRow) if order.id == job.order_id)
    assert number in text_of(desk.get("/panel/orders?state=failed"))
    assert number not in text_of(desk.get("/panel/orders?state=done"))


def test_the_next_step_is_chosen_once(desk: Desk, now: list[datetime]) -> None:
    job_id = on_the_road(desk, now)
    job = next(j for j in desk.rows(JobRow) if j.id == job_id)
    at = f"/panel/orders/{job.order_id}/jobs/{job_id}/next"
    assert "What follows?" in text_of(desk.get(f"/panel/orders/{job.order_id}"))
    wrong = desk.post(at, step="another_day", on_day="2026-11-23")
    assert wrong.status_code == 422
    assert "Choose a day after today." in text_of(wrong)
    assert desk.post(at, step="sing").status_code == 422
    told = text_of(desk.post(at, follow=True, step="another_day", on_day="2026-11-26"))
    assert "attempt 2" in told
    following = next(j for j in desk.rows(JobRow) if j.attempt == 2)
    assert following.due_on == date(2026, 11, 26)
    again = text_of(desk.post(at, follow=True, step="return"))
    assert "already chosen" in again
    assert next(j for j in desk.rows(JobRow) if j.id == job_id).next_step == NextStep.ANOTHER_DAY


def test_one_press_says_that_what_was_kept_has_been_collected(
    desk: Desk, now: list[datetime]
) -> None:
    job_id = on_the_road(desk, now)
    job = next(j for j in desk.rows(JobRow) if j.id == job_id)
    choose_step(desk.hub, desk.business_id, job_id, NextStep.COLLECT, actor="staff:1")
    path = f"/panel/orders/{job.order_id}"
    assert "It is kept at the depot until the customer collects it." in text_of(desk.get(path))
    assert path in desk.get("/panel/orders?state=kept").text
    at = f"{path}/jobs/{job_id}/fetched"
    assert a_desk(desk.hub, "Neighbours").post(at).status_code == 404
    said = text_of(desk.post(at, follow=True))
    assert "Noted: the customer has collected it." in said
    assert "Collected at the depot" in said
    assert "until the customer collects it" not in said
    assert path not in desk.get("/panel/orders?state=kept").text


def test_a_cancelled_order_says_who_cancelled_it(desk: Desk) -> None:
    path = path_of(desk, "1004")
    page = text_of(desk.post(f"{path}/cancel", follow=True))
    assert "The order is cancelled." in page
    assert "Order cancelled Dora" in page
    assert [e.actor.split(":")[0] for e in desk.rows(EventRow) if e.name == "OrderCancelled"] == [
        "staff"
    ]


def test_a_note_reaches_the_job(desk: Desk) -> None:
    path = path_of(desk, "1001")
    job = next(j for j in desk.rows(JobRow) if j.order_id == path.rsplit("/", 1)[1])
    desk.post(f"{path}/jobs/{job.id}/note", driver_note="  mind the dog ")
    assert next(j for j in desk.rows(JobRow) if j.id == job.id).driver_note == "mind the dog"


def test_a_proofs_photo_is_shown_and_nothing_else_is(
    hub: Hub, desk: Desk, now: list[datetime]
) -> None:
    job_id = on_the_road(desk, now)
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(out, "JPEG")
    script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    for content, media_type in ((out.getvalue(), "image/jpeg"), (script, "image/svg+xml")):
        digest = hashlib.sha256(content).hexdigest()
        put_file(hub, desk.business_id, job_id, "photo", media_type, content, digest)
    photo, svg = sorted(desk.rows(ProofFileRow), key=lambda f: f.media_type)
    answer = desk.get(f"/panel/proof/{job_id}/files/{photo.id}")
    assert answer.data == out.getvalue()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.content_type == "image/jpeg"
    assert desk.get(f"/panel/proof/{job_id}/files/{svg.id}").status_code == 404


def test_a_proof_is_a_pdf_and_what_was_collected_was_handed_over(
    desk: Desk, now: list[datetime]
) -> None:
    job_id = on_the_road(desk, now)
    with desk.hub.unit() as unit:
        job = unit.session.get_one(JobRow, job_id)
        job.kind, order_id = "collect", job.order_id
        unit.session.exec(select(ProofRow).where(ProofRow.job_id == job_id)).one().name = "Aino"
    assert "Handed over by Aino" in text_of(desk.get(f"/panel/orders/{order_id}"))
    answer = desk.get(f"/panel/proof/{job_id}.pdf")
    assert answer.status_code == 200
    assert answer.data.startswith(b"%PDF")


def test_nothing_of_another_business_is_found(hub: Hub, desk: Desk, now: list[datetime]) -> None:
    job_id = on_the_road(desk, now)
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(out, "JPEG")
    file = put_file(
        hub,
        desk.business_id,
        job_id,
        "photo",
        "image/jpeg",
        out.getvalue(),
        hashlib.sha256(out.getvalue()).hexdigest(),
    )
    order_id = next(j.order_id for j in desk.rows(JobRow) if j.id == job_id)
    other = a_desk(hub, "Neighbours")
    for path in (
        f"/panel/orders/{order_id}",
        f"/panel/proof/{job_id}.pdf",
        f"/panel/proof/{job_id}/files/{file.id}",
    ):
        assert other.get(path).status_code == 404, path
    for path in (
        f"{order_id}/cancel",
        f"{order_id}/jobs/{job_id}/next",
        f"{order_id}/jobs/{job_id}/note",
    ):
        assert other.post(f"/panel/orders/{path}", step="cancel").status_code == 404, path
    assert "1001" not in other.get("/panel/orders?q=1").text
    assert not next(j for j in desk.rows(JobRow) if j.id == job_id).next_step


def test_a_delivery_made_before_a_hand_over_is_shown_and_can_be_taken_as_done(
    hub: Hub, desk: Desk, now: list[datetime]
) -> None:
    plan_day(hub, desk.business_id, DAY, strategy="nearest")
    route = desk.rows(RouteRow)[0]
    about = {"actor": "staff:1", "expected_version": route.version}
    publish(hub, desk.business_id, route.id, **about)
    device = device_for(hub, pair(hub, pairing_code(hub, desk.business_id, route.driver_id)) or "")
    assert device is not None
    now[0] = SIX + timedelta(hours=5)
    otso = next(d.id for d in desk.rows(DriverRow) if d.id != route.driver_id)
    about["expected_version"] = desk.rows(RouteRow)[0].version
    hand_over(hub, desk.business_id, route.id, otso, force=True, **about)
    job = next(j for j in desk.rows(JobRow) if j.state == "dispatched")
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(out, "JPEG")
    digest = hashlib.sha256(out.getvalue()).hexdigest()
    said = {"outcome": "succeeded", "name": "Ana", "note": "By the bakery's door"}
    close = act("late", "close", job, 3, **said, files=[{"kind": "photo", "sha256": digest}])
    assert take_acts(hub, device, [close])[0].result == "noted"
    for content in (out.getvalue(), b"nobody named this"):
        known_by = hashlib.sha256(content).hexdigest()
        put_file(hub, desk.business_id, job.id, "photo", "image/jpeg", content, known_by)
    path = f"/panel/orders/{job.order_id}"
    shown = text_of(desk.get(path))
    assert "Mara says: done, " in shown
    assert "10:03" in shown
    assert "It is on Otso's now." in shown
    assert "By the bakery's door" in shown
    assert "Not named by the driver" in shown
    assert "Needs a decision" in text_of(desk.get("/panel/orders"))
    assert path in desk.get("/panel/orders?state=undecided").text
    assert "1 job waits for your decision" in text_of(desk.get("/panel/"))
    late = next(one for one in desk.rows(ActRow) if one.act_id == "late")
    decide = f"{path}/jobs/{job.id}/claims/{late.id}"
    assert a_desk(hub, "Neighbours").post(decide, decision="take").status_code == 404
    assert desk.post(f"{path}/jobs/{job.id}/claims/another", decision="take").status_code == 404
    answer = desk.post(decide, decision="take", follow=True)
    assert "Taken as done." in text_of(answer)
    closed = next(j for j in desk.rows(JobRow) if j.id == job.id)
    assert (closed.state, closed.outcome) == ("closed", "succeeded")
    assert path not in desk.get("/panel/orders?state=undecided").text
    assert "by this driver" not in text_of(desk.post(decide, decision="leave", follow=True))

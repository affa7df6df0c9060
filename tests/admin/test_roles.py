"""Each role sees the menu lines and buttons it can use, and stays inside the panel when it errs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from admin.panel import MENU
from hub.app import Hub
from hub.core.jobs import Outcome
from hub.db.tables import ChoiceRow, DepotRow, DriverRow, JobRow, OrderRow, PlaceRow, RecordRow
from hub.flows.log_in import Role
from hub.flows.pairing import pair, pairing_code
from tests.admin.desk import DAY, a_desk, a_hub, text_of, with_orders

PATHS = [item.path for _, items in MENU for item in items]


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return a_hub(None, tmp_path)


def menu_of(page: str) -> list[str]:
    nav = page.partition('<nav aria-label="Main">')[2].partition("side-foot")[0]
    return re.findall(r'href="([^"]+)"', nav)


@pytest.mark.parametrize("role", list(Role))
def test_the_menu_has_exactly_the_lines_that_open_for_the_role(hub: Hub, role: Role) -> None:
    desk = a_desk(hub, role=role)
    shown = menu_of(desk.get("/panel/").text)
    opened = []
    for path in PATHS:
        answer = desk.client.get(path, follow_redirects=True)
        assert answer.status_code in (200, 403), path
        opened += [path] if answer.status_code == 200 else []
    assert shown == opened
    assert ("/panel/people" in shown) == (role is Role.OWNER)
    assert ("/panel/import" in shown) == (role in (Role.OWNER, Role.DISPATCHER))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ACCOUNTANT])
def test_who_only_looks_gets_no_button_that_would_answer_403(hub: Hub, role: Role) -> None:
    desk = a_desk(hub, role=role)
    with_orders(desk)
    order, depot = desk.rows(OrderRow)[0], desk.rows(DepotRow)[0]
    waiting = next(place for place in desk.rows(PlaceRow) if place.lat is None)
    for path in (
        "",
        f"day?day={DAY}",
        "orders",
        f"orders/{order.id}",
        "addresses",
        f"addresses/{waiting.id}",
        "records/depots/",
        f"records/depots/edit/?id={depot.id}",  # answers 403, which is a page with a menu too
    ):
        page = desk.client.get(f"/panel/{path}", headers={"Accept": "text/html"}).text
        posts = re.findall(r'<form[^>]*method="post"[^>]*>', page)
        assert [form for form in posts if "/panel/log-out" not in form] == [], path
        assert "/panel/import" not in page, path


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/panel/people", 403, "An owner can change your role."),
        ("/panel/nothing-here", 404, "The address may be mistyped, or what was here is gone."),
    ],
)
def test_an_error_keeps_the_menu_and_speaks_our_own_words(
    hub: Hub, path: str, status: int, sentence: str
) -> None:
    answer = a_desk(hub, role=Role.VIEWER).get(path)
    assert answer.status_code == status
    assert sentence in text_of(answer)
    assert "permission to access" not in answer.text
    assert "/panel/orders" in menu_of(answer.text)


def test_strangers_get_the_error_page_without_the_menu(hub: Hub) -> None:
    answer = a_desk(hub).get("/nothing-here")
    assert answer.status_code == 404
    assert "There is no such page" in text_of(answer) and menu_of(answer.text) == []


def test_home_ticks_drivers_once_a_phone_is_paired(hub: Hub) -> None:
    desk = a_desk(hub)
    ticked = "Add drivers and pair a phone (done)"
    assert ticked not in text_of(desk.get("/panel/"))
    driver = desk.rows(DriverRow)[0]
    pair(hub, pairing_code(hub, desk.business_id, driver.id))
    assert ticked in text_of(desk.get("/panel/"))


def test_home_asks_for_messages_until_a_channel_is_set_up(hub: Hub) -> None:
    desk = a_desk(hub, role=Role.OWNER)
    assert "Set up messages How customers are told" in text_of(desk.get("/panel/"))
    with hub.unit() as unit:
        unit.session.add(ChoiceRow(business_id=desk.business_id, kind="channel", plugin="email"))
    assert "Set up messages (done)" in text_of(desk.get("/panel/"))


def test_home_counts_done_not_delivered_and_cancelled_apart(hub: Hub) -> None:
    desk = a_desk(hub)
    with_orders(desk)
    ends = [Outcome.PARTIAL, Outcome.FAILED, Outcome.SKIPPED, Outcome.CANCELLED]
    with hub.unit() as unit:
        for job, outcome in zip(desk.rows(JobRow), ends, strict=True):
            job.state, job.outcome, job.due_on = "closed", outcome, DAY
            unit.session.merge(job)
    home = text_of(desk.get("/panel/"))
    assert "3 jobs today and 1 cancelled" in home
    assert "in the books for you" not in home
    with hub.unit() as unit:
        book = desk.rows(OrderRow)[0].connection_id
        states = ("parked", "unmatched", "recorded", "dismissed")
        for job, state in zip(desk.rows(JobRow), states, strict=True):
            about = {"business_id": desk.business_id, "connection_id": book, "job_id": job.id}
            unit.session.add(RecordRow(**about, state=state, at=hub.now()))
    assert "2 deliveries wait in the books for you" in text_of(desk.get("/panel/"))
    assert "1 done" in home and "2 not delivered" in home

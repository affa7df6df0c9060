"""Deciding what a source wants changed, by forms alone; nothing is lost by two who decide."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select
from werkzeug.test import TestResponse

from hub.core.values import Address, Line, Point, TimeWindow
from hub.db.tables import AmendmentRow, JobRow, OrderRow, PlaceRow
from hub.flows.connections import connection_id
from hub.flows.log_in import Role
from hub.flows.order_rows import order_report
from hub.flows.sync import store_all
from tests.board_worlds import MINUTE, Running, a_running_day

THERE = Address(("Kalevankatu 9",), city="Helsinki", country="FI")


@pytest.fixture
def day(tmp_path: Path) -> Running:
    day = a_running_day(tmp_path)
    day.begin("Mara", "Otso", at=day.now[0])
    return day


def wants(day: Running, job: JobRow, **changes: object) -> None:
    """The job's source changes its mind, and the worker has done what it can."""
    with day.hub.reading() as session:
        row = session.get_one(OrderRow, job.order_id)
    known = order_report.validate_python(row.said or row.report)
    day.now[0] += MINUTE
    changed = replace(known, updated_at=day.now[0], **changes)  # type: ignore[arg-type]
    api = connection_id(day.hub, day.business_id, "api")
    store_all(day.hub, day.business_id, api, [changed], actor="connection:api")
    while day.hub.deliver_events():
        pass


def question(day: Running) -> AmendmentRow:
    with day.hub.reading() as session:
        return session.exec(select(AmendmentRow).order_by(AmendmentRow.id.desc())).first()  # type: ignore[attr-defined, return-value]


def last_of(day: Running, driver: str = "Mara") -> JobRow:
    return day.jobs(day.stops(driver)[-1])[0]


def get(day: Running, path: str) -> TestResponse:
    return day.client.get(path, headers={"Accept": "text/html"})


def form_of(answer: TestResponse, decision: str) -> dict[str, str]:
    """What the form for ``decision`` sends, beside who sends it."""
    forms = re.findall(r"<form[^>]*action=\"/board/amendments/.*?</form>", answer.text, re.DOTALL)
    form = next(one for one in forms if f'value="{decision}"' in one)
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
    return {name: value for name, value in fields.items() if name != "csrf"}


def buttons(answer: TestResponse) -> dict[str, str]:
    """What can be pressed, and how it looks; empty is what is offered first."""
    found = re.findall(r'<button class="button ?(\w*) small">([^<]+)</button>', answer.text)
    return {words: looks for looks, words in found}


def test_a_question_is_first_on_the_board_and_says_what_would_follow(day: Running) -> None:
    job = last_of(day)
    wants(day, job, address=THERE, point=Point(60.45, 25.6))
    board = get(day, "/board/").text
    [first, *_] = re.findall(r'data-matter="(\w+)"', board)
    assert first == "asked"
    assert "The driver goes on as it was." in board
    page = get(day, f"/board/amendments/{question(day).id}")
    assert buttons(page)["Take it anyway"] == "danger"
    assert buttons(page)["Keep it as it was"] == ""
    for words in (
        "Kalevankatu 9, Helsinki",
        "instead of",
        "Take it anyway",
        "was promised",
        "Keep it as it was",
        "bring the goods back",
    ):
        assert words in page.text, words


def test_more_goods_than_are_on_board_are_not_what_is_offered_first(day: Running) -> None:
    wants(day, last_of(day), lines=(Line("Loaf", 52),))
    page = get(day, f"/board/amendments/{question(day).id}")
    assert "The driver has 1 on board; 52 are wanted." in page.text
    assert "Nobody is made late by it." not in page.text
    assert (buttons(page)["Keep it as it was"], buttons(page)["Take it on this route"]) == (
        "",
        "secondary",
    )
    # No way is longer by it, so it is the same time before and after, though the plan was another.
    assert "+0 min" in page.text or "±0 min" in page.text
    assert "instead of" not in page.text


def test_it_is_taken_with_forms_alone_and_the_page_says_by_whom(day: Running) -> None:
    job = last_of(day)
    wants(day, job, address=THERE, point=Point(60.1660, 24.9400))
    url = f"/board/amendments/{question(day).id}"
    done = day.post(url, **form_of(get(day, url), "take"))
    assert done.status_code == 303
    page = get(day, url).text
    assert re.search(r"Taken, Dora, \d\d:\d\d", page)
    assert "Not confirmed by Mara Aho yet." in page
    order = get(day, f"/panel/orders/{job.order_id}").text
    assert "Changed while a driver had it" in order
    assert "The change was taken" in order
    day.now[0] += 6 * MINUTE
    board = get(day, "/board/").text
    assert "Mara Aho has not confirmed for 6 min what changed about order" in board
    day.says("Mara", "acknowledge", day.now[0], version=day.route("Mara").version)
    assert "has not confirmed" not in get(day, "/board/").text
    assert "Confirmed by Mara Aho" in get(day, url).text


def test_a_question_that_changed_meanwhile_is_asked_again_and_nothing_is_done(
    day: Running,
) -> None:
    job = last_of(day)
    wants(day, job, address=THERE, point=Point(60.1660, 24.9400))
    url = f"/board/amendments/{question(day).id}"
    asked = get(day, url)
    assert buttons(asked)["Take it on this route"] == ""
    assert buttons(asked)["Keep it as it was"] == "secondary"
    seen = form_of(asked, "take")
    tomorrow = day.now[0] + 24 * 60 * MINUTE
    window = (TimeWindow(tomorrow, tomorrow + 60 * MINUTE),)
    wants(day, job, windows=window)
    again = day.post(url, **seen)
    assert again.status_code == 409
    assert "changed it again meanwhile" in again.text
    assert "nothing is lost" in again.text
    assert question(day).state == "open"
    # What would leave the route by being taken is said so, and is not what is offered first.
    assert 'data-decision="take"' not in again.text
    assert buttons(again) == {"Keep it as it was": "", "Take it off the route": "secondary"}
    assert day.post(url, **form_of(again, "keep")).status_code == 303
    assert question(day).state == "keep"
    late = day.post(url, **seen)
    assert late.status_code == 409
    assert "decided already, by Dora" in late.text


def test_an_address_nobody_found_leads_to_its_pin_and_is_taken_after_it(day: Running) -> None:
    job = last_of(day)
    wants(day, job, address=THERE, point=None)
    url = f"/board/amendments/{question(day).id}"
    page = get(day, url).text
    assert "no place on the map" in page
    pin = re.search(r"/panel/addresses/([\w-]+)", page)
    assert pin
    day.post(f"/panel/addresses/{pin[1]}/pin", lat="60.1660", lon="24.9400")
    assert "no place on the map" not in get(day, url).text
    assert day.post(url, **form_of(get(day, url), "take")).status_code == 303
    with day.hub.reading() as session:
        place = session.get_one(PlaceRow, session.get_one(JobRow, job.id).place_id)
    assert place.id == pin[1]


def test_a_viewer_sees_it_and_decides_nothing(tmp_path: Path) -> None:
    day = a_running_day(tmp_path, role=Role.VIEWER)
    day.begin("Mara", at=day.now[0])
    wants(day, last_of(day), address=THERE, point=Point(60.1660, 24.9400))
    url = f"/board/amendments/{question(day).id}"
    page = get(day, url)
    assert page.status_code == 200
    assert "A dispatcher decides." in page.text
    assert 'method="post" action="/board/amendments' not in page.text
    assert day.post(url, decision="take", version="1").status_code == 403


def test_nonsense_decides_nothing(day: Running) -> None:
    wants(day, last_of(day), address=THERE, point=Point(60.1660, 24.9400))
    url = f"/board/amendments/{question(day).id}"
    assert day.post(url, decision="burn it").status_code == 422
    assert day.post(url, decision="late", version="1").status_code == 409
    assert day.post("/board/amendments/no-such", decision="take").status_code == 404
    assert question(day).state == "open"


def test_the_day_says_what_changed_since_it_was_planned(tmp_path: Path) -> None:
    day = a_running_day(tmp_path, published=False)
    job = last_of(day)
    opens = day.now[0] + 240 * MINUTE
    other = last_of(day, "Otso")
    wants(day, job, windows=(TimeWindow(opens, opens + 60 * MINUTE),))
    wants(day, other, address=THERE, point=Point(60.1660, 24.9400))
    page = get(day, "/panel/day?day=2026-11-23").text
    assert "Changed since it was planned" in page
    changed = re.findall(r"</a>: ([^;<]+) changed; <span[^>]*>([^<]+)", page)
    assert ("address", "it left the plan") in changed
    assert "draft of Mara Aho, timed anew" in page

"""The board's question when a van or a driver is out, and its answer, as a page without a script."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from hub.core.jobs import State
from hub.db.tables import PlaceRow
from hub.flows.log_in import Role
from tests.board_worlds import MINUTE, TEN, Running, a_running_day


@pytest.fixture
def day(tmp_path: Path) -> Running:
    day = a_running_day(tmp_path)
    day.now[0] = TEN
    day.begin("Mara", "Otso")
    day.now[0] = TEN + MINUTE
    return day


def path(day: Running) -> str:
    return f"/board/routes/{day.route('Mara').id}/out"


def ways(day: Running, at: str = "60.1668,24.9420") -> str:
    """The page once everything is looked for, loaded again until then as a browser does."""
    for _ in range(600):
        page = day.client.get(f"{path(day)}?happened=van&at={at}")
        assert page.status_code == 200
        if "http-equiv" not in page.text:
            return page.text
        assert "Looking for ways out" in page.text
        time.sleep(0.1)
    raise AssertionError("looking for ways out does not end")


def form_of(page: str, kind: str) -> dict[str, list[str]]:
    """The fields of the form that carries out the first way of ``kind``."""
    item = re.search(rf'data-way="{kind}".*?</form>', page, re.S)
    assert item
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', item[0]):
        found.setdefault(name, []).append(value)
    return found


def test_every_route_on_the_road_offers_it_and_it_asks_what_happened_and_where(
    day: Running,
) -> None:
    board = day.client.get("/board/").text
    assert board.count("Van or driver out") == 2
    page = day.client.get(path(day)).text
    assert "What happened?" in page
    assert 'value="60.16990, 24.93840"' in page  # nothing was heard of the phone: the depot


def test_the_ways_lie_side_by_side_with_what_they_cost(day: Running) -> None:
    page = ways(day)
    assert "Those on the road share it: Otso Lahti" in page
    assert "The load goes back to Bakery" in page
    assert "Not possible: The van does not drive." in page
    assert "more for driving" in page


def test_one_press_moves_the_work_and_ends_the_round(day: Running) -> None:
    fields = form_of(ways(day), "shared")
    answer = day.client.post(path(day), data=fields)
    assert answer.status_code == 303
    left = [job for stop in day.stops("Mara") for job in day.jobs(stop)]
    assert left == []
    board = day.client.get("/board/").text
    assert "takes over the load of M van" in board
    assert "shift ended 10:01" in board
    again = day.client.post(path(day), data=fields)
    assert again.status_code == 409
    assert "ended already" in again.text


def test_a_route_that_changed_since_shows_the_question_anew(day: Running) -> None:
    fields = form_of(ways(day), "shared")
    fields["seen"] = [one.partition(":")[0] + ":9" for one in fields["seen"]]
    answer = day.client.post(path(day), data=fields)
    assert answer.status_code == 409
    assert "nothing of yours is done yet" in answer.text
    jobs = [job for stop in day.stops("Mara") for job in day.jobs(stop)]
    assert {job.state for job in jobs} == {State.DISPATCHED}


def test_what_is_no_place_is_said_at_its_field(day: Running) -> None:
    page = day.client.get(f"{path(day)}?happened=van&at=by+the+church")
    assert "The map does not know this place." in page.text
    assert 'value="by the church"' in page.text


def test_who_may_only_look_is_not_asked(tmp_path: Path) -> None:
    day = a_running_day(tmp_path, role=Role.VIEWER)
    assert day.client.get(path(day)).status_code == 403
    assert "Van or driver out" not in day.client.get("/board/").text


def test_a_strangers_route_is_not_there(day: Running) -> None:
    assert day.client.get("/board/routes/nobody/out").status_code == 404


def test_an_address_that_is_known_is_as_good_as_a_pin(day: Running) -> None:
    page = ways(day, "Bulevardi+20")
    assert 'value="60.16410, 24.93600"' in page
    assert "more for driving" in page


def test_the_page_says_that_it_looks_and_loads_itself_again(day: Running) -> None:
    page = day.client.get(f"{path(day)}?happened=van&at=60.1668,24.9420").text
    assert "Looking for ways out" in page
    assert f'content="2;url={path(day)}?happened=van' in page
    assert "Show the ways out" not in page


def test_what_is_not_loaded_yet_is_said_to_be_at_the_depot(tmp_path: Path) -> None:
    day = a_running_day(tmp_path)
    day.now[0] = TEN
    page = day.client.get(path(day)).text
    assert "nothing is loaded yet: " in page
    assert "at Bakery still" in page
    assert "on board of" not in page


def test_where_the_van_stands_is_said_as_one_says_it(day: Running) -> None:
    page = day.client.get(path(day)).text
    assert "That is at Bakery." in page
    stop = day.stops("Mara")[0]
    with day.hub.reading() as session:
        place = session.get_one(PlaceRow, stop.place_id)
    assert "beside stop 1, " in ways(day, f"{place.lat:.5f},{place.lon:.5f}")
    assert re.search(r"[0-9.]+ km from Bakery", ways(day, "60.25000,24.93000"))

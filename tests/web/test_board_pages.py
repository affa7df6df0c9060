"""The board's pages and data without a browser: whole without a script, nothing lost by two."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from werkzeug.test import TestResponse

from hub.core.values import Point, TimeWindow
from hub.db.tables import DriverRow
from hub.flows.log_in import Role
from tests.board_worlds import MINUTE, Running, a_running_day
from tests.driving_worlds import PHOTO

PART = {"X-Requested-With": "fetch"}


@pytest.fixture
def day(tmp_path: Path) -> Running:
    return a_running_day(tmp_path)


def get(day: Running, path: str, **headers: str) -> TestResponse:
    return day.client.get(path, headers={"Accept": "text/html", **headers})


def form_of(answer: TestResponse, action: str) -> dict[str, str]:
    """The hidden fields of the first form that goes to ``action``."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', answer.text, re.DOTALL)
    assert form, answer.text
    return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[0]))


def test_the_page_is_whole_without_a_script(day: Running) -> None:
    told = get(day, "/board/").text
    for words in ("Mara Aho", "Otso Lahti", "Needs attention", "On no route", "08:00"):
        assert words in told
    assert told.count('class="stop-bar') == 8
    assert "planned 08:01, expected 08:01, promised 08:00" in told
    assert "style=" not in told  # the policy lets no style in that carries no nonce


def test_a_late_stop_says_so_in_words(day: Running) -> None:
    day.begin("Mara", "Otso", at=day.now[0])
    day.now[0] += 120 * MINUTE
    told = get(day, "/board/").text
    assert re.search(r'<span class="mark in-list">1 h \d\d late</span>', told)
    late = re.findall(r'class="stop-bar late".*?data-w="([\d.]+)"', told)
    assert max(map(float, late)) < 5, "it was as wide as its words, on an axis of time"
    assert "comes late to 4 orders" in told


def test_a_viewer_looks_and_moves_nothing(tmp_path: Path) -> None:
    day = a_running_day(tmp_path, role=Role.VIEWER)
    stop = day.stops("Mara")[0]
    told = get(day, "/board/")
    assert told.status_code == 200
    assert "/move" not in told.text
    assert get(day, f"/board/stops/{stop.id}/move").status_code == 403
    assert day.post(f"/board/stops/{stop.id}/move").status_code == 403


def test_data_answers_304_until_something_changes(day: Running) -> None:
    first = get(day, "/board/data")
    again = get(day, "/board/data", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.text) == (304, "")
    day.begin("Mara", at=day.now[0])
    later = get(day, "/board/data", **{"If-None-Match": first.headers["ETag"]})
    assert later.status_code == 200
    assert later.json
    assert first.json
    assert later.json["version"] != first.json["version"]
    [mara, otso] = later.json["drivers"]
    assert (mara["on_duty"], otso["on_duty"]) == (True, False)


def test_a_stop_is_moved_with_forms_alone(day: Running) -> None:
    stop = day.stops("Mara")[1]
    [job] = day.jobs(stop)
    path = f"/board/stops/{stop.id}/move"
    asked = get(day, path)
    assert "To Otso Lahti, as stop" in asked.text
    assert re.search(r"Otso Lahti [+−±]\d+ min, [+−±]\d+\.\d km", asked.text)
    done = day.post(path, **form_of(asked, path))
    assert done.status_code == 303
    assert day.driver_of(job) == "Otso Lahti"


def test_a_stop_gets_another_number_on_its_route_with_forms_alone(day: Running) -> None:
    stop = day.stops("Mara")[3]
    path = f"/board/stops/{stop.id}/turn"
    asked = get(day, f"/board/stops/{stop.id}/move?to={day.route('Mara').id}&at=1")
    assert "As stop 1 of Mara Aho, there at" in asked.text
    form = form_of(asked, path)
    assert form["at"] == "1"
    assert day.post(path, **form).status_code == 303
    assert day.stops("Mara")[0].id == stop.id
    old = day.post(path, **form | {"at": "3"})
    assert old.status_code == 409
    assert "changed the route meanwhile" in old.text
    assert day.stops("Mara")[0].id == stop.id


def test_an_open_stop_is_never_expected_in_the_past(day: Running) -> None:
    day.begin("Mara", "Otso", at=day.now[0])
    day.now[0] += 120 * MINUTE
    told = get(day, "/board/data").json
    assert told
    etas = {stop["estimate"] for route in told["routes"] for stop in route["stops"]}
    assert min(etas) == day.now[0].isoformat()


def test_the_second_dispatcher_sees_the_conflict_and_loses_nothing(day: Running) -> None:
    one, two = day.stops("Mara")[1:3]
    [mine], [theirs] = day.jobs(one), day.jobs(two)
    paths = [f"/board/stops/{stop.id}/move" for stop in (one, two)]
    forms = [form_of(get(day, path), path) for path in paths]
    assert day.post(paths[0], **forms[0]).status_code == 303
    told = day.post(paths[1], **forms[1])
    assert told.status_code == 409
    changed_at = f"{day.now[0].astimezone(ZoneInfo('Europe/Helsinki')):%H:%M}"
    assert f"Dora changed the route meanwhile, at {changed_at};" in told.text
    assert (day.driver_of(mine), day.driver_of(theirs)) == ("Otso Lahti", "Mara Aho")
    # The answer is the question anew, of the routes as they now stand.
    assert day.post(paths[1], **form_of(told, paths[1])).status_code == 303
    assert day.driver_of(theirs) == "Otso Lahti"


def test_a_stop_that_is_gone_meanwhile_is_said_to_be(day: Running) -> None:
    stop = day.stops("Mara")[1]
    path = f"/board/stops/{stop.id}/move"
    form = form_of(get(day, path), path)
    assert day.post(path, **form).status_code == 303
    told = day.post(path, **form)
    assert told.status_code == 409
    assert "somebody moved it meanwhile" in told.text


def test_an_ad_hoc_job_goes_where_it_costs_least(day: Running) -> None:
    job = day.order("2001", Point(60.1660, 24.9390))
    path = f"/board/jobs/{job.id}/place"
    assert path in get(day, "/board/").text
    asked = get(day, path)
    assert "as stop" in asked.text
    done = day.post(path, as_part=True, **form_of(asked, path))
    assert done.json == {"said": "It is on the route."}
    assert day.driver_of(job)


def test_a_route_is_handed_over_after_what_breaks_was_read(day: Running) -> None:
    route = day.route("Mara")
    path = f"/board/routes/{route.id}/hand-over"
    asked = get(day, path)
    assert "Otso Lahti: 4 stops of the own route left until" in asked.text
    form = form_of(asked, path) | {"driver_id": day.drivers["Otso"]}
    told = day.post(path, **form)
    assert told.status_code == 409
    assert "Otso Lahti already drives" in told.text
    assert day.route("Mara").id == route.id
    assert day.post(path, **form, force="1").status_code == 303
    old = day.post(path, **form, force="1")
    assert old.status_code == 409
    assert "changed the route meanwhile" in old.text
    handed_at = f"{day.now[0].astimezone(ZoneInfo('Europe/Helsinki')):%H:%M}"
    assert f"from Mara Aho at {handed_at}" in get(day, "/board/").text


@pytest.mark.parametrize(
    "path",
    [
        "/board/?day=tomorrow",
        "/board/?day=9999-99-99",
        "/board/data?day=0001-01-01",
        "/board/map?zoom=nan&left=0&top=0&w=400&h=400",
        "/board/map?zoom=14&left=1e300&top=inf&w=400&h=400",
        "/board/map?zoom=14&left=0&top=0&w=400&h=9999999",
        "/board/stops/nothing/move",
        "/board/stops/nothing/move?to=x:99999999999999999999",
        "/board/stops/nothing/move?at=99999999999999999999",
        "/board/jobs/nothing/place",
        "/board/routes/nothing/hand-over",
    ],
)
def test_nonsense_is_answered_with_sense(day: Running, path: str) -> None:
    assert get(day, path).status_code in (200, 404, 409)


def test_a_closer_look_is_drawn_where_it_was_asked_for(day: Running) -> None:
    told = get(day, "/board/map?zoom=15&left=4775000&top=2427000&w=600&h=400", **PART)
    placed = re.search(r'data-zoom="([^"]+)" data-left="([^"]+)" data-top="([^"]+)"', told.text)
    assert placed
    zoom, left, top = map(float, placed.groups())
    assert zoom == 15
    assert left == pytest.approx(4775000, abs=2)
    assert top == pytest.approx(2427000, abs=2)


def test_a_hand_over_leaves_every_route_its_colour_and_number(day: Running) -> None:
    def numbers() -> dict[str, str]:
        told = get(day, "/board/").text
        return dict(re.findall(r'<section class="lane (route-\d+)" data-route="([^"]+)"', told))

    before = numbers()
    with day.hub.unit() as unit:
        aada = DriverRow(business_id=day.business_id, name="Aada Ek", works={})
        unit.session.add(aada)
        unit.session.flush()
        aada_id = aada.id
    route = day.route("Otso")
    form = {"driver_id": aada_id, "version": str(route.version), "force": "1"}
    assert day.post(f"/board/routes/{route.id}/hand-over", **form).status_code == 303
    assert "Aada Ek" in get(day, "/board/").text
    assert numbers() == before
    drawn = get(day, "/board/map").text
    assert "Map of the routes: 2 Aada Ek, 1 Mara Aho" in drawn


def test_the_board_counts_as_late_what_it_shows_as_late(day: Running) -> None:
    day.begin("Mara", "Otso", at=day.now[0])
    first = day.stops("Mara")[0]
    [job] = day.jobs(first)
    day.now[0] += 120 * MINUTE
    day.says("Mara", "arrive", day.now[0], job)
    day.says("Mara", "close", day.now[0], job, outcome="succeeded", files=PHOTO)
    day.now[0] += timedelta(seconds=50)
    told = get(day, "/board/").text
    counted = re.search(
        r'<strong>(\d+)</strong> <a href="#stop-[^"]+" data-show="([^"]+)">late</a>', told
    )
    assert counted
    assert int(counted[1]) == told.count('class="stop-bar late"')
    assert 0 < told.count('data-matter="late"') <= int(counted[1])
    assert int(counted[1]) > 0
    assert f'class="stop-bar late" data-jobs="{jobs_of(day, counted[2])}"' in told


def jobs_of(day: Running, stop_id: str) -> str:
    stops = [*day.stops("Mara"), *day.stops("Otso")]
    return " ".join(job.id for stop in stops if stop.id == stop_id for job in day.jobs(stop))


def test_a_day_without_jobs_says_so_and_yesterday_is_not_planned(day: Running) -> None:
    past = get(day, "/board/?day=2026-11-20").text
    assert "No job was due on this day." in past
    assert "There was no route on this day." in past
    ahead = get(day, "/board/?day=2026-11-27").text
    assert "No job is due on this day yet." in ahead
    assert "Import orders" in ahead
    for told in (past, ahead):
        assert "Every job of the day is on a route." not in told
        assert "Plan the day" not in told


def test_a_day_whose_jobs_are_on_no_route_yet_is_offered_to_be_planned(day: Running) -> None:
    at = datetime(2026, 11, 27, 8, tzinfo=UTC)
    day.order("2001", Point(60.1660, 24.9390), window=TimeWindow(at, at + 60 * MINUTE))
    assert "Plan the day" in get(day, "/board/?day=2026-11-27").text


def test_finished_stops_are_folded_into_one_line(day: Running) -> None:
    day.begin("Mara", at=day.now[0])
    for stop, end in zip(day.stops("Mara")[:2], ("succeeded", "failed"), strict=True):
        [job] = day.jobs(stop)
        how = {"files": PHOTO} if end == "succeeded" else {"reason": "wrong_address"}
        day.says("Mara", "arrive", day.now[0], job)
        day.says("Mara", "close", day.now[0], job, outcome=end, **how)
    told = get(day, "/board/").text
    assert re.search(r"<summary>1 done, 1 not done<span[^>]*> by Mara Aho</span></summary>", told)
    assert told.count('<li class="ended">') == 2

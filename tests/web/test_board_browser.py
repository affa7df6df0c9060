"""The board in a real browser: live, dragged, driven by keys, and two at once.

``HUB_TEST_SHOTS`` names a folder that gets a picture of each state.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlmodel import col, select, update
from werkzeug.serving import make_server

from hub.core.values import Point
from hub.db.tables import JobRow, PromiseRow, StopRow
from hub.live.app import Live
from hub.live.server import serving, take_over
from hub.web.app import create_app
from hub.web.staff import COOKIE
from tests.board_worlds import MINUTE, Running, a_running_day
from tests.browsers import SLOW_MS
from tests.driving_worlds import PHOTO
from tests.live_worlds import OnSocket, ask, fix

SHOTS = os.environ.get("HUB_TEST_SHOTS", "")


@pytest.fixture
def day(tmp_path: Path, helsinki: Path) -> Running:
    return a_running_day(tmp_path, map_dir=helsinki, url=f"sqlite:///{tmp_path / 'hub.db'}")


class Street:
    """The hub's pages and its live process at one address, as its front would join them."""

    def __init__(self, day: Running) -> None:
        self.day = day
        self.folder = tempfile.TemporaryDirectory(prefix="live-", dir="/tmp")
        self.at = Path(self.folder.name) / "live.sock"
        self.live: Any = None
        self.pages = create_app(day.hub)
        self.server = make_server("127.0.0.1", 0, self._front, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def start_live(self) -> None:
        live = Live(
            self.day.hub.settings,
            now=lambda: self.day.now[0],
            most_streams=50,
            take_over=take_over,
        )
        self.live = serving(live, uds=str(self.at))
        self.thread = threading.Thread(target=self.live.run, daemon=True)
        self.thread.start()
        until = time.monotonic() + 60
        while not self.live.started:
            assert time.monotonic() < until
            time.sleep(0.02)

    def stop_live(self) -> None:
        if self.live is not None:
            self.live.should_exit = True
            self.thread.join(20)
            self.live = None

    def stop(self) -> None:
        self.stop_live()
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()

    def fixes(self, driver: str, seq: int, lat: float, lon: float) -> None:
        told = ask(
            self.at,
            "POST",
            "/live/fixes",
            {"fixes": [fix(seq, self.day.now[0], lat, lon)]},
            {"Authorization": f"Bearer {self.day.phones[driver]}"},
        )
        assert (told.status, told.json["kept"]) == (200, 1), told.body

    def _front(self, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        if not environ["PATH_INFO"].startswith("/live/"):
            return self.pages(environ, start)
        connection = OnSocket(self.at, 60)
        try:
            connection.request(
                "GET", environ["PATH_INFO"], headers={"Cookie": environ.get("HTTP_COOKIE", "")}
            )
            answer = connection.getresponse()
        except OSError:
            start("502 Bad Gateway", [])
            return [b""]
        start(
            f"{answer.status} {answer.reason}",
            [("Content-Type", answer.headers.get("Content-Type", "text/plain"))],
        )
        return iter(lambda: answer.read1(4096), b"")


@contextmanager
def a_street(day: Running, *, live: bool = False) -> Iterator[Street]:
    street = Street(day)
    if live:
        street.start_live()
    try:
        yield street
    finally:
        street.stop()


def open_board(browser: Browser, street: Street, **more: Any) -> Page:
    context = browser.new_context(
        base_url=street.url,
        viewport={"width": 1280, "height": 900},
        reduced_motion="reduce",
        **more,
    )
    context.add_cookies([{"name": COOKIE, "value": street.day.token, "url": street.url}])
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    page.complaints = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.complaints.append(str(error)))  # type: ignore[attr-defined]
    page.on("console", lambda said: _heard(page, said.type, said.text))
    page.on("request", lambda asked: _alone(page, street, asked.url))
    page.goto("/board/")
    return page


def _heard(page: Any, kind: str, text: str) -> None:
    if kind == "error" and "Failed to load resource" not in text and "ERR_" not in text:
        page.complaints.append(text)


def _alone(page: Any, street: Street, url: str) -> None:
    if not url.startswith((street.url, "data:")):
        page.complaints.append(f"asked {url}")


def until(holds: Callable[[], bool], within_s: float = 60) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.05)


def bar(page: Page, stop_id: str) -> Any:
    return page.locator(f'[id="stop-{stop_id}"]')


def drag(page: Page, stop_id: str, lane: str) -> None:
    """With the mouse, from a stop to the middle of a driver's lane."""
    what, where = bar(page, stop_id), page.locator(f'.lane[data-driver="{lane}"]')
    where.scroll_into_view_if_needed()
    what.scroll_into_view_if_needed()
    a, b = what.bounding_box(), where.bounding_box()
    assert a
    assert b
    page.mouse.move(a["x"] + a["width"] / 2, a["y"] + a["height"] / 2)
    page.mouse.down()
    page.mouse.move(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2 - 8, steps=8)
    page.mouse.move(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2, steps=3)
    page.mouse.up()


def confirm(page: Page) -> None:
    page.locator("dialog").get_by_role("button", name="Move it").click()
    expect(page.get_by_text("The stop is moved, and both drivers are told.")).to_be_visible()
    expect(page.locator("dialog")).to_be_hidden()


def test_a_stop_dragged_to_another_driver_moves_once_its_consequence_is_read(
    browser: Browser, day: Running
) -> None:
    stop = day.stops("Mara")[1]
    [job] = day.jobs(stop)
    with a_street(day) as street:
        page = open_board(browser, street)
        drag(page, stop.id, "Otso Lahti")
        asked = page.locator("dialog")
        expect(asked.get_by_text("To Otso Lahti, as stop")).to_be_visible()
        expect(asked.get_by_text("km · Mara Aho")).to_be_visible()
        assert day.driver_of(job) == "Mara Aho"  # nothing before somebody says so
        confirm(page)
        assert day.driver_of(job) == "Otso Lahti"
        expect(page.locator('.lane[data-driver="Otso Lahti"] .stop-bar')).to_have_count(5)
        assert page.complaints == []  # type: ignore[attr-defined]


def test_a_stop_dragged_along_its_own_lane_gets_another_number(
    browser: Browser, day: Running
) -> None:
    stop = day.stops("Mara")[1]
    [job] = day.jobs(stop)
    with a_street(day) as street:
        page = open_board(browser, street)
        drag(page, stop.id, "Mara Aho")  # to its middle: after all others
        asked = page.locator("dialog")
        expect(asked.get_by_text("As stop 4 of Mara Aho, there at")).to_be_visible()
        expect(asked.locator("[data-effect]")).to_have_count(0)
        asked.get_by_role("button", name="Put it there").click()
        expect(page.get_by_text("The stop has its new place")).to_be_visible()
        assert day.jobs(day.stops("Mara")[3]) == [job]
        expect(page.locator('.lane[data-driver="Mara Aho"] .stop-bar').nth(3)).to_have_attribute(
            "id", f"stop-{stop.id}"
        )
        assert page.complaints == []  # type: ignore[attr-defined]


def test_a_drag_that_ends_where_it_began_or_is_given_up_asks_nothing(
    browser: Browser, day: Running
) -> None:
    stop = day.stops("Mara")[1]
    with a_street(day) as street:
        page = open_board(browser, street)
        what = bar(page, stop.id).bounding_box()
        assert what
        page.mouse.move(what["x"] + 5, what["y"] + 5)
        page.mouse.down()
        page.mouse.move(what["x"] + 14, what["y"] + 5, steps=5)
        page.mouse.up()
        expect(page.locator("dialog")).to_be_hidden()
        what = bar(page, stop.id).bounding_box()
        assert what
        page.mouse.move(what["x"] + 5, what["y"] + 5)
        page.mouse.down()
        page.mouse.move(what["x"] + 60, what["y"] + 60, steps=5)
        expect(page.locator(".ghost")).to_be_visible()
        page.keyboard.press("Escape")
        page.mouse.up()
        expect(page.locator(".ghost")).to_have_count(0)
        expect(page.locator("dialog")).to_be_hidden()
        assert page.complaints == []  # type: ignore[attr-defined]


def test_a_stop_is_moved_by_keyboard_alone(browser: Browser, day: Running) -> None:
    first, second = day.stops("Mara")[:2]
    [job] = day.jobs(second)
    with a_street(day) as street:
        page = open_board(browser, street)
        bar(page, first.id).focus()
        page.keyboard.press("ArrowRight")
        expect(bar(page, second.id)).to_be_focused()
        page.keyboard.press("Enter")
        button = page.locator("dialog").get_by_role("button", name="Move it")
        expect(button).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_be_hidden()
        expect(bar(page, second.id)).to_be_focused()  # back where one was
        page.keyboard.press("m")
        expect(page.locator("dialog").get_by_role("heading", level=1)).to_be_focused()
        page.keyboard.press("Enter")  # pressed once more than meant: nothing unread is decided
        assert day.driver_of(job) == "Mara Aho"
        while not button.evaluate("(one) => one === document.activeElement"):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_text("The stop is moved")).to_be_visible()
        assert day.driver_of(job) == "Otso Lahti"
        moved = page.locator(f'.lane[data-driver="Otso Lahti"] .stop-bar[data-jobs="{job.id}"]')
        expect(moved).to_be_focused()  # the keyboard goes with the stop
        assert page.complaints == []  # type: ignore[attr-defined]


def test_a_question_without_network_says_only_that(browser: Browser, day: Running) -> None:
    stop = day.stops("Mara")[1]
    with a_street(day) as street:
        page = open_board(browser, street)
        page.context.set_offline(True)
        bar(page, stop.id).press("Enter")
        asked = page.locator("dialog")
        expect(asked.get_by_role("alert")).to_contain_text("The hub cannot be reached")
        expect(asked.get_by_role("heading", name="Not possible now")).to_be_visible()
        expect(asked.get_by_text("Looking what that would do")).to_have_count(0)
        shoot(page, "offline")
        asked.get_by_role("button", name="Close").click()
        expect(bar(page, stop.id)).to_be_focused()
        assert page.complaints == []  # type: ignore[attr-defined]


def test_every_number_on_the_timeline_can_be_read(
    browser: Browser, tmp_path: Path, helsinki: Path
) -> None:
    day = a_busy_day(tmp_path, helsinki)
    with day.hub.unit() as unit:  # a long route's, with two digits each; and one with three
        for stop in unit.session.exec(select(StopRow)):
            stop.n += 107 if stop.n == 1 else 10
    cut = """() => [...document.querySelectorAll(".stop-bar")].filter((bar) => {
      const [box, edge] = [bar.getBoundingClientRect(), bar.clientLeft];
      return [...bar.children].some((one) => {
        const at = one.getBoundingClientRect();
        return at.width && (at.left < box.left + edge - .5 || at.right > box.right - edge + .5
          || at.top < box.top || at.bottom > box.bottom);
      });
    }).map((bar) => bar.innerText)"""
    covered = """() => [...document.querySelectorAll(".lane")].flatMap((lane) => {
      const boxes = [...lane.querySelectorAll(".stop-bar")].map((bar) => bar.getBoundingClientRect());
      return boxes.filter((a, n) => boxes.slice(0, n).some((b) => a.left < b.right - .5
        && b.left < a.right - .5 && a.top < b.bottom - .5 && b.top < a.bottom - .5));
    }).length"""
    with a_street(day) as street:
        page = open_board(browser, street)
        expect(page.locator(".stop-bar.done", has_text="12")).to_be_visible()
        expect(page.locator(".stop-bar.done", has_text="108").first).to_be_visible()
        assert page.evaluate(cut) == []
        shoot(page, "readable")
        with day.hub.unit() as unit:  # ten at one time: the ninth lay on the eighth
            for stop in unit.session.exec(select(StopRow)):
                stop.arrive_at, stop.depart_at = day.now[0], day.now[0] + MINUTE
            told = {"opens": day.now[0], "closes": day.now[0] + 60 * MINUTE}
            unit.session.exec(update(PromiseRow).values(**told))
            ended = update(JobRow).where(col(JobRow.state) == "closed")
            unit.session.exec(ended.values(closed_occurred_at=day.now[0]))
        page.reload()
        expect(page.locator(".track .now").first).to_be_visible()
        expect(page.locator(".track[data-levels='10']")).to_have_count(1)
        assert page.evaluate(covered) == 0


def test_on_a_phone_finished_stops_are_behind_the_open_ones(
    browser: Browser, tmp_path: Path, helsinki: Path
) -> None:
    day = a_busy_day(tmp_path, helsinki)
    with a_street(day) as street:
        page = open_board(browser, street)
        page.set_viewport_size({"width": 390, "height": 844})
        mara = page.locator('.lane[data-driver="Mara Aho"]')
        expect(mara.locator(".stop-bar.done").first).to_be_hidden()
        finished = mara.locator("details.ended-list")
        expect(finished.locator("a").first).to_be_hidden()
        last = mara.locator(".stop-bar").last.bounding_box()
        fold = finished.bounding_box()
        assert last
        assert fold
        assert fold["y"] >= last["y"] + last["height"] - 1
        finished.locator("summary").click()
        expect(finished.locator("a")).to_have_count(4)
        expect(finished.locator("a").first).to_be_visible()
        page.set_viewport_size({"width": 1280, "height": 900})
        expect(finished).to_be_hidden()
        expect(mara.locator(".stop-bar.done").first).to_be_visible()


def test_a_question_asked_the_moment_another_is_closed_is_answered(
    browser: Browser, day: Running
) -> None:
    first, second = day.stops("Mara")[:2]
    with a_street(day) as street:
        page = open_board(browser, street)
        bar(page, first.id).press("Enter")
        expect(page.locator("dialog").get_by_text("Move stop 1 of Mara Aho")).to_be_visible()
        page.evaluate(
            "(id) => { document.getElementById('asked').close();"
            " document.getElementById(id).click(); }",
            f"stop-{second.id}",
        )  # the dialog tells that it closed only after this
        expect(page.locator("dialog").get_by_text("Move stop 2 of Mara Aho")).to_be_visible()
        assert page.complaints == []  # type: ignore[attr-defined]


def test_the_second_of_two_dispatchers_sees_the_conflict_and_decides_again(
    browser: Browser, day: Running
) -> None:
    one, two = day.stops("Mara")[1:3]
    [mine], [theirs] = day.jobs(one), day.jobs(two)
    with a_street(day) as street:
        first, second = open_board(browser, street), open_board(browser, street)
        drag(first, one.id, "Otso Lahti")
        drag(second, two.id, "Otso Lahti")
        expect(second.locator("dialog [data-effect]")).to_be_visible()
        confirm(first)
        second.locator("dialog").get_by_role("button", name="Move it").click()
        expect(second.locator("[data-conflict]")).to_be_visible()
        assert (day.driver_of(mine), day.driver_of(theirs)) == ("Otso Lahti", "Mara Aho")
        confirm(second)
        assert (day.driver_of(mine), day.driver_of(theirs)) == ("Otso Lahti", "Otso Lahti")
        for page in (first, second):
            expect(page.locator('.lane[data-driver="Otso Lahti"] .stop-bar')).to_have_count(6)
            assert page.complaints == []  # type: ignore[attr-defined]


def test_drivers_move_and_changes_come_without_a_reload(browser: Browser, day: Running) -> None:
    day.begin("Mara", at=day.now[0])
    with a_street(day, live=True) as street:
        page = open_board(browser, street)
        expect(page.locator("[data-live]")).to_have_text("live")
        page.evaluate("() => (window.same = true)")
        marker = page.locator("svg:visible [data-driver]")
        street.fixes("Mara", 1, 60.1690, 24.9400)
        expect(marker).to_have_count(1)
        before = marker.get_attribute("transform")
        day.now[0] += 2 * MINUTE
        street.fixes("Mara", 2, 60.1640, 24.9460)
        until(lambda: marker.get_attribute("transform") != before)
        day.order("2001", Point(60.1660, 24.9390))
        expect(
            page.locator('[data-part="unassigned"]').get_by_text("2001", exact=True)
        ).to_be_visible()
        assert page.evaluate("() => window.same")
        assert page.complaints == []  # type: ignore[attr-defined]


@pytest.mark.soak
def test_without_the_live_process_the_board_looks_by_itself_and_says_so(
    browser: Browser, day: Running
) -> None:
    day.begin("Mara", at=day.now[0])
    with a_street(day, live=True) as street:
        street.fixes("Mara", 1, 60.1690, 24.9400)
        page = open_board(browser, street)
        expect(page.locator("[data-live]")).to_have_text("live")
        street.stop_live()
        expect(page.locator("[data-live]")).to_have_text("every few seconds")
        day.order("2001", Point(60.1660, 24.9390))
        expect(
            page.locator('[data-part="unassigned"]').get_by_text("2001", exact=True)
        ).to_be_visible()
        expect(page.locator("svg:visible [data-driver]")).to_have_count(1)
        page.context.set_offline(True)
        expect(page.locator("[data-broken]")).to_contain_text("has not answered")
        shoot(page, "broken")
        page.context.set_offline(False)
        expect(page.locator("[data-broken]")).to_be_hidden()
        assert page.complaints == []  # type: ignore[attr-defined]


def test_the_map_comes_closer_where_one_looks(browser: Browser, day: Running) -> None:
    with a_street(day) as street:
        page = open_board(browser, street)
        svg = page.locator("[data-map] svg:visible")
        zoom = float(svg.get_attribute("data-zoom") or 0)
        page.get_by_role("button", name="Closer").click()
        until(lambda: float(svg.get_attribute("data-zoom") or 0) == min(zoom + 1, 16.5))
        page.get_by_role("button", name="All of it").click()
        until(lambda: float(svg.get_attribute("data-zoom") or 0) == zoom)
        assert page.complaints == []  # type: ignore[attr-defined]


def a_busy_day(tmp_path: Path, helsinki: Path) -> Running:
    """Eleven o'clock: some done, one failed, some late, one silent, one come in at noon."""
    day = a_running_day(
        tmp_path, map_dir=helsinki, url=f"sqlite:///{tmp_path / 'hub.db'}", orders=24
    )
    at = day.now[0]
    day.begin("Mara", "Otso", at=at)
    for name, ended in (("Mara", 4), ("Otso", 2)):
        for n, stop in enumerate(day.stops(name)[:ended]):
            moment = stop.arrive_at + 3 * MINUTE
            for job in day.jobs(stop):
                day.says(name, "arrive", moment, job)
                outcome: dict[str, Any] = {"outcome": "succeeded", "files": PHOTO}
                if (name, n) == ("Otso", 1):
                    outcome = {"outcome": "failed", "reason": "wrong_address"}
                day.now[0] = moment + 5 * MINUTE
                day.says(name, "close", moment + 5 * MINUTE, job, **outcome)
    day.now[0] = at + 100 * MINUTE
    [on_the_way] = day.jobs(day.stops("Mara")[4])[:1]
    day.says("Mara", "head_for", day.now[0], on_the_way)
    day.order("2001", Point(60.1660, 24.9390))
    return day


def shoot(page: Page, name: str) -> None:
    if not SHOTS:
        return
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            page.screenshot(path=f"{SHOTS}/board-{name}-{width}-{theme}.png", full_page=True)
    page.emulate_media(color_scheme="light")


Looks = tuple[tuple[int, str], ...]


def look(page: Page, name: str, looks: Looks) -> list[str]:
    """What is not accessible, or wider than the screen, at these widths in these themes."""
    found = []
    for width, theme in looks:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        found += [
            f"{name} {width} {theme}: {one['id']} {one['nodes'][0]['html'][:200]}"
            for one in Axe().run(page).response["violations"]
        ]
        wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            found.append(f"{name}: {wide} px wider than a screen of {width}")
    page.emulate_media(color_scheme="light")
    shoot(page, name)
    return found


@pytest.mark.parametrize(
    "looks",
    [
        ((390, "light"), (1280, "dark")),
        pytest.param(((390, "dark"), (1280, "light")), marks=pytest.mark.soak),
    ],
    ids=["light-phone-dark-desk", "dark-phone-light-desk"],
)
def test_every_state_is_accessible_by_day_and_night(
    browser: Browser, tmp_path: Path, helsinki: Path, looks: Looks
) -> None:
    day = a_busy_day(tmp_path, helsinki)
    found: list[str] = []
    with a_street(day, live=True) as street:
        street.fixes("Mara", 1, 60.1665, 24.9420)
        page = open_board(browser, street)
        expect(page.locator("[data-live]")).to_have_text("live")
        found += look(page, "busy", looks)
        page.set_viewport_size({"width": 1280, "height": 900})
        drag(page, day.stops("Mara")[6].id, "Otso Lahti")
        expect(page.locator("dialog [data-effect]")).to_be_visible()
        found += look(page, "asked", looks)
        page.keyboard.press("Escape")
        bar(page, day.stops("Mara")[6].id).press("m")
        page.locator("dialog summary", has_text="Or another place").click()
        expect(page.locator("dialog [data-turn]").first).to_be_visible()
        found += look(page, "turns", looks)
        page.keyboard.press("Escape")
        page.get_by_role("link", name="Hand over the route of Mara").click()
        expect(page.locator("dialog").get_by_label("To")).to_be_visible()
        found += look(page, "hand-over", looks)
        page.keyboard.press("Escape")
        page.locator('[data-part="unassigned"]').get_by_text("Add").click()
        expect(page.locator("dialog [data-effect]").first).to_be_visible()
        found += look(page, "ad-hoc", looks)
        assert page.complaints == []  # type: ignore[attr-defined]
        page.goto("/board/?day=2026-11-25")
        found += look(page, "empty", looks)
        script_free = open_board(browser, street, java_script_enabled=False)
        expect(script_free.locator(".stop-bar").first).to_be_visible()
        shoot(script_free, "no-script")
    assert found == []

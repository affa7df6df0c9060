"""Every state of the page in a real browser: accessible, quiet, light, alone.

``HUB_TEST_SHOTS`` names a folder that gets a picture of each.
"""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select
from werkzeug.serving import make_server

from hub.db.tables import BusinessRow, JobRow
from tests.browsers import in_a_while
from tests.driving_worlds import DAY
from tests.tracking_worlds import MOMENTS, Street, branded, on_its_way, scheduled
from tests.web.test_tracking import LIGHTEST, app_of

SHOTS = os.environ.get("HUB_TEST_SHOTS", "")
WITH_ONE_REFUSED = (*MOMENTS, "unknown")


@contextmanager
def served(street: Street) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app_of(street))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


class Watch:
    """What a page asked for and complained of."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda said: self._heard(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "the server responded with a status of 4" not in text:
            self.complaints.append(text)

    def _asked(self, url: str) -> None:
        if not url.startswith("data:"):
            self.requests.append(url)


def a_street(moment: str, helsinki: Path) -> tuple[Street, str]:
    street = branded(scheduled() if moment == "unknown" else MOMENTS[moment]())
    (street.hub.settings.data_dir / "map").symlink_to(helsinki / "map")
    return street, "nothing-here" if moment == "unknown" else street.token


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


LOOKS = [
    ("light", "en"),
    pytest.param("dark", "en", marks=pytest.mark.soak),
    *(
        pytest.param(scheme, code, marks=pytest.mark.soak)
        for scheme in ("light", "dark")
        for code in ("ar", "de")
    ),
]


@pytest.mark.parametrize(("scheme", "language"), LOOKS)
@pytest.mark.parametrize("moment", WITH_ONE_REFUSED)
def test_a_page_is_accessible_quiet_and_light_by_day_and_night_in_every_language(
    browser: Browser, helsinki: Path, moment: str, scheme: Literal["light", "dark"], language: str
) -> None:
    street, token = a_street(moment, helsinki)
    street.change(BusinessRow, language=language)
    with served(street) as url:
        page = browser.new_page(
            viewport={"width": 390, "height": 844},
            color_scheme=scheme,
            reduced_motion="reduce",
            locale=language,
        )
        watch = Watch(page)
        answer = page.goto(f"{url}/t/{token}", wait_until="networkidle")
        assert answer is not None
        body = answer.body()
        assert len(watch.requests) <= 2
        assert all(asked.startswith(url) for asked in watch.requests)
        assert page.context.cookies() == []
        others = [page.request.get(asked).body() for asked in watch.requests[1:]]
        weighs = len(gzip.compress(body)) + sum(map(len, others))
        print(f"{moment} {scheme} {language}: {len(watch.requests)} requests, {weighs} bytes")
        assert weighs <= LIGHTEST
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert watch.complaints == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.locator("html").get_attribute("lang") == language
        shoot(page, f"{moment}-390-{scheme}-{language}")
        page.set_viewport_size({"width": 1280, "height": 900})
        shoot(page, f"{moment}-1280-{scheme}-{language}")
        page.close()


def test_text_twice_as_large_still_fits_a_phone(browser: Browser, helsinki: Path) -> None:
    street, token = a_street("late", helsinki)
    with served(street) as url:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto(f"{url}/t/{token}")
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        shoot(page, "late-390-twice")
        page.evaluate("document.documentElement.dir = 'rtl'")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        shoot(page, "late-390-rtl")
        page.close()


# The words of the page that do not fit between the edges of one line of their own.
BROKEN_WORDS = """() => {
  const broken = []
  const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT)
  for (let node; (node = walk.nextNode()); ) {
    for (const word of node.data.matchAll(/[^\\s-]+/g)) {
      const range = document.createRange()
      range.setStart(node, word.index)
      range.setEnd(node, word.index + word[0].length)
      const boxes = [...range.getClientRects()]
      const isHidden = node.parentElement.closest(".hidden, svg, style")
      if (!isHidden && new Set(boxes.map((box) => Math.round(box.top))).size > 1) broken.push(word[0])
    }
  }
  return broken
}"""


@pytest.mark.parametrize("moment", ["ordered", "scheduled", "rescheduled", "late", "delivered"])
def test_large_text_on_a_small_phone_breaks_no_word_and_hides_nothing(
    browser: Browser, helsinki: Path, moment: str
) -> None:
    street, token = a_street(moment, helsinki)
    if moment == "ordered":
        street.day.now[0] -= timedelta(days=1)
        with street.hub.unit() as unit:
            for job in unit.session.exec(select(JobRow)):
                job.due_on = DAY
    with served(street) as url:
        for width in (320, 390):
            page = browser.new_page(viewport={"width": width, "height": 844})
            page.goto(f"{url}/t/{token}")
            for percent in (100, 200):
                page.evaluate(f"document.documentElement.style.fontSize = '{percent}%'")
                shoot(page, f"{moment}-{width}-{percent}")
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                assert page.evaluate(BROKEN_WORDS) == [], (width, percent)
            tops = page.locator(".steps li").evaluate_all("all => all.map(one => one.offsetTop)")
            assert len(set(tops)) in (1, len(tops))  # whole rows, or one below the other
            page.close()


def test_on_a_wide_screen_the_order_stands_beside_its_state(browser: Browser) -> None:
    street = branded(scheduled())
    with served(street) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for language, is_first in (("en", "#status"), ("ar", "#do")):
            street.change(BusinessRow, language=language)
            page.goto(f"{url}/t/{street.token}")
            at = {what: page.locator(what).bounding_box() for what in ("#where", "#status", "#do")}
            where, status, do = (at[what] or {} for what in ("#where", "#status", "#do"))
            left, right = (status, do) if is_first == "#status" else (do, status)
            assert left["x"] + left["width"] <= right["x"]
            assert where["x"] == status["x"] and where["y"] == do["y"]
        page.close()


def test_the_photo_is_fetched_only_when_asked_for(browser: Browser, helsinki: Path) -> None:
    street, token = a_street("delivered", helsinki)
    with served(street) as url:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        watch = Watch(page)
        page.goto(f"{url}/t/{token}", wait_until="networkidle")
        assert not any("/photo/" in asked for asked in watch.requests)
        with page.expect_response(lambda answer: "/photo/1" in answer.url) as fetched:
            page.get_by_text("Show the photo").click()
        assert fetched.value.status == 200
        expect(page.get_by_role("img", name="Photo 1 of 1")).to_be_visible()
        shoot(page, "delivered-390-photo")
        page.close()


def test_an_open_page_follows_the_round_and_says_what_changed(
    browser: Browser, helsinki: Path
) -> None:
    street = branded(on_its_way())
    with served(street) as url:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        watch = Watch(page)
        page.clock.install()
        page.goto(f"{url}/t/{street.token}")
        expect(page.get_by_text("2 stops before you.")).to_be_visible()
        street.close(street.job_at(2), 8)
        in_a_while(page, page.get_by_text("1 stop before you."))
        street.close(street.job_at(3), 10)
        street.tell("head_for", street.job, 11)
        in_a_while(page, page.get_by_role("heading", name="Arriving now"))
        assert watch.complaints == []
        page.close()


def test_the_page_is_whole_without_javascript(browser: Browser, helsinki: Path) -> None:
    street, token = a_street("on_its_way", helsinki)
    with served(street) as url:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{url}/t/{token}")
        expect(page.get_by_role("heading", name="Your order is on its way")).to_be_visible()
        expect(page.get_by_role("img", name="Map: your address")).to_be_visible()
        context.close()


# Pairs of streets' ends, and how far each point of the way between them is off any street.
WALKED = """() => {
  const pieces = []
  const streets = [...document.querySelectorAll('.map path[id$="-minor"], .map path[id$="-major"]')]
  const lines = []
  for (const path of streets) {
    let at = null
    for (const [, how, x, y] of path.getAttribute("d").matchAll(/([Ml])(-?\\d+) ?(-?\\d+)/g)) {
      const next = how === "M" ? [+x, +y] : [at[0] + +x, at[1] + +y]
      if (how === "M") lines.push([])
      else pieces.push([at, next])
      lines.at(-1).push(next)
      at = next
    }
  }
  const off = (p) => Math.min(...pieces.map(([a, b]) => {
    const [dx, dy] = [b[0] - a[0], b[1] - a[1]]
    const t = Math.max(0, Math.min(1, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / (dx * dx + dy * dy || 1)))
    return Math.hypot(a[0] + t * dx - p[0], a[1] + t * dy - p[1])
  }))
  const found = []
  const inside = ([x, y]) => x > 0 && y > 0 && x < 390 && y < 210
  const ends = lines.map((one) => one[0]).filter(inside).slice(0, 24)
  const pairs = ends.flatMap((from) => ends.map((to) => [from, to]))
  for (const [from, to] of pairs) {
    const apart = Math.hypot(from[0] - to[0], from[1] - to[1])
    if (apart < 30 || apart > 90) continue
    const way = along(from, to)
    const middles = way.slice(1).map((p, n) => [(p[0] + way[n][0]) / 2, (p[1] + way[n][1]) / 2])
    found.push({ corners: way.length, off: Math.max(0, ...[...way, ...middles].map(off)) })
  }
  return found
}"""


def test_between_two_places_the_driver_follows_the_streets_that_are_drawn(
    browser: Browser, helsinki: Path
) -> None:
    street, token = a_street("on_its_way", helsinki)
    with served(street) as url:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto(f"{url}/t/{token}")
        walked = page.evaluate(WALKED)
        led = [one for one in walked if one["corners"]]
        assert len(led) > 20 and len(led) > 0.6 * len(walked)
        assert max(one["off"] for one in led) < 3  # pixels; a street is 4 wide
        assert page.evaluate("() => along([10, 10], [12, -4000])") == []  # no street leads there
        page.close()

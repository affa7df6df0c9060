"""An owner connects a program, sees it fail, mends it and sends again, by clicking only."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from standardwebhooks import Webhook

from hub.testing import serve
from hub.web.app import create_app
from hub.web.staff import COOKIE
from tests.admin.panel_worlds import Panel, a_bakery, a_panel, an_installed_hub
from tests.webhook_worlds import Receiver, World

SHOTS = os.environ.get("HUB_TEST_SHOTS", "")
SIZES = ((1280, 900), (390, 844))


@dataclass
class Desk:
    panel: Panel
    world: World
    url: str
    program: str  # where the receiver is
    browser: Browser

    def page(self, width: int = 1280, height: int = 900, theme: str = "light") -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,  # type: ignore[arg-type]
        )
        context.add_cookies([{"name": COOKIE, "value": self.panel.token, "url": self.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        page.on("console", _no_complaint)
        return page


def _no_complaint(message: ConsoleMessage) -> None:
    assert message.type != "error" or "status of 422" in message.text, message.text


@pytest.fixture
def desk(tmp_path: Path, browser: Browser) -> Iterator[Desk]:
    hub = an_installed_hub(tmp_path, f"sqlite:///{tmp_path}/hub.db")
    panel = a_panel(hub, a_bakery(hub))
    receiver = Receiver()
    world = World(hub, panel.business_id, receiver, [hub.now()])
    with serve(create_app(hub)) as url, serve(receiver.app) as program:
        yield Desk(panel, world, url.rstrip("/"), f"{program}webhooks", browser)


def test_a_program_is_connected_fails_is_mended_and_gets_what_it_missed(desk: Desk) -> None:
    page, found = desk.page(), dict[str, str]()
    page.goto(f"{desk.url}/panel/")
    page.get_by_role("link", name="Webhooks").click()
    _look(page, "none", found)
    page.get_by_role("link", name="Add an endpoint").click()
    page.get_by_label("Address").fill("https://10.0.0.7/webhooks")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("is inside a private network")).to_be_visible()
    _look(page, "refused", found)
    page.get_by_label("Address").fill(desk.program)
    page.get_by_label("What listens there").fill("ERP")
    page.get_by_role("button", name="Add it").click()
    secret = page.get_by_text(re.compile("^whsec_")).inner_text()
    _look(page, "made", found)

    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("It was delivered.")).to_be_visible()
    [call] = desk.world.receiver.calls
    assert Webhook(secret).verify(call.body, call.headers)["type"] == "endpoint.test"
    _look(page, "tested", found)

    desk.world.receiver.be(410, "moved away")
    desk.world.order("R1")
    desk.world.work()
    page.get_by_role("link", name="Home").click()
    page.get_by_role("link", name="Webhooks to ERP were switched off").click()
    _look(page, "off", found)
    page.get_by_role("link", name="order.placed").click()
    expect(page.get_by_text("moved away")).to_be_visible()
    _look(page, "sent", found)
    page.get_by_role("link", name="← ERP").click()
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("It is switched on.")).to_be_visible()
    desk.world.receiver.be(200)
    page.get_by_label("Of what happened since").fill("2020-01-01T00:00")
    page.get_by_role("button", name="Send them again").click()
    expect(page.get_by_text("1 webhook is sent again now.")).to_be_visible()
    desk.world.work()
    page.get_by_role("link", name="Delivered").click()
    expect(page.get_by_role("link", name="order.placed")).to_be_visible()

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Make a new secret").click()
    expect(page.get_by_text("signed with the old one too")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove this endpoint").click()
    expect(page.get_by_text("No program listens yet.")).to_be_visible()
    assert found == {}


@pytest.mark.soak
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=["desk", "phone"])
def test_axe_finds_nothing_on_any_page_of_webhooks(
    desk: Desk, theme: str, size: tuple[int, int]
) -> None:
    world, found = desk.world, dict[str, str]()
    world.listen(url=desk.program, description="ERP")
    about = "A bot in the drivers' chat that says which job has failed"
    world.listen(url=f"{desk.program}/chat", description=about)
    world.order("R1", "R2")
    world.work()
    world.receiver.be(500, "the shelf is full " * 40)
    world.order("R3")
    world.work()
    page = desk.page(*size, theme)
    name = f"{theme}-{size[0]}"
    one = f"{desk.url}/panel/webhooks/{world.endpoint_id}"
    page.goto(f"{desk.url}/panel/webhooks")
    _look(page, f"list-{name}", found)
    page.goto(one)
    _look(page, f"one-{name}", found)
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("It answered 500.").first).to_be_visible()
    _look(page, f"test-failed-{name}", found)
    page.goto(f"{one}?show=waiting")
    page.get_by_role("link", name="order.placed").click()
    _look(page, f"sent-{name}", found)
    page.goto(f"{desk.url}/panel/webhooks/new")
    _look(page, f"new-{name}", found)
    page.goto(f"{desk.url}/api/docs")
    _look(page, f"docs-{name}", found)
    assert found == {}


def _look(page: Page, name: str, found: dict[str, str]) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"webhooks-{name}.png", full_page=True)
    result = Axe().run(page)
    if result.violations_count:
        found[name] = result.generate_report()
    sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if sideways > 0:
        found[f"{name} is too wide"] = str(sideways)

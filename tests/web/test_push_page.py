"""A browser asks to be told of one order: it is, until its link or its page is gone."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlmodel import select

from hub.core.push import read_subscription
from hub.core.values import Role
from hub.db.tables import BusinessRow, NoticeRow, NoticeRuleRow, PushRow
from hub.flows.choices import choose
from hub.flows.links import revoke
from hub.flows.notice_rules import add_rules
from hub.flows.notice_send import send_due
from hub.flows.push import NO_BROWSER
from hub.flows.retain import retain
from hub.testing import WsgiAdapter
from notifiers import web_push
from tests import tracking_worlds as moments
from tests.notifiers.test_webhook_and_push import KEY, POINT, PUSH, text_of
from tests.notifiers.test_webhook_and_push import Browser as Listener
from tests.tracking_worlds import Street, branded
from tests.web.test_tracking import LIGHTEST, client_of
from tests.web.test_tracking_browser import Watch, served, shoot

WORKER = "() => navigator.serviceWorker.getRegistration(location.pathname)"


def pushing(street: Street) -> tuple[Street, Listener]:
    """The business sends push messages, by a push service that stands at its side."""
    hub, listener = street.hub, Listener()
    hub.registry.add(web_push, "web_push")
    hub.tools.http.mount(PUSH, WsgiAdapter(listener.app))
    values = {"private_key": KEY, "contact": "mailto:it@husk.example"}
    choose(hub, street.business_id, "channel", "web_push", values, actor="staff:1")
    add_rules(hub, street.business_id, "web_push")
    with hub.unit() as unit:
        for rule in unit.session.exec(
            select(NoticeRuleRow).where(NoticeRuleRow.channel == "web_push")
        ):
            rule.active = True
            rule.in_quiet = "send"
    return branded(street), listener


def asks(street: Street, told: str) -> int:
    answer = client_of(street).post(f"/t/{street.token}/push", json=json.loads(told))
    return answer.status_code


def listening(street: Street) -> list[PushRow]:
    with street.hub.reading() as session:
        return list(session.exec(select(PushRow)))


def told(street: Street) -> None:
    for _ in range(3):
        street.hub.deliver_events()
    while send_due(street.hub, lease=timedelta(0)):
        pass


def on_the_way(street: Street) -> None:
    street.tell("start_shift", None, 0)
    street.tell("head_for", street.job, 11)
    told(street)


def test_who_asked_is_told_of_this_order_alone() -> None:
    street, listener = pushing(moments.scheduled())
    told(street)
    assert asks(street, listener.subscription()) == 204
    [row] = listening(street)
    assert (row.order_id, row.role) == (street.order.id, "recipient")
    on_the_way(street)
    [shown] = listener.has
    assert shown["title"] == "Husk Bakery"
    assert shown["body"].startswith("Husk Bakery: you are next.")
    assert f"/t/{street.token}" in shown["body"] + shown["url"]


def test_without_a_browser_nothing_is_sent_by_push() -> None:
    street, listener = pushing(moments.scheduled())
    on_the_way(street)
    assert listener.has == []
    with street.hub.reading() as session:
        rows = session.exec(select(NoticeRow).where(NoticeRow.channel == "web_push")).all()
    mine = [row for row in rows if row.order_id == street.order.id]
    assert mine and {row.sends for row in mine} == {0}
    assert NO_BROWSER in {row.error for row in mine}


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(status: int) -> None:
    street, listener = pushing(moments.scheduled())
    told(street)
    asks(street, listener.subscription())
    listener.status = status
    on_the_way(street)
    assert listening(street) == []


def test_it_ends_by_hand_with_the_link_and_with_the_page() -> None:
    street, listener = pushing(moments.scheduled())
    subscription = json.loads(listener.subscription())
    path = f"/t/{street.token}/push"
    client = client_of(street)
    for _ in range(2):
        assert asks(street, listener.subscription()) == 204
    assert len(listening(street)) == 1
    gone = {"endpoint": subscription["endpoint"]}
    assert client.delete(path, json=gone).status_code == 204
    assert listening(street) == []
    asks(street, listener.subscription())
    revoke(street.hub, street.business_id, street.order.id, Role.RECIPIENT, actor="staff:1")
    assert listening(street) == []
    assert client.get(path).status_code == 404


def test_it_is_gone_when_the_page_is() -> None:
    street, listener = pushing(moments.at_the_door())
    asks(street, listener.subscription())
    street.close(street.job, 14, name="Anna")
    street.day.now[0] += timedelta(days=29)
    retain(street.hub)
    assert len(listening(street)) == 1
    street.day.now[0] += timedelta(days=2)
    retain(street.hub)
    assert listening(street) == []


def test_a_page_that_cannot_push_offers_nothing() -> None:
    street = moments.scheduled()
    client = client_of(street)
    assert 'id="notify"' not in client.get(f"/t/{street.token}").text
    assert client.get(f"/t/{street.token}/push").status_code == 404
    done, listener = pushing(moments.delivered())
    assert 'id="notify"' not in client_of(done).get(f"/t/{done.token}").text
    assert asks(done, listener.subscription()) == 404


def a_point(first: int = 4, length: int = 65) -> str:
    return base64.urlsafe_b64encode(bytes([first]) + bytes(length - 1)).decode().rstrip("=")


SECRET = base64.urlsafe_b64encode(bytes(16)).decode().rstrip("=")
GOOD = {"endpoint": "https://fcm.googleapis.com/x", "keys": {"p256dh": a_point(), "auth": SECRET}}


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        GOOD | {"endpoint": "http://fcm.googleapis.com/x"},
        GOOD | {"endpoint": "https://" + "x" * 1001},
        GOOD | {"endpoint": "https://me@fcm.googleapis.com/x"},
        GOOD | {"keys": {"p256dh": a_point(5), "auth": SECRET}},
        GOOD | {"keys": {"p256dh": a_point(4, 64), "auth": SECRET}},
        GOOD | {"keys": {"p256dh": a_point(), "auth": "AAAA"}},
        GOOD | {"keys": {"p256dh": "é", "auth": SECRET}},
        GOOD | {"keys": {"p256dh": 7, "auth": None}},
    ],
)
def test_what_is_no_subscription_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="no "):
        read_subscription(wrong)


def test_a_subscription_is_kept_as_it_came() -> None:
    assert read_subscription(GOOD).as_sent() == GOOD


# Chromium without a window lets nobody subscribe at Google's; this browser's service is ours.
SUBSCRIBES = """told => {
  const made = { endpoint: told.endpoint, toJSON: () => told, unsubscribe: async () => true };
  PushManager.prototype.subscribe = async (options) => { window.asked = options; return made; };
}"""


# Nor does it show anything: there is no desktop.
KEEPS_WHAT_IT_SHOWS = """() => {
  self.kept = [];
  ServiceWorkerRegistration.prototype.showNotification = async (title, { body }) => {
    self.kept.push([title, body]);
  };
}"""


def test_a_real_browser_asks_after_the_tap_and_shows_what_is_pushed(browser: Browser) -> None:
    street, listener = pushing(moments.scheduled())
    told(street)
    with served(street) as url:
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, permissions=["notifications"]
        )
        context.add_init_script(f"({SUBSCRIBES})({listener.subscription()})")
        page = context.new_page()
        watch = Watch(page)
        page.goto(f"{url}/t/{street.token}")
        button = page.get_by_role("button", name="Notify me when it is close")
        expect(button).to_be_visible()
        assert page.evaluate(WORKER + ".then(one => !one)")  # nothing before the tap
        shoot(page, "push-390")
        button.click()
        expect(page.get_by_text("This browser will tell you")).to_be_visible()
        assert page.evaluate("() => window.asked.userVisibleOnly")
        raw = listener.key.public_key().public_bytes(*POINT)
        assert listening(street)[0].subscription["keys"]["p256dh"] == text_of(raw)  # type: ignore[index]
        on_the_way(street)
        [shown] = listener.has
        [worker] = context.service_workers
        worker.evaluate(f"({KEEPS_WHAT_IT_SHOWS})()")
        devtools = context.new_cdp_session(page)
        seen: list[dict[str, Any]] = []
        devtools.on("ServiceWorker.workerRegistrationUpdated", lambda told: seen.append(told))
        devtools.send("ServiceWorker.enable")
        while not (seen and seen[-1]["registrations"]):
            page.wait_for_timeout(50)
        [registered] = seen[-1]["registrations"]
        assert registered["scopeURL"] == f"{url}/t/{street.token}"
        pushed = {"origin": url, "registrationId": registered["registrationId"]}
        devtools.send("ServiceWorker.deliverPushMessage", {**pushed, "data": json.dumps(shown)})
        while not (kept := worker.evaluate("() => self.kept")):
            page.wait_for_timeout(50)
        assert kept == [["Husk Bakery", shown["body"]]]
        page.get_by_role("button", name="Do not notify me").click()
        expect(button).to_be_visible()
        assert listening(street) == []
        assert watch.complaints == []
        context.close()


def test_a_browser_that_blocks_says_how_to_allow_it_and_without_a_script_nothing_is_offered(
    browser: Browser,
) -> None:
    street, _ = pushing(moments.scheduled())
    with served(street) as url:
        context = browser.new_context(viewport={"width": 390, "height": 844})
        blocked = "Notification.requestPermission = async () => 'denied'"
        still = "Object.defineProperty(Notification, 'permission', { get: () => 'denied' })"
        context.add_init_script(f"{blocked}; {still}")
        page = context.new_page()
        page.goto(f"{url}/t/{street.token}")
        page.get_by_role("button", name="Notify me when it is close").click()
        expect(page.get_by_text("Notifications of this site are blocked.")).to_be_visible()
        shoot(page, "push-blocked-390")
        assert listening(street) == []
        context.close()
        plain = browser.new_context(java_script_enabled=False)
        page = plain.new_page()
        page.goto(f"{url}/t/{street.token}")
        assert page.get_by_role("button", name="Notify me when it is close").count() == 0
        plain.close()


def test_an_iphone_that_cannot_is_told_what_there_is_instead(browser: Browser) -> None:
    street, _ = pushing(moments.scheduled())
    with served(street) as url:
        context = browser.new_context(
            user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Safari/604.1"
        )
        context.add_init_script("delete window.PushManager")
        page = context.new_page()
        page.goto(f"{url}/t/{street.token}")
        page.get_by_role("button", name="Notify me when it is close").click()
        expect(page.get_by_text("On an iPhone this works only for apps")).to_be_visible()
        context.close()


def test_the_largest_page_there_is_stays_light(helsinki: Path) -> None:
    street, _ = pushing(moments.arriving())
    (street.hub.settings.data_dir / "map").symlink_to(helsinki / "map")
    street.change(BusinessRow, language="ar")
    page = client_of(street).get(f"/t/{street.token}")
    assert 'id="notify"' in page.text and "© OpenStreetMap contributors" in page.text
    print(len(gzip.compress(page.data)))
    assert len(gzip.compress(page.data)) <= LIGHTEST

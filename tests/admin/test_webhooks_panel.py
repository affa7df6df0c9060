"""Webhooks in the panel: made, tested, seen failing, sent again, and left, by the owner alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import admin
from hub import OrderCancelled
from hub.flows.endpoint_secrets import signing_secrets
from hub.flows.log_in import Role
from tests.admin.desk import text_of
from tests.admin.panel_worlds import Panel, a_panel
from tests.webhook_worlds import ERP, URL, World, a_world

NEW = "/panel/webhooks/new"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world("", tmp_path, admin)


@pytest.fixture
def panel(world: World) -> Panel:
    return a_panel(world.hub, world.business_id)


def where(world: World) -> str:
    return f"/panel/webhooks/{world.endpoint_id}"


def test_an_endpoint_is_made_and_its_secret_shown_once(world: World, panel: Panel) -> None:
    assert "No program listens yet." in panel.get("/panel/webhooks").text
    told = panel.post(NEW, url=URL, description="ERP", types=["order.placed", "job.failed"]).text
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", told)
    [world.endpoint_id] = set(re.findall(r"/panel/webhooks/([0-9a-f-]{36})", told))
    assert signing_secrets(world.hub, world.business_id, world.endpoint_id) == [secret]
    assert world.endpoint().types == ["order.placed", "job.failed"]
    for path in ("/panel/webhooks", where(world)):
        assert "whsec_" not in panel.get(path).text


@pytest.mark.parametrize(
    ("given", "field", "why"),
    [
        ({"url": "https://127.0.0.1/", "types": ["order.placed"]}, "url", "private network"),
        (
            {"url": "http://93.184.215.14/", "types": ["order.placed"]},
            "url",
            "must begin with https",
        ),
        ({"url": "", "types": ["order.placed"]}, "url", "Please fill this in."),
        ({"url": URL}, "types", "Choose at least 1."),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_kept(
    panel: Panel, given: dict[str, object], field: str, why: str
) -> None:
    answer = panel.post(NEW, **given)
    assert answer.status_code == 422
    [said] = re.findall(rf'id="{field}-error">([^<]*)<', answer.text)
    assert why in said
    assert "No program listens yet." in panel.get("/panel/webhooks").text


def test_a_test_shows_its_answer_at_once(world: World, panel: Panel) -> None:
    world.listen()
    world.receiver.be(200, "<b>thanks</b>")
    told = panel.post(f"{where(world)}/test", follow=False)
    assert told.status_code == 302  # to reload what follows sends nothing again
    told = panel.get(told.location).text
    assert len(world.receiver.calls) == 1
    assert "It was delivered." in told
    assert "&lt;b&gt;thanks&lt;/b&gt;" in told
    world.receiver.be(401, "who are you?")
    told = panel.post(f"{where(world)}/test").text
    assert "Does it know the secret?" in told
    assert "who are you?" in told


def test_what_was_given_up_is_seen_with_every_attempt_and_sent_again(
    world: World, panel: Panel
) -> None:
    world.listen(description="ERP")
    world.receiver.be(500, "the shelf is full")
    world.order("R1")
    world.work()
    [row] = world.webhooks()
    one = f"/panel/webhooks/sent/{row.id}"
    assert "failing from the start" in panel.get(where(world)).text
    assert "Send it now" in panel.get(one).text  # rather than when its pause is over
    assert world.work() == 0
    assert "It is sent now, under the same id." in panel.post(f"{one}/again").text
    assert world.work() == 1
    while world.work() or world.to_the_next():
        pass
    assert "Webhooks to ERP were switched off" in text_of(panel.get("/panel/"))
    told = text_of(panel.get(f"{where(world)}?show=dead"))
    assert "needs you" in told
    assert "Given up (1)" in told
    told = panel.get(one).text
    assert told.count("the shelf is full") == 10
    assert "&#34;ref&#34;: &#34;R1&#34;" in told
    assert "switch the endpoint on first" in told
    assert "is switched off" in panel.post(f"{where(world)}/again", since="2026-11-23T00:00").text
    panel.post(f"{where(world)}/switch", on="1")
    world.receiver.be(200)
    [offered] = re.findall(r'name="since"[^>]* value="([^"]*)"', panel.get(where(world)).text)
    assert offered.startswith("2026-11-23T")  # when it happened, days before it was given up
    assert "1 webhook is sent again now." in text_of(
        panel.post(f"{where(world)}/again", since=offered)
    )
    assert "on its way already" in panel.post(f"{one}/again").text
    world.work()
    assert "delivered" in panel.get(one).text
    assert "under the same id" in panel.post(f"{one}/again").text
    world.work()
    assert {call.key for call in world.receiver.calls} == {row.id}
    assert "switched off" not in text_of(panel.get("/panel/"))


def test_the_time_since_is_meant_in_the_business_s_zone(world: World, panel: Panel) -> None:
    world.listen(types=["order.cancelled"])
    world.receiver.be(410)
    world.order("R1")
    world.later(minutes=-61)  # 06:59 in Helsinki
    world.announce(world.order_ids()[0], OrderCancelled)
    world.later(minutes=61)
    world.work()
    panel.post(f"{where(world)}/switch", on="1")
    told = text_of(panel.post(f"{where(world)}/again", since="2026-11-23T07:00"))
    assert "Nothing that happened since then has failed." in told
    told = text_of(panel.post(f"{where(world)}/again", since="2026-11-23T06:59"))
    assert "1 webhook is sent again now." in told
    answer = panel.post(f"{where(world)}/again", since="yesterday")
    assert (answer.status_code, 'id="since-error"' in answer.text) == (422, True)


def test_settings_secret_switch_and_removal(world: World, panel: Panel) -> None:
    world.listen()
    told = panel.post(where(world), url=f"{ERP}/new", description="ERP", types=["order.placed"])
    assert "Saved." in told.text
    assert (world.endpoint().url, world.endpoint().types) == (f"{ERP}/new", ["order.placed"])
    told = panel.post(where(world), url="https://10.0.0.1/", types=["order.placed"])
    assert told.status_code == 422
    assert world.endpoint().url == f"{ERP}/new"
    told = panel.post(f"{where(world)}/secret")
    assert told.text.count("whsec_") == 1
    assert world.secret not in told.text
    assert "whsec_" not in panel.get(where(world)).text
    assert "nothing is sent to it" in panel.post(f"{where(world)}/switch", on="0").text
    assert world.endpoint().state == "off"
    assert "It is removed" in panel.post(f"{where(world)}/remove").text
    assert panel.get(where(world)).status_code == 404


def test_the_log_has_pages(world: World, panel: Panel) -> None:
    world.listen()
    world.order(*(f"R{n}" for n in range(60)))
    world.work()
    first = panel.get(where(world)).text
    [older] = re.findall(r'href="([^"]*before=[^"#]*)#log"', first)
    second = panel.get(older.replace("&amp;", "&")).text
    ids = [set(re.findall(r"/sent/([0-9a-f-]{36})", text)) for text in (first, second)]
    assert (len(ids[0]), len(ids[1]), len(ids[0] | ids[1])) == (50, 10, 60)


def test_only_owners_come_here(world: World, panel: Panel) -> None:
    world.listen()
    world.order("R1")
    world.work()
    dispatcher = a_panel(world.hub, world.business_id, Role.DISPATCHER, "dora@example.com")
    assert "Webhooks" not in dispatcher.get("/panel/").text
    sent = f"/panel/webhooks/sent/{world.webhooks()[0].id}"
    for path in ("/panel/webhooks", NEW, where(world), sent):
        assert dispatcher.get(path).status_code == 403
    actions = [f"{where(world)}/{what}" for what in ("test", "switch", "secret", "again", "remove")]
    for path in (NEW, where(world), f"{sent}/again", *actions):
        assert dispatcher.post(path).status_code == 403

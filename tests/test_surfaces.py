"""Every route belongs to a surface, and every surface asks who is there in its own way."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

import admin
from hub.app import Hub
from hub.flows.found import found
from hub.flows.log_in import Role, add_staff, log_in, staff_of
from hub.web.app import create_app
from hub.web.staff import COOKIE
from tests.driving_worlds import Plugin

# What of the application anybody may fetch, and why.
OPEN = {
    "static.one": "files of ours, the same for everybody",
    "home": "leads to the panel",
    "front.ask": "our front door, whether a name is a business's; it lets nobody through to it",
    "health": "says only that pages are served",
    "docs.openapi_json": "the API's description",
    "docs.page": "the API's documentation",
    "auth.log_in_page": "before one is known",
    "auth.log_in_now": "before one is known",
    "auth.start_page": "the first account, guarded by its code",
    "auth.start_now": "the first account, guarded by its code",
    "auth.welcome_page": "an invited colleague, by a signed link",
    "auth.welcome_now": "an invited colleague, by a signed link",
    "auth.reach": "a phone that shows it reaches the hub, by a signed link",
    "hooks.called": "connected sources, at an address nobody guesses and signed",
    "hooks.keys": "a store that hands over keys, at an address good for once",
    "hooks.told": "carriers of messages, at an address nobody guesses and signed",
    "hooks.answer": "carriers of messages, at an address nobody guesses and signed",
    "unsubscribe.show": "whoever got a mail, by the link in it, throttled",
    "unsubscribe.said": "whoever got a mail, by the link in it, throttled",
    "tracking.worker": "what shows a page's push messages, the same for everybody",
    "driver.pair_phone": "a phone that is not known yet, by its code, throttled",
}
SURFACES = {
    "panel": "/panel",
    "board": "/board",
    "api": "/api/v1",
    "driver": "/driver/api",
    "tracking": "/t/",
}
ANYBODYS_OWN = {"auth.log_out_now", "home.password", "home.switch"}  # every role may


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    return Hub.in_memory(Plugin(), admin, data_dir=tmp_path_factory.mktemp("surfaces"))


@pytest.fixture(scope="module")
def app(hub: Hub) -> Flask:
    return create_app(hub)


def the_rules() -> list[Rule]:
    app = create_app(Hub.in_memory(Plugin(), admin))
    return sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)


RULES = the_rules()


def url_of(rule: Rule) -> str:
    path = re.sub(r"<int:[^>]+>", "1", rule.rule).replace("<shown>", "2026-11-23")
    return re.sub(r"<[^>]+>", "01900000-0000-7000-8000-000000000000", path)


def surface_of(rule: Rule) -> str:
    for name, prefix in SURFACES.items():
        if rule.rule.startswith(prefix):
            return name
    return "shell" if rule.rule.startswith("/driver/") else "open"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.rule} {rule.endpoint}")
def test_a_stranger_gets_nothing_that_is_not_named_as_open(app: Flask, rule: Rule) -> None:
    if rule.endpoint in OPEN:
        return
    surface = surface_of(rule)
    for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
        answer = app.test_client().open(url_of(rule), method=method)
        match surface:
            case "panel" | "board" if method == "GET":
                assert answer.status_code == 302
                assert answer.headers["Location"].startswith("/panel/log-in")
            case "panel" | "board" | "api" | "driver":
                assert answer.status_code == 401
            case "tracking":
                assert answer.status_code in (404, 429)
            case "shell":  # the driver's page itself: the same files for every phone
                assert method == "GET"
                assert COOKIE not in answer.headers.get("Set-Cookie", "")
            case _:
                pytest.fail(f"{rule.endpoint} belongs to no surface and is not named as open")


def test_nothing_is_named_as_open_that_is_gone() -> None:
    assert set(OPEN) <= {rule.endpoint for rule in RULES}


@pytest.fixture(scope="module")
def viewer(hub: Hub, app: Flask) -> tuple[FlaskClient, str]:
    business_id = found(hub, "Husk", zone="UTC")
    password = "only looks, never touches"
    add_staff(hub, business_id, email="v@husk.example", password=password, role=Role.VIEWER)
    token = log_in(hub, "v@husk.example", password, address="here") or ""
    staff = staff_of(hub, token)
    assert staff
    client = app.test_client()
    client.set_cookie(COOKIE, token)
    return client, staff.csrf


@pytest.mark.parametrize(
    "rule",
    [r for r in RULES if "POST" in (r.methods or ()) and r.rule.startswith(("/panel", "/board"))],
    ids=lambda rule: f"{rule.rule} {rule.endpoint}",
)
def test_a_viewer_changes_nothing(viewer: tuple[FlaskClient, str], rule: Rule) -> None:
    if rule.endpoint in OPEN or rule.endpoint in ANYBODYS_OWN:
        return
    client, csrf = viewer
    assert client.post(url_of(rule), data={"csrf": csrf}).status_code in (403, 404, 405)

"""Who is asked where an address is: outside services tried before they are kept, in an order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from sqlmodel import select
from werkzeug.serving import make_server

from hub.app import Hub
from hub.core.values import Address
from hub.db.tables import ChoiceRow, SecretRow
from hub.flows.choices import choices
from hub.flows.locate import AddressBook
from hub.flows.log_in import Role
from tests.admin.panel_worlds import Panel, a_bakery, a_panel, an_installed_hub

SEARCH = "/panel/settings/address-search"
OUTSIDE = f"{SEARCH}/http"


class Photon:
    """A service that knows one door, and what it was asked with."""

    def __init__(self) -> None:
        self.port = 0
        self.status = 200
        self.asked: list[dict[str, str]] = []


@pytest.fixture
def photon() -> Iterator[Photon]:
    service = Photon()
    app = Flask("photon")

    @app.get("/api")
    def answer() -> Any:
        service.asked.append({**request.args, "X-Key": request.headers.get("X-Key", "")})
        door = {"housenumber": "10", "street": "Yrjönkatu", "city": "Helsinki"}
        point = {"coordinates": [24.94, 60.16]}
        return {"features": [{"geometry": point, "properties": door}]}, service.status

    server = make_server("127.0.0.1", 0, app, threaded=True)
    service.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield service
    server.shutdown()


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return an_installed_hub(tmp_path / "data")


@pytest.fixture
def panel(hub: Hub) -> Panel:
    return a_panel(hub, a_bakery(hub))


def form(port: int, **more: str) -> dict[str, str]:
    return {
        "dialect": "photon",
        "url": f"http://127.0.0.1:{port}/api?q={{q}}",
        "key": "s3cret",
        "key_header": "X-Key",
        "contact": "hi@husk.example",
        "pause_s": "",
        "timeout_s": "",
        **more,
    }


def asked_in_order(panel: Panel) -> list[str]:
    rows = choices(panel.hub, panel.business_id, "geocoder")
    return [row.plugin for row in rows if row.active]


def test_until_something_is_chosen_the_map_is_asked(panel: Panel) -> None:
    page = panel.get(SEARCH).text
    assert page.count('class="pill ok">asked') == 1
    assert f'href="{SEARCH}"' in panel.get("/panel/settings").text


def test_an_outside_service_is_tried_kept_and_asked_after_the_map(
    panel: Panel, photon: Photon
) -> None:
    assert "works, and is asked from now on." in panel.post(OUTSIDE, **form(photon.port)).text
    assert asked_in_order(panel) == ["osm", "http"]
    book = AddressBook.of(panel.hub, panel.business_id)
    found = book.ask(Address(("Yrjönkatu 10",), city="Helsinki", country="FI"))
    assert found["http"].point.lat == 60.16
    assert photon.asked[-1] == {"q": "Yrjönkatu 10, Helsinki", "X-Key": "s3cret"}


def test_its_key_is_stored_sealed_and_never_shown(panel: Panel, photon: Photon) -> None:
    panel.post(OUTSIDE, **form(photon.port))
    page = panel.get(OUTSIDE).text
    assert "s3cret" not in page
    assert "Leave it empty to keep" in page
    with panel.hub.reading() as session:
        assert "s3cret" not in str([row.settings for row in session.exec(select(ChoiceRow))])
        assert "s3cret" not in session.exec(select(SecretRow)).one().sealed
    panel.post(OUTSIDE, **form(photon.port, key=""))
    assert photon.asked[-1]["X-Key"] == "s3cret"


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"url": "https://x.example/"}, "url", "Put {q} where the address goes."),
        ({"url": "ftp://{q}"}, "url", "Begin the address with https://."),
        ({"dialect": "google"}, "dialect", "Choose one of the list."),
        ({"pause_s": "61"}, "pause_s", "At most 60."),
    ],
)
def test_wrong_settings_stand_at_their_fields(
    panel: Panel, change: dict[str, str], field: str, sentence: str
) -> None:
    answer = panel.post(OUTSIDE, **form(1, **change))
    assert answer.status_code == 422
    assert f'id="{field}-error">{sentence}' in answer.text
    assert "hi@husk.example" in answer.text
    assert asked_in_order(panel) == []


def test_a_service_that_does_not_answer_is_not_kept(panel: Panel, photon: Photon) -> None:
    photon.status = 503
    answer = panel.post(OUTSIDE, **form(photon.port))
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert asked_in_order(panel) == []


def test_a_service_inside_the_network_is_refused_with_what_to_do(panel: Panel) -> None:
    answer = panel.post(OUTSIDE, **form(1, url="http://10.0.0.1:8080/?q={q}"))
    assert answer.status_code == 422
    assert "names 10.0.0.1:8080 in HUB_HTTP_ALLOW" in answer.text


def test_services_are_put_in_order_and_switched_off(panel: Panel, photon: Photon) -> None:
    panel.post(OUTSIDE, **form(photon.port))
    panel.post(f"{OUTSIDE}/up")
    assert asked_in_order(panel) == ["http", "osm"]
    panel.post(f"{OUTSIDE}/switch", active="0")
    assert asked_in_order(panel) == ["osm"]
    assert "Nobody is asked." in panel.post(f"{SEARCH}/osm/switch", active="0").text
    panel.post(f"{OUTSIDE}/switch", active="1")
    assert asked_in_order(panel) == ["http"]


def test_a_service_nobody_installed_or_chose_is_404(panel: Panel) -> None:
    assert panel.get(f"{SEARCH}/nothing").status_code == 404
    assert panel.post(f"{SEARCH}/nothing", **form(1)).status_code == 404
    for action in ("up", "switch"):
        assert panel.post(f"{OUTSIDE}/{action}", active="1").status_code == 404


def test_one_business_s_choice_is_nobody_else_s(hub: Hub, panel: Panel, photon: Photon) -> None:
    panel.post(OUTSIDE, **form(photon.port))
    rival = a_panel(hub, a_bakery(hub), email="rival@example.com")
    page = rival.get(OUTSIDE).text
    assert str(photon.port) not in page
    assert "Leave it empty to keep" not in page
    for action in ("up", "switch"):
        assert rival.post(f"{OUTSIDE}/{action}", active="0").status_code == 404
    assert asked_in_order(panel) == ["osm", "http"]


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.ACCOUNTANT, Role.VIEWER])
def test_only_owners_choose(hub: Hub, role: Role) -> None:
    panel = a_panel(hub, a_bakery(hub), role)
    assert panel.get(SEARCH).status_code == 403
    assert panel.get(OUTSIDE).status_code == 403
    for path in (OUTSIDE, f"{OUTSIDE}/up", f"{OUTSIDE}/switch"):
        assert panel.post(path, **form(1)).status_code == 403

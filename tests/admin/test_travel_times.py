"""Who is asked how long ways take: set up by an owner, tried before it is kept, and in an order."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import select

from hub import Point
from hub.app import Hub
from hub.db.tables import ChoiceRow, SecretRow
from hub.flows.choices import choices
from hub.flows.log_in import Role
from hub.flows.roads import travel_between
from hub.testing import WsgiAdapter
from tests.admin.panel_worlds import Panel, a_bakery, a_panel, an_installed_hub
from tests.fakes.roads import KEY, RoadsService
from tests.fakes.traffic import KEY as TRAFFIC_KEY
from tests.fakes.traffic import TrafficServices

PAGE = "/panel/settings/travel-times"
SERVICE = f"{PAGE}/http"
ORIGIN = "https://roads.example"
STREET = [Point(60.168 + n / 1000, 24.94) for n in range(3)]


@pytest.fixture
def service(helsinki: Path) -> RoadsService:
    return RoadsService(helsinki)


@pytest.fixture
def panel(tmp_path: Path, service: RoadsService) -> Panel:
    hub = an_installed_hub(tmp_path / "data")
    hub.tools.http.mount(ORIGIN, WsgiAdapter(service.app))
    return a_panel(hub, a_bakery(hub))


def form(**more: str) -> dict[str, str]:
    return {
        "dialect": "valhalla",
        "url": ORIGIN,
        "key": KEY,
        "key_name": "Authorization",
        "key_in": "header",
        "names": "",
        "try_at": "60.17, 24.94",
        "at_once": "",
        "most_places": "",
        "good_for_h": "",
        "timeout_s": "",
        **more,
    }


def test_until_a_map_is_built_the_page_says_how_to_get_one(panel: Panel) -> None:
    page = panel.get(PAGE).text
    assert "hub map build" in page
    assert "not set up" in page
    assert f'href="{PAGE}"' in panel.get("/panel/settings").text


def test_a_service_is_tried_kept_sealed_and_what_it_spares_is_shown(panel: Panel) -> None:
    assert "works, and is asked from now on." in panel.post(SERVICE, **form()).text
    for _ in range(2):
        travel_between(panel.hub, panel.business_id, STREET, panel.hub.now(), "van")
    page = panel.get(PAGE).text
    assert "Of 12 ways that this hub needed, 50 in 100 were known already" in page
    assert KEY not in panel.get(SERVICE).text
    with panel.hub.reading() as session:
        assert KEY not in str([row.settings for row in session.exec(select(ChoiceRow))])
        assert KEY not in session.exec(select(SecretRow)).one().sealed


def test_a_service_that_knows_the_traffic_is_set_up_by_its_key_alone(
    panel: Panel, helsinki: Path
) -> None:
    services = TrafficServices(helsinki, panel.hub.now())
    for origin in services.origins:
        panel.hub.tools.http.mount(origin, WsgiAdapter(services.app))
    page = panel.get(f"{PAGE}/traffic").text
    for title in ("Google", "HERE", "Mapbox", "TomTom"):
        assert f">{title}</option>" in page or f">{title}<" in page
    told = {"service": "here", "try_at": "60.17, 24.94", "most_places": "", "good_for_h": ""}
    refused = panel.post(f"{PAGE}/traffic", **told, key="wr0ng")
    assert refused.status_code == 422
    assert "does not accept these credentials" in refused.text
    answer = panel.post(f"{PAGE}/traffic", **told, key=TRAFFIC_KEY).text
    assert "A service that knows the traffic (Google, HERE, Mapbox, TomTom): works" in answer
    assert services.bodies[-1]["transportMode"] == "car"


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"url": "roads.example"}, "url", "Begin the address with https://."),
        ({"dialect": "osrm", "names": "boat=ferry"}, "names", "There is no &#39;boat&#39;."),
        ({"try_at": ""}, "try_at", "Name a place to try the service with"),
        ({"at_once": "0"}, "at_once", "At least 1."),
    ],
)
def test_wrong_settings_stand_at_their_fields(
    panel: Panel, change: dict[str, str], field: str, sentence: str
) -> None:
    answer = panel.post(SERVICE, **form(**change))
    assert answer.status_code == 422
    assert f'id="{field}-error">{sentence}' in answer.text
    assert choices(panel.hub, panel.business_id, "travel_times") == []


@pytest.mark.parametrize("mood", ["down", "locked", "babbling"])
def test_a_service_that_does_not_answer_is_not_kept(
    panel: Panel, service: RoadsService, mood: str
) -> None:
    service.mood = mood
    answer = panel.post(SERVICE, **form())
    assert answer.status_code == 422
    assert 'class="error"' in answer.text or 'role="alert"' in answer.text
    assert choices(panel.hub, panel.business_id, "travel_times") == []


def test_it_is_switched_off_and_on_and_nobody_else_s(panel: Panel) -> None:
    panel.post(SERVICE, **form())
    assert "Switched off." in panel.post(f"{SERVICE}/switch", active="0").text
    [row] = choices(panel.hub, panel.business_id, "travel_times")
    assert not row.active
    rival = a_panel(panel.hub, a_bakery(panel.hub), email="rival@example.com")
    assert "roads.example" not in rival.get(SERVICE).text
    for action in ("up", "switch"):
        assert rival.post(f"{SERVICE}/{action}", active="1").status_code == 404
    assert panel.get(f"{PAGE}/nothing").status_code == 404


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.ACCOUNTANT, Role.VIEWER])
def test_only_owners_choose(tmp_path: Path, role: Role) -> None:
    hub: Hub = an_installed_hub(tmp_path / "data")
    panel = a_panel(hub, a_bakery(hub), role)
    for path in (PAGE, SERVICE):
        assert panel.get(path).status_code == 403
    for path in (SERVICE, f"{SERVICE}/up", f"{SERVICE}/switch"):
        assert panel.post(path, **form()).status_code == 403

"""Settings, API keys, plugins and the map: what an owner sets by clicking."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from sqlmodel import select

from hub import hookimpl
from hub.app import Hub
from hub.core.rush_hours import RushHour
from hub.db.tables import ApiKeyRow
from hub.flows.api_keys import caller, make_key
from hub.flows.business import business_of
from hub.flows.log_in import Role
from hub.flows.map_build import map_state
from tests.admin.panel_worlds import Panel, a_bakery, a_fleet, a_panel, an_installed_hub
from tests.conftest import HELSINKI

FORM = {
    "name": "Husk Bakery",
    "zone": "Europe/Helsinki",
    "country": "Finland",
    "language": "en",
    "trade": "fresh_food",
    "demands": ["photo", "name"],
    "failure_demands": ["note"],
    "eta_moves_min": "10",
    "window_min": "45",
    "service_min": "2.5",
    "sure_percent": "85",
    "most_attempts": "2",
    "page_full_h": "24",
    "page_bare_days": "10",
    "proof_days": "200",
    "fixes_days": "14",
}


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return an_installed_hub(tmp_path / "data")


@pytest.fixture
def panel(hub: Hub) -> Panel:
    return a_panel(hub, a_bakery(hub))


def test_settings_are_kept_in_the_hub_s_units(panel: Panel) -> None:
    assert "Saved." in panel.post("/panel/settings", **FORM).text
    row, kept = business_of(panel.hub, panel.business_id)
    assert (row.country, row.trade) == ("FI", "fresh_food")
    assert kept.eta_moves_s == 600
    assert (kept.window_s, kept.service_s, kept.sure_at) == (2700, 150, 0.85)
    assert kept.demands == ["photo", "name"]
    assert 'value="45"' in panel.get("/panel/settings").text


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("zone", "Mars/Olympus", "No such time zone."),
        ("country", "Atlantis", "No country the hub knows."),
        ("window_min", "5", "At least 15."),
        ("proof_days", "soon", "This must be a whole number."),
        ("demands", "blood", "Choose one of the list."),
    ],
)
def test_a_wrong_setting_stands_at_its_field(
    panel: Panel, field: str, typed: str, sentence: str
) -> None:
    answer = panel.post("/panel/settings", **{**FORM, field: typed})
    assert answer.status_code == 422 and f'id="{field}-error">{sentence}' in answer.text
    assert business_of(panel.hub, panel.business_id)[1].window_s == 3600


def line(n: int, *typed: str) -> dict[str, str]:
    columns = ("first_day", "last_day", "begins", "ends", "factor", "profile")
    return {f"rush_hours-{n}-{name}": one for name, one in zip(columns, typed, strict=True)}


RUSH = {**line(0, "0", "4", "07:00", "09:00", "1.4", ""), **line(1, "0", "4", "", "", "", "")}


def test_rush_hours_are_kept_line_by_line_and_empty_lines_are_dropped(panel: Panel) -> None:
    weekend = line(5, "5", "6", "11:00", "13:00", "1,2", "van")
    assert "Saved." in panel.post("/panel/settings", **FORM, **RUSH, **weekend).text
    kept = business_of(panel.hub, panel.business_id)[1].rush_hours
    assert kept == [
        RushHour(0, 4, 7 * 60, 9 * 60, 1.4),
        RushHour(5, 6, 11 * 60, 13 * 60, 1.2, "van"),
    ]
    page = panel.get("/panel/settings").text
    assert page.count('role="group"') == 2 + 2 and 'value="07:00"' in page
    assert '<option value="van" selected>Vans' in page
    assert "Saved." in panel.post("/panel/settings", **FORM).text
    assert business_of(panel.hub, panel.business_id)[1].rush_hours == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (line(1, "0", "4", "07:00", "", "1.4", ""), "Line 2: Say from when to when"),
        (line(1, "0", "4", "10:00", "11:00", "fast", ""), "Line 2: Say how many times"),
        (line(1, "0", "4", "10:00", "11:00", "14", ""), "Line 2: Say how many times"),
        (line(1, "0", "9", "10:00", "11:00", "1.4", ""), "Line 2: Choose one of the list."),
        (
            line(1, "2", "2", "08:00", "10:00", "1.2", ""),
            "Mon–Fri 07:00–09:00 and Wed 08:00–10:00 are both for all vehicles and overlap.",
        ),
    ],
)
def test_a_wrong_rush_hour_stands_at_its_table_with_what_was_typed(
    panel: Panel, wrong: dict[str, str], sentence: str
) -> None:
    answer = panel.post("/panel/settings", **FORM, **{**RUSH, **wrong})
    assert answer.status_code == 422 and f'id="rush_hours-error">{sentence}' in answer.text
    typed = wrong["rush_hours-1-factor"]
    assert 'value="07:00"' in answer.text and f'value="{typed}"' in answer.text
    assert business_of(panel.hub, panel.business_id)[1].rush_hours == []


def test_a_trade_s_suggestions_leave_the_rush_hours_as_typed(panel: Panel) -> None:
    page = panel.post("/panel/settings", **FORM, **RUSH, suggest="1").text
    assert 'value="07:00"' in page and 'value="1.4"' in page


def test_a_trade_s_suggestions_are_shown_before_they_are_saved(panel: Panel) -> None:
    page = panel.post("/panel/settings", **{**FORM, "trade": "pharmacy"}, suggest="1").text
    assert "Look at them, then save." in page and 'value="1095"' in page
    assert business_of(panel.hub, panel.business_id)[1].proof_days == 365


def test_a_key_is_shown_once_and_opens_the_api_until_it_is_revoked(panel: Panel) -> None:
    page = panel.post("/panel/keys", title="Shop", scopes=["orders:write"]).text
    key = "lmh_" + page.split("lmh_")[1].split("<")[0]
    who = caller(panel.hub, key)
    assert who is not None and who.business_id == panel.business_id
    assert key not in panel.get("/panel/keys").text
    assert "opens nothing any more" in panel.post(f"/panel/keys/{who.key_id}/revoke").text
    assert caller(panel.hub, key) is None


def test_a_key_needs_a_purpose_and_something_it_may_do(panel: Panel) -> None:
    answer = panel.post("/panel/keys", title=" ", scopes=["everything"])
    assert (
        answer.status_code == 422
        and 'id="title-error"' in answer.text
        and 'id="scopes-error"' in answer.text
    )
    with panel.hub.reading() as session:
        assert session.exec(select(ApiKeyRow)).all() == []


def test_another_business_s_key_is_404(hub: Hub, panel: Panel) -> None:
    key_id, key = make_key(hub, a_bakery(hub), "Rival's shop", ["orders:read"])
    assert panel.post(f"/panel/keys/{key_id}/revoke").status_code == 404
    assert "Rival" not in panel.get("/panel/keys").text and caller(hub, key) is not None


def test_the_plugins_page_names_what_works_and_what_does_not(tmp_path: Path) -> None:
    hub = an_installed_hub(tmp_path / "data")

    class Broken:
        @hookimpl
        def hub_geocoders(self) -> list[type]:
            return [int]

    hub.registry.add(Broken(), "broken-geocoder")
    page = a_panel(hub, a_bakery(hub)).get("/panel/plugins").text
    assert "broken-geocoder could not be used." in page
    assert "E-mail" in page and "Route planning:" in page and "lastmile" in page.lower()


def test_an_extract_is_kept_for_the_worker_and_the_page_says_so(panel: Panel) -> None:
    a_fleet(panel.hub, panel.business_id)
    with HELSINKI.open("rb") as file:
        page = panel.post("/panel/map", extract=(file, "helsinki.osm.pbf"), within_km="5").text
    assert "A map is being built" in page
    asked = map_state(panel.hub).asked
    assert asked is not None and (asked.within_km, asked.file_name) == (5.0, "helsinki.osm.pbf")
    assert panel.get("/panel/map/state").json == {"stage": "waiting", "step": "", "percent": 0}


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"within_km": ""}, "Choose a file *.osm.pbf first."),
        ({"within_km": "near"}, "This must be a number, or empty."),
        ({"within_km": ""}, "This is no OpenStreetMap extract."),
    ],
)
def test_what_is_no_extract_is_refused_with_a_sentence(
    panel: Panel, form: dict[str, str], sentence: str
) -> None:
    upload = {} if sentence.startswith("Choose") else {"extract": (BytesIO(b"PK\3\4 zip"), "x.zip")}
    answer = panel.post("/panel/map", **form, **upload)
    assert answer.status_code == 422 and sentence in answer.text


def test_without_a_depot_nothing_is_asked_that_would_fail_after_the_upload(panel: Panel) -> None:
    assert 'name="within_km"' not in panel.get("/panel/map").text
    with HELSINKI.open("rb") as file:
        page = panel.post("/panel/map", extract=(file, "helsinki.osm.pbf")).text
    assert "A map is being built" in page
    a_fleet(panel.hub, panel.business_id)
    assert panel.named("/panel/map", "within_km") == "25"


def test_a_distance_that_cannot_be_is_said_at_its_own_field(panel: Panel) -> None:
    with HELSINKI.open("rb") as file:
        page = panel.post("/panel/map", extract=(file, "h.osm.pbf"), within_km="25").text
    assert 'id="within_km-error">There is no depot yet' in page
    assert 'id="extract-error"' not in page


def test_the_map_in_use_is_drawn_with_what_it_holds(helsinki: Path, tmp_path: Path) -> None:
    (tmp_path / "map").symlink_to(helsinki / "map")
    hub = an_installed_hub(tmp_path)
    page = a_panel(hub, a_bakery(hub)).get("/panel/map").text
    assert "In use" in page and "<svg" in page and "OpenStreetMap" in page


@pytest.mark.parametrize("path", ["settings", "keys", "plugins", "map", "map/state"])
def test_only_owners_get_in(hub: Hub, path: str) -> None:
    panel = a_panel(hub, a_bakery(hub), Role.DISPATCHER)
    assert panel.get(f"/panel/{path}").status_code == 403

"""Depots, vehicles and drivers by clicking: saved through flows, and only ours."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from sqlmodel import select

from admin.words import Clock
from hub.app import Hub
from hub.core.values import Point
from hub.db.tables import AuditRow, DepotRow, DeviceRow, DriverRow, VehicleRow
from hub.flows.log_in import Role
from hub.flows.pairing import pair, pairing_code
from hub.flows.swapped import looks_swapped
from hub.keys import tracker_hash
from hub.live.values import Device
from tests.admin.panel_worlds import Panel, a_bakery, a_fleet, a_panel, an_installed_hub
from tests.flows.test_retain import put_fix

RECORDS = "/panel/records"


@pytest.fixture
def hub(tmp_path: Path, database_url: str) -> Hub:
    return an_installed_hub(tmp_path / "data", database_url)


@pytest.fixture
def panel(hub: Hub) -> Panel:
    return a_panel(hub, a_bakery(hub))


@pytest.fixture
def theirs(hub: Hub) -> tuple[str, str, str]:
    """Another business's depot, vehicle and driver."""
    return a_fleet(hub, a_bakery(hub), "Rival")


def rows(hub: Hub, table: type) -> list:
    with hub.reading() as session:
        return list(session.exec(select(table)))


def test_an_empty_list_is_one_sentence_and_one_action(panel: Panel) -> None:
    page = panel.get(f"{RECORDS}/depots").text
    assert "No depot yet" in page and "Add a depot" in page and "<table" not in page


def test_a_depot_is_saved_with_whose_hand_it_was(panel: Panel) -> None:
    answer = panel.post(
        f"{RECORDS}/depots/new/",
        name="Home",
        address="Yrjönkatu 1",
        lat="60.1655",
        lon="24.9414",
        pinned_address="Yrjönkatu 1",
        pinned_at="",
        strategy="nearest",
        service_min="4.5",
    )
    assert "Home is saved." in answer.text
    (depot,) = rows(panel.hub, DepotRow)
    assert (depot.strategy, depot.service_s, depot.business_id) == (
        "nearest",
        270,
        panel.business_id,
    )
    audit = [row for row in rows(panel.hub, AuditRow) if row.action == "depot saved"]
    assert audit and audit[0].actor.startswith("staff:")


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", " ", "Please fill this in."),
        ("lat", "north", "This must be a number."),
        ("lat", "91", "At most 90."),
        ("service_min", "-1", "At least 0."),
        ("strategy", "magic", "This way of planning is not installed."),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(
    panel: Panel, field: str, typed: str, sentence: str
) -> None:
    form = {
        "name": "Home <b>",
        "address": "",
        "lat": "60.1",
        "lon": "24.9",
        "strategy": "pyvrp",
        "service_min": "3",
    }
    answer = panel.post(f"{RECORDS}/depots/new/", **{**form, field: typed})
    assert answer.status_code == 422
    assert f'id="{field}-error">{sentence}' in answer.text
    assert ("Home &lt;b&gt;" in answer.text) or field == "name"
    assert rows(panel.hub, DepotRow) == []


def test_a_pin_given_by_coordinates_needs_no_map(panel: Panel) -> None:
    page = panel.post(
        f"{RECORDS}/depots/new/",
        name="Home",
        address="60.17, 24.94",
        find="1",
        strategy="pyvrp",
        service_min="3",
    ).text
    assert 'value="60.170000"' in page and "<svg" in page


def test_before_a_map_is_built_an_address_is_not_called_misspelt(panel: Panel) -> None:
    page = panel.post(f"{RECORDS}/depots/new/", name="Home", address="Yrjönkatu 1", find="1")
    assert "There is no map yet, so no address can be found." in page.text
    assert '<a href="/panel/map">' in page.text


def test_coordinates_the_wrong_way_round_are_asked_back(panel: Panel) -> None:
    page = panel.post(
        f"{RECORDS}/depots/new/",
        name="Home",
        lat="24.94",
        lon="60.17",
        strategy="pyvrp",
        service_min="3",
    )
    assert page.status_code == 422 and "Latitude and longitude look swapped" in page.text


@pytest.mark.parametrize(
    ("point", "zone"),
    [
        (Point(60.17, 24.94), "Europe/Helsinki"),
        (Point(-21.1, 55.5), "Europe/Paris"),  # Réunion, far from home but itself
        (Point(40.71, -74.0), "America/New_York"),
        (Point(24.94, 60.17), "UTC"),
    ],
)
def test_a_depot_that_is_only_far_away_is_not_called_swapped(point: Point, zone: str) -> None:
    assert not looks_swapped(point, zone)


def test_two_vehicles_or_depots_cannot_be_called_the_same(panel: Panel) -> None:
    """Two vans "ABC-123" could not be told apart where one is chosen."""
    a_fleet(panel.hub, panel.business_id)
    page = panel.post(f"{RECORDS}/vehicles/new/", name="home VAN", profile="car")
    assert "There is a vehicle of this name already." in page.text
    point = {"lat": "60.2", "lon": "24.9", "strategy": "pyvrp", "service_min": "3"}
    page = panel.post(f"{RECORDS}/depots/new/", name="Home", **point)
    assert "There is a depot of this name already." in page.text


def test_an_address_nobody_knows_is_asked_back(panel: Panel, helsinki: Path) -> None:
    panel.hub.settings.data_dir.mkdir(exist_ok=True)
    (panel.hub.settings.data_dir / "map").symlink_to(helsinki / "map")
    page = panel.post(
        f"{RECORDS}/depots/new/",
        name="Home",
        address="Nowhere 1",
        strategy="pyvrp",
        service_min="3",
    )
    assert page.status_code == 422 and "The map does not know this address." in page.text


def test_a_moved_address_does_not_keep_the_old_pin(panel: Panel) -> None:
    depot_id, *_ = a_fleet(panel.hub, panel.business_id)
    path = f"{RECORDS}/depots/edit/?id={depot_id}"
    was = {name: panel.named(path, name) for name in ("pinned_address", "pinned_at", "lat", "lon")}
    answer = panel.post(
        path, **was, name="Home", address="Elsewhere 99", strategy="pyvrp", service_min="3"
    )
    assert answer.status_code == 422
    assert rows(panel.hub, DepotRow)[0].address == "Yrjönkatu 1"


def test_a_vehicle_keeps_whole_grams_and_cubic_centimetres(panel: Panel) -> None:
    panel.post(
        f"{RECORDS}/vehicles/new/",
        name="Van",
        profile="car",
        parcels="40",
        kg="812.5",
        litres="",
        skills="Fridge, tail lift, fridge",
        active="1",
    )
    (van,) = rows(panel.hub, VehicleRow)
    assert van.capacity == {"parcels": 40, "g": 812_500}
    assert van.skills == ["fridge", "tail lift"]
    page = panel.get(f"{RECORDS}/vehicles/edit/?id={van.id}").text
    assert 'value="812.5"' in page


def test_a_driver_s_week_goes_over_midnight_and_the_phone_is_read_by_country(panel: Panel) -> None:
    panel.post(
        f"{RECORDS}/drivers/new/",
        **{
            "name": "Mara",
            "phone": "040 123 4567",
            "active": "1",
            "works-4-from": "22:00",
            "works-4-to": "06:00",
        },
    )
    (driver,) = rows(panel.hub, DriverRow)
    assert (driver.phone, driver.works) == ("+358401234567", {"4": ["22:00", "06:00"]})


@pytest.mark.parametrize(
    ("form", "field", "sentence"),
    [
        ({"works-0-from": "08:00"}, "works", "Monday has a beginning or an end, but not both."),
        ({"phone": "call me"}, "phone", "This is not a telephone number."),
        ({"vehicle_id": "0190-unknown"}, "vehicle_id", "This one is not there any more."),
    ],
)
def test_a_driver_s_mistakes_stand_at_their_fields(
    panel: Panel, form: dict[str, str], field: str, sentence: str
) -> None:
    answer = panel.post(f"{RECORDS}/drivers/new/", name="Mara", active="1", **form)
    assert answer.status_code == 422 and f'id="{field}-error">{sentence}' in answer.text


def test_a_driver_cannot_be_given_another_business_s_van(
    panel: Panel, theirs: tuple[str, str, str]
) -> None:
    depot_id, vehicle_id, _ = theirs
    for form in ({"vehicle_id": vehicle_id}, {"depot_id": depot_id}):
        assert panel.post(f"{RECORDS}/drivers/new/", name="Mara", **form).status_code == 422
    page = panel.get(f"{RECORDS}/drivers/new/").text
    assert "Rival" not in page


def test_nothing_of_another_business_is_listed_counted_or_exported(
    panel: Panel, theirs: tuple[str, str, str]
) -> None:
    a_fleet(panel.hub, panel.business_id)
    for name in ("depots", "vehicles", "drivers", "changes"):
        for path in (
            f"{RECORDS}/{name}/",
            f"{RECORDS}/{name}/?search=Rival",
            f"{RECORDS}/{name}/export/csv/",
        ):
            answer = panel.get(path)
            assert answer.status_code == 200
            assert "Rival" not in answer.text.replace('value="Rival"', "")
    assert "1 depot<" in panel.get(f"{RECORDS}/depots/").text


def test_a_tracking_app_gets_an_address_once_and_can_be_shut_out(panel: Panel) -> None:
    *_, driver_id = a_fleet(panel.hub, panel.business_id)
    shown = panel.post(f"{RECORDS}/drivers/tracker/", id=driver_id).text
    found = re.search(r"/live/trackers/([\w-]{40,})", shown)
    assert found is not None and "OwnTracks" in shown
    [device] = rows(panel.hub, DeviceRow)
    assert device.token_hash == tracker_hash(found[1])
    page = panel.get(f"{RECORDS}/drivers/edit/?id={driver_id}").text
    assert found[1] not in page and "Added" in page and "No phone is paired" in page
    panel.post(f"{RECORDS}/drivers/revoke/", id=device.id)
    assert "Added" not in panel.get(f"{RECORDS}/drivers/edit/?id={driver_id}").text


def test_another_business_s_ids_are_404_at_every_door(
    panel: Panel, theirs: tuple[str, str, str]
) -> None:
    device_id = _paired(panel.hub, theirs[2])
    for name, row_id in zip(("depots", "vehicles", "drivers"), theirs, strict=True):
        base = f"{RECORDS}/{name}"
        assert panel.get(f"{base}/edit/?id={row_id}").status_code == 404
        assert panel.post(f"{base}/edit/?id={row_id}", name="Mine now").status_code == 404
        assert panel.post(f"{base}/delete/", id=row_id).status_code == 404
        assert panel.post(f"{base}/action/", action="delete", rowid=row_id).status_code == 404
        assert panel.get(f"{base}/ajax/lookup/?name=vehicle&query=Rival").status_code == 404
        assert (
            panel.post(f"{base}/ajax/update/", list_form_pk=row_id, name="Mine").status_code == 404
        )
        assert panel.get(f"{base}/details/?id={row_id}").status_code in (
            200,
            404,
        )  # leads to the list
    assert panel.post(f"{RECORDS}/drivers/pair/", id=theirs[2]).status_code == 404
    assert panel.post(f"{RECORDS}/drivers/tracker/", id=theirs[2]).status_code == 404
    assert panel.post(f"{RECORDS}/drivers/revoke/", id=device_id).status_code == 404
    assert {row.name for row in rows(panel.hub, DepotRow)} == {"Rival"}


def test_every_filter_filters(panel: Panel) -> None:
    depot_id, *_ = a_fleet(panel.hub, panel.business_id, "Home")
    a_fleet(panel.hub, panel.business_id, "Harbour")
    page = panel.get(f"{RECORDS}/drivers/?search=Harbour&flt0_0=&flt1_1=1").text
    assert "Harbour Mara" in page and "Home Mara" not in page
    page = panel.get(f"{RECORDS}/drivers/?flt0_0={depot_id}").text
    assert "Home Mara" in page and "Harbour Mara" not in page
    assert "Nothing here looks like this." in panel.get(f"{RECORDS}/vehicles/?flt1_1=0").text


def test_an_export_holds_no_formula(panel: Panel) -> None:
    panel.post(f"{RECORDS}/vehicles/new/", name='=HYPERLINK("x")', profile="car")
    answer = panel.get(f"{RECORDS}/vehicles/export/csv/")
    table = list(csv.reader(StringIO(answer.text)))
    assert table[1][0] == '\'=HYPERLINK("x")' and table[1][-1] == "no"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_a_form_without_our_token_changes_nothing(panel: Panel) -> None:
    depot_id, *_ = a_fleet(panel.hub, panel.business_id)
    answer = panel.client.post(f"{RECORDS}/depots/delete/", data={"id": depot_id})
    assert answer.status_code == 403 and len(rows(panel.hub, DepotRow)) == 1


def test_what_is_used_stays_and_says_why(panel: Panel) -> None:
    depot_id, vehicle_id, driver_id = a_fleet(panel.hub, panel.business_id)
    assert "This depot stays" in panel.post(f"{RECORDS}/depots/delete/", id=depot_id).text
    assert "This vehicle stays" in panel.post(f"{RECORDS}/vehicles/delete/", id=vehicle_id).text
    assert "is removed." in panel.post(f"{RECORDS}/drivers/delete/", id=driver_id).text
    assert "is removed." in panel.post(f"{RECORDS}/depots/delete/", id=depot_id).text
    assert rows(panel.hub, DepotRow) == []


def test_a_new_driver_is_offered_a_usual_week_and_a_free_one_is_warned_of(panel: Panel) -> None:
    page = panel.get(f"{RECORDS}/drivers/new/").text
    assert page.count('value="08:00"') == page.count('value="17:00"') == 5
    warning = "Otso works on no day"
    assert warning in panel.post(f"{RECORDS}/drivers/new/", name="Otso", active="1").text
    hours = {"works-0-from": "08:00", "works-0-to": "12:00"}
    answer = panel.post(f"{RECORDS}/drivers/new/", name="Mara", active="1", **hours)
    assert "works on no day" not in answer.text


def test_the_pairing_page_says_that_the_link_pairs_at_once(panel: Panel) -> None:
    *_, driver_id = a_fleet(panel.hub, panel.business_id)
    page = panel.post(f"{RECORDS}/drivers/pair/", id=driver_id).text
    assert "paired at once" in page and "press “Pair this phone”" not in page


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ACCOUNTANT])
def test_who_may_only_look_is_offered_and_allowed_no_change(hub: Hub, role: Role) -> None:
    business_id = a_bakery(hub)
    depot_id, *_ = a_fleet(hub, business_id)
    panel = a_panel(hub, business_id, role)
    page = panel.get(f"{RECORDS}/depots/").text
    assert "Home" in page and "Add a depot" not in page
    assert panel.get(f"{RECORDS}/depots/edit/?id={depot_id}").status_code == 403
    assert panel.post(f"{RECORDS}/depots/delete/", id=depot_id).status_code == 403
    assert panel.get(f"{RECORDS}/changes/").status_code == 403


def test_a_driver_who_left_pairs_no_phone_and_the_page_says_so(panel: Panel) -> None:
    """The page showed a code that no phone could use."""
    _, _, driver_id = a_fleet(panel.hub, panel.business_id)
    edit = f"{RECORDS}/drivers/edit/?id={driver_id}"
    with panel.hub.unit() as unit:
        unit.session.get_one(DriverRow, driver_id).active = False
    page = panel.get(edit).text
    assert "does not work here: no phone of theirs opens" in page
    assert "Pair a phone" not in page
    told = panel.post(f"{RECORDS}/drivers/pair/", id=driver_id)
    assert "does not work here. Say that they do" in told.text
    assert "/driver/pair#" not in told.text


def test_a_phone_is_paired_by_what_the_page_shows_and_shut_out_again(panel: Panel) -> None:
    *_, driver_id = a_fleet(panel.hub, panel.business_id)
    page = panel.post(f"{RECORDS}/drivers/pair/", id=driver_id).text
    code = page.split("/driver/pair#")[1][:10]
    assert "<svg" in page and f"{code[:5]} {code[5:]}" in page
    assert pair(panel.hub, code)
    (phone,) = rows(panel.hub, DeviceRow)
    at = panel.hub.now() + timedelta(hours=26)
    put_fix(panel.hub, Device(phone.id, panel.business_id, driver_id), at)
    page = panel.get(f"{RECORDS}/drivers/edit/?id={driver_id}").text
    assert "Shut out" in page
    assert f"Last seen {Clock.of('Europe/Helsinki').moment(at)}" in page, "it counted taps alone"
    assert "No phone is paired." in panel.post(f"{RECORDS}/drivers/revoke/", id=phone.id).text
    assert rows(panel.hub, DeviceRow)[0].revoked_at is not None


def test_nothing_of_flask_admin_s_own_look_is_served(panel: Panel) -> None:
    page = panel.get(f"{RECORDS}/depots/").text
    assert "bootstrap" not in page and "onclick" not in page and "javascript:" not in page
    assert panel.get(f"{RECORDS}/static/admin/js/helpers-1.0.0.js").status_code == 404


def _paired(hub: Hub, driver_id: str) -> str:
    with hub.reading() as session:
        driver = session.get_one(DriverRow, driver_id)
    pair(hub, pairing_code(hub, driver.business_id, driver_id))
    return rows(hub, DeviceRow)[0].id


def test_what_a_vehicle_costs_and_holds_is_kept_and_shown_again(panel: Panel) -> None:
    sent = {"day_cost": "35", "km_cost": "0", "hour_cost": "", "further": "Pallets: 6"}
    panel.post(f"{RECORDS}/vehicles/new/", name="Van", profile="car", kg="800", **sent)
    (van,) = rows(panel.hub, VehicleRow)
    assert van.planning == {"fixed_cost": 3500, "per_km": 0}
    assert van.capacity == {"g": 800_000, "pallets": 6}
    path = f"{RECORDS}/vehicles/edit/?id={van.id}"
    page = panel.get(path).text
    assert "<details open>" in page and 'value="pallets: 6"' in page
    assert panel.named(path, "day_cost") == "35"
    assert panel.named(path, "km_cost") == "0"
    assert "800 kg, 6 pallets" in panel.get(f"{RECORDS}/vehicles").text


def test_how_a_driver_is_planned_is_kept_and_shown_again(panel: Panel) -> None:
    sent = {
        "ends_at": "last",
        "breaks": "30 min between 11:30 and 13:30; 15 min at 9:00",
        "longest_h": "9.5",
        "most_jobs": "40",
        "overtime_min": "60",
        "overtime_cost": "37.50",
        "door_percent": "120",
    }
    panel.post(f"{RECORDS}/drivers/new/", name="Mara", active="1", **sent)
    (mara,) = rows(panel.hub, DriverRow)
    assert mara.planning == {
        "ends_at": "last",
        "breaks": "30 min between 11:30 and 13:30, 15 min at 09:00",
        "max_duration_s": 34_200,
        "max_jobs": 40,
        "overtime_s": 3600,
        "overtime_per_hour": 3750,
        "door_percent": 120,
    }
    path = f"{RECORDS}/drivers/edit/?id={mara.id}"
    assert panel.named(path, "overtime_cost") == "37.5"
    assert panel.named(path, "breaks") == mara.planning["breaks"]
    panel.post(path, name="Mara", active="1", **dict.fromkeys(sent, ""))
    assert rows(panel.hub, DriverRow)[0].planning == {}


@pytest.mark.parametrize(
    ("field", "typed", "cure"),
    [
        ("breaks", "lunch", "Write it as: 30 min between 11:30 and 13:30"),
        ("longest_h", "30", "At most 24."),
        ("most_jobs", "0", "More than 0."),
        ("overtime_min", "soon", "This must be a whole number."),
        ("overtime_cost", "-1", "At least 0."),
        ("door_percent", "5", "At least 20."),
    ],
)
def test_a_rule_that_cannot_be_is_told_at_its_field(
    panel: Panel, field: str, typed: str, cure: str
) -> None:
    page = panel.post(f"{RECORDS}/drivers/new/", name="Mara", active="1", **{field: typed})
    assert page.status_code == 422 and "<details open>" in page.text
    error = re.search(rf'id="{field}-error">([^<]*)', page.text)
    assert error and cure in error[1]


def test_a_day_cannot_end_at_anothers_depot(panel: Panel, theirs: tuple[str, str, str]) -> None:
    page = panel.post(f"{RECORDS}/drivers/new/", name="Mara", active="1", ends_at=theirs[0])
    assert page.status_code == 422 and "This one is not there any more." in page.text

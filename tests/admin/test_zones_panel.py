"""Zones by clicking: typed, drawn, brought as a file, given to drivers, refused in words."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.db.tables import AuditRow, DriverRow, VehicleRow, ZoneRow
from hub.flows.fleet import DepotIn, save_depot
from hub.flows.log_in import Role
from hub.flows.zones import ZoneIn, save_zone
from tests.admin.panel_worlds import Panel, a_bakery, a_fleet, a_panel, an_installed_hub

ZONES = "/panel/records/zones"
SQUARE = "60.160000, 24.920000\n60.160000, 24.960000\n60.180000, 24.960000\n60.180000, 24.920000"
GEOJSON = (
    '{"type": "Feature", "geometry": {"type": "Polygon", "coordinates":'
    " [[[24.92, 60.16], [24.96, 60.16], [24.96, 60.18], [24.92, 60.18], [24.92, 60.16]]]}}"
)


@pytest.fixture
def hub(tmp_path: Path, database_url: str) -> Hub:
    return an_installed_hub(tmp_path / "data", database_url)


@pytest.fixture
def panel(hub: Hub) -> Panel:
    business_id = a_bakery(hub)
    a_fleet(hub, business_id)
    return a_panel(hub, business_id, Role.DISPATCHER)


def zones(hub: Hub) -> list[ZoneRow]:
    with hub.reading() as session:
        return list(session.exec(select(ZoneRow).order_by(ZoneRow.name)))


def test_a_zone_is_saved_with_whose_hand_it_was(hub: Hub, panel: Panel) -> None:
    answer = panel.post(f"{ZONES}/new/", name="Centre", postcodes="001*, 00200 to 00299", area="")
    assert "Centre is saved." in answer.text and "001*, 00200 to 00299" in answer.text
    panel.post(f"{ZONES}/new/", name="Drawn", postcodes="", area=SQUARE)
    centre, drawn = zones(hub)
    assert centre.postcodes == ["001*", "00200 to 00299"] and centre.area == []
    assert drawn.area == [[[[60.16, 24.92], [60.16, 24.96], [60.18, 24.96], [60.18, 24.92]]]]
    page = panel.get(f"{ZONES}/edit/?id={drawn.id}").text
    assert SQUARE in page and 'data-zone="area"' in page
    with hub.reading() as session:
        assert "zone saved" in session.exec(select(AuditRow.action)).all()


def test_a_file_of_geojson_takes_the_place_of_what_was_drawn(hub: Hub, panel: Panel) -> None:
    file = (BytesIO(GEOJSON.encode()), "districts.geojson")
    panel.post(f"{ZONES}/new/", name="Filed", postcodes="", area="", area_file=file)
    [zone] = zones(hub)
    assert len(zone.area[0][0]) == 4 and zone.area[0][0][0] == [60.16, 24.92]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"postcodes": "", "area": ""}, "Draw the area on the map, or write the postal codes"),
        ({"postcodes": "*"}, "“*” is no postal code."),
        ({"area": "60.1, 24.9\n60.2, 24.9"}, "An area has at least three corners."),
        ({"area": "here"}, "“here” is not understood."),
        ({"area_file": b"\xff\xfe\x00"}, "This file is no text"),
        ({"area_file": b"{}"}, "This is not GeoJSON with a polygon in it."),
        ({"name": "", "postcodes": "00100"}, "Please fill this in."),
    ],
)
def test_what_is_typed_wrongly_stays_with_the_reason_beside_it(
    hub: Hub, panel: Panel, typed: dict[str, object], said: str
) -> None:
    form = {"name": "Centre", "postcodes": "", "area": "", **typed}
    if isinstance(form.get("area_file"), bytes):
        form["area_file"] = (BytesIO(form["area_file"]), "a.json")
    answer = panel.post(f"{ZONES}/new/", **form)
    assert answer.status_code == 422 and said in answer.text
    assert zones(hub) == []


def test_looking_closer_keeps_what_was_typed_and_stores_nothing(hub: Hub, panel: Panel) -> None:
    whole = panel.named(f"{ZONES}/new/", "box")
    typed = {"name": "Centre", "postcodes": "001*", "area": SQUARE, "box": whole}
    answer = panel.post(f"{ZONES}/new/", look="farther", **typed)
    assert answer.status_code == 200 and "001*" in answer.text and SQUARE in answer.text
    assert zones(hub) == []

    def wide(box: str) -> float:
        _, west, _, east = map(float, box.split(","))
        return east - west

    seen = answer.text.split('name="box" value="')[1].split('"')[0]
    assert wide(seen) == pytest.approx(2 * wide(whole), rel=0.01)
    for nonsense in ("", "1,2", "9,9,9,9", "nan,nan,nan,nan", "a,b,c,d"):
        assert (
            panel.post(f"{ZONES}/new/", look="closer", **{**typed, "box": nonsense}).status_code
            == 200
        )


def test_drivers_and_vehicles_keep_to_zones_of_the_form(hub: Hub, panel: Panel) -> None:
    with hub.reading() as session:
        driver, van = session.exec(select(DriverRow)).one(), session.exec(select(VehicleRow)).one()
    page = panel.get(f"/panel/records/drivers/edit/?id={driver.id}").text
    assert "There is nothing to choose from yet." in page
    zone = save_zone(hub, panel.business_id, ZoneIn(name="Centre", postcodes="1*"), actor="test")
    asked = {"name": "Mara", "zones": zone.id, "zone_rule": "prefer", "outside_cost": "4.50"}
    panel.post(f"/panel/records/drivers/edit/?id={driver.id}", **asked)
    given = {
        "name": "Van",
        "profile": "van",
        "zones": zone.id,
        "most_loads": "3",
        "reload_min": "9",
    }
    panel.post(f"/panel/records/vehicles/edit/?id={van.id}", **given)
    with hub.reading() as session:
        driver, van = session.exec(select(DriverRow)).one(), session.exec(select(VehicleRow)).one()
    assert driver.planning == {"zones": [zone.id], "zone_rule": "prefer", "outside_cost": 450}
    kept = {"zones": [zone.id], "zone_rule": "must", "max_reloads": 2, "reload_s": 540}
    assert van.planning == kept
    shown = panel.get(f"/panel/records/drivers/edit/?id={driver.id}").text
    assert f'value="{zone.id}" checked' in shown and 'value="4.5"' in shown
    answer = panel.post(f"{ZONES}/delete/", id=zone.id)
    assert "This zone stays: Mara, Van keeps to it." in answer.text


def test_a_price_that_is_missing_is_asked_for_at_its_field(hub: Hub, panel: Panel) -> None:
    with hub.reading() as session:
        driver = session.exec(select(DriverRow)).one()
    zone = save_zone(hub, panel.business_id, ZoneIn(name="Centre", postcodes="1*"), actor="test")
    asked = {"name": "Mara", "zones": zone.id, "zone_rule": "prefer", "outside_cost": ""}
    answer = panel.post(f"/panel/records/drivers/edit/?id={driver.id}", **asked)
    assert answer.status_code == 422
    assert 'id="outside_cost-error">Say what a stop outside costs, more than 0.' in answer.text


def test_another_businesss_zone_is_neither_seen_nor_given(hub: Hub, panel: Panel) -> None:
    rival = a_bakery(hub)
    given = DepotIn(name="Rival", address="x", lat=60.2, lon=24.9)
    save_depot(hub, rival, given, actor="test")
    theirs = save_zone(hub, rival, ZoneIn(name="Theirs", postcodes="1*"), actor="test")
    assert "Theirs" not in panel.get(ZONES).text
    assert panel.get(f"{ZONES}/edit/?id={theirs.id}").status_code == 404
    assert panel.post(f"{ZONES}/delete/", id=theirs.id).status_code == 404
    with hub.reading() as session:
        mine = select(DriverRow).where(DriverRow.business_id == panel.business_id)
        driver = session.exec(mine).one()
    asked = {"name": "Mara", "zones": theirs.id, "zone_rule": "must"}
    answer = panel.post(f"/panel/records/drivers/edit/?id={driver.id}", **asked)
    assert answer.status_code == 422 and "not there any more" in answer.text


def test_a_viewer_looks_and_changes_nothing(hub: Hub, panel: Panel) -> None:
    viewer = a_panel(hub, panel.business_id, Role.VIEWER, "vera@example.com")
    assert "No zone yet" in viewer.get(ZONES).text
    assert viewer.post(f"{ZONES}/new/", name="Mine", postcodes="1*").status_code == 403
    assert zones(hub) == []

"""Addresses nobody was sure of get their pin from a person, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.app import Hub
from hub.db.tables import JobRow, PlaceRow
from tests.admin.desk import Desk, a_desk, a_hub, text_of, with_orders


@pytest.fixture
def hub(helsinki: Path, tmp_path: Path) -> Hub:
    return a_hub(helsinki, tmp_path)


@pytest.fixture
def desk(hub: Hub) -> Desk:
    desk = a_desk(hub)
    with_orders(desk)
    return desk


def unsure(desk: Desk) -> PlaceRow:
    waiting = {job.place_id for job in desk.rows(JobRow) if job.state == "needs_review"}
    return next(place for place in desk.rows(PlaceRow) if place.id in waiting)


def test_an_unsure_address_waits_with_its_orders(desk: Desk) -> None:
    page = text_of(desk.get("/panel/addresses"))
    assert "Nosuchstreet 999" in page
    assert "1003" in page


def test_setting_the_pin_frees_the_order(desk: Desk) -> None:
    place = unsure(desk)
    told = desk.post(f"/panel/addresses/{place.id}/pin", follow=True, lat="60,1695", lon="24.9354")
    assert "Every address is on the map." in text_of(told)
    assert {job.state for job in desk.rows(JobRow)} == {"created"}
    kept = next(p for p in desk.rows(PlaceRow) if p.id == place.id)
    assert (kept.lat, kept.lon, kept.source) == (60.1695, 24.9354, "staff")


@pytest.mark.parametrize(
    ("lat", "lon"), [("", ""), ("north", "24"), ("91", "24"), ("nan", "1"), ("1e400", "2")]
)
def test_a_pin_off_the_map_is_a_sentence_at_the_field(desk: Desk, lat: str, lon: str) -> None:
    place = unsure(desk)
    answer = desk.post(f"/panel/addresses/{place.id}/pin", lat=lat, lon=lon)
    assert answer.status_code == 422
    assert 'id="lat-error"' in answer.text
    assert f'value="{lat}"' in answer.text
    assert unsure(desk).lat is None


def test_another_address_is_looked_for(desk: Desk) -> None:
    page = desk.get(f"/panel/addresses/{unsure(desk).id}?q=Mannerheimintie 14, Helsinki")
    assert "Mannerheimintie 14" in text_of(page)
    assert "Use this" in text_of(page)
    assert 'data-pin="stop"' in page.text


def test_the_middle_of_a_town_is_not_offered_as_a_door(desk: Desk) -> None:
    """ "Helsinki, a guess" had the page's main button."""
    page = desk.get(f"/panel/addresses/{unsure(desk).id}?q=Nosuchstreet 1, Helsinki")
    assert "only the town" in text_of(page)
    assert "button small secondary" in page.text and "Use its middle" in text_of(page)
    assert "Use this" not in text_of(page)


@pytest.mark.parametrize("around", ["", "0", "3", "5", "99", "-1", "x"])
def test_the_map_reaches_as_far_as_asked(desk: Desk, around: str) -> None:
    page = desk.get(f"/panel/addresses/{unsure(desk).id}?lat=60.17&lon=24.94&around={around}")
    assert page.status_code == 200
    assert "data-zoom=" in page.text


def test_what_to_know_at_the_door_is_kept(desk: Desk) -> None:
    place = unsure(desk)
    path = f"/panel/addresses/{place.id}/notes"
    desk.post(path, access_note="Gate code 12", safe_place="Porch", minutes="4,5")
    kept = next(p for p in desk.rows(PlaceRow) if p.id == place.id)
    assert (kept.access_note, kept.safe_place, kept.service_s) == ("Gate code 12", "Porch", 270)
    wrong = desk.post(path, access_note="Gate code 13", safe_place="", minutes="long")
    assert wrong.status_code == 422
    assert "Gate code 13" in wrong.text
    assert desk.post(path, minutes="inf").status_code == 422


def test_known_addresses_are_found(desk: Desk) -> None:
    assert "Yrjönkatu 10" in text_of(desk.get("/panel/addresses?q=yrjonkatu"))
    assert desk.get("/panel/addresses?q=%25_").status_code == 200


def test_an_address_of_another_business_is_not_found(hub: Hub, desk: Desk) -> None:
    place, other = unsure(desk), a_desk(hub, "Neighbours")
    assert other.get(f"/panel/addresses/{place.id}").status_code == 404
    assert other.post(f"/panel/addresses/{place.id}/pin", lat="60", lon="24").status_code == 404
    assert other.post(f"/panel/addresses/{place.id}/notes", minutes="1").status_code == 404
    assert "Nosuchstreet" not in other.get("/panel/addresses?q=nosuch").text
    assert unsure(desk).lat is None


def test_a_desk_without_a_map_still_sets_pins(tmp_path: Path) -> None:
    desk = a_desk(a_hub(None, tmp_path))
    with_orders(desk)
    place = unsure(desk)
    assert desk.get(f"/panel/addresses/{place.id}").status_code == 200
    assert desk.post(f"/panel/addresses/{place.id}/pin", lat="60.1", lon="24.9").status_code == 302

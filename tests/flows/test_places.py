"""What a dispatcher sees of the places that wait, and what the hub remembers of each."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Contact, Point, Role
from hub.db.tables import AuditRow, PlaceRow
from hub.flows.connections import connection_id
from hub.flows.found import found
from hub.flows.locate import locate_new, set_pin
from hub.flows.places import contacts_at, remember, search, to_review
from hub.flows.sync import store_all

SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)


@pytest.fixture
def hub(helsinki: Path, tmp_path: Path) -> Hub:
    (tmp_path / "map").symlink_to(helsinki / "map")
    return Hub.in_memory(now=lambda: SIX, data_dir=tmp_path)


@pytest.fixture
def bakery(hub: Hub) -> str:
    return found(hub, "Husk", zone="Europe/Helsinki", country="FI")


def an_order(hub: Hub, business_id: str, number: str, street: str, name: str = "Aino") -> None:
    order = IncomingOrder(
        ref=number,
        number=number,
        updated_at=SIX,
        address=Address((street,), city="Helsinki", country="FI"),
        contacts=(Contact(Role.RECIPIENT, name),),
    )
    store_all(hub, business_id, connection_id(hub, business_id, "api"), [order])


def place_id(hub: Hub, business_id: str) -> str:
    with hub.reading() as session:
        return session.exec(select(PlaceRow.id).where(PlaceRow.business_id == business_id)).one()


def test_a_place_to_review_shows_its_orders_and_where_it_might_be(hub: Hub, bakery: str) -> None:
    an_order(hub, bakery, "1001", "Yrjönkatu 999", "Aino")
    an_order(hub, bakery, "1002", "YRJÖNKATU 999", "Eero")
    an_order(hub, bakery, "1003", "Yrjönkatu 10", "Oona")
    locate_new(hub, bakery)
    [seen] = to_review(hub, bakery)
    assert seen.order_numbers == ("1001", "1002")
    assert [one.recipient for one in seen.waiting] == ["Aino", "Eero"]
    assert seen.address.lines == ("Yrjönkatu 999",)
    [candidate] = seen.candidates
    assert candidate.geocoder == "osm"
    assert "Yrjönkatu" in candidate.match.label
    assert 0 < candidate.match.confidence < 0.8


def test_a_pinned_place_leaves_the_list(hub: Hub, bakery: str) -> None:
    an_order(hub, bakery, "1001", "Nosuchstreet 1")
    locate_new(hub, bakery)
    [seen] = to_review(hub, bakery)
    set_pin(hub, bakery, seen.place_id, Point(60.17, 24.94), actor="staff:1")
    assert to_review(hub, bakery) == []


def test_another_businesss_places_are_not_seen_found_or_changed(hub: Hub, bakery: str) -> None:
    other = found(hub, "Other", zone="Europe/Helsinki", country="FI")
    an_order(hub, bakery, "1001", "Nosuchstreet 1")
    locate_new(hub, bakery)
    place = place_id(hub, bakery)
    assert to_review(hub, other) == []
    with pytest.raises(LookupError):
        remember(
            hub,
            other,
            place,
            access_note="x",
            safe_place="",
            contacts=(),
            service_s=None,
            actor="staff:2",
        )
    set_pin(hub, bakery, place, Point(60.17, 24.94), actor="staff:1")
    assert search(hub, other, "Nosuchstreet 1") == []


@pytest.mark.parametrize(
    "text", ["Yrjönkatu 10", "yrjonkatu 10, Helsinki", "Yrjönkatu 10, 00120 Helsinki"]
)
def test_a_search_finds_a_street_of_the_map(hub: Hub, bakery: str, text: str) -> None:
    [match] = search(hub, bakery, text)
    assert match.precision == "rooftop"
    assert match.point.lat == pytest.approx(60.166, abs=0.002)


def test_a_search_finds_a_place_a_person_has_pinned_first(hub: Hub, bakery: str) -> None:
    an_order(hub, bakery, "1001", "Back gate of Yrjönkatu 10")
    set_pin(hub, bakery, place_id(hub, bakery), Point(60.2, 24.9), actor="staff:1")
    matches = search(hub, bakery, "back gate")
    assert (matches[0].point, matches[0].confidence) == (Point(60.2, 24.9), 1.0)


def test_coordinates_are_what_they_say(hub: Hub, bakery: str) -> None:
    assert [match.point for match in search(hub, bakery, "60.1699, 24.9384")] == [
        Point(60.1699, 24.9384)
    ]
    assert search(hub, bakery, "99.5 24.9384") == []
    assert search(hub, bakery, "  ") == []


def test_what_is_known_of_a_place_is_there_for_the_next_order(hub: Hub, bakery: str) -> None:
    an_order(hub, bakery, "1001", "Yrjönkatu 10")
    place = place_id(hub, bakery)
    caretaker = Contact(Role.SITE, "Pekka", "+358401234567")
    remember(
        hub,
        bakery,
        place,
        access_note=" Code 4711 ",
        safe_place="Behind the bins",
        contacts=[caretaker],
        service_s=240,
        actor="staff:1",
    )
    an_order(hub, bakery, "1002", "yrjönkatu 10")
    with hub.reading() as session:
        [row] = session.exec(select(PlaceRow)).all()
        audit = session.exec(select(AuditRow)).one()
    assert (row.access_note, row.safe_place, row.service_s) == ("Code 4711", "Behind the bins", 240)
    assert contacts_at(row) == [caretaker]
    assert (audit.actor, audit.action, audit.subject) == ("staff:1", "place remembered", place)


def test_a_time_nobody_spends_at_a_door_is_refused(hub: Hub, bakery: str) -> None:
    an_order(hub, bakery, "1001", "Yrjönkatu 10")
    with pytest.raises(ValueError, match="between 0 and 4 hours"):
        remember(
            hub,
            bakery,
            place_id(hub, bakery),
            access_note="",
            safe_place="",
            contacts=(),
            service_s=100_000,
            actor="staff:1",
        )

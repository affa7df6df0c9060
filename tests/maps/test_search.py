from __future__ import annotations

from hub.core.values import Address, Point
from hub.plugins.geocode_osm import OsmGeocoder

SENATE = Point(60.1695, 24.9525)


def locate(helsinki, tools_for, *lines, **rest):
    return OsmGeocoder(None, tools_for(helsinki)).locate(Address(lines, **rest))


def test_the_very_door_is_sure(helsinki, tools_for):
    match = locate(helsinki, tools_for, "Aleksanterinkatu 15", city="Helsinki", postcode="00100")
    assert match.precision == "rooftop"
    assert match.confidence >= 0.9
    assert match.label.startswith("Aleksanterinkatu 15")


def test_a_slip_of_the_finger_and_no_postcode_still_find_the_door(helsinki, tools_for):
    right = locate(helsinki, tools_for, "Aleksanterinkatu 15")
    wrong = locate(helsinki, tools_for, "Aleksantrinkatu 15")
    assert wrong.point == right.point
    assert 0.6 < wrong.confidence < right.confidence


def test_a_street_alone_is_half_sure(helsinki, tools_for):
    match = locate(helsinki, tools_for, "Aleksanterinkatu")
    assert match.precision == "street"
    assert match.confidence <= 0.5


def test_another_town_makes_the_same_street_doubtful(helsinki, tools_for):
    match = locate(helsinki, tools_for, "Aleksanterinkatu 15", city="Tampere")
    assert match.confidence <= 0.5


def test_a_postcode_that_contradicts_makes_it_less_sure(helsinki, tools_for):
    match = locate(helsinki, tools_for, "Aleksanterinkatu 15", postcode="99999")
    assert match.confidence < 0.7


def test_the_street_may_stand_in_any_line(helsinki, tools_for):
    match = locate(helsinki, tools_for, "c/o Bakery Oy", "Aleksanterinkatu 15")
    assert match.confidence >= 0.9


def test_nonsense_is_not_found(helsinki, tools_for):
    assert locate(helsinki, tools_for, "Xyzzyplugh 99") is None
    assert locate(helsinki, tools_for, '"; drop table street; --') is None
    assert locate(helsinki, tools_for) is None


def test_a_point_at_a_door_has_that_address_and_the_sea_has_none(helsinki, tools_for):
    geocoder = OsmGeocoder(None, tools_for(helsinki))
    door = geocoder.locate(Address(("Aleksanterinkatu 15",)))
    assert "Aleksanterinkatu 15" in geocoder.reverse(door.point).label
    assert geocoder.reverse(Point(60.10, 24.99)) is None


def test_without_a_map_nothing_is_found(tmp_path, tools_for):
    geocoder = OsmGeocoder(None, tools_for(tmp_path))
    assert geocoder.locate(Address(("Aleksanterinkatu 15",))) is None
    assert geocoder.reverse(SENATE) is None

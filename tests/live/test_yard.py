"""A door beside the yard: who loads there has not come to it."""

from __future__ import annotations

from sqlmodel import select

from hub.core.tracking import Fence
from hub.db.tables import DepotRow, PlaceRow
from hub.live.driving import refreshed
from hub.live.values import Device, Driving
from tests.noticing_worlds import Round, ms

EIGHT = -120.0


def by_the_yard(url: str) -> Round:
    """The first door of the round is in the depot's street."""
    driving = Round(url)
    with driving.hub.unit() as unit:
        depot = unit.session.exec(select(DepotRow)).one()
        place = unit.session.get_one(PlaceRow, driving.stops()[0][0].place_id)
        place.lat, place.lon = depot.lat + 0.0004, depot.lon
    driving.clock(EIGHT)
    driving.tell("start_shift", None, EIGHT)
    driving.tell("load", None, EIGHT + 5)
    return driving


def fences(driving: Round) -> list[Fence]:
    phone = driving.phone
    known = Driving(Device(phone.id, driving.business_id, phone.driver_id))
    refreshed(driving.hub.engine, [known], driving.hub.now())
    assert known.round is not None
    return list(known.round.fences)


def test_a_door_by_the_yard_is_none_until_the_driver_heads_for_it(database_url: str) -> None:
    driving = by_the_yard(database_url)
    stops = [stop.id for stop, _ in driving.stops()]
    assert [fence.stop_id for fence in fences(driving)] == stops[1:]
    driving.tell("head_for", 0, EIGHT + 20)
    assert [fence.stop_id for fence in fences(driving)] == stops
    assert fences(driving)[0].from_ms == ms(EIGHT + 20)


def test_once_the_driver_was_out_a_door_by_the_yard_is_as_any_other(database_url: str) -> None:
    driving = by_the_yard(database_url)
    driving.tell("arrive", 1, EIGHT + 30)
    assert fences(driving)[0].from_ms == -1

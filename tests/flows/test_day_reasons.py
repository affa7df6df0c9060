"""Why the one driver whom an order asks for does not come, in words that are true of that day."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.app import Hub
from hub.flows.day import read_day
from hub.flows.dispatch import publish
from hub.flows.plan import plan_day
from tests.flows.plan_worlds import DAY, NORTH, SIX, SOUTH, Plugin, Town, a_town, near


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return a_town(Hub.in_memory(Plugin(), now=lambda: SIX, data_dir=tmp_path))


def why(town: Town, depot_id: str) -> list[str]:
    return list(read_day(town.hub, town.business_id, DAY, 1.0, depot_id).off_map.values())


def test_who_drives_from_another_depot_is_said_to(town: Town) -> None:
    town.order("1", near(NORTH, 1), only_driver="mara")
    assert why(town, town.north) == ["Only mara may do it, and mara drives from South on this day."]


def test_whose_route_is_published_is_said_to_have_one(town: Town) -> None:
    town.order("1", near(SOUTH, 1), only_driver="Mara")
    plan_day(town.hub, town.business_id, DAY, strategy="nearest")
    [route] = town.routes()
    publish(
        town.hub,
        town.business_id,
        route.id,
        actor="staff:1",
        expected_version=route.version,
    )
    town.order("2", near(SOUTH, 2), only_driver="Mara")
    assert why(town, town.south) == [
        "Only Mara may do it, and Mara has a published route already; put it there by hand."
    ]


def test_who_is_asked_for_and_ruled_out_is_said_to_be_both(town: Town) -> None:
    town.order("1", near(NORTH, 1), only_driver="Iris", not_drivers=("Iris",))
    assert why(town, town.north) == ["Only Iris may do it, and its order rules Iris out as well."]

"""What the page on planning settings says is so: each need of planning has a line there, and what a
line names is on the form, understood in a file and taken by the API.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub import Need
from hub.core.csv_aliases import Field
from hub.core.csv_columns import guess_columns
from hub.db.tables import DepotRow
from hub.web.api_models import OrderIn
from tests.admin.desk import Desk, a_desk, a_hub, text_of

PAGE = (Path(__file__).parents[2] / "docs" / "planning-settings.md").read_text()
SAYS = {
    Need.WINDOWS: "When it suits",
    Need.SEVERAL_WINDOWS: "When it suits, at several times",
    Need.CAPACITY: "What a vehicle holds",
    Need.COLLECTIONS: "Brought, collected, or work done there",
    Need.SKILLS: "What it needs",
    Need.VEHICLE_CHOICE: "Nobody but this driver",
    Need.PAIRS: "Fetched at one door and brought to another",
    Need.TIME_ON_BOARD: "How long it keeps on board",
    Need.RELEASE_TIMES: "When it can leave the depot",
    Need.PRIORITIES: "First before others",
    Need.OPTIONAL: "It may stay undone",
    Need.SHIFTS: "Working hours, also over midnight",
    Need.BREAKS: "Breaks, floating or fixed",
    Need.MAX_DURATION: "A day no longer than",
    Need.OVERTIME: "Overtime and its price",
    Need.MAX_JOBS: "No more than so many jobs",
    Need.LOCKED_PREFIX: "Stops that stay first when a day is planned again",
    Need.OPEN_END: "A day that ends at another depot, or at the last stop",
    Need.OTHER_END: "A day that ends at another depot, or at the last stop",
    Need.MULTI_DEPOT: "A day that starts at another depot",
    Need.SEVERAL_PROFILES: "Vans, trucks and bicycles, each on roads of its own",
    Need.SERVICE_FACTOR: "Somebody slower or faster at the door",
    Need.COSTS: "A vehicle that costs more than another",
    Need.RELOADS: "A small vehicle that comes back and loads again",
    Need.NEVER_TOGETHER: "Never with another order",
    Need.WISHES: "When somebody had better come",
    Need.BALANCE: "The least cost, few drivers, or days of like length",
    Need.WANTED_VEHICLE: "The driver whom a customer knows",
    Need.KNOWN_ORDER: "The order of stops that a driver is used to",
    Need.PACE: "Roads that are slower at some hours",
    Need.MAX_DISTANCE: "A vehicle that drives only so far, such as an electric one",
    Need.ACCESS: "From the van to the door",
}
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ")
]
ORDERS = [cells for cells in ROWS if len(cells) == 4 and cells[0] != "Need"]


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> str:
    desk: Desk = a_desk(a_hub(None, tmp_path_factory.mktemp("form")))
    with desk.hub.unit() as unit:
        unit.session.add(DepotRow(business_id=desk.business_id, name="Far", lat=60.3, lon=24.9))
    return text_of(desk.get("/panel/orders/new"))


def test_each_need_has_a_line() -> None:
    lines = {cells[0] for cells in ROWS}
    assert SAYS.keys() == set(Need)
    assert set(SAYS.values()) <= lines


def test_each_need_of_an_order_is_set_in_all_three_ways() -> None:
    assert len(ORDERS) > 15
    assert [cells[0] for cells in ORDERS if not all(cells)] == []


@pytest.mark.parametrize("cells", ORDERS, ids=lambda cells: cells[0])
def test_what_a_line_names_is_there(form: str, cells: list[str]) -> None:
    _, typed_in, column, api = cells
    for label in re.findall(r"\*([^*]+)\*", typed_in):
        assert label in form
    if not column.startswith("a column"):
        for heading in re.findall(r"`([^`:]+)`", column.split(":")[0]):
            meant = guess_columns([heading, "Order number"])
            assert meant.get(0, Field.IGNORE) is not Field.IGNORE, heading
    for name in re.findall(r"`([a-z_]+)`", api):
        assert name in OrderIn.model_fields

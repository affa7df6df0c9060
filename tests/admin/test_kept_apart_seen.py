"""Orders kept apart, as a dispatcher sees them where one driver has both, and where one stays out."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import select

from hub.core.left_out import APART
from hub.db.tables import JobRow, OrderRow, PlaceRow
from hub.flows.kept_apart import keep_apart
from hub.flows.plan import plan_day
from tests.admin.desk import DAY, Desk, a_desk, a_hub, text_of, with_orders

PAGE = f"/panel/day?day={DAY}"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Mara alone is at work, and four orders have a place on the map."""
    desk = a_desk(a_hub(None, tmp_path))
    with_orders(desk)
    with desk.hub.unit() as unit:
        for n, place in enumerate(unit.session.exec(select(PlaceRow))):
            place.lat, place.lon, place.confidence = 60.17 + n / 500, 24.94, 1.0
        for job in unit.session.exec(select(JobRow)):
            job.state = "created"
    plan_day(desk.hub, desk.business_id, DAY)
    return desk


def test_a_draft_that_has_both_says_so_before_it_is_published(desk: Desk) -> None:
    ids = {order.number: order.id for order in desk.rows(OrderRow)}
    assert "kept apart" not in text_of(desk.get(PAGE))
    keep_apart(desk.hub, desk.business_id, ids["1001"], ["1002"], actor="staff:1")
    said = text_of(desk.get(PAGE))
    assert "1001 and 1002 are to be kept apart" in said
    assert "Mara would have 1001 and 1002, which are to be kept apart." in said
    plan_day(desk.hub, desk.business_id, DAY)
    said = text_of(desk.get(PAGE))
    assert "are to be kept apart" not in said and APART in said

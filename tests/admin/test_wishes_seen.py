"""Staff see what a customer asked for; a door's code only who may act on it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.db.tables import BusinessRow, LinkRow, OrderRow
from hub.flows.log_in import Role
from hub.flows.self_service import say_door, say_leave
from tests.admin.desk import SIX, a_desk, a_hub, with_orders
from tests.admin.panel_worlds import a_panel
from tests.board_worlds import a_running_day


@pytest.fixture
def hub(helsinki: Path, tmp_path: Path) -> Hub:
    now: list[datetime] = [SIX]
    return a_hub(helsinki, tmp_path, now=now)


def link_of(hub: Hub, order_id: str) -> str:
    with hub.reading() as session:
        link = session.exec(select(LinkRow).where(LinkRow.order_id == order_id)).one()
    return hub.keys.link_token(order_id, link.epoch)


def test_the_order_tells_it_as_its_story_and_shows_a_code_to_a_dispatcher_alone(hub: Hub) -> None:
    desk = a_desk(hub)
    with_orders(desk)
    order = next(iter(desk.rows(OrderRow)))
    token = link_of(hub, order.id)
    say_door(hub, token, "Ring <twice>", "4711#", forget_code=False, n=0)
    say_leave(hub, token, "neighbour", "Mrs Lind", n=2)
    path = f"/panel/orders/{order.id}"
    business_id = order.business_id
    seen = a_panel(hub, business_id, Role.DISPATCHER, email="d@x.example").get(path).text
    assert "Ring &lt;twice&gt;" in seen
    assert "give it to the neighbour: Mrs Lind" in seen
    assert "Show the door code" in seen
    assert "4711#" in seen
    assert "Door code for the driver" in seen  # in the story
    assert "the customer" in seen
    looked = a_panel(hub, business_id, Role.VIEWER, email="v@x.example").get(path).text
    assert "Mrs Lind" in looked
    assert "4711#" not in looked


def test_the_board_shows_it_at_the_stop_without_the_code(tmp_path: Path) -> None:
    day = a_running_day(tmp_path)
    stop = day.stops("Mara")[2]
    [job, *_] = day.jobs(stop)
    with day.hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, day.business_id)
        business.settings = {**business.settings, "self_service": {"note_stops": 0}}
    say_door(day.hub, link_of(day.hub, job.order_id), "Ring twice", "4711#", forget_code=False, n=0)
    answer = day.client.get(f"/board/stops/{stop.id}/move", headers={"Accept": "text/html"})
    assert "Ring twice" in answer.text
    assert "Door code" in answer.text
    assert "4711#" not in answer.text

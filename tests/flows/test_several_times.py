"""An order that may come at several times: each page says all of them, as long as they may be."""

from __future__ import annotations

import pytest

from hub.core.orders import IncomingOrder, PickUp
from hub.core.values import Address, TimeWindow
from hub.flows.dispatch import publish
from hub.flows.drive import device_for, pair, pairing_code
from hub.flows.order_story import order_story
from hub.flows.phone import shown_to
from hub.flows.tracking_calendar import appointment
from hub.flows.tracking_view import tracked
from tests.flows.test_kept_apart import order
from tests.flows.test_planning_settings import YARD, Firm, firm, local

__all__ = ["firm"]

MORNING = TimeWindow(local(9), local(11))
EVENING = TimeWindow(local(14), local(15))


@pytest.fixture
def database_url() -> str:
    """What is planned is all one to the database; other tests ask both."""
    return ""


def test_the_customers_page_tells_all_until_one_is_planned_and_the_phone_the_others(
    firm: Firm,
) -> None:
    firm.crew()
    firm.order("1", windows=(MORNING, EVENING))
    story = order_story(firm.hub, firm.business_id, order(firm, "1").id)
    assert isinstance(story.report, IncomingOrder) and len(story.jobs[0].windows) == 2
    token = story.link.rsplit("/", 1)[-1]
    page = tracked(firm.hub, token)
    assert page and page.card and page.card.big == "09:00 – 11:00"
    assert page.card.lines[0] == "Or 14:00 – 15:00."
    assert not page.has_time and appointment(firm.hub, token) is None, "one of several"
    firm.planned()
    [route] = firm.routes()
    about = firm.hub, firm.business_id
    publish(*about, route.id, actor="test", expected_version=route.version)
    page = tracked(firm.hub, token)
    assert page and page.card and not any("Or 14" in line for line in page.card.lines)
    device = device_for(firm.hub, pair(firm.hub, pairing_code(*about, firm.drivers["Mara"])) or "")
    assert device
    [job] = shown_to(firm.hub, device).routes[0].stops[0].jobs
    assert (job.opens, job.closes) == (MORNING.opens, MORNING.closes)
    assert job.others == ((EVENING.opens, EVENING.closes),)


def test_a_phone_knows_what_is_fetched_at_another_door_and_so_not_loaded_at_the_depot(
    firm: Firm,
) -> None:
    firm.crew()
    shop = Address(("Shop",), city="Helsinki", country="FI")
    firm.order("bread", 2)
    firm.order("cake", 1, pick_up=PickUp(address=shop, point=YARD))
    firm.planned()
    [route] = firm.routes()
    about = firm.hub, firm.business_id
    publish(*about, route.id, actor="test", expected_version=route.version)
    device = device_for(firm.hub, pair(firm.hub, pairing_code(*about, firm.drivers["Mara"])) or "")
    assert device
    stops = shown_to(firm.hub, device).routes[0].stops
    told = {(job.number, job.kind): job.from_door for stop in stops for job in stop.jobs}
    assert told == {
        ("bread", "deliver"): False,
        ("cake", "collect"): False,
        ("cake", "deliver"): True,
    }
    story = order_story(*about, order(firm, "cake").id)
    sent = {moment.what for moment in story.moments if moment.what.startswith("Sent")}
    assert sent == {"Sent to the driver", "Sent to the driver (where it is fetched)"}

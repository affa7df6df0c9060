"""A day that is planned while it is under way: what is planned now does not begin at eight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from hub.app import Hub
from hub.core.errors import ConfigError
from hub.core.schedule import Timetable
from hub.core.single_changes import Change, handles_of
from hub.core.values import TimeWindow
from hub.flows.day import read_day
from hub.flows.fleet import DepotIn, save_depot
from hub.flows.found import found
from tests.flows.test_planning_settings import DAY, SIX, YARD, Firm, Plugin, local


@dataclass
class Later(Firm):
    """The firm, whose clock can be moved on."""

    clock: list[datetime] = None  # type: ignore[assignment]

    def at(self, hour: int, minute: int = 0) -> None:
        self.clock[0] = local(hour, minute)


@pytest.fixture
def firm(tmp_path: Path) -> Later:
    clock = [SIX]
    hub = Hub.in_memory(Plugin(), now=lambda: clock[0], data_dir=tmp_path)
    business_id = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    yard = DepotIn(name="Yard", address="Yard", lat=YARD.lat, lon=YARD.lon)
    depot = save_depot(hub, business_id, yard, actor="test")
    return Later(hub, business_id, depot.id, depot.id, clock=clock)


def test_what_is_planned_at_twenty_to_eleven_leaves_after_it(firm: Later) -> None:
    firm.crew()
    firm.order("1")
    firm.at(10, 41)
    firm.planned()
    [route] = firm.routes()
    assert local(10, 45) <= route.leaves_at < local(11)


def test_a_shift_that_begins_later_is_planned_whole(firm: Later) -> None:
    firm.crew(works={"0": ["12:00", "16:00"]})
    firm.at(10, 41)
    assert firm.vehicle().shift == TimeWindow(local(12), local(16))


def test_who_has_gone_home_gets_nothing_and_where_all_have_the_plan_says_so(firm: Later) -> None:
    firm.crew("Mara", works={"0": ["08:00", "10:00"]})
    firm.crew("Otso")
    firm.order("1")
    firm.at(10, 41)
    firm.planned()
    assert firm.who() == {"Otso": 1}
    firm.at(16, 30)
    with pytest.raises(ConfigError, match="on Monday 23 November has working hours left"):
        read_day(firm.hub, firm.business_id, DAY, 1.0)


def test_who_alone_may_do_a_job_and_has_gone_home_is_said_to(firm: Later) -> None:
    firm.crew("Mara", works={"0": ["08:00", "10:00"]})
    firm.crew("Otso")
    firm.order("1", only_driver="Mara")
    firm.at(10, 41)
    [why] = read_day(firm.hub, firm.business_id, DAY, 1.0).off_map.values()
    assert why == "Only Mara may do it, and Mara has no working hours left."


def test_nobody_is_asked_to_start_at_an_hour_that_is_over(firm: Later) -> None:
    firm.crew()
    firm.order("1", 9, windows=(TimeWindow(local(9), local(10, 50)),))
    assert Change.START_EARLIER in helps(firm)
    firm.at(10, 41)
    later = helps(firm)
    assert Change.START_EARLIER not in later and Change.CLOSE_LATER in later


def helps(firm: Later) -> set[str]:
    """The kinds of change that would be tried for the only job."""
    request = read_day(firm.hub, firm.business_id, DAY, 1.0).request
    alone = (request.jobs[0].id,)
    return {handle.change for handle in handles_of(request, Timetable(request), alone, {})}

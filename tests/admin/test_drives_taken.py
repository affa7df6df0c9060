"""What drives took: read from rounds that are over, shown by the hour, filled into the settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest

from hub import Point, TravelMatrix, TravelTimes, hookimpl
from hub.core.business import BusinessSettings
from hub.core.ids import new_id
from hub.core.rush_hours import RushHour
from hub.db.tables import (
    ActRow,
    BusinessRow,
    DepotRow,
    DriverRow,
    JobRow,
    OrderRow,
    PlaceRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    TakeOverRow,
    VehicleRow,
)
from hub.flows import drives_taken as drives_taken_flow
from hub.flows.business import DefaultsIn, business_of
from hub.flows.drives_read import read_drives
from hub.flows.drives_taken import DrivesTaken, drives_taken, with_lines
from hub.flows.log_in import Role
from hub.flows.roads import travel_between
from hub.maps.present_speeds import Present
from hub.plugins.travel_crow import CrowTravelTimes
from hub.worker import CHORES
from tests.admin.desk import DAY, SIX, Desk, a_desk, a_hub, text_of, with_orders

HELSINKI = ZoneInfo("Europe/Helsinki")
DOORS = [Point(60.17, 24.94), Point(60.20, 24.94), Point(60.23, 24.94), Point(60.26, 24.94)]
PAGE = "/panel/settings/drives"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = a_desk(a_hub(None, tmp_path), role=Role.OWNER)
    with_orders(desk)
    return desk


def free_s(desk: Desk, profile: str = "car") -> int:
    """From door to door, of neighbours."""
    found = travel_between(desk.hub, desk.business_id, DOORS[:2], SIX, profile)
    return found.seconds[0][1]


def a_round(
    desk: Desk,
    day: date,
    begins: str,
    times: float,
    silent: int = -1,
    doors: Sequence[Point] = DOORS,
) -> RouteRow:
    """A van left the first door at ``begins`` and drove to the others, each way so many times as
    long as on free roads. At the ``silent``-th nobody said that he came.
    """
    business_id, clock = (
        desk.business_id,
        datetime.combine(day, time.fromisoformat(begins), HELSINKI),
    )
    way = timedelta(seconds=times * free_s(desk))
    order, van = desk.rows(OrderRow)[0], desk.rows(VehicleRow)[0]
    depot, driver = desk.rows(DepotRow)[0], desk.rows(DriverRow)[0]
    places = {place.key: place.id for place in desk.rows(PlaceRow)}
    attempts = max(job.attempt for job in desk.rows(JobRow))
    shift = ShiftRow(
        business_id=business_id,
        driver_id=driver.id,
        depot_id=depot.id,
        day=day,
        starts_at=clock,
        ends_at=clock + timedelta(hours=8),
    )
    route = RouteRow(
        business_id=business_id,
        shift_id=shift.id,
        depot_id=depot.id,
        driver_id=driver.id,
        vehicle_id=van.id,
        day=day,
        published_at=SIX,
    )
    with desk.hub.unit() as unit:
        unit.session.add(shift)
        unit.session.flush()
        unit.session.add(route)
        for n, door in enumerate(doors):
            key = f"door {n}"
            if key not in places:
                place = PlaceRow(
                    business_id=business_id,
                    key=key,
                    address={},
                    lat=door.lat,
                    lon=door.lon,
                    updated_at=SIX,
                )
                unit.session.add(place)
                places[key] = place.id
        unit.session.flush()
        for n in range(len(doors)):
            came_at = clock - timedelta(minutes=3) if n == 0 else clock + way
            clock = clock if n == 0 else came_at + timedelta(minutes=3)
            job = JobRow(
                business_id=business_id,
                order_id=order.id,
                attempt=attempts + n + 1,
                kind="deliver",
                state="closed",
                outcome="succeeded",
                place_id=places[f"door {n}"],
                created_at=SIX,
                closed_occurred_at=clock,
            )
            stop = StopRow(
                business_id=business_id,
                route_id=route.id,
                n=n + 1,
                place_id=places[f"door {n}"],
                arrive_at=came_at,
                depart_at=clock,
            )
            unit.session.add_all([job, stop])
            unit.session.flush()
            unit.session.add(StopJobRow(business_id=business_id, stop_id=stop.id, job_id=job.id))
            if n != silent:
                act = ActRow(business_id=business_id, device_id="phone", act_id=new_id())
                act.route_id, act.job_id, act.kind = route.id, job.id, "arrive"
                act.occurred_at = act.received_at = came_at
                unit.session.add(act)
    return route


def weeks(desk: Desk, times: float = 1.5, begins: str = "08:05", n: int = 9) -> None:
    """Rounds of working days before today."""
    days = [DAY - timedelta(days=back) for back in range(1, 30)]
    for day in [day for day in days if day.weekday() < 5][:n]:
        a_round(desk, day, begins, times)


def taken(desk: Desk) -> DrivesTaken:
    """As the worker has read it by then."""
    read_drives(desk.hub)
    return drives_taken(desk.hub, desk.business_id)


def settings(desk: Desk) -> BusinessSettings:
    return business_of(desk.hub, desk.business_id)[1]


def settle(desk: Desk, rules: list[RushHour]) -> None:
    settled = settings(desk).model_copy(update={"rush_hours": rules})
    with desk.hub.unit() as unit:
        row = unit.session.get_one(BusinessRow, desk.business_id)
        row.settings = settled.model_dump(mode="json")


def test_where_every_drive_is_too_short_to_tell_it_does_not_say_that_none_is_known(
    desk: Desk,
) -> None:
    near = [Point(60.17 + n / 1000, 24.94) for n in range(4)]
    a_round(desk, DAY - timedelta(days=4), "08:05", 1.5, doors=near)
    assert taken(desk).drives == 3
    page = text_of(desk.get(PAGE))
    assert "3 drives of these weeks are known" in page and "less than two minutes" in page
    assert "No drive of these weeks" not in page


def test_what_drives_took_becomes_lines_once_somebody_saves_them(desk: Desk) -> None:
    kept = [
        RushHour(0, 4, 7 * 60, 9 * 60, 1.9),
        RushHour(0, 4, 16 * 60, 18 * 60, 1.7),
        RushHour(0, 6, 0, 0, 1.0, "bicycle"),
    ]
    settle(desk, kept)
    assert "No drive of these weeks" in text_of(desk.get(PAGE))
    weeks(desk)
    found = taken(desk)
    assert found.drives == 27 and found.why_not == ""
    assert found.lines == (RushHour(0, 4, 8 * 60, 9 * 60, 1.5),)
    page = text_of(desk.get(PAGE))
    assert "Mon–Fri 08:00–09:00: 1.5 times as long" in page and "1.5 times 27 drives" in page
    filled = desk.get("/panel/settings?learned=1")
    assert "Nothing is kept yet" in text_of(filled)
    for value in ("08:00", "09:00", "1.5", "16:00", "1.7"):
        assert f'value="{value}"' in filled.text
    assert 'value="1.9"' not in filled.text
    assert settings(desk).rush_hours == kept


def test_what_settings_say_already_is_not_offered(desk: Desk) -> None:
    weeks(desk)
    settle(desk, list(taken(desk).lines))
    page = text_of(desk.get(PAGE))
    assert "Your settings say so already." in page and "Fill them" not in page
    assert taken(desk).lines == (RushHour(0, 4, 8 * 60, 9 * 60, 1.5),)  # not slowed once more


def test_lines_of_hours_that_go_as_free_roads_do_can_be_taken_back(desk: Desk) -> None:
    weeks(desk, times=1.0)
    back = "Take your lines of these hours back"
    assert taken(desk).drives and back not in text_of(desk.get(PAGE))
    evening = RushHour(0, 4, 16 * 60, 18 * 60, 1.7)
    settle(desk, [RushHour(0, 4, 7 * 60, 9 * 60, 1.9), evening])
    page = text_of(desk.get(PAGE))
    assert "None: every hour" in page and back in page and "Fill them" not in page
    assert with_lines(settings(desk), taken(desk)).rush_hours == [evening]


def test_a_door_where_nobody_said_he_came_joins_no_two_drives(desk: Desk) -> None:
    """Between its neighbours lie two drives and work, not one slow drive."""
    day = DAY - timedelta(days=3)
    a_round(desk, day, "08:05", 1.5, silent=1)
    assert taken(desk).drives == 1
    a_round(desk, day - timedelta(days=1), "08:05", 1.5)
    assert taken(desk).drives == 4


def test_a_way_by_the_depot_for_more_goods_is_no_drive_from_door_to_door(desk: Desk) -> None:
    route = a_round(desk, DAY - timedelta(days=3), "08:05", 1.5)
    [stop] = [one for one in desk.rows(StopRow) if one.route_id == route.id and one.n == 3]
    with desk.hub.unit() as unit:
        fetched = TakeOverRow(
            business_id=desk.business_id,
            stop_id=stop.id,
            from_route_id=route.id,
            van="White van",
            driver="Mara",
            place="Bakery",
            service_s=60,
            is_reload=True,
        )
        fetched.done_at = stop.arrive_at - timedelta(minutes=1)
        unit.session.add(fetched)
    assert taken(desk).drives == 2


def test_a_way_with_a_break_on_it_is_not_a_slow_one(desk: Desk) -> None:
    """Where every driver eats at noon, half of the drives of that hour would be."""
    route = a_round(desk, DAY - timedelta(days=3), "11:50", 1.5)
    [second] = [one for one in desk.rows(StopRow) if one.route_id == route.id and one.n == 2]
    with desk.hub.unit() as unit:
        rest = [second.arrive_at - timedelta(minutes=2), second.arrive_at - timedelta(minutes=1)]
        unit.session.get_one(RouteRow, route.id).rests = [None, [at.isoformat() for at in rest]]
    assert taken(desk).drives == 2


def had_a_break(desk: Desk, route: RouteRow, since: datetime, minutes: float) -> None:
    """His shift's, as he said it."""
    until = since + timedelta(minutes=minutes)
    with desk.hub.unit() as unit:
        shift = unit.session.get_one(ShiftRow, route.shift_id)
        shift.had = [*shift.had, [since.isoformat(), until.isoformat()]]


def test_a_break_that_was_had_counts_where_it_was_and_not_where_it_was_planned(desk: Desk) -> None:
    """Planned on the way to the second door, had on that to the third."""
    route = a_round(desk, DAY - timedelta(days=3), "11:50", 1.5)
    stops = {one.n: one for one in desk.rows(StopRow) if one.route_id == route.id}
    planned_at = stops[2].arrive_at - timedelta(minutes=4)
    planned = [planned_at, planned_at + timedelta(minutes=3)]
    with desk.hub.unit() as unit:
        kept = unit.session.get_one(RouteRow, route.id)
        kept.rests = [[at.isoformat() for at in planned]]
    had_a_break(desk, route, stops[3].arrive_at - timedelta(minutes=3), 2)
    assert taken(desk).drives == 2
    read = [datetime.fromisoformat(left_at) for left_at, _, _ in drives_of(desk, route)]
    assert read == [stops[1].depart_at, stops[3].depart_at]


def test_a_way_with_a_break_that_nobody_planned_is_not_a_slow_one(desk: Desk) -> None:
    route = a_round(desk, DAY - timedelta(days=3), "11:50", 1.5)
    [third] = [one for one in desk.rows(StopRow) if one.route_id == route.id and one.n == 3]
    had_a_break(desk, route, third.arrive_at - timedelta(minutes=3), 2)
    assert taken(desk).drives == 2


def drives_of(desk: Desk, route: RouteRow) -> list[list[Any]]:
    [kept] = [one for one in desk.rows(RouteRow) if one.id == route.id]
    return kept.drives or []


class Counted(CrowTravelTimes):
    """An outside service that wants money for each question."""

    key = "counted"
    title = "Counted"
    asked: ClassVar[list[int]] = []

    def matrix(self, places, depart_at, profile="car"):  # type: ignore[no-untyped-def]
        self.asked.append(len(places))
        return super().matrix(places, depart_at, profile)


class Counting:
    __name__ = "counting"

    @hookimpl
    def hub_travel_times(self) -> list[type[TravelTimes]]:
        return [Counted]


def test_the_page_asks_for_one_way_however_many_rounds_there_are(desk: Desk) -> None:
    assert read_drives in {chore.do for chore in CHORES}
    weeks(desk, n=6)
    desk.hub.registry.add(Counting(), "counting")
    Counted.asked.clear()
    assert "6 rounds are still being read" in text_of(desk.get(PAGE))
    assert Counted.asked == [2]
    assert read_drives(desk.hub) == 6 and Counted.asked == [2, *[4] * 6]
    assert read_drives(desk.hub) == 0
    Counted.asked.clear()
    page = text_of(desk.get(PAGE))
    assert "18 drives" in page and "still being read" not in page and Counted.asked == [2]


def test_a_round_is_read_once_its_shift_is_long_over(desk: Desk) -> None:
    """A night's goes on after midnight, and phones tell of it later."""
    route = a_round(desk, DAY - timedelta(days=1), "20:00", 1.5)
    with desk.hub.unit() as unit:
        shift = unit.session.get_one(ShiftRow, route.shift_id)
        shift.ends_at = shift.ended_at = desk.hub.now() - timedelta(hours=5)
    assert read_drives(desk.hub) == 0
    with desk.hub.unit() as unit:
        shift = unit.session.get_one(ShiftRow, route.shift_id)
        shift.ends_at = shift.ended_at = desk.hub.now() - timedelta(hours=7)
    assert read_drives(desk.hub) == 1


def test_few_vans_are_not_crowded_out_by_many_bicycles(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drives_taken_flow, "MOST_ROUTES", 1)
    a_round(desk, DAY - timedelta(days=3), "08:05", 1.5)
    by_bike = a_round(desk, DAY - timedelta(days=1), "08:05", 1.5)
    bike = VehicleRow(business_id=desk.business_id, name="Bike", profile="bicycle")
    with desk.hub.unit() as unit:
        unit.session.add(bike)
        unit.session.flush()
        unit.session.get_one(RouteRow, by_bike.id).vehicle_id = bike.id
    assert taken(desk).drives == 3


def test_todays_drafts_and_strangers_drives_and_bicycles_teach_nothing(desk: Desk) -> None:
    a_round(desk, DAY, "08:05", 1.5)
    draft = a_round(desk, DAY - timedelta(days=3), "08:05", 1.5)
    rival = a_desk(desk.hub, "Rival", role=Role.OWNER)
    with_orders(rival)
    weeks(rival)
    with desk.hub.unit() as unit:
        unit.session.get_one(RouteRow, draft.id).published_at = None
    assert taken(desk).drives == 0 and taken(rival).drives == 27
    with desk.hub.unit() as unit:
        unit.session.get_one(VehicleRow, rival.rows(VehicleRow)[0].id).profile = "bicycle"
    assert taken(rival).drives == 0
    assert "Rival" not in desk.get(PAGE).text


def test_where_there_are_bicycles_too_what_was_said_of_all_stays_for_them(desk: Desk) -> None:
    weeks(desk)
    settle(desk, [RushHour(0, 4, 7 * 60, 10 * 60, 1.2)])
    with desk.hub.unit() as unit:
        unit.session.add(VehicleRow(business_id=desk.business_id, name="Bike", profile="bicycle"))
    assert with_lines(settings(desk), taken(desk)).rush_hours == [
        RushHour(0, 4, 7 * 60, 10 * 60, 1.2),
        RushHour(0, 4, 8 * 60, 9 * 60, 1.5, "car"),
    ]


class KnowsTheHour(CrowTravelTimes):
    """``asked``: of how many places, each time."""

    key = "hourly"
    title = "Knows the hour"
    knows_traffic = True
    asked: ClassVar[list[int]] = []

    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        self.asked.append(len(places))
        return super().matrix(places, depart_at, profile)


class Knowing:
    __name__ = "knowing"

    @hookimpl
    def hub_travel_times(self) -> list[type[TravelTimes]]:
        return [KnowsTheHour]


def test_travel_times_that_know_the_hour_leave_nothing_to_learn(desk: Desk) -> None:
    weeks(desk, n=1)
    desk.hub.registry.add(Knowing(), "knowing")
    assert "know the time of day themselves" in text_of(desk.get(PAGE))


def test_nobody_who_knows_the_hour_is_paid_for_drives_that_say_nothing(desk: Desk) -> None:
    weeks(desk)
    desk.hub.registry.add(Knowing(), "knowing")
    KnowsTheHour.asked.clear()
    assert read_drives(desk.hub) == 9 and KnowsTheHour.asked == []
    assert taken(desk).why_not and KnowsTheHour.asked == [2]


def streets_are_slow(desk: Desk, ago_s: int = 60) -> None:
    """As the worker left word of it."""
    desk.hub.settings = replace(desk.hub.settings, street_speeds=True)
    here = desk.hub.settings.data_dir / "map" / "current" / "turns"
    here.mkdir(parents=True, exist_ok=True)
    told = Present(round(desk.hub.now().timestamp()) - ago_s, told=31, slower=12)
    (here / "present.json").write_text(json.dumps(asdict(told)))


def test_the_page_says_how_many_streets_are_slower_just_now(desk: Desk) -> None:
    """As long as it is learned; not more than a line, and not of a jam that is over."""
    line = "12 stretches of road are driven slower than the map says, of 31"
    assert line not in text_of(desk.get(PAGE))
    streets_are_slow(desk)
    assert line in text_of(desk.get(PAGE))
    streets_are_slow(desk, ago_s=3600)
    assert "driven slower than the map" not in text_of(desk.get(PAGE))
    streets_are_slow(desk)
    desk.hub.settings = replace(desk.hub.settings, street_speeds=False)
    assert line not in text_of(desk.get(PAGE))


def test_a_business_says_whether_its_drives_help_to_tell_how_fast_streets_are(desk: Desk) -> None:
    about = {"name": "Husk", "zone": "Europe/Helsinki", "country": "FI", "language": "en"}
    typed = DefaultsIn.of(settings(desk)).model_dump(
        mode="json", exclude={"rush_hours", "shares_speeds"}, exclude_none=True
    )
    form = {**about, "trade": "parcels", **typed}
    assert 'name="shares_speeds"' in desk.get("/panel/settings").text
    for said, kept in (({}, False), ({"shares_speeds": "on"}, True)):
        assert desk.post("/panel/settings", **form, **said).status_code == 302
        assert settings(desk).shares_speeds is kept


def test_nobody_but_an_owner_sees_it(desk: Desk) -> None:
    dora = a_desk(desk.hub, "Dispatch", role=Role.DISPATCHER)
    assert dora.get(PAGE).status_code == 403


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_drives_are_learned_from_alike_on_postgresql(database_url: str, tmp_path: Path) -> None:
    desk = a_desk(a_hub(None, tmp_path, url=database_url), role=Role.OWNER)
    with_orders(desk)
    weeks(desk)
    assert taken(desk).lines == (RushHour(0, 4, 8 * 60, 9 * 60, 1.5),)

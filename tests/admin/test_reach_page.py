"""How far a vehicle gets: by the hour, with the day's jobs within, and a zone made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from math import cos, pi, sin
from pathlib import Path
from typing import ClassVar

import pytest
from sqlmodel import select

from hub import Area, GivesReach, Point, TravelTimes, hookimpl
from hub.core.rush_hours import RushHour
from hub.db.tables import BusinessRow, DepotRow, JobRow, RouteRow, VehicleRow, ZoneRow
from hub.flows.day_open import open_jobs
from hub.flows.dispatch import publish
from hub.flows.log_in import Role
from hub.flows.plan import plan_day
from hub.flows.reach import Leaving, Reach, area_within, reach_of
from hub.flows.zones import zones_of
from hub.plugins.travel_crow import CrowTravelTimes
from tests.admin.desk import DAY, Desk, a_desk, a_hub, text_of, with_orders

REACH = "/panel/reach"
WHOLE_DAY = {"first_day": 0, "last_day": 6, "begins_min": 0, "ends_min": 0}


@pytest.fixture
def desk(helsinki: Path, tmp_path: Path) -> Desk:
    return a_desk(a_hub(helsinki, tmp_path))


def leaving(desk: Desk, profile: str = "van", at: time = time(8), day: date = DAY) -> Leaving:
    return Leaving(desk.rows(DepotRow)[0].id, profile, day, at)


def seen(desk: Desk, minutes: list[int], **more: object) -> Reach:
    return reach_of(desk.hub, desk.business_id, leaving(desk, **more), minutes)  # type: ignore[arg-type]


def slow(desk: Desk, *rules: RushHour) -> None:
    with desk.hub.unit() as unit:
        row = unit.session.get_one(BusinessRow, desk.business_id)
        row.settings = {**row.settings, "rush_hours": [vars_of(rule) for rule in rules]}


def vars_of(rule: RushHour) -> dict[str, object]:
    return {name: getattr(rule, name) for name in rule.__slots__}


def height(reach: Reach, n: int = 0) -> float:
    lats = [lat for lat, _ in reach.rings[n].area[0][0]]
    return max(lats) - min(lats)


def test_rings_hold_the_days_jobs_and_the_others_are_listed(desk: Desk) -> None:
    with_orders(desk)
    one, both = seen(desk, [4]), seen(desk, [4, 10])
    assert [ring.minutes for ring in both.rings] == [4, 10]
    assert 0 < both.rings[0].jobs < both.rings[1].jobs == 3
    assert {spot.number for spot in one.outside} < {"1001", "1002", "1004"} and one.outside
    assert both.outside == () and both.pinless == 1  # 1003 is nowhere
    page = text_of(desk.get(f"{REACH}?day={DAY}&minutes=4,10"))
    assert "within 10 min 3" in page and "1 job without a sure address is not counted" in page
    assert one.outside[0].number in text_of(desk.get(f"{REACH}?day={DAY}&minutes=4"))
    assert "There is none" in text_of(desk.get(f"{REACH}?day=2026-11-20&minutes=4,10"))


def test_in_the_rush_hour_one_gets_as_far_as_the_plan_says(desk: Desk) -> None:
    """Four minutes at half the pace are two on free roads, the part after it at full pace."""
    two, three = seen(desk, [2], at=time(12)), seen(desk, [3], at=time(12))
    slow(desk, RushHour(0, 6, 8 * 60, 9 * 60, 2.0))
    rush, ends = seen(desk, [4]), seen(desk, [4], at=time(8, 58))
    assert rush.slowed and rush.rings[0].area == two.rings[0].area
    assert ends.rings[0].area == three.rings[0].area
    assert not seen(desk, [4], at=time(12)).slowed
    assert "By your rush hours" in text_of(desk.get(f"{REACH}?day={DAY}&at=08:00&minutes=4"))
    assert "as they are when free" in text_of(desk.get(f"{REACH}?day={DAY}&at=12:00&minutes=4"))


def test_two_hours_of_the_quickest_roads_a_business_can_say_are_not_too_much(desk: Desk) -> None:
    slow(desk, RushHour(0, 6, 0, 0, 0.3))
    found = seen(desk, [120])
    assert (found.why_not, found.slowed, len(found.rings)) == ("", True, 1)


def test_a_walker_and_a_truck_of_its_own_height_get_elsewhere(desk: Desk) -> None:
    van, walk = seen(desk, [8]), seen(desk, [8], profile="walk")
    assert height(walk) < height(van)
    with desk.hub.unit() as unit:
        row = unit.session.get_one(VehicleRow, desk.rows(VehicleRow)[0].id)
        row.profile, row.planning = "truck", {"height_cm": 410, "weight_kg": 40_000}
        row.name = "Big one"
    page = desk.get(REACH).text
    assert 'value="truck/h410/w40000"' in page and "Big one, with its measures" in page
    assert desk.get(f"{REACH}?profile=truck/h410/w40000&minutes=5").status_code == 200


def test_jobs_count_on_phones_too_but_not_on_another_days_route(desk: Desk) -> None:
    with_orders(desk)
    plan_day(desk.hub, desk.business_id, DAY, strategy="nearest")
    before = len(seen(desk, [10]).spots)
    [route] = desk.rows(RouteRow)
    publish(desk.hub, desk.business_id, route.id, actor="staff:1", expected_version=route.version)
    assert {job.state for job in desk.rows(JobRow)} >= {"dispatched"}
    assert len(seen(desk, [10]).spots) == before == 3
    with desk.hub.unit() as unit:
        for job in desk.rows(JobRow):
            job.due_on = None
            job.windows = []
            unit.session.merge(job)
    with desk.hub.reading() as session:
        depot = desk.rows(DepotRow)[0]
        assert open_jobs(session, desk.business_id, depot, date(2026, 11, 24)) == ([], 0)


def test_jobs_of_another_depot_are_named_not_counted(desk: Desk) -> None:
    with_orders(desk)
    with desk.hub.unit() as unit:
        unit.session.add(
            DepotRow(business_id=desk.business_id, name="Kauppatori", lat=60.1688, lon=24.9478)
        )
    both = [
        reach_of(desk.hub, desk.business_id, Leaving(one.id, "van", DAY, time(8)), [4])
        for one in desk.rows(DepotRow)
    ]
    assert [len(one.spots) + one.elsewhere for one in both] == [3, 3]
    assert both[0].elsewhere == len(both[1].spots) > 0
    assert "of other depots" in text_of(desk.get(f"{REACH}?day={DAY}"))


def test_a_ring_becomes_a_zone_that_holds_the_same_jobs(desk: Desk) -> None:
    with_orders(desk)
    ring = seen(desk, [5, 10]).rings[0]
    form = {"depot_id": leaving(desk).depot_id, "profile": "van", "day": str(DAY), "at": "08:00"}
    answer = desk.post(f"{REACH}/zone", **form, minutes="5, 10", within="5", name="Near us")
    [zone] = desk.rows(ZoneRow)
    assert answer.status_code == 302 and answer.location.endswith(f"/edit/?id={zone.id}")
    with desk.hub.reading() as session:
        [kept] = zones_of(session, desk.business_id)
    spots = seen(desk, [5, 10]).spots
    assert [kept.has(spot.point) for spot in spots] == [spot.ring == 0 for spot in spots]
    assert kept.area == ring.area
    again = desk.post(f"{REACH}/zone", **form, minutes="5, 10", within="10", name="near US")
    assert again.status_code == 422 and "a zone of this name already" in text_of(again)
    assert 'value="near US"' in again.text
    for wrong, said in (({"within": "9"}, "Choose one of the rings"), ({"name": ""}, "fill this")):
        typed = {"minutes": "5, 10", "within": "10", "name": "Far", **wrong}
        answer = desk.post(f"{REACH}/zone", **form, **typed)
        assert said in text_of(answer)
        assert re.search(rf'name="name"[^>]* value="{typed["name"]}"', answer.text)
    assert len(desk.rows(ZoneRow)) == 1


@pytest.mark.parametrize("profile", ["car", "bicycle", "walk", "truck"])
def test_every_ring_can_be_a_zone(desk: Desk, profile: str) -> None:
    """None crosses itself, at any size of the map: a zone must not."""
    depot = leaving(desk, profile)
    for minutes in (1, 2, 3, 5, 8, 30):
        area = area_within(desk.hub, desk.business_id, depot, [minutes], minutes)
        corners = "\n".join(f"{lat:.6f}, {lon:.6f}" for lat, lon in area[0][0])
        name = f"{profile} {minutes}"
        desk.post("/panel/records/zones/new/", name=name, postcodes="", area=corners)
    assert len(desk.rows(ZoneRow)) == 6


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("minutes=", "within 30 min"),
        ("minutes=ten", "Write up to 4 numbers from 1 to 120"),
        ("minutes=0,10", "Write up to 4 numbers"),
        ("minutes=1,2,3,4,5", "Write up to 4 numbers"),
        ("minutes=121", "Write up to 4 numbers"),
        ("at=25:00", "Write a time of day"),
        ("day=2026-02-30", "Write a day"),
        ("profile=rocket", "Choose one of these."),
        ("profile=truck/h9/x", "Choose one of these."),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(desk: Desk, query: str, said: str) -> None:
    with_orders(desk)
    answer = desk.get(f"{REACH}?day={DAY}&{query}" if "day" not in query else f"{REACH}?{query}")
    assert said in text_of(answer)
    assert answer.status_code == (200 if said.startswith("within") else 422)
    # Rings of other minutes, or of another day, would be taken for what was asked for.
    assert ('class="ring"' in answer.text) == (answer.status_code == 200)


def test_without_a_map_or_turns_it_says_what_to_do(
    desk: Desk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bare = a_desk(a_hub(None, tmp_path_factory.mktemp("bare")))
    assert "no map is built yet" in text_of(bare.get(REACH))
    assert "Ask an owner" in text_of(bare.get(REACH)) and "Build a map" not in bare.get(REACH).text
    owner = a_desk(bare.hub, "Olga", role=Role.OWNER)
    assert "Build a map" in text_of(owner.get(REACH))
    form = {"depot_id": leaving(bare).depot_id, "minutes": "10", "within": "10", "name": "x"}
    refused = bare.post(f"{REACH}/zone", **form)
    assert refused.status_code == 422 and bare.rows(ZoneRow) == []
    with desk.hub.unit() as unit:
        row = unit.session.get_one(DepotRow, desk.rows(DepotRow)[0].id)
        row.lat, row.lon = 48.85, 2.35
    page = text_of(desk.get(REACH))
    assert "The map has no road near the place." in page and "Look whether the pin of" in page


def test_a_map_without_turns_names_the_extra(desk: Desk, tmp_path: Path, helsinki: Path) -> None:
    built = helsinki / "map" / "current" / "map.json"
    plain = tmp_path / "plain" / "build-1"
    plain.mkdir(parents=True)
    (plain.parent / "current").symlink_to("build-1")
    (plain / "map.json").write_text(re.sub('"turns": true', '"turns": false', built.read_text()))
    (tmp_path / "map").unlink()
    (tmp_path / "map").symlink_to(plain.parent)
    page = text_of(desk.get(REACH))
    assert "built without turns" in page and "pip install lastmile-hub[valhalla]" in page


def test_no_depot_no_reach(helsinki: Path, tmp_path: Path) -> None:
    desk = a_desk(a_hub(helsinki, tmp_path), empty=True)
    assert "No depot yet" in text_of(desk.get(REACH))
    assert desk.post(f"{REACH}/zone", depot_id="x", name="x").status_code == 404


def test_another_businesss_depot_is_nowhere_and_its_jobs_count_for_nobody(desk: Desk) -> None:
    rival = a_desk(desk.hub, "Rival")
    with_orders(rival)
    theirs = rival.rows(DepotRow)[0].id
    assert desk.get(f"{REACH}?depot_id={theirs}&day={DAY}").status_code == 404
    form = {"depot_id": theirs, "minutes": "4", "within": "4", "name": "Stolen"}
    assert desk.post(f"{REACH}/zone", **form).status_code == 404
    assert seen(desk, [4]).spots == () and seen(desk, [4]).pinless == 0
    assert rival.rows(ZoneRow) == desk.rows(ZoneRow) == []
    assert "Rival" not in desk.get(REACH).text


@pytest.mark.parametrize("role", [Role.OWNER, Role.DISPATCHER, Role.VIEWER])
def test_every_link_of_the_page_opens_for_who_sees_it(desk: Desk, role: Role) -> None:
    somebody = a_desk(desk.hub, "Links", role=role)
    with_orders(somebody)
    slow(somebody, RushHour(0, 6, 0, 0, 2.0))
    there = [somebody.get(f"{REACH}?day={DAY}&minutes=4")]
    with desk.hub.unit() as unit:
        row = unit.session.exec(
            select(DepotRow).where(DepotRow.business_id == somebody.business_id)
        ).one()
        row.lat, row.lon = 48.85, 2.35
    there.append(somebody.get(REACH))
    for page in there:
        main = page.text.split("<main", 1)[1]
        for link in set(re.findall(r'href="(/panel/[^"]+)"', main)):
            assert somebody.get(link).status_code == 200, link


def test_a_viewer_looks_and_an_accountant_does_not(desk: Desk) -> None:
    vera = a_desk(desk.hub, "Vera", role=Role.VIEWER)
    page = vera.get(f"{REACH}?minutes=4")
    assert page.status_code == 200 and "Make a zone of it" not in page.text
    form = {"depot_id": leaving(vera).depot_id, "minutes": "4", "within": "4", "name": "Mine"}
    assert vera.post(f"{REACH}/zone", **form).status_code == 403
    books = a_desk(desk.hub, "Ada", role=Role.ACCOUNTANT)
    assert books.get(REACH).status_code == 403
    with desk.hub.reading() as session:
        assert session.exec(select(ZoneRow)).all() == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_jobs_are_counted_alike_on_postgresql(
    database_url: str, helsinki: Path, tmp_path: Path
) -> None:
    desk = a_desk(a_hub(helsinki, tmp_path, url=database_url))
    with_orders(desk)
    found = seen(desk, [10])
    assert (found.rings[0].jobs, found.pinless, found.elsewhere) == (3, 1, 0)


class Compass(CrowTravelTimes, GivesReach):
    """A plugin that draws circles; ``mood`` is how it feels."""

    key = "compass"
    title = "Compass"
    mood: ClassVar[str] = "well"

    def reach(
        self, place: Point, seconds: Sequence[float], depart_at: datetime, profile: str
    ) -> Sequence[Area]:
        match self.mood:
            case "square":
                a, b = place.lat, place.lon
                around = ((a - 1, b - 1), (a - 1, b + 1), (a + 1, b + 1), (a + 1, b - 1))
                return [((around,),)] * len(seconds)
            case "round the globe":
                return [((((60.1, 24.9), (60.2, 24.9), (60.2, 999.0)),),)] * len(seconds)
            case "broken":
                raise ZeroDivisionError
            case "short":
                return []
            case "babbling":
                return ["far"] * len(seconds)  # type: ignore[list-item]
            case "without rings":
                return [((),)] * len(seconds)
            case "a line":
                return [((((60.1, 24.9), (60.2, 24.9)),),)] * len(seconds)
            case "off the globe":
                return [((((60.1, 24.9), (60.2, 24.9), (260.1, 24.9)),),)] * len(seconds)
            case "no numbers":
                nowhere = (float("nan"), 24.9)
                return [(((nowhere, nowhere, nowhere),),)] * len(seconds)
        turns = [2 * pi * n / 5001 for n in range(5001)]
        return [
            ((tuple((place.lat + s / 1e4 * cos(t), place.lon + s / 1e4 * sin(t)) for t in turns),),)
            for s in seconds
        ]


class Circles:
    __name__ = "circles"

    def __init__(self, mood: str) -> None:
        self.provider = type("Compass", (Compass,), {"mood": mood})

    @hookimpl
    def hub_travel_times(self) -> list[type[TravelTimes]]:
        return [self.provider]


def test_an_installed_plugin_is_asked_before_the_built_map(desk: Desk) -> None:
    desk.hub.registry.add(Circles("well"), "circles")
    assert len(seen(desk, [4]).rings[0].area[0][0]) == 5001
    form = {"depot_id": leaving(desk).depot_id, "minutes": "4", "within": "4", "name": "Round"}
    said = text_of(desk.post(f"{REACH}/zone", **form))
    assert "This ring cannot be a zone: The area has 5001 corners." in said
    assert desk.rows(ZoneRow) == []


def test_where_a_plugin_says_how_far_one_gets_the_map_does_not_end_it(desk: Desk) -> None:
    ends = "The map ends within these minutes"
    assert ends in text_of(desk.get(f"{REACH}?minutes=120"))
    desk.hub.registry.add(Circles("well"), "circles")
    assert ends not in text_of(desk.get(f"{REACH}?minutes=120"))


def test_a_ring_across_180_degrees_is_drawn_on_the_depots_side_and_a_zone_on_both(
    desk: Desk,
) -> None:
    desk.hub.registry.add(Circles("square"), "circles")
    with desk.hub.unit() as unit:
        row = unit.session.get_one(DepotRow, leaving(desk).depot_id)
        row.lat, row.lon = -16.8, 179.9
    west, east = seen(desk, [4]).rings[0].area
    assert {lon for _, lon in west[0]} == {178.9, 180.0}
    assert {round(lon, 6) for _, lon in east[0]} == {-180.0, -179.1}
    page = desk.get(f"{REACH}?minutes=4")
    assert page.status_code == 200
    drawn = re.findall(r'class="ring" d="([^"]+)"', page.text)
    assert drawn and all(path.count("M") == 1 for path in drawn)
    form = {"depot_id": leaving(desk).depot_id, "minutes": "4", "within": "4", "name": "Taveuni"}
    assert desk.post(f"{REACH}/zone", **form).status_code == 302
    with desk.hub.reading() as session:
        [zone] = zones_of(session, desk.business_id)
    assert [zone.has(Point(-16.5, lon)) for lon in (179.5, -179.5, 178.5, -178.5)] == [
        True,
        True,
        False,
        False,
    ]


MOODS = [
    "round the globe",
    "broken",
    "short",
    "babbling",
    "without rings",
    "a line",
    "off the globe",
    "no numbers",
]


@pytest.mark.parametrize("mood", MOODS)
def test_a_plugin_that_makes_no_sense_is_passed_over(desk: Desk, mood: str) -> None:
    ours = seen(desk, [4]).rings
    desk.hub.registry.add(Circles(mood), "circles")
    assert seen(desk, [4]).rings == ours
    assert desk.get(f"{REACH}?minutes=4").status_code == 200

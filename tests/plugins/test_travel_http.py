"""An outside service of travel times: asked by what it takes at once, believed for what it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from hub import AuthError, ConfigError, Point, RateLimited, Refused, Tools, Unavailable
from hub.plugins.travel_http import HttpTravelSettings, HttpTravelTimes
from hub.plugins.travel_osrm import UNREACHABLE_S, OsrmTravelTimes
from hub.testing import WsgiAdapter
from hub.testing.lending import lent
from tests.fakes.roads import KEY, RoadsService

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
STATION, MARKET, PARK = Point(60.1710, 24.9414), Point(60.1680, 24.9520), Point(60.1760, 24.9440)
PLACES = [STATION, MARKET, PARK]
MANY = [Point(60.165 + n / 10_000, 24.935 + (n * 7 % 60) / 3_000) for n in range(60)]
PARIS = Point(48.85, 2.35)
ORIGIN = "https://roads.example"
DIALECTS = ("osrm", "valhalla", "openrouteservice")
Make = Callable[..., HttpTravelTimes]


@pytest.fixture
def service(helsinki: Path) -> RoadsService:
    return RoadsService(helsinki)


@pytest.fixture
def make(service: RoadsService, tmp_path: Path) -> Make:
    def make(dialect: str = "osrm", tools: Tools | None = None, **more: Any) -> HttpTravelTimes:
        tools = tools or lent(tmp_path, now=AT)
        tools.http.mount(ORIGIN, WsgiAdapter(service.app))
        given = {"dialect": dialect, "url": f"{ORIGIN}/", "key": KEY, "try_at": "60.17, 24.94"}
        return HttpTravelTimes(HttpTravelSettings.model_validate({**given, **more}), tools)

    return make


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_says_what_the_engine_behind_it_says(
    make: Make, tools_for: Any, helsinki: Path, dialect: str
) -> None:
    ways = make(dialect)
    ways.check()
    found = ways.matrix(PLACES, AT, "van")
    engine = OsrmTravelTimes(None, tools_for(helsinki))
    roads = engine.matrix(PLACES, AT, "car")
    for said, true in ((found.seconds, roads.seconds), (found.metres, roads.metres)):
        for row, truth in zip(said, true, strict=True):
            assert row == pytest.approx(list(truth), abs=1)
    route, way = ways.route(PLACES, AT, "car"), engine.route(PLACES, AT, "car")
    assert [leg.metres for leg in route.legs] == pytest.approx(
        [leg.metres for leg in way.legs], abs=1
    )
    assert len(route.geometry) >= len(way.geometry)


def the_examples() -> list[dict[str, str]]:
    """The settings that the page on roads shows, a column for each kind of service."""
    text = (Path(__file__).parents[2] / "docs" / "roads.md").read_text()
    titles = {field.title: name for name, field in HttpTravelSettings.model_fields.items()}
    found: list[dict[str, str]] = [{}, {}, {}]
    for line in (re.split(r"\s*\|\s*", row.strip("|").strip()) for row in text.splitlines()):
        if line[0] in titles and len(line) == 4:
            for example, cell in zip(found, line[1:], strict=True):
                if cell.startswith("`"):
                    example[titles[line[0]]] = cell.strip("`")
    return found


@pytest.mark.parametrize("example", the_examples(), ids=lambda example: example.get("dialect"))
def test_what_the_page_on_roads_shows_can_be_typed_and_works(
    make: Make, service: RoadsService, tmp_path: Path, example: dict[str, str]
) -> None:
    assert {"dialect", "url", "names", "try_at", "at_once", "most_places"} <= example.keys()
    tools = lent(tmp_path, now=AT)
    parts = urlsplit(example["url"])
    inside = DispatcherMiddleware(service.app, {parts.path: service.app} if parts.path else {})
    tools.http.mount(f"https://{parts.hostname}", WsgiAdapter(inside))
    ways = HttpTravelTimes(HttpTravelSettings.model_validate({**example, "key": KEY}), tools)
    ways.check()
    assert ways.matrix(PLACES, AT, "car").seconds[0][1] > 0


@pytest.mark.parametrize(
    ("limits", "most"), [({}, 2500), ({"at_once": 100}, 100), ({"most_places": 30}, 225)]
)
def test_no_question_is_larger_than_the_service_takes(
    make: Make, service: RoadsService, limits: dict[str, int], most: int
) -> None:
    service.most_pairs = limits.get("at_once", 2500)
    service.most_places = limits.get("most_places", 100)
    ways = make(**limits)
    matrix = ways.matrix(MANY, AT, "car")
    assert max(service.asked) <= most
    assert sum(service.asked) == 60 * 60
    assert matrix.seconds[3][57] == make().matrix([MANY[3], MANY[57]], AT, "car").seconds[0][1]
    service.asked.clear()
    ways.part(MANY[:1], MANY, AT, "car")
    assert len(service.asked) <= 3  # a row is asked as a row, not as squares


def test_a_long_way_is_asked_in_pieces(make: Make) -> None:
    route = make(most_places=10).route(MANY, AT, "car")
    whole = make().route(MANY, AT, "car")
    assert len(route.legs) == len(whole.legs) == 59
    assert sum(leg.metres for leg in route.legs) == pytest.approx(
        sum(leg.metres for leg in whole.legs), rel=0.05
    )  # a way that begins anew may turn round at once


@pytest.mark.parametrize("dialect", DIALECTS)
def test_where_no_road_leads_is_out_of_reach_and_hides_nothing(make: Make, dialect: str) -> None:
    matrix = make(dialect).matrix([STATION, PARIS, MARKET], AT, "car")
    assert [row[1] for row in matrix.seconds] == [UNREACHABLE_S, 0, UNREACHABLE_S]
    assert 0 < matrix.seconds[0][2] < 3600


@pytest.mark.parametrize("dialect", DIALECTS)
def test_two_lost_places_are_found_among_many(
    make: Make, service: RoadsService, dialect: str
) -> None:
    """Valhalla and openrouteservice refuse a whole question for one of them."""
    lost = [MANY[0], PARIS, *MANY[1:40], Point(60.6, 26.5), *MANY[40:]]
    service.most_pairs = 900
    matrix = make(dialect, at_once=900).matrix(lost, AT, "car")
    off = [1, 41]
    for n, row in enumerate(matrix.seconds):
        for m, seconds in enumerate(row):
            assert (seconds == UNREACHABLE_S) == (n != m and (n in off or m in off)), (n, m)
    assert len(service.asked) < 9 + 40


def test_a_server_whose_map_is_another_one_refuses_at_once(
    make: Make, service: RoadsService
) -> None:
    far = [Point(48.85 + n / 1000, 2.35) for n in range(40)]
    with pytest.raises(Refused, match="No suitable edges"):
        make("valhalla").matrix(far, AT, "car")
    assert len(service.asked) < 12


@pytest.mark.parametrize("mood", ["short of breath", "down"])
def test_it_is_asked_once_more_after_a_short_pause(
    make: Make, service: RoadsService, mood: str
) -> None:
    service.moods = [mood]
    assert make().matrix(PLACES, AT, "car").seconds[0][1] > 0
    assert len(service.asked) == 1


def test_a_service_that_stays_down_is_unavailable(make: Make, service: RoadsService) -> None:
    service.mood = "down"
    with pytest.raises(Unavailable, match=r"roads\.example answered 503"):
        make().matrix(PLACES, AT, "car")


def test_nobody_who_waits_waits_for_a_second_try(
    make: Make, service: RoadsService, tmp_path: Path
) -> None:
    service.moods = ["busy"]
    hurried = replace(lent(tmp_path, now=AT), within_s=4.0)
    with pytest.raises(RateLimited) as caught:
        make(tools=hurried).matrix(PLACES, AT, "car")
    assert caught.value.retry_after == 7
    assert service.moods == []


def test_nobody_who_waits_waits_for_a_lost_place_to_be_found(
    make: Make, service: RoadsService, tmp_path: Path
) -> None:
    hurried = replace(lent(tmp_path, now=AT), within_s=1e-9)
    with pytest.raises(Unavailable, match="no time to find which place"):
        make("valhalla", tools=hurried).matrix([STATION, PARIS, MARKET], AT, "car")
    assert len(service.asked) == 1


def test_a_refused_key_is_said_at_once_and_never_shown(make: Make, service: RoadsService) -> None:
    with pytest.raises(AuthError) as caught:
        make(key="wr0ng").check()
    assert "wr0ng" not in str(caught.value)
    assert make(key_in="address", key_name="api_key").matrix(PLACES, AT).seconds[0][1] > 0
    assert KEY not in repr(make().settings)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_answer_of_another_kind_says_where_to_look(
    make: Make, service: RoadsService, dialect: str
) -> None:
    service.mood = "babbling"
    ways = make(dialect)
    for ask in (ways.check, lambda: ways.route(PLACES, AT, "car")):
        with pytest.raises(ConfigError, match=f"does not answer as {dialect} does") as caught:
            ask()
        assert caught.value.field == "url"


def test_a_refusal_of_the_try_is_said_at_the_address(make: Make, service: RoadsService) -> None:
    service.most_pairs = 0
    with pytest.raises(ConfigError, match="refuses the question") as caught:
        make().check()
    assert caught.value.field == "url"


def test_a_server_of_one_kind_of_roads_is_not_asked_for_others(make: Make) -> None:
    """A server of OSRM looks at no name: it would send a bicycle along motorways."""
    with pytest.raises(ConfigError, match="no vehicle like a bicycle") as caught:
        make("osrm").matrix(PLACES, AT, "bicycle")
    assert caught.value.field == "names"
    on_foot = make("osrm", names="walk = foot, van=driving").matrix(PLACES, AT, "walk")
    assert on_foot.seconds[0][1] > make("osrm").matrix(PLACES, AT, "car").seconds[0][1]


def test_how_large_a_truck_is_is_told_to_those_who_ask(make: Make, service: RoadsService) -> None:
    profile = "truck/h380/l900/w12000"
    service.app.view_functions["_valhalla_table"] = lambda: ("{}", 200)
    with pytest.raises(ConfigError):
        make("valhalla").matrix(PLACES, AT, profile)
    sizes = {"height": 3.8, "length": 9.0, "weight": 12.0}
    assert service.bodies[-1]["costing_options"] == {"truck": sizes}
    service.app.view_functions["_ors_route"] = lambda name: ("{}", 200)
    with pytest.raises(ConfigError):
        make("openrouteservice").route(PLACES, AT, profile)
    told = service.bodies[-1]["options"]["profile_params"]["restrictions"]
    assert told == sizes
    ways = make("valhalla")
    assert ways.basis(AT, profile) != ways.basis(AT, "truck")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"url": "roads.example"}, "Begin the address with https://"),
        ({"url": "https://roads.example/?key=1"}, "what follows the question mark"),
        ({"names": "van"}, "Write pairs like"),
        ({"names": "boat=ferry"}, "There is no 'boat'"),
        ({"try_at": "Helsinki"}, "Write latitude and longitude"),
        ({"at_once": 0}, "greater than or equal to 1"),
    ],
)
def test_wrong_settings_are_said(change: dict[str, Any], sentence: str) -> None:
    given = {"dialect": "osrm", "url": "https://roads.example", **change}
    with pytest.raises(ValidationError, match=sentence):
        HttpTravelSettings.model_validate(given)


def test_without_a_map_somebody_has_to_name_a_place_to_try(make: Make) -> None:
    with pytest.raises(ConfigError) as caught:
        make(try_at="").check()
    assert caught.value.field == "try_at"

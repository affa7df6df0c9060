"""Services that know the traffic: asked as their pages say, for the hour of leaving, and not more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from hub import AuthError, ConfigError, Point, Refused
from hub.maps.polyline import decoded_flexible
from hub.plugins.travel_osrm import UNREACHABLE_S
from hub.plugins.travel_traffic import TrafficSettings, TrafficTravelTimes
from hub.testing import WsgiAdapter
from hub.testing.lending import lent
from tests.fakes.traffic import KEY, TrafficServices

NOW = datetime(2026, 11, 2, 6, 30, tzinfo=UTC)
EIGHT = NOW.replace(hour=8, minute=0)
NOON = NOW.replace(hour=12, minute=0)
PLACES = [Point(60.1710, 24.9414), Point(60.1680, 24.9520), Point(60.1760, 24.9440)]
MANY = [Point(60.165 + n / 10_000, 24.935 + (n * 7 % 60) / 3_000) for n in range(40)]
PARIS = Point(48.85, 2.35)
SERVICES = ("google", "here", "mapbox", "tomtom")
MOST = {"google": 625, "here": 10_000, "mapbox": 156, "tomtom": 200}
Make = Callable[..., TrafficTravelTimes]


@pytest.fixture
def services(helsinki: Path) -> TrafficServices:
    return TrafficServices(helsinki, NOW)


@pytest.fixture
def make(services: TrafficServices, tmp_path: Path) -> Make:
    def make(service: str, **more: Any) -> TrafficTravelTimes:
        tools = lent(tmp_path, now=NOW)
        for origin in services.origins:
            tools.http.mount(origin, WsgiAdapter(services.app))
        given = {"service": service, "key": KEY, "try_at": "60.17, 24.94", **more}
        return TrafficTravelTimes(TrafficSettings.model_validate(given), tools)

    return make


@pytest.mark.parametrize("service", SERVICES)
def test_a_drive_at_eight_takes_longer_than_one_at_noon(make: Make, service: str) -> None:
    ways = make(service)
    ways.check()
    early, late = (ways.matrix(PLACES, at, "van").seconds[0][1] for at in (EIGHT, NOON))
    assert early == pytest.approx(1.5 * late, abs=1)
    assert ways.knows_traffic
    assert ways.basis(EIGHT, "van") != ways.basis(NOON, "van")
    assert ways.basis(EIGHT, "van") == ways.basis(EIGHT + timedelta(days=7), "van")


@pytest.mark.parametrize("service", SERVICES)
def test_a_time_that_is_over_is_now(make: Make, service: str) -> None:
    ways = make(service)
    over = NOW - timedelta(days=3)
    assert ways.matrix(PLACES, over, "car").seconds[0][1] > 0
    assert ways.basis(over, "car") == ways.basis(NOW, "car")


def test_what_one_account_was_told_is_no_other_businesss(make: Make) -> None:
    mine, theirs = (make("google", key=key).basis(NOON, "car") for key in (KEY, "another"))
    assert mine != theirs and KEY not in mine


@pytest.mark.parametrize("service", SERVICES)
def test_no_question_is_larger_than_its_page_says(
    make: Make, services: TrafficServices, service: str
) -> None:
    matrix = make(service).matrix(MANY, NOON, "car")
    assert max(services.asked) <= MOST[service]
    assert sum(services.asked) == 40 * 40
    assert all(row[n] == 0 for n, row in enumerate(matrix.seconds))
    assert max(map(max, matrix.seconds)) < 3600


@pytest.mark.parametrize("service", SERVICES)
def test_a_place_far_from_every_road_hides_nothing(make: Make, service: str) -> None:
    matrix = make(service).matrix([PLACES[0], PARIS, PLACES[1]], NOON, "car")
    assert [row[1] for row in matrix.seconds] == [UNREACHABLE_S, 0, UNREACHABLE_S]
    assert 0 < matrix.seconds[0][2] < 3600


def test_a_place_that_spoils_mapboxs_whole_question_is_found(
    make: Make, services: TrafficServices
) -> None:
    services.is_strict = True
    matrix = make("mapbox").matrix([PLACES[0], PARIS, PLACES[1]], NOON, "car")
    assert [row[1] for row in matrix.seconds] == [UNREACHABLE_S, 0, UNREACHABLE_S]
    assert 0 < matrix.seconds[0][2] < 3600


@pytest.mark.parametrize("status", [400, 404, 422])
@pytest.mark.parametrize("service", ["here", "mapbox", "tomtom"])
def test_no_refusal_shows_the_key_that_was_in_the_address(
    tmp_path: Path, service: str, status: int
) -> None:
    echo = Flask("echo")
    echo.register_error_handler(404, lambda _: (f"Nothing at {request.url}", status))
    tools = lent(tmp_path, now=NOW)
    tools.http.mount("https://", WsgiAdapter(echo))
    settings = TrafficSettings.model_validate({"service": service, "key": KEY})
    with pytest.raises(Refused, match="Nothing at") as caught:
        TrafficTravelTimes(settings, tools).matrix(PLACES, NOON, "car")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("service", SERVICES)
def test_a_key_that_it_does_not_know_is_said(make: Make, service: str) -> None:
    with pytest.raises(AuthError) as caught:
        make(service, key="wr0ng").check()
    assert "wr0ng" not in str(caught.value)


def test_who_has_no_trucks_is_not_asked_for_one(make: Make, services: TrafficServices) -> None:
    for service in ("google", "mapbox"):
        with pytest.raises(ConfigError, match="knows no vehicle like a truck"):
            make(service).matrix(PLACES, NOON, "truck")
    assert services.asked == []


def test_the_traffic_is_asked_for_in_each_services_own_words(
    make: Make, services: TrafficServices
) -> None:
    for service in ("google", "here", "tomtom"):
        make(service).matrix(PLACES, EIGHT, "car")
    google, here, tomtom = services.bodies
    assert (google["routingPreference"], google["departureTime"]) == (
        "TRAFFIC_AWARE",
        "2026-11-02T08:00:00Z",
    )
    assert here["departureTime"] == "2026-11-02T08:00:00Z"
    assert tomtom["options"] == {
        "travelMode": "car",
        "routeType": "fastest",
        "traffic": "live",
        "departAt": "2026-11-02T08:00:00Z",
    }


def test_heres_lines_are_read_as_its_own_example() -> None:
    """The example of the encoding's own page."""
    found = decoded_flexible("BFoz5xJ67i1B1B7PzIhaxL7Y")
    assert [(p.lat, p.lon) for p in found] == [
        (50.10228, 8.69821),
        (50.10201, 8.69567),
        (50.10063, 8.69150),
        (50.09878, 8.68752),
    ]
    for broken in ("", "BFoz5", "C", "B!"):
        with pytest.raises(ValueError):  # noqa: PT011  (whatever it says, it is no line)
            decoded_flexible(broken)

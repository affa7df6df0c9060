"""An outside geocoder's answer means what the hub says, not what the service is proud of.

The answers are shaped as the vendors document them: nominatim.org "Output",
photon "docs/api-v1.md", pelias/documentation "response.md" (read 2026-11).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask, Response, jsonify, request
from pydantic import ValidationError
from werkzeug.serving import make_server

from hub import Address, AuthError, ConfigError, RateLimited, Refused, Tools, Unavailable
from hub.http import Http
from hub.plugins.geocode_http import HttpGeocoder, HttpGeocoderSettings
from tests.plugins.geocoding_worlds import ANSWERS, NOMINATIM_URL, nominatim, pelias, photon

TEN = Address(("Yrjönkatu 10",), city="Helsinki", postcode="00120", country="FI")


class Service:
    """The network's other end: answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Any = []
        self.status, self.headers, self.port = 200, {}, 0
        self.asked: list[dict[str, str]] = []
        self.heard: list[dict[str, str]] = []
        self.paths: list[str] = []

    def reply(self, path: str = "") -> Response:
        self.asked.append(request.args.to_dict())
        self.heard.append(dict(request.headers))
        self.paths.append(path)
        reply = jsonify(self.answer)
        reply.status_code = self.status
        reply.headers.update(self.headers)
        return reply


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    app = Flask("geocoder")
    app.add_url_rule("/<path:path>", "reply", service.reply)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    service.port = server.server_port
    yield service
    server.shutdown()


@pytest.fixture
def geocoder(service: Service) -> Callable[..., HttpGeocoder]:
    def make(dialect: str = "nominatim", path: str = NOMINATIM_URL, **more: Any) -> HttpGeocoder:
        url = f"http://127.0.0.1:{service.port}{path}"
        settings = HttpGeocoderSettings(dialect=dialect, url=url, **more)  # type: ignore[arg-type]
        http = Http([f"127.0.0.1:{service.port}"])
        log = logging.getLogger("tests.geocode")
        return HttpGeocoder(settings, Tools(http, lambda: datetime.now(UTC), log, Path()))

    return make


@pytest.mark.parametrize("dialect", ["nominatim", "photon", "pelias"])
def test_the_very_door_is_sure_in_every_dialect(
    service: Service, geocoder: Callable[..., HttpGeocoder], dialect: str
) -> None:
    service.answer = ANSWERS[dialect]
    match = geocoder(dialect, "/api?q={q}&countrycode={country}").locate(TEN)
    assert match is not None
    assert (match.point.lat, match.point.lon) == (60.1655, 24.9411)
    assert (match.precision, match.confidence) == ("rooftop", 0.95)
    assert "Yrjönkatu" in match.label


@pytest.mark.parametrize(
    ("dialect", "answer"),
    [
        ("nominatim", [nominatim("12")]),
        ("photon", photon(housenumber="12")),
        ("pelias", pelias(housenumber="12", confidence=0.9)),
    ],
)
def test_another_door_of_the_street_is_never_sure(
    service: Service, geocoder: Callable[..., HttpGeocoder], dialect: str, answer: Any
) -> None:
    service.answer = answer
    match = geocoder(dialect, "/api?q={q}").locate(TEN)
    assert match is not None
    assert (match.precision, match.confidence) == ("street", 0.5)


@pytest.mark.parametrize(
    ("dialect", "answer", "precision"),
    [
        ("nominatim", [nominatim(osm_type="way")], "interpolated"),
        ("pelias", pelias(match_type="interpolated", accuracy="point"), "interpolated"),
        ("nominatim", [nominatim(address={"road": "Yrjönkatu", "city": "Helsinki"})], "street"),
        ("photon", photon(housenumber="", street="", name="Yrjönkatu", type="street"), "street"),
        ("nominatim", [nominatim(type="postcode", address={"postcode": "00120"})], "postcode"),
        ("pelias", pelias(layer="locality", housenumber="", street=""), "city"),
    ],
)
def test_less_than_a_door_stays_below_the_bar(
    service: Service,
    geocoder: Callable[..., HttpGeocoder],
    dialect: str,
    answer: Any,
    precision: str,
) -> None:
    service.answer = answer
    match = geocoder(dialect, "/api?q={q}").locate(TEN)
    assert match is not None
    assert match.precision == precision
    assert match.confidence < 0.8


@pytest.mark.parametrize(
    ("written", "sure"),
    [
        ("yrjonkatu 10 A 4", True),
        ("10 Yrjönkatu", True),
        ("Yrjönkatu 1", False),
        ("Urheilukatu 10", False),
    ],
)
def test_how_the_same_door_is_written_does_not_matter_but_another_street_does(
    service: Service, geocoder: Callable[..., HttpGeocoder], written: str, sure: bool
) -> None:
    service.answer = [nominatim()]
    match = geocoder().locate(Address((written,), city="Helsinki", postcode="00120"))
    assert match is not None
    assert (match.confidence >= 0.8) is sure


def test_a_staircase_letter_may_be_written_apart(
    service: Service, geocoder: Callable[..., HttpGeocoder]
) -> None:
    service.answer = [nominatim("10A")]
    apart, without = Address(("Yrjönkatu 10 a",)), Address(("Yrjönkatu 10",))
    assert geocoder().locate(apart).confidence == 0.95  # type: ignore[union-attr]
    assert geocoder().locate(without).confidence == 0.5  # type: ignore[union-attr]


def test_a_door_of_another_town_is_not_sure(
    service: Service, geocoder: Callable[..., HttpGeocoder]
) -> None:
    service.answer = [nominatim()]
    elsewhere = Address(("Yrjönkatu 10",), city="Pori", postcode="28100", country="FI")
    match = geocoder().locate(elsewhere)
    assert match is not None
    assert match.confidence == 0.57


def test_two_equally_good_doors_far_apart_are_a_question_for_a_person(
    service: Service, geocoder: Callable[..., HttpGeocoder]
) -> None:
    service.answer = [nominatim(), nominatim(lat="60.1955")]
    match = geocoder().locate(TEN)
    assert match is not None
    assert match.confidence < 0.8
    service.answer = [nominatim(), nominatim(lat="60.1656")]  # two entrances of one house
    assert geocoder().locate(TEN).confidence == 0.95  # type: ignore[union-attr]


def test_a_service_that_is_not_sure_itself_is_believed(
    service: Service, geocoder: Callable[..., HttpGeocoder]
) -> None:
    service.answer = pelias(confidence=0.6)
    assert geocoder("pelias", "/v1/search?text={q}").locate(TEN).confidence == 0.6  # type: ignore[union-attr]


def test_nothing_found_is_none(service: Service, geocoder: Callable[..., HttpGeocoder]) -> None:
    service.answer = []
    assert geocoder().locate(TEN) is None
    service.answer = {"type": "FeatureCollection", "features": []}
    assert geocoder("photon", "/api?q={q}").locate(TEN) is None


def test_the_question_carries_address_country_key_and_who_asks(
    service: Service, geocoder: Callable[..., HttpGeocoder]
) -> None:
    nasty = Address(("Rock & Roll Str. 1?x={key}#y",), city="Köln", country="DE")
    geocoder(key="s3cret", key_header="X-Key", contact="ops@husk.example").locate(nasty)
    [asked], [heard] = service.asked, service.heard
    assert asked["q"] == "Rock & Roll Str. 1?x={key}#y, Köln"
    assert asked["countrycodes"] == "DE"
    assert heard["X-Key"] == "s3cret"
    assert "ops@husk.example" in heard["User-Agent"]
    geocoder(path="/search/{q}.json?key={key}&country={country}", key="s3cret").locate(
        Address(("a/b 1",), city="Bonn")
    )
    assert service.asked[1] == {"key": "s3cret"}  # no country known: none is asked for
    assert service.paths[1] == "search/a/b 1, Bonn.json"


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AuthError), (403, AuthError), (429, RateLimited), (503, Unavailable), (400, Refused)],
)
def test_a_failure_is_the_hubs_own_error(
    service: Service,
    geocoder: Callable[..., HttpGeocoder],
    status: int,
    error: type[Exception],
) -> None:
    service.status, service.headers = status, {"Retry-After": "17"}
    with pytest.raises(error) as caught:
        geocoder(key="s3cret", key_header="X-Key").locate(TEN)
    assert getattr(caught.value, "retry_after", 17) == 17
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("dialect", "answer"),
    [("nominatim", photon()), ("photon", [nominatim()]), ("pelias", {"error": "no"})],
)
def test_a_service_of_another_kind_fails_the_check_with_a_sentence(
    service: Service, geocoder: Callable[..., HttpGeocoder], dialect: str, answer: Any
) -> None:
    service.answer = answer
    with pytest.raises(ConfigError, match=f"does not answer as {dialect} does"):
        geocoder(dialect, "/api?q={q}").check()


def test_a_service_that_refuses_the_question_fails_the_check(
    service: Service, geocoder: Callable[..., HttpGeocoder]
) -> None:
    service.status = 404
    with pytest.raises(ConfigError, match="refuses"):
        geocoder().check()


def test_a_private_address_is_not_called() -> None:
    settings = HttpGeocoderSettings(dialect="photon", url="http://127.0.0.1:9/api?q={q}")
    log = logging.getLogger("tests.geocode")
    tools = Tools(Http(), lambda: datetime.now(UTC), log, Path())
    with pytest.raises((Refused, Unavailable)):
        HttpGeocoder(settings, tools).locate(TEN)


@pytest.mark.parametrize(
    "url", ["/search?q={q}", "https://geo.example/search", "https://{q}.geo.example/?q={q}"]
)
def test_an_address_that_cannot_work_is_said_at_its_field(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        HttpGeocoderSettings(dialect="photon", url=url)
    assert caught.value.errors()[0]["loc"] == ("url",)

"""The plugins every hub has keep the promises of their contracts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from flask import Flask, Response, jsonify, request

from hub import Address, Need, Point, Tools
from hub.plugins.eta_forward import ForwardEta
from hub.plugins.geocode_http import HttpGeocoder
from hub.plugins.geocode_osm import OsmGeocoder
from hub.plugins.routing_nearest import NearestRouting
from hub.plugins.routing_ortools import OrtoolsRouting
from hub.plugins.routing_pyvrp import PyvrpRouting
from hub.plugins.travel_crow import CrowTravelTimes
from hub.plugins.travel_http import HttpTravelTimes
from hub.plugins.travel_osrm import OsrmTravelTimes
from hub.plugins.travel_traffic import TrafficTravelTimes
from hub.plugins.travel_valhalla import ValhallaTravelTimes
from hub.testing import (
    EtaModelConformance,
    GeocoderConformance,
    RoutingStrategyConformance,
    TravelTimesConformance,
    WsgiAdapter,
)
from tests.fakes.roads import KEY, RoadsService
from tests.fakes.traffic import KEY as TRAFFIC_KEY
from tests.fakes.traffic import TrafficServices
from tests.plugins.geocoding_worlds import ANSWERS, NOMINATIM_URL


class TestNearest(RoutingStrategyConformance):
    def strategy(self, tools: Tools) -> NearestRouting:
        return NearestRouting(NearestRouting.Settings(), tools)


class TestPyvrp(RoutingStrategyConformance):
    lacks = frozenset(
        {
            Need.TIME_ON_BOARD,
            Need.BREAKS,
            Need.LOCKED_PREFIX,
            Need.NEVER_TOGETHER,
            Need.WISHES,
            Need.BALANCE,
            Need.WANTED_VEHICLE,
            Need.KNOWN_ORDER,
        }
    )

    def strategy(self, tools: Tools) -> PyvrpRouting:
        return PyvrpRouting(PyvrpRouting.Settings(), tools)


class TestOrtools(RoutingStrategyConformance):
    exempt: ClassVar = {
        "test_the_same_request_and_seed_give_the_same_plan": "its search ends by the clock"
    }

    def strategy(self, tools: Tools) -> OrtoolsRouting:
        return OrtoolsRouting(OrtoolsRouting.Settings(), tools)


class TestForwardEta(EtaModelConformance):
    def model(self, tools: Tools) -> ForwardEta:
        return ForwardEta(ForwardEta.Settings(), tools)


class InHelsinki:
    places = (
        Point(60.1710, 24.9414),
        Point(60.1680, 24.9520),
        Point(60.1760, 24.9440),
        Point(60.1655, 24.9411),
    )
    nowhere: ClassVar[Point | None] = Point(48.85, 2.35)
    profiles = ("car", "van", "truck", "bicycle", "cargo_bike", "walk")

    @pytest.fixture(autouse=True)
    def _map(self, helsinki: Path) -> None:
        self.helsinki = helsinki


class TestOsrm(InHelsinki, TravelTimesConformance):
    def travel(self, tools: Tools) -> OsrmTravelTimes:
        return OsrmTravelTimes(OsrmTravelTimes.Settings(), replace(tools, data_dir=self.helsinki))


class TestCrow(InHelsinki, TravelTimesConformance):
    nowhere = None  # a straight line leads everywhere

    def travel(self, tools: Tools) -> CrowTravelTimes:
        return CrowTravelTimes(CrowTravelTimes.Settings(), tools)


class TestValhalla(InHelsinki, TravelTimesConformance):
    def travel(self, tools: Tools) -> ValhallaTravelTimes:
        tools = replace(tools, data_dir=self.helsinki)
        return ValhallaTravelTimes(ValhallaTravelTimes.Settings(), tools)


class ARoadsService(InHelsinki, TravelTimesConformance):
    """An outside service of one kind, with the roads of the built map."""

    dialect = ""
    names = ""
    origin = "https://roads.example"
    profiles = ("car", "van", "walk")

    def travel(self, tools: Tools) -> HttpTravelTimes:
        tools.http.mount(self.origin, WsgiAdapter(RoadsService(self.helsinki).app))
        given = {"dialect": self.dialect, "url": self.origin, "key": KEY, "names": self.names}
        return HttpTravelTimes(HttpTravelTimes.Settings.model_validate(given), tools)


class TestOsrmService(ARoadsService):
    dialect, names = "osrm", "walk=foot"


class TestValhallaService(ARoadsService):
    dialect = "valhalla"


class TestOpenrouteService(ARoadsService):
    dialect = "openrouteservice"


class ATrafficService(InHelsinki, TravelTimesConformance):
    """A service that knows the traffic, with the roads of the built map."""

    service = ""
    profiles = ("car", "walk")

    def travel(self, tools: Tools) -> TrafficTravelTimes:
        services = TrafficServices(self.helsinki, tools.now())
        for origin in services.origins:
            tools.http.mount(origin, WsgiAdapter(services.app))
        given = {"service": self.service, "key": TRAFFIC_KEY}
        return TrafficTravelTimes(TrafficTravelTimes.Settings.model_validate(given), tools)


class TestGoogle(ATrafficService):
    service = "google"


class TestHere(ATrafficService):
    service = "here"


class TestMapbox(ATrafficService):
    service = "mapbox"


class TestTomTom(ATrafficService):
    service = "tomtom"


class TestOsmGeocoder(GeocoderConformance):
    own_data = "it looks into a file of its own and asks nobody"
    exempt: ClassVar = {
        "test_a_service_that_gives_no_answer_is_no_address_not_found": own_data,
        "test_a_check_finds_out_that_the_key_is_refused": own_data,
    }
    known = Address(("Aleksanterinkatu 15",), "Helsinki", postcode="00100", country="FI")
    at = Point(60.16887, 24.94606)

    @pytest.fixture(autouse=True)
    def _map(self, helsinki: Path) -> None:
        self.helsinki = helsinki

    def geocoder(self, tools: Tools) -> OsmGeocoder:
        return OsmGeocoder(OsmGeocoder.Settings(), replace(tools, data_dir=self.helsinki))


class AService(GeocoderConformance):
    """A service that knows one street with one house; ``dialect`` is how it says so."""

    dialect, path = "", ""
    known = Address(("Yrjönkatu 10",), "Helsinki", postcode="00120", country="FI")
    at = Point(60.1655, 24.9411)
    origin = "https://places.example"

    @pytest.fixture(autouse=True)
    def _service(self) -> None:
        self.mood = "well"
        self.app = Flask("places")
        self.app.add_url_rule("/<path:path>", view_func=self._answer)

    def be(self, mood: str) -> bool:
        self.mood = mood
        return True

    def geocoder(self, tools: Tools) -> HttpGeocoder:
        tools.http.mount(self.origin, WsgiAdapter(self.app))
        given = {"dialect": self.dialect, "url": self.origin + self.path}
        given |= {"key": "pl4ces-key", "key_header": "X-Key"}
        return HttpGeocoder(HttpGeocoder.Settings.model_validate(given), tools)

    def _answer(self, path: str) -> Any:
        match self.mood:
            case "busy":
                return Response("slow down", 429, {"Retry-After": "7"})
            case "down":
                return Response("oops", 503)
            case "babbling":
                return Response("<html>Back soon</html>", 200)
        if self.mood == "locked" or request.headers.get("X-Key") != "pl4ces-key":
            return Response("no", 403)
        asked = request.args.get("q") or request.args.get("text", "")
        found = ANSWERS[self.dialect]
        if "Yrjönkatu" in asked:
            return jsonify(found)
        return jsonify([] if isinstance(found, list) else {**found, "features": []})


class TestNominatim(AService):
    dialect, path = "nominatim", NOMINATIM_URL


class TestPhoton(AService):
    dialect, path = "photon", "/api?q={q}"


class TestPelias(AService):
    dialect, path = "pelias", "/v1/search?text={q}"

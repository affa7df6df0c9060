"""The plugin keeps the contract of a geocoder."""

from pathlib import Path
from typing import ClassVar

import pytest
from fake_signpost import FakeSignpost
from hub_signpost import Signpost

from hub import Address, AuthError, Point, RateLimited, Tools, Unavailable
from hub.testing import MONDAY, GeocoderConformance, WsgiAdapter, lent

HOME = Address(("Königstraße 3",), city="Helsinki", postcode="00100", country="FI")


@pytest.fixture
def remote() -> FakeSignpost:
    return FakeSignpost()


@pytest.fixture
def geocoder(remote: FakeSignpost, tmp_path: Path) -> Signpost:
    tools = lent(tmp_path, now=MONDAY)
    tools.http.mount("https://signpost.test", WsgiAdapter(remote.app))
    return Signpost(Signpost.Settings(url="https://signpost.test", token=remote.secret), tools)


def test_the_surest_place_is_found_where_it_is(geocoder: Signpost, remote: FakeSignpost) -> None:
    remote.put("Königstraße 3, Helsinki", 60.17, 24.94, score=0.9)
    remote.put("Königstraße 3, Espoo", 60.2, 24.6, score=0.7)
    match = geocoder.locate(HOME)
    assert match is not None
    assert (match.point, match.precision, match.confidence) == (Point(60.17, 24.94), "rooftop", 0.9)


def test_a_street_is_no_door_however_sure_the_answer_sounds(
    geocoder: Signpost, remote: FakeSignpost
) -> None:
    remote.put("Königstraße 3", 60.17, 24.94, exact="street")
    match = geocoder.locate(HOME)
    assert match is not None
    assert match.precision == "street"
    assert match.confidence <= 0.5


def test_an_address_nobody_knows_is_nowhere(geocoder: Signpost, remote: FakeSignpost) -> None:
    remote.put("Elsewhere 1", 60.17, 24.94)
    remote.put("Königstraße 3", 0, 0, exact="in a way we have not heard of")
    assert geocoder.locate(HOME) is None


def test_a_point_has_the_nearest_address(geocoder: Signpost, remote: FakeSignpost) -> None:
    remote.put("Far 1", 60.1708, 24.94)
    remote.put("Near 1", 60.1701, 24.94)
    match = geocoder.reverse(Point(60.17, 24.94))
    assert match is not None
    assert match.label == "Near 1"
    assert geocoder.reverse(Point(10, 10)) is None


@pytest.mark.parametrize(
    ("mood", "error"), [("locked", AuthError), ("busy", RateLimited), ("down", Unavailable)]
)
def test_trouble_says_what_happens_next(
    geocoder: Signpost, remote: FakeSignpost, mood: str, error: type[Exception]
) -> None:
    geocoder.check()
    remote.mood = mood
    for ask in (geocoder.check, lambda: geocoder.locate(HOME)):
        with pytest.raises(error) as caught:
            ask()
        assert remote.secret not in str(caught.value)
    assert remote.secret not in repr(geocoder.settings)


class TestSignpost(GeocoderConformance):
    known = HOME
    at = Point(60.17, 24.94)
    weighs = "Signpost itself weighs what was written, and says by its score how well it fits"
    exempt: ClassVar = {
        "test_another_town_makes_it_doubtful": weighs,
        "test_a_postcode_that_contradicts_makes_it_less_sure": weighs,
        "test_the_street_may_stand_in_any_line": weighs,
    }

    @pytest.fixture(autouse=True)
    def _service(self) -> None:
        self.remote = FakeSignpost()
        self.remote.put("Königstraße 3, Helsinki", 60.17, 24.94)

    def geocoder(self, tools: Tools) -> Signpost:
        tools.http.mount("https://signpost.test", WsgiAdapter(self.remote.app))
        settings = Signpost.Settings(url="https://signpost.test", token=self.remote.secret)
        return Signpost(settings, tools)

    def be(self, mood: str) -> bool:
        self.remote.mood = mood
        return True

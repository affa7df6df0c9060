"""The promises of a source of driving times, as tests to inherit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from math import cos, hypot, radians
from typing import ClassVar

import pytest

from hub import (
    AnswersInParts,
    ConfigError,
    GivesDirections,
    GivesReach,
    HubError,
    Point,
    Provider,
    Tools,
    TravelMatrix,
    TravelTimes,
)
from hub.core.zones import Zone
from hub.testing.provider import PresentableConformance, expect

TUESDAY = datetime(2024, 3, 5, 9, 0, tzinfo=UTC)
FASTEST_MPS = 50  # 180 km/h: nobody's driver
OUT_OF_REACH_S = 86_400
SNAP_M = 300  # from a pin to the road it is reached by


class TravelTimesConformance(PresentableConformance, ABC):
    places: ClassVar[Sequence[Point]]
    """Four doors or more that roads join, some hundred metres apart, no two of them alike."""
    nowhere: ClassVar[Point | None] = None
    """Where no road of yours leads. ``None``: there is no such place."""
    profiles: ClassVar[Sequence[str]] = ("car",)
    """All vehicles that are known."""

    @classmethod
    def unfit(cls) -> Iterable[str]:
        if cls.nowhere is None:
            yield "test_a_place_beyond_all_roads_is_out_of_reach"
        if not {"walk", "car"} <= set(cls.profiles):
            yield "test_slower_profiles_are_slower"

    @abstractmethod
    def travel(self, tools: Tools) -> TravelTimes: ...

    def presented(self, tools: Tools) -> Provider:
        return self.travel(tools)

    @pytest.fixture
    def ways(self, tools: Tools) -> TravelTimes:
        return self.travel(tools)

    def test_every_place_has_a_way_to_every_other(self, ways: TravelTimes) -> None:
        for profile in self.profiles:
            matrix = ways.matrix(self.places, TUESDAY, profile)
            n = len(self.places)
            demand_square(matrix, n)
            for i in range(n):
                for j in range(n):
                    if i != j:
                        assert 0 < matrix.seconds[i][j] < OUT_OF_REACH_S, (
                            f"From place {i} to {j} it is {matrix.seconds[i][j]} s by {profile}."
                        )

    def test_no_way_is_shorter_than_the_straight_line_or_faster_than_a_driver(
        self, ways: TravelTimes
    ) -> None:
        matrix = ways.matrix(self.places, TUESDAY)
        for i, a in enumerate(self.places):
            for j, b in enumerate(self.places):
                metres, seconds = matrix.metres[i][j], matrix.seconds[i][j]
                assert metres >= straight_m(a, b) - 2 * SNAP_M, (
                    f"{metres} m from {a} to {b}, which lie {straight_m(a, b):.0f} m apart: are"
                    " latitude and longitude swapped, or is it kilometres?"
                )
                assert metres <= FASTEST_MPS * seconds, (
                    f"{metres} m in {seconds} s: `seconds` holds whole seconds, `metres` metres."
                )

    def test_rows_are_from_and_columns_are_to(self, ways: TravelTimes) -> None:
        """A street of one way makes the two differ."""
        matrix = ways.matrix(self.places, TUESDAY)
        n = range(len(self.places))
        for i in n:
            for j in n:
                if i != j:
                    [leg] = ways.route([self.places[i], self.places[j]], TUESDAY).legs
                    for there, said in (
                        (matrix.seconds[i][j], leg.seconds),
                        (matrix.metres[i][j], leg.metres),
                    ):
                        assert abs(there - said) <= 0.1 * said + 30, (
                            f"The matrix says {there} from place {i} to {j}, the route {said}."
                            " `seconds[i][j]` is from i to j."
                        )

    def test_the_order_of_places_is_kept(self, ways: TravelTimes) -> None:
        forth = ways.matrix(self.places, TUESDAY)
        back = ways.matrix(list(reversed(self.places)), TUESDAY)
        n = len(self.places)
        for i in range(n):
            for j in range(n):
                assert abs(forth.seconds[i][j] - back.seconds[n - 1 - i][n - 1 - j]) <= 2, (
                    "Asked for the same places in another order it gives other times."
                )

    def test_few_places_are_no_error(self, ways: TravelTimes) -> None:
        one = self.places[0]
        demand_square(ways.matrix([], TUESDAY), 0)
        demand_square(ways.matrix([one], TUESDAY), 1)
        demand_square(ways.matrix([one, one], TUESDAY), 2)
        assert ways.matrix([one, one], TUESDAY).seconds[0][1] <= 60, "Next door is no drive."
        assert list(ways.route([one], TUESDAY).legs) == [], "One place has no leg."

    def test_a_route_has_a_leg_between_each_two(self, ways: TravelTimes) -> None:
        route = ways.route(self.places, TUESDAY)
        assert len(route.legs) == len(self.places) - 1, "One leg between each two places."
        for leg in route.legs:
            assert leg.seconds > 0 and leg.metres > 0, f"{leg} is no drive."

    def test_a_routes_shape_leads_from_the_first_to_the_last(self, ways: TravelTimes) -> None:
        shape = ways.route(self.places, TUESDAY).geometry
        assert len(shape) >= 2, "A shape of less than two points is no line on a map."
        for at, place in ((shape[0], self.places[0]), (shape[-1], self.places[-1])):
            assert straight_m(at, place) <= SNAP_M, (
                f"The shape has an end at {at}, {straight_m(at, place):.0f} m from {place}."
            )
        for place in self.places:
            nearest = min(straight_m(at, place) for at in shape)
            assert nearest <= 2 * SNAP_M, f"The shape passes {place} at {nearest:.0f} m."

    def test_a_place_beyond_all_roads_is_out_of_reach(self, ways: TravelTimes) -> None:
        assert self.nowhere is not None
        try:
            matrix = ways.matrix([*self.places[:2], self.nowhere], TUESDAY)
        except HubError:
            pass
        else:
            demand_square(matrix, 3)
            for n in (0, 1):
                assert min(matrix.seconds[n][2], matrix.seconds[2][n]) >= OUT_OF_REACH_S, (
                    "A place that no road leads to is near. Say more than a day, or raise Refused."
                )
            assert matrix.seconds[0][1] < OUT_OF_REACH_S, "One lost place hides all ways."
        lost = [self.places[0], self.nowhere]
        expect(HubError, lambda: ways.route(lost, TUESDAY), "a route to where no road leads")

    def test_an_unknown_profile_is_refused_in_a_sentence(self, ways: TravelTimes) -> None:
        for ask in (ways.matrix, ways.route):
            caught = expect(
                ConfigError,
                partial(ask, self.places, TUESDAY, "hovercraft"),
                "a profile that there is not",
            )
            assert "hovercraft" in str(caught), "Name the profile that is not known."

    @pytest.mark.parametrize("profile", ["car", "walk"])
    def test_a_profile_that_is_not_named_is_not_known(
        self, ways: TravelTimes, profile: str
    ) -> None:
        try:
            ways.matrix(self.places, TUESDAY, profile)
        except ConfigError:
            known = False
        else:
            known = True
        assert not known or profile in self.profiles, (
            f"It knows {profile!r}, and is not held to it. In {type(self).__name__}, write:\n\n"
            f"    profiles = {(*self.profiles, profile)!r}"
        )

    def test_slower_profiles_are_slower(self, ways: TravelTimes) -> None:
        totals = {
            profile: sum(map(sum, ways.matrix(self.places, TUESDAY, profile).seconds))
            for profile in ("walk", "car")
        }
        assert totals["walk"] > totals["car"], f"Walking is faster than driving: {totals}."

    def test_any_moment_can_be_asked_for(self, ways: TravelTimes) -> None:
        for depart_at in (TUESDAY - timedelta(days=3000), TUESDAY + timedelta(days=3000)):
            demand_square(ways.matrix(self.places[:2], depart_at), 2)

    def test_a_part_says_what_the_matrix_says(self, ways: TravelTimes) -> None:
        """Only of travel times that the hub remembers: others answer no parts."""
        if not isinstance(ways, AnswersInParts):
            return
        matrix = ways.matrix(self.places, TUESDAY)
        few = [2, 0]
        seconds, metres = ways.part([self.places[n] for n in few], self.places, TUESDAY, "car")
        for cells, whole in ((seconds, matrix.seconds), (metres, matrix.metres)):
            assert cells.shape == (2, len(self.places)), "A row for each source, all targets in it."
            for row, n in zip(cells.tolist(), few, strict=True):
                for said, told in zip(row, whole[n], strict=True):
                    assert abs(said - told) <= 2, "A part says other times than the whole."

    def test_another_vehicle_has_another_basis(self, ways: TravelTimes) -> None:
        """Else the hub takes what was said of one for what holds for the other."""
        if not isinstance(ways, AnswersInParts):
            return
        bases = {ways.basis(TUESDAY, profile) for profile in self.profiles}
        assert len(bases) == len(self.profiles), f"Vehicles share a basis: {sorted(bases)}."
        assert ways.good_for > timedelta(0), "`good_for` is how long an answer is believed."

    def test_turns_are_told_on_the_way_that_is_driven(self, ways: TravelTimes) -> None:
        """Only of travel times that give directions; in English for a language nobody speaks."""
        if not isinstance(ways, GivesDirections):
            return
        ends = self.places[:2]
        for language in ("en", "de-AT", "tlh"):
            [leg] = ways.directions(ends, TUESDAY, "car", language).legs
            assert leg.steps, f"There is a way and no turn is told on it in {language!r}."
            assert all(step.text.strip() for step in leg.steps), "A step says nothing."
            told = sum(step.metres for step in leg.steps)
            assert abs(told - leg.metres) <= 0.1 * leg.metres + 30, (
                f"The steps are {told} m together, and their leg is {leg.metres} m."
            )

    def test_reach_holds_what_is_near_and_no_more(self, ways: TravelTimes) -> None:
        """Only of travel times that say how far one gets."""
        if not isinstance(ways, GivesReach):
            return
        home = self.places[0]
        for profile in self.profiles:
            farthest_s = max(ways.matrix(self.places, TUESDAY, profile).seconds[0])
            asked = [2.0 * farthest_s + 300, farthest_s / 20]
            areas = ways.reach(home, asked, TUESDAY, profile)
            assert len(areas) == 2, "One area for each of `seconds`, in their order."
            wide, narrow = (Zone("", "", area) for area in areas)
            lost = [place for place in self.places[1:] if not wide.has(place)]
            assert not lost, (
                f"{lost} take up to {farthest_s} s by {profile} and lie outside of what is reached"
                f" in {asked[0]:.0f} s: is it minutes, or are latitude and longitude swapped?"
            )
            held = [place for place in self.places[1:] if narrow.has(place)]
            assert len(held) < len(self.places) - 1, (
                f"In {asked[1]:.0f} s by {profile} all places are reached, of which the farthest"
                f" takes {farthest_s} s: `areas` are in the order of `seconds`."
            )
            for shape in wide.area:
                for corner in shape[0]:
                    line_m = straight_m(home, Point(*corner))
                    assert line_m <= FASTEST_MPS * asked[0] + 2 * SNAP_M, (
                        f"A corner of what is reached in {asked[0]:.0f} s lies {line_m:.0f} m away."
                    )
        if self.nowhere is not None:
            off, asked = self.nowhere, [60.0]
            expect(
                HubError,
                lambda: ways.reach(off, asked, TUESDAY, "car"),
                "reach from where no road leads",
            )

    def test_a_days_worth_of_places_is_answered_whole(self, ways: TravelTimes) -> None:
        many = [self.places[n % len(self.places)] for n in range(120)]
        matrix = ways.matrix(many, TUESDAY)
        demand_square(matrix, 120)
        few = len(self.places)
        assert abs(matrix.seconds[0][1] - matrix.seconds[few][few + 1]) <= 2, (
            "Of 120 places, the same two have another time further down."
        )


def demand_square(matrix: TravelMatrix, n: int) -> None:
    for name in ("seconds", "metres"):
        rows = getattr(matrix, name)
        assert len(rows) == n and all(len(row) == n for row in rows), (
            f"`{name}` of {n} places has {n} rows of {n}, not {[len(row) for row in rows]}."
        )
        for i, row in enumerate(rows):
            assert row[i] == 0, f"`{name}` of a place to itself is 0, not {row[i]}."
            for value in row:
                assert type(value) is int and value >= 0, (
                    f"`{name}` holds whole numbers that are not negative, not {value!r}."
                )


def straight_m(a: Point, b: Point) -> float:
    return hypot(a.lat - b.lat, (a.lon - b.lon) * cos(radians(a.lat))) * 111_320

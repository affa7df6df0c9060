"""The kit for sources of driving times is sharp."""

from __future__ import annotations

from pathlib import Path

from tests.contract.planting import Mutant, survivors

ROWS = "metres = [[self._metres(a, b) for b in places] for a in places]"
LEGS = "legs = tuple(RoadLeg(round(m / speed), m) for m in ways)"
SECONDS = "seconds = [[min(FAR_S, round(m / speed)) for m in row] for row in metres]"
MUTANTS = {
    "rows are to and columns from": Mutant(
        ROWS,
        "metres = [[self._metres(b, a) for b in places] for a in places]",
        "test_rows_are_from_and_columns_are_to",
    ),
    "there and back are the same": Mutant(
        ROWS,
        "metres = [[max(self._metres(a, b), self._metres(b, a)) if a != b else 0"
        " for b in places] for a in places]",
        "test_rows_are_from_and_columns_are_to",
    ),
    "latitude and longitude change places": Mutant(
        "line_m = hypot(a.lat - b.lat, (a.lon - b.lon) * cos(radians(a.lat))) * 111_320",
        "line_m = hypot(a.lon - b.lon, (a.lat - b.lat) * cos(radians(a.lon))) * 20_000",
        "test_no_way_is_shorter_than_the_straight_line_or_faster_than_a_driver",
    ),
    "kilometres": Mutant(
        "return TravelMatrix(seconds=seconds, metres=metres)",
        "return TravelMatrix(seconds=seconds, metres=[[m // 1000 for m in r] for r in metres])",
        "test_no_way_is_shorter_than_the_straight_line_or_faster_than_a_driver",
    ),
    "minutes": Mutant(
        SECONDS,
        "seconds = [[min(FAR_S, round(m / speed / 60)) for m in row] for row in metres]",
        "test_no_way_is_shorter_than_the_straight_line_or_faster_than_a_driver",
    ),
    "seconds with a fraction": Mutant(
        SECONDS,
        "seconds = [[min(FAR_S, m / speed) for m in row] for row in metres]",
        "test_every_place_has_a_way_to_every_other",
    ),
    "sorted by where they lie": Mutant(
        "        speed = self._speed(profile)\n        metres",
        "        speed = self._speed(profile)\n"
        "        places = sorted(places, key=lambda p: p.lat)\n        metres",
        "test_the_order_of_places_is_kept",
    ),
    "the last place is forgotten": Mutant(
        ROWS,
        "metres = [[self._metres(a, b) for b in places[:-1]] for a in places]",
        "test_every_place_has_a_way_to_every_other",
    ),
    "one place is a bug": Mutant(
        "        speed = self._speed(profile)\n        metres",
        "        speed = self._speed(profile)\n        places[1]\n        metres",
        "test_few_places_are_no_error",
    ),
    "to oneself takes a while": Mutant(
        "600 if b.lon < a.lon else 0",
        "600 if b.lon <= a.lon else 0",
        "test_few_places_are_no_error",
    ),
    "a leg too few": Mutant(
        LEGS,
        "legs = tuple(RoadLeg(round(m / speed), m) for m in ways[1:])",
        "test_a_route_has_a_leg_between_each_two",
    ),
    "a shape from the first to itself": Mutant(
        "geometry=tuple(places), legs",
        "geometry=(places[0], places[0]), legs",
        "test_a_routes_shape_leads_from_the_first_to_the_last",
    ),
    "a shape past the stops between": Mutant(
        "geometry=tuple(places), legs",
        "geometry=(places[0], places[-1]), legs",
        "test_a_routes_shape_leads_from_the_first_to_the_last",
    ),
    "nowhere is near": Mutant(
        "            return FAR_S * 10\n",
        "            return 300\n",
        "test_a_place_beyond_all_roads_is_out_of_reach",
    ),
    "one lost place hides all ways": Mutant(
        "        return TravelMatrix(seconds=seconds",
        "        if max(map(max, seconds), default=0) >= FAR_S:\n"
        "            seconds = [[FAR_S if i != j else 0 for j, _ in enumerate(places)]"
        " for i, _ in enumerate(places)]\n"
        "        return TravelMatrix(seconds=seconds",
        "test_a_place_beyond_all_roads_is_out_of_reach",
    ),
    "an unknown profile is a car": Mutant(
        "return SPEEDS[profile]\n",
        "return SPEEDS[profile]\n\n"
        "    def _speed(self, profile: str) -> float:\n"
        "        return SPEEDS.get(profile, 8.0)\n",
        "test_an_unknown_profile_is_refused_in_a_sentence",
    ),
    "all go by car": Mutant(
        "return SPEEDS[profile]\n", 'return SPEEDS["car"]\n', "test_slower_profiles_are_slower"
    ),
    "ten places are enough": Mutant(
        ROWS,
        "metres = [[self._metres(a, b) for b in places[:50]] for a in places[:50]]",
        "test_a_days_worth_of_places_is_answered_whole",
    ),
    "a part has its sources as columns": Mutant(
        "for b in targets] for a in sources",
        "for b in sources] for a in targets",
        "test_a_part_says_what_the_matrix_says",
    ),
    "a part is there and back the same": Mutant(
        "self._metres(a, b) for b in targets",
        "self._metres(b, a) for b in targets",
        "test_a_part_says_what_the_matrix_says",
    ),
    "walkers are taken for cars": Mutant(
        "the block by {profile}", "the block", "test_another_vehicle_has_another_basis"
    ),
    "a language nobody speaks is silence": Mutant(
        '.get(language[:2], "Straight on.")',
        '.get(language[:2], "")',
        "test_turns_are_told_on_the_way_that_is_driven",
    ),
    "turns of another way": Mutant(
        "RoadStep(word, leg.seconds, leg.metres)",
        "RoadStep(word, leg.seconds, 2 * leg.metres)",
        "test_turns_are_told_on_the_way_that_is_driven",
    ),
    "reach in an order of its own": Mutant(
        "for each in seconds]",
        "for each in sorted(seconds)]",
        "test_reach_holds_what_is_near_and_no_more",
    ),
    "reach takes seconds for minutes": Mutant(
        "speed * each)", "speed * each / 60)", "test_reach_holds_what_is_near_and_no_more"
    ),
    "reach has corners east first": Mutant(
        "corners.append((place.lat + far * north, lon))",
        "corners.append((lon, place.lat + far * north))",
        "test_reach_holds_what_is_near_and_no_more",
    ),
    "reach begins anywhere": Mutant(
        "if self._metres(place, Point(60.17, 24.94)) >= FAR_S:",
        "if False:",
        "test_reach_holds_what_is_near_and_no_more",
    ),
    "walking is not held to": Mutant(
        '    profiles = ("car", "walk")\n', "", "test_a_profile_that_is_not_named_is_not_known"
    ),
}


def test_every_planted_mistake_is_caught(tmp_path: Path) -> None:
    assert survivors(tmp_path, "travel_times", MUTANTS) == []

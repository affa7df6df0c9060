"""The kit for address lookups is sharp."""

from __future__ import annotations

from pathlib import Path

from tests.contract.planting import Mutant, exempting, survivors

ASK = 'return self.tools.http.get_json(f"{ORIGIN}/find", params={"street": street}, headers=key)\n'
MUTANTS = {
    "latitude and longitude change places": Mutant(
        'point = Point(at["lat"], at["lon"])',
        'point = Point(at["lon"], at["lat"])',
        "test_the_very_door_is_found_and_sure",
    ),
    "percent": Mutant(
        "sure = 0.95 if house else 0.5",
        "sure = 95 if house else 50",
        "test_the_very_door_is_found_and_sure",
    ),
    "never sure": Mutant(
        "sure = 0.95 if house else 0.5",
        "sure = 0.6 if house else 0.5",
        "test_the_very_door_is_found_and_sure",
    ),
    "no label": Mutant("f\"High St {at['number']}\"", '""', "test_the_very_door_is_found_and_sure"),
    "a precision of its own": Mutant(
        '"rooftop" if house else "street"',
        '"exact" if house else "street"',
        "test_the_very_door_is_found_and_sure",
    ),
    "the middle of the town for anything": Mutant(
        "                return self._rated(address, houses, number)\n        return None\n",
        "                return self._rated(address, houses, number)\n"
        '        return Match(Point(60.1, 24.9), "Leeds", "city", 0.9) if address.lines else None\n',
        "test_nothing_is_made_up_for_what_is_not_there",
    ),
    "nothing is somewhere": Mutant(
        "        for line in address.lines:\n",
        "        if not address.one_line().strip():\n"
        '            return Match(Point(60.1, 24.9), "Leeds", "city", 0.1)\n'
        "        for line in address.lines:\n",
        "test_an_empty_address_finds_nothing",
    ),
    "an empty address is a bug": Mutant(
        "        for line in address.lines:\n",
        "        address.lines[0]\n        for line in address.lines:\n",
        "test_an_empty_address_finds_nothing",
    ),
    "a text is a pattern": Mutant(
        "        for line in address.lines:\n",
        "        re.compile(' '.join(address.lines))\n        for line in address.lines:\n",
        "test_any_text_is_only_text",
    ),
    "the neighbour's door": Mutant(
        'house = next((one for one in houses if one["number"] == number), None)',
        "house = houses[0]",
        "test_another_house_number_is_not_the_door",
    ),
    "any town will do": Mutant(
        'if address.city != "Leeds":', "if False:", "test_another_town_makes_it_doubtful"
    ),
    "any postcode will do": Mutant(
        'if address.postcode not in ("", "LS1"):',
        "if False:",
        "test_a_postcode_that_contradicts_makes_it_less_sure",
    ),
    "only the first line": Mutant(
        "for line in address.lines:",
        "for line in address.lines[:1]:",
        "test_the_street_may_stand_in_any_line",
    ),
    "surer each time": Mutant(
        "        sure = 0.95 if house else 0.5\n",
        "        self.n = getattr(self, 'n', 0) + 1\n"
        "        sure = 0.9 + self.n / 1000 if house else 0.5\n",
        "test_the_same_question_has_the_same_answer",
    ),
    "the nearest, however far": Mutant("< 0.0005:", "< 999:", "test_the_open_sea_has_no_address"),
    "an outage is no address": Mutant(
        f"        {ASK}",
        f"        try:\n            {ASK}        except Exception:\n            return []\n",
        "test_a_service_that_gives_no_answer_is_no_address_not_found",
    ),
    "a check checks nothing": Mutant(
        '        self._houses("High St")\n\n',
        "        return\n\n",
        "test_a_check_finds_out_that_the_key_is_refused",
    ),
    "the key is a plain text": Mutant(
        'secret: SecretStr = Field(default=SecretStr("street-5ecret"), title="Key")\n',
        'secret: SecretStr = Field(default=SecretStr("street-5ecret"), title="Key")\n'
        '    api_key: str = Field(default="street-5ecret", title="Key")\n',
        "test_settings_make_a_form_people_can_fill_in",
    ),
    "an outage is left out": exempting(
        "GeocoderConformance",
        "test_a_service_that_gives_no_answer_is_no_address_not_found[down]",
    ),
    "a check is left out": exempting(
        "GeocoderConformance", "test_a_check_finds_out_that_the_key_is_refused"
    ),
}


def test_every_planted_mistake_is_caught(tmp_path: Path) -> None:
    assert survivors(tmp_path, "geocoders", MUTANTS) == []

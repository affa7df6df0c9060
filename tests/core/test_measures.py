from __future__ import annotations

import pytest

from hub.core.measures import USUAL, Measures, measured, measures_of


@pytest.mark.parametrize(
    ("measures", "text"),
    [
        (USUAL, "truck"),
        (Measures(height_cm=380), "truck/h380"),
        (Measures(380, 900, 12_000), "truck/h380/l900/w12000"),
        (Measures(weight_kg=7_500), "truck/w7500"),
    ],
)
def test_a_profile_says_how_large_the_vehicle_is(measures: Measures, text: str) -> None:
    assert measured("truck", measures) == text
    assert measures_of(text) == ("truck", measures)


@pytest.mark.parametrize("text", ["truck/", "truck/x3", "truck/h", "truck/h1/h2", "truck/h-3"])
def test_what_cannot_be_read_is_no_vehicle_anybody_knows(text: str) -> None:
    assert measures_of(text) == (text, USUAL)

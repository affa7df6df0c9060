"""The promises of an ETA model, as tests to inherit."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from hub import Arrival, EtaModel, PastError, Provider, RouteAhead, RouteProgress, Tools
from hub.testing.provider import MONDAY, PresentableConformance

NOW = RouteProgress(MONDAY)
ROUND = RouteAhead(travel_s=(600, 900, 300), service_s=(300, 0, 120), opens=(0.0, 0.0, 0.0))
NOTHING: Sequence[PastError] = ()
USUAL = [PastError(ahead_s, error_s) for ahead_s in (300, 1800) for error_s in range(-120, 400, 20)]


class EtaModelConformance(PresentableConformance, ABC):
    @abstractmethod
    def model(self, tools: Tools) -> EtaModel: ...

    def presented(self, tools: Tools) -> Provider:
        return self.model(tools)

    @pytest.fixture
    def eta(self, tools: Tools) -> EtaModel:
        return self.model(tools)

    def test_there_is_one_arrival_for_each_stop_that_is_left(self, eta: EtaModel) -> None:
        for stops in (0, 1, 2, 7):
            route = RouteAhead((60,) * stops, (60,) * stops, (0.0,) * stops)
            found = eta.estimate(route, NOW, NOTHING)
            assert len(found) == stops, f"{stops} stops are left; it gave {len(found)} arrivals."

    @pytest.mark.parametrize("seed", range(30))
    def test_no_arrival_is_in_the_past_or_out_of_order(self, eta: EtaModel, seed: int) -> None:
        route, progress, history = any_round(seed)
        found = eta.estimate(route, progress, history)
        assert len(found) == len(route.travel_s)
        for one in found:
            demand_sense(one, progress)
        for earlier, later in pairwise(found):
            assert earlier.p50 <= later.p50, (
                f"A later stop is reached sooner: {later.p50} before {earlier.p50}."
            )

    def test_ways_and_work_before_a_stop_delay_it(self, eta: EtaModel) -> None:
        plain = eta.estimate(ROUND, NOW, NOTHING)
        far = eta.estimate(replace(ROUND, travel_s=(600, 4500, 300)), NOW, NOTHING)
        long = eta.estimate(replace(ROUND, service_s=(3900, 0, 120)), NOW, NOTHING)
        assert far[0].p50 == plain[0].p50 == long[0].p50, (
            "A longer way to the second stop, or longer work at the first, moved the first."
        )
        for changed, what in ((far, "way to the second stop"), (long, "work at the first stop")):
            for n in (1, 2):
                moved = changed[n].p50 - plain[n].p50
                assert moved >= timedelta(minutes=30), (
                    f"An hour more of {what} moved stop {n + 1} by {moved} only."
                )

    def test_work_cannot_begin_before_it_may(self, eta: EtaModel) -> None:
        """The driver waits at the door; the stop after it is reached later."""
        opens_at = MONDAY + timedelta(hours=4)
        waits = replace(ROUND, opens=(opens_at.timestamp(), 0.0, 0.0))
        found = eta.estimate(waits, NOW, NOTHING)
        assert found[1].p50 >= opens_at, (
            "The first stop opens in four hours, and the second is to be reached before that."
        )

    def test_it_is_reckoned_from_now(self, eta: EtaModel) -> None:
        later = RouteProgress(MONDAY + timedelta(hours=1))
        first, second = eta.estimate(ROUND, NOW, NOTHING), eta.estimate(ROUND, later, NOTHING)
        moved = {b.p50 - a.p50 for a, b in zip(first, second, strict=True)}
        assert moved == {timedelta(hours=1)}, (
            f"Asked an hour later about the same ways, arrivals moved by {moved}: the first drive"
            " begins at `progress.now`. Never ask the clock yourself."
        )

    def test_the_near_is_surer_than_the_far_at_first(self, eta: EtaModel) -> None:
        route = RouteAhead((300, 14_400), (0, 0), (0.0, 0.0))
        near, far = eta.estimate(route, NOW, NOTHING)
        assert near.p90 - near.p10 <= far.p90 - far.p10, (
            "The next stop is less sure than one four hours off."
        )

    def test_no_estimate_pretends_to_be_certain(self, eta: EtaModel) -> None:
        for one in eta.estimate(ROUND, NOW, NOTHING):
            assert one.p10 < one.p90, "Without a margin a page shows false minutes."

    @pytest.mark.parametrize("error_s", [-90_000, 90_000])
    def test_past_errors_beyond_all_reason_make_no_nonsense(
        self, eta: EtaModel, error_s: int
    ) -> None:
        for one in eta.estimate(ROUND, NOW, [PastError(600, error_s)] * 50):
            demand_sense(one, NOW)

    def test_the_same_question_has_the_same_answer(self, eta: EtaModel, tools: Tools) -> None:
        first = list(eta.estimate(ROUND, NOW, USUAL))
        eta.estimate(replace(ROUND, travel_s=(9000, 9000, 9000)), NOW, NOTHING)
        assert list(eta.estimate(ROUND, NOW, USUAL)) == first, "It keeps something between calls."
        assert list(self.model(tools).estimate(ROUND, NOW, USUAL)) == first, (
            "Two processes tell two times: leave chance and the clock out of it."
        )


def demand_sense(one: Arrival, progress: RouteProgress) -> None:
    for at in (one.p10, one.p50, one.p90):
        assert at.tzinfo is not None, f"{at} has no time zone. All times are aware."
    assert one.p10 >= progress.now, f"Nobody arrives in the past: {one.p10} at {progress.now}."
    assert one.p10 <= one.p50 <= one.p90, f"p10, p50 and p90 are out of order: {one}."


def any_round(seed: int) -> tuple[RouteAhead, RouteProgress, list[PastError]]:
    dice = random.Random(seed)  # noqa: S311  (a round, not a secret)
    stops = range(dice.randint(0, 12))
    now = MONDAY + timedelta(seconds=dice.randint(0, 86_400))
    opens = (0.0, now.timestamp() - 900, now.timestamp() + dice.randint(0, 20_000))
    route = RouteAhead(
        travel_s=tuple(dice.choice((0, 1, dice.randint(0, 3600))) for _ in stops),
        service_s=tuple(dice.choice((0, dice.randint(0, 1800))) for _ in stops),
        opens=tuple(dice.choice(opens) for _ in stops),
    )
    progress = RouteProgress(
        now, dice.choice((0.0, -600.0, 5400.0)), dice.uniform(0.7, 2), dice.uniform(0.7, 2)
    )
    errors = [
        PastError(dice.randint(0, 9000), dice.randint(-3000, 3000))
        for _ in range(dice.choice((0, 5, 60)))
    ]
    return route, progress, errors

"""The page of what planning can keep says what the strategies claim."""

import re
from pathlib import Path

import pytest

from hub import Need, RoutingStrategy
from hub.plugins import hub_routing_strategies

PAGE = Path(__file__).parents[2] / "docs" / "planning.md"
ROW = re.compile(r"^\| `(\w+)` \| .+ \| .+ \| (.+) \|$", re.MULTILINE)


def test_the_page_has_every_need_once():
    assert [need for need, _ in ROW.findall(PAGE.read_text())] == [need.value for need in Need]


@pytest.mark.parametrize("kind", hub_routing_strategies(), ids=lambda kind: kind.key)
def test_the_page_says_what_a_strategy_keeps(kind: type[RoutingStrategy]):
    said = {need for need, kept_by in ROW.findall(PAGE.read_text()) if kind.key in kept_by}
    strategy = kind(kind.Settings(), None)  # type: ignore[arg-type]
    assert said == {need.value for need in strategy.capabilities()}

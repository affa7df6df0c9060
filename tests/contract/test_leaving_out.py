"""What a plugin cannot do is not collected, and its author is told what to write."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from hub import Need, Plan, PlanRequest, needs_of
from hub.testing import ProviderConformance, RoutingStrategyConformance
from hub.testing.leaving_out import demand_able, demand_unable, whole_tests
from tests.contract.planting import run

KIT = """
import pytest
from hub.testing import ProviderConformance

class Kit(ProviderConformance):
    @pytest.mark.parametrize("how", ["well", "badly"])
    @pytest.mark.parametrize(("n", "word"), [(1, "one"), (2, "two")])
    def test_cases(self, how, n, word): ...
    def test_whole(self): ...

class TestAll(Kit): ...

class TestFewer(Kit):
    exempt = {"test_whole": "why", "test_cases[badly]": "why", "test_cases[2]": "why"}

class TestFewerStill(TestFewer):
    exempt = {"test_cases": "why"}

class TestAllAgain(TestFewer):
    exempt = {}

class TestNoCase(Kit):
    exempt = {"test_cases[1]": "why", "test_cases[2]": "why"}
"""


class Claims(ProviderConformance):
    exempt: ClassVar = {"test_one": "it's so", "test_two": "it is not"}

    def test_one(self) -> None: ...
    def test_two(self) -> None: ...


def test_what_is_exempt_is_not_collected_whole_or_by_case(tmp_path: Path) -> None:
    (tmp_path / "test_right.py").write_text(KIT)
    ran = sorted(one.partition("::")[2] for one in run(tmp_path, ["test_right.py"]).passed)
    every = [f"test_cases[{n}-{how}]" for n in ("1-one", "2-two") for how in ("badly", "well")]
    assert ran == [
        *(f"TestAll::{one}" for one in (*every, "test_whole")),
        *(f"TestAllAgain::{one}" for one in (*every, "test_whole")),
        "TestFewer::test_cases[1-one-well]",
        "TestFewerStill::test_whole",
        "TestNoCase::test_whole",
    ]


@pytest.mark.parametrize(
    ("exempt", "why"),
    [
        ("test_nothing", "leaves out what its kit has not: test_nothing"),
        ("test_settings_make_a_form[x]", "leaves out what its kit has not"),
        ("test_a_window_is_met[noon]", "has no case noon"),
        ("test_a_plan_breaks_nothing_and_forgets_nobody[9]", "has no case 9; it has 0, 1, 2, 3"),
    ],
)
def test_a_name_that_is_none_is_told_where_it_is_written(exempt: str, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        type("Mine", (RoutingStrategyConformance,), {"exempt": {exempt: "why"}})


def written(act: Callable[[], Any]) -> dict[str, str]:
    """What an author gets who does what he is told."""
    with pytest.raises(AssertionError) as told:
        act()
    code = re.search(r"exempt = (\{.*\})", str(told.value), re.DOTALL)
    assert code
    exempt: dict[str, str] = ast.literal_eval(code[1])
    return exempt


def test_the_kit_says_word_for_word_what_to_write() -> None:
    kit = Claims()
    more = written(lambda: demand_able(kit, False, "test_three", 'it has "none"'))
    assert more == {**Claims.exempt, "test_three": 'it has "none"'}
    fewer = written(lambda: demand_unable(kit, ["test_two"], True, "it can"))
    assert fewer == {"test_one": "it's so"}
    demand_able(kit, True, "test_three", "")
    demand_unable(kit, ["test_two"], False, "")
    demand_unable(kit, ["test_three"], True, "it can")


class Asked(Exception):
    pass


class Asks:
    """Claims all, and tells what it is asked."""

    def capabilities(self) -> frozenset[Need]:
        return frozenset(Need)

    def plan(self, request: PlanRequest, progress: object) -> Plan:
        raise Asked(needs_of(request))


MARKED = {
    name: test
    for name, test in whole_tests(RoutingStrategyConformance).items()
    if hasattr(test, "needs")
}


@pytest.mark.parametrize("name", MARKED)
def test_a_need_is_named_at_what_asks_for_it(name: str) -> None:
    """Else a strategy without it could not leave the test out, or would leave out too much."""
    with pytest.raises(Asked) as asked:
        MARKED[name](None, Asks())
    assert asked.value.args[0] - {Need.SHIFTS} == MARKED[name].needs  # type: ignore[attr-defined]

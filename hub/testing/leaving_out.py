"""What of a kit a plugin cannot do is not collected at all; nothing is skipped at run time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import update_wrapper
from types import FunctionType
from typing import Any, cast

import pytest

WHOLE = "_whole"  # what a class defines, before anything of it is left out


def whole_tests(kit: type) -> dict[str, FunctionType]:
    """The tests of ``kit`` by name, whole: also those that it or one of its bases leaves out."""
    found: dict[str, FunctionType] = {}
    for cls in kit.__mro__:
        for name, value in vars(cls).get(WHOLE, vars(cls)).items():
            if name.startswith("test_") and isinstance(value, FunctionType):
                found.setdefault(name, value)
    return found


def leave_out(kit: type, names: Collection[str]) -> None:
    """Let pytest collect all tests of ``kit`` but these; ``test_it[well]`` is one case of a test.

    Raises ``TypeError`` for a name that is none of them.
    """
    tests = whole_tests(kit)
    setattr(kit, WHOLE, dict(vars(kit)))
    if unknown := sorted(name for name in names if name.partition("[")[0] not in tests):
        raise TypeError(
            f"{kit.__name__} leaves out what its kit has not: {', '.join(unknown)}. Is it spelt"
            " right?"
        )
    for name, test in tests.items():
        cases = {
            case.removesuffix("]")
            for given, bracket, case in (one.partition("[") for one in names)
            if given == name and bracket
        }
        wanted = None if name in names else _without(test, cases) if cases else test
        if getattr(kit, name, None) is not wanted:
            setattr(kit, name, wanted)  # pytest passes over what is ``None``


def _without(test: FunctionType, cases: Collection[str]) -> FunctionType | None:
    """``test`` but for some cases, each told by the first of its values."""
    marks, known = [], set[str]()
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == "parametrize":
            names, values = mark.args
            known |= {_word(value) for value in values}
            kept = [value for value in values if _word(value) not in cases]
            if not kept:
                return None
            mark = pytest.mark.parametrize(names, kept).mark
        marks.append(mark)
    if unknown := sorted(set(cases) - known):
        raise TypeError(
            f"{test.__name__} has no case {', '.join(unknown)}; it has {', '.join(sorted(known))}."
        )
    given = (test.__code__, test.__globals__, test.__name__, test.__defaults__, test.__closure__)
    fewer: Any = update_wrapper(FunctionType(*given), test)
    del fewer.__wrapped__
    fewer.pytestmark = marks
    return cast(FunctionType, fewer)


def _word(value: object) -> str:
    return str(value[0] if isinstance(value, tuple) else value)


def demand_able(kit: Any, able: bool, test: str, why: str) -> None:
    """That ``test`` can apply; else its author is told what to write."""
    whole = {**kit.exempt, test: why}
    assert able, (
        f"This test cannot apply: {why}. Say so in {type(kit).__name__}, and it is left out:\n\n"
        f"{_as_written(whole)}"
    )


def demand_unable(kit: Any, tests: Iterable[str], able: bool, why: str) -> None:
    """That none of ``tests`` is exempt which the plugin can be held to."""
    wrong = [test for test in tests if test in kit.exempt]
    rest = {test: reason for test, reason in kit.exempt.items() if test not in wrong}
    assert not (able and wrong), (
        f"{type(kit).__name__} leaves out {', '.join(wrong)}, but {why}. Hold it to that:\n\n"
        + (_as_written(rest) if rest else "    take `exempt` out")
    )


def _as_written(exempt: Mapping[str, str]) -> str:
    lines = "".join(f"        {test!r}: {reason!r},\n" for test, reason in exempt.items())
    return f"    exempt = {{\n{lines}    }}"

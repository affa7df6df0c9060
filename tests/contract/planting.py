"""Plant mistakes in a small plugin that is right, and see which of them its kit lets pass.

A reference in ``references/`` is a test module: a fake, a plugin in front of it, and the kit. A
mutant is that module with one thing made wrong. All of them run in this process, by a pytest of
their own that knows none of our plugins and settings.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

REFERENCES = Path(__file__).parent / "references"


@dataclass(frozen=True)
class Mutant:
    """``caught_by`` is the test that is there for it, and must fail; ``also`` one more change."""

    old: str
    new: str
    caught_by: str
    also: tuple[str, str] = ("", "")

    def planted_in(self, source: str) -> str:
        assert source.count(self.old) == 1, f"there should be one {self.old!r}"
        assert self.also[0] in source, f"{self.also[0]!r} is gone"
        return source.replace(self.old, self.new).replace(*self.also, 1)


def exempting(kit: str, test: str) -> Mutant:
    """Leaves ``test`` out, though the plugin can be held to it."""
    cls = f"class TestReference({kit}):\n"
    return Mutant(
        cls, f"{cls}    exempt = {{{test!r}: 'why not'}}\n", "test_what_is_left_out_it_cannot_do"
    )


class Failures:
    """What failed, as a plugin of the inner pytest."""

    def __init__(self) -> None:
        self.failed: set[str] = set()
        self.passed: set[str] = set()
        self.why: list[str] = []

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """One test that fails is enough of a mutant."""
        where = item.nodeid.partition("::")[0]
        if where != "test_right.py" and any(one.startswith(where) for one in self.failed):
            pytest.skip("caught")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)
            self.why.append(f"{report.nodeid}: {report.longreprtext[-600:]}")
        elif report.when == "call" and report.passed:
            self.passed.add(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            raise AssertionError(report.longreprtext)


def survivors(folder: Path, reference: str, mutants: Mapping[str, Mutant]) -> list[str]:
    """The mutants that pass the test which should have caught them.

    And what the plugin as it is fails of the whole kit, with why.
    """
    source = (REFERENCES / f"{reference}.py").read_text()
    (folder / "test_right.py").write_text(source)
    asked = ["test_right.py"]
    for n, (name, mutant) in enumerate(mutants.items()):
        assert f"def {mutant.caught_by}(" in _kits(), f"{name}: no kit has {mutant.caught_by}"
        (folder / f"test_mutant{n}.py").write_text(mutant.planted_in(source))
        asked.append(f"test_mutant{n}.py::TestReference::{mutant.caught_by}")
    found = run(folder, asked)
    wrong = [why for why in found.why if why.startswith("test_right.py")]
    assert found.passed, "nothing ran"
    caught = {nodeid.partition(".py")[0] for nodeid in found.failed}
    return wrong + [name for n, name in enumerate(mutants) if f"test_mutant{n}" not in caught]


def run(folder: Path, asked: list[str]) -> Failures:
    found = Failures()
    with ExitStack() as stack:
        before = Path.cwd(), os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"), set(sys.modules)
        stack.callback(_restore, *before)
        os.chdir(folder)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        pytest.main(
            ["-q", "-p", "no:cacheprovider", "-p", "no:faulthandler", "--import-mode=importlib"]
            + ["-c", os.devnull, f"--rootdir={folder}", f"--basetemp={folder / 'temp'}"]
            + ["--capture=no", "--no-header", "--tb=native", *asked],
            plugins=[found],
        )
    return found


def _restore(folder: Path, autoload: str | None, modules: set[str]) -> None:
    os.chdir(folder)
    for name in set(sys.modules) - modules:
        if name.startswith(("test_right", "test_mutant")):
            del sys.modules[name]
    if autoload is None:
        os.environ.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)
    else:
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = autoload


def _kits() -> str:
    return "".join(
        path.read_text() for path in (Path(__file__).parents[2] / "hub" / "testing").glob("*.py")
    )

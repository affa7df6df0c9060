"""Every plugin that comes with the hub, and every example, runs the kit of all that it can do."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import hub
from hub import testing
from hub.core.contracts import Provider
from hub.registry import HOOKS, Registry

ROOT = Path(__file__).parents[2]
KITS: dict[type, str] = {
    hub.OrderSource: "OrderSourceConformance",
    hub.WritesBack: "WriteBackConformance",
    hub.AcceptsWebhooks: "WebhooksConformance",
    hub.ConnectsByOAuth: "OAuthConformance",
    hub.RecordSink: "RecordSinkConformance",
    hub.RoutingStrategy: "RoutingStrategyConformance",
    hub.NotificationChannel: "NotificationChannelConformance",
    hub.Costs: "CostsConformance",
    hub.TakesReplies: "RepliesConformance",
    hub.PodStore: "PodStoreConformance",
    hub.Geocoder: "GeocoderConformance",
    hub.TravelTimes: "TravelTimesConformance",
    hub.EtaModel: "EtaModelConformance",
}
TESTS = [
    *(ROOT / "example").glob("test_*.py"),
    *(p for p in (ROOT / "tests").rglob("test_*.py") if "references" not in p.parts),
]


def modules() -> Iterator[str]:
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())
    yield from about["project"]["entry-points"]["hub.plugins"].values()
    yield from (path.stem for path in (ROOT / "example").glob("hub_*.py"))


def plugins() -> list[type[Provider]]:
    registry = Registry()
    for name in modules():
        registry.add(import_module(name), name)
    found = {cls for kind in HOOKS for cls in registry.all(kind)}
    return sorted(found, key=lambda cls: cls.__name__)


PLUGINS = plugins()


def held() -> set[tuple[str, str]]:
    """(kit, plugin) for each test class: by its bases, and by what its methods say they return."""
    found = set()
    for path in TESTS:
        source = path.read_text()
        if "Conformance" not in source:
            continue
        classes = {n.name: n for n in ast.parse(source).body if isinstance(n, ast.ClassDef)}
        for cls in classes.values():
            if not cls.name.startswith("Test"):
                continue
            lines = list(ancestry(cls.name, classes))
            kits = {name for name in lines if name.endswith("Conformance")}
            made = {one for name in lines if name in classes for one in returned(classes[name])}
            found |= {(kit, plugin) for kit in kits for plugin in made}
    return found


def ancestry(name: str, classes: dict[str, ast.ClassDef]) -> Iterator[str]:
    yield name
    for base in classes[name].bases if name in classes else ():
        if isinstance(base, ast.Name):
            yield from ancestry(base.id, classes)


def returned(cls: ast.ClassDef) -> Iterator[str]:
    for function in cls.body:
        if isinstance(function, ast.FunctionDef) and isinstance(function.returns, ast.Name):
            yield function.returns.id


HELD = held()


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda cls: cls.__name__)
def test_a_plugin_runs_the_kit_of_all_that_it_can_do(plugin: type[Provider]) -> None:
    owed = {kit for kind, kit in KITS.items() if issubclass(plugin, kind)}
    lacking = sorted(kit for kit in owed if (kit, plugin.__name__) not in HELD)
    assert owed
    assert lacking == [], f"write a test class for {plugin.__name__} that inherits {lacking}"


def test_every_kit_is_exported_and_runs_somewhere() -> None:
    exported = {name for name in testing.__all__ if name.endswith("Conformance")}
    assert exported - {"ProviderConformance"} == set(KITS.values())
    assert {kit for kit, _ in HELD} >= set(KITS.values())


def test_every_hook_that_registers_a_kind_of_plugin_has_a_kit() -> None:
    assert set(HOOKS) <= set(KITS)


def test_no_kit_needs_more_than_a_plugin_author_has() -> None:
    """pytest, flask and what comes with the hub; never what only its own tests install."""
    for path in (ROOT / "hub" / "testing").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [a.name for a in node.names] if isinstance(node, ast.Import) else []
            for name in filter(None, names):
                top = name.partition(".")[0]
                known = {"hub", "pytest", "pydantic", "requests", "urllib3", "werkzeug"}
                assert top in known | sys.stdlib_module_names, f"{path.name} imports {name}"

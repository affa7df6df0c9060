"""A stranger's broken plugin stops nothing: it is shown with what to do, and the rest works."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import EntryPoint, version
from pathlib import Path

import pytest
from pydantic import BaseModel

import hub.plugins
from hub import (
    Address,
    ConfigError,
    Geocoder,
    Match,
    Need,
    Plan,
    PlanRequest,
    Point,
    RoadRoute,
    RoutingStrategy,
    TravelMatrix,
    TravelTimes,
    hookimpl,
)
from hub.app import Hub
from hub.cli import main
from hub.core.orders import IncomingOrder
from hub.flows.choices import choice, choose
from hub.flows.connections import connection_id
from hub.flows.found import found
from hub.flows.locate import locate_new
from hub.flows.plan import strategies
from hub.flows.roads import travel_between
from hub.flows.sync import store_all
from hub.registry import OURS, Registry, _named
from tests.admin.panel_worlds import a_bakery, a_panel, an_installed_hub

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
GOOD = """
class Found(hub.Geocoder):
    key = "{name}"
    title = "Found by {name}"
    def locate(self, address): return None
"""
OFFERS = """
@hub.hookimpl
def hub_geocoders(): return {what}
"""
A_DISK = """
from hub.plugins.pod_disk import DiskPodStore
import hub
class Mine(DiskPodStore): pass
@hub.hookimpl
def hub_pod_stores(): return [Mine]
"""
BROKEN = {
    "needs_more": ("import not_there_at_all", "No module named", "It needs not_there_at_all"),
    "of_another_day": ("from hub import NotAnyMore", "NotAnyMore", "another version of the hub"),
    "ends_it_all": ("raise SystemExit('bye')", "SystemExit: bye", "HUB_PLUGINS_OFF=ends_it_all"),
    "no_python": ("def :", "SyntaxError", "Update it"),
    "wrong_class": (OFFERS.format(what="[int]"), "not a subclass of Geocoder", "Update it"),
    "an_instance": (GOOD + OFFERS.format(what="[Found({}, None)]"), "not a subclass", "Update"),
    "no_list": (GOOD + OFFERS.format(what="Found"), "not a list", "Update it"),
    "no_title": (
        GOOD.replace('title = "Found by {name}"', "") + OFFERS.format(what="[Found]"),
        "Found has no title",
        "tell who wrote it",
    ),
    "half_done": (
        "class Found(hub.Geocoder):\n    key = title = 'half'\n" + OFFERS.format(what="[Found]"),
        "does not define locate",
        "tell who wrote it",
    ),
    "same_key": (
        GOOD.replace("{name}", "osm") + OFFERS.format(what="[Found]"),
        "'osm' is already hub.plugins",
        "Keep one of the two",
    ),
    "one_good_one_bad": (
        GOOD + OFFERS.format(what="[Found, int]"),
        "not a subclass",
        "Update it",
    ),
    "raises": (
        "@hub.hookimpl\ndef hub_geocoders(): raise KeyError('oven')",
        "KeyError",
        "Update it",
    ),
    "no_such_hook": (
        "@hub.hookimpl\ndef hub_geocodres(): return []",
        "hub_geocodres",
        "another version of the hub",
    ),
    "asks_for_more": (
        "@hub.hookimpl\ndef hub_geocoders(oven): return []",
        "oven",
        "another version of the hub",
    ),
    "no_subscriber": (
        "@hub.hookimpl\ndef hub_subscribers(): return [print]",
        "no hub.Subscriber",
        "Update it",
    ),
}


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of plugins, all of them broken but ``sound``."""
    for name, (source, _, _) in BROKEN.items():
        (tmp_path / f"{name}.py").write_text("import hub\n" + source.replace("{name}", name))
    sound = GOOD.replace("{name}", "sound") + OFFERS.format(what="[Found]")
    (tmp_path / "sound.py").write_text("import hub\n" + sound)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in (*BROKEN, "sound"):
        sys.modules.pop(name, None)


def point(name: str) -> EntryPoint:
    return EntryPoint(name, name, "hub.plugins")


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_used_is_left_out_whole_and_says_why(written: Path, name: str) -> None:
    registry = Registry()
    registry.add(hub.plugins, "builtin")
    before = registry.all(Geocoder)
    registry.add_entry_point(point(name))
    registry.add_entry_point(point("sound"))
    [problem] = registry.problems
    _, message, remedy = BROKEN[name]
    assert problem.plugin == name
    assert message in problem.message
    assert remedy in problem.remedy
    assert f"HUB_PLUGINS_OFF={name}" in problem.remedy
    assert registry.all(Geocoder) == [*before, registry.get(Geocoder, "sound")]
    assert not registry.plugins.has_plugin(name)


def test_a_second_plugin_of_the_same_name_leaves_the_first_in_place(written: Path) -> None:
    registry = Registry()
    registry.add_entry_point(point("sound"))
    registry.add_entry_point(EntryPoint("sound", "no_list", "hub.plugins"))
    assert [problem.plugin for problem in registry.problems] == ["sound"]
    assert registry.plugins.has_plugin("sound")
    assert registry.get(Geocoder, "sound").title == "Found by sound"


def test_the_page_shows_every_broken_plugin_with_what_to_do(written: Path, tmp_path: Path) -> None:
    world = an_installed_hub(tmp_path / "data")
    for name in (*BROKEN, "sound"):
        world.registry.add_entry_point(point(name))
    page = a_panel(world, a_bakery(world)).get("/panel/plugins")
    assert page.status_code == 200
    for name, (_, _, remedy) in BROKEN.items():
        assert f"{name} could not be used." in page.text
        # With the hub itself installed the other has to give way.
        assert (remedy if name != "same_key" else "The hub keeps its own.") in page.text
    assert "__init__.py" not in page.text  # where things lie here is nobody's business
    assert "Found by sound" in page.text


def test_a_page_that_cannot_be_added_leaves_the_others(tmp_path: Path) -> None:
    class Pages:
        @hookimpl
        def hub_init_app(self, app: object, hub: Hub) -> None:
            raise RuntimeError("no oven")

    world = an_installed_hub(tmp_path / "data")
    world.registry.add(Pages(), "pages")
    page = a_panel(world, a_bakery(world)).get("/panel/plugins").text
    assert "pages could not be used." in page
    assert "RuntimeError: no oven" in page


def test_the_command_lists_what_works_and_what_does_not(
    written: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    about = written / "stranger-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: stranger\nVersion: 1.2\n\nWhat it is.\n"
    )
    (written / "a_disk.py").write_text(A_DISK)
    names = "\n".join(f"{name} = {name}" for name in ("needs_more", "sound", "half_done", "a_disk"))
    (about / "entry_points.txt").write_text(f"[hub.plugins]\n{names}\n")
    monkeypatch.setenv("HUB_DATA_DIR", str(written / "data"))
    monkeypatch.setenv("HUB_PLUGINS_OFF", "half_done,haf_done")
    _named.cache_clear()
    try:
        assert main(["plugins"]) == 1
    finally:
        _named.cache_clear()
    told = capsys.readouterr()
    sound = told.out[told.out.index("sound ") :]
    assert sound.splitlines()[0].split() == ["sound", "explains", "stranger", "1.2"]
    assert "builtin " in told.out
    assert sound.splitlines()[1].strip() == "Address search: Found by sound"
    assert "half_done        is switched off" in told.out
    assert told.err.splitlines() == [
        "HUB_PLUGINS_OFF names haf_done, but no such plugin is installed. The names are those above.",
        f"a_disk (stranger 1.2) cannot be used: Taken: PodStore 'disk' is already hub.plugins.pod_disk's,"
        f" part of the hub itself ({OURS} {version(OURS)}). The hub keeps its own. Who wrote a_disk has to"
        " choose another; or switch it off with HUB_PLUGINS_OFF=a_disk.",
        "needs_more (stranger 1.2) cannot be used: ModuleNotFoundError: No module named"
        " 'not_there_at_all'. It needs not_there_at_all, which is not installed here. Install that,"
        " or switch it off with HUB_PLUGINS_OFF=needs_more.",
    ]
    assert [record for record in caplog.records if record.name == "hub.registry"] == []


class Buggy(RoutingStrategy):
    """Cannot even be made."""

    key = "buggy"
    title = "Buggy routes"

    def __init__(self, settings: object, tools: object) -> None:
        raise AttributeError("oven")

    def capabilities(self) -> frozenset[Need]:
        return frozenset()

    def plan(self, request: PlanRequest, progress: object) -> Plan:
        raise NotImplementedError


class Mute(Buggy):
    """Cannot say what it can."""

    key = "mute"

    def __init__(self, settings: object, tools: object) -> None:
        pass

    def capabilities(self) -> frozenset[Need]:
        raise KeyError("oven")


class Rush(TravelTimes):
    """Every way takes a minute."""

    key = "rush"
    title = "A minute each"
    seconds: object = 60

    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        row = tuple(self.seconds for _ in places)
        return TravelMatrix((row,) * len(places), (row,) * len(places))  # type: ignore[arg-type]

    def route(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> RoadRoute:
        raise KeyError("oven")


class Backwards(Rush):
    key = "backwards"
    seconds = -60


class Vague(Rush):
    key = "vague"
    seconds = 60.5


class Lost(Rush):
    key = "lost"

    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        raise KeyError("oven")


class OvenSettings(BaseModel):
    door: str = ""


class Oven(Geocoder):
    """Fails at whatever its door says."""

    key = "oven"
    title = "Oven"
    Settings = OvenSettings

    def check(self) -> None:
        if self.settings.door == "check":
            raise KeyError("a secret")

    def locate(self, address: Address) -> Match | None:
        raise KeyError("oven")


class Strangers:
    __name__ = "strangers"

    def __init__(self, *classes: type) -> None:
        self.classes = classes

    @hookimpl
    def hub_routing_strategies(self) -> list[type]:
        return [cls for cls in self.classes if issubclass(cls, RoutingStrategy)]

    @hookimpl
    def hub_travel_times(self) -> list[type]:
        return [cls for cls in self.classes if issubclass(cls, TravelTimes)]

    @hookimpl
    def hub_geocoders(self) -> list[type]:
        return [cls for cls in self.classes if issubclass(cls, Geocoder)]


def a_hub(*classes: type) -> Hub:
    return Hub.in_memory(hub.plugins, Strangers(*classes), now=lambda: MONDAY)


def test_strategies_that_cannot_be_asked_are_passed_over() -> None:
    world = a_hub(Buggy, Mute)
    assert world.registry.problems == []
    assert [one.key for one in strategies(world)] == ["nearest", "ortools", "pyvrp"]


HELSINKI = (Point(60.17, 24.94), Point(60.18, 24.95))


def test_installed_travel_times_are_asked_before_the_built_in_ones() -> None:
    assert travel_between(a_hub(Rush), "", HELSINKI, MONDAY, "car").seconds[0][1] == 60


@pytest.mark.parametrize("stranger", [Lost, Backwards, Vague])
def test_travel_times_that_fail_or_make_no_sense_are_not_believed(stranger: type) -> None:
    plain = travel_between(a_hub(), "", HELSINKI, MONDAY, "car")
    assert travel_between(a_hub(stranger), "", HELSINKI, MONDAY, "car") == plain


def test_a_geocoder_with_a_bug_is_named_and_the_address_goes_to_a_person() -> None:
    world = a_hub(Oven)
    bakery = found(world, "Husk", zone="Europe/Helsinki", country="FI")
    choose(world, bakery, "geocoder", "oven", {}, actor="staff:1")
    order = IncomingOrder(ref="1", number="1", updated_at=MONDAY, address=Address(("A 1",)))
    store_all(world, bakery, connection_id(world, bakery, "api"), [order])
    assert locate_new(world, bakery).to_review == 1
    chosen = choice(world, bakery, "geocoder", "oven")
    assert chosen is not None
    assert chosen.state == "needs_attention"
    assert chosen.last_error.startswith("Oven failed when it was to find an address.")
    page = a_panel(world_with_panel(world), bakery).get("/panel/plugins").text
    assert '<a href="/panel/settings/address-search">Oven</a>' in page
    assert "Oven failed when it was to find an address." in page


def world_with_panel(world: Hub) -> Hub:
    import admin

    world.registry.add(admin, "admin")
    return world


def test_a_check_with_a_bug_is_a_sentence_without_what_it_was_given() -> None:
    world = a_hub(Oven)
    bakery = found(world, "Husk", zone="Europe/Helsinki", country="FI")
    with pytest.raises(ConfigError) as caught:
        choose(world, bakery, "geocoder", "oven", {"door": "check"}, actor="staff:1")
    assert str(caught.value).startswith("Oven failed when it was to check these settings.")
    assert "a secret" not in str(caught.value)
    assert choice(world, bakery, "geocoder", "oven") is None

"""A hand-moved clock: only for demonstrations, and it moves when everybody is done."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.core.errors import ConfigError
from hub.demo.clock import Clock
from hub.settings import DEMO_MARK, Settings
from hub.stepping import Step, follow, go_file, near_file, one_round, put, settled_file

SIX = datetime(2026, 11, 23, 6, tzinfo=UTC)


def everything() -> list[str]:
    return ["work", "plan", "notices", "events"]


def test_a_clock_file_is_refused_where_no_demo_lives(tmp_path: Path) -> None:
    env = {"HUB_DATA_DIR": str(tmp_path), "HUB_CLOCK": str(tmp_path / "clock")}
    with pytest.raises(ConfigError, match="Unset it to run by the real clock"):
        Settings.from_environment(env)
    (tmp_path / DEMO_MARK).touch()
    assert Settings.from_environment(env).clock_file == tmp_path / "clock"


def test_every_process_of_the_hub_gets_the_clock(tmp_path: Path) -> None:
    (tmp_path / DEMO_MARK).touch()
    clock = Clock(tmp_path / "clock", SIX)
    env = {"HUB_DATA_DIR": str(tmp_path), "HUB_CLOCK": str(clock.file)}
    passed_on = Settings.from_environment(env).as_environment()
    clock.move(SIX + timedelta(hours=1))
    assert Settings.from_environment(passed_on).clock()() == SIX + timedelta(hours=1)


def test_without_a_clock_file_none_is_passed_on_from_an_outer_environment(tmp_path: Path) -> None:
    settings = Settings.from_environment({"HUB_DATA_DIR": str(tmp_path)})
    assert settings.as_environment()["HUB_CLOCK"] == ""


def test_the_clock_never_goes_back(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock", SIX)
    clock.move(SIX - timedelta(seconds=1))
    assert clock.now == SIX
    assert clock.file.read_text() == SIX.isoformat()


def test_nobody_begins_before_all_of_a_moment_has_been_said(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock", SIX)
    clock.move(SIX + timedelta(hours=1))
    assert not go_file(clock.file).exists()


def test_whoever_waits_goes_on_only_when_this_very_moment_is_settled(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock", SIX)
    put(settled_file(clock.file), SIX.isoformat())  # of what was told before
    waiting = threading.Thread(target=clock.settle)
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    put(settled_file(clock.file), go_file(clock.file).read_text())
    waiting.join(60)
    assert not waiting.is_alive()


class Killed(BaseException):
    """The end of one that works for ever."""


def test_who_was_killed_before_all_was_settled_is_followed_by_one_who_settles_it(
    tmp_path: Path,
) -> None:
    clock, left = tmp_path / "clock", ["notice"]
    put(go_file(clock), SIX.isoformat())
    put(near_file(clock), SIX.isoformat())  # by the one that was killed

    def waits() -> list[str]:
        if settled_file(clock).exists():
            raise Killed
        if not left:
            later = SIX + timedelta(seconds=1)
            threading.Timer(0.05, put, (go_file(clock), later.isoformat())).start()
        return ["notices"] if left else []

    with pytest.raises(Killed):
        follow(clock, [Step("notices", left.pop, last=True)], waits)
    assert left == []
    assert settled_file(clock).read_text() == SIX.isoformat()


@pytest.fixture
def aside() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1)


def test_a_round_in_which_something_was_done_is_followed_by_another(
    aside: ThreadPoolExecutor,
) -> None:
    left = [2, 1, 0]
    steps = [Step("work", lambda: left.pop(0))]
    assert [one_round(steps, SIX, everything, aside) for _ in range(3)] == [True, True, False]


def test_a_step_that_nothing_waits_for_is_not_done(aside: ThreadPoolExecutor) -> None:
    done: list[int] = []
    steps = [Step("work", lambda: done.append(1))]
    assert not one_round(steps, SIX, lambda: ["notices"], aside)
    assert done == []


def test_a_step_that_leaps_is_done_once_in_its_time(aside: ThreadPoolExecutor) -> None:
    done: list[datetime] = []
    now = SIX
    steps = [Step("estimate", lambda: done.append(now), leaps_s=60)]
    for now in (SIX, SIX + timedelta(seconds=59), SIX + timedelta(seconds=60)):
        one_round(steps, now, everything, aside)
    assert done == [SIX, SIX + timedelta(seconds=60)]


def test_nothing_is_settled_while_a_plan_is_being_solved(aside: ThreadPoolExecutor) -> None:
    solved, others = threading.Event(), []
    steps = [
        Step("plan", lambda: solved.wait(10), aside=True),
        Step("notices", lambda: others.append(1)),
    ]
    assert one_round(steps, SIX, everything, aside)
    assert one_round(steps, SIX, everything, aside)
    assert len(others) == 2  # nobody waits for the solver
    solved.set()
    assert one_round(steps, SIX, everything, aside)  # it did something: look again


def test_a_step_that_fails_is_not_taken_for_done(aside: ThreadPoolExecutor) -> None:
    def fail() -> None:
        raise OSError("no database")

    assert one_round([Step("events", fail)], SIX, everything, aside)


def test_what_comes_last_is_done_once_nothing_else_is_left(aside: ThreadPoolExecutor) -> None:
    told: list[str] = []
    waiting = ["events", "notices"]
    steps = [
        Step("notices", lambda: told.append("notice"), last=True),
        Step("events", lambda: (told.append("event"), waiting.remove("events"))),
        Step("webhooks", lambda: told.append("never")),
    ]
    for _ in range(2):
        one_round(steps, SIX, lambda: waiting, aside, lambda: told.append("near"))
    assert told == ["event", "near", "notice"]


def test_what_comes_last_does_not_wait_for_a_plan_and_nobody_is_told_that_all_is_near(
    aside: ThreadPoolExecutor,
) -> None:
    solved, told = threading.Event(), list[str]()
    steps = [
        Step("plan", lambda: solved.wait(10), aside=True),
        Step("notices", lambda: told.append("notice"), last=True),
    ]
    one_round(steps, SIX, everything, aside, lambda: told.append("near"))
    solved.set()
    assert told == ["notice"]

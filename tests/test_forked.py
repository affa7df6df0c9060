"""A process that others are forked from and that hangs holds nothing up."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from hub.fork_server import begun, has_ended, replace, start
from hub.forked import Forked

FORKS = multiprocessing.get_context("forkserver")


@pytest.fixture
def server() -> Iterator[int]:
    """The pid of one that imports nothing, and answers."""
    replace("a test begins its own")
    before = forkserver._forkserver._preload_modules  # type: ignore[attr-defined]
    FORKS.set_forkserver_preload([])
    asleep = FORKS.Process(target=time.sleep, args=(60,))
    begun(asleep)
    yield parent(asleep)
    replace("the test is over")
    if asleep.is_alive():
        asleep.kill()
    FORKS.set_forkserver_preload(before)


def parent(process: BaseProcess) -> int:
    stat = (Path("/proc") / str(process.pid) / "stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def test_a_server_that_does_not_answer_is_replaced(
    server: int, caplog: pytest.LogCaptureFixture
) -> None:
    os.kill(server, signal.SIGSTOP)
    quick = FORKS.Process(target=time.sleep, args=(0,))
    begun(quick, answers_s=0.2)
    quick.join()
    assert quick.exitcode == 0
    assert has_ended(server)
    assert "it did not answer within" in caplog.text


def test_a_process_that_ended_is_noticed_though_its_server_does_not_say_so(
    server: int, tmp_path: Path
) -> None:
    listening = ["webhook", "listen", "--port", "0"]
    part = Forked(listening, os.environ, tmp_path / "out", says_s=0.2)
    os.kill(server, signal.SIGSTOP)
    os.kill(part.pid, signal.SIGKILL)
    assert part.wait(timeout=90) == 255


def test_a_server_that_was_got_ready_is_the_one_asked_whatever_ctrl_c_came_meanwhile(
    server: int,
) -> None:
    replace("it is to begin anew")
    until = time.monotonic() + 90
    while not has_ended(server) and time.monotonic() < until:
        time.sleep(0.01)
    start()
    ready = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    os.kill(ready, signal.SIGINT)  # as a terminal sends it to all
    quick = FORKS.Process(target=time.sleep, args=(5,))
    begun(quick)
    assert parent(quick) == ready != server
    quick.kill()

"""Gives birth to one life after another: a fork has paid for its imports already.

``Keeper`` is the test's end of it; run as a program this is the other end.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hub.registry import Registry
from tests.faults.a_day import Day, a_hub
from tests.faults.fate import Fate

ROOT = Path(__file__).parents[2]


@dataclass
class Life:
    """``did`` is what was acknowledged; ``code`` -9: killed, 0: it came to its end."""

    did: set[str] = field(default_factory=set)
    moments: dict[str, int] = field(default_factory=dict)
    lasted_s: float = 0.0
    code: int = 0


class Keeper:
    def __init__(self, program: subprocess.Popen[str]) -> None:
        self.program = program

    def live(
        self,
        folder: Path,
        url: str,
        business_id: str,
        seed: int,
        known: set[str],
        *,
        ends: Mapping[str, int] | None = None,
        kill_after_s: float | None = None,
    ) -> Life:
        """Let a process do what is left of the day; see ``Fate`` for ``ends``."""
        assert self.program.stdin is not None
        assert self.program.stdout is not None
        day = [str(folder), url, business_id, seed, sorted(known), dict(ends or {})]
        print(json.dumps([kill_after_s, day]), file=self.program.stdin, flush=True)
        life = Life()
        for line in self.program.stdout:
            word, _, rest = line.strip().partition(" ")
            match word:
                case "did":
                    life.did.add(rest)
                case "moments":
                    life.moments = json.loads(rest)
                case "died":
                    life.code, life.lasted_s = json.loads(rest)
                    return life
        raise AssertionError("the keeper itself has died")


@contextmanager
def a_keeper() -> Iterator[Keeper]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.keeper"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        yield Keeper(program)
        assert program.stdin is not None
        program.stdin.close()


def main() -> None:
    registry = Registry.installed()
    for line in sys.stdin:
        kill_after_s, life = json.loads(line)
        if (child := os.fork()) == 0:
            code = 1
            try:
                one_life(registry, *life)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        began = time.monotonic()
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            os.kill(child, signal.SIGKILL)  # nobody has waited for it: the number is still its own
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        say(f"died {json.dumps([code, time.monotonic() - began])}")


def one_life(
    registry: Registry,
    folder: str,
    url: str,
    business_id: str,
    seed: int,
    known: list[str],
    ends: dict[str, int],
) -> None:
    hub = a_hub(Path(folder), url, registry)
    fate = Fate(ends)

    def begin(phase: str) -> None:
        fate.phase = phase

    fate.watch(hub.engine, Path(folder) / "proof")
    Day(hub, business_id, seed, set(known), lambda word: say(f"did {word}"), begin).live()
    say(f"moments {json.dumps(fate.passed)}")


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # in the pipe at once: a kill cannot unsay it


if __name__ == "__main__":
    main()

"""A hand-moved clock and who follows it.

Four files: the time; the moment up to which everything due may now be done ("go"); that up to
which all is done but what is left for last ("near"); and that up to which everything is
("settled"). Whoever plays a day moves the time, says all that is to be said at it, lets the others
go, and waits until the last file holds the same text as the second: until the third does, where
what follows changes nothing in the messages that still leave. So nothing depends on who was faster.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

from hub.watched import Watched

log = logging.getLogger(__name__)

LOOK_S = 0.0004  # between two looks at a clock that stands still
SOON_S = 0.02  # what is done aside and has nothing to do has said so by then
AGAIN_S = 0.2  # before a round with a step that failed is tried again


@dataclass
class Step:
    """One thing to do; ``do`` says whether it did something.

    ``leaps_s``: done whenever so much time of that clock has passed; else whenever there is
    something for it. ``aside``: in a thread of its own. ``last``: when nothing else is left;
    what it does is seen nowhere but where it is sent to.
    """

    name: str
    do: Callable[[], object]
    leaps_s: float = 0.0
    aside: bool = False
    last: bool = False
    not_before: datetime | None = field(default=None, init=False)
    running: Future[object] | None = field(default=None, init=False)


def go_file(clock: Path) -> Path:
    """Where it is said that what is due may be done."""
    return clock.with_name(f"{clock.name}.go")


def near_file(clock: Path) -> Path:
    """Where it is said up to which moment all but the last is done."""
    return clock.with_name(f"{clock.name}.near")


def settled_file(clock: Path) -> Path:
    """Where it is said up to which moment everything is done."""
    return clock.with_name(f"{clock.name}.settled")


def go_clock(clock: Path) -> Callable[[], datetime]:
    """The time by which what is due is done: the time may have moved on since."""
    go, time_of_all = Watched(go_file(clock)), Watched(clock)

    def now() -> datetime:
        return datetime.fromisoformat(_told(go) or time_of_all.text())

    return now


def put(path: Path, text: str) -> None:
    """Write a short file whole or not at all. Quick, and lost in a power cut: it is a demo's."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text)
    os.replace(beside, path)


def follow(clock: Path, steps: Sequence[Step], waits: Callable[[], Collection[str]]) -> NoReturn:
    """Do ``steps`` whenever it is time to go, until nothing is left; say so; for ever.

    ``waits`` are the names of the steps that there is something for.
    """
    aside = ThreadPoolExecutor(1, "aside")
    go, settled, is_near = Watched(go_file(clock)), "", ""

    def near() -> None:
        nonlocal is_near
        if is_near != told:
            put(near_file(clock), told)
            is_near = told

    while True:
        told = _told(go)
        if told == settled:
            time.sleep(LOOK_S)
        elif not one_round(steps, datetime.fromisoformat(told), waits, aside, near):
            put(settled_file(clock), told)
            settled = told


def _told(go: Watched) -> str:
    try:
        return go.text()
    except FileNotFoundError:
        return ""


def one_round(
    steps: Sequence[Step],
    now: datetime,
    waits: Callable[[], Collection[str]],
    aside: ThreadPoolExecutor,
    near: Callable[[], None] = lambda: None,
) -> bool:
    """Do every step that there is something for; whether any did something, or is still at it.

    ``near`` is called once the others have nothing to do, before those that come last. Those do not
    wait for what is done aside.
    """
    try:
        waiting = waits()
        due = [step for step in steps if _is_due(step, now, waiting)]
    except Exception:
        log.exception("the hub's database cannot be read")
        time.sleep(AGAIN_S)
        return True
    did = _done([step for step in due if not step.last], now, aside)
    if did and all(step.running is None for step in due):
        return True
    if not did:
        near()
    return _done([step for step in due if step.last], now, aside) or did


def _done(due: Sequence[Step], now: datetime, aside: ThreadPoolExecutor) -> bool:
    did = False
    for step in due:
        try:
            did |= bool(_aside(step, aside) if step.aside else step.do())
        except Exception:
            log.exception("chore %r failed", step.name)
            time.sleep(AGAIN_S)
            did = True
        if step.leaps_s:
            step.not_before = now + timedelta(seconds=step.leaps_s)
    return did


def _is_due(step: Step, now: datetime, waits: Collection[str]) -> bool:
    if step.leaps_s:
        return step.not_before is None or now >= step.not_before
    return step.running is not None or step.name in waits


def _aside(step: Step, aside: ThreadPoolExecutor) -> bool:
    """Whether it did something or is not done yet. Raises what it raised."""
    step.running = step.running or aside.submit(step.do)
    wait([step.running], SOON_S)
    if not step.running.done():
        return True
    running, step.running = step.running, None
    return bool(running.result())

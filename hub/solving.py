"""Run a routing strategy in a process of its own.

Solvers hold the interpreter for seconds, need memory by the gigabyte and can die;
here they do it beside the hub. Whatever happens to them, there is a plan.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal, cast

from hub.apart import APART
from hub.core.contracts import RoutingStrategy
from hub.core.planning import Plan, PlanRequest, completed, violations
from hub.fork_server import begun
from hub.lent import Make, made

LOG = logging.getLogger("hub.solving")
LOOK_S = 0.2  # how often a cancel is looked for
START_S = 20.0  # a cold import of a solver on a busy machine took 6 s
STOP_S = 5.0  # from being told to stop; a solver that is deaf for longer is ended

Said = tuple[Literal["best", "done", "failed"], Plan | str]


def solve(
    make: Make,
    request: PlanRequest,
    *,
    on_progress: Callable[[Plan], None] = lambda best: None,
    cancelled: Callable[[], bool] = lambda: False,
    data_dir: Path = Path(),
    cores: int = 1,
) -> Plan:
    """The strategy's plan, or the best known when cancelled; ``notes`` say what went wrong.

    A strategy that fails, dies, does not end or answers what breaks a rule costs its better plan,
    never the day: then it is its last lawful plan, or else the quick answer. One that ends with
    less than it showed before is held to that. Blocks for about ``request.time_limit_s``.
    ``cores``: processes that a large day may keep busy. The caller still asks ``violations``.
    """
    ours, theirs = APART.Pipe()
    child = APART.Process(target=_serve, args=(theirs, make, request, data_dir, cores), daemon=True)
    try:
        begun(child)
    except OSError as problem:
        ours.close()
        return _fallen_back(request, None, str(problem))
    finally:
        theirs.close()
    try:
        return _listen(ours, child, request, on_progress, cancelled)
    finally:
        ours.close()
        child.terminate()
        child.join(STOP_S)
        if child.is_alive():
            child.kill()
            child.join()


def _listen(
    pipe: Connection,
    child: BaseProcess,
    request: PlanRequest,
    on_progress: Callable[[Plan], None],
    cancelled: Callable[[], bool],
) -> Plan:
    best: Plan | None = None
    until = time.monotonic() + START_S + request.time_limit_s + STOP_S
    asked_to_stop = False
    while time.monotonic() < until:
        if not asked_to_stop and cancelled():
            asked_to_stop = True
            until = time.monotonic() + STOP_S
            if not _tell(pipe):
                return _fallen_back(request, best, f"it ended with code {child.exitcode}")
        if not pipe.poll(LOOK_S):
            continue
        try:
            word, what = pipe.recv()
        except (EOFError, OSError):
            child.join(1)
            return _fallen_back(request, best, f"it ended with code {child.exitcode}")
        if word == "failed":
            return _fallen_back(request, best, what)
        if word == "done":
            return _answered(request, best, what)
        if isinstance(what, Plan):
            best = what
            on_progress(what)
    if asked_to_stop:
        if best is None or _wrong(request, best):
            return completed(request, {}, ("Planning was stopped early.",))
        return best
    return _fallen_back(request, best, "it did not end in time")


def _tell(pipe: Connection) -> bool:
    try:
        pipe.send("stop")
    except OSError:
        return False
    return True


def _answered(request: PlanRequest, best: Plan | None, answer: Plan) -> Plan:
    """``answer``, or what was shown before where that is better or the answer breaks a rule."""
    if wrong := _wrong(request, answer):
        return _fallen_back(request, best, f"its plan breaks a rule: {wrong}")
    if best is None or request.loss(answer) <= request.loss(best) or _wrong(request, best):
        return answer
    return best


def _wrong(request: PlanRequest, plan: Plan) -> str:
    """What is wrong with a stranger's plan; empty if nothing is."""
    try:
        return next(iter(violations(request, plan)), "")
    except Exception as error:  # whatever it answered, it is no plan that can be read
        return f"no plan that can be read ({error})"


def _fallen_back(request: PlanRequest, best: Plan | None, why: str) -> Plan:
    LOG.warning("routing strategy failed: %s", why)
    reason = why.strip().splitlines()[-1]
    if best is not None and not _wrong(request, best):
        note = f"The routing strategy failed ({reason}). This is its best plan until then."
        return replace(best, notes=(*best.notes, note))
    note = f"The routing strategy failed ({reason}). This is the quick plan instead."
    return completed(request, {}, (note,))


def _serve(pipe: Connection, make: Make, request: PlanRequest, data_dir: Path, cores: int) -> None:
    """The child: a word from the other side, or its silence for ever, means stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    try:
        strategy = cast(RoutingStrategy, made(make, data_dir, "routing", cores))
        plan = strategy.plan(request, lambda best: _told(pipe, best))
        said: Said = ("done", plan)
    except Exception as error:  # whatever a stranger's solver raises is its failure, not ours
        said = ("failed", str(error) or type(error).__name__)
    try:
        pipe.send(said)
    except OSError:
        return  # nobody is waiting any more


def _told(pipe: Connection, best: Plan) -> bool:
    try:
        pipe.send(("best", best))
    except OSError:
        return False
    return not pipe.poll()

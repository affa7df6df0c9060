"""Several things at once, each in a thread of its own, so that none waits for a slow one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from hub.db.memory import has_one_connection

if TYPE_CHECKING:
    from hub.app import Hub

LOOK_S = 0.5
"""Until it is looked for more while some are under way."""


def side_by_side[T](
    hub: Hub,
    found: Callable[[Collection[T], int], Iterable[T]],
    do: Callable[[T], int],
    at_once: int,
) -> int:
    """Do what is found until nothing more is; the sum of what ``do`` returned.

    ``found`` is told what is under way and how many more it may name. One after the other where
    the database is in memory, which has one connection for all.
    """
    done = 0
    if has_one_connection(hub.engine):
        while some := list(found((), 1)):
            done += sum(map(do, some))
        return done
    under_way: dict[Future[int], T] = {}
    with ThreadPoolExecutor(at_once, "beside") as pool:
        while True:
            free = at_once - len(under_way)
            for one in found(list(under_way.values()), free) if free else ():
                under_way[pool.submit(do, one)] = one
            if not under_way:
                return done
            over, _ = wait(under_way, LOOK_S, FIRST_COMPLETED)
            for future in over:
                del under_way[future]
                done += future.result()

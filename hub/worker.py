"""The clock: what the hub does without being asked, and how often it looks.

Due work lies in the database with leases, so two workers are safe and a missed
tick costs nothing. Chores are never stored; changing this table is a deploy.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler

from hub.app import Hub
from hub.flows.map_build import build_waiting
from hub.flows.notify import send_due
from hub.flows.planning_run import solve_waiting
from hub.flows.retain import retain
from hub.reactions import LOCATE

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chore:
    name: str
    every_s: float
    do: Callable[[Hub], object]


def deliver(hub: Hub) -> int:
    """Everybody's events but those that wait for a geocoder."""
    return hub.deliver_events(but=(LOCATE,))


def locate(hub: Hub) -> int:
    """Apart: whoever is on their way is told so while a geocoder takes its time."""
    return hub.deliver_events(only=(LOCATE,))


CHORES = (
    Chore("deliver events", 1, deliver),
    Chore("locate addresses", 1, locate),
    Chore("make plans", 1, solve_waiting),
    Chore("send notices", 2, send_due),
    Chore("build maps", 3, build_waiting),
    Chore("let go of what is old", 3600, retain),
)


def run(hub: Hub) -> None:
    """Work until stopped."""
    scheduler = BlockingScheduler(timezone="UTC")
    schedule(scheduler, hub)
    scheduler.start()


def schedule(scheduler: BaseScheduler, hub: Hub, chores: tuple[Chore, ...] = CHORES) -> None:
    """Add every chore; a chore that is still running is not started again."""
    for chore in chores:
        scheduler.add_job(
            _run,
            "interval",
            [chore, hub],
            id=chore.name,
            seconds=chore.every_s,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )


def _run(chore: Chore, hub: Hub) -> None:
    try:
        chore.do(hub)
    except Exception:
        log.exception("chore %r failed", chore.name)

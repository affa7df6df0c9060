"""The clock: what the hub does without being asked, and how often it looks.

Due work lies in the database with leases, so two workers are safe and a missed
tick costs nothing. Chores are never stored; changing this table is a deploy.

With a hand-moved clock (``HUB_CLOCK``) nothing is done by intervals: whenever who moves it says
so, what there is something for is done, round after round until nothing was left. See
``hub.stepping``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler

from hub import apart
from hub.app import Hub
from hub.flows.at_work import say_at_work
from hub.flows.domains import check_domains
from hub.flows.drives_read import read_drives
from hub.flows.estimate import estimate_routes
from hub.flows.improve_unasked import improve_unasked
from hub.flows.improvements import search_waiting
from hub.flows.locate import LOCATE
from hub.flows.map_build import build_waiting
from hub.flows.meanings import apply_meanings
from hub.flows.notice_known import Known
from hub.flows.notice_near import tell_near
from hub.flows.notice_send import send_due
from hub.flows.outward import APART, keep_books, tell_shops
from hub.flows.planning_run import solve_waiting
from hub.flows.pull import pull_due
from hub.flows.retain import retain
from hub.flows.rings import mend_webhooks
from hub.flows.street_speeds import EVERY_S as STREETS_EVERY_S
from hub.flows.street_speeds import learn_street_speeds
from hub.flows.taken_over import take_over
from hub.flows.waiting import (
    ADDRESSES,
    BOOKS,
    EVENTS,
    IMPROVEMENTS,
    MEANINGS,
    NOTICES,
    PLANS,
    SHOPS,
    SOURCES,
    WEBHOOKS,
    what_waits,
)
from hub.flows.ways_found import look_for_ways
from hub.flows.webhook_send import send_webhooks
from hub.stepping import Step, follow

log = logging.getLogger(__name__)
ESTIMATED_EVERY_S = 300
"""By a hand-moved clock. Every five seconds of a day that passes in half a minute would be
6,000 times; arrivals move by minutes."""

LOOKED_EVERY_S = 600
"""By a hand-moved clock: it stands still while somebody looks for what would help."""


@dataclass(frozen=True)
class Chore:
    """By a hand-moved clock it is done when its kind of work ``waits``, the ``last`` once no other
    does; or, if it has none, each ``leaps_s``. ``aside``: others go on meanwhile.
    """

    name: str
    every_s: float
    do: Callable[[Hub], object]
    waits: str = ""
    leaps_s: float = 0.0
    aside: bool = False
    last: bool = False


def deliver(hub: Hub) -> int:
    """Everybody's events but those that wait for a geocoder, a shop or the books."""
    return hub.deliver_events(but=(LOCATE, *APART))


def locate(hub: Hub) -> int:
    """Apart: whoever is on their way is told so while a geocoder takes its time."""
    if tried := hub.deliver_events(only=(LOCATE,)):
        apart.get_ready()  # where orders come in, their day is soon planned
    return tried


CHORES = (
    Chore("say that somebody works", 20, say_at_work),  # never by a hand-moved clock
    Chore("deliver events", 1, deliver, EVENTS),
    Chore("locate addresses", 1, locate, ADDRESSES),
    Chore("tell shops", 1, tell_shops, SHOPS, aside=True),
    Chore("keep books", 1, keep_books, BOOKS, aside=True),
    Chore("take what fixes mean", 1, apply_meanings, MEANINGS),
    Chore("estimate arrivals", 5, estimate_routes, leaps_s=ESTIMATED_EVERY_S),
    Chore("see who is near", 15, tell_near, leaps_s=ESTIMATED_EVERY_S),
    Chore("make plans", 1, solve_waiting, PLANS, aside=True),
    Chore("look for ways out", 1, look_for_ways, leaps_s=LOOKED_EVERY_S, aside=True),
    Chore("look for a better rest", 1, search_waiting, IMPROVEMENTS, aside=True),
    Chore("improve unasked", 30, improve_unasked),  # never by a hand-moved clock: it stands still
    Chore("send notices", 2, send_due, NOTICES, last=True),
    Chore("send webhooks", 1, send_webhooks, WEBHOOKS, aside=True),
    Chore("read sources", 2, pull_due, SOURCES, aside=True),
    Chore("mend webhooks", 10, mend_webhooks, leaps_s=3600, aside=True),
    Chore("build maps", 3, build_waiting, leaps_s=30, aside=True),
    # These three never by a moved clock.
    Chore("look after own domains", 600, check_domains, aside=True),
    Chore("read what drives took", 600, read_drives, aside=True),
    Chore("learn how fast streets are", STREETS_EVERY_S, learn_street_speeds, aside=True),
    Chore("let go of what is old", 3600, retain, leaps_s=3600),
)


def run(hub: Hub) -> None:
    """Work until stopped."""
    chores = lasting(hub)
    if (clock := hub.settings.clock_file) is not None:
        take_over(hub)
        follow(clock, steps_of(hub, chores), lambda: what_waits(hub))
    say_at_work(hub)
    threads = ThreadPoolExecutor(len(CHORES))  # else those that take long keep the others out
    scheduler = BlockingScheduler(timezone="UTC", executors={"default": threads})
    schedule(scheduler, hub, chores)
    scheduler.start()


def lasting(hub: Hub, chores: tuple[Chore, ...] = CHORES) -> tuple[Chore, ...]:
    """The chores of one worker, which keeps what its notices leave by from one look to the next."""
    kept = partial(send_due, known=Known(hub))
    return tuple(replace(one, do=kept) if one.do is send_due else one for one in chores)


def steps_of(hub: Hub, chores: tuple[Chore, ...] = CHORES) -> list[Step]:
    """The chores as a hand-moved clock wants them done."""
    return [
        Step(
            chore.waits or chore.name,
            partial(chore.do, hub),
            chore.leaps_s,
            chore.aside,
            chore.last,
        )
        for chore in chores
    ]


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
    except (Exception, SystemExit):  # a plugin may not end what is everybody's
        log.exception("chore %r failed", chore.name)

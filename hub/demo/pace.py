"""How fast a day is played: as fast as the hub can, or some times faster than the sun."""

from __future__ import annotations

import time
from datetime import timedelta

from hub.demo.clock import Clock
from hub.demo.courier import Courier
from hub.demo.run import Played

STEP = timedelta(seconds=20)
"""Short enough that nobody comes to a door and is noticed there within one: that takes 25 s."""
BEFORE = timedelta(minutes=2)  # time to open the pages
BREATH_S = 0.1  # several times a second


def as_fast_as_it_goes(played: Played, clock: Clock) -> None:
    while not played.is_done():
        played.step(clock.now + STEP)


def to_the_first_departure(played: Played) -> Courier:
    """Live until a minute or so before the first van leaves; who drives it."""
    while True:
        played.step(played.clock.now + STEP)
        everybody = played.couriers.values()
        leaving = [(leaves_s, one) for one in everybody if (leaves_s := one.leaves_s())]
        if leaving:
            leaves_s, first = min(leaving, key=lambda each: each[0])
            if leaves_s <= (played.clock.now + BEFORE).timestamp():
                return first


def by_the_sun(played: Played, clock: Clock, speed: float) -> None:
    """``speed`` business seconds each second until the day is over, then one; for ever."""
    clock.waits = False
    last = time.monotonic()
    while True:
        time.sleep(BREATH_S)
        at = time.monotonic()
        passed = timedelta(seconds=(at - last) * speed)
        last = at
        if played.is_done():
            speed = 1.0
            clock.move(clock.now + passed)
            continue
        until = clock.now + passed
        while clock.now < until:
            played.step(min(until, clock.now + STEP))

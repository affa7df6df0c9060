"""The demo, from the command line."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.app import Hub
from hub.cli.opened import opened
from hub.cli.orders import show
from hub.core.contracts import TravelTimes
from hub.core.errors import ConfigError
from hub.demo.clock import Clock
from hub.demo.courier import Courier
from hub.demo.day import EXTRACT
from hub.demo.kills import Parts
from hub.demo.mailbox import Mailbox, open_mailbox
from hub.demo.pace import as_fast_as_it_goes, by_the_sun, to_the_first_departure
from hub.demo.play import OWNER, Bakery, links, plan_in_process, set_up, start_of_day
from hub.demo.report import Report
from hub.demo.run import Played
from hub.flows.overview import day_seen
from hub.forked import get_ready
from hub.settings import DEMO_MARK, Settings
from hub.up import nobody_uses, only_one, port_is_free, up

CLOCK = "clock"
STOPS_INTO_IT = 2  # the customer whose page is shown comes after so many
SPEED = 10.0  # its seconds in one of ours
GOOD_BYE = "\nThe demo is over, and nothing of it runs any more. Good-bye!"


def demo(args: argparse.Namespace, settings: Settings) -> int:
    began = time.monotonic()
    _go_together(args)
    if not args.exit:
        port_is_free(settings)  # before a minute of work
    folder = settings.data_dir / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    with only_one(folder, "demo.lock"):  # from here on: setting up takes a minute
        nobody_uses(folder)
        settings = _own(settings, folder)
        if args.exit:
            return _planned_only(args, replace(settings, clock_file=None))
        get_ready()  # the hub's processes, while their business is set up
        try:
            return _fast(args, settings, began) if args.fast else _live(args, settings)
        except KeyboardInterrupt:  # while it is being set up; later the hub itself listens for it
            print(GOOD_BYE, flush=True)
            return 0


def _go_together(args: argparse.Namespace) -> None:
    """Raises ``ConfigError`` for a day nobody can play, and for what would be without effect."""
    if args.orders < 1 or args.drivers < 1:
        raise ConfigError("A day needs at least one order and one driver.")
    if args.kills is not None and args.kills < 0:
        raise ConfigError("--kills is how many times a part is killed: 0 or more.")
    if args.exit and args.fast:
        raise ConfigError("--exit plays no day and --fast a whole one: choose one of them.")
    for name in ("kills", "report"):
        if getattr(args, name) is not None and not args.fast:
            raise ConfigError(
                f"--{name} is of a day played with --fast: add that, or leave it out."
            )
    if args.speed is not None and (args.fast or args.exit):
        other = "--fast" if args.fast else "--exit"
        raise ConfigError(f"--speed is of a day that one watches, not of {other}: leave one out.")
    if args.speed is not None and args.speed <= 0:
        raise ConfigError("--speed says how many seconds of the day pass in one; more than 0.")


def _planned_only(args: argparse.Namespace, settings: Settings) -> int:
    hub = opened(settings)
    bakery = _bakery(args, hub, start_of_day(hub.now()))
    placed, places = plan_in_process(hub, bakery, count=args.orders, seed=args.seed)
    print(f"{placed.placed} orders, {places.sure} places found on the map,", end=" ")
    print(f"{places.to_review} to look at")
    starts_at = bakery.starts_at
    show(day_seen(hub, bakery.business_id, starts_at.date()), ZoneInfo(str(starts_at.tzinfo)))
    return 0


def _fast(args: argparse.Namespace, settings: Settings, began: float) -> int:
    zone = ZoneInfo("UTC")
    seven = datetime.now(zone).replace(hour=7, minute=0, second=0, microsecond=0)
    clock = Clock(_clock_file(settings), seven - timedelta(minutes=30))
    with open_mailbox() as box:
        allowed = (*settings.http_allow, f"127.0.0.1:{box.port}")
        settings = replace(settings, http_allow=allowed)
        hub = opened(settings)
        bakery = _bakery(args, hub, seven, box)
        found: list[Report] = []

        parts = Parts()

        def day() -> None:
            played = _played(args, hub, bakery, clock)
            played.prepare()
            parts.fall_over(played, args.kills or 0, args.seed)
            as_fast_as_it_goes(played, clock)
            found.append(played.report(box, began))

        _with_the_hub(settings, day, parts)
    if not found:
        print("hub: The day was stopped before its end, so there is no report.", file=sys.stderr)
        return 1
    return _told(args, found[0])


def _live(args: argparse.Namespace, settings: Settings) -> int:
    speed = args.speed or SPEED
    clock = Clock(_clock_file(settings), datetime.now(UTC))
    hub = opened(settings)
    print(f"Setting a bakery up: its map, {args.drivers} vans, its account …", flush=True)
    bakery = _bakery(args, hub, start_of_day(hub.now()))
    messages = settings.data_dir / "messages.txt"

    def day() -> None:
        played = _played(args, hub, bakery, clock)
        played.goes_on = True
        played.prepare()
        first = to_the_first_departure(played)
        _print_links(settings.public_url, hub, bakery, played, first, messages, speed)
        by_the_sun(played, clock, speed)

    _with_the_hub(settings, day, Parts(), messages)
    print(GOOD_BYE, flush=True)
    return 0


def _with_the_hub(
    settings: Settings, day: Callable[[], None], parts: Parts, messages: Path | None = None
) -> None:
    """Run the hub's processes while ``day`` is played in a thread; both end together."""

    def safely() -> None:
        try:
            day()
        except Exception:  # in a thread nobody else would hear of it
            traceback.print_exc()

    player = threading.Thread(target=safely, name="player", daemon=True)
    begun = threading.Event()

    def ready() -> None:
        player.start()
        begun.set()

    up(
        settings,
        ready,
        messages=messages,
        over=lambda: begun.is_set() and not player.is_alive(),
        meet=parts.meet,
    )


def _played(args: argparse.Namespace, hub: Hub, bakery: Bakery, clock: Clock) -> Played:
    roads = hub.provider(TravelTimes, "osrm", {})
    return Played(bakery, roads, clock, hub.settings.port, orders=args.orders, seed=args.seed)


def _bakery(
    args: argparse.Namespace, hub: Hub, starts_at: datetime, box: Mailbox | None = None
) -> Bakery:
    return set_up(
        hub,
        starts_at,
        orders=args.orders,
        drivers=args.drivers,
        extract=args.map or EXTRACT,
        mail_port=box.port if box else None,
    )


def _own(settings: Settings, data_dir: Path) -> Settings:
    """The demo's own folder, emptied but for its map; the database that the environment names,
    or one in there.
    """
    (data_dir / DEMO_MARK).write_text('{"made by": "hub demo"}\n')
    for old in (*data_dir.glob("*.db*"), data_dir / "messages.txt"):
        old.unlink(missing_ok=True)
    url = settings.database_url
    if url == f"sqlite:///{settings.data_dir / 'hub.db'}":
        url = f"sqlite:///{data_dir / 'hub.db'}"
    return replace(
        settings, data_dir=data_dir, database_url=url, clock_file=_clock_file_in(data_dir)
    )


def _clock_file_in(data_dir: Path) -> Path:
    return data_dir / CLOCK


def _clock_file(settings: Settings) -> Path:
    assert settings.clock_file is not None
    return settings.clock_file


def _told(args: argparse.Namespace, report: Report) -> int:
    if args.report == "json":
        print(json.dumps(report.as_json(), indent=2))
    else:
        for name, value in report.as_json().items():
            print(f"{name.replace('_', ' '):>24}  {value}")
    for problem in report.problems:
        print(f"hub: {problem}", file=sys.stderr)
    return 0 if report.is_well else 1


def _print_links(
    url: str,
    hub: Hub,
    bakery: Bakery,
    played: Played,
    first: Courier,
    messages: Path,
    speed: float,
) -> None:
    its = links(hub, bakery, first.name)
    number, customer = played.shown_to(first, STOPS_INTO_IT)
    now = played.clock.now.astimezone(bakery.starts_at.tzinfo)
    print(
        f"""
The bakery's day is planned and on its drivers' phones. By its clock it is {now:%H:%M}, and
{its.driver_name} is the first to leave; its day passes {speed:g} times as fast as yours.

  Panel      {url}/panel/   ({OWNER}, password {bakery.password})
  Board      {url}/board/
  Driver     {url}{its.driver}   ({its.driver_name}'s phone)
  Customer   {customer}   (of {number}, on {its.driver_name}'s route)
  Messages   {messages}   (what customers are told)

Ctrl-C stops it.""",
        flush=True,
    )

"""The demo, from the command line."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.cli.opened import opened
from hub.cli.orders import show
from hub.demo.play import OWNER, Links, links, publish_all, set_up, start_of_day
from hub.flows.overview import day_seen
from hub.settings import Settings
from hub.up import up


def demo(args: argparse.Namespace, settings: Settings) -> None:
    settings = _demo_settings(settings)
    hub = opened(settings)
    starts_at = start_of_day(hub.now())
    print("Setting a bakery up: its map, 4 vans, its orders and its day …", flush=True)
    played = set_up(hub, starts_at, count=args.orders, seed=args.seed)
    publish_all(hub, played.business_id)
    print(f"{played.orders.placed} orders, {played.places.sure} places found on the map,", end=" ")
    print(f"{played.places.to_review} to look at")
    if args.exit:
        zone = ZoneInfo(str(starts_at.tzinfo))
        show(day_seen(hub, played.business_id, starts_at.date()), zone)
        return
    its = links(hub, played.business_id)
    print(f"It is seven in the morning by the bakery's clock, {starts_at.tzinfo}.")
    messages = settings.data_dir / "messages.txt"
    up(settings, lambda: _print_links(settings.public_url, its, messages), messages=messages)


def _demo_settings(settings: Settings) -> Settings:
    """The demo lives in a folder of its own, whatever database the environment names."""
    data_dir = settings.data_dir / "demo"
    return replace(settings, data_dir=data_dir, database_url=f"sqlite:///{data_dir / 'hub.db'}")


def _print_links(url: str, its: Links, messages: Path) -> None:
    print(
        f"""
The bakery's day is planned and on its drivers' phones.

  Panel      {url}{its.panel}   ({OWNER}, password {its.password})
  Driver     {url}{its.driver}   ({its.driver_name}'s phone)
  Customer   {url}{its.customer}
  Messages   {messages}   (what customers are told)

Ctrl-C stops it.""",
        flush=True,
    )

"""Businesses, their orders and their days, from the command line."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hub.cli.opened import business_of, opened
from hub.core.csv_orders import template_csv
from hub.flows.api_keys import make_key
from hub.flows.found import found as found_business
from hub.flows.import_file import preview, store_preview
from hub.flows.locate import locate_new
from hub.flows.overview import DaySeen, day_seen
from hub.flows.plan import plan_day
from hub.settings import Settings


def found(args: argparse.Namespace, settings: Settings) -> None:
    print(found_business(opened(settings), args.name, zone=args.zone, country=args.country))


def import_file(args: argparse.Namespace, settings: Settings) -> int:
    hub = opened(settings)
    business_of(hub, args.business)
    content, name = args.file.read_bytes(), args.file.name
    seen = preview(hub, args.business, content, name, past_too=args.past_too)
    for problem in seen.problems:
        where = ", ".join(filter(None, (f"row {problem.row}", problem.column)))
        print(f"{where}: {problem.message}", file=sys.stderr)
    if seen.past and not args.past_too:
        print("To take in those whose day is over, add --past-too.", file=sys.stderr)
    for row, why in seen.skipped:
        print(f"row {row} left out: {why}", file=sys.stderr)
    if args.dry_run:
        print(f"{len(seen.orders)} orders can be taken in")
        return 0
    report = store_preview(hub, args.business, seen, actor="cli")
    places = locate_new(hub, args.business)
    print(f"{report.placed} new, {report.amended} changed, {report.repeats} as before", end="; ")
    if report.cancelled:
        print(f"{report.cancelled} cancelled", end="; ")
    print(f"{places.to_review} addresses to look at")
    return 1 if any(problem.is_fatal for problem in seen.problems) else 0


def template(args: argparse.Namespace, settings: Settings) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)  # it is over nowhere yet
    print(template_csv(tomorrow), end="")


def plan(args: argparse.Namespace, settings: Settings) -> None:
    hub = opened(settings)
    zone = ZoneInfo(business_of(hub, args.business).zone)
    day = args.day or hub.now().astimezone(zone).date()
    plan_day(hub, args.business, day, strategy=args.strategy, apart=True)
    show(day_seen(hub, args.business, day), zone)


def key(args: argparse.Namespace, settings: Settings) -> None:
    hub = opened(settings)
    business_of(hub, args.business)
    _, key = make_key(hub, args.business, args.title, ["orders:read", "orders:write"])
    print(key)


def show(seen: DaySeen, zone: ZoneInfo) -> None:
    for route in seen.routes:
        span = f"{_clock(route.leaves_at, zone)}–{_clock(route.back_at, zone)}"
        print(f"\n{route.driver}  {span}  {len(route.stops)} stops")
        for stop in route.stops:
            what = ", ".join(f"{k} {n}" for k, n in zip(stop.kinds, stop.numbers, strict=True))
            print(f"  {stop.n:3} {_clock(stop.arrive_at, zone)}  {stop.address}  ({what})")
    for number, why in seen.unserved:
        print(f"not served: {number}: {why}")
    if seen.to_review:
        print(f"{seen.to_review} jobs wait for somebody to set their pin")


def _clock(moment: datetime | None, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%H:%M") if moment else "–"

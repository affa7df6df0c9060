"""The ``hub`` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from granian import Granian
from granian.constants import Interfaces

from hub import backup, worker
from hub.app import Hub
from hub.core.csv_orders import BadFile, template_csv
from hub.core.errors import HubError
from hub.db.migrate import migrate
from hub.db.tables import BusinessRow
from hub.demo.play import set_up
from hub.flows.api_keys import make_key
from hub.flows.found import found
from hub.flows.import_file import preview, store_preview
from hub.flows.locate import locate_new
from hub.flows.overview import DaySeen, day_seen
from hub.flows.plan import plan_day
from hub.maps.build import build
from hub.settings import Settings


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0, or 1 with a sentence on standard error."""
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args, Settings.from_environment()) or 0)
    except (HubError, BadFile, LookupError, OSError) as error:
        print(f"hub: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hub", description="Last-mile delivery hub")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, help_text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text, description=help_text)
        sub.set_defaults(run=run)
        return sub

    demo = command("demo", _demo, "set a made-up bakery up and plan its day")
    demo.add_argument("--orders", type=int, default=60)
    demo.add_argument("--seed", type=int, default=1)
    business = command("found", _found, "found a business and print its id")
    business.add_argument("name")
    business.add_argument("--zone", required=True, help="e.g. Europe/Helsinki")
    business.add_argument("--country", default="", help="two letters, for phones and postcodes")
    importing = command("import", _import, "take in orders from a CSV or XLSX file")
    importing.add_argument("business")
    importing.add_argument("file", type=Path)
    importing.add_argument("--dry-run", action="store_true", help="say what would happen")
    command("template", _template, "print an order file to fill in")
    planning = command("plan", _plan, "plan a business's day and print its routes")
    planning.add_argument("business")
    planning.add_argument("--day", type=date.fromisoformat, help="YYYY-MM-DD; today if left out")
    planning.add_argument("--strategy", default="")
    mapping = command("map", _map, "build the map from an OpenStreetMap extract")
    mapping.add_argument("action", choices=["build"])
    mapping.add_argument("extract", type=Path, help="region.osm.pbf")
    key = command("key", _key, "make an API key for a business; it is shown once")
    key.add_argument("business")
    key.add_argument("title", help="who will use it")
    command("web", _web, "serve the API on HUB_PORT, with its documentation at /api/docs")
    command("worker", _worker, "do what is due, until stopped: locate new orders, follow jobs up")
    command("plugins", _plugins, "list what is installed, and what is wrong with it")
    saving = command("backup", _backup, "copy database, proof and map into one archive")
    saving.add_argument("archive", type=Path)
    restoring = command("restore", _restore, "put a backup into an empty data directory")
    restoring.add_argument("archive", type=Path)
    return parser


def _open(settings: Settings) -> Hub:
    hub = Hub.from_settings(settings)
    migrate(hub.engine)
    return hub


def _demo(args: argparse.Namespace, settings: Settings) -> None:
    settings = replace(settings, data_dir=settings.data_dir / "demo")
    settings = replace(settings, database_url=f"sqlite:///{settings.data_dir / 'hub.db'}")
    hub = _open(settings)
    day = hub.now().astimezone(ZoneInfo("Europe/Helsinki")).date()
    played = set_up(hub, day, count=args.orders, seed=args.seed)
    print(f"{played.orders.placed} orders, {played.places.sure} places found on the map,", end=" ")
    print(f"{played.places.to_review} to look at")
    _show(day_seen(hub, played.business_id, day), ZoneInfo("Europe/Helsinki"))


def _found(args: argparse.Namespace, settings: Settings) -> None:
    print(found(_open(settings), args.name, zone=args.zone, country=args.country))


def _import(args: argparse.Namespace, settings: Settings) -> int:
    hub = _open(settings)
    _business(hub, args.business)
    seen = preview(hub, args.business, args.file.read_bytes(), args.file.name)
    for problem in seen.problems:
        print(f"row {problem.row}, {problem.column}: {problem.message}", file=sys.stderr)
    for row, why in seen.skipped:
        print(f"row {row} left out: {why}", file=sys.stderr)
    if args.dry_run:
        print(f"{len(seen.orders)} orders can be taken in")
        return 0
    report = store_preview(hub, args.business, seen, actor="cli")
    places = locate_new(hub, args.business)
    print(f"{report.placed} new, {report.amended} changed, {report.repeats} as before", end="; ")
    print(f"{places.to_review} addresses to look at")
    return 1 if any(problem.is_fatal for problem in seen.problems) else 0


def _template(args: argparse.Namespace, settings: Settings) -> None:
    print(template_csv(), end="")


def _plan(args: argparse.Namespace, settings: Settings) -> None:
    hub = _open(settings)
    zone = ZoneInfo(_business(hub, args.business).zone)
    day = args.day or hub.now().astimezone(zone).date()
    plan_day(hub, args.business, day, strategy=args.strategy, apart=True)
    _show(day_seen(hub, args.business, day), zone)


def _map(args: argparse.Namespace, settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    now = Hub.from_settings(settings).now()

    def progress(step: str, share: float) -> None:
        print(f"{share:4.0%} {step}")

    info = build(args.extract, settings.data_dir / "map", built_at=now, progress=progress)
    print(f"map of {info.source}: {info.counts}")


def _key(args: argparse.Namespace, settings: Settings) -> None:
    hub = _open(settings)
    _business(hub, args.business)
    _, key = make_key(hub, args.business, args.title, ["orders:read", "orders:write"])
    print(key)


def _web(args: argparse.Namespace, settings: Settings) -> None:
    print(f"serving {settings.public_url}/api/docs")
    Granian(
        "hub.web.wsgi:app", address="127.0.0.1", port=settings.port, interface=Interfaces.WSGI
    ).serve()


def _worker(args: argparse.Namespace, settings: Settings) -> None:
    worker.run(_open(settings))


def _plugins(args: argparse.Namespace, settings: Settings) -> int:
    registry = Hub.from_settings(settings).registry
    for name, _ in sorted(registry.plugins.list_name_plugin()):
        print(name)
    for problem in registry.problems:
        print(f"{problem.plugin} cannot be used: {problem.message}", file=sys.stderr)
    return 1 if registry.problems else 0


def _backup(args: argparse.Namespace, settings: Settings) -> None:
    backup.back_up(settings, args.archive)
    print(f"wrote {args.archive}. Keep {settings.data_dir / 'keys'} too, somewhere else.")


def _restore(args: argparse.Namespace, settings: Settings) -> None:
    backup.restore(settings, args.archive)
    print(f"restored into {settings.data_dir}. Put your keys folder back as well.")


def _business(hub: Hub, business_id: str) -> BusinessRow:
    with hub.reading() as session:
        business = session.get(BusinessRow, business_id)
    if business is None:
        raise LookupError(f"There is no business {business_id!r}. `hub found NAME` makes one.")
    return business


def _show(seen: DaySeen, zone: ZoneInfo) -> None:
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

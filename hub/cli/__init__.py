"""The ``hub`` command. What a command needs is imported when it runs, not before."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import date
from importlib import import_module
from pathlib import Path

from hub.cli.plugin_kinds import KINDS
from hub.core.csv_orders import BadFile
from hub.core.errors import HubError
from hub.settings import Settings

KILLS = (
    "how many times --fast kills one of the hub's processes in the middle of the day, to show"
    " that nothing is lost; 0 if left out"
)
Command = Callable[[str, str, str], argparse.ArgumentParser]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0, 1 with a sentence on standard error, or 130 after Ctrl-C."""
    args = _parser().parse_args(argv)
    try:
        module, _, function = args.run.partition(".")
        run = getattr(import_module(f"hub.cli.{module}"), function)
        return int(run(args, Settings.from_environment()) or 0)
    except (HubError, BadFile, LookupError, OSError) as error:
        print(f"hub: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # as shells have it


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hub", description="Last-mile delivery hub")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: str, help_text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text, description=help_text)
        sub.set_defaults(run=run)
        return sub

    command("up", "serve.start", "start everything, at HUB_DOMAIN or HUB_PORT, until stopped")
    command("link", "first.link", "print the link by which the first account is made")
    command("migrate", "first.migrate", "bring the database up to date, as `hub up` does first")
    _demo(command)
    _orders(command)
    _keep(command)
    front = command("front", "front.show", "print what a proxy of your own must pass on")
    proxies = ("caddy", "nginx")
    front.add_argument("--print", choices=proxies, default="caddy", help="for which proxy")
    web = command("web", "web.serve", "one part of `hub up`: pages and the API")
    web.add_argument("--socket", type=Path, help="a Unix socket instead of HUB_PORT")
    live = command("live", "live.serve", "one part of `hub up`: positions in, news out")
    live.add_argument("--socket", type=Path, help="a Unix socket instead of HUB_PORT")
    command("worker", "work.work", "one part of `hub up`: what is due, until stopped")
    return parser


def _demo(command: Command) -> None:
    demo = command("demo", "play.demo", "start a made-up bakery and live a day of it")
    add = demo.add_argument
    add("--orders", type=int, default=60, help="how many orders the day has; 60 if left out")
    add("--drivers", type=int, default=4, help="how many drivers and vans; 4 if left out")
    add("--seed", type=int, default=1, help="another number is another day; 1 if left out")
    add("--map", type=Path, help="region.osm.pbf; central Helsinki if left out")
    add("--speed", type=float, help="its seconds in one of yours; 10 if left out")
    add("--fast", action="store_true", help="play the whole day at once, print a report and end")
    add("--report", choices=["text", "json"], help="how --fast reports; text if left out")
    add("--kills", type=int, help=KILLS)
    add("--exit", action="store_true", help="only plan the day and print its routes; serve nothing")


def _orders(command: Command) -> None:
    business = command("found", "orders.found", "found a business and print its id")
    business.add_argument("name")
    business.add_argument("--zone", required=True, help="e.g. Europe/Helsinki")
    business.add_argument("--country", default="", help="two letters, for phones and postcodes")
    importing = command("import", "orders.import_file", "take in orders from a CSV or XLSX file")
    importing.add_argument("business")
    importing.add_argument("file", type=Path)
    importing.add_argument(
        "--past-too", action="store_true", help="orders whose day is over are still to be done"
    )
    importing.add_argument("--dry-run", action="store_true", help="say what would happen")
    command("template", "orders.template", "print an order file to fill in")
    planning = command("plan", "orders.plan", "plan a business's day and print its routes")
    planning.add_argument("business")
    planning.add_argument("--day", type=date.fromisoformat, help="YYYY-MM-DD; today if left out")
    planning.add_argument("--strategy", default="")
    key = command("key", "orders.key", "make an API key for a business; it is shown once")
    key.add_argument("business")
    key.add_argument("title", help="who will use it")


def _keep(command: Command) -> None:
    mapping = command("map", "keep.build_map", "build the map from an OpenStreetMap extract")
    mapping.add_argument("action", choices=["build"])
    mapping.add_argument("extract", type=Path, help="region.osm.pbf")
    mapping.add_argument(
        "--profile",
        action="append",
        choices=("car", "van", "truck", "bicycle", "cargo_bike", "walk"),
        help="build roads for this kind of vehicle only; may be given again (default: all)",
    )
    word = command("password", "keep.password", "set the password of an account, typed or piped in")
    word.add_argument("email")
    making = command("plugin", "plugin_new.new", "write a plugin that works, to be made your own")
    making.add_argument("action", choices=["new"])
    making.add_argument("name", help="of what it connects, like my_shop")
    making.add_argument("--kind", choices=KINDS, default="order-source", help="of plugin")
    hearing = command("webhook", "webhook.listen", "show webhooks that come to this machine")
    hearing.add_argument("action", choices=["listen"])
    add = hearing.add_argument
    add("--port", type=int, default=8710, help="where to listen; 8710 if left out, 0 for any")
    add("--secret", default="", help="the endpoint's, to verify with; without it nothing is")
    add("--answer", type=int, default=204, help="the status to answer with; 204 if left out")
    listing = command("plugins", "keep.plugins", "list what is installed, and what ails it")
    listing.add_argument("--verbose", action="store_true", help="with tracebacks of what is broken")
    verifying = command("verify", "keep.verify", "check that no proof was changed since")
    verifying.add_argument("business", nargs="?", help="its id; every business if left out")
    moving = command("pod", "keep.move_pod", "bring a business's proof to the storage it uses")
    moving.add_argument("action", choices=["move"])
    moving.add_argument("business", help="its id")
    moving.add_argument("--to", default="", help="a storage's key; the one in use if left out")
    moving.add_argument(
        "--remove", action="store_true", help="take each file from its old storage once it is moved"
    )
    turning = command("keys", "keys.keys", "change the keys that secrets are sealed under")
    turning.add_argument("action", choices=["rotate", "reseal", "drop"], help="in this order")
    saving = command("backup", "keep.back_up", "copy database, proof and map into one archive")
    saving.add_argument("archive", type=Path)
    restoring = command("restore", "keep.restore", "put a backup into an empty data directory")
    restoring.add_argument("archive", type=Path)

"""Starting the hub and its processes from the command line."""

from __future__ import annotations

import argparse
import logging

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from hub import worker
from hub.app import Hub
from hub.cli.opened import opened
from hub.flows.first_run import start_code
from hub.flows.log_in import nobody_yet
from hub.settings import Settings
from hub.up import up

THREADS = 16  # most wait for the database or a browser; the work itself shares the interpreter


def start(args: argparse.Namespace, settings: Settings) -> None:
    hub = opened(settings)

    def ready() -> None:
        print(f"The hub is at {settings.public_url}", flush=True)
        _print_start(hub, settings)

    up(settings, ready)


def link(args: argparse.Namespace, settings: Settings) -> None:
    hub = opened(settings)
    if not nobody_yet(hub):
        print(f"The first account exists. Log in at {settings.public_url}/panel/")
    _print_start(hub, settings)


def web(args: argparse.Namespace, settings: Settings) -> None:
    logging.basicConfig(format="%(asctime)s web %(levelname)s %(message)s")
    at = (
        {"uds": args.socket} if args.socket else {"address": settings.listen, "port": settings.port}
    )
    Granian(
        "hub.web.wsgi:app",
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        **at,
    ).serve()


def work(args: argparse.Namespace, settings: Settings) -> None:
    logging.basicConfig(format="%(asctime)s worker %(levelname)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a chore that takes long is no news
    worker.run(opened(settings))


def _print_start(hub: Hub, settings: Settings) -> None:
    if nobody_yet(hub):
        path = f"/panel/start?code={start_code(hub)}"
        print(f"Make the first account: {settings.public_url}{path}", flush=True)

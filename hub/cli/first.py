"""What a new hub needs first, from the command line: its tables, and its first account."""

from __future__ import annotations

import argparse

from hub.cli.opened import opened
from hub.flows.first_run import start_code
from hub.flows.log_in import nobody_yet
from hub.settings import Settings
from hub.up import public_url


def migrate(args: argparse.Namespace, settings: Settings) -> None:
    opened(settings)


def link(args: argparse.Namespace, settings: Settings) -> None:
    hub, url = opened(settings), public_url(settings)
    if nobody_yet(hub):
        path = f"/panel/start?code={start_code(hub)}"
        print(f"Make the first account: {url}{path}", flush=True)
    else:
        print(f"The first account exists. Log in at {url}/panel/", flush=True)

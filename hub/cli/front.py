"""What a front door is told: ours, or an nginx of the operator's."""

from __future__ import annotations

import argparse

from hub.cli.opened import opened
from hub.front import caddyfile
from hub.live.hosts import owners
from hub.nginx import nginx_conf
from hub.settings import Settings


def show(args: argparse.Namespace, settings: Settings) -> None:
    """Print what our own front door is started with, or the same for nginx, to grow one's own from.

    For nginx each proven domain is named, so the database is looked into.
    """
    web, live = (settings.data_dir / f"{name}.sock" for name in ("web", "live"))
    print(f"# The hub behind it: HUB_PROXIED=1 hub web --socket {web}")
    print(f"# and hub live --socket {live}, and hub worker.")
    if args.print == "caddy":
        print(caddyfile(settings, web, live), end="")
    else:
        print(nginx_conf(settings, web, live, owners(opened(settings).engine)), end="")

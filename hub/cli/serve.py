"""Starting the hub from the command line. What its processes need is imported in them."""

from __future__ import annotations

import argparse
import os
from contextlib import suppress

from hub.core.errors import ConfigError
from hub.forked import at_once
from hub.settings import Settings
from hub.up import nobody_uses, port_is_free, up


def start(args: argparse.Namespace, settings: Settings) -> None:
    env = {**os.environ, **settings.as_environment()}
    nobody_uses(settings.data_dir)
    port_is_free(settings)
    at_once(["migrate"], env)

    def ready() -> None:
        print(f"The hub is at {settings.public_url}", flush=True)
        with suppress(ConfigError):  # it has said why; `hub link` says it again
            at_once(["link"], env)

    up(settings, ready)

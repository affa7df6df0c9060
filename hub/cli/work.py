"""Starting the worker from the command line."""

from __future__ import annotations

import argparse
import gc
import logging

from hub import worker
from hub.cli.opened import opened
from hub.settings import Settings
from hub.stepping import go_clock


def work(args: argparse.Namespace, settings: Settings) -> None:
    logging.basicConfig(format="%(asctime)s worker %(levelname)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a chore that takes long is no news
    clock = settings.clock_file
    hub = opened(settings, now=go_clock(clock) if clock else None)
    gc.collect()
    gc.freeze()  # what is here now stays
    gc.set_threshold(20_000, 20, 100)
    worker.run(hub)

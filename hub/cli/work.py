"""Starting the worker from the command line."""

from __future__ import annotations

import argparse
import gc
import logging

from hub import worker
from hub.cli.opened import opened
from hub.settings import Settings


def work(args: argparse.Namespace, settings: Settings) -> None:
    logging.basicConfig(format="%(asctime)s worker %(levelname)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a chore that takes long is no news
    hub = opened(settings)
    gc.collect()
    gc.freeze()  # what is here now stays
    gc.set_threshold(20_000, 20, 100)
    worker.run(hub)

"""Starting the live process. Apart from ``serve``: it must not load what that needs."""

from __future__ import annotations

import argparse
import logging

from hub.live import server
from hub.settings import Settings


def serve(args: argparse.Namespace, settings: Settings) -> None:
    logging.basicConfig(format="%(asctime)s live %(levelname)s %(message)s")
    server.serve(settings, args.socket)

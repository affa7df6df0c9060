"""Starting the pages and the API from the command line."""

from __future__ import annotations

import argparse
import logging
import multiprocessing

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from hub.settings import Settings

THREADS = 16  # most wait for the database or a browser; the work itself shares the interpreter


def serve(args: argparse.Namespace, settings: Settings) -> None:
    logging.basicConfig(format="%(asctime)s web %(levelname)s %(message)s")
    at = (
        {"uds": args.socket} if args.socket else {"address": settings.listen, "port": settings.port}
    )
    multiprocessing.set_start_method("fork", force=True)  # all it needs is imported here
    Granian(
        "hub.web.wsgi:app",
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        **at,
    ).serve()

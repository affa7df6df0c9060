"""Processes beside a worker's own, for what is long, large or may die.

They are forked from one server that has imported what they need: a new interpreter would
import it all before it begins. The worker's own threads and connections are never copied.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing import forkserver

APART = multiprocessing.get_context("forkserver")
APART.set_forkserver_preload(
    ["hub.solving", "hub.looking", "hub.improving", "hub.rescuing", "hub.flows.map_build"]
)


def get_ready() -> None:
    """Have it imported meanwhile, where a process is soon to begin."""
    forkserver.ensure_running()

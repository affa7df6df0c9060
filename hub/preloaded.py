"""What every process of the hub needs, imported once before they are forked."""

from __future__ import annotations

import gc
import logging
import signal
import sys

import hub.cli.keep
import hub.cli.live
import hub.cli.web
import hub.cli.work
import hub.web.app  # noqa: F401
from hub.forked import die_with_parent
from hub.registry import own_plugins

if any("multiprocessing.forkserver" in word for word in sys.orig_argv):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who began it, and he tells us
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    die_with_parent()
for _plugin in own_plugins():
    try:
        _plugin.load()
    except Exception:  # each process says so by itself, and goes on without it
        logging.getLogger(__name__).debug("plugin %s", _plugin.name, exc_info=True)
gc.collect()
gc.freeze()

"""A port for somebody who cannot say afterwards which one the system gave him."""

from __future__ import annotations

import random
import socket
from contextlib import suppress


def free_port() -> int:
    """One below those that the kernel gives to connections, so that none of them takes it before
    somebody listens there.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port

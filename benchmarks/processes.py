"""Servers as processes of their own, and what they cost: processor time and memory."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub.front import caddyfile, find_caddy
from hub.settings import Settings

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024


@dataclass(frozen=True)
class Server:
    pid: int
    socket: Path

    def cpu_s(self) -> float:
        """Of the process and its children, all threads."""
        return sum(_ticks(pid) for pid in self._pids()) / TICKS

    def memory_mb(self) -> float:
        """Resident, as ``top`` shows it."""
        return sum(
            int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_KB / 1024
            for pid in self._pids()
        )

    def _pids(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]


@contextmanager
def a_server(
    *command: str, env: Mapping[str, str] | None = None, health: str = "/"
) -> Iterator[Server]:
    """``python -m command… SOCKET`` until the block is left; ready when it answers."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        at = Path(folder) / "s"
        process = subprocess.Popen(
            [sys.executable, "-m", *command, str(at)],
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        try:
            _wait(at, health, process)
            yield Server(process.pid, at)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def a_front(live: Server) -> Iterator[Server]:
    """The hub's own Caddy before ``live``, on a Unix socket as well, as ``hub up`` starts it."""
    caddy = find_caddy()
    if caddy is None:
        raise RuntimeError("Caddy is not installed: pip install 'lastmile-hub[front]'")
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        at, file = Path(folder) / "s", Path(folder) / "Caddyfile"
        settings = Settings(Path(folder), "", listen=f"unix/{at}")
        file.write_text(caddyfile(settings, live.socket, live.socket))
        process = subprocess.Popen(
            [str(caddy), "run", "--adapter", "caddyfile", "--config", str(file)],
            env={**os.environ, "HOME": folder, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder},
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _wait(at, "/live/healthz", process)
            yield Server(process.pid, at)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(at: Path, health: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.settimeout(2)
                one.connect(str(at))
                one.sendall(f"GET {health} HTTP/1.1\r\nHost: b\r\n\r\n".encode())
                if one.recv(16).startswith(b"HTTP/1."):
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not come up")


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])

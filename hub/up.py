"""Start everything and keep it running: front door, web, worker, behind one command."""

from __future__ import annotations

import ctypes
import fcntl
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hub.core.errors import ConfigError
from hub.front import caddyfile, find_caddy
from hub.settings import Settings

log = logging.getLogger(__name__)

PATIENCE_S = 120.0  # a busy small machine takes half a minute to import everything
SOON_S = 10.0  # a process that lived less long than this is started again more slowly
SLOWEST_S = 30.0
_PR_SET_PDEATHSIG = 1  # prctl(2), Linux


@dataclass
class Process:
    """One child, started again when it ends, more and more slowly while it keeps ending."""

    name: str
    command: list[str]
    env: dict[str, str]
    prints_to: Path | None = None  # None: where the supervisor prints
    socket: Path | None = None  # where it listens; a dead one's stays in the way
    child: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    wait_s: float = 0.0
    not_before: float = field(default=0.0)

    def start(self) -> None:
        self.began = time.monotonic()
        if self.socket is not None:
            self.socket.unlink(missing_ok=True)
        with open(self.prints_to, "ab") if self.prints_to else nullcontext() as out:
            self.child = subprocess.Popen(
                self.command,
                env=self.env,
                stdout=out,
                preexec_fn=_die_with_parent,
                start_new_session=True,
            )

    def look(self) -> None:
        """Start it again if it has ended and its pause is over."""
        now = time.monotonic()
        if self.child is not None and (code := self.child.poll()) is not None:
            _end_group(self.child.pid)  # what it started must not outlive it
            lived = now - self.began
            self.wait_s = 0.5 if lived > SOON_S else min(max(self.wait_s, 0.5) * 2, SLOWEST_S)
            self.child, self.not_before = None, now + self.wait_s
            log.warning(
                "process ended name=%s code=%s again_in_s=%.1f", self.name, code, self.wait_s
            )
        if self.child is None and now >= self.not_before:
            self.start()


def up(settings: Settings, ready: Callable[[], None], *, messages: Path | None = None) -> None:
    """Run until stopped by SIGTERM or Ctrl-C; ``ready`` is called once the first page answers.

    ``messages`` is a file for what the worker prints (the console channel's messages).

    Raises ``ConfigError`` when another hub runs on this data directory, the port is taken,
    or Caddy is missing where it is needed.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with _only_one(settings), _run_dir() as run:
        _port_is_free(settings)
        processes = _processes(settings, run, messages)
        stopped = _stop_on_signals()
        try:
            for process in processes:
                process.start()
            _wait_for_page(settings, run / "web.sock", processes, stopped)
            if not stopped:
                ready()
            while not stopped:
                for process in processes:
                    process.look()
                time.sleep(0.2)
        finally:
            _stop(processes)


def _processes(settings: Settings, run: Path, messages: Path | None) -> list[Process]:
    hub = [sys.executable, "-m", "hub.cli"]
    env = {**os.environ, **settings.as_environment(), "HUB_PROXIED": "1", "PYTHONUNBUFFERED": "1"}
    caddy = find_caddy()
    if caddy is None:
        if settings.domain or settings.certificate:
            raise ConfigError("HTTPS needs Caddy: pip install 'lastmile-hub[front]'.")
        log.warning("Caddy is not installed; pages are served uncompressed, without HTTPS")
        env["HUB_PROXIED"] = "0"
        return [
            Process("web", [*hub, "web"], env),
            Process("worker", [*hub, "worker"], env, messages),
        ]
    file, web = run / "Caddyfile", run / "web.sock"
    file.write_text(caddyfile(settings, web))
    kept = {"XDG_DATA_HOME": str(settings.data_dir), "XDG_CONFIG_HOME": str(run)}
    return [
        Process("web", [*hub, "web", "--socket", str(web)], env, socket=web),
        Process("worker", [*hub, "worker"], env, messages),
        Process(
            "front",
            [str(caddy), "run", "--adapter", "caddyfile", "--config", str(file)],
            {**os.environ, **kept},
        ),
    ]


def _wait_for_page(
    settings: Settings, web: Path, processes: list[Process], stopped: list[int]
) -> None:
    until = time.monotonic() + PATIENCE_S
    while not stopped and time.monotonic() < until:
        for process in processes:
            process.look()
        if (
            _is_open(settings)
            and (web.exists() or len(processes) == 2)
            and _is_healthy(settings, web)
        ):
            return
        time.sleep(0.1)
    if not stopped:
        raise ConfigError(f"No page answered within {PATIENCE_S:.0f} s; see the lines above.")


def _is_healthy(settings: Settings, web: Path) -> bool:
    """Whether the web process itself answers; the front door opens before there is a house."""
    try:
        with _connected(settings, web) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: hub\r\n\r\n")
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


def _connected(settings: Settings, web: Path) -> socket.socket:
    if not web.exists():
        return socket.create_connection((_host(settings), settings.port), timeout=2)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(2)
    connection.connect(str(web))
    return connection


def _is_open(settings: Settings) -> bool:
    try:
        with socket.create_connection((_host(settings), _public_port(settings)), timeout=1):
            return True
    except OSError:
        return False


def _host(settings: Settings) -> str:
    everywhere = ("0.0.0.0", "::", "")  # noqa: S104
    return "127.0.0.1" if settings.listen in everywhere else settings.listen


def _public_port(settings: Settings) -> int:
    return 443 if settings.domain else settings.port


def _port_is_free(settings: Settings) -> None:
    if _is_open(settings):
        port = _public_port(settings)
        raise ConfigError(f"Something answers at port {port} already. Stop it, or set HUB_PORT.")


def _stop(processes: list[Process]) -> None:
    """The front door first, so that nobody is let in to a hub that is leaving."""
    for process in reversed(processes):
        if process.child is not None and process.child.poll() is None:
            process.child.terminate()
    for process in processes:
        if process.child is None:
            continue
        try:
            process.child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            log.warning("process killed name=%s: it did not stop within 10 s", process.name)
            os.killpg(process.child.pid, signal.SIGKILL)
            process.child.wait()
        _end_group(process.child.pid)


def _end_group(pid: int) -> None:
    """Kill what is left of the process group that ``pid`` led."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _stop_on_signals() -> list[int]:
    """A list that gets the number of the signal that asks to stop."""
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: asked.append(received))
    return asked


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    with open(settings.data_dir / "up.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(f"A hub already runs on {settings.data_dir}.") from None
        yield


@contextmanager
def _run_dir() -> Iterator[Path]:
    """Sockets live here: a path of theirs may not be longer than 107 bytes (unix(7))."""
    run = Path(tempfile.mkdtemp(prefix="hub-", dir="/tmp"))  # noqa: S108  (0700, random)
    try:
        yield run
    finally:
        shutil.rmtree(run, ignore_errors=True)


def _die_with_parent() -> None:
    """If the supervisor is killed outright, its children are asked to stop (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

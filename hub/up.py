"""Start everything and keep it running: front door, web, live, worker, behind one command."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hub.core.errors import ConfigError
from hub.forked import Forked, die_with_parent
from hub.front import caddyfile, find_caddy
from hub.settings import Settings

log = logging.getLogger(__name__)

PATIENCE_S = 120.0  # a busy small machine takes half a minute to import everything
SOON_S = 10.0  # a process that lived less long than this is started again more slowly
SLOWEST_S = 30.0
ADDRESS = "up.address"
"""In the data directory: where the hub that runs on it is, for commands that name it."""


@dataclass
class Process:
    """One child, started again when it ends, more and more slowly while it keeps ending."""

    name: str
    begin: Callable[[], Forked | subprocess.Popen[bytes]]
    socket: Path | None = None  # where it listens; a dead one's stays in the way
    health: str = "/healthz"  # what it answers with 200 when it is ready
    child: Forked | subprocess.Popen[bytes] | None = None
    began: float = 0.0
    wait_s: float = 0.0
    not_before: float = field(default=0.0)

    def start(self) -> None:
        self.began = time.monotonic()
        if self.socket is not None:
            self.socket.unlink(missing_ok=True)
        try:
            self.child = self.begin()
        except OSError as problem:
            self._pause(0.0)
            log.warning(
                "process not started name=%s again_in_s=%.1f: %s", self.name, self.wait_s, problem
            )

    def look(self) -> None:
        """Start it again if it has ended and its pause is over."""
        now = time.monotonic()
        if self.child is not None and (code := self.child.poll()) is not None:
            _end_group(self.child.pid)  # what it started must not outlive it
            self.child = None
            self._pause(now - self.began)
            log.warning(
                "process ended name=%s code=%s again_in_s=%.1f", self.name, code, self.wait_s
            )
        if self.child is None and now >= self.not_before:
            self.start()

    def _pause(self, lived_s: float) -> None:
        self.wait_s = 0.5 if lived_s > SOON_S else min(max(self.wait_s, 0.5) * 2, SLOWEST_S)
        self.not_before = time.monotonic() + self.wait_s


def up(
    settings: Settings,
    ready: Callable[[], None],
    *,
    messages: Path | None = None,
    over: Callable[[], bool] = lambda: False,
    meet: Callable[[Sequence[Process]], None] = lambda processes: None,
) -> None:
    """Run until stopped by SIGTERM or Ctrl-C, or ``over``; ``ready`` is called once the first
    page answers.

    ``messages`` is a file for what the worker prints (the console channel's messages).
    ``meet`` is shown the processes before they start.

    Raises ``ConfigError`` when another hub runs on this data directory, the port is taken,
    or Caddy is missing where it is needed.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with only_one(settings.data_dir), _run_dir() as run:
        port_is_free(settings)
        (settings.data_dir / ADDRESS).write_text(settings.public_url)
        processes = _processes(settings, run, messages)
        meet(processes)
        stopped = _stop_on_signals()
        try:
            for process in processes:
                process.start()
            _wait_for_page(settings, processes, stopped)
            if not stopped:
                ready()
            while not stopped and not over():
                for process in processes:
                    process.look()
                time.sleep(0.2)
        finally:
            _stop(processes)


def _processes(settings: Settings, run: Path, messages: Path | None) -> list[Process]:
    env = {**os.environ, **settings.as_environment(), "HUB_PROXIED": "1"}

    def part(*argv: str, prints_to: Path | None = None) -> Callable[[], Forked]:
        return lambda: Forked(argv, env, prints_to)

    worker = Process("worker", part("worker", prints_to=messages))
    caddy = find_caddy()
    if caddy is None:
        if settings.domain or settings.certificate:
            raise ConfigError("HTTPS needs Caddy: pip install 'lastmile-hub[front]'.")
        log.warning(
            "Caddy is not installed: pages come uncompressed and without HTTPS, and no positions"
            " are taken. pip install 'lastmile-hub[front]' mends that."
        )
        env["HUB_PROXIED"] = "0"
        return [Process("web", part("web")), worker]
    file, web, live = run / "Caddyfile", run / "web.sock", run / "live.sock"
    file.write_text(caddyfile(settings, web, live))
    kept = {"XDG_DATA_HOME": str(settings.data_dir), "XDG_CONFIG_HOME": str(run)}
    front = [str(caddy), "run", "--adapter", "caddyfile", "--config", str(file)]
    return [
        Process("web", part("web", "--socket", str(web)), web),
        Process("live", part("live", "--socket", str(live)), live, "/live/healthz"),
        worker,
        Process("front", lambda: _program(front, {**os.environ, **kept})),
    ]


def _program(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=env, preexec_fn=die_with_parent, start_new_session=True)


def _wait_for_page(settings: Settings, processes: list[Process], stopped: list[int]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not stopped and time.monotonic() < until:
        for process in processes:
            process.look()
        behind = [process for process in processes if process.socket is not None]
        if _is_open(settings) and all(
            _is_healthy(settings, one) for one in behind or processes[:1]
        ):
            return
        time.sleep(0.1)
    if not stopped:
        raise ConfigError(f"No page answered within {PATIENCE_S:.0f} s; see the lines above.")


def _is_healthy(settings: Settings, process: Process) -> bool:
    """Whether the process itself answers; the front door opens before there is a house."""
    try:
        with _connected(settings, process.socket) as connection:
            connection.sendall(f"GET {process.health} HTTP/1.0\r\nHost: hub\r\n\r\n".encode())
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


def _connected(settings: Settings, at: Path | None) -> socket.socket:
    if at is None:
        return socket.create_connection((_host(settings), settings.port), timeout=2)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(2)
    connection.connect(str(at))
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


def port_is_free(settings: Settings) -> None:
    """Raises ``ConfigError`` where somebody else answers already."""
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
        except (TimeoutError, subprocess.TimeoutExpired):
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


def nobody_uses(data_dir: Path) -> None:
    """Raises ``ConfigError`` when a hub runs on what lies there."""
    if data_dir.is_dir():
        with only_one(data_dir):
            pass


def public_url(settings: Settings) -> str:
    """Where the hub is that runs on this data, whatever it was told; else where it would be."""
    try:
        nobody_uses(settings.data_dir)
    except ConfigError:
        with suppress(OSError):
            return (settings.data_dir / ADDRESS).read_text()
    return settings.public_url


@contextmanager
def only_one(data_dir: Path, lock_name: str = "up.lock") -> Iterator[None]:
    """Hold the lock of that name. Raises ``ConfigError`` while another process does."""
    with open(data_dir / lock_name, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(f"A hub already runs on {data_dir}.") from None
        yield


@contextmanager
def _run_dir() -> Iterator[Path]:
    """Sockets live here: a path of theirs may not be longer than 107 bytes (unix(7))."""
    run = Path(tempfile.mkdtemp(prefix="hub-", dir="/tmp"))  # noqa: S108  (0700, random)
    try:
        yield run
    finally:
        shutil.rmtree(run, ignore_errors=True)

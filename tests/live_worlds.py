"""A morning with a live process beside it, on a socket, in a thread of the test."""

from __future__ import annotations

import http.client
import json
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import select

from hub.app import Hub
from hub.db.tables import LinkRow, ShiftRow
from hub.flows.drive import IncomingAct, device_for, pair, pairing_code, take_acts
from hub.live.app import Live
from hub.live.server import serving, take_over
from hub.settings import Settings
from tests.driving_worlds import TEN, Morning, a_morning

EIGHT = TEN - timedelta(hours=2)
SLOW_S = 60.0
"""A busy machine is slow, not wrong: what comes at all comes within a moment where it is idle."""


def at_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def fix(seq: int, moment: datetime, lat: float = 60.17, lon: float = 24.94, **more: object) -> Any:
    return {"seq": seq, "t": at_ms(moment), "lat": lat, "lon": lon, "acc": 8.0, **more}


class OnSocket(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float = 60) -> None:
        super().__init__("hub", timeout=timeout_s)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


@dataclass(frozen=True)
class Said:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    at: Path, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
) -> Said:
    connection = OnSocket(at)
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    try:
        connection.request(method, path, content, dict(headers or {}))
        answer = connection.getresponse()
        return Said(answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()})
    finally:
        connection.close()


@dataclass(frozen=True)
class Event:
    name: str
    data: Any
    id: int


class Watching:
    """An open stream, read event by event."""

    def __init__(self, at: Path, path: str, headers: Mapping[str, str]) -> None:
        self.connection = OnSocket(at)
        self.connection.request("GET", path, headers=dict(headers))
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        self.retry_ms = 0

    def next(self, *names: str, within_s: float = SLOW_S) -> Event:
        """The next event (of these names). Raises ``TimeoutError``, ``EOFError``."""
        until = time.monotonic() + within_s
        while (left := until - time.monotonic()) > 0:
            told = self._one(left)
            if told is not None and (not names or told.name in names):
                return told
        raise TimeoutError(names)

    def is_closed(self, within_s: float = SLOW_S) -> bool:
        until = time.monotonic() + within_s
        try:
            while (left := until - time.monotonic()) > 0:
                self._one(left)
        except EOFError:
            return True
        except TimeoutError:
            pass
        return False

    def _one(self, within_s: float) -> Event | None:
        assert self.connection.sock is not None or self.answer.fp is not None
        self.answer.fp.raw._sock.settimeout(within_s)  # type: ignore[union-attr, attr-defined]
        said: dict[str, str] = {}
        while line := self.answer.readline():
            text = line.decode().rstrip("\n")
            if not text:
                break
            name, _, value = text.partition(":")
            said[name] = value.strip()
        else:
            raise EOFError
        self.retry_ms = int(said.get("retry", self.retry_ms))
        if "event" not in said:
            return None
        return Event(said["event"], json.loads(said["data"]), int(said["id"]))

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


class Served:
    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="live-", dir="/tmp")
        self.at = Path(self.folder.name) / "live.sock"
        self.live = Live(settings, now=now, most_streams=1000, take_over=take_over)
        self.server = serving(self.live, uds=str(self.at))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.open: list[Watching] = []

    def start(self) -> None:
        self.thread.start()
        until = time.monotonic() + SLOW_S
        while not self.server.started:
            assert time.monotonic() < until
            assert self.thread.is_alive()
            time.sleep(0.01)

    def stop(self) -> None:
        for stream in self.open:
            stream.close()
        self.server.should_exit = True
        self.thread.join(20)
        assert not self.thread.is_alive()
        self.folder.cleanup()

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Said:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.at, method, path, body, named)

    def watch(self, path: str, **headers: str) -> Watching:
        stream = Watching(self.at, path, headers)
        self.open.append(stream)
        return stream


@dataclass
class LiveMorning:
    """``phones`` are the drivers' tokens; the shift of the first has begun at eight."""

    morning: Morning
    served: Served
    phones: list[str]

    @property
    def hub(self) -> Hub:
        return self.morning.hub

    def post(self, *fixes: Any, phone: int = 0) -> Said:
        return self.served.ask(
            "POST", "/live/fixes", {"fixes": fixes}, Authorization=f"Bearer {self.phones[phone]}"
        )

    def act(
        self, act_id: str, kind: str, at: datetime, job_id: str | None = None, **body: object
    ) -> None:
        device = device_for(self.hub, self.phones[0])
        assert device is not None
        route = self.morning.route()
        took = take_acts(
            self.hub,
            device,
            [
                IncomingAct(
                    act_id=act_id,
                    kind=kind,
                    occurred_at=at,
                    job_id=job_id,
                    route_id=route.id,
                    body=body,
                )
            ],
        )
        assert took[0].result == "applied", took

    def link(self, n: int = 0) -> str:
        """The token of the order of the ``n``-th job."""
        job = self.morning.jobs()[n]
        with self.hub.reading() as session:
            row = session.exec(select(LinkRow).where(LinkRow.order_id == job.order_id)).one()
        return self.hub.keys.link_token(row.order_id, row.epoch)

    def begin(self) -> None:
        """The first driver's shift begins at eight, as his phone would say."""
        self.act("begin", "start_shift", EIGHT)

    def end(self, at: datetime) -> None:
        with self.hub.unit() as unit:
            route = self.morning.route()
            unit.session.get_one(ShiftRow, route.shift_id).ended_at = at


@contextmanager
def a_live_morning(url: str, *, orders: int = 3, begun: bool = True) -> Iterator[LiveMorning]:
    """A published route of ``orders`` jobs, its driver's phone, and ten o'clock."""
    morning = a_morning(orders, url)
    morning.publish()
    tokens = []
    for driver in morning.drivers:
        token = pair(morning.hub, pairing_code(morning.hub, morning.business_id, driver))
        assert token is not None
        tokens.append(token)
    morning.now[0] = TEN
    served = Served(morning.hub.settings, lambda: morning.now[0])
    world = LiveMorning(morning, served, tokens)
    if begun:
        world.begin()
    served.start()
    try:
        yield world
    finally:
        served.stop()

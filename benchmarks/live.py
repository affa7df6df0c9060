"""From a phone's post to the page that shows it, with many pages open.

``python -m benchmarks.live --pages 10000 --drivers 1000 [--json] [--seconds N] [--batch N]``.
Each driver posts a batch each few seconds, so that the fleet sends ``--rate`` fixes a second;
each page belongs to one driver and must be told of every one of his posts. All times are from
before the post is sent until the page has its event, at the process itself (a Unix socket).
The same load then runs on a bare SSE server, which stores and checks nothing. ``--front`` runs
it a third time, on ours behind the Caddy that ``hub up`` puts before it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

import uvloop

from benchmarks.fleet import Fleet, a_fleet
from benchmarks.ingest import Phone
from benchmarks.processes import Server, a_front, a_server

AT_A_TIME = 200  # pages opened together, as after a restart


@dataclass(frozen=True)
class Result:
    """Times in ms. ``missing`` events never came; ``open_s`` is how long all pages took."""

    server: str
    pages: int
    drivers: int
    fixes_per_s: float
    posts: int
    events: int
    missing: int
    p50_ms: float
    p99_ms: float
    answer_p50_ms: float
    answer_p99_ms: float
    memory_mb: float
    cpu_share: float
    open_s: float


class PageReader(asyncio.Protocol):
    """A page that is open: counts the positions it is told of and how old they are."""

    def __init__(self, request: bytes, bench: Bench, driver: int) -> None:
        self.request, self.bench, self.driver = request, bench, driver
        self.is_first, self.tail = True, b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if self.is_first:
            self.is_first = False
            assert b" 200 " in data[:16], data
            self.bench.opened += 1
        if b'"lat"' in data:
            self.bench.heard(self.driver, data.count(b'"lat"'))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.bench.is_over:
            self.bench.lost += 1


class PhoneWriter(asyncio.Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.answered: asyncio.Future[None] | None = None

    def data_received(self, data: bytes) -> None:
        if self.answered is not None and data.endswith(b"}") and not self.answered.done():
            self.answered.set_result(None)


class Bench:
    def __init__(self, server: Server, kind: str, fleet: Fleet, batch: int) -> None:
        self.server, self.kind, self.fleet, self.batch = server, kind, fleet, batch
        self.opened = self.lost = self.events = self.expected = 0
        self.is_over = False
        self.posted_at: dict[int, float] = {}
        self.took: list[float] = []
        self.answers: list[float] = []

    def heard(self, driver: int, events: int) -> None:
        self.events += events
        if (at := self.posted_at.get(driver)) is not None:
            self.took.append((time.perf_counter() - at) * 1000)

    async def open_pages(self) -> float:
        began = time.perf_counter()
        loop = asyncio.get_running_loop()
        waiting: list[asyncio.Task[object]] = []
        asked = 0
        for driver, links in enumerate(self.fleet.links):
            for link in links:
                path = f"/live/{driver}" if self.kind == "sse" else f"/live/t/{link}"
                request = f"GET {path} HTTP/1.1\r\nHost: hub\r\n\r\n".encode()
                connect = loop.create_unix_connection(
                    lambda r=request, d=driver: PageReader(r, self, d), str(self.server.socket)
                )
                waiting.append(asyncio.ensure_future(connect))
                asked += 1
                if len(waiting) == AT_A_TIME:
                    await asyncio.gather(*waiting)
                    waiting.clear()
                    async with asyncio.timeout(60):
                        while asked - self.opened > AT_A_TIME:
                            await asyncio.sleep(0.005)
        await asyncio.gather(*waiting)
        async with asyncio.timeout(60):
            while self.opened < asked:
                await asyncio.sleep(0.01)
        return time.perf_counter() - began

    async def drive(self, rate: float, seconds: float) -> int:
        """Open loop: each driver posts at his moments, whether the last was answered or not."""
        period_s = len(self.fleet.phones) * self.batch / rate
        began_ms = (int(time.time()) - 60) * 1000  # pages show no old positions
        counts = await asyncio.gather(
            *(
                self._one(n, token, period_s, seconds, began_ms)
                for n, token in enumerate(self.fleet.phones)
            )
        )
        await asyncio.sleep(3)  # what is late may still come
        return sum(counts)

    async def _one(self, n: int, token: str, period_s: float, seconds: float, began_ms: int) -> int:
        loop = asyncio.get_running_loop()
        _, writer = await loop.create_unix_connection(PhoneWriter, str(self.server.socket))
        phone, posts = Phone(token, self.batch, began_ms), 0
        begin = loop.time() + 1 + period_s * n / len(self.fleet.phones)
        pages = len(self.fleet.links[n])
        while posts * period_s < seconds:
            await asyncio.sleep(max(0.0, begin + posts * period_s - loop.time()))
            request = phone.request()
            if self.kind == "sse":
                request = request.replace(b"/live/fixes", b"/live/%d" % n, 1)
            writer.answered = loop.create_future()
            self.posted_at[n] = at = time.perf_counter()
            writer.transport.write(request)
            posts += 1
            self.expected += pages
            await asyncio.wait_for(writer.answered, 10)
            self.answers.append((time.perf_counter() - at) * 1000)
        return posts


async def measure(
    server: Server, kind: str, fleet: Fleet, batch: int, rate: float, seconds: float
) -> Result:
    bench = Bench(server, kind, fleet, batch)
    open_s = await bench.open_pages()
    await asyncio.sleep(2)
    before = bench.events
    cpu, began = server.cpu_s(), time.perf_counter()
    posts = await bench.drive(rate, seconds)
    wall_s = time.perf_counter() - began
    spent = server.cpu_s() - cpu
    bench.is_over = True
    events = bench.events - before
    factor = batch if kind == "sse" else 1  # the bare server passes the whole batch on
    return Result(
        kind,
        sum(map(len, fleet.links)),
        len(fleet.phones),
        round(posts * batch / seconds, 1),
        posts,
        events // factor,
        bench.expected - events // factor,
        round(median(bench.took), 2),
        round(_p99(bench.took), 2),
        round(median(bench.answers), 2),
        round(_p99(bench.answers), 2),
        round(server.memory_mb(), 1),
        round(spent / wall_s, 3),
        round(open_s, 2),
    )


def _p99(times: Sequence[float]) -> float:
    return quantiles(times, n=100)[98]


def run(kind: str, fleet: Fleet, batch: int, rate: float, seconds: float) -> Result:
    """``kind``: ours, ours behind Caddy (``front``, whose own cost is what is told), or ``sse``."""
    command = ["benchmarks.servers", "sse"] if kind == "sse" else ["hub.cli", "live", "--socket"]
    with ExitStack() as open_servers:
        environment = fleet.environment()
        server = open_servers.enter_context(
            a_server(*command, env=environment, health="/live/healthz")
        )
        if kind == "front":
            server = open_servers.enter_context(a_front(server))
        return uvloop.run(measure(server, kind, fleet, batch, rate, seconds))


def main() -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks.live", description=__doc__)
    wanted.add_argument("--pages", type=int, default=1000)
    wanted.add_argument("--drivers", type=int, default=100)
    wanted.add_argument("--rate", type=float, default=1000, help="fixes a second of all drivers")
    wanted.add_argument("--batch", type=int, default=5, help="fixes in one post")
    wanted.add_argument("--seconds", type=float, default=20)
    wanted.add_argument("--url", default="", help="an empty PostgreSQL database instead of SQLite")
    wanted.add_argument("--front", action="store_true", help="once more behind Caddy")
    wanted.add_argument("--json", action="store_true")
    asked = wanted.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        pages_each = asked.pages // asked.drivers
        fleet = a_fleet(Path(folder), asked.drivers, pages_each, asked.url)
        for kind in ("ours", "sse", *(["front"] if asked.front else [])):
            if kind == "front":  # fixes that are known already would not be told again
                (again := Path(folder) / "front").mkdir()
                fleet = a_fleet(again, asked.drivers, pages_each, asked.url)
            result = run(kind, fleet, asked.batch, asked.rate, asked.seconds)
            if asked.json:
                print(json.dumps(asdict(result)), flush=True)
            else:
                print(*(f"{name}={value}" for name, value in asdict(result).items()), flush=True)


if __name__ == "__main__":
    main()

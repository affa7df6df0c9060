"""Positions in: ours beside a bare ASGI echo and the ORM with one commit for each request.

``python -m benchmarks.ingest [--json] [--batches 1,10,50] [--seconds N]``. Every post is
answered after its commit (synchronous=FULL). The figure that travels is fixes for each
second of the server's processor time; the wall clock belongs to this machine and its load.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

from benchmarks.fleet import LAT, LON, a_fleet
from benchmarks.processes import Server, a_server

PHONES = 64  # connections, each with one post under way
GOAL = 20.0  # times the ORM's fixes for the same processor time, at batch 10
ROUNDS = 3  # taken in turns, so that a busy moment falls on all of them


@dataclass(frozen=True)
class Load:
    """``fixes`` were acknowledged; times in ms from post to answer."""

    fixes: int
    wall_s: float
    cpu_s: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Result:
    server: str
    batch: int
    fixes_per_cpu_s: float
    fixes_per_s: float
    p50_ms: float
    p99_ms: float
    against_orm: float = 0.0


class Phone:
    """Makes its next request by itself; its numbers and moments rise."""

    def __init__(self, token: str, batch: int, began_ms: int) -> None:
        self.token, self.batch, self.seq, self.t = token, batch, 0, began_ms

    def request(self) -> bytes:
        fixes = []
        for _ in range(self.batch):
            self.seq += 1
            self.t += 10
            fixes.append(
                f'{{"seq":{self.seq},"t":{self.t},"lat":{LAT + self.seq % 500 / 1e4:.6f},'
                f'"lon":{LON},"acc":8.5,"spd":7.25,"hdg":181,"bat":77}}'
            )
        body = '{"fixes":[' + ",".join(fixes) + "]}"
        return (
            f"POST /live/fixes HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def load(server: Server, phones: Sequence[Phone], seconds: float) -> Load:
    """Closed loop: each phone posts again when it is answered."""
    poll = select.epoll()
    open_: dict[int, tuple[socket.socket, Phone]] = {}
    for phone in phones:
        one = socket.socket(socket.AF_UNIX)
        one.connect(str(server.socket))
        open_[one.fileno()] = one, phone
        poll.register(one, select.EPOLLIN)
    sent: dict[int, float] = {}
    heard: dict[int, bytes] = {}
    took: list[float] = []
    cpu, began = server.cpu_s(), time.perf_counter()
    for number, (one, phone) in open_.items():
        sent[number] = time.perf_counter()
        one.sendall(phone.request())
    until = began + seconds
    while sent:
        for number, _ in poll.poll(5):
            one, phone = open_[number]
            answer = heard.pop(number, b"") + one.recv(4096)
            if not answer.endswith(b"}"):  # as each of these servers ends its body
                heard[number] = answer
                continue
            at = time.perf_counter()
            if b" 200 " not in answer[:16]:
                raise RuntimeError(answer.decode("latin-1"))
            took.append((at - sent.pop(number)) * 1000)
            if at < until:
                sent[number] = at
                one.sendall(phone.request())
    wall_s = time.perf_counter() - began
    time.sleep(0.1)
    spent = server.cpu_s() - cpu
    for one, _ in open_.values():
        one.close()
    batch = phones[0].batch
    return Load(len(took) * batch, wall_s, spent, median(took), quantiles(took, n=100)[98])


def compare(batch: int, seconds: float) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        fleet = a_fleet(Path(folder), PHONES, 0)
        orm = {"BENCH_ORM_URL": f"sqlite:///{folder}/orm.db"}
        servers = {
            "ours": stack.enter_context(
                a_server("hub.cli", "live", "--socket", env=fleet.environment())
            ),
            "echo": stack.enter_context(a_server("benchmarks.servers", "echo")),
            "orm": stack.enter_context(a_server("benchmarks.servers", "orm", env=orm)),
        }
        began_ms = (int(time.time()) - 4 * 3600) * 1000
        phones = {
            name: [Phone(token, batch, began_ms) for token in fleet.phones] for name in servers
        }
        each: Callable[[str, float], Load] = lambda name, span: load(  # noqa: E731
            servers[name], phones[name], span
        )
        for name in servers:
            each(name, 0.5)  # what is made once is not measured
        loads = {name: [] for name in servers}  # type: dict[str, list[Load]]
        for _ in range(ROUNDS):
            for name in servers:
                loads[name].append(each(name, seconds / ROUNDS))
        return _results(batch, loads)


def _results(batch: int, loads: dict[str, list[Load]]) -> list[Result]:
    def per_cpu_s(name: str) -> float:
        return sum(one.fixes for one in loads[name]) / sum(one.cpu_s for one in loads[name])

    return [
        Result(
            name,
            batch,
            per_cpu_s(name),
            sum(one.fixes for one in some) / sum(one.wall_s for one in some),
            median(one.p50_ms for one in some),
            median(one.p99_ms for one in some),
            per_cpu_s(name) / per_cpu_s("orm"),
        )
        for name, some in loads.items()
    ]


def main() -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks.ingest", description=__doc__)
    wanted.add_argument("--json", action="store_true", help="one JSON object a line")
    wanted.add_argument("--batches", default="1,10,50")
    wanted.add_argument("--seconds", type=float, default=6.0, help="for each server")
    asked = wanted.parse_args()
    for batch in map(int, asked.batches.split(",")):
        for one in compare(batch, asked.seconds):
            if asked.json:
                print(json.dumps(asdict(one)), flush=True)
                continue
            print(
                f"batch {one.batch:3} {one.server:5} {one.fixes_per_cpu_s:9,.0f} fixes/CPU-s"
                f" {one.fixes_per_s:9,.0f} /s  p50 {one.p50_ms:6.1f} p99 {one.p99_ms:6.1f} ms"
                f"  x {one.against_orm:.1f} of the ORM",
                flush=True,
            )


if __name__ == "__main__":
    main()

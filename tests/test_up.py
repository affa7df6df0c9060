"""One command starts everything, keeps it running and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from hub.front import caddyfile
from hub.settings import Settings
from hub.up import ADDRESS, only_one, public_url
from tests.ports import free_port

PARTS = {"web", "live", "worker", "front"}


class Running:
    def __init__(self, data_dir: Path, *command: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        env = {**os.environ, "HUB_DATA_DIR": str(data_dir), "HUB_PORT": str(self.port)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hub.cli", *command],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""

    def until(self, sentence: str) -> str:
        """Read what it says up to ``sentence``."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line
            if sentence in line:
                return self.said
        raise AssertionError(self.said)

    def get(self, path: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=60)

    def children(self) -> dict[str, int]:
        """Pids of its parts, by what they do: those that head a process group of their own."""
        found = {}
        for pid in self.family():
            try:
                name, _, stat = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")
            except OSError:
                continue
            state, _, group, *_ = stat.split()
            what = name.partition("(")[2].removeprefix("hub ").replace("caddy", "front")
            if state != "Z" and int(group) == pid and what in PARTS:
                found[what] = pid
        return found

    def family(self) -> list[int]:
        """Its children, theirs, and so on."""
        pids = [self.process.pid]
        for pid in pids:
            with suppress(OSError):
                told = (Path("/proc") / str(pid) / "task" / str(pid) / "children").read_text()
                pids += map(int, told.split())
        return pids[1:]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=90)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One hub for all tests that leave it running."""
    yield from started(tmp_path_factory.mktemp("running"))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Running]:
    """A hub for a test that ends it."""
    yield from started(tmp_path)


def started(data_dir: Path) -> Iterator[Running]:
    hub = Running(data_dir, "up")
    try:
        hub.until("first account")
        yield hub
    finally:
        if hub.process.poll() is None:
            hub.stop()


def gone(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def eventually(holds: object, seconds: float = 90) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return False


def test_a_new_hub_prints_the_link_of_the_first_account_and_serves_it(running: Running) -> None:
    link = re.search(r"(/panel/start\?code=\S+)", running.said)
    assert link
    answer = running.get(link[1])
    assert "Set up your hub" in answer.text
    assert answer.headers["Content-Encoding"] in ("gzip", "zstd")


def test_the_link_names_the_running_hub_by_whatever_port_it_is_asked(running: Running) -> None:
    env = {**os.environ, "HUB_DATA_DIR": str(running.data_dir)}
    env.pop("HUB_PORT", None)
    command = [sys.executable, "-m", "hub.cli", "link"]
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    assert f"http://127.0.0.1:{running.port}/panel/start?code=" in said


def test_where_no_hub_runs_the_settings_say_where_it_would_be(tmp_path: Path) -> None:
    """What a hub that was killed has left there counts no more."""
    settings = Settings.from_environment({"HUB_DATA_DIR": str(tmp_path), "HUB_PORT": "9000"})
    (tmp_path / ADDRESS).write_text("http://127.0.0.1:8701")
    assert public_url(settings) == "http://127.0.0.1:9000"
    with only_one(tmp_path):
        assert public_url(settings) == "http://127.0.0.1:8701"


def test_a_part_that_dies_is_started_again(running: Running) -> None:
    before = running.children()
    assert set(before) == PARTS
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: set(running.children()) == PARTS)

    def answers() -> bool:
        try:
            return running.get("/panel/log-in").ok
        except requests.ConnectionError:
            return False

    assert eventually(answers)
    assert not set(before.values()) & set(running.children().values())


def test_positions_and_streams_come_in_at_the_same_door(running: Running) -> None:
    assert running.get("/live/healthz").json() == {"ok": True}
    refused = requests.post(f"http://127.0.0.1:{running.port}/live/fixes", json={}, timeout=60)
    assert refused.status_code == 401
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_a_caller_cannot_pretend_to_be_many(running: Running) -> None:
    def guess(n: int) -> int:
        pretended = {"X-Forwarded-For": f"203.0.113.{n}"}
        at = f"http://127.0.0.1:{running.port}/live/t/guess{n}"
        return requests.get(at, headers=pretended, timeout=60).status_code

    answers = [guess(n) for n in range(33)]
    assert answers[0] == 404
    assert answers[-1] == 429


def test_a_web_process_killed_with_all_its_helpers_comes_back(running: Running) -> None:
    leader = running.children()["web"]
    os.killpg(leader, signal.SIGKILL)

    def answers() -> bool:
        try:
            return running.get("/panel/log-in").ok
        except requests.ConnectionError:
            return False

    assert eventually(lambda: running.children().get("web", leader) != leader)
    assert eventually(answers)


@pytest.mark.soak
def test_even_without_the_process_they_are_forked_from_all_parts_come_back(
    running: Running,
) -> None:
    before = running.children()
    stat = (Path("/proc") / str(before["web"]) / "stat").read_text()
    forked_from = int(stat.rpartition(")")[2].split()[1])
    assert forked_from != running.process.pid
    os.kill(forked_from, signal.SIGKILL)

    def others() -> bool:
        now = running.children()
        return set(now) == PARTS and all(now[one] != before[one] for one in PARTS - {"front"})

    assert eventually(others)


def test_a_caller_is_known_by_its_own_address_and_names_no_other_host(tmp_path: Path) -> None:
    """Behind somebody's proxy all callers would else share one address, and one limit."""
    named = {"HUB_DATA_DIR": str(tmp_path), "HUB_PUBLIC_URL": "https://hub.example"}
    text = caddyfile(Settings.from_environment(named), Path("web.sock"), Path("live.sock"))
    assert "header_up X-Forwarded-For {client_ip}" in text
    assert "header_up X-Forwarded-Host {hostport}" in text


@pytest.mark.soak
def test_stopping_leaves_no_process_behind(own: Running) -> None:
    children = own.family()
    assert len(children) > len(PARTS)
    own.stop()
    assert own.process.returncode == 0
    assert eventually(lambda: all(gone(pid) for pid in children))


def test_even_a_killed_supervisor_takes_its_children_along(own: Running) -> None:
    children = own.family()
    own.process.kill()
    assert eventually(lambda: all(gone(pid) for pid in children))


def test_a_second_hub_on_the_same_data_is_refused(running: Running) -> None:
    second = Running(running.data_dir, "up")
    assert "already runs" in second.until("already runs")
    assert second.process.wait(timeout=90) == 1


def test_a_domain_gets_its_certificate_and_a_foreign_proxy_is_believed(tmp_path: Path) -> None:
    def front(**env: str) -> str:
        named = {f"HUB_{name.upper()}": value for name, value in env.items()}
        settings = Settings.from_environment({"HUB_DATA_DIR": str(tmp_path), **named})
        return caddyfile(settings, Path("web.sock"), Path("live.sock"))

    domain = front(domain="hub.example.com")
    assert "\nhub.example.com {" in domain
    assert "Strict-Transport-Security" in domain
    assert "bind 127.0.0.1" in front()
    assert "trusted_proxies" not in front()
    assert "trusted_proxies" in front(public_url="https://tunnel.example")
    own = front(cert="/c.pem", cert_key="/k.pem", listen="0.0.0.0")
    assert "tls /c.pem /k.pem" in own
    assert "https://:8700" in own


@pytest.mark.parametrize(
    "env",
    [
        {"domain": "hub.example.com"},
        {},
        {"public_url": "https://tunnel.example"},
        {"cert": "/c.pem", "cert_key": "/k.pem"},
    ],
)
def test_caddy_understands_what_we_write(tmp_path: Path, env: dict[str, str]) -> None:
    named = {f"HUB_{name.upper()}": value for name, value in env.items()}
    settings = Settings.from_environment({"HUB_DATA_DIR": str(tmp_path), **named})
    file = tmp_path / "Caddyfile"
    file.write_text(caddyfile(settings, tmp_path / "web.sock", tmp_path / "live.sock"))
    caddy = Path(sys.executable).with_name("caddy")
    checked = subprocess.run(
        [caddy, "adapt", "--adapter", "caddyfile", "--config", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


def test_the_demo_prints_links_that_open(tmp_path: Path) -> None:
    demo = Running(tmp_path, "demo", "--orders", "12")
    try:
        said = demo.until("Ctrl-C")
        customer = re.search(r"Customer\s+http://[^/]+(/t/\S+)", said)
        driver = re.search(r"Driver\s+http://[^/]+(/driver/pair)#\S+", said)
        password = re.search(r"\(demo@husk.example, password (\S+)\)", said)
        assert customer
        assert driver
        assert password
        assert "Husk Bakery" in demo.get(customer[1]).text
        assert demo.get(driver[1]).ok
        session = requests.Session()
        answer = session.post(
            f"http://127.0.0.1:{demo.port}/panel/log-in",
            data={"email": "demo@husk.example", "password": password[1]},
            headers={"Origin": f"http://127.0.0.1:{demo.port}"},  # as browsers say it
            timeout=60,
        )
        assert "Husk Bakery" in answer.text
        first = re.search(r"By its clock it is \d\d:\d\d, and\n(\w+) is the first to leave", said)
        assert first
        assert f"({first[1]}'s phone)" in said
        assert f", on {first[1]}'s route)" in said
        assert "Etc/" not in said
    finally:
        demo.stop()
    assert "Good-bye" in demo.until("Good-bye")

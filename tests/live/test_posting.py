"""A phone's post is answered by its connection, however it comes in."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from hub.live import posting
from tests.driving_worlds import TEN
from tests.live_worlds import LiveMorning, a_live_morning, fix

MINUTE = timedelta(minutes=1)


@pytest.fixture
def day(database_url: str) -> Iterator[LiveMorning]:
    with a_live_morning(database_url) as world:
        yield world
        assert world.served.thread.is_alive()


def a_post(day: LiveMorning, seq: int, *more: str, body: bytes | None = None) -> bytes:
    if body is None:
        body = json.dumps({"fixes": [fix(seq, TEN - MINUTE + timedelta(seconds=seq))]}).encode()
    lines = (
        "POST /live/fixes HTTP/1.1",
        "Host: hub",
        f"Authorization: Bearer {day.phones[0]}",
        f"Content-Length: {len(body)}",
        *more,
    )
    return "\r\n".join((*lines, "", "")).encode() + body


class Line:
    """A connection on which bytes are sent as they are, and answers read one by one."""

    def __init__(self, day: LiveMorning) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(day.served.at))
        self.heard = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        status = int(self.heard.readline().split()[1])
        headers: dict[str, str] = {}
        while line := self.heard.readline().strip().decode():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self.heard.read(int(headers["content-length"]))

    def is_closed(self) -> bool:
        return self.heard.read(1) == b""

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *what: object) -> None:
        self.heard.close()
        self.socket.close()


def known(day: LiveMorning) -> None:
    """The first post of a phone goes the long way: it has to be looked up."""
    assert day.post(fix(1, TEN - MINUTE)).json["kept"] == 1


@pytest.mark.parametrize("size", [10_000, 200, 7])
def test_posts_on_one_connection_are_answered_in_whatever_pieces_they_come(
    day: LiveMorning, size: int
) -> None:
    known(day)
    with Line(day) as line:
        for seq in (2, 3, 4):
            data = a_post(day, seq)
            for start in range(0, len(data), size):
                line.send(data[start : start + size])
                time.sleep(0.001)
            status, headers, body = line.answer()
            assert (status, headers["cache-control"]) == (200, "no-store")
            assert headers["content-type"] == "application/json"
            assert json.loads(body) == {"seq": seq, "kept": 1, "dropped": 0, "why": ""}


def test_requests_sent_at_once_are_answered_in_their_order(day: LiveMorning) -> None:
    known(day)
    healthy = b"GET /live/healthz HTTP/1.1\r\nHost: hub\r\n\r\n"
    with Line(day) as line:
        line.send(a_post(day, 2) + a_post(day, 3) + healthy + a_post(day, 4))
        said = [json.loads(line.answer()[2]) for _ in range(4)]
        assert [one.get("seq", one.get("ok")) for one in said] == [2, 3, True, 4]
        line.send(a_post(day, 5))
        assert json.loads(line.answer()[2])["seq"] == 5


def test_what_is_wrong_is_said_and_the_connection_goes_on(day: LiveMorning) -> None:
    known(day)
    with Line(day) as line:
        line.send(a_post(day, 0, body=b'{"fixes": [{"seq": 2}]}'))
        status, headers, body = line.answer()
        assert (status, headers["content-type"]) == (422, "application/problem+json")
        assert json.loads(body)["errors"][0]["pointer"] == "/fixes/0"
        late = fix(2, TEN + timedelta(hours=9))
        line.send(a_post(day, 0, body=json.dumps({"fixes": [late]}).encode()))
        assert json.loads(line.answer()[2])["dropped"] == 1
        line.send(a_post(day, 1))  # its number is another fix's
        assert json.loads(line.answer()[2])["dropped"] == 1
        line.send(a_post(day, 3))
        assert json.loads(line.answer()[2])["kept"] == 1


def test_who_asks_for_an_end_gets_one(day: LiveMorning) -> None:
    known(day)
    with Line(day) as line:
        line.send(a_post(day, 2, "Connection: close"))
        status, headers, _ = line.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert line.is_closed()


def test_who_waits_to_be_told_to_go_on_is_told(day: LiveMorning) -> None:
    known(day)
    data = a_post(day, 2, "Expect: 100-continue")
    head, _, body = data.partition(b"\r\n\r\n")
    with Line(day) as line:
        line.send(head + b"\r\n\r\n")
        assert b" 100 " in line.heard.readline()
        assert line.heard.readline() == b"\r\n"
        line.send(body)
        assert json.loads(line.answer()[2])["kept"] == 1


def test_a_body_that_does_not_come_is_given_up(
    day: LiveMorning, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(day)
    monkeypatch.setattr(posting, "BODY_S", 0.3)
    with Line(day) as line:
        line.send(a_post(day, 2)[:-5])
        status, headers, body = line.answer()
        assert (status, headers["connection"]) == (400, "close")
        assert "did not arrive" in json.loads(body)["detail"]
        assert line.is_closed()


def test_phones_that_leave_at_any_moment_hinder_nobody(day: LiveMorning) -> None:
    known(day)
    data = a_post(day, 2)
    for end in (20, len(data) - 5, len(data)):
        with Line(day) as line:
            line.send(data[:end])
    assert day.post(fix(3, TEN)).json["kept"] == 1


def test_a_head_seen_before_is_known_on_any_connection(day: LiveMorning) -> None:
    known(day)
    heads = {seq: a_post(day, seq) for seq in (2, 3, 40, 41)}
    with Line(day) as line, Line(day) as other:
        for seq, data in heads.items():
            one = line if seq % 2 else other
            one.send(data)
            status, _, body = one.answer()
            assert (status, json.loads(body)["seq"]) == (200, seq)
        line.send(a_post(day, 0, body=b'{"fixes": [{"seq": 2}]}'))
        assert line.answer()[0] == 422
        line.send(a_post(day, 0, body=b'{"fixes": '))
        assert line.answer()[0] == 400
        line.send(a_post(day, 43))
        assert json.loads(line.answer()[2])["kept"] == 1


def test_a_known_head_inside_of_another_request_is_none(day: LiveMorning) -> None:
    known(day)
    with Line(day) as line:
        line.send(a_post(day, 2))
        line.answer()
        whole = a_post(day, 3)
        line.send(b"GET /live/healthz HTTP/1.1\r\nHost: hub\r\nX-Note: ")
        time.sleep(0.05)
        line.send(whole)  # the beginning of it is a header's value, the rest that head's end
        status, _, body = line.answer()
        assert (status, body) == (200, b'{"ok":true}')
    assert day.post(fix(3, TEN)).json["kept"] == 1  # it was not taken before

"""What the hub refuses to call, and what an answer means."""

from __future__ import annotations

import gzip
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from threading import Thread
from time import sleep
from typing import Any

import pytest
import requests
from flask import Flask, Response, redirect, request
from werkzeug.serving import make_server

from hub import AuthError, ConfigError, RateLimited, Refused, Unavailable
from hub.addresses import is_private
from hub.http import Http

LOOPBACK = ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0", "localhost", "[::1]",
            "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "017700000001"]  # fmt: skip
_connected: list[str] = []
sys.addaudithook(
    lambda event, args: _connected.append(str(args[1])) if event == "socket.connect" else None
)


@contextmanager
def serve(app: Flask) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()


@pytest.fixture
def shop() -> Iterator[int]:
    app = Flask("shop")

    @app.get("/<int:status>")
    def answer(status: int) -> Any:
        return Response("{}", status, {"Retry-After": "7"})

    @app.route("/away", methods=["GET", "POST"])
    def away() -> Any:
        return redirect("http://127.0.0.2/inside")

    @app.get("/told")
    def told() -> Any:
        return dict(request.headers)

    @app.get("/moved")
    def moved() -> Any:
        return redirect(f"http://{request.args['to']}/told")

    with serve(app) as port:
        yield port


@pytest.mark.parametrize("host", LOOPBACK)
def test_no_spelling_of_this_machine_is_ever_connected_to(host: str) -> None:
    _connected.clear()
    with pytest.raises((Refused, Unavailable)):
        Http().get_json(f"http://{host}:9/")
    assert _connected == []


@pytest.mark.parametrize("host", LOOPBACK)
def test_no_spelling_of_this_machine_gets_a_plain_connection(host: str) -> None:
    _connected.clear()
    with pytest.raises((Refused, OSError)):
        Http().connect(host.strip("[]"), 9, 1.0)
    assert _connected == []


def test_an_allowed_address_gets_a_plain_connection(shop: int) -> None:
    with Http([f"127.0.0.1:{shop}"]).connect("127.0.0.1", shop, 5.0) as line:
        assert line.getpeername() == ("127.0.0.1", shop)


def test_a_name_with_several_addresses_is_tried_until_one_answers(shop: int) -> None:
    with Http(["localhost"]).connect("localhost", shop, 5.0) as line:
        assert line.getpeername() == ("127.0.0.1", shop)


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "100.64.0.1", "169.254.169.254", "172.31.0.1", "192.168.1.1", "224.0.0.1",
     "192.0.0.8", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "fd00::1", "fe80::1"],
)  # fmt: skip
def test_private_addresses_are_known_by_their_network(address: str) -> None:
    assert is_private(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111"])
def test_public_addresses_are_not_refused(address: str) -> None:
    assert not is_private(ip_address(address))


def test_a_redirect_into_the_network_is_not_followed(shop: int) -> None:
    with pytest.raises(Refused):
        Http([f"127.0.0.1:{shop}"]).get_json(f"http://127.0.0.1:{shop}/away")


@pytest.mark.parametrize(("host", "keeps"), [("127.0.0.1", True), ("localhost", False)])
def test_a_key_in_a_header_goes_to_the_server_it_was_meant_for(
    shop: int, host: str, keeps: bool
) -> None:
    http = Http(["127.0.0.1", "localhost"])
    url = f"http://127.0.0.1:{shop}/moved?to={host}:{shop}"
    told = http.get_json(url, headers={"X-Api-Key": "secret", "Authorization": "Basic x"})
    assert ("X-Api-Key" in told, "Authorization" in told) == (keeps, keeps)
    assert told["Accept-Encoding"]


def test_an_allowed_address_is_called(shop: int) -> None:
    assert Http([f"127.0.0.1:{shop}"]).get_json(f"http://127.0.0.1:{shop}/200") == {}


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AuthError), (403, AuthError), (404, Refused), (429, RateLimited), (503, Unavailable)],
)
def test_an_answer_means_what_the_hub_does_next(
    shop: int, status: int, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        Http(["127.0.0.1"]).get_json(f"http://127.0.0.1:{shop}/{status}")
    assert getattr(caught.value, "retry_after", 7) == 7


@pytest.mark.parametrize("key", ["ключ", "one\ntwo"])
def test_a_key_that_no_header_can_carry_is_the_businesss_to_mend(shop: int, key: str) -> None:
    with pytest.raises(ConfigError, match="Copy it anew") as caught:
        Http(["127.0.0.1"]).ask("GET", f"http://127.0.0.1:{shop}/told", headers={"Key": key})
    assert key not in str(caught.value)


def slowly(connection: socket.socket, parts: Sequence[bytes]) -> None:
    """Answer in ``parts`` with some time between them, until the other side has enough."""
    with connection, suppress(OSError):
        connection.recv(65536)
        for part in parts:
            connection.sendall(part)
            sleep(0.02)


@contextmanager
def a_server(*parts: bytes) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with suppress(OSError):
                while True:
                    slowly(listening.accept()[0], parts)

        Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 100 Continue\r\n"])
def test_an_answer_that_trickles_is_cut_off_in_time(head: bytes) -> None:
    """Each byte began the timeout anew: a receiver could hold a sender for ever."""
    with a_server(head, *[b"x"] * 1000) as url, pytest.raises(Unavailable, match="within 0.3 s"):
        Http(["127.0.0.1"]).post_once(url, b"{}", {}, within_s=0.3, most=100)


def test_what_somebody_chose_reaches_nobody_whom_the_operator_has_answer_instead() -> None:
    with a_server(b"HTTP/1.1 200 OK\r\n\r\n") as gateway:
        http = Http(instead={"https://shop.example": gateway.rstrip("/")})
        assert http.get("https://shop.example/orders").ok
        with pytest.raises(Refused, match="Nothing is sent to shop.example"):
            http.post_once("https://shop.example/", b"{}", {}, within_s=5, most=100)


def test_of_an_endless_body_the_beginning_is_taken_and_the_status_counts() -> None:
    head = b"HTTP/1.1 503 No\r\nRetry-After: 30\r\n\r\n"
    with a_server(head, *[b"x" * 2048] * 1000) as url:
        heard = Http(["127.0.0.1"]).post_once(url, b"{}", {}, within_s=5, most=3000)
    assert (heard.status, heard.body, heard.retry_after_s) == (503, b"x" * 3000, 30.0)
    with a_server(head, b"y" * 1024, *[b""] * 1000) as url:
        heard = Http(["127.0.0.1"]).post_once(url, b"{}", {}, within_s=0.3, most=3000)
    assert (heard.status, heard.body) == (503, b"y" * 1024)


def test_what_is_packed_is_not_unpacked() -> None:
    """A few bytes can unpack to many gigabytes."""
    bomb = gzip.compress(b"0" * 10_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    with a_server(head + bomb) as url:
        heard = Http(["127.0.0.1"]).post_once(url, b"{}", {}, within_s=5, most=4000)
    assert heard.body == bomb[:4000]


@pytest.mark.parametrize(
    ("parts", "why"),
    [((), "hung up before it answered"), ((b"SMTP ready\r\n",), "hung up|no usable answer")],
)
def test_no_answer_is_told_in_a_sentence(parts: tuple[bytes, ...], why: str) -> None:
    with a_server(*parts) as url, pytest.raises(Unavailable, match=why):
        Http(["127.0.0.1"]).post_once(url, b"{}", {}, within_s=5, most=100)


def everything_that_goes_wrong(cls: type[Exception]) -> Iterator[type[Exception]]:
    yield cls
    for narrower in cls.__subclasses__():
        yield from everything_that_goes_wrong(narrower)


def test_why_there_is_no_answer_is_said_without_the_name_of_an_error() -> None:
    for cls in set(everything_that_goes_wrong(requests.RequestException)):
        why = Http.why(cls("x", "", 0) if issubclass(cls, ValueError) else cls())
        assert " " in why
        assert cls.__name__.lower() not in why.replace(" ", "").lower()


def test_a_post_that_is_sent_once_follows_no_redirect(shop: int) -> None:
    _connected.clear()
    http = Http([f"127.0.0.1:{shop}"])
    heard = http.post_once(f"http://127.0.0.1:{shop}/away", b"{}", {}, within_s=5, most=100)
    assert heard.status == 302
    assert not [one for one in _connected if "127.0.0.2" in one]
    with pytest.raises(Refused, match="private network"):
        Http().post_once(f"http://127.0.0.1:{shop}/", b"{}", {}, within_s=5, most=100)

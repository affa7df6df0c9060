"""What the hub refuses to call, and what an answer means."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from threading import Thread
from typing import Any

import pytest
from flask import Flask, Response, redirect, request
from werkzeug.serving import make_server

from hub import AuthError, RateLimited, Refused, Unavailable
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

    @app.get("/away")
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

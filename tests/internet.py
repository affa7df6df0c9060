"""A small internet: hosts by name, each an app on a loopback port, reached by ``https``.

A browser goes there by ``proxy``, which speaks TLS for all of them with a certificate that nobody
checks; the hub by ``HUB_HTTP_INSTEAD``; a fake that calls by ``post``.
"""

from __future__ import annotations

import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.testing import serve

HOP = frozenset({"connection", "proxy-connection", "transfer-encoding", "content-length"})


class Internet:
    """``homes``: who answers for a host, as ``127.0.0.1:40123``."""

    def __init__(self) -> None:
        self.homes: dict[str, str] = {}
        self.proxy = ""
        self._open = ExitStack()

    def put(self, app: Any, *hosts: str) -> str:
        """Serve ``app`` under these names; returns the address it has on this machine."""
        url = self._open.enter_context(serve(app))
        self.homes |= dict.fromkeys(hosts, urlsplit(url).netloc)
        return url.rstrip("/")

    def post(
        self, url: str, data: bytes, headers: Mapping[str, str], timeout: float = 60
    ) -> requests.Response:
        """A call from one host to another."""
        there = urlsplit(url)
        home = self.homes[there.netloc]
        path = there._replace(scheme="", netloc="").geturl()
        return requests.post(
            f"http://{home}{path}",
            data=data,
            headers={**headers, "Host": there.netloc},
            timeout=timeout,
        )


@contextmanager
def an_internet() -> Iterator[Internet]:
    internet = Internet()
    handler = type("Door", (_Door,), {"homes": internet.homes})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    internet.proxy = f"http://127.0.0.1:{server.server_port}"
    try:
        with internet._open:
            yield internet
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Door(BaseHTTPRequestHandler):
    """What a browser says to a host by ``CONNECT`` is passed on without TLS."""

    homes: ClassVar[dict[str, str]]
    protocol_version = "HTTP/1.1"
    host = ""

    def do_CONNECT(self) -> None:
        self.host = self.path.rpartition(":")[0]
        self.send_response(200 if self.host in self.homes else 502)
        self.end_headers()
        if self.host not in self.homes:
            return
        try:
            self.connection = _tls().wrap_socket(self.connection, server_side=True)
        except OSError:
            self.close_connection = True
            return
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def _passed_on(self) -> None:
        if self.host not in self.homes:  # a browser's own wishes, such as news of itself
            self.send_error(502)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {n: v for n, v in self.headers.items() if n.lower() not in HOP}
        headers |= {"Host": self.host, "X-Forwarded-Proto": "https"}
        there = HTTPConnection(self.homes[self.host], timeout=60)
        there.request(self.command, self.path, body or None, headers)
        reply = there.getresponse()
        content = reply.read()
        self.send_response_only(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        there.close()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _passed_on

    def log_message(self, *args: object) -> None: ...

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the browser has hung up
            self.close_connection = True


@cache
def _tls() -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a small internet")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .sign(key, SHA256())
    )
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "both.pem"
        file.write_bytes(text + made.public_bytes(Encoding.PEM))
        context.load_cert_chain(file)
    return context


class Gate:
    """An app whose door can be shut: who asks then waits until it opens."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.holds: Callable[[str], bool] = lambda _: False
        self.waiting, self.open = threading.Event(), threading.Event()

    def shut(self, holds: Callable[[str], bool]) -> None:
        self.open.clear()
        self.waiting.clear()
        self.holds = holds

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if self.holds(environ["PATH_INFO"]):
            self.waiting.set()
            self.open.wait(30)
        return self.app(environ, start_response)

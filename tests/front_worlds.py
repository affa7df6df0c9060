"""Web and live process behind one origin, as the front proxy puts them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.live_worlds import OnSocket

HOP = {"transfer-encoding", "connection", "keep-alive", "date", "server"}


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def front(app: Flask, live: Path) -> Callable[..., Iterable[bytes]]:
    """``/live/*`` goes to the live process unbuffered, all else to ``app``."""

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/live/"):
            return app(environ, start)
        return _through(environ, start, OnSocket(live, timeout_s=60))

    return answer


def _through(
    environ: dict[str, Any], start: Callable[..., Any], there: OnSocket
) -> Iterator[bytes]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    headers = {
        name[5:].replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith("HTTP_") and name != "HTTP_CONNECTION"
    }
    there.request(
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"],
        environ["wsgi.input"].read(length) if length else None,
        headers,
    )
    answer = there.getresponse()
    kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP]
    start(f"{answer.status} {answer.reason}", kept)
    try:
        while data := answer.read1(65536):
            yield data
    finally:
        there.close()


@contextmanager
def served(app: Flask, live: Path) -> Iterator[str]:
    """The origin's URL, on localhost: browsers give it location and service workers."""
    server = make_server("127.0.0.1", 0, front(app, live), threaded=True, request_handler=Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.port}"
    finally:
        server.shutdown()

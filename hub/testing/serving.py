"""Put a fake remote behind ``tools.http``, or on a loopback port for SDKs that bring their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse
from werkzeug.serving import make_server
from werkzeug.test import Client


class WsgiAdapter(BaseAdapter):
    """Answers requests from a WSGI app in this process: no socket, no thread, no port.

    ``tools.http.mount("https://shop.example", WsgiAdapter(app))``
    """

    def __init__(self, app: Any) -> None:
        super().__init__()
        self.client = Client(app)

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        url = urlsplit(str(request.url))
        answer = self.client.open(
            path=url.path,
            query_string=url.query,
            method=request.method,
            base_url=f"{url.scheme}://{url.netloc}",
            headers=list(request.headers.items()),
            data=request.body,
        )
        reply = requests.Response()
        reply.status_code = answer.status_code
        reply.headers.update(_joined(answer.headers))
        reply.raw = HTTPResponse(BytesIO(answer.get_data()), preload_content=False)
        reply.encoding = "utf-8"
        reply.url = str(request.url)
        reply.request = request
        return reply

    def close(self) -> None: ...


def _joined(headers: Any) -> Mapping[str, str]:
    return {name: ", ".join(headers.getlist(name)) for name, _ in headers.items()}


@contextmanager
def serve(app: Any) -> Iterator[str]:
    """Yield the app's base URL, e.g. ``http://127.0.0.1:40123/``."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()

"""HTTP as phones, browsers and shops' programs speak it: one connection each, and patience.

Whoever asks goes on asking until the hub answers: what was sent twice is for the hub to know.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode

from hub.core.errors import Unavailable

PATIENCE_S = 90.0  # a hub that was killed is back within half a minute on a busy machine
AGAIN_S = 0.25
LATER = frozenset({429, 502, 503, 504})
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """``own`` is the address this one calls from: each phone has its own, as in life."""

    def __init__(self, port: int, own: str = "127.0.0.1", **headers: str) -> None:
        self.port, self.own, self.headers = port, own, headers
        self._connection: HTTPConnection | None = None
        self.asked = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The hub's answer, whatever it is; asked again while there is none worth the name.

        Raises ``Unavailable`` once patience is over.
        """
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self._once(method, path, body, {**self.headers, **(headers or {})})
                if answer.status not in LATER:
                    return answer
                said = f"{answer.status} {answer.text[:200]}"
            except (OSError, HTTPException) as error:
                self.hang_up()
                said = type(error).__name__
            if time.monotonic() > until:
                raise Unavailable(f"{method} {path} was not answered: {said}")
            time.sleep(AGAIN_S)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def send(self, method: str, path: str, content: Any, **headers: str) -> Answer:
        """``content`` as JSON."""
        body = json.dumps(content).encode()
        return self.ask(method, path, body=body, headers={"Content-Type": JSON, **headers})

    def form(self, path: str, fields: list[tuple[str, str]]) -> Answer:
        """As a browser sends a form of the hub's own page."""
        kind = "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, "Origin": self.origin}
        return self.ask("POST", path, body=urlencode(fields).encode(), headers=headers)

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.asked += 1
        if self._connection is None:
            self._connection = HTTPConnection(
                "127.0.0.1", self.port, timeout=60, source_address=(self.own, 0)
            )
        self._connection.request(method, path, body or None, dict(headers))
        answer = self._connection.getresponse()
        content = answer.read()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, told, content)

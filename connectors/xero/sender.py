"""How requests leave: by ``tools.http``, with the token in force, within Xero's limits."""

from __future__ import annotations

from typing import Any

import requests

from connectors.xero.limits import Allowance
from connectors.xero.replies import demand, lacks_scope
from connectors.xero.tokens import Access
from hub import Tools, Unavailable

TIMEOUT_S = (5, 60)  # connect, read: big pages and uploads take their time


class Sender:
    """Takes the place of ``xero_python.rest.RESTClientObject``: three of its methods are used."""

    def __init__(self, tools: Tools, access: Access, allowance: Allowance, *, writes: bool) -> None:
        self._http, self._access = tools.http, access
        self._allowance, self._writes = allowance, writes

    def send(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        """A 2xx answer. A token turned down before its time is renewed once."""
        given = kwargs.pop("headers", None) or {}
        # A custom connection names no organisation (developer.xero.com/faq/custom-integration).
        headers = {name: value for name, value in given.items() if value != ""}
        token = self._access.token()
        for renewed in (False, True):
            self._allowance.demand(writes=self._writes)
            headers["Authorization"] = f"Bearer {token}"
            reply = send(self._http, method, url, headers=headers, **kwargs)
            self._allowance.noted(reply.headers)
            if reply.status_code != 401 or renewed or lacks_scope(reply):
                break
            token = self._access.after(token)
        demand(reply)
        return reply

    def GET(self, url: str, **asked: Any) -> requests.Response:  # noqa: N802  (the SDK's name)
        return self.send("GET", url, params=asked.get("query_params"), headers=asked.get("headers"))

    def PUT(self, url: str, **asked: Any) -> requests.Response:  # noqa: N802
        return self._write("PUT", url, **asked)

    def POST(self, url: str, **asked: Any) -> requests.Response:  # noqa: N802
        return self._write("POST", url, **asked)

    def _write(self, method: str, url: str, **asked: Any) -> requests.Response:
        body = asked.get("body")
        content = {"data": body} if isinstance(body, bytes) else {"json": body}
        return self.send(
            method, url, params=asked.get("query_params"), headers=asked.get("headers"), **content
        )


def send(http: Any, method: str, url: str, **kwargs: Any) -> requests.Response:
    try:
        reply: requests.Response = http.request(method, url, timeout=TIMEOUT_S, **kwargs)
    except requests.RequestException as error:  # its text names the address, query and all
        raise Unavailable(f"Xero gave no answer: {http.why(error)}.") from None
    return reply

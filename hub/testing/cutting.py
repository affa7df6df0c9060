"""Cut a provider off in the middle of its work, wherever it talks by ``tools.http``.

No fake has to know of it: whatever answers a request is wrapped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import requests
from requests.adapters import BaseAdapter

from hub.http import Http

How = Literal["answer lost", "never arrived"]


class Cut(BaseAdapter):
    """``requests`` counts what passed; the ``nth`` fails, as ``how`` says."""

    def __init__(self, nth: int, how: How) -> None:
        super().__init__()
        self.nth, self.how = nth, how
        self.requests = 0

    def through(self, adapter: BaseAdapter) -> BaseAdapter:
        return _Wrapped(self, adapter)

    @property
    def happened(self) -> bool:
        assert self.requests, (
            "Nothing went by `tools.http`, so it cannot be cut off. Talk by it; or exempt this test"
            " with the reason, and cut your own way of talking off in one of yours."
        )
        return self.requests >= self.nth


class _Wrapped(BaseAdapter):
    def __init__(self, cut: Cut, inside: BaseAdapter) -> None:
        super().__init__()
        self.cut, self.inside = cut, inside

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        self.cut.requests += 1
        is_it = self.cut.requests == self.cut.nth
        if is_it and self.cut.how == "never arrived":
            raise requests.ConnectionError("cut off by the kit")
        reply = self.inside.send(request, *args, **kwargs)
        if is_it:
            raise requests.ConnectionError("cut off by the kit")
        return reply

    def close(self) -> None: ...


@contextmanager
def cut_off(http: Http, nth: int, how: How) -> Iterator[Cut]:
    """The ``nth`` request from here fails: carried out and the ``answer lost``, or ``never
    arrived``. Those before and after go well.
    """
    cut, whole = Cut(nth, how), http.get_adapter
    # Not by mounting: a fake that is mounted meanwhile would take the cut's place.
    http.get_adapter = lambda url: cut.through(whole(url))  # type: ignore[method-assign]
    try:
        yield cut
    finally:
        del http.get_adapter

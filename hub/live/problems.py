"""What the live process answers when it cannot do what was asked: RFC 9457 problem details."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

_TITLES = {
    400: "The request cannot be read",
    401: "Not known here",
    404: "Not found",
    405: "Method not allowed",
    413: "The body is too large",
    422: "The content is not valid",
    429: "Too many requests",
    500: "Something went wrong here",
    503: "Not possible at this moment",
}


class Problem(Exception):
    """Answer with ``status``. ``errors`` are (JSON pointer, what is wrong with it)."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[tuple[str, str]] = (),
        *,
        retry_after_s: int | None = None,
        allow: str = "",
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, errors
        self.headers: list[tuple[bytes, bytes]] = []
        if retry_after_s is not None:
            self.headers.append((b"retry-after", str(retry_after_s).encode()))
        if allow:
            self.headers.append((b"allow", allow.encode()))

    def body(self) -> bytes:
        content: dict[str, object] = {
            "type": f"/api/docs#status-{self.status}",
            "title": _TITLES[self.status],
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            content["errors"] = [{"pointer": at, "detail": what} for at, what in self.errors]
        return msgspec.json.encode(content)


class CannotStore(Exception):
    """Nothing of a group was stored; the phones keep what they have and come again."""

"""Heads of posts known again by their bytes, once the parser has let them through.

A phone sends the same head with each post, but for the length of the body; to take one apart,
name by name, takes longer than to read the fixes that follow it.
"""

from __future__ import annotations

MOST_KNOWN = 2048  # of half a kilobyte; the longest known are forgotten first
_BEGIN = b"POST /live/fixes HTTP/1.1\r\n"
_LENGTH = b"\r\nContent-Length: "

Head = tuple[bytes, bytes]
"""What stands before the digits of its length, and what after them."""


def apart(data: bytes) -> tuple[Head, bytes] | None:
    """The head and the body of ``data``, if it looks like one whole post of fixes.

    Only the parser knows whether it is one; but what differs in nothing but these digits
    from a head that it took for a plain post with a body of that length is one, too.
    """
    if not data.startswith(_BEGIN):
        return None
    end = data.find(b"\r\n\r\n")
    at = data.find(_LENGTH, 0, max(end, 0))
    if at < 0:
        return None
    at += len(_LENGTH)
    to = data.find(b"\r\n", at)
    digits = data[at:to]
    if not digits.isdigit() or len(digits) > 6 or int(digits) != len(data) - end - 4:
        return None
    return (data[:at], data[to:end]), data[end + 4 :]


class Heads:
    """To each head the token in it."""

    def __init__(self) -> None:
        self._tokens: dict[Head, str] = {}

    def token(self, head: Head) -> str | None:
        return self._tokens.get(head)

    def learn(self, head: Head, token: str) -> None:
        """The parser found ``token`` in it, and nothing that a plain post has not."""
        if len(self._tokens) >= MOST_KNOWN:
            del self._tokens[next(iter(self._tokens))]
        self._tokens[head] = token

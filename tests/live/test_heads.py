"""A head is known again by its bytes only where nothing but the length differs."""

from __future__ import annotations

import pytest

from hub.live.heads import MOST_KNOWN, Heads, apart

HEAD = b"POST /live/fixes HTTP/1.1\r\nHost: hub\r\nContent-Length: %d\r\nAuthorization: Bearer t\r\n\r\n"


def test_what_differs_in_its_length_alone_has_the_same_head() -> None:
    one, other = apart(HEAD % 2 + b"{}"), apart(HEAD % 11 + b'{"fixes":1}')
    assert one is not None and other is not None
    assert one[0] == other[0]
    assert (one[1], other[1]) == (b"{}", b'{"fixes":1}')


@pytest.mark.parametrize(
    "data",
    [
        HEAD % 3 + b"{}",  # not all of it
        HEAD % 1 + b"{}",  # and the beginning of another
        (HEAD % 2).replace(b": 2", b": +2") + b"{}",
        (HEAD % 2).replace(b": 2", b": 2 ") + b"{}",
        (HEAD % 2).replace(b": 2", b": ") + b"{}",
        (HEAD % 2).replace(b": 2", b": \xb2") + b"{}",
        (HEAD % 2).replace(b": 2", b": 0000002") + b"{}",
        (HEAD % 2).replace(b"Content-Length", b"X-Length") + b"{}",
        (HEAD % 2).replace(b"POST", b"GET") + b"{}",
        (HEAD % 2).replace(b"fixes", b"driver") + b"{}",
        (HEAD % 2)[:-2],
        b"",
        b'{"seq":1}\r\nContent-Length: 0\r\n\r\n',
    ],
)
def test_anything_else_is_for_the_parser(data: bytes) -> None:
    assert apart(data) is None


def test_a_length_in_the_body_is_none() -> None:
    plain = (HEAD % 2).replace(b"Content-Length: 2\r\n", b"") + b"\r\nContent-Length: 0\r\n\r\n"
    assert apart(plain) is None


def test_more_than_can_be_known_pushes_out_the_first() -> None:
    heads = Heads()
    for n in range(MOST_KNOWN + 1):
        heads.learn((b"%d" % n, b""), str(n))
    assert heads.token((b"0", b"")) is None
    assert heads.token((b"1", b"")) == "1"
    assert heads.token((b"%d" % MOST_KNOWN, b"")) == str(MOST_KNOWN)

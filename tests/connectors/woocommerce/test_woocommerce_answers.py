"""What a store's answers come to, whoever in between had a hand in them."""

from __future__ import annotations

from io import BytesIO

import pytest
import requests

from connectors.woocommerce.answers import Fault, NoJson, meaning, understood
from hub import AuthError, HubError, RateLimited, Refused, Unavailable


def a_reply(status: int = 200, body: bytes = b"{}", **headers: str) -> requests.Response:
    reply = requests.Response()
    reply.status_code = status
    reply.raw = BytesIO(body)
    reply.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return reply


def test_an_answer_with_a_byte_order_mark_is_an_answer() -> None:
    assert understood(a_reply(body=b'\xef\xbb\xbf{"id": 1}'), "shop.test") == {"id": 1}


@pytest.mark.parametrize(
    ("headers", "pause_s"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "0"}, 1),
        (
            {
                "Retry_After": "Mon, 04 Mar 2024 06:02:00 GMT",
                "Date": "Mon, 04 Mar 2024 06:00:00 GMT",
            },
            120,
        ),
        ({"Retry_After": "Mon, 04 Mar 2024 06:02:00 GMT"}, 60),
        ({"Retry_After": "later"}, 60),
        ({}, 60),
    ],
)
def test_a_pause_may_be_said_in_several_ways(headers: dict[str, str], pause_s: float) -> None:
    with pytest.raises(RateLimited) as caught:
        understood(a_reply(429, b"<html>", **headers), "shop.test")
    assert caught.value.retry_after == pause_s


@pytest.mark.parametrize("status", [200, 401, 403, 404])
def test_a_page_is_temporary_whatever_its_status(status: int) -> None:
    with pytest.raises(NoJson):
        understood(a_reply(status, b"<html>Checking your browser</html>"), "shop.test")


@pytest.mark.parametrize("status", [408, 500, 502, 503])
def test_a_breakdown_is_temporary(status: int) -> None:
    with pytest.raises(Unavailable):
        understood(a_reply(status, b'{"code": "internal_server_error"}'), "shop.test")


@pytest.mark.parametrize("body", [b"[]", b'"no"', b'{"data": "x"}', b'{"data": {"params": []}}'])
def test_a_no_in_strange_words_is_a_no(body: bytes) -> None:
    with pytest.raises(Fault) as caught:
        understood(a_reply(400, body), "shop.test")
    assert isinstance(meaning(caught.value, "shop.test"), Refused)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "woocommerce_rest_cannot_view", AuthError),
        (401, "woocommerce_rest_authentication_error", AuthError),
        (403, "woocommerce_rest_cannot_edit", AuthError),
        (404, "rest_no_route", Unavailable),
        (404, "woocommerce_rest_shop_order_invalid_id", Refused),
        (400, "rest_invalid_param", Refused),
    ],
)
def test_each_no_has_its_consequence(status: int, code: str, error: type[HubError]) -> None:
    assert type(meaning(Fault(status, code), "shop.test")) is error

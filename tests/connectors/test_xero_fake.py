"""The fake is as strict as Xero: a test that passes with it says something."""

from __future__ import annotations

from pathlib import Path

import pytest
from openapi_core.exceptions import OpenAPIError
from werkzeug.test import Client

from tests.connectors.xero_worlds import bakery
from tests.fakes.xero import API, MONDAY, FakeXero, uuid


@pytest.fixture
def fake() -> FakeXero:
    return FakeXero()


def ask(fake: FakeXero, method: str, path: str, **kwargs: object) -> int:
    headers = {
        "Authorization": f"Bearer {fake.tokens()['access_token']}",
        "xero-tenant-id": fake.home.tenant_id,
        "Idempotency-Key": "k",
    } | kwargs.pop("headers", {})  # type: ignore[operator]
    return Client(fake).open(f"{API}{path}", method=method, headers=headers, **kwargs).status_code


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("GET", "/Invoices?page=one", {}),
        ("GET", "/Invoices?pages=1", {}),
        ("GET", "/Invoices?summaryOnly=True", {}),
        ("GET", "/Invoices?order=Date", {}),
        ("GET", "/Invoices?where=Total>5", {}),
        ("GET", "/Invoices/INV-1", {}),
        ("GET", "/Invoices", {"headers": {"If-Modified-Since": "2024-03-04T06:00:00+00:00"}}),
        ("PUT", f"/Invoices/{uuid('A')}/History", {"json": {"HistoryRecords": [{"Details": 4}]}}),
        ("PUT", f"/Invoices/{uuid('A')}/History", {"json": {"HistoryRecords": [{"Details": "x" * 251}]}}),
        ("POST", f"/Invoices/{uuid('A')}", {"json": {"Invoices": [{"Reference": "mine"}]}}),
        ("PUT", f"/Invoices/{uuid('A')}/Attachments/a.pdf?IncludeOnline=True", {"data": b"x"}),
        ("PUT", f"/Invoices/{uuid('A')}/Attachments/a[1].pdf", {"data": b"x"}),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused_and_kept(
    fake: FakeXero, method: str, path: str, more: dict[str, object]
) -> None:
    fake.put("A", MONDAY)
    if "data" in more:
        more = more | {"content_type": "application/octet-stream"}
    assert ask(fake, method, path, **more) == 400
    assert len(fake.wrong) == 1


def test_an_answer_that_xero_would_not_give_is_a_loud_mistake(
    fake: FakeXero, tmp_path: Path
) -> None:
    for n in range(3):
        fake.put(f"R{n}", MONDAY)
    fake.put("A", MONDAY, LineAmountTypes="Sometimes")
    with pytest.raises(OpenAPIError):
        list(bakery(fake, tmp_path).pages(None))


def test_a_key_of_another_request_is_refused(fake: FakeXero) -> None:
    fake.put("A", MONDAY)
    path = f"/Invoices/{uuid('A')}/History"
    assert ask(fake, "PUT", path, json={"HistoryRecords": [{"Details": "x"}]}) == 200
    assert ask(fake, "PUT", path, json={"HistoryRecords": [{"Details": "x"}]}) == 200
    assert ask(fake, "PUT", path, json={"HistoryRecords": [{"Details": "y"}]}) == 400
    assert fake.notes("A") == ["x"]


def test_a_refresh_token_is_good_once_and_half_an_hour_more(fake: FakeXero) -> None:
    token = fake.tokens()["refresh_token"]

    def refresh() -> int:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        reply = Client(fake).post("/connect/token", data=form, auth=(fake.client_id, fake.secret))
        return reply.status_code

    assert refresh() == 200
    fake.wait(minutes=29)
    assert refresh() == 200
    fake.wait(minutes=2)
    assert refresh() == 400


def test_a_slow_answer_comes_in_the_end(fake: FakeXero, tmp_path: Path) -> None:
    fake.put("A", MONDAY)
    fake.slow_s = 0.05
    assert len(list(bakery(fake, tmp_path).pages(None))) == 1

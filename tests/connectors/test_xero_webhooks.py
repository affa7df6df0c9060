"""Calls from Xero: which are its own, which are about us."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from hmac import digest
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub import WEBHOOKS, BadSignature, WebhookRequest
from tests.connectors.xero_worlds import bakery
from tests.fakes.xero import MONDAY, FakeXero, uuid

URL = "https://hub.example/hooks/in/xero-1"


@pytest.fixture
def fake() -> FakeXero:
    return FakeXero()


def test_a_genuine_call_rings_and_a_repeat_is_told_by_its_id(
    fake: FakeXero, tmp_path: Path
) -> None:
    xero = bakery(fake, tmp_path)
    headers, body = fake.webhook("A", "B")
    first = xero.verify(WebhookRequest(headers, body, URL))
    assert first
    assert xero.verify(WebhookRequest(headers, body, URL)) == first
    other = fake.webhook("A", at=MONDAY - timedelta(minutes=1))  # an older one, later
    assert xero.verify(WebhookRequest(*other, URL)) not in (None, first)


def test_only_the_webhooks_key_is_needed(fake: FakeXero, tmp_path: Path) -> None:
    """The process that the internet calls opens no other secret."""
    xero = bakery(fake, tmp_path, client_secret=SecretStr(""))
    assert xero.verify(WebhookRequest(*fake.webhook("A"), URL))
    schema = type(xero.settings).model_json_schema()["properties"]
    ringed = {name for name, field in schema.items() if WEBHOOKS.items() <= field.items()}
    assert ringed == {"webhook_key"}


def test_the_intent_to_receive_is_judged_right(fake: FakeXero, tmp_path: Path) -> None:
    xero = bakery(fake, tmp_path)
    assert xero.verify(WebhookRequest(*fake.webhook(), URL)) is None
    with pytest.raises(BadSignature):
        xero.verify(WebhookRequest(*fake.webhook(key="not the key"), URL))


@pytest.mark.parametrize("signature", ["", "AAAA", "ünïcode", None])
def test_a_forged_call_is_refused(fake: FakeXero, tmp_path: Path, signature: str | None) -> None:
    headers, body = fake.webhook("A")
    forged = {} if signature is None else headers | {"x-xero-signature": signature}
    with pytest.raises(BadSignature):
        bakery(fake, tmp_path).verify(WebhookRequest(forged, body, URL))


def test_a_call_that_was_changed_is_refused(fake: FakeXero, tmp_path: Path) -> None:
    headers, body = fake.webhook("A")
    changed = body.replace(uuid("A").encode(), uuid("B").encode())
    with pytest.raises(BadSignature):
        bakery(fake, tmp_path).verify(WebhookRequest(headers, changed, URL))


def test_without_a_key_nothing_is_genuine(fake: FakeXero, tmp_path: Path) -> None:
    xero = bakery(fake, tmp_path, webhook_key="")
    _, body = fake.webhook("A")
    signed = {"x-xero-signature": b64encode(digest(b"", body, "sha256")).decode()}
    with pytest.raises(BadSignature):
        xero.verify(WebhookRequest(signed, body, URL))


def test_another_organisations_call_does_not_ring(fake: FakeXero, tmp_path: Path) -> None:
    cafe = fake.organisation("Café")
    xero = bakery(fake, tmp_path)
    call = fake.webhook("A", tenant_id=cafe.tenant_id)
    assert xero.verify(WebhookRequest(*call, URL)) is None


@pytest.mark.parametrize("category", ["CONTACT", "CREDITNOTE", "SUBSCRIPTION"])
def test_a_call_about_no_invoice_does_not_ring(
    fake: FakeXero, tmp_path: Path, category: str
) -> None:
    call = fake.webhook("A", category=category)
    assert bakery(fake, tmp_path).verify(WebhookRequest(*call, URL)) is None


@pytest.mark.parametrize(
    "body", [b'{"events": 5}', b'{"events": "all"}', b"[" * 100_000, b"null"], ids=lambda b: b[:12]
)
def test_a_signed_body_that_cannot_be_used_is_about_nothing(
    fake: FakeXero, tmp_path: Path, body: bytes
) -> None:
    xero = bakery(fake, tmp_path)
    key = xero.settings.webhook_key.get_secret_value()
    signature = b64encode(digest(key.encode(), body, "sha256")).decode()
    assert xero.verify(WebhookRequest({"x-xero-signature": signature}, body, URL)) is None


def test_a_person_is_told_what_to_set_up_until_the_key_is_here(
    fake: FakeXero, tmp_path: Path
) -> None:
    without = bakery(fake, tmp_path, webhook_key="")
    assert "the address that stands with this" in without.subscribe(URL)
    assert "webhooks key" in without.subscribe(URL)
    xero = bakery(fake, tmp_path)
    assert xero.subscribe(URL) == ""
    xero.unsubscribe()
    assert fake.calls == []

"""When a webhook is tried again, what an answer means, and who can verify it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from hub import BadSignature, ConfigError
from hub.core import events
from hub.core.self_service import Action, Asked
from hub.core.webhook_types import ABOUT, DATA, HEARD, TEST, TYPES, types_of
from hub.core.webhooks import (
    DELAYS_S,
    LASTS,
    Answer,
    Fate,
    delay_s,
    judged,
    signature_headers,
    verified,
)

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = "whsec_HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
KEY = "msg_test_0001"
AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
BODY = b'{"type":"delivery.completed","timestamp":"2023-11-14T22:13:20Z","data":{"order":"A-17"}}'


def an_answer(status: int | None, retry_after_s: float | None = None) -> Answer:
    return Answer(status, 12, retry_after_s=retry_after_s)


@given(st.text())
def test_ten_attempts_take_75_h_35_min_however_they_are_moved(key: str) -> None:
    delays = [delay_s(attempt, key) for attempt in range(1, 10)]
    assert sum(delays) == pytest.approx(LASTS.total_seconds())
    assert timedelta(hours=75, minutes=35, seconds=5) == LASTS
    for delay, planned in zip(delays, DELAYS_S[1:], strict=True):
        assert delay == pytest.approx(planned, rel=0.2)


def test_webhooks_that_failed_together_come_back_apart() -> None:
    assert len({delay_s(3, str(n)) for n in range(50)}) == 50


@pytest.mark.parametrize(
    ("status", "fate"),
    [(200, "delivered"), (204, "delivered"), (299, "delivered"), (410, "gone"), (300, "again"),
     (302, "again"), (400, "again"), (404, "again"), (429, "again"), (500, "again"),
     (None, "again")],
)  # fmt: skip
def test_only_2xx_delivers_and_only_410_ends_it_at_once(status: int | None, fate: str) -> None:
    assert judged(an_answer(status), 1, KEY).fate == fate


def test_the_tenth_failure_is_the_last() -> None:
    assert [judged(an_answer(500), n, KEY).fate for n in (9, 10)] == [Fate.AGAIN, Fate.DEAD]


def test_a_pause_asked_for_is_kept_and_shortens_nothing() -> None:
    asked = judged(an_answer(429, 3600.0), 1, KEY)
    assert (asked.wait_s, asked.pause_s) == (3600.0, 3600.0)
    assert judged(an_answer(503, 1.0), 5, KEY).wait_s == delay_s(5, KEY)
    assert judged(an_answer(503, 1e9), 1, KEY).wait_s == 86_400


def test_the_signature_is_the_one_of_the_published_vector() -> None:
    assert signature_headers([SECRET], KEY, datetime.fromtimestamp(1_700_000_000, UTC), BODY) == {
        "webhook-id": KEY,
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1,8hs6SWpPZwBSEdYUGtPAOdVqCNLcBAD08L0KMLoc/m4=",
    }


@given(st.binary(max_size=300).map(lambda raw: json.dumps(raw.decode("latin-1")).encode()))
def test_an_independent_library_accepts_what_is_signed(body: bytes) -> None:
    headers = signature_headers([OTHER, SECRET], KEY, datetime.now(UTC), body)
    for secret in (OTHER, SECRET):  # while a secret is being changed, both fit
        assert Webhook(secret).verify(body, headers) == json.loads(body)
        assert verified(secret, headers, body, datetime.now(UTC)) == KEY
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "B" * 32).verify(body, headers)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"webhook-id": ""}, "webhook-id is missing"),
        ({"webhook-timestamp": ""}, "webhook-timestamp is missing"),
        ({"webhook-signature": ""}, "webhook-signature is missing"),
        ({"webhook-timestamp": "soon"}, "no number of seconds"),
        ({"webhook-timestamp": "1700000301"}, "301 s ahead of this machine's clock"),
        ({"webhook-timestamp": "1699999699"}, "301 s behind this machine's clock"),
        ({"webhook-signature": "v2,xyz"}, "no signature that begins with v1,"),
        ({"webhook-signature": "v1,xyz v1,é"}, "The signature does not fit"),
        ({"webhook-id": "another"}, "The signature does not fit"),
    ],
)
def test_what_does_not_verify_says_why(change: dict[str, str], why: str) -> None:
    headers = signature_headers([SECRET], KEY, AT, BODY) | change
    with pytest.raises(BadSignature, match=why):
        verified(SECRET, headers, BODY, AT)


def test_another_secret_or_body_does_not_verify() -> None:
    headers = signature_headers([SECRET], KEY, AT, BODY)
    for secret, body in ((OTHER, BODY), (SECRET, BODY + b" ")):
        with pytest.raises(BadSignature, match="does not fit"):
            verified(secret, headers, body, AT)
    with pytest.raises(ConfigError, match="whsec_"):
        verified("hunter2!", headers, BODY, AT)


def test_programs_know_of_everything_that_can_be_asked_for() -> None:
    assert set(get_args(Asked)) == {*Action, "in_person"}


def test_every_type_has_words_and_a_shape_and_every_event_heard_has_a_type() -> None:
    assert set(ABOUT) == set(DATA) == {*TYPES, TEST}
    about = {"business_id": "b", "subject_id": "s", "occurred_at": AT, "received_at": AT}
    told = set()
    for kind in HEARD:
        if kind is events.JobClosed:
            for outcome in ("succeeded", "partial", "failed", "skipped", "cancelled"):
                told |= {*types_of(kind(**about, job_id="j", outcome=outcome, proof_id="p"))}
            continue
        more = {"changed": ()} if kind is events.OrderAmended else {}
        if kind not in (events.OrderPlaced, events.OrderCancelled, events.RoutePublished):
            more |= {"job_id": "j"} if kind is not events.OrderAmended else {}
        if kind in (events.JobDispatched, events.JobWithdrawn):
            more |= {"route_id": "r"}
        if kind in (events.JobDispatched, events.EtaChanged):
            more |= {"eta": AT.isoformat()}
        if kind is events.RatingGiven:
            more |= {"rating_id": "r", "stars": 4}
        if kind is events.RecipientAsked:
            more |= {"what": "note"}
        if kind is events.NextStepChosen:
            more |= {"step": "return"}
        told |= {*types_of(kind(**about, **more))}
    assert told == set(TYPES)

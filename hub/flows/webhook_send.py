"""Send webhooks: outside any unit, several at a time, one after the other of one subject.

A turn is claimed in one unit, sent, and settled in another. What a crash leaves claimed is sent
again once its lease is over, with the same ``webhook-id``. A slow receiver holds up nobody else:
few of its webhooks are on their way at a time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import select

from hub.core.errors import HubError
from hub.core.events import EndpointSwitchedOff
from hub.core.ids import new_id
from hub.core.webhook_types import TEST
from hub.core.webhooks import (
    MOST_HEARD,
    WITHIN_S,
    Answer,
    Fate,
    in_words,
    judged,
    signature_headers,
)
from hub.db.tables import AttemptLogRow, EndpointRow, WebhookRow
from hub.db.unit import Unit
from hub.flows.endpoint_secrets import signing_secrets
from hub.flows.endpoints import endpoint_of, switch_off
from hub.flows.webhook_claim import (
    AT_ONCE,
    LEASE,
    Clock,
    Turn,
    claimed,
    has_due,
    real,
    turn_of,
)
from hub.flows.webhooks import body_of_a_test

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)
LOOK_S = 0.2  # until it is looked for more while some are on their way
AGENT = "LastMileHub-Webhooks/1"
FAILS_FOR = timedelta(days=3)  # a dead letter after so long without a success ends it
FAILED = "Every attempt failed for more than three days, so the hub switched it off."
NOT_SENT = "The hub could not send it. Its log says more."


def send_webhooks(hub: Hub, *, lease: timedelta = LEASE, clock: Clock = real) -> int:
    """Send what is due until nothing is; how many attempts were made."""
    done = 0
    flying: dict[Future[Answer], Turn] = {}
    with ThreadPoolExecutor(AT_ONCE, "webhook") as pool:
        ended: list[tuple[Turn, Answer]] = []
        while True:
            for turn in _next(hub, ended, list(flying.values()), lease):
                flying[pool.submit(_answer, hub, turn, _secrets(hub, turn), clock)] = turn
            done += len(ended)
            if not flying:
                return done
            over, _ = wait(flying, LOOK_S, FIRST_COMPLETED)
            ended = [(flying.pop(one), one.result()) for one in over]


def send_test(
    hub: Hub, business_id: str, endpoint_id: str, *, clock: Clock = real
) -> tuple[str, Answer]:
    """Send a test now, also to an endpoint that is off; its webhook's id and what came back.

    Nothing is tried again. Raises ``LookupError``.
    """
    with hub.unit() as unit:
        endpoint = endpoint_of(unit.session, business_id, endpoint_id)
        row = WebhookRow(
            business_id=business_id,
            endpoint_id=endpoint_id,
            event_id="",
            subject_id="",
            type=TEST,
            body=body_of_a_test(hub),
            due_at=hub.now(),
            occurred_at=hub.now(),
            claim=new_id(),
            leased_until=real() + LEASE,
        )
        row.event_id = row.subject_id = row.id
        unit.session.add(row)
        turn = turn_of(row, endpoint)
    answer = _answer(hub, turn, _secrets(hub, turn), clock)
    with hub.unit() as unit:
        _settle(hub, unit, turn, answer)
    return turn.webhook_id, answer


def _next(
    hub: Hub, ended: Sequence[tuple[Turn, Answer]], flying: Sequence[Turn], lease: timedelta
) -> list[Turn]:
    """Settle what ended and claim what is due, in one unit; none where there is neither."""
    free = AT_ONCE - len(flying)
    if not ended and not (free and has_due(hub, flying)):
        return []
    with hub.unit() as unit:
        # Always in this order: two workers do not wait for each other.
        for turn, answer in sorted(ended, key=lambda one: (one[0].endpoint_id, one[0].webhook_id)):
            _settle(hub, unit, turn, answer)
        unit.session.flush()
        return claimed(hub, unit, free, flying, lease)


def _secrets(hub: Hub, turn: Turn) -> list[str] | HubError:
    try:
        return signing_secrets(hub, turn.business_id, turn.endpoint_id)
    except HubError as problem:
        return problem


def _answer(hub: Hub, turn: Turn, secrets: list[str] | HubError, clock: Clock) -> Answer:
    """Make the attempt. Raises nothing: whatever goes wrong, others go on."""
    began = time.monotonic()

    def lasted_ms() -> int:
        return round((time.monotonic() - began) * 1000)

    if isinstance(secrets, HubError):
        return Answer(None, 0, problem=str(secrets))
    body = turn.body.encode()
    try:
        heard = hub.tools.http.post_once(
            turn.url,
            body,
            {
                **signature_headers(secrets, turn.webhook_id, clock(), body),
                "Content-Type": "application/json",
                "User-Agent": AGENT,
            },
            within_s=WITHIN_S,
            most=MOST_HEARD,
        )
    except HubError as problem:
        return Answer(None, lasted_ms(), problem=str(problem))
    except Exception:
        log.exception("webhook=%s could not be sent", turn.webhook_id)
        return Answer(None, lasted_ms(), problem=NOT_SENT)
    text = heard.body.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    pause_s = heard.retry_after_s if heard.status in (429, 503) else None
    return Answer(heard.status, lasted_ms(), text, in_words(heard.status), pause_s)


def _settle(hub: Hub, unit: Unit, turn: Turn, answer: Answer) -> None:
    """Write down what came of a turn, unless it was removed or another worker has it now."""
    session, now = unit.session, hub.now()
    try:
        endpoint = endpoint_of(session, turn.business_id, turn.endpoint_id, lock=True)
    except LookupError:
        return
    row = session.exec(
        select(WebhookRow)
        .where(
            WebhookRow.business_id == turn.business_id,
            WebhookRow.id == turn.webhook_id,
            WebhookRow.claim == turn.claim,
        )
        .with_for_update()
    ).one_or_none()
    if row is None:
        log.warning("webhook=%s was settled elsewhere meanwhile", turn.webhook_id)
        return
    session.add(
        AttemptLogRow(
            business_id=row.business_id,
            webhook_id=row.id,
            at=now,
            status=answer.status,
            lasted_ms=answer.lasted_ms,
            answer=answer.text,
            problem=answer.problem,
        )
    )
    row.claim, row.leased_until, row.problem = "", None, answer.problem
    row.attempts = turn.attempt
    verdict = judged(answer, turn.attempt, row.id)
    if row.type == TEST:
        row.state = "delivered" if verdict.fate is Fate.DELIVERED else "dead"
        row.settled_at = now
        return
    _tell_endpoint(endpoint, verdict.fate, answer, now)
    if verdict.pause_s:
        endpoint.paused_until = now + timedelta(seconds=verdict.pause_s)
    match verdict.fate:
        case Fate.DELIVERED:
            row.state, row.settled_at = "delivered", now
        case Fate.AGAIN:
            row.due_at = now + timedelta(seconds=verdict.wait_s)
        case Fate.DEAD | Fate.GONE:
            row.state, row.settled_at = "dead", now
            session.flush()
            since = endpoint.failing_since
            if endpoint.state == "on" and verdict.fate is Fate.GONE:
                _give_up(hub, unit, endpoint, "gone", answer.problem)
            elif endpoint.state == "on" and since is not None and now - since >= FAILS_FOR:
                _give_up(hub, unit, endpoint, "failing", f"{FAILED} The last: {answer.problem}")


def _tell_endpoint(endpoint: EndpointRow, fate: Fate, answer: Answer, now: datetime) -> None:
    if endpoint.state != "on":
        return
    if fate is Fate.DELIVERED:
        endpoint.failing_since, endpoint.problem, endpoint.delivered_at = None, "", now
    else:
        endpoint.failing_since = endpoint.failing_since or now
        endpoint.problem = answer.problem


def _give_up(hub: Hub, unit: Unit, endpoint: EndpointRow, state: str, why: str) -> None:
    """Its owners are told on Home, and by mail where the business has a channel for it."""
    switch_off(hub, unit, endpoint, state, why)
    unit.announce(
        EndpointSwitchedOff(
            business_id=endpoint.business_id,
            subject_kind="endpoint",
            subject_id=endpoint.id,
            occurred_at=hub.now(),
            received_at=hub.now(),
            problem=why,
        )
    )
    log.warning("endpoint=%s was switched off: %s", endpoint.id, state)

"""Send what was reserved, outside any unit, and settle what became of it.

A notice is worded when it is first claimed, just before it leaves, so that it says what
is true then; from there on its words, its recipient and its ``Message-ID`` stay the same.

What a crash leaves ``sending`` past its lease may have left or not. A carrier that can
be asked is asked; one that drops repeats gets it again; any other gets it once more,
and the notice is then *uncertain* for ever. Never more than two leave.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import update
from sqlmodel import Session, col

from hub.core.contracts import Cost, Costs, LooksUp, NotificationChannel
from hub.core.errors import ConfigError, HubError, MaybeSent, RateLimited, RetryLater
from hub.core.notices import (
    MOST_SENDS,
    Accepted,
    NoticeState,
    Rejected,
    Settled,
    Unknown,
    Verdict,
    settled,
)
from hub.db.tables import NoticeRow
from hub.db.unit import took_one
from hub.flows.notice_claim import Turn, claim, put_off, told, waiting, with_pictures
from hub.flows.notice_known import Known
from hub.flows.notice_manners import charged, never_of, refused

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)  # an SMTP conversation waits up to 20 s in each of ten steps


def send_due(
    hub: Hub, *, limit: int = 50, lease: timedelta = LEASE, known: Known | None = None
) -> int:
    """Send or drop what is due and clear up after a crash; how many were tried.

    ``known``: kept by who calls this again and again, with its connections.
    """
    sender = _Sender(hub, lease, known or Known(hub))
    if known is not None:
        known.refresh()
    try:
        return sum(sender.take(*one) for one in waiting(hub, limit))
    finally:
        sender.settle()
        if known is None:
            sender.known.close()


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of a turn, not yet written down."""

    turn: Turn
    result: Settled
    verdict: Verdict | None = None
    cost: Cost | None = None  # of one send


class _Sender:
    """Takes one notice after the other: what became of one is written down in the unit that
    claims the next, so that each costs one commit.
    """

    def __init__(self, hub: Hub, lease: timedelta, known: Known) -> None:
        self._hub, self._lease, self.known = hub, lease, known
        self._done: _Done | None = None

    def take(self, business_id: str, notice_id: str) -> bool:
        """Whether there was something to try. One that cannot be looked at is put off."""
        self.known.refresh()
        try:
            turn = self._claimed(business_id, notice_id)
        except Exception:
            log.exception("notice=%s cannot be claimed", notice_id)
            self.known.forget()
            self.settle()
            with self._hub.unit() as unit:
                why = "It could not be put into words. The log says more."
                put_off(self._hub, unit.session, business_id, notice_id, why)
            return False
        if turn is not None:
            self._done = self._carried_out(with_pictures(turn))
        return turn is not None

    def _claimed(self, business_id: str, notice_id: str) -> Turn | None:
        with self._hub.unit() as unit:
            if self._done is not None:
                _write(self._hub, unit.session, self._done)
            turn = claim(self._hub, self.known, unit.session, business_id, notice_id, self._lease)
        self._done = None
        return turn

    def settle(self) -> None:
        if self._done is not None:
            with self._hub.unit() as unit:
                _write(self._hub, unit.session, self._done)
            self._done = None

    def _carried_out(self, turn: Turn) -> _Done | None:
        """Find out what became of it if it may have left before, else send it. ``None``: another
        worker has it now.
        """
        try:
            channel = self.known.channel(turn.business_id, turn.channel)
            known = _recovered(channel, turn) if turn.again else None
        except HubError as problem:
            self.known.mark(turn.business_id, turn.channel, problem)
            return _Done(turn, _put_off(turn, problem))
        if known is not None:
            return _Done(turn, known, cost=_cost(channel, turn))
        sends = turn.sends
        if turn.again:
            sends = 1 if isinstance(channel, LooksUp) else turn.sends + 1
            if not _leaves_again(self._hub, turn, sends):
                return None
        verdict = self._sent(channel, turn)
        harmless = channel.repeat_is_harmless or isinstance(channel, LooksUp)
        result = settled(verdict, sends=sends, attempts=turn.attempts, harmless=harmless)
        return _Done(turn, result, verdict, _cost(channel, turn))

    def _sent(self, channel: NotificationChannel, turn: Turn) -> Verdict:
        problem: HubError | None = None
        try:
            verdict: Verdict = Accepted(channel.send(turn.message))
        except RateLimited as pause:
            return Rejected(str(pause), permanent=False, retry_after_s=pause.retry_after)
        except (RetryLater, ConfigError) as found:
            problem, verdict = found, Rejected(str(found), permanent=False)
        except MaybeSent as doubt:
            return Unknown(str(doubt))
        except HubError as refusal:
            return never_of(refusal)
        except Exception:  # it may have left before this happened
            log.exception("notice=%s channel=%s: no answer", turn.notice_id, turn.channel)
            return Unknown("No answer came. The log says more.")
        self.known.mark(turn.business_id, turn.channel, problem)
        return verdict


def _cost(channel: NotificationChannel, turn: Turn) -> Cost | None:
    """Of one send. A bug in there costs the business a figure, not the recipient a message."""
    try:
        return channel.cost(turn.message) if isinstance(channel, Costs) else None
    except Exception:
        log.exception("channel=%s cannot say what it costs", turn.channel)
        return None


def _recovered(channel: NotificationChannel, turn: Turn) -> Settled | None:
    """What is known of a notice that was being sent; ``None``: send it again."""
    if turn.receipt:  # so it did leave, and once as far as anybody knows
        state = NoticeState.SENT if turn.sends <= 1 else NoticeState.UNCERTAIN
        return Settled(state, turn.sends, "" if turn.sends <= 1 else "It may have arrived twice.")
    if isinstance(channel, LooksUp):
        match channel.became(turn.message):
            case "sent":
                return Settled(NoticeState.SENT, turn.sends)
            case "failed":
                return Settled(NoticeState.FAILED, turn.sends, "The carrier could not deliver it.")
        return Settled(NoticeState.DROPPED, 0, turn.passed) if turn.passed else None
    if turn.passed:
        return _given_up(turn)
    if turn.sends >= MOST_SENDS and not channel.repeat_is_harmless:
        why = "Sending was interrupted twice; it may have arrived twice, once or not at all."
        return Settled(NoticeState.UNCERTAIN, turn.sends, why)
    return None


def _given_up(turn: Turn) -> Settled:
    why = f"It may have arrived; it was not repeated. {turn.passed}"
    return Settled(NoticeState.UNCERTAIN, turn.sends, why)


def _put_off(turn: Turn, problem: HubError) -> Settled:
    """Nothing left in this turn, and nothing is known of an earlier one."""
    if turn.passed:
        return _given_up(turn)
    sends = turn.sends + 1 if turn.again else turn.sends
    verdict = Rejected(str(problem), permanent=False)
    return settled(verdict, sends=sends, attempts=turn.attempts, harmless=False)


def _leaves_again(hub: Hub, turn: Turn, sends: int) -> bool:
    """Write down, before the first byte, that it may leave once more; ``False``: not our turn."""
    with hub.unit() as unit:
        return _changed(unit.session, turn, sends=sends)


def _write(hub: Hub, session: Session, done: _Done) -> None:
    turn, result = done.turn, done.result
    values: dict[str, Any] = {
        "state": result.state,
        "sends": result.sends,
        "error": result.error[:4000],
        "claim": "",
        "leased_until": None,
    }
    wait = timedelta(seconds=result.wait_s)
    values |= charged(done.cost, result.sends)
    if result.state is NoticeState.DUE:
        values["due_at"] = min(hub.now() + wait, turn.expires_at + timedelta(seconds=1))
    elif result.state is NoticeState.SENDING:
        values["leased_until"] = datetime.now(UTC) + wait
    elif isinstance(done.verdict, Accepted):
        values |= {"carrier_id": done.verdict.carrier_id[:300], "sent_at": hub.now()}
    if not _changed(session, turn, **values):
        log.warning("notice=%s was taken over by another worker", turn.notice_id)
        return
    if result.state is NoticeState.FAILED and isinstance(done.verdict, Rejected):
        refused(hub, session, turn.business_id, turn.notice_id, done.verdict)
    if turn.says is not None and result.state in (NoticeState.SENT, NoticeState.UNCERTAIN):
        told(hub, session, turn, turn.says)


def _changed(session: Session, turn: Turn, **values: Any) -> bool:
    """Write this down if it is still our turn; whether it was."""
    ours = update(NoticeRow).where(
        col(NoticeRow.business_id) == turn.business_id,
        col(NoticeRow.id) == turn.notice_id,
        col(NoticeRow.claim) == turn.claim,
    )
    return took_one(session.exec(ours.values(**values)))

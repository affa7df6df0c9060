"""What carriers call back: what became of a message, and what its recipient answered.

A call proves itself by an address nobody can guess and, where its carrier signs, by that.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.core.contracts import Receipt, ReceivesReceipts, Reply, TakesReplies, WebhookRequest
from hub.core.notices import NoticeState
from hub.core.receipts import LAST, NOT_RECEIVED, RANK, later
from hub.core.stop_words import Wish, wish
from hub.db.tables import AuditRow, ChoiceRow, NoticeRow
from hub.db.unit import Unit, forbid_open_unit
from hub.flows.choices import listener_of
from hub.flows.notice_mail import reach_of
from hub.flows.notice_manners import tell_elsewhere
from hub.flows.suppressions import shown, start, stop

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)


def receipt_came(hub: Hub, token: str, request: WebhookRequest) -> bool:
    """Keep what a carrier says became of a notice; whether that is news. Safe to repeat.

    Raises ``LookupError`` for an address nobody has, ``BadSignature`` for a forged call.
    """
    forbid_open_unit("verifying a receipt")
    choice, channel = listener_of(hub, token)
    if not isinstance(channel, ReceivesReceipts):
        raise LookupError("this channel gets no receipts")
    receipt = Receipt(*channel.receipt(request))
    with hub.unit() as unit:
        row = unit.session.exec(
            select(NoticeRow)
            .where(
                NoticeRow.business_id == choice.business_id,
                NoticeRow.id == receipt.key,
                NoticeRow.channel == choice.plugin,
            )
            .with_for_update()
        ).one_or_none()
        if row is None:  # of a test, or of a notice that is no longer kept
            log.info("a receipt names no notice channel=%s", choice.plugin)
            return False
        return _took(hub, unit, row, receipt)


def reply_came(hub: Hub, token: str, request: WebhookRequest) -> tuple[str, str]:
    """Do what somebody answered asks for; body and media type for the carrier. Safe to repeat.

    Raises as ``receipt_came``.
    """
    forbid_open_unit("verifying an answer")
    choice, channel = listener_of(hub, token)
    if not isinstance(channel, TakesReplies):
        raise LookupError("this channel takes no answers")
    reply = channel.reply(request)
    wanted: Wish | None = reply.wish or wish(reply.text)
    if wanted in ("stop", "start") and reply.sender:
        with hub.unit() as unit:
            _obey(hub, unit, choice, reply, wanted)
    elif reply.sender and reply.text.strip():
        with hub.unit() as unit:
            _keep(unit, choice, reply)
    return channel.answer


def _keep(unit: Unit, choice: ChoiceRow, reply: Reply) -> None:
    """Something that a person should read stands by the message it came after."""
    row = unit.session.exec(
        select(NoticeRow)
        .where(
            NoticeRow.business_id == choice.business_id,
            NoticeRow.channel == choice.plugin,
            NoticeRow.recipient == reply.sender,
        )
        .order_by(col(NoticeRow.created_at).desc(), col(NoticeRow.id).desc())
        .limit(1)
    ).first()
    if row is None:
        log.info("an answer is to no message channel=%s", choice.plugin)
        return
    row.answer = reply.text.replace("\0", "").strip()[:1600]


def _took(hub: Hub, unit: Unit, row: NoticeRow, receipt: Receipt) -> bool:
    word = later(row.receipt, receipt.state)
    if word == row.receipt:
        return False
    row.receipt, row.receipt_at = word, hub.now()
    row.carrier_id = row.carrier_id or receipt.carrier_id[:300]
    _it_left(hub, row)
    if word in NOT_RECEIVED and RANK[word] == LAST:
        row.error = receipt.why[:4000] or "The carrier says that it did not arrive."
        reaches = reach_of(hub, row.channel)
        if receipt.gone:
            stop(unit.session, row.business_id, reaches, row.recipient, "gone", hub.now())
        tell_elsewhere(hub, unit.session, row)
    elif word == "delivered" and row.state == NoticeState.SENT:
        row.error = ""
    return True


def _it_left(hub: Hub, row: NoticeRow) -> None:
    """A receipt proves that a notice left of which nobody knew. A worker that is just sending it
    finds out by itself.
    """
    is_orphan = row.state == NoticeState.SENDING and (
        row.leased_until is None or row.leased_until < datetime.now(UTC)
    )
    is_doubted = row.state == NoticeState.UNCERTAIN and row.sends <= 1
    if (is_orphan and row.sends <= 1) or is_doubted:
        row.state, row.error, row.claim, row.leased_until = NoticeState.SENT, "", "", None
        row.sent_at = row.sent_at or hub.now()


def _obey(hub: Hub, unit: Unit, choice: ChoiceRow, reply: Reply, wanted: Wish) -> None:
    reaches, who = reach_of(hub, choice.plugin), choice.business_id
    if wanted == "stop":
        is_news = stop(unit.session, who, reaches, reply.sender, "reply", hub.now())
    else:
        is_news = start(unit.session, who, reaches, reply.sender)
    if is_news:
        unit.session.add(
            AuditRow(
                business_id=who,
                actor="recipient",
                action="messages stopped" if wanted == "stop" else "messages allowed again",
                subject=shown(reaches, reply.sender),
                at=hub.now(),
            )
        )

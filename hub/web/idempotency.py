"""The same request with the same ``Idempotency-Key`` is done once and answered alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Request
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select, update

from hub.db.tables import IdempotencyRow
from hub.db.unit import Unit, took_one
from hub.web.problems import Problem

if TYPE_CHECKING:
    from hub.app import Hub

KEPT = timedelta(hours=24)
WORKED_ON = timedelta(minutes=2)
"""A reservation older than this belongs to a dead process. By the real clock, like all here: how
long a process works has nothing to do with a clock that is moved by hand.
"""
BUSY = "A request with this Idempotency-Key is still being worked on. Try again shortly."

Answer = tuple[int, Any]


def once(
    hub: Hub, business_id: str, request: Request, body: bytes, work: Callable[[Unit], Answer]
) -> Answer:
    """Do ``work`` in one unit, together with its answer; without a key, just do it."""
    return once_prepared(hub, business_id, request, body, lambda: work)


def once_prepared(
    hub: Hub,
    business_id: str,
    request: Request,
    body: bytes,
    prepare: Callable[[], Callable[[Unit], Answer]],
) -> Answer:
    """As ``once``, for work that first asks around, which no unit may wait for.

    Whoever asks again gets the first answer, also where ``prepare`` would now end otherwise.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        work = prepare()
        with hub.unit() as unit:
            return work(unit)
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise Problem(400, "Idempotency-Key must be 1 to 255 printable ASCII characters.")
    asked = f"{request.method} {request.path}\n".encode() + body
    row = IdempotencyRow(
        business_id=business_id,
        key=key,
        request_hash=hashlib.sha256(asked).hexdigest(),
        at=datetime.now(UTC),
    )
    reserved = row.id
    if (known := _reserve(hub, row)) is not None:
        return known
    try:
        work = prepare()
        with hub.unit() as unit:
            status, answer = work(unit)
            # Whoever took the reservation over does the work; then ours must not commit.
            if not took_one(
                unit.session.exec(
                    update(IdempotencyRow)
                    .where(
                        col(IdempotencyRow.id) == reserved,
                        col(IdempotencyRow.business_id) == business_id,
                    )
                    .values(status=status, answer=answer)
                )
            ):
                raise Problem(409, BUSY)
    except BaseException:
        with hub.unit() as unit:
            unit.session.exec(
                delete(IdempotencyRow).where(
                    col(IdempotencyRow.id) == reserved,
                    col(IdempotencyRow.business_id) == business_id,
                    col(IdempotencyRow.status).is_(None),
                )
            )
        raise
    return status, answer


def _reserve(hub: Hub, row: IdempotencyRow) -> Answer | None:
    """``None`` when the key is now ours; else the answer given before."""
    try:
        with hub.unit() as unit:
            known = unit.session.exec(
                select(IdempotencyRow).where(
                    IdempotencyRow.business_id == row.business_id, IdempotencyRow.key == row.key
                )
            ).one_or_none()
            if known is not None:
                age = datetime.now(UTC) - known.at
                if age < (WORKED_ON if known.status is None else KEPT):
                    return _answer(known, row.request_hash)
                unit.session.delete(known)
                unit.session.flush()
            unit.session.add(row)
    except IntegrityError:
        raise Problem(409, BUSY, headers={"Retry-After": "1"}) from None
    return None


def _answer(known: IdempotencyRow, request_hash: str) -> Answer:
    if known.request_hash != request_hash:
        raise Problem(422, "This Idempotency-Key was used for a different request.")
    if known.status is None:
        raise Problem(409, BUSY, headers={"Retry-After": "1"})
    return known.status, known.answer

"""The breaks a driver says he has: worked out anew from all his acts, kept with his shift."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from hub.core.breaks_had import BEGINS, ENDS, Had, breaks_had
from hub.core.events import BreakBegan, BreakEnded
from hub.db.tables import ActRow, DeviceRow, ShiftRow
from hub.db.unit import Unit
from hub.flows.states import FENCE, TAKEN_BACK

AROUND = timedelta(hours=6)
"""A shift that began early or ran late by less has its acts here too."""
WORK = frozenset({"load", "head_for", "arrive", "close", "take_over", "end_shift"})
"""Who does this rests no longer, also if he forgot to say so."""
SAYS_OF_BREAKS = frozenset({BEGINS, ENDS, *WORK})


def breaks_of(shift: ShiftRow) -> tuple[Had, ...]:
    """In their order. Once the shift has ended none is under way."""
    found = [
        Had(datetime.fromisoformat(since), datetime.fromisoformat(until) if until else None)
        for since, until in shift.had
    ]
    return tuple(
        Had(one.since, max(one.since, shift.ended_at))
        if one.until is None and shift.ended_at
        else one
        for one in found
    )


def settle_breaks(unit: Unit, shift: ShiftRow, kind: str, now: datetime, actor: str) -> None:
    """After an act of ``kind``, one of ``SAYS_OF_BREAKS``, by the driver of ``shift``: what it says
    of his breaks is kept and announced. The same whatever order the acts come in. Safe to repeat.
    """
    if kind in WORK and not shift.had:
        return  # who never said that he rests, as most do not
    was, had = breaks_of(shift), breaks_had(_said(unit.session, shift))
    shift.had = [[one.since.isoformat(), one.until and one.until.isoformat()] for one in had]
    unit.session.flush()
    for event, at in _news(was, breaks_of(shift)):
        unit.announce(
            event(
                business_id=shift.business_id,
                subject_kind="shift",
                subject_id=shift.id,
                occurred_at=at,
                received_at=now,
                actor=actor,
                driver_id=shift.driver_id,
            )
        )


def _said(session: Session, shift: ShiftRow) -> Iterator[tuple[datetime, str]]:
    rows = session.exec(
        select(ActRow)
        .join(DeviceRow, col(DeviceRow.id) == col(ActRow.device_id))
        .where(
            ActRow.business_id == shift.business_id,
            DeviceRow.driver_id == shift.driver_id,
            col(ActRow.kind).in_(SAYS_OF_BREAKS),
            col(ActRow.result) != "refused",
            col(ActRow.why) != TAKEN_BACK,
            ActRow.occurred_at >= shift.starts_at - AROUND,
            ActRow.occurred_at <= shift.ends_at + AROUND,
        )
        .order_by(col(ActRow.occurred_at), col(ActRow.act_id))
    )
    for act in rows:
        if not act.act_id.startswith(FENCE):
            yield min(act.occurred_at, act.received_at), act.kind  # a clock may run ahead


def _news(
    was: tuple[Had, ...], had: tuple[Had, ...]
) -> Iterator[tuple[type[BreakBegan] | type[BreakEnded], datetime]]:
    began, ended = {one.since for one in was}, {one.until for one in was}
    for one in had:
        if one.since not in began:
            yield BreakBegan, one.since
        if one.until is not None and one.until not in ended:
            yield BreakEnded, one.until

"""The breaks a driver says he has: worked out anew from all his acts, kept with his shifts.

A break is its driver's, whatever route he had open when he tapped. So it is kept with each of his
shifts that was under way when it began: with both while he drives two at once, and not with the
evening's what he had in the morning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
SAYS_OF_BREAKS = frozenset({BEGINS, ENDS, "start_shift", *WORK})


def breaks_of(shift: ShiftRow) -> tuple[Had, ...]:
    """In their order. Once the shift has ended none is under way."""
    return tuple(
        Had(datetime.fromisoformat(since), datetime.fromisoformat(until) if until else None)
        for since, until in shift.had
    )


def settle_breaks(
    unit: Unit,
    business_id: str,
    driver_id: str,
    kind: str,
    at: datetime,
    now: datetime,
    actor: str,
) -> None:
    """After an act of ``kind``, one of ``SAYS_OF_BREAKS``, that happened ``at``: what it says of
    the driver's breaks is kept and announced. The same whatever order the acts come in. Safe to
    repeat.
    """
    shifts = unit.session.exec(
        select(ShiftRow)
        .where(
            ShiftRow.business_id == business_id,
            ShiftRow.driver_id == driver_id,
            ShiftRow.starts_at <= at + AROUND,
            ShiftRow.ends_at >= at - AROUND,
        )
        .order_by(col(ShiftRow.starts_at))
    ).all()
    if kind in WORK and not any(shift.had for shift in shifts):
        return  # who never said that he rests, as most do not
    for shift in shifts:
        _settle(unit, shift, now, actor)


def _settle(unit: Unit, shift: ShiftRow, now: datetime, actor: str) -> None:
    was, had = breaks_of(shift), _within(shift, breaks_had(_said(unit.session, shift)))
    if had == was:
        return
    shift.had = [[one.since.isoformat(), one.until and one.until.isoformat()] for one in had]
    unit.session.flush()
    for event, at in _news(was, had):
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


def _within(shift: ShiftRow, had: Sequence[Had]) -> tuple[Had, ...]:
    """Those that began while ``shift`` was under way, and ended with it at the latest."""
    begins, ends = shift.began_at, shift.ended_at
    if begins is None:
        return ()
    mine = [one for one in had if begins <= one.since and (ends is None or one.since < ends)]
    if ends is None:
        return tuple(mine)
    return tuple(Had(one.since, min(one.until or ends, ends)) for one in mine)


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
    is_had = {one.since for one in had}
    for one in was:
        if one.until is None and one.since not in is_had:
            yield BreakEnded, one.since  # it was a slip of the finger, and was told already

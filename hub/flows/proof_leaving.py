"""Taking a file out of its store, so that nobody is left with a row and no bytes.

First a mark in the database, then the store; the mark stays for an hour more. Whoever brought the
same bytes before they had gone sees it in the unit of his row, and brings them again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING

from sqlmodel import col, delete, select

from hub.core.contracts import Kept
from hub.core.errors import ConfigError, HubError
from hub.db.tables import LeavingRow, ProofFileRow
from hub.db.unit import Unit
from hub.flows.chain import lock_chain
from hub.flows.choices import choices
from hub.flows.proof_store import DEFAULT, KIND, store_of

if TYPE_CHECKING:
    from hub.app import Hub

AT_ONCE = 200
DIED = timedelta(hours=1)
"""No store takes as long to remove a file, or to take one: whoever began is no more."""


def take_away(hub: Hub, business_id: str, store: str, ref: str, *, but: str = "") -> None:
    """Remove ``ref`` from its store unless a file, of any business, lies in the same bytes.

    ``but``: the id of a file that does not count. Safe to repeat; raises the store's errors.
    """
    now = datetime.now(UTC)  # a process dies in real time
    with hub.unit() as unit:
        lock_chain(unit, business_id)
        mark = _mark(unit, business_id, store, ref)
        if mark is not None and mark.gone_at is None and mark.since > now - DIED:
            return  # somebody else is at it
        if _is_used(unit, store, ref, but):
            if mark is not None and mark.gone_at is None:
                unit.session.delete(mark)
            return
        if mark is None:
            mark = LeavingRow(business_id=business_id, store=store, store_ref=ref, since=now)
            unit.session.add(mark)
        mark.since, mark.gone_at = now, None
    try:
        store_of(hub, business_id, store).delete(ref)
    finally:  # one that did not go, as far as we heard, may go yet
        with hub.unit() as unit:
            left = _mark(unit, business_id, store, ref)
            if left is not None and left.since == now:
                left.gone_at = datetime.now(UTC)


def finish(hub: Hub, business_id: str) -> None:
    """Take away what somebody died over, and forget what has long gone."""
    over = datetime.now(UTC) - DIED
    mine = (col(LeavingRow.business_id) == business_id,)
    with hub.unit() as unit:
        unit.session.exec(delete(LeavingRow).where(*mine, col(LeavingRow.gone_at) < over))
    with hub.reading() as session:
        died = (col(LeavingRow.gone_at).is_(None), LeavingRow.since < over)
        marks = session.exec(select(LeavingRow).where(*mine, *died)).all()
    for mark in marks:
        try:
            take_away(hub, business_id, mark.store, mark.store_ref)
        except HubError as problem:
            hub.tools.log.warning("proof was not removed from %s: %s", mark.store, problem)


def sweep_unknown(hub: Hub, business_id: str, before: datetime) -> int:
    """Remove what was put before then and no file knows of; how many.

    Such are left by a process that died between store and row, and by a move, whose copies stay
    as long as their file does.
    """
    swept = 0
    keys = {DEFAULT, *(row.plugin for row in choices(hub, business_id, KIND))}
    for key in sorted(keys):
        try:
            for kept in _unknown(hub, business_id, key, before):
                take_away(hub, business_id, key, kept.ref)
                swept += 1
        except HubError as problem:
            hub.tools.log.warning("proof store %s was not swept: %s", key, problem)
    return swept


def _unknown(hub: Hub, business_id: str, key: str, before: datetime) -> Iterator[Kept]:
    """What lies in the store and has the hash of no file of the business."""
    try:
        store = store_of(hub, business_id, key)
    except ConfigError:  # not installed, or no longer set up: nothing can be asked
        return
    for some in batched(store.kept(before), AT_ONCE):
        with hub.reading() as session:
            known = set(
                session.exec(
                    select(ProofFileRow.sha256).where(
                        ProofFileRow.business_id == business_id,
                        col(ProofFileRow.sha256).in_([one.sha256 for one in some]),
                    )
                )
            )
        yield from (one for one in some if one.sha256 not in known)


def _is_used(unit: Unit, store: str, ref: str, but: str) -> bool:
    """Older hubs kept the same bytes of several businesses once: so whoever's file it is."""
    used = select(ProofFileRow.id).where(
        ProofFileRow.store == store, ProofFileRow.store_ref == ref, ProofFileRow.id != but
    )
    return unit.session.exec(used.limit(1)).first() is not None


def _mark(unit: Unit, business_id: str, store: str, ref: str) -> LeavingRow | None:
    return unit.session.exec(
        select(LeavingRow).where(
            LeavingRow.business_id == business_id,
            LeavingRow.store == store,
            LeavingRow.store_ref == ref,
        )
    ).one_or_none()

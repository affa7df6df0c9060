"""A business's chain of evidence: add a link, and let go of what links commit to.

Each link is signed, and so is the head, which says how far the chain goes.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from sqlmodel import Session, col, select

from hub.core.proof import FIRST, chained, link_hash, signed
from hub.db.tables import ChainHeadRow, ChainRow
from hub.db.unit import Unit, one_at_a_time
from hub.keys import Keys

FORGOTTEN = "forgotten"
"""What a link that commits to nothing says instead: the numbers of the links let go of."""


def append(
    unit: Unit, keys: Keys, business_id: str, job_id: str, fields: dict[str, str], at: datetime
) -> ChainRow:
    """Add a link for ``fields`` within the unit that stores what they say."""
    salts = {name: secrets.token_hex(16) for name in fields}
    commitments = chained("", job_id, fields, salts).commitments
    return _add(unit, keys, business_id, job_id, commitments, salts, at)


def forget(
    unit: Unit, keys: Keys, business_id: str, job_id: str, at: datetime, *, file_id: str = ""
) -> None:
    """Erase the salts of a job's links; what they committed to can no longer be guessed.

    ``file_id``: only of the link about that file. A link of its own says which were let
    go of, so that salts somebody else emptied show. Safe to repeat.
    """
    lock_chain(unit, business_id)
    links = unit.session.exec(
        select(ChainRow)
        .where(ChainRow.business_id == business_id, ChainRow.job_id == job_id)
        .order_by(col(ChainRow.n))
    ).all()
    due = [
        link
        for link in links
        if link.salts and (not file_id or f"file {file_id}" in link.commitments)
    ]
    for link in due:
        link.salts = {}
    if due:
        said = {FORGOTTEN: ",".join(str(link.n) for link in due)}
        _add(unit, keys, business_id, job_id, said, {}, at)


def lock_chain(unit: Unit, business_id: str) -> None:
    """Make the writers of one chain wait for each other (SQLite has only one anyway).

    Not the usual FOR UPDATE: a caller that has already written rows of the business, or
    took this lock for its orders, must not deadlock.
    """
    one_at_a_time(unit.session, business_id, key_share=True)


def head_of(session: Session, business_id: str) -> ChainHeadRow | None:
    """The chain's head; ``None`` before its first signed link."""
    return session.exec(
        select(ChainHeadRow).where(ChainHeadRow.business_id == business_id)
    ).one_or_none()


def link_signature(keys: Keys, link: ChainRow) -> str:
    at = _utc(link.at)
    return signed(keys.evidence, "link", link.id, link.business_id, link.n, link.hash, at)


def head_signature(keys: Keys, head: ChainHeadRow) -> str:
    about = (head.id, head.business_id, head.n, head.hash, head.signed_from)
    return signed(keys.evidence, "head", *about)


def _add(
    unit: Unit,
    keys: Keys,
    business_id: str,
    job_id: str,
    commitments: dict[str, str],
    salts: dict[str, str],
    at: datetime,
) -> ChainRow:
    lock_chain(unit, business_id)
    n, previous, head = _end(unit.session, business_id)
    row = ChainRow(
        business_id=business_id,
        n=n,
        job_id=job_id,
        commitments=commitments,
        salts=salts,
        previous=previous,
        hash=link_hash(previous, job_id, commitments),
        at=at,
    )
    row.signature = link_signature(keys, row)
    if head is None:
        head = ChainHeadRow(
            business_id=business_id, n=n, hash=row.hash, signed_from=n, signature=""
        )
    head.n, head.hash = n, row.hash
    head.signature = head_signature(keys, head)
    unit.session.add_all((row, head))
    unit.session.flush()
    return row


def _end(session: Session, business_id: str) -> tuple[int, str, ChainHeadRow | None]:
    """The number of the next link, the hash it follows, and the head.

    It follows the head, not the last link there is, so that a hole stays a hole. Where
    somebody took the head away, a number is left out: that shows for ever.
    """
    if (head := head_of(session, business_id)) is not None:
        return head.n + 1, head.hash, head
    last = session.exec(
        select(ChainRow)
        .where(ChainRow.business_id == business_id)
        .order_by(col(ChainRow.n).desc())
        .limit(1)
    ).first()
    if last is None:
        return 1, FIRST, None
    return last.n + (2 if last.signature else 1), last.hash, None


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()

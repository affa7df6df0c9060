"""Bring a business's files from the stores they lie in to another one.

File by file: read and hashed, put, read back and hashed again, and only then does its row name
the new place, in one unit with a link of the chain that says so. Whoever is killed in between
goes on where he stopped; what he had already put is found there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING

from sqlmodel import col, select

from hub.core.contracts import PodStore
from hub.core.errors import HubError, Refused
from hub.db.tables import AuditRow, ProofFileRow
from hub.db.unit import forbid_open_unit
from hub.flows.chain import append, lock_chain
from hub.flows.proof_leaving import take_away
from hub.flows.proof_store import Stores, put_into, still_there
from hub.flows.sealed import file_fields

if TYPE_CHECKING:
    from hub.app import Hub

AT_ONCE = 200
IN_MEMORY = 4_000_000  # a photo; what is larger waits on disk


@dataclass
class MoveReport:
    """``problems``: a sentence for each file that stayed where it was, and still counts there."""

    moved: int = 0
    removed: int = 0
    problems: list[str] = field(default_factory=list)


def move_proof(
    hub: Hub,
    business_id: str,
    to: str,
    *,
    remove: bool = False,
    actor: str,
    progress: Callable[[MoveReport], None] = lambda report: None,
) -> MoveReport:
    """Every file of the business that does not lie in the store ``to`` is brought there.

    Old bytes stay until their proof's time is over, or with ``remove`` until the file's row
    names the new place. Safe to repeat. Raises ``ConfigError`` if ``to`` does not work at all.
    """
    forbid_open_unit("moving proof")
    stores = Stores(hub, business_id)
    stores.opened(to)[1].check()
    report = MoveReport()
    for file in _elsewhere(hub, business_id, to):
        try:
            is_moved = _move_one(hub, file, to, stores)
        except (KeyError, HubError) as problem:
            why = "it is missing from its store" if isinstance(problem, KeyError) else problem
            report.problems.append(f"file {file.id} of job {file.job_id} was not moved: {why}")
            continue
        report.moved += is_moved
        if remove and is_moved:
            report.removed += _remove_old(hub, file, report)
        progress(report)
    with hub.unit() as unit:
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action="pod_store moved",
                subject=f"{report.moved} files to {to}",
                at=hub.now(),
            )
        )
    return report


def _elsewhere(hub: Hub, business_id: str, to: str) -> Iterator[ProofFileRow]:
    after = ""
    while True:
        with hub.reading() as session:
            some = session.exec(
                select(ProofFileRow)
                .where(
                    ProofFileRow.business_id == business_id,
                    ProofFileRow.store != to,
                    ProofFileRow.id > after,
                )
                .order_by(col(ProofFileRow.id))
                .limit(AT_ONCE)
            ).all()
        if not some:
            return
        yield from some
        after = some[-1].id


def _move_one(hub: Hub, file: ProofFileRow, to: str, stores: Stores) -> bool:
    """Whether it lies there now; ``False`` if it was let go of, or moved, meanwhile."""
    business_id = file.business_id
    _, source = stores.opened(file.store)
    with SpooledTemporaryFile(max_size=IN_MEMORY) as copy:
        _demand(source, file.store_ref, file.sha256, copy)
        about = {"media_type": file.media_type, "sha256": file.sha256}
        there = put_into(stores, to, copy, **about)  # type: ignore[arg-type]
    _demand(stores.opened(to)[1], there.ref, file.sha256)
    with hub.unit() as unit:
        lock_chain(unit, business_id)
        row = unit.session.exec(
            select(ProofFileRow).where(
                ProofFileRow.business_id == business_id, ProofFileRow.id == file.id
            )
        ).one_or_none()
        if row is None or (row.store, row.store_ref) != (file.store, file.store_ref):
            return False
        still_there(unit, business_id, there)
        row.store, row.store_ref = there.store, there.ref
        unit.session.flush()
        append(unit, hub.keys, business_id, row.job_id, file_fields(row), hub.now())
    return True


def _demand(store: PodStore, ref: str, sha256: str, copy: IO[bytes] | None = None) -> None:
    """Raises ``Refused`` unless what lies there has this hash; it is written to ``copy``."""
    digest = hashlib.sha256()
    for part in store.parts(ref):
        digest.update(part)
        if copy is not None:
            copy.write(part)
    if digest.hexdigest() != sha256:
        raise Refused("It was changed since it was stored.")


def _remove_old(hub: Hub, file: ProofFileRow, report: MoveReport) -> bool:
    try:
        take_away(hub, file.business_id, file.store, file.store_ref)
    except HubError as problem:
        report.problems.append(f"the old copy of file {file.id} was not removed: {problem}")
        return False
    return True

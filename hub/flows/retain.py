"""Let go, once an hour, of what was kept long enough. Small units, safe to repeat.

Proof goes in two steps. First its names, notes, positions and the salts that tied them
to the chain, in one unit; then its files, each removed from its store before its row,
so that a crash in between leaves a row that finds the file again next time. The chain
itself stays and still verifies: a signed link says which were let go of. What phones said
that became no proof goes at the same age. Once a day stores are asked for what no row knows of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, String, cast
from sqlmodel import SQLModel, col, delete, func, select, update

from hub.core.business import BusinessSettings
from hub.core.errors import HubError
from hub.db.tables import (
    ActRow,
    AttemptLogRow,
    BusinessRow,
    IdempotencyRow,
    ImportRow,
    ImprovementRow,
    LogInRow,
    ProofFileRow,
    ProofRow,
    SeenCallRow,
    ThrottleRow,
    WebhookRow,
)
from hub.db.unit import Unit
from hub.flows.asked_let_go import let_go
from hub.flows.claims import LEFT, OPEN
from hub.flows.errands import let_needless_go
from hub.flows.proof_leaving import finish, sweep_unknown, take_away
from hub.flows.prove import forget, lock_chain
from hub.flows.travel_asked import known_travel
from hub.flows.wishes_kept import forget_said
from hub.storage import sweep

if TYPE_CHECKING:
    from hub.app import Hub

AT_ONCE = 200  # rows in one unit: a phone's act waits for a tenth of a second, not for a minute
ANSWERS = timedelta(hours=24)  # what the API promises for Idempotency-Key
THROTTLES = timedelta(days=1)
LOG_INS = timedelta(days=30)  # since last seen; a session lives 14 days at most
CALLS = timedelta(days=30)  # a webhook repeated later is news again, and harmless
UPLOADS = timedelta(days=30)
WEBHOOKS = timedelta(days=30)  # delivered or dead; so long a dead letter can be sent again
SWEPT_AT_HOUR = 2  # UTC; a store is asked for all it holds, which need not be each hour
UNKNOWN = timedelta(days=1)  # in a store, before it is taken to be nobody's
SEARCHES = timedelta(days=7)  # for a better rest of a day that is long over
HALF_WRITTEN = timedelta(hours=1)  # no photo takes as long to write: whoever wrote it was killed


@dataclass
class RetainReport:
    rows: int = 0
    uploads: int = 0
    proofs: int = 0
    files: int = 0
    acts: int = 0
    half_written: int = 0
    unknown: int = 0


def retain(hub: Hub) -> RetainReport:
    """Everything that is due, for every business; what was let go of."""
    report = RetainReport()
    real = datetime.now(UTC)  # log-ins, throttles, answers and files on disk live by it
    report.rows += _sweep(hub, ThrottleRow, "key", col(ThrottleRow.since) < real - THROTTLES)
    report.rows += _sweep(hub, LogInRow, "id", col(LogInRow.seen_at) < real - LOG_INS)
    proofs = hub.settings.data_dir / "proof"  # where ``pod_disk`` writes
    report.rows += known_travel(hub).forget(hub.now())
    report.half_written = sweep(proofs, (real - HALF_WRITTEN).timestamp())
    with hub.reading() as session:
        businesses = session.exec(select(BusinessRow).order_by(BusinessRow.id)).all()
    for business in businesses:
        _retain_one(hub, business, real, report)
    return report


def _retain_one(hub: Hub, business: BusinessRow, real: datetime, report: RetainReport) -> None:
    now, id_ = hub.now(), business.id
    let_needless_go(hub, id_)
    settings = BusinessSettings.model_validate(business.settings)
    fixes, proofs = (now - timedelta(days=d) for d in (settings.fixes_days, settings.proof_days))
    answers, calls = col(IdempotencyRow.at) < real - ANSWERS, col(SeenCallRow.at) < now - CALLS
    for table, due in ((IdempotencyRow, answers), (SeenCallRow, calls)):
        report.rows += _sweep(hub, table, "id", col(table.business_id) == id_, due)
    old = col(ImprovementRow.created_at) < now - SEARCHES
    report.rows += _sweep(hub, ImprovementRow, "id", col(ImprovementRow.business_id) == id_, old)
    report.rows += _webhooks(hub, id_, now - WEBHOOKS)
    report.rows += hub.positions.forget(id_, int(fixes.timestamp() * 1000))
    report.uploads += _empty_uploads(hub, id_, now - UPLOADS)
    report.proofs += _forget_proofs(hub, id_, proofs)
    report.files += _remove_files(hub, id_, proofs)
    finish(hub, id_)
    if real.hour == SWEPT_AT_HOUR:
        report.unknown += sweep_unknown(hub, id_, real - UNKNOWN)
    shown = now - timedelta(days=settings.page_bare_days)
    report.rows += let_go(hub, id_, pages=shown, proofs=proofs)
    report.acts += _empty_acts(hub, id_, proofs)
    report.rows += forget_said(hub, id_, proofs)


def _sweep(hub: Hub, table: type[SQLModel], key: str, *due: ColumnElement[bool]) -> int:
    """Delete the rows for which all of ``due`` holds, some at a time."""
    column = col(getattr(table, key))

    def some(unit: Unit) -> int:
        keys = unit.session.exec(select(column).where(*due).limit(AT_ONCE)).all()
        if keys:
            unit.session.exec(delete(table).where(*due, column.in_(keys)))
        return len(keys)

    return _until_none(hub, some)


def _webhooks(hub: Hub, business_id: str, before: datetime) -> int:
    """What was sent, with its attempts. What still waits stays."""
    due = (
        col(WebhookRow.business_id) == business_id,
        col(WebhookRow.settled_at) < before,
        col(WebhookRow.state) != "due",
    )

    def some(unit: Unit) -> int:
        ids = unit.session.exec(select(WebhookRow.id).where(*due).limit(AT_ONCE)).all()
        if ids:
            mine = col(AttemptLogRow.business_id) == business_id
            of_these = col(AttemptLogRow.webhook_id).in_(ids)
            unit.session.exec(delete(AttemptLogRow).where(mine, of_these))
            unit.session.exec(delete(WebhookRow).where(*due, col(WebhookRow.id).in_(ids)))
        return len(ids)

    return _until_none(hub, some)


def _empty_uploads(hub: Hub, business_id: str, before: datetime) -> int:
    """The file goes; that it came in, and what became of it, stays."""
    due = (
        col(ImportRow.business_id) == business_id,
        col(ImportRow.at) < before,
        func.length(ImportRow.content) > 0,
    )

    def some(unit: Unit) -> int:
        ids = unit.session.exec(select(ImportRow.id).where(*due).limit(AT_ONCE)).all()
        if ids:
            unit.session.exec(
                update(ImportRow).where(*due, col(ImportRow.id).in_(ids)).values(content=b"")
            )
        return len(ids)

    return _until_none(hub, some)


def _forget_proofs(hub: Hub, business_id: str, before: datetime) -> int:
    """Erase proofs and what ties them to persons; their files are orphans after this."""

    def some(unit: Unit) -> int:
        lock_chain(unit, business_id)
        due = unit.session.exec(
            select(ProofRow)
            .where(ProofRow.business_id == business_id, ProofRow.received_at < before)
            .limit(AT_ONCE)
        ).all()
        for proof in due:
            _forget_job(hub, unit, business_id, proof.job_id)
            unit.session.delete(proof)
        return len(due)

    return _until_none(hub, some)


def _forget_job(hub: Hub, unit: Unit, business_id: str, job_id: str) -> None:
    forget(unit, hub.keys, business_id, job_id, hub.now())
    for act in unit.session.exec(
        select(ActRow).where(ActRow.business_id == business_id, ActRow.job_id == job_id)
    ):
        act.body = {}  # the phone's own words hold the same name, note and place
    for file in unit.session.exec(
        select(ProofFileRow).where(
            ProofFileRow.business_id == business_id, ProofFileRow.job_id == job_id
        )
    ):
        file.proof_id = None
    unit.session.flush()


def _empty_acts(hub: Hub, business_id: str, before: datetime) -> int:
    """What phones said that became no proof goes too: refused, overtaken, not believed.

    That the act came stays. A claim nobody decided can no longer be taken: it is left.
    """
    due = (
        col(ActRow.business_id) == business_id,
        col(ActRow.received_at) < before,
        cast(ActRow.body, String) != "{}",
    )

    def some(unit: Unit) -> int:
        acts = unit.session.exec(select(ActRow).where(*due).limit(AT_ONCE)).all()
        for act in acts:
            act.body = {}
            act.decision = LEFT if act.decision == OPEN else act.decision
        return len(acts)

    return _until_none(hub, some)


def _remove_files(hub: Hub, business_id: str, before: datetime) -> int:
    """Remove orphaned files; one whose store does not answer waits for the next hour."""
    removed = 0
    for file in _orphans(hub, business_id, before):
        with hub.unit() as unit:
            forget(unit, hub.keys, business_id, file.job_id, hub.now(), file_id=file.id)
        try:
            take_away(hub, business_id, file.store, file.store_ref, but=file.id)
        except HubError as problem:
            hub.tools.log.warning("proof file=%s was not removed: %s", file.id, problem)
            continue
        with hub.unit() as unit:
            unit.session.exec(
                delete(ProofFileRow).where(
                    col(ProofFileRow.business_id) == business_id, col(ProofFileRow.id) == file.id
                )
            )
        removed += 1
    return removed


def _orphans(hub: Hub, business_id: str, before: datetime) -> Iterator[ProofFileRow]:
    after = ""
    while True:
        with hub.reading() as session:
            some = session.exec(
                select(ProofFileRow)
                .where(
                    ProofFileRow.business_id == business_id,
                    col(ProofFileRow.proof_id).is_(None),
                    ProofFileRow.received_at < before,
                    ProofFileRow.id > after,
                )
                .order_by(col(ProofFileRow.id))
                .limit(AT_ONCE)
            ).all()
        if not some:
            return
        yield from some
        after = some[-1].id


def _until_none(hub: Hub, some: Callable[[Unit], int]) -> int:
    total = 0
    while True:
        with hub.unit() as unit:
            done = some(unit)
        total += done
        if done < AT_ONCE:
            return total

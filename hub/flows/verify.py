"""Find what was changed, added or taken away in a business's evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core.errors import HubError, Refused
from hub.core.jobs import Outcome, State
from hub.core.proof import FIRST, changed_fields, link_hash, names
from hub.db.tables import ChainHeadRow, ChainRow, JobRow, ProofFileRow, ProofRow
from hub.flows.chain import (
    FORGOTTEN,
    head_of,
    head_signature,
    link_signature,
)
from hub.flows.proof_store import Stores, content_of
from hub.flows.sealed import (
    Asked,
    asked_of,
    file_fields,
    has_proof,
    in_force,
    job_fields,
    proof_fields,
)
from hub.keys import Keys

if TYPE_CHECKING:
    from hub.app import Hub


def verify(hub: Hub, business_id: str) -> list[str]:
    """One sentence for each thing that is not as it was sealed; empty when all is well."""
    with hub.reading() as session:
        kept = _Kept.read(session, business_id)
    found = [*kept.chain(hub.keys), *kept.values(), *kept.covered()]
    stores = Stores(hub, business_id)
    problems = (_file_problem(hub, file, stores) for file in kept.files)
    return found + [problem for problem in problems if problem]


@dataclass(frozen=True, slots=True)
class _Kept:
    """All evidence of a business, and the jobs it is about."""

    links: Sequence[ChainRow]
    head: ChainHeadRow | None
    jobs: dict[str, JobRow]
    proofs: dict[str, ProofRow]  # by job
    asked: dict[str, Asked]  # by job, of those with a proof
    files: Sequence[ProofFileRow]
    forgotten: frozenset[int]

    @classmethod
    def read(cls, session: Session, business_id: str) -> _Kept:
        links = session.exec(
            select(ChainRow).where(ChainRow.business_id == business_id).order_by(col(ChainRow.n))
        ).all()
        jobs = session.exec(
            select(JobRow).where(JobRow.business_id == business_id, JobRow.state == State.CLOSED)
        )
        proofs = session.exec(select(ProofRow).where(ProofRow.business_id == business_id))
        files = session.exec(
            select(ProofFileRow)
            .where(ProofFileRow.business_id == business_id)
            .order_by(col(ProofFileRow.id))
        ).all()
        said = ",".join(link.commitments.get(FORGOTTEN, "") for link in links)
        return cls(
            links,
            head_of(session, business_id),
            {job.id: job for job in jobs},
            {proof.job_id: proof for proof in proofs},
            asked_of(session, business_id, has_proof(business_id)),
            files,
            frozenset(int(n) for n in said.split(",") if n.isdecimal()),
        )

    @property
    def signed_from(self) -> int:
        """The first link that has to be signed; older ones never were."""
        signed = [link.n for link in self.links if link.signature]
        if self.head is not None:
            signed.append(self.head.signed_from)
        return min(signed, default=len(self.links) + 1)

    def chain(self, keys: Keys) -> Iterator[str]:
        previous, older = FIRST, 0
        for n, link in enumerate(self.links, 1):
            if link.n != n or link.previous != previous:
                yield f"link {link.n}: does not follow the one before it"
            if link.hash != link_hash(link.previous, link.job_id, link.commitments):
                yield f"link {link.n}: its hash is wrong"
            if not link.signature and link.n < self.signed_from:
                older += 1
            elif link.signature != link_signature(keys, link):
                yield f"link {link.n}: its signature is wrong"
            previous = link.hash
        if older:
            yield f"{older} links are not signed (older than signing)"
        yield from self._head(keys)

    def _head(self, keys: Keys) -> Iterator[str]:
        last = self.links[-1] if self.links else None
        if self.head is None:
            if any(link.signature for link in self.links):
                yield "the signed head of the chain is missing"
        elif self.head.signature != head_signature(keys, self.head):
            yield "the signed head of the chain was changed"
        elif last is None or (last.n, last.hash) != (self.head.n, self.head.hash):
            there = f"link {last.n}" if last else "nothing"
            yield f"the chain does not end with link {self.head.n} as signed, but with {there}"

    def values(self) -> Iterator[str]:
        """What links commit to and is not what rows say now."""
        fields: dict[str, dict[str, str]] = {}
        for file in self.files:
            fields.setdefault(file.job_id, {}).update(file_fields(file))
        for job_id, proof in self.proofs.items():
            if (job := self.jobs.get(job_id)) is not None:
                about_job = job_fields(job, self.asked[job_id])
                fields.setdefault(job_id, {}).update(proof_fields(job, proof) | about_job)
        for link, promised in in_force(self.links):
            about = f"link {link.n}"
            let_go = link.n in self.forgotten or FORGOTTEN in link.commitments
            expected = set() if let_go else set(link.commitments)
            if link.salts.keys() - expected:
                yield f"{about}: has salts that were not its own"
            if expected - link.salts.keys() and (link.salts or link.n >= self.signed_from):
                yield f"{about}: its salts were erased, but nobody was forgotten"
            now = fields.get(link.job_id, {})
            for name in changed_fields(promised, link.salts, now):
                yield f"{about}: {name} of job {link.job_id} was changed"

    def covered(self) -> Iterator[str]:
        """What no link speaks for, and files that hang on a proof that does not name them."""
        live = [link for link in self.links if link.n not in self.forgotten]
        sealed = {link.job_id: link for link in live if "name" in link.commitments}
        for job_id in self.proofs:
            if job_id not in sealed:
                yield f"proof of job {job_id}: no link speaks for it"
        known = {name for link in self.links for name in link.commitments}
        for file in self.files:
            about = f"file {file.id} of job {file.job_id}"
            if f"file {file.id}" not in known:
                yield f"{about}: no link speaks for it"
            link, proof = sealed.get(file.job_id), self.proofs.get(file.job_id)
            if link is not None and "files" not in link.commitments:
                continue  # sealed before proofs named their files
            may_hang_on: set[str | None] = {None}
            if proof and names(proof.files, file.sha256):  # older hubs tied it as any kind
                may_hang_on.add(proof.id)
            if proof and names(proof.files, file.sha256, file.kind):
                may_hang_on.discard(None)
            if file.proof_id not in may_hang_on:
                yield f"{about}: belongs to another proof than the one that names it"
        linked = {link.job_id for link in self.links}
        for job in self.jobs.values():
            is_proven = job.outcome != Outcome.CANCELLED
            if is_proven and job.id not in linked and job.id not in self.proofs:
                yield f"job {job.id}: ended, but its proof and its links are gone"


def _file_problem(hub: Hub, file: ProofFileRow, stores: Stores) -> str:
    try:
        content_of(hub, file, stores)
    except KeyError:
        return f"file {file.id} of job {file.job_id}: is missing from its store ({file.store})"
    except Refused:
        return f"file {file.id} of job {file.job_id}: its content was changed"
    except HubError as problem:
        return f"file {file.id} of job {file.job_id}: cannot be read ({problem})"
    return ""

"""The files of a proof as they are now, and what of it is not as it was sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.core.errors import HubError, Refused
from hub.core.proof import changed_fields, link_hash
from hub.db.tables import ProofFileRow
from hub.flows.document.told import Told
from hub.flows.proof_store import WITHIN_S, Stores, content_of
from hub.flows.sealed import Asked, file_fields, in_force, job_fields, proof_fields
from hub.pdf.pod import Evidence

if TYPE_CHECKING:
    from hub.app import Hub


def evidence(hub: Hub, told: Told, *, hurries: bool) -> list[tuple[str, Evidence]]:
    """Each file with its kind: the stored ones, then those still on their way.

    ``hurries``: somebody waits for it.
    """
    links = {name: link.n for link in told.links for name in link.commitments}
    found: list[tuple[str, Evidence]] = []

    def add(kind: str, sha256: str, link: int | None, content: bytes, problem: str) -> None:
        number = sum(1 for known, _ in found if known == kind) + 1
        what = "Signature" if kind == "signature" else f"{kind.capitalize()} {number}"
        found.append((kind, Evidence(what, sha256, link, content, problem)))

    stores = Stores(hub, told.job.business_id, WITHIN_S if hurries else None)
    for file in (one for one in told.files if one.proof_id is not None):
        content, problem = _opened(hub, file, stores)
        add(file.kind, file.sha256, links.get(f"file {file.id}"), content, problem)
    stored = {file.sha256 for file in told.files}
    for named in told.named:
        if named.get("sha256", "") not in {"", *stored}:
            kind = named.get("kind", "document")
            add(kind, named["sha256"], None, b"", "Still on its way from the driver's phone.")
    return found


def _opened(hub: Hub, file: ProofFileRow, stores: Stores) -> tuple[bytes, str]:
    """The content, or what is wrong with it."""
    try:
        return content_of(hub, file, stores), ""
    except KeyError:
        return b"", "This file is missing from its store."
    except Refused:
        return b"", "This file was changed after it was sealed; it is not shown."
    except HubError as problem:
        return b"", f"This file cannot be read now: {problem}"


def warnings(told: Told) -> list[str]:
    """What of this job no longer is what its links in the chain committed to."""
    fields = {name: value for file in told.files for name, value in file_fields(file).items()}
    asked = Asked(told.order.number, told.lines, told.place.address if told.place else {})
    fields |= proof_fields(told.job, told.proof) | job_fields(told.job, asked)
    found = []
    for link, promised in in_force(told.links):
        if link.hash != link_hash(link.previous, link.job_id, link.commitments):
            found.append(f"Link {link.n} of the chain of evidence was changed after the fact.")
        if link.salts:
            changed = changed_fields(promised, link.salts, fields)
            names = ["a file" if "file " in name else name for name in changed]
            if names:
                found.append(f"Changed since link {link.n} was sealed: {', '.join(names)}.")
    return found

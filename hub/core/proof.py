"""What proof a hand-over needs, and the chain that shows it was not changed since.

Each field is committed to by a salted SHA-256; a link hashes its commitments and
the link before, and is signed with the operator's key. Forgetting a person means erasing
the salts: the chain still verifies, and nobody can guess a name back from its commitment.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from hub.core.business import Demand

FIRST = "0" * 64
"""What the first link of a chain calls its previous hash."""


@dataclass(frozen=True, slots=True)
class Link:
    commitments: dict[str, str]
    previous: str
    hash: str


def missing(demands: Iterable[str], given: Collection[str]) -> list[str]:
    """The demands not met, in their own order; empty when the proof is complete."""
    return [demand for demand in demands if demand not in given]


def given_by(
    *,
    name: str = "",
    note: str = "",
    pin_ok: bool | None = None,
    has_lines: bool = False,
    file_kinds: Collection[str] = (),
) -> set[Demand]:
    """Which demands these parts of a proof meet."""
    parts: dict[Demand, bool] = {
        "photo": "photo" in file_kinds,
        "signature": "signature" in file_kinds,
        "name": bool(name.strip()),
        "note": bool(note.strip()),
        "pin": pin_ok is True,
        "lines": has_lines,
    }
    return {demand for demand, is_there in parts.items() if is_there}


def names(files: object, sha256: str, kind: str = "") -> bool:
    """Whether an act's list of ``files`` names this one, as this ``kind`` where one is given.

    The list may be a stranger's.
    """
    listed = files if isinstance(files, list) else []
    same = [one for one in listed if isinstance(one, dict) and one.get("sha256") == sha256]
    return any(not kind or one.get("kind") == kind for one in same)


def chained(
    previous: str, job_id: str, fields: Mapping[str, str], salts: Mapping[str, str]
) -> Link:
    """The link after ``previous``. Raises ``KeyError`` for a field without a salt."""
    commitments = {name: commitment(salts[name], name, value) for name, value in fields.items()}
    return Link(commitments, previous, link_hash(previous, job_id, commitments))


def commitment(salt: str, name: str, value: str) -> str:
    return _sha256([salt, name, value])


def link_hash(previous: str, job_id: str, commitments: Mapping[str, str]) -> str:
    return _sha256([previous, job_id, dict(commitments)])


def signed(key: bytes, *parts: str | int) -> str:
    """HMAC-SHA256 over ``parts``, in hex: only who holds ``key`` can make it."""
    text = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
    return hmac.digest(key, text.encode(), "sha256").hex()


def changed_fields(
    commitments: Mapping[str, str], salts: Mapping[str, str], fields: Mapping[str, str]
) -> list[str]:
    """The committed fields that no longer say what they said; those without a salt are let go."""
    return [
        name
        for name, promised in commitments.items()
        if name in salts and promised != commitment(salts[name], name, fields.get(name, ""))
    ]


def _sha256(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()

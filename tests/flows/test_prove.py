"""Evidence that was tampered with is named; a person who was forgotten is not."""

from __future__ import annotations

from hashlib import sha256

import pytest
from sqlmodel import select

from hub.core.errors import Refused
from hub.db.tables import ChainRow, ProofFileRow, ProofRow
from hub.flows.drive import take_acts
from hub.flows.prove import forget, put_file, verify
from tests.driving_worlds import Morning, a_morning, act

PICTURE = b"a photo of a door"
HASH = sha256(PICTURE).hexdigest()


def a_delivery() -> Morning:
    day = a_morning(1)
    day.publish()
    job = day.jobs()[0]
    for _ in range(2):
        put_file(day.hub, day.business_id, job.id, "photo", "image/jpeg", PICTURE, HASH)
    [done] = take_acts(
        day.hub, day.phone(), [act("1", "close", job, 0, outcome="succeeded", name="Ana")]
    )
    assert done.result == "applied"
    return day


def test_a_file_sent_twice_is_kept_once_and_belongs_to_the_proof() -> None:
    day = a_delivery()
    with day.hub.reading() as session:
        file, proof = session.exec(select(ProofFileRow)).one(), session.exec(select(ProofRow)).one()
    assert file.proof_id == proof.id
    assert verify(day.hub, day.business_id) == []


def test_a_file_that_is_not_its_hash_is_refused() -> None:
    day = a_morning(1)
    with pytest.raises(Refused):
        put_file(day.hub, day.business_id, day.jobs()[0].id, "photo", "image/jpeg", b"x", HASH)


def test_a_changed_name_link_and_file_are_each_named() -> None:
    day = a_delivery()
    with day.hub.unit() as unit:
        unit.session.exec(select(ProofRow)).one().name = "Bob"
        first = unit.session.exec(select(ChainRow).where(ChainRow.n == 1)).one()
        first.hash = "f" * 64
    (day.hub.settings.data_dir / "proof" / HASH[:2] / HASH).write_bytes(b"another door")
    found = " ".join(verify(day.hub, day.business_id))
    assert "name of job" in found
    assert "link 1: its hash is wrong" in found
    assert "link 2: does not follow" in found
    assert "content was changed" in found


def test_a_forgotten_person_leaves_the_chain_whole() -> None:
    day = a_delivery()
    with day.hub.unit() as unit:
        forget(unit, day.business_id, day.jobs()[0].id)
        unit.session.exec(select(ProofRow)).one().name = ""
    assert verify(day.hub, day.business_id) == []

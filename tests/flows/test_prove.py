"""Evidence that was tampered with is named; a person who was forgotten is not."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import JSON, DateTime, Float, Integer, inspect
from sqlmodel import Session, SQLModel, select

from hub.core.errors import Refused
from hub.core.ids import new_id
from hub.core.proof import commitment, link_hash
from hub.db.tables import BusinessRow, ChainHeadRow, ChainRow, JobRow, ProofFileRow, ProofRow
from hub.flows.drive import take_acts
from hub.flows.prove import forget, put_file, verify
from tests.driving_worlds import Morning, a_morning, act

PICTURE = b"a photo of a door"
HASH = sha256(PICTURE).hexdigest()
X = sha256(b"x").hexdigest()
FILES = [{"kind": "photo", "sha256": HASH}]


def a_delivery() -> Morning:
    day = a_morning(1)
    day.publish()
    job = day.jobs()[0]
    for _ in range(2):
        put_file(day.hub, day.business_id, job.id, "photo", "image/jpeg", PICTURE, HASH)
    [done] = take_acts(
        day.hub,
        day.phone(),
        [act("1", "close", job, 0, outcome="succeeded", name="Ana", files=FILES)],
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
    (day.hub.settings.data_dir / "proof" / day.business_id / HASH[:2] / HASH).write_bytes(
        b"another door"
    )
    found = " ".join(verify(day.hub, day.business_id))
    assert "name of job" in found
    assert "link 1: its hash is wrong" in found
    assert "link 2: does not follow" in found
    assert "content was changed" in found


def test_a_forgotten_person_leaves_the_chain_whole() -> None:
    day = a_delivery()
    with day.hub.unit() as unit:
        forget(unit, day.hub.keys, day.business_id, day.jobs()[0].id, day.hub.now())
        unit.session.exec(select(ProofFileRow)).one().proof_id = None
        unit.session.flush()
        unit.session.delete(unit.session.exec(select(ProofRow)).one())
    assert verify(day.hub, day.business_id) == []


def found_after(day: Morning, tamper: Any) -> list[str]:
    """What verifying says while the rows are as ``tamper(session)`` left them; then undone."""
    keep: list[tuple[type[SQLModel], dict[str, Any]]] = []
    tables = (ProofRow, ProofFileRow, ChainRow, ChainHeadRow)
    with day.hub.reading() as session:
        for table in tables:
            keep += [(table, row.model_dump()) for row in session.exec(select(table))]
    with day.hub.unit() as unit:
        tamper(unit.session)
    found = verify(day.hub, day.business_id)
    with day.hub.unit() as unit:
        for file in unit.session.exec(select(ProofFileRow)):
            file.proof_id = None
        unit.session.flush()
        for table in reversed(tables):
            for row in unit.session.exec(select(table)):
                unit.session.delete(row)
            unit.session.flush()
        for table, values in keep:
            unit.session.add(table(**values))
            unit.session.flush()
    assert verify(day.hub, day.business_id) == []
    return found


COLUMNS = [
    (table, column.name)
    for table in (ProofRow, ProofFileRow, ChainRow, ChainHeadRow)
    for column in inspect(table).columns
]


def another(session: Session, table: type[SQLModel], name: str, value: Any) -> Any:
    """A value the column can hold and does not hold now."""
    if name == "business_id":
        return session.exec(select(BusinessRow.id).where(BusinessRow.id != value)).one()
    if name == "job_id":
        return session.exec(select(JobRow.id).where(JobRow.id != value)).first()
    if name == "proof_id":
        return None
    match inspect(table).columns[name].type:
        case Integer():
            return value + 7
        case Float():
            return (value or 0) + 0.25
        case JSON():
            return {**value, "x": "y"} if isinstance(value, dict) else [*value, {"x": "y"}]
    kind = inspect(table).columns[name].type
    if isinstance(getattr(kind, "impl", kind), DateTime):
        return value + timedelta(seconds=1)
    if value is None or isinstance(value, bool):
        return not value
    return new_id() if name == "id" else f"{value}x"[-len(value) or None :]


@pytest.fixture(scope="module")
def sealed() -> Morning:
    """A delivery with a photo in evidence, a job that is still open, and a neighbour."""
    from hub.flows.found import found

    day = a_morning(2)
    day.publish()
    found(day.hub, "Neighbours", zone="Europe/Helsinki")
    job = day.jobs()[0]
    put_file(day.hub, day.business_id, job.id, "photo", "image/jpeg", PICTURE, HASH)
    said = {"name": "Ana", "lat": 60.17, "lon": 24.94, "accuracy_m": 9.5, "position_age_s": 3.25}
    close = act("1", "close", job, 0, outcome="succeeded", files=FILES, **said)
    assert take_acts(day.hub, day.phone(), [close])[0].result == "applied"
    assert verify(day.hub, day.business_id) == []
    return day


@pytest.mark.parametrize(
    ("table", "name"), COLUMNS, ids=[f"{table.__tablename__}.{name}" for table, name in COLUMNS]
)
def test_whatever_column_of_the_evidence_is_changed_is_found(
    sealed: Morning, table: type[SQLModel], name: str
) -> None:
    with sealed.hub.reading() as session:
        count = len(session.exec(select(table)).all())
    for n in range(count):

        def change(session: Session, n: int = n) -> None:
            row = session.exec(select(table).order_by(table.id)).all()[n]  # type: ignore[attr-defined]
            new = another(session, table, name, getattr(row, name))
            if table is ProofRow and name == "id":
                session.exec(select(ProofFileRow)).one().proof_id = None
                session.flush()
            assert new != getattr(row, name)
            setattr(row, name, new)

        assert found_after(sealed, change), f"row {n}"


def without(*tables: type[SQLModel], last: bool = False) -> Any:
    def take_away(session: Session) -> None:
        session.exec(select(ProofFileRow)).one().proof_id = None
        session.flush()
        for table in tables:
            rows = session.exec(select(table).order_by(table.id)).all()  # type: ignore[attr-defined]
            for row in rows[-1:] if last else rows:
                session.delete(row)
            session.flush()

    return take_away


@pytest.mark.parametrize(
    "tables",
    [
        (ChainRow,),
        (ChainHeadRow,),
        (ChainRow, ChainHeadRow),
        (ProofRow,),
        (ProofFileRow,),
        (ProofRow, ProofFileRow, ChainRow),
        (ProofRow, ProofFileRow, ChainRow, ChainHeadRow),
    ],
    ids=lambda tables: "+".join(table.__tablename__ for table in tables),
)
def test_whatever_of_the_evidence_is_taken_away_is_missed(
    sealed: Morning, tables: tuple[type[SQLModel], ...]
) -> None:
    assert found_after(sealed, without(*tables))


def test_the_last_link_is_missed() -> None:
    day = a_delivery()
    with day.hub.unit() as unit:
        without(ChainRow, ProofRow, last=True)(unit.session)
    assert "does not end with link 2 as signed" in " ".join(verify(day.hub, day.business_id))
    put_file(day.hub, day.business_id, day.jobs()[0].id, "photo", "image/jpeg", b"x", X)
    assert "link 3: does not follow the one before it" in verify(day.hub, day.business_id)


def test_emptied_salts_are_no_forgetting(sealed: Morning) -> None:
    def empty(session: Session) -> None:
        for link in session.exec(select(ChainRow)):
            link.salts = {}
        session.exec(select(ProofRow)).one().name = "Mallory"

    said = "link 2: its salts were erased, but nobody was forgotten"
    assert said in found_after(sealed, empty)


def test_a_chain_written_anew_without_the_key_is_found(sealed: Morning) -> None:
    def forge(session: Session) -> None:
        link = session.exec(select(ChainRow).where(ChainRow.n == 2)).one()
        session.exec(select(ProofRow)).one().name = "Mallory"
        new = commitment(link.salts["name"], "name", "Mallory")
        link.commitments = {**link.commitments, "name": new}
        link.hash = link_hash(link.previous, link.job_id, link.commitments)
        session.exec(select(ChainHeadRow)).one().hash = link.hash

    assert found_after(sealed, forge) == [
        "link 2: its signature is wrong",
        "the signed head of the chain was changed",
    ]


def test_links_older_than_signing_are_told_from_forgeries() -> None:
    day = a_delivery()
    with day.hub.unit() as unit:
        for link in unit.session.exec(select(ChainRow)):
            link.signature = ""
        unit.session.delete(unit.session.exec(select(ChainHeadRow)).one())
    older = ["2 links are not signed (older than signing)"]
    assert verify(day.hub, day.business_id) == older
    job_id = day.jobs()[0].id
    put_file(day.hub, day.business_id, job_id, "photo", "image/jpeg", b"x", X)
    assert verify(day.hub, day.business_id) == older
    with day.hub.unit() as unit:
        unit.session.exec(select(ChainRow).where(ChainRow.n == 3)).one().signature = ""
    assert "link 3: its signature is wrong" in verify(day.hub, day.business_id)


def test_a_file_no_act_names_is_no_proof_and_one_that_comes_late_is() -> None:
    day = a_morning(1)
    day.publish()
    [job] = day.jobs()
    about = (day.hub, day.business_id, job.id, "photo", "image/jpeg")
    assert put_file(*about, b"x", X).proof_id is None
    close = act("1", "close", job, 0, outcome="succeeded", files=FILES)
    assert take_acts(day.hub, day.phone(), [close])[0].result == "applied"
    late = put_file(*about, PICTURE, HASH)
    with day.hub.reading() as session:
        tied = {f.sha256: f.proof_id for f in session.exec(select(ProofFileRow))}
    assert tied == {X: None, HASH: late.proof_id}
    assert late.proof_id is not None
    assert verify(day.hub, day.business_id) == []


def test_a_signature_named_as_a_photo_meets_no_demand_for_one() -> None:
    day = a_morning(1)
    day.publish()
    [job] = day.jobs()
    put_file(day.hub, day.business_id, job.id, "signature", "image/png", PICTURE, HASH)
    close = act("1", "close", job, 0, outcome="succeeded", files=FILES)
    [told] = take_acts(day.hub, day.phone(), [close])
    assert (told.result, told.why) == ("refused", "Proof is missing: photo.")


def test_one_file_named_twice_is_not_two_proofs() -> None:
    day = a_morning(1)
    demanding(day, "photo", "signature")
    day.publish()
    both = [*FILES, {"kind": "signature", "sha256": HASH}]
    close = act("1", "close", day.jobs()[0], 0, outcome="succeeded", files=both)
    [told] = take_acts(day.hub, day.phone(), [close])
    assert (told.result, told.why) == ("refused", "Proof is missing: photo.")


def test_a_file_that_comes_late_as_another_kind_than_named_is_refused() -> None:
    day = a_morning(1)
    day.publish()
    [job] = day.jobs()
    close = act("1", "close", job, 0, outcome="succeeded", files=FILES)
    assert take_acts(day.hub, day.phone(), [close])[0].result == "applied"
    with pytest.raises(Refused, match="something else than signature"):
        put_file(day.hub, day.business_id, job.id, "signature", "image/png", PICTURE, HASH)


def test_a_file_that_comes_again_as_another_kind_is_refused() -> None:
    day = a_delivery()
    job_id = day.jobs()[0].id
    with pytest.raises(Refused, match="here already, as photo and not as signature"):
        put_file(day.hub, day.business_id, job_id, "signature", "image/png", PICTURE, HASH)


def test_a_file_of_another_kind_than_named_is_not_tied_to_the_proof() -> None:
    day = a_morning(1)
    demanding(day)
    day.publish()
    [job] = day.jobs()
    put_file(day.hub, day.business_id, job.id, "signature", "image/png", PICTURE, HASH)
    close = act("1", "close", job, 0, outcome="succeeded", files=FILES)
    assert take_acts(day.hub, day.phone(), [close])[0].result == "applied"
    with day.hub.reading() as session:
        assert session.exec(select(ProofFileRow)).one().proof_id is None
    assert verify(day.hub, day.business_id) == []


def test_a_file_an_older_hub_tied_as_another_kind_is_no_forgery() -> None:
    day = a_morning(1)
    demanding(day)
    day.publish()
    [job] = day.jobs()
    put_file(day.hub, day.business_id, job.id, "signature", "image/png", PICTURE, HASH)
    take_acts(day.hub, day.phone(), [act("1", "close", job, 0, outcome="succeeded", files=FILES)])
    with day.hub.unit() as unit:
        proof = unit.session.exec(select(ProofRow)).one()
        unit.session.exec(select(ProofFileRow)).one().proof_id = proof.id
    assert verify(day.hub, day.business_id) == []


def demanding(day: Morning, *demands: str) -> None:
    with day.hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, day.business_id)
        business.settings = {**business.settings, "demands": list(demands)}


def test_a_photo_somebody_brought_meets_no_demand_unless_the_act_names_it() -> None:
    day = a_morning(1)
    day.publish()
    [job] = day.jobs()
    put_file(day.hub, day.business_id, job.id, "photo", "image/jpeg", PICTURE, HASH)
    [told] = take_acts(day.hub, day.phone(), [act("1", "close", job, 0, outcome="succeeded")])
    assert (told.result, told.why) == ("refused", "Proof is missing: photo.")

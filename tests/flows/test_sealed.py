"""A proof is sealed with what it was about: moved to something else, it shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel, col, select

from hub.core.values import Line
from hub.db.tables import BusinessRow, ChainRow, JobRow, LineRow, OrderRow, PlaceRow, ProofRow
from hub.flows.chain import append
from hub.flows.drive import take_acts
from hub.flows.prove import verify
from hub.flows.retain import retain
from hub.flows.sealed import proof_fields
from hub.flows.sync import order_report, store_all
from tests.driving_worlds import PHOTO, SIX, a_morning, act
from tests.tracking_worlds import Street, at_the_door, delivered

ABOUT: list[tuple[type[SQLModel], str]] = [
    *((JobRow, name) for name in ("attempt", "leg", "kind", "outcome", "place_id")),
    *((JobRow, name) for name in ("closed_at", "closed_occurred_at")),
    (OrderRow, "number"),
    (PlaceRow, "address"),
    *((LineRow, name) for name in ("n", "title", "sku", "barcode", "quantity", "weight_g")),
]


@pytest.fixture(scope="module")
def street() -> Street:
    return delivered()


@pytest.fixture
def amended() -> Street:
    """A loaf more, told after the hand-over."""
    street = delivered()
    reported(street, lines=(Line("Sourdough loaf", 3),))
    return street


def reported(street: Street, **changes: object) -> None:
    """The delivered order, as its source has it now."""
    row = street.order
    street.day.now[0] += timedelta(minutes=1)
    now = street.day.now[0]
    told = replace(order_report.validate_python(row.report), updated_at=now, **changes)  # type: ignore[arg-type]
    store_all(street.hub, street.business_id, row.connection_id, [told])


def links(street: Street) -> int:
    with street.hub.reading() as session:
        return len(session.exec(select(ChainRow)).all())


def of_the_job(street: Street, table: type[SQLModel]) -> Any:
    job, mine = street.job, select(table)
    match table.__tablename__:
        case "job":
            return mine.where(JobRow.id == job.id)
        case "order":
            return mine.where(OrderRow.id == job.order_id)
        case "place":
            return mine.where(PlaceRow.id == job.place_id)
    return mine.where(LineRow.order_id == job.order_id).order_by(col(LineRow.n).desc())


def another(name: str, value: Any, other: JobRow) -> Any:
    if name == "place_id":
        return other.place_id
    if isinstance(value, dict):
        return {**value, "lines": ["Elsewhere 1"]}
    if isinstance(value, str):
        return f"{value}x"
    return value + (timedelta(hours=-2) if name.startswith("closed") else 7)


@pytest.mark.parametrize(
    ("table", "name"), ABOUT, ids=[f"{table.__tablename__}.{name}" for table, name in ABOUT]
)
def test_whatever_a_proof_was_about_cannot_be_changed_unseen(
    street: Street, table: type[SQLModel], name: str
) -> None:
    query, other = of_the_job(street, table), street.job_at(1)
    assert verify(street.hub, street.business_id) == []
    with street.hub.unit() as unit:
        row = unit.session.exec(query).first()
        was = getattr(row, name)
        setattr(row, name, another(name, was, other))
    found = verify(street.hub, street.business_id)
    with street.hub.unit() as unit:
        setattr(unit.session.get_one(table, row.id), name, was)
    assert len(found) == 1
    assert "was changed" in found[0]


def test_a_proof_cannot_be_moved_to_another_order_unseen() -> None:
    street = delivered()
    job, other = street.job, street.job_at(1)
    with street.hub.unit() as unit:
        moved = unit.session.get_one(JobRow, job.id)
        moved.order_id, moved.attempt = other.order_id, 9
    found = " ".join(verify(street.hub, street.business_id))
    assert f"order of job {job.id} was changed" in found
    assert f"order_number of job {job.id} was changed" in found


def test_an_order_amended_after_its_delivery_is_no_forgery(database_url: str) -> None:
    day = a_morning(1, database_url)
    day.publish()
    [job] = day.jobs()
    close = act("1", "close", job, 0, outcome="succeeded", files=PHOTO)
    assert take_acts(day.hub, day.phone(), [close])[0].result == "applied"
    with day.hub.reading() as session:
        row = session.get_one(OrderRow, job.order_id)
    known = order_report.validate_python(row.report)
    told = replace(known, updated_at=SIX + timedelta(hours=9), number="R-1", lines=(Line("Loaf"),))
    store_all(day.hub, day.business_id, row.connection_id, [told])
    assert verify(day.hub, day.business_id) == []


def test_what_an_amendment_said_cannot_be_changed_unseen_either(amended: Street) -> None:
    job = amended.job
    with amended.hub.unit() as unit:
        line = unit.session.exec(select(LineRow).where(LineRow.order_id == job.order_id)).one()
        line.title = "Gold"
    [found] = verify(amended.hub, amended.business_id)
    assert found == f"link {links(amended)}: order_lines of job {job.id} was changed"


def test_an_amendment_that_touches_nothing_sealed_adds_no_link(amended: Street) -> None:
    before = links(amended)
    reported(amended, tags=("vip",))
    assert links(amended) == before


def test_a_delivered_order_that_is_cancelled_under_another_number_is_no_forgery() -> None:
    street = delivered()
    order_id = street.order.id
    reported(street, status="cancelled", number="R-1")
    with street.hub.reading() as session:
        assert session.get_one(OrderRow, order_id).number == "R-1"
    assert verify(street.hub, street.business_id) == []


def test_an_amended_order_is_forgotten_with_its_proof(amended: Street) -> None:
    with amended.hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, amended.business_id)
        business.settings = {**business.settings, "proof_days": 30}
    amended.day.now[0] += timedelta(days=31)
    retain(amended.hub)
    with amended.hub.reading() as session:
        assert all(link.salts == {} for link in session.exec(select(ChainRow)))
    reported(amended, lines=(Line("Rye bread"),))
    assert verify(amended.hub, amended.business_id) == []


def test_a_proof_sealed_without_what_it_was_about_still_verifies() -> None:
    street = at_the_door()
    with street.hub.unit() as unit:
        job = unit.session.get_one(JobRow, street.job.id)
        job.state, job.outcome = "closed", "succeeded"
        job.closed_at = job.closed_occurred_at = at = street.hub.now()
        about = {"business_id": job.business_id, "job_id": job.id}
        proof = ProofRow(**about, name="Anna", occurred_at=at, received_at=at)
        unit.session.add(proof)
        unit.session.flush()
        fields = proof_fields(job, proof)
        append(unit, street.hub.keys, job.business_id, job.id, fields, at)
    assert verify(street.hub, street.business_id) == []
    reported(street, number="R-1")
    assert verify(street.hub, street.business_id) == []

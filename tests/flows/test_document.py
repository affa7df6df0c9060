"""The document says what happened at the door, in words, and what can no longer be shown."""

from __future__ import annotations

import io
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader
from sqlmodel import select

from hub.app import Hub
from hub.core.visibility import Reader
from hub.db.tables import BrandRow, ContactRow, JobRow, LineRow, ProofRow
from hub.flows.document import pod_pdf
from hub.flows.drive import take_acts
from hub.flows.found import found
from hub.flows.prove import forget, put_file
from tests.driving_worlds import TEN, Morning, a_morning, act


def a_picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (1600, 1200), colour).save(file, "JPEG")
    return file.getvalue()


def picture_of(day: Morning, job: JobRow, content: bytes, kind: str = "photo") -> str:
    known_by = sha256(content).hexdigest()
    put_file(day.hub, day.business_id, job.id, kind, "image/jpeg", content, known_by)
    return known_by


def a_day_to_close(kind: str = "deliver") -> tuple[Morning, JobRow]:
    """One job on the road at half past ten, for Anna, of two loaves and a rye."""
    day = a_morning(1)
    [job] = day.jobs()
    with day.hub.unit() as unit:
        unit.session.get_one(JobRow, job.id).kind = kind
        about = {"business_id": day.business_id, "order_id": job.order_id}
        unit.session.add(ContactRow(**about, role="recipient", name="Anna Frick"))
        unit.session.add(LineRow(**about, n=0, title="Sourdough", quantity=2))
        unit.session.add(LineRow(**about, n=1, title="Rye", quantity=1))
    day.publish()
    day.now[0] = TEN + timedelta(minutes=30)
    return day, job


def closed(day: Morning, job: JobRow, **body: object) -> str:
    """The words of the document after the driver closed the job at 10:12."""
    body = {"outcome": "succeeded", "name": "Anna F.", "note": "By hand."} | body
    if body["outcome"] in ("succeeded", "partial"):
        named = {"kind": "photo", "sha256": picture_of(day, job, a_picture("red"))}
        body["files"] = [named, *body.get("files", [])]  # type: ignore[misc]
    [told] = take_acts(day.hub, day.phone(), [act("1", "close", job, 12, **body)])
    assert told.result == "applied", told.why
    return text(day, job)


def text(day: Morning, job: JobRow, *, reader: Reader | None = None) -> str:
    pdf = pod_pdf(day.hub, day.business_id, job.id, reader=reader)
    reader = PdfReader(io.BytesIO(pdf))
    return " ".join(" ".join(page.extract_text().split()) for page in reader.pages)


def test_a_delivery_says_who_what_when_and_where() -> None:
    day, job = a_day_to_close()
    said = closed(day, job, lat=60.1722, lon=24.9400, accuracy_m=14)
    for words in ("Proof of delivery", "Delivered", "Anna Frick", "Anna F.", "Yrjönkatu 1"):
        assert words in said
    assert "Monday 23 November 2026, 10:12:00" in said
    assert "Europe/Helsinki" in said
    assert "60.17220, 24.94000 ± 14 m, 22 m from the address" in said
    assert "Mara" in said
    assert "This proof is link 2 of Husk" in said
    assert f"hub verify {day.business_id}" in said
    assert "Page 1 of 1" in said


def test_each_file_stands_with_its_fingerprint_and_link() -> None:
    day, job = a_day_to_close()
    known_by = picture_of(day, job, a_picture("blue"), "signature")
    unnamed = picture_of(day, job, a_picture("green"))
    said = closed(day, job, files=[{"kind": "signature", "sha256": known_by}])
    assert unnamed not in said
    assert known_by in said
    assert sha256(a_picture("red")).hexdigest() in said
    assert "link 1" in said
    assert "link 3" in said  # the second is the picture's that nobody named


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("collect", {}, ("Collection", "Collected", "Handed over by")),
        ("serve", {}, ("Service visit", "Done")),
        (
            "deliver",
            {"outcome": "failed", "reason": "nobody_home"},
            ("Delivery attempt", "Could not deliver: nobody was home"),
        ),
        (
            "collect",
            {"outcome": "failed", "reason": "closed"},
            ("Collection", "Could not collect: it was closed"),
        ),
        (
            "serve",
            {"outcome": "skipped", "reason": "no_time"},
            ("Service visit", "Not attempted: there was no time left"),
        ),
    ],
)
def test_every_kind_and_ending_reads_right(
    kind: str, body: dict[str, object], words: tuple[str, str]
) -> None:
    day, job = a_day_to_close(kind)
    said = closed(day, job, **body)
    assert all(word in said for word in words)
    assert "Proof of delivery" not in said


def test_what_was_handed_over_in_part_is_counted_and_what_nobody_counted_is_not_made_up() -> None:
    day, job = a_day_to_close()
    lines = [{"n": 0, "title": "Sourdough", "ordered": 2, "delivered": 1, "reason": "damaged"}]
    said = closed(day, job, outcome="partial", lines=lines)
    assert "Delivered in part" in said
    assert "Sourdough 2 1 the goods were damaged" in said
    assert "Rye 1 –" in said


def test_a_phone_that_knew_no_place_says_why() -> None:
    day, job = a_day_to_close()
    assert "none: GPS was off" in closed(day, job, no_position="GPS was off")


def test_a_lost_a_changed_and_a_late_file_are_said_and_do_not_stop_the_document() -> None:
    day, job = a_day_to_close()
    lost, changed = (picture_of(day, job, a_picture(colour)) for colour in ("blue", "green"))
    proofs: Path = day.hub.settings.data_dir / "proof" / day.business_id
    (proofs / lost[:2] / lost).unlink()
    (proofs / changed[:2] / changed).write_bytes(a_picture("white"))
    named = [{"kind": "photo", "sha256": one} for one in (lost, changed, "c" * 64)]
    said = closed(day, job, files=named)
    assert "missing from its store" in said
    assert "changed after it was sealed" in said
    assert "Still on its way" in said
    assert "c" * 64 in said


def test_a_name_changed_afterwards_is_said_at_the_top() -> None:
    day, job = a_day_to_close()
    assert "Changed since" not in closed(day, job)
    with day.hub.unit() as unit:
        unit.session.exec(select(ProofRow)).one().name = "Mallory"
    assert "Changed since link 2 was sealed: name." in text(day, job)


def test_a_forgotten_person_is_no_forgery() -> None:
    day, job = a_day_to_close()
    closed(day, job)
    with day.hub.unit() as unit:
        forget(unit, day.hub.keys, day.business_id, job.id, day.hub.now())
        unit.session.exec(select(ProofRow)).one().name = ""
    said = text(day, job)
    assert "Changed since" not in said
    assert "Anna F." not in said


def test_a_brand_gives_its_name_and_a_wrong_colour_breaks_nothing() -> None:
    day, job = a_day_to_close()
    with day.hub.unit() as unit:
        brand = unit.session.exec(select(BrandRow)).one()
        brand.name, brand.colour, brand.phone = "Husk & Söner", '"><x', "+358 9 1"
    said = closed(day, job)
    assert "Husk & Söner" in said
    assert "+358 9 1" in said


def test_a_map_is_credited(helsinki: Path) -> None:
    day, job = a_day_to_close()
    (day.hub.settings.data_dir / "map").symlink_to(helsinki / "map")
    assert "OpenStreetMap" in closed(day, job, lat=60.1722, lon=24.94, accuracy_m=14)


def test_there_is_no_document_without_a_proof_nor_for_another_business() -> None:
    day, job = a_day_to_close()
    with pytest.raises(LookupError):
        pod_pdf(day.hub, day.business_id, job.id)
    closed(day, job)
    other = found(day.hub, "Other", zone="UTC")
    with pytest.raises(LookupError):
        pod_pdf(day.hub, other, job.id)


def test_the_same_proof_gives_the_same_document_later() -> None:
    day, job = a_day_to_close()
    closed(day, job)
    hub: Hub = day.hub
    first = pod_pdf(hub, day.business_id, job.id)
    day.now[0] += timedelta(days=3)
    assert pod_pdf(hub, day.business_id, job.id) == first


def test_a_recipients_copy_keeps_back_what_the_business_keeps_back() -> None:
    day, job = a_day_to_close()
    ours = closed(day, job)
    copy = text(day, job, reader=Reader.PAGE)
    known_by = sha256(a_picture("red")).hexdigest()
    assert known_by[:16] in ours
    assert known_by[:16] not in copy
    assert "Anna Frick" in ours
    assert "Anna Frick" not in copy
    assert "Anna F." in copy  # who received is the point of the document
    assert "Sourdough" in copy

"""The document of a proof, as a reader, an archive and a screen reader find it."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from PIL import Image, ImageDraw
from pypdf import PdfReader

from hub.pdf.pictures import NotAPicture, shown
from hub.pdf.pod import Evidence, Item, PodDocument, pod

AT = datetime(2026, 11, 23, 8, 24, 7, tzinfo=UTC)
MARKUP = '#set page(width: 1pt) *bold* _it_ $x^2$ `raw` <label> @ref \\ #panic("in") // [x] = y'


def a_photo(width: int = 1600, height: int = 1200) -> bytes:
    picture = Image.new("RGB", (width, height), "#cfc7bb")
    ImageDraw.Draw(picture).rectangle((width // 3, 90, width // 2, height - 90), fill="#7a5b45")
    file = io.BytesIO()
    picture.save(file, "JPEG")
    return file.getvalue()


def a_signature() -> bytes:
    picture = Image.new("RGBA", (720, 240), (0, 0, 0, 0))
    points = [(60 + n * 18, 120 + (50 if n % 4 < 2 else -40)) for n in range(32)]
    ImageDraw.Draw(picture).line(points, fill=(20, 20, 40), width=5, joint="curve")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def evidence(what: str, content: bytes) -> Evidence:
    return Evidence(what, sha256(content).hexdigest(), 14, content)


def a_delivery(**changes: object) -> PodDocument:
    document = PodDocument(
        title="Proof of delivery",
        number="HB-1042",
        status="Delivered",
        mood="good",
        when="Monday 23 November 2026, 10:24:07 (EET, Europe/Helsinki)",
        at=AT,
        received_by="Anna Frick",
        business="Husk Bakery",
        facts=[("Customer", "Anna Frick"), ("Address", "Yrjönkatu 3, 00120 Helsinki")],
        items=[Item("Sourdough", 2, 2), Item("Rye", 1, 1)],
        photos=[evidence("Photo 1", a_photo())],
        signature=evidence("Signature", a_signature()),
        seal=(15, "a" * 64),
    )
    return replace(document, **changes)  # type: ignore[arg-type]


def read(pdf: bytes) -> tuple[list[str], PdfReader]:
    reader = PdfReader(io.BytesIO(pdf), strict=True)
    return [page.extract_text() for page in reader.pages], reader


def test_an_ordinary_delivery_is_one_a4_page_that_says_who_where_and_when() -> None:
    [page], reader = read(pod(a_delivery()))
    for said in ("HB-1042", "Anna Frick", "Yrjönkatu 3, 00120 Helsinki", "10:24:07", "Sourdough"):
        assert said in page
    assert "Page 1 of 1" in page
    width, height = reader.pages[0].mediabox[2:]
    assert (round(width), round(height)) == (595, 842)


def test_it_is_made_for_archives_and_for_screen_readers() -> None:
    _, reader = read(pod(a_delivery()))
    described = reader.xmp_metadata.stream.get_data().decode()  # type: ignore[union-attr]
    assert "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A" in described.replace("\n", "")
    assert "<pdfuaid:part>1</pdfuaid:part>" in described
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert reader.metadata.title == "Proof of delivery HB-1042"  # type: ignore[union-attr]


def test_the_same_proof_gives_the_same_bytes_dated_by_the_proof() -> None:
    first, again = pod(a_delivery()), pod(a_delivery())
    assert first == again
    _, reader = read(first)
    assert reader.metadata.creation_date.replace(tzinfo=UTC) == AT  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "name",
    [MARKUP, '"]}\\u0000{{', "ועד הבית", "محمد \u202eevil\u202c", "Zoë Ñandú Łódź Ελένη Ольга"],
)
def test_a_hostile_name_is_only_text(name: str) -> None:
    pages, _ = read(pod(a_delivery(received_by=name, number=name, business=name, note=name)))
    assert len(pages) == 1
    assert "10:24:07" in pages[0]
    if name == MARKUP:
        assert '#panic("in")' in "".join(pages[0].split("\n"))


def test_letters_no_font_can_draw_leave_the_rest_readable() -> None:
    for name in ("🏠🫠 Bob", "䨻𠀀 Bob", "\ue000 Bob", "\ud800\x07 Bob"):
        [page], _ = read(pod(a_delivery(received_by=name)))
        assert "Bob" in page
        assert "10:24:07" in page


@pytest.mark.parametrize("unit", ["word ", "endless", "#let x = 1\n", "שלום "])
def test_a_note_of_200_kb_goes_on_over_pages(unit: str) -> None:
    reader = PdfReader(io.BytesIO(pod(a_delivery(note=unit * (200_000 // len(unit))))))
    assert len(reader.pages) > 10
    assert f"Page 2 of {len(reader.pages)}" in reader.pages[1].extract_text()
    assert "Sealed evidence" in reader.pages[-1].extract_text()


def test_a_long_list_keeps_its_head_and_says_which_page_this_is() -> None:
    items = [Item(f"Item number {n}", n, n, "damaged" if n == 7 else "") for n in range(300)]
    pages, _ = read(pod(a_delivery(items=items)))
    text = "\n".join(pages)
    assert len(pages) > 5
    assert all(f"Item number {n}" in text for n in range(300))
    for n, page in enumerate(pages, 1):
        assert f"Page {n} of {len(pages)}" in page
        assert "HB-1042" in page
    assert "Ordered" in pages[2]
    assert "Husk Bakery" in pages[2]


def test_many_photos_are_all_shown() -> None:
    photos = [evidence(f"Photo {n}", a_photo(300 + n, 400)) for n in range(1, 21)]
    _, reader = read(pod(a_delivery(photos=photos)))
    sizes = {image.image.size for page in reader.pages for image in page.images}
    assert {(300 + n, 400) for n in range(1, 21)} <= sizes


def test_a_large_photo_is_scaled_down_and_turned_upright() -> None:
    picture = Image.new("RGB", (4000, 3000), "red")
    exif = picture.getexif()
    exif[0x0112] = 6  # taken with the phone held upright
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=exif)
    small = shown(file.getvalue())
    assert (small.width, small.height) == (960, 1280)
    assert not Image.open(io.BytesIO(small.content)).getexif()


@pytest.mark.parametrize("content", [b"", b"not a picture", a_photo()[:900], b"<svg/>", b"GIF89a"])
def test_what_is_no_picture_is_said_on_the_page(content: bytes) -> None:
    with pytest.raises(NotAPicture):
        shown(content)
    [page], _ = read(pod(a_delivery(photos=[evidence("Photo 1", content)], logo=content)))
    assert "cannot be shown as a picture" in page


def test_a_file_with_a_problem_says_it_in_place_of_the_picture() -> None:
    lost = Evidence("Photo 1", "b" * 64, 14, b"", "This file is missing from its store.")
    [page], _ = read(pod(a_delivery(photos=[lost], signature=replace(lost, what="Signature"))))
    assert page.count("missing from its store") == 2
    assert "b" * 64 in page


def test_without_the_extra_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['typst'] = None\n"
        "from hub.core.errors import ConfigError\n"
        "from tests.test_pdf import a_delivery, pod\n"
        "try: pod(a_delivery())\n"
        "except ConfigError as error: print(error)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'lastmile-hub[pdf]'" in told.stdout

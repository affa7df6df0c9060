"""Branding: what customers see, and nothing but pixels of an uploaded logo."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from hub.app import Hub
from hub.flows.brand import BUDGET, brand_of, logo_webp
from hub.flows.log_in import NotAccepted, Role
from tests.admin.panel_worlds import Panel, a_bakery, a_panel, an_installed_hub

FORM = {
    "name": "Husk",
    "colour": "#ffcc00",
    "phone": "+358 40 1",
    "email": "hi@husk.example",
    "website": "https://husk.example",
    "sender_name": "",
    "greeting": "Baked <today>",
    "thanks": "",
    "help": "",
}


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return an_installed_hub(tmp_path / "data")


@pytest.fixture
def panel(hub: Hub) -> Panel:
    return a_panel(hub, a_bakery(hub))


def a_picture(kind: str = "PNG", size: tuple[int, int] = (900, 400)) -> bytes:
    out = BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(
        out, kind, **({"exif": _secret_exif()} if kind == "JPEG" else {})
    )
    return out.getvalue()


def _secret_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    return exif


def test_what_is_saved_is_what_customers_see(panel: Panel) -> None:
    page = panel.post("/panel/branding", **FORM, logo=(BytesIO(a_picture()), "logo.png")).text
    assert "Customers see it at once." in page and "data:image/webp;base64," in page
    row = brand_of(panel.hub, panel.business_id)
    assert (row.name, row.colour, row.texts) == ("Husk", "#ffcc00", {"greeting": "Baked <today>"})
    assert row.logo is not None
    assert len(row.logo) <= BUDGET
    panel.post("/panel/branding", **FORM)
    assert brand_of(panel.hub, panel.business_id).logo == row.logo
    panel.post("/panel/branding", **FORM, drop_logo="1")
    assert brand_of(panel.hub, panel.business_id).logo is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_logo_becomes_a_small_webp_without_what_came_along(kind: str) -> None:
    drawn = logo_webp(a_picture(kind))
    picture = Image.open(BytesIO(drawn))
    assert picture.format == "WEBP" and len(drawn) <= BUDGET
    assert picture.width <= 640 and picture.height <= 240 and b"taken at home" not in drawn


def a_bomb() -> bytes:
    """A PNG of 50,000 by 50,000 that is a few bytes long."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "content",
    [
        b"not a picture",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n",
        a_picture()[:500],
        a_bomb(),
        b"\0" * 100,
    ],
    ids=["text", "svg", "eps", "cut off", "bomb", "zeros"],
)
def test_a_hostile_logo_is_refused_with_a_sentence(panel: Panel, content: bytes) -> None:
    with pytest.raises(NotAccepted):
        logo_webp(content)
    answer = panel.post(
        "/panel/branding", **{**FORM, "name": "Kept"}, logo=(BytesIO(content), "logo.png")
    )
    assert answer.status_code == 422 and 'id="logo-error">This ' in answer.text
    assert 'value="Kept"' in answer.text
    assert brand_of(panel.hub, panel.business_id).name == "Husk Bakery"


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("colour", "red;}", "Write the colour like #0f6b5c."),
        ("email", "nobody", "This is not an e-mail address."),
        ("website", "javascript:alert(1)", "A website begins with https://"),
        ("name", "  ", "Please fill this in."),
        ("help", "x" * 301, "At most 300 characters."),
    ],
)
def test_a_wrong_field_says_why(panel: Panel, field: str, typed: str, sentence: str) -> None:
    answer = panel.post("/panel/branding", **{**FORM, field: typed})
    assert answer.status_code == 422 and f'id="{field}-error">{sentence}' in answer.text
    assert brand_of(panel.hub, panel.business_id).colour == "#0f6b5c"


def test_the_preview_is_of_what_is_typed_and_takes_readable_text(panel: Panel) -> None:
    page = panel.post("/panel/branding/preview", **{**FORM, "name": "Not saved"})
    assert "Not saved" in page.text and 'data-on-brand="#000000"' in page.text
    assert "would be hard to read" in page.text and "Baked &lt;today&gt;" in page.text
    assert brand_of(panel.hub, panel.business_id).name == "Husk Bakery"
    odd = panel.post("/panel/branding/preview", **{**FORM, "colour": "</style>"})
    assert odd.status_code == 200 and "</style>" not in odd.text


def test_the_preview_shows_each_word_where_customers_will_read_it(panel: Panel) -> None:
    words = {"greeting": "Baked today", "thanks": "Enjoy it", "help": "Call the shop"}
    page = panel.post("/panel/branding/preview", **{**FORM, **words}).text
    planned, coming, done, failed = page.split("<figure")[1:]
    assert "Baked today" in planned
    assert "Baked today" in coming
    assert "Enjoy it" in done
    assert "Call the shop" in failed
    assert page.count("Husk: our website") == 4


def test_only_owners_brand(hub: Hub) -> None:
    panel = a_panel(hub, a_bakery(hub), Role.DISPATCHER)
    assert panel.get("/panel/branding").status_code == 403
    assert panel.post("/panel/branding", **FORM).status_code == 403


def test_a_large_upload_needs_a_session(panel: Panel) -> None:
    large = {"logo": (BytesIO(b"x" * 3_000_000), "logo.png"), "csrf": panel.csrf}
    panel.client.delete_cookie("hub_staff")
    assert panel.client.post("/panel/branding", data=large).status_code in (401, 413)

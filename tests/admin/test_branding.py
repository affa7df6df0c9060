"""Branding: what customers see, and nothing but pixels of an uploaded logo."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import replace
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from hub.app import Hub
from hub.core.tracking_page import Shows
from hub.flows.brand import all_brands, brand_of
from hub.flows.log_in import NotAccepted, Role
from hub.flows.logo import BUDGET, logo_webp
from hub.web.tracking_samples import sample_sheet
from tests.admin.panel_worlds import Panel, a_bakery, a_panel, an_installed_hub
from tests.tracking_worlds import branded, scheduled
from tests.web.test_tracking import app_of

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


def a_bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """A PNG of so many pixels that is a few bytes long."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
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
        b'<?xml version="1.0"?><!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg"><image/></svg>',
        a_bomb(30_000, 30_000),
        a_picture("JPEG")[:3000],
        a_picture("WEBP")[:200],
        b"GIF89a" + b"\xff" * 8,
        b"%PDF-1.7\n" + a_picture(),
    ],
    ids=[
        "text",
        "svg",
        "eps",
        "cut off",
        "bomb",
        "zeros",
        "svg with a doctype",
        "bomb of 30,000",
        "half a jpeg",
        "half a webp",
        "gif without pixels",
        "pdf before a png",
    ],
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


def test_of_a_logo_nothing_is_kept_but_its_first_picture(panel: Panel) -> None:
    """What is hidden behind a picture, in its words or in its later frames, reaches nobody."""
    script = b"<script>alert(1)</script>"
    noted = PngInfo()
    noted.add_text("Comment", script.decode())
    out = BytesIO()
    Image.new("RGB", (60, 30), "#8a3b12").save(out, "PNG", pnginfo=noted)
    both = out.getvalue() + b"PK\x03\x04" + script  # a picture, an archive and a page at once
    moving = BytesIO()
    frames = [Image.new("RGB", (60, 30), colour) for colour in ("#ff0000", "#0000ff")]
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:], comment=script)
    for content in (both, moving.getvalue()):
        drawn = logo_webp(content)
        assert drawn.startswith(b"RIFF") and drawn[8:12] == b"WEBP"
        assert b"script" not in drawn and b"PK\x03\x04" not in drawn
        assert getattr(Image.open(BytesIO(drawn)), "n_frames", 1) == 1
    assert (
        Image.open(BytesIO(logo_webp(moving.getvalue()))).convert("RGB").getpixel((5, 5))[0] > 200
    )


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("colour", "red;}", "Write the colour like #0f6b5c."),
        ("email", "nobody", "This is not an e-mail address."),
        ("reply_to", "büro@husk.example", "Most mail servers take plain letters"),
        ("website", "javascript:alert(1)", "A website begins with https://"),
        ("name", "  ", "Please fill this in."),
        ("help", "x" * 301, "At most 300 characters."),
        ("help_de", "x" * 301, "At most 300 characters."),
        ("header_colour", "blue", "Write the colour like #0f6b5c."),
        ("font", "Comic", "Choose one of the list."),
        ("reply_to", "nobody", "This is not an e-mail address."),
        ("sms_sender", "123456", "A name has at least one letter; a number is set where"),
        ("sms_sender", "HuskBakery12", "A sender of texts has at most 11 characters."),
    ],
)
def test_a_wrong_field_says_why(panel: Panel, field: str, typed: str, sentence: str) -> None:
    answer = panel.post("/panel/branding", **{**FORM, field: typed})
    assert answer.status_code == 422 and f'id="{field}-error">{sentence}' in answer.text
    assert brand_of(panel.hub, panel.business_id).colour == "#0f6b5c"


PREVIEW = "/panel/branding/usual/preview"


def phones(sheet: str) -> dict[str, str]:
    """The pages of a preview, each as its customer's browser would read it, by state."""
    return {
        state: unescape(drawn)
        for state, drawn in re.findall(
            r'data-state="(\w+)".*?srcdoc="(.*?)"></iframe>', sheet, re.S
        )
    }


def test_the_preview_shows_every_state_there_is(panel: Panel) -> None:
    pages = phones(panel.get(PREVIEW).text)
    assert set(pages) == {*Shows, "late", "kept", "bare", "gone"}
    shown = {
        re.findall(r'<main data-shows="(\w+)"', one)[0]
        for one in pages.values()
        if "<main data-shows" in one
    }
    assert shown == set(Shows)
    assert all("<script" not in one and "<header>" in one for one in pages.values())


def test_the_preview_is_of_what_is_typed_and_takes_readable_text(panel: Panel) -> None:
    typed = phones(panel.post(PREVIEW, **{**FORM, "name": "Not saved"}).text)
    assert all(
        "Not saved" in one and "--bar:#ffcc00;--on-bar:#000000" in one for one in typed.values()
    )
    assert "Baked &lt;today&gt;" in typed["scheduled"]
    assert brand_of(panel.hub, panel.business_id).name == "Husk Bakery"
    odd = panel.post(PREVIEW, **{**FORM, "colour": "</style>", "font": "evil;", "name": "Odd"}).text
    assert "Odd" in odd and "--brand:#0f6b5c" in odd and "evil" not in odd


def test_the_preview_is_the_page_that_customers_get() -> None:
    """Same template, same style: whoever changes the page changes its preview."""
    street = branded(scheduled())
    app = app_of(street)
    page = app.test_client().get(f"/t/{street.token}").get_data(as_text=True)
    with app.test_request_context():
        brand = brand_of(street.hub, street.business_id)
        sheet = sample_sheet(street.hub, street.business_id, brand).get_data(as_text=True)
    drawn = phones(sheet)["scheduled"]

    def painted(html: str) -> str:
        style = re.findall("<style nonce.*?</style>", html, re.DOTALL)[0]
        return str(style).partition("*{box-sizing")[2]

    parts = re.compile("<(?:section|header|footer|h1|ol|main).*?[ >]")
    assert painted(drawn) == painted(page)
    assert parts.findall(drawn) == parts.findall(page)


def test_the_preview_shows_each_word_where_customers_will_read_it(panel: Panel) -> None:
    words = {"greeting": "Baked today", "thanks": "Enjoy it", "help": "Call the shop"}
    page = phones(panel.post(PREVIEW, **{**FORM, **words}).text)
    for state in ("ordered", "scheduled", "on_its_way", "arriving", "at_the_door"):
        assert "Baked today" in page[state]
    assert "Enjoy it" in page["done"]
    assert all("Call the shop" in page[state] for state in ("late", "failed", "cancelled"))
    assert all("Husk: our website" in one for one in page.values())


def test_the_preview_is_read_in_another_language_and_at_night(panel: Panel) -> None:
    typed = {**FORM, "greeting": "Baked today", "greeting_de": "Heute gebacken"}
    german = phones(panel.post(PREVIEW, **typed, preview_language="de").text)["scheduled"]
    assert '<html lang="de"' in german and "Heute gebacken" in german
    arabic = phones(panel.post(PREVIEW, **typed, preview_language="ar", preview_theme="dark").text)[
        "scheduled"
    ]
    assert 'dir="rtl"' in arabic and "Baked today" in arabic
    assert "color-scheme:dark" in arabic and "@media(prefers-color-scheme" not in arabic


def test_the_preview_may_stand_in_the_panel_and_nowhere_else(panel: Panel) -> None:
    drawn = panel.get(PREVIEW)
    assert "frame-ancestors 'self'" in drawn.headers["Content-Security-Policy"]
    assert drawn.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert (
        "frame-ancestors 'none'" in panel.get("/panel/branding").headers["Content-Security-Policy"]
    )


def test_only_owners_brand(hub: Hub) -> None:
    panel = a_panel(hub, a_bakery(hub), Role.DISPATCHER)
    assert panel.get("/panel/branding").status_code == 403
    assert panel.post("/panel/branding", **FORM).status_code == 403


def test_a_large_upload_needs_a_session(panel: Panel) -> None:
    large = {"logo": (BytesIO(b"x" * 3_000_000), "logo.png"), "csrf": panel.csrf}
    panel.client.delete_cookie("hub_staff")
    assert panel.client.post("/panel/branding", data=large).status_code in (401, 413)


def test_another_brand_is_added_worn_by_a_connection_and_removed(panel: Panel) -> None:
    page = panel.post("/panel/branding/brands", brand="Rye & Co").text
    assert "Added." in page and "Rye &amp; Co" in page
    panel.post("/panel/branding/rye-co", **{**FORM, "name": "Rye & Co", "thanks_de": "Danke"})
    row = brand_of(panel.hub, panel.business_id, "rye-co")
    assert (row.colour, row.texts_in) == ("#ffcc00", {"de": {"thanks": "Danke"}})
    assert brand_of(panel.hub, panel.business_id).name == "Husk Bakery"
    again = panel.post("/panel/branding/brands", brand="rye co")
    assert (
        again.status_code == 422
        and "There is a brand of this name, or one that reads alike, already." in again.text
    )
    for name in (
        "Usual",
        "Brands",
        "Sources",
        "خبز",
        "面包",
    ):  # words of the panel's, other letters
        assert "Added." in panel.post("/panel/branding/brands", brand=name).text
        slug = next(
            row.slug for row in all_brands(panel.hub, panel.business_id) if row.name == name
        )
        panel.post(f"/panel/branding/{slug}", **{**FORM, "name": f"{name}!"})
        assert brand_of(panel.hub, panel.business_id, slug).name == f"{name}!"
    panel.post("/panel/branding/sources", **{"source-csv": "rye-co", "source-api": "nobody"})
    refused = panel.post("/panel/branding/rye-co/remove")
    assert refused.status_code == 422 and "Files brings orders of this brand" in refused.text
    panel.post("/panel/branding/sources", **{"source-csv": ""})
    assert "Rye &amp; Co is removed." in panel.post("/panel/branding/rye-co/remove").text
    assert panel.get("/panel/branding/rye-co").status_code == 404
    assert panel.post("/panel/branding/usual/remove").status_code == 422


def test_a_domain_is_set_and_its_two_records_are_shown(panel: Panel) -> None:
    assert "HUB_DOMAIN" in panel.get("/panel/branding").text
    where = "/panel/branding/usual/domain"
    panel.hub.settings = replace(panel.hub.settings, domain="hub.example.com")
    wrong = panel.post(where, host="bakery.example")
    assert wrong.status_code == 422 and "Use a name below yours" in wrong.text
    page = panel.post(where, host="track.bakery.example").text
    assert "_lastmilehub.track.bakery.example" in page and "hub.example.com" in page
    assert "is not proven yet, so links do not name it" in page
    assert "Removed." in panel.post(f"{where}/remove").text

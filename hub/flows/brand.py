"""How a business looks to its customers: name, colour, logo, words.

A logo is never stored as it came: it is decoded and written anew as a small WebP, so
that nothing but pixels reaches a customer's page.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Annotated

from PIL import Image, ImageOps
from pydantic import BaseModel, EmailStr, Field, StringConstraints, TypeAdapter, field_validator
from sqlmodel import select

from hub.core.colours import is_colour
from hub.core.tracking_words import MOST_OWN_WORDS
from hub.db.tables import AuditRow, BrandRow
from hub.flows.log_in import NotAccepted

if TYPE_CHECKING:
    from hub.app import Hub

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MOST_PIXELS = 40_000_000  # a 200 kB file can unfold to gigabytes
LARGEST = 8 * 1024 * 1024  # bytes of an upload
BUDGET = 40_000  # bytes; the customer's page stays light with it
SIZE = (640, 240)  # twice what is shown, for dense screens
MAIL_SIZE = (320, 80)

_email = TypeAdapter(EmailStr)
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Paragraph = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MOST_OWN_WORDS)]


class Texts(BaseModel):
    """The business's own words on the customer's page."""

    greeting: Paragraph = Field(
        default="", title="A line below the status", description="Such as: Baked this morning."
    )
    thanks: Paragraph = Field(default="", title="A line once it is delivered")
    help: Paragraph = Field(
        default="",
        title="What to do when something is wrong",
        description="Shown when it is late or did not work out.",
    )


class BrandIn(BaseModel):
    """What may be typed into the branding form."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        title="Name customers see", max_length=200
    )
    colour: str = Field(default="#0f6b5c", title="Colour")
    phone: Annotated[Line, Field(max_length=60)] = Field(default="", title="Phone for customers")
    email: Line = Field(default="", title="E-mail for customers")
    website: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = Field(
        default="", title="Website", description="Begins with https://"
    )
    sender_name: Line = Field(
        default="", title="Name messages come from", description="Empty: the name above."
    )
    texts: Texts = Texts()

    @field_validator("colour")
    @classmethod
    def _colour(cls, colour: str) -> str:
        if not is_colour(colour):
            raise ValueError("Write the colour like #0f6b5c.")
        return colour.lower()

    @field_validator("email")
    @classmethod
    def _address(cls, email: str) -> str:
        if email:
            try:
                _email.validate_python(email)
            except ValueError:
                raise ValueError("This is not an e-mail address.") from None
        return email

    @field_validator("website")
    @classmethod
    def _link(cls, website: str) -> str:
        if website and not website.lower().startswith(("https://", "http://")):
            raise ValueError("A website begins with https://")
        return website


def brand_of(hub: Hub, business_id: str) -> BrandRow:
    """The brand customers see now."""
    with hub.reading() as session:
        return session.exec(select(BrandRow).where(BrandRow.business_id == business_id)).one()


def save_brand(
    hub: Hub,
    business_id: str,
    given: BrandIn,
    *,
    logo: bytes | None = None,
    drop_logo: bool = False,
    actor: str,
) -> BrandRow:
    """The brand as stored. ``logo`` ``None`` keeps the one there is. Raises ``NotAccepted``."""
    drawn = logo_webp(logo) if logo else None
    with hub.unit() as unit:
        row = unit.session.exec(select(BrandRow).where(BrandRow.business_id == business_id)).one()
        row.name, row.colour, row.phone, row.email = (
            given.name,
            given.colour,
            given.phone,
            given.email,
        )
        row.website, row.sender_name = given.website, given.sender_name
        row.texts = {name: text for name, text in given.texts.model_dump().items() if text}
        if drawn or drop_logo:
            row.logo = drawn
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action="brand saved",
                subject=given.name,
                at=hub.now(),
            )
        )
    return row


def logo_webp(content: bytes) -> bytes:
    """The picture as a WebP of at most 40 kB and 640 × 240. Raises ``NotAccepted``."""
    if len(content) > LARGEST:
        raise NotAccepted("logo", "This file is larger than 8 MB. Save the logo smaller.")
    picture = _opened(content)
    picture.thumbnail(SIZE, Image.Resampling.LANCZOS)
    for quality in (90, 75, 60, 40, 20):
        out = BytesIO()
        picture.save(out, "WEBP", quality=quality, method=6)
        if out.tell() <= BUDGET:
            return out.getvalue()
    raise NotAccepted("logo", "This picture does not become small enough. Use a simpler logo.")


@lru_cache(maxsize=64)
def logo_png(logo: bytes) -> bytes:
    """A stored logo as small as a mail shows it; empty if it is no picture.

    Many mail programs draw no WebP.
    """
    try:
        picture = _opened(logo)
    except NotAccepted:
        return b""
    picture.thumbnail(MAIL_SIZE, Image.Resampling.LANCZOS)
    out = BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _opened(content: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(BytesIO(content), formats=FORMATS)
            if picture.width * picture.height > MOST_PIXELS or not min(picture.size):
                raise NotAccepted("logo", "This picture has too many pixels. Save it smaller.")
            return ImageOps.exif_transpose(picture).convert("RGBA")
    except NotAccepted:
        raise
    except Exception:  # decoders meet anything in a hostile file, and raise anything
        raise NotAccepted(
            "logo", "This is no picture the hub can read. Use a PNG, JPEG, WebP or GIF."
        ) from None

"""A brand as a page wears it: what its templates paint and name."""

from __future__ import annotations

import io
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from PIL import Image, ImageOps, UnidentifiedImageError

from hub.core.branding import font, palette
from hub.db.tables import BrandRow

MOST_LOGO = 4500  # bytes: with the fullest page they stay below what a page may weigh
LOGO_SIZES = (((320, 96), 80), ((320, 96), 50), ((240, 72), 40), ((160, 48), 30))
"""Pixels and quality, the best first: a logo that is a photograph is drawn with less."""
Theme = Literal["", "light", "dark"]


@dataclass(frozen=True, slots=True)
class Look:
    """``logo`` and ``website`` are URLs, empty without one. ``theme``: empty where the reader's
    own is followed, as always but in a preview.
    """

    name: str
    phone: str
    colour: str
    on_colour: str
    header: str
    on_header: str
    accent: str
    dark_accent: str
    font: str
    logo: str = ""
    website: str = ""
    theme: Theme = ""


def look_of(brand: BrandRow, theme: Theme = "") -> Look:
    """The logo is part of the page, which asks for nothing else."""
    painted = palette(brand.colour, brand.header_colour)
    logo = small_logo(brand.logo) if brand.logo else b""
    where = f"data:image/webp;base64,{b64encode(logo).decode()}" if logo else ""
    return Look(
        brand.name,
        brand.phone,
        painted.colour,
        painted.on_colour,
        painted.header,
        painted.on_header,
        painted.accent,
        painted.dark_accent,
        font(brand.font),
        where,
        brand.website if brand.website.startswith(("https://", "http://")) else "",
        theme,
    )


@lru_cache(maxsize=64)
def small_logo(logo: bytes) -> bytes:
    """``logo`` as small as the page shows it on a sharp screen, and smaller where that would weigh
    too much; empty if it is no picture.
    """
    drawn = b""
    for size, quality in LOGO_SIZES:
        drawn = shrunk(logo, size, quality)
        if len(drawn) <= MOST_LOGO:
            break
    return drawn


def shrunk(content: bytes, size: tuple[int, int], quality: int) -> bytes:
    """A picture as WebP, without what came along with it; empty if it is none."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.draft("RGB", size)
            turned = _upright(picture)
            turned.thumbnail(size)
            out = io.BytesIO()
            turned.save(out, "WEBP", quality=quality, method=4)
            return out.getvalue()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return b""


def _upright(picture: Image.Image) -> Image.Image:
    turned = ImageOps.exif_transpose(picture)
    has_alpha = turned.mode in ("RGBA", "LA", "P")
    clean = turned.convert("RGBA" if has_alpha else "RGB")
    clean.info.clear()
    return clean

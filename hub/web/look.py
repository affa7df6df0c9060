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

LOGO_PX, INLINE_LOGO = (320, 96), 3000  # bytes; a larger one is the page's second request
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


def look_of(brand: BrandRow, logo_url: str = "", theme: Theme = "") -> Look:
    """``logo_url``: where a logo lies that is too large for the page itself; empty: all of it
    goes into the page.
    """
    painted = palette(brand.colour, brand.header_colour)
    logo = small_logo(brand.logo) if brand.logo else b""
    where = logo_url if logo else ""
    if logo and (len(logo) <= INLINE_LOGO or not logo_url):
        where = f"data:image/webp;base64,{b64encode(logo).decode()}"
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
    """``logo`` as small as the page shows it on a sharp screen; empty if it is no picture."""
    return shrunk(logo, LOGO_PX, quality=80)


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

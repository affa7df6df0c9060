"""A logo, as nothing but pixels.

It is never stored as it came: it is decoded and written anew as a small WebP, so that no
script, no place where a photo was taken and no second file behind the first reaches anybody.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageOps

from hub.flows.log_in import NotAccepted

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MOST_PIXELS = 40_000_000  # a 200 kB file can unfold to gigabytes
LARGEST = 8 * 1024 * 1024  # bytes of an upload
BUDGET = 40_000  # bytes; the customer's page stays light with it
SIZE = (640, 240)  # twice what is shown, for dense screens
MAIL_SIZE = (320, 80)


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

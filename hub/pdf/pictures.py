"""Pictures as a document can hold them: upright, small, and without what phones hide in them."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps

MOST_PX = 1280  # 84 mm on paper at 300 dpi is 990; a door number is still read at this
MOST_PIXELS = 80_000_000  # larger than any phone's photo; a bomb says more


class NotAPicture(ValueError):
    """The bytes are no picture that can be shown."""


@dataclass(frozen=True, slots=True)
class Shown:
    content: bytes
    suffix: str  # jpg | png
    width: int
    height: int


def shown(content: bytes, *, as_drawing: bool = False) -> Shown:
    """``content`` at most 1280 pixels long; a drawing (signature, logo) stays sharp, on white.

    Raises ``NotAPicture``. The same bytes always give the same bytes.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the size is judged below
            with Image.open(io.BytesIO(content)) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise NotAPicture(f"{picture.width} × {picture.height} pixels")
                picture.draft("RGB", (MOST_PX, MOST_PX))
                upright = ImageOps.exif_transpose(picture)
                upright.thumbnail((MOST_PX, MOST_PX))
                return _saved(_on_white(upright), as_drawing)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NotAPicture(str(error)) from None


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    drawn = picture.convert("RGBA")
    white = Image.new("RGBA", drawn.size, "white")
    return Image.alpha_composite(white, drawn).convert("RGB")


def _saved(picture: Image.Image, as_drawing: bool) -> Shown:
    file = io.BytesIO()
    if as_drawing:
        picture.save(file, "PNG", optimize=True)
    else:
        picture.save(file, "JPEG", quality=82)
    return Shown(file.getvalue(), "png" if as_drawing else "jpg", *picture.size)

"""What a driver takes at the door: a small photo and a signature, another at each door."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from hub.demo.phone import File

PHOTO_PX, SIGNATURE_PX = (48, 36), (64, 24)


def files_for(job_id: str, demands: Sequence[str]) -> tuple[File, ...]:
    """One file for each demand that wants one; the same job always has the same."""
    makers = {"photo": _photo, "signature": _signature}
    return tuple(
        File(job_id, kind, makers[kind](hashlib.sha256(f"{kind} {job_id}".encode()).digest()))
        for kind in demands
        if kind in makers
    )


def _photo(seed: bytes) -> bytes:
    """A wall, a door and a parcel in colours of their own."""
    image = Image.new("RGB", PHOTO_PX, (seed[0], seed[1], seed[2]))
    draw = ImageDraw.Draw(image)
    draw.rectangle((16, 6, 32, 35), fill=(seed[3], seed[4], seed[5]))
    draw.rectangle((20, 28, 28, 35), fill=(seed[6], seed[7], seed[8]))
    return _saved(image, "JPEG")


def _signature(seed: bytes) -> bytes:
    image = Image.new("L", SIGNATURE_PX, 255)
    points = [(4 + 7 * n, 2 + byte % 20) for n, byte in enumerate(seed[:9])]
    ImageDraw.Draw(image).line(points, fill=0, width=1)
    return _saved(image, "PNG")


def _saved(image: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()

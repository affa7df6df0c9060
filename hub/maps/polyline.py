"""Lines as Valhalla writes them: differences of degrees as letters, six decimals."""

from __future__ import annotations

from hub.core.values import Point

DECIMALS = 1e6  # Google's own format, from which this comes, has five


def decoded(text: str) -> list[Point]:
    """The line. Raises ``ValueError`` for what is none (the "Encoded Polyline" algorithm)."""
    points, at, lat, lon = list[Point](), 0, 0, 0
    while at < len(text):
        north, at = _number(text, at)
        east, at = _number(text, at)
        lat, lon = lat + north, lon + east
        points.append(Point(lat / DECIMALS, lon / DECIMALS))
    return points


def _number(text: str, at: int) -> tuple[int, int]:
    """One difference, and where the next begins."""
    value = shift = 0
    while at < len(text):
        bits = ord(text[at]) - 63
        if not 0 <= bits < 64:
            break
        at += 1
        value |= (bits & 31) << shift
        shift += 5
        if bits < 32:
            return (~(value >> 1) if value & 1 else value >> 1), at
    raise ValueError("this is no line")

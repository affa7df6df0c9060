"""Lines as Valhalla and HERE write them: differences of degrees as letters."""

from __future__ import annotations

from hub.core.values import Point

DECIMALS = 1e6  # Google's own format, from which this comes, has five
FLEXIBLE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


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


def decoded_flexible(text: str) -> list[Point]:
    """A line of HERE's "flexible polyline" encoding, version 1; of a third number nothing is read.

    Its head says how many decimals there are and whether each point has a height. Raises
    ``ValueError`` for what is none.
    """
    numbers, value, shift = list[int](), 0, 0
    for letter in text:
        bits = FLEXIBLE.index(letter)
        value |= (bits & 31) << shift
        shift += 5
        if bits < 32:
            numbers.append(value)
            value = shift = 0
    if shift or len(numbers) < 2 or numbers[0] != 1:
        raise ValueError("this is no line")
    decimals, has_third = 10 ** (numbers[1] & 15), bool(numbers[1] >> 4 & 7)
    steps = [~(n >> 1) if n & 1 else n >> 1 for n in numbers[2:]]
    each, points, lat, lon = 3 if has_third else 2, list[Point](), 0, 0
    for at in range(0, len(steps) - each + 1, each):
        lat, lon = lat + steps[at], lon + steps[at + 1]
        points.append(Point(lat / decimals, lon / decimals))
    return points

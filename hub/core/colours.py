"""Colours people can read: contrast as WCAG 2.2 measures it, and a brand made legible.

Method: relative luminance and contrast ratio of WCAG 2.2 (w3.org/TR/WCAG22,
"relative luminance" and "contrast ratio"); 4.5 is its AA bar for text.
"""

from __future__ import annotations

import re

READABLE = 4.5
WHITE, BLACK = "#ffffff", "#000000"
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def is_colour(text: str) -> bool:
    """Whether ``text`` is ``#rrggbb``, the only form that is stored."""
    return _HEX.fullmatch(text) is not None


def luminance(colour: str) -> float:
    """From 0 for black to 1 for white. Raises ``ValueError`` unless ``#rrggbb``."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white), whichever is named first."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def text_on(colour: str) -> str:
    """White where it is readable on ``colour``, else black, which then always is."""
    return WHITE if contrast(colour, WHITE) >= READABLE else BLACK


def readable_on(colour: str, ground: str) -> str:
    """``colour`` itself, or the nearest shade or tint of it that is readable on ``ground``."""
    towards = BLACK if luminance(ground) > 0.18 else WHITE
    mixed = colour
    for percent in range(0, 101, 5):
        mixed = _mixed(colour, towards, percent / 100)
        if contrast(mixed, ground) >= READABLE:
            break
    return mixed


def _channels(colour: str) -> tuple[int, int, int]:
    if not is_colour(colour):
        raise ValueError(f"not a colour like #0f6b5c: {colour!r}")
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)

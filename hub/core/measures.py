"""How high, long and heavy a vehicle is, told beside its kind where roads depend on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one vehicle with its load; ``None``: as its kind usually is."""

    height_cm: int | None = None
    length_cm: int | None = None
    weight_kg: int | None = None


USUAL = Measures()


def measured(kind: str, measures: Measures) -> str:
    """The profile of a ``kind`` of vehicle that is so large: ``truck`` or ``truck/h380/w7500``."""
    sizes = (
        ("h", measures.height_cm),
        ("l", measures.length_cm),
        ("w", measures.weight_kg),
    )
    return "/".join((kind, *(f"{name}{size}" for name, size in sizes if size is not None)))


def measures_of(profile: str) -> tuple[str, Measures]:
    """The kind of vehicle that ``profile`` names, and how large it is. Undoes ``measured``.

    What it cannot read stays in the kind, which then nobody knows.
    """
    kind, *sizes = profile.split("/")
    known = {size[:1]: int(size[1:]) for size in sizes if size[1:].isdecimal()}
    if len(known) != len(sizes) or not known.keys() <= {"h", "l", "w"}:
        return profile, USUAL
    return kind, Measures(known.get("h"), known.get("l"), known.get("w"))

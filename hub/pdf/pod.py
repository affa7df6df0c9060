"""The proof of delivery as one page: what it says as values, and that as a PDF."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from hub.pdf.pictures import NotAPicture, Shown, shown
from hub.pdf.typesetting import typeset

Mood = Literal["good", "partly", "bad"]
ACCENT = "#0f6b5c"
"""The colour of a business that has chosen none."""
LONGEST_WORD = 32  # longer ones may break anywhere, or they would leave the page
PARAGRAPH = 1000
UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
BREAK = "\u200b"


@dataclass(frozen=True, slots=True)
class Item:
    """``None``: nobody counted."""

    title: str
    ordered: int | None
    done: int | None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One file of the proof. ``problem`` says why it cannot be shown, if it cannot."""

    what: str  # "Photo 1"
    sha256: str
    link: int | None  # of the chain; None: not sealed yet
    content: bytes = b""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MapShown:
    svg: str
    spoken: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PodDocument:
    """What the document says, in the words and the zone it says it in."""

    title: str  # Proof of delivery | Collection | Service visit | …
    number: str
    status: str  # Delivered | Could not deliver | …
    mood: Mood
    why: str = ""
    when: str
    zone: str = ""  # whose clock that is
    at: datetime  # the same moment: the document's own date
    received_by: str = ""
    received_head: str = "Received by"
    business: str
    contact: Sequence[str] = ()
    colour: str = ACCENT
    logo: bytes = b""
    facts: Sequence[tuple[str, str]] = ()
    note: str = ""
    done_head: str = "Delivered"  # above the quantities
    items: Sequence[Item] = ()
    photos: Sequence[Evidence] = ()
    signature: Evidence | None = None
    others: Sequence[Evidence] = ()
    place: MapShown | None = None
    seal: tuple[int, str] | None = None  # link and hash; None: not sealed
    warnings: Sequence[str] = ()
    how_to_verify: Sequence[str] = ()


@dataclass(slots=True)
class _Pictures:
    """The pictures of one document, under the names the template knows them by."""

    files: dict[str, bytes] = field(default_factory=dict)

    def add(self, name: str, picture: Shown) -> dict[str, object]:
        file = f"{name}.{picture.suffix}"
        self.files[file] = picture.content
        return {"file": file, "ratio": picture.width / picture.height}


def pod(document: PodDocument) -> bytes:
    """The PDF, A4. Raises ``ConfigError`` while the extra ``pdf`` is not installed."""
    pictures = _Pictures()
    data = _data(document, pictures)
    return typeset("pod.typ", data, pictures.files, document.at)


def _data(document: PodDocument, pictures: _Pictures) -> dict[str, object]:
    all_files = [*document.photos, *document.others]
    if document.signature:
        all_files.insert(len(document.photos), document.signature)
    return {
        "title": _text(document.title),
        "number": _text(document.number),
        "status": _text(document.status),
        "mood": document.mood,
        "why": _text(document.why),
        "when": _text(document.when),
        "zone": _text(document.zone),
        "date": [getattr(document.at, part) for part in ("year", "month", "day")],
        "time": [getattr(document.at, part) for part in ("hour", "minute", "second")],
        "received_by": _text(document.received_by),
        "received_head": document.received_head,
        "business": _text(document.business),
        "contact": [_text(line) for line in document.contact if line],
        "colour": document.colour,
        "logo": _logo(document.logo, pictures),
        "facts": [[_text(name), _text(value)] for name, value in document.facts if value],
        "note": _paragraphs(_text(document.note)),
        "done_head": document.done_head,
        "items": [
            [_text(item.title), _count(item.ordered), _count(item.done), _text(item.remark)]
            for item in document.items
        ],
        "photos": [_shown(one, f"photo-{n}", pictures) for n, one in enumerate(document.photos)],
        "signature": document.signature
        and _shown(document.signature, "signature", pictures, as_drawing=True),
        "place": _place(document.place, pictures),
        "evidence": [[one.what, one.sha256, _sealed(one)] for one in all_files],
        "seal": document.seal and [str(document.seal[0]), document.seal[1]],
        "warnings": [_text(warning) for warning in document.warnings],
        "verify": [_text(line) for line in document.how_to_verify],
    }


def _shown(
    one: Evidence, name: str, pictures: _Pictures, *, as_drawing: bool = False
) -> dict[str, object]:
    said: dict[str, object] = {"what": one.what, "problem": _text(one.problem)}
    if one.problem:
        return said
    try:
        return said | pictures.add(name, shown(one.content, as_drawing=as_drawing))
    except NotAPicture:
        return said | {"problem": "This file is kept, but it cannot be shown as a picture."}


def _logo(logo: bytes, pictures: _Pictures) -> dict[str, object] | None:
    try:
        return pictures.add("logo", shown(logo, as_drawing=True)) if logo else None
    except NotAPicture:
        return None  # the business's name stands beside it anyway


def _place(place: MapShown | None, pictures: _Pictures) -> dict[str, object] | None:
    if place is None:
        return None
    # Outside of a browser there are no CSS variables: the fallbacks become the colours.
    svg = re.sub(r"var\([^,()]*,([^()]*)\)", r"\1", place.svg)
    pictures.files["map.svg"] = svg.replace("system-ui,sans-serif", "Inter").encode()
    return {"file": "map.svg", "spoken": _text(place.spoken)}


def _count(number: int | None) -> str:
    return "–" if number is None else str(number)


def _sealed(one: Evidence) -> str:
    return f"link {one.link}" if one.link is not None else "not sealed yet"


def _paragraphs(text: str) -> list[str]:
    """``text`` in pieces: 200 kB of Hebrew took 6.5 s in one, 3.5 s in these."""
    return re.findall(rf"(?s).{{1,{PARAGRAPH}}}(?=[\s{BREAK}]|$)|.{{1,{PARAGRAPH}}}", text)


def _text(text: str) -> str:
    """``text`` without control characters, and with room to break in endless words."""
    plain = UNPRINTABLE.sub("", text)
    return re.sub(rf"\S{{{LONGEST_WORD}}}(?=\S)", rf"\g<0>{BREAK}", plain)

"""A business's look and names: what may be chosen, what is made readable, which words are read.

Nothing here is a stranger's style sheet: colours are ``#rrggbb``, fonts are of a list.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from hub.core.colours import READABLE, contrast, is_colour, readable_on, text_on

USUAL_COLOUR = "#0f6b5c"
CARD, DARK_CARD = "#ffffff", "#1d2025"
"""What a page's words stand on, by day and by night; as in tracking/_style.html."""
MOST_SENDER_ID = 11  # GSM 03.38: an alphanumeric originator holds eleven characters
_SENDER_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _.&-]*[A-Za-z0-9])?")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

# Each list ends in letters for Arabic, for whoever reads that, and a kind every browser has.
_ARABIC = '"Segoe UI","Geeza Pro","Noto Sans Arabic","Noto Kufi Arabic",Tahoma'
_ARABIC_BOOK = '"Noto Naskh Arabic","Geeza Pro","Traditional Arabic"'
FONTS = {
    "system": f'system-ui,-apple-system,"Segoe UI",Roboto,{_ARABIC},sans-serif',
    "humanist": f'Seravek,Optima,"Gill Sans",Candara,"Noto Sans",Carlito,{_ARABIC},sans-serif',
    "serif": f'"Iowan Old Style",Palatino,Georgia,"Noto Serif","DejaVu Serif",{_ARABIC_BOOK},serif',
    "rounded": f'ui-rounded,"Arial Rounded MT Bold",Nunito,Quicksand,{_ARABIC},sans-serif',
    "condensed": '"Avenir Next Condensed","Arial Narrow","Roboto Condensed","DejaVu Sans Condensed"'
    f",{_ARABIC},sans-serif",
    "mono": f'ui-monospace,Menlo,"Cascadia Mono",Consolas,"DejaVu Sans Mono",{_ARABIC},monospace',
}
"""What phones and computers have already: a page that fetches a font weighs twice as much."""
_OFFICE = {
    "humanist": "Candara,Arial,sans-serif",
    "serif": "Georgia,serif",
    "condensed": "'Arial Narrow',Arial,sans-serif",
    "mono": "Consolas,'Courier New',monospace",
}
"""For Outlook, which sets all in Times where it lacks the first of a list of fonts."""
FONT_NAMES = {
    "system": "As the phone's own",
    "humanist": "Open and warm",
    "serif": "Like a book",
    "rounded": "Rounded",
    "condensed": "Narrow, for long names",
    "mono": "Like a typewriter",
}


@dataclass(frozen=True, slots=True)
class Palette:
    """What a page paints: ``on_…`` stands on its colour; accents are readable on a card."""

    colour: str
    on_colour: str
    header: str
    on_header: str
    accent: str
    dark_accent: str


def palette(colour: str, header: str = "") -> Palette:
    """Of a brand's colours; what is none counts as not chosen, an empty header as the colour."""
    chosen = colour if is_colour(colour) else USUAL_COLOUR
    bar = header if is_colour(header) else chosen
    return Palette(
        chosen,
        text_on(chosen),
        bar,
        text_on(bar),
        readable_on(chosen, CARD),
        readable_on(chosen, DARK_CARD),
    )


def corrected(painted: Palette) -> list[str]:
    """What was changed so that it can be read, a sentence each; empty: nothing had to be."""
    said = []
    ratio = contrast(painted.colour, CARD)
    if ratio < READABLE:
        said.append(
            f"White text would be hard to read on this colour ({ratio:.1f} : 1), so buttons take"
            f" dark text, and what is drawn in it on white takes {painted.accent} instead."
        )
    if contrast(painted.colour, DARK_CARD) < READABLE:
        said.append(
            f"At night your colour is drawn as {painted.dark_accent}, to be read on a dark ground."
        )
    if painted.header != painted.colour and contrast(painted.header, CARD) < READABLE:
        said.append("The bar at the top takes dark text, for white would be hard to read on it.")
    return said


def font(key: str) -> str:
    """The CSS for a choice; the phone's own for one there is no more."""
    return FONTS.get(key, FONTS["system"])


def mail_font(key: str) -> str:
    """The same for a mail: within an attribute, so with single quotes alone."""
    return font(key).replace('"', "'")


def office_font(key: str) -> str:
    """The same for a mail program that tries no more than one of a list."""
    return _OFFICE.get(key, "Arial,sans-serif")


def slug_of(name: str) -> str:
    """A short name for a brand from its name; one of digits where none of its letters is Latin."""
    plain = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss"))
    words = re.findall("[a-z0-9]+", plain.encode("ascii", "ignore").decode())
    if not words:
        return f"brand-{sha256(name.strip().lower().encode()).hexdigest()[:6]}"
    return "-".join(words)[:40].strip("-")


def sender_id_problem(text: str) -> str:
    """Why networks would refuse this as a text's sender; empty: they take it.

    GSM 03.38 and the Australian register (2026-07): at most 11 ASCII characters, not digits
    alone, no blank at either end.
    """
    if len(text) > MOST_SENDER_ID:
        return f"A sender of texts has at most {MOST_SENDER_ID} characters."
    if len(text) < 3 or not _SENDER_ID.fullmatch(text):
        return "Use 3 to 11 plain letters and digits, such as HuskBakery."
    if not re.search("[A-Za-z]", text):
        return "A name has at least one letter; a number is set where the channel is."
    return ""


def host_problem(host: str) -> str:
    """Why this is no name that pages can stand under; empty: it is one."""
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return "Write the name alone, like track.bakery.example."
    if len(labels) < 3:
        return "Use a name below yours, like track.bakery.example: the short one is your website's."
    if labels[-1].isdecimal():
        return "An address of numbers gets no certificate. Use a name."
    return ""


def certified_name(host: str) -> str:
    """``host`` if names can lead to it and a certificate be had for it; else empty."""
    return "" if host_problem(f"x.{host}") or host == "localhost" else host


def words_for(
    language: str,
    own: Mapping[str, str],
    own_language: str,
    others: Mapping[str, Mapping[str, str]],
) -> dict[str, str]:
    """A brand's words for a reader of ``language``; what is not written in it is read in its own.

    ``others``: by language, without ``own_language``, the one that ``own`` is written in.
    """
    theirs: dict[str, str] = {}
    for code in dict.fromkeys((language.partition("-")[0].lower(), language.lower())):
        if code != own_language.lower():
            theirs |= {name: text for name, text in others.get(code, {}).items() if text}
    return {**own, **theirs}

"""One appointment as a calendar file (RFC 5545), which every phone and desk can take in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from hub.core.values import TimeWindow

MOST_OCTETS = 75  # of a line, RFC 5545 §3.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """``uid`` stays the same for ever; ``sequence`` rises with each other time, so that the
    calendar moves the entry it has.
    """

    uid: str
    sequence: int
    window: TimeWindow
    title: str
    text: str = ""
    place: str = ""
    url: str = ""


def calendar_file(one: Appointment, now: datetime) -> str:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Last Mile Hub//Deliveries//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{one.uid}",
        f"SEQUENCE:{one.sequence}",
        f"DTSTAMP:{_moment(now)}",
        f"DTSTART:{_moment(one.window.opens)}",
        f"DTEND:{_moment(one.window.closes)}",
        f"SUMMARY:{escaped(one.title)}",
        *(f"{name}:{escaped(said)}" for name, said in _more(one) if said),
        *([f"URL:{one.url}"] if one.url else []),
        "STATUS:CONFIRMED",
        "TRANSP:TRANSPARENT",  # somebody is at home, and not busy
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{folded(line)}\r\n" for line in lines)


def escaped(said: str) -> str:
    """``said`` as a TEXT value, §3.3.11."""
    said = said.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "\\n".join(said.splitlines())


def folded(line: str) -> str:
    """In pieces of at most ``MOST_OCTETS``, each but the first after a space; no letter is cut."""
    pieces, piece = list[str](), ""
    for letter in line:
        if len(f"{piece}{letter}".encode()) > MOST_OCTETS:
            pieces.append(piece)
            piece = " "
        piece += letter
    return "\r\n".join([*pieces, piece])


def _more(one: Appointment) -> tuple[tuple[str, str], ...]:
    return ("DESCRIPTION", one.text), ("LOCATION", one.place)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"

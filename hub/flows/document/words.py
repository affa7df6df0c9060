"""How a closed job is put on paper: title, outcome and reason in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.core.jobs import Outcome, Reason
from hub.pdf.pod import Mood


@dataclass(frozen=True, slots=True)
class Words:
    """``done`` stands above the quantities; ``ended`` says each outcome."""

    title: str
    done: str
    ended: dict[Outcome, str]


KINDS = {
    "deliver": Words(
        "Proof of delivery",
        "Delivered",
        {
            Outcome.SUCCEEDED: "Delivered",
            Outcome.PARTIAL: "Delivered in part",
            Outcome.FAILED: "Could not deliver",
        },
    ),
    "collect": Words(
        "Collection",
        "Collected",
        {
            Outcome.SUCCEEDED: "Collected",
            Outcome.PARTIAL: "Collected in part",
            Outcome.FAILED: "Could not collect",
        },
    ),
    "serve": Words(
        "Service visit",
        "Done",
        {
            Outcome.SUCCEEDED: "Done",
            Outcome.PARTIAL: "Done in part",
            Outcome.FAILED: "Could not be done",
        },
    ),
}
ANY_KIND = {Outcome.SKIPPED: "Not attempted", Outcome.CANCELLED: "Cancelled"}
MOODS: dict[Outcome, Mood] = {Outcome.SUCCEEDED: "good", Outcome.PARTIAL: "partly"}
REASONS = {
    Reason.NOBODY_HOME: "nobody was home",
    Reason.REFUSED: "it was refused",
    Reason.WRONG_ADDRESS: "the address was wrong",
    Reason.NO_ACCESS: "there was no way in",
    Reason.CLOSED: "it was closed",
    Reason.UNSAFE: "it was not safe",
    Reason.DAMAGED: "the goods were damaged",
    Reason.MISSING_ITEMS: "items were missing",
    Reason.NO_ID: "no valid ID was shown",
    Reason.NO_PAYMENT: "it was not paid",
    Reason.NO_TIME: "there was no time left",
    Reason.VEHICLE: "the vehicle broke down",
    Reason.WEATHER: "the weather did not allow it",
    Reason.OTHER: "another reason, see the note",
}


def title(kind: str, outcome: Outcome) -> str:
    """What the document is called: no proof of delivery without a delivery."""
    undelivered = kind == "deliver" and outcome not in MOODS
    return "Delivery attempt" if undelivered else KINDS[kind].title


def ended(kind: str, outcome: Outcome) -> str:
    return (KINDS[kind].ended | ANY_KIND)[outcome]


def reason(code: str) -> str:
    """``code`` in words; a code from elsewhere as it is, readable; empty stays empty."""
    try:
        return REASONS[Reason(code)]
    except ValueError:
        return code.replace("_", " ")


def full(moment: datetime, zone: ZoneInfo) -> str:
    """Monday 23 November 2026, 10:24:07."""
    local = moment.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M:%S}"


def clock_of(moment: datetime, zone: ZoneInfo) -> str:
    """EET, Europe/Helsinki: whose clock says so, and whether it is summer time."""
    return f"{moment.astimezone(zone).tzname()}, {zone.key}"


def clock(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%H:%M")

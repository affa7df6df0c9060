"""What the page says of what can be done on it, and why something cannot be done any more."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from hub.core.self_service import Answer, Why
from hub.core.tongue import Tongue
from hub.core.tracking_words import day_words
from hub.core.values import TimeWindow

DONE = ("door", "leave", "person", "time", "cancel", "follow")
"""What an address may say was just saved; nothing else is believed."""


def done_words(what: str, tongue: Tongue) -> str:
    """Empty for what is none of ``DONE``."""
    match what:
        case "door":
            return tongue.say("Saved: the driver sees it.")
        case "leave":
            return tongue.say("Saved: the driver sees where it may be left.")
        case "person":
            return tongue.say("Saved: it is handed over in person.")
        case "time":
            return tongue.say("Saved: the time is yours.")
        case "cancel":
            return tongue.say("Saved: it is cancelled.")
        case "follow":
            return tongue.say("Saved: we know what to do.")
    return ""


def closed_words(answer: Answer, zone: ZoneInfo, now: datetime, tongue: Tongue) -> str:
    """Why it cannot be done now; empty where nothing is to be said."""
    match answer.why:
        case Why.PAST if answer.until is not None:
            when = moment_words(answer.until, zone, now, tongue)
            return tongue.say("Changes were possible until {when}.", when=when)
        case Why.SOON:
            return tongue.say("It comes too soon for changes.")
        case Why.TOLD:
            return tongue.say("Changes were possible until your time was set.")
        case Why.COMING:
            return tongue.say("The driver has it on board: the time cannot be changed any more.")
        case Why.NEAR:
            return tongue.say("The driver is almost there: notes would not be read any more.")
    return ""


def until_words(answer: Answer, zone: ZoneInfo, now: datetime, tongue: Tongue) -> str:
    """Until when it can be done; empty where no clock ends it."""
    if not answer.is_open or answer.until is None:
        return ""
    when = moment_words(answer.until, zone, now, tongue)
    return tongue.say("Changes are possible until {when}.", when=when)


def moment_words(at: datetime, zone: ZoneInfo, now: datetime, tongue: Tongue) -> str:
    """``18:00`` today, else ``Sunday 22 November, 18:00``."""
    local = at.astimezone(zone)
    time = tongue.clock(local)
    if local.date() == now.astimezone(zone).date():
        return time
    return tongue.say("{day}, {time}", day=tongue.day(local.date()), time=time)


def slot_words(window: TimeWindow, zone: ZoneInfo, tongue: Tongue) -> str:
    opens, closes = (tongue.clock(one.astimezone(zone)) for one in (window.opens, window.closes))
    return f"{opens} – {closes}"


def slot_day(day: date, zone: ZoneInfo, now: datetime, tongue: Tongue) -> str:
    return day_words(day, now.astimezone(zone).date(), tongue)


def wrong_words(field: str, most: int, tongue: Tongue) -> str:
    """What is wrong with what was typed into ``field``."""
    if field == "where":
        return tongue.say("Say where, in up to {n} letters.", n=most)
    return tongue.say("That is too long: up to {n} letters.", n=most)

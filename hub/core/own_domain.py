"""Whether a name may carry a business's pages: what DNS must say, and what it was found to say.

Who owns a name can write a token below it. That decides, not who typed the name first.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Literal

State = Literal["waiting", "proven", "failing", "broken"]
BELOW = "_lastmilehub"
"""The label under which the token is looked for; a CNAME at the name itself allows no text."""
BROKEN_AFTER = timedelta(days=3)
"""Longer than a name server is down, shorter than customers meet a page that is not there."""
AGAIN = timedelta(days=1)
AGAIN_FAILING = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Found:
    """What DNS said. ``unanswered`` is why it said nothing; empty: it answered."""

    texts: tuple[str, ...] = ()
    alias: str = ""
    addresses: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()
    unanswered: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``is_ours``: the token is there. ``points_here``: its visitors come to this hub."""

    is_ours: bool
    points_here: bool
    said: str

    @property
    def holds(self) -> bool:
        return self.is_ours and self.points_here


def token_name(host: str) -> str:
    return f"{BELOW}.{host}"


def token_text(token: str) -> str:
    return f"lastmilehub={token}"


def judge(host: str, token: str, hub_host: str, found: Found) -> Verdict:
    """What was found, in a sentence that says what is still to do."""
    if found.unanswered:
        said = f"DNS gave no answer for {host} ({found.unanswered}). It is tried again by itself."
        return Verdict(False, False, said)
    wanted = token_text(token)
    is_ours = wanted in found.texts
    goes_to_us = found.alias == hub_host or bool(set(found.addresses) & set(found.ours))
    missing = []
    if not is_ours:
        there = _listed(found.texts) if found.texts else "nothing"
        missing.append(f"{token_name(host)} has {there}; it needs the text {wanted}.")
    if not goes_to_us:
        there = _elsewhere(found)
        missing.append(f"{host} leads to {there}; it must lead to {hub_host}.")
    return Verdict(is_ours, goes_to_us, " ".join(missing) or f"{host} is yours and leads here.")


def after_check(
    state: State, failing_since: datetime | None, verdict: Verdict, now: datetime
) -> tuple[State, datetime | None]:
    """What a domain is after a check, and since when it fails; ``None``: it does not.

    One that was proven keeps its links for some days while it fails.
    """
    if verdict.holds:
        return "proven", None
    if state == "waiting":
        return "waiting", None
    since = failing_since or now
    return ("broken" if now - since >= BROKEN_AFTER else "failing"), since


def is_due(state: State, checked_at: datetime | None, now: datetime) -> bool:
    """Whether to look again by itself; one that was never proven waits for a person."""
    if state == "waiting":
        return False
    wait = AGAIN_FAILING if state == "failing" else AGAIN
    return checked_at is None or now - checked_at >= wait


def _elsewhere(found: Found) -> str:
    """Where a name leads; of our own network nothing is told to whoever types its names."""
    if any(not ip_address(one).is_global for one in found.addresses):
        return "an address that the internet does not have"
    return found.alias or _listed(found.addresses) or "nowhere"


def _listed(some: Collection[str]) -> str:
    return ", ".join(sorted(some)[:3])[:200]

"""Who wants to know where an order is: what counts as asking, and how often it comes to that.

A page that is opened answers the question by itself. How well it does is seen by how few
people still call: ``figures`` holds page opens against contacts, for each 100 deliveries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class Kind(StrEnum):
    VIEW = "view"  # somebody opened the page
    CONTACT_TAP = "contact_tap"  # and pressed "Call us" on it
    ASKED = "asked"  # somebody asked a person


CHANNELS = ("phone", "mail", "chat", "counter", "other")
"""How somebody asked a person."""
SAME = timedelta(minutes=10)
"""Opened, or tapped, again within this it is the same look at the same question."""
ONE_CALL = timedelta(minutes=30)
"""Who taps "Call us" is on the phone soon after: the tap and the noted call are one contact."""
FEWEST = 20
"""Of fewer deliveries a share says nothing."""
# Programs that fetch a link to show a picture of it, or to look for viruses. They say so.
_PROGRAMS = re.compile(
    r"bot\b|bot[/;]|crawl|spider|preview|facebookexternalhit|facebot|whatsapp|telegram|slack|discord"
    r"|skypeuripreview|linkedin|embedly|safelinks|microsoft office|ms-office|barracuda|mimecast"
    r"|proofpoint|python-requests|python-urllib|curl/|wget/|go-http-client|okhttp|headlesschrome"
    r"|lighthouse|monitor|scanner",
    re.IGNORECASE,
)


def is_a_look(headers: Mapping[str, str], method: str = "GET") -> bool:
    """Whether a request for the page is somebody who opens it, by what browsers say of it.

    Not a page that renews itself, one fetched ahead in case it is wanted, nor a program.
    ``headers``: names in lower case.
    """
    if method != "GET" or "if-none-match" in headers:
        return False
    if any("prefetch" in headers.get(one, "") for one in ("sec-purpose", "purpose", "x-moz")):
        return False
    if headers.get("x-purpose") == "preview" or headers.get("sec-purpose") == "prerender":
        return False
    browser = headers.get("user-agent", "")
    if not browser or _PROGRAMS.search(browser):
        return False
    # A page that loads itself anew, by its script or by <meta refresh>, comes from itself.
    if headers.get("sec-fetch-site") == "same-origin":
        return False
    return headers.get("sec-fetch-dest", "document") in ("document", "iframe")


def once(kind: Kind, at: datetime, *about: str) -> str:
    """The same for all of one kind that are one: by ten minutes of the clock."""
    n = int(at.astimezone(UTC).timestamp() // SAME.total_seconds())
    return ":".join((kind, *about, str(n)))


@dataclass(frozen=True, slots=True)
class Asked:
    """One enquiry about one order."""

    order_id: str
    kind: Kind
    at: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """Of so many deliveries: how many had their page opened, and how many contacts there were.

    ``answered``: pages opened with no contact afterwards. A tap that a noted call follows is
    one contact with it.
    """

    deliveries: int = 0
    opened: int = 0
    answered: int = 0
    contacts: int = 0
    contacts_opened: int = 0  # about orders whose page was opened

    @property
    def is_enough(self) -> bool:
        return self.deliveries >= FEWEST

    @property
    def per_100(self) -> float:
        return _per_100(self.contacts, self.deliveries)

    @property
    def per_100_opened(self) -> float:
        return _per_100(self.contacts_opened, self.opened)

    @property
    def per_100_unopened(self) -> float:
        return _per_100(self.contacts - self.contacts_opened, self.deliveries - self.opened)

    @property
    def answered_percent(self) -> float:
        return _per_100(self.answered, self.opened)


def figures(delivered: Iterable[str], asked: Sequence[Asked]) -> Figures:
    """``delivered``: ids of the orders that were delivered; what others are asked is left out."""
    orders = set(delivered)
    by_order: dict[str, list[Asked]] = {}
    for one in sorted(asked, key=lambda one: one.at):
        if one.order_id in orders:
            by_order.setdefault(one.order_id, []).append(one)
    opened = answered = contacts = contacts_opened = 0
    for some in by_order.values():
        made = contacts_of(some)
        first = next((one.at for one in some if one.kind is Kind.VIEW), None)
        contacts += len(made)
        if first is None:
            continue
        later = [at for at in made if at >= first]
        opened += 1
        answered += not later
        contacts_opened += len(made)
    return Figures(len(orders), opened, answered, contacts, contacts_opened)


def contacts_of(asked: Sequence[Asked]) -> list[datetime]:
    """When somebody turned to a person about one order; ``asked``: all about it, oldest first."""
    calls = [one.at for one in asked if one.kind is Kind.ASKED]
    taps = [
        one.at
        for one in asked
        if one.kind is Kind.CONTACT_TAP
        and not any(timedelta(0) <= at - one.at <= ONE_CALL for at in calls)
    ]
    return sorted([*calls, *taps])


def _per_100(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0

"""What may be seen of a delivery, by whom and from when: data, and one function that decides.

A business sets a rule for each fact and each reader. A rule narrows what a fact's own span
allows, and never widens it: a driver is shown to nobody after the door, whatever is set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, Field

from hub.core.values import Role


class Fact(StrEnum):
    POSITION = "position"  # where the driver is; once it is over, where he handed over
    ROUTE = "route"  # the road he will take to this door
    DRIVER = "driver"  # his first name
    STOPS = "stops"  # how many come first
    RECIPIENT = "recipient"  # the name of who gets it, and of who took it
    ADDRESS = "address"
    ITEMS = "items"  # what the goods are called
    PHOTO = "photo"  # taken at the door
    PAYMENT = "payment"  # what is to be paid at the door


class Reader(StrEnum):
    PAGE = "page"  # whoever has the recipient's link: its page, its stream, its downloads
    GIFT = "gift"  # the same link, where somebody else bought it
    BUYER = "buyer"  # whoever has the link of who bought it for somebody else
    SITE = "site"
    SHIPPER = "shipper"
    MESSAGES = "messages"  # what is written to a recipient, and may lie in a shared mail box
    STORE = "store"  # where the order came from
    BOOKS = "books"


class Stage(StrEnum):
    WAITING = "waiting"  # nobody is on the way
    ON_THE_WAY = "on_the_way"
    AT_THE_DOOR = "at_the_door"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


Since = Literal["always", "stops", "minutes", "metres", "never"]


@dataclass(frozen=True, slots=True)
class Rule:
    """From when on: ``at`` most stops, minutes or metres before the door."""

    since: Since = "never"
    at: int = 0


ALWAYS, NEVER = Rule("always"), Rule("never")
NEXT = Rule("stops", 0)


@dataclass(frozen=True, slots=True)
class Moment:
    """How far a delivery is. ``None``: not known, so no threshold in it is met.

    ``is_fresh``: the page of the delivery is still the full one.
    """

    stage: Stage
    stops_before: int | None = None
    away: timedelta | None = None
    away_m: float | None = None
    is_fresh: bool = True


Rules = dict[Fact, Rule]


class Visibility(BaseModel):
    """A business's rules; a fact that has none is not shown."""

    page: Rules = Field(default_factory=lambda: dict(USUAL[Reader.PAGE]))
    gift: Rules = Field(default_factory=lambda: dict(USUAL[Reader.GIFT]))
    buyer: Rules = Field(default_factory=lambda: dict(USUAL[Reader.BUYER]))
    site: Rules = Field(default_factory=lambda: dict(USUAL[Reader.SITE]))
    shipper: Rules = Field(default_factory=lambda: dict(USUAL[Reader.SHIPPER]))
    messages: Rules = Field(default_factory=lambda: dict(USUAL[Reader.MESSAGES]))
    store: Rules = Field(default_factory=lambda: dict(USUAL[Reader.STORE]))
    books: Rules = Field(default_factory=lambda: dict(USUAL[Reader.BOOKS]))

    def of(self, reader: Reader) -> Mapping[Fact, Rule]:
        rules: Mapping[Fact, Rule] = getattr(self, reader)
        return rules

    @property
    def page_measures(self) -> bool:
        """Whether how far away the driver is, in metres, decides anything on any page."""
        return any(rule.since == "metres" for one in PAGES for rule in self.of(one).values())

    def but(self, reader: Reader, **rules: Rule) -> Visibility:
        """The same with other rules for some facts, each by its name."""
        changed = {**self.of(reader), **{Fact(name): rule for name, rule in rules.items()}}
        return self.model_copy(update={reader.value: changed})


F, S = Fact, Stage
_PAGE: Mapping[Fact, Rule] = MappingProxyType(
    {
        F.POSITION: Rule("stops", 3),  # further away it says where others live
        F.ROUTE: NEXT,
        F.DRIVER: ALWAYS,
        F.STOPS: ALWAYS,
        F.RECIPIENT: ALWAYS,
        F.ADDRESS: ALWAYS,
        F.ITEMS: ALWAYS,
        F.PHOTO: NEVER,  # of a house: whoever gets the link would see who lives how
        F.PAYMENT: ALWAYS,
    }
)
_FAR = dict.fromkeys((F.POSITION, F.ROUTE, F.DRIVER), NEVER)  # of who waits elsewhere
USUAL: Mapping[Reader, Mapping[Fact, Rule]] = MappingProxyType(
    {
        Reader.PAGE: _PAGE,
        # Who gets a present is not told what it is; who opens the door is asked for what is due.
        Reader.GIFT: {**_PAGE, F.ITEMS: NEVER},
        # Who sends a present need not know where somebody lives, nor when they are alone at home.
        Reader.BUYER: {**_PAGE, **_FAR, F.ADDRESS: NEVER},
        Reader.SITE: {**_PAGE, F.ITEMS: NEVER},
        Reader.SHIPPER: {**_PAGE, **_FAR, F.PAYMENT: NEVER},
        Reader.MESSAGES: {F.RECIPIENT: ALWAYS, F.ADDRESS: ALWAYS},
        # A store sold it and books charge for it: they know whose it is.
        Reader.STORE: dict.fromkeys((F.POSITION, F.RECIPIENT, F.ITEMS, F.PHOTO), ALWAYS),
        Reader.BOOKS: dict.fromkeys(
            (F.POSITION, F.DRIVER, F.RECIPIENT, F.ADDRESS, F.ITEMS, F.PHOTO), ALWAYS
        ),
    }
)
FACTS: Mapping[Reader, tuple[Fact, ...]] = MappingProxyType(
    {reader: tuple(rules) for reader, rules in USUAL.items()}
)
"""What can reach a reader at all, and so what a business is asked about."""
PAGES = (Reader.PAGE, Reader.GIFT, Reader.BUYER, Reader.SITE, Reader.SHIPPER)
"""Who reads by a link."""
_BY_ROLE = {Role.BUYER: Reader.BUYER, Role.SITE: Reader.SITE, Role.SHIPPER: Reader.SHIPPER}

_ENDS = frozenset({F.POSITION, F.ADDRESS})
_ROAD = frozenset({S.ON_THE_WAY})
_BEFORE = frozenset({S.WAITING, S.ON_THE_WAY, S.AT_THE_DOOR})
_ALL = frozenset(Stage)
PAGE_SPANS: Mapping[Fact, frozenset[Stage]] = MappingProxyType(
    {
        F.POSITION: _ROAD,  # who is at the door is seen from the window
        F.ROUTE: _ROAD,
        F.DRIVER: frozenset({S.ON_THE_WAY, S.AT_THE_DOOR}),
        F.STOPS: _ROAD,
        F.RECIPIENT: _BEFORE | {S.DONE, S.FAILED},  # when it is done: who took it
        F.ADDRESS: _BEFORE | {S.FAILED},
        F.ITEMS: _ALL,
        F.PHOTO: frozenset({S.DONE}),
        F.PAYMENT: _BEFORE | {S.FAILED},
    }
)
"""While a fact is of use to who waits. Links are passed on, so each ends as soon as it can."""


def page_reader(role: Role, *, is_gift: bool) -> Reader:
    """Whose rules the link of ``role`` goes by; ``is_gift``: it was bought for somebody else."""
    return _BY_ROLE.get(role, Reader.GIFT if is_gift else Reader.PAGE)


def is_a_gift(contacts: Mapping[Role, str]) -> bool:
    """Whether, by who is who (a name, or how to reach them), somebody bought it for another."""
    buyer, recipient = contacts.get(Role.BUYER, ""), contacts.get(Role.RECIPIENT, "")
    return bool(buyer and recipient and buyer.casefold() != recipient.casefold())


def may(rules: Visibility, reader: Reader, fact: Fact, now: Moment) -> bool:
    """Whether ``reader`` may see ``fact`` at this moment."""
    if reader in PAGES and not (now.is_fresh and now.stage in PAGE_SPANS[fact]):
        return False
    rule = rules.of(reader).get(fact, NEVER)
    if rule.since == "never":
        return False
    if fact is Fact.ROUTE and now.stops_before != 0:
        return False  # a line that passes other doors says where they are
    return rule.since == "always" or _is_near(rule, now)


def shown(rules: Visibility, reader: Reader, now: Moment) -> frozenset[Fact]:
    """All that ``reader`` may see. A road begins at the driver and ends at the address: who may
    not see both sees none of it.
    """
    seen = frozenset(fact for fact in Fact if may(rules, reader, fact, now))
    return seen if seen >= _ENDS else seen - {Fact.ROUTE}


def _is_near(rule: Rule, now: Moment) -> bool:
    match now.stage:
        case Stage.WAITING | Stage.CANCELLED:
            return False
        case Stage.ON_THE_WAY:
            match rule.since:
                case "stops":
                    return now.stops_before is not None and now.stops_before <= rule.at
                case "minutes":
                    return now.away is not None and now.away <= timedelta(minutes=rule.at)
            return now.away_m is not None and now.away_m <= rule.at
    return True  # he is, or was, at the door

"""What an amendment asks of a driver who has the order on the phone already, and what it is not.

Three things are never changed under somebody's hands: where, when, and to bring more. The rest
(a phone number, a note, fewer goods) is taken at once and told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from enum import StrEnum

from hub.core.orders import IncomingOrder
from hub.core.values import Contact, TimeWindow

PARCELS = "Parcels"
LEFT = "Order"  # what changed of one that left the route: all of it


class Group(StrEnum):
    WHERE = "where"
    WHEN = "when"
    GOODS = "goods"  # more of them; fewer ask nobody


class Decision(StrEnum):
    """What became of a question. Only the first three are anybody's to choose."""

    TAKE = "take"
    KEEP = "keep"
    OFF = "off"  # taken off the route, to be planned as it is now
    WITHDRAWN = "withdrawn"  # its source took it back
    LATE = "late"  # nobody drove for it any more


@dataclass(frozen=True, slots=True)
class Merged:
    """``report`` is in force from now on. ``asked`` waits for somebody; ``kept`` was decided.

    ``is_new``: more or something else is asked than before.
    """

    report: IncomingOrder
    asked: tuple[Group, ...]
    kept: tuple[Group, ...]
    is_new: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is now different, in words; either side may be empty."""

    what: str
    was: str
    now: str


def merged(
    in_force: IncomingOrder,
    last: IncomingOrder,
    incoming: IncomingOrder,
    asked: Collection[Group] = (),
) -> Merged:
    """What ``incoming`` makes of an order that is driven by ``in_force``.

    ``last`` is what its source said before, ``asked`` the groups of it that are not decided.
    What it says as it is in force is not asked (any more); what was kept out and is said
    again stays out.
    """
    waits, kept = list[Group](), list[Group]()
    for group in Group:
        if not _asks(group, in_force, incoming):
            continue
        again = _of(group, incoming) == _of(group, last)
        (kept if again and group not in asked else waits).append(group)
    new = any(
        group not in asked or _of(group, incoming) != _of(group, last) for group in waits
    ) or bool(waits and set(asked) - set(waits))
    report = _holding(in_force, incoming, (*waits, *kept))
    return Merged(report, tuple(waits), tuple(kept), new)


def changed(before: IncomingOrder, after: IncomingOrder) -> tuple[Group, ...]:
    """The groups in which ``after`` asks something else of a driver than ``before``."""
    return tuple(group for group in Group if _asks(group, before, after))


def differences(
    before: IncomingOrder, after: IncomingOrder, zone: tzinfo
) -> tuple[Difference, ...]:
    """What a driver or a dispatcher reads: all that matters at the door."""
    return tuple(
        Difference(what, was, now)
        for what, was, now in _worded(before, after, zone)
        if was != now and (was or now)
    )


SHORT = {
    "Address": "address",
    "Fetched at": "where it is fetched",
    "Number": "number",
    "Recipient": "recipient",
    "Phone": "phone",
    "Instructions": "instructions",
    "To collect": "payment",
    "Day": "day",
    "Time": "time",
    "Customer's note": "note",
    "Door code": "door code",
    "If nobody is home": "where to leave it",
    LEFT: "taken off",
}


def in_short(what: Iterable[str]) -> str:
    """What ``differences`` are about, in a few words; lines by their titles are goods."""
    return ", ".join(dict.fromkeys(SHORT.get(one, "goods") for one in what))


def is_for(
    windows: Collection[TimeWindow], due_on: date | None, day: date, shift: TimeWindow
) -> bool:
    """Whether what is wanted then can be done on a route of ``day`` that is driven in ``shift``."""
    if windows:
        return any(w.opens < shift.closes and shift.opens < w.closes for w in windows)
    return due_on is None or due_on <= day


def _of(group: Group, order: IncomingOrder) -> object:
    fetch = order.pick_up
    match group:
        case Group.WHERE:
            return order.address, order.point, fetch and (fetch.address, fetch.point)
        case Group.WHEN:
            return order.windows, order.due_on, fetch and fetch.windows
        case Group.GOODS:
            return order.lines, order.parcels


def _asks(group: Group, before: IncomingOrder, after: IncomingOrder) -> bool:
    if _of(group, before) == _of(group, after):
        return False
    return group is not Group.GOODS or _is_more(before, after)


def _is_more(before: IncomingOrder, after: IncomingOrder) -> bool:
    """Whether what ``before`` puts on a van is not enough for ``after``."""
    more = _counted(after) - _counted(before)
    return bool(more) or after.load_parcels > before.load_parcels


def _counted(order: IncomingOrder) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in order.lines:
        found[line.sku or line.title] += line.quantity
    return found


def _holding(
    in_force: IncomingOrder, incoming: IncomingOrder, held: Collection[Group]
) -> IncomingOrder:
    if Group.WHERE in held:
        incoming = replace(incoming, address=in_force.address, point=in_force.point)
    if Group.WHEN in held:
        incoming = replace(incoming, windows=in_force.windows, due_on=in_force.due_on)
    if Group.GOODS in held:
        incoming = replace(incoming, lines=in_force.lines, parcels=in_force.parcels)
    if {Group.WHERE, Group.WHEN} & set(held):
        incoming = replace(incoming, pick_up=in_force.pick_up)
    return incoming


def _worded(
    before: IncomingOrder, after: IncomingOrder, zone: tzinfo
) -> Iterator[tuple[str, str, str]]:
    for what, say in (
        ("Address", _address),
        ("Fetched at", _fetched_at),
        ("Number", lambda order: order.number),
        ("Recipient", lambda order: order.recipient.name or order.recipient.company),
        ("Phone", lambda order: ", ".join(filter(None, map(_phone, order.contacts)))),
        ("Instructions", lambda order: order.instructions),
        ("To collect", lambda order: order.payment_due),
    ):
        yield what, say(before), say(after)
    yield "Day", _day(before), _day(after)
    yield "Time", _windows(before.windows, zone), _windows(after.windows, zone)
    yield from _goods(before, after)


def not_on_board(loaded: IncomingOrder, wanted: IncomingOrder) -> tuple[str, ...]:
    """What a driver who carries ``loaded`` lacks of ``wanted``, thing by thing in words."""
    more = [(title, int(was), int(now)) for title, was, now in _goods(loaded, wanted)]
    more = [one for one in more if one[2] > one[1]]
    said = [one for one in more if one[0] != PARCELS] or more
    if len(said) == 1:
        [(_, was, now)] = said
        return (f"The driver has {was or 'none'} on board; {now} are wanted.",)
    return tuple(
        f"{title}: the driver has {was or 'none'} on board; {now} are wanted."
        for title, was, now in said
    )


def _address(order: IncomingOrder) -> str:
    written = order.address.one_line()
    if order.point is None or written.strip():
        return written
    return f"{order.point.lat:.5f}, {order.point.lon:.5f}"


def _fetched_at(order: IncomingOrder) -> str:
    return order.pick_up.address.one_line() if order.pick_up else ""


def _phone(contact: Contact) -> str:
    return contact.phone


def _day(order: IncomingOrder) -> str:
    return f"{order.due_on:%a %-d %b}" if order.due_on else ""


def _windows(windows: Collection[TimeWindow], zone: tzinfo) -> str:
    """Days are named where they are not all one: a window may move to tomorrow."""
    return ", ".join(
        f"{w.opens.astimezone(zone):%a %-d %b %H:%M}–{w.closes.astimezone(zone):%H:%M}"
        for w in windows
    )


def _goods(before: IncomingOrder, after: IncomingOrder) -> Iterator[tuple[str, str, str]]:
    """Line by line, so that a driver sees which one; what there is no more of is 0."""
    names = {line.sku or line.title: line.title for o in (before, after) for line in o.lines}
    was, now = _counted(before), _counted(after)
    for key, title in names.items():
        yield title or key, f"{was[key]}", f"{now[key]}"
    if before.load_parcels != after.load_parcels:
        yield PARCELS, f"{before.load_parcels}", f"{after.load_parcels}"

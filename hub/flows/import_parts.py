"""A large file, some of its orders at a time: whoever stores holds the database.

Drivers' acts, notices and every other program wait for the unit that is open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, replace

from hub.core.csv_orders import Preview
from hub.flows.sync import SyncReport

AT_ONCE = 200  # orders; a third of a second on a small machine


def part_of(seen: Preview, after: str = "") -> tuple[Preview, str]:
    """What is to be stored next, and the ref after which the rest comes; empty: nothing is left.

    ``after``: the ref after which this part begins; one that is not in the file begins anew.
    Cancellations come first; an order that the file also has as open is not cancelled.
    """
    orders = {order.ref: order for order in seen.orders}
    refs = list(dict.fromkeys([ref for _, ref in seen.cancelled if ref not in orders]))
    refs += orders
    begin = refs.index(after) + 1 if after in refs else 0
    some = refs[begin : begin + AT_ONCE]
    ends = set(some) - orders.keys()
    part = replace(
        seen,
        orders=[orders[ref] for ref in some if ref in orders],
        cancelled=[(row, ref) for row, ref in seen.cancelled if ref in ends],
    )
    return part, some[-1] if begin + len(some) < len(refs) else ""


def together(reports: Iterable[SyncReport]) -> SyncReport:
    """What all of them say."""
    return SyncReport(*(sum(counts) for counts in zip(*map(astuple, reports), strict=True)))

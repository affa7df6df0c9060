"""What a report means for an order that is here already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hub.core.jobs import Outcome
from hub.core.orders import Change, IncomingOrder
from hub.db.tables import JobRow, OrderRow
from hub.flows.order_rows import Leg, legs, order_report

SHOWN = frozenset({"number", "address", "point", "contacts", "pick_up", "lines", "parcels"})
SHOWN |= {"windows", "payment_due", "instructions"}
"""The fields of an order that its driver's phone or its route depend on."""
REOPENS = SHOWN | {"due_on", "kind", "service_s", "skills"}
"""What must be different for a source to take up again what a person called off."""
DONE = frozenset({Outcome.SUCCEEDED, Outcome.PARTIAL})


@dataclass(frozen=True, slots=True)
class Known:
    """An order that is stored already, as reported now; ``jobs`` are those still open."""

    row: OrderRow
    before: IncomingOrder
    incoming: IncomingOrder
    change: Change
    jobs: list[JobRow]

    @property
    def reopens(self) -> bool:
        return self.row.status == "cancelled" and self.incoming.status == "open"

    @property
    def asked(self) -> Iterator[tuple[JobRow, Leg, Leg]]:
        """Each job with what was and what is now asked of it; counted from the last leg."""
        was, now = legs(self.before), legs(self.incoming)
        for job in self.jobs:
            leg = min(job.leg - len(was), -1)
            if -leg <= len(now):  # else nothing is fetched first any more
                yield job, was[leg], now[leg]


def about_called_off(row: OrderRow, incoming: IncomingOrder, change: Change) -> Change:
    """What ``change`` comes to where a person cancelled; see ``hub.flows.sync.call_off``."""
    if change.kind == "cancelled":  # its source agrees now, which nobody needs to hear
        row.report = order_report.dump_python(incoming, mode="json")
        return Change("unchanged")
    if change.kind != "amended" or not REOPENS.intersection(change.fields):
        return Change("unchanged")
    if incoming.updated_at <= row.updated_at:
        return Change("stale")
    return Change("amended", (*change.fields, "status"))

"""Which event starts which flow, on one screen.

Reactions are subscribers like any plugin's: at least once, in order per subject,
retried or parked by the type of error, never inside the transaction that announced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.core.contracts import Subscriber, Tools
from hub.core.events import (
    AmendmentProposed,
    EndpointSwitchedOff,
    Event,
    JobClosed,
    JobWithdrawn,
    OrderAmended,
    OrderCancelled,
    OrderPlaced,
    ProofCompleted,
    ShiftEnded,
)
from hub.core.notices import ASKED, HEARD
from hub.db.outbox import ForSome
from hub.flows import records, tell_owners, webhooks, write_back
from hub.flows.amended_drafts import RETIMES, settle_drafts
from hub.flows.amendments import follow, weigh
from hub.flows.connected import connected_businesses
from hub.flows.dispatch import retime, retime_without
from hub.flows.endpoints import listening_businesses
from hub.flows.locate import LOCATE, locate_new
from hub.flows.next_steps import settle
from hub.flows.notify import asking_businesses, reserve
from hub.flows.off_shift import forget_off_shift

if TYPE_CHECKING:
    from hub.app import Hub


def reactions(hub: Hub) -> tuple[Subscriber, ...]:
    """What the hub itself does when something happened."""

    def locate(event: Event, tools: Tools) -> None:
        if isinstance(event, AmendmentProposed):
            weigh(hub, event)
        else:
            locate_new(hub, event.business_id)

    def follow_up(event: Event, tools: Tools) -> None:
        if isinstance(event, JobClosed):
            settle(hub, event.business_id, event.job_id)

    def make_room(event: Event, tools: Tools) -> None:
        match event:
            case JobWithdrawn(rest_waits=True):
                retime(hub, event.business_id, event.route_id, actor="hub")
            case OrderCancelled():  # drafts too, of which nobody was told
                retime_without(hub, event.business_id, event.subject_id, actor="hub")
            case OrderAmended() if RETIMES.intersection(event.changed):
                settle_drafts(hub, event.business_id, event.subject_id, actor="hub")

    def let_go(event: Event, tools: Tools) -> None:
        if isinstance(event, JobWithdrawn | JobClosed):
            follow(hub, event)

    def tell(event: Event, tools: Tools) -> None:
        reserve(hub, event)

    def tell_store(event: Event, tools: Tools) -> None:
        write_back.write_back(hub, event)

    def keep_books(event: Event, tools: Tools) -> None:
        if isinstance(event, JobClosed):
            records.record(hub, event)
        elif isinstance(event, ProofCompleted):
            records.add_proof(hub, event)

    def tell_programs(event: Event, tools: Tools) -> None:
        webhooks.put_down(hub, event)

    def forget_positions(event: Event, tools: Tools) -> None:
        if isinstance(event, ShiftEnded):
            forget_off_shift(hub, event)

    def write_owners(event: Event, tools: Tools) -> None:
        if isinstance(event, EndpointSwitchedOff):
            tell_owners.tell_switched_off(hub, event)

    return (
        Subscriber(LOCATE, (OrderPlaced, OrderAmended, AmendmentProposed), locate),
        Subscriber("hub.next_step", (JobClosed,), follow_up),
        Subscriber("hub.amendments", (JobWithdrawn, JobClosed), let_go),
        Subscriber("hub.routes", (OrderCancelled, JobWithdrawn, OrderAmended), make_room),
        Subscriber("hub.notices", HEARD, tell),
        ForSome("hub.notices.asked", ASKED, tell, whose=asking_businesses),
        ForSome(write_back.NAME, write_back.TOLD, tell_store, whose=connected_businesses),
        ForSome(records.NAME, (JobClosed, ProofCompleted), keep_books, whose=connected_businesses),
        Subscriber("hub.positions", (ShiftEnded,), forget_positions),
        Subscriber(tell_owners.NAME, (EndpointSwitchedOff,), write_owners),
        ForSome(webhooks.NAME, webhooks.HEARD, tell_programs, whose=listening_businesses),
    )

"""Which event starts which flow, on one screen.

Reactions are subscribers like any plugin's: at least once, in order per subject,
retried or parked by the type of error, never inside the transaction that announced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.core.contracts import Subscriber, Tools
from hub.core.events import (
    Event,
    JobClosed,
    JobWithdrawn,
    OrderAmended,
    OrderCancelled,
    OrderPlaced,
)
from hub.core.notices import HEARD
from hub.flows.dispatch import retime, retime_without
from hub.flows.locate import locate_new
from hub.flows.next_steps import settle
from hub.flows.notify import reserve

if TYPE_CHECKING:
    from hub.app import Hub

LOCATE = "hub.locate"
"""It asks geocoders, which may be slow: the worker delivers to it apart from the others."""


def reactions(hub: Hub) -> tuple[Subscriber, ...]:
    """What the hub itself does when something happened."""

    def locate(event: Event, tools: Tools) -> None:
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

    def tell(event: Event, tools: Tools) -> None:
        reserve(hub, event)

    return (
        Subscriber(LOCATE, (OrderPlaced, OrderAmended), locate),
        Subscriber("hub.next_step", (JobClosed,), follow_up),
        Subscriber("hub.routes", (OrderCancelled, JobWithdrawn), make_room),
        Subscriber("hub.notices", HEARD, tell),
    )

"""Enquiries: how often people ask where their order is, and noting that somebody did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin.words import Clock, typed
from hub.core.asked import FEWEST, Kind
from hub.core.values import Role as ContactRole
from hub.flows.enquiries import SPAN, asked_now, contacts_lately, figures_of
from hub.flows.links import revoke
from hub.flows.log_in import Role
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

A_PAGE = 50
HOW = {
    "phone": "Called",
    "mail": "Wrote",
    "chat": "Asked in the chat",
    "counter": "Asked at the counter",
    "other": "Asked",
}
STATES = {
    "ordered": "not planned yet",
    "scheduled": "planned",
    "rescheduled": "getting a new time",
    "on_its_way": "on its way",
    "arriving": "next",
    "at_the_door": "at the door",
    "done": "delivered",
    "failed": "not delivered",
    "cancelled": "cancelled",
}


def asked(hub: Hub) -> Blueprint:
    pages = Blueprint("asked", __name__, url_prefix="/panel/asked", template_folder="../templates")

    @pages.get("")
    @needs(Role.DISPATCHER, Role.VIEWER)
    def index() -> AnyResponse:
        business_id, before = me().business_id, typed("before", 36)
        with hub.reading() as session:
            found = contacts_lately(session, business_id, before=before, limit=A_PAGE + 1)
            figures = figures_of(session, business_id, hub.now())
        return page(
            "panel/asked.html",
            found=found[:A_PAGE],
            more=found[A_PAGE - 1].row.id if len(found) > A_PAGE else "",
            is_first=not before,
            figures=figures,
            days=SPAN.days,
            fewest=FEWEST,
            how=HOW,
            tap=Kind.CONTACT_TAP,
            states=STATES,
            clock=Clock.of(me().zone, hub.now()),
        )

    @pages.post("/<order_id>")
    @needs(Role.DISPATCHER)
    def note(order_id: str) -> AnyResponse:
        try:
            asked_now(
                hub,
                me().business_id,
                order_id,
                channel=typed("channel", 20) or "phone",
                note=typed("note", 500),
                actor=me().actor,
            )
        except LookupError:
            abort(404)
        except ValueError:
            flash("Choose how they asked.", "bad")
        else:
            flash("Noted, with what the customer's page says now.", "ok")
        return redirect(url_for("orders.one", order_id=order_id))

    @pages.post("/<order_id>/links/<role>")
    @needs(Role.DISPATCHER)
    def new_link(order_id: str, role: str) -> AnyResponse:
        try:
            revoke(hub, me().business_id, order_id, ContactRole(role), actor=me().actor)
        except (LookupError, ValueError):
            abort(404)
        flash("The old link opens nothing any more. This is the new one.", "ok")
        return redirect(url_for("orders.one", order_id=order_id))

    return pages

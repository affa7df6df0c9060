"""What recipients can do on the page behind their link, and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin.views.settings import DEMANDS
from hub.core.business import Trade, suggested
from hub.flows.business import business_of
from hub.flows.self_service_typed import Sent, as_sent, save_self_service, typed
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

ACTIONS = [
    ("note", "Write a note for the driver", "Until the driver is nearly there."),
    ("access_code", "Give the code of a door or gate", "Only the driver and your desk see it."),
    ("safe_place", "Name a safe place", "Where it may be left if nobody is home."),
    ("neighbour", "Name a neighbour", "Who may take it if nobody is home."),
    ("another_slot", "Choose another time", "Only times that your plan can serve are offered."),
    ("cancel", "Cancel", "Asked once more on a second page; the order's source is told."),
    ("next_step", "Say what follows a failed attempt", "One of those ticked below."),
]
FOLLOWS = [
    ("today", "Again today, if a driver who is out can"),
    ("another_day", "Another day, at one of your times"),
    ("safe_place", "Again, and left in a safe place"),
    ("collect", "Collect it at your depot"),
    ("return", "Send it back"),
]
UNTIL = [
    ("hours", "So many hours before the time told begins"),
    ("published", "Until a time was told"),
]
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def self_service(hub: Hub) -> Blueprint:
    pages = Blueprint(
        "self_service",
        __name__,
        url_prefix="/panel/settings/recipients",
        template_folder="../templates",
    )

    @pages.get("")
    @needs()
    def show() -> AnyResponse:
        _, kept = business_of(hub, me().business_id)
        return _page(as_sent(kept.self_service))

    @pages.post("")
    @needs()
    def save() -> AnyResponse:
        if "suggest" in request.form:
            row, _ = business_of(hub, me().business_id)
            return _page(as_sent(suggested(Trade(row.trade)).self_service), is_suggestion=True)
        sent = dict(request.form.lists())
        rules, wrong = typed(sent)
        if wrong:
            return _page(sent, wrong, 422)
        save_self_service(hub, me().business_id, rules, actor=me().actor)
        flash("Saved. Pages that customers open from now on go by it.", "ok")
        return redirect(url_for("self_service.show"))

    return pages


def _page(
    sent: Sent,
    wrong: dict[str, str] | None = None,
    status: int = 200,
    *,
    is_suggestion: bool = False,
) -> AnyResponse:
    return page(
        "panel/self_service.html",
        status,
        sent=sent,
        wrong=wrong or {},
        is_suggestion=is_suggestion,
        actions=ACTIONS,
        follows=FOLLOWS,
        until=UNTIL,
        weekdays=[(str(n), day) for n, day in enumerate(DAYS)],
        demands=DEMANDS,
    )

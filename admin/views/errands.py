"""What is stuck and waits for a person: try it again, or let it go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin.words import Clock
from hub.flows.errands import dismiss, parked, retry
from hub.flows.log_in import Role
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub


def errands(hub: Hub) -> Blueprint:
    pages = Blueprint("errands", __name__, url_prefix="/panel", template_folder="../templates")

    @pages.get("/stuck")
    @needs(Role.DISPATCHER)
    def index() -> AnyResponse:
        clock = Clock.of(me().zone)
        return page("panel/errands.html", stuck=parked(hub, me().business_id), clock=clock)

    @pages.post("/stuck/<int(max=9223372036854775807):errand_id>/retry")
    @needs(Role.DISPATCHER)
    def again(errand_id: int) -> AnyResponse:
        try:
            retry(hub, me().business_id, errand_id, actor=me().actor)
        except LookupError:
            abort(404)
        flash("It is tried again now.", "ok")
        return redirect(url_for("errands.index"))

    @pages.post("/stuck/<int(max=9223372036854775807):errand_id>/dismiss")
    @needs(Role.DISPATCHER)
    def let_go(errand_id: int) -> AnyResponse:
        try:
            dismiss(hub, me().business_id, errand_id, actor=me().actor)
        except LookupError:
            abort(404)
        flash("It is not tried again.", "ok")
        return redirect(url_for("errands.index"))

    return pages

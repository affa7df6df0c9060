"""An amendment that waits, with what would follow: take it, keep it as it was, or take it off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort
from werkzeug.wrappers import Response as AnyResponse

from hub.core.amending import Decision
from hub.core.errors import HubError
from hub.flows.amended_seen import question
from hub.flows.amendments import decide
from hub.flows.dispatch import RouteConflict
from hub.flows.log_in import Role
from hub.web.board_page import done, named, number, shown, typed
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

DONE = {
    Decision.TAKE: "Taken. The driver sees what was and what is now, and is asked to confirm it.",
    Decision.KEEP: "It stays as it was. The driver is not disturbed.",
    Decision.OFF: "It is off the route, and waits to be planned as it is now.",
}


def amending(pages: Blueprint, hub: Hub) -> None:
    """Add looking at an amendment and deciding it to ``pages``."""

    @pages.get("/amendments/<amendment_id>")
    def amendment(amendment_id: str) -> AnyResponse:
        return _show(amendment_id)

    @pages.post("/amendments/<amendment_id>")
    @needs(Role.DISPATCHER)
    def decision(amendment_id: str) -> AnyResponse:
        """``version`` of the question and ``from`` (the route) are what was looked at."""
        try:
            chosen = Decision(typed("decision"))
        except ValueError:
            return _show(amendment_id, said="Choose what to do.", status=422)
        try:
            decide(
                hub,
                me().business_id,
                amendment_id,
                chosen,
                actor=me().actor,
                version=number(typed("version")),
                route_version=named(typed("from"))[1],
                force=typed("force") == "1",
            )
        except LookupError:
            abort(404)
        except RouteConflict as conflict:
            return _show(amendment_id, conflict=conflict)
        except HubError as problem:
            return _show(amendment_id, said=str(problem), status=409)
        return done(DONE[chosen])

    def _show(
        amendment_id: str,
        *,
        said: str = "",
        conflict: RouteConflict | None = None,
        status: int = 200,
    ) -> AnyResponse:
        try:
            asked = question(hub, me().business_id, amendment_id)
        except LookupError:
            abort(404)
        status = 409 if conflict else status
        return shown("board/amendment.html", status, asked=asked, said=said, conflict=conflict)

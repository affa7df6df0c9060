"""Improving the rest of the day from the board: the difference first, then publish or drop it."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask import Blueprint, request
from pydantic import TypeAdapter, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from hub.core.errors import HubError
from hub.flows.dispatch import RouteConflict
from hub.flows.log_in import Role
from hub.flows.rest_of_day import Proposed, improvement, publish_improvement
from hub.web.board_deciding import decided
from hub.web.board_page import asked_day, shown, typed
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

PLAN = TypeAdapter(tuple[Proposed, ...])
LONGEST = 400_000  # characters: 1,000 stops of a few jobs each are a fifth of it
UNREADABLE = "This proposal cannot be read any more. This is how it stands now: decide again."


def improving(pages: Blueprint, hub: Hub) -> None:
    """Add the rest of the day to ``pages``; what is published is what was shown."""

    @pages.get("/rest")
    @needs(Role.DISPATCHER)
    def rest() -> AnyResponse:
        return _show()

    @pages.post("/rest")
    @needs(Role.DISPATCHER)
    def publish() -> AnyResponse:
        try:
            plan = PLAN.validate_json(request.form.get("plan", "")[:LONGEST])
        except ValidationError:
            return _show(said=UNREADABLE)
        act = partial(
            publish_improvement,
            hub,
            me().business_id,
            _day(),
            plan,
            actor=me().actor,
            force=typed("force") == "1",
        )
        return decided(act, _show, "The rest of the day is improved, and the drivers are told.")

    def _show(*, said: str = "", conflict: RouteConflict | None = None) -> AnyResponse:
        try:
            found = improvement(hub, me().business_id, _day())
        except HubError as problem:
            return shown("board/refused.html", 409, said=said or str(problem))
        return shown(
            "board/rest.html",
            409 if said or conflict else 200,
            found=found,
            plan=PLAN.dump_json(found.proposed).decode(),
            said=said,
            conflict=conflict,
        )

    def _day() -> date:
        return asked_day() or hub.now().astimezone(ZoneInfo(me().zone)).date()

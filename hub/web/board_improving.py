"""Improving the rest of the day from the board: looked for by the worker, watched and decided here.

What is published is what was shown: the search's id and the number of its find are named.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from hub.flows.dispatch import RouteConflict
from hub.flows.improvements import (
    ask_improvement,
    drop_improvement,
    improvement_seen,
    publish_improvement,
    stop_improvement,
)
from hub.flows.log_in import Role
from hub.web.board_deciding import decided
from hub.web.board_page import asked_day, done, is_part, number, shown, typed
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub


def improving(pages: Blueprint, hub: Hub) -> None:
    """Add the rest of the day to ``pages``."""

    @pages.get("/rest")
    @needs(Role.DISPATCHER)
    def rest() -> AnyResponse:
        """How far the last search is, or what it found."""
        return _show()

    @pages.post("/rest/search")
    @needs(Role.DISPATCHER)
    def search_rest() -> AnyResponse:
        ask_improvement(hub, me().business_id, _day(), actor=me().actor)
        return _watch()

    @pages.post("/rest/stop")
    @needs(Role.DISPATCHER)
    def stop_rest() -> AnyResponse:
        """The best so far is kept."""
        _one(stop_improvement)
        return _watch()

    @pages.post("/rest/drop")
    @needs(Role.DISPATCHER)
    def drop_rest() -> AnyResponse:
        _one(drop_improvement)
        return done("The routes stay as they are.")

    @pages.post("/rest")
    @needs(Role.DISPATCHER)
    def publish_found() -> AnyResponse:
        act = partial(
            publish_improvement,
            hub,
            me().business_id,
            typed("id"),
            number(typed("n")),
            actor=me().actor,
            force=typed("force") == "1",
        )
        return decided(act, _show, "The rest of the day is improved, and the drivers are told.")

    def _one(act: Callable[..., None]) -> None:
        try:
            act(hub, me().business_id, typed("id"), actor=me().actor)
        except LookupError:
            abort(404)

    def _watch() -> AnyResponse:
        return _show() if is_part() else redirect(url_for("board.rest", day=asked_day()), 303)

    def _show(*, said: str = "", conflict: RouteConflict | None = None) -> AnyResponse:
        seen = improvement_seen(hub, me().business_id, _day())
        return shown(
            "board/rest.html",
            409 if said or conflict else 200,
            seen=seen,
            found=seen.best if seen else None,
            offered=seen is not None and seen.is_offered(hub.now()),
            said=said,
            conflict=conflict,
        )

    def _day() -> date:
        return asked_day() or hub.now().astimezone(ZoneInfo(me().zone)).date()

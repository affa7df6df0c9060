"""A van or a driver is out: what happened and where, the ways out with their prices, and one press.

The question is asked again, with what stands in its way, when a decision came too late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from hub.core.errors import HubError
from hub.core.values import Point
from hub.flows.dispatch import RouteConflict
from hub.flows.log_in import Role
from hub.flows.places import search
from hub.flows.rescue_looks import question, ways_looked_for
from hub.flows.rescue_ways import Happened
from hub.flows.van_out import take_way
from hub.web.board_page import asked_day, done, named, shown, typed
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

WRONG = (
    "The map does not know this place. Write street, number and town, or latitude and longitude"
    " such as 60.16950, 24.93850."
)
HAPPENED = {
    Happened.VAN: "The van does not drive",
    Happened.DRIVER: "The driver cannot drive; the van can",
    Happened.BOTH: "Both: van and driver are out",
}


def van_out(pages: Blueprint, hub: Hub) -> None:
    """Add the pages for what drops out on the road to ``pages``."""

    @pages.get("/routes/<route_id>/out")
    @needs(Role.DISPATCHER)
    def out(route_id: str) -> AnyResponse:
        """First what happened and where; with ``happened``, the ways out of it."""
        return _show(route_id)

    @pages.post("/routes/<route_id>/out")
    @needs(Role.DISPATCHER)
    def take(route_id: str) -> AnyResponse:
        """``way`` is the key of one of the ways; ``seen`` are ``route:version``, of all routes."""
        versions = dict(named(one[:60]) for one in request.form.getlist("seen"))
        try:
            happened, at = _happened(), _at()
            if happened is None or at is None:
                return _show(route_id, said="Say what happened, and where the van stands.")
            routes = take_way(
                hub,
                me().business_id,
                route_id,
                request.form.get("way", "")[:80],
                happened=happened,
                at=at,
                actor=me().actor,
                versions=versions,
            )
        except LookupError:
            abort(404)
        except RouteConflict as conflict:
            return _show(route_id, conflict=conflict)
        except HubError as problem:
            return _show(route_id, said=str(problem))
        phones = "phone is" if len(routes) == 1 else "phones are"
        return done(f"{len(routes)} {phones} told, and whoever is made late hears of it once.")

    def _at() -> Point | None:
        """An address, or ``60.1695, 24.9385``; ``None`` where nothing is typed or found."""
        found = search(hub, me().business_id, _place())
        return found[0].point if found else None

    def _show(
        route_id: str, *, said: str = "", conflict: RouteConflict | None = None
    ) -> AnyResponse:
        happened, at = _happened(), _at()
        try:
            if happened is None or (at is None and _place()):
                found = question(hub, me().business_id, route_id)
            else:
                found = ways_looked_for(hub, me().business_id, route_id, happened, at)
        except LookupError:
            abort(404)
        except HubError as problem:
            return shown("board/refused.html", 409, said=said or str(problem))
        facts = found.facts
        wrong = "" if at is not None or not _place() else WRONG
        return shown(
            "board/out.html",
            409 if said or conflict else 200,
            facts=facts,
            found=found,
            happened=happened,
            choices=HAPPENED,
            at=_place() if wrong else f"{facts.lat:.5f}, {facts.lon:.5f}",
            wrong=wrong,
            asks=happened is None or bool(wrong),
            said=said,
            conflict=conflict,
            again=_again(route_id, happened, f"{facts.lat:.5f}, {facts.lon:.5f}"),
        )


def _place() -> str:
    """What was typed for where it stands."""
    return request.values.get("at", "").strip()[:200]


def _again(route_id: str, happened: Happened | None, at: str) -> str:
    """Where to ask how far the search is."""
    what = happened.value if happened else None
    return url_for("board.out", route_id=route_id, happened=what, at=at, day=asked_day())


def _happened() -> Happened | None:
    try:
        return Happened(typed("happened"))
    except ValueError:
        return None

"""Deciding on the board: each question with its consequence, asked again when it came too late.

A decision names the versions of the routes it was made from; at another version nothing
happens, and the answer is the question anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask import Blueprint, abort
from werkzeug.wrappers import Response as AnyResponse

from hub.core.errors import HubError
from hub.flows import dispatch
from hub.flows.board import BoardSeen, LaneSeen, board_seen
from hub.flows.board_moves import move_stop, moving
from hub.flows.board_order import turn, turns
from hub.flows.dispatch import DoesNotFit, RouteConflict, best_places
from hub.flows.fleet import drivers_at_work
from hub.flows.log_in import Role
from hub.web.board_page import asked_day, done, named, number, shown, typed
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub


def deciding(pages: Blueprint, hub: Hub) -> None:
    """Add moving a stop, putting a job on a route and handing a route over to ``pages``."""

    @pages.get("/stops/<stop_id>/move")
    @needs(Role.DISPATCHER)
    def stop(stop_id: str) -> AnyResponse:
        """``to`` names one route, ``at`` a place in its own; without them all are weighed."""
        return _show_stop(stop_id)

    @pages.post("/stops/<stop_id>/move")
    @needs(Role.DISPATCHER)
    def move(stop_id: str) -> AnyResponse:
        """``from`` and ``to`` are what was looked at: a route's id and version."""
        to_id, to_version = named(typed("to"))
        _, version = named(typed("from"))
        act = partial(
            move_stop,
            hub,
            me().business_id,
            stop_id,
            to_id,
            actor=me().actor,
            expected_version=version,
            to_version=to_version,
            force=typed("force") == "1",
        )
        return decided(
            act,
            partial(_show_stop, stop_id),
            "The stop is moved, and both drivers are told.",
            gone=_gone,
        )

    @pages.post("/stops/<stop_id>/turn")
    @needs(Role.DISPATCHER)
    def turned(stop_id: str) -> AnyResponse:
        """``at`` is its new number on its own route."""
        _, version = named(typed("from"))
        act = partial(
            turn,
            hub,
            me().business_id,
            stop_id,
            number(typed("at")),
            actor=me().actor,
            expected_version=version,
            force=typed("force") == "1",
        )
        return decided(
            act,
            partial(_show_stop, stop_id),
            "The stop has its new place, and the driver is told.",
            gone=_gone,
        )

    @pages.get("/jobs/<job_id>/place")
    @needs(Role.DISPATCHER)
    def job(job_id: str) -> AnyResponse:
        return _show_job(job_id)

    @pages.post("/jobs/<job_id>/place")
    @needs(Role.DISPATCHER)
    def place(job_id: str) -> AnyResponse:
        to_id, to_version = named(typed("to"))
        act = partial(
            dispatch.add_job,
            hub,
            me().business_id,
            to_id,
            job_id,
            actor=me().actor,
            expected_version=to_version,
            force=typed("force") == "1",
        )
        return decided(act, partial(_show_job, job_id), "It is on the route.")

    @pages.get("/routes/<route_id>/hand-over")
    @needs(Role.DISPATCHER)
    def route(route_id: str) -> AnyResponse:
        return _show_route(route_id)

    @pages.post("/routes/<route_id>/hand-over")
    @needs(Role.DISPATCHER)
    def hand_over(route_id: str) -> AnyResponse:
        try:
            dispatch.hand_over(
                hub,
                me().business_id,
                route_id,
                typed("driver_id"),
                actor=me().actor,
                expected_version=number(typed("version")),
                force=typed("force") == "1",
            )
        except LookupError:
            abort(404)
        except RouteConflict as conflict:
            return _show_route(route_id, conflict=conflict)
        except DoesNotFit as problem:
            return _show_route(route_id, broken=[one.said for one in problem.problems])
        except HubError as problem:
            return _show_route(route_id, said=str(problem))
        return done("The route is handed over.")

    def _show_stop(
        stop_id: str, *, said: str = "", conflict: RouteConflict | None = None
    ) -> AnyResponse:
        to_id, _ = named(typed("to"))
        try:
            found = moving(hub, me().business_id, stop_id, to_id or None)
            own = [] if found.effects and to_id else turns(hub, me().business_id, stop_id)
        except LookupError:
            return _gone()
        except HubError as problem:
            return shown("board/refused.html", 409, said=said or str(problem))
        if at := number(typed("at")):  # before what is under way there is no place: the next
            own = [min(own, key=lambda one: abs(one.position - at))] if own else []
        return shown(
            "board/stop.html",
            409 if said or conflict else 200,
            moving=found,
            turns=own,
            at=at,
            said=said,
            conflict=conflict,
        )

    def _show_job(
        job_id: str, *, said: str = "", conflict: RouteConflict | None = None
    ) -> AnyResponse:
        try:
            offers = best_places(hub, me().business_id, job_id, asked_day() or _today())
        except LookupError:
            abort(404)
        except HubError as problem:
            return shown("board/refused.html", 409, said=said or str(problem))
        status = 409 if said or conflict else 200
        seen = board_seen(hub, me().business_id, asked_day())
        loose = next((one for one in seen.left_out if one.job_id == job_id), None)
        return shown(
            "board/job.html",
            status,
            job_id=job_id,
            job=loose,
            offers=offers,
            said=said,
            conflict=conflict,
        )

    def _show_route(
        route_id: str,
        *,
        broken: list[str] | None = None,
        said: str = "",
        conflict: RouteConflict | None = None,
    ) -> AnyResponse:
        seen = board_seen(hub, me().business_id, asked_day())
        lane = next((one for one in seen.lanes if one.route.id == route_id), None)
        if lane is None:
            abort(404)
        names = drivers_at_work(hub, me().business_id)
        return shown(
            "board/route.html",
            409 if broken or said or conflict else 200,
            lane=lane,
            drivers=takers(seen, lane, names, ZoneInfo(me().zone)),
            driver_id=typed("driver_id"),
            broken=broken or [],
            said=said,
            conflict=conflict,
        )

    def _today() -> date:
        return hub.now().astimezone(ZoneInfo(me().zone)).date()


def decided(
    act: Callable[[], object],
    again: Callable[..., AnyResponse],
    said: str,
    gone: Callable[[], AnyResponse] = lambda: abort(404),
) -> AnyResponse:
    """Carry a decision out; what stands in its way is said where it is asked ``again``."""
    try:
        act()
    except LookupError:
        return gone()
    except RouteConflict as conflict:
        return again(conflict=conflict)
    except HubError as problem:
        return again(said=str(problem))
    return done(said)


def takers(
    seen: BoardSeen, lane: LaneSeen, names: Mapping[str, str], zone: ZoneInfo
) -> list[tuple[str, str]]:
    """Who could take the route of ``lane`` over, by id: name and what they do today; who is free
    comes first, who has gone home last.
    """
    found = []
    for driver_id, name in names.items():
        if driver_id == lane.route.driver_id:
            continue
        own = [one for one in seen.lanes if one.route.driver_id == driver_id]
        rank, does = _does(own, zone)
        found.append((rank, name, driver_id, does))
    return [(driver_id, f"{name}: {does}") for _, name, driver_id, does in sorted(found)]


def _does(own: Sequence[LaneSeen], zone: ZoneInfo) -> tuple[int, str]:
    if not own:
        return 0, "no route today"
    left = sum(not stop.closed for one in own for stop in one.route.stops)
    if all(one.ended_at is not None for one in own):
        return 2, "has gone home"
    if not left:
        return 0, "done with the own route"
    back_at = max((one.route.back_at for one in own if one.route.back_at), default=None)
    until = f" until {back_at.astimezone(zone):%H:%M}" if back_at else ""
    return 1, f"{left} stop{'' if left == 1 else 's'} of the own route left{until}"


def _gone() -> AnyResponse:
    said = "This stop is not there any more: somebody moved it meanwhile. Look at the board again."
    return shown("board/refused.html", 409, said=said)

"""Changes to routes: where a job goes, and who drives the rest."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, url_for
from sqlmodel import select
from werkzeug.wrappers import Response as AnyResponse

from admin.words import Clock, a_day, minutes, typed
from hub.core.errors import HubError
from hub.db.tables import VehicleRow
from hub.flows import dispatch
from hub.flows.day_seen import JobSeen, RouteSeen, Unserved
from hub.flows.dispatch import DoesNotFit, Offer, RouteConflict, best_places
from hub.flows.fleet import drivers_at_work
from hub.flows.kept_first import keep_first, let_go
from hub.flows.log_in import Role
from hub.flows.overview import day_seen
from hub.web.pages import page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

CHANGED = "Somebody changed the route meanwhile. This is how it stands now; decide again."
OFF = "off"


def changes(hub: Hub) -> Blueprint:
    pages = Blueprint("changes", __name__, url_prefix="/panel/day", template_folder="../templates")

    @pages.url_value_preprocessor
    def read_day(endpoint: str | None, values: dict[str, Any] | None) -> None:
        """The day in the path as a date; 404 for one that does not exist."""
        if values and "shown" in values:
            values["shown"] = a_day(values["shown"]) or abort(404)

    @pages.get("/<shown>/jobs/<job_id>")
    def job(shown: date, job_id: str) -> AnyResponse:
        return _show_job(shown, job_id)

    @pages.post("/<shown>/jobs/<job_id>")
    @needs(Role.DISPATCHER)
    def place(shown: date, job_id: str) -> AnyResponse:
        """``to`` is a route's id and version, or ``off``; ``from`` likewise, where it is now."""
        target, here = typed("to", 60), typed("from", 60)
        if not target:
            return _show_job(shown, job_id, {"to": "Choose a route."}, status=422)
        try:
            _carry_out(job_id, here, target, force=typed("force", 1) == "1")
        except LookupError:
            abort(404)
        except RouteConflict:
            flash(CHANGED, "bad")
            return redirect(url_for("changes.job", shown=shown.isoformat(), job_id=job_id))
        except DoesNotFit as problem:
            said = {"force": str(problem)}
            return _show_job(shown, job_id, said, target, 409, missed=problem.only_promises)
        except HubError as problem:
            return _show_job(shown, job_id, {"to": str(problem)}, status=409)
        flash("The route is changed.", "ok")
        return redirect(url_for("day.index", day=shown.isoformat()))

    @pages.post("/<shown>/jobs/<job_id>/first")
    @needs(Role.DISPATCHER)
    def first(shown: date, job_id: str) -> AnyResponse:
        """Keep the stops of a draft up to this one, whatever a plan would do with them."""
        try:
            _, version = _named(typed("from", 60))
            count = keep_first(
                hub, me().business_id, job_id, actor=me().actor, expected_version=version
            )
            jobs = "1 job stays" if count == 1 else f"{count} jobs stay"
            flash(f"{jobs} first when the day is planned again.", "ok")
        except LookupError:
            abort(404)
        except RouteConflict:
            flash(CHANGED, "bad")
            return redirect(url_for("changes.job", shown=shown.isoformat(), job_id=job_id))
        except HubError as problem:
            flash(str(problem), "bad")
        return redirect(url_for("day.index", day=shown.isoformat()))

    @pages.post("/<shown>/routes/<route_id>/let-go")
    @needs(Role.DISPATCHER)
    def free(shown: date, route_id: str) -> AnyResponse:
        try:
            version = _version(typed("version", 12))
            let_go(hub, me().business_id, route_id, actor=me().actor, expected_version=version)
            flash("Planning may change every stop of it again.", "ok")
        except LookupError:
            abort(404)
        except RouteConflict:
            flash(CHANGED, "bad")
        except HubError as problem:
            flash(str(problem), "bad")
        return redirect(url_for("day.index", day=shown.isoformat()))

    @pages.get("/<shown>/routes/<route_id>")
    def route(shown: date, route_id: str) -> AnyResponse:
        return _show_route(shown, route_id)

    @pages.post("/<shown>/routes/<route_id>")
    @needs(Role.DISPATCHER)
    def hand_over(shown: date, route_id: str) -> AnyResponse:
        try:
            dispatch.hand_over(
                hub,
                me().business_id,
                route_id,
                typed("driver_id", 36),
                actor=me().actor,
                expected_version=_version(typed("version", 12)),
                vehicle_id=typed("vehicle_id", 36) or None,
                force=typed("force", 1) == "1",
            )
        except LookupError:
            abort(404)
        except RouteConflict:
            flash(CHANGED, "bad")
            return redirect(url_for("changes.route", shown=shown.isoformat(), route_id=route_id))
        except DoesNotFit as problem:
            said = {"force": str(problem)}
            return _show_route(shown, route_id, said, 409, missed=problem.only_promises)
        except HubError as problem:
            return _show_route(shown, route_id, {"driver_id": str(problem)}, 409)
        flash("The route is handed over.", "ok")
        return redirect(url_for("day.index", day=shown.isoformat()))

    @pages.post("/<shown>/routes/<route_id>/discard")
    @needs(Role.DISPATCHER)
    def discard(shown: date, route_id: str) -> AnyResponse:
        try:
            dispatch.discard_draft(
                hub,
                me().business_id,
                route_id,
                actor=me().actor,
                expected_version=_version(typed("version", 12)),
            )
            flash("The draft is gone; its orders can be planned again.", "ok")
        except LookupError:
            abort(404)
        except RouteConflict:
            flash(CHANGED, "bad")
        return redirect(url_for("day.index", day=shown.isoformat()))

    def _carry_out(job_id: str, here: str, target: str, *, force: bool) -> None:
        """Raises what ``hub.flows.dispatch`` raises."""
        who, business_id = me().actor, me().business_id
        from_id, from_version = _named(here)
        to_id, to_version = _named(target)
        if target == OFF:
            dispatch.remove_job(
                hub, business_id, from_id, job_id, actor=who, expected_version=from_version
            )
        elif here:
            dispatch.move_job(
                hub,
                business_id,
                from_id,
                to_id,
                job_id,
                actor=who,
                expected_version=from_version,
                to_version=to_version,
                force=force,
            )
        else:
            dispatch.add_job(
                hub,
                business_id,
                to_id,
                job_id,
                actor=who,
                expected_version=to_version,
                force=force,
            )

    def _show_job(
        shown: date,
        job_id: str,
        errors: dict[str, str] | None = None,
        target: str = "",
        status: int = 200,
        *,
        missed: bool = False,
    ) -> AnyResponse:
        """``missed``: nothing but a promise speaks against what was chosen."""
        seen = day_seen(hub, me().business_id, shown)
        here, job = _found(seen.routes, seen.left_out, job_id)
        if job is None:
            abort(404)
        clock = Clock.of(me().zone)
        offers: list[Offer] = []
        try:
            offers = best_places(hub, me().business_id, job_id, shown)
        except HubError as problem:
            errors = errors or {"to": str(problem)}
        return page(
            "panel/day_job.html",
            status,
            day=shown,
            job=job,
            here=here,
            offers=offers,
            missed=missed,
            choices=[
                (f"{route.id}:{route.version}", _titled(route, clock))
                for route in seen.routes
                if here is None or route.id != here.id
            ],
            target=target,
            errors=errors or {},
            minutes=minutes,
            clock=clock,
        )

    def _show_route(
        shown: date,
        route_id: str,
        errors: dict[str, str] | None = None,
        status: int = 200,
        *,
        missed: bool = False,
    ) -> AnyResponse:
        seen = day_seen(hub, me().business_id, shown)
        route = next((route for route in seen.routes if route.id == route_id), None)
        if route is None:
            abort(404)
        with hub.reading() as session:
            vehicles = session.exec(
                select(VehicleRow)
                .where(VehicleRow.business_id == me().business_id, VehicleRow.active)
                .order_by(VehicleRow.name)
            ).all()
        return page(
            "panel/day_route.html",
            status,
            day=shown,
            route=route,
            missed=missed,
            drivers=list(drivers_at_work(hub, me().business_id).items()),
            vehicles=[(one.id, one.name) for one in vehicles],
            driver_id=typed("driver_id", 36) or route.driver_id,
            vehicle_id=typed("vehicle_id", 36),
            errors=errors or {},
            clock=Clock.of(me().zone),
        )

    return pages


def _titled(route: RouteSeen, clock: Clock) -> str:
    """A driver may have two routes on a day: also by what, and when."""
    parts = [route.driver, route.vehicle]
    if route.leaves_at and route.back_at:
        parts.append(f"{clock.time(route.leaves_at)}–{clock.time(route.back_at)}")
    return ", ".join(part for part in parts if part)


def _found(
    routes: tuple[RouteSeen, ...], left_out: tuple[Unserved, ...], job_id: str
) -> tuple[RouteSeen | None, JobSeen | Unserved | None]:
    """The route a job is on, and the job; both ``None`` for one that is not of this day."""
    for route in routes:
        for job in route.jobs:
            if job.id == job_id:
                return route, job
    return None, next((one for one in left_out if one.job_id == job_id), None)


def _named(text: str) -> tuple[str, int]:
    route_id, _, version = text.partition(":")
    return route_id, _version(version)


def _version(text: str) -> int:
    """0, which no route has, for what is no number."""
    return int(text) if text.isdecimal() else 0

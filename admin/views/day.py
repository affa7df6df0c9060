"""The day: plan, look, publish; then change what has to change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, cast, get_args

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from sqlmodel import select
from werkzeug.wrappers import Response as AnyResponse

from admin.views.settings import AIMS
from admin.words import OUTCOMES, STATES, Clock, load, minutes, typed, typed_day
from hub.core.contracts import RoutingStrategy
from hub.core.day_wishes import Aim
from hub.core.errors import HubError, Refused
from hub.core.jobs import State
from hub.core.late import Begun, Drive, late_because
from hub.core.pace import traffic_of
from hub.db.tables import DepotRow, RouteRow, VehicleRow
from hub.flows.amended_drafts import changed_since
from hub.flows.business import business_of
from hub.flows.day_seen import DaySeen, JobSeen, RouteSeen
from hub.flows.dispatch import RouteConflict, publish
from hub.flows.fleet import drivers_at_work
from hub.flows.kept_apart import on_one_route
from hub.flows.log_in import Role
from hub.flows.order_story import ENDED
from hub.flows.overview import day_seen
from hub.flows.planning_run import ask_plan, close_failed, seen_of, stop_plan
from hub.flows.readiness import tells_recipients, with_phone
from hub.flows.shifts import set_hours, working_on
from hub.flows.ways_taken import take_way
from hub.maps.tiles import current_tiles
from hub.web.pages import csp_nonce, page
from hub.web.route_map import colour, numbers_of, route_map
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

FIELDS = {
    "point": "address",
    "pick_up": "where it is fetched",
    "lines": "goods",
    "goods": "kind of goods",
    "windows": "time",
    "due_on": "day",
    "service_s": "time at the door",
    "payment_due": "payment",
}
"""What fields of an order are called on the page; others as they are."""
MINUTE = timedelta(minutes=1)
OPEN_LISTS = 60  # stops; a longer day begins with its lists folded


def day(hub: Hub) -> Blueprint:
    pages = Blueprint("day", __name__, url_prefix="/panel/day", template_folder="../templates")

    @pages.get("")
    def index() -> AnyResponse:
        return _show(_day())

    @pages.get("/stand")
    def stand() -> AnyResponse:
        """What a script asks for now and then: whether to load the day anew, and the progress."""
        seen = day_seen(hub, me().business_id, _day())
        runs = [seen_of(plan) for plan in seen.plans]
        about = {"runs": runs, "depots": _depots(), "now": hub.now()}
        progress = render_template("panel/day_progress.html", **about)
        found = render_template("panel/day_left_out.html", seen=seen, day=_day())
        answer = jsonify(
            digest=_digest(seen), progress=progress, leftOut=found, looking=seen.is_looking
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @pages.post("/plan")
    @needs(Role.DISPATCHER)
    def plan() -> AnyResponse:
        strategy = typed("strategy", 60)
        if strategy not in {"", *(cls.key for cls in hub.registry.all(RoutingStrategy))}:
            strategy = ""
        aim = typed("aim", 20)
        try:
            ask_plan(
                hub,
                me().business_id,
                typed("depot_id", 36),
                _day(),
                actor=me().actor,
                strategy=strategy,
                aim=cast(Aim, aim) if aim in get_args(Aim) else "usual" if aim == "usual" else "",
            )
        except LookupError:
            abort(404)
        return _back()

    @pages.post("/plans/<plan_id>/stop")
    @needs(Role.DISPATCHER)
    def stop(plan_id: str) -> AnyResponse:
        try:
            stop_plan(hub, me().business_id, plan_id, actor=me().actor)
        except LookupError:
            abort(404)
        return _back()

    @pages.post("/plans/<plan_id>/close")
    @needs(Role.DISPATCHER)
    def close(plan_id: str) -> AnyResponse:
        """Put away what a failed run said."""
        try:
            close_failed(hub, me().business_id, plan_id, actor=me().actor)
        except LookupError:
            abort(404)
        return _back()

    @pages.post("/ways")
    @needs(Role.DISPATCHER)
    def way() -> AnyResponse:
        """Make a change that lets a job fit, and plan again with it."""
        n = typed("n", 3)
        try:
            take_way(
                hub,
                me().business_id,
                typed("plan_id", 36),
                typed("job_id", 36),
                int(n) if n.isdecimal() else -1,
                actor=me().actor,
            )
        except LookupError:
            abort(404)
        except HubError as problem:
            flash(str(problem), "bad")
        return _back()

    @pages.post("/publish")
    @needs(Role.DISPATCHER)
    def publish_routes() -> AnyResponse:
        """Each ``route`` is the id and version that was looked at."""
        published: list[RouteRow] = []
        for named in request.form.getlist("route")[:500]:
            route_id, _, version = named.replace("\0", "").partition(":")
            try:
                route = publish(
                    hub,
                    me().business_id,
                    route_id,
                    actor=me().actor,
                    expected_version=int(version) if version.isdecimal() else 0,
                )
                published.append(route)
            except LookupError:
                abort(404)
            except RouteConflict:
                flash("A route changed while you looked at it. Look again, then publish.", "bad")
            except HubError as problem:
                flash(str(problem), "bad")
        _say_published(published)
        return _back()

    @pages.post("/shifts/<driver_id>")
    @needs(Role.DISPATCHER)
    def shift(driver_id: str) -> AnyResponse:
        works = typed("do", 10) != "off"
        try:
            set_hours(
                hub,
                me().business_id,
                driver_id,
                _day(),
                (typed("from", 5), typed("to", 5)) if works else None,
                vehicle_id=typed("vehicle_id", 36),
                depot_id=typed("depot_id", 36),
                actor=me().actor,
            )
        except LookupError:
            abort(404)
        except Refused as problem:
            return _show(_day(), {driver_id: str(problem)}, 409)
        except ValueError:
            wrong = "Write hours as 08:00 and 16:30, not the same twice."
            return _show(_day(), {driver_id: wrong}, 422)
        return redirect(url_for("day.index", day=_day().isoformat(), _anchor="drivers"))

    def _say_published(routes: list[RouteRow]) -> None:
        """On which phones they are now; and whose driver has none."""
        paired = with_phone(hub, me().business_id)
        seen = sum(route.driver_id in paired for route in routes)
        if seen:
            flash(
                "The route is on its driver's phone."
                if seen == 1
                else f"{seen} routes are on their drivers' phones.",
                "ok",
            )
        if unseen := [route for route in routes if route.driver_id not in paired]:
            flash(_without_phone(unseen), "warn")

    def _without_phone(routes: list[RouteRow]) -> str:
        called = drivers_at_work(hub, me().business_id)
        *others, last = sorted({called.get(route.driver_id, "A driver") for route in routes})
        if others:
            who = f"{', '.join(others)} and {last}"
            return (
                f"{who} have no phone paired, so do not see their routes. Pair one under Drivers."
            )
        return f"{last} has no phone paired, so does not see the route. Pair one under Drivers."

    def _day() -> date:
        """The day asked for; today without one."""
        return typed_day("day") or Clock.of(me().zone).today(hub.now())

    def _back() -> AnyResponse:
        return redirect(url_for("day.index", day=_day().isoformat()))

    def _depots() -> list[DepotRow]:
        with hub.reading() as session:
            return list(
                session.exec(
                    select(DepotRow)
                    .where(DepotRow.business_id == me().business_id)
                    .order_by(DepotRow.name)
                )
            )

    def _vehicles() -> list[VehicleRow]:
        with hub.reading() as session:
            return list(
                session.exec(
                    select(VehicleRow)
                    .where(VehicleRow.business_id == me().business_id, VehicleRow.active)
                    .order_by(VehicleRow.name)
                )
            )

    def _show(shown: date, errors: dict[str, str] | None = None, status: int = 200) -> AnyResponse:
        seen = day_seen(hub, me().business_id, shown)
        drivers = working_on(hub, me().business_id, shown)
        clock = Clock.of(me().zone)
        strategies = {cls.key: cls.title for cls in hub.registry.all(RoutingStrategy)}
        runs = {plan.depot_id: seen_of(plan) for plan in seen.plans}
        tiles = current_tiles(hub.settings.data_dir / "map")
        with hub.reading() as session:
            amended = changed_since(session, me().business_id, shown)
            to_do = {r.id: {j.id: j.number for j in r.jobs if not j.cancelled} for r in seen.routes}
            parted = on_one_route(session, me().business_id, to_do)
        return page(
            "panel/day.html",
            status,
            day=shown,
            today=clock.today(hub.now()),
            before=shown - timedelta(days=1),
            after=shown + timedelta(days=1),
            seen=seen,
            counts=seen.counts,
            digest=_digest(seen),
            runs=list(runs.values()),
            now=hub.now(),
            failed=[run for run in runs.values() if run.says_why(hub.now())],
            run_of=runs,
            is_planning=any(run.is_open for run in runs.values()),
            depots=_depots(),
            vehicles=_vehicles(),
            drivers=drivers,
            paired=with_phone(hub, me().business_id),
            is_telling=tells_recipients(hub, me().business_id),
            stages={route.driver_id: route.stage for route in seen.routes if route.published},
            at_work=sum(driver.hours is not None for driver in drivers),
            off={driver.driver_id for driver in drivers if driver.hours is None},
            strategies=list(strategies.items()),
            strategy_of=strategies,
            aims=AIMS,
            usual_aim=business_of(hub, me().business_id)[1].aim,
            map=route_map(tiles, seen.routes, seen.left_out, nonce=csp_nonce()),
            amended=amended,
            parted=parted,
            called=_called,
            drivers_of={route.id: route.driver for route in seen.routes},
            lists_open=seen.counts.stops <= OPEN_LISTS,
            colour=colour,
            n_of=numbers_of(seen.routes),
            state=_state,
            late=_late,
            late_why=partial(_late_why, clock, hub.now()),
            early=_early,
            load=load,
            minutes=minutes,
            clock=clock,
            errors=errors or {},
        )

    return pages


def _digest(seen: DaySeen) -> str:
    """Another text whenever something a dispatcher would want to see has changed."""
    told = [
        *(f"{plan.id} {plan.state}" for plan in seen.plans),
        *(f"{route.id} {route.version} {route.acknowledged}" for route in seen.routes),
        *(f"{route.had} {sorted(route.kept_first)}" for route in seen.routes),
        *(f"{j.id} {j.state} {j.late} {j.early}" for route in seen.routes for j in route.jobs),
        f"{len(seen.left_out)} {seen.to_review}",
    ]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _called(fields: Sequence[str]) -> str:
    """In words, each once: an address and its point are one thing."""
    return ", ".join(dict.fromkeys(FIELDS.get(name, name) for name in fields))


def _state(job: JobSeen) -> tuple[str, str]:
    if job.state == State.CLOSED:
        return ENDED.get(job.outcome, job.outcome), OUTCOMES.get(job.outcome, "")
    return STATES[State(job.state)]


def _late(job: JobSeen) -> str:
    """By how much, in words; empty when it is in time."""
    if not job.late:
        return ""
    over = _late_by(job)
    return f"{minutes(over.total_seconds())} late" if over >= MINUTE else "late"


def _late_by(job: JobSeen) -> timedelta:
    closes = [w.closes for w in (job.promise, *job.windows) if w is not None and w.closes < job.eta]
    return min((job.eta - at for at in closes), default=timedelta())


def _late_why(clock: Clock, now: datetime, route: RouteSeen, job: JobSeen) -> str:
    """What would do, while the driver is not under way; empty when it is in time."""
    over = _late_by(job) if job.late else timedelta()
    if over < MINUTE or route.leaves_at is None or route.stage in ("under_way", "over"):
        return ""
    before = list(takewhile(lambda one: one.id != job.id, route.jobs))
    drives = _drives(route)
    begun = [_begun(one, route.published, drives.get(one.id)) for one in before]
    first = (route.leaves_at, route.stops[0].arrive_at)
    because = late_because(over, begun, first, traffic_of(route.pace))
    if because.earlier is not None:
        more, leave = minutes(because.earlier.total_seconds()), route.leaves_at - because.earlier
        helps = "would do" if leave > now else "would have done"
        return f"Leaving {more} earlier, at {clock.time(leave)}, {helps}."
    held = because.held_by
    assert held is not None
    return f"Order {held.number} before it cannot begin before {clock.time(held.opens)}."


def _drives(route: RouteSeen) -> dict[str, Drive]:
    """Of each stop's last job, by id: the drive to the next stop."""
    return {a.jobs[-1].id: (a.depart_at, b.arrive_at) for a, b in pairwise(route.stops)}


def _begun(job: JobSeen, is_promised: bool, then: Drive | None) -> Begun:
    """On a draft, what was told before is told anew: it holds nobody up."""
    told = (job.promise,) if is_promised else ()
    opens = [w.opens for w in (*told, *job.windows) if w is not None and w.opens <= job.eta]
    return Begun(job.number, job.eta, max(opens, default=None), then)


def _early(job: JobSeen) -> str:
    """By how much before what its recipient was told, in words."""
    assert job.promise is not None
    return f"{minutes((job.promise.opens - job.eta).total_seconds())} early"

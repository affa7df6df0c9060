"""Plan a day: read what is due and who works, ask a strategy, store its routes as drafts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from hub.core.contracts import RoutingStrategy
from hub.core.day_wishes import Aim
from hub.core.planning import Plan, choose, completed, needs_of, violations
from hub.db.tables import PlanRow
from hub.db.unit import Unit
from hub.flows.day import Day, read_day
from hub.flows.day_rules import why_other
from hub.flows.drafts import PlanOutdated, next_n, store_drafts
from hub.flows.roads import Way, way_through
from hub.solving import solve

if TYPE_CHECKING:
    from hub.app import Hub

__all__ = [
    "PlanOutdated",
    "lawful",
    "no_worse",
    "outcome",
    "plan_day",
    "read_day",
    "solved_apart",
    "strategy_for",
    "ways_of",
    "with_why",
]


def plan_day(
    hub: Hub,
    business_id: str,
    day: date,
    *,
    time_limit_s: float = 10.0,
    strategy: str = "",
    apart: bool = False,
    aim: Aim | None = None,
) -> PlanRow:
    """Plan every open job of ``day``, all depots at once, and store draft routes.

    Published routes stay as they are. ``apart`` solves in a process of its own: a
    solver that dies or hangs then takes nothing with it, and the best plan so far is
    kept, with a note that says so. Raises ``ConfigError`` when nobody works that day,
    ``PlanOutdated`` when jobs changed meanwhile. See ``planning_run`` for planning
    one depot in the worker.
    """
    seen = read_day(hub, business_id, day, time_limit_s, aim=aim)
    chosen = strategy_for(hub, seen, strategy)
    if apart:
        plan = solved_apart(hub, chosen, seen)
    else:
        plan = lawful(chosen, seen, chosen.plan(seen.request, lambda best: True))
    plan = with_why(hub, seen, strategy, chosen, plan)
    ways = ways_of(hub, seen, plan)
    with hub.unit() as unit:
        return _store(unit, hub.now(), business_id, day, seen, plan, chosen.key, ways)


def strategy_for(hub: Hub, seen: Day, wanted: str) -> RoutingStrategy:
    """The strategy ``wanted``, else the depot's, if it can serve the day; else one that can."""
    return choose(strategies(hub), wanted or seen.depot.strategy, needs_of(seen.request))


def with_why(hub: Hub, seen: Day, wanted: str, chosen: RoutingStrategy, plan: Plan) -> Plan:
    """``plan`` with notes that say why it was not made the way that was wanted."""
    plan = replace(plan, notes=(*plan.notes, *seen.notes)) if seen.notes else plan
    key = wanted or seen.depot.strategy
    asked = next((one for one in strategies(hub) if one.key == key), None)
    if chosen.key == key or asked is None:
        return plan
    why = why_other(chosen.title, needs_of(seen.request) - asked.capabilities())
    return replace(plan, notes=(*plan.notes, why))


def strategies(hub: Hub) -> list[RoutingStrategy]:
    """All that can be made and say what they can do; one that cannot stops nobody's plan."""
    ready = []
    for cls in hub.registry.all(RoutingStrategy):
        try:
            strategy = hub.provider(RoutingStrategy, cls.key, {})
            frozenset(strategy.capabilities())
        except Exception as problem:
            hub.tools.log.warning("strategy %s cannot be used: %s", cls.key, problem)
        else:
            ready.append(strategy)
    return ready


def solved_apart(
    hub: Hub,
    chosen: RoutingStrategy,
    seen: Day,
    on_progress: Callable[[Plan], None] = lambda best: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Plan:
    """The plan, made in a process of its own. See ``hub.solving.solve``."""
    make = (type(chosen).__module__, type(chosen).__qualname__, dict[str, Any]())
    plan = solve(
        make,
        seen.request,
        on_progress=on_progress,
        cancelled=cancelled,
        data_dir=hub.settings.data_dir,
        cores=hub.settings.plan_cores,
    )
    return lawful(chosen, seen, plan)


def lawful(chosen: RoutingStrategy, seen: Day, plan: Plan) -> Plan:
    """``plan``, with a reason for what it was not asked as well.

    Raises ``RuntimeError`` if a strategy breaks the rules it claims to keep.
    """
    if found := violations(seen.request, plan):
        raise RuntimeError(f"{chosen.key} broke its promise: {found[:3]}")
    return replace(plan, unassigned={**plan.unassigned, **seen.off_map})


def no_worse(
    chosen: RoutingStrategy,
    seen: Day,
    plan: Plan,
    orders: Mapping[str, Sequence[str]],
    first: Sequence[str],
) -> Plan:
    """``plan``, or what becomes of known ``orders`` if that is better, or serves whom ``plan``
    leaves out: for whoever made room for a job another one in its stead is no answer.

    Where two of the orders have the same job, it is on the route that is named ``first``.
    """
    known, taken = {job.id for job in seen.request.jobs}, set[str]()
    once: dict[str, list[str]] = {}
    for id in dict.fromkeys((*first, *orders)):
        once[id] = [job for job in dict.fromkeys(orders[id]) if job in known - taken]
        taken.update(once[id])
    kept = lawful(chosen, seen, completed(seen.request, once, plan.notes))
    if plan.unassigned.keys() - kept.unassigned.keys():
        return kept
    return min(plan, kept, key=seen.request.loss)


def ways_of(hub: Hub, seen: Day, plan: Plan) -> dict[str, Way]:
    """Shift id -> the line its route drives."""
    places = {job.id: job.place for job in seen.request.jobs}
    ways = {}
    for vehicle in seen.request.vehicles:
        if visits := plan.routes.get(vehicle.id):
            through = [vehicle.start, *(places[visit.job_id] for visit in visits)]
            for n, reload in enumerate(plan.reloads.get(vehicle.id, ()), 1):
                through.insert(reload.after_visits + n, reload.place)
            through += [] if vehicle.end is None else [vehicle.end]
            points = [seen.request.places[n] for n in through]
            leaves_at = plan.spans[vehicle.id].opens
            ways[vehicle.id] = way_through(
                hub, seen.depot.business_id, points, leaves_at, vehicle.profile
            )
    return ways


def outcome(plan: Plan) -> dict[str, Any]:
    """What a run's row remembers of its plan; the routes themselves are rows."""
    return {"unassigned": dict(plan.unassigned), "cost": plan.cost, "notes": list(plan.notes)}


def _store(
    unit: Unit,
    now: datetime,
    business_id: str,
    day: date,
    seen: Day,
    plan: Plan,
    strategy: str,
    ways: Mapping[str, Way] | None = None,
) -> PlanRow:
    store_drafts(unit, now, business_id, day, seen, plan, ways or {})
    row = PlanRow(
        business_id=business_id,
        depot_id=seen.depot.id,
        day=day,
        n=next_n(unit.session, business_id, seen.depot.id, day),
        state="done",
        strategy=strategy,
        result=outcome(plan),
        created_at=now,
        done_at=now,
    )
    unit.session.add(row)
    return row

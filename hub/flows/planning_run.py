"""Planning as work for the worker: ask for a run, watch it, stop it; the worker solves.

A run waits as a row. A worker takes it with a lease that it renews while it solves; the
lease of a worker that died runs out, and another one begins the run again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from sqlalchemy import and_, or_, update
from sqlmodel import Session, col, select

from hub.core.day_wishes import Aim
from hub.core.errors import HubError
from hub.core.planning import Plan
from hub.db.columns import LONG
from hub.db.tables import AuditRow, BusinessRow, DepotRow, PlanRow
from hub.db.unit import Unit, took_one
from hub.flows.by_hand import ChangedByHand, Drafts, is_arranged
from hub.flows.day import Day, read_day
from hub.flows.drafts import PlanOutdated, drafted, store_drafts
from hub.flows.plan import no_worse, outcome, solved_apart, strategy_for, ways_of, with_why
from hub.flows.roads import Way

if TYPE_CHECKING:
    from hub.app import Hub

TIME_LIMIT_S = 10.0
LEASE = timedelta(seconds=60)  # reading a day of 2,000 jobs and its roads must fit in one
LOOK_S = 0.5  # how often a run's row is written and asked whether to stop
ROUNDS = 3  # a day that changes under every plan is given up
SAID_FOR = timedelta(minutes=10)  # then a failed run is no news to whoever opens the day
SOON = timedelta(minutes=1)  # a worker that is there and free takes a run within seconds
TRIES = 3  # as is a run that took its worker down
OPEN = ("waiting", "solving")
BUG = "Planning met an error in the hub itself. The worker's log says which."


@dataclass(frozen=True, slots=True)
class PlanSeen:
    """How far a run is. ``share`` is of its time; ``cost`` is ``None`` while nothing is known."""

    id: str
    depot_id: str
    day: date
    state: str  # waiting | solving | done | cancelled | failed
    strategy: str
    share: float
    cost: int | None
    served: int
    unassigned: int
    error: str
    notes: tuple[str, ...]
    stop_asked: bool
    aim: Aim | None = None  # what mattered most; ``None``: what the business has set
    done_at: datetime | None = None  # while it is not over
    is_read: bool = False  # somebody closed what it said when it failed
    asked_at: datetime | None = None

    def waits_long(self, now: datetime) -> bool:
        """No worker has taken it, though one that is there and free would have."""
        if self.state != "waiting" or self.asked_at is None:
            return False
        return now - self.asked_at > SOON

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def says_why(self, now: datetime) -> bool:
        """It failed a short while ago, and nobody has closed that yet."""
        fresh = self.done_at is not None and now - self.done_at < SAID_FOR
        return bool(self.error) and fresh and not self.is_read


class _Lost(Exception):
    """Another worker has taken this run: our lease ran out."""


def ask_plan(
    hub: Hub,
    business_id: str,
    depot_id: str,
    day: date,
    *,
    actor: str,
    strategy: str = "",
    time_limit_s: float = TIME_LIMIT_S,
    start: Mapping[str, Sequence[str]] | None = None,
    aim: Aim | Literal["", "usual"] = "",
) -> PlanRow:
    """Have a depot's day planned by the worker; the run that is open already, if one is.

    ``strategy`` overrides the depot's. ``start``: shift id -> jobs of routes that are known
    to work beside the drafts there are; what is planned is no worse. ``aim``: what matters most
    on that day; ``usual`` is what the business has set, and with none it is as it was in the
    day's last plan. Raises ``LookupError`` for an unknown depot.
    """
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        depot = unit.session.exec(
            select(DepotRow).where(DepotRow.business_id == business_id, DepotRow.id == depot_id)
        ).one_or_none()
        if depot is None:
            raise LookupError(f"no depot {depot_id}")
        runs = unit.session.exec(
            select(PlanRow)
            .where(
                PlanRow.business_id == business_id,
                PlanRow.depot_id == depot_id,
                PlanRow.day == day,
            )
            .order_by(col(PlanRow.n))
        ).all()
        if under_way := [run for run in runs if run.state in OPEN]:
            return under_way[0]
        told = aim or aim_of(runs[-1] if runs else None)
        asked = {
            "limit_s": time_limit_s,
            **({"start": dict(start)} if start else {}),
            **({"aim": told} if told and told != "usual" else {}),
        }
        run = PlanRow(
            business_id=business_id,
            depot_id=depot_id,
            day=day,
            n=runs[-1].n + 1 if runs else 1,
            strategy=strategy or depot.strategy,
            progress=asked,
            created_at=hub.now(),
        )
        unit.session.add(run)
        unit.session.add(_said(hub, run, actor, "asked for a plan"))
    return run


def aim_of(run: PlanRow | None) -> Aim | None:
    """What mattered most in a run; ``None``: what the business has set."""
    return None if run is None else run.progress.get("aim")


def stop_plan(hub: Hub, business_id: str, plan_id: str, *, actor: str) -> PlanRow:
    """Stop a run; the best plan so far is kept. Safe to repeat, nothing for one that is over."""
    with hub.unit() as unit:
        run = _run(unit.session, business_id, plan_id, lock=True)
        if run.state == "waiting":
            run.state, run.done_at = "cancelled", hub.now()
        elif run.state != "solving" or run.stop_asked:
            return run
        run.stop_asked = True
        unit.session.add(_said(hub, run, actor, "stopped a plan"))
    return run


def close_failed(hub: Hub, business_id: str, plan_id: str, *, actor: str) -> None:
    """Somebody has read why a run failed. Safe to repeat, nothing for one that did not."""
    with hub.unit() as unit:
        run = _run(unit.session, business_id, plan_id, lock=True)
        if run.state == "failed" and not run.progress.get("read"):
            run.progress = {**run.progress, "read": True}
            unit.session.add(_said(hub, run, actor, "closed a failed plan"))


def plan_seen(hub: Hub, business_id: str, plan_id: str) -> PlanSeen:
    """How far a run is. Raises ``LookupError`` for an unknown one."""
    with hub.reading() as session:
        return seen_of(_run(session, business_id, plan_id))


def seen_of(run: PlanRow) -> PlanSeen:
    """A run's row as values."""
    best, result = run.progress.get("best", {}), run.result
    return PlanSeen(
        id=run.id,
        depot_id=run.depot_id,
        day=run.day,
        state=run.state,
        strategy=run.strategy,
        share=_share(run),
        cost=result.get("cost", best.get("cost")),
        served=best.get("served", 0),
        unassigned=len(result["unassigned"]) if result else best.get("unassigned", 0),
        error=run.error,
        notes=tuple(result.get("notes", ())),
        stop_asked=run.stop_asked,
        aim=aim_of(run),
        done_at=run.done_at,
        is_read=bool(run.progress.get("read")),
        asked_at=run.created_at,
    )


def solve_waiting(hub: Hub) -> bool:
    """Take one waiting run and see it through; ``False`` if none waits. Any number may do this."""
    run = _claim(hub)
    if run is None:
        return False
    hold = _Hold(hub, run)
    try:
        _see_through(hub, run, hold)
    except _Lost:
        hub.tools.log.warning("plan=%s was taken over by another worker", run.id)
    except (HubError, LookupError) as problem:
        hold.fail(str(problem))
    except Exception:  # a bug must not leave a run that never ends
        hub.tools.log.exception("plan=%s failed", run.id)
        hold.fail(BUG)
    return True


def _see_through(hub: Hub, run: PlanRow, hold: _Hold) -> None:
    if run.progress["tries"] > TRIES:
        hold.fail(f"Planning stopped {TRIES} times without an answer. Ask again.")
        return
    for _ in range(ROUNDS):
        try:
            _solve(hub, run, hold)
        except PlanOutdated:
            hold.look()
        else:
            return
    raise PlanOutdated("Orders kept changing while this day was planned. Plan it again.")


def _solve(hub: Hub, run: PlanRow, hold: _Hold) -> None:
    limit_s = float(run.progress.get("limit_s", TIME_LIMIT_S))
    seen = read_day(hub, run.business_id, run.day, limit_s, run.depot_id, aim_of(run))
    chosen = strategy_for(hub, seen, run.strategy)
    hold.takes(seen.request.time_limit_s)
    hold.begins_with(seen)
    hold.look()
    plan = solved_apart(hub, chosen, seen, hold.better, hold.stopped)
    if start := run.progress.get("start"):
        plan = no_worse(chosen, seen, plan, {**(hold.drafts or {}), **start}, list(start))
    hold.better(plan)
    plan = with_why(hub, seen, run.strategy, chosen, plan)
    ways = ways_of(hub, seen, plan)
    hold.store(seen, plan, chosen.key, ways)


class _Hold:
    """A worker's hold on a run: its lease, and what it writes while it solves."""

    def __init__(self, hub: Hub, run: PlanRow) -> None:
        self.hub, self.run = hub, run
        self.lease = run.leased_until
        self.progress = dict(run.progress)
        self.unsaid = self.stop_asked = False
        self.drafts: Drafts | None = None
        self.look_at = 0.0

    def better(self, best: Plan) -> None:
        """Remember what the row will say of the best plan at the next look."""
        served = sum(map(len, best.routes.values()))
        told = {"cost": best.cost, "served": served, "unassigned": len(best.unassigned)}
        self.progress, self.unsaid = {**self.progress, "best": told}, True

    def takes(self, limit_s: float) -> None:
        """How long the run will take is known only when its day is."""
        if limit_s != self.progress.get("limit_s"):
            self.progress, self.unsaid = {**self.progress, "limit_s": limit_s}, True

    def begins_with(self, seen: Day) -> None:
        """Remember the drafts that there were when the run began: it may replace those."""
        if self.drafts is None:
            with self.hub.reading() as session:
                self.drafts = drafted(session, seen)

    def stopped(self) -> bool:
        """Whether somebody asked to stop; asked often, it looks every ``LOOK_S``."""
        if time.monotonic() >= self.look_at:
            self.look()
        return self.stop_asked

    def look(self) -> None:
        """Write progress and renew the lease where due. Raises ``_Lost``."""
        self.look_at = time.monotonic() + LOOK_S
        with self.hub.reading() as session:
            row = _run(session, self.run.business_id, self.run.id)
        self.stop_asked = row.stop_asked
        half_gone = self.lease is None or self.lease - datetime.now(UTC) < LEASE / 2
        if self.unsaid or half_gone:
            lease = datetime.now(UTC) + LEASE
            with self.hub.unit() as unit:
                self._update(unit, progress=self.progress, leased_until=lease)
            self.lease, self.unsaid = lease, False

    def store(self, seen: Day, plan: Plan, strategy: str, ways: Mapping[str, Way]) -> None:
        """Drafts and the end of the run, together or not at all.

        Raises ``ChangedByHand`` where somebody arranged a draft meanwhile.
        """
        with self.hub.unit() as unit:
            unit.session.get_one(BusinessRow, self.run.business_id, with_for_update=True)
            if is_arranged(self.drafts or {}, drafted(unit.session, seen)):
                raise ChangedByHand
            self._update(
                unit,
                state="cancelled" if self.stop_asked else "done",
                strategy=strategy,
                progress=self.progress,
                result=outcome(plan),
                # A lease that has run out: somebody may look for what would help the rest.
                leased_until=datetime.now(UTC) if plan.unassigned else None,
                done_at=self.hub.now(),
            )
            store_drafts(unit, self.hub.now(), self.run.business_id, self.run.day, seen, plan, ways)

    def fail(self, error: str) -> None:
        """End the run with a sentence; nothing if it is no longer ours."""
        with self.hub.unit() as unit, suppress(_Lost):
            self._update(
                unit,
                state="failed",
                progress=self.progress,
                error=error[:LONG],
                leased_until=None,
                done_at=self.hub.now(),
            )

    def _update(self, unit: Unit, **values: object) -> None:
        """Only while the lease is still ours: else another worker is at it."""
        mine = update(PlanRow).where(
            col(PlanRow.business_id) == self.run.business_id,
            col(PlanRow.id) == self.run.id,
            col(PlanRow.state) == "solving",
            col(PlanRow.leased_until) == self.lease,
        )
        if not took_one(unit.session.exec(mine.values(**values))):
            raise _Lost


def _claim(hub: Hub) -> PlanRow | None:
    """A run nobody holds, now held by us; ``None`` if there is none."""
    now = datetime.now(UTC)
    free = or_(
        col(PlanRow.state) == "waiting",
        and_(col(PlanRow.state) == "solving", col(PlanRow.leased_until) < now),
    )
    with hub.reading() as session:  # looking takes no lock; most of the time nothing waits
        waiting = session.exec(select(PlanRow).where(free).order_by(col(PlanRow.created_at))).all()
    for run in waiting:
        tries = run.progress.get("tries", 0) + 1
        progress = {**run.progress, "tries": tries, "began_at": now.isoformat()}
        lease = now + LEASE
        with hub.unit() as unit:
            taken = took_one(
                unit.session.exec(
                    update(PlanRow)
                    .where(
                        col(PlanRow.business_id) == run.business_id,
                        col(PlanRow.id) == run.id,
                        free,
                    )
                    .values(state="solving", leased_until=lease, progress=progress)
                )
            )
        if taken:
            run.state, run.leased_until, run.progress = "solving", lease, progress
            return run
    return None


def _run(session: Session, business_id: str, plan_id: str, *, lock: bool = False) -> PlanRow:
    query = select(PlanRow).where(PlanRow.business_id == business_id, PlanRow.id == plan_id)
    run = session.exec(query.with_for_update() if lock else query).one_or_none()
    if run is None:
        raise LookupError(f"no plan {plan_id}")
    return run


def _share(run: PlanRow) -> float:
    """Of the time it may take; by the real clock, so it moves between two better plans."""
    began = run.progress.get("began_at")
    if run.state != "solving" or began is None:
        return 0.0 if run.state == "waiting" else 1.0
    used_s = (datetime.now(UTC) - datetime.fromisoformat(began)).total_seconds()
    return round(min(1.0, used_s / max(1.0, float(run.progress["limit_s"]))), 3)


def _said(hub: Hub, run: PlanRow, actor: str, action: str) -> AuditRow:
    return AuditRow(
        business_id=run.business_id,
        actor=actor,
        action=action,
        subject=f"plan:{run.id}",
        at=hub.now(),
    )

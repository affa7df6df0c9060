"""A better rest of a day as work for the worker: ask for it, watch it, stop it, publish it.

A search waits as a row. A worker takes it with a lease that it renews, and writes the best so far;
the lease of one that died runs out, and another begins the search again. Nothing but publishing
changes a route, and that is one unit.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from sqlalchemy import and_, or_, update
from sqlmodel import Session, col, select

from hub.core.errors import HubError
from hub.core.jobs import NotNow
from hub.core.rest_of_day import Better
from hub.db.columns import LONG
from hub.db.tables import AuditRow, BusinessRow, ImprovementRow, RouteRow
from hub.db.unit import Unit, took_one
from hub.flows.rest_difference import Improvement, improvement_of
from hub.flows.rest_of_day import MOVED_ON, Standing, publish_rest, standing
from hub.flows.route_now import RouteConflict
from hub.improving import search

if TYPE_CHECKING:
    from hub.app import Hub

CPU_S = 10.0  # of a processor, for a search that somebody waits for
LEASE = timedelta(seconds=60)  # reading a day of 1,000 stops and its roads must fit in one
LOOK_S = 0.5  # how often it is looked whether to stop
TRIES = 3  # a search that took its worker down so often is given up
FRESH = timedelta(minutes=30)  # afterwards the day has moved on, whatever the versions say
HUB = "hub"  # who asked where nobody did
OPEN = ("waiting", "searching")
BUG = "Looking for a better rest of the day met an error in the hub. The worker's log says which."
_found: TypeAdapter[Improvement] = TypeAdapter(Improvement)


@dataclass(frozen=True, slots=True)
class ImprovementSeen:
    """How far a search is. ``n`` counts its better finds; 0 while there is none.

    ``is_current``: no route that would change is another one by now.
    """

    id: str
    day: date
    asked_by: str
    state: str  # waiting | searching | done | cancelled | failed
    n: int
    best: Improvement
    is_current: bool
    stop_asked: bool
    ended: str  # published | dropped; empty: nothing was decided
    error: str
    done_at: datetime | None
    versions: Mapping[str, int]  # route id -> version, of all that were looked at

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def is_offered(self, now: datetime) -> bool:
        """It is over, found something that still can be done, and nobody has decided."""
        is_over = self.done_at is not None and self.done_at > now - FRESH
        is_found = bool(self.n) and not self.best.is_nothing
        return is_over and is_found and self.is_current and not self.ended


def ask_improvement(
    hub: Hub, business_id: str, day: date, *, actor: str, cpu_s: float = CPU_S
) -> str:
    """Have a better rest of ``day`` looked for; the id of the search, or of the open one."""
    with hub.unit() as unit:
        unit.session.get_one(BusinessRow, business_id, with_for_update=True)
        running = unit.session.exec(
            select(ImprovementRow.id).where(
                ImprovementRow.business_id == business_id,
                ImprovementRow.day == day,
                col(ImprovementRow.state).in_(OPEN),
            )
        ).first()
        if running is not None:
            return running
        row = ImprovementRow(
            business_id=business_id, day=day, asked_by=actor, cpu_s=cpu_s, created_at=hub.now()
        )
        unit.session.add(row)
        if actor != HUB:
            unit.session.add(_said(hub, row, actor, "asked for a better rest of the day"))
        return row.id


def stop_improvement(hub: Hub, business_id: str, id: str, *, actor: str) -> None:
    """End a search; the best so far is kept. Safe to repeat, nothing for one that is over."""
    with hub.unit() as unit:
        row = _row(unit.session, business_id, id, lock=True)
        if row.state not in OPEN or row.stop_asked:
            return
        if row.state == "waiting":
            row.state, row.done_at = "cancelled", hub.now()
        row.stop_asked = True
        unit.session.add(_said(hub, row, actor, "ended the search for a better rest of the day"))


def drop_improvement(hub: Hub, business_id: str, id: str, *, actor: str) -> None:
    """Nobody wants what was found. Safe to repeat, nothing for one that is published."""
    with hub.unit() as unit:
        row = _row(unit.session, business_id, id, lock=True)
        if row.state not in OPEN and not row.ended:
            row.ended = "dropped"
            unit.session.add(_said(hub, row, actor, "dropped a better rest of the day"))


def publish_improvement(
    hub: Hub, business_id: str, id: str, n: int, *, actor: str, force: bool = False
) -> list[RouteRow]:
    """Make the ``n``-th find of a search so, once. Raises as ``publish_rest`` does; ``NotNow``
    for a search that goes on, ``RouteConflict`` for a find that is not its last.
    """
    with hub.reading() as session:
        row = _row(session, business_id, id)
    seen = _seen(row, {})
    if seen.is_open:
        raise NotNow("The search still goes on. End it first.")
    if seen.ended or not seen.n or seen.n != n:
        raise RouteConflict(MOVED_ON)

    def ends(unit: Unit) -> None:
        mine = update(ImprovementRow).where(
            col(ImprovementRow.business_id) == business_id,
            col(ImprovementRow.id) == id,
            col(ImprovementRow.ended) == "",
        )
        if not took_one(unit.session.exec(mine.values(ended="published"))):
            raise RouteConflict(MOVED_ON)

    return publish_rest(
        hub, business_id, row.day, seen.best.proposed, actor=actor, force=force, also=ends
    )


def last_improvement(
    session: Session, business_id: str, day: date, versions: Mapping[str, int]
) -> ImprovementSeen | None:
    """The last search for ``day``; ``versions`` of its routes as they are."""
    row = session.exec(
        select(ImprovementRow)
        .where(ImprovementRow.business_id == business_id, ImprovementRow.day == day)
        .order_by(col(ImprovementRow.created_at).desc(), col(ImprovementRow.id).desc())
        .limit(1)
    ).first()
    return None if row is None else _seen(row, versions)


def improvement_seen(hub: Hub, business_id: str, day: date) -> ImprovementSeen | None:
    """The last search for ``day``, held against its routes as they are."""
    with hub.reading() as session:
        routes = select(RouteRow.id, RouteRow.version).where(
            RouteRow.business_id == business_id, RouteRow.day == day
        )
        return last_improvement(session, business_id, day, dict(session.exec(routes).all()))


def search_waiting(hub: Hub) -> bool:
    """Take one search and see it through; ``False`` if none waits. Any number may do this."""
    row = _claim(hub)
    if row is None:
        return False
    hold = _Hold(hub, row)
    try:
        if row.tries > TRIES:
            hold.end("failed", "The search stopped several times without an answer. Ask again.")
        elif row.stop_asked:
            hold.end("cancelled")
        else:
            hold.search()
    except _Lost:
        hub.tools.log.warning("improvement=%s was taken over by another worker", row.id)
    except (HubError, LookupError) as problem:
        hold.end("failed", str(problem))
    except Exception:  # a bug must not leave a search that never ends
        hub.tools.log.exception("improvement=%s failed", row.id)
        hold.end("failed", BUG)
    return True


class _Lost(Exception):
    """Another worker has taken this search: our lease ran out."""


class _Hold:
    """A worker's hold on a search: its lease, and what it writes meanwhile."""

    def __init__(self, hub: Hub, row: ImprovementRow) -> None:
        self.hub, self.row, self.lease = hub, row, row.leased_until
        self.standing: Standing | None = None
        self.unsaid: Better | None = None
        self.n, self.look_at, self.stop_asked = 0, 0.0, False

    def search(self) -> None:
        now = standing(self.hub, self.row.business_id, self.row.day)
        self.standing = now
        self._write(versions=dict(now.versions), found={})
        if now.rest.units:
            search(now.rest, self.row.cpu_s, self._heard)
        self.end("cancelled" if self.stop_asked else "done")

    def end(self, state: str, error: str = "") -> None:
        """Nothing if it is no longer ours."""
        with suppress(_Lost):
            self._write(
                **self._best(),
                state=state,
                error=error[:LONG],
                leased_until=None,
                done_at=self.hub.now(),
            )

    def _heard(self, better: Better | None) -> bool:
        if better is not None:
            self.unsaid, self.n = better, self.n + 1
        if time.monotonic() < self.look_at:
            return True
        self.look_at = time.monotonic() + LOOK_S
        with self.hub.reading() as session:
            self.stop_asked = _row(session, self.row.business_id, self.row.id).stop_asked
            gives_way = self.row.asked_by == HUB and _somebody_waits(session)
        assert self.lease is not None
        if self.unsaid is not None or self.lease - datetime.now(UTC) < LEASE / 2:
            lease = datetime.now(UTC) + LEASE
            self._write(**self._best(), leased_until=lease)
            self.lease = lease
        return not self.stop_asked and not gives_way

    def _best(self) -> dict[str, Any]:
        """The best so far, if it is not written yet."""
        better, self.unsaid = self.unsaid, None
        if better is None or self.standing is None:
            return {}
        now = self.standing
        found = improvement_of(self.row.day, now.rest, better, now.versions)
        return {"found": {**_found.dump_python(found, mode="json"), "n": self.n}}

    def _write(self, **values: object) -> None:
        """Only while the lease is still ours: else another worker is at it."""
        mine = update(ImprovementRow).where(
            col(ImprovementRow.business_id) == self.row.business_id,
            col(ImprovementRow.id) == self.row.id,
            col(ImprovementRow.state) == "searching",
            col(ImprovementRow.leased_until) == self.lease,
        )
        with self.hub.unit() as unit:
            if not took_one(unit.session.exec(mine.values(**values))):
                raise _Lost


def _claim(hub: Hub) -> ImprovementRow | None:
    """A search nobody holds, now held by us; ``None`` if there is none."""
    now = datetime.now(UTC)
    free = or_(
        col(ImprovementRow.state) == "waiting",
        and_(col(ImprovementRow.state) == "searching", col(ImprovementRow.leased_until) < now),
    )
    with hub.reading() as session:  # looking takes no lock; most of the time nothing waits
        # Who waits for it goes before those that nobody asked for.
        turn = (col(ImprovementRow.asked_by) == HUB, col(ImprovementRow.created_at))
        waiting = session.exec(select(ImprovementRow).where(free).order_by(*turn)).all()
    for row in waiting:
        lease = now + LEASE
        with hub.unit() as unit:
            mine = update(ImprovementRow).where(
                col(ImprovementRow.business_id) == row.business_id,
                col(ImprovementRow.id) == row.id,
                free,
            )
            taken = took_one(
                unit.session.exec(
                    mine.values(state="searching", leased_until=lease, tries=row.tries + 1)
                )
            )
        if taken:
            row.state, row.leased_until, row.tries = "searching", lease, row.tries + 1
            return row
    return None


def _somebody_waits(session: Session) -> bool:
    """A person, of whatever business, for a search that nobody has taken yet."""
    waiting = select(ImprovementRow.id).where(
        ImprovementRow.state == "waiting", ImprovementRow.asked_by != HUB
    )
    return session.exec(waiting.limit(1)).first() is not None


def _seen(row: ImprovementRow, versions: Mapping[str, int]) -> ImprovementSeen:
    n = int(row.found.get("n", 0))
    best = _found.validate_python(row.found) if n else Improvement(row.day)
    return ImprovementSeen(
        id=row.id,
        day=row.day,
        asked_by=row.asked_by,
        state=row.state,
        n=n,
        best=best,
        is_current=all(versions.get(one.route_id) == one.version for one in best.proposed),
        stop_asked=row.stop_asked,
        ended=row.ended,
        error=row.error,
        done_at=row.done_at,
        versions=row.versions,
    )


def _row(session: Session, business_id: str, id: str, *, lock: bool = False) -> ImprovementRow:
    query = select(ImprovementRow).where(
        ImprovementRow.business_id == business_id, ImprovementRow.id == id
    )
    row = session.exec(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise LookupError(f"no search {id}")
    return row


def _said(hub: Hub, row: ImprovementRow, actor: str, action: str) -> AuditRow:
    return AuditRow(
        business_id=row.business_id,
        actor=actor,
        action=action,
        subject=f"day:{row.day}",
        at=hub.now(),
    )

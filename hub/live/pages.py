"""What the pages behind tracking links are made of, for many links at once.

A page reads the same for one link in ``hub.flows.tracking_view``; what may be shown is
decided by the same functions of the core.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from hub.core.business import BusinessSettings
from hub.core.jobs import NextStep, Outcome, Reason, State
from hub.core.orders import Kind
from hub.core.tracking_page import (
    CHOSEN,
    Estimate,
    JobSeen,
    Ride,
    current,
    has_left,
    made_first,
    over_at,
    work_begins,
)
from hub.core.values import Point, Role, TimeWindow
from hub.core.visibility import is_a_gift
from hub.db.tables import (
    BusinessRow,
    ContactRow,
    EstimateRow,
    JobRow,
    LinkRow,
    PlaceRow,
    PromiseRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
)
from hub.db.unit import reading
from hub.live.driving import batches, owned
from hub.live.values import Page


def by_token(engine: Engine, hashes: Sequence[str]) -> dict[str, Page]:
    """The pages behind links by their tokens' hashes; unknown and revoked ones are left out."""
    found: dict[str, Page] = {}
    with reading(engine) as session:
        for some in batches(hashes):
            links = session.exec(
                # The token says which business it is.
                select(
                    LinkRow.order_id, LinkRow.business_id, LinkRow.token_hash, LinkRow.role
                ).where(col(LinkRow.token_hash).in_(some))
            ).all()
            pages = _pages(session, {order_id: business_id for order_id, business_id, *_ in links})
            found |= {
                hash_: pages[order_id].of(Role(role))
                for order_id, _, hash_, role in links
                if order_id in pages
            }
    return found


def by_order(engine: Engine, orders: Mapping[str, str]) -> dict[str, Page]:
    """The recipients' pages of orders, each given with its business's id; see ``Page.of``."""
    found: dict[str, Page] = {}
    with reading(engine) as session:
        for some in batches(list(orders)):
            found |= _pages(session, {order_id: orders[order_id] for order_id in some})
    return found


def still_open(engine: Engine, links: Mapping[str, str]) -> set[str]:
    """Which of these token hashes, each given with its business's id, still open a page."""
    found: set[str] = set()
    with reading(engine) as session:
        for some in batches(list(links)):
            these = (
                owned(LinkRow, {links[one] for one in some}),
                col(LinkRow.token_hash).in_(some),
            )
            # Almost always all of them: one row in place of hundreds, between any two of which
            # SQLite lets the loop's thread go first.
            count = session.exec(select(func.count()).select_from(LinkRow).where(*these)).one()
            if count == len(some):
                found.update(some)
            else:
                found.update(session.exec(select(LinkRow.token_hash).where(*these)))
    return found


def gifts(session: Session, business_id: str, orders: Collection[str]) -> dict[str, bool]:
    """Of each order of one business whether somebody bought it for another."""
    return _gifts(session, {business_id}, orders)


def settings_of(engine: Engine, businesses: Collection[str]) -> dict[str, BusinessSettings]:
    with reading(engine) as session:
        return _settings(session, businesses)


@dataclass(frozen=True, slots=True)
class _Planned:
    """Where a job is on a published route."""

    route_id: str
    driver_id: str
    n: int
    arrive_at: datetime
    began_at: datetime | None
    over_at: datetime


def _pages(session: Session, orders: Mapping[str, str]) -> dict[str, Page]:
    businesses = set(orders.values())
    settings = _settings(session, businesses)
    jobs = _jobs(session, businesses, list(orders))
    shown: dict[str, str] = {}  # order id -> id of the job its page is about
    for order_id, seen in jobs.items():
        shown[order_id] = seen[current(list(seen))]
    promises, chosen = _promises(session, businesses, list(shown.values()))
    planned = _planned(session, businesses, list(shown.values()))
    about = {shown[order_id]: current(list(seen)) for order_id, seen in jobs.items()}
    rides = _rides(session, businesses, planned, about, promises)
    measured = {one for one in businesses if settings[one].visibility.page_measures}
    doors = _doors(session, measured, list(shown.values()))
    given = _gifts(session, businesses, orders)
    return {
        order_id: Page(
            orders[order_id],
            order_id,
            tuple(seen),
            tuple(promises[shown[order_id]]),
            rides.get(shown[order_id]),
            settings[orders[order_id]],
            *_whose(planned.get(shown[order_id])),
            door=doors.get(shown[order_id]),
            chosen=shown[order_id] in chosen,
            is_gift=given[order_id],
        )
        for order_id, seen in jobs.items()
    }


def _whose(planned: _Planned | None) -> tuple[str, str]:
    """The route, and its driver once he has begun his shift."""
    if planned is None:
        return "", ""
    return planned.route_id, planned.driver_id if planned.began_at else ""


def _settings(session: Session, businesses: Collection[str]) -> dict[str, BusinessSettings]:
    return {
        id_: BusinessSettings.model_validate(settings)
        for id_, settings in session.exec(
            select(BusinessRow.id, BusinessRow.settings).where(col(BusinessRow.id).in_(businesses))
        )
    }


def _gifts(session: Session, businesses: set[str], orders: Collection[str]) -> dict[str, bool]:
    who: dict[str, dict[Role, str]] = {order_id: {} for order_id in orders}
    for row in session.exec(
        select(ContactRow).where(
            owned(ContactRow, businesses), col(ContactRow.order_id).in_(list(orders))
        )
    ):
        who[row.order_id][Role(row.role)] = row.name or row.email or row.phone
    return {order_id: is_a_gift(roles) for order_id, roles in who.items()}


def _doors(session: Session, businesses: set[str], jobs: Sequence[str]) -> dict[str, Point]:
    """Where jobs are done, of businesses whose pages go by metres; nothing for others."""
    if not businesses:
        return {}
    return {
        job_id: Point(lat, lon)
        for job_id, lat, lon in session.exec(
            select(JobRow.id, PlaceRow.lat, PlaceRow.lon)
            .join(PlaceRow, col(PlaceRow.id) == col(JobRow.place_id))
            .where(owned(JobRow, businesses), col(JobRow.id).in_(jobs))
        )
        if lat is not None and lon is not None
    }


def _jobs(
    session: Session, businesses: set[str], orders: Sequence[str]
) -> dict[str, dict[JobSeen, str]]:
    """Of each order all its jobs, with their ids."""
    found: dict[str, dict[JobSeen, str]] = defaultdict(dict)
    for row in session.exec(
        select(JobRow).where(owned(JobRow, businesses), col(JobRow.order_id).in_(orders))
    ):
        seen = JobSeen(
            kind=Kind(row.kind),
            attempt=row.attempt,
            leg=row.leg,
            state=State(row.state),
            outcome=Outcome(row.outcome) if row.outcome else None,
            reason=Reason(row.reason) if row.reason else None,
            next_step=NextStep(row.next_step) if row.next_step else None,
            due_on=row.due_on,
            windows=tuple(_window(*window) for window in row.windows),
            ended_at=row.closed_occurred_at,
            closed_at=row.closed_at,
            fetched_at=row.fetched_at,
        )
        found[row.order_id][seen] = row.id
    return found


def _window(opens: str, closes: str) -> TimeWindow:
    return TimeWindow(datetime.fromisoformat(opens), datetime.fromisoformat(closes))


def _promises(
    session: Session, businesses: set[str], jobs: Sequence[str]
) -> tuple[dict[str, list[TimeWindow]], set[str]]:
    """By job, the oldest first; and of which jobs the last is what their recipient chose."""
    found: dict[str, list[TimeWindow]] = defaultdict(list)
    told_by: dict[str, str] = {}
    for job_id, opens, closes, by in session.exec(
        select(PromiseRow.job_id, PromiseRow.opens, PromiseRow.closes, PromiseRow.told_by)
        .where(
            owned(PromiseRow, businesses),
            col(PromiseRow.job_id).in_(jobs),
            PromiseRow.n > 0,
        )
        .order_by(col(PromiseRow.n))
    ):
        found[job_id].append(TimeWindow(opens, closes))
        told_by[job_id] = by
    return found, {job_id for job_id, by in told_by.items() if by == CHOSEN}


def _planned(session: Session, businesses: set[str], jobs: Sequence[str]) -> dict[str, _Planned]:
    return {
        job_id: _Planned(
            stop.route_id,
            driver_id,
            stop.n,
            stop.arrive_at,
            shift.began_at,
            over_at(shift.ended_at, shift.ends_at),
        )
        for job_id, stop, driver_id, shift in session.exec(
            select(StopJobRow.job_id, StopRow, RouteRow.driver_id, ShiftRow)
            .join(StopRow, col(StopRow.id) == col(StopJobRow.stop_id))
            .join(RouteRow, col(RouteRow.id) == col(StopRow.route_id))
            .join(ShiftRow, col(ShiftRow.id) == col(RouteRow.shift_id))
            .where(
                owned(StopJobRow, businesses),
                col(StopJobRow.job_id).in_(jobs),
                col(RouteRow.published_at).is_not(None),
            )
        )
    }


def _rides(
    session: Session,
    businesses: set[str],
    planned: Mapping[str, _Planned],
    about: Mapping[str, JobSeen],
    promises: Mapping[str, Sequence[TimeWindow]],
) -> dict[str, Ride]:
    """The ride of each job that is still to be done; a closed one has none."""
    routes = _routes(session, businesses, {one.route_id for one in planned.values()})
    estimates = {
        row.job_id: work_begins(
            Estimate(row.p10, row.p50, row.p90),
            about[row.job_id].windows,
            next(reversed(promises.get(row.job_id, ())), None),
        )
        for row in session.exec(
            select(EstimateRow).where(
                owned(EstimateRow, businesses), col(EstimateRow.job_id).in_(planned)
            )
        )
        if row.route_id in (None, planned[row.job_id].route_id)
    }
    rides = {}
    for job_id, one in planned.items():
        stops = routes[one.route_id]
        to_do = {n: departs_at for n, (departs_at, jobs) in stops.items() if _is_open(jobs)}
        if one.n not in to_do:
            continue
        states = {n: [state for state, _ in jobs] for n, (_, jobs) in stops.items()}
        rides[job_id] = Ride(
            arrive_at=one.arrive_at,
            next_departs_at=to_do[min(to_do)],
            stops_before=made_first(one.n, states),
            has_left=has_left(job for _, jobs in stops.values() for job in jobs),
            estimate=estimates.get(job_id),
            began_at=one.began_at,
            over_at=one.over_at,
        )
    return rides


def _routes(
    session: Session, businesses: set[str], routes: set[str]
) -> dict[str, dict[int, tuple[datetime, set[tuple[str, str]]]]]:
    """Of each route its stops by number: when one is left, and its jobs' states and outcomes."""
    found: dict[str, dict[int, tuple[datetime, set[tuple[str, str]]]]] = defaultdict(dict)
    for route_id, stop, state, outcome in session.exec(
        select(StopRow.route_id, StopRow, JobRow.state, JobRow.outcome)
        .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
        .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
        .where(owned(StopRow, businesses), col(StopRow.route_id).in_(routes))
    ):
        found[route_id].setdefault(stop.n, (stop.depart_at, set()))[1].add((state, outcome))
    return found


def _is_open(jobs: set[tuple[str, str]]) -> bool:
    return any(state != State.CLOSED for state, _ in jobs)

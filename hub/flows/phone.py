"""What a driver's phone shows: today's published routes, with all a door asks for.

The phone keeps the last answer and works from it without signal, so it holds
everything: places, people, goods and the proof the business demands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlmodel import Session, SQLModel, col, or_, select

from hub.core.amending import LEFT
from hub.core.breaks_had import not_told
from hub.core.business import BusinessSettings
from hub.core.fit import begins_as_told, not_before
from hub.core.jobs import ON_A_PHONE, State
from hub.core.orders import IncomingOrder
from hub.core.values import Contact, Role, TimeWindow
from hub.db.tables import (
    ActRow,
    AmendmentRow,
    BusinessRow,
    DepotRow,
    DeviceRow,
    DriverRow,
    EstimateRow,
    JobRow,
    OrderRow,
    PlaceRow,
    PromiseRow,
    RouteRow,
    ShiftRow,
    StopJobRow,
    StopRow,
    TakeOverRow,
    VehicleRow,
)
from hub.flows.breaks import breaks_of
from hub.flows.day_due import windows_of
from hub.flows.phone_seen import (
    PhoneChange,
    PhoneContact,
    PhoneDay,
    PhoneJob,
    PhoneLine,
    PhoneRoute,
    PhoneStop,
    PhoneTakeOver,
    PhoneWish,
)
from hub.flows.questions import open_questions
from hub.flows.rests import rests_read
from hub.flows.sync import address_document, order_report
from hub.flows.take_overs import fetches_of
from hub.flows.wishes import Wished, leave_words, wished_of

if TYPE_CHECKING:
    from hub.app import Hub

AROUND_A_SHIFT = timedelta(hours=6)
"""A route over midnight, or one that ran late, stays on the phone this long."""
R = TypeVar("R", bound=SQLModel)


def shown_to(hub: Hub, device: DeviceRow) -> PhoneDay:
    """What this phone's driver has to do today; no routes when nothing is published."""
    with hub.reading() as session:
        business = session.get_one(BusinessRow, device.business_id)
        settings = BusinessSettings.model_validate(business.settings)
        look = _Look(session, business.id)
        driver = look.by_id(DriverRow, [device.driver_id])[device.driver_id]
        around = hub.now(), ZoneInfo(business.zone)
        routes = look.routes(RouteRow.driver_id == driver.id, *around)
        return PhoneDay(
            driver=driver.name,
            business=business.name,
            zone=business.zone,
            demands=tuple(settings.demands),
            failure_demands=tuple(settings.failure_demands),
            routes=tuple(look.route(route, shift) for route, shift in routes),
            handed_to=tuple(look.handed_to(driver.id, *around)),
        )


class _Look:
    """Reads of one business."""

    def __init__(self, session: Session, business_id: str) -> None:
        self.session, self.business_id = session, business_id

    @cached_property
    def settings(self) -> BusinessSettings:
        business = self.session.get_one(BusinessRow, self.business_id)
        return BusinessSettings.model_validate(business.settings)

    def routes(
        self, which: ColumnElement[bool] | bool, now: datetime, zone: ZoneInfo
    ) -> Sequence[tuple[RouteRow, ShiftRow]]:
        """Those published for today or for a shift near ``now``."""
        near = (ShiftRow.starts_at <= now + AROUND_A_SHIFT) & (
            ShiftRow.ends_at >= now - AROUND_A_SHIFT
        )
        return self.session.exec(
            select(RouteRow, ShiftRow)
            .join(ShiftRow, col(ShiftRow.id) == col(RouteRow.shift_id))
            .where(
                RouteRow.business_id == self.business_id,
                which,
                col(RouteRow.published_at).is_not(None),
                or_(RouteRow.day == now.astimezone(zone).date(), near),
            )
            .order_by(col(ShiftRow.starts_at), col(RouteRow.id))
        ).all()

    def handed_to(self, driver_id: str, now: datetime, zone: ZoneInfo) -> list[str]:
        begun = (
            select(ActRow.route_id)
            .join(DeviceRow, col(DeviceRow.id) == col(ActRow.device_id))
            .where(ActRow.business_id == self.business_id, DeviceRow.driver_id == driver_id)
        )
        elsewhere = (col(RouteRow.driver_id) != driver_id) & col(RouteRow.id).in_(begun)
        mine = select(RouteRow.id).where(
            RouteRow.business_id == self.business_id, RouteRow.driver_id == driver_id
        )
        taken_from = (
            select(StopRow.route_id)
            .join(TakeOverRow, col(TakeOverRow.stop_id) == col(StopRow.id))
            .where(
                TakeOverRow.business_id == self.business_id,
                col(TakeOverRow.from_route_id).in_(mine),
            )
        )
        elsewhere |= (col(RouteRow.driver_id) != driver_id) & col(RouteRow.id).in_(taken_from)
        routes = self.routes(elsewhere, now, zone)
        drivers = self.by_id(DriverRow, {route.driver_id for route, _ in routes})
        return [drivers[route.driver_id].name for route, _ in routes if route.driver_id in drivers]

    def route(self, route: RouteRow, shift: ShiftRow) -> PhoneRoute:
        depot = self.by_id(DepotRow, [route.depot_id])[route.depot_id]
        had = breaks_of(shift)
        vehicle = self.by_id(VehicleRow, [route.vehicle_id]).get(route.vehicle_id or "")
        return PhoneRoute(
            route_id=route.id,
            day=route.day.isoformat(),
            version=route.version,
            acknowledged=route.acknowledged,
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
            began_at=shift.began_at,
            ended_at=shift.ended_at,
            depot=depot.address or depot.name,
            depot_lat=depot.lat,
            depot_lon=depot.lon,
            vehicle=vehicle.name if vehicle else "",
            stops=tuple(self._stops(route.id)),
            changes=tuple(self._changes(route)),
            rests=tuple((r.opens, r.closes) for r in not_told(rests_read(route.rests), had)),
            had=tuple((one.since, one.until) for one in had),
        )

    def _changes(self, route: RouteRow) -> Iterable[PhoneChange]:
        found = self.session.exec(
            select(AmendmentRow, OrderRow.number)
            .join(OrderRow, col(OrderRow.id) == col(AmendmentRow.order_id))
            .where(
                AmendmentRow.business_id == self.business_id,
                AmendmentRow.route_id == route.id,
                col(AmendmentRow.seen_at).is_(None),
            )
            .order_by(col(AmendmentRow.decided_at), col(AmendmentRow.id))
        ).all()
        if not found:
            return
        orders = [row.order_id for row, _ in found]
        jobs = self.session.exec(
            select(JobRow.order_id, JobRow.id).where(
                JobRow.business_id == self.business_id, col(JobRow.order_id).in_(orders)
            )
        ).all()
        for row, number in found:
            ids = tuple(id for order_id, id in jobs if order_id == row.order_id)
            changes = tuple((what, was, now) for what, was, now in row.changes)
            # Of what left the route its driver needs to know that, and nothing of how it changed.
            changes = tuple(one for one in changes if one[0] == LEFT) or changes
            yield PhoneChange(row.told_version, number, ids, changes)

    def by_id(self, table: type[R], ids: Iterable[str | None]) -> Mapping[str, R]:
        """The rows of this business among ``ids``."""
        columns = table.__table__.c  # type: ignore[attr-defined]
        wanted = [one for one in ids if one is not None]
        if not wanted:
            return {}
        rows = self.session.exec(
            select(table).where(columns.business_id == self.business_id, columns.id.in_(wanted))
        )
        return {row.id: row for row in rows}  # type: ignore[attr-defined]

    def _stops(self, route_id: str) -> Iterable[PhoneStop]:
        found = self.session.exec(
            select(StopRow, JobRow)
            .join(StopJobRow, col(StopJobRow.stop_id) == col(StopRow.id))
            .join(JobRow, col(JobRow.id) == col(StopJobRow.job_id))
            .where(StopRow.business_id == self.business_id, StopRow.route_id == route_id)
            .order_by(col(StopRow.n), col(JobRow.leg), col(JobRow.id))
        ).all()
        places = self.by_id(PlaceRow, {stop.place_id for stop, _ in found})
        jobs = self._jobs([job for _, job in found], {job.id: stop for stop, job in found})
        at_stop: dict[str, list[PhoneJob]] = defaultdict(list)
        for stop, job in found:
            at_stop[stop.id].append(jobs[job.id])
        shown = [
            _stop(stop, places[stop.place_id], at_stop[stop.id])
            for stop in {stop.id: stop for stop, _ in found}.values()
        ]
        shown += self._take_overs(route_id, [job for one in shown for job in one.jobs])
        yield from sorted(shown, key=lambda one: one.n)

    def _take_overs(self, route_id: str, jobs: Sequence[PhoneJob]) -> Iterable[PhoneStop]:
        fetches = fetches_of(self.session, self.business_id, route_id)
        stops = self.by_id(StopRow, fetches)
        places = self.by_id(PlaceRow, [stop.place_id for stop in stops.values()])
        for id, fetch in fetches.items():
            row, goods = fetch.row, [job for job in jobs if job.job_id in fetch.row.job_ids]
            taken = PhoneTakeOver(
                van=row.van,
                driver=row.driver,
                place=row.place,
                numbers=tuple(job.number for job in goods),
                job_ids=tuple(job.job_id for job in goods),
                parcels=sum(job.parcels for job in goods),
                arrive_at=stops[id].arrive_at,
                ready_at=row.ready_at,
                done_at=row.done_at,
                needed=fetch.is_needed,
                reload=row.is_reload,
            )
            yield replace(_stop(stops[id], places[stops[id].place_id], []), take_over=taken)

    def _jobs(self, rows: Sequence[JobRow], stops: Mapping[str, StopRow]) -> Mapping[str, PhoneJob]:
        orders = self.by_id(OrderRow, {job.order_id for job in rows})
        promises = {row.job_id: row for row in self._about_jobs(PromiseRow, rows, PromiseRow.n)}
        asked = open_questions(self.session, self.business_id, orders)
        wishes = wished_of(self.session, self.business_id, orders)
        estimates = {row.job_id: row for row in self._about_jobs(EstimateRow, rows, EstimateRow.id)}
        answer = {}
        for job in rows:
            estimate = estimates.get(job.id)
            arrive_at = estimate.p50 if estimate else stops[job.id].arrive_at
            shown = _job(job, orders[job.order_id], promises.get(job.id), arrive_at)
            question = asked.get(job.order_id) if job.state in ON_A_PHONE else None
            fetches = job.leg == 1 and orders[job.order_id].report.get("pick_up")
            if (said := wishes.get(job.order_id)) and not fetches and job.state != State.CLOSED:
                shown = self._with_wish(shown, said)
            answer[job.id] = replace(shown, question=_asked(question) if question else "")
        return answer

    def _with_wish(self, shown: PhoneJob, said: Wished) -> PhoneJob:
        usual = list(self.settings.demands)
        demands = self.settings.self_service.demands(said.leave, usual)
        wish = PhoneWish(said.note, said.access_code, leave_words(said))
        return replace(
            shown,
            wish=None if said.is_empty else wish,
            demands=None if demands == usual else tuple(demands),
        )

    def _about_jobs(self, table: type[R], rows: Sequence[JobRow], order: object) -> Sequence[R]:
        columns = table.__table__.c  # type: ignore[attr-defined]
        return self.session.exec(
            select(table)
            .where(
                columns.business_id == self.business_id,
                columns.job_id.in_([job.id for job in rows]),
            )
            .order_by(col(order))
        ).all()


def _stop(stop: StopRow, place: PlaceRow, jobs: Sequence[PhoneJob]) -> PhoneStop:
    return PhoneStop(
        stop_id=stop.id,
        n=stop.n,
        address=address_document.validate_python(place.address).one_line() or place.label,
        lat=place.lat,
        lon=place.lon,
        access_note=place.access_note,
        safe_place=place.safe_place,
        jobs=tuple(jobs),
    )


def _job(job: JobRow, order: OrderRow, promise: PromiseRow | None, arrive_at: datetime) -> PhoneJob:
    report = order_report.validate_python(order.report)
    fetches = job.leg == 1 and report.pick_up is not None
    people = _people(report, fetches)
    windows = windows_of(job)
    told_window = TimeWindow(promise.opens, promise.closes) if promise else None
    window = next((one for one in windows if arrive_at <= one.closes), None)
    if window is None and windows:
        window = windows[-1]
    elif window is None:
        window = told_window
    wished = None if fetches else report.wished
    told = report.pick_up.instructions if fetches and report.pick_up else report.instructions
    lines = [PhoneLine(n, x.title, x.quantity, x.sku) for n, x in enumerate(report.lines)]
    return PhoneJob(
        job_id=job.id,
        kind=job.kind,
        state=job.state,
        outcome=job.outcome,
        reason=job.reason,
        attempt=job.attempt,
        number=order.number,
        name=next((one.name or one.company for one in people), ""),
        contacts=tuple(PhoneContact(one.role, one.name, one.phone) for one in people if one.phone),
        note="\n".join(part for part in (told, job.driver_note) if part),
        opens=window.opens if window else None,
        closes=window.closes if window else None,
        others=tuple((one.opens, one.closes) for one in windows if one != window),
        arrive_at=arrive_at,
        not_before=not_before(windows, arrive_at, told_window),
        wished_opens=wished.opens if wished else None,
        wished_closes=wished.closes if wished else None,
        told_opens=told_window.opens if told_window else None,
        told_closes=told_window.closes if told_window else None,
        eta=begins_as_told(windows, arrive_at, told_window),
        # Proof by lines needs something to tick, even for an order that lists none.
        lines=tuple(lines) or (PhoneLine(0, "Parcels", report.load_parcels, ""),),
        parcels=report.load_parcels,
        from_door=job.kind == "deliver" and report.pick_up is not None,
        payment_due="" if fetches else report.payment_due,
        question="",
        wish=None,
        demands=None,
    )


def _asked(question: AmendmentRow) -> str:
    """For a driver who may be on the way: that something may change, and what."""
    return "; ".join(f"{what}: {now or 'none'}" for what, _, now in question.changes)


def _people(report: IncomingOrder, fetches: bool) -> list[Contact]:
    """Whom the driver meets or may call there, the one at the door first."""
    if fetches:
        met = [report.pick_up.contact if report.pick_up else None, report.contact(Role.SHIPPER)]
    else:
        met = [report.recipient, report.contact(Role.SITE)]
    return [one for one in met if one is not None]

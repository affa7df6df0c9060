"""A morning on whose orders their source changes its mind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlmodel import select

from hub.core.amending import Decision
from hub.core.values import Address, Point
from hub.db.tables import AmendmentRow, OrderRow, StopJobRow, StopRow
from hub.flows.amendments import decide
from hub.flows.order_rows import order_report
from hub.flows.phone import shown_to
from hub.flows.phone_seen import PhoneRoute
from hub.flows.sync import SyncReport, store_all
from tests.driving_worlds import Morning

KALEVANKATU = Address(("Kalevankatu 9",), city="Helsinki", country="FI")
THERE = Point(60.165, 24.93)


def reported(day: Morning, number: int, **changes: object) -> SyncReport:
    """Order ``number`` (from 0), as its source has it now."""
    with day.hub.reading() as session:
        row = session.get_one(OrderRow, order_id(day, number))
    known = order_report.validate_python(row.said or row.report)
    day.now[0] += timedelta(minutes=1)
    changed = replace(known, updated_at=day.now[0], **changes)  # type: ignore[arg-type]
    return store_all(day.hub, day.business_id, row.connection_id, [changed], actor="connection:api")


def order_id(day: Morning, number: int) -> str:
    with day.hub.reading() as session:
        return session.exec(select(OrderRow.id).where(OrderRow.ref == str(number + 1))).one()


def delivered(day: Morning) -> None:
    """What the worker does until nothing is left to do."""
    while day.hub.deliver_events():
        pass


def amendments(day: Morning) -> list[AmendmentRow]:
    with day.hub.reading() as session:
        return list(session.exec(select(AmendmentRow).order_by(AmendmentRow.id)))


def decided(
    day: Morning, decision: Decision, *, force: bool = True, actor: str = "staff:1"
) -> None:
    [question] = [one for one in amendments(day) if one.state == "open"]
    about = (day.hub, day.business_id, question.id, decision)
    versions = {"version": question.version, "route_version": day.route().version}
    decide(*about, actor=actor, force=force, **versions)


def on_phone(day: Morning) -> dict[str, list[tuple[str, str]]]:
    """Order number -> address and note of its stops."""
    found: dict[str, list[tuple[str, str]]] = {}
    for stop in route_shown(day).stops:
        for job in stop.jobs:
            found.setdefault(job.number, []).append((stop.address, job.note))
    return found


def route_shown(day: Morning) -> PhoneRoute:
    return shown_to(day.hub, day.phone()).routes[0]


def in_order(day: Morning) -> list[tuple[str, StopRow]]:
    """Job id and stop, by the stops' numbers."""
    with day.hub.reading() as session:
        query = select(StopJobRow.job_id, StopRow).join(StopRow).order_by(StopRow.n)
        return [(job_id, stop) for job_id, stop in session.exec(query)]

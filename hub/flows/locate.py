"""Turn addresses into points, and ask a person where that is not sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.core import jobs
from hub.core.business import BusinessSettings
from hub.core.contracts import Geocoder, Match
from hub.core.errors import HubError
from hub.core.events import JobLocated
from hub.core.jobs import State
from hub.core.values import Point
from hub.db.tables import BusinessRow, JobRow, PlaceRow
from hub.db.unit import Unit
from hub.flows.sync import address_document

if TYPE_CHECKING:
    from hub.app import Hub

GEOCODERS = ("osm",)
"""Tried in this order until one is sure."""


@dataclass
class LocateReport:
    sure: int = 0
    to_review: int = 0


def locate_new(hub: Hub, business_id: str) -> LocateReport:
    """Locate every place that new jobs are for. Safe to repeat."""
    report = LocateReport()
    with hub.reading() as session:
        business = session.get_one(BusinessRow, business_id)
        bar = BusinessSettings.model_validate(business.settings).sure_at
        waiting = session.exec(
            select(PlaceRow)
            .where(
                PlaceRow.business_id == business_id,
                col(PlaceRow.lat).is_(None),
                col(PlaceRow.id).in_(
                    select(JobRow.place_id).where(
                        JobRow.business_id == business_id, JobRow.state == State.CREATED
                    )
                ),
            )
            .order_by(PlaceRow.id)
        ).all()
    for place in waiting:
        match, key = _best(hub, place)
        with hub.unit() as unit:
            sure = _settle(unit, hub, business_id, place.id, match, key, bar)
        if sure:
            report.sure += 1
        else:
            report.to_review += 1
    return report


def set_pin(
    hub: Hub, business_id: str, place_id: str, point: Point, *, actor: str, access_note: str = ""
) -> None:
    """A dispatcher says where it is; the same address is never asked about again.

    Raises ``LookupError`` for a place this business does not know.
    """
    with hub.unit() as unit:
        place = unit.session.exec(
            select(PlaceRow).where(PlaceRow.business_id == business_id, PlaceRow.id == place_id)
        ).one_or_none()
        if place is None:
            raise LookupError("This place is not known.")
        place.lat, place.lon, place.confidence = point.lat, point.lon, 1.0
        place.source, place.updated_at = "staff", hub.now()
        place.access_note = access_note or place.access_note
        for job in _jobs_at(unit, business_id, place_id):
            if State(job.state) is State.NEEDS_REVIEW:
                job.state = jobs.after(State.NEEDS_REVIEW, jobs.Act.LOCATE)
                job.version += 1
                _announce(unit, hub, job, sure=True, actor=actor)


def _best(hub: Hub, place: PlaceRow) -> tuple[Match | None, str]:
    address = address_document.validate_python(place.address)
    best: tuple[Match | None, str] = (None, "")
    for key in GEOCODERS:
        try:
            match = hub.provider(Geocoder, key, {}).locate(address)
        except HubError as problem:  # no geocoder is no reason to lose the order
            hub.tools.log.warning("geocoder %s: %s", key, problem)
            continue
        if match and (best[0] is None or match.confidence > best[0].confidence):
            best = (match, key)
    return best


def _settle(
    unit: Unit,
    hub: Hub,
    business_id: str,
    place_id: str,
    match: Match | None,
    key: str,
    bar: float,
) -> bool:
    place = unit.session.get_one(PlaceRow, place_id)
    if place.lat is not None:  # a person was quicker
        return True
    sure = match is not None and match.confidence >= bar
    if match is not None:
        place.label, place.confidence, place.source = match.label, match.confidence, key
        if sure:
            place.lat, place.lon = match.point.lat, match.point.lon
    place.updated_at = hub.now()
    for job in _jobs_at(unit, business_id, place_id):
        if State(job.state) is State.CREATED:
            if not sure:
                job.state = jobs.after(State.CREATED, jobs.Act.QUESTION)
                job.version += 1
            _announce(unit, hub, job, sure=sure, actor="hub")
    return sure


def _jobs_at(unit: Unit, business_id: str, place_id: str) -> list[JobRow]:
    return list(
        unit.session.exec(
            select(JobRow).where(
                JobRow.business_id == business_id,
                JobRow.place_id == place_id,
                JobRow.state != State.CLOSED,
            )
        )
    )


def _announce(unit: Unit, hub: Hub, job: JobRow, *, sure: bool, actor: str) -> None:
    now = hub.now()
    unit.announce(
        JobLocated(
            business_id=job.business_id,
            subject_id=job.order_id,
            job_id=job.id,
            sure=sure,
            occurred_at=now,
            received_at=now,
            actor=actor,
        )
    )

"""Turn addresses into points, and ask a person where that is not sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from hub.core import jobs
from hub.core.business import BusinessSettings
from hub.core.contracts import Geocoder, Match
from hub.core.errors import ConfigError, HubError, RetryLater
from hub.core.events import JobLocated
from hub.core.jobs import State
from hub.core.values import Address, Point
from hub.db.tables import AuditRow, BusinessRow, JobRow, PlaceRow
from hub.db.unit import Unit
from hub.flows.choices import choice, choices, mark, providers
from hub.flows.strangers import failed
from hub.flows.sync import address_document

if TYPE_CHECKING:
    from hub.app import Hub

LOCATE = "hub.locate"
"""Who hears of new addresses. It asks geocoders, which may be slow: the worker delivers to it apart
from the others."""
DEFAULT = "osm"
"""The geocoder of a business that chose none."""


@dataclass
class LocateReport:
    sure: int = 0
    to_review: int = 0


def locate_new(hub: Hub, business_id: str) -> LocateReport:
    """Locate every place that new jobs are for. Safe to repeat.

    Raises ``RetryLater`` if some address could not be asked for now: it waits as it is,
    rather than being sent to a person for a network's sake. The others are done by then.
    """
    report = LocateReport()
    with hub.reading() as session:
        business = session.get_one(BusinessRow, business_id)
        bar = BusinessSettings.model_validate(business.settings).sure_at
        waiting = _to_locate(session, business_id)
    book = AddressBook.of(hub, business_id)
    left_waiting = False
    for place in waiting:
        found = book.ask(address_document.validate_python(place.address), enough=bar)
        key, match = next(iter(found.items()), ("", None))
        sure = match is not None and match.confidence >= bar
        if not sure and book.silent:
            left_waiting = True
            continue
        with hub.unit() as unit:
            sure = _settle(unit, hub, business_id, place.id, match, key, sure=sure)
        if sure:
            report.sure += 1
        else:
            report.to_review += 1
    if left_waiting:
        raise next(iter(book.silent.values()))
    return report


def locate_place(hub: Hub, business_id: str, place_id: str) -> bool:
    """Whether it is on the map, after asking where it is not. Raises as ``locate_new``."""
    with hub.reading() as session:
        place = place_of(session, business_id, place_id)
        settings = session.get_one(BusinessRow, business_id).settings
    if place.lat is not None:
        return True
    bar = BusinessSettings.model_validate(settings).sure_at
    book = AddressBook.of(hub, business_id)
    found = book.ask(address_document.validate_python(place.address), enough=bar)
    key, match = next(iter(found.items()), ("", None))
    sure = match is not None and match.confidence >= bar
    if not sure and book.silent:
        raise next(iter(book.silent.values()))
    with hub.unit() as unit:
        return _settle(unit, hub, business_id, place_id, match, key, sure=sure)


@dataclass
class AddressBook:
    """A business's geocoders for one piece of work, in the order they are asked.

    ``silent`` holds those that could not answer now; they are not asked again.
    """

    hub: Hub
    business_id: str
    geocoders: Sequence[Geocoder]
    silent: dict[str, RetryLater] = field(default_factory=dict)

    @classmethod
    def of(cls, hub: Hub, business_id: str) -> AddressBook:
        """With the geocoders the business chose, or the built map's when it chose none."""
        if choices(hub, business_id, "geocoder"):
            return cls(hub, business_id, providers(hub, business_id, Geocoder))
        try:
            return cls(hub, business_id, [hub.provider(Geocoder, DEFAULT, {})])
        except ConfigError:
            return cls(hub, business_id, [])

    def ask(self, address: Address, *, enough: float = 2.0) -> Mapping[str, Match]:
        """What each geocoder found, by its key, the surest first.

        Stops asking at the first that is at least ``enough`` sure. One that fails for
        good is left out, and the business's choice says why.
        """
        found: dict[str, Match] = {}
        for geocoder in self.geocoders:
            if geocoder.key in self.silent:
                continue
            try:
                match = geocoder.locate(address)
            except RetryLater as problem:
                self.silent[geocoder.key] = problem
                continue
            except HubError as problem:
                self._complain(geocoder.key, problem)
                continue
            except Exception:  # a bug of one geocoder must not keep the next from being asked
                self.hub.tools.log.exception("geocoder %s failed", geocoder.key)
                self._complain(geocoder.key, failed(geocoder, "find an address"))
                continue
            if match is not None:
                found[geocoder.key] = match
                if match.confidence >= enough:
                    break
        return dict(sorted(found.items(), key=lambda item: -item[1].confidence))

    def _complain(self, key: str, problem: HubError) -> None:
        self.hub.tools.log.warning("geocoder %s: %s", key, problem)
        chosen = choice(self.hub, self.business_id, "geocoder", key)
        if chosen is not None and isinstance(problem, ConfigError):
            mark(self.hub, self.business_id, chosen.id, "needs_attention", str(problem))


def set_pin(
    hub: Hub, business_id: str, place_id: str, point: Point, *, actor: str, access_note: str = ""
) -> None:
    """A dispatcher says where it is; the same address is never asked about again.

    Raises ``LookupError`` for a place this business does not know.
    """
    with hub.unit() as unit:
        place = place_of(unit.session, business_id, place_id)
        place.lat, place.lon, place.confidence = point.lat, point.lon, 1.0
        place.source, place.updated_at = "staff", hub.now()
        place.access_note = access_note or place.access_note
        unit.session.add(
            AuditRow(
                business_id=business_id,
                actor=actor,
                action="pin set",
                subject=place_id,
                at=hub.now(),
            )
        )
        for job in jobs_at(unit.session, business_id, place_id):
            if State(job.state) is State.NEEDS_REVIEW:
                job.state = jobs.after(State.NEEDS_REVIEW, jobs.Act.LOCATE)
                job.version += 1
                _announce(unit, hub, job, sure=True, actor=actor)


def place_of(session: Session, business_id: str, place_id: str) -> PlaceRow:
    """The place, if it is this business's. Raises ``LookupError``."""
    place = session.exec(
        select(PlaceRow).where(PlaceRow.business_id == business_id, PlaceRow.id == place_id)
    ).one_or_none()
    if place is None:
        raise LookupError("This place is not known.")
    return place


def jobs_at(session: Session, business_id: str, place_id: str) -> list[JobRow]:
    """The open jobs at a place, oldest first."""
    return list(
        session.exec(
            select(JobRow)
            .where(
                JobRow.business_id == business_id,
                JobRow.place_id == place_id,
                JobRow.state != State.CLOSED,
            )
            .order_by(col(JobRow.id))
        )
    )


def _to_locate(session: Session, business_id: str) -> Sequence[PlaceRow]:
    return session.exec(
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


def _settle(
    unit: Unit,
    hub: Hub,
    business_id: str,
    place_id: str,
    match: Match | None,
    key: str,
    *,
    sure: bool,
) -> bool:
    place = place_of(unit.session, business_id, place_id)
    if place.lat is not None:  # a person was quicker
        return True
    if match is not None:
        place.label, place.confidence, place.source = match.label[:500], match.confidence, key
        if sure:
            place.lat, place.lon = match.point.lat, match.point.lon
    place.updated_at = hub.now()
    for job in jobs_at(unit.session, business_id, place_id):
        if State(job.state) is State.CREATED:
            if not sure:
                job.state = jobs.after(State.CREATED, jobs.Act.QUESTION)
                job.version += 1
            _announce(unit, hub, job, sure=sure, actor="hub")
    return sure


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

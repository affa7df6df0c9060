"""Everything the page behind a tracking link may show, read for one order of one business.

What a page tells of when somebody comes is kept: see ``hub.flows.promises``.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from hub.core.errors import ConfigError, HubError, RetryLater
from hub.core.road_ahead import ahead
from hub.core.self_service_words import closed_words, until_words
from hub.core.stays import metres
from hub.core.tracking_page import ON_A_MAP, OPEN, RIDING, SHOWN, Life, Seen, Shows
from hub.core.tracking_words import (
    Card,
    card,
    follow_words,
    outcome_line,
    own_words,
    promise_lines,
    signal_words,
)
from hub.core.values import Point, TimeWindow
from hub.core.visibility import NEVER, Fact
from hub.db.tables import BrandRow, JobRow
from hub.flows import tracking_parts as parts
from hub.flows.brands import of_order, texts_of
from hub.flows.document import pod_pdf
from hub.flows.enquiries import Subject, subject_of
from hub.flows.promises import expect, last_expected, told_of
from hub.flows.proof_store import content_of
from hub.flows.push import offers
from hub.flows.ratings import RateCard, rate_card
from hub.flows.self_service import Doing, doing
from hub.flows.sync import order_report
from hub.flows.tongues import Spoken
from hub.flows.tracking_link import Link, link_row, opened
from hub.flows.tracking_parts import Handover, Item
from hub.live.store import Positions

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Driver:
    """Where the driver was at ``at``; ``heading`` in degrees, ``None``: not known."""

    point: Point
    heading: float | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A page's content. All below ``outcome`` is empty unless ``life`` is full.

    ``pin``, ``position`` and ``handover`` are ``None`` where the state or the settings show
    none; ``road`` leads from the driver to the pin, where that may be seen. ``silence`` says
    that nothing was heard of the driver for a while, ``follow`` from
    when on he can be seen.
    """

    tongue: Spoken
    brand: BrandRow
    life: Life
    outcome: str
    shows: Shows | None = None
    card: Card | None = None
    own_words: str = ""
    number: str = ""
    address: str = ""
    recipient: str = ""
    driver: str = ""
    to_pay: str = ""
    zone: str = "UTC"
    follow: str = ""
    silence: str = ""
    items: tuple[Item, ...] = ()
    pin: Point | None = None
    position: Driver | None = None
    road: tuple[Point, ...] = ()
    heard_at: datetime | None = None  # when the driver's phone was last heard of
    handover: Handover | None = None
    promised: tuple[tuple[str, str], ...] = ()  # each with when it was told
    has_time: bool = False  # one for a calendar
    doing: Doing | None = None
    doing_lines: tuple[str, ...] = ()  # until when, or why not any more
    asked: Subject | None = None  # what an enquiry at this moment is about
    rated: RateCard | None = None
    offers_push: bool = False

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def can_do(self) -> bool:
        """Whether there is anything to say of what can be done."""
        return self.doing is not None and (self._is_open or bool(self.doing_lines))

    @property
    def can_act(self) -> bool:
        """Whether anything can be done, and there is more to say than why it cannot any more."""
        return self._is_open or bool(self.brand.email)

    @property
    def _is_open(self) -> bool:
        if self.doing is None:
            return False
        open_now = any(one.is_open for one in self.doing.answers.values())
        return open_now or self.has_time or self.doing.is_kept


def tracked(hub: Hub, token: str, positions: Positions | None = None) -> Tracked | None:
    """The page behind ``token``; ``None`` for one that is unknown or revoked.

    A time that was never told before is kept as told.
    """
    now = hub.now()
    with hub.reading() as session:
        link = opened(session, token, now)
        if link is None:
            return None
        link, driver = _with_driver(hub, session, link, now, positions)
        content = _content(session, link, driver, now)
        is_here = content.shows is Shows.AT_THE_DOOR  # nothing is left to come close
        content = replace(content, offers_push=not is_here and offers(hub, session, link))
        news = _news(session, link)
    if news is not None:
        _keep(hub, link.job, news)
    return content


def brand_of(hub: Hub, token: str) -> BrandRow | None:
    """The brand of the link's order; ``None`` for a token unknown or revoked."""
    with hub.reading() as session:
        link = link_row(session, token)
        if link is None:
            return None
        order = parts.order(session, link.business_id, link.order_id)
        return of_order(session, order)


def photo(hub: Hub, token: str, n: int) -> bytes | None:
    """Photo number ``n`` (from 1) of the hand-over; ``None`` if the page shows no such photo.

    Raises ``RetryLater`` while its store does not answer.
    """
    with hub.reading() as session:
        link = opened(session, token, hub.now())
        if link is None or Fact.PHOTO not in link.may:
            return None
        files = parts.photos(session, link)
    if not 1 <= n <= len(files):
        return None
    try:
        return content_of(hub, files[n - 1])
    except RetryLater:
        raise
    except (KeyError, HubError):  # no longer kept, or nobody can get at it
        return None


def document(hub: Hub, token: str) -> bytes | None:
    """The proof as PDF, while the full page shows a hand-over; else ``None``."""
    with hub.reading() as session:
        link = opened(session, token, hub.now())
        if link is None or link.life is not Life.FULL or link.seen.shows is not Shows.DONE:
            return None
    try:
        return pod_pdf(hub, link.business.id, link.job.id, reader=link.reader)
    except (LookupError, ConfigError):  # no proof, or nothing installed to typeset it
        return None


def _content(session: Session, link: Link, driver: Driver | None, now: datetime) -> Tracked:
    business_id, seen, may = link.business.id, link.seen, link.may
    zone = ZoneInfo(link.business.zone)
    order = parts.order(session, business_id, link.order_id)
    brand = of_order(session, order)
    spoken = parts.tongue_of(session, link)
    outcome = outcome_line(seen, zone, spoken)
    if link.life is not Life.FULL:
        return Tracked(tongue=spoken, brand=brand, life=link.life, outcome=outcome)
    place = parts.place(session, link) if Fact.ADDRESS in may else None
    pin = parts.point(place) if place and seen.shows in ON_A_MAP else None
    proof = parts.proof(session, link) if seen.shows is Shows.DONE else None
    rule = link.settings.visibility.of(link.reader).get(Fact.POSITION, NEVER)
    can = doing(session, link, now)
    status = card(seen, may, zone, now, spoken, chooses=bool(can and can.follows))
    waits = seen.shows in OPEN or seen.shows is Shows.FAILED
    report = order_report.validate_python(order.report)
    position = driver if driver and now - driver.at <= SHOWN else None
    return Tracked(
        tongue=spoken,
        brand=brand,
        life=link.life,
        outcome=outcome,
        asked=subject_of(link),
        rated=rate_card(session, link, now),
        shows=seen.shows,
        card=status,
        own_words=own_words(seen, texts_of(brand, link.business.language, spoken.code)),
        number=order.number,
        address=parts.street_and_town(place) if place else "",
        recipient=parts.recipient(session, link) if waits and Fact.RECIPIENT in may else "",
        driver=parts.driver(session, link) if Fact.DRIVER in may else "",
        to_pay=report.payment_due if waits and Fact.PAYMENT in may else "",
        zone=link.business.zone,
        follow=follow_words(seen, may, rule, spoken),
        silence=signal_words(driver.at, now, zone, spoken) if driver else "",
        items=parts.items(session, link, proof) if Fact.ITEMS in may else (),
        pin=pin,
        heard_at=driver.at if driver else None,
        position=position,
        road=_road(session, link, position, pin),
        promised=_promised(session, link, zone, now, spoken),
        handover=parts.handover(session, link, proof, brand.name, spoken) if proof else None,
        has_time=has_time(seen),
        doing=can,
        doing_lines=doing_lines(seen, can, zone, now, spoken) if can else (),
    )


def has_time(seen: Seen) -> bool:
    """Whether it helps to write the time into a calendar: not once the driver is nearly
    there, nor while it is one of several."""
    is_near = seen.shows in (Shows.ARRIVING, Shows.AT_THE_DOOR)
    is_one = seen.quoted is not None and not seen.others
    return seen.shows in OPEN and not is_near and is_one


def doing_lines(
    seen: Seen, can: Doing, zone: ZoneInfo, now: datetime, spoken: Spoken
) -> tuple[str, ...]:
    """Until when what can be done, or why not any more; nothing once the driver is at the door."""
    if seen.shows is Shows.AT_THE_DOOR:
        return ()
    said = [closed_words(one, zone, now, spoken) for one in can.answers.values()]
    said += [until_words(one, zone, now, spoken) for one in can.answers.values()]
    return tuple(dict.fromkeys(line for line in said if line))


def _with_driver(
    hub: Hub, session: Session, link: Link, now: datetime, positions: Positions | None
) -> tuple[Link, Driver | None]:
    """The link with what may be seen from where the driver is, and he himself if he may."""
    measures = link.settings.visibility.page_measures
    if link.seen.shows not in RIDING or not (measures or Fact.POSITION in link.may):
        return link, None
    driver = _last_heard(hub, link, now, positions)
    if measures:
        place = parts.place(session, link)
        door = parts.point(place) if place else None
        link = replace(link, may=link.may_from(_away_m(driver, door, now)))
    return link, driver if Fact.POSITION in link.may else None


def _away_m(driver: Driver | None, door: Point | None, now: datetime) -> float | None:
    """As the crow flies; ``None``: nobody knows where he is now."""
    if driver is None or door is None or now - driver.at > SHOWN:
        return None
    return metres(driver.point.lat, driver.point.lon, door.lat, door.lon)


def _last_heard(hub: Hub, link: Link, now: datetime, positions: Positions | None) -> Driver | None:
    """Where the driver is, whoever may see it; ``None`` while nobody knows."""
    if link.route is None or link.life is not Life.FULL:
        return None
    try:
        source = positions or Positions.open(hub.settings)
        fixes = source.last(link.business.id, [link.route.driver_id])
    except (SQLAlchemyError, OSError):  # a page without its driver is still a page
        log.exception("positions cannot be read")
        return None
    if not fixes:
        return None
    at = datetime.fromtimestamp(fixes[0].at_ms / 1000, UTC)
    if link.ride is None or not link.ride.is_at(at, now):
        return None
    return Driver(Point(fixes[0].lat, fixes[0].lon), fixes[0].heading, at)


def _promised(
    session: Session, link: Link, zone: ZoneInfo, now: datetime, spoken: Spoken
) -> tuple[tuple[str, str], ...]:
    rows = told_of(session, link.business.id, link.job.id)
    bind = [(TimeWindow(row.opens, row.closes), row.at) for row in rows if row.n > 0]
    return promise_lines(bind, zone, now, spoken)


def _road(
    session: Session, link: Link, driver: Driver | None, door: Point | None
) -> tuple[Point, ...]:
    """As it was planned; none where that would lead past somebody he left out for this one."""
    if driver is None or door is None or link.route is None or Fact.ROUTE not in link.may:
        return ()
    if parts.passes_others(session, link):
        return ()
    line = [Point(lat, lon) for lat, lon in link.route.geometry]
    return tuple(ahead(line, driver.point, door))


def _news(session: Session, link: Link) -> TimeWindow | None:
    """What this page tells as expected, if that was not the last that was told so."""
    told = _told(link.seen) if link.life is Life.FULL else None
    if told is None or told == last_expected(session, link.business.id, link.job.id):
        return None
    return told


def _told(seen: Seen) -> TimeWindow | None:
    """A time of the driver's coming beside the promise; ``None``: it tells no such time."""
    if seen.is_late:
        return seen.quoted  # before he has left, too
    if seen.shows not in RIDING or seen.shows is Shows.AT_THE_DOOR:
        return None
    if (coming := seen.expected) is None:
        return None
    if not coming.is_sure:
        return coming.window
    minute = coming.p50.replace(second=0, microsecond=0)
    return TimeWindow(minute, minute)


def _keep(hub: Hub, job: JobRow, told: TimeWindow) -> None:
    with hub.unit() as unit:
        row = unit.session.exec(
            select(JobRow).where(JobRow.business_id == job.business_id, col(JobRow.id) == job.id)
        ).one_or_none()
        if row is not None:
            expect(unit.session, row, told, told_by="page", at=hub.now())

"""Ratings: given on the tracking page, seen by the business, told to its programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, col, func, select

from hub.core.errors import Refused
from hub.core.events import RatingGiven
from hub.core.rating import LOW, Rating, may_rate
from hub.core.tracking_page import Life, Shows
from hub.db.tables import DriverRow, OrderRow, RatingRow, RouteRow
from hub.flows.settings_kept import keep_setting
from hub.flows.tracking_link import Link, opened

if TYPE_CHECKING:
    from hub.app import Hub


@dataclass(frozen=True, slots=True)
class RateCard:
    """The page's question. ``stars`` is 0 while nothing was said; ``is_open``: it can be said."""

    stars: int = 0
    comment: str = ""
    is_open: bool = True


def rate_card(session: Session, link: Link, now: datetime) -> RateCard | None:
    """``None`` where nothing is asked: it is not done, or bare, or the business does not ask."""
    if link.life is not Life.FULL or link.seen.shows is not Shows.DONE or not link.settings.rates:
        return None
    row = _known(session, link)
    if row is None:
        return RateCard()
    return RateCard(row.stars, row.comment, may_rate(row.at, now))


def rate(hub: Hub, token: str, rating: Rating) -> bool:
    """Keep what was said by this link; whether there was anything to rate.

    Raises ``Refused`` where it can no longer be changed. The same said again is no news.
    """
    now = hub.now()
    with hub.unit() as unit:
        session = unit.session
        link = opened(session, token, now)
        if link is None or rate_card(session, link, now) is None:
            return False
        business_id = link.business.id
        session.exec(  # two taps at once are one after the other
            select(OrderRow)
            .where(OrderRow.business_id == business_id, OrderRow.id == link.order_id)
            .with_for_update()
        ).one()
        row = _known(session, link)
        if row is not None and not may_rate(row.at, now):
            raise Refused("This rating can no longer be changed.")
        if row is not None and (row.stars, row.comment) == (rating.stars, rating.comment):
            return True
        changed = row is not None
        if row is None:
            row = RatingRow(
                business_id=business_id,
                order_id=link.order_id,
                role=link.role,
                job_id=link.job.id,
                driver_id=link.route.driver_id if link.route else None,
                route_id=link.route.id if link.route else None,
                stars=rating.stars,
                at=now,
                changed_at=now,
            )
        row.stars, row.comment, row.changed_at = rating.stars, rating.comment, now
        row.handled_at, row.handled_by = None, ""
        session.add(row)
        session.flush()
        unit.announce(
            RatingGiven(
                business_id=business_id,
                subject_id=link.order_id,
                occurred_at=now,
                received_at=now,
                actor=f"link:{link.role}",
                job_id=link.job.id,
                rating_id=row.id,
                stars=rating.stars,
                changed=changed,
            )
        )
    return True


@dataclass(frozen=True, slots=True)
class Rated:
    """A rating in a list, with what it is about. Names are empty where nothing is known."""

    row: RatingRow
    number: str
    ref: str
    driver: str
    day: date | None  # of the route


def ratings_of(
    session: Session,
    business_id: str,
    *,
    most: int = 5,
    driver_id: str = "",
    open_only: bool = False,
    before: str = "",
    after: str = "",
    order_id: str = "",
    limit: int = 50,
) -> list[Rated]:
    """The newest first, or with ``after`` (an id) the oldest first; ``most``: of so many stars or
    fewer; ``open_only``: those that nobody has seen to.
    """
    wanted = (
        select(RatingRow, OrderRow, DriverRow, RouteRow)
        .join(OrderRow, col(OrderRow.id) == col(RatingRow.order_id))
        .outerjoin(DriverRow, col(DriverRow.id) == col(RatingRow.driver_id))
        .outerjoin(RouteRow, col(RouteRow.id) == col(RatingRow.route_id))
        .where(RatingRow.business_id == business_id, RatingRow.stars <= most)
    )
    if driver_id:
        wanted = wanted.where(RatingRow.driver_id == driver_id)
    if order_id:
        wanted = wanted.where(RatingRow.order_id == order_id)
    if open_only:
        wanted = wanted.where(col(RatingRow.handled_at).is_(None))
    if before:
        wanted = wanted.where(col(RatingRow.id) < before)
    if after:
        wanted = wanted.where(col(RatingRow.id) > after).order_by(col(RatingRow.id))
    else:
        wanted = wanted.order_by(col(RatingRow.id).desc())
    rows = session.exec(wanted.limit(limit)).all()
    return [
        Rated(
            row,
            order.number,
            order.ref,
            driver.name if driver else "",
            route.day if route else None,
        )
        for row, order, driver, route in rows
    ]


@dataclass(frozen=True, slots=True)
class Mean:
    """``stars`` is 0.0 without a rating."""

    count: int
    stars: float


def mean_of(session: Session, business_id: str, since: datetime) -> Mean:
    count, mean = session.exec(
        select(func.count(), func.avg(RatingRow.stars)).where(
            RatingRow.business_id == business_id, RatingRow.changed_at >= since
        )
    ).one()
    return Mean(count, float(mean or 0))


def low_and_open(session: Session, business_id: str) -> int:
    """How many poor ratings nobody has seen to."""
    return session.exec(
        select(func.count())
        .select_from(RatingRow)
        .where(
            RatingRow.business_id == business_id,
            RatingRow.stars <= LOW,
            col(RatingRow.handled_at).is_(None),
        )
    ).one()


def see_to(hub: Hub, business_id: str, rating_id: str, *, actor: str) -> None:
    """Somebody has seen to it. Safe to repeat; raises ``LookupError``."""
    with hub.unit() as unit:
        row = unit.session.exec(
            select(RatingRow).where(RatingRow.business_id == business_id, RatingRow.id == rating_id)
        ).one_or_none()
        if row is None:
            raise LookupError(f"no rating {rating_id}")
        if row.handled_at is None:
            row.handled_at, row.handled_by = hub.now(), actor


def _known(session: Session, link: Link) -> RatingRow | None:
    return session.exec(
        select(RatingRow).where(
            RatingRow.business_id == link.business.id,
            RatingRow.order_id == link.order_id,
            RatingRow.role == link.role,
        )
    ).one_or_none()


def drivers_rated(session: Session, business_id: str) -> Sequence[tuple[str, str]]:
    """Who can be chosen from: id and name, by name."""
    return session.exec(
        select(DriverRow.id, DriverRow.name)
        .join(RatingRow, col(RatingRow.driver_id) == col(DriverRow.id))
        .where(RatingRow.business_id == business_id)
        .distinct()
        .order_by(col(DriverRow.name))
    ).all()


def set_rates(hub: Hub, business_id: str, rates: bool, *, actor: str) -> None:
    """Whether customers are asked how it was; what they said stays."""
    action = "ratings on" if rates else "ratings off"
    keep_setting(hub, business_id, "rates", rates, actor=actor, action=action)

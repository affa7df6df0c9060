"""A better rest of today looked for without being asked, and proposed or published.

What a business set decides: ``off``, ``propose`` or ``publish``. Published is only what is worth
it and breaks nothing; whatever stands in its way meanwhile, the old plan stays.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import select

from hub.core.business import BusinessSettings
from hub.core.errors import HubError
from hub.db.tables import BusinessRow, RouteRow
from hub.flows.improvements import (
    HUB,
    ImprovementSeen,
    ask_improvement,
    drop_improvement,
    last_improvement,
    publish_improvement,
)
from hub.flows.rest_of_day import out

if TYPE_CHECKING:
    from hub.app import Hub

EVERY = timedelta(minutes=15)  # a route that nobody changed drifts by minutes until then
SETTLED = timedelta(minutes=1)  # after a change; who moves one stop often moves another
BEFORE = timedelta(hours=1)  # the first leaves: earlier the day is still being planned
UNASKED_CPU_S = 8.0  # of a processor, each time


def improve_unasked(hub: Hub) -> int:
    """Ask for and publish what is due, for every business; how often something was."""
    with hub.reading() as session:
        businesses = session.exec(select(BusinessRow).order_by(BusinessRow.id)).all()
    return sum(_improve_one(hub, business) for business in businesses)


def is_worth(seen: ImprovementSeen, settings: BusinessSettings) -> bool:
    """Whether it is enough to bother drivers and dispatchers with."""
    return seen.best.worth_s >= settings.improving_s


def _improve_one(hub: Hub, business: BusinessRow) -> bool:
    settings, now = BusinessSettings.model_validate(business.settings), hub.now()
    if settings.improving == "off":
        return False
    day = now.astimezone(ZoneInfo(business.zone)).date()
    with hub.reading() as session:
        routes = out(session, business.id, day)
        versions = {route.id: route.version for route in routes}
        last = last_improvement(session, business.id, day, versions)
    if not any(_goes(route, now) for route in routes) or (last is not None and last.is_open):
        return False
    if last is not None and last.asked_by == HUB and last.is_offered(now):
        if settings.improving == "publish" and is_worth(last, settings):
            return _publish(hub, business.id, last)
    if not _is_due(last, versions, now):
        return False
    ask_improvement(hub, business.id, day, actor=HUB, cpu_s=UNASKED_CPU_S)
    return True


def _goes(route: RouteRow, now: datetime) -> bool:
    return route.leaves_at is None or route.leaves_at <= now + BEFORE


def _is_due(last: ImprovementSeen | None, versions: dict[str, int], now: datetime) -> bool:
    if last is None or last.done_at is None:
        return True
    if last.versions != versions:
        return last.done_at <= now - SETTLED
    return last.ended != "dropped" and last.done_at <= now - EVERY


def _publish(hub: Hub, business_id: str, seen: ImprovementSeen) -> bool:
    try:
        publish_improvement(hub, business_id, seen.id, seen.n, actor=HUB)
    except (HubError, LookupError) as problem:  # the day has moved on: the old plan stays
        hub.tools.log.info("improvement=%s is not published: %s", seen.id, problem)
        drop_improvement(hub, business_id, seen.id, actor=HUB)
        return False
    hub.tools.log.info("improvement=%s published saved_s=%d", seen.id, seen.best.saved_s)
    return True

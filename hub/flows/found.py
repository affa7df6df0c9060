"""Found a business: what every business is born with."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hub.core.business import Trade, suggested
from hub.core.notice_words import suggested_texts
from hub.core.notices import ON_REQUEST
from hub.db.tables import BrandRow, BusinessRow, ConnectionRow, NoticeRuleRow
from hub.flows.notice_rules import MINUTES

if TYPE_CHECKING:
    from hub.app import Hub

BORN_WITH = {"csv": "Files", "api": "API"}


def found(
    hub: Hub, name: str, *, zone: str, country: str = "", trade: Trade = Trade.PARCELS
) -> str:
    """A new business's id. Raises ``ZoneInfoNotFoundError`` for a zone nobody knows."""
    ZoneInfo(zone)
    now = hub.now()
    business = BusinessRow(
        name=name,
        zone=zone,
        country=country,
        trade=trade,
        settings=suggested(trade).model_dump(mode="json"),
        created_at=now,
    )
    with hub.unit() as unit:
        unit.session.add(business)
        unit.session.flush()
        for slug, title in BORN_WITH.items():
            unit.session.add(
                ConnectionRow(business_id=business.id, slug=slug, plugin=slug, title=title)
            )
        unit.session.add(BrandRow(business_id=business.id, name=name))
        for trigger, text in suggested_texts(trade).items():
            unit.session.add(
                NoticeRuleRow(
                    business_id=business.id,
                    trigger=trigger,
                    channel="email",
                    subject=text.subject,
                    body=text.body,
                    within_s=text.within_s,
                    active=trigger not in ON_REQUEST,
                    minutes=MINUTES.get(trigger, 0),
                )
            )
    return business.id

"""What most commands start with: the hub of these settings, its database up to date."""

from __future__ import annotations

from hub.app import Hub
from hub.db.migrate import migrate
from hub.db.tables import BusinessRow
from hub.settings import Settings


def opened(settings: Settings) -> Hub:
    hub = Hub.from_settings(settings)
    migrate(hub.engine)
    return hub


def business_of(hub: Hub, business_id: str) -> BusinessRow:
    """Raises ``LookupError`` with a sentence for an id nobody has."""
    with hub.reading() as session:
        business = session.get(BusinessRow, business_id)
    if business is None:
        raise LookupError(f"There is no business {business_id!r}. `hub found NAME` makes one.")
    return business

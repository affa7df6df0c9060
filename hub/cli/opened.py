"""What most commands start with: the hub of these settings, its database up to date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from hub.app import Hub
from hub.core.errors import ConfigError
from hub.db.migrate import migrate
from hub.db.tables import BusinessRow
from hub.settings import Settings


def opened(settings: Settings, now: Callable[[], datetime] | None = None) -> Hub:
    """``now``: another clock than that of the settings.

    Raises ``ConfigError`` where the database does not answer, or does not let the hub in.
    """
    hub = Hub.from_settings(settings, now=now)
    try:
        migrate(hub.engine)
    except OperationalError as error:
        raise ConfigError(_unopened(settings, error)) from error
    return hub


def _unopened(settings: Settings, error: OperationalError) -> str:
    """Which database, without the password in its address, what it said, and what to do."""
    url = make_url(settings.database_url).set(query={})  # a password may stand there too
    where = url.render_as_string(hide_password=True)
    said = str(error.orig).strip().split("\n")[0].removesuffix(".")
    return (
        f"The database {where} cannot be opened: {said}. See that it runs, or set HUB_DATABASE_URL."
    )


def business_of(hub: Hub, business_id: str) -> BusinessRow:
    """Raises ``LookupError`` with a sentence for an id nobody has."""
    with hub.reading() as session:
        business = session.get(BusinessRow, business_id)
    if business is None:
        raise LookupError(f"There is no business {business_id!r}. `hub found NAME` makes one.")
    return business

"""Announce some hundred facts at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sqlmodel import insert

from hub.core.events import Event
from hub.db.tables import EventRow
from hub.db.unit import BASE, Unit


def announce_all(unit: Unit, events: Iterable[Event]) -> None:
    """As ``unit.announce`` does for each, in their order, by one statement.

    A row at a time would be asked for its ``seq``: a statement each, on SQLite.
    """
    if rows := [_row(event) for event in events]:
        unit.session.flush()  # what was announced before comes before
        unit.session.execute(insert(EventRow), rows)


def _row(event: Event) -> dict[str, object]:
    payload = asdict(event)
    columns = {name: payload.pop(name) for name in BASE}
    return {**columns, "name": type(event).__name__, "payload": payload, "fanned_out": False}

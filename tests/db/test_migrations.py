"""What a migration makes of rows that are there already."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text

from hub.db.engine import open_engine
from hub.db.migrate import migrate

THEN = datetime(2026, 11, 1, tzinfo=UTC)
BEFORE = (
    "INSERT INTO business (id, name, zone, country, language, trade, settings, created_at)"
    " VALUES ('b', 'Husk', 'UTC', 'FI', 'en', 'parcels', '{}', :then)",
    "INSERT INTO staff (id, email, name, password_hash, disabled, created_at)"
    " VALUES ('s', 'a@x.example', 'Aino', 'x', :no, :then)",
    "INSERT INTO membership (id, business_id, staff_id, role) VALUES ('m', 'b', 's', 'owner')",
    "INSERT INTO depot (id, business_id, name, address, lat, lon, strategy, service_s)"
    " VALUES ('d', 'b', 'Yard', '', 60.1, 24.9, 'pyvrp', 180)",
)


def test_who_belonged_to_a_business_before_invitations_still_does(empty_database_url: str) -> None:
    engine = open_engine(empty_database_url)
    migrate(engine, "0003")
    with engine.execution_options(hub_write=True).begin() as connection:
        for statement in BEFORE:
            values = {"then": THEN, "no": False}
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
    migrate(engine)
    with engine.connect() as connection:
        member = text("SELECT count(*) FROM membership WHERE accepted_at IS NOT NULL")
        assert connection.execute(member).scalar_one() == 1
        assert connection.execute(text("SELECT service_s FROM depot")).scalar_one() is None
    engine.dispose()

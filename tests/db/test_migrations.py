"""What a migration makes of rows that are there already."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from hub.core.business import BusinessSettings, Trade
from hub.core.notice_words import suggested_texts
from hub.core.notices import Trigger
from hub.core.visibility import ALWAYS, NEVER, PAGES, Fact, Visibility
from hub.db.engine import open_engine
from hub.db.migrate import migrate
from hub.db.tables import (
    BrandRow,
    BusinessRow,
    DriverRow,
    LinkRow,
    NoticeRow,
    NoticeRuleRow,
    NoticeWordingRow,
    VehicleRow,
)

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


FILED = (
    *BEFORE[:1],
    "INSERT INTO connection (id, business_id, slug, plugin, title, settings, state, last_error,"
    " failures, leased_by, orders_placed, to_do) VALUES ('c', 'b', 'x', 'x', 'X', '{}', 'ok', '', 0,"
    " '', 0, '')",
    'INSERT INTO "order" (id, business_id, connection_id, ref, number, report, status, version,'
    " received_at, updated_at) VALUES ('o', 'b', 'c', '1', '1', '{}', 'open', 1, :then, :then)",
    "INSERT INTO job (id, business_id, order_id, attempt, leg, kind, state, outcome, reason,"
    " next_step, windows, driver_note, version, created_at) VALUES ('j', 'b', 'o', 1, 1, 'deliver',"
    " 'closed', 'succeeded', '', '', '[]', '', 1, :then)",
    "INSERT INTO record (id, business_id, connection_id, job_id, state, target, label, filed,"
    " candidates, problem, at) VALUES ('r', 'b', 'c', 'j', 'recorded', '', '', '', '[]', '', :then)",
)


def test_what_is_in_the_books_already_is_not_filed_again(empty_database_url: str) -> None:
    engine = open_engine(empty_database_url)
    migrate(engine, "0009")
    with engine.execution_options(hub_write=True).begin() as connection:
        for statement in FILED:
            used = {"then": THEN} if ":then" in statement else {}
            connection.execute(text(statement), used)
    migrate(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT proved FROM record")).scalar_one() == "whole"
        assert connection.execute(text('SELECT said FROM "order"')).scalar_one() is None
    engine.dispose()


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


def test_vehicles_and_drivers_that_were_there_have_no_rules_of_planning(
    empty_database_url: str,
) -> None:
    engine = open_engine(empty_database_url)
    migrate(engine, "0013")
    with engine.execution_options(hub_write=True).begin() as connection:
        connection.execute(text(BEFORE[0]), {"then": THEN})
        for statement in (
            "INSERT INTO vehicle (id, business_id, name, profile, capacity, skills, active)"
            " VALUES ('v', 'b', 'Van', 'car', '{}', '[]', :yes)",
            "INSERT INTO driver (id, business_id, name, phone, skills, works, active)"
            " VALUES ('d', 'b', 'Mara', '', '[]', '{}', :yes)",
        ):
            connection.execute(text(statement), {"yes": True})
    migrate(engine)
    with Session(engine) as session:
        assert session.exec(select(VehicleRow.planning)).one() == {}
        assert session.exec(select(DriverRow.planning)).one() == {}
    engine.dispose()


NOTICED = (
    FILED[0],
    *FILED[1:3],
    "INSERT INTO notice_rule (id, business_id, trigger, channel, role, active, subject, body,"
    " within_s) VALUES ('n', 'b', 'placed', 'email', 'recipient', :yes, 'S', 'B', 60)",
    "INSERT INTO notice (id, business_id, event_id, rule_id, order_id, trigger, channel, recipient,"
    " subject, body, html, message_id, state, sends, attempts, claim, carrier_id, error, due_at,"
    " expires_at, created_at) VALUES ('t', 'b', 'e', 'n', 'o', 'placed', 'email', 'a@x.example',"
    " 'S', 'B', '', '', 'sent', 1, 1, '', '', '', :then, :then, :then)",
)


def test_rules_and_what_was_told_by_them_stay_and_roles_get_rules_of_their_own(
    empty_database_url: str,
) -> None:
    engine = open_engine(empty_database_url)
    migrate(engine, "0015")
    with engine.execution_options(hub_write=True).begin() as connection:
        for statement in NOTICED:
            values = {"then": THEN, "yes": True}
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
    migrate(engine)
    with Session(engine.execution_options(hub_write=True)) as session:
        rules = session.exec(select(NoticeRuleRow)).all()
        assert {row.trigger: row.active for row in rules} == {
            "placed": True,
            "out": False,
            "near": False,
            "arrived": False,
            "review": False,
        }
        ours = suggested_texts(Trade.PARCELS)
        for row in rules:
            if not row.active:  # what came with the hub says what it says to who begins today
                now = ours[Trigger(row.trigger)]
                assert (row.subject, row.body) == (now.subject, now.body)
        told = session.exec(select(NoticeRow)).one()
        assert (told.rule_id, told.parts, told.receipt, told.instead_of) == ("n", 0, "", "")
        first = next(row for row in rules if row.trigger == "placed")
        session.add(NoticeRuleRow(**{**first.model_dump(exclude={"id"}), "role": "site"}))
        session.commit()
        session.add(NoticeRuleRow(**first.model_dump(exclude={"id"})))
        with pytest.raises(IntegrityError):
            session.commit()
        session.rollback()
        session.delete(session.get_one(NoticeRuleRow, "n"))
        with pytest.raises(IntegrityError):  # a notice still refers to it
            session.commit()
    engine.dispose()


@pytest.mark.parametrize(
    ("flat", "position"),
    [
        ({"share": "stops", "share_stops": 5}, {"since": "stops", "at": 5}),
        ({"share": "minutes", "share_minutes": 9}, {"since": "minutes", "at": 9}),
        ({"share": "next"}, {"since": "stops", "at": 0}),
        ({"share": "never"}, {"since": "never", "at": 0}),
    ],
)
def test_what_customers_could_see_they_still_can_and_no_more(
    empty_database_url: str, flat: dict[str, object], position: dict[str, object]
) -> None:
    engine = open_engine(empty_database_url)
    migrate(engine, "0015")
    old = {**flat, "show_items": False, "show_photo": True, "window_s": 1800}
    with engine.execution_options(hub_write=True).begin() as connection:
        connection.execute(text(BEFORE[0]), {"then": THEN})
        connection.execute(text("UPDATE business SET settings = :old"), {"old": json.dumps(old)})
    migrate(engine)
    with Session(engine) as session:
        settings = session.exec(select(BusinessRow)).one().settings
    page = settings["visibility"]["page"]
    assert page["position"] == position
    assert [page[fact]["since"] for fact in ("items", "photo", "driver", "address")] == [
        *("never", "always", "always", "always")
    ]
    assert settings["window_s"] == 1800
    assert not settings.keys() & flat.keys()
    kept = BusinessSettings.model_validate(settings)
    assert kept.visibility.books == Visibility().books
    engine.dispose()


LINKED = (
    *FILED[:3],
    "UPDATE business SET settings = :settings",
    "INSERT INTO link (id, business_id, order_id, epoch, token_hash) VALUES ('l', 'b', 'o', 3, 'h')",
)


def test_links_that_were_there_are_the_recipients_and_what_a_page_hid_others_hide(
    empty_database_url: str,
) -> None:
    engine = open_engine(empty_database_url)
    migrate(engine, "0020")
    page = {"items": {"since": "never", "at": 0}, "address": {"since": "always", "at": 0}}
    with engine.execution_options(hub_write=True).begin() as connection:
        for statement in LINKED:
            values = {"then": THEN, "settings": json.dumps({"visibility": {"page": page}})}
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
    migrate(engine)
    with Session(engine.execution_options(hub_write=True)) as session:
        [link] = session.exec(select(LinkRow)).all()
        assert (link.role, link.epoch, link.token_hash) == ("recipient", 3, "h")
        kept = session.exec(select(BusinessRow.settings)).one()
        rules = BusinessSettings.model_validate(kept).visibility
        assert rules.page[Fact.PAYMENT] == ALWAYS  # as it was shown before
        for reader in PAGES:
            assert rules.of(reader)[Fact.ITEMS] == NEVER
        session.add(LinkRow(business_id="b", order_id="o", role="buyer", token_hash="other"))
        session.commit()
        session.add(LinkRow(business_id="b", order_id="o", role="buyer", token_hash="third"))
        with pytest.raises(IntegrityError):
            session.commit()
    engine.dispose()


BRANDED = (
    *BEFORE[:1],
    "INSERT INTO brand (id, business_id, name, colour, phone, email, website, texts, sender_name)"
    " VALUES ('w', 'b', 'Husk', '#112233', '', '', '', '{\"greeting\": \"Hi\"}', '')",
    "INSERT INTO notice_rule (id, business_id, trigger, channel, role, active, subject, body,"
    " within_s) VALUES ('n', 'b', 'placed', 'email', 'recipient', :yes, 'S', 'B', 60)",
    "INSERT INTO notice_wording (id, business_id, rule_id, language, subject, body)"
    " VALUES ('v', 'b', 'n', 'fi', 'O', 'T')",
)


def test_the_brand_there_is_becomes_the_usual_one_and_words_are_of_every_brand(
    empty_database_url: str,
) -> None:
    engine = open_engine(empty_database_url)
    migrate(engine, "0020")
    with engine.execution_options(hub_write=True).begin() as connection:
        for statement in BRANDED:
            values = {"then": THEN, "yes": True}
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
    migrate(engine)
    with Session(engine.execution_options(hub_write=True)) as session:
        brand = session.exec(select(BrandRow)).one()
        assert (brand.slug, brand.is_usual, brand.font) == ("main", True, "system")
        assert (brand.texts, brand.texts_in) == ({"greeting": "Hi"}, {})
        words = session.exec(select(NoticeWordingRow)).one()
        assert (words.brand, words.language, words.body) == ("", "fi", "T")
        session.add(NoticeWordingRow(**{**words.model_dump(exclude={"id"}), "brand": "rye"}))
        session.commit()
        session.add(NoticeWordingRow(**words.model_dump(exclude={"id"})))
        with pytest.raises(IntegrityError):
            session.commit()
        session.rollback()
        session.add(BrandRow(business_id="b", name="Twice"))
        with pytest.raises(IntegrityError):
            session.commit()
    engine.dispose()

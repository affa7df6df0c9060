"""Several brands of one business: whose order looks how, comes from whom, and who may name what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from hub.core.csv_orders import guess_columns, orders_from, read_table
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Point
from hub.db.tables import BusinessRow, ContactRow, NoticeRuleRow, OrderRow
from hub.flows.brand import (
    BrandIn,
    Texts,
    add_brand,
    all_brands,
    brand_of,
    choose_brand,
    make_usual,
    remove_brand,
    save_brand,
)
from hub.flows.connections import connection_id
from hub.flows.document.told import Told
from hub.flows.found import found
from hub.flows.log_in import NotAccepted
from hub.flows.notice_rules import WordingIn, save_wording
from hub.flows.sync import store_all
from hub.flows.tracking_view import tracked
from tests.mail_worlds import Mailbox, a_mailbox, page, plain
from tests.telling_worlds import PIA, TextingShop
from tests.tracking_worlds import NUMBER, Street, delivered, scheduled

WHO = "staff:1"


@pytest.fixture
def street() -> Street:
    return scheduled()


def rename(street: Street, brand: str) -> None:
    """The order's source says which brand it is of."""
    with street.hub.unit() as unit:
        row = unit.session.exec(
            select(OrderRow).where(
                OrderRow.business_id == street.business_id, OrderRow.number == NUMBER
            )
        ).one()
        row.report = {**row.report, "brand": brand}


def name_on_page(street: Street) -> str:
    shown = tracked(street.hub, street.token)
    assert shown
    return shown.brand.name


def test_an_order_wears_the_brand_it_names_else_its_connections_else_the_usual_one(
    street: Street,
) -> None:
    hub, business_id = street.hub, street.business_id
    first = brand_of(hub, business_id).name
    rye = add_brand(hub, business_id, "Rye & Co", actor=WHO)
    add_brand(hub, business_id, "Cakes", actor=WHO)
    assert rye == "rye-co" and name_on_page(street) == first
    choose_brand(hub, business_id, rye, "api", actor=WHO)
    assert name_on_page(street) == "Rye & Co"
    rename(street, "cakes")
    assert name_on_page(street) == "Cakes"
    rename(street, "RYE & co")  # by its name, in any case
    assert name_on_page(street) == "Rye & Co"
    rename(street, "nobody's")
    assert name_on_page(street) == "Rye & Co"
    choose_brand(hub, business_id, "", "api", actor=WHO)
    make_usual(hub, business_id, "cakes", actor=WHO)
    assert name_on_page(street) == "Cakes"
    assert [row.is_usual for row in all_brands(hub, business_id)] == [True, False, False]


def test_the_proof_wears_the_orders_brand() -> None:
    street = delivered()
    add_brand(street.hub, street.business_id, "Rye & Co", actor=WHO)
    rename(street, "rye-co")
    with street.hub.reading() as session:
        told = Told.read(session, street.business_id, street.job.id)
    assert told.brand is not None and told.brand.name == "Rye & Co"


def test_nobody_can_wear_the_brand_of_another_business(street: Street) -> None:
    hub = street.hub
    other = found(hub, "Other", zone="UTC")
    add_brand(hub, other, "Secret", actor=WHO)
    add_brand(hub, street.business_id, "Rye & Co", actor=WHO)
    rename(street, "secret")
    assert name_on_page(street) == brand_of(hub, street.business_id).name
    for act in (
        lambda: brand_of(hub, street.business_id, "secret"),
        lambda: make_usual(hub, street.business_id, "secret", actor=WHO),
        lambda: remove_brand(hub, street.business_id, "secret", actor=WHO),
        lambda: choose_brand(hub, street.business_id, "secret", "api", actor=WHO),
        lambda: save_brand(hub, street.business_id, BrandIn(name="Mine"), "secret", actor=WHO),
    ):
        with pytest.raises(LookupError):
            act()
    assert brand_of(hub, other, "secret").name == "Secret"


def test_a_brand_in_use_is_not_removed_and_finished_orders_fall_to_the_usual_one() -> None:
    street = scheduled()
    hub, business_id = street.hub, street.business_id
    first = brand_of(hub, business_id).name
    add_brand(hub, business_id, "Rye & Co", actor=WHO)
    with pytest.raises(NotAccepted, match="usual"):
        remove_brand(hub, business_id, "main", actor=WHO)
    choose_brand(hub, business_id, "rye-co", "csv", actor=WHO)
    with pytest.raises(NotAccepted, match="Files"):
        remove_brand(hub, business_id, "rye-co", actor=WHO)
    choose_brand(hub, business_id, "", "csv", actor=WHO)
    rename(street, "rye-co")
    with pytest.raises(NotAccepted, match="1 of its orders is not done"):
        remove_brand(hub, business_id, "rye-co", actor=WHO)
    street.report(status="cancelled", minutes=60)
    rename(street, "rye-co")
    assert remove_brand(hub, business_id, "rye-co", actor=WHO) == 1
    assert name_on_page(street) == first


def test_names_that_could_be_mixed_up_are_refused(street: Street) -> None:
    hub, business_id = street.hub, street.business_id
    add_brand(hub, business_id, "Rye & Co", actor=WHO)
    for name in ("rye co", " RYE & CO ", "Main", "", "a\nb", "x" * 201):
        with pytest.raises(NotAccepted):
            add_brand(hub, business_id, name, actor=WHO)


def test_words_are_of_the_readers_language_as_far_as_they_are_written(street: Street) -> None:
    hub, business_id = street.hub, street.business_id
    given = BrandIn(
        name="Husk",
        texts=Texts(greeting="Baked today"),
        texts_in={"de": Texts(greeting="Heute gebacken"), "xx": Texts(greeting="?")},
    )
    save_brand(hub, business_id, given, actor=WHO)
    assert brand_of(hub, business_id).texts_in == {"de": {"greeting": "Heute gebacken"}}
    shown = tracked(hub, street.token)
    assert shown and shown.own_words == "Baked today"
    street.change(BusinessRow, language="de")  # its own words are then German words
    shown = tracked(hub, street.token)
    assert shown and shown.own_words == "Baked today"
    street.change(BusinessRow, language="en")
    with hub.unit() as unit:
        for contact in unit.session.exec(
            select(ContactRow).where(ContactRow.order_id == street.order.id)
        ):
            contact.language = "de-AT"
    shown = tracked(hub, street.token)
    assert shown and shown.own_words == "Heute gebacken"


def test_a_file_says_of_which_brand_each_order_is() -> None:
    table = read_table(
        b"Order,Address,City,Brand\n1,Street 1,Helsinki,Rye & Co\n2,Street 2,Helsinki,Nike\n",
        "orders.csv",
    )
    about = {"zone": ZoneInfo("UTC"), "country": "FI", "now": datetime(2026, 11, 27, tzinfo=UTC)}
    columns = guess_columns(table.headers)
    several = orders_from(table, columns, **about, brands=frozenset({"main", "rye-co"}))
    assert [order.brand for order in several.orders] == ["Rye & Co", ""]
    assert [problem.message for problem in several.problems if "brand" in problem.message] == [
        "You have no brand “Nike”; the order takes the usual one."
    ]
    alone = orders_from(table, columns, **about, brands=frozenset())
    assert [order.brand for order in alone.orders] == ["", ""]
    assert not any("brand" in problem.message for problem in alone.problems)


@pytest.fixture
def shop() -> Iterator[TextingShop]:
    with a_mailbox(Mailbox()) as box:
        yield TextingShop("", box)


def of_brand(shop: TextingShop, ref: str, brand: str) -> None:
    order = IncomingOrder(
        ref=ref,
        number=ref,
        updated_at=shop.now,
        address=Address(("Yrjönkatu 1",), city="Helsinki", country="FI"),
        point=Point(60.172, 24.94),
        contacts=(replace(PIA, language="sv"),),
        brand=brand,
    )
    api = connection_id(shop.hub, shop.business_id, "api")
    store_all(shop.hub, shop.business_id, api, [order])


def test_messages_come_from_the_orders_brand_in_its_words(shop: TextingShop) -> None:
    hub, business_id = shop.hub, shop.business_id
    rye = add_brand(hub, business_id, "Rye & Co", actor=WHO)
    given = BrandIn(
        name="Rye & Co",
        colour="#ffdd00",
        sender_name="Rye orders",
        email="hi@rye.example",
        reply_to="answers@rye.example",
        sms_sender="RyeBakery",
    )
    save_brand(hub, business_id, given, rye, actor=WHO)
    shop.set_rules("email", active=True)
    with hub.reading() as session:
        rules = session.exec(
            select(NoticeRuleRow.id).where(
                NoticeRuleRow.business_id == business_id,
                NoticeRuleRow.trigger == "placed",
                NoticeRuleRow.channel == "email",
            )
        ).all()
    words = {"subject": "Rye {order}", "body": "Only rye, {order}."}
    save_wording(hub, business_id, rules[0], WordingIn(brand=rye, **words), actor=WHO)
    of_brand(shop, "plain", "")
    of_brand(shop, "rye", rye)
    shop.tick()
    usual_mail, rye_mail = sorted(shop.box.mails, key=lambda mail: "Rye" in mail["From"])
    assert "Husk & Co" in usual_mail["From"] and "Only rye" not in plain(usual_mail)
    assert "Rye orders" in rye_mail["From"] and rye_mail["Reply-To"] == "answers@rye.example"
    assert rye_mail["Subject"] == "Rye rye" and "Only rye, rye." in plain(rye_mail)
    assert "#ffdd00" in page(rye_mail)
    assert {row["from"] for row in shop.twilio.rows} == {"+15017122661", "RyeBakery"}


def test_a_brands_words_go_before_those_of_all_brands_and_language_decides_within(
    shop: TextingShop,
) -> None:
    hub, business_id = shop.hub, shop.business_id
    rye = add_brand(hub, business_id, "Rye & Co", actor=WHO)
    with hub.reading() as session:
        rule_id = session.exec(
            select(NoticeRuleRow.id).where(
                NoticeRuleRow.business_id == business_id,
                NoticeRuleRow.trigger == "placed",
                NoticeRuleRow.channel == "sms_twilio",
            )
        ).one()
    save_wording(hub, business_id, rule_id, WordingIn(language="sv", body="Alla"), actor=WHO)
    save_wording(hub, business_id, rule_id, WordingIn(brand=rye, body="Any rye"), actor=WHO)
    of_brand(shop, "1", rye)
    of_brand(shop, "2", "")
    shop.tick()
    assert sorted(shop.texts()) == ["Alla", "Any rye"]
    rye_swedish = WordingIn(brand=rye, language="sv", body="Råg")
    save_wording(hub, business_id, rule_id, rye_swedish, actor=WHO)
    of_brand(shop, "3", rye)
    shop.tick()
    assert shop.texts()[-1] == "Råg"
    with pytest.raises(LookupError):
        save_wording(hub, business_id, rule_id, WordingIn(brand="x", body="y"), actor=WHO)
    with pytest.raises(ValueError, match="fill this in"):
        WordingIn(body="Of what?")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sms_sender", "HuskBakery12"),
        ("sms_sender", "123456"),
        ("reply_to", "nobody"),
        ("sender_name", "Husk\nBcc: all@x.example"),
        ("header_colour", "url(x)"),
        ("font", "Comic"),
    ],
)
def test_what_no_network_or_page_would_take_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValueError, match=field):
        BrandIn(**{"name": "Husk", field: value})

"""Each contact of an order has a link and rules of their own: a present stays one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from hub.core.values import Contact, Role
from hub.core.visibility import ALWAYS, Reader
from hub.db.tables import BusinessRow, LinkRow, RatingRow, WishRow
from hub.flows.brands import Brands
from hub.flows.connections import connection_id
from hub.flows.links import links_of, revoke
from hub.flows.notice_mail import about_order, composed
from hub.flows.sync import order_report, store_all
from hub.keys import hashed
from hub.live import pages
from tests import tracking_worlds as moments
from tests.tracking_worlds import Street, branded
from tests.web.test_tracking import client_of

ANNA = Contact(Role.RECIPIENT, "Anna Virtanen", "+358401234567", "anna@example.fi")
BUYER = Contact(Role.BUYER, "Otso Berg", "", "otso@example.fi", language="de")


def given(street: Street, *contacts: Contact, payment: str = "25.00 EUR") -> Street:
    """The same order, bought by somebody else for whoever waits."""
    report = order_report.validate_python(street.order.report)
    later = report.updated_at + timedelta(minutes=5)
    order = replace(report, contacts=contacts, payment_due=payment, updated_at=later)
    connection = connection_id(street.hub, street.business_id, "api")
    store_all(street.hub, street.business_id, connection, [order])
    return street


def links(street: Street) -> dict[Role, str]:
    with street.hub.reading() as session:
        found = links_of(street.hub, session, street.business_id, street.order.id)
    return {role: url.rpartition("/")[2] for role, url in found.items()}


def page(street: Street, role: Role) -> str:
    return client_of(street).get(f"/t/{links(street)[role]}").text


@pytest.fixture
def gift() -> Street:
    return given(branded(moments.arriving()), ANNA, BUYER)


def test_the_buyer_of_a_present_has_a_link_of_their_own_and_the_old_one_is_the_recipients(
    gift: Street,
) -> None:
    found = links(gift)
    assert set(found) == {Role.RECIPIENT, Role.BUYER}
    assert found[Role.RECIPIENT] == gift.token != found[Role.BUYER]


def test_who_buys_for_themselves_has_one_link() -> None:
    own = replace(ANNA, role=Role.BUYER)
    assert set(links(given(moments.scheduled(), ANNA, own))) == {Role.RECIPIENT}


def test_a_buyer_sees_how_it_goes_but_not_where_the_recipient_lives_or_the_driver_is(
    gift: Street,
) -> None:
    seen = page(gift, Role.BUYER)
    assert "Sauerteig" not in seen and "Sourdough loaf" in seen  # theirs, as they ordered it
    assert "Gleich bei Ihnen" in seen  # in their language
    for hidden in ("Yrjönkatu", 'data-pin="', "Mara", 'id="signal"'):
        assert hidden not in seen
    assert "25.00 EUR" in seen


def test_who_gets_a_present_sees_what_is_due_at_the_door_and_not_what_is_in_it(
    gift: Street,
) -> None:
    seen = page(gift, Role.RECIPIENT)
    assert "Yrjönkatu" in seen and "25.00 EUR" in seen
    for hidden in ("Sourdough", "Otso", "Berg"):
        assert hidden not in seen


def test_what_is_to_pay_is_shown_to_who_ordered_it_themselves() -> None:
    street = given(branded(moments.on_its_way()), ANNA)
    assert "25.00 EUR" in page(street, Role.RECIPIENT)


def test_the_business_decides_for_each_of_them(gift: Street) -> None:
    gift.sees(Reader.BUYER, address=ALWAYS)
    gift.sees(Reader.GIFT, items=ALWAYS)
    assert "Yrjönkatu" in page(gift, Role.BUYER)
    assert "Sourdough" in page(gift, Role.RECIPIENT)


def test_the_stream_goes_by_the_same_rules(gift: Street) -> None:
    found = links(gift)
    by_role = {role: hashed(token) for role, token in found.items()}
    seen = pages.by_token(gift.hub.engine, list(by_role.values()))
    now = gift.hub.now()
    where = (60.1739, 24.94)
    assert seen[by_role[Role.RECIPIENT]].shows_driver(*where, now, now)
    assert not seen[by_role[Role.BUYER]].shows_driver(*where, now, now)
    again = pages.by_order(gift.hub.engine, {gift.order.id: gift.business_id})[gift.order.id]
    assert again.is_gift and not again.of(Role.BUYER).shows_driver(*where, now, now)


def test_revoking_one_keeps_the_other(gift: Street) -> None:
    before = links(gift)
    revoke(gift.hub, gift.business_id, gift.order.id, Role.BUYER, actor="staff:1")
    client = client_of(gift)
    assert client.get(f"/t/{before[Role.BUYER]}").status_code == 404
    assert client.get(f"/t/{before[Role.RECIPIENT]}").status_code == 200
    after = links(gift)
    assert client.get(f"/t/{after[Role.BUYER]}").status_code == 200
    with pytest.raises(LookupError):
        revoke(gift.hub, gift.business_id, gift.order.id, Role.SITE, actor="staff:1")


def test_a_message_carries_the_link_and_the_secrets_of_whom_it_is_to(gift: Street) -> None:
    order, job = gift.order, gift.job
    with gift.hub.reading() as session:
        business = session.get_one(BusinessRow, gift.business_id)
        brands = Brands(session, gift.business_id)
        said = {}
        for role in (Role.RECIPIENT, Role.BUYER):
            about = about_order(gift.hub, session, brands, order, job, role)
            words = "{link}\n{address}\n{order}"
            said[role] = composed(gift.hub, business, brands.usual, "x", words, about).text
    found = links(gift)
    assert found[Role.BUYER] in said[Role.BUYER] and "Yrjönkatu" not in said[Role.BUYER]
    assert found[Role.RECIPIENT] in said[Role.RECIPIENT] and "Yrjönkatu" in said[Role.RECIPIENT]


def test_only_the_recipients_link_changes_what_is_done(gift: Street) -> None:
    gift.settings(self_service={"allowed": ["note", "another_slot", "cancel"], "hours": 0})
    client, found = client_of(gift), links(gift)
    assert 'id="do"' not in page(gift, Role.BUYER)
    sent = {"do": "door", "note": "Ring twice", "n": "0"}
    assert client.post(f"/t/{found[Role.BUYER]}/do", data=sent).status_code != 303
    assert 'name="time"' not in client.get(f"/t/{found[Role.BUYER]}/times").text
    assert client.post(f"/t/{found[Role.BUYER]}/cancel", data={"n": "0"}).status_code != 303
    with gift.hub.reading() as session:
        assert session.exec(select(WishRow)).all() == []


def test_ratings_are_one_of_each_link() -> None:
    street = given(moments.delivered(), ANNA, BUYER)
    for role, token in links(street).items():
        stars = "5" if role is Role.BUYER else "2"
        client_of(street).post(f"/t/{token}/rating", data={"stars": stars})
    with street.hub.reading() as session:
        rows = session.exec(select(RatingRow.role, RatingRow.stars)).all()
    assert dict(rows) == {"recipient": 2, "buyer": 5}


def test_every_link_has_another_token() -> None:
    street = given(moments.scheduled(), ANNA, BUYER, Contact(Role.SITE, "Gate"))
    with street.hub.reading() as session:
        hashes = session.exec(
            select(LinkRow.token_hash).where(LinkRow.order_id == street.order.id)
        ).all()
    assert len(set(hashes)) == 3

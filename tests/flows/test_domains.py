"""A business's own domain: proven by DNS, served for its own customers alone, looked after."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.own_domain import Found
from hub.core.values import Address, Point
from hub.db.tables import BrandRow, LinkRow, NoticeRow, NoticeRuleRow, OrderRow
from hub.flows.api_keys import make_key
from hub.flows.brand import add_brand, brand_of
from hub.flows.brands import Brands
from hub.flows.connections import connection_id
from hub.flows.domains import check_domain, check_domains, domain_of, drop_domain, set_domain
from hub.flows.found import found
from hub.flows.log_in import NotAccepted
from hub.flows.sync import store_all
from hub.keys import hashed
from hub.web.app import create_app
from tests.tracking_worlds import Street, scheduled

HOST, HUB = "track.bakery.example", "hub.example.com"
WHO = "staff:1"


@dataclass
class Zone:
    """What a name server would say, by name; ``is_down``: it says nothing."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    is_down: bool = False

    def look_up(self, host: str, text_at: str, hub_host: str) -> Found:
        if self.is_down:
            return Found(unanswered="no answer in time")
        return Found(tuple(self.texts.get(text_at, ())), self.aliases.get(host, ""))

    def follows(self, hub: Hub, brand: BrandRow) -> None:
        """Somebody makes the two records that the panel shows for ``brand``."""
        domain = domain_of(hub, brand)
        assert domain
        self.texts.setdefault(domain.text_at, []).append(domain.text)
        self.aliases[domain.row.host] = domain.leads_to


@pytest.fixture
def street() -> Street:
    street = scheduled()
    street.hub.settings = replace(street.hub.settings, domain=HUB, public_url=f"https://{HUB}")
    return street


@pytest.fixture
def zone() -> Zone:
    return Zone()


def state_of(hub: Hub, brand: BrandRow, zone: Zone) -> str:
    domain = domain_of(hub, brand)
    assert domain
    return check_domain(hub, brand.business_id, domain.row.id, zone)  # type: ignore[arg-type]


def link(street: Street) -> str:
    order = street.order
    with street.hub.reading() as session:
        return Brands(session, street.business_id).link(street.hub, order, 1)


def proven(street: Street, zone: Zone) -> BrandRow:
    brand = brand_of(street.hub, street.business_id)
    set_domain(street.hub, brand, f" {HOST.upper()}. ", actor=WHO)
    zone.follows(street.hub, brand)
    assert state_of(street.hub, brand, zone) == "proven"
    return brand


def test_links_name_a_domain_once_its_dns_says_so_and_not_before(
    street: Street, zone: Zone
) -> None:
    brand = brand_of(street.hub, street.business_id)
    set_domain(street.hub, brand, HOST, actor=WHO)
    assert state_of(street.hub, brand, zone) == "waiting"
    assert link(street).startswith(f"https://{HUB}/t/")
    zone.aliases[HOST] = HUB  # it leads here, but whose it is nobody said
    assert state_of(street.hub, brand, zone) == "waiting"
    zone.follows(street.hub, brand)
    assert state_of(street.hub, brand, zone) == "proven"
    assert link(street).startswith(f"https://{HOST}/t/")
    drop_domain(street.hub, brand, actor=WHO)
    assert link(street).startswith(f"https://{HUB}/t/")


def test_a_domain_that_fails_for_days_is_named_no_more_until_it_works(
    street: Street, zone: Zone
) -> None:
    brand = proven(street, zone)
    street.clock(24 * 60)
    zone.is_down = True
    assert check_domains(street.hub, zone) == 1  # type: ignore[arg-type]
    domain = domain_of(street.hub, brand)
    assert domain and domain.row.state == "failing" and "no answer in time" in domain.row.said
    assert link(street).startswith(f"https://{HOST}/t/")
    street.day.now[0] += timedelta(days=3)
    check_domains(street.hub, zone)  # type: ignore[arg-type]
    assert link(street).startswith(f"https://{HUB}/t/")
    assert check_domains(street.hub, zone) == 0  # type: ignore[arg-type]
    zone.is_down = False
    street.day.now[0] += timedelta(days=1)
    check_domains(street.hub, zone)  # type: ignore[arg-type]
    assert link(street).startswith(f"https://{HOST}/t/")


def test_the_token_decides_whose_a_name_is_and_not_who_typed_it_first(
    street: Street, zone: Zone
) -> None:
    hub, squatter = street.hub, found(street.hub, "Squatter", zone="UTC")
    theirs = brand_of(hub, squatter)
    set_domain(hub, theirs, HOST, actor=WHO)
    zone.aliases[HOST] = HUB
    assert state_of(hub, theirs, zone) == "waiting"
    mine = proven(street, zone)
    assert state_of(hub, theirs, zone) == "waiting"
    # With both tokens there, who holds it keeps it; with the old one gone, the new one has it.
    zone.follows(hub, theirs)
    assert state_of(hub, theirs, zone) == "waiting"
    zone.texts.clear()
    zone.follows(hub, theirs)
    assert state_of(hub, theirs, zone) == "proven"
    assert state_of(hub, mine, zone) == "waiting"
    assert link(street).startswith(f"https://{HUB}/t/")


def test_under_its_domain_are_a_business_s_pages_and_nothing_else(
    street: Street, zone: Zone
) -> None:
    proven(street, zone)
    other = scheduled_beside(street)
    client = create_app(street.hub).test_client()

    def at(host: str, path: str, client: FlaskClient = client) -> int:
        return client.get(path, base_url=f"https://{host}").status_code

    assert at(HOST, f"/t/{street.token}") == at(HUB, f"/t/{street.token}") == 200
    assert at(HUB, f"/t/{other}") == 200
    assert at(HOST, f"/t/{other}") == at(HOST, f"/t/{other}/logo") == at(HOST, "/t/nothing") == 404
    with street.hub.unit() as unit:
        rule = unit.session.exec(
            select(NoticeRuleRow).where(NoticeRuleRow.business_id != street.business_id)
        ).first()
        order = unit.session.exec(
            select(OrderRow).where(OrderRow.business_id != street.business_id)
        ).one()
        assert rule
        now = street.hub.now()
        unit.session.add(
            NoticeRow(
                business_id=order.business_id,
                event_id="1",
                rule_id=rule.id,
                order_id=order.id,
                trigger="placed",
                channel="email",
                recipient="a@b.example",
                stop_hash=hashed("theirs"),
                due_at=now,
                expires_at=now,
                created_at=now,
            )
        )
    assert (at(HUB, "/u/theirs"), at(HOST, "/u/theirs")) == (200, 404)
    for path in ("/panel/log-in", "/board", "/api/v1/orders", "/driver/", "/api/openapi.json", "/"):
        assert at(HOST, path) == 404, path
        assert at(HUB, path) != 404, path
    assert at("localhost", "/front/ask?domain=" + HOST) == 200
    assert at("localhost", "/front/ask?domain=elsewhere.bakery.example") == 404
    assert at("localhost", "/front/ask") == 404


def scheduled_beside(street: Street) -> str:
    """A link to an order of another business on the same hub."""
    business_id = found(street.hub, "Other", zone="UTC")
    order = IncomingOrder(
        ref="1",
        number="1",
        updated_at=street.hub.now(),
        address=Address(("Street 1",)),
        point=Point(60.1, 24.9),
    )
    store_all(street.hub, business_id, connection_id(street.hub, business_id, "api"), [order])
    with street.hub.reading() as session:
        row, epoch = session.exec(
            select(OrderRow, LinkRow.epoch)
            .join(LinkRow, LinkRow.order_id == OrderRow.id)
            .where(OrderRow.business_id == business_id)
        ).one()
    return street.hub.keys.link_token(row.id, epoch)


@pytest.mark.parametrize("host", ["bakery.example", HUB, "example.com", "x y.bakery.example", ""])
def test_a_name_that_cannot_be_meant_is_refused(street: Street, host: str) -> None:
    brand = brand_of(street.hub, street.business_id)
    with pytest.raises(NotAccepted):
        set_domain(street.hub, brand, host, actor=WHO)
    assert domain_of(street.hub, brand) is None


def test_two_brands_of_a_business_do_not_share_a_name(street: Street, zone: Zone) -> None:
    proven(street, zone)
    slug = add_brand(street.hub, street.business_id, "Rye", actor=WHO)
    with pytest.raises(NotAccepted, match="Another brand"):
        set_domain(street.hub, brand_of(street.hub, street.business_id, slug), HOST, actor=WHO)


def test_without_a_domain_of_its_own_a_hub_has_none_to_lead_to(zone: Zone) -> None:
    street = scheduled()
    with pytest.raises(NotAccepted, match="HUB_DOMAIN"):
        set_domain(street.hub, brand_of(street.hub, street.business_id), HOST, actor=WHO)


def test_a_name_with_the_dot_of_dns_serves_no_other_business_either(
    street: Street, zone: Zone
) -> None:
    proven(street, zone)
    other, client = scheduled_beside(street), create_app(street.hub).test_client()
    for host in (f"{HOST}.", f"{HOST.upper()}.", f"{HOST}:443", f"{HOST}.:443"):
        for path in (f"/t/{other}", "/panel/log-in", "/api/openapi.json"):
            assert client.get(path, base_url=f"https://{host}").status_code == 404, (host, path)
        assert client.get(f"/t/{street.token}", base_url=f"https://{host}").status_code == 200
    assert client.get(f"/front/ask?domain={HOST}.", base_url="http://localhost").status_code == 200


def test_a_help_desk_sends_the_link_that_customers_know(street: Street, zone: Zone) -> None:
    proven(street, zone)
    _, key = make_key(street.hub, street.business_id, "desk", ["enquiries:write"])
    told = (
        create_app(street.hub)
        .test_client()
        .post(
            f"/api/v1/orders/{street.order.id}/enquiries",
            json={},
            headers={"Authorization": f"Bearer {key}"},
        )
    )
    assert told.get_json()["tracking_url"] == f"https://{HOST}/t/{street.token}"

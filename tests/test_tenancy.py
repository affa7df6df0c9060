"""No route shows or changes a row of another business, whoever asks and whatever id is named.

Every rule of the application is called as the staff, the API key, the phone and the link of
one business, with every id of another put wherever an id can stand.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import hub_bakehouse
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import bindparam
from sqlmodel import SQLModel, select
from werkzeug.routing import Rule

import admin
from hub import hookimpl
from hub.app import Hub
from hub.core.orders import IncomingOrder
from hub.core.values import Address, Contact, Line, Point
from hub.core.values import Role as ContactRole
from hub.db.tables import (
    OUTSIDE,
    AttemptLogRow,
    BrandDomainRow,
    BrandRow,
    ConnectionRow,
    DepotRow,
    DriverRow,
    EnquiryRow,
    ImportRow,
    ImprovementRow,
    JobRow,
    LinkRow,
    MembershipRow,
    PushRow,
    RatingRow,
    RecordRow,
    RejectRow,
    RouteRow,
    StopJobRow,
    VehicleRow,
    WebhookRow,
    ZoneRow,
)
from hub.flows.api_keys import Scope, make_key
from hub.flows.connections import connection_id
from hub.flows.dispatch import publish
from hub.flows.drive import IncomingAct, device_for, pair, pairing_code, take_acts
from hub.flows.endpoints import EndpointIn, make_endpoint
from hub.flows.found import found
from hub.flows.locate import locate_new
from hub.flows.log_in import Role, add_staff, log_in
from hub.flows.plan import plan_day
from hub.flows.prove import put_file
from hub.flows.sync import store_all
from hub.web.app import create_app
from notifiers import console
from tests.driving_worlds import DAY, SIX, TEN, Plugin

PASSWORD = "four loaves of rye bread"
MARK = "Zzyzx"  # in every text of the other business
MAY = {301, 302, 303, 308, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429}


@dataclass(frozen=True)
class Tenant:
    business_id: str
    cookie: str
    csrf: str
    api_key: str
    phone: str
    links: list[str]


class Channels:
    @hookimpl
    def hub_notification_channels(self) -> list[Any]:
        return console.hub_notification_channels()


def a_tenant(hub: Hub, mark: str) -> Tenant:
    """A business with a row in every table it can have one in, all bearing ``mark``."""
    business_id = found(hub, f"{mark} Ltd", zone="Europe/Helsinki", country="FI")
    with hub.unit() as unit:
        depot = DepotRow(business_id=business_id, name=f"{mark} depot", lat=60.1699, lon=24.9384)
        van = VehicleRow(business_id=business_id, name=f"{mark} van", capacity={"parcels": 50})
        zone = ZoneRow(business_id=business_id, name=f"{mark} zone", postcodes=["00100"])
        unit.session.add_all([depot, van, zone])
        unit.session.flush()
        hours = {"0": ["08:00", "17:00"]}
        driver = DriverRow(
            business_id=business_id,
            name=f"{mark} driver",
            depot_id=depot.id,
            vehicle_id=van.id,
            works=hours,
        )
        unit.session.add(driver)
    api = connection_id(hub, business_id, "api")
    store_all(hub, business_id, api, [an_order(mark, n) for n in range(1, 5)])
    locate_new(hub, business_id)
    plan_day(hub, business_id, DAY, strategy="nearest")
    with hub.unit() as unit:
        about = {"business_id": business_id, "at": SIX}
        unit.session.add(RejectRow(**about, connection_id=api, ref=f"{mark} 9", problem=mark))
        unit.session.add(
            ImportRow(**about, file_name=f"{mark}.csv", sha256="0" * 64, content=mark.encode())
        )
        shop = ConnectionRow(
            business_id=business_id, slug="shop", plugin="bakehouse", title=f"{mark} shop"
        )
        shop.settings = {"url": f"https://{mark.lower()}.example/"}
        unit.session.add(shop)
        unit.session.flush()
        unit.session.add(RejectRow(**about, connection_id=shop.id, ref=f"{mark} 10", problem=mark))
        brand = BrandRow(
            business_id=business_id, slug=f"{mark.lower()}-rye", is_usual=False, name=f"{mark} rye"
        )
        unit.session.add(brand)
        unit.session.flush()
        own = BrandDomainRow(business_id=business_id, brand_id=brand.id, token=f"{mark}-token")
        own.host = f"track.{mark.lower()}.example"
        unit.session.add(own)
    with hub.reading() as session:
        route = session.exec(select(RouteRow).where(RouteRow.business_id == business_id)).one()
        job = session.exec(
            select(JobRow)
            .join(StopJobRow, StopJobRow.job_id == JobRow.id)
            .where(JobRow.business_id == business_id)
            .order_by(JobRow.id)
        ).first()
        assert job
    publish(hub, business_id, route.id, actor="staff:1", expected_version=route.version)
    where = Address((f"{mark} street 9",), city="Helsinki", country="FI")
    moved = replace(an_order(mark, 2), address=where, updated_at=SIX + timedelta(hours=1))
    store_all(hub, business_id, api, [moved])
    with hub.unit() as unit:
        record = RecordRow(business_id=business_id, connection_id=shop.id, job_id=job.id, at=SIX)
        record.state, record.label = "parked", f"{mark} invoice"
        unit.session.add(record)
    url = f"https://93.184.215.14/{mark.lower()}"
    listens = EndpointIn(url=url, description=f"{mark} ERP")
    endpoint = make_endpoint(hub, business_id, listens, actor="staff:1").endpoint
    with hub.unit() as unit:
        sent = WebhookRow(
            business_id=business_id,
            endpoint_id=endpoint.id,
            event_id=mark,
            subject_id=job.order_id,
            type="order.placed",
            body=f'{{"mark": "{mark}"}}',
            state="dead",
            due_at=SIX,
            occurred_at=SIX,
        )
        unit.session.add(sent)
        unit.session.flush()
        answered = {"status": 500, "answer": mark, "problem": mark}
        unit.session.add(
            AttemptLogRow(business_id=business_id, webhook_id=sent.id, at=SIX, **answered)
        )
        better = ImprovementRow(
            business_id=business_id, day=DAY, asked_by="hub", state="done", cpu_s=1, created_at=SIX
        )
        better.error, better.done_at = mark, SIX
        unit.session.add(better)
    token = pair(hub, pairing_code(hub, business_id, driver.id)) or ""
    device = device_for(hub, token)
    assert device
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "JPEG")
    content = picture.getvalue() + mark.encode()
    known_by = sha256(content).hexdigest()
    put_file(hub, business_id, job.id, "photo", "image/jpeg", content, known_by)
    body = {"outcome": "succeeded", "name": mark, "note": mark}
    body["files"] = [{"kind": "photo", "sha256": known_by}]  # type: ignore[assignment]
    closing = IncomingAct(act_id="1", kind="close", job_id=job.id, occurred_at=TEN, body=body)
    [told] = take_acts(hub, device, [closing])
    assert told.result == "applied", told.why
    with hub.unit() as unit:
        said = {"business_id": business_id, "order_id": job.order_id, "job_id": job.id}
        unit.session.add(
            EnquiryRow(**said, at=SIX, kind="asked", channel="phone", note=mark, shows="done")
        )
        rating = RatingRow(**said, role="recipient", stars=1, comment=mark, at=SIX, changed_at=SIX)
        rating.driver_id, rating.route_id = driver.id, route.id
        browser = PushRow(business_id=business_id, order_id=job.order_id, role="recipient", at=SIX)
        browser.endpoint_hash, browser.subscription = mark, {"endpoint": f"https://{mark}.example"}
        unit.session.add_all([rating, browser])
    email = f"{mark}@example.com"
    add_staff(hub, business_id, email=email, password=PASSWORD, role=Role.OWNER, name=mark)
    cookie = log_in(hub, email, PASSWORD, address="here") or ""
    _, key = make_key(hub, business_id, f"{mark} key", list(Scope))
    with hub.reading() as session:
        orders = session.exec(select(LinkRow).where(LinkRow.business_id == business_id)).all()
    links = [hub.keys.link_token(link.order_id, link.epoch) for link in orders]
    csrf = csrf_of(create_app(hub).test_client(), cookie)
    return Tenant(business_id, cookie, csrf, key, token, links)


def an_order(mark: str, n: int) -> IncomingOrder:
    where = Point(60.17 + n / 500, 24.94)
    return IncomingOrder(
        ref=f"{mark}-{n}",
        number=f"{mark}-{n}",
        updated_at=SIX,
        address=Address((f"{mark} street {n}",), city="Helsinki", country="FI"),
        point=None if n == 4 else where,
        contacts=(Contact(ContactRole.RECIPIENT, f"{mark} person", "", f"{mark}{n}@x.example"),),
        lines=(Line(f"{mark} loaf", 2),),
        instructions=f"{mark} gate",
    )


def csrf_of(client: FlaskClient, cookie: str) -> str:
    client.set_cookie("hub_staff", cookie)
    found_csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/panel/account").text)
    assert found_csrf
    return found_csrf[1]


def rows_of(hub: Hub, business_id: str) -> dict[str, list[str]]:
    """Everything a business has, as text, by table; as the database itself says it."""
    with closing(hub.engine.raw_connection()) as connection:
        return {
            table: sorted(map(str, connection.cursor().execute(asked, (business_id,))))
            for table, asked in EVERYTHING.items()
        }


EVERYTHING = {
    table.name: str(table.select().where(table.c.business_id == bindparam("x")).compile()).replace(
        ":x", "?"
    )
    for table in SQLModel.metadata.sorted_tables
    if "business_id" in table.c and table.name not in ("log_in", "event", "errand")
}


def written(hub: Hub) -> int:
    """How many rows were ever written: while it stays, nothing has changed."""
    with closing(hub.engine.raw_connection()) as connection:
        return int(connection.driver_connection.total_changes)  # type: ignore[union-attr]


def ids_of(hub: Hub, business_id: str) -> dict[str, str]:
    """One id of every table of a business, and of its staff, by table."""
    found_ids = {"business": business_id}
    with hub.engine.connect() as connection:
        member = select(MembershipRow.staff_id).where(MembershipRow.business_id == business_id)
        found_ids["staff"] = str(connection.execute(member).scalars().first())
        for table in SQLModel.metadata.sorted_tables:
            if "business_id" in table.c and "id" in table.c and table.name != "log_in":
                own = table.select().where(table.c.business_id == business_id)
                if table.name == "connection":
                    own = own.where(table.c.plugin == "bakehouse")
                if table.name == "reject":
                    own = own.order_by(table.c.ref)
                row = connection.execute(own.limit(1)).first()
                if row is not None:
                    found_ids[table.name] = str(row._mapping["id"])
    return found_ids


@dataclass(frozen=True)
class World:
    hub: Hub
    app: Flask
    ours: Tenant
    theirs: Tenant
    their_ids: dict[str, str]
    their_rows: dict[str, list[str]]  # as they are before anybody asks for anything
    written: list[int]  # up to where was looked at


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    data_dir: Path = tmp_path_factory.mktemp("tenants")
    hub = Hub.in_memory(
        Plugin(),
        Channels(),
        admin,
        hub_bakehouse,
        now=lambda: TEN + timedelta(hours=1),
        data_dir=data_dir,
    )
    ours, theirs = a_tenant(hub, "Aalto"), a_tenant(hub, MARK)
    app = create_app(hub)
    assert not hub.registry.problems
    theirs_id = theirs.business_id
    return World(hub, app, ours, theirs, ids_of(hub, theirs_id), rows_of(hub, theirs_id), [0])


def the_rules() -> list[Rule]:
    app = create_app(Hub.in_memory(Plugin(), Channels(), admin, hub_bakehouse))
    return sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)


def urls(rule: Rule, ids: dict[str, str]) -> Iterator[str]:
    """The rule's URL with every foreign id at every place; as it is if it takes none."""
    names = sorted(rule.arguments)
    choices = [value_for(rule, name, ids) for name in names]
    for values in itertools.product(*choices):
        path = rule.rule
        for name, value in zip(names, values, strict=True):
            path = re.sub(rf"<(?:[^<>:]+:)?{name}>", value, path)
        yield path
        yield from (
            f"{path}?id={ids[table]}" for table in NAMED_BY_ID if "/records/" in path and not names
        )


def value_for(rule: Rule, name: str, ids: dict[str, str]) -> list[str]:
    """``job_id`` takes the id of a job; a place that says nothing takes every id."""
    if rule._converters[name].__class__.__name__ == "IntegerConverter":
        return ["1"]
    if name in NO_IDS:
        return NO_IDS[name]
    table = name.removesuffix("_id")
    return [ids[table]] if table in ids else list(ids.values())


NO_IDS = {
    "shown": [str(DAY)],
    "version": ["0"],
    "what": ["role", "remove", "link"],
    "signature": ["0"],
    "role": ["recipient"],
}
NAMED_BY_ID = ("depot", "vehicle", "driver", "order", "job")  # flask-admin's pages take ?id=
# At /t/ the link itself is the permission; it has a test of its own below.
RULES = [rule for rule in the_rules() if not rule.rule.startswith("/t/")]


def test_every_table_belongs_to_a_business_or_is_named_as_outside() -> None:
    for table in SQLModel.metadata.sorted_tables:
        assert ("business_id" in table.c) != (table.name in OUTSIDE - {"log_in"}), table.name


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.rule} {rule.endpoint}")
def test_no_route_shows_or_changes_a_row_of_another_business(world: World, rule: Rule) -> None:
    methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    for n, url in enumerate(urls(rule, world.their_ids)):
        for method in methods:
            client = world.app.test_client()
            client.set_cookie("hub_staff", world.ours.cookie)
            answer = call(client, world, method, url, every=n == 0)
            body = answer.get_data(as_text=True)
            assert MARK not in body, f"{method} {url}"
            assert answer.status_code < 500, f"{method} {url}: {body[:300]}"
            if rule.arguments and method != "GET":
                assert answer.status_code in MAY, f"{method} {url}"
    if world.written != [written(world.hub)]:
        assert rows_of(world.hub, world.theirs.business_id) == world.their_rows
        ours = str(rows_of(world.hub, world.ours.business_id))
        assert not [one for one in world.their_ids.values() if one in ours]
        world.written[:] = [written(world.hub)]


def call(client: FlaskClient, world: World, method: str, url: str, *, every: bool) -> Any:
    """With every credential of ours, and their ids in the body too where a route reads one.

    Where the URL names a row, the form names the same one; with ``every`` each in turn.
    """
    if url.startswith("/api/"):
        return client.open(
            url, method=method, json={}, headers={"Authorization": f"Bearer {world.ours.api_key}"}
        )
    if url.startswith("/driver/"):
        acts = [
            {
                "act_id": f"a{n}",
                "kind": "arrive",
                "job_id": one,
                "route_id": one,
                "occurred_at": TEN.isoformat(),
            }
            for n, one in enumerate(world.their_ids.values())
        ]
        return client.open(
            url,
            method=method,
            json=None if method == "GET" else {"acts": acts},
            headers={"Authorization": f"Bearer {world.ours.phone}"},
        )
    if method == "GET":
        return client.get(url)
    named = ("id", "rowid", "job_id", "route_id", "place_id", "depot_id", "driver_id", "vehicle_id")
    answers = []
    same = [one for one in world.their_ids.values() if one in url]
    ids = same[:1] if same and not every else list(world.their_ids.values())[:3]
    if url.startswith("/board/rest"):
        ids.append(world.their_ids["improvement"])
    for one in [url.split("?id=")[-1]] if "?id=" in url else ids:
        if url.startswith(("/panel/log-", "/panel/account", "/panel/start")):
            break  # these end our own session, and name nobody's rows
        form = dict.fromkeys((*named, "to", "to_route_id", "order_id", "plan_id"), one)
        answers.append(client.open(url, method=method, data=form | {"csrf": world.ours.csrf}))
    return next((bad for bad in answers if bad.status_code >= 500 or MARK in bad.text), None) or (
        answers[-1] if answers else client.get("/healthz")
    )


def test_a_link_shows_its_own_order_and_nothing_of_its_neighbours(world: World) -> None:
    client = world.app.test_client()
    for n, token in enumerate(world.theirs.links):
        told = client.get(f"/t/{token}").text
        assert "Aalto" not in told
        numbers = set(re.findall(rf"{MARK}-\d", told))
        assert len(numbers) <= 1, n


def test_a_form_on_a_link_changes_its_own_order_and_no_row_of_another_business(
    world: World,
) -> None:
    """Sent from a link of ours with every id of theirs, and from links nobody has."""
    client, link = world.app.test_client(), world.ours.links[0]
    before = rows_of(world.hub, world.theirs.business_id)
    for path in ("do", "times", "cancel"):
        for token in (link, f"{link}x", *list(world.their_ids.values())[:4]):
            for one in list(world.their_ids.values())[:8]:
                form = {"do": "door", "note": "x", "time": one, "what": one, "n": "0", "how": one}
                answer = client.post(f"/t/{token}/{path}", data=form | {"order_id": one})
                assert MARK not in answer.text
                assert answer.status_code in (303, 404, 409, 422, 429)
    assert rows_of(world.hub, world.theirs.business_id) == before


def test_a_device_or_key_of_one_business_opens_nothing_in_the_other(world: World) -> None:
    client = world.app.test_client()
    for headers in (
        {"Authorization": f"Bearer {world.ours.api_key}"},
        {"Authorization": f"Bearer {world.ours.phone}"},
        {},
    ):
        for path in ("/api/v1/orders", "/driver/api/route", "/panel/orders"):
            assert MARK not in client.get(path, headers=headers).text


def test_the_world_has_a_row_in_every_table_a_route_could_leak(world: World) -> None:
    have = {name for name, rows in rows_of(world.hub, world.theirs.business_id).items() if rows}
    expected = {"order", "job", "place", "contact", "line", "route", "stop", "stop_job", "plan"}
    assert expected | {"depot", "vehicle", "driver", "shift", "device", "proof", "chain"} <= have
    assert {
        "import",
        "reject",
        "api_key",
        "brand",
        "link",
        "notice_rule",
        "membership",
        "record",
        "amendment",
        "endpoint",
        "webhook",
        "attempt_log",
        "improvement",
        "enquiry",
        "rating",
        "push",
    } <= have

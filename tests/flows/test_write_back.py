"""The store hears how its order fares, and the books keep what was delivered: once, whatever dies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from sqlmodel import col, delete, select

from hub import (
    AuthError,
    Candidate,
    DeliveryRecord,
    IncomingOrder,
    RecordSink,
    Refused,
    Unavailable,
    hookimpl,
)
from hub.core.business import BusinessSettings
from hub.core.orders import IncomingOrder as Order
from hub.core.values import Address, Contact, Point, Role
from hub.db.tables import (
    BusinessRow,
    ConnectionRow,
    ContactRow,
    DepotRow,
    DriverRow,
    ErrandRow,
    EventRow,
    JobRow,
    OrderRow,
    RecordRow,
    RouteRow,
)
from hub.flows.connect import connect
from hub.flows.connections import connection_id
from hub.flows.connections_seen import connection_seen
from hub.flows.disconnect import disconnect
from hub.flows.dispatch import publish
from hub.flows.drive import IncomingAct, device_for, pair, pairing_code, take_acts
from hub.flows.errands import retry
from hub.flows.found import found
from hub.flows.links import add_links
from hub.flows.month import SEVERAL, as_csv, month, records_of
from hub.flows.outward import tell_shops
from hub.flows.plan import plan_day
from hub.flows.pull import pull_due
from hub.flows.records_by_hand import Disconnected, file_at, file_job, file_numbered, let_go
from hub.flows.sync import store_all
from hub.flows.tracking_link import opened
from hub.testing import WsgiAdapter
from hub.worker import deliver
from tests.connected_worlds import MONDAY, Connected, a_shop
from tests.driving_worlds import Plugin

DAY = date(2026, 11, 23)
LEDGER: dict[str, Any] = {}  # what lies in the books, as their own server would keep it


class LedgerSettings(BaseModel):
    place: str = "here"


class Ledger(RecordSink):
    """Books that keep one record a key, and are away or stubborn when told so."""

    key = "ledger"
    title = "Ledger"
    Settings = LedgerSettings

    def find(self, order: IncomingOrder) -> Sequence[Candidate]:
        if LEDGER.get("away"):
            raise Unavailable("The ledger is away.")
        if LEDGER.get("locked"):
            raise AuthError("The ledger wants to be reconnected.")
        if LEDGER.get("misprinted") == self.settings.place:
            raise KeyError("a column that is not there")
        return [
            Candidate(ref, f"Invoice {ref}", "same number")
            for ref in LEDGER["invoices"]
            if ref.partition("/")[0] == order.number
        ]

    def rule(self, order: IncomingOrder) -> str:
        return f"Looked for an invoice with the number {order.number}."

    def numbered(self, number: str) -> Sequence[Candidate]:
        found = [ref for ref in LEDGER["invoices"] if ref == number]
        return [Candidate(ref, f"Invoice {ref}", "you named it") for ref in found]

    def record(self, record: DeliveryRecord) -> str:
        if record.target in LEDGER.get("void", ()):
            raise Refused(f"Invoice {record.target} is void: it takes no files any more.")
        LEDGER["records"].setdefault(record.key, record)
        return f"a note at {record.target}"


class Books:
    @hookimpl
    def hub_record_sinks(self) -> list[type[RecordSink]]:
        return [Ledger]


@pytest.fixture
def world() -> Connected:
    LEDGER.clear()
    LEDGER.update(invoices=[f"#R{n}" for n in range(4)], records={})
    world = a_shop(plugins=(Plugin(), Books()))
    hub, business_id = world.hub, world.business_id
    with hub.unit() as unit:
        business = unit.session.get_one(BusinessRow, business_id)
        business.settings = BusinessSettings(demands=[]).model_dump(mode="json")
        depot = DepotRow(business_id=business_id, name="Bakery", lat=60.1699, lon=24.9384)
        unit.session.add(depot)
        unit.session.flush()
        hours = {"0": ["08:00", "17:00"]}
        unit.session.add(
            DriverRow(business_id=business_id, name="Mara Aho", depot_id=depot.id, works=hours)
        )
    for n in range(4):
        world.shop.put(f"R{n}", MONDAY)
    world.connect()
    connect(hub, business_id, "ledger", {}, actor="staff:1")
    pull_due(hub)
    _on_the_map(world)
    plan_day(hub, business_id, DAY, strategy="nearest")
    with hub.reading() as session:
        route = session.exec(select(RouteRow)).one()
    publish(hub, business_id, route.id, actor="staff:1", expected_version=route.version)
    return world


def _on_the_map(world: Connected) -> None:
    from hub.db.tables import PlaceRow

    with world.hub.unit() as unit:
        for n, place in enumerate(unit.session.exec(select(PlaceRow))):
            place.lat, place.lon, place.confidence = 60.17 + n / 500, 24.94, 1.0
        for job in unit.session.exec(select(JobRow)):
            job.state = "created"


def carried_out(world: Connected, times: int = 6) -> None:
    for _ in range(times):
        world.hub.deliver_events()


def closed(world: Connected, ref: str, outcome: str = "succeeded", **body: Any) -> JobRow:
    hub, business_id = world.hub, world.business_id
    [driver] = world.rows(DriverRow)
    device = device_for(hub, pair(hub, pairing_code(hub, business_id, driver.id)) or "")
    assert device
    with hub.reading() as session:
        job = session.exec(
            select(JobRow).join(OrderRow, OrderRow.id == JobRow.order_id).where(OrderRow.ref == ref)
        ).one()
    world.later(minutes=5)
    acts = [
        IncomingAct(
            act_id=f"{ref}-{kind}",
            kind=kind,
            job_id=job.id,
            occurred_at=world.now[0] + timedelta(seconds=n),
            body={"outcome": outcome, **body} if kind == "close" else {},
        )
        for n, kind in enumerate(("head_for", "arrive", "close"))
    ]
    world.later(minutes=1)
    told = take_acts(hub, device, acts)
    assert {one.result for one in told} == {"applied"}, told
    return job


def stages(world: Connected, ref: str) -> list[str]:
    return [one["stage"] for one in world.shop.news.values() if one["ref"] == ref]


def test_the_store_hears_each_stage_once_and_in_order(world: Connected) -> None:
    closed(world, "R0", name="Ana")
    carried_out(world)
    assert stages(world, "R0") == ["placed", "dispatched", "on_the_way", "arrived", "closed"]
    assert stages(world, "R1") == ["placed", "dispatched"]
    last = list(world.shop.news.values())[-1]
    assert last["outcome"] == "succeeded"
    assert "/t/" in last["link"]


def test_a_store_shows_the_buyer_of_a_present_their_own_link(world: Connected) -> None:
    with world.hub.unit() as unit:
        order = unit.session.exec(select(OrderRow).where(OrderRow.ref == "R0")).one()
        about = {"business_id": order.business_id, "order_id": order.id}
        unit.session.exec(delete(ContactRow).where(ContactRow.order_id == order.id))
        unit.session.add(ContactRow(**about, role="recipient", name="Anna Virtanen"))
        unit.session.add(ContactRow(**about, role="buyer", name="Otso Berg"))
        unit.session.flush()
        contacts = [Contact(Role.RECIPIENT, "Anna Virtanen"), Contact(Role.BUYER, "Otso Berg")]
        add_links(unit.session, world.hub.keys, order, contacts)
    closed(world, "R0", name="Ana")
    closed(world, "R1", name="Ana")
    carried_out(world)
    roles = {}
    for one in world.shop.news.values():
        with world.hub.reading() as session:
            link = opened(session, one["link"].rpartition("/")[2], world.now[0])
        assert link is not None
        roles[one["ref"], one["stage"]] = link.role
    assert roles["R0", "closed"] is Role.BUYER
    assert roles["R1", "closed"] is Role.RECIPIENT


def test_a_store_that_is_away_hears_it_later_in_the_same_order(world: Connected) -> None:
    world.shop.be("down")
    closed(world, "R0", name="Ana")
    carried_out(world)
    assert stages(world, "R0") == []
    world.shop.be("well")
    for _ in range(8):
        world.later(minutes=3)
        carried_out(world)
    assert stages(world, "R0") == ["placed", "dispatched", "on_the_way", "arrived", "closed"]


def counted(world: Connected, ails: str = "nobody") -> list[str]:
    """What the store is asked from now on; it fails whenever it is asked about ``ails``."""
    asked: list[str] = []

    def through(environ: dict[str, Any], start: Any) -> Any:
        asked.append(environ["PATH_INFO"])
        if ails in environ["PATH_INFO"]:
            start("500 Oops", [("Content-Length", "0")])
            return [b""]
        return world.shop.app(environ, start)

    world.hub.tools.http.mount("https://bakehouse.test", WsgiAdapter(through))
    return asked


def test_a_pause_that_the_store_asked_for_holds_all_that_it_is_to_be_told(
    world: Connected,
) -> None:
    """Sixty orders to tell were sixty calls at a store that had asked for an hour."""
    asked = counted(world)
    world.shop.be("busy")
    carried_out(world)
    until, about = world.now[0] + timedelta(seconds=7), (world.hub, world.business_id)
    assert connection_seen(*about, world.connection_id).paused_until == until
    world.later(seconds=6)
    carried_out(world)
    pull_due(world.hub)
    assert len(asked) == 1
    world.shop.be("well")
    world.later(seconds=1)
    carried_out(world)
    assert [stages(world, f"R{n}") for n in range(4)] == [["placed", "dispatched"]] * 4
    assert connection_seen(*about, world.connection_id).paused_until is None


def test_a_store_that_is_away_is_asked_once_for_all_its_orders(world: Connected) -> None:
    """And everybody else's events go on meanwhile, in another chore."""
    asked = counted(world)
    world.shop.be("down")
    while deliver(world.hub):
        pass
    assert asked == []
    waiting = {row.subscriber for row in world.rows(ErrandRow) if row.state == "due"}
    assert waiting == {"hub.locate", "hub.write_back"}
    tell_shops(world.hub)
    assert len(asked) == 1
    world.shop.be("well")
    for _ in range(3):
        world.later(seconds=2)
        tell_shops(world.hub)
    assert [stages(world, f"R{n}") for n in range(4)] == [["placed", "dispatched"]] * 4


def test_an_order_that_alone_makes_the_store_fail_holds_up_no_other(world: Connected) -> None:
    counted(world, ails="R1")
    for _ in range(6):
        tell_shops(world.hub)
        world.later(seconds=2)
    told = ["placed", "dispatched"]
    assert [stages(world, f"R{n}") for n in range(4)] == [told, [], told, told]


def test_what_was_overtaken_while_it_was_parked_is_not_told_last(world: Connected) -> None:
    """Somebody sent "dispatched" again after "delivered" had gone through."""
    carried_out(world, 1)
    with world.hub.unit() as unit:
        parked = unit.session.exec(
            select(ErrandRow)
            .join(EventRow, col(EventRow.seq) == col(ErrandRow.event_seq))
            .join(OrderRow, col(OrderRow.id) == col(ErrandRow.subject_id))
            .where(EventRow.name == "JobDispatched", OrderRow.ref == "R0")
            .where(ErrandRow.subscriber == "hub.write_back")
        ).one()
        parked.state = "parked"
    closed(world, "R0", name="Ana")
    carried_out(world)
    assert stages(world, "R0") == ["placed", "on_the_way", "arrived", "closed"]
    asked = counted(world)
    retry(world.hub, world.business_id, parked.id or 0, actor="staff:1")
    carried_out(world)
    assert asked == []
    assert not [row for row in world.rows(ErrandRow) if row.state != "done"]


def test_what_waited_for_a_reconnect_is_told_after_it(world: Connected) -> None:
    carried_out(world)
    world.shop.be("locked")
    closed(world, "R0", name="Ana")
    carried_out(world)
    assert world.row().state == "needs_reconnect"
    assert any(row.state == "parked" for row in world.rows(ErrandRow))
    world.shop.be("well")
    world.connect()
    carried_out(world)
    assert stages(world, "R0")[-1] == "closed"
    assert not any(row.state == "parked" for row in world.rows(ErrandRow))


def test_what_fell_due_while_a_connection_was_off_is_told_when_it_is_back(world: Connected) -> None:
    hub, business_id = world.hub, world.business_id
    carried_out(world)
    [ledger] = [row for row in world.rows(ConnectionRow) if row.plugin == "ledger"]
    for one in (world.connection_id, ledger.id):
        disconnect(hub, business_id, one, actor="staff:1")
    closed(world, "R0", name="Ana")
    closed(world, "R1", name="Ben")
    carried_out(world)
    assert (stages(world, "R0")[-1], LEDGER["records"]) == ("dispatched", {})
    job = next(one.job_id for one in month(hub, business_id, "UTC", DAY.replace(day=1)))
    with pytest.raises(Disconnected, match="No books are connected"):
        file_job(hub, business_id, job)
    world.connect()
    connect(hub, business_id, "ledger", {}, actor="staff:1", connection_id=ledger.id)
    [by_hand] = file_job(hub, business_id, job)  # whoever cannot wait
    assert by_hand.state == "recorded"
    carried_out(world)
    assert stages(world, "R0") == ["placed", "dispatched", "closed"]
    assert stages(world, "R1") == ["placed", "dispatched", "closed"]
    assert stages(world, "R2") == ["placed", "dispatched"]
    assert len(LEDGER["records"]) == len(world.rows(RecordRow)) == 2


def test_filing_while_the_books_are_disconnected_says_so_and_changes_nothing(
    world: Connected,
) -> None:
    LEDGER["invoices"] = []
    closed(world, "R0", name="Ana")
    carried_out(world)
    [row] = world.rows(RecordRow)
    disconnect(world.hub, world.business_id, row.connection_id, actor="staff:1")
    with pytest.raises(Disconnected, match="Ledger is disconnected. Connect it again under"):
        file_at(world.hub, world.business_id, row.id, actor="staff:1")
    [after] = world.rows(RecordRow)
    assert (after.state, after.problem) == ("unmatched", row.problem)


def test_a_delivery_is_filed_at_its_invoice_with_its_document(world: Connected) -> None:
    job = closed(world, "R0", name="Ana", note="left at the door")
    carried_out(world)
    [row] = world.rows(RecordRow)
    assert (row.state, row.label, row.filed) == ("recorded", "Invoice #R0", "a note at #R0")
    record: DeliveryRecord = LEDGER["records"][job.id]
    assert (record.outcome, record.received_by, record.note) == (
        "succeeded",
        "Ana",
        "left at the door",
    )
    assert record.driver == "Mara Aho"
    [document] = record.documents
    assert document.name == "POD #R0.pdf"
    assert document.content.startswith(b"%PDF")


def test_a_failed_delivery_is_filed_too(world: Connected) -> None:
    job = closed(world, "R0", "failed", reason="nobody_home")
    carried_out(world)
    assert LEDGER["records"][job.id].outcome == "failed"
    assert LEDGER["records"][job.id].reason


def test_no_invoice_or_two_wait_for_a_person_who_chooses(world: Connected) -> None:
    LEDGER["invoices"] = ["#R0/a", "#R0/b"]
    closed(world, "R0", name="Ana")
    closed(world, "R1", name="Ben")
    carried_out(world)
    two, none = sorted(world.rows(RecordRow), key=lambda row: -len(row.candidates))
    assert (two.state, none.state) == ("unmatched", "unmatched")
    assert [one["ref"] for one in two.candidates] == ["#R0/a", "#R0/b"]
    assert none.problem == "Looked for an invoice with the number #R1. There is none."
    shown = [one.problem for one in month(world.hub, world.business_id, "UTC", DAY.replace(day=1))]
    assert SEVERAL in shown
    with pytest.raises(LookupError):
        file_at(world.hub, world.business_id, two.id, "#R9", actor="staff:1")
    filed = file_at(world.hub, world.business_id, two.id, "#R0/b", actor="staff:1")
    assert (filed.state, filed.label) == ("recorded", "Invoice #R0/b")
    LEDGER["invoices"].append("#R1")  # the accountant made it meanwhile
    assert file_at(world.hub, world.business_id, none.id, actor="staff:1").state == "recorded"


def test_a_document_is_named_by_its_number_where_none_was_found(world: Connected) -> None:
    LEDGER["invoices"] = ["INV-7"]
    closed(world, "R0", name="Ana")
    carried_out(world)
    [row] = world.rows(RecordRow)
    about = (world.hub, world.business_id, row.id)
    for wrong, why in (("INV-8", "has no document INV-8"), ("", "Write the number")):
        with pytest.raises(Refused, match=why):
            file_numbered(*about, wrong, actor="staff:1")
    assert world.rows(RecordRow) == [row]
    filed = file_numbered(*about, "INV-7", actor="staff:1")
    assert (filed.state, filed.label, filed.filed) == (
        "recorded",
        "Invoice INV-7",
        "a note at INV-7",
    )


def test_what_the_books_refuse_is_parked_in_their_words_and_can_be_left_out(
    world: Connected,
) -> None:
    LEDGER["void"] = ["#R0"]
    closed(world, "R0", name="Ana")
    carried_out(world)
    [row] = world.rows(RecordRow)
    assert (row.state, row.problem) == (
        "parked",
        "Invoice #R0 is void: it takes no files any more.",
    )
    let_go(world.hub, world.business_id, row.id, actor="staff:1")
    assert world.rows(RecordRow)[0].state == "dismissed"
    [out] = month(world.hub, world.business_id, "UTC", DAY.replace(day=1))
    assert (out.state, out.problem) == ("dismissed", "")
    # It was let go by mistake: it is put back, and waits or is filed as before.
    assert file_at(world.hub, world.business_id, row.id, actor="staff:1").state == "parked"
    let_go(world.hub, world.business_id, row.id, actor="staff:1")
    LEDGER["void"] = []
    assert file_at(world.hub, world.business_id, row.id, actor="staff:1").state == "recorded"
    [record] = LEDGER["records"].values()
    assert str(record.at.tzinfo) == "Europe/Helsinki"


def test_a_bug_of_one_book_does_not_keep_it_from_the_next(world: Connected) -> None:
    there = connect(world.hub, world.business_id, "ledger", {"place": "there"}, actor="staff:1")
    LEDGER["misprinted"] = "here"
    closed(world, "R0", name="Ana")
    carried_out(world)
    [row] = world.rows(RecordRow)
    assert (row.connection_id, row.state) == (there.connection_id, "recorded")
    LEDGER["misprinted"] = ""
    world.later(hours=1)
    carried_out(world)
    assert {row.state for row in world.rows(RecordRow)} == {"recorded"}
    assert len(world.rows(RecordRow)) == 2


def test_books_that_are_away_get_it_later_and_once(world: Connected) -> None:
    LEDGER["away"] = True
    closed(world, "R0", name="Ana")
    carried_out(world)
    assert world.rows(RecordRow) == []
    del LEDGER["away"]
    for _ in range(8):
        world.later(minutes=3)
        carried_out(world)
    assert [row.state for row in world.rows(RecordRow)] == ["recorded"]
    assert len(LEDGER["records"]) == 1


def test_the_month_sets_every_job_beside_its_document(world: Connected) -> None:
    LEDGER["invoices"] = ["#R0"]
    closed(world, "R0", name="Ana")
    closed(world, "R1", name="=cmd()")
    carried_out(world)
    closed(world, "R2", name="Cem")  # nobody filed it yet
    entries = month(world.hub, world.business_id, "Europe/Helsinki", date(2026, 11, 1))
    assert [(one.number, one.state, one.document) for one in entries] == [
        ("#R0", "recorded", "Invoice #R0"),
        ("#R1", "unmatched", ""),
        ("#R2", "not yet", ""),
    ]
    assert {one.customer for one in entries} == {"Ana"}
    assert records_of(world.hub, world.business_id, entries[0].order_id) == entries[:1]
    assert records_of(world.hub, world.business_id, entries[2].order_id) == []
    assert month(world.hub, world.business_id, "Europe/Helsinki", date(2026, 12, 1)) == []
    other = found(world.hub, "Other", zone="UTC")
    assert month(world.hub, other, "UTC", date(2026, 11, 1)) == []
    lines = as_csv(entries, "Europe/Helsinki").splitlines()
    assert lines[0].startswith("\ufefforder,closed,outcome")  # told by it, Excel reads UTF-8
    assert len(lines) == 4
    evil = [replace(entries[0], problem="=1+1")]
    assert "'=1+1" in as_csv(evil, "Europe/Helsinki")


def test_orders_that_came_by_api_tell_no_store(world: Connected) -> None:

    order = Order(
        ref="A1",
        number="A1",
        updated_at=MONDAY,
        address=Address(("Mannerheimintie 1",), "Helsinki"),
        point=Point(60.17, 24.94),
    )
    api = connection_id(world.hub, world.business_id, "api")
    store_all(world.hub, world.business_id, api, [order])
    carried_out(world)
    assert stages(world, "A1") == []
    assert all(row.state != "parked" for row in world.rows(ErrandRow))
    assert {row.plugin for row in world.rows(ConnectionRow)} >= {"api", "bakehouse", "ledger"}


def test_who_is_connected_to_nothing_has_no_errands_for_it(world: Connected) -> None:
    other = found(world.hub, "Other", zone="UTC")
    order = Order(
        ref="A1",
        number="A1",
        updated_at=MONDAY,
        address=Address(("Aleksanterinkatu 1",), "Helsinki"),
    )
    store_all(world.hub, other, connection_id(world.hub, other, "api"), [order])
    carried_out(world)
    named = {row.subscriber for row in world.rows(ErrandRow) if row.business_id == other}
    assert named
    assert not named & {"hub.write_back", "hub.records"}

"""A bakery's morning: orders in, places found, routes planned; on both databases."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.core.jobs import State
from hub.core.orders import IncomingOrder, PickUp
from hub.core.values import Address, Contact, Line, Point, Role
from hub.db.migrate import migrate
from hub.db.tables import (
    DepotRow,
    DriverRow,
    EventRow,
    JobRow,
    LinkRow,
    OrderRow,
    PlaceRow,
    RouteRow,
    StopJobRow,
)
from hub.flows.connections import connection_id
from hub.flows.found import found
from hub.flows.import_file import preview, store_preview
from hub.flows.locate import locate_new, set_pin
from hub.flows.overview import day_seen
from hub.flows.plan import PlanOutdated, _store, plan_day, read_day
from hub.flows.sync import store_all
from hub.keys import hashed

DAY = date(2026, 11, 23)
SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)  # six in the morning in Helsinki
CSV = """Order no;Name;Street;Postcode;City;Phone;Item;Qty;From;To
1001;Aino Laine;Mannerheimintie 14;00100;Helsinki;040 123 4567;Rye bread;2;10:00;12:00
1002;Eero Virtanen;Yrjönkatu 10;;Helsinki;;Sourdough;1;;
1002;;;;;;Bun;6;;
1003;Oona Saari;Nosuchstreet 999;;Nowhere;;Cake;1;;
"""


@pytest.fixture
def hub(database_url: str, helsinki: Path, tmp_path: Path) -> Hub:
    (tmp_path / "map").symlink_to(helsinki / "map")
    return Hub.in_memory(now=lambda: SIX, data_dir=tmp_path, url=database_url)


def a_bakery(hub: Hub, name: str = "Husk") -> str:
    business_id = found(hub, name, zone="Europe/Helsinki", country="FI")
    with hub.unit() as unit:
        depot = DepotRow(business_id=business_id, name="Bakery", lat=60.1699, lon=24.9384)
        unit.session.add(depot)
        unit.session.flush()
        unit.session.add(
            DriverRow(
                business_id=business_id,
                name="Mara",
                depot_id=depot.id,
                works={"0": ["08:00", "17:00"]},
            )
        )
    return business_id


def import_morning(hub: Hub, business_id: str) -> None:
    seen = preview(hub, business_id, CSV.encode(), "orders.csv")
    assert not [p for p in seen.problems if p.is_fatal]
    store_preview(hub, business_id, seen, actor="test")


def jobs_of(hub: Hub, business_id: str) -> list[JobRow]:
    with hub.reading() as session:
        return list(session.exec(select(JobRow).where(JobRow.business_id == business_id)))


def test_a_file_becomes_orders_places_and_a_planned_route(hub: Hub) -> None:
    bakery = a_bakery(hub)
    import_morning(hub, bakery)
    places = locate_new(hub, bakery)
    assert (places.sure, places.to_review) == (2, 1)
    plan_day(hub, bakery, DAY)
    seen = day_seen(hub, bakery, DAY)
    [route] = seen.routes
    assert {number for stop in route.stops for number in stop.numbers} == {"1001", "1002"}
    assert seen.to_review == 1
    states = Counter(job.state for job in jobs_of(hub, bakery))
    assert states == {State.ASSIGNED: 2, State.NEEDS_REVIEW: 1}


def test_the_same_file_again_changes_nothing_and_announces_nothing(hub: Hub) -> None:
    bakery = a_bakery(hub)
    import_morning(hub, bakery)
    with hub.reading() as session:
        before = len(session.exec(select(EventRow)).all())
    report = store_preview(
        hub, bakery, preview(hub, bakery, CSV.encode(), "orders.csv"), actor="test"
    )
    assert (report.placed, report.amended, report.repeats) == (0, 0, 3)
    with hub.reading() as session:
        assert len(session.exec(select(EventRow)).all()) == before


def test_a_pin_set_once_is_never_asked_for_again(hub: Hub) -> None:
    bakery = a_bakery(hub)
    import_morning(hub, bakery)
    locate_new(hub, bakery)
    [unsure] = [job for job in jobs_of(hub, bakery) if job.state == State.NEEDS_REVIEW]
    set_pin(hub, bakery, str(unsure.place_id), Point(60.17, 24.94), actor="staff:1")
    again = IncomingOrder(
        ref="2001",
        number="2001",
        updated_at=SIX,
        address=Address(("NOSUCHSTREET  999",), city="nowhere", country="FI"),
    )
    seen = preview(hub, bakery, CSV.replace("1003", "2002").encode(), "next.csv")
    store_preview(hub, bakery, seen, actor="test")
    store_all(hub, bakery, connection_id(hub, bakery, "api"), [again])
    assert locate_new(hub, bakery).to_review == 0


def test_a_pin_of_another_business_cannot_be_set(hub: Hub) -> None:
    bakery, other = a_bakery(hub), a_bakery(hub, "Other")
    import_morning(hub, bakery)
    locate_new(hub, bakery)
    [unsure] = [job for job in jobs_of(hub, bakery) if job.state == State.NEEDS_REVIEW]
    with pytest.raises(LookupError):
        set_pin(hub, other, str(unsure.place_id), Point(60.17, 24.94), actor="staff:2")


def test_one_business_plans_nothing_of_another(hub: Hub) -> None:
    bakery, other = a_bakery(hub), a_bakery(hub, "Other")
    import_morning(hub, bakery)
    locate_new(hub, bakery)
    plan_day(hub, other, DAY)
    assert day_seen(hub, other, DAY).routes == ()
    assert all(job.state != State.ASSIGNED for job in jobs_of(hub, bakery))


def test_planning_twice_leaves_one_draft(hub: Hub) -> None:
    bakery = a_bakery(hub)
    import_morning(hub, bakery)
    locate_new(hub, bakery)
    first, second = plan_day(hub, bakery, DAY), plan_day(hub, bakery, DAY)
    assert (first.n, second.n) == (1, 2)
    with hub.reading() as session:
        assert len(session.exec(select(RouteRow)).all()) == 1
        assert len(session.exec(select(StopJobRow)).all()) == 2


def test_a_large_days_roads_are_asked_for_where_it_is_planned(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two places make no large day; here everything above one counts as that."""
    monkeypatch.setattr("hub.flows.roads.WHOLE_UP_TO", 1)
    bakery = a_bakery(hub)
    import_morning(hub, bakery)
    locate_new(hub, bakery)
    seen = read_day(hub, bakery, DAY, 1.0)
    (travel,) = seen.request.travel.values()
    assert not travel.is_whole
    run = plan_day(hub, bakery, DAY, time_limit_s=1.0, strategy="pyvrp", apart=True)
    assert run.result["notes"] == []
    (route,) = day_seen(hub, bakery, DAY).routes
    monkeypatch.undo()
    plan_day(hub, bakery, DAY, time_limit_s=1.0)
    (again,) = day_seen(hub, bakery, DAY).routes
    assert len(again.stops) == len(route.stops) > 0


def test_a_plan_made_from_what_has_changed_is_not_stored(hub: Hub) -> None:
    bakery = a_bakery(hub)
    import_morning(hub, bakery)
    locate_new(hub, bakery)
    seen = read_day(hub, bakery, DAY, 1.0)
    later = preview(hub, bakery, CSV.replace("10:00", "11:00").encode(), "orders.csv")
    for order in later.orders:  # the shop's clock has moved on
        object.__setattr__(order, "updated_at", SIX + timedelta(hours=1))
    store_preview(hub, bakery, later, actor="test")
    from hub.core.planning import completed

    plan = completed(seen.request, {})
    with pytest.raises(PlanOutdated), hub.unit() as unit:
        _store(unit, hub.now(), bakery, DAY, seen, plan, "nearest")
    assert day_seen(hub, bakery, DAY).routes == ()


def test_a_pair_is_planned_together_or_not_at_all(hub: Hub) -> None:
    bakery = a_bakery(hub)
    here = Address(("Yrjönkatu 10",), city="Helsinki", country="FI")
    order = IncomingOrder(
        ref="P1",
        number="P1",
        updated_at=SIX,
        address=here,
        pick_up=PickUp(address=Address(("Nosuchstreet 1",), city="Nowhere", country="FI")),
        contacts=(Contact(Role.RECIPIENT, "Ana"),),
        lines=(Line("Cake"),),
    )
    store_all(hub, bakery, connection_id(hub, bakery, "api"), [order])
    locate_new(hub, bakery)
    plan_day(hub, bakery, DAY)
    assert day_seen(hub, bakery, DAY).routes == ()
    [unsure] = [job for job in jobs_of(hub, bakery) if job.state == State.NEEDS_REVIEW]
    set_pin(hub, bakery, str(unsure.place_id), Point(60.171, 24.941), actor="staff:1")
    plan_day(hub, bakery, DAY)
    [route] = day_seen(hub, bakery, DAY).routes
    assert [kind for stop in route.stops for kind in stop.kinds] == ["collect", "deliver"]


def test_a_cancelled_order_closes_its_jobs_and_leaves_the_next_plan(hub: Hub) -> None:
    bakery = a_bakery(hub)
    api = connection_id(hub, bakery, "api")
    order = IncomingOrder(
        ref="C1",
        number="C1",
        updated_at=SIX,
        address=Address(("Yrjönkatu 10",), city="Helsinki", country="FI"),
    )
    store_all(hub, bakery, api, [order])
    locate_new(hub, bakery)
    gone = IncomingOrder(
        ref="C1", number="C1", updated_at=SIX, address=order.address, status="cancelled"
    )
    assert store_all(hub, bakery, api, [gone]).cancelled == 1
    [job] = jobs_of(hub, bakery)
    assert (job.state, job.outcome) == ("closed", "cancelled")
    plan_day(hub, bakery, DAY)
    assert day_seen(hub, bakery, DAY).routes == ()


def test_an_orders_link_can_be_derived_again_and_only_its_hash_is_kept(hub: Hub) -> None:
    bakery = a_bakery(hub)
    import_morning(hub, bakery)
    with hub.reading() as session:
        rows = session.exec(select(OrderRow, LinkRow).join(LinkRow)).all()
    assert len(rows) == 3
    for order, link in rows:
        token = hub.keys.link_token(order.id, link.epoch)
        assert len(token) == 22
        assert link.token_hash == hashed(token) != token


def test_the_migrations_make_exactly_the_tables_of_the_code(empty_database_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlmodel import SQLModel

    from hub.db.engine import open_engine

    engine = open_engine(empty_database_url)
    migrate(engine)
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, SQLModel.metadata) == []


def test_a_place_a_person_pinned_outranks_a_files_coordinates(hub: Hub) -> None:
    bakery = a_bakery(hub)
    import_morning(hub, bakery)
    locate_new(hub, bakery)
    place_id = str(jobs_of(hub, bakery)[0].place_id)
    set_pin(hub, bakery, place_id, Point(60.2, 24.9), actor="staff:1", access_note="Ring twice")
    with hub.reading() as session:
        place = session.get_one(PlaceRow, place_id)
    assert (place.lat, place.source, place.access_note) == (60.2, "staff", "Ring twice")

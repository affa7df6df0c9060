"""A large file comes in while the hub works on: some of it at a time, none of it twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, func, select

from hub.db.tables import EventRow, ImportRow, OrderRow
from hub.flows.drive import take_acts
from hub.flows.import_file import look, preview, store_file, store_preview, take_file
from hub.flows.import_parts import AT_ONCE
from hub.flows.orders import amend_order, connection_ids, orders_by_ref
from tests.driving_worlds import TEN, Morning, a_morning, act

ROWS = 3 * AT_ONCE
HEADER = "Order,Address,City,Latitude,Longitude,Status\n"


def a_file(rows: int = ROWS, status: str = "") -> bytes:
    lines = (f"F{n},Yrjönkatu {n},Helsinki,60.17,24.94,{status}\n" for n in range(rows))
    return (HEADER + "".join(lines)).encode()


def kept(day: Morning, content: bytes = a_file()) -> str:
    return take_file(day.hub, day.business_id, content, "orders.csv").id


def stored(day: Morning, import_id: str) -> ImportRow:
    return store_file(day.hub, day.business_id, import_id, actor="staff:1")


def from_file(day: Morning, status: str = "open") -> int:
    with day.hub.reading() as session:
        mine = select(func.count()).where(col(OrderRow.ref).like("F%"), OrderRow.status == status)
        return session.exec(mine).one()


def times_announced(day: Morning) -> int:
    with day.hub.reading() as session:
        return session.exec(
            select(func.count())
            .select_from(EventRow)
            .join(OrderRow, col(OrderRow.id) == col(EventRow.subject_id))
            .where(col(OrderRow.ref).like("F%"), EventRow.name == "OrderPlaced")
        ).one()


def test_a_drivers_act_is_taken_while_a_large_file_is_stored(database_url: str) -> None:
    """Every act waited until the last order was in, and failed after ten seconds."""
    day = a_morning(1, database_url)
    day.publish()
    day.now[0] = TEN
    phone, [job] = day.phone(), day.jobs()
    import_id, seen = kept(day), set[int]()
    with ThreadPoolExecutor(1) as pool:
        storing, n = pool.submit(stored, day, import_id), 0
        while not storing.done():
            before = from_file(day)
            take_acts(day.hub, phone, [act(f"a{n}", "arrive", job, n)])
            seen |= {before, from_file(day)}
            n += 1
        storing.result()
    assert any(0 < count < ROWS for count in seen)


@pytest.fixture
def stopped(tmp_path: Path) -> tuple[Morning, str]:
    """A file of which the storing ended with an error on the way; the cause is mended."""
    day = a_morning(1, f"sqlite:///{tmp_path / 'hub.db'}")
    import_id = kept(day)
    with day.hub.engine.begin() as connection:
        connection.exec_driver_sql(
            'CREATE TRIGGER full BEFORE INSERT ON "order" WHEN NEW.ref = '
            f"'F{AT_ONCE + 5}' BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    with pytest.raises(SQLAlchemyError):
        stored(day, import_id)
    with day.hub.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    return day, import_id


def test_a_file_that_was_stopped_on_its_way_says_how_far_it_came(
    stopped: tuple[Morning, str],
) -> None:
    day, import_id = stopped
    looked = look(day.hub, day.business_id, import_id)
    assert (looked.row.state, looked.taken, from_file(day)) == ("preview", AT_ONCE, AT_ONCE)


def test_a_file_that_was_stopped_goes_on_where_it_was(stopped: tuple[Morning, str]) -> None:
    day, import_id = stopped
    report = stored(day, import_id).report
    assert (report["placed"], report["repeats"], from_file(day)) == (ROWS, 0, ROWS)
    assert times_announced(day) == ROWS


def test_what_was_changed_since_a_file_was_stopped_stays(stopped: tuple[Morning, str]) -> None:
    day, import_id = stopped
    with day.hub.unit() as unit:
        files = connection_ids(unit.session, day.business_id)["csv"]
        [one] = orders_by_ref(unit.session, day.business_id, files, ["F7"]).values()
        about = day.hub.now(), "staff:1"
        amend_order(unit, day.hub.keys, one, {"instructions": "Ring twice"}, *about)
    stored(day, import_id)
    with day.hub.reading() as session:
        [one] = orders_by_ref(session, day.business_id, files, ["F7"]).values()
    assert one.report.instructions == "Ring twice"


def test_a_large_file_that_two_people_store_at_once_is_stored_once(database_url: str) -> None:
    day = a_morning(1, database_url)
    import_id = kept(day)
    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(lambda _: stored(day, import_id), range(2)))
    assert [row.report["placed"] for row in rows] == [ROWS, ROWS]
    assert (from_file(day), times_announced(day)) == (ROWS, ROWS)


def test_a_large_file_of_cancellations_cancels_all_of_them() -> None:
    day = a_morning(1)
    stored(day, kept(day))
    report = stored(day, kept(day, a_file(status="cancelled"))).report
    assert (report["cancelled"], from_file(day, "cancelled")) == (ROWS, ROWS)
    assert report["skipped"] == []


def test_a_large_file_from_the_command_line_comes_in_whole() -> None:
    day = a_morning(1)
    seen = preview(day.hub, day.business_id, a_file(), "orders.csv")
    assert store_preview(day.hub, day.business_id, seen, actor="cli").placed == ROWS
    assert store_preview(day.hub, day.business_id, seen, actor="cli").repeats == ROWS

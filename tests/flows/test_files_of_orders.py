"""What a file brings in can be stored, read again, and means the same the second time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from hub.app import Hub
from hub.db.tables import JobRow, OrderRow, PlaceRow
from hub.flows.found import found
from hub.flows.import_file import store_file, take_file
from hub.flows.order_rows import order_report

MARCH = datetime(2026, 3, 20, 8, tzinfo=UTC)
HEADER = "Order,Address,City,Date,From,To\n"


class Files:
    def __init__(self, url: str) -> None:
        self.hub = Hub.in_memory(now=lambda: MARCH, url=url)
        self.business_id = found(self.hub, "Husk", zone="Europe/Helsinki", country="FI")

    def store(self, content: str) -> dict:  # type: ignore[type-arg]
        row = take_file(self.hub, self.business_id, content.encode(), "day.csv")
        return store_file(self.hub, self.business_id, row.id, actor="test").report

    def rows(self, table: type) -> list:  # type: ignore[type-arg]
        with self.hub.reading() as session:
            return list(session.exec(select(table).order_by(table.id)))

    def windows(self) -> list[tuple[str, str]]:
        orders = [order_report.validate_python(row.report) for row in self.rows(OrderRow)]
        return [(w.opens.isoformat(), w.closes.isoformat()) for o in orders for w in o.windows]


@pytest.fixture
def files(database_url: str) -> Files:
    return Files(database_url)


def test_a_window_the_clocks_leave_out_in_spring_is_an_hour_later(files: Files) -> None:
    """It was stored as one that closes before it opens, and no order could be read again."""
    row = "1,Kaivokatu 1,Helsinki,2026-03-29,03:30,04:10\n"
    assert files.store(HEADER + row)["placed"] == 1
    assert files.windows() == [("2026-03-29T04:30:00+03:00", "2026-03-29T05:10:00+03:00")]
    assert files.store(HEADER + row)["repeats"] == 1


@pytest.mark.parametrize("hours", ["03:10,03:50", "2026-10-25 03:10,2026-10-25 03:50"])
def test_a_window_that_clocks_show_twice_in_autumn_is_no_change_the_second_time(
    files: Files, hours: str
) -> None:
    row = f"1,Kaivokatu 1,Helsinki,2026-10-25,{hours}\n"
    assert files.store(HEADER + row)["placed"] == 1
    assert files.windows() == [("2026-10-25T03:10:00+03:00", "2026-10-25T03:50:00+03:00")]
    assert files.store(HEADER + row)["repeats"] == 1


def test_cells_of_any_length_can_be_stored(files: Files) -> None:
    """PostgreSQL refused the whole file for one long name, and said in no row why."""
    header = "Order,Address,City,Name,Phone,Email,Item,SKU,Barcode,Notes,Tags,COD Amount"
    rows = [
        ",".join([f"{n}", "Kaivokatu 1", *("x" * 5000 if at == n else "1" for at in range(2, 12))])
        for n in range(2, 12)
    ]
    stored = files.store("\n".join([header, *rows, f"{'9' * 5000},Kaivokatu 1,Helsinki" + "," * 9]))
    assert stored["placed"] == 9
    fatal = [problem["row"] for problem in stored["problems"] if problem["is_fatal"]]
    assert fatal == [2, 12]  # another city, another order
    too_long = {p["row"] for p in stored["problems"] if "longer than" in p["message"]}
    assert too_long == set(range(2, 13))


def test_a_failing_statement_names_nobody(files: Files) -> None:
    """The people in a row that could not be written stood in the log."""
    with pytest.raises(DBAPIError) as failed, files.hub.unit() as unit:
        unit.session.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": "Aino Virtanen"})
    assert "Aino" not in str(failed.value)


def test_orders_with_coordinates_alone_go_to_places_of_their_own(files: Files) -> None:
    """They shared one place, named by the country, at the last one's coordinates."""
    files.store("Order,Lat,Lon\n1,60.17,24.93\n2,60.25,24.95\n")
    places = {row.id: (row.lat, row.lon) for row in files.rows(PlaceRow)}
    assert [places[job.place_id] for job in files.rows(JobRow)] == [(60.17, 24.93), (60.25, 24.95)]

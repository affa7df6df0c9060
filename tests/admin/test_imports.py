"""Files of orders come in by the panel: looked at, mended, stored once."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import openpyxl
import pytest

from hub.app import Hub
from hub.core.csv_reading import MAX_BYTES
from hub.db.tables import ContactRow, ImportRow, JobRow, OrderRow
from tests.admin.desk import MORNING, Desk, a_desk, a_hub, text_of

DATA = Path(os.environ.get("HUB_TEST_DATA", "")) / "imports"
EXPORTS = (
    sorted(p for p in DATA.rglob("*") if p.suffix in (".csv", ".txt")) if DATA.is_dir() else []
)
ODD = "A;B;C;D\nx1;Aino Laine;Mannerheimintie 14;Helsinki\nx2;Eero Virtanen;Yrjönkatu 10;Helsinki\n"


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return a_hub(None, tmp_path)


@pytest.fixture
def desk(hub: Hub) -> Desk:
    return a_desk(hub)


def upload(desk: Desk, content: bytes | str, name: str = "orders.csv") -> str:
    """The path of the preview."""
    content = content.encode() if isinstance(content, str) else content
    answer = desk.post("/panel/import", file=(io.BytesIO(content), name))
    assert answer.status_code == 302, text_of(answer)
    return answer.location


def as_shown(desk: Desk, path: str) -> dict[str, str]:
    """The mapping form as the page has it."""
    import re

    page = desk.get(path).text
    fields = {}
    for name, options in re.findall(r'<select[^>]*name="(column-\d+)">(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    if re.search(r'name="has_header" value="1"[^>]*checked', page):
        fields["has_header"] = "1"
    return fields


def take_in(desk: Desk, path: str, **changed: str) -> str:
    answer = desk.post(path, follow=True, do="store", **{**as_shown(desk, path), **changed})
    assert answer.status_code == 200
    return text_of(answer)


def test_a_file_is_looked_at_and_taken_in_once(desk: Desk) -> None:
    path = upload(desk, MORNING)
    assert "4 orders can come in" in text_of(desk.get(path))
    assert desk.rows(OrderRow) == []
    assert "4 new orders taken in" in take_in(desk, path)
    assert "4 new orders taken in" in take_in(desk, path)
    assert [order.number for order in desk.rows(OrderRow)] == ["1001", "1002", "1003", "1004"]


def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    take_in(desk, upload(desk, MORNING))
    told = take_in(desk, upload(desk, MORNING))
    assert "0 new orders" in told
    assert len(desk.rows(OrderRow)) == 4


STATUS = "Order no;Name;Street;City;Status\n1;Aino Laine;Mannerheimintie 14;Helsinki;{}\n"


def test_a_file_of_cancellations_says_so_before_it_is_taken_in(desk: Desk) -> None:
    """The button offered to take in 0 orders."""
    take_in(desk, upload(desk, STATUS.format("processing")))
    path = upload(desk, STATUS.format("cancelled"))
    page = text_of(desk.get(path))
    assert "1 will be cancelled" in page
    assert "not to be delivered" not in page and "which columns hold" not in page
    assert "Cancel 1 order" in page and "Take in" not in page
    take_in(desk, path)
    assert [order.status for order in desk.rows(OrderRow)] == ["cancelled"]


def test_columns_nobody_knows_are_named_by_the_dispatcher(desk: Desk) -> None:
    path = upload(desk, ODD)
    assert "0 orders can come in" in text_of(desk.get(path))
    chosen = {
        "column-0": "order_ref", "column-1": "recipient_name",
        "column-2": "address_line1", "column-3": "city", "has_header": "1",
    }  # fmt: skip
    looked = desk.post(path, follow=True, do="look", **chosen)
    assert "2 orders can come in" in text_of(looked)
    assert desk.rows(OrderRow) == []
    take_in(desk, path)
    assert sorted(contact.name for contact in desk.rows(ContactRow)) == [
        "Aino Laine",
        "Eero Virtanen",
    ]


def test_a_mapping_is_remembered_for_the_next_file_with_these_columns(desk: Desk) -> None:
    path = upload(desk, ODD)
    chosen = {
        "column-0": "order_ref",
        "column-2": "address_line1",
        "column-3": "city",
        "has_header": "1",
    }
    desk.post(path, do="look", **chosen)
    take_in(desk, path)
    again = upload(desk, ODD.replace("x1", "y1").replace("x2", "y2"))
    page = text_of(desk.get(again))
    assert "2 orders can come in" in page
    assert "the way you read the last file" in page


def test_a_changed_column_is_looked_at_before_it_is_stored(desk: Desk) -> None:
    path = upload(desk, MORNING)
    told = take_in(desk, path, **{"column-1": "company"})
    assert "Look at the orders again" in told
    assert desk.rows(OrderRow) == []


def test_a_file_without_a_header_is_switched(desk: Desk) -> None:
    path = upload(
        desk, "Aino Laine;Mannerheimintie 14;Helsinki\nEero Virtanen;Yrjönkatu 10;Helsinki\n"
    )
    fields = as_shown(desk, path)
    assert "has_header" in fields
    del fields["has_header"]
    page = desk.post(path, follow=True, do="look", **fields)
    assert "Column 1" in page.text
    assert "has_header" not in as_shown(desk, path)
    chosen = {"column-0": "recipient_name", "column-1": "address_line1", "column-2": "city"}
    assert "2 orders can come in" in text_of(desk.post(path, follow=True, do="look", **chosen))


def test_an_ambiguous_date_is_asked_about(desk: Desk) -> None:
    text = "Order no;Street;City;Delivery date\n1;Yrjönkatu 1;Helsinki;03/12/2027\n"
    path = upload(desk, text)
    assert "third of December" in text_of(desk.get(path))
    desk.post(path, do="look", **{**as_shown(desk, path), "day_order": "month"})
    take_in(desk, path, day_order="month")
    assert desk.rows(JobRow)[0].due_on.isoformat() == "2027-03-12"


def test_a_mistake_is_named_by_row_and_column(desk: Desk) -> None:
    text = "Order no;Street;City;Phone\n1;Yrjönkatu 1;Helsinki;12\n2;;;\n3;Yrjönkatu 3;Helsinki\n"
    page = text_of(desk.get(upload(desk, text)))
    assert "1 order can come in" in page
    assert "Row 4 has 3 cells where the header has 4" in page
    assert "is not a phone number we can dial" in page
    assert "Phone" in page


def test_a_quantity_nobody_can_read_says_what_it_counts_as(desk: Desk) -> None:
    text = "Order no;Street;City;Item;Qty;Phone\n1;Yrjönkatu 1;Helsinki;Bun;two;12\n"
    page = text_of(desk.get(upload(desk, text)))
    assert "“two” is not an amount; it counts as 1." in page
    assert "comes in without it" not in page


def test_doubts_are_counted_by_row_not_by_cell(desk: Desk) -> None:
    text = "Order no;Street;City;Item;Qty;Phone\n1;Yrjönkatu 1;Helsinki;Bun;two;12\n"
    assert " 1 row to check" in text_of(desk.get(upload(desk, text)))


@pytest.mark.parametrize("path", EXPORTS, ids=lambda p: p.name)
def test_real_exports_are_looked_at_and_taken_in(desk: Desk, path: Path) -> None:
    here = upload(desk, path.read_bytes(), path.name)
    fields = as_shown(desk, here)
    assert desk.post(here, do="look", **fields).status_code == 302
    told = take_in(desk, here, **fields)
    assert "taken in" in told or "0 orders can come in" in told


def _a_book(cell: str = "A1", value: object = "Street") -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active[cell] = value
    book.save(out)
    return out.getvalue()


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 250_000_000)
    return out.getvalue()


BROKEN = {
    "empty": b"",
    "blank": b"\n\n  \n",
    "nul": b"Order;Street\n1;\0\0\0\0\0\0",
    "open quote": b'Order;Street\n1;"Yrj',
    "long cell": b"Order;Street\n1;" + b"x" * 200_000 + b"\n",
    "duplicate headers": b"Street;Street;Street\na;b;c\n",
    "ragged": b"Order;Street;City\n1;a\n2;b;c;d;e\n3\n",
    "pdf": b"%PDF-1.7 whatever",
    "web page": b"<html><table><tr><td>1</td></tr></table></html>",
    "old excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100,
    "zip": b"PK\x03\x04" + b"\0" * 50,
    "far cell": _a_book("XFD1048576", "x"),
    "header only": _a_book(),
    "surrogates": "Order;Street\n1;\ud800\n".encode("utf-8", "surrogatepass"),
    "random": bytes(range(256)) * 40,
    "wide": b";".join(b"h%d" % n for n in range(600)) + b"\n" + b";".join([b"1"] * 600),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_malformed_file_is_a_sentence_and_stores_nothing(desk: Desk, kind: str) -> None:
    answer = desk.post("/panel/import", file=(io.BytesIO(BROKEN[kind]), "odd.csv"))
    if answer.status_code == 302:  # readable after all: then its preview answers
        assert desk.get(answer.location).status_code == 200
        take_in(desk, answer.location)
    else:
        assert answer.status_code == 422
        assert 'id="file-error"' in answer.text
        assert desk.rows(ImportRow) == []
    assert not any(contact.name for contact in desk.rows(ContactRow))


def test_a_bomb_is_refused(desk: Desk) -> None:
    answer = desk.post("/panel/import", file=(io.BytesIO(_bomb()), "orders.xlsx"))
    assert answer.status_code == 422
    assert "unpacks to more than we accept" in text_of(answer)


def test_a_file_over_20_mb_is_refused_at_the_field(desk: Desk) -> None:
    answer = desk.post("/panel/import", file=(io.BytesIO(b"x" * (MAX_BYTES + 200_000)), "big.csv"))
    assert answer.status_code == 413
    assert "larger than 20 MB" in text_of(answer)


def test_a_file_larger_than_other_bodies_may_be_is_read(desk: Desk) -> None:
    row = b"1;Yrjonkatu 1;Helsinki;" + b"n" * 100_000 + b"\n"
    content = b"Order no;Street;City;Notes\n" + row * (6_000_000 // len(row))
    assert desk.get(upload(desk, content)).status_code == 200


def test_a_workbook_comes_in(desk: Desk) -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["Order no", "Name", "Street", "City"])
    book.active.append([77, "Aino Laine", "Mannerheimintie 14", "Helsinki"])
    book.save(out)
    take_in(desk, upload(desk, out.getvalue(), "orders.xlsx"))
    assert desk.rows(OrderRow)[0].number == "77"


def test_the_template_is_a_file_we_read(desk: Desk) -> None:
    answer = desk.get("/panel/import/template.csv")
    assert "2 orders can come in" in text_of(desk.get(upload(desk, answer.data)))


def test_a_file_of_another_business_is_not_found(hub: Hub, desk: Desk) -> None:
    path = upload(desk, MORNING)
    other = a_desk(hub, "Neighbours")
    assert other.get(path).status_code == 404
    assert other.post(path, do="store").status_code == 404
    assert "orders.csv" not in other.get("/panel/import").text


def test_a_viewer_looks_but_takes_nothing_in(hub: Hub, desk: Desk) -> None:
    from hub.flows.log_in import Role

    viewer = a_desk(hub, "Quiet", role=Role.VIEWER)
    answer = viewer.post("/panel/import", file=(io.BytesIO(MORNING.encode()), "o.csv"))
    assert answer.status_code == 403
    assert viewer.rows(ImportRow) == []


def test_without_the_forms_token_nothing_comes_in(desk: Desk) -> None:
    sent = {"file": (io.BytesIO(MORNING.encode()), "o.csv")}
    assert desk.client.post("/panel/import", data=sent).status_code == 403
    assert desk.rows(ImportRow) == []


PAST = "Order no;Street;City;Delivery date;From\n1;Yrjönkatu 1;Helsinki;26.11.2020;10:00\n"


def test_an_order_for_a_day_that_is_over_stays_out_and_says_which_day(desk: Desk) -> None:
    """It was planned and promised for today, six years late."""
    path = upload(desk, PAST)
    page = text_of(desk.get(path))
    assert "0 orders can come in" in page
    assert "Thursday 26 November 2020, is over" in page
    take_in(desk, path)
    assert desk.rows(OrderRow) == []


def test_a_past_order_comes_in_as_overdue_once_the_dispatcher_says_so(desk: Desk) -> None:
    path = upload(desk, PAST)
    looked = desk.post(path, follow=True, do="look", past_too="1", **as_shown(desk, path))
    assert "1 order can come in" in text_of(looked)
    assert "Thu 26 Nov 2020" in text_of(looked)
    take_in(desk, path, past_too="1")
    [job] = desk.rows(JobRow)
    assert (job.due_on.isoformat(), job.windows) == ("2020-11-26", [])
    assert "Thu 26 Nov 2020 overdue" in text_of(desk.get("/panel/orders"))


def test_that_past_orders_were_wanted_is_not_remembered_for_the_next_file(desk: Desk) -> None:
    path = upload(desk, PAST)
    desk.post(path, do="look", past_too="1", **as_shown(desk, path))
    take_in(desk, path, past_too="1")
    again = upload(desk, PAST.replace("1;Yrj", "2;Yrj"))
    assert "0 orders can come in" in text_of(desk.get(again))


def test_a_known_order_whose_day_is_over_keeps_its_day_and_takes_the_rest(desk: Desk) -> None:
    path = upload(desk, PAST)
    desk.post(path, do="look", past_too="1", **as_shown(desk, path))
    take_in(desk, path, past_too="1")
    take_in(desk, upload(desk, PAST.replace("Yrjönkatu 1", "Yrjönkatu 2")))
    [order] = desk.rows(OrderRow)
    assert order.report["address"]["lines"] == ["Yrjönkatu 2"]
    [job] = desk.rows(JobRow)
    assert (job.due_on.isoformat(), job.windows) == ("2020-11-26", [])


def test_rows_to_check_are_counted_alike_before_and_after(desk: Desk) -> None:
    text = "Order no;Street;City;Item;Qty;Phone\n1;Yrjönkatu 1;Helsinki;Bun;two;12\n2;;;;;\n"
    path = upload(desk, text)
    assert "1 row left out 1 row to check" in text_of(desk.get(path))
    assert "Rows left out 1 Rows to check 1" in take_in(desk, path)


def test_a_file_that_was_let_go_says_so(desk: Desk) -> None:
    """The page of a file that nobody took in for thirty days was an error of ours."""
    path = upload(desk, MORNING)
    with desk.hub.unit() as unit:
        unit.session.get_one(ImportRow, path.rsplit("/", 1)[1]).content = b""
    for answer in (desk.get(path), desk.post(path, do="store")):
        assert answer.status_code == 422
        assert "orders.csv waited for too long and was let go. Upload it again." in text_of(answer)


def test_a_file_that_came_in_partly_says_how_far(desk: Desk) -> None:
    path = upload(desk, MORNING)
    desk.post(path, do="look", **as_shown(desk, path))
    with desk.hub.unit() as unit:
        row = unit.session.get_one(ImportRow, path.rsplit("/", 1)[1])
        row.report = {"after": "1002", "taken": 2}
    assert "2 of 4 orders are in so far." in text_of(desk.get(path))
    assert "Partly taken in" in text_of(desk.get("/panel/import"))
    assert "2 new orders taken in" in take_in(desk, path)

"""The dispatcher notes who asks, sees how it was, and makes a link void."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from hub.core.values import Role as ContactRole
from hub.db.tables import AuditRow, DriverRow, EnquiryRow, JobRow, OrderRow, RatingRow
from hub.flows.enquiries import figures_of
from hub.flows.links import links_of
from hub.flows.retain import retain
from tests.admin.desk import SIX, Desk, a_desk, a_hub, with_orders

NUMBER = "1001"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    now = [SIX]
    desk = a_desk(a_hub(None, tmp_path, now=now))
    desk.now = now
    with_orders(desk)
    return desk


def order_of(desk: Desk) -> OrderRow:
    return next(row for row in desk.rows(OrderRow) if row.number == NUMBER)


def rated(desk: Desk, stars: int, comment: str = "Cold bread") -> RatingRow:
    order = order_of(desk)
    job = next(row for row in desk.rows(JobRow) if row.order_id == order.id)
    with desk.hub.unit() as unit:
        row = RatingRow(
            business_id=desk.business_id,
            order_id=order.id,
            role="recipient",
            job_id=job.id,
            driver_id=desk.rows(DriverRow)[0].id,
            stars=stars,
            comment=comment,
            at=desk.hub.now(),
            changed_at=desk.hub.now(),
        )
        unit.session.add(row)
    return row


def test_one_press_on_the_order_notes_that_somebody_asked(desk: Desk) -> None:
    order = order_of(desk)
    page = desk.post(
        f"/panel/asked/{order.id}", channel="mail", note="by her sister", follow=True
    ).text
    assert "Noted, with what the customer" in page
    assert "Somebody wrote: where is it?" in page and "by her sister" in page
    [row] = desk.rows(EnquiryRow)
    assert (row.kind, row.channel, row.shows) == ("asked", "mail", "ordered")
    assert row.actor.startswith("staff:")
    listed = desk.get("/panel/asked").text
    assert "Wrote" in listed and NUMBER in listed


def test_the_board_notes_it_too(desk: Desk) -> None:
    order = order_of(desk)
    job = next(row for row in desk.rows(JobRow) if row.order_id == order.id)
    assert desk.post(f"/board/orders/{order.id}/asked", note="again").status_code == 303
    assert desk.post(f"/board/jobs/{job.id}/asked").status_code == 303
    assert [row.channel for row in desk.rows(EnquiryRow)] == ["phone", "phone"]
    assert desk.post("/board/jobs/no-such/asked").status_code == 404


def test_few_deliveries_make_no_figure(desk: Desk) -> None:
    page = desk.get("/panel/asked").text
    assert "figures are shown from 20 on" in page
    with desk.hub.reading() as session:
        assert not figures_of(session, desk.business_id, desk.hub.now()).is_enough


def test_a_poor_rating_stands_on_the_first_page_until_somebody_has_seen_to_it(desk: Desk) -> None:
    row = rated(desk, 2)
    assert "1 customer was not happy" in desk.get("/panel/").text
    page = desk.get("/panel/ratings?show=open").text
    assert "Cold bread" in page and "2 of 5" in page
    desk.post(f"/panel/ratings/{row.id}/seen", show="open")
    assert "not happy" not in desk.get("/panel/").text
    assert "Cold bread" not in desk.get("/panel/ratings?show=open").text
    assert "seen to" in desk.get("/panel/ratings?show=poor").text
    assert "Cold bread" in desk.get(f"/panel/orders/{order_of(desk).id}").text


def test_a_good_one_does_not(desk: Desk) -> None:
    rated(desk, 4)
    assert "not happy" not in desk.get("/panel/").text
    assert "4.0 of 5 stars from 1" in desk.get("/panel/ratings").text


@pytest.mark.parametrize("hidden", ["", "\u200b", "\u2060"])
def test_ratings_leave_as_a_file_that_no_spreadsheet_runs(desk: Desk, hidden: str) -> None:
    rated(desk, 1, f"{hidden}=HYPERLINK(1)")
    answer = desk.get("/panel/ratings/ratings.csv")
    assert answer.mimetype == "text/csv"
    assert answer.text.splitlines()[1].startswith(f"{NUMBER},{NUMBER},1,'{hidden}=HYPERLINK(1),")


def test_a_new_link_makes_the_old_one_void(desk: Desk) -> None:
    order = order_of(desk)

    def link() -> str:
        with desk.hub.reading() as session:
            found = links_of(desk.hub, session, desk.business_id, order.id)
        return found[ContactRole.RECIPIENT].rpartition("/")[2]

    old = link()
    desk.post(f"/panel/asked/{order.id}/links/recipient")
    assert desk.get(f"/t/{old}").status_code == 404
    assert desk.get(f"/t/{link()}").status_code == 200
    assert desk.post(f"/panel/asked/{order.id}/links/buyer").status_code == 404
    assert desk.post(f"/panel/asked/{order.id}/links/nobody").status_code == 404
    assert "link revoked" in {row.action for row in desk.rows(AuditRow)}


def test_words_go_with_the_proof_and_figures_stay(desk: Desk) -> None:
    desk.post(f"/panel/asked/{order_of(desk).id}", note="by her sister")
    rated(desk, 2)
    desk.now[0] += timedelta(days=366)
    retain(desk.hub)
    assert [row.note for row in desk.rows(EnquiryRow)] == [""]
    assert [(row.stars, row.comment) for row in desk.rows(RatingRow)] == [(2, "")]
    with desk.hub.reading() as session:
        assert session.exec(select(EnquiryRow.shows)).one() == "ordered"


def test_only_an_owner_decides_whether_customers_are_asked(desk: Desk) -> None:
    assert desk.post("/panel/ratings/asked", rates="0").status_code == 403

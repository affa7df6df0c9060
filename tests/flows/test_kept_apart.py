"""Orders that no vehicle takes on the same day: named by a report or by hand, kept by whoever plans,
moves or offers, and never of another business."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from hub.core.jobs import State
from hub.core.left_out import APART
from hub.core.orders import IncomingOrder, PickUp
from hub.core.values import Address, Point
from hub.db.tables import ApartRow, JobRow, OrderRow, StopJobRow, StopRow
from hub.flows.board_moves import moving
from hub.flows.connections import connection_id
from hub.flows.dispatch import DoesNotFit, add_job, remove_job
from hub.flows.found import found
from hub.flows.import_file import preview, store_preview
from hub.flows.kept_apart import UnknownOrdersError, apart_from, apart_jobs, keep_apart
from hub.flows.offers import best_places
from hub.flows.overview import day_seen
from hub.flows.sync import store_all
from tests.flows.test_planning_settings import DAY, SIX, YARD, Firm, firm

__all__ = ["firm"]
TOLD = "Order acid and order bread are to be kept apart: no vehicle may take both."


@pytest.fixture
def two(firm: Firm) -> Firm:
    """Two vans of which one would do, and two orders that it may not have both."""
    firm.crew("Mara")
    firm.crew("Otso", van={"day_cost": 50})
    firm.order("bread", 2)
    firm.order("acid", 3, apart_from=("bread",))
    return firm


def order(firm: Firm, ref: str) -> OrderRow:
    with firm.hub.reading() as session:
        mine = OrderRow.business_id == firm.business_id, OrderRow.ref == ref
        return session.exec(select(OrderRow).where(*mine)).one()


def job(firm: Firm, ref: str) -> JobRow:
    with firm.hub.reading() as session:
        mine = JobRow.order_id == order(firm, ref).id, JobRow.state != State.CLOSED
        return session.exec(select(JobRow).where(*mine)).one()


def others(firm: Firm, ref: str) -> list[str]:
    with firm.hub.reading() as session:
        found = apart_from(session, firm.business_id, order(firm, ref).id)
    return [one.number for one in found if one.order_id]


def stop_of(firm: Firm, ref: str) -> StopRow:
    with firm.hub.reading() as session:
        there = StopJobRow.job_id == job(firm, ref).id
        return session.exec(select(StopRow).join(StopJobRow).where(there)).one()


def test_two_orders_kept_apart_go_in_two_vans(two: Firm) -> None:
    run = two.planned()
    assert not run.result["unassigned"] and two.who() == {"Mara": 1, "Otso": 1}
    assert "orders kept apart" in " ".join(run.result["notes"])
    two.order("acid", 3)  # its report says so no more
    two.planned()
    assert two.who() == {"Mara": 2}


def test_it_counts_for_both_whoever_said_it(two: Firm) -> None:
    assert others(two, "bread") == ["acid"] and others(two, "acid") == ["bread"]


def test_with_one_van_one_stays_out_and_the_reason_says_why(firm: Firm) -> None:
    firm.crew("Mara")
    firm.order("bread", 2)
    firm.order("acid", 3, apart_from=("bread",))
    [why] = firm.planned().result["unassigned"].values()
    assert why == APART


def test_what_is_fetched_and_brought_is_kept_apart_with_both_its_halves(firm: Firm) -> None:
    firm.crew("Mara")
    firm.crew("Otso", van={"day_cost": 50})
    shop = Point(YARD.lat + 0.045, YARD.lon)
    pick_up = PickUp(address=Address(("Shop",), city="Helsinki", country="FI"), point=shop)
    firm.order("bread", 2)
    firm.order("acid", 1, pick_up=pick_up, apart_from=("bread",))
    assert not firm.planned().result["unassigned"]
    assert sorted(firm.who().values()) == [1, 2]


def test_an_order_may_be_named_before_it_comes(firm: Firm) -> None:
    firm.order("acid", 3, apart_from=("bread",))
    assert others(firm, "acid") == []
    firm.order("bread", 2)
    assert others(firm, "acid") == ["bread"]


def test_an_order_that_is_called_so_only_later_was_meant(firm: Firm) -> None:
    firm.order("acid", 3, apart_from=("77",))
    firm.order("bread", 2)
    assert others(firm, "acid") == []
    bread = IncomingOrder(
        ref="bread", number="77", updated_at=SIX + timedelta(hours=1), address=Address(("Katu 1",))
    )
    api = connection_id(firm.hub, firm.business_id, "api")
    store_all(firm.hub, firm.business_id, api, [bread])
    assert others(firm, "acid") == ["77"] and others(firm, "bread") == ["acid"]


def test_orders_that_came_together_are_named_by_their_numbers_with_or_without_a_hash(
    firm: Firm,
) -> None:
    firm.order("a", 3, apart_from=("#b",))
    firm.order("b", 2)
    assert others(firm, "a") == ["b"]


def test_in_a_file_too_they_are_named_with_or_without_a_hash(firm: Firm) -> None:
    sheet = "Order,Address,Kept apart from\n1,Katu 1,#2\n2,Katu 2,#1\n#3,Katu 3,3\n"
    seen = preview(firm.hub, firm.business_id, sheet.encode(), "day.csv")
    [problem] = seen.problems
    assert (problem.row, "from itself" in problem.message) == (4, True)
    store_preview(firm.hub, firm.business_id, seen, actor="test")
    assert others(firm, "1") == ["2"] and others(firm, "#3") == []


def test_no_order_of_another_business_is_ever_meant(firm: Firm) -> None:
    firm.order("bread", 2)
    stranger = Firm(
        firm.hub, found(firm.hub, "Rival", zone="Europe/Helsinki", country="FI"), "", ""
    )
    theirs = order(firm, "bread")
    stranger.order("acid", 3, apart_from=("bread", theirs.id))
    stranger.order("more", 3)
    with firm.hub.reading() as session:
        assert session.exec(select(ApartRow.other_id)).all() == [None, None]
        assert apart_jobs(session, firm.business_id, [job(firm, "bread").id]) == frozenset()
    about = stranger.hub, stranger.business_id
    with pytest.raises(UnknownOrdersError, match="There is no order bread"):
        keep_apart(*about, order(stranger, "acid").id, ["bread"], actor="test")
    with pytest.raises(LookupError):
        keep_apart(*about, theirs.id, ["acid"], actor="test")


def test_what_a_person_keeps_apart_no_report_takes_back(firm: Firm) -> None:
    firm.crew("Mara")
    firm.crew("Otso", van={"day_cost": 50})
    firm.order("bread", 2)
    firm.order("acid", 3)
    about = firm.hub, firm.business_id, order(firm, "acid").id
    before = job(firm, "acid").version
    for _ in range(2):  # the same again changes nothing
        keep_apart(*about, ["bread"], actor="test")
    assert job(firm, "acid").version == before + 1, "a plan that is being made is not used"
    firm.order("acid", 3, instructions="Ring", apart_from=())
    assert others(firm, "acid") == ["bread"]
    firm.planned()
    assert firm.who() == {"Mara": 1, "Otso": 1}
    with pytest.raises(UnknownOrdersError, match="the order itself"):
        keep_apart(*about, ["acid"], actor="test")
    keep_apart(*about, [], actor="test")
    assert others(firm, "acid") == []


def test_what_was_written_keeps_its_meaning_whatever_else_is_called_so_later(firm: Firm) -> None:
    """Two shops of a business may have an order of one number each, and numbers change."""
    firm.order("bread", 2)
    firm.order("acid", 3)
    bread = order(firm, "bread")
    about = firm.hub, firm.business_id, order(firm, "acid").id
    keep_apart(*about, [bread.id], actor="test")
    seen = preview(firm.hub, firm.business_id, b"Order,Address\nbread,Kuja 2\n", "day.csv")
    store_preview(firm.hub, firm.business_id, seen, actor="test")
    for _ in range(2):  # as often as the page is sent
        with firm.hub.reading() as session:
            [one] = apart_from(session, *about[1:])
        assert (one.order_id, one.number) == (bread.id, "bread")
        keep_apart(*about, [one.written], actor="test")


def test_the_board_says_so_before_a_move(two: Firm) -> None:
    two.planned()
    [effect] = moving(two.hub, two.business_id, stop_of(two, "acid").id).effects
    assert effect.broken == (TOLD,)


def test_what_comes_in_between_is_not_offered_there_and_put_there_only_by_insisting(
    two: Firm,
) -> None:
    two.planned()
    routes = {route.id: route for route in two.routes()}
    own = stop_of(two, "acid").route_id
    about = two.hub, two.business_id
    remove_job(*about, own, job(two, "acid").id, actor="test", expected_version=routes[own].version)
    offers = best_places(*about, job(two, "acid").id, DAY)
    there = stop_of(two, "bread").route_id
    assert {offer.route_id: offer.problems for offer in offers}[there] == (TOLD,)
    version = next(route.version for route in two.routes() if route.id == there)
    put = {"actor": "test", "expected_version": version}
    with pytest.raises(DoesNotFit, match="kept apart"):
        add_job(*about, there, job(two, "acid").id, **put)  # type: ignore[arg-type]
    add_job(*about, there, job(two, "acid").id, **put, force=True)  # type: ignore[arg-type]
    assert [len(route.jobs) for route in day_seen(*about, DAY).routes if route.id == there] == [2]


def test_a_file_that_names_an_order_nobody_has_says_at_which_row_and_column(firm: Firm) -> None:
    """A slip in a number would be waited for until for ever, and nobody would know."""
    firm.order("bread", 2)
    sheet = "Order,Address,Kept apart from\n1,Katu 1,bread; 2\n2,Katu 2,1; 77\n"
    seen = preview(firm.hub, firm.business_id, sheet.encode(), "day.csv")
    [problem] = seen.problems
    assert (problem.row, problem.column, problem.is_fatal) == (3, "Kept apart from", False)
    assert problem.message == "There is no order “77” yet; they are kept apart once it is here."
    store_preview(firm.hub, firm.business_id, seen, actor="test")
    assert others(firm, "1") == ["2", "bread"] and others(firm, "2") == ["1"]

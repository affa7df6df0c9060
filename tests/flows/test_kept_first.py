"""What a dispatcher keeps first on a draft stays there, whatever a plan would do with it."""

from __future__ import annotations

import pytest
from sqlmodel import select

from hub.core.errors import Refused
from hub.db.tables import AuditRow, JobRow, RouteRow
from hub.flows.board_order import turn
from hub.flows.dispatch import add_job, discard_draft, hand_over, publish, remove_job
from hub.flows.kept_first import keep_first, let_go
from hub.flows.overview import day_seen
from hub.flows.route_conflict import RouteConflict
from tests.flows.test_planning_settings import DAY, Firm, firm

__all__ = ["firm"]


def order_of(firm: Firm) -> list[str]:
    [route] = day_seen(firm.hub, firm.business_id, DAY).routes
    return [job.number for job in route.jobs]


def job(firm: Firm, number: str) -> str:
    [route] = day_seen(firm.hub, firm.business_id, DAY).routes
    return next(one.id for one in route.jobs if one.number == number)


def draft(firm: Firm) -> RouteRow:
    [route] = firm.routes()
    return route


def keep(firm: Firm, number: str) -> int:
    """The stops up to this order's, by who sees the draft as it is."""
    about = {"actor": "staff:1", "expected_version": draft(firm).version}
    return keep_first(firm.hub, firm.business_id, job(firm, number), **about)


@pytest.fixture
def planned(firm: Firm) -> Firm:
    """Three doors on one road north of the yard, driven outwards."""
    firm.crew("Mara", ends_at="last")
    for n in (1, 2, 3):
        firm.order(str(n), n)
    firm.planned()
    assert order_of(firm) == ["1", "2", "3"]
    return firm


def test_stops_kept_first_stay_there_though_another_order_were_shorter(planned: Firm) -> None:
    assert keep(planned, "2") == 2
    planned.order("0", 0)  # at the yard: it would come first
    run = planned.planned()
    assert order_of(planned)[:2] == ["1", "2"]
    assert run.strategy == "ortools"  # which can; the depot has it planned by another
    [route] = day_seen(planned.hub, planned.business_id, DAY).routes
    assert route.kept_first == {job(planned, "1"), job(planned, "2")}
    about = {"actor": "staff:1", "expected_version": route.version}
    let_go(planned.hub, planned.business_id, route.id, **about)
    planned.planned()
    assert order_of(planned) == ["0", "1", "2", "3"]


def test_an_order_that_is_cancelled_is_kept_no_more_and_the_others_are(planned: Firm) -> None:
    keep(planned, "2")
    planned.order("1", 1, status="cancelled")
    planned.order("0", 0)
    planned.planned()
    assert order_of(planned)[0] == "2"


def test_a_draft_that_is_thrown_away_keeps_nothing_first(planned: Firm) -> None:
    keep(planned, "3")
    route = draft(planned)
    about = {"actor": "staff:1", "expected_version": route.version}
    discard_draft(planned.hub, planned.business_id, route.id, **about)
    planned.order("0", 0)
    planned.planned()
    assert order_of(planned) == ["0", "1", "2", "3"]


def test_another_driver_gets_the_stops_as_they_were_kept(planned: Firm) -> None:
    planned.crew("Otso", works={})
    keep(planned, "2")
    route = draft(planned)
    hand_over(
        planned.hub,
        planned.business_id,
        route.id,
        planned.drivers["Otso"],
        actor="staff:1",
        expected_version=route.version,
    )
    [seen] = day_seen(planned.hub, planned.business_id, DAY).routes
    assert (seen.driver, len(seen.kept_first)) == ("Otso", 2)


def test_the_second_of_two_dispatchers_is_told_and_changes_nothing(planned: Firm) -> None:
    seen = draft(planned).version
    keep(planned, "2")
    about = {"actor": "staff:2", "expected_version": seen}
    with pytest.raises(RouteConflict):
        keep_first(planned.hub, planned.business_id, job(planned, "1"), **about)
    with pytest.raises(RouteConflict):
        let_go(planned.hub, planned.business_id, draft(planned).id, **about)
    assert kept(planned) == ["1", "2"]


def test_a_published_route_and_one_of_another_business_are_refused(planned: Firm) -> None:
    id, route = job(planned, "1"), draft(planned)
    about = {"actor": "staff:1", "expected_version": route.version}
    with pytest.raises(LookupError):
        keep_first(planned.hub, "another", id, **about)
    with pytest.raises(LookupError):
        let_go(planned.hub, "another", route.id, **about)
    publish(planned.hub, planned.business_id, route.id, **about)
    with pytest.raises(Refused):
        keep_first(planned.hub, planned.business_id, id, **about)
    with planned.hub.reading() as session:
        assert session.exec(select(JobRow.state)).all() == ["dispatched"] * 3
        actions = session.exec(select(AuditRow.action)).all()
    assert "stops kept first" not in actions


def put(firm: Firm, number: str, position: int) -> None:
    """By a dispatcher's hand."""
    [route] = day_seen(firm.hub, firm.business_id, DAY).routes
    stop = next(one.id for one in route.stops if one.jobs[0].number == number)
    about = {"actor": "staff:1", "expected_version": route.version, "force": True}
    turn(firm.hub, firm.business_id, stop, position, **about)


def kept(firm: Firm) -> list[str]:
    """The numbers that the day's page marks."""
    [route] = day_seen(firm.hub, firm.business_id, DAY).routes
    return [job.number for job in route.jobs if job.id in route.kept_first]


def test_what_a_dispatcher_puts_behind_those_kept_first_is_not_put_back_by_a_plan(
    planned: Firm,
) -> None:
    keep(planned, "2")
    put(planned, "1", 3)
    assert (order_of(planned), kept(planned)) == (["2", "3", "1"], ["2"])
    planned.order("0", 0)
    planned.planned()
    assert order_of(planned)[0] == "2" and kept(planned) == ["2"]


def test_what_a_dispatcher_puts_among_those_kept_first_is_kept_with_them(planned: Firm) -> None:
    keep(planned, "2")
    put(planned, "3", 1)
    put(planned, "1", 3)  # still beside those kept
    assert kept(planned) == order_of(planned) == ["3", "2", "1"]
    planned.order("0", 0)
    planned.planned()
    assert order_of(planned)[:3] == ["3", "2", "1"]


def test_what_left_the_draft_is_kept_no_more_when_it_comes_back(planned: Firm) -> None:
    keep(planned, "1")
    id = job(planned, "1")
    for change in (remove_job, add_job):
        route = draft(planned)
        about = {"actor": "staff:1", "expected_version": route.version}
        change(planned.hub, planned.business_id, route.id, id, **about)
        assert kept(planned) == []


def test_what_stays_first_against_a_rule_is_said_and_the_day_is_planned(planned: Firm) -> None:
    planned.crew("Otso")
    keep(planned, "2")
    planned.order("1", 1, skills=frozenset({"crane"}))
    planned.order("2", 2, only_driver="Otso")
    said = " ".join(planned.planned().result["notes"])
    assert "Order 1 stays first with Mara, though it needs crane." in said
    assert "Order 2 stays first with Mara, though others must do it." in said

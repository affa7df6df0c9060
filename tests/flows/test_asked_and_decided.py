"""A source amends an order that a driver has: asked, weighed, decided, told, acknowledged."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from hub.core.amending import Decision, Group
from hub.core.jobs import NextStep, NotNow, State
from hub.core.values import Contact, Line, Point, Role, TimeWindow
from hub.db.tables import LineRow, OrderRow, PromiseRow, VehicleRow
from hub.flows.amendments import decide, effect_of
from hub.flows.dispatch import RouteConflict, remove_job
from hub.flows.drive import IncomingAct, take_acts
from hub.flows.estimate import estimate_routes
from hub.flows.found import found
from hub.flows.next_steps import choose_step
from hub.flows.order_desk import call_off
from hub.flows.order_rows import order_report
from hub.flows.route_change import DoesNotFit
from tests.amending_worlds import (
    KALEVANKATU,
    THERE,
    amendments,
    decided,
    delivered,
    in_order,
    on_phone,
    order_id,
    reported,
    route_shown,
)
from tests.driving_worlds import DAY, PHOTO, SIX, TEN, Morning, a_morning

HOUR = timedelta(hours=1)
FAR = Point(60.45, 25.6)  # an hour's drive away
NOON = (TimeWindow(SIX + 6 * HOUR, SIX + 7 * HOUR),)


def says(day: Morning, kind: str, number: int | None = None, **body: object) -> str:
    """What the hub answers to the driver's phone."""
    job = None if number is None else day.jobs()[number]
    told = IncomingAct(
        act_id=f"{kind}-{number}-{day.now[0].timestamp()}",
        kind=kind,
        job_id=job.id if job else None,
        route_id=day.route().id,
        occurred_at=day.now[0],
        body=body,
    )
    [answer] = take_acts(day.hub, day.phone(), [told])
    return answer.result


def acknowledged(day: Morning) -> None:
    assert says(day, "acknowledge", version=day.route().version) == "applied"


def set_off(day: Morning) -> None:
    day.now[0] = TEN - 2 * HOUR
    assert says(day, "start_shift") == "applied"


def promises(day: Morning, number: int) -> list[TimeWindow]:
    with day.hub.reading() as session:
        rows = session.exec(
            select(PromiseRow)
            .where(PromiseRow.job_id == day.jobs()[number].id, PromiseRow.n > 0)
            .order_by(PromiseRow.n)
        )
        return [TimeWindow(row.opens, row.closes) for row in rows]


def report_of(day: Morning, number: int):  # type: ignore[no-untyped-def]
    with day.hub.reading() as session:
        row = session.get_one(OrderRow, order_id(day, number))
    return order_report.validate_python(row.report), row.said


def test_before_he_sets_off_a_change_that_fits_is_taken_told_and_acknowledged() -> None:
    day = a_morning()
    route = day.publish()
    acknowledged(day)
    reported(day, 1, address=KALEVANKATU, point=THERE)
    delivered(day)
    [row] = amendments(day)
    assert (row.state, row.decided_by, row.seen_at) == ("take", "hub", None)
    assert [where for where, _ in on_phone(day)["2"]] == ["Kalevankatu 9, Helsinki"]
    [shown] = route_shown(day).changes
    assert shown.number == "2"
    assert shown.changes == (("Address", "Yrjönkatu 2, Helsinki", "Kalevankatu 9, Helsinki"),)
    assert day.route().version == shown.version == route.version + 1
    day.now[0] += timedelta(minutes=3)
    acknowledged(day)
    acknowledged(day)
    [row] = amendments(day)
    assert row.seen_at == day.now[0]
    assert route_shown(day).changes == ()
    assert len(day.events("AmendmentSeen")) == 1
    names = [e.name for e in story(day, 1)]
    asked = names.index("AmendmentProposed")
    assert names[asked:] == [
        "AmendmentProposed",
        "OrderAmended",
        "AmendmentDecided",
        "AmendmentSeen",
    ]


def story(day: Morning, number: int):  # type: ignore[no-untyped-def]
    from hub.db.tables import EventRow

    with day.hub.reading() as session:
        mine = EventRow.subject_id == order_id(day, number)
        return list(session.exec(select(EventRow).where(mine).order_by(EventRow.seq)))


def test_the_promise_that_still_holds_is_not_made_again() -> None:
    day = a_morning()
    day.publish()
    before = promises(day, 1)
    reported(day, 1, address=KALEVANKATU, point=Point(60.1741, 24.9401))
    delivered(day)
    assert amendments(day)[0].state == "take"
    assert promises(day, 1) == before
    assert len(day.events("JobDispatched")) == 3


def test_another_time_is_promised_anew_once_and_the_old_promise_is_kept() -> None:
    day = a_morning()
    day.publish()
    [before] = promises(day, 1)
    reported(day, 1, windows=NOON)
    delivered(day)
    assert amendments(day)[0].state == "take"
    old, new = promises(day, 1)
    assert old == before
    assert NOON[0].opens <= new.opens < new.closes <= NOON[0].closes
    told = [e.payload["job_id"] for e in day.events("JobDispatched")]
    assert told.count(day.jobs()[1].id) == 2
    assert in_order(day)[-1][0] == day.jobs()[1].id


def test_what_breaks_a_promise_waits_and_the_dispatcher_sees_whom_it_makes_late() -> None:
    day = a_morning()
    day.publish()
    before = on_phone(day)
    reported(day, 0, address=KALEVANKATU, point=FAR)
    delivered(day)
    [row] = amendments(day)
    assert row.state == "open"
    assert row.weighed_at is not None
    assert "promised" in row.why
    assert on_phone(day) == before
    effect = effect_of(day.hub, day.business_id, row.id)
    assert effect.promises
    assert effect.extra_s > 3000
    assert effect.now_at > effect.was_at
    assert on_phone(day) == before  # looking changes nothing
    assert len(day.events("OrderAmended")) == 0
    with pytest.raises(DoesNotFit):
        decided(day, Decision.TAKE, force=False)
    decided(day, Decision.TAKE)
    assert [where for where, _ in on_phone(day)["1"]] == ["Kalevankatu 9, Helsinki"]
    assert len(promises(day, 0)) == 2


def test_whoever_waits_while_the_driver_goes_farther_is_told_once_that_is_decided() -> None:
    day = a_morning()
    day.publish()
    set_off(day)
    assert says(day, "head_for", 0) == "applied"
    reported(day, 0, address=KALEVANKATU, point=FAR)
    decided(day, Decision.TAKE)
    estimate_routes(day.hub)
    told = {event.payload["job_id"] for event in day.events("EtaChanged")}
    for number in (1, 2):
        assert day.jobs()[number].id in told
        assert len(promises(day, number)) == 1  # the next one is what the message says


def test_more_than_the_van_holds_waits() -> None:
    day = a_morning()
    with day.hub.unit() as unit:
        van = VehicleRow(business_id=day.business_id, name="Van", capacity={"parcels": 4})
        unit.session.add(van)
        unit.session.flush()
        from hub.db.tables import RouteRow

        unit.session.exec(select(RouteRow)).one().vehicle_id = van.id
    day.publish()
    reported(day, 0, lines=(Line("Loaf", 1),), parcels=2)
    delivered(day)
    assert amendments(day)[0].state == "take"
    reported(day, 0, parcels=9)
    delivered(day)
    assert amendments(day)[1].state == "open"
    assert "parcels too much" in amendments(day)[1].why


@pytest.mark.parametrize(
    ("changes", "group"),
    [
        ({"address": KALEVANKATU, "point": THERE}, Group.WHERE),
        ({"windows": NOON}, Group.WHEN),
        ({"lines": (Line("Loaf", 3),), "parcels": 3}, Group.GOODS),
    ],
)
def test_on_the_road_nothing_changes_under_a_driver_s_hands(
    changes: dict[str, object], group: Group
) -> None:
    day = a_morning()
    day.publish()
    set_off(day)
    before = route_shown(day)
    reported(day, 2, **changes)
    delivered(day)
    now = route_shown(day)
    assert (now.version, now.changes) == (before.version, before.changes)
    assert [s.address for s in now.stops] == [s.address for s in before.stops]
    assert [j.lines for s in now.stops for j in s.jobs] == [
        j.lines for s in before.stops for j in s.jobs
    ]
    assert [j.question for s in now.stops for j in s.jobs].count("") == 2
    assert amendments(day)[0].asked == [group]
    decided(day, Decision.TAKE)
    after = route_shown(day)
    assert after.version > before.version
    assert after.changes[0].number == "3"
    assert all(j.question == "" for s in after.stops for j in s.jobs)


def test_fewer_goods_a_phone_number_and_a_note_ask_nobody_but_are_shown_and_acknowledged() -> None:
    day = a_morning()
    day.publish()
    reported(day, 0, lines=(Line("Loaf", 3), Line("Cake", 1)))
    delivered(day)
    acknowledged(day)
    set_off(day)
    reported(
        day,
        0,
        lines=(Line("Loaf", 2),),
        instructions="Ring twice",
        contacts=(Contact(Role.RECIPIENT, "Aino", "+358401112222"),),
    )
    delivered(day)
    assert amendments(day)[-1].state == "told"
    [shown] = route_shown(day).changes
    said = {what: (was, now) for what, was, now in shown.changes}
    assert said["Loaf"] == ("3", "2")
    assert said["Cake"] == ("1", "0")
    assert said["Instructions"] == ("", "Ring twice")
    assert said["Phone"] == ("", "+358401112222")
    acknowledged(day)
    assert amendments(day)[-1].seen_at is not None


def test_two_changes_before_a_decision_are_one_question() -> None:
    day = a_morning()
    day.publish()
    set_off(day)
    reported(day, 2, address=KALEVANKATU, point=THERE)
    delivered(day)
    first = amendments(day)[0]
    reported(day, 2, windows=NOON)
    delivered(day)
    [question] = amendments(day)
    assert (question.version, question.asked) == (2, ["where", "when"])
    assert [one[0] for one in question.changes] == ["Address", "Time"]
    route = day.route()
    with pytest.raises(RouteConflict, match="changed it again"):
        decide(
            day.hub,
            day.business_id,
            question.id,
            Decision.TAKE,
            actor="staff:1",
            version=first.version,
            route_version=route.version,
        )
    assert amendments(day)[0].state == "open"
    decided(day, Decision.TAKE)
    report, said = report_of(day, 2)
    assert (report.address, report.windows, said) == (KALEVANKATU, NOON, None)


def test_a_source_that_takes_it_back_withdraws_the_question() -> None:
    day = a_morning()
    day.publish()
    set_off(day)
    was, _ = report_of(day, 2)
    reported(day, 2, address=KALEVANKATU, point=THERE)
    reported(day, 2, address=was.address, point=was.point)
    delivered(day)
    [question] = amendments(day)
    assert question.state == "withdrawn"
    report, said = report_of(day, 2)
    assert (report.address, said) == (was.address, None)
    assert day.events("OrderAmended") == []


def test_what_was_kept_out_is_not_asked_again_until_it_is_another_change() -> None:
    day = a_morning()
    day.publish()
    set_off(day)
    reported(day, 2, address=KALEVANKATU, point=THERE)
    decided(day, Decision.KEEP)
    before = on_phone(day)
    assert reported(day, 2).repeats == 1
    reported(day, 2, instructions="Ring twice")
    delivered(day)
    assert [row.state for row in amendments(day)] == ["keep", "told"]
    assert on_phone(day)["3"] == [(before["3"][0][0], "Ring twice")]
    reported(day, 2, point=Point(60.1651, 24.931))
    assert [row.state for row in amendments(day)] == ["keep", "told", "open"]


def test_whoever_decides_second_is_told_that_it_is_decided() -> None:
    day = a_morning()
    day.publish()
    set_off(day)
    reported(day, 2, address=KALEVANKATU, point=THERE)
    [question] = amendments(day)
    about = (day.hub, day.business_id, question.id)
    versions = {"version": 1, "route_version": day.route().version}
    decide(*about, Decision.KEEP, actor="staff:1", **versions)
    with pytest.raises(NotNow, match="decided already"):
        decide(*about, Decision.TAKE, actor="staff:2", **versions)
    assert amendments(day)[0].decided_by == "staff:1"


def test_a_decision_on_a_route_that_changed_meanwhile_changes_nothing() -> None:
    day = a_morning()
    route = day.publish()
    set_off(day)
    reported(day, 2, address=KALEVANKATU, point=THERE)
    [question] = amendments(day)
    first = day.jobs()[1]
    remove_job(
        day.hub,
        day.business_id,
        route.id,
        first.id,
        actor="staff:2",
        expected_version=route.version,
    )
    with pytest.raises(RouteConflict):
        decide(
            day.hub,
            day.business_id,
            question.id,
            Decision.TAKE,
            actor="staff:1",
            version=1,
            route_version=route.version,
        )
    assert amendments(day)[0].state == "open"


def test_a_job_taken_off_its_route_goes_by_what_its_source_says() -> None:
    day = a_morning()
    route = day.publish()
    set_off(day)
    reported(day, 2, address=KALEVANKATU, point=THERE)
    about = (day.hub, day.business_id, route.id, day.jobs()[2].id)
    remove_job(*about, actor="staff:1", expected_version=route.version)
    delivered(day)
    assert [row.state for row in amendments(day)] == ["off"]
    report, said = report_of(day, 2)
    assert (report.address, said) == (KALEVANKATU, None)
    with day.hub.reading() as session:
        from hub.db.tables import PlaceRow

        place = session.get_one(PlaceRow, day.jobs()[2].place_id)
    assert (place.lat, place.lon) == (THERE.lat, THERE.lon)


def test_a_day_the_route_is_not_driven_on_takes_it_off_once_somebody_says_so() -> None:
    day = a_morning()
    day.publish()
    reported(day, 1, due_on=DAY + timedelta(days=1))
    delivered(day)
    [question] = amendments(day)
    assert "another time than this shift's" in question.why
    assert effect_of(day.hub, day.business_id, question.id).leaves
    decided(day, Decision.TAKE)
    assert set(on_phone(day)) == {"1", "3"}
    assert day.jobs()[1].state == State.CREATED
    assert day.jobs()[1].due_on == DAY + timedelta(days=1)
    [shown] = route_shown(day).changes
    assert shown.changes == (("Order", "on the route", "taken off"),)


def test_a_driver_at_the_door_is_sent_on_and_his_arrival_counts_no_more() -> None:
    day = a_morning()
    day.publish()
    set_off(day)
    says(day, "head_for", 0)
    says(day, "arrive", 0)
    assert day.jobs()[0].state == State.ARRIVED
    reported(day, 0, address=KALEVANKATU, point=THERE)
    with pytest.raises(NotNow, match="at the door"):
        decided(day, Decision.OFF)
    decided(day, Decision.TAKE)
    assert day.jobs()[0].state == State.EN_ROUTE
    assert [where for where, _ in on_phone(day)["1"]] == ["Kalevankatu 9, Helsinki"]
    says(day, "arrive", 0)
    assert day.jobs()[0].state == State.ARRIVED


def test_what_is_delivered_stays_delivered_and_a_late_change_reopens_nothing() -> None:
    day = a_morning()
    day.publish()
    set_off(day)
    reported(day, 0, address=KALEVANKATU, point=THERE)
    assert says(day, "close", 0, outcome="succeeded", name="Aino", files=PHOTO) == "applied"
    delivered(day)
    [question] = amendments(day)
    assert question.state == "late"
    with pytest.raises(NotNow):
        decided_late = (day.hub, day.business_id, question.id, Decision.TAKE)
        decide(*decided_late, actor="staff:1", version=1, route_version=day.route().version)
    assert day.jobs()[0].outcome == "succeeded"
    report, said = report_of(day, 0)
    assert (report.address, said) == (KALEVANKATU, None)
    reported(day, 0, instructions="Too late")
    delivered(day)
    assert [job.attempt for job in day.jobs()] == [1, 1, 1]


def test_the_next_attempt_goes_by_what_its_source_said_last() -> None:
    day = a_morning()
    day.publish()
    set_off(day)
    reported(day, 0, address=KALEVANKATU, point=THERE)
    decided(day, Decision.KEEP)
    says(day, "close", 0, outcome="failed", reason="other", note="x")
    again = choose_step(
        day.hub, day.business_id, day.jobs()[0].id, NextStep.RETRY_TODAY, actor="staff:1"
    )
    assert again is not None
    delivered(day)
    with day.hub.reading() as session:
        from hub.db.tables import PlaceRow

        assert session.get_one(PlaceRow, again.place_id).address["lines"] == ["Kalevankatu 9"]


@pytest.mark.parametrize("loaded", [False, True])
def test_a_cancelled_order_is_taken_off_and_the_driver_is_told_to_bring_it_back(
    loaded: bool,
) -> None:
    day = a_morning()
    day.publish()
    if loaded:
        set_off(day)
    reported(day, 0, address=KALEVANKATU, point=FAR)
    reported(day, 0, status="cancelled")
    delivered(day)
    assert [row.state for row in amendments(day)] == ["withdrawn", "told"]
    [shown] = route_shown(day).changes
    [(what, was, now)] = shown.changes
    assert (what, was, now.startswith("cancelled")) == ("Order", "to do", True)
    assert ("bring back" in now) is loaded
    acknowledged(day)
    assert len(day.events("AmendmentSeen")) == 1


def test_a_person_who_cancels_ends_the_question_too() -> None:
    day = a_morning()
    day.publish()
    set_off(day)
    reported(day, 0, address=KALEVANKATU, point=THERE)
    call_off(day.hub, day.business_id, order_id(day, 0), actor="staff:1")
    assert amendments(day)[0].state == "withdrawn"
    assert report_of(day, 0)[1] is None
    assert reported(day, 0).repeats == 1


def test_a_draft_takes_all_of_it_and_asks_nobody() -> None:
    day = a_morning()
    before = in_order(day)
    reported(day, 1, windows=NOON)
    delivered(day)
    assert amendments(day) == []
    assert day.events("RouteChanged") == []
    after = dict((job, stop) for job, stop in in_order(day))
    assert after[day.jobs()[1].id].depart_at > dict(before)[day.jobs()[1].id].depart_at
    reported(day, 1, due_on=DAY + timedelta(days=2), windows=())
    delivered(day)
    assert day.jobs()[1].id not in dict(in_order(day))
    assert day.jobs()[1].state == State.CREATED


def test_the_lines_that_the_chain_and_the_order_page_know_are_those_in_force() -> None:
    day = a_morning()
    day.publish()
    set_off(day)
    reported(day, 0, lines=(Line("Loaf", 5),))
    with day.hub.reading() as session:
        assert session.exec(select(LineRow)).all() == []
    decided(day, Decision.TAKE)
    with day.hub.reading() as session:
        assert [line.quantity for line in session.exec(select(LineRow))] == [5]


def test_an_amendment_of_another_business_is_nobody_s() -> None:
    day = a_morning()
    other = found(day.hub, "Rival", zone="UTC")
    day.publish()
    set_off(day)
    reported(day, 0, address=KALEVANKATU, point=THERE)
    [question] = amendments(day)
    about = (day.hub, other, question.id)
    for ask in (
        lambda: effect_of(*about),
        lambda: decide(
            *about, Decision.TAKE, actor="staff:1", version=1, route_version=day.route().version
        ),
    ):
        with pytest.raises(LookupError):
            ask()
    assert amendments(day)[0].state == "open"

"""Whoever waits does what the business allows on the page, once, and not after the cut-off."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlmodel import select
from werkzeug.test import TestResponse

from hub.core.errors import HubError
from hub.core.jobs import NextStep
from hub.core.self_service import Action, Follow
from hub.db.tables import (
    AmendmentRow,
    DriverRow,
    EventRow,
    JobRow,
    NoticeRow,
    OrderRow,
    PromiseRow,
    StopJobRow,
    WebhookRow,
    WishRow,
)
from hub.flows.next_steps import choose_step
from hub.flows.phone import shown_to
from hub.flows.phone_seen import PhoneJob
from hub.web.tracking_doing import MOST_SENT
from tests import tracking_worlds as moments
from tests.tracking_worlds import Street
from tests.web.test_tracking import client_of as tracking_client_of

ALL = [one.value for one in Action]
CODE = "4711#"


def allow(street: Street, **rules: object) -> Street:
    """Everything, until an hour before, on every day of the week."""
    usual = {
        "allowed": ALL,
        "follows": [one.value for one in Follow],
        "hours": 1,
        "slots": {"minutes": 120, "days": 5, "weekdays": list(range(7)), "begins": "09:00"},
        "left_demands": ["photo"],
        "neighbour_demands": ["name"],
        "collect_hours": "Mon to Fri, 9 to 18",
    }
    street.settings(self_service={**usual, **rules})
    return street


def client_of(street: Street) -> FlaskClient:
    """One for each street: an application takes longer to make than all it is asked here."""
    if "client" not in street.__dict__:
        street.__dict__["client"] = tracking_client_of(street)
    kept: FlaskClient = street.__dict__["client"]
    return kept


def failed() -> Street:
    """For a reason that leaves it open what follows."""
    street = moments.at_the_door()
    street.close(street.job, 14, outcome="failed", reason="other", note="the bell is broken")
    return street


def send(
    street: Street, client: FlaskClient | None = None, path: str = "do", **form: object
) -> TestResponse:
    client = client or client_of(street)
    return client.post(f"/t/{street.token}/{path}", data={"n": 0, **form})


def page_of(street: Street, path: str = "") -> str:
    return client_of(street).get(f"/t/{street.token}{path}").text


def rows(street: Street, table: type, *where: Any) -> list[Any]:
    with street.hub.reading() as session:
        return list(session.exec(select(table).where(*where)))


def came(street: Street, ago: timedelta) -> None:
    with street.hub.unit() as unit:
        order = unit.session.get_one(OrderRow, street.job.order_id)
        order.received_at = street.hub.now() - ago


def asked(street: Street) -> list[str]:
    return [row.payload["what"] for row in street.day.events("RecipientAsked")]


def on_the_phone(street: Street) -> PhoneJob:
    day = shown_to(street.hub, street.device)
    [job] = [
        job
        for route in day.routes
        for stop in route.stops
        for job in stop.jobs
        if job.job_id == street.job.id
    ]
    return job


def times(street: Street) -> list[str]:
    return re.findall(r'name="time" value="(\w+)"', page_of(street, "/times"))


def test_a_note_and_a_code_reach_the_phone_and_the_code_nobody_else(caplog) -> None:
    street = allow(moments.scheduled())
    version = street.day.route().version
    answer = send(street, do="door", note="Ring\r\ntwice\u202e", code=f" {CODE} ")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/t/{street.token}?done=door#done"
    assert answer.headers["Cache-Control"] == "no-store"
    wish = on_the_phone(street).wish
    assert (wish.note, wish.access_code) == ("Ring\ntwice", CODE)
    assert street.day.route().version > version
    assert asked(street) == ["note", "access_code"]
    page = page_of(street, "?done=door")
    assert "Saved: the driver sees it." in page
    assert "A code is saved." in page
    everything = "".join(
        str(rows(street, table)) for table in (EventRow, NoticeRow, WebhookRow, AmendmentRow)
    )
    assert CODE not in page + everything + caplog.text
    assert "Ring" in str(rows(street, AmendmentRow))


def test_a_form_sent_twice_is_one_wish() -> None:
    street = allow(moments.scheduled())
    for _ in range(2):
        assert send(street, do="door", note="Ring twice", code=CODE).status_code == 303
        assert send(street, do="leave", how="safe_place", where="Shed").status_code == 303
    assert asked(street) == ["note", "access_code", "safe_place"]


def test_an_empty_code_keeps_the_one_there_is_until_it_is_to_go() -> None:
    street = allow(moments.scheduled())
    send(street, do="door", note="", code=CODE)
    send(street, do="door", note="Hello", code="", n=1)
    assert on_the_phone(street).wish.access_code == CODE
    send(street, do="door", note="Hello", code="", forget="1", n=2)
    assert on_the_phone(street).wish.access_code == ""


def test_where_it_may_be_left_changes_the_proof_and_what_is_given_as_ever_is_enough() -> None:
    near = allow(moments.arriving(), note_stops=0)
    assert send(near, do="leave", how="safe_place", where="Shed").status_code == 409
    street = allow(moments.scheduled())
    street.settings(demands=["signature"])
    assert send(street, do="leave", how="neighbour", where="Mrs Lind, C 14").status_code == 303
    job = on_the_phone(street)
    assert job.demands == ("name",)
    assert job.wish.leave == "give it to the neighbour: Mrs Lind, C 14"
    street.tell("start_shift", None, 0)
    street.tell("close", street.job, 5, outcome="succeeded", name="Lind")
    assert street.job.outcome == "succeeded"


def test_what_is_typed_wrong_is_kept_and_said_at_the_field() -> None:
    street = allow(moments.scheduled())
    answer = send(street, do="door", note="x" * 301, code="")
    assert answer.status_code == 422
    assert "x" * 301 in answer.text
    assert 'id="note-wrong"' in answer.text
    assert "too long" in answer.text
    answer = send(street, do="leave", how="safe_place", where=" ")
    assert answer.status_code == 422
    assert "Say where" in answer.text
    for form in ({}, {"do": "x"}, {"do": "follow", "what": "fly"}):
        assert send(street, **form).status_code in (409, 422)
    assert asked(street) == []


def test_nothing_is_open_that_the_business_does_not_allow() -> None:
    street = allow(moments.scheduled(), allowed=[], follows=[])
    assert "<form" not in page_of(street)
    assert "not possible any more" in send(street, do="door", note="Hello").text
    assert send(street, do="door", note="Hello").status_code == 409
    assert send(street, do="leave", how="neighbour", where="Lind").status_code == 409
    assert send(street, do="follow", what="return").status_code == 409
    assert send(street, path="cancel").status_code == 409
    assert send(street, path="times", time="today").status_code == 409
    assert client_of(street).get(f"/t/{street.token}/times").status_code == 409
    assert asked(street) == []


def test_after_the_cut_off_a_plan_stays_and_the_page_says_until_when_it_was_possible() -> None:
    street = allow(moments.scheduled(), hours=12)
    came(street, timedelta(days=1))
    page = page_of(street)
    assert "Changes were possible until" in page
    assert "/times" not in page
    assert send(street, path="cancel").status_code == 409
    assert rows(street, JobRow, JobRow.id == street.job.id)[0].outcome == ""
    late = allow(moments.on_its_way())
    assert "The driver has it on board" in page_of(late)


def test_of_what_was_ordered_after_the_cut_off_the_page_does_not_say_it_could_be_changed() -> None:
    street = allow(moments.scheduled(), hours=12)
    came(street, timedelta(0))
    page = page_of(street)
    assert "It comes too soon for changes." in page
    assert "Changes were possible" not in page


def test_until_the_time_is_told_is_a_cut_off_too() -> None:
    street = allow(moments.ordered(), until="published")
    assert "/cancel" in page_of(street)
    street.day.publish()
    assert "Changes were possible until your time was set." in page_of(street)
    assert send(street, path="cancel").status_code == 409


def test_it_is_cancelled_once_after_a_second_page() -> None:
    street = allow(moments.scheduled(), hours=0)
    client = client_of(street)
    assert "Yes, cancel it" in client.get(f"/t/{street.token}/cancel").text
    for _ in range(2):
        assert send(street, client, "cancel").status_code == 303
    assert (street.order.status, street.job.outcome) == ("cancelled", "cancelled")
    assert asked(street) == ["cancel"]
    [event] = street.day.events("OrderCancelled")
    assert event.actor == "recipient"
    assert "This delivery is cancelled" in page_of(street)


def test_another_time_is_offered_where_the_plan_can_and_taken_on_the_same_route() -> None:
    street = allow(moments.scheduled())
    street.clock(-120)
    offered = times(street)
    assert offered
    before = rows(street, PromiseRow, PromiseRow.job_id == street.job.id)
    answer = send(street, path="times", time=offered[1])
    assert answer.headers["Location"].endswith("?done=time#done")
    job = street.job
    opens = int(offered[1])
    after = rows(street, PromiseRow, PromiseRow.job_id == job.id)
    assert len(after) == len(before) + 1
    last = max(after, key=lambda row: row.n)
    assert opens <= last.opens.timestamp() < last.closes.timestamp() <= opens + 7200
    assert job.state == "dispatched"
    assert len(rows(street, StopJobRow, StopJobRow.job_id == job.id)) == 1
    assert asked(street) == ["another_slot"]
    assert street.day.events("JobWithdrawn") == []
    assert send(street, path="times", time=offered[1]).status_code == 303  # a double tap
    assert len(rows(street, PromiseRow, PromiseRow.job_id == job.id)) == len(after)


def test_a_day_that_is_not_planned_takes_it_off_its_route_and_promises_the_slot() -> None:
    street = allow(moments.scheduled())
    street.clock(-120)
    works = {"0": ["08:00", "17:00"], "1": ["08:00", "13:00"]}
    with street.hub.unit() as unit:
        for driver in unit.session.exec(select(DriverRow)):
            driver.works = works if driver.name == "Mara" else {}
    offered = [int(one) for one in times(street)]
    tuesday = [one for one in offered if one > offered[0] + 12 * 3600]
    hours = [(one - tuesday[0]) // 3600 for one in tuesday]
    assert hours == [0, 2]  # 9 to 11, 11 to 13; nobody works later, nor on Wednesday
    send(street, path="times", time=str(tuesday[1]))
    job = street.job
    assert (job.state, job.due_on) == ("created", date(2026, 11, 24))
    assert rows(street, StopJobRow, StopJobRow.job_id == job.id) == []
    page = page_of(street)
    assert "11:00 – 13:00" in page
    assert "Tomorrow, Tuesday 24 November" in page
    notices = rows(street, NoticeRow, NoticeRow.job_id == job.id, NoticeRow.trigger == "withdrawn")
    assert notices == []


def test_a_time_that_was_taken_meanwhile_is_said_with_those_still_free() -> None:
    street = allow(moments.scheduled())
    street.clock(-120)
    first = times(street)[0]
    street.clock(8 * 60)  # too late for that one
    street = allow(street, hours=0)
    assert send(street, path="times", time=first).status_code == 409
    street.clock(-120)
    answer = send(street, path="times", time="17")
    assert answer.status_code == 409
    assert "has just been taken" in answer.text
    assert 'name="time"' in answer.text


def test_a_full_day_that_is_not_planned_is_not_offered() -> None:
    street = allow(moments.ordered())
    street.clock(-120)
    slots = {"minutes": 120, "days": 7, "weekdays": [0], "begins": "09:00"}
    allow(street, slots=slots)
    with street.hub.unit() as unit:  # next Monday has a job already
        other = unit.session.exec(select(JobRow).where(JobRow.id != street.job.id)).first()
        other.due_on = date(2026, 11, 30)
    assert any(int(one) > 1764000000 + 86400 * 5 for one in times(street))
    allow(street, slots={**slots, "most_jobs": 1})
    next_monday = int((moments.EIGHT + timedelta(days=6)).timestamp())
    assert [one for one in times(street) if int(one) > next_monday] == []


@pytest.mark.parametrize("what", ["collect", "return"])
def test_after_a_failure_it_is_kept_or_goes_back(what: str) -> None:
    street = allow(failed())
    page = page_of(street)
    assert "What should happen next?" in page
    assert "Mon to Fri, 9 to 18" in page
    for _ in range(2):
        assert send(street, do="follow", what=what).status_code == 303
    assert street.job.next_step == what
    assert asked(street) == ["next_step"]
    after = page_of(street)
    assert {"collect": "You can collect it here:", "return": "It goes back"}[what] in after
    assert "What should happen next?" not in after


def test_after_a_failure_another_time_is_the_next_attempt() -> None:
    street = allow(failed())
    offered = times(street)
    assert offered[0] == "today"
    send(street, path="times", time="today")
    job = street.job
    assert (job.attempt, job.state) == (2, "dispatched")
    assert street.day.events("NextStepChosen")[0].actor == "recipient"
    other = allow(failed())
    slot = next(one for one in times(other) if one != "today")
    send(other, path="times", time=slot)
    assert other.job.attempt == 2
    assert int(slot) == datetime.fromisoformat(other.job.windows[0][0]).timestamp()


def test_a_safe_place_for_the_next_attempt() -> None:
    street = allow(failed())
    assert send(street, do="follow", what="safe_place", where="").status_code == 422
    assert send(street, do="follow", what="safe_place", where="Behind the bins").status_code == 303
    assert (street.job.attempt, street.job.state) == (2, "created")
    wishes = [(row.kind, row.said) for row in rows(street, WishRow)]
    assert ("safe_place", "Behind the bins") in wishes


@pytest.mark.parametrize("what", ["collect", "return"])
def test_a_waiting_attempt_is_given_up_for_it(what: str) -> None:
    street = allow(moments.rescheduled())
    assert send(street, do="follow", what=what).status_code == 303
    job = street.job
    assert (job.attempt, job.outcome, job.next_step) == (2, "cancelled", what)
    assert street.order.status == "open"
    page = page_of(street)
    assert "This delivery is cancelled" not in page
    assert ("You can collect it here:" in page) == (what == "collect")
    assert rows(street, NoticeRow, NoticeRow.trigger == "failed", NoticeRow.job_id == job.id) == []


def test_an_attempt_that_waits_can_come_today_or_at_another_time() -> None:
    street = allow(moments.rescheduled())
    assert times(street)[0] == "today"
    send(street, path="times", time="today")
    assert street.job.state == "dispatched"


def test_a_time_chosen_for_the_next_attempt_has_its_cut_off_too() -> None:
    slots = {"minutes": 120, "days": 7, "weekdays": list(range(7)), "begins": "09:00"}
    street = allow(moments.rescheduled(), slots=slots)
    slot = times(street)[-1]  # on a day that is not planned yet
    assert send(street, path="times", time=slot).status_code == 303
    chosen = len(rows(street, WishRow))
    assert times(street)  # there is time to think better of it
    opens = datetime.fromtimestamp(int(slot), UTC)
    street.day.now[0] = opens - timedelta(minutes=30)
    page = page_of(street)
    assert "Choose when we try again" not in page
    assert "What should happen next?" not in page
    assert client_of(street).get(f"/t/{street.token}/times").status_code == 409
    for path, form in (("times", {"time": "today"}), ("do", {"do": "follow", "what": "return"})):
        assert send(street, path=path, n=chosen, **form).status_code == 409
    assert len(rows(street, WishRow)) == chosen


def test_the_calendar_follows_a_new_time() -> None:
    street = allow(moments.scheduled())
    client = client_of(street)
    first = client.get(f"/t/{street.token}/delivery.ics")
    assert first.mimetype == "text/calendar"
    assert "no-store" in first.headers["Cache-Control"]
    line = {
        name: value for name, _, value in (one.partition(":") for one in first.text.split("\r\n"))
    }
    street.clock(-120)
    send(street, client, "times", time=times(street)[1])
    second = client.get(f"/t/{street.token}/delivery.ics").text
    assert f"UID:{line['UID']}" in second
    assert f"SEQUENCE:{int(line['SEQUENCE']) + 1}" in second
    assert line["DTSTART"] not in second
    assert client_of(moments.delivered()).get("/t/x/delivery.ics").status_code == 404


@pytest.mark.parametrize("path", ["do", "times", "cancel"])
def test_what_a_link_opens_for_a_form_is_what_it_opens_for_a_look(path: str) -> None:
    for moment, status in (("gone", 410), ("bare", 200)):
        street = allow(moments.MOMENTS[moment]())
        client = client_of(street)
        answer = send(street, client, path, do="door", note="x", time="today")
        assert answer.status_code == status
        assert asked(street) == []
    stranger = client.post(f"/t/{'x' * 22}/{path}", data={})
    assert stranger.status_code == 404
    assert "Set-Cookie" not in stranger.headers


def test_one_link_can_send_so_much_and_no_more() -> None:
    street = allow(moments.scheduled())
    client = client_of(street)
    codes = [send(street, client, do="x").status_code for _ in range(MOST_SENT + 1)]
    assert codes[-1] == 429
    assert set(codes[:-1]) == {422}


def test_a_dispatcher_sees_what_was_asked_and_a_step_taken_by_the_recipient_is_taken() -> None:
    street = allow(failed())
    send(street, do="follow", what="collect")
    with pytest.raises(HubError):
        choose_step(street.hub, street.business_id, street.job.id, NextStep.RETURN, actor="staff:1")


def test_an_address_that_was_wrong_is_put_right_by_somebody_before_anybody_comes_again() -> None:
    street = allow(moments.failed())
    page = page_of(street)
    assert "Choose when we try again" not in page
    assert 'value="safe_place" required' not in page
    assert send(street, path="times", time="today").status_code == 409
    assert send(street, do="follow", what="safe_place", where="Shed").status_code == 409
    assert send(street, do="follow", what="collect").status_code == 303


def test_where_nothing_can_be_done_any_more_the_page_does_not_say_that_something_can() -> None:
    page = page_of(allow(moments.arriving()))
    assert "The driver is almost there" in page
    assert "What you can do" not in page
    assert ">Changes</h2>" in page
    assert ">What you can do</h2>" in page_of(allow(moments.on_its_way()))

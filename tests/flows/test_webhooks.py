"""A business's own programs hear what happened: signed, in order, at least once or as a dead
letter that can be sent again."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from threading import Event as Signal
from threading import Lock, Thread
from typing import ClassVar

import pytest
from flask import Response
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlmodel import SQLModel, select
from standardwebhooks import Webhook

from hub import (
    ConfigError,
    Message,
    NotificationChannel,
    OrderAmended,
    OrderCancelled,
    Refused,
    hookimpl,
)
from hub.core.webhook_types import DATA
from hub.core.webhooks import DELAYS_S, LASTS
from hub.db.tables import AuditRow, SecretRow
from hub.db.unit import UnitOpen
from hub.flows.choices import choose
from hub.flows.drive import take_acts
from hub.flows.endpoint_secrets import change_secret, signing_secrets
from hub.flows.endpoints import change_endpoint, checked_url, endpoint_of, remove_endpoint, switch
from hub.flows.found import found
from hub.flows.log_in import Role, add_staff
from hub.flows.retain import retain
from hub.flows.webhook_claim import AT_ONCE, FOR_BUSINESS, LEASE, claimed
from hub.flows.webhook_log import replay, replay_dead, unsound, unwell, webhook_seen
from hub.flows.webhook_send import real, send_test, send_webhooks
from hub.testing import WsgiAdapter
from tests.driving_worlds import PHOTO, a_morning, act
from tests.webhook_worlds import ERP, MONDAY, URL, Call, Receiver, World, a_world

EXAMPLES = int(os.environ.get("HUB_WEBHOOK_EXAMPLES", "1"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world(folder=tmp_path)


def told(world: World) -> list[tuple[str, str]]:
    bodies = [json.loads(call.body) for call in world.receiver.calls]
    return [(body["type"], body["data"]["order"]["ref"]) for body in bodies]


def test_what_happened_reaches_the_endpoint_signed_and_with_ids_the_api_knows(
    database_url: str, tmp_path: Path
) -> None:
    world = a_world(database_url, tmp_path)
    world.listen()
    world.order("R1")
    assert world.work() == 1
    [call] = world.receiver.calls
    [row] = world.webhooks()
    body = json.loads(call.body)
    assert body["type"] == "order.placed"
    assert body["timestamp"] == "2026-11-23T06:00:00Z"
    assert body["data"]["order"]["id"] == row.subject_id
    assert body["data"]["order"] | {"id": ""} == {
        "id": "",
        "ref": "R1",
        "source": "api",
        "number": "R1",
    }
    assert call.key == row.id
    expected = Webhook(world.secret).sign(call.key, MONDAY, call.body.decode())
    assert call.headers["webhook-signature"] == expected
    assert row.state == "delivered"
    assert world.work() == 0


def test_by_the_real_clock_an_independent_library_verifies_it(world: World) -> None:
    endpoint_id = world.listen()
    send_test(world.hub, world.business_id, endpoint_id)
    [call] = world.receiver.calls
    assert Webhook(world.secret).verify(call.body, call.headers)["data"] == {"message": "It works."}


def test_every_type_of_a_day_is_told_in_its_documented_shape() -> None:
    morning = a_morning()
    receiver = Receiver()
    morning.hub.tools.http.mount(ERP, WsgiAdapter(receiver.app))
    world = World(morning.hub, morning.business_id, receiver, morning.now)
    world.listen()
    morning.publish()
    first, second, third = morning.jobs()
    phone = morning.phone()
    closing = {"outcome": "succeeded", "name": "Aino", "files": PHOTO}
    take_acts(
        morning.hub,
        phone,
        [
            act("1", "head_for", first, 0),
            act("2", "arrive", first, 9),
            act("3", "close", first, 10, **closing),
            act("4", "arrive", second, 20),
            act("5", "close", second, 21, outcome="failed", reason="nobody_home"),
        ],
    )
    world.later(hours=6)
    world.work()
    bodies = [json.loads(call.body) for call in receiver.calls]
    types = [body["type"] for body in bodies]
    assert {
        "order.placed",
        "route.published",
        "job.dispatched",
        "job.on_its_way",
        "job.arrived",
        "job.succeeded",
        "proof.ready",
        "job.failed",
    } <= set(types)
    assert types.count("order.placed") == 3
    for body in bodies:
        shape = DATA[body["type"]]
        assert set(body["data"]) == set(shape.model_fields)
        shape.model_validate(body["data"], strict=False)
    assert "Aino" not in str(bodies)  # nothing of a person
    of_first = [b["type"] for b in bodies if b["data"].get("job", {}).get("id") == first.id]
    assert of_first == [
        "job.dispatched",
        "job.on_its_way",
        "job.arrived",
        "job.succeeded",
        "proof.ready",
    ]


def test_an_endpoint_hears_only_what_it_chose_and_the_neighbour_nothing(world: World) -> None:
    world.listen(types=["order.cancelled"], url=f"{ERP}/cancelled")
    world.order("R1")
    assert world.work() == 0
    world.listen(types=["order.placed"])
    world.order("R2")
    neighbour = World(world.hub, "", world.receiver, world.now)
    neighbour.business_id = found(world.hub, "Rival", zone="UTC")
    neighbour.order("R3")
    world.work()
    assert told(world) == [("order.placed", "R2")]


def test_a_failing_receiver_is_tried_ten_times_in_75_h_35_min_then_switched_off(
    world: World,
) -> None:
    world.listen()
    world.receiver.be(500, "the shelf is full")
    world.order("R1")
    times = []
    while world.work() or world.to_the_next():
        times = [attempt.at - MONDAY for attempt in world.attempts()]
    assert len(times) == len(DELAYS_S)
    assert times[0] == timedelta(0)
    assert abs(times[-1] - LASTS) < timedelta(seconds=1)
    assert len({call.key for call in world.receiver.calls}) == 1
    stamps = [int(call.headers["webhook-timestamp"]) for call in world.receiver.calls]
    assert sorted(set(stamps)) == stamps  # each attempt has its own time, and so its signature
    assert len({call.headers["webhook-signature"] for call in world.receiver.calls}) == 10
    [row] = world.webhooks()
    assert (row.state, row.attempts) == ("dead", 10)
    assert {one.answer for one in world.attempts()} == {"the shelf is full"}
    assert world.endpoint().state == "failing"
    assert "It answered 500." in world.endpoint().problem
    assert [row.id for row in unwell(world.hub, world.business_id)] == [world.endpoint_id]


def test_one_event_that_always_fails_switches_nothing_off(world: World) -> None:
    world.listen()
    world.receiver.mood = lambda call: Response("", 500 if b'"R1"' in call.body else 200)
    world.order("R1")
    for n in range(2, 14):
        world.work()
        world.to_the_next()
        world.order(f"R{n}")
    assert [row.state for row in world.webhooks()].count("dead") == 1
    assert world.endpoint().state == "on"
    assert unwell(world.hub, world.business_id) == []


def test_an_endpoint_that_fails_for_hours_is_told_to_its_owner_until_it_works(
    world: World,
) -> None:
    world.listen()
    world.receiver.be(503)
    world.order("R1")
    world.work()
    assert unwell(world.hub, world.business_id) == []
    world.later(hours=7)
    world.work()
    assert [row.id for row in unwell(world.hub, world.business_id)] == [world.endpoint_id]
    world.receiver.be(200)
    world.later(hours=7)
    world.work()
    assert unwell(world.hub, world.business_id) == []


def test_what_comes_later_for_an_order_waits_and_other_orders_do_not(
    database_url: str, tmp_path: Path
) -> None:
    world = a_world(database_url, tmp_path)
    world.listen()
    world.receiver.mood = lambda call: Response("", 500 if b'"R1"' in call.body else 200)
    world.order("R1", "R2")
    world.work()
    [one] = [row for row in world.webhooks() if row.state == "due"]
    world.announce(one.subject_id, OrderCancelled)
    world.work()
    assert told(world).count(("order.cancelled", "R1")) == 0
    assert ("order.placed", "R2") in told(world)
    world.receiver.be(200)
    world.later(hours=1)
    world.work()
    assert told(world)[-2:] == [("order.placed", "R1"), ("order.cancelled", "R1")]


def test_a_dead_letter_lets_the_next_one_go(world: World) -> None:
    world.order("N")
    world.work()
    [neighbour] = world.order_ids()
    world.listen()
    world.receiver.mood = lambda call: Response("", 500 if b"order.placed" in call.body else 200)
    world.order("R1")
    world.work()
    [first] = world.webhooks()
    world.announce(first.subject_id, OrderCancelled)
    for _ in range(9):
        world.announce(neighbour, OrderCancelled)  # all is well otherwise
        world.work()
        assert states(world, first.subject_id) == ["due", "due"]
        world.to_the_next()
    world.work()
    assert states(world, first.subject_id) == ["dead", "delivered"]


def states(world: World, subject_id: str) -> list[str]:
    return [row.state for row in world.webhooks() if row.subject_id == subject_id]


def test_410_switches_the_endpoint_off_and_what_waits_is_a_dead_letter(world: World) -> None:
    world.listen()
    world.receiver.be(410)
    world.order("R1", "R2")
    world.work()
    world.order("R3")
    world.work()
    assert world.endpoint().state == "gone"
    assert {row.state for row in world.webhooks()} == {"dead"}
    assert len(world.webhooks()) == 2  # it said for good that it wants no more
    assert unwell(world.hub, world.business_id)[0].problem.startswith("It answered 410")


class Post(NotificationChannel):
    """A channel for e-mail that keeps what it is given."""

    key, title, reaches = "post", "Post", "email"
    sent: ClassVar[list[Message]] = []

    def send(self, message: Message) -> str:
        if message.to.startswith("gone"):
            raise Refused("There is no such mailbox.")
        self.sent.append(message)
        return message.key

    @staticmethod
    @hookimpl
    def hub_notification_channels() -> list[type[NotificationChannel]]:
        return [Post]


def test_the_owners_get_a_mail_once_an_endpoint_is_switched_off(tmp_path: Path) -> None:
    Post.sent.clear()
    world = a_world("", tmp_path, Post)
    about = {"password": "four loaves of rye bread", "name": "x"}
    for email, role in (
        ("gone@husk.example", Role.OWNER),
        ("olga@husk.example", Role.OWNER),
        ("dora@husk.example", Role.DISPATCHER),
    ):
        add_staff(world.hub, world.business_id, email=email, role=role, **about)
    choose(world.hub, world.business_id, "channel", "post", {}, actor="staff:1")
    world.listen(description="ERP")
    world.receiver.be(410)
    world.order("R1")
    for _ in range(2):
        world.work()
    [mail] = Post.sent
    assert (mail.to, mail.subject) == ("olga@husk.example", "Webhooks to ERP were switched off")
    assert "It answered 410" in mail.text
    assert f"/panel/webhooks/{world.endpoint_id}" in mail.text


def test_a_pause_asked_for_holds_back_everything_for_that_endpoint_alone(world: World) -> None:
    world.listen(url=f"{ERP}/busy")
    world.receiver.mood = lambda call: Response("", 429, {"Retry-After": "1800"})
    world.order("R1")
    world.work()
    world.order("R2")
    assert world.work() == 0
    world.listen(url=f"{ERP}/idle")
    world.receiver.be(200)
    world.order("R3")
    assert world.work() == 1
    world.later(minutes=29)
    assert world.work() == 0
    world.later(minutes=1)
    assert world.work() == 3


def test_a_pause_named_as_a_date_is_kept_too(world: World) -> None:
    """By the real clock, as its sender means it."""
    world.listen()
    when = (real() + timedelta(hours=2)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    world.receiver.be(503, Retry_After=when)
    world.order("R1")
    world.work()
    [row] = world.webhooks()
    assert timedelta(hours=1, minutes=59) < row.due_at - MONDAY < timedelta(hours=2, minutes=1)


def test_a_redirect_is_not_followed(world: World) -> None:
    world.listen()
    world.receiver.be(302, Location=f"{ERP}/elsewhere")
    world.order("R1")
    world.work()
    assert len(world.receiver.calls) == 1
    assert "a redirect" in world.webhooks()[0].problem


def test_a_long_answer_is_cut_and_what_no_database_keeps_is_replaced(world: World) -> None:
    world.listen()
    world.receiver.be(500, "\0" + "x" * 100_000)
    world.order("R1")
    world.work()
    [attempt] = world.attempts()
    assert len(attempt.answer) == 4000
    assert attempt.answer.startswith("\N{REPLACEMENT CHARACTER}x")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://127.0.0.1/x", "inside a private network"),
        ("https://[::1]/x", "inside a private network"),
        ("https://169.254.169.254/latest/meta-data", "inside a private network"),
        ("https://2130706433/x", "inside a private network"),
        ("http://93.184.215.14/x", "must begin with https"),
        ("ftp://93.184.215.14/x", "no address"),
        ("https://", "no address"),
        ("https://a b/", "no address"),
        ("https://93.184.215.14:99999/", "no address"),
        ("https://93.184.215.14:0/", "port 0"),
        ("https://me:secret@93.184.215.14/", "name and password"),
        ("https://93.184.215.14/#part", "after #"),
        ("https://nobody-has-this-name.invalid/", "no server named"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused_at_its_field(
    world: World, url: str, why: str
) -> None:
    with pytest.raises(ConfigError, match=why) as refused:
        checked_url(world.hub, url)
    assert refused.value.field == "url"


def test_an_address_that_became_private_is_not_called(world: World) -> None:
    """A name can be pointed inside after it was checked: each attempt looks again."""
    world.listen()
    with world.hub.unit() as unit:
        row = endpoint_of(unit.session, world.business_id, world.endpoint_id)
        row.url = "https://127.0.0.1:9/inside"
    world.order("R1")
    world.work()
    [attempt] = world.attempts()
    assert attempt.status is None
    assert "inside a private network" in attempt.problem


def test_no_name_is_looked_up_while_a_unit_is_open(world: World) -> None:
    with world.hub.unit(), pytest.raises(UnitOpen):
        checked_url(world.hub, URL)


def test_a_new_secret_signs_beside_the_old_one_for_24_hours(world: World) -> None:
    world.listen()
    old = world.secret
    new = change_secret(world.hub, world.business_id, world.endpoint_id, actor="x").secret
    world.order("R1")
    world.work()
    [call] = world.receiver.calls
    wanted = [Webhook(one).sign(call.key, MONDAY, call.body.decode()) for one in (new, old)]
    assert call.headers["webhook-signature"].split(" ") == wanted
    world.later(hours=24)
    world.order("R2")
    world.work()
    assert len(world.receiver.calls[-1].headers["webhook-signature"].split()) == 1
    assert signing_secrets(world.hub, world.business_id, world.endpoint_id) == [new]


def test_changed_often_all_of_a_day_sign_but_never_more_than_five(world: World) -> None:
    world.listen()
    made = [world.secret]
    for _ in range(7):
        world.later(hours=1)
        made.append(
            change_secret(world.hub, world.business_id, world.endpoint_id, actor="x").secret
        )
    assert signing_secrets(world.hub, world.business_id, world.endpoint_id) == made[:-6:-1]


def test_no_secret_lies_open_anywhere(world: World) -> None:
    world.listen()
    made = change_secret(world.hub, world.business_id, world.endpoint_id, actor="x")
    with world.hub.engine.connect() as connection:
        for table in SQLModel.metadata.sorted_tables:
            rows = str(connection.execute(table.select()).all())
            assert world.secret not in rows and made.secret not in rows, table.name
    assert made.secret not in repr(made)


def test_a_secret_that_can_no_longer_be_read_is_said_and_sends_nothing_unsigned(
    world: World,
) -> None:
    world.listen()
    assert unsound(world.hub, world.business_id) == []
    with world.hub.unit() as unit:
        for row in unit.session.exec(select(SecretRow)):
            row.sealed = "lost"
    world.order("R1")
    world.work()
    assert world.receiver.calls == []
    assert "secret can no longer be read" in world.webhooks()[0].problem
    [problem] = unsound(world.hub, world.business_id)
    assert world.endpoint_id in problem
    new = change_secret(world.hub, world.business_id, world.endpoint_id, actor="x").secret
    assert unsound(world.hub, world.business_id) == []
    world.later(hours=1)
    world.work()
    [call] = world.receiver.calls
    signed = Webhook(new).sign(call.key, world.now[0], call.body.decode())
    assert call.headers["webhook-signature"] == signed


def test_one_sent_again_waits_for_a_later_one_that_is_on_its_way(tmp_path: Path) -> None:
    world = a_world(folder=tmp_path)
    world.listen()
    world.order("R1")
    world.work()
    [first] = world.webhooks()
    world.announce(world.order_ids()[0], OrderAmended, changed=("number",))
    arrived, answered = Signal(), Signal()

    def slowly(call: Call) -> Response:
        arrived.set()
        assert answered.wait(30)
        return Response("thanks")

    world.receiver.mood = slowly
    worker = Thread(target=world.work)
    worker.start()
    assert arrived.wait(30)
    replay(world.hub, world.business_id, first.id, actor="staff:1")
    assert world.work() == 0
    answered.set()
    worker.join(30)
    world.work()
    assert [call.key for call in world.receiver.calls].count(first.id) == 2


def test_what_waits_is_sent_now_after_what_has_to_go_before_it(world: World) -> None:
    world.listen()
    world.receiver.be(500)
    subject = "o1"
    world.order("R1")
    [subject] = world.order_ids()
    world.announce(subject, OrderCancelled)
    world.work()
    first, second = world.webhooks()
    assert [row.attempts for row in (first, second)] == [1, 0]
    world.receiver.be(200)
    assert world.work() == 0
    replay(world.hub, world.business_id, second.id, actor="staff:1")
    assert world.work() == 2
    assert [call.key for call in world.receiver.calls] == [first.id, first.id, second.id]
    world.receiver.be(429, Retry_After="600")
    world.announce(subject, OrderCancelled)
    world.work()
    with pytest.raises(Refused, match="asked for a pause"):
        replay(world.hub, world.business_id, world.webhooks()[-1].id, actor="staff:1")


def test_what_was_missed_is_sent_again_in_order_under_the_same_ids(world: World) -> None:
    world.listen()
    world.receiver.be(500)
    world.order("R1", "R2")
    while world.work() or world.to_the_next():
        pass
    world.order("R3")  # while it is off by the hub: kept, for later
    world.work()
    keys = [row.id for row in world.webhooks()]
    with pytest.raises(Refused, match="switched off"):
        replay(world.hub, world.business_id, keys[0], actor="staff:1")
    switch(world.hub, world.business_id, world.endpoint_id, True, actor="staff:1")
    world.receiver.be(200)
    world.receiver.calls.clear()
    about = (world.hub, world.business_id, world.endpoint_id)
    assert replay_dead(*about, MONDAY + timedelta(hours=70), actor="staff:1") == 1
    assert replay_dead(*about, MONDAY, actor="staff:1") == 2
    with pytest.raises(Refused, match="on its way already"):
        replay(world.hub, world.business_id, keys[0], actor="staff:1")
    world.work()
    assert sorted(call.key for call in world.receiver.calls) == sorted(keys)
    assert {row.state for row in world.webhooks()} == {"delivered"}
    replay(world.hub, world.business_id, keys[0], actor="staff:1")
    world.work()
    assert world.receiver.calls[-1].key == keys[0]
    attempts = webhook_seen(world.hub, world.business_id, keys[0]).attempts
    statuses = [attempt.status for attempt in attempts]
    assert statuses[-2:] == [200, 200]
    assert set(statuses[:-2]) == {500}


def test_switched_off_by_a_person_nothing_is_kept_for_later(world: World) -> None:
    world.listen()
    switch(world.hub, world.business_id, world.endpoint_id, False, actor="staff:1")
    world.order("R1")
    world.work()
    assert world.webhooks() == []


def test_what_waits_goes_to_the_address_as_it_is_now(world: World) -> None:
    world.listen(url=f"{ERP}/old")
    world.receiver.be(500)
    world.order("R1")
    world.work()
    changes = {"url": f"{ERP}/new", "description": "ERP", "types": ["order.amended"]}
    change_endpoint(world.hub, world.business_id, world.endpoint_id, changes, actor="staff:1")
    world.receiver.be(200)
    world.later(minutes=1)
    world.work()
    assert world.webhooks()[0].state == "delivered"
    assert world.endpoint().url == f"{ERP}/new"


def test_a_removed_endpoint_leaves_no_secret_and_no_log(world: World) -> None:
    world.listen()
    world.order("R1")
    world.work()
    remove_endpoint(world.hub, world.business_id, world.endpoint_id, actor="staff:1")
    world.order("R2")
    world.work()
    assert world.webhooks() == world.attempts() == []
    with world.hub.reading() as session:
        assert session.exec(select(SecretRow)).all() == []
        done = [row.action for row in session.exec(select(AuditRow).order_by(AuditRow.id))]
    assert done[-2:] == ["endpoint.made", "endpoint.removed"]


def test_removed_while_a_webhook_is_on_its_way_breaks_nothing(world: World) -> None:
    world.listen()

    def remove(call: Call) -> Response:
        remove_endpoint(world.hub, world.business_id, world.endpoint_id, actor="staff:1")
        return Response("")

    world.receiver.mood = remove
    world.order("R1")
    assert world.work() == 1
    assert world.webhooks() == []


def test_a_test_is_answered_at_once_and_never_tried_again(world: World) -> None:
    endpoint_id = world.listen()
    switch(world.hub, world.business_id, endpoint_id, False, actor="staff:1")
    world.receiver.be(500, "no")
    _, answer = send_test(world.hub, world.business_id, endpoint_id)
    assert (answer.status, answer.text) == (500, "no")
    world.later(days=4)
    assert world.work() == 0
    switch(world.hub, world.business_id, endpoint_id, True, actor="staff:1")
    assert replay_dead(world.hub, world.business_id, endpoint_id, MONDAY, actor="x") == 0


def test_a_slow_receiver_holds_up_nobody_else(tmp_path: Path) -> None:
    """Of a receiver that hangs, few are on their way; the others' go out meanwhile."""
    world = a_world(f"sqlite:///{tmp_path}/hub.db", tmp_path)
    hangs, went_on = Signal(), Signal()

    def answer(call: Call) -> Response:
        if b"order.placed" in call.body:
            hangs.wait(30)
        elif len([one for one in world.receiver.calls if b"order.amended" in one.body]) == 6:
            went_on.set()
            hangs.set()
        return Response("")

    world.receiver.mood = answer
    world.listen(url=f"{ERP}/slow", types=["order.placed"])
    world.listen(url=f"{ERP}/quick", types=["order.amended"])
    world.order(*(f"R{n}" for n in range(6)))
    while world.hub.deliver_events():
        pass
    for row in world.webhooks():
        world.announce(row.subject_id, OrderAmended, changed=("number",))
    world.work()
    assert went_on.is_set()
    assert {row.state for row in world.webhooks()} == {"delivered"}


def test_many_silent_receivers_of_one_business_hold_up_no_other(tmp_path: Path) -> None:
    """Five of them had every slot, for 15 s each, until all that waited there was tried."""
    world = a_world(folder=tmp_path)
    for n in range(5):
        world.listen(url=f"{ERP}/silent{n}")
    world.order(*(f"R{n}" for n in range(20)))
    other = replace(world, business_id=found(world.hub, "Other", zone="UTC"))
    other.listen(url=f"{ERP}/well")
    other.order("R1")
    was_told, in_time, lock, most = Signal(), list[bool](), Lock(), [0, 0]

    def answer(call: Call) -> Response:
        if call.path == "/well":
            was_told.set()
            return Response("thanks")
        with lock:
            most[0] += 1
            most[1] = max(most)
        in_time.append(was_told.wait(20))
        with lock:
            most[0] -= 1
        return Response("down", 500)

    world.receiver.mood = answer
    world.work()
    assert all(in_time)
    assert most[1] <= FOR_BUSINESS
    assert other.endpoint().failing_since is None
    world.later(hours=1)
    with world.hub.unit() as unit:  # of those that fail, each has one on its way
        turns = claimed(world.hub, unit, AT_ONCE, [], LEASE)
    assert len(turns) == len({turn.endpoint_id for turn in turns}) == 5


def test_two_workers_send_each_webhook_once_and_in_order(database_url: str, tmp_path: Path) -> None:
    world = a_world(database_url, tmp_path)
    world.listen()
    world.order(*(f"R{n}" for n in range(4)))
    for _ in range(3):
        for order_id in world.order_ids():
            world.announce(order_id, OrderCancelled)
    while world.hub.deliver_events():
        pass
    others, meanwhile = Signal(), list[str]()

    def answer(call: Call) -> Response:
        """The first of all is answered when others have come: whoever may overtake it does."""
        if call is world.receiver.calls[0]:
            others.wait(20)
            meanwhile.extend(one.key for one in world.receiver.calls[1:])
        elif len(world.receiver.calls) > 12:
            others.set()
        return Response("")

    world.receiver.mood = answer
    with ThreadPoolExecutor(2) as workers:
        sent = [workers.submit(send_webhooks, world.hub) for _ in range(2)]
        assert sum(one.result() for one in sent) == 16
    came = [call.key for call in world.receiver.calls]
    assert len(set(came)) == 16
    subjects = {row.id: row.subject_id for row in world.webhooks()}
    assert subjects[came[0]] not in {subjects[key] for key in meanwhile}
    assert len(meanwhile) == 12
    for order_id in world.order_ids():
        mine = [row.id for row in world.webhooks() if row.subject_id == order_id]
        assert [key for key in came if key in mine] == mine


def test_the_log_goes_after_thirty_days_and_what_waits_stays(world: World) -> None:
    world.listen()
    world.order("R1")
    world.work()
    world.receiver.be(500)
    world.order("R2")
    world.work()
    world.later(days=31)
    retain(world.hub)
    assert [row.state for row in world.webhooks()] == ["due"]
    assert len(world.attempts()) == 1


class Killed(BaseException):
    """The worker ends in the middle of a webhook: what was answered is never written down."""


@pytest.fixture(scope="module")
def three_orders() -> World:
    """Of which a program hears what is announced, once it listens."""
    world = a_world()
    world.order("A", "B", "C")
    while world.hub.deliver_events():
        pass
    return world


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    happened=st.lists(st.sampled_from([0, 0, 1, 2]), min_size=2, max_size=6),
    answers=st.lists(st.sampled_from([200, 204, 302, 404, 429, 500, None]), max_size=25),
    ends_well=st.booleans(),
)
@example(happened=[0, 0, 1], answers=[500], ends_well=True)
@example(happened=[0, 1, 0, 0], answers=[None, 429, 200, None], ends_well=True)
@example(happened=[0, 0], answers=[], ends_well=False)
def test_whatever_fails_each_event_arrives_in_order_or_is_a_dead_letter(
    three_orders: World, happened: list[int], answers: list[int | None], ends_well: bool
) -> None:
    """``answers`` come one after the other (``None``: killed), then one and the same for ever."""
    world, left = three_orders, iter(answers)
    taken = set[str]()

    def answer(call: Call) -> Response:
        status = next(left, 200 if ends_well else 500)
        if status in (200, 204, None):
            taken.add(call.key)
        if status is None:
            raise Killed
        return Response("", status)

    world.receiver.calls.clear()
    world.receiver.mood = answer
    world.listen(types=["order.cancelled"])
    orders = world.order_ids()
    try:
        for n, which in enumerate(happened):
            world.announce(orders[which], OrderCancelled)
            if n % 3 == 0:
                work_or_be_killed(world)
        while work_or_be_killed(world) or world.to_the_next():
            pass
        rows, calls = world.webhooks(), world.receiver.calls
        is_off = world.endpoint().state == "failing"
        assert len(rows) == len(happened)
        assert {row.state for row in rows} <= {"delivered", "dead"}
        for row in rows:
            if row.state == "delivered":
                assert row.id in taken
            else:
                assert row.attempts == len(DELAYS_S) or is_off
        for order in orders:
            keys = [row.id for row in rows if row.subject_id == order]
            tried = [call.key for call in calls if call.key in keys]
            assert [key for key, _ in groupby(tried)] == keys[: len(set(tried))]
            assert set(tried) == set(keys) or is_off
        assert is_off <= (not ends_well)
    finally:
        remove_endpoint(world.hub, world.business_id, world.endpoint_id, actor="x")


def work_or_be_killed(world: World) -> bool:
    """Whether there was something to do. What the dead had claimed is free at once."""
    while world.hub.deliver_events():
        pass
    try:
        return send_webhooks(world.hub, lease=timedelta(0), clock=lambda: world.now[0]) > 0
    except Killed:
        return True

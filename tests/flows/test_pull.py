"""Sources are read on the clock and when they ring, by one process at a time, losing nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fake_bakehouse import FakeBakehouse

from hub.core.contracts import WebhookRequest
from hub.core.errors import BadSignature
from hub.db.tables import ConnectionRow, OrderRow, RejectRow
from hub.flows.connect import connect
from hub.flows.connections_seen import connection_seen
from hub.flows.found import found
from hub.flows.installed import troubles
from hub.flows.pull import pull_due, sweep
from hub.flows.rings import mend_webhooks, ring
from hub.flows.secrets import opened
from hub.testing import WsgiAdapter
from tests.connected_worlds import MONDAY, Connected, a_shop


@pytest.fixture
def world(database_url: str) -> Connected:
    return a_shop(database_url)


def filled(world: Connected, count: int = 10) -> None:
    for n in range(count):
        world.shop.put(f"R{n:03}", MONDAY + timedelta(minutes=n))
    world.connect()


def refs(world: Connected) -> list[str]:
    return sorted(row.ref for row in world.rows(OrderRow))


def test_the_first_look_brings_all_and_the_next_only_what_is_new(world: Connected) -> None:
    filled(world)
    assert pull_due(world.hub) == 1
    assert len(refs(world)) == 10
    row = world.row()
    assert (row.orders_placed, row.looked_at, row.state) == (10, MONDAY, "ok")
    assert row.swept_at == MONDAY
    assert pull_due(world.hub) == 0
    world.later(minutes=15)
    world.shop.put("R010", world.now[0])
    asked = world.shop.asked
    assert pull_due(world.hub) == 1
    assert len(refs(world)) == 11
    assert world.shop.asked == asked + 1


def test_a_page_and_its_cursor_are_stored_together(world: Connected) -> None:
    """Whoever is killed between two pages leaves the cursor of the last page that is stored."""
    filled(world, 12)
    died: list[int] = []

    def kill_at_the_third(app: Any) -> Any:
        def through(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if world.shop.asked == 3 and not died:  # 1 was the check
                died.append(1)
                raise KeyboardInterrupt
            return app(environ, start)

        return through

    world.hub.tools.http.mount(
        "https://bakehouse.test", WsgiAdapter(kill_at_the_third(world.shop.app))
    )
    with pytest.raises(KeyboardInterrupt):
        pull_due(world.hub)
    assert len(refs(world)) == 7  # one comes twice, for the instant of the cursor is read again
    assert world.row().cursor == (MONDAY + timedelta(minutes=6)).isoformat()
    assert pull_due(world.hub) == 0  # the lease of the dead
    expire(world)
    assert pull_due(world.hub) == 1
    assert len(refs(world)) == 12
    assert {row.version for row in world.rows(OrderRow)} == {1}


def expire(world: Connected) -> None:
    with world.hub.unit() as unit:
        row = unit.session.get_one(ConnectionRow, world.connection_id)
        row.leased_until = datetime.now(UTC) - timedelta(seconds=1)


def test_two_workers_never_read_one_connection_at_once(world: Connected) -> None:
    filled(world, 40)
    counts: list[int] = []
    workers = [
        threading.Thread(target=lambda: counts.append(pull_due(world.hub))) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sum(counts) == 1
    assert world.row().orders_placed == 40


def test_who_lost_its_lease_stores_nothing_more(world: Connected) -> None:
    filled(world, 12)

    def steal(app: Any) -> Any:
        def through(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if world.shop.asked == 2:  # 1 was the check
                with world.hub.unit() as unit:
                    unit.session.get_one(ConnectionRow, world.connection_id).leased_by = "another"
            return app(environ, start)

        return through

    world.hub.tools.http.mount("https://bakehouse.test", WsgiAdapter(steal(world.shop.app)))
    pull_due(world.hub)
    assert len(refs(world)) == 4
    assert world.row().leased_by == "another"


@pytest.mark.parametrize(
    ("mood", "state", "again_s"),
    [
        ("busy", "ok", 7),
        ("down", "ok", 16),
        ("babbling", "ok", 16),
        ("locked", "needs_reconnect", None),
    ],
)
def test_the_kind_of_error_decides_when_it_is_looked_at_again(
    world: Connected, mood: str, state: str, again_s: int | None
) -> None:
    filled(world)
    world.shop.be(mood)
    pull_due(world.hub)
    row = world.row()
    assert row.state == state
    assert row.due_at == (None if again_s is None else MONDAY + timedelta(seconds=again_s))
    assert row.leased_until is None
    if again_s is not None:
        world.shop.be("well")
        world.later(seconds=again_s)
        pull_due(world.hub)
        assert len(refs(world)) == 10
        assert (world.row().state, world.row().failures) == ("ok", 0)


def test_a_reading_that_is_made_to_pause_goes_on_where_it_was(world: Connected) -> None:
    filled(world, 20)
    asked: list[str] = []

    def pauses(app: Any) -> Any:
        def through(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            asked.append(environ["QUERY_STRING"])
            world.shop.be("busy" if len(asked) % 3 == 0 else "well")
            return app(environ, start)

        return through

    world.hub.tools.http.mount("https://bakehouse.test", WsgiAdapter(pauses(world.shop.app)))

    def until_done() -> int:
        for looks in range(1, 12):
            pull_due(world.hub)
            if world.row().due_at == world.now[0] + timedelta(minutes=5):
                return looks
            world.later(seconds=7)
        raise AssertionError("it never comes to its end")

    assert until_done() > 2
    assert len(refs(world)) == 20
    assert world.row().swept_at is not None
    sweep(world.hub, world.business_id, world.connection_id)
    assert until_done() > 2
    assert world.row().sweep_cursor is None


def test_a_long_outage_is_said_and_forgotten(world: Connected) -> None:
    filled(world)
    world.shop.be("down")
    for _ in range(3):
        world.later(hours=1)
        pull_due(world.hub)
    assert world.row().state == "failing"
    assert "bakehouse.test" in world.row().last_error
    [trouble] = troubles(world.hub, world.business_id)
    assert not trouble.needs_you  # it is tried again by itself
    about = (world.hub, world.business_id, world.connection_id)
    assert connection_seen(*about).again_since is None
    world.shop.be("well")
    world.later(hours=1)
    pull_due(world.hub)
    assert (world.row().state, world.row().last_error) == ("ok", "")
    assert connection_seen(*about).again_since == world.now[0]
    world.later(hours=25)
    assert connection_seen(*about).again_since is None


def test_reconnecting_starts_it_again(world: Connected) -> None:
    filled(world)
    world.shop.be("locked")
    pull_due(world.hub)
    world.shop.be("well")
    world.connect()
    assert pull_due(world.hub) == 1
    assert len(refs(world)) == 10


def test_a_record_that_was_repaired_is_no_longer_set_aside(world: Connected) -> None:
    filled(world, 2)
    world.shop.spoil("R900", MONDAY)
    pull_due(world.hub)
    [reject] = world.rows(RejectRow)
    assert reject.ref == "R900"
    world.shop.put("R900", MONDAY)
    sweep(world.hub, world.business_id, world.connection_id)
    pull_due(world.hub)
    assert world.rows(RejectRow) == []
    assert "R900" in refs(world)


def test_everything_is_read_again_once_a_night_and_the_cursor_stays(world: Connected) -> None:
    filled(world)
    pull_due(world.hub)
    cursor = world.row().cursor
    world.shop.put("R500", MONDAY - timedelta(days=3))  # a store that forgot to say so
    world.later(minutes=5)
    pull_due(world.hub)
    assert "R500" not in refs(world)
    world.now[0] = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)  # half past four in Helsinki
    pull_due(world.hub)
    assert "R500" in refs(world)
    assert world.row().cursor == cursor
    assert world.row().swept_at == world.now[0]


def called(world: Connected, number: str) -> bool:
    headers, body = world.shop.call(number)
    lower = {name.lower(): value for name, value in headers.items()}
    token = opened(world.hub, world.business_id, world.connection_id)["hook"]
    return ring(world.hub, token, WebhookRequest(lower, body))


def subscribed(world: Connected) -> None:
    world.hub.tools.http.post_json(
        "https://bakehouse.test/webhook",
        {
            "url": "x",
            "secret": opened(world.hub, world.business_id, world.connection_id)["hook_secret"],
        },
        headers={"X-Token": world.shop.secret},
    )


def test_a_webhook_rings_the_bell_and_its_repeat_does_not(world: Connected) -> None:
    filled(world)
    pull_due(world.hub)
    subscribed(world)
    world.later(seconds=20)
    world.shop.put("R010", MONDAY + timedelta(hours=1))
    assert called(world, "1")
    assert pull_due(world.hub) == 1
    assert "R010" in refs(world)
    assert not called(world, "1")
    assert pull_due(world.hub) == 0


def test_a_forged_call_and_one_at_no_address_do_nothing(world: Connected) -> None:
    filled(world)
    pull_due(world.hub)
    subscribed(world)
    world.later(seconds=20)
    token = opened(world.hub, world.business_id, world.connection_id)["hook"]
    with pytest.raises(BadSignature):
        ring(world.hub, token, WebhookRequest({"x-shop-signature": "AAAA"}, b"{}"))
    with pytest.raises(LookupError):
        ring(world.hub, "guessed", WebhookRequest({}, b"{}"))
    assert pull_due(world.hub) == 0


def test_a_call_while_it_is_read_makes_it_read_once_more(world: Connected) -> None:
    filled(world)

    def rings(app: Any) -> Any:
        def through(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if world.shop.asked == 2 and environ["PATH_INFO"] == "/orders":
                called(world, "7")
            return app(environ, start)

        return through

    subscribed(world)
    world.hub.tools.http.mount("https://bakehouse.test", WsgiAdapter(rings(world.shop.app)))
    assert pull_due(world.hub) == 1
    world.later(seconds=10)
    assert pull_due(world.hub) == 1
    world.later(seconds=10)
    assert pull_due(world.hub) == 0


@pytest.mark.parametrize(("mood", "pause_s"), [("busy", 7), ("down", 16)])
def test_the_bell_does_not_ring_through_a_pause(world: Connected, mood: str, pause_s: int) -> None:
    """A shop that asked for an hour was asked at each of fifty rings."""
    filled(world)
    pull_due(world.hub)
    subscribed(world)
    world.later(minutes=6)
    world.shop.be(mood)
    pull_due(world.hub)
    world.shop.be("well")
    until = world.now[0] + timedelta(seconds=pause_s)
    for n in range(3):
        world.later(seconds=2)
        assert called(world, f"in the pause {n}")
        assert pull_due(world.hub) == 0
        assert world.row().due_at == until
    world.now[0] = until
    assert pull_due(world.hub) == 1
    for n in range(3):  # many rings of a healthy shop are one look
        world.later(seconds=2)
        assert called(world, f"after it {n}")
        assert pull_due(world.hub) == 0
    world.now[0] = until + timedelta(seconds=10)
    assert pull_due(world.hub) == 1


def test_a_shop_that_takes_its_time_holds_up_no_other(world: Connected) -> None:
    """All of its pages were read before anybody else's first."""
    filled(world)
    other, other_was_read = FakeBakehouse(), threading.Event()
    other.put("X", MONDAY)
    in_time: list[bool] = []

    def waits(app: Any) -> Any:
        def through(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            in_time.append(other_was_read.wait(20))
            return app(environ, start)

        return through

    def tells(app: Any) -> Any:
        def through(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            if connected:
                other_was_read.set()
            return app(environ, start)

        return through

    connected: list[str] = []
    world.hub.tools.http.mount("https://bakehouse.test", WsgiAdapter(waits(world.shop.app)))
    world.hub.tools.http.mount("https://other.test", WsgiAdapter(tells(other.app)))
    another = found(world.hub, "Another", zone="UTC")
    given = {"url": "https://other.test/", "token": other.secret}
    world.later(seconds=1)
    connected.append(connect(world.hub, another, "bakehouse", given, actor="staff:1").connection_id)
    assert pull_due(world.hub) == 2
    assert in_time[0]
    assert len(refs(world)) == 11


def test_webhooks_are_asked_for_only_where_the_hub_can_be_called(world: Connected) -> None:
    filled(world)
    assert mend_webhooks(world.hub) == 0
    object.__setattr__(world.hub.settings, "public_url", "https://hub.example")
    assert mend_webhooks(world.hub) == 1
    assert world.shop.webhook["url"].startswith("https://hub.example/hooks/in/")
    assert mend_webhooks(world.hub) == 0
    world.shop.webhook = {}  # the shop dropped it
    world.later(hours=13)
    assert mend_webhooks(world.hub) == 1
    assert world.shop.webhook


def test_a_shop_that_cannot_be_asked_to_call_is_asked_again_in_minutes(world: Connected) -> None:
    filled(world)
    object.__setattr__(world.hub.settings, "public_url", "https://hub.example")
    world.shop.be("down")
    asked_after_min = []
    for minute in range(9):
        if mend_webhooks(world.hub):
            asked_after_min.append(minute)
        world.later(minutes=1, seconds=1)
    assert asked_after_min == [0, 1, 3, 7]
    assert world.row().to_do == ""  # nothing that a person could do
    world.shop.be("well")
    world.later(minutes=8)
    assert mend_webhooks(world.hub) == 1
    assert world.shop.webhook
    world.later(minutes=30)
    assert mend_webhooks(world.hub) == 0

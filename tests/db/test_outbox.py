"""What is announced reaches its subscribers: at least once, in order per subject."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from hub import (
    Event,
    OrderAmended,
    OrderCancelled,
    OrderPlaced,
    RateLimited,
    Subscriber,
    Tools,
    Unavailable,
    hookimpl,
)
from hub.app import Hub
from hub.db.outbox import ForSome, fan_out
from hub.db.tables import ErrandRow
from hub.db.unit import UnitOpen
from hub.flows.found import found

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class World:
    """A hub with one subscriber that can be told to fail, and a clock moved by hand."""

    def __init__(self, url: str) -> None:
        self.now, self.fails = NOON, False
        self.heard: list[tuple[str, str]] = []
        self.raises: BaseException | None = None
        self.meanwhile: Callable[[], None] | None = None
        world = self

        class Plugin:
            __name__ = "listener"

            @hookimpl
            def hub_subscribers(self) -> list[Subscriber]:
                return [Subscriber("listen", (Event,), world.listen)]

        self.hub = Hub.in_memory(Plugin(), now=lambda: self.now, url=url)
        self.business_id = found(self.hub, "Husk", zone="UTC")

    def listen(self, event: Event, tools: Tools) -> None:
        if self.meanwhile is not None:
            self.meanwhile()
        if self.raises is not None:
            raise self.raises
        if self.fails:
            raise Unavailable("the carrier is down")
        self.heard.append((type(event).__name__, event.subject_id))

    def announce(self, kind: Callable[..., Event], subject: str, **more: Any) -> None:
        with self.hub.unit() as unit:
            unit.announce(
                kind(
                    business_id=self.business_id,
                    subject_id=subject,
                    occurred_at=self.now,
                    received_at=self.now,
                    **more,
                )
            )

    def errands(self) -> list[ErrandRow]:
        with self.hub.reading() as session:
            mine = select(ErrandRow).where(ErrandRow.subscriber == "listen")
            return list(session.exec(mine))


@pytest.fixture
def world(database_url: str) -> World:
    return World(database_url)


def test_an_event_is_delivered_once(world: World) -> None:
    world.announce(OrderPlaced, "o1")
    world.hub.deliver_events()
    world.hub.deliver_events()
    assert world.heard == [("OrderPlaced", "o1")]


def test_a_unit_that_fails_announces_nothing(world: World) -> None:
    with pytest.raises(RuntimeError), world.hub.unit() as unit:
        unit.announce(
            OrderPlaced(
                business_id=world.business_id, subject_id="o1", occurred_at=NOON, received_at=NOON
            )
        )
        raise RuntimeError
    assert world.hub.deliver_events() == 0


def test_a_failing_subscriber_keeps_the_order_of_one_subject(world: World) -> None:
    world.announce(OrderPlaced, "o1")
    world.fails = True
    world.hub.deliver_events()
    world.fails = False
    world.announce(OrderCancelled, "o1")
    world.announce(OrderPlaced, "o2")
    world.hub.deliver_events()  # o1's first is not due yet, so its second waits; o2 does not
    assert world.heard == [("OrderPlaced", "o2")]
    for _ in range(4):
        world.now += timedelta(seconds=10)
        world.hub.deliver_events()
    assert world.heard[1:] == [("OrderPlaced", "o1"), ("OrderCancelled", "o1")]


def test_who_was_away_for_longer_than_its_lease_leaves_the_rest_to_who_took_over(
    world: World,
) -> None:
    """The shop heard Placed, Cancelled, Placed."""
    world.announce(OrderPlaced, "slow")
    world.announce(OrderPlaced, "x")

    def meanwhile() -> None:
        world.meanwhile = None
        world.now += timedelta(minutes=3)
        world.announce(OrderCancelled, "x")
        for _ in range(3):
            world.hub.deliver_events()

    world.meanwhile = meanwhile
    world.hub.deliver_events()
    assert [kind for kind, subject in world.heard if subject == "x"] == [
        "OrderPlaced",
        "OrderCancelled",
    ]
    assert {errand.state for errand in world.errands()} == {"done"}


def test_what_comes_of_a_delivery_that_somebody_took_over_is_not_written_down(
    world: World,
) -> None:
    world.announce(OrderPlaced, "x")

    def meanwhile() -> None:
        world.meanwhile = None
        world.now += timedelta(minutes=3)
        world.hub.deliver_events()
        world.fails = True

    world.meanwhile = meanwhile
    world.hub.deliver_events()
    [errand] = world.errands()
    assert (errand.state, errand.last_error) == ("done", "")


def test_a_long_batch_is_still_its_own(world: World) -> None:
    """Each takes a minute: the later ones are nobody else's by then."""
    for n in range(4):
        world.announce(OrderPlaced, f"o{n}")

    def a_minute() -> None:
        world.now += timedelta(minutes=1)
        world.meanwhile, others = None, world.meanwhile
        world.hub.deliver_events()
        world.meanwhile = others

    world.meanwhile = a_minute
    world.hub.deliver_events()
    assert world.heard == [("OrderPlaced", f"o{n}") for n in range(4)]


def test_the_log_names_what_fails_once_and_nobody(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.raises = Unavailable("the carrier is down")
    world.announce(OrderAmended, "o1", changed=("Anna Smith, 1 High St",))
    for _ in range(3):
        world.hub.deliver_events()
        world.now += timedelta(minutes=1)
    said = [text for text in caplog.messages if "listen" in text]
    [errand] = world.errands()
    assert said == [
        f"errand={errand.id} subscriber=listen event=OrderAmended business={world.business_id}"
        " order=o1 waits: the carrier is down"
    ]
    world.now += timedelta(days=4)
    world.hub.deliver_events()
    assert "is parked: the carrier is down" in caplog.messages[-1]


@pytest.mark.parametrize("pause", [float("inf"), float("nan"), 1e300, -5, None, "soon"])
def test_a_pause_that_cannot_be_meant_holds_up_nobody(world: World, pause: Any) -> None:
    world.raises = RateLimited("later, please", retry_after=pause)
    world.announce(OrderPlaced, "1")
    world.hub.deliver_events()
    [errand] = world.errands()
    assert errand.state == "due"
    assert NOON <= errand.due_at <= NOON + timedelta(days=1)


def test_a_subscriber_that_quits_takes_nobody_along(world: World) -> None:
    world.raises = SystemExit(1)
    world.announce(OrderPlaced, "1")
    world.hub.deliver_events()
    [errand] = world.errands()
    assert (errand.state, errand.attempts) == ("due", 1)


def test_news_that_is_too_old_is_parked(world: World) -> None:
    world.announce(OrderPlaced, "o1")
    world.fails = True
    world.hub.deliver_events()
    world.now += timedelta(days=4)
    world.hub.deliver_events()
    [errand] = world.errands()
    assert errand.state == "parked"
    assert "the carrier is down" in errand.last_error


def test_nothing_foreign_runs_inside_a_unit(world: World) -> None:
    with world.hub.unit(), pytest.raises(UnitOpen):
        world.hub.tools.http.get("http://127.0.0.1:9/")
    with world.hub.unit(), pytest.raises(UnitOpen), world.hub.unit():
        pass


def test_whose_events_some_hear_is_asked_once_for_all_who_ask_the_same(world: World) -> None:
    asked: list[str] = []

    def whose(session: Session) -> set[str]:
        asked.append("whose")
        return {world.business_id}

    some = {name: ForSome(name, (Event,), world.listen, whose=whose) for name in ("a", "b")}
    world.announce(OrderPlaced, "o1")
    assert fan_out(world.hub.engine, some) >= 1
    assert asked == ["whose"]
    with world.hub.reading() as session:
        names = session.exec(select(ErrandRow.subscriber).where(ErrandRow.subject_id == "o1"))
        assert sorted(names) == ["a", "b"]

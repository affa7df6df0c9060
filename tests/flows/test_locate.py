"""No silent guess, no address lost to a network's bad hour, no question asked twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from sqlmodel import select

from hub import Address, Geocoder, Match, Point, RateLimited, Unavailable, hookimpl
from hub.app import Hub
from hub.core.errors import AuthError, HubError
from hub.core.jobs import State
from hub.core.orders import IncomingOrder
from hub.db.tables import ErrandRow, EventRow, JobRow, PlaceRow
from hub.flows.choices import choice, choose
from hub.flows.connections import connection_id
from hub.flows.found import found
from hub.flows.locate import locate_new, set_pin
from hub.flows.sync import store_all

SIX = datetime(2026, 11, 23, 4, tzinfo=UTC)
Answers = dict[str, Match | HubError]


class Scripted(Geocoder):
    """Answers by the first line of the address; nothing is known of the others."""

    answers: ClassVar[Answers]
    asked: ClassVar[list[str]]

    def locate(self, address: Address) -> Match | None:
        self.asked.append(address.lines[0])
        answer = self.answers.get(address.lines[0]) or self.answers.get("*")
        if isinstance(answer, HubError):
            raise answer
        return answer


class First(Scripted):
    key = "osm"
    title = "The map"
    answers: ClassVar[Answers] = {}
    asked: ClassVar[list[str]] = []


class Second(Scripted):
    key = "second"
    title = "An outside service"
    answers: ClassVar[Answers] = {}
    asked: ClassVar[list[str]] = []


class Plugin:
    __name__ = "geocoders"

    @hookimpl
    def hub_geocoders(self) -> list[type[Geocoder]]:
        return [First, Second]


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    yield
    for geocoder in (First, Second):
        geocoder.answers.clear()
        geocoder.asked.clear()


@pytest.fixture
def hub(database_url: str) -> Hub:
    return Hub.in_memory(Plugin(), now=lambda: SIX, url=database_url)


def a_bakery(hub: Hub) -> str:
    return found(hub, "Husk", zone="Europe/Helsinki", country="FI")


def an_order(hub: Hub, business_id: str, street: str, ref: str = "") -> None:
    order = IncomingOrder(
        ref=ref or street,
        number=ref or street,
        updated_at=SIX,
        address=Address((street,), city="Helsinki", country="FI"),
    )
    store_all(hub, business_id, connection_id(hub, business_id, "api"), [order])


def match(confidence: float) -> Match:
    return Match(Point(60.17, 24.94), "somewhere", "rooftop", confidence)


def states(hub: Hub, business_id: str) -> dict[str, str]:
    with hub.reading() as session:
        rows = session.exec(
            select(PlaceRow.address, JobRow.state)
            .join(JobRow)
            .where(JobRow.business_id == business_id)
        ).all()
    return {address["lines"][0]: state for address, state in rows}


def test_a_business_that_chose_nothing_asks_the_built_map_only(hub: Hub) -> None:
    bakery = a_bakery(hub)
    an_order(hub, bakery, "A 1")
    First.answers["A 1"] = match(0.9)
    assert locate_new(hub, bakery).sure == 1
    assert Second.asked == []


def test_chosen_geocoders_are_asked_in_order_until_one_is_sure(hub: Hub) -> None:
    bakery = a_bakery(hub)
    for plugin in ("second", "osm"):
        choose(hub, bakery, "geocoder", plugin, {}, actor="staff:1")
    for street in ("A 1", "B 2"):
        an_order(hub, bakery, street)
    Second.answers.update({"A 1": match(0.9), "B 2": match(0.4)})
    First.answers["B 2"] = match(0.85)
    assert locate_new(hub, bakery).sure == 2
    assert (Second.asked, First.asked) == (["A 1", "B 2"], ["B 2"])
    with hub.reading() as session:
        sources = session.exec(select(PlaceRow.source).order_by(PlaceRow.id)).all()
    assert sources == ["second", "osm"]


def test_what_nobody_is_sure_of_goes_to_a_person_without_a_pin(hub: Hub) -> None:
    bakery = a_bakery(hub)
    an_order(hub, bakery, "A 1")
    First.answers["A 1"] = match(0.79)
    assert locate_new(hub, bakery).to_review == 1
    with hub.reading() as session:
        place = session.exec(select(PlaceRow)).one()
    assert (place.lat, place.confidence) == (None, 0.79)
    assert states(hub, bakery) == {"A 1": State.NEEDS_REVIEW}


@pytest.mark.parametrize(
    "problem", [Unavailable("down"), RateLimited("slowly", retry_after=90)], ids=["down", "limited"]
)
def test_a_geocoder_that_cannot_answer_now_sends_nobody_to_review(
    hub: Hub, problem: HubError
) -> None:
    bakery = a_bakery(hub)
    for street in ("A 1", "B 2", "C 3"):
        an_order(hub, bakery, street)
    First.answers.update({"A 1": match(0.9), "B 2": problem, "C 3": match(0.9)})
    with pytest.raises(type(problem)):
        locate_new(hub, bakery)
    assert set(states(hub, bakery).values()) == {State.CREATED}
    assert First.asked == ["A 1", "B 2"]  # not pestered again within this piece of work
    First.answers["B 2"] = match(0.1)
    assert (locate_new(hub, bakery).sure, states(hub, bakery)["B 2"]) == (1, State.NEEDS_REVIEW)


def test_the_errand_waits_as_long_as_the_geocoder_asks(hub: Hub) -> None:
    bakery = a_bakery(hub)
    First.answers["*"] = RateLimited("slowly", retry_after=90)
    an_order(hub, bakery, "A 1")
    hub.deliver_events()
    with hub.reading() as session:
        errand = session.exec(select(ErrandRow).where(ErrandRow.subscriber == "hub.locate")).one()
    assert (errand.state, (errand.due_at - SIX).total_seconds()) == ("due", 90)
    assert states(hub, bakery) == {"A 1": State.CREATED}


def test_a_sure_second_answer_makes_up_for_a_first_that_is_down(hub: Hub) -> None:
    bakery = a_bakery(hub)
    for plugin in ("osm", "second"):
        choose(hub, bakery, "geocoder", plugin, {}, actor="staff:1")
    an_order(hub, bakery, "A 1")
    First.answers["*"] = Unavailable("down")
    Second.answers["A 1"] = match(0.9)
    assert locate_new(hub, bakery).sure == 1
    with hub.reading() as session:
        assert session.exec(select(PlaceRow.source)).one() == "second"


def test_a_geocoder_that_no_longer_works_is_shown_and_the_address_goes_to_a_person(
    hub: Hub,
) -> None:
    bakery = a_bakery(hub)
    choose(hub, bakery, "geocoder", "second", {}, actor="staff:1")
    an_order(hub, bakery, "A 1")
    Second.answers["A 1"] = AuthError("The key is no longer valid.")
    assert locate_new(hub, bakery).to_review == 1
    chosen = choice(hub, bakery, "geocoder", "second")
    assert chosen is not None
    assert (chosen.state, chosen.last_error) == ("needs_attention", "The key is no longer valid.")


def test_the_same_address_never_needs_review_twice_however_it_is_spelt(hub: Hub) -> None:
    bakery = a_bakery(hub)
    an_order(hub, bakery, "Königstraße 3")
    locate_new(hub, bakery)
    an_order(hub, bakery, "KÖNIGSTRASSE  3", "meanwhile")
    locate_new(hub, bakery)
    with hub.reading() as session:
        place = session.exec(select(PlaceRow)).one()
        assert session.exec(select(JobRow.state)).all() == [State.NEEDS_REVIEW] * 2
    set_pin(hub, bakery, place.id, Point(60.2, 24.9), actor="staff:1")
    for n, spelt in enumerate(("Konigstrasse 3", "königstraße, 3", " Königstraße 3.")):
        an_order(hub, bakery, spelt, f"later {n}")
    asked = len(First.asked)
    assert locate_new(hub, bakery).to_review == 0
    assert len(First.asked) == asked
    with hub.reading() as session:
        assert set(session.exec(select(JobRow.state))) == {State.CREATED}
        assert len(session.exec(select(PlaceRow)).all()) == 1
        said = session.exec(select(EventRow.payload).where(EventRow.name == "JobLocated")).all()
    assert [event["sure"] for event in said] == [False, False, True, True]


def test_one_businesss_pin_does_not_answer_anothers_address(hub: Hub) -> None:
    bakery, other = a_bakery(hub), a_bakery(hub)
    for business in (bakery, other):
        an_order(hub, business, "A 1")
        locate_new(hub, business)
    with hub.reading() as session:
        mine = session.exec(select(PlaceRow).where(PlaceRow.business_id == bakery)).one()
    set_pin(hub, bakery, mine.id, Point(60.2, 24.9), actor="staff:1")
    assert states(hub, other) == {"A 1": State.NEEDS_REVIEW}

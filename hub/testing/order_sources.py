"""The promises of an order source, as tests to inherit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import pytest

from hub import (
    AuthError,
    IncomingOrder,
    OrderPage,
    OrderSource,
    RateLimited,
    Tools,
    Unavailable,
)
from hub.testing.provider import (
    MONDAY,
    ProviderConformance,
    demand_identity,
    demand_presentable,
    expect,
    is_secret,
)

Mood = Literal["well", "locked", "busy", "down", "babbling"]


class Shop(Protocol):
    """Your fake of the remote system. It must page: at most ``page_size`` orders per answer."""

    page_size: int
    secret: str

    def put(
        self, ref: str, changed: datetime, *, name: str = "Ana", cancelled: bool = False
    ) -> None:
        """Add or change one order. ``ref`` is what the source is to report as its ref: a fake
        whose remote gives ids of another form maps each of these texts to one of its own, and
        ``ref_of`` back."""

    def spoil(self, ref: str, changed: datetime) -> None:
        """Add one order that cannot be delivered as it is, say without an address."""

    def ref_of(self, ref: str) -> str:
        """What the source reports as the ref of the order put as ``ref``."""

    def be(self, mood: Mood) -> None:
        """locked: refuse credentials. busy: ask for a pause of 7 s. down: 5xx or hang up.
        babbling: 200 with a body that is not what the API promises."""


def orders(pages: list[OrderPage]) -> list[IncomingOrder]:
    return [order for page in pages for order in page.orders]


class OrderSourceConformance(ProviderConformance, ABC):
    @pytest.fixture
    @abstractmethod
    def shop(self) -> Shop: ...

    @abstractmethod
    def source(self, shop: Any, tools: Tools) -> OrderSource: ...

    @pytest.fixture
    def src(self, shop: Shop, tools: Tools) -> OrderSource:
        return self.source(shop, tools)

    def test_an_empty_shop_is_not_an_error(self, src: OrderSource) -> None:
        assert orders(list(src.pages(None))) == [], "Nobody ordered; report no order."

    def test_every_open_order_arrives(self, src: OrderSource, shop: Shop) -> None:
        refs = [f"R{n}" for n in range(3 * shop.page_size + 1)]
        for n, ref in enumerate(refs):
            shop.put(ref, MONDAY + timedelta(minutes=n))
        demand_all(shop, refs, list(src.pages(None)), "Read on until there is no page more.")

    def test_an_order_changed_later_comes_again(self, src: OrderSource, shop: Shop) -> None:
        shop.put("R1", MONDAY)
        cursor = list(src.pages(None))[-1].cursor
        shop.put("R1", MONDAY + timedelta(hours=1), name="Ben")
        changed = [o for o in orders(list(src.pages(cursor))) if o.recipient.name == "Ben"]
        assert [order.ref for order in changed] == [shop.ref_of("R1")], (
            "An order that changed after the cursor must come again, once, under its own ref."
        )

    def test_a_cancelled_order_says_so(self, src: OrderSource, shop: Shop) -> None:
        shop.put("R1", MONDAY)
        cursor = list(src.pages(None))[-1].cursor
        shop.put("R1", MONDAY + timedelta(hours=1), cancelled=True)
        found = orders(list(src.pages(cursor)))
        assert found, "A cancelled order must be reported, or it is delivered all the same."
        assert found[-1].status == "cancelled", "It was cancelled in the shop, and is still open."

    def test_nothing_new_means_only_repeats(self, src: OrderSource, shop: Shop) -> None:
        shop.put("R1", MONDAY)
        first = list(src.pages(None))
        again = orders(list(src.pages(first[-1].cursor)))
        assert all(order in orders(first) for order in again), (
            "Nothing changed, and an order reads otherwise than before: leave what changes by"
            " itself, such as the clock, out of it."
        )

    @pytest.mark.parametrize("stop_after", [1, 2])
    def test_stopping_between_pages_loses_nothing(
        self, src: OrderSource, shop: Shop, stop_after: int
    ) -> None:
        refs = {f"R{n}" for n in range(4 * shop.page_size)}
        for n, ref in enumerate(sorted(refs)):
            shop.put(ref, MONDAY + timedelta(minutes=n // 3))  # several share an instant
        seen: list[OrderPage] = []
        for page in src.pages(None):
            seen.append(page)
            if len(seen) == stop_after:
                break
        seen += src.pages(seen[-1].cursor)
        demand_all(
            shop, refs, seen, "A page's cursor must skip nothing that was not on it or before it."
        )

    def test_an_order_changed_while_reading_hides_no_other(
        self, src: OrderSource, shop: Shop
    ) -> None:
        refs = [f"R{n:02}" for n in range(4 * shop.page_size)]
        for n, ref in enumerate(refs):
            shop.put(ref, MONDAY + timedelta(minutes=n))
        seen: list[OrderPage] = []
        for page in src.pages(None):
            if not seen:  # R00 moves to the end of the list; the others move up
                shop.put(refs[0], MONDAY + timedelta(hours=9), name="Ben")
            seen.append(page)
        demand_all(
            shop, refs, seen, "The list moved while it was read: page by time, never by number."
        )

    def test_many_orders_at_one_instant_all_arrive(self, src: OrderSource, shop: Shop) -> None:
        refs = {f"R{n}" for n in range(3 * shop.page_size)}
        for ref in refs:
            shop.put(ref, MONDAY)
        demand_all(shop, refs, list(src.pages(None)), "Within one instant, page by number as well.")

    def test_an_order_at_the_cursors_instant_is_not_skipped(
        self, src: OrderSource, shop: Shop
    ) -> None:
        shop.put("R1", MONDAY)
        cursor = list(src.pages(None))[-1].cursor
        shop.put("R2", MONDAY)
        assert shop.ref_of("R2") in {o.ref for o in orders(list(src.pages(cursor)))}, (
            "Another order of the cursor's own instant was skipped: ask for what is at it or later."
        )

    def test_reading_on_is_cheaper_than_starting_over(self, src: OrderSource, shop: Shop) -> None:
        for n in range(4 * shop.page_size):
            shop.put(f"R{n}", MONDAY + timedelta(minutes=10 * n))
        cursor = list(src.pages(None))[-1].cursor
        again = len(orders(list(src.pages(cursor))))
        assert again <= shop.page_size, (
            f"With the last cursor {again} orders come again: make the cursor say how far it is."
        )

    def test_one_bad_order_does_not_hide_the_others(self, src: OrderSource, shop: Shop) -> None:
        shop.put("R1", MONDAY)
        shop.spoil("R2", MONDAY + timedelta(minutes=1))
        shop.put("R3", MONDAY + timedelta(minutes=2))
        pages = list(src.pages(None))
        demand_all(shop, ["R1", "R3"], pages, "One bad record hides others: use `OrderPage.read`.")
        rejects = {reject.ref: reject for page in pages for reject in page.rejects}
        assert list(rejects) == [shop.ref_of("R2")], (
            f"The bad record must be among `rejects` by its own number, and is not: {rejects}."
        )
        assert rejects[shop.ref_of("R2")].problem, "Say what is wrong with the record."

    @pytest.mark.parametrize("name", ["Zoë Ångström", "李小龍", "O'Brien; DROP TABLE", "🍞 Bread"])
    def test_names_survive(self, src: OrderSource, shop: Shop, name: str) -> None:
        shop.put("R1", MONDAY, name=name)
        found = orders(list(src.pages(None)))[0].recipient.name
        assert found == name, f"{name!r} became {found!r}: keep texts as they are, in UTF-8."

    def test_times_are_the_shops_times(self, src: OrderSource, shop: Shop) -> None:
        shop.put("R1", MONDAY)
        found = orders(list(src.pages(None)))[0].updated_at
        assert found == MONDAY, (
            f"The order changed at {MONDAY}, and `updated_at` is {found}: which zone does the shop"
            " mean?"
        )

    def test_one_order_alone_is_as_in_the_list(self, src: OrderSource, shop: Shop) -> None:
        shop.put("R1", MONDAY)
        shop.put("R2", MONDAY)
        listed = {order.ref: order for order in orders(list(src.pages(None)))}
        assert src.one(shop.ref_of("R2")) == listed[shop.ref_of("R2")], (
            "Fetched alone an order reads otherwise than in the list: map both by one function."
        )

    def test_refused_credentials_are_an_auth_error(self, src: OrderSource, shop: Shop) -> None:
        shop.be("locked")
        expect(AuthError, lambda: list(src.pages(None)), "refused credentials, when reading,")
        expect(AuthError, src.check, "refused credentials, when checking,")

    def test_a_pause_is_passed_on(self, src: OrderSource, shop: Shop) -> None:
        shop.be("busy")
        caught = expect(RateLimited, lambda: list(src.pages(None)), "a shop that asks for a pause")
        assert caught.retry_after == 7, (
            f"The shop asks for 7 s, and the hub would pause for {caught.retry_after}."
        )

    @pytest.mark.parametrize("mood", ["down", "babbling"])
    def test_an_outage_is_temporary(self, src: OrderSource, shop: Shop, mood: Mood) -> None:
        shop.be(mood)
        expect(Unavailable, lambda: list(src.pages(None)), f"a shop that is {mood}")

    def test_the_secret_stays_secret(
        self, src: OrderSource, shop: Shop, caplog: pytest.LogCaptureFixture
    ) -> None:
        shop.be("locked")
        with caplog.at_level("DEBUG"):
            caught = expect(AuthError, lambda: list(src.pages(None)), "refused credentials")
        told = {
            "the error": f"{caught} {caught!r}",
            "the settings": f"{src.settings} {src.settings!r}",
            "the log": caplog.text,
        }
        leaks = [where for where, text in told.items() if shop.secret in text]
        assert not leaks, f"The secret can be read in {leaks}."

    def test_settings_make_a_form_people_can_fill_in(self, src: OrderSource) -> None:
        properties = src.Settings.model_json_schema()["properties"]
        fields = src.Settings.model_fields.items()
        untitled = [name for name, info in fields if not info.title and name != "way"]
        assert not untitled, f"Give these settings a `title`, it stands in the form: {untitled}."
        secret = [name for name, p in properties.items() if is_secret(p)]
        assert secret, "No field is a `SecretStr`: keys would be kept and shown openly."

    def test_every_way_to_connect_asks_for_settings_there_are(self, src: OrderSource) -> None:
        fields = src.Settings.model_fields
        unknown = [name for way in src.ways for name in way.asks if name not in fields]
        assert not unknown, f"A way asks for {unknown}, which are no settings."
        assert not src.ways or "way" in fields, "With several ways, a setting `way` says which."

    def test_it_says_which_one_it_is(self, src: OrderSource, shop: Any, tools: Tools) -> None:
        demand_identity(src, self.source(shop, tools), shop.secret)

    def test_key_and_title_are_presentable(self, src: OrderSource) -> None:
        demand_presentable(src)


def demand_all(shop: Shop, refs: Iterable[str], pages: list[OrderPage], hint: str) -> None:
    expected = set(map(shop.ref_of, refs))
    found = {order.ref for order in orders(pages)}
    assert found == expected, (
        f"Missing: {sorted(expected - found)}; not asked for: {sorted(found - expected)}. {hint}"
    )

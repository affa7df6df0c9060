"""The promises of a source that is told how its orders fare, as tests to inherit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import pytest

from hub import (
    AuthError,
    HubError,
    IncomingOrder,
    OrderSource,
    RateLimited,
    Refused,
    Tools,
    Unavailable,
    WritesBack,
)
from hub.core.orders import compare
from hub.testing.cutting import How, cut_off
from hub.testing.leaving_out import demand_able, demand_unable
from hub.testing.order_sources import Mood
from hub.testing.provider import ProviderConformance, demand_sentence, expect
from hub.testing.reports import LINK, STAGES, on_the_road, progress

LATE = "test_proof_that_comes_late_is_told_once"


class ToldShop(Protocol):
    """Your fake of the remote system, as far as this kit needs one."""

    secret: str

    def be(self, mood: Mood) -> None:
        """As for ``hub.testing.Shop``."""


class WriteBackConformance(ProviderConformance, ABC):
    shows: ClassVar[Mapping[str, str]] = {}
    """What the shop shows for each stage that it is told of, as found in ``told``: for example
    ``{"on_the_way": "OUT_FOR_DELIVERY", "closed succeeded": "DELIVERED"}``. Those left out are
    kept from it, as ``placed``, which it knows."""

    keeps_history: ClassVar[bool] = True
    """Whether the shop shows what was; ``False``: what is, by a tag, say."""

    @pytest.fixture
    @abstractmethod
    def shop(self) -> Any: ...

    @abstractmethod
    def source(self, shop: Any, tools: Tools) -> OrderSource:
        """Yours, pointed at ``shop`` and set up to tell as much as it can."""

    @abstractmethod
    def place(self, shop: Any) -> tuple[str, str]:
        """An open order of two pieces: its ref as your source reports it, and its number."""

    @abstractmethod
    def told(self, shop: Any, ref: str) -> Sequence[str]:
        """All that the shop shows of the delivery of ``ref``, one text for each thing: statuses,
        tags, events, notes, mails. What is there twice must be in it twice."""

    @abstractmethod
    def links(self, shop: Any, ref: str) -> Sequence[str]:
        """The tracking links that the shop has for ``ref``."""

    @abstractmethod
    def remove(self, shop: Any, ref: str) -> None:
        """The shop has this order no more."""

    @abstractmethod
    def call_off(self, shop: Any, ref: str) -> None:
        """Somebody cancels this order in the shop."""

    @abstractmethod
    def is_called_off(self, shop: Any, ref: str) -> bool: ...

    @pytest.fixture
    def src(self, shop: Any, tools: Tools) -> Any:
        return self.source(shop, tools)

    @pytest.fixture
    def order(self, shop: Any) -> tuple[str, str]:
        return self.place(shop)

    # -- each stage, once

    @pytest.mark.parametrize("stage", STAGES)
    def test_each_stage_arrives_once_however_often_it_is_told(
        self, shop: Any, tools: Tools, order: tuple[str, str], stage: str
    ) -> None:
        src: Any = self.source(shop, tools)
        on_the_road(src, order, stage)
        before = list(self.told(shop, order[0]))
        src.write_back(progress(order, stage))
        once = list(self.told(shop, order[0]))
        src.write_back(progress(order, stage))
        again: Any = self.source(shop, tools)  # the next process
        again.write_back(progress(order, stage))
        assert list(self.told(shop, order[0])) == once, (
            f"Told {stage!r} again with the same key, the shop shows something else. Look for what"
            " is there before you write it."
        )
        if mark := self.shows.get(stage):
            assert count(mark, once) == count(mark, before) + 1, (
                f"After {stage!r} the shop should show {mark!r} once more than before; it shows"
                f" {once}, and before {before}."
            )
        else:
            assert once == before or stage == "cancelled", (
                f"{stage!r} changed what the shop shows to {once}. If that is meant, name it in"
                " `shows`; else leave the stage out."
            )

    def test_what_is_shown_is_named_for_a_delivery_at_least(self) -> None:
        assert "closed succeeded" in self.shows, "`shows` must say how a delivery is seen there."

    @pytest.mark.parametrize("stage", ["on_the_way", "closed succeeded", "closed failed"])
    def test_stages_that_were_left_out_are_not_missed(
        self, shop: Any, src: WritesBack, order: tuple[str, str], stage: str
    ) -> None:
        """One may be left out when a later one is known."""
        src.write_back(progress(order, stage))
        shown = self.told(shop, order[0])
        mark = self.shows.get(stage, "") if stage != "closed failed" else ""
        assert not mark or count(mark, shown) == 1, (
            f"{stage!r} came without the stages before it and is not shown once: {shown}."
        )

    def test_a_second_attempt_is_told_as_well(
        self, shop: Any, src: WritesBack, order: tuple[str, str]
    ) -> None:
        src.write_back(progress(order, "on_the_way"))
        src.write_back(progress(order, "closed failed"))
        src.write_back(progress(order, "on_the_way", attempt=2))
        src.write_back(progress(order, "closed succeeded", attempt=2))
        shown = self.told(shop, order[0])
        again = count(self.shows.get("on_the_way", ""), shown) if self.keeps_history else 2
        assert count(self.shows["closed succeeded"], shown) == 1 and again >= 2, (
            f"After a failed attempt and a good one the shop shows {shown}. What makes two reports"
            " the same is their `key`, not their stage."
        )

    @pytest.mark.parametrize("known", [False, True])
    def test_an_older_report_after_a_newer_one_changes_nothing(
        self, shop: Any, src: WritesBack, order: tuple[str, str], known: bool
    ) -> None:
        """A worker that hung goes on, or somebody sends again what was set aside."""
        if known:
            src.write_back(progress(order, "on_the_way"))
        src.write_back(progress(order, "closed succeeded"))
        before = list(self.told(shop, order[0]))
        src.write_back(progress(order, "on_the_way"))
        after = list(self.told(shop, order[0]))
        assert after == before, (
            f"Told of a delivery, and then of what came before it, the shop shows {after} instead"
            f" of {before}. Go by `update.at`, or by what is there: what arrived does not leave."
        )

    def test_proof_that_comes_late_is_told_once(
        self, shop: Any, tools: Tools, order: tuple[str, str]
    ) -> None:
        src: Any = self.source(shop, tools)
        demand_able(self, src.takes_late_proof, LATE, "it is not told again of what has ended")
        on_the_road(src, order, "closed succeeded")
        src.write_back(progress(order, "closed succeeded"))
        before = list(self.told(shop, order[0]))
        proof: dict[str, Any] = {
            "key": f"{order[0]}-proof",
            "proof_url": f"{LINK}/proof.pdf",
            "late_proof": True,
        }
        for _ in range(2):
            src.write_back(progress(order, "closed succeeded", **proof))
        after = list(self.told(shop, order[0]))
        assert len(after) == len(before) + 1, (
            f"`takes_late_proof` promises that proof which came later is shown, once. Before there"
            f" was {before}, now there is {after}."
        )

    def test_what_is_left_out_it_cannot_do(self, src: Any) -> None:
        demand_unable(self, [LATE], src.takes_late_proof, "its source says `takes_late_proof`")

    @pytest.mark.parametrize("how", ["answer lost", "never arrived"])
    @pytest.mark.parametrize("stage", ["on_the_way", "closed succeeded"])
    def test_cut_off_anywhere_it_is_finished_the_next_time(
        self, shop: Any, tools: Tools, stage: str, how: How
    ) -> None:
        whole = self.place(shop)
        fresh: Any = self.source(shop, tools)
        on_the_road(fresh, whole, stage)
        fresh.write_back(progress(whole, stage))
        expected = shape(self.told(shop, whole[0]), whole)
        for nth in range(1, 40):
            order = self.place(shop)
            on_the_road(fresh, order, stage)
            error = None
            with cut_off(tools.http, nth, how) as cut:
                src: Any = self.source(shop, tools)
                try:
                    src.write_back(progress(order, stage))
                except HubError as caught:
                    error = caught
            shown = shape(self.told(shop, order[0]), order)
            assert error is not None or shown == expected, (
                f"{stage!r}, cut off at request {nth} ({how}), ends well and shows {shown} instead"
                f" of {expected}: raise the error, so that it is told again."
            )
            assert error is None or isinstance(error, Unavailable), (
                f"Cut off at request {nth}, `write_back` raised {type(error).__name__} ({error}):"
                " only Unavailable is tried again."
            )
            self.source(shop, tools).write_back(progress(order, stage))  # type: ignore[attr-defined]
            shown = shape(self.told(shop, order[0]), order)
            assert shown == expected, (
                f"{stage!r}, cut off at request {nth} ({how}) and repeated, shows {shown};"
                f" undisturbed it shows {expected}."
            )
            if not cut.happened:
                break

    # -- what people see and decide

    def test_the_shop_has_the_tracking_link(
        self, shop: Any, src: WritesBack, order: tuple[str, str]
    ) -> None:
        src.write_back(progress(order, "on_the_way"))
        assert list(self.links(shop, order[0])) == [LINK], (
            "Once a driver is on the way, the shop's people and the customer must find"
            " `update.tracking_url` at the order, once."
        )

    def test_a_new_tracking_link_replaces_the_old(
        self, shop: Any, src: WritesBack, order: tuple[str, str]
    ) -> None:
        src.write_back(progress(order, "on_the_way"))
        new = f"{LINK}-2"
        src.write_back(progress(order, "closed succeeded", tracking_url=new))
        assert list(self.links(shop, order[0])) == [new], (
            "The old link opens nothing any more: put the new one in its place."
        )

    def test_an_order_that_is_gone_is_refused_in_a_sentence(
        self, shop: Any, src: WritesBack, order: tuple[str, str]
    ) -> None:
        self.remove(shop, order[0])
        news = progress(order, "closed succeeded")
        caught = expect(Refused, lambda: src.write_back(news), "an order that is gone")
        assert order[1].lstrip("#") in str(caught), (
            f"Name the order by the number people know, {order[1]}: {str(caught)!r}."
        )

    @pytest.mark.parametrize("stage", ["on_the_way", "closed succeeded", "closed failed"])
    def test_an_order_called_off_in_the_shop_stays_so(
        self, shop: Any, src: WritesBack, order: tuple[str, str], stage: str
    ) -> None:
        self.call_off(shop, order[0])
        try:
            src.write_back(progress(order, stage))
        except Refused as error:
            demand_sentence(str(error), "Refused")
        assert self.is_called_off(shop, order[0]), (
            f"{stage!r} opened or completed an order that people in the shop had called off."
        )

    # -- our own echo

    def test_what_we_tell_never_comes_back_as_news(self, shop: Any, tools: Tools) -> None:
        order = self.place(shop)
        src: Any = self.source(shop, tools)
        known, cursor = read(src, order[0], None)
        assert known is not None, "`place` made an order that the source does not report."
        for stage in ("dispatched", "on_the_way", "arrived", "closed succeeded"):
            src.write_back(progress(order, stage))
            for since in (cursor, None):
                echo, _ = read(self.source(shop, tools), order[0], since)
                demand_no_news(known, echo, f"after {stage!r}")

    @pytest.mark.parametrize("how", ["answer lost", "never arrived"])
    def test_nor_when_telling_it_was_cut_off(self, shop: Any, tools: Tools, how: How) -> None:
        for nth in range(1, 40):
            order = self.place(shop)
            src: Any = self.source(shop, tools)
            known, cursor = read(src, order[0], None)
            with cut_off(tools.http, nth, how) as cut:
                try:
                    src.write_back(progress(order, "closed succeeded"))
                except HubError:
                    pass
            echo, _ = read(self.source(shop, tools), order[0], cursor)
            assert known is not None, "`place` made an order that the source does not report."
            demand_no_news(known, echo, f"between request {nth} and the repeat")
            if not cut.happened:
                break

    # -- errors

    @pytest.mark.parametrize(
        ("mood", "error"),
        [("locked", AuthError), ("busy", RateLimited), ("down", Unavailable)],
    )
    def test_a_shop_that_does_not_listen_is_told_apart(
        self, shop: Any, src: WritesBack, order: tuple[str, str], mood: Mood, error: type[HubError]
    ) -> None:
        shop.be(mood)
        news = progress(order, "closed succeeded")
        caught = expect(error, lambda: src.write_back(news), f"a shop that is {mood}")
        assert shop.secret not in f"{caught} {caught!r}", "The error tells the secret."


def count(mark: str, shown: Sequence[str]) -> int:
    return sum(mark in one for one in shown)


def shape(shown: Sequence[str], order: tuple[str, str]) -> list[str]:
    """What is shown without what is of one order alone, to compare it with another's."""
    ref, number = order
    return sorted(one.replace(ref, "<ref>").replace(number.lstrip("#"), "<n>") for one in shown)


def read(src: OrderSource, ref: str, cursor: str | None) -> tuple[IncomingOrder | None, str | None]:
    found = None
    for page in src.pages(cursor):
        cursor = page.cursor
        found = next((order for order in page.orders if order.ref == ref), found)
    return found, cursor


def demand_no_news(known: IncomingOrder, echo: IncomingOrder | None, when: str) -> None:
    if echo is None:
        return
    change = compare(known, echo)
    assert change.kind in ("unchanged", "stale"), (
        f"What the hub told came back {when} as {change.kind} ({', '.join(change.fields)}): the"
        " hub would act on its own report. Leave out of the order what is ours there."
    )

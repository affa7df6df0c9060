"""What a store is told of its orders, and that it is told once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.woocommerce.told import KEPT, Told
from hub import AuthError, ConfigError, DeliveredLine, Refused, Tools, Unavailable
from hub.core.orders import compare
from tests.connectors.woocommerce_worlds import NOON, connected, end, needs_data, news, report
from tests.fakes.woocommerce import Store

pytestmark = needs_data
URL = "https://hub.test/t/abc"


def notes(store: Store, number: int, *, to_customer: bool = False) -> list[str]:
    """The hub's own, without the marks."""
    return [
        note["note"].partition(" [")[0]
        for note in store.order_notes.get(number, [])
        if note["customer_note"] == to_customer and "Order status" not in note["note"]
    ]


def fields(store: Store, number: int) -> dict[str, str]:
    return {meta["key"]: meta["value"] for meta in store.orders[number]["meta_data"]}


def test_a_delivery_completes_the_order_and_leaves_a_note_and_a_link(
    store: Store, tools: Tools
) -> None:
    number = store.place()
    shop = connected(store, tools)
    shop.write_back(
        report(
            number,
            "closed",
            "succeeded",
            received_by="Bo",
            note="Left in the porch.",
            proof_url="https://hub.test/p/1",
            tracking_url=URL,
        )
    )
    assert store.orders[number]["status"] == "completed"
    assert notes(store, number) == [
        "Delivered. Received by Bo. Left in the porch. Proof: https://hub.test/p/1"
    ]
    said = fields(store, number)
    assert said["_lmh_tracking_url"] == URL
    assert said["_lmh_status"] == "closed succeeded"
    assert said["_lmh_rev"] == "2024-03-04T12:00:00Z completed"


@pytest.mark.parametrize("stage", ["placed", "planned", "arrived"])
def test_stages_that_no_shop_acts_on_cost_it_nothing(
    store: Store, tools: Tools, stage: str
) -> None:
    number = store.place()
    connected(store, tools).write_back(report(number, stage))
    assert store.asked == []


@pytest.mark.parametrize(
    ("stage", "outcome", "status", "note"),
    [
        ("dispatched", "", "with-driver", []),
        ("on_the_way", "", "on-its-way", ["On the way. Follow it: https://hub.test/t/abc"]),
        ("closed", "succeeded", "completed", ["Delivered."]),
        ("closed", "partial", "half", ["Partly delivered. 1 of 2 Bread (squashed)."]),
        ("closed", "failed", "failed", ["Not delivered. Nobody home."]),
        ("closed", "skipped", "processing", ["Not attempted. Nobody home."]),
        ("cancelled", "", "processing", ["Delivery called off. Nobody home."]),
    ],
)
def test_each_stage_has_its_status_and_its_words(
    store: Store, tools: Tools, stage: str, outcome: str, status: str, note: list[str]
) -> None:
    store.custom = {"with-driver": "With driver", "on-its-way": "On its way", "half": "Half"}
    number = store.place()
    shop = connected(
        store,
        tools,
        status_dispatched="with-driver",
        status_on_the_way="on-its-way",
        status_partial="half",
        status_failed="failed",
    )
    why = "" if stage == "on_the_way" or outcome in ("succeeded", "partial") else "Nobody home"
    lines = (DeliveredLine(0, "Bread", 2, 1, "squashed"),) if outcome == "partial" else ()
    update = report(number, stage, outcome, reason=why, lines=lines, tracking_url=URL)
    shop.write_back(update)
    assert store.orders[number]["status"] == status
    assert notes(store, number) == note
    assert fields(store, number)["_lmh_status"] == f"{stage} {outcome}".strip()


def test_a_second_attempt_says_so(store: Store, tools: Tools) -> None:
    number = store.place()
    shop = connected(store, tools, customer_notes="both")
    shop.write_back(report(number, "on_the_way"))
    again = report(number, "on_the_way", key="other", attempt=2, at=NOON + timedelta(days=1))
    shop.write_back(again)
    assert notes(store, number) == ["On the way.", "On the way, attempt 2."]
    assert notes(store, number, to_customer=True) == [
        "Your order is on its way.",
        "Your order is on its way (attempt 2).",
    ]


@pytest.mark.parametrize(
    ("choice", "mails"),
    [
        ("never", []),
        ("on_the_way", ["Your order is on its way. Follow it here: https://hub.test/t/abc"]),
        ("closed", ["Your order was delivered."]),
        (
            "both",
            [
                "Your order is on its way. Follow it here: https://hub.test/t/abc",
                "Your order was delivered.",
            ],
        ),
    ],
)
def test_customers_are_written_to_only_if_the_business_wants_it(
    store: Store, tools: Tools, choice: str, mails: list[str]
) -> None:
    number = store.place()
    shop = connected(store, tools, customer_notes=choice, status_delivered="")
    shop.write_back(report(number, "on_the_way", tracking_url=URL))
    shop.write_back(report(number, "closed", "succeeded", at=NOON + timedelta(hours=1)))
    assert store.mails == [f"{number}: {mail}" for mail in mails]


def test_a_report_that_comes_again_changes_nothing(store: Store, tools: Tools) -> None:
    number = store.place()
    shop = connected(store, tools, customer_notes="both")
    shop.write_back(report(number, "closed", "succeeded"))
    before, mails = store.orders[number]["date_modified_gmt"], list(store.mails)
    shop.write_back(report(number, "closed", "succeeded"))
    assert store.orders[number]["date_modified_gmt"] == before
    assert store.mails == mails
    assert len(notes(store, number)) == 1


@pytest.mark.parametrize("where", ["GET 11", "GET notes", "POST notes", "PUT 11"])
def test_a_report_cut_off_anywhere_is_finished_the_next_time(
    store: Store, tools: Tools, where: str
) -> None:
    """Also where the store did it and the answer was lost."""
    number = store.place()
    assert number == 11
    shop = connected(store, tools, customer_notes="both")
    update = report(number, "closed", "succeeded")
    store.cut_off.add(where)
    with pytest.raises(Unavailable):
        shop.write_back(update)
    shop.write_back(update)
    shop.write_back(update)
    assert store.orders[number]["status"] == "completed"
    assert notes(store, number) == ["Delivered."]
    assert notes(store, number, to_customer=True) == ["Your order was delivered."]
    assert len(store.mails) == 2  # ours, and WooCommerce's own of a completed order


def test_a_note_is_known_again_when_wordpress_has_dressed_it_up(store: Store, tools: Tools) -> None:
    number = store.place()
    shop = connected(store, tools, customer_notes="closed")
    update = report(number, "closed", "failed", reason="Dog & gate")
    for _ in range(2):  # after the note for staff, then after the one for the customer
        store.cut_off.add("POST notes")
        with pytest.raises(Unavailable):
            shop.write_back(update)
        for note in store.order_notes[number]:
            note["note"] = f"<p>{note['note'].replace(' & ', ' &amp; ')}</p>\n"
    shop.write_back(update)
    assert len(store.order_notes[number]) == 2


def test_an_earlier_report_that_comes_late_is_left_out(store: Store, tools: Tools) -> None:
    number = store.place()
    shop = connected(store, tools)
    shop.write_back(report(number, "closed", "succeeded"))
    shop.write_back(report(number, "on_the_way", at=NOON - timedelta(hours=1)))
    assert fields(store, number)["_lmh_status"] == "closed succeeded"
    assert notes(store, number) == ["Delivered."]


@pytest.mark.parametrize("status", ["cancelled", "refunded", "on-hold", "completed"])
def test_what_people_in_the_store_decided_stays(store: Store, tools: Tools, status: str) -> None:
    number = store.place(status=status)
    shop = connected(store, tools, status_failed="failed")
    shop.write_back(report(number, "closed", "failed"))
    assert store.orders[number]["status"] == status
    assert notes(store, number) == ["Not delivered."]


def test_an_order_in_the_bin_is_left_there(store: Store, tools: Tools) -> None:
    number = store.place()
    store.trash(number)
    connected(store, tools).write_back(report(number, "closed", "succeeded"))
    assert store.orders[number]["status"] == "trash"
    assert notes(store, number) == []


def test_an_order_that_is_gone_is_set_aside(store: Store, tools: Tools) -> None:
    with pytest.raises(Refused, match="999"):
        connected(store, tools).write_back(report(999, "closed", "succeeded"))


def test_our_own_completion_does_not_come_back_as_news(store: Store, tools: Tools) -> None:
    number = store.place()
    shop = connected(store, tools)
    cursor = end(shop)
    shop.write_back(report(number, "closed", "succeeded"))
    assert news(shop, cursor) == []


def test_our_own_status_on_the_way_is_no_change(store: Store, tools: Tools) -> None:
    store.custom = {"on-its-way": "On its way"}
    number = store.place()
    shop = connected(store, tools, status_on_the_way="on-its-way")
    [known] = news(shop)
    cursor = end(shop)
    shop.write_back(report(number, "on_the_way", tracking_url=URL))
    [echo] = news(shop, cursor)
    assert compare(known, echo).kind == "unchanged"
    assert [order.ref for order in news(shop)] == [known.ref]


def test_a_completion_by_people_withdraws_what_was_on_its_way(store: Store, tools: Tools) -> None:
    store.custom = {"on-its-way": "On its way"}
    number = store.place()
    shop = connected(store, tools, status_on_the_way="on-its-way")
    cursor = end(shop)
    shop.write_back(report(number, "on_the_way"))
    store.change(number, status="completed")
    assert [order.status for order in news(shop, cursor)] == ["cancelled"]


def test_a_failed_order_that_goes_back_to_processing_is_news_again(
    store: Store, tools: Tools
) -> None:
    number = store.place()
    shop = connected(store, tools, status_failed="on-hold")
    cursor = end(shop)
    shop.write_back(report(number, "closed", "failed"))
    assert news(shop, cursor) == []
    store.change(number, status="processing", customer_note="Try again")
    [order] = news(shop, cursor)
    assert (order.status, order.instructions) == ("open", "Try again")


def test_an_order_put_back_where_orders_are_taken_from_is_news(store: Store, tools: Tools) -> None:
    """Also when it was the hub that put it back."""
    number = store.place()
    shop = connected(store, tools, status_failed="processing")
    cursor = end(shop)
    shop.write_back(report(number, "closed", "failed"))
    store.change(number, customer_note="Try the back door")
    assert [order.instructions for order in news(shop, cursor)] == ["Try the back door"]


def test_nothing_is_written_when_the_business_does_not_want_it(store: Store, tools: Tools) -> None:
    number = store.place()
    connected(store, tools, write_back=False).write_back(report(number, "closed", "succeeded"))
    assert store.asked == []


def test_without_notes_there_are_only_the_status_and_the_fields(store: Store, tools: Tools) -> None:
    number = store.place()
    shop = connected(store, tools, private_notes=False)
    shop.write_back(report(number, "closed", "succeeded"))
    assert notes(store, number) == []
    assert [line.split("?")[0] for line in store.asked] == ["GET orders/11", "PUT orders/11"]


def test_a_status_that_is_gone_is_named_at_its_setting(store: Store, tools: Tools) -> None:
    number = store.place()
    with pytest.raises(ConfigError) as caught:
        connected(store, tools, status_delivered="eaten").write_back(
            report(number, "closed", "succeeded")
        )
    assert caught.value.field == "status_delivered"


def test_keys_that_may_only_read_ask_for_others(store: Store, tools: Tools) -> None:
    number = store.place()
    store.permissions = "read"
    with pytest.raises(AuthError, match="Read/Write"):
        connected(store, tools).write_back(report(number, "closed", "succeeded"))


def test_marks_of_old_reports_make_room_for_new_ones() -> None:
    told = Told(marks=tuple(f"m{n}" for n in range(KEPT)))
    kept = {meta["key"]: meta["value"] for meta in told.fields("k", NOON, "closed", "", "")}
    assert len(kept["_lmh_keys"].split()) == KEPT
    assert "m0" not in kept["_lmh_keys"].split()


def test_fields_that_people_have_spoilt_count_for_nothing() -> None:
    row = {"meta_data": [{"key": "_lmh_rev", "value": "yesterday completed"}, "x"]}
    assert Told.read(row) == Told()

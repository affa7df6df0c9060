"""What the simulator expects its customers to be told, and what it makes of their mail."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.core.business import Trade
from hub.core.notice_words import About, filled_line, suggested_texts, values
from hub.core.notices import Trigger
from hub.core.orders import IncomingOrder, Kind, PickUp
from hub.core.values import Address, Contact, Role, TimeWindow
from hub.demo import expected
from hub.demo.mailbox import Mail, Mailbox
from hub.demo.notebook import Notebook

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADDRESS = Address(("Yrjönkatu 1",), "Helsinki")
TO = "aino1@example.org"


def a_notebook(**more: Any) -> Notebook:
    book = Notebook()
    contacts = (Contact(Role.RECIPIENT, "Aino", "", TO),)
    book.placed(
        IncomingOrder(
            ref="D1", number="#1", updated_at=NOON, address=ADDRESS, contacts=contacts, **more
        )
    )
    return book


def a_tap(kind: str, at: datetime = NOON, **body: Any) -> tuple[dict[str, Any], dict[str, str]]:
    act = {"kind": kind, "job_id": "j", "occurred_at": at.isoformat(), "body": body}
    return act, {"result": "applied"}


def shown(state: str = "en_route", kind: str = "deliver") -> dict[str, dict[str, str]]:
    return {"j": {"number": "#1", "kind": kind, "state": state}}


@pytest.mark.parametrize("told_before", [True, False])
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("trigger", list(Trigger))
def test_every_mail_is_known_by_its_subject(
    trigger: Trigger, kind: Kind, told_before: bool
) -> None:
    window = TimeWindow(NOON, NOON + timedelta(hours=1))
    before = TimeWindow(NOON - timedelta(hours=3), NOON - timedelta(hours=2))
    about = About(
        order="#1001",
        link="http://hub/t/x",
        brand="Husk Bakery",
        kind=kind,
        name="Aino",
        window=window,
        before=before if told_before else None,
        closed_at=NOON,
    )
    said = values(about, ZoneInfo("UTC"))
    subject = filled_line(suggested_texts(Trade.FRESH_FOOD)[trigger].subject, said)
    assert expected.trigger_of(Mail(TO, subject, "<1>"), "Husk Bakery") is trigger


def test_a_driver_on_the_way_is_told_once_for_each_time_he_says_so() -> None:
    book = a_notebook()
    for _ in range(2):
        expected.of_taps(book, [a_tap("head_for")], shown(), NOON)
    assert book.promised == Counter({(TO, Trigger.ON_ITS_WAY): 2})


@pytest.mark.parametrize(
    ("taps", "state", "later"),
    [
        ([a_tap("head_for"), a_tap("close", outcome="succeeded")], "closed", 0),
        ([a_tap("head_for"), a_tap("arrive")], "arrived", 0),
        ([a_tap("head_for")], "arrived", 0),
        ([a_tap("head_for")], "en_route", 21),
    ],
    ids=["ended at once", "there at once", "was there already", "told too late"],
)
def test_who_is_on_the_way_no_more_is_not_told_of(taps: list[Any], state: str, later: int) -> None:
    book = a_notebook()
    expected.of_taps(book, taps, shown(state), NOON + timedelta(minutes=later))
    assert (TO, Trigger.ON_ITS_WAY) not in book.promised


def test_fetching_the_goods_of_a_pair_is_told_to_nobody_unless_it_fails() -> None:
    book = a_notebook(pick_up=PickUp(address=ADDRESS))
    fetched = shown("closed", "collect")
    expected.of_taps(book, [a_tap("close", outcome="succeeded")], fetched, NOON)
    assert not book.promised
    expected.of_taps(book, [a_tap("close", outcome="failed")], fetched, NOON)
    assert book.promised == Counter({(TO, Trigger.FAILED): 1})


def test_a_notice_too_many_and_one_too_few_do_not_make_up_for_each_other() -> None:
    wanted = Counter({(TO, Trigger.PLACED): 1, (TO, Trigger.DELIVERED): 1})
    got = Counter({(TO, Trigger.PLACED): 2})
    assert len(expected.differences(wanted, got)) == 2
    assert expected.differences(wanted, wanted) == []


def test_a_mail_that_no_rule_explains_is_not_passed_over() -> None:
    with pytest.raises(LookupError, match="Winter sale"):
        expected.came([Mail(TO, "Winter sale", "<1>")], "Husk Bakery")


def test_the_same_message_twice_is_a_duplicate() -> None:
    box = Mailbox()
    box.mails += [Mail(TO, "a", "<1>"), Mail(TO, "a", "<2>"), Mail(TO, "a", "<1>")]
    assert box.twice() == 1

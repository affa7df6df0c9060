"""A name carries a business's pages while its DNS says so, and a few days longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.core.own_domain import BROKEN_AFTER, Found, after_check, is_due, judge

HOST, HUB = "track.bakery.example", "hub.example.com"
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
PROOF = ("v=spf1 -all", "lastmilehub=abc")


def test_a_name_holds_with_its_token_and_when_it_leads_here_by_alias_or_address() -> None:
    assert judge(HOST, "abc", HUB, Found(PROOF, alias=HUB)).holds
    at = ("198.51.100.7",)
    assert judge(HOST, "abc", HUB, Found(PROOF, addresses=at, ours=at)).holds


def test_what_is_missing_is_said_with_what_was_found() -> None:
    elsewhere = Found(("lastmilehub=other",), alias="pages.else.example")
    verdict = judge(HOST, "abc", HUB, elsewhere)
    assert not verdict.is_ours and not verdict.points_here
    assert "_lastmilehub.track.bakery.example has lastmilehub=other" in verdict.said
    assert "leads to pages.else.example; it must lead to hub.example.com" in verdict.said
    assert "has nothing" in judge(HOST, "abc", HUB, Found()).said
    assert not judge(HOST, "abc", HUB, Found(PROOF, addresses=("192.0.2.1",))).holds


def test_no_answer_is_no_proof() -> None:
    silent = Found(PROOF, alias=HUB, unanswered="no answer in time")
    assert not judge(HOST, "abc", HUB, silent).holds


def test_a_proven_name_that_fails_is_used_for_three_days_and_comes_back_at_once() -> None:
    good, bad = judge(HOST, "abc", HUB, Found(PROOF, alias=HUB)), judge(HOST, "abc", HUB, Found())
    assert after_check("waiting", None, bad, NOW) == ("waiting", None)
    assert after_check("waiting", None, good, NOW) == ("proven", None)
    state, since = after_check("proven", None, bad, NOW)
    assert (state, since) == ("failing", NOW)
    assert after_check("failing", NOW, bad, NOW + BROKEN_AFTER / 2) == ("failing", NOW)
    assert after_check("failing", NOW, bad, NOW + BROKEN_AFTER) == ("broken", NOW)
    assert after_check("broken", NOW, good, NOW + 2 * BROKEN_AFTER) == ("proven", None)


def test_a_proven_name_is_looked_at_daily_and_a_failing_one_hourly() -> None:
    ago = {hours: NOW - timedelta(hours=hours) for hours in (1, 23, 24)}
    assert not is_due("waiting", ago[24], NOW)
    assert not is_due("proven", ago[23], NOW)
    assert is_due("proven", ago[24], NOW)
    assert is_due("failing", ago[1], NOW)
    assert is_due("broken", None, NOW)


def test_where_our_own_network_has_a_name_is_not_told() -> None:
    inner = Found(PROOF, alias="db-7.internal.example", addresses=("10.0.0.7",))
    said = judge("db.corp.example", "abc", HUB, inner).said
    assert "an address that the internet does not have" in said
    assert "10.0.0.7" not in said and "db-7" not in said

"""An owner says what recipients can do; what cannot be meant stands at its field."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.core.business import Trade, suggested
from hub.core.self_service import Action, Follow, SelfService, Slots
from hub.flows.business import business_of
from hub.flows.self_service_typed import as_sent, typed
from tests.admin.panel_worlds import Panel, a_bakery, a_panel, an_installed_hub

PAGE = "/panel/settings/recipients"


@pytest.fixture
def panel(tmp_path: Path) -> Panel:
    hub = an_installed_hub(tmp_path / "data")
    return a_panel(hub, a_bakery(hub))


def kept(panel: Panel) -> SelfService:
    return business_of(panel.hub, panel.business_id)[1].self_service


def test_rules_are_kept_as_they_were_typed_and_shown_again(panel: Panel) -> None:
    wanted = SelfService(
        allowed=[Action.NOTE, Action.CANCEL],
        follows=[Follow.COLLECT],
        until="published",
        hours=3,
        left_demands=None,
        neighbour_demands=["name", "photo"],
        slots=Slots(minutes=90, days=3, weekdays=[0, 6], ends="20:30", most_jobs=40),
        collect_hours="Mon to Fri, 9 to 18",
    )
    wanted = wanted.model_copy(update={"neighbour_demands": ["photo", "name"]})
    assert "Saved. Pages that customers open" in panel.post(PAGE, **as_sent(wanted)).text
    assert kept(panel) == wanted
    page = panel.get(PAGE).text
    assert 'name="allowed" value="cancel" checked' in page
    assert 'name="allowed" value="safe_place">' in page
    assert 'value="20:30"' in page
    assert "What recipients can do" in panel.get("/panel/settings").text


@pytest.mark.parametrize(
    ("field", "value", "told_at", "sentence"),
    [
        ("hours", "-1", "hours", "A whole number from 0 to 240."),
        ("hours", "9" * 5000, "hours", "A whole number from 0 to 240."),
        ("minutes", "soon", "minutes", "A whole number from 30 to 720."),
        ("most_jobs", "0", "most_jobs", "A whole number from 1 to 100,000."),
        ("begins", "9", "begins", "A time such as 09:00."),
        ("ends", "10:00", "ends", "No slot of that length fits"),
        ("until", "never", "until", "Choose one of the list."),
        ("follows", "collect", "collect_hours", "Say when somebody is there"),
    ],
)
def test_what_cannot_be_meant_stands_at_its_field(
    panel: Panel, field: str, value: str, told_at: str, sentence: str
) -> None:
    answer = panel.post(PAGE, **{**as_sent(SelfService()), field: [value]})
    assert answer.status_code == 422
    assert f'id="{told_at}-error">{sentence}' in answer.text
    assert kept(panel) == SelfService()


def test_what_suits_a_trade_is_shown_before_it_is_saved(panel: Panel) -> None:
    assert "Look at them, then save." in panel.post(PAGE, suggest="1").text
    assert kept(panel) == SelfService()


def test_every_suggestion_survives_the_form() -> None:
    for trade in Trade:
        rules = suggested(trade).self_service
        assert typed(as_sent(rules)) == (rules, {})

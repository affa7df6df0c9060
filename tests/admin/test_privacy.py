"""An owner says who sees what; what cannot be meant stands at its field and is not kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from admin.views.privacy import as_sent
from hub.core.business import Trade, suggested
from hub.core.visibility import ALWAYS, NEVER, Reader, Rule, Visibility
from hub.flows.business import business_of
from hub.flows.log_in import Role
from hub.flows.privacy import typed
from tests.admin.panel_worlds import Panel, a_bakery, a_panel, an_installed_hub

PAGE = "/panel/settings/privacy"


@pytest.fixture
def panel(tmp_path: Path) -> Panel:
    hub = an_installed_hub(tmp_path / "data")
    return a_panel(hub, a_bakery(hub))


def kept(panel: Panel) -> Visibility:
    return business_of(panel.hub, panel.business_id)[1].visibility


def test_rules_are_kept_as_they_were_typed_and_shown_again(panel: Panel) -> None:
    wanted = (
        Visibility()
        .but(Reader.PAGE, position=Rule("metres", 800), stops=Rule("stops", 9), photo=ALWAYS)
        .but(Reader.BOOKS, items=NEVER)
    )
    assert "Open pages follow within seconds." in panel.post(PAGE, **as_sent(wanted)).text
    assert kept(panel) == wanted
    page = panel.get(PAGE).text
    assert 'value="800"' in page and '<option value="metres" selected>' in page
    assert 'name="books-items" value="1">' in page  # not ticked
    assert 'name="store-items" value="1" checked>' in page


@pytest.mark.parametrize(
    ("field", "value", "told_at", "sentence"),
    [
        ("page-position-at", "", "page-position-at", "A number of stops from 0 to 20."),
        ("page-position-at", "21", "page-position-at", "A number of stops from 0 to 20."),
        ("page-position-at", "-1", "page-position-at", "A number of stops from 0 to 20."),
        ("page-items", "sometimes", "page-items", "Choose one of the list."),
    ],
)
def test_what_cannot_be_meant_stands_at_its_field(
    panel: Panel, field: str, value: str, told_at: str, sentence: str
) -> None:
    answer = panel.post(PAGE, **{**as_sent(Visibility()), field: value})
    assert answer.status_code == 422
    assert f'id="{told_at}-error">{sentence}' in answer.text
    assert kept(panel) == Visibility()


def test_what_suits_a_trade_is_shown_before_it_is_saved(panel: Panel) -> None:
    page = panel.post(PAGE, suggest="1").text
    assert "Look at them, then save." in page
    assert kept(panel) == Visibility()


def test_every_suggestion_survives_the_form() -> None:
    for trade in Trade:
        rules = suggested(trade).visibility
        assert typed(as_sent(rules)) == (rules, {})


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.VIEWER, Role.ACCOUNTANT])
def test_only_owners_decide(panel: Panel, role: Role) -> None:
    other = a_panel(panel.hub, panel.business_id, role, "otso@example.com")
    assert other.get(PAGE).status_code == 403
    assert other.post(PAGE, **as_sent(Visibility())).status_code == 403

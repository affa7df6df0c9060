"""Whether somebody does what is due, and what the panel says when nobody does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hub.flows.at_work import STILL, say_at_work, still_since
from hub.worker import CHORES
from tests.admin.panel_worlds import a_bakery, a_panel, an_installed_hub
from tests.driving_worlds import a_morning

NOTHING = "Nothing is done by itself since"


def test_a_worker_is_missed_once_it_has_said_nothing_for_minutes(database_url: str) -> None:
    day = a_morning(url=database_url)
    say_at_work(day.hub)
    assert still_since(day.hub, day.business_id) is None
    last = datetime.now(UTC).replace(microsecond=0) - STILL - timedelta(seconds=5)
    say_at_work(day.hub, last)
    assert still_since(day.hub, day.business_id) == last
    [chore] = [one for one in CHORES if one.do is say_at_work]
    assert chore.every_s * 3 < STILL.total_seconds()
    chore.do(day.hub)
    assert still_since(day.hub, day.business_id) is None


def test_where_no_worker_ever_was_a_new_business_waits_a_moment_for_it() -> None:
    day = a_morning()
    founded_at = day.hub.now()
    assert still_since(day.hub, day.business_id) is None
    day.now[0] += STILL + timedelta(seconds=1)
    assert still_since(day.hub, day.business_id) == founded_at


def test_the_panels_home_says_so_and_what_to_do(tmp_path: Path) -> None:
    hub = an_installed_hub(tmp_path, f"sqlite:///{tmp_path}/hub.db")
    panel = a_panel(hub, a_bakery(hub))
    say_at_work(hub)
    assert NOTHING not in panel.get("/panel/").text
    say_at_work(hub, datetime.now(UTC) - timedelta(hours=1))
    told = panel.get("/panel/").text
    assert NOTHING in told and "<code>hub up</code>" in told

"""A database that somebody else holds for too long is a moment's matter, not a fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event

from hub.app import Hub
from hub.db.engine import WRITE, open_engine
from hub.flows.api_keys import Scope, make_key
from hub.flows.found import found
from hub.web.app import create_app
from tests.web.test_api import NOON, ORDERS, an_order


def impatient(hub: Hub) -> None:
    """Waits for the database a moment, not ten seconds."""
    hub.engine.dispose()
    event.listen(hub.engine, "connect", lambda c, _: c.execute("PRAGMA busy_timeout = 20"))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture
def held(url: str) -> Iterator[Flask]:
    """The API and the panel of a hub whose database another program holds."""
    hub = Hub.in_memory(object(), now=lambda: NOON, url=url)
    business = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    app = create_app(hub)
    app.config["KEY"] = make_key(hub, business, "shop", tuple(Scope))[1]
    other = open_engine(url)
    impatient(hub)
    with other.execution_options(**WRITE).begin():
        yield app
    hub.engine.dispose()
    other.dispose()


def test_a_program_that_finds_the_database_held_is_told_when_to_try_again(held: Flask) -> None:
    headers = {"Authorization": f"Bearer {held.config['KEY']}"}
    answer = held.test_client().post(ORDERS, json=an_order(), headers=headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.get_json()["detail"].startswith("Something large is being stored.")


def test_a_person_who_finds_the_database_held_reads_what_to_do(held: Flask) -> None:
    link = f"/t/{'A' * 22}"  # a guess is counted, so it writes
    answer = held.test_client().get(link, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Please open the link from your message again" in answer.text

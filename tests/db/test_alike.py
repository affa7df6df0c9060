"""Databases that are alike share what SQL was compiled for one of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.db.memory import SHARED
from hub.db.tables import BusinessRow
from hub.flows.found import found


def names(hub: Hub) -> list[str]:
    with hub.reading() as session:
        return sorted(session.exec(select(BusinessRow.name)))


def test_what_was_compiled_for_one_hub_serves_the_next(database_url: str) -> None:
    known = SHARED["compiled_cache"]
    first = Hub.in_memory(url=database_url)
    found(first, "Husk", zone="Europe/Helsinki")
    assert names(first) == ["Husk"]
    compiled = set(known)
    second = Hub.in_memory(url=database_url)
    found(second, "Neighbours", zone="Europe/Helsinki")
    assert names(second) == ["Husk", "Neighbours"]
    assert set(known) == compiled


def test_they_share_no_rows(tmp_path: Path) -> None:
    hubs = [Hub.in_memory(url=f"sqlite:///{tmp_path}/{n}.db") for n in range(2)] + [Hub.in_memory()]
    for n, hub in enumerate(hubs):
        found(hub, f"Husk {n}", zone="Europe/Helsinki")
    assert [names(hub) for hub in hubs] == [["Husk 0"], ["Husk 1"], ["Husk 2"]]


def test_another_kind_of_database_has_sql_of_its_own(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    there = Hub.in_memory(url=request.getfixturevalue("new_postgres")())
    here = Hub.in_memory(url=f"sqlite:///{tmp_path}/hub.db")
    for hub in (there, here, there):
        found(hub, "Husk", zone="Europe/Helsinki")
    assert (names(there), names(here)) == (["Husk", "Husk"], ["Husk"])

"""Under a business's own domain its pages are watched, and nothing of anybody else."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlmodel import select

from hub.db.tables import BrandDomainRow, BrandRow
from hub.flows.found import found
from tests.live_worlds import SLOW_S, LiveMorning, a_live_morning

MINE, THEIRS = "track.husk.example", "track.neighbours.example"


@pytest.fixture
def day(database_url: str) -> Iterator[LiveMorning]:
    with a_live_morning(database_url) as world:
        yield world


def proven(day: LiveMorning, business_id: str, host: str) -> None:
    with day.hub.unit() as unit:
        brand = unit.session.exec(
            select(BrandRow).where(BrandRow.business_id == business_id)
        ).first()
        assert brand is not None
        unit.session.add(
            BrandDomainRow(
                business_id=business_id,
                brand_id=brand.id,
                host=host,
                token="t" * 32,
                proven_host=host,
                state="proven",
            )
        )


def asked(day: LiveMorning, path: str, host: str, **headers: str) -> int:
    return day.served.ask("GET", path, Host=host, **headers).status


def test_a_page_is_watched_under_its_own_domain_and_under_no_other_businesses(
    day: LiveMorning,
) -> None:
    now = f"/live/t/{day.link()}/now"
    assert asked(day, now, THEIRS) == 200  # nobody's name yet
    proven(day, day.morning.business_id, MINE)
    proven(day, found(day.hub, "Neighbours", zone="UTC"), THEIRS)
    until = time.monotonic() + SLOW_S
    while asked(day, now, THEIRS) != 404:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert asked(day, now.removesuffix("/now"), THEIRS) == 404
    assert asked(day, now, f"{THEIRS.upper()}.:443") == 404
    assert asked(day, now, "hub.internal", X_Forwarded_Host=THEIRS) == 404
    for host in (MINE, "hub.example", "127.0.0.1:8700"):
        assert asked(day, now, host) == 200


def test_the_name_the_hub_has_now_is_its_own_whoever_had_proven_it(day: LiveMorning) -> None:
    """Else no phone could say where it is any more."""
    ours = day.hub.settings.host
    proven(day, day.morning.business_id, MINE)
    proven(day, found(day.hub, "Neighbours", zone="UTC"), ours)
    until = time.monotonic() + SLOW_S
    while asked(day, "/live/healthz", MINE) != 404:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert asked(day, "/live/healthz", f"{ours}:8700") == 200
    assert asked(day, f"/live/t/{day.link()}/now", ours) == 200


def test_nothing_but_pages_is_under_an_own_domain(day: LiveMorning) -> None:
    proven(day, day.morning.business_id, MINE)
    until = time.monotonic() + SLOW_S
    while asked(day, "/live/board", MINE) != 404:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert asked(day, "/live/board", "hub.example") == 401
    assert asked(day, "/live/healthz", "hub.example") == 200

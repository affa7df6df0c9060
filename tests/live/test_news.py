"""No event is passed by, however late its transaction commits beside others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from hub.core.ids import new_id
from hub.db.engine import create_tables, open_engine
from hub.db.tables import EventRow
from hub.live.news import Newspaper, _gaps


def writing(engine: Engine) -> Session:
    """A transaction that may write events of a business that is not there."""
    session = Session(engine)
    session.execute(text("SET LOCAL session_replication_role = replica"))
    return session


def an_event(order_id: str) -> EventRow:
    at = datetime.now(UTC)
    return EventRow(
        id=new_id(),
        business_id="business-1",
        name="JobClosed",
        subject_kind="order",
        subject_id=order_id,
        actor="staff:1",
        occurred_at=at,
        received_at=at,
        payload={},
    )


def read(paper: Newspaper) -> set[str]:
    news = paper.news()
    paper.dealt()
    return set(news.orders) if news else set()


@pytest.fixture
def late(new_postgres: Callable[[], str]) -> Iterator[tuple[Engine, Session]]:
    """PostgreSQL, and a transaction in it that has a number and has not committed."""
    one = open_engine(new_postgres())
    create_tables(one)
    slow = writing(one)
    slow.add(an_event("slow"))
    slow.flush()
    yield one, slow
    slow.close()
    one.dispose()


def hundreds(engine: Engine) -> None:
    with writing(engine) as session:
        session.add_all([an_event(f"order-{n}") for n in range(400)])
        session.commit()


def test_what_commits_after_hundreds_of_later_events_is_news(
    late: tuple[Engine, Session],
) -> None:
    engine, slow = late
    paper = Newspaper(engine)
    hundreds(engine)
    assert len(read(paper)) == 400
    hundreds(engine)
    assert len(read(paper)) == 400
    slow.commit()
    assert read(paper) == {"slow"}
    assert read(paper) == set()


def test_what_was_not_committed_when_the_process_began_is_news(
    late: tuple[Engine, Session],
) -> None:
    engine, slow = late
    hundreds(engine)
    paper = Newspaper(engine)
    assert read(paper) == set()
    slow.commit()
    assert read(paper) == {"slow"}


def test_a_number_that_never_comes_is_given_up(
    late: tuple[Engine, Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, slow = late
    monkeypatch.setattr("hub.live.news.MISSED_S", 0.0)
    paper = Newspaper(engine)
    hundreds(engine)
    slow.rollback()
    for _ in range(3):
        read(paper)
    assert paper._gaps == []


def test_news_that_nobody_dealt_with_comes_again(late: tuple[Engine, Session]) -> None:
    engine, slow = late
    paper = Newspaper(engine)
    hundreds(engine)
    slow.commit()
    first = paper.news()
    assert first is not None
    assert len(first.orders) == 401
    assert paper.news() == first
    paper.dealt()
    assert paper.news() is None


def test_gaps_are_what_is_missing_between() -> None:
    found = [(gap.low, gap.high) for gap in _gaps(3, 12, [4, 5, 9, 12], 0.0)]
    assert found == [(3, 3), (6, 8), (10, 11)]
    assert [(gap.low, gap.high) for gap in _gaps(1, 2, [], 0.0)] == [(1, 2)]
    assert _gaps(1, 0, [], 0.0) == []

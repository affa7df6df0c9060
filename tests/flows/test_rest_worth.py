"""A better rest of the day is one that a dispatcher can read as better."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.flows.improvements import ImprovementSeen
from hub.flows.rest_difference import Improvement, RouteDifference

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def found(saved_s: int, saved_m: int, mended: tuple[str, ...] = ()) -> ImprovementSeen:
    one = RouteDifference(
        "r1", "Mara", (), (), 2, 3600, 3600 - saved_s, 9000, 9000 - saved_m, NOW, NOW, (), mended
    )
    return ImprovementSeen(
        id="i1",
        day=NOW.date(),
        asked_by="staff:1",
        state="done",
        n=1,
        best=Improvement(NOW.date(), (one,)),
        is_current=True,
        stop_asked=False,
        ended="",
        error="",
        done_at=NOW,
        versions={},
    )


@pytest.mark.parametrize(
    ("seen", "is_offered"),
    [
        (found(0, 0), False),
        (found(29, 49), False),
        (found(60, 0), True),
        (found(0, 100), True),
        (found(0, 0, ("#1001",)), True),
    ],
)
def test_nothing_less_to_drive_and_nobody_in_time_again_is_no_find(
    seen: ImprovementSeen, is_offered: bool
) -> None:
    assert seen.is_offered(NOW) is is_offered

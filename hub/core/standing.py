"""How an order stands for whoever has its link, by what the page shows of it."""

from __future__ import annotations

from datetime import datetime

from hub.core.jobs import ON_A_PHONE, Outcome, Reason, State
from hub.core.self_service import Standing
from hub.core.tracking_page import RIDING, Life, Seen, Shows
from hub.core.values import TimeWindow

_PUT_RIGHT_FIRST = (Reason.WRONG_ADDRESS, Reason.UNSAFE, Reason.DAMAGED)
_SET_OUT = (State.LOADED, State.EN_ROUTE, State.ARRIVED)


def standing(
    seen: Seen,
    left: Life,
    *,
    began: bool,
    told: TimeWindow | None,
    is_paired: bool = False,
    came_at: datetime | None = None,
) -> Standing:
    """How what the page shows stands; ``told``: the promise in force."""
    job, full = seen.job, left is Life.FULL
    asked = min((window.opens for window in job.windows), default=None)
    on_a_phone = job.state in ON_A_PHONE
    failed = seen.shows is Shows.FAILED and not seen.pick_up_failed
    return Standing(
        kind=job.kind,
        is_open=full and not job.is_closed and not seen.pick_up_failed,
        on_a_phone=on_a_phone,
        began=began or seen.shows in RIDING or job.state in _SET_OUT,
        at_the_door=seen.shows in (Shows.ARRIVING, Shows.AT_THE_DOOR),
        stops_before=seen.stops_before,
        told_opens=told.opens if told is not None else asked,
        is_told=told is not None,
        undecided=full
        and failed
        and job.outcome in (Outcome.FAILED, Outcome.SKIPPED)
        and job.next_step is None,
        retries=full and job.attempt > 1 and not job.is_closed and not on_a_phone,
        is_paired=is_paired,
        needs_a_person=job.is_closed and job.reason in _PUT_RIGHT_FIRST,
        came_at=came_at,
    )

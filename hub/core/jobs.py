"""The states of a job, the only ways between them, and how a job can end.

A job is one thing to do at one place. State says how far it is; outcome says,
once it is closed, how it went. Being late is neither: it is worked out from the
window and the ETA.
"""

from __future__ import annotations

from enum import StrEnum

from hub.core.errors import HubError


class State(StrEnum):
    CREATED = "created"
    NEEDS_REVIEW = "needs_review"  # its place is not sure; a dispatcher sets the pin
    ON_HOLD = "on_hold"
    PLANNED = "planned"  # on a draft route without a driver
    ASSIGNED = "assigned"  # on a draft route with one
    DISPATCHED = "dispatched"  # on a driver's phone
    LOADED = "loaded"
    EN_ROUTE = "en_route"  # the driver is on the way to this one
    ARRIVED = "arrived"
    CLOSED = "closed"


class Act(StrEnum):
    LOCATE = "locate"
    QUESTION = "question"
    HOLD = "hold"
    RELEASE = "release"
    PLAN = "plan"
    ASSIGN = "assign"
    UNPLAN = "unplan"
    DISPATCH = "dispatch"
    LOAD = "load"
    HEAD_FOR = "head_for"
    ARRIVE = "arrive"
    LEAVE = "leave"  # drove off without closing; geofences do this


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"  # tried at the door; may get a new job with the next attempt number
    SKIPPED = "skipped"  # no attempt at the door; never counts against first-attempt rate
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why a job failed or was skipped; the words drivers choose from."""

    NOBODY_HOME = "nobody_home"
    REFUSED = "refused"
    WRONG_ADDRESS = "wrong_address"
    NO_ACCESS = "no_access"
    CLOSED = "closed"
    UNSAFE = "unsafe"
    DAMAGED = "damaged"
    MISSING_ITEMS = "missing_items"
    NO_ID = "no_id"
    NO_PAYMENT = "no_payment"
    NO_TIME = "no_time"
    VEHICLE = "vehicle"
    WEATHER = "weather"
    OTHER = "other"


S, A, O = State, Act, Outcome  # noqa: E741  (the table below reads better)
_ON_A_PHONE = {A.UNPLAN: S.CREATED, A.HEAD_FOR: S.EN_ROUTE, A.ARRIVE: S.ARRIVED}
TRANSITIONS: dict[State, dict[Act, State]] = {
    S.CREATED: {A.QUESTION: S.NEEDS_REVIEW, A.HOLD: S.ON_HOLD, A.PLAN: S.PLANNED},
    S.NEEDS_REVIEW: {A.LOCATE: S.CREATED, A.HOLD: S.ON_HOLD},
    S.ON_HOLD: {A.RELEASE: S.CREATED},
    S.PLANNED: {A.UNPLAN: S.CREATED, A.ASSIGN: S.ASSIGNED, A.HOLD: S.ON_HOLD},
    S.ASSIGNED: {A.UNPLAN: S.CREATED, A.DISPATCH: S.DISPATCHED, A.HOLD: S.ON_HOLD},
    S.DISPATCHED: {**_ON_A_PHONE, A.LOAD: S.LOADED},
    S.LOADED: _ON_A_PHONE,
    S.EN_ROUTE: {A.UNPLAN: S.CREATED, A.ARRIVE: S.ARRIVED, A.LEAVE: S.DISPATCHED},
    S.ARRIVED: {A.LEAVE: S.DISPATCHED},
    S.CLOSED: {},
}
_ONLY_CANCELLED = frozenset({O.CANCELLED})
ENDINGS: dict[State, frozenset[Outcome]] = {
    **dict.fromkeys((S.CREATED, S.NEEDS_REVIEW, S.ON_HOLD, S.PLANNED, S.ASSIGNED), _ONLY_CANCELLED),
    # A phone that had no signal may tell of the door before it tells of the way there.
    **dict.fromkeys((S.DISPATCHED, S.LOADED, S.EN_ROUTE, S.ARRIVED), frozenset(O)),
    S.CLOSED: frozenset(),
}
ON_A_PHONE = frozenset({S.DISPATCHED, S.LOADED, S.EN_ROUTE, S.ARRIVED})


class NotNow(HubError):
    """The act is real, but this job is past it or not there yet."""


def after(state: State, act: Act) -> State:
    """The state that ``act`` leads to. Raises ``NotNow`` where it leads nowhere."""
    try:
        return TRANSITIONS[state][act]
    except KeyError:
        raise NotNow(f"cannot {act} a job that is {state}") from None


def close(state: State, outcome: Outcome) -> State:
    """``State.CLOSED``, if a job can end like that from ``state``; else ``NotNow``."""
    if outcome not in ENDINGS[state]:
        raise NotNow(f"a job that is {state} cannot end as {outcome}")
    return State.CLOSED


class NextStep(StrEnum):
    """What follows a job that did not succeed; exactly one is chosen."""

    RETRY_TODAY = "retry_today"
    ANOTHER_DAY = "another_day"
    RETURN = "return"
    COLLECT = "collect"  # it stays at the depot, where its recipient fetches it
    CANCEL = "cancel"


def next_step(reason: Reason, attempt: int, *, most_attempts: int = 3) -> NextStep | None:
    """The usual step after ``reason`` on attempt number ``attempt`` (from 1).

    ``None`` leaves it to the dispatcher: a wrong address needs a person.
    """
    match reason:
        case Reason.REFUSED | Reason.DAMAGED:
            return NextStep.RETURN
        case Reason.WRONG_ADDRESS | Reason.OTHER | Reason.UNSAFE | Reason.NO_ID:
            return None
        case _:
            return NextStep.ANOTHER_DAY if attempt < most_attempts else NextStep.RETURN


def diagram() -> str:
    """The transition table as a Mermaid state diagram, for the docs."""
    rows = ["stateDiagram-v2", f"    [*] --> {S.CREATED}"]
    for state, ways in TRANSITIONS.items():
        rows += [f"    {state} --> {to}: {act}" for act, to in ways.items()]
        rows += [f"    {state} --> closed: {outcome}" for outcome in sorted(ENDINGS[state])]
    return "\n".join([*rows, "    closed --> [*]"])

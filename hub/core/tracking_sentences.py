"""Every sentence of the tracking page, in one place, in English: a tongue says it otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from hub.core.jobs import NextStep, Reason
from hub.core.orders import Kind
from hub.core.tracking_page import Shows

S = Shows

STEPS = {
    Kind.DELIVER: ("Ordered", "Planned", "On its way", "Delivered"),
    Kind.COLLECT: ("Booked", "Planned", "On the way", "Collected"),
    Kind.SERVE: ("Booked", "Planned", "On the way", "Done"),
}
STEP_OF = {
    S.ORDERED: 1,
    S.SCHEDULED: 2,
    S.RESCHEDULED: 2,
    S.ON_ITS_WAY: 3,
    S.ARRIVING: 3,
    S.AT_THE_DOOR: 3,
    S.DONE: 4,
}
HEADLINES: dict[Kind, dict[Shows, str]] = {
    Kind.DELIVER: {
        S.ORDERED: "We have your order",
        S.SCHEDULED: "Your delivery is planned",
        S.RESCHEDULED: "Your delivery has a new time",
        S.ON_ITS_WAY: "Your order is on its way",
        S.ARRIVING: "Arriving now: you are next",
        S.AT_THE_DOOR: "The driver is at your door",
        S.DONE: "Delivered",
        S.FAILED: "We could not deliver your order",
        S.FETCHED: "Collected",
        S.CANCELLED: "This delivery is cancelled",
    },
    Kind.COLLECT: {
        S.ORDERED: "Your collection is booked",
        S.SCHEDULED: "Your collection is planned",
        S.RESCHEDULED: "Your collection has a new time",
        S.ON_ITS_WAY: "The driver is on the way",
        S.ARRIVING: "Arriving now: you are next",
        S.AT_THE_DOOR: "The driver is at your door",
        S.DONE: "Collected",
        S.FAILED: "We could not collect it",
        S.FETCHED: "Done",
        S.CANCELLED: "This collection is cancelled",
    },
    Kind.SERVE: {
        S.ORDERED: "Your visit is booked",
        S.SCHEDULED: "Your visit is planned",
        S.RESCHEDULED: "Your visit has a new time",
        S.ON_ITS_WAY: "We are on the way",
        S.ARRIVING: "Arriving now: you are next",
        S.AT_THE_DOOR: "We are at your door",
        S.DONE: "Done",
        S.FAILED: "We could not do the work",
        S.FETCHED: "Done",
        S.CANCELLED: "This visit is cancelled",
    },
}
PARTLY = {
    Kind.DELIVER: "Partly delivered",
    Kind.COLLECT: "Partly collected",
    Kind.SERVE: "Partly done",
}
REASONS = {
    Reason.NOBODY_HOME: "Nobody was there to open the door.",
    Reason.REFUSED: "It was refused at the door.",
    Reason.WRONG_ADDRESS: "The address could not be found.",
    Reason.NO_ACCESS: "The driver could not get in.",
    Reason.CLOSED: "It was closed.",
    Reason.UNSAFE: "It was not safe to stop.",
    Reason.DAMAGED: "Something was damaged.",
    Reason.MISSING_ITEMS: "Something was missing.",
    Reason.NO_ID: "The identification we need was not there.",
    Reason.NO_PAYMENT: "The payment could not be made.",
    Reason.NO_TIME: "The driver ran out of time.",
    Reason.VEHICLE: "The vehicle broke down.",
    Reason.WEATHER: "The weather did not allow it.",
}
NEXT: dict[NextStep | None, str] = {
    None: "You need not do anything. We will contact you about what happens next.",
    NextStep.RETRY_TODAY: "We will try again today.",
    NextStep.ANOTHER_DAY: "We will try again on another day.",
    NextStep.RETURN: "It goes back to the sender.",
    NextStep.COLLECT: "We keep it for you: you collect it from us.",
    NextStep.CANCEL: "We will not try again.",
}
YOU_CHOOSE = "Tell us below what should happen next. If you do not, we will contact you."
NO_RETURN = "We will not try again by ourselves. Call us if you still need it."
TIME_FOLLOWS = "You will see the time here as soon as it is planned."
ARRIVING = "Arriving now"
MISSED_YOU = "Sorry, we missed you"
TRY_AGAIN = "We will try again"
PLANNED_ANEW = "We are looking for a new time"
UNREACHED = "Sorry, the driver did not get to you on this round."
LATE = "Sorry, we are running late"
PICK_UP_FAILED = "We could not fetch your order yet"
ASKED_FOR = "This is the time that was asked for."
ONE_OF = "It will be one of the times that were asked for."
OR_AT = "Or {window}."
NO_SIGNAL = "No signal since {time}. The time is an estimate."
REST_FOLLOWS = "We will contact you about the rest."
REST_FETCHED = "The rest was collected from us."
FETCHED = "It was collected from us. Thank you."
KEPT = "Your order waits for you"
PROMISED = "We promised {window}."
UNKNOWN_REASON = "it did not work out."
STAY = {
    (True, True): "Photos and the list of items stay with {brand}.",
    (True, False): "Photos stay with {brand}.",
    (False, True): "The list of items stays with {brand}.",
}


def all_words() -> Iterator[str]:
    """What is said here by looking it up, for whoever checks that it is translated."""
    for table in (STEPS, HEADLINES, PARTLY, REASONS, NEXT, STAY):
        for said in table.values():
            if isinstance(said, str):
                yield said
            else:
                yield from said.values() if isinstance(said, dict) else said
    yield from (YOU_CHOOSE, NO_RETURN, TIME_FOLLOWS, ARRIVING, MISSED_YOU, TRY_AGAIN, PLANNED_ANEW)
    yield from (UNREACHED, LATE, PICK_UP_FAILED, ASKED_FOR, REST_FOLLOWS, PROMISED)
    yield from (ONE_OF, OR_AT, NO_SIGNAL, UNKNOWN_REASON, REST_FETCHED, FETCHED, KEPT)

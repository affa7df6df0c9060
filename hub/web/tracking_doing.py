"""What is sent from the customer's page: each form is one thing done once, then the page again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from flask import Blueprint, Response, make_response, redirect, request

from hub.core.calendar_file import calendar_file
from hub.core.self_service import Action, Follow
from hub.core.self_service_words import closed_words, slot_day, slot_words, wrong_words
from hub.core.tracking_page import Life
from hub.db.tables import BrandRow
from hub.flows.self_service import (
    NoSuchLink,
    NotOpen,
    TooLong,
    call_off,
    follow,
    say_door,
    say_leave,
)
from hub.flows.throttle import within_limit
from hub.flows.time_chosen import Taken, Times, choose_time, free_times, name_of
from hub.flows.tongues import Spoken
from hub.flows.tracking_calendar import appointment
from hub.flows.tracking_view import Tracked, tracked
from hub.keys import hashed
from hub.web.look import look_of
from hub.web.pages import page

if TYPE_CHECKING:
    from hub.app import Hub

MOST_SENT, MOST_LOOKS, WITHIN_S = 30, 60, 600  # by one link
FIELDS = ("do", "n", "note", "code", "forget", "how", "where", "what")
MOST_TYPED = 1000  # characters of a field that are given back


@dataclass(frozen=True, slots=True)
class Shell:
    """The page itself, as ``hub.web.tracking`` makes it."""

    status: Callable[..., Response]  # (token, code, sent=, wrong=)
    unknown: Callable[[], Response]
    slow_down: Callable[[BrandRow, Spoken], Response]


def doing(hub: Hub, pages: Blueprint, shell: Shell) -> None:
    """Add the routes to those of the page."""

    @pages.get("/t/<token>/do")
    def form(token: str) -> Response:
        """Whoever loads the answer to a form anew sees the page."""
        seen = tracked(hub, token)
        return shell.unknown() if seen is None else _to(token)

    @pages.post("/t/<token>/do")
    def said(token: str) -> Response:
        return _sent(hub, shell, token, lambda: _do(hub, token, _typed()))

    @pages.get("/t/<token>/times")
    def times(token: str) -> Response:
        seen = _whole(hub, token)
        if seen is None:
            return shell.status(token)
        if not within_limit(hub, f"times {hashed(token)}", MOST_LOOKS, WITHIN_S):
            return shell.slow_down(seen.brand, seen.tongue)
        return _times(hub, shell, token, seen)

    @pages.post("/t/<token>/times")
    def take(token: str) -> Response:
        def choose() -> str:
            choose_time(hub, token, request.form.get("time", "")[:20], n=_n())
            return "time"

        return _sent(hub, shell, token, choose)

    @pages.get("/t/<token>/cancel")
    def sure(token: str) -> Response:
        seen = _whole(hub, token)
        if seen is None or seen.doing is None:
            return shell.status(token)
        found = seen.doing.answers[Action.CANCEL]
        if not found.is_open:
            return shell.status(token, 409, wrong=_why(hub, seen, NotOpen(Action.CANCEL, found)))
        return page(
            "tracking/cancel.html",
            look=look_of(seen.brand),
            tongue=seen.tongue,
            token=token,
            n=seen.doing.wished.n,
            number=seen.number,
        )

    @pages.post("/t/<token>/cancel")
    def cancel(token: str) -> Response:
        def off() -> str:
            call_off(hub, token, n=_n())
            return "cancel"

        return _sent(hub, shell, token, off)

    @pages.get("/t/<token>/delivery.ics")
    def calendar(token: str) -> Response:
        one = appointment(hub, token)
        if one is None:
            return shell.unknown()
        answer = make_response(calendar_file(one, hub.now()))
        answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
        answer.headers["Content-Disposition"] = 'attachment; filename="delivery.ics"'
        answer.headers["Cache-Control"] = "private, no-store"
        return answer


def _do(hub: Hub, token: str, typed: Mapping[str, str]) -> str:
    """What was saved, as one of ``DONE``. Raises ``ValueError`` for a form of nobody's."""
    n = _n()
    match typed.get("do"):
        case "door":
            note, code = typed.get("note", ""), typed.get("code", "")
            say_door(hub, token, note, code, forget_code="forget" in typed, n=n)
            return "door"
        case "leave":
            how = typed.get("how", "")
            say_leave(hub, token, how, typed.get("where", ""), n=n)
            return "leave" if how in (Action.SAFE_PLACE, Action.NEIGHBOUR) else "person"
        case "follow":
            follow(hub, token, Follow(typed.get("what", "")), typed.get("where", ""), n=n)
            return "follow"
    raise ValueError(typed.get("do"))


def _sent(hub: Hub, shell: Shell, token: str, act: Callable[[], str]) -> Response:
    seen = _whole(hub, token)
    if seen is None or seen.doing is None:  # who only looks has no form to send
        return shell.status(token)  # as whoever opens it is answered
    if not within_limit(hub, f"sent {hashed(token)}", MOST_SENT, WITHIN_S):
        return shell.slow_down(seen.brand, seen.tongue)
    try:
        return _to(token, act())
    except NoSuchLink:
        return shell.status(token)
    except NotOpen as closed:
        return shell.status(token, 409, sent=_typed(), wrong=_why(hub, seen, closed))
    except TooLong as long:
        wrong = {long.field: wrong_words(long.field, long.most, seen.tongue)}
        return shell.status(token, 422, sent=_typed(), wrong=wrong)
    except Taken:
        said = seen.tongue.say("That time has just been taken. These are still free.")
        return _times(hub, shell, token, seen, said, 409)
    except ValueError:
        said = seen.tongue.say("Choose one of these.")
        return shell.status(token, 422, sent=_typed(), wrong={"": said})


def _times(
    hub: Hub, shell: Shell, token: str, seen: Tracked, wrong: str = "", code: int = 200
) -> Response:
    try:
        found = free_times(hub, token)
    except NoSuchLink:
        return shell.status(token)
    except NotOpen as closed:
        return shell.status(token, 409, wrong=_why(hub, seen, closed))
    if not found.free:
        wrong = ""  # nothing is still free: that is said below
    return page(
        "tracking/times.html",
        code,
        look=look_of(seen.brand),
        tongue=seen.tongue,
        token=token,
        days=_by_day(hub, found, seen.tongue),
        n=found.n,
        wrong=wrong,
    )


def _by_day(hub: Hub, found: Times, tongue: Spoken) -> list[tuple[str, list[tuple[str, str]]]]:
    zone, now = found.zone, hub.now()
    return [
        (
            slot_day(day, zone, now, tongue),
            [
                (
                    name_of(one),
                    tongue.say("As soon as a driver can")
                    if one.window is None
                    else slot_words(one.window, zone, tongue),
                )
                for one in some
            ],
        )
        for day, some in groupby(found.free, key=lambda one: one.day)
    ]


def _why(hub: Hub, seen: Tracked, closed: NotOpen) -> dict[str, str]:
    said = closed_words(closed.answer, seen.zone_info, hub.now(), seen.tongue)
    return {"": said or seen.tongue.say("That is not possible any more.")}


def _whole(hub: Hub, token: str) -> Tracked | None:
    seen = tracked(hub, token)
    return seen if seen is not None and seen.life is Life.FULL else None


def _typed() -> dict[str, str]:
    return {name: request.form[name][:MOST_TYPED] for name in FIELDS if name in request.form}


def _n() -> int:
    said = request.form.get("n", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 9 else 0


def _to(token: str, done: str = "") -> Response:
    answer = make_response(redirect(f"/t/{token}?done={done}#done" if done else f"/t/{token}", 303))
    answer.headers["Cache-Control"] = "no-store"
    return answer

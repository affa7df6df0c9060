"""What the board's pages share: their frame, what was asked, and how figures are said."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app, flash, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from hub.web.pages import page
from hub.web.route_map import colour
from hub.web.staff import may, me

FRAMES = ["panel/base.html", "board/frame.html"]
YEARS = range(2000, 2200)  # a slip of the finger is no day to look at


def shown(template: str, status: int = 200, **context: Any) -> AnyResponse:
    """``template`` in the panel's frame, or (asked for as a part) on its own."""
    frame: Any = "board/part.html"
    if not is_part():
        frame = current_app.jinja_env.select_template(FRAMES)
    return page(
        template,
        status,
        frame=frame,
        me=me(),
        may=may,
        day=asked_day(),
        colour=colour,
        zone=ZoneInfo(me().zone),
        minutes=minutes_more,
        km=_km,
        is_part=is_part(),
        **context,
    )


def done(said: str) -> AnyResponse:
    if is_part():
        return jsonify(said=said)
    flash(said, "ok")
    return redirect(url_for("board.index", day=asked_day()), 303)


def is_part() -> bool:
    return request.headers.get("X-Requested-With") == "fetch"


def typed(name: str) -> str:
    value = request.form.get(name, "") if request.method == "POST" else request.args.get(name, "")
    return value.strip()[:60]


def asked_day() -> date | None:
    """``None`` (today) when no day was given, or none that a route can be on."""
    try:
        day = date.fromisoformat(request.values.get("day", "")[:10])
    except ValueError:
        return None
    return day if day.year in YEARS else None


def named(text: str) -> tuple[str, int]:
    """The two halves of ``id:version``; version 0, which no route has, for what is no number."""
    id, _, version = text.partition(":")
    return id, number(version)


def number(text: str) -> int:
    """0 for what is no number."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def minutes_more(seconds: float) -> str:
    """ "+12 min", "−5 min", "+3 h 27 min" """
    whole = round(seconds / 60)
    sign = "+" if whole > 0 else "−" if whole < 0 else "±"
    hours, left = divmod(abs(whole), 60)
    return f"{sign}{hours} h {left:02d} min" if hours else f"{sign}{left} min"


def _km(metres: float) -> str:
    sign = "+" if metres >= 50 else "−" if metres <= -50 else "±"
    return f"{sign}{abs(metres) / 1000:.1f} km"

"""The dispatch board: where everybody is, what needs somebody, and moving work about.

Pages are whole without a script. With one, the same parts are fetched alone (a request
that says ``X-Requested-With: fetch``) and shown in place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask import Blueprint, jsonify, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from hub.core.values import Point
from hub.flows.board import BoardSeen, board_seen
from hub.maps.svg import PALETTE_CSS
from hub.maps.tiles import current_tiles
from hub.maps.view import View
from hub.web.board_amending import amending
from hub.web.board_asked import asked
from hub.web.board_deciding import deciding
from hub.web.board_improving import improving
from hub.web.board_json import data_of, tag_of
from hub.web.board_lanes import Bar, Lane, axis_of, lanes_of
from hub.web.board_out import van_out
from hub.web.board_page import asked_day, is_part, shown
from hub.web.board_track import tracks
from hub.web.pages import page
from hub.web.route_map import Driver, route_map
from hub.web.staff import me

if TYPE_CHECKING:
    from hub.app import Hub

MAP_PX = (200, 2000)
_STYLE = re.compile(r"<style.*?</style>", re.DOTALL)
SHOWN_FIRST = 5  # matters; the others are a tap away


def board(hub: Hub) -> Blueprint:
    pages = Blueprint("board", __name__, url_prefix="/board")

    @pages.get("/")
    def index() -> AnyResponse:
        return _show(_seen())

    @pages.get("/data")
    def data() -> AnyResponse:
        """JSON with an ETag: 304 while nothing has changed or moved."""
        seen = _seen()
        content = data_of(seen, _lanes(seen))
        answer = jsonify(content)
        answer.set_etag(tag_of(content))
        answer.headers["Cache-Control"] = "no-store"
        return answer.make_conditional(request)

    @pages.get("/map")
    def near() -> AnyResponse:
        """The map alone, of the part of the world that is looked at."""
        seen = _seen()
        return page("board/map.html", map=_map(seen, _lanes(seen), _view()))

    deciding(pages, hub)
    asked(pages, hub)
    amending(pages, hub)
    van_out(pages, hub)
    improving(pages, hub)
    tracks(pages, hub)

    def _seen() -> BoardSeen:
        return board_seen(hub, me().business_id, asked_day())

    def _lanes(seen: BoardSeen) -> tuple[Lane, ...]:
        zone = ZoneInfo(me().zone)
        return lanes_of(seen, axis_of(seen, zone), zone)

    def _map(seen: BoardSeen, lanes: tuple[Lane, ...], view: View | None = None) -> Markup:
        drivers = [found for lane in lanes if (found := _on_map(lane)) is not None]
        routes = [lane.seen.route for lane in lanes]
        tiles = current_tiles(hub.settings.data_dir / "map")
        drawn = route_map(tiles, routes, seen.left_out, drivers, view=view)
        return Markup(_STYLE.sub("", drawn))  # noqa: S704  (ours; the page has it once)

    def _show(seen: BoardSeen) -> AnyResponse:
        zone = ZoneInfo(me().zone)
        axis = axis_of(seen, zone)
        lanes = lanes_of(seen, axis, zone)
        content = data_of(seen, lanes)
        return shown(
            "board/parts.html" if is_part() else "board/board.html",
            board=seen,
            axis=axis,
            lanes=lanes,
            latest=_latest(lanes),
            is_past=seen.day < seen.now.astimezone(zone).date(),
            now_x=axis.at(seen.now) if axis.opens <= seen.now <= axis.closes else None,
            map="" if is_part() else _map(seen, lanes),
            has_tiles=current_tiles(hub.settings.data_dir / "map") is not None,
            version=content["version"],
            before=seen.day - timedelta(days=1),
            after=seen.day + timedelta(days=1),
            first=SHOWN_FIRST,
            palette=Markup(PALETTE_CSS),  # noqa: S704  (ours)
        )

    return pages


def _latest(lanes: Sequence[Lane]) -> Bar | None:
    """Of the stops that are late the one that is it most."""
    late = [bar for lane in lanes for bar in lane.bars if bar.late_jobs]
    return max(late, key=lambda bar: bar.late_s, default=None)


def _on_map(lane: Lane) -> Driver | None:
    where, route = lane.seen.where, lane.seen.route
    if where is None:
        return None
    initials = "".join(part[0] for part in route.driver.split()[:2]).upper()
    zone = ZoneInfo(me().zone)
    said = f"{route.driver}, {where.at.astimezone(zone):%H:%M}"
    return Driver(route.driver_id, lane.n, initials, Point(where.lat, where.lon), lane.stale, said)


def _view() -> View | None:
    """The part of the world asked for; ``None`` where the numbers make none."""
    try:
        zoom, left, top = (float(request.args[name]) for name in ("zoom", "left", "top"))
        width, height = (int(request.args[name]) for name in ("w", "h"))
    except (KeyError, ValueError):
        return None
    world = 256 * 2 ** min(max(zoom, 0), 20)
    smallest, largest = MAP_PX
    if not (smallest <= width <= largest and smallest <= height <= largest and 2 <= zoom <= 16.5):
        return None
    if not (-width <= left <= world and -height <= top <= world):
        return None
    return View(zoom, left, top, width, height)

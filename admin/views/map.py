"""The installation's one map: what is in use, and building another from an extract."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from flask import Blueprint, flash, jsonify, redirect, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from admin.cells import local
from hub.core.errors import HubError
from hub.core.values import Point
from hub.flows.log_in import Role, staff_of
from hub.flows.map_build import MOST_BYTES, Asked, CannotCut, ask_map, map_state, may_cut
from hub.maps.svg import draw
from hub.maps.tiles import current_tiles
from hub.web.pages import csp_nonce, page
from hub.web.staff import COOKIE, me, needs

if TYPE_CHECKING:
    from hub.app import Hub

AROUND = 100_000  # what a multipart form adds to its file
USUAL_KM = "25"
UNDER_WAY = ("waiting", "building")


def map_page(hub: Hub) -> Blueprint:
    pages = Blueprint("map", __name__, url_prefix="/panel/map", template_folder="../templates")

    @pages.url_value_preprocessor
    def room_for_an_extract(endpoint: str | None, values: object) -> None:
        """Before the form is first read; nobody but an owner may send that much."""
        if endpoint == "map.ask":
            caller = staff_of(hub, request.cookies.get(COOKIE, ""))
            if caller is not None and caller.role is Role.OWNER:
                request.max_content_length = MOST_BYTES + AROUND

    @pages.get("")
    @needs()
    def show() -> AnyResponse:
        return _page(hub)

    @pages.get("/state")
    @needs()
    def state() -> AnyResponse:
        asked = map_state(hub).asked
        return jsonify(_progress(asked)) if asked else jsonify({})

    @pages.post("")
    @needs()
    def ask() -> AnyResponse:
        upload = request.files.get("extract")
        if upload is None or not upload.filename:
            return _page(hub, 422, {"extract": "Choose a file *.osm.pbf first."})
        within = request.form.get("within_km", "").strip()
        try:
            within_km = float(within) if within else None
        except ValueError:
            return _page(hub, 422, {"within_km": "This must be a number, or empty."})
        try:
            ask_map(
                hub,
                cast(BinaryIO, upload.stream),
                within_km=within_km,
                actor=me().actor,
                business_id=me().business_id,
                file_name=upload.filename,
            )
        except CannotCut as problem:
            return _page(hub, 422, {"within_km": str(problem)})
        except HubError as problem:
            return _page(hub, 422, {"extract": str(problem)})
        flash("The extract is here. The map is built in the background.", "ok")
        return redirect(url_for("map.show"))

    return pages


def _progress(asked: Asked) -> dict[str, Any]:
    return {"stage": asked.stage, "step": asked.step, "percent": round(asked.share * 100)}


def _page(hub: Hub, status: int = 200, errors: dict[str, str] | None = None) -> AnyResponse:
    state = map_state(hub)
    in_use = state.in_use
    drawn = ""
    if in_use is not None:
        west, south, east, north = in_use.bbox
        tiles = current_tiles(hub.settings.data_dir / "map")
        edge = [Point(s, w) for s, w in ((south, west), (south, east), (north, east))]
        edge += [Point(north, west), edge[0]]
        drawn = draw(tiles, pins=[], lines=[edge], width=640, height=360, nonce=csp_nonce())
    return page(
        "panel/map.html",
        status,
        in_use=in_use,
        built_at=local(datetime.fromisoformat(in_use.built_at)) if in_use else "",
        asked=state.asked,
        is_under_way=state.asked is not None and state.asked.stage in UNDER_WAY,
        percent=round(state.asked.share * 100) if state.asked else 0,
        drawn=Markup(drawn),  # noqa: S704
        errors=errors or {},
        can_cut=may_cut(hub),
        within_km=request.form.get("within_km", USUAL_KM),
    )

"""Where a driver's phones were on a day: for who asks afterwards whether a van was there."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, jsonify
from werkzeug.wrappers import Response as AnyResponse

from hub.flows.tracks import track_of
from hub.live.store import StoredFix
from hub.web.board_page import asked_day
from hub.web.staff import me

if TYPE_CHECKING:
    from hub.app import Hub


def tracks(pages: Blueprint, hub: Hub) -> None:
    """Add the track of a driver to ``pages``."""

    @pages.get("/drivers/<driver_id>/track")
    def track(driver_id: str) -> AnyResponse:
        """JSON: every fix kept of the day (``day``, else today), for each of his phones."""
        zone = ZoneInfo(me().zone)
        day = asked_day() or hub.now().astimezone(zone).date()
        since, until = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
        try:
            found = track_of(hub, me().business_id, driver_id, since, until)
        except LookupError:
            abort(404)
        answer = jsonify(
            day=day.isoformat(),
            phones=[
                {"device_id": id, "fixes": [_fix(one) for one in fixes]}
                for id, fixes in found.items()
            ],
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, datetime.min.time(), zone)


def _fix(fix: StoredFix) -> dict[str, Any]:
    return {
        "seq": fix.seq,
        "at": fix.at_ms,
        "lat": fix.lat,
        "lon": fix.lon,
        "acc": fix.acc_m,
        "spd": fix.speed_ms,
    }

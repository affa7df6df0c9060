"""Road graphs for OSRM, one per profile, contracted for fast matrices."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

from hub.core.errors import ConfigError

# our profile → the script OSRM ships for it
PROFILES = {"car": "car", "bicycle": "bicycle", "walk": "foot"}

# Streets joined to fewer nodes than this are avoided when a place is put on the road: a yard, or
# a stump cut by the edge. OSRM's own 1000 is more than all of a small town and would avoid nothing.
ISLAND_NODES = 100


def graph(map_dir: Path, profile: str) -> Path:
    """Where the graph of ``profile`` lies: the base name of a family of files."""
    return map_dir / "roads" / profile / "roads.osrm"


def write_graph(pbf: Path, map_dir: Path, profile: str) -> None:
    """Build the graph. Raises ``ConfigError`` when OSRM is missing or the extract has no roads."""
    target = graph(map_dir, profile)
    target.parent.mkdir(parents=True, exist_ok=True)
    home = _osrm_home()
    script = home / "share" / "profiles" / f"{PROFILES[profile]}.lua"
    small = ("--small-component-size", str(ISLAND_NODES))
    _run(home / "bin" / "osrm-extract", "-p", script, "-o", target, *small, pbf)
    _run(home / "bin" / "osrm-contract", target)


def _osrm_home() -> Path:
    spec = importlib.util.find_spec("osrm")
    if spec is None or spec.origin is None:
        raise ConfigError("Roads need OSRM. Install it with: pip install lastmile-hub[roads]")
    return Path(spec.origin).parent


def _run(*command: Path | str) -> None:
    done = subprocess.run(  # noqa: S603  OSRM's own binaries, arguments are paths
        [*map(str, command), "-l", "WARNING"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr + done.stdout).strip()[-300:]
        raise ConfigError(f"The road graph could not be built: {said}")

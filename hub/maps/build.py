"""From one ``.osm.pbf`` to everything the hub knows about places.

A map is built beside the one in use and takes its place in one rename, so whoever
reads sees the old map or the new one and an interrupted build changes nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import osmium

from hub.core.errors import ConfigError
from hub.core.values import Point, aware
from hub.maps.address_index import write_index
from hub.maps.basemap import ATTRIBUTION, write_tiles
from hub.maps.coast import Bounds
from hub.maps.cut import bounds_around, write_cut
from hub.maps.roads import PROFILES, write_graph
from hub.maps.turns import is_installed, write_turns


class BuildRunning(ConfigError):
    """Somebody builds a map already; two at once would fight for memory and for the rename."""


@dataclass(frozen=True, slots=True)
class MapInfo:
    """What a built map covers. ``bbox`` is west, south, east, north in degrees."""

    id: str
    bbox: Bounds
    built_at: str  # ISO 8601, UTC
    source: str
    counts: dict[str, int]
    profiles: tuple[str, ...]
    attribution: str = ATTRIBUTION
    turns: bool = False  # whether it knows where to turn, which takes Valhalla
    digest: str = ""  # of the extract; empty for a map built before it was kept


def build(
    pbf: Path,
    map_dir: Path,
    *,
    built_at: datetime,
    progress: Callable[[str, float], None] = lambda step, share: None,
    around: Sequence[Point] = (),
    within_km: float = 25.0,
    profiles: Sequence[str] = tuple(PROFILES),
) -> MapInfo:
    """Build the map of ``pbf`` and make it the current one; return what it covers.

    ``around`` cuts the extract to what lies ``within_km`` of any of these points.
    ``progress`` hears each step with the share done before it. Raises
    ``ConfigError`` with a sentence for the operator, ``BuildRunning`` while another
    process builds; the map in use stays.
    """
    aware(built_at, "built_at")
    digest = digest_of(pbf)
    map_dir.mkdir(parents=True, exist_ok=True)
    with alone(map_dir / "build.lock"):
        return _build(pbf, digest, map_dir, built_at, progress, around, within_km, profiles)


def digest_of(pbf: Path) -> str:
    """What tells an extract from another of the same name: its SHA-256, in hex.

    Raises ``ConfigError`` where there is none.
    """
    if not pbf.is_file():
        raise ConfigError(f"There is no map extract at {pbf}.")
    with pbf.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold ``lock``, which its holder's death frees. Raises ``BuildRunning`` if it is taken."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildRunning("A map is being built already. Wait until it is done.") from None
        yield
    finally:
        os.close(handle)


def _build(
    pbf: Path,
    digest: str,
    map_dir: Path,
    built_at: datetime,
    progress: Callable[[str, float], None],
    around: Sequence[Point],
    within_km: float,
    profiles: Sequence[str],
) -> MapInfo:
    before = {path for path in map_dir.glob("build-*")}
    new = map_dir / f"build-{uuid.uuid4().hex}"
    new.mkdir()
    try:
        info = _write(pbf, digest, new, built_at, progress, around, within_km, profiles)
        _sync(new)
        _make_current(new)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    for old in before:  # readers hold the old files open; Unix keeps those until they let go
        shutil.rmtree(old, ignore_errors=True)
    progress("done", 1.0)
    return info


def read_info(map_dir: Path) -> MapInfo | None:
    """What the current map covers; ``None`` while none is built."""
    try:
        known = json.loads((map_dir / "current" / "map.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    west, south, east, north = known["bbox"]
    bbox = (west, south, east, north)
    return MapInfo(**{**known, "bbox": bbox, "profiles": tuple(known["profiles"])})


def _write(
    pbf: Path,
    digest: str,
    new: Path,
    built_at: datetime,
    progress: Callable[[str, float], None],
    around: Sequence[Point],
    within_km: float,
    profiles: Sequence[str],
) -> MapInfo:
    source, bounds = pbf, bounds_of(pbf)
    with _readable():
        if around:
            progress("cut", 0.0)
            bounds = bounds_around(around, within_km, bounds)
            source = new / "cut.osm.pbf"
            write_cut(pbf, source, around, within_km)
        progress("basemap", 0.1)
        counts = write_tiles(source, new / "basemap.pmtiles", bounds)
        progress("addresses", 0.5)
        counts |= write_index(source, new / "addresses.db")
    for n, profile in enumerate(profiles):
        progress(f"roads for {profile}", 0.6 + 0.35 * n / len(profiles))
        write_graph(source, new, profile)
    if turns := is_installed():
        progress("turns", 0.95)
        write_turns(source, new)
    if around:
        source.unlink()
    info = MapInfo(
        new.name,
        bounds,
        built_at.isoformat(),
        pbf.name,
        counts,
        tuple(profiles),
        turns=turns,
        digest=digest,
    )
    (new / "map.json").write_text(json.dumps(asdict(info), indent=1), "utf-8")
    return info


def header_box(pbf: Path) -> Bounds | None:
    """The box an extract says it covers; ``None`` when it says none. Reads only its header.

    Raises ``ConfigError`` for a file that is no extract.
    """
    with _readable(), osmium.io.Reader(str(pbf), osmium.osm.NOTHING) as reader:
        box = reader.header().box()
    if not box.valid():
        return None
    low, high = box.bottom_left, box.top_right
    return (low.lon, low.lat, high.lon, high.lat)


def bounds_of(pbf: Path) -> Bounds:
    """The extract's box, from its header or, where that has none, from its nodes.

    Raises ``ConfigError`` for a file that is no extract, is damaged or holds no places.
    """
    if (box := header_box(pbf)) is not None:
        return box
    west, south, east, north = 180.0, 90.0, -180.0, -90.0
    with _readable():
        for node in osmium.FileProcessor(str(pbf), osmium.osm.NODE):
            if isinstance(node, osmium.osm.Node) and node.location.valid():
                west, east = min(west, node.location.lon), max(east, node.location.lon)
                south, north = min(south, node.location.lat), max(north, node.location.lat)
    if west > east:
        raise ConfigError(f"{pbf.name} holds no places.")
    return (west, south, east, north)


@contextmanager
def _readable() -> Iterator[None]:
    """Say in a sentence what osmium, for which every trouble is a ``RuntimeError``, cannot read."""
    try:
        yield
    except RuntimeError as problem:
        why = f"The extract cannot be read ({problem})."
        raise ConfigError(f"{why} Download it again, as a file *.osm.pbf.") from problem


def _sync(new: Path) -> None:
    """Have every file of the new map on disk before anything points at it."""
    for path in _deepest_first(new):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _deepest_first(root: Path) -> Iterable[Path]:
    yield from sorted(root.rglob("*"), reverse=True)
    yield root


def _make_current(new: Path) -> None:
    link = new.parent / f"next-{new.name}"
    link.symlink_to(new.name)
    os.replace(link, new.parent / "current")
    handle = os.open(new.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""A map asked for in the panel: the extract is kept, the worker builds, everybody may look.

One request at a time. Its file lies in ``data_dir/map/incoming``, how far it is in
``data_dir/map/asked.json``; who works on it holds ``asked.lock``, which is freed even
by a power cut, so that an interrupted build is seen and begun again.
"""

from __future__ import annotations

import logging
import os
import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from pydantic import TypeAdapter
from sqlmodel import select

from hub.apart import APART
from hub.core.errors import ConfigError, HubError, Refused
from hub.core.ids import new_id
from hub.core.values import Point
from hub.db.tables import DepotRow
from hub.flows.audit import note
from hub.fork_server import begun
from hub.maps.build import BuildRunning, MapInfo, alone, bounds_of, build, header_box, read_info
from hub.maps.coast import Bounds
from hub.storage import durable_write

if TYPE_CHECKING:
    from hub.app import Hub

log = logging.getLogger(__name__)

MOST_BYTES = 4_000_000_000  # Germany's extract; a country that size takes an hour and 32 GB
PIECE = 1 << 20
PBF_BEGINS = b"\x0a\x09OSMHeader"  # after the length of the first header (OSM PBF, "File format")
MOST_TRIES = 3  # a build that dies with its whole machine must not do so for ever

KEPT_AS = re.compile(r"^[0-9a-f-]{36}-")  # a request's id, before its file's own name

Stage = Literal["waiting", "building", "done", "failed"]
Depots = Sequence[tuple[str, Point]]


class CannotCut(Refused):
    """The distance around the depots is wrong, not the file."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. ``within_km`` ``None``: the whole extract; ``step`` and ``share`` while it
    is built; ``error`` is a sentence for whoever asked."""

    id: str
    file_name: str
    within_km: float | None
    actor: str
    asked_at: datetime
    stage: Stage = "waiting"
    step: str = ""
    share: float = 0.0
    error: str = ""
    tries: int = 0


@dataclass(frozen=True, slots=True)
class MapState:
    """The map in use (``None``: there is none yet) and the last request (``None``: never)."""

    in_use: MapInfo | None
    asked: Asked | None


asked_document: TypeAdapter[Asked] = TypeAdapter(Asked)


def ask_map(
    hub: Hub,
    source: Path | BinaryIO,
    *,
    within_km: float | None,
    actor: str,
    business_id: str | None = None,
    file_name: str = "",
    most_bytes: int = MOST_BYTES,
) -> MapState:
    """Keep an OpenStreetMap extract and have the worker build the map from it.

    ``within_km`` cuts it to what lies around the depots of the whole installation.
    A request that still waits is replaced. Raises ``Refused`` with a sentence for a
    file that is no extract, too large, or far from every depot (``CannotCut`` for a distance
    that cannot be), and ``BuildRunning``.
    """
    depots = _depots(hub)
    if within_km is not None and not depots:
        raise CannotCut("There is no depot yet to cut the map around. Add one first.")
    if within_km is not None and not 1 <= within_km <= 500:
        raise CannotCut("Cut the map to between 1 and 500 km around the depots.")
    folder = _folder(hub)
    with alone(folder / "asked.lock"):
        pass  # while a build runs, better say so before a large upload than after it
    request = Asked(new_id(), _name(source, file_name), within_km, actor, hub.now())
    extract = _extract(folder, request)
    try:
        _take_in(source, extract, most_bytes)
        _check(extract, depots)
        with alone(folder / "asked.lock"):
            before = _read(folder)
            _write(folder, request)
    except BaseException:
        extract.unlink(missing_ok=True)
        raise
    if before is not None:
        _extract(folder, before).unlink(missing_ok=True)
    if business_id is not None:
        named = request.file_name
        with hub.unit() as unit:
            note(hub, unit.session, business_id, request.actor, "map asked for", named)
    return map_state(hub)


def map_state(hub: Hub) -> MapState:
    """For a page that shows progress; cheap enough to be asked every second."""
    in_use = read_info(_folder(hub))
    if in_use is not None:
        in_use = replace(in_use, source=KEPT_AS.sub("", in_use.source))
    return MapState(in_use, _read(_folder(hub)))


def may_cut(hub: Hub) -> bool:
    """Whether there is a depot to cut a map around."""
    return bool(_depots(hub))


def build_waiting(hub: Hub) -> bool:
    """Build what was asked for, in a process of its own; whether there was anything to do."""
    folder = _folder(hub)
    request = _read(folder)
    if request is None or request.stage not in ("waiting", "building"):
        return False
    child = APART.Process(target=_work, args=(folder, list(_depots(hub)), hub.now()), daemon=True)
    begun(child)
    child.join()
    if child.exitcode:
        _fell_over(folder, request.id, child.exitcode)
    return True


def _work(folder: Path, depots: Depots, built_at: datetime) -> None:
    """The child: from the request on disk to the map in use, or to a sentence why not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    try:
        with alone(folder / "asked.lock"):
            request = _read(folder)
            if request is None or request.stage not in ("waiting", "building"):
                return
            request = replace(request, stage="building", tries=request.tries + 1)
            _write(folder, request)
            ended = _built(folder, request, depots, built_at)
            _write(folder, ended)
            if ended.stage != "waiting":
                _extract(folder, request).unlink(missing_ok=True)
    except BuildRunning:
        return  # another worker, or somebody's ``hub map build``; the next look finds it


def _built(folder: Path, request: Asked, depots: Depots, built_at: datetime) -> Asked:
    """The request as it ended."""
    if request.tries > MOST_TRIES:
        why = f"The map build was interrupted {MOST_TRIES} times."
        return _failed(request, f"{why} Cut the map to fewer kilometres.")
    extract = _extract(folder, request)
    try:
        near = _covered(bounds_of(extract), depots)
        build(
            extract,
            folder,
            built_at=built_at,
            progress=_progress(folder, request),
            around=near if request.within_km is not None else (),
            within_km=request.within_km or 0.0,
        )
    except BuildRunning:
        return replace(request, stage="waiting", tries=request.tries - 1)
    except HubError as problem:
        return _failed(request, str(problem))
    except (RuntimeError, ValueError) as problem:  # osmium's words for a damaged file
        log.exception("map build failed")
        return _failed(request, f"The extract cannot be read ({problem}). Download it again.")
    except Exception:
        log.exception("map build failed")
        return _failed(request, "The map could not be built. The log says more.")
    return replace(request, stage="done", step="", share=1.0)


def _progress(folder: Path, request: Asked) -> Callable[[str, float], None]:
    def tell(step: str, share: float) -> None:
        _write(folder, replace(request, step=step, share=share))

    return tell


def _failed(request: Asked, why: str) -> Asked:
    return replace(request, stage="failed", error=why)


def _fell_over(folder: Path, request_id: str, code: int | None) -> None:
    """The child died of itself: not an interruption, so it is not tried again."""
    try:
        with alone(folder / "asked.lock"):
            request = _read(folder)
            if request is not None and request.id == request_id and request.stage == "building":
                why = f"The map build ended early (code {code}); most often memory ran out."
                _write(folder, _failed(request, f"{why} Cut the map to fewer kilometres."))
                _extract(folder, request).unlink(missing_ok=True)
    except BuildRunning:
        return


def _take_in(source: Path | BinaryIO, extract: Path, most_bytes: int) -> None:
    """Copy ``source`` so that it survives a power cut."""
    extract.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, Path):
        with source.open("rb") as stream:
            return _take_in(stream, extract, most_bytes)
    handle = os.open(extract, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    size = 0
    with os.fdopen(handle, "wb") as file:
        while piece := source.read(PIECE):
            if size == 0 and piece[4 : 4 + len(PBF_BEGINS)] != PBF_BEGINS:
                raise Refused("This is no OpenStreetMap extract. Choose a file *.osm.pbf.")
            size += len(piece)
            if size > most_bytes:
                raise Refused(f"The extract is larger than {most_bytes / 1e6:,.0f} MB.")
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if size == 0:
        raise Refused("The file is empty.")


def _check(extract: Path, depots: Depots) -> None:
    try:
        if (box := header_box(extract)) is not None:
            _covered(box, depots)
    except ConfigError as problem:
        raise Refused(str(problem)) from None


def _covered(box: Bounds, depots: Depots) -> list[Point]:
    """The depots inside ``box``. Raises ``ConfigError`` if there are depots, but none inside."""
    west, south, east, north = box
    inside = [p for _, p in depots if west <= p.lon <= east and south <= p.lat <= north]
    if depots and not inside:
        names = ", ".join(name for name, _ in depots[:3])
        raise ConfigError(
            f"This extract covers none of your depots ({names}). Choose the region they lie in."
        )
    return inside


def _depots(hub: Hub) -> Depots:
    """Those of every business: they share the installation's one map."""
    with hub.reading() as session:
        rows = session.exec(select(DepotRow).order_by(DepotRow.business_id, DepotRow.name)).all()
    return [(depot.name, Point(depot.lat, depot.lon)) for depot in rows]


def _folder(hub: Hub) -> Path:
    folder = hub.settings.data_dir / "map"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _extract(folder: Path, request: Asked) -> Path:
    """Where the file lies: the name a person knows it by stays in it, and so in the map's facts."""
    name = re.sub(r"[^\w.-]+", "-", request.file_name)[-80:].removesuffix(".osm.pbf")
    return folder / "incoming" / f"{request.id}-{name}.osm.pbf"


def _name(source: Path | BinaryIO, file_name: str) -> str:
    return file_name or (source.name if isinstance(source, Path) else "extract.osm.pbf")


def _read(folder: Path) -> Asked | None:
    try:
        return asked_document.validate_json((folder / "asked.json").read_bytes())
    except FileNotFoundError:
        return None


def _write(folder: Path, request: Asked) -> None:
    durable_write(folder / "asked.json", asked_document.dump_json(request))

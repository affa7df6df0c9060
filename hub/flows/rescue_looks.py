"""The ways out of a lost van, as far as they are found: looked for apart, shown as they come.

What was found is good for the routes as they were, and for a short while: afterwards it is looked
for anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from sqlmodel import select

from hub import fork_server, rescuing
from hub.core.ids import new_id
from hub.core.rescue_said import Names, WaySaid
from hub.core.values import Point
from hub.db.tables import RouteRow
from hub.flows.rescue_ways import Happened, Scene, asked_of, last_seen, scene_of
from hub.flows.route_now import route_of
from hub.flows.where_stands import where_stands

if TYPE_CHECKING:
    from hub.app import Hub

FRESH_S = 60.0  # afterwards everybody has driven on
BROKEN_S = 3.0  # long enough for a page to say so
LOST_S = 150.0  # without a word from what looks: it is gone, and so is whoever began it
OLD_S = 3600.0


@dataclass(frozen=True, slots=True)
class Facts:
    """The question: what is left of a round, where its goods are, and where the van stands.

    ``to_do``, ``aboard`` and ``at_depot`` count jobs, ``at_door`` those the driver still ends.
    """

    route_id: str
    driver: str
    van: str
    depot: str
    to_do: int
    aboard: int
    at_depot: int
    at_door: int
    lat: float
    lon: float
    stands: str
    versions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class OutSeen:
    """``is_open``: more ways are being looked for. ``is_broken``: nothing was found for a fault."""

    facts: Facts
    ways: tuple[WaySaid, ...] = ()
    is_open: bool = False

    @property
    def is_broken(self) -> bool:
        return not self.is_open and not self.ways


_facts: TypeAdapter[Facts] = TypeAdapter(Facts)
_ways: TypeAdapter[tuple[WaySaid, ...]] = TypeAdapter(tuple[WaySaid, ...])


def question(hub: Hub, business_id: str, route_id: str) -> OutSeen:
    """As long as nobody has said what happened. Raises as ``ways_out``."""
    fork_server.start()  # what looks for the ways is ready once it is told what happened
    return OutSeen(_facts_of(hub, scene_of(hub, business_id, route_id, Happened.VAN, None)))


def ways_looked_for(
    hub: Hub, business_id: str, route_id: str, happened: Happened, at: Point | None
) -> OutSeen:
    """What is found so far; begins to look where nobody does. ``at`` ``None``: where the van was
    last. Raises as ``ways_out``.
    """
    at = at or last_seen(hub, business_id, route_id)
    folder = _folder(hub, business_id, route_id, happened, at)
    if (seen := _seen(folder)) is not None:
        return seen
    scene = scene_of(hub, business_id, route_id, happened, at)
    facts = _facts_of(hub, scene)
    if _made(folder, facts):
        names = Names(scene.van, scene.depot.name, dict(scene.numbers))
        rescuing.begin(folder, asked_of(scene), names)
    return OutSeen(facts, is_open=True)


def _folder(hub: Hub, business_id: str, route_id: str, happened: Happened, at: Point) -> Path:
    """One for each question as it stands: another version of a route is another question."""
    with hub.reading() as session:
        day = route_of(session, business_id, route_id).day
        routes = select(RouteRow.id, RouteRow.version).where(
            RouteRow.business_id == business_id, RouteRow.day == day
        )
        versions = sorted(session.exec(routes).all())
    about = f"{business_id} {route_id} {happened} {at.lat:.5f} {at.lon:.5f} {versions}"
    name = hashlib.sha256(about.encode()).hexdigest()[:32]
    return hub.settings.data_dir / "looks" / name


def _seen(folder: Path) -> OutSeen | None:
    """``None`` where it was not looked for, or too long ago, or nobody waited for its end."""
    try:
        facts = _facts.validate_json((folder / "facts.json").read_bytes())
        state, ways = rescuing.found(folder)
        age_s = time.time() - (folder / rescuing.FOUND).stat().st_mtime
    except FileNotFoundError:
        return None
    fresh_s = FRESH_S if ways else BROKEN_S
    if state == rescuing.LOOKING:
        fresh_s = LOST_S
    if state == rescuing.LEFT or age_s > fresh_s:
        shutil.rmtree(folder, ignore_errors=True)
        return None
    return OutSeen(facts, _ways.validate_python(ways), state == rescuing.LOOKING)


def _made(folder: Path, facts: Facts) -> bool:
    """``False`` where another process was first. What is long over goes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for one in folder.parent.iterdir():
        with suppress(OSError):
            if time.time() - one.stat().st_mtime > OLD_S:
                shutil.rmtree(one)
    beside = folder.with_name(new_id())
    beside.mkdir(mode=0o700)
    (beside / "facts.json").write_bytes(_facts.dump_json(facts))
    (beside / rescuing.ASKED).touch()
    rescuing.write(beside, rescuing.LOOKING, [])
    try:
        os.rename(beside, folder)
    except OSError:
        shutil.rmtree(beside)
        return False
    return True


def _facts_of(hub: Hub, scene: Scene) -> Facts:
    return Facts(
        route_id=scene.route.id,
        driver=scene.driver,
        van=scene.van,
        depot=scene.depot.name,
        to_do=len(scene.load.units),
        aboard=len(scene.load.aboard) - scene.not_loaded,
        at_depot=len(scene.load.waiting) + scene.not_loaded,
        at_door=scene.at_door,
        lat=scene.at.lat,
        lon=scene.at.lon,
        stands=where_stands(hub, scene),
        versions=scene.versions,
    )

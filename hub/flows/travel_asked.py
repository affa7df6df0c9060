"""Who is asked how long a way takes: what the business set up, what is installed, what is built in.

A service that the business set up and that gives no answer is left alone for a while, its choice
says why, and the next one is asked. It is asked by no more than what it did not say before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hub.core.contracts import AnswersInParts, Provider, TravelTimes
from hub.core.errors import ConfigError, HubError, RateLimited, RetryLater
from hub.core.measures import USUAL, measures_of
from hub.core.plan_request import Pace
from hub.core.planning import TravelMatrix
from hub.core.values import Point
from hub.db.tables import ChoiceRow
from hub.flows.choices import ChoiceState, choices, mark, provider_of
from hub.flows.strangers import failed
from hub.flows.travel_able import knows_traffic
from hub.maps.known_travel import KnownTravel

if TYPE_CHECKING:
    from hub.app import Hub

BUILT_IN = ("osrm", "crow")
"""Roads if there is a map, else straight lines."""
LAST = BUILT_IN[-1]
OURS = frozenset((*BUILT_IN, "valhalla", "http", "traffic"))
BY_MEASURES = "valhalla"
"""Knows bridges and limits for a vehicle of these measures; a hundred times slower than OSRM."""
BY_MEASURES_UP_TO = 300  # places: two seconds of one core, and the next time only what is new
QUIET_S = 60.0  # a service that gave no answer is left alone, in this process
PASSING_S = 4.0  # an arrival is worked out every half minute, and others wait for it

_quiet_until: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class Asked:
    """One of those who can tell; ``choice``: it is one that the business set up."""

    provider: TravelTimes
    choice: ChoiceRow | None = None

    @property
    def is_ours(self) -> bool:
        return self.provider.key in OURS

    def profile(self, profile: str) -> str:
        """What it can be told of ``profile``."""
        return profile if self.provider.heeds_measures else measures_of(profile)[0]


def known_travel(hub: Hub) -> KnownTravel:
    """What services told, for everybody on this machine."""
    return KnownTravel(known_file(hub.settings.data_dir))


def known_file(data_dir: Path) -> Path:
    return data_dir / "travel" / "known.db"


def is_set_up(cls: type[Provider]) -> bool:
    """Whether it answers only for who sets it up: some setting has no default."""
    return any(field.is_required() for field in cls.Settings.model_fields.values())


def keys_for_all(hub: Hub) -> list[str]:
    """Keys of those who answer for every business: an installed plugin's first, then built-in."""
    known = [cls.key for cls in hub.registry.all(TravelTimes) if not is_set_up(cls)]
    return [*(key for key in known if key not in OURS), *BUILT_IN]


def keys_with_measures(hub: Hub) -> list[str]:
    """The same, and before roads in general those for a vehicle of its own measures."""
    keys = keys_for_all(hub)
    if any(cls.key == BY_MEASURES for cls in hub.registry.all(TravelTimes)):
        keys.insert(len(keys) - len(BUILT_IN), BY_MEASURES)
    return keys


def set_up_by(hub: Hub, business_id: str, *, passing: bool = False) -> Iterator[Asked]:
    """Services of the business, but those left alone now. ``passing``: somebody waits."""
    for row in choices(hub, business_id, "travel_times"):
        is_quiet = row.state != "ok" and _quiet_until.get(row.id, 0.0) > time.monotonic()
        if not row.active or is_quiet:
            continue
        tools = replace(hub.tools, business_id=business_id)
        if passing:
            tools = replace(tools, within_s=PASSING_S)
        try:
            yield Asked(provider_of(hub, row, TravelTimes, tools), row)
        except ConfigError as problem:
            _was_silent(hub, row, problem)


def for_all(hub: Hub, keys: Sequence[str]) -> Iterator[Asked]:
    for key in keys:
        try:
            provider = hub.provider(TravelTimes, key, {})
        except HubError as problem:
            hub.tools.log.info("travel times %s: %s", key, problem)
        else:
            yield Asked(provider)


def in_order(
    hub: Hub, business_id: str, size: int, profile: str, *, passing: bool = False
) -> Iterator[Asked]:
    """Everybody who may tell of ``size`` places, the last of whom always does."""
    yield from set_up_by(hub, business_id, passing=passing)
    yield from for_all(hub, _keys(hub, size, profile))


def for_lines(hub: Hub, business_id: str, size: int, profile: str) -> Iterator[Asked]:
    """The same, but what a business may pay for only where there is no map."""
    *keys, last = _keys(hub, size, profile)
    yield from for_all(hub, keys)
    yield from set_up_by(hub, business_id)
    yield from for_all(hub, [last])


def not_asked(asked: Asked, size: int, *, passing: bool = False) -> str:
    """Why ``asked`` is not bothered with ``size`` places (``AnswersInParts``); empty if it is."""
    provider = asked.provider
    if not isinstance(provider, AnswersInParts):
        return ""
    if passing and not provider.in_passing:
        return f"{provider.title} is not asked from where drivers are"
    if size > provider.up_to_places:
        return f"{provider.title} is not asked for more than {provider.up_to_places:,} places"
    return ""


def are_never_free(hub: Hub, business_id: str, size: int, profile: str, at: datetime) -> bool:
    """Whether who would be asked how long ways take knows the traffic. Nobody is asked."""
    for asked in in_order(hub, business_id, size, profile):
        provider = asked.provider
        if not_asked(asked, size):
            continue
        try:
            if isinstance(provider, AnswersInParts):
                provider.basis(at, asked.profile(profile))
        except HubError:  # it knows no such vehicle
            continue
        return knows_traffic(provider)
    return False


def told_by(
    hub: Hub, asked: Asked, points: Sequence[Point], depart_at: datetime, profile: str, keep: bool
) -> TravelMatrix:
    """What ``asked`` says. Raises ``HubError`` for no answer, whatever went wrong."""
    provider, profile = asked.provider, asked.profile(profile)
    if isinstance(provider, AnswersInParts):
        provider.basis(depart_at, profile)  # a vehicle that it does not know is not its fault
    try:
        if isinstance(provider, AnswersInParts):
            known = known_travel(hub)
            found = known.matrix(provider, points, depart_at, profile, now=hub.now(), keep=keep)
        else:
            found = provider.matrix(points, depart_at, profile)
        if not asked.is_ours:
            believable(found, len(points))
    except HubError as problem:
        if asked.choice is not None:
            _was_silent(hub, asked.choice, problem)
        raise
    except Exception as error:
        if asked.is_ours:
            raise
        hub.tools.log.exception("travel times %s failed", provider.key)
        bug = failed(provider, "tell how long ways take")
        if asked.choice is not None:
            _was_silent(hub, asked.choice, bug)
        raise bug from error
    if asked.choice is not None and asked.choice.state != "ok":
        mark(hub, asked.choice.business_id, asked.choice.id, "ok")
    own = own_pace(provider, depart_at)
    return found.paced(own) if own and not found.pace else found


def own_pace(provider: TravelTimes, depart_at: datetime) -> tuple[Pace, ...]:
    """That of an answer which holds as it is for who leaves then; empty for any other."""
    return (Pace(depart_at, 1.0),) if provider.knows_traffic else ()


def believable(found: TravelMatrix, size: int) -> TravelMatrix:
    """A stranger's matrix, square and of whole seconds and metres. Raises ``ValueError``."""
    for rows in (found.seconds, found.metres):
        if len(rows) != size or any(len(row) != size for row in rows):
            raise ValueError(f"not a matrix of {size} places")
        if any(type(value) is not int or value < 0 for row in rows for value in row):
            raise ValueError("a time or length is no whole number from 0")
    return found


def _was_silent(hub: Hub, row: ChoiceRow, problem: HubError) -> None:
    """Leave a service alone for a while, and say why where the business looks."""
    pause_s = max(QUIET_S, problem.retry_after) if isinstance(problem, RateLimited) else QUIET_S
    _quiet_until[row.id] = time.monotonic() + pause_s
    state: ChoiceState = "needs_attention" if isinstance(problem, ConfigError) else "failing"
    level = hub.tools.log.info if isinstance(problem, RetryLater) else hub.tools.log.warning
    level("travel times %s: choice=%s %s", row.plugin, row.id, problem)
    mark(hub, row.business_id, row.id, state, str(problem))


def _keys(hub: Hub, size: int, profile: str) -> list[str]:
    is_large = size > BY_MEASURES_UP_TO
    if is_large or measures_of(profile)[1] == USUAL:
        return keys_for_all(hub)
    return keys_with_measures(hub)

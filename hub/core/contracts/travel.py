"""Where an address is, and how long the way there takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from hub.core.contracts.provider import Provider
from hub.core.plan_request import Whole
from hub.core.planning import RoadRoute, TravelMatrix
from hub.core.values import Address, Point
from hub.core.zones import Area


class Geocoder(Provider):
    """A way to find an address on the map.

    Example: ``hub plugin new NAME --kind geocoder``.
    """

    @abstractmethod
    def locate(self, address: Address) -> Match | None:
        """Best match, or ``None`` when there is none worth showing a dispatcher."""

    def reverse(self, point: Point) -> Match | None:
        """The address nearest to ``point``; ``None`` when none is near or known."""
        return None


@dataclass(frozen=True, slots=True)
class Match:
    """A place found for an address; ``confidence`` from 0 (a guess) to 1 (the very door)."""

    point: Point
    label: str
    precision: Literal["rooftop", "interpolated", "street", "postcode", "city"]
    confidence: float


class TravelTimes(Provider):
    """How long it takes from place to place. An installed one is asked before the built-in ones.

    Where every setting has a default it is asked for everybody; else for the businesses that set it
    up, in the panel under Settings, Travel times. Raise ``ConfigError`` or any other error
    of the hub's, and the next one is asked. Example: ``hub plugin new NAME --kind travel-times``.
    """

    heeds_measures: ClassVar[bool] = False
    """Whether ``profile`` may say how large the vehicle is: read it with ``measures_of``."""
    knows_traffic: ClassVar[bool] = False
    """Whether its seconds are those of ``depart_at``, so that what the business says of its rush
    hours is not counted on top. One that answers with a ``pace`` knows the whole day anyway."""

    @abstractmethod
    def matrix(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> TravelMatrix:
        """Seconds and metres between all ``places`` when leaving at ``depart_at``."""

    @abstractmethod
    def route(
        self, places: Sequence[Point], depart_at: datetime, profile: str = "car"
    ) -> RoadRoute:
        """The way through ``places`` in this order: its shape and one leg between each two."""


class AnswersInParts(ABC):
    """Travel times that are slow or cost money: the hub remembers them, and asks for what is new.

    ::

        def basis(self, depart_at, profile):
            return f"roads of 2026-11 by {profile}"

        def part(self, sources, targets, depart_at, profile):
            asked = [[leg(a, b) for b in targets] for a in sources]
            return np.array(asked)[:, :, 0], np.array(asked)[:, :, 1]
    """

    good_for: timedelta = timedelta(days=30)
    """How long an answer is believed."""
    up_to_places: int = 1_500
    """A day of more places goes by the next one."""
    in_passing: bool = True
    """Whether it is also asked from where drivers just are, each half minute: no, if that costs."""

    @abstractmethod
    def basis(self, depart_at: datetime, profile: str) -> str:
        """All that an answer hangs on beside its two places, and nothing secret.

        The map and its age, the server, the vehicle; the hour, where that matters.
        """

    @abstractmethod
    def part(
        self, sources: Sequence[Point], targets: Sequence[Point], depart_at: datetime, profile: str
    ) -> tuple[Whole, Whole]:
        """Seconds and metres from each of ``sources`` (rows) to each of ``targets``."""


class GivesDirections(ABC):
    """Travel times that can also tell a driver where to turn.

    ::

        def directions(self, places, depart_at, profile, language):
            here, there = places
            turn = RoadStep("Turn left.", seconds=60, metres=400)
            return RoadRoute((here, there), (RoadLeg(60, 400, (turn,)),))
    """

    @abstractmethod
    def directions(
        self, places: Sequence[Point], depart_at: datetime, profile: str, language: str
    ) -> RoadRoute:
        """``route`` with steps in ``language`` (``de``, ``pt-BR``), or in English."""


class GivesReach(ABC):
    """Travel times that can also say how far somebody gets.

    ::

        def reach(self, place, seconds, depart_at, profile):
            return [square_about(place, metres=8 * each) for each in seconds]
    """

    @abstractmethod
    def reach(
        self, place: Point, seconds: Sequence[float], depart_at: datetime, profile: str
    ) -> Sequence[Area]:
        """Where drives of at most so many seconds lead from ``place``: an area for each, in the
        order of ``seconds``, of corners (latitude, longitude). Raises ``Refused`` off the map.
        """

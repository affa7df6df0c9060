"""Providers made anew in a process apart from the hub, from nothing but their names."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from hub.core.contracts import Provider, Tools, TravelTimes
from hub.core.planning import TravelMatrix
from hub.core.values import Point
from hub.http import Http

Make = tuple[str, str, Mapping[str, object]]  # module, class, settings


def made(make: Make, data_dir: Path, kind: str, cores: int = 1) -> Provider:
    """The provider, with tools of its own; ``kind`` names its log."""
    module, name, settings = make
    cls: type[Provider] = getattr(import_module(module), name)
    log = logging.getLogger(f"hub.{kind}.{cls.key}")
    tools = Tools(
        http=Http(), now=lambda: datetime.now(UTC), log=log, data_dir=data_dir, cores=cores
    )
    return cls(cls.Settings(**settings), tools)


@dataclass(frozen=True, slots=True)
class AskTravel:
    """Asks one provider of travel times, in whatever process it is called."""

    make: Make
    data_dir: Path
    depart_at: datetime
    profile: str

    def __call__(self, places: Sequence[Point]) -> TravelMatrix:
        provider = made(self.make, self.data_dir, "travel")
        if not isinstance(provider, TravelTimes):
            raise TypeError(f"{self.make[1]} tells no travel times")
        return provider.matrix(places, self.depart_at, self.profile)

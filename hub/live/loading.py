"""What nobody asked for before: phones, pages and boards, and where their drivers were last."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Engine

from hub.live import driving, pages
from hub.live.store import LastFix, Positions
from hub.live.values import Driving, Page


class Loading:
    """``known``: the drivers whose last position need not be looked up. Safe in any thread."""

    def __init__(
        self,
        engine: Engine,
        positions: Positions,
        now: Callable[[], datetime],
        known: Container[str],
    ) -> None:
        self._engine, self._positions, self._now, self._known = engine, positions, now, known

    def phones(self, hashes: Sequence[str]) -> Mapping[str, tuple[Driving, list[LastFix]]]:
        found = driving.drivings(self._engine, hashes, self._now())
        fixes = self._last({(d.device.business_id, d.device.driver_id) for d in found.values()})
        return {
            token_hash: (one, fixes.get(one.device.driver_id, []))
            for token_hash, one in found.items()
        }

    def pages(self, hashes: Sequence[str]) -> Mapping[str, tuple[Page, list[LastFix]]]:
        found = pages.by_token(self._engine, hashes)
        fixes = self._last({(p.business_id, p.driver_id) for p in found.values() if p.driver_id})
        return {
            token_hash: (page, fixes.get(page.driver_id, [])) for token_hash, page in found.items()
        }

    def board(self, business_id: str) -> tuple[list[LastFix], dict[str, str]]:
        fixes = self._positions.last(business_id)
        routes = driving.routes_of(self._engine, business_id, [fix.driver_id for fix in fixes])
        return fixes, routes

    def _last(self, drivers: set[tuple[str, str]]) -> dict[str, list[LastFix]]:
        """Where these drivers, each with its business's id, were last, as far as is stored."""
        unknown = {one for one in drivers if one[1] not in self._known}
        found: dict[str, list[LastFix]] = {}
        for business_id in {business_id for business_id, _ in unknown}:
            named = [driver_id for owner, driver_id in unknown if owner == business_id]
            for fix in self._positions.last(business_id, named):
                found.setdefault(fix.driver_id, []).append(fix)
        return found

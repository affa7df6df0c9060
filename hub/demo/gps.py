"""What a phone's receiver makes of where it is: noise that lingers, canyons, tunnels."""

from __future__ import annotations

import random

from hub.demo.road import off

NOISE_M, ACCURACY_M = 6.0, (5.0, 12.0)
CANYON_M, CANYON_ACCURACY_M = 22.0, (25.0, 45.0)
IN_CANYON, IN_TUNNEL = 0.15, 0.06  # of all rides
LINGERS = 0.8  # of an error from one fix to the next: receivers filter
TUNNEL_S = (60, 180)


class Receiver:
    """``canyon`` until the next ride begins; in a tunnel it says nothing until it ends."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.is_canyon = False
        self.dark_from_s = self.dark_until_s = 0.0
        self._north_m = self._east_m = 0.0

    def new_ride(self, begins_s: float, ends_s: float) -> None:
        self.is_canyon = self.chance.random() < IN_CANYON
        if self.chance.random() < IN_TUNNEL and ends_s - begins_s > TUNNEL_S[0]:
            self.dark_from_s = begins_s + self.chance.uniform(0.1, 0.4) * (ends_s - begins_s)
            self.dark_until_s = min(ends_s, self.dark_from_s + self.chance.uniform(*TUNNEL_S))

    def hears(self, at_s: float) -> bool:
        return not self.dark_from_s <= at_s < self.dark_until_s

    def fix(self, lat: float, lon: float) -> tuple[float, float, float]:
        """Where it believes to be, and the radius in metres it believes itself in."""
        sigma_m = CANYON_M if self.is_canyon else NOISE_M
        fresh_m = sigma_m * (1 - LINGERS**2) ** 0.5
        self._north_m = LINGERS * self._north_m + self.chance.gauss(0, fresh_m)
        self._east_m = LINGERS * self._east_m + self.chance.gauss(0, fresh_m)
        accuracy = CANYON_ACCURACY_M if self.is_canyon else ACCURACY_M
        return *off(lat, lon, self._north_m, self._east_m), self.chance.uniform(*accuracy)

"""What fixes mean: each phone's track is advanced fix by fix, in the thread that stores them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from hub.core import tracking
from hub.live.fixes import Fix, StoredFix, unpack
from hub.live.ledger import Ledger, Noticed
from hub.live.values import Round

if TYPE_CHECKING:
    from hub.live.writer import Posted

log = logging.getLogger(__name__)
RECALL_MS = 30 * 60_000  # a stay at a door that began earlier is known by its arrival


class _Followed(Struct, frozen=True):
    """A phone's track after its fix number ``through``."""

    through: int
    track: tracking.Track


class Meanings:
    """Remembers every phone's track; one it does not know, or knows too little of, it recalls."""

    def __init__(self) -> None:
        self._followed: dict[str, _Followed] = {}

    def step(
        self, ledger: Ledger, posted: Posted, fixes: Sequence[Fix], stored: int
    ) -> tuple[list[Noticed], Fix | None]:
        """What ``fixes`` mean, which follow number ``stored``, and the last good one of them.

        A phone whose clock runs ahead is taken to have sent its newest the moment it came.
        """
        device = posted.device
        fences = posted.round.fences if posted.round else ()
        ahead_ms = _ahead_ms([fix.t for fix in fixes], posted.now_ms)
        try:
            track, facts = self._track(ledger, posted, fences, stored)
            good: Fix | None = None
            for fix in [replace(one, t=one.t - ahead_ms) for one in fixes] if ahead_ms else fixes:
                if fix.mock:
                    continue
                track, new, verdict = tracking.advance(track, _core(fix), fences, posted.now_ms)
                facts += new
                if verdict is tracking.Verdict.KEPT:
                    good = fix
        except Exception:  # positions are worth more than what they mean
            log.exception("fixes have no meaning device=%s through=%s", device.id, fixes[-1].seq)
            self.forget(device.id)
            return [], None
        self._followed[device.id] = _Followed(fixes[-1].seq, track)
        return [_noticed(posted, posted.round, fact) for fact in facts if posted.round], good

    def forget(self, device_id: str) -> None:
        """Of a phone whose last fixes were not stored after all."""
        self._followed.pop(device_id, None)

    def _track(
        self, ledger: Ledger, posted: Posted, fences: Sequence[tracking.Fence], stored: int
    ) -> tuple[tracking.Track, list[tracking.Fact]]:
        """The phone's track after number ``stored``, and what of it nobody has noticed yet.

        Facts were committed with their fixes, unless the stop came onto the route later.
        """
        phone = (posted.device.business_id, posted.device.id)
        followed = self._followed.get(posted.device.id)
        if followed is not None and followed.through == stored:
            return followed.track, []
        track, facts = tracking.Track(), list[tracking.Fact]()
        if not stored:
            return track, facts
        for data, received_ms in ledger.recent(phone, RECALL_MS):
            held = unpack(data)
            ahead_ms = _ahead_ms([fix.at_ms for fix in held], received_ms)
            for fix in held:
                if not fix.mock:
                    seen = _recalled(fix, ahead_ms)
                    track, new, _ = tracking.advance(track, seen, fences, received_ms)
                    facts += new
        known = {one: ledger.is_noticed(phone, one) for one in {fact.stop_id for fact in facts}}
        return track, [fact for fact in facts if not known[fact.stop_id]]


def _ahead_ms(moments: Sequence[int], received_ms: int) -> int:
    return max(0, max(moments) - received_ms)


def _core(fix: Fix) -> tracking.Fix:
    return tracking.Fix(fix.seq, fix.t, fix.lat, fix.lon, fix.acc, fix.spd, fix.hdg)


def _recalled(fix: StoredFix, ahead_ms: int) -> tracking.Fix:
    at_ms = fix.at_ms - ahead_ms
    return tracking.Fix(fix.seq, at_ms, fix.lat, fix.lon, fix.acc_m, fix.speed_ms, fix.heading)


def _noticed(posted: Posted, current: Round, fact: tracking.Fact) -> Noticed:
    device = posted.device
    return Noticed(
        device.business_id,
        device.id,
        device.driver_id,
        current.route_id,
        fact.stop_id,
        str(fact.kind),
        fact.at_ms,
        fact.confidence,
        fact.fix_seq,
    )

"""Fixes with numbers below the highest that is stored: repeats, and what was overtaken.

A phone's chunks never overlap in numbers, so that one look finds where a number is or belongs:
what falls between the fixes of a chunk is put into it, what lies beside it is a chunk of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import astuple

from hub.live.fixes import Fix, StoredFix, unpack
from hub.live.ledger import Chunk, Ledger, chunk_of

if TYPE_CHECKING:
    from hub.live.writer import Posted


def settled(ledger: Ledger, posted: Posted, fixes: Sequence[Fix]) -> tuple[list[Chunk], int]:
    """What has to be written for ``fixes`` of ``posted``, and how many cannot be.

    Nothing for those that are stored. One whose number is another fix's, of another moment,
    cannot be stored. Looks once for each chunk that they lie in or beside.
    """
    phone = (posted.device.business_id, posted.device.id)
    chunks: list[Chunk] = []
    clashes = 0
    while fixes:
        data = ledger.chunk_at(phone, fixes[-1].seq)
        held = unpack(data) if data else []
        first = held[0].seq if held else 0
        these = [fix for fix in fixes if fix.seq >= first]
        known = {one.seq: one.at_ms for one in held}
        clashes += sum(known.get(fix.seq, fix.t) != fix.t for fix in these)
        new = [fix for fix in these if fix.seq not in known]
        inside = [fix for fix in new if held and fix.seq < held[-1].seq]
        for some in (_merged(held, inside), new[len(inside) :]) if inside else (new,):
            if some:
                chunks.append(chunk_of(posted.device, some, posted.now_ms))
        fixes = fixes[: len(fixes) - len(these)]
    return chunks, clashes


def _merged(held: Sequence[StoredFix], new: Sequence[Fix]) -> list[Fix]:
    return sorted([*(Fix(*astuple(one)) for one in held), *new], key=lambda fix: fix.seq)

"""Arrivals and departures told, beside a plain circle of 100 m, on drives whose truth is known.

``python -m benchmarks.fences [--json]``. ``HUB_TEST_DATA`` names the folder with recorded traces
(``gps/``); without it only the streets made here are driven.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from benchmarks import Line
from tests.core.gps_traces import DATA, Drive, made_drives, ours, plain, recorded_drive, scored

NOISES_M = (5, 10, 20, 35, 50)
RECORDED = ("geolife", "google", "gpsies", "posmo")


@dataclass(frozen=True, slots=True)
class Result:
    """How many arrivals and departures there were (``true``), and told that were none (``false``).

    ``us_per_fix`` is CPU time.
    """

    drives: str
    fixes: int
    true: int
    false: int
    plain_false: int
    precision: float
    recall: float
    plain_precision: float
    plain_recall: float
    us_per_fix: float


def compare() -> Iterator[Result]:
    for noise_m in NOISES_M:
        for tells_speed in (True, False):
            drives = made_drives((noise_m,), tells_speed=tells_speed)
            yield _result(f"made, {noise_m} m, {'' if tells_speed else 'no '}speed", drives)
    for name in RECORDED if DATA.is_dir() else ():
        drives = [recorded_drive(name, noise_m, lost=noise_m / 200) for noise_m in (0, 10, 20)]
        yield _result(f"recorded, {name}", drives)


def fences(_: float) -> list[Line]:
    """On made drives with errors up to 20 m, of phones that tell their speed."""
    one = _result("made", made_drives((5, 10, 20)))
    against = "circle of 100 m"
    return [
        Line("arrivals and departures true", one.precision, one.plain_precision, "", against),
        Line("and found", one.recall, one.plain_recall, "", against),
    ]


def _result(name: str, drives: Sequence[Drive]) -> Result:
    began = time.process_time()
    us = scored(drives, ours)
    spent_s = time.process_time() - began
    them, fixes = scored(drives, plain), sum(len(drive.fixes) for drive in drives)
    shares = (us.precision, us.recall, them.precision, them.recall)
    return Result(
        name,
        fixes,
        us.right + us.missed,
        us.false,
        them.false,
        *(round(share, 4) for share in shares),
        us_per_fix=round(spent_s / fixes * 1e6, 1),
    )


def main() -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks.fences", description=__doc__)
    wanted.add_argument("--json", action="store_true", help="one JSON object a line")
    asked = wanted.parse_args()
    for one in compare():
        if asked.json:
            print(json.dumps(asdict(one)), flush=True)
            continue
        print(
            f"{one.drives:24} {one.true:4} true  precision {one.precision:.3f} recall"
            f" {one.recall:.3f}  circle {one.plain_precision:.3f} {one.plain_recall:.3f}"
            f"  false {one.false} / {one.plain_false}  {one.us_per_fix:.1f} us/fix",
            flush=True,
        )


if __name__ == "__main__":
    main()

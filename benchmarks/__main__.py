"""``python -m benchmarks [--json] [--seconds N] [name ...]``: the figures, now, on this machine."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from benchmarks.fences import fences
from benchmarks.pages import acts, pages
from benchmarks.plans import plan

ALL = {"pages": pages, "acts": acts, "plan": plan, "fences": fences}


def main() -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    wanted.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(ALL)}")
    wanted.add_argument("--seconds", type=float, default=20.0, help="for each (about)")
    wanted.add_argument("--json", action="store_true", help="one JSON object a line")
    asked = wanted.parse_args()
    if unknown := set(asked.names) - ALL.keys():
        wanted.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    for name in asked.names or ALL:
        for one in ALL[name](asked.seconds):
            if asked.json:
                print(json.dumps({"benchmark": name, **asdict(one), "ratio": one.ratio}))
                continue
            ours, floor = f"{one.ours:.5g} {one.unit}", f"{one.against} {one.floor:.5g}"
            print(f"{name:6} {one.name:28} {ours:>14}  {floor:28}  x {one.ratio:.2f}", flush=True)


main()

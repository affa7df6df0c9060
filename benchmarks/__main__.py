"""``python -m benchmarks [--json] [--seconds N] [name ...]``: the figures, now, on this machine."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from benchmarks.acts import acts
from benchmarks.pages import pages
from benchmarks.plans import plan

ALL = {"pages": pages, "acts": acts, "plan": plan}


def main() -> None:
    wanted = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    wanted.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(ALL)}")
    wanted.add_argument("--seconds", type=float, default=20.0, help="for each (about)")
    wanted.add_argument("--json", action="store_true", help="one JSON object a line")
    asked = wanted.parse_args()
    if unknown := set(asked.names) - ALL.keys():
        wanted.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    for name in asked.names or ALL:
        for line in ALL[name](asked.seconds):
            if asked.json:
                print(json.dumps({"benchmark": name, **asdict(line), "ratio": line.ratio}))
            else:
                print(
                    f"{name:6} {line.name:32} {line.ours:10.2f} {line.unit:5}"
                    f" {line.against:20} {line.floor:10.2f}  x {line.ratio:.2f}",
                    flush=True,
                )


main()

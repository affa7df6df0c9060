"""What looking for ways out costs, in CPU seconds, on days of a town.

python -m benchmarks.ways_out
"""

from __future__ import annotations

import math
import random
import time

from hub.core.plan_request import JobToPlan, PlanRequest, TravelMatrix, VehicleToPlan
from hub.core.planning import completed
from hub.core.values import Point
from hub.core.ways_out import each_way
from hub.core.whole_ways import room_without, whole
from hub.testing.days import between


def a_town_day(seed: int, jobs: int, vans: int) -> PlanRequest:
    """A little more than ``vans`` can do in a day: loads, and a window for every third job."""
    dice = random.Random(seed)  # noqa: S311  (a day, not a secret)
    spots = [(dice.uniform(0, 20_000), dice.uniform(0, 20_000)) for _ in range(jobs + 1)]
    metres = [[round(1.3 * math.dist(a, b)) for b in spots] for a in spots]
    return PlanRequest(
        places=tuple(Point(60 + y / 111_000, 25 + x / 55_000) for x, y in spots),
        travel={"car": TravelMatrix([[m // 9 for m in row] for row in metres], metres)},
        jobs=tuple(
            JobToPlan(
                id=f"j{n}",
                place=n + 1,
                service_s=dice.choice((240, 300, 480)),
                load={"g": dice.randint(1_000, 40_000)},
                windows=(between(w, w + 2),) if n % 3 == 0 and (w := dice.randint(8, 14)) else (),
            )
            for n in range(jobs)
        ),
        vehicles=tuple(
            VehicleToPlan(id=f"v{n}", start=0, end=0, shift=between(8, 15), capacity={"g": 900_000})
            for n in range(vans)
        ),
    )


def main() -> None:
    print("jobs  vans  left out  looked at  CPU s for each (most)  ways for each")
    for jobs, vans in ((70, 2), (160, 5), (400, 12)):
        request = a_town_day(1, jobs, vans)
        plan = completed(request, {})
        for job_id in plan.unassigned:  # a good plan has no room left
            if job_id in plan.unassigned and (room := room_without(request, plan, job_id)):
                plan = completed(request, room)
        looked_at = list(plan.unassigned)[:5]
        took, ways = [], 0
        for job_id in looked_at:
            began = time.process_time()
            if room_without(request, plan, job_id) is None:
                found = [way for way in each_way(request, plan, job_id) if way is not None]
                ways += len([whole(request, plan, way) for way in found])
            took.append(time.process_time() - began)
        each, most = sum(took) / max(1, len(took)), max(took, default=0)
        print(
            f"{jobs:4}  {vans:4}  {len(plan.unassigned):8}  {len(took):9}"
            f"  {each:6.1f} ({most:.1f})  {ways / max(1, len(took)):.1f}"
        )


if __name__ == "__main__":
    main()

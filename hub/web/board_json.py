"""The board as JSON: what its script asks for again and again, and others may build on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hub.flows.board import BoardSeen, Where
from hub.flows.day_seen import JobSeen
from hub.flows.improvements import ImprovementSeen
from hub.web.board_lanes import Bar, Lane


def data_of(board: BoardSeen, lanes: Sequence[Lane]) -> dict[str, Any]:
    """``version`` changes with everything but positions: whether the page must be drawn anew."""
    content = {
        "day": board.day.isoformat(),
        "routes": [_route(lane) for lane in lanes],
        "attention": [
            {"kind": one.kind, "about": one.about, "said": one.said} for one in board.matters
        ],
        "unassigned": [
            {"job_id": one.job_id, "number": one.number, "reason": one.reason, "kind": one.kind}
            for one in board.left_out
        ],
        "to_review": board.to_review,
        "better": _better(board.better),
    }
    version = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
    drivers = [_driver(lane) for lane in lanes]
    return {"version": version, "now": _ms(board.now), "drivers": drivers, **content}


def _better(found: ImprovementSeen | None) -> dict[str, Any] | None:
    if found is None:
        return None
    best = found.best
    return {
        "id": found.id,
        "n": found.n,
        "saved_s": best.saved_s,
        "saved_m": best.saved_m,
        "moved": best.moved,
        "turned": best.turned,
        "told_anew": best.told_anew,
    }


def tag_of(data: dict[str, Any]) -> str:
    """An ETag for ``data``; the time alone does not change it."""
    told = {name: value for name, value in data.items() if name != "now"}
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:20]


def _driver(lane: Lane) -> dict[str, Any]:
    return {
        "driver_id": lane.seen.route.driver_id,
        "name": lane.seen.route.driver,
        "route_id": lane.seen.route.id,
        "n": lane.n,
        "on_duty": lane.seen.on_duty,
        "where": _where(lane.seen.where) if lane.seen.where else None,
    }


def _where(where: Where) -> dict[str, Any]:
    return {
        "lat": where.lat,
        "lon": where.lon,
        "hdg": where.heading,
        "acc": where.acc_m,
        "bat": where.battery,
        "at": _ms(where.at),
    }


def _route(lane: Lane) -> dict[str, Any]:
    route = lane.seen.route
    return {
        "id": route.id,
        "version": route.version,
        "acknowledged": route.acknowledged,
        "driver_id": route.driver_id,
        "driver": route.driver,
        "vehicle": route.vehicle,
        "published": route.published,
        "leaves_at": _iso(route.leaves_at),
        "back_at": _iso(route.back_at),
        "began_at": _iso(lane.seen.began_at),
        "ended_at": _iso(lane.seen.ended_at),
        "breaks": {
            "planned": [[_iso(one.opens), _iso(one.closes)] for one in route.rests],
            "had": [[_iso(one.since), _iso(one.until)] for one in route.had],
        },
        "stops": [_stop(bar) for bar in lane.bars],
    }


def _stop(bar: Bar) -> dict[str, Any]:
    stop = bar.stop
    promises = [job.promise for job in stop.jobs if job.promise]
    first = min(promises, key=lambda one: one.closes, default=None)
    return {
        "id": stop.id,
        "n": stop.n,
        "orders": list(stop.numbers),
        "address": stop.address,
        "lat": stop.lat,
        "lon": stop.lon,
        "state": bar.state,
        "planned": _iso(stop.arrive_at),
        "estimate": _iso(bar.eta),
        "promise": [_iso(first.opens), _iso(first.closes)] if first else None,
        "late_s": bar.late_s,
        "movable": bar.movable,
        "jobs": [_job(job) for job in stop.jobs],
    }


def _job(job: JobSeen) -> dict[str, Any]:
    promise = job.promise
    return {
        "id": job.id,
        "number": job.number,
        "state": job.state,
        "outcome": job.outcome,
        "promise": [_iso(promise.opens), _iso(promise.closes)] if promise else None,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)

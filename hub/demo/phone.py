"""A driver's phone: what it keeps until the hub has it, and what the hub answered.

It speaks as the driver's page does: acts with ids of its own, files by their hash, fixes with
rising numbers, everything again until it is answered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hub.core.errors import Refused
from hub.demo.wire import Answer, Wire

MOST_ACTS, MOST_FIXES = 100, 10
ENOUGH_FIXES = 6  # one minute of driving in one message
PATIENT_S = 150.0  # no fix waits longer than that while there is signal
OPEN = frozenset({"dispatched", "loaded", "en_route", "arrived"})
Act = dict[str, Any]
Fix = dict[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    job_id: str
    kind: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass
class Phone:
    """``told``: every act that was answered; ``kept``: every fix that was, by its number."""

    wire: Wire
    name: str
    token: str = ""
    acts: list[Act] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    fixes: list[Fix] = field(default_factory=list)
    told: list[Act] = field(default_factory=list)
    kept: dict[int, Fix] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    day: Mapping[str, Any] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)  # jobs that were ended on it
    n: int = 0
    seq: int = 0
    sent_at_s: float = 0.0

    def pair(self, code: str) -> None:
        """Raises ``Refused`` for a code the hub does not take."""
        answer = self.wire.send("POST", "/driver/api/pair", {"code": code})
        if not answer.ok:
            raise Refused(f"The phone of {self.name} cannot be paired: {answer.text[:300]}")
        self.token = answer.json()["token"]
        self.wire.headers["Authorization"] = f"Bearer {self.token}"

    def tap(
        self, kind: str, at_s: float, *, job_id: str = "", route_id: str = "", **body: Any
    ) -> None:
        self.n += 1
        act: Act = {
            "act_id": f"{self.name.lower()}-{self.n:06}",
            "kind": kind,
            "occurred_at": datetime.fromtimestamp(at_s, UTC).isoformat(),
            "body": body,
        }
        act |= {"job_id": job_id} if job_id else {}
        act |= {"route_id": route_id} if route_id else {}
        self.acts.append(act)

    def note(self, at_s: float, lat: float, lon: float, acc_m: float, speed_ms: float) -> None:
        """Keep where the phone is; its numbers rise for ever, as the page's do."""
        at_ms = round(at_s * 1000)
        self.seq = max(self.seq + 1, at_ms)
        self.fixes.append(
            {
                "seq": self.seq,
                "t": at_ms,
                "lat": round(lat, 6),
                "lon": round(lon, 6),
                "acc": round(acc_m, 1),
                "spd": round(speed_ms, 1),
            }
        )

    def look(self) -> Mapping[str, Any]:
        """The day as the hub has it now."""
        answer = self.wire.get("/driver/api/route")
        if not answer.ok:
            raise Refused(f"The phone of {self.name} is not shown its route: {answer.text[:300]}")
        day: Mapping[str, Any] = answer.json()
        self.day = day
        return day

    def route(self) -> Mapping[str, Any] | None:
        """The first that is not over, as it was looked at last."""
        routes = self.day.get("routes", ())
        return next((one for one in routes if one["ended_at"] is None), None)

    @property
    def route_id(self) -> str:
        route = self.route()
        return route["route_id"] if route else ""

    def next_stop(self) -> Mapping[str, Any] | None:
        """The first at which something is still to do."""
        route = self.route()
        stops = route["stops"] if route else ()
        return next((one for one in stops if any(map(self.is_open, one["jobs"]))), None)

    def is_open(self, job: Mapping[str, Any]) -> bool:
        return job["state"] in OPEN and job["job_id"] not in self.ended

    def has(self, job: Mapping[str, Any]) -> bool:
        """Whether this job is still to be done, by this driver."""
        route = self.route()
        stops = route["stops"] if route else ()
        found = [one for stop in stops for one in stop["jobs"] if one["job_id"] == job["job_id"]]
        return any(map(self.is_open, found))

    @property
    def has_said(self) -> bool:
        """Whether more waits to be sent than where it was."""
        return bool(self.acts or self.files)

    def is_due(self, now_s: float) -> bool:
        """Whether there is something to send: a tap at once, fixes some at a time."""
        waited_s = now_s - self.sent_at_s
        return self.has_said or (
            bool(self.fixes) and (len(self.fixes) >= ENOUGH_FIXES or waited_s >= PATIENT_S)
        )

    def flush(self, now_s: float) -> list[tuple[Act, Mapping[str, Any]]]:
        """Send all that waits; each act with its result.

        Fixes go first, so that what they say of a door is known before what a tap says of
        the next; but not before the shift that they belong to has begun.
        """
        begins = any(act["kind"] == "start_shift" for act in self.acts)
        results = self._send_acts() if begins else []
        self._send_fixes()
        self._send_files()
        self.sent_at_s = now_s
        return results + self._send_acts()

    def again(self) -> int:
        """Say every act once more; how many the hub does not know any more."""
        unknown = 0
        for some in _batches(self.told, MOST_ACTS):
            results = self.wire.send("POST", "/driver/api/acts", {"acts": some}).json()["results"]
            unknown += sum(not one["repeated"] for one in results)
        return unknown

    def _send_acts(self) -> list[tuple[Act, Mapping[str, Any]]]:
        found: list[tuple[Act, Mapping[str, Any]]] = []
        for some in _batches(self.acts, MOST_ACTS):
            answer = self._demand(self.wire.send("POST", "/driver/api/acts", {"acts": some}))
            results = answer.json()["results"]
            found += zip(some, results, strict=True)
            self.told += some
        self.acts = []
        for act, result in found:
            if result["result"] in ("refused", "malformed"):
                self.complaints.append(f"{self.name}: {act['kind']} refused: {result['why']}")
        return found

    def _send_files(self) -> None:
        for file in self.files:
            path = f"/driver/api/files/{file.job_id}/{file.sha256}?kind={file.kind}"
            self._demand(self.wire.ask("PUT", path, body=file.content))
        self.files = []

    def _send_fixes(self) -> None:
        for some in _batches(self.fixes, MOST_FIXES):
            answer = self._demand(self.wire.send("POST", "/live/fixes", {"fixes": some}))
            said = answer.json()
            self.kept |= {fix["seq"]: fix for fix in some}
            if said["dropped"]:
                self.complaints.append(f"{self.name}: {said['why']}")
        self.fixes = []

    def _demand(self, answer: Answer) -> Answer:
        if not answer.ok:
            raise Refused(f"The phone of {self.name} was refused: {answer.text[:300]}")
        return answer


def _batches[T](items: Sequence[T], most: int) -> list[list[T]]:
    return [list(items[n : n + most]) for n in range(0, len(items), most)]

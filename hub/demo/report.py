"""What the day came to: by the simulator's own log, its mail server, and public answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from statistics import fmean
from typing import Any

from hub.demo import expected
from hub.demo.mailbox import Mailbox
from hub.demo.notebook import Notebook, Visit
from hub.demo.phone import Phone

Json = Mapping[str, Any]
HORIZONS_MIN = ((0, 10), (10, 30), (30, 60), (60, 120))
MISTAKEN = 0.1  # of all arrivals may go unnoticed or be noticed falsely: streets are narrow
EARLY_S, LATE_S = 180.0, 120.0  # around a visit, within which an arrival is of that visit


@dataclass(frozen=True, slots=True)
class Guess:
    """At ``at_s`` the board expected work on a job to begin at ``eta_s``."""

    job_id: str
    at_s: float
    eta_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    orders: int
    jobs: int
    closed: int
    succeeded: int
    failed: int
    with_proof: int
    violations: int
    notices_expected: int
    notices_sent: int
    notices_duplicated: int
    acts_sent: int
    acts_lost: int
    fixes_sent: int
    fixes_lost: int
    arrivals_missed: int
    arrivals_false: int
    eta_mae_s_by_horizon: Mapping[str, float]
    wall_s: float
    problems: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        names = [one.name for one in fields(self) if one.name != "problems"]
        return {name: getattr(self, name) for name in names}

    @property
    def is_well(self) -> bool:
        """Nothing lost, told twice, left undone, without proof or against a rule."""
        return (
            not self.problems
            and self.closed == self.jobs
            and self.with_proof == self.succeeded
            and self.notices_sent == self.notices_expected
            and not any((self.violations, self.notices_duplicated, self.acts_lost, self.fixes_lost))
        )


def told_of(
    orders: Sequence[Json],
    book: Notebook,
    box: Mailbox,
    brand: str,
    phones: Iterable[Phone],
    tracks: Mapping[str, set[int]],
    guesses: Sequence[Guess],
    broken: Sequence[str],
    wall_s: float,
) -> Report:
    """``tracks``: driver -> the numbers of the fixes that the board shows of his phones."""
    jobs = [job for order in orders for job in order["jobs"]]
    closed = [job for job in jobs if job["state"] == "closed"]
    good = [job for job in closed if job["outcome"] == "succeeded"]
    proved = [job for job in good if not lacking(job, book)]
    phones = list(phones)
    lost = {phone.name: phone.kept.keys() - tracks[phone.name] for phone in phones}
    acts_lost = sum(phone.again() for phone in phones)
    wanted, got = book.promised, expected.came(box.mails, brand)
    visits = book.visits_of()
    missed, false = arrivals(closed, visits)
    problems = [
        *broken,
        *too_many(missed, false, len(closed)),
        *book.hiccups,
        *(f"Order {number} is not over." for number in sorted(book.open)),
        *(said for phone in phones for said in phone.complaints),
        *expected.differences(wanted, got),
        *(f"Job {job['id']} lacks {', '.join(lacking(job, book))}." for job in good
          if lacking(job, book)),
        *otherwise(closed, book),
        *(f"{name}: {len(some)} fixes are not on the track." for name, some in lost.items()
          if some),
    ]  # fmt: skip
    return Report(
        orders=len(orders),
        jobs=len(jobs),
        closed=len(closed),
        succeeded=len(good),
        failed=sum(job["outcome"] == "failed" for job in closed),
        with_proof=len(proved),
        violations=len(broken) + len(good) - len(proved),
        notices_expected=wanted.total(),
        notices_sent=len(box.mails),
        notices_duplicated=box.twice(),
        acts_sent=sum(len(phone.told) for phone in phones),
        acts_lost=acts_lost,
        fixes_sent=sum(len(phone.kept) for phone in phones),
        fixes_lost=sum(map(len, lost.values())),
        arrivals_missed=missed,
        arrivals_false=false,
        eta_mae_s_by_horizon=errors(guesses, visits),
        wall_s=round(wall_s, 1),
        problems=tuple(problems),
    )


def too_many(missed: int, false: int, closed: int) -> list[str]:
    if missed + false <= max(2, MISTAKEN * closed):
        return []
    return [f"Of {closed} arrivals {missed} went unnoticed and {false} were noticed falsely."]


def otherwise(closed: Iterable[Json], book: Notebook) -> list[str]:
    """Jobs that ended for the hub in another way than at the door."""
    found = []
    for job in closed:
        ending = book.endings.get(job["id"])
        if ending is not None and ending.outcome != job["outcome"]:
            found.append(f"Job {job['id']} {ending.outcome} at the door, {job['outcome']} here.")
    return found


def lacking(job: Json, book: Notebook) -> list[str]:
    """What was demanded of a job, or brought by its driver, and the API does not know."""
    ending, proof = book.endings.get(job["id"]), job["proof"]
    if ending is None:
        return ["the simulator's own word"]
    if proof is None:
        return ["any proof"]
    kept = {(one["kind"], one["sha256"]) for one in proof["files"]}
    return [
        *(one for one in ending.demands if one not in proof["given"]),
        *(f"its {one.kind}" for one in ending.files if (one.kind, one.sha256) not in kept),
    ]


def arrivals(closed: Sequence[Json], visits: Mapping[str, Sequence[Visit]]) -> tuple[int, int]:
    """Jobs whose door somebody came to unnoticed, and those where he was said to have come
    at a moment at which nobody did.
    """
    missed = false = 0
    for job in closed:
        told_s, truly = seconds(job["arrived_at"]), visits.get(job["id"], ())
        if told_s is None:
            missed += bool(truly)
        elif not any(_is_of(told_s, one, seconds(job["closed_at"])) for one in truly):
            false += 1
    return missed, false


def errors(guesses: Sequence[Guess], visits: Mapping[str, Sequence[Visit]]) -> dict[str, float]:
    """Mean absolute error in seconds, by how many minutes before the truth it was expected."""
    by_horizon: dict[str, list[float]] = {}
    for guess in guesses:
        later = [one.ready_s for one in visits.get(guess.job_id, ()) if one.came_s > guess.at_s]
        if not later:
            continue
        ahead_min = (later[0] - guess.at_s) / 60
        for least, most in HORIZONS_MIN:
            if least <= ahead_min < most:
                error_s = abs(guess.eta_s - later[0])
                by_horizon.setdefault(f"{least}-{most}", []).append(error_s)
    names = [f"{least}-{most}" for least, most in HORIZONS_MIN]
    return {name: round(fmean(by_horizon[name]), 1) for name in names if name in by_horizon}


def seconds(moment: str | None) -> float | None:
    return datetime.fromisoformat(moment).timestamp() if moment else None


def _is_of(told_s: float, visit: Visit, until_s: float | None) -> bool:
    return visit.came_s - EARLY_S <= told_s <= max(visit.ready_s, until_s or 0) + LATE_S

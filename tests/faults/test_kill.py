"""kill -9 at any moment of a day: nothing acknowledged is lost, nothing is done twice.

A seed chooses the moments, so a failure comes again with its seed. ``HUB_KILL_SEEDS``
says how many seeds are tried.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlmodel import select

from hub.app import Hub
from hub.core import events
from hub.db.migrate import migrate
from hub.db.outbox import ForSome
from hub.db.tables import (
    ActRow,
    ErrandRow,
    EventRow,
    JobRow,
    NoticeRow,
    OrderRow,
    PlanRow,
    PromiseRow,
    ProofFileRow,
    ProofRow,
    RouteRow,
    StopJobRow,
    StopRow,
)
from hub.flows.proof_store import content_of
from hub.flows.prove import verify
from tests.faults.a_day import FAILED, PHASES, REFS, a_bakery, a_hub, set_clock, sha
from tests.faults.keeper import Keeper, Life, a_keeper

SEEDS = int(os.environ.get("HUB_KILL_SEEDS", "1"))
KINDS = ("photo", "signature")
WORDS = {f"{ref}-{word}" for ref in REFS for word in ("head_for", "arrive", "close", *KINDS)}


@dataclass
class World:
    keeper: Keeper
    folder: Path
    url: str
    business_id: str
    known: set[str] = field(default_factory=set)
    lives: int = 0

    def __post_init__(self) -> None:
        self.hub = a_hub(self.folder, self.url)  # ours, to look; each life opens its own

    def live(self, seed: int, **how: object) -> Life:
        """One more life, five minutes later: who died with an errand has lost its lease."""
        set_clock(self.folder, 5 * self.lives)
        self.lives += 1
        life = self.keeper.live(self.folder, self.url, self.business_id, seed, self.known, **how)
        self.known |= life.did
        assert life.code in (0, -9)
        return life


def founded(folder: Path, url: str) -> str:
    set_clock(folder, 0)
    hub = a_hub(folder, url)
    migrate(hub.engine)
    business_id = a_bakery(hub)
    hub.engine.dispose()
    return business_id


@pytest.fixture(scope="module")
def keeper() -> Iterator[Keeper]:
    with a_keeper() as keeper:
        yield keeper


@pytest.fixture(scope="module")
def bakery(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("bakery")
    return folder, founded(folder, f"sqlite:///{folder / 'hub.db'}")


def a_copy(keeper: Keeper, bakery: tuple[Path, str], folder: Path) -> World:
    shutil.copytree(bakery[0], folder, dirs_exist_ok=True)
    return World(keeper, folder, f"sqlite:///{folder / 'hub.db'}", bakery[1])


@pytest.fixture(scope="module")
def whole_day(
    keeper: Keeper, bakery: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Life:
    """A day that nobody disturbs: how many moments each phase has, and how long it takes."""
    return undisturbed(a_copy(keeper, bakery, tmp_path_factory.mktemp("whole")))


@pytest.fixture(scope="module")
def whole_day_on_postgresql(
    keeper: Keeper, new_postgres: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Life:
    """The same; this database has other statements."""
    folder, url = tmp_path_factory.mktemp("whole"), new_postgres()
    return undisturbed(World(keeper, folder, url, founded(folder, url)))


def undisturbed(world: World) -> Life:
    life = world.live(0)
    assert life.code == 0
    return life


def deaths(seed: int, moments: Mapping[str, int]) -> list[dict[str, int]]:
    """One death in each phase, and a second one while the phone sends again."""
    chance = random.Random(seed)

    def one(name: str) -> dict[str, int]:
        return {name: chance.randint(1, moments[name])}

    firsts = [one(chance.choice((phase, f"{phase} edge"))) for phase in PHASES]
    # What was acknowledged is not sent again, so this one may find too little left to do.
    again = one("drive edge") | firsts[-1]
    return [*firsts[:-1], again, firsts[-1]]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_day_of_deaths_loses_and_doubles_nothing(
    tmp_path: Path, keeper: Keeper, bakery: tuple[Path, str], whole_day: Life, seed: int
) -> None:
    world = a_copy(keeper, bakery, tmp_path)
    lives = []
    for ends in deaths(seed, whole_day.moments):
        lives.append(world.live(seed, ends=ends).code)
        nothing_is_lost_or_half_done(world)
    assert lives[:4] == [-9] * 4  # the kills hit what they were meant for
    the_day_ends_well(world, seed)


@pytest.mark.parametrize("seed", range(max(1, SEEDS // 10)))
def test_nor_does_it_on_postgresql(
    tmp_path: Path,
    new_postgres: Callable[[], str],
    keeper: Keeper,
    whole_day_on_postgresql: Life,
    seed: int,
) -> None:
    url, lives = new_postgres(), []
    world = World(keeper, tmp_path, url, founded(tmp_path, url))
    for ends in deaths(seed, whole_day_on_postgresql.moments):
        lives.append(world.live(seed, ends=ends).code)
        nothing_is_lost_or_half_done(world)
    assert lives[:4] == [-9] * 4
    the_day_ends_well(world, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(max(1, SEEDS // 4)))
def test_nor_when_the_kill_comes_from_outside(
    tmp_path: Path, keeper: Keeper, bakery: tuple[Path, str], whole_day: Life, seed: int
) -> None:
    world, chance = a_copy(keeper, bakery, tmp_path), random.Random(seed)
    for _ in range(3):
        world.live(seed, kill_after_s=chance.uniform(0, whole_day.lasted_s / 2))
        nothing_is_lost_or_half_done(world)
    the_day_ends_well(world, seed)


class Seen:
    """What the database holds."""

    def __init__(self, hub: Hub, business_id: str) -> None:
        def mine(table: type) -> list:
            return list(session.exec(select(table).where(table.business_id == business_id)))

        with hub.reading() as session:
            self.refs = {order.id: order.ref for order in mine(OrderRow)}
            self.jobs = {job.id: job for job in mine(JobRow)}
            self.routes, self.plans = mine(RouteRow), mine(PlanRow)
            self.promises = Counter(row.job_id for row in mine(PromiseRow))
            self.acts, self.proofs = mine(ActRow), mine(ProofRow)
            self.files, self.events = mine(ProofFileRow), mine(EventRow)
            self.errands, self.notices = mine(ErrandRow), mine(NoticeRow)
            links = session.exec(
                select(StopJobRow.job_id, RouteRow.published_at)
                .join(StopRow, StopRow.id == StopJobRow.stop_id)
                .join(RouteRow, RouteRow.id == StopRow.route_id)
                .where(RouteRow.business_id == business_id)
            ).all()
        self.links = len(links)
        self.published = {job_id: at is not None for job_id, at in links}
        self.firsts = [job for job in self.jobs.values() if job.attempt == 1]
        self.tampered = verify(hub, business_id)

    def told(self, name: str) -> Counter[str]:
        """How often each job (or order) was announced so."""
        about = [e.payload.get("job_id", e.subject_id) for e in self.events if e.name == name]
        return Counter(about)

    def words(self) -> set[str]:
        """What of the day has happened, in the words in which it is acknowledged."""
        refs = {job.id: self.refs[job.order_id] for job in self.jobs.values()}
        return {
            *self.refs.values(),
            *(["file"] if set(REFS) <= set(self.refs.values()) else []),
            *(["plan"] if any(plan.state == "done" for plan in self.plans) else []),
            *(f"route {route.id}" for route in self.routes if route.published_at),
            *(act.act_id for act in self.acts),
            *(f"{refs[file.job_id]}-{file.kind}" for file in self.files),
        }


def nothing_is_lost_or_half_done(world: World) -> None:
    now = Seen(world.hub, world.business_id)
    assert world.known - {"done"} <= now.words()
    assert now.tampered == []
    once(now)
    # An order is there with its job and its event; the file's orders come together.
    assert len(now.refs) == len(now.firsts) == len(now.told("OrderPlaced"))
    assert len(now.refs) <= len(REFS) // 2 or len(now.refs) == len(REFS)
    # A plan is there as a whole or not at all; so is each route on its phone.
    assert now.links == len(now.published) in (0, len(REFS))
    for job in now.firsts:
        on_a_phone = now.published.get(job.id)
        closed = job.state == "closed"
        assert (on_a_phone is None) == (job.state == "created")
        assert (on_a_phone is False) == (job.state == "assigned")
        assert now.told("JobDispatched")[job.id] == now.promises[job.id] == bool(on_a_phone)
        # An outcome, its proof and its event are one.
        assert now.told("JobClosed")[job.id] == closed
        assert sum(proof.job_id == job.id for proof in now.proofs) == closed


def once(now: Seen) -> None:
    for things in (
        list(now.refs.values()),
        [act.act_id for act in now.acts],
        [proof.job_id for proof in now.proofs],
        [(file.job_id, file.kind) for file in now.files],
        [(job.order_id, job.attempt) for job in now.jobs.values()],
        [(errand.event_seq, errand.subscriber) for errand in now.errands],
        [(notice.event_id, notice.rule_id) for notice in now.notices],
    ):
        assert len(things) == len(set(things))


def the_day_ends_well(world: World, seed: int) -> None:
    assert world.live(seed).code == 0
    nothing_is_lost_or_half_done(world)
    now = Seen(world.hub, world.business_id)
    assert {"done", "file", "plan", *WORDS} <= world.known
    assert sorted(now.refs.values()) == REFS
    outcomes = {now.refs[job.order_id]: job.outcome for job in now.firsts}
    assert outcomes == {ref: "failed" if ref in FAILED else "succeeded" for ref in REFS}
    assert {now.refs[job.order_id] for job in now.jobs.values() if job.attempt == 2} == FAILED
    assert set(now.told("NextStepChosen").values()) == {1}
    assert len(now.acts) == 3 * len(REFS)
    assert {act.result for act in now.acts} <= {"applied"}
    the_files_are_readable(world, now)
    no_errand_is_lost(world, now)


def the_files_are_readable(world: World, now: Seen) -> None:
    proofs = {proof.job_id: proof.id for proof in now.proofs}
    assert len(now.files) == len(KINDS) * len(REFS)
    for file in now.files:
        assert sha(content_of(world.hub, file)) == file.sha256
        assert file.proof_id == proofs[file.job_id]


def no_errand_is_lost(world: World, now: Seen) -> None:
    subscribers = world.hub.subscribers.values()
    wanted = {
        (event.seq, one.name)
        for event in now.events
        for one in subscribers
        if issubclass(events.ALL[event.name], one.events)
        and not isinstance(one, ForSome)  # this bakery is connected to nothing
    }
    assert {(errand.event_seq, errand.subscriber) for errand in now.errands} == wanted
    assert {errand.state for errand in now.errands} == {"done"}

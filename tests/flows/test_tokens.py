"""Tokens that are good for one use: whatever dies or waits, the connection is never locked out."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from hub.core.errors import AuthError, Unavailable
from hub.db.tables import SecretRow, TokenLeaseRow
from hub.flows.tokens import ConnectionTokens
from tests.connected_worlds import Connected, a_shop


class SingleUse:
    """An authority as Xero describes its own: a refresh token is good once, and for some time
    more as long as nobody used one that it was exchanged for (the answer was lost).
    """

    def __init__(self) -> None:
        self.n, self.grace_s = 0, 1800.0
        self.spent_at = dict[str, float]()
        self.given_for = {"0": ""}
        self.lock = threading.Lock()

    def refresh(self, tokens: Mapping[str, str]) -> Mapping[str, str]:
        used = tokens["refresh"]
        with self.lock:
            first = self.spent_at.setdefault(used, time.monotonic())
            went_on = any(self.given_for[one] == used for one in self.spent_at)
            if used not in self.given_for or went_on or time.monotonic() - first > self.grace_s:
                raise AuthError("invalid_grant")
            self.n += 1
            self.given_for[str(self.n)] = used
            return {"refresh": str(self.n), "access": f"a{self.n}"}


class Killed(BaseException):
    pass


@pytest.fixture
def world(database_url: str) -> Connected:
    world = a_shop(database_url)
    world.connect()
    tokens_of(world).replace({"refresh": "0", "access": "a0"})
    return world


def tokens_of(world: Connected) -> ConnectionTokens:
    return ConnectionTokens(world.hub, world.business_id, world.connection_id)


def expire(world: Connected) -> None:
    with world.hub.unit() as unit:
        for lease in unit.session.exec(select(TokenLeaseRow)):
            if lease.until is not None:
                lease.until = datetime.now(UTC) - timedelta(seconds=1)


def test_fresh_tokens_replace_the_old_and_nothing_is_kept_in_clear(world: Connected) -> None:
    authority, tokens = SingleUse(), tokens_of(world)
    assert tokens.refresh_once(authority.refresh)["access"] == "a1"
    assert tokens_of(world).load() == {"refresh": "1", "access": "a1"}
    assert all('"refresh"' not in row.sealed for row in world.rows(SecretRow))


def test_who_comes_second_gets_what_the_first_was_given(world: Connected) -> None:
    authority = SingleUse()
    some = [tokens_of(world) for _ in range(6)]
    for one in some:
        one.load()
    got: list[str] = []
    threads = [
        threading.Thread(
            target=lambda one=one: got.append(one.refresh_once(authority.refresh)["access"])
        )
        for one in some
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert got == ["a1"] * 6
    assert authority.n == 1


def test_what_is_refused_changes_nothing_and_leaves_the_lease(world: Connected) -> None:
    def refused(tokens: Mapping[str, str]) -> Mapping[str, str]:
        raise AuthError("no")

    with pytest.raises(AuthError):
        tokens_of(world).refresh_once(refused)
    assert tokens_of(world).load()["refresh"] == "0"
    assert tokens_of(world).refresh_once(SingleUse().refresh)["access"] == "a1"


@pytest.mark.parametrize("rounds", [40, pytest.param(1000, marks=pytest.mark.soak)])
def test_two_workers_that_die_at_random_never_lock_the_connection_out(
    world: Connected, rounds: int
) -> None:
    authority, chance = SingleUse(), random.Random(7)
    lost: list[BaseException] = []
    dead = threading.Event()

    def work(seed: int) -> None:
        own = random.Random(seed)
        for _ in range(rounds):
            fate = own.random()

            def refresh(tokens: Mapping[str, str], fate: float = fate) -> Mapping[str, str]:
                if fate < 0.1:
                    raise Killed  # before it was asked
                fresh = authority.refresh(tokens)
                if fate < 0.25:
                    raise Killed  # asked, and nobody heard the answer
                return fresh

            tokens = tokens_of(world)
            tokens.load()
            try:
                tokens.refresh_once(refresh)
            except Killed:
                dead.set()
            except BaseException as error:
                lost.append(error)
                return

    workers = [threading.Thread(target=work, args=(chance.random(),)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(280)
    assert lost == []
    assert dead.is_set()
    assert authority.refresh(tokens_of(world).load())["access"]


def test_tokens_that_came_after_the_lease_was_over_are_not_thrown_away(world: Connected) -> None:
    """Who took over was refused, for the old tokens were spent; the only good ones were dropped."""
    authority, answered, may_go_on = SingleUse(), threading.Event(), threading.Event()
    got = dict[str, Mapping[str, str]]()

    def slowly(tokens: Mapping[str, str]) -> Mapping[str, str]:
        fresh = authority.refresh(tokens)
        answered.set()
        assert may_go_on.wait(60)
        return fresh

    def refused_while_the_first_arrives(tokens: Mapping[str, str]) -> Mapping[str, str]:
        may_go_on.set()
        first.join(60)
        return authority.refresh(tokens)

    slow = tokens_of(world)
    first = threading.Thread(target=lambda: got.update(first=slow.refresh_once(slowly)))
    first.start()
    assert answered.wait(60)
    authority.grace_s = -1  # the old ones are good no more
    expire(world)
    with pytest.raises(Unavailable, match="not back yet"):  # no reason to reconnect
        tokens_of(world).refresh_once(authority.refresh)
    second = tokens_of(world).refresh_once(refused_while_the_first_arrives)
    assert got["first"] == second == tokens_of(world).load() == {"refresh": "1", "access": "a1"}
    authority.grace_s = 1800
    assert tokens_of(world).refresh_once(authority.refresh)["access"] == "a2"


def test_a_process_killed_with_its_lease_makes_others_wait_no_longer_than_that(
    world: Connected,
) -> None:
    authority, tokens = SingleUse(), tokens_of(world)
    tokens.load()
    assert tokens._claimed("who was killed")
    authority.refresh({"refresh": "0"})  # asked, and the answer died with it
    expire(world)
    assert tokens_of(world).refresh_once(authority.refresh)["access"] == "a2"

"""Two who do the same at the same moment: one waits for the other, and nobody gets an error."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest

from hub.app import Hub
from hub.core.errors import HubError
from hub.flows.found import found
from hub.flows.log_in import NotAccepted, Role, add_staff, log_in
from hub.flows.people import Welcome, accept, people_of, set_role, welcome_path
from hub.flows.shifts import shifts_on
from hub.flows.throttle import forgive, within_limit
from tests.driving_worlds import DAY, a_morning

PASSWORD = "four loaves of rye bread"
ROUNDS, AT_ONCE = 5, 4


def at_once[T](*what: Callable[[], T]) -> list[T | HubError]:
    """What each of them returned, or the hub's own refusal; anything else is raised."""
    ready = Barrier(len(what))

    def one(do: Callable[[], T]) -> T | HubError:
        ready.wait()
        try:
            return do()
        except HubError as refusal:
            return refusal

    with ThreadPoolExecutor(len(what)) as pool:
        return list(pool.map(one, what))


@pytest.fixture
def hub(database_url: str) -> Hub:
    return Hub.in_memory(object(), url=database_url)


def test_the_first_tries_of_one_key_are_all_counted(hub: Hub) -> None:
    for n in range(ROUNDS):
        tries = [lambda n=n: within_limit(hub, f"key {n}", 2, 60)] * AT_ONCE
        assert sorted(map(bool, at_once(*tries))) == [False, False, True, True]


def test_tries_counted_while_others_are_forgiven_are_no_error(hub: Hub) -> None:
    """On PostgreSQL the row went between being made and being counted."""
    for _ in range(ROUNDS * 4):
        tries = [partial(within_limit, hub, "key", 100, 60), partial(forgive, hub, "key")] * 3
        assert at_once(*tries) == [True, None] * 3


def test_several_who_log_in_at_once_are_all_let_in(hub: Hub) -> None:
    business_id = found(hub, "Husk", zone="UTC")
    add_staff(hub, business_id, email="a@x.example", password=PASSWORD, role=Role.OWNER)
    for n in range(ROUNDS * 2):
        enter = partial(log_in, hub, "a@x.example", PASSWORD, address=f"192.0.2.{n}")
        assert all(at_once(*[enter] * AT_ONCE))


def test_two_businesses_links_used_at_once_set_one_password(hub: Hub) -> None:
    """Whoever set the last one got into the other business as well."""
    for n in range(ROUNDS):
        email, links = f"{n}@x.example", []
        for name in ("Husk", "Rye"):
            business_id = found(hub, name, zone="UTC")
            new = add_staff(hub, business_id, email=email, password=None, role=Role.OWNER)
            parts = welcome_path(hub, business_id, new).split("/")[3:]
            links.append(Welcome(parts[0], parts[1], int(parts[2]), parts[3]))
        uses = [
            partial(accept, hub, link, f"{PASSWORD} {m}", address="here")
            for m, link in enumerate(links)
        ]
        assert sum(one is True for one in at_once(*uses)) == 1


def test_two_who_open_a_day_make_its_shifts_once(database_url: str) -> None:
    day = a_morning(1, database_url)
    for n in range(1, ROUNDS + 1):
        monday = DAY + timedelta(weeks=n)
        looks = at_once(*[lambda d=monday: shifts_on(day.hub, day.business_id, d)] * AT_ONCE)
        ids = [{shift.id for shift in look} for look in looks if not isinstance(look, HubError)]
        assert len(ids) == AT_ONCE and ids[0] and all(one == ids[0] for one in ids)


def test_two_owners_who_demote_each_other_leave_one(hub: Hub) -> None:
    for n in range(ROUNDS):
        business_id = found(hub, f"Husk {n}", zone="UTC")
        owners = [
            add_staff(
                hub, business_id, email=f"{n}.{m}@x.example", password=PASSWORD, role=Role.OWNER
            )
            for m in range(2)
        ]
        at_once(
            *(
                partial(set_role, hub, business_id, one, Role.VIEWER, actor="staff:x")
                for one in owners
            )
        )
        roles = sorted(person.role for person in people_of(hub, business_id))
        assert roles == [Role.OWNER, Role.VIEWER]


def test_a_new_colleague_whom_two_add_is_added_once(hub: Hub) -> None:
    business_id = found(hub, "Husk", zone="UTC")
    for n in range(ROUNDS):
        said = at_once(
            *[
                lambda n=n: add_staff(
                    hub, business_id, email=f"{n}@x.example", password=PASSWORD, role=Role.VIEWER
                )
            ]
            * AT_ONCE
        )
        assert sum(isinstance(one, NotAccepted) for one in said) == AT_ONCE - 1
    assert len(people_of(hub, business_id)) == ROUNDS

"""Ids sort as they were made, whoever makes them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from hub.core.ids import new_id


def test_ids_of_one_millisecond_keep_their_order() -> None:
    made = [new_id() for _ in range(5000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_an_id_is_a_version_7_uuid() -> None:
    uuid = UUID(new_id())
    assert uuid.version == 7
    assert uuid.variant == "specified in RFC 4122"


def test_threads_make_no_id_twice() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: new_id(), range(4000)))
    assert len(set(made)) == 4000

"""What a proof lacks, and what a chain gives away."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.core.proof import FIRST, chained, changed_fields, given_by, link_hash, missing


def test_what_is_missing_comes_in_the_order_it_is_demanded() -> None:
    there = given_by(name=" ", note="Left at the gate", file_kinds=["photo"])
    assert missing(["signature", "photo", "name"], there) == ["signature", "name"]
    assert missing(["photo", "note"], there) == []


def test_a_pin_that_was_wrong_is_no_proof() -> None:
    assert missing(["pin"], given_by(pin_ok=False)) == ["pin"]
    assert missing(["pin"], given_by(pin_ok=True)) == []


@given(st.dictionaries(st.text(min_size=1), st.text(), min_size=1), st.text())
def test_a_changed_field_shows_until_its_salt_is_erased(fields: dict[str, str], new: str) -> None:
    salts = {name: f"{n:032x}" for n, name in enumerate(fields)}
    link = chained(FIRST, "job", fields, salts)
    assert changed_fields(link.commitments, salts, fields) == []
    name = next(iter(fields))
    changed = {**fields, name: fields[name] + "x" + new}
    assert changed_fields(link.commitments, salts, changed) == [name]
    assert changed_fields(link.commitments, {}, changed) == []
    assert link.hash == link_hash(FIRST, "job", link.commitments)

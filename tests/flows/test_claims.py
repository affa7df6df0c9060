"""A delivery made before the job went to somebody else is seen, and a person decides."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest
from sqlmodel import select

from hub.core.jobs import NotNow, State
from hub.db.tables import ActRow, ProofFileRow, ProofRow, StopJobRow
from hub.flows.claims import Claim, claims_of, leave_claim, open_claims, take_claim
from hub.flows.dispatch import hand_over, remove_job
from hub.flows.drive import take_acts
from hub.flows.found import found
from hub.flows.prove import put_file, verify
from hub.flows.retain import retain
from tests.driving_worlds import TEN, Morning, a_morning, act

PICTURE = b"a photo of a door"
HASH = sha256(PICTURE).hexdigest()
FILES = [{"kind": "photo", "sha256": HASH}]


def claimed(orders: int = 2) -> Morning:
    """Mara delivered the first job at 10:03 without signal; at 10:30 Otso got her route."""
    day = a_morning(orders)
    day.publish()
    day.now[0] = TEN
    mara, job = day.phone(), day.jobs()[0]
    take_acts(day.hub, mara, [act("0", "head_for", job, 0)])
    route = day.route()
    hand_over(
        day.hub,
        day.business_id,
        route.id,
        day.drivers[1],
        actor="staff:1",
        expected_version=route.version,
        force=True,
    )
    said = {"outcome": "succeeded", "name": "Ana", "note": "By hand", "files": FILES}
    [told] = take_acts(day.hub, mara, [act("1", "close", job, 3, **said)])
    assert told.result == "noted"
    about = (day.hub, day.business_id, job.id, "photo", "image/jpeg", PICTURE, HASH)
    put_file(*about, device=mara)
    return day


def claims(day: Morning) -> list[Claim]:
    with day.hub.reading() as session:
        return claims_of(session, day.business_id, day.jobs()[0])


def waiting(day: Morning) -> int:
    with day.hub.reading() as session:
        return open_claims(session, day.business_id)


def test_what_the_first_driver_said_is_kept_and_waits_for_a_decision() -> None:
    day = claimed()
    [claim] = claims(day)
    assert (claim.driver, claim.said.name, claim.said.note) == ("Mara", "Ana", "By hand")
    assert [file.sha256 for file in claim.files] == [HASH]
    assert (claim.is_open, waiting(day)) == (True, 1)
    assert day.jobs()[0].state != State.CLOSED


def test_taken_as_done_closes_the_job_by_that_proof_and_leaves_the_other_route() -> None:
    day = claimed()
    version = day.route().version
    take_claim(day.hub, day.business_id, claims(day)[0].act_id, actor="staff:1")
    job = day.jobs()[0]
    assert (job.state, job.outcome) == (State.CLOSED, "succeeded")
    with day.hub.reading() as session:
        proof, file = session.exec(select(ProofRow)).one(), session.exec(select(ProofFileRow)).one()
        on_routes = session.exec(select(StopJobRow.job_id)).all()
    assert (proof.name, file.proof_id) == ("Ana", proof.id)
    assert job.id not in on_routes
    assert day.route().version == version + 1
    assert len(day.events("JobClosed")) == 1
    assert day.events("RouteChanged")[-1].payload["version"] == version + 1
    assert not day.events("JobWithdrawn")
    assert verify(day.hub, day.business_id) == []
    assert (claims(day)[0].decision, waiting(day)) == ("taken", 0)
    with pytest.raises(NotNow):
        take_claim(day.hub, day.business_id, claims(day)[0].act_id, actor="staff:1")


def test_the_only_job_of_a_route_can_be_taken_as_done() -> None:
    day = claimed(1)
    take_claim(day.hub, day.business_id, claims(day)[0].act_id, actor="staff:1")
    assert day.jobs()[0].outcome == "succeeded"


def test_a_job_on_no_route_any_more_can_be_taken_as_done() -> None:
    day = claimed()
    route = day.route()
    remove_job(
        day.hub,
        day.business_id,
        route.id,
        day.jobs()[0].id,
        actor="staff:1",
        expected_version=route.version,
    )
    take_claim(day.hub, day.business_id, claims(day)[0].act_id, actor="staff:1")
    assert day.jobs()[0].outcome == "succeeded"


def test_left_it_stays_on_record_and_the_other_driver_goes_on() -> None:
    day = claimed()
    leave_claim(day.hub, day.business_id, claims(day)[0].act_id, actor="staff:1")
    assert (claims(day)[0].decision, waiting(day)) == ("left", 0)
    assert day.jobs()[0].state != State.CLOSED


def test_the_first_drivers_photo_is_no_proof_of_the_seconds_hand_over() -> None:
    day = claimed()
    otso, job = day.phone(1), day.jobs()[0]
    [told] = take_acts(day.hub, otso, [act("2", "close", job, 4, outcome="succeeded")])
    assert (told.result, told.why) == ("refused", "Proof is missing: photo.")
    files = [{"kind": "photo", "sha256": "0" * 64}]
    [told] = take_acts(day.hub, otso, [act("3", "close", job, 4, outcome="succeeded", files=files)])
    assert told.result == "applied"
    with day.hub.reading() as session:
        assert session.exec(select(ProofFileRow)).one().proof_id is None
    assert (claims(day)[0].is_open, waiting(day)) == (False, 0)
    with pytest.raises(NotNow):
        take_claim(day.hub, day.business_id, claims(day)[0].act_id, actor="staff:1")


def test_another_business_cannot_decide() -> None:
    day = claimed()
    other = found(day.hub, "Neighbours", zone="Europe/Helsinki")
    for decide in (take_claim, leave_claim):
        with pytest.raises(LookupError):
            decide(day.hub, other, claims(day)[0].act_id, actor="staff:1")


def test_a_claim_nobody_decided_waits_no_longer_once_its_words_are_let_go_of() -> None:
    day = claimed()
    day.now[0] = TEN + timedelta(days=400)
    retain(day.hub)
    assert (claims(day), waiting(day)) == ([], 0)
    with day.hub.reading() as session:
        assert all(one.body == {} for one in session.exec(select(ActRow)))

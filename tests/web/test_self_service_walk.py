"""Random days: whatever a driver, a clock and a recipient do, and in whatever order, a form does
what was open when it came, once, and nothing else. ``HUB_WALK_SEED`` begins elsewhere.
"""

from __future__ import annotations

import os
import random
import re

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from hub.core.errors import HubError
from hub.core.jobs import NextStep
from hub.core.self_service import Action, Follow
from hub.db.tables import JobRow, PromiseRow, StopJobRow, WishRow
from hub.flows.next_steps import choose_step
from hub.flows.self_service import doing
from hub.flows.tracking_link import opened
from tests import tracking_worlds as moments
from tests.tracking_worlds import Street
from tests.web.test_self_service import allow, client_of, failed

SEED = int(os.environ.get("HUB_WALK_SEED", "20261127"))
STEPS = 12  # of each day


@pytest.mark.parametrize("n", [0, *(pytest.param(n, marks=pytest.mark.soak) for n in (1, 2, 3))])
def test_a_form_does_what_is_open_once_and_nothing_else(n: int) -> None:
    dice = random.Random(SEED + n)  # noqa: S311
    done = 0
    for _ in range(3):
        street = allow(dice.choice([moments.ordered, moments.scheduled, failed])())
        street.minute = -120.0 if street.job.state != "closed" else 20.0  # type: ignore[attr-defined]
        client = client_of(street)
        for _ in range(STEPS):
            dice.choice([go_on, go_on, send, send, send, settle])(street, client, dice)
            holds(street)
        done += len(wishes(street))
    assert done


def go_on(street: Street, client: FlaskClient, dice: random.Random) -> None:
    """Time goes by, and perhaps the business or the driver does something."""
    street.minute += dice.choice([1, 5, 30, 90])  # type: ignore[attr-defined]
    street.clock(street.minute)  # type: ignore[attr-defined]
    rules = {"until": dice.choice(["hours", "published"]), "hours": dice.choice([0, 1, 12])}
    allow(street, **rules, allowed=dice.sample([*Action], 6))
    at, job = street.minute, street.job  # type: ignore[attr-defined]
    try:
        match dice.choice(["publish", "start_shift", "head_for", "arrive", "close", ""]):
            case "publish":
                street.day.publish()
            case "start_shift":
                street.tell("start_shift", None, at)
            case "close" if job.state in ("dispatched", "en_route", "arrived"):
                ending = dice.choice(["succeeded", "failed", "failed"])
                reason = {"reason": "other"} if ending == "failed" else {}
                street.close(job, at, outcome=ending, **reason)
            case "head_for" | "arrive" as kind:
                street.tell(kind, job, at)
    except (HubError, AssertionError):
        pass  # what cannot be done now is not done


def settle(street: Street, client: FlaskClient, dice: random.Random) -> None:
    """A dispatcher decides."""
    step = dice.choice([NextStep.ANOTHER_DAY, NextStep.RETRY_TODAY])
    try:
        choose_step(street.hub, street.business_id, street.job.id, step, actor="staff:1")
    except HubError:
        pass


def send(street: Street, client: FlaskClient, dice: random.Random) -> None:
    hub, token = street.hub, street.token
    url = f"/t/{token}"
    with hub.reading() as session:
        link = opened(session, token, hub.now())
        assert link is not None
        before = doing(session, link, hub.now())
    known = wishes(street)
    times = re.findall(r'name="time" value="(\w+)"', client.get(f"{url}/times").text)
    path, form = dice.choice(
        [
            ("do", {"do": "door", "note": f"Note {dice.random()}", "code": ""}),
            ("do", {"do": "leave", "how": "safe_place", "where": f"Shed {dice.random()}"}),
            ("do", {"do": "follow", "what": dice.choice([*Follow]), "where": "Shed"}),
            ("times", {"time": dice.choice(times or ["today", "17"])}),
            ("cancel", {}),
        ]
    )
    form = {**form, "n": str(before.wished.n)}
    answer = client.post(f"{url}/{path}", data=form)
    assert answer.status_code in (200, 303, 409, 422, 429), answer.text
    new = wishes(street)[len(known) :]
    if answer.status_code != 303:
        assert new == []
        return
    for one in new:
        kind = one.kind
        if kind in (Action.NOTE, Action.SAFE_PLACE, Action.CANCEL) and len(new) == 1:
            assert before.answers[Action(kind)].is_open
        elif kind == Action.NEXT_STEP:
            assert before.follows
        elif kind == Action.ANOTHER_SLOT:
            assert before.answers[Action.ANOTHER_SLOT].is_open or before.follows
    again = client.post(f"{url}/{path}", data=form)
    assert again.status_code in (303, 409, 422, 429)
    assert len(wishes(street)) == len(known) + len(new)


def holds(street: Street) -> None:
    """A job is on one route at most, its times do not contradict each other, each wish has its
    event, and the page opens.
    """
    order_id = street.order.id
    with street.hub.reading() as session:
        links = session.exec(select(StopJobRow.job_id)).all()
        assert len(links) == len(set(links))
        ids = session.exec(select(JobRow.id).where(JobRow.order_id == order_id)).all()
        told = session.exec(select(PromiseRow).where(PromiseRow.job_id.in_(ids))).all()  # type: ignore[attr-defined]
        assert all(one.opens < one.closes for one in told if one.n > 0)
    asked = street.day.events("RecipientAsked")
    assert len(asked) == len(wishes(street))
    assert {one.actor for one in asked} <= {"recipient"}
    assert client_of(street).get(f"/t/{street.token}").status_code in (200, 410)


def wishes(street: Street) -> list[WishRow]:
    with street.hub.reading() as session:
        return list(session.exec(select(WishRow).order_by(WishRow.n)))

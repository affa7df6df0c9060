"""What the driver's page asks of the hub, and what strangers get instead."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlmodel import select
from werkzeug.test import TestResponse

from hub.core.jobs import State
from hub.db.tables import ActRow, DeviceRow, JobRow, ProofFileRow, StopJobRow, StopRow
from hub.flows.drive import pair, pairing_code
from hub.flows.prove import verify
from tests.driving_worlds import DAY, PHOTO, TEN, Morning, a_morning
from tests.phone_worlds import driver_app

NOBODY = "0192a000-0000-7000-8000-000000000000"


def a_picture(colour: str = "red", format: str = "JPEG") -> tuple[bytes, str]:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, format)
    return out.getvalue(), hashlib.sha256(out.getvalue()).hexdigest()


class Phone:
    """A paired phone and the hub it talks to."""

    def __init__(self, day: Morning, driver: int = 0) -> None:
        self.day = day
        self.client: FlaskClient = driver_app(day.hub).test_client()
        code = pairing_code(day.hub, day.business_id, day.drivers[driver])
        self.headers = {"Authorization": f"Bearer {pair(day.hub, code)}"}

    def route(self, **headers: str) -> TestResponse:
        return self.client.get("/driver/api/route", headers={**self.headers, **headers})

    def tell(self, *acts: Any) -> TestResponse:
        return self.client.post("/driver/api/acts", json={"acts": acts}, headers=self.headers)

    def put(self, job_id: str, content: bytes, sha256: str, kind: str = "photo") -> TestResponse:
        url = f"/driver/api/files/{job_id}/{sha256}?kind={kind}"
        return self.client.put(url, data=content, headers=self.headers)


def told(act_id: str, kind: str, job_id: str | None = None, **more: Any) -> dict[str, Any]:
    moment = more.pop("occurred_at", TEN.isoformat())
    return {"act_id": act_id, "kind": kind, "occurred_at": moment, "job_id": job_id, **more}


@pytest.fixture
def phone() -> Phone:
    day = a_morning()
    day.publish()
    day.now[0] = TEN
    return Phone(day)


def test_a_code_gives_a_token_once(phone: Phone) -> None:
    day = phone.day
    code = pairing_code(day.hub, day.business_id, day.drivers[0])
    typed = f"{code[:5]}-{code[5:]} ".lower()
    first = phone.client.post("/driver/api/pair", json={"code": typed})
    again = phone.client.post("/driver/api/pair", json={"code": code})
    assert (first.status_code, again.status_code) == (200, 404)
    assert again.content_type == "application/problem+json"
    assert first.headers["Cache-Control"] == "no-store"
    headers = {"Authorization": f"Bearer {first.json['token']}"}
    assert phone.client.get("/driver/api/route", headers=headers).status_code == 200


def test_guessing_codes_is_stopped_per_address_and_per_beginning_of_the_code(phone: Phone) -> None:
    def statuses(n: int, address: str, code: str) -> list[int]:
        asked = {"REMOTE_ADDR": address}
        return [
            phone.client.post(
                "/driver/api/pair", json={"code": code}, environ_overrides=asked
            ).status_code
            for _ in range(n)
        ]

    assert statuses(13, "192.0.2.1", "AAAAAAAAAA") == [404] * 12 + [429]
    others = [statuses(1, f"198.51.100.{n}", "BBBBBBBBBB")[0] for n in range(61)]
    assert others == [404] * 60 + [429]
    assert statuses(1, "203.0.113.9", "CCCCCCCCCC") == [404]


def test_the_route_shows_all_a_driver_needs_at_the_door(phone: Phone) -> None:
    answer = phone.route()
    [route] = answer.json["routes"]
    assert (answer.json["driver"], answer.json["demands"]) == ("Mara", ["photo"])
    assert (route["day"], route["version"], len(route["stops"])) == (DAY.isoformat(), 1, 3)
    [job] = route["stops"][0]["jobs"]
    assert job["lines"] == [{"n": 0, "title": "Parcels", "quantity": 1, "sku": ""}]
    assert job["state"] == State.DISPATCHED
    assert job["opens"] <= job["eta"] < job["closes"]
    assert route["stops"][0]["address"].startswith("Yrjönkatu")


def test_a_van_that_is_early_shows_when_work_begins_not_when_it_is_there(phone: Phone) -> None:
    with phone.day.hub.unit() as unit:
        stop = unit.session.exec(select(StopRow).where(StopRow.n == 1)).one()
        [job] = unit.session.exec(
            select(JobRow)
            .join(StopJobRow, StopJobRow.job_id == JobRow.id)
            .where(StopJobRow.stop_id == stop.id)
        )
        there = stop.arrive_at
        opens, closes = there + timedelta(hours=2), there + timedelta(hours=4)
        over = (there - timedelta(hours=4), there - timedelta(hours=2))
        job.windows = [[one.isoformat() for one in window] for window in (over, (opens, closes))]
    [shown] = phone.route().json["routes"][0]["stops"][0]["jobs"]
    moments = [datetime.fromisoformat(shown[name]) for name in ("arrive_at", "eta", "opens")]
    assert moments == [there, opens, opens]
    assert datetime.fromisoformat(shown["closes"]) == closes


def test_a_failure_needs_no_note_unless_the_business_says_so(phone: Phone) -> None:
    assert phone.route().json["failure_demands"] == []


def test_an_unchanged_route_costs_no_download(phone: Phone) -> None:
    tag = phone.route().headers["ETag"]
    assert phone.route(**{"If-None-Match": tag}).status_code == 304
    phone.tell(told("1", "arrive", phone.day.jobs()[0].id))
    assert phone.route(**{"If-None-Match": tag}).status_code == 200


def test_a_driver_sees_no_draft_no_other_days_and_nobody_elses_route() -> None:
    day = a_morning()
    day.now[0] = TEN
    mine = Phone(day)
    assert mine.route().json["routes"] == []
    day.publish()
    assert len(mine.route().json["routes"]) == 1
    assert Phone(day, driver=1).route().json["routes"] == []
    day.now[0] += timedelta(days=2)
    assert mine.route().json["routes"] == []


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer nobody", "Basic abc"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/driver/api/route"),
        ("POST", "/driver/api/acts"),
        ("PUT", f"/driver/api/files/{NOBODY}/{'0' * 64}?kind=photo"),
    ],
)
def test_without_a_known_token_nothing_is_answered(
    phone: Phone, method: str, path: str, token: str
) -> None:
    answer = phone.client.open(
        path, method=method, json={"acts": []}, headers={"Authorization": token}
    )
    assert answer.status_code == 401
    assert "routes" not in answer.text


def test_a_revoked_phone_is_told_so(phone: Phone) -> None:
    day = phone.day
    with day.hub.unit() as unit:
        for device in unit.session.exec(select(DeviceRow)):
            device.revoked_at = day.hub.now()
    assert phone.route().status_code == 401


def test_acts_are_answered_in_the_order_they_were_sent_and_once(phone: Phone) -> None:
    job = phone.day.jobs()[0].id
    late = (TEN + timedelta(minutes=4)).isoformat()
    acts = [
        told("b", "close", job, occurred_at=late, body={"outcome": "succeeded", "files": PHOTO}),
        told("a", "arrive", job),
    ]
    first = phone.tell(*acts).json["results"]
    assert [(r["act_id"], r["result"], r["repeated"]) for r in first] == [
        ("b", "applied", False),
        ("a", "applied", False),
    ]
    assert [r["repeated"] for r in phone.tell(*acts).json["results"]] == [True, True]
    assert len(phone.day.events("JobClosed")) == 1


BAD: list[Any] = [
    None,
    7,
    [],
    {},
    {"act_id": "x"},
    told("x", "arrive", occurred_at="yesterday"),
    told("x", "arrive", occurred_at="2026-11-23T10:00:00"),
    told("x", "arrive", occurred_at=1_700_000_000),
    told("", "arrive"),
    told("x" * 81, "arrive"),
    told("a b", "arrive"),
    told("x", 5),  # type: ignore[arg-type]
    told("x", "arrive", job_id=4),  # type: ignore[arg-type]
    told("x", "arrive", body="hello"),
    told("x", "arrive", body={"note": "nul \0"}),
    told("x", "arrive", body={"note": "\ud800"}),
    told("x", "arrive", body={"note": "n" * 70_000}),
    told("x", "arrive", surprise=1),
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_malformed_act_gets_its_own_answer_and_the_others_are_taken(
    phone: Phone, bad: Any
) -> None:
    job = phone.day.jobs()[0].id
    body = json.dumps({"acts": [bad, told("good", "arrive", job)]})
    answer = phone.client.post(
        "/driver/api/acts", data=body, content_type="application/json", headers=phone.headers
    )
    first, second = answer.json["results"]
    assert first["result"] == "malformed"
    assert first["why"]
    assert second["result"] == "applied"
    with phone.day.hub.reading() as session:
        assert [row.act_id for row in session.exec(select(ActRow))] == ["good"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 422),
        (b'{"acts": 5}', 422),
        (b'{"acts": [' + b",".join([b"{}"] * 201) + b"]}", 422),
        (b'{"acts": [], "acts": []}', 400),
        (b'{"acts": [' + b"[" * 60 + b"]" * 60 + b"]}", 400),
        (b'{"acts": [NaN]}', 400),
        (b"\xff", 400),
        (b'"' + b"x" * (2 * 1024 * 1024) + b'"', 413),
    ],
    ids=range(9),
)
def test_a_body_that_is_no_batch_is_refused_whole(phone: Phone, body: bytes, status: int) -> None:
    answer = phone.client.post(
        "/driver/api/acts", data=body, content_type="application/json", headers=phone.headers
    )
    assert answer.status_code == status


def test_a_picture_may_come_before_its_act_twice_and_is_in_the_chain(phone: Phone) -> None:
    job = phone.day.jobs()[0].id
    content, sha256 = a_picture()
    assert [phone.put(job, content, sha256).status_code for _ in range(2)] == [200, 200]
    body = {"outcome": "succeeded", "files": [{"kind": "photo", "sha256": sha256}]}
    assert phone.tell(told("1", "close", job, body=body)).json["results"][0]["result"] == "applied"
    with phone.day.hub.reading() as session:
        [row] = session.exec(select(ProofFileRow)).all()
    assert (row.kind, row.media_type, row.size) == ("photo", "image/jpeg", len(content))
    assert row.proof_id is not None
    assert verify(phone.day.hub, phone.day.business_id) == []


def test_the_kind_of_picture_is_what_it_is_not_what_it_is_called(phone: Phone) -> None:
    content, sha256 = a_picture(format="PNG")
    answer = phone.put(phone.day.jobs()[0].id, content, sha256, "signature")
    assert answer.status_code == 200
    with phone.day.hub.reading() as session:
        assert session.exec(select(ProofFileRow)).one().media_type == "image/png"


def gif() -> bytes:
    return a_picture(format="GIF")[0]


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", gif(), a_picture()[0][:300]],
    ids=["empty", "text", "svg", "gif", "cut off"],
)
def test_what_is_no_picture_is_refused(phone: Phone, content: bytes) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    assert phone.put(phone.day.jobs()[0].id, content, sha256).status_code == 422


def test_a_picture_that_changed_on_its_way_or_is_huge_is_refused(phone: Phone) -> None:
    job = phone.day.jobs()[0].id
    assert phone.put(job, a_picture()[0], "0" * 64).status_code == 422
    assert phone.put(job, a_picture()[0], "..%2f..").status_code in (404, 422)
    assert phone.put(job, b"x" * (10 * 1024 * 1024 + 1), "0" * 64).status_code == 413
    assert phone.put(job, *a_picture(), kind="document").status_code == 422


def test_a_picture_of_five_megabytes_is_taken_though_other_bodies_may_not_be_so_large(
    phone: Phone,
) -> None:
    out = io.BytesIO()
    Image.effect_noise((1600, 1600), 90).convert("RGB").save(out, "PNG")
    content = out.getvalue()
    assert len(content) > 2 * 1024 * 1024
    sha256 = hashlib.sha256(content).hexdigest()
    assert phone.put(phone.day.jobs()[0].id, content, sha256).status_code == 200


def test_another_businesss_job_does_not_exist_for_this_phone(phone: Phone) -> None:
    from hub.db.tables import DriverRow
    from hub.flows.found import found

    day = phone.day
    other = found(day.hub, "Other", zone="Europe/Helsinki", country="FI")
    with day.hub.unit() as unit:
        driver = DriverRow(business_id=other, name="Stranger")
        unit.session.add(driver)
    token = pair(day.hub, pairing_code(day.hub, other, driver.id))
    stranger = Phone(day)
    stranger.headers = {"Authorization": f"Bearer {token}"}
    job, route = day.jobs()[0], day.route()
    assert stranger.put(job.id, *a_picture()).status_code == 404
    acts = [
        told("1", "close", job.id, body={"outcome": "succeeded", "files": PHOTO}),
        told("2", "arrive", job.id),
        told("3", "acknowledge", route_id=route.id, body={"version": 1}),
    ]
    results = [one["result"] for one in stranger.tell(*acts).json["results"]]
    assert results == ["refused", "refused", "noted"]
    assert stranger.route().json["routes"] == []
    assert day.jobs()[0].state == State.DISPATCHED
    assert day.route().acknowledged == 0


def test_the_page_and_what_it_keeps_are_served_with_a_policy(phone: Phone) -> None:
    for path in ("/driver/", "/driver/pair"):
        answer = phone.client.get(path)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert '<script type="module"' in answer.text
    worker = phone.client.get("/driver/sw.js")
    assert worker.headers["Cache-Control"] == "no-cache"
    kept = json.loads(worker.text.split("const KEPT = ")[1].split(";")[0])
    assert len(kept) > 15
    for path in kept:
        assert phone.client.get(path).status_code == 200, path
    manifest = json.loads(phone.client.get("/driver/manifest.webmanifest").text)
    for icon in manifest["icons"]:
        with Image.open(io.BytesIO(phone.client.get(icon["src"]).data)) as image:
            assert "x".join(map(str, image.size)) == icon["sizes"]
    assert phone.client.get("/driver/v/0123/app.js").status_code == 404
    assert phone.client.get("/driver/sw.js/../../app.py").status_code == 404


def test_the_shell_is_under_60_kilobytes(phone: Phone) -> None:
    import gzip

    worker = phone.client.get("/driver/sw.js").text
    kept = json.loads(worker.split("const KEPT = ")[1].split(";")[0])
    total = sum(
        len(gzip.compress(phone.client.get(path).data)) for path in [*kept, "/driver/sw.js"]
    )
    assert total < 60 * 1024


def test_vendored_files_are_exactly_what_the_lock_says() -> None:
    folder = Path(__file__).parents[2] / "hub" / "web" / "vendored"
    lock = json.loads((folder / "vendored.lock.json").read_text())
    known = {name: of["sha256"] for entry in lock.values() for name, of in entry["files"].items()}
    found = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "vendored.lock.json"
    }
    assert found == known
    for name, entry in lock.items():
        assert entry["integrity"].startswith("sha512-")
        assert {"version", "license"} <= entry.keys()
        assert f"{name}/LICENSE" in entry["files"]


def test_only_a_driver_who_has_or_had_the_job_may_bring_a_picture_of_it(phone: Phone) -> None:
    day = phone.day
    stranger, job = Phone(day, driver=1), day.jobs()[0].id
    assert stranger.put(job, *a_picture()).status_code == 404
    assert phone.put(job, *a_picture()).status_code == 200
    with day.hub.reading() as session:
        [file] = session.exec(select(ProofFileRow)).all()
        device = session.exec(select(DeviceRow.id).where(DeviceRow.driver_id == day.drivers[0]))
        assert file.device_id in device.all()
    # Told late by a phone the hub never saw with this job: only the very file it named.
    files = [{"kind": "photo", "sha256": a_picture("blue")[1]}]
    close = told("1", "close", job, body={"outcome": "succeeded", "files": files})
    assert stranger.tell(close).json["results"][0]["result"] == "noted"
    assert stranger.put(job, *a_picture("green")).status_code == 404
    assert stranger.put(job, *a_picture("blue")).status_code == 200


def test_a_driver_whose_route_was_handed_over_may_still_bring_what_was_taken(phone: Phone) -> None:
    from hub.flows.dispatch import hand_over

    day, job = phone.day, phone.day.jobs()[0].id
    assert phone.tell(told("1", "head_for", job)).json["results"][0]["result"] == "applied"
    hand_over(
        day.hub,
        day.business_id,
        day.route().id,
        day.drivers[1],
        actor="staff:1",
        expected_version=day.route().version,
        force=True,
    )
    assert phone.put(job, *a_picture()).status_code == 200


@pytest.mark.parametrize(
    "moment",
    [
        "1970-01-01T00:05:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        (TEN - timedelta(days=7, seconds=1)).isoformat(),
    ],
)
def test_a_clock_nobody_can_believe_gives_the_hubs_time_and_blocks_no_other_act(
    phone: Phone, moment: str
) -> None:
    one, two, _ = phone.day.jobs()
    body = {"outcome": "succeeded", "files": PHOTO}
    answer = phone.tell(
        told("1", "close", one.id, body=body, occurred_at=moment), told("2", "arrive", two.id)
    )
    assert answer.status_code == 200
    assert [result["result"] for result in answer.json["results"]] == ["applied", "applied"]
    closed = next(job for job in phone.day.jobs() if job.id == one.id)
    assert closed.closed_occurred_at == TEN
    with phone.day.hub.reading() as session:
        act = session.exec(select(ActRow).where(ActRow.act_id == "1")).one()
    assert act.occurred_at == act.received_at == TEN
    assert datetime.fromisoformat(act.body["phone_said"]) == datetime.fromisoformat(moment)
    assert verify(phone.day.hub, phone.day.business_id) == []


def test_a_phone_without_signal_for_a_week_is_believed_in_its_own_zone(phone: Phone) -> None:
    job, moment = phone.day.jobs()[0].id, "2026-11-16T10:00:00+02:00"
    phone.day.now[0] = TEN - timedelta(hours=2)
    body = {"outcome": "succeeded", "files": PHOTO}
    [result] = phone.tell(told("1", "close", job, body=body, occurred_at=moment)).json["results"]
    assert result["result"] == "applied"
    assert phone.day.jobs()[0].closed_occurred_at == datetime.fromisoformat(moment)
    assert verify(phone.day.hub, phone.day.business_id) == []

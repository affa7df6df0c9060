"""Phones with Traccar Client, OsmAnd or OwnTracks count as phones with our page do."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from hub.db.tables import DeviceRow
from hub.flows.devices import revoke
from hub.flows.pairing import device_for, tracker_key
from hub.flows.readiness import with_phone
from hub.keys import tracker_hash
from hub.live.fixes import Fix
from hub.live.problems import Problem
from hub.live.trackers import read
from tests.driving_worlds import TEN
from tests.live_worlds import SLOW_S, LiveMorning, a_live_morning, at_ms

NOW = 1_795_347_723_000


def one(query: str = "", body: object = None) -> Fix:
    content = (
        body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    )
    [fix] = read(query.encode(), content, NOW)
    return fix


@pytest.mark.parametrize(
    ("query", "at"),
    [  # the forms of traccar.org/osmand
        ("id=902064&lat=42.06288&lon=-88.23412&timestamp=2016-01-27T18%3A55%3A47Z", 1453920947000),
        ("id=902064&lat=42.06288&lon=-88.23412&timestamp=1442068686579", 1442068686579),
        ("lat=42.06288&lon=-88.23412&timestamp=2014-06-04+09%3A10%3A11&id=35", 1401873011000),
        ("deviceid=123456&timestamp=1377177267&location=42.06288,-88.23412", 1377177267000),
        ("lat=42.06288&lon=-88.23412", NOW),
    ],
)
def test_osmand_and_old_traccar_say_it_in_the_query(query: str, at: int) -> None:
    fix = one(query)
    assert (fix.lat, fix.lon, fix.t, fix.seq) == (42.06288, -88.23412, at, at)


def test_traccar_10_says_it_in_a_form_with_speed_in_knots() -> None:
    fix = one(
        body=b"id=drv1&lat=47.14&lon=9.52&timestamp=1795347723&accuracy=5.0&altitude=460.0"
        b"&speed=19.44&bearing=12.0&batt=87.0&charge=false"
    )
    assert fix.spd == pytest.approx(10, abs=0.01)
    assert (fix.acc, fix.hdg, fix.bat) == (5, 12, 87)


def test_a_heartbeat_tells_no_place() -> None:
    assert read(b"", b"id=drv1&timestamp=1795347723&batt=50", NOW) == []


def test_traccar_9_says_it_in_json_with_minus_one_for_what_it_does_not_know() -> None:
    fix = one(
        body={
            "location": {
                "timestamp": "2025-06-15T13:45:12.862Z",
                "coords": {
                    "latitude": 37.4219983,
                    "longitude": -122.084,
                    "accuracy": 5,
                    "speed": -1,
                    "heading": -1,
                },
                "battery": {"level": 0.79, "is_charging": False},
            },
            "device_id": "48241179",
        }
    )
    assert (fix.spd, fix.hdg, fix.bat) == (None, None, 79)
    assert fix.t == 1749995112862


def test_owntracks_says_it_in_kilometres_an_hour() -> None:
    said = {"_type": "location", "tst": 1497349316, "lat": 48.85833, "lon": 2.29513, "vel": 61}
    fix = one(body={**said, "acc": 5, "cog": 271, "batt": 67, "tid": "JJ"})
    assert fix.spd == pytest.approx(16.94, abs=0.01)
    assert (fix.t, fix.hdg, fix.bat) == (1497349316000, 271, 67)


def test_what_else_owntracks_tells_is_no_fix() -> None:
    assert read(b"", b'{"_type":"transition","event":"enter"}', NOW) == []


def test_several_at_once_come_in_the_order_of_time() -> None:
    said = [{"id": "d", "lat": 1, "lon": 2, "timestamp": 1795347733 - n} for n in range(3)]
    assert [fix.t for fix in read(b"", json.dumps(said).encode(), NOW)] == [
        1795347731000,
        1795347732000,
        1795347733000,
    ]


def test_a_bad_position_in_a_list_is_left_out_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    said = [
        {"lat": 1, "lon": 2, "timestamp": 1795347720},
        {"lat": 99, "lon": 2, "timestamp": 1795347721},
        "here",
        {"id": "d", "batt": 50},
    ]
    assert [fix.t for fix in read(b"", json.dumps(said).encode(), NOW, "d1")] == [1795347720000]
    [record] = caplog.records
    assert "device=d1 count=2 of=4: No place on earth" in record.getMessage()


def test_a_list_longer_than_a_call_may_be_is_refused_whole() -> None:
    said = [{"lat": 1, "lon": 2, "timestamp": 1795347000 + n} for n in range(501)]
    assert len(read(b"", json.dumps(said[:500]).encode(), NOW)) == 500
    with pytest.raises(Problem, match="501 positions came at once") as caught:
        read(b"", json.dumps(said).encode(), NOW)
    assert caught.value.status == 413


def test_owntracks_that_encrypts_is_told_to_stop() -> None:
    with pytest.raises(Problem, match="Empty the encryption key") as caught:
        read(b"", b'{"_type":"encrypted","data":"czy0O..."}', NOW)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (b"lat=190&lon=30", b""),
        (b"lat=nan&lon=30", b""),
        (b"lat=60", b""),
        (b"lat=60&lon=30&timestamp=99999999999999999", b""),
        (b"", b""),
        (b"", b"{"),
        (b"", b"[" * 100_000),
        (b"", b'{"a":' * 40_000),
        (b"", b'{"_type": "location", "lat": 1%b, "lon": 2, "tst": 1497349316}' % (b"0" * 400)),
        (b"", b'{"_type": "location", "lat": 1, "lon": 2, "tst": 1%b}' % (b"0" * 400)),
        (b"", b'{"hello": 1}'),
        (b"", b'{"location": {"coords": {"latitude": 1, "longitude": 2}}}'),
        (b"", b'{"_type": "location", "lat": 1, "lon": 2, "tst": "soon"}'),
    ],
)
def test_what_cannot_be_a_fix_is_refused(query: bytes, body: bytes) -> None:
    if query == b"lat=60&lon=30&timestamp=99999999999999999":
        assert read(query, body, NOW)[0].t == NOW
        return
    with pytest.raises(Problem):
        read(query, body, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "location",
                    "coords",
                    "battery",
                    "_type",
                    "lat",
                    "lon",
                    "tst",
                    "timestamp",
                    "level",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON | st.just("location").map(lambda word: {"_type": word}), st.binary(max_size=60))
def test_whatever_a_stranger_sends_is_a_fix_or_a_sentence(said: Any, query: bytes) -> None:
    for body in (json.dumps(said).encode(), query):
        try:
            fixes = read(query, body, NOW)
        except Problem as problem:
            assert problem.status in (400, 422)
        else:
            assert all(-90 <= fix.lat <= 90 and -180 <= fix.lon <= 180 for fix in fixes)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveMorning]:
    url = f"sqlite:///{tmp_path_factory.mktemp('trackers') / 'hub.db'}"
    with a_live_morning(url) as world:
        yield world


def app_of(day: LiveMorning, driver_id: str) -> str:
    """The address of an app that tells where the driver is."""
    key = tracker_key(day.hub, day.morning.business_id, driver_id, actor="staff:1")
    return f"/live/trackers/{key}"


def device_at(day: LiveMorning, address: str) -> DeviceRow:
    known = tracker_hash(address.rsplit("/", 1)[1])
    with day.hub.reading() as session:
        return session.exec(select(DeviceRow).where(DeviceRow.token_hash == known)).one()


def seqs(day: LiveMorning, address: str) -> list[int]:
    device = device_at(day, address)
    track = day.hub.positions.track(day.morning.business_id, device.id, 0, at_ms(TEN) * 2)
    return [one.seq for one in track]


def test_each_of_them_is_answered_as_it_expects_and_stored(day: LiveMorning) -> None:
    at = app_of(day, day.morning.drivers[0])
    moments = [at_ms(TEN - timedelta(minutes=n)) for n in (3, 2, 1)]
    query = urlencode({"lat": 60.17, "lon": 24.94, "timestamp": moments[0]})
    assert day.served.ask("GET", f"{at}?{query}").body == b""
    form = urlencode({"lat": 60.17, "lon": 24.94, "timestamp": moments[1]}).encode()
    assert day.served.ask("POST", at, form).status == 200
    own = {"_type": "location", "tst": moments[2] // 1000, "lat": 60.17, "lon": 24.94}
    assert day.served.ask("POST", at, own).body == b"[]"
    assert day.served.ask("POST", at, own).body == b"[]", "it sends what it is not sure of again"
    assert seqs(day, at) == moments


def test_positions_from_a_cellar_are_kept_after_newer_ones(day: LiveMorning) -> None:
    at = app_of(day, day.morning.drivers[0])
    moments = [at_ms(TEN - timedelta(minutes=n)) for n in (4, 3, 2, 1)]
    for moment in (moments[2], moments[0], moments[3], moments[1]):
        query = urlencode({"lat": 60.17, "lon": 24.94, "timestamp": moment})
        assert day.served.ask("GET", f"{at}?{query}").status == 200
    assert seqs(day, at) == moments


def test_a_tracker_that_is_not_known_is_told_so(day: LiveMorning) -> None:
    assert day.served.ask("GET", "/live/trackers/nobody?lat=1&lon=2").status == 401


def test_the_key_of_an_app_opens_nothing_but_its_own_address(day: LiveMorning) -> None:
    paired = with_phone(day.hub, day.morning.business_id)
    at = app_of(day, day.morning.drivers[0])
    key = at.rsplit("/", 1)[1]
    assert device_for(day.hub, key) is None
    sent = {"fixes": [{"seq": 1, "t": at_ms(TEN), "lat": 60.17, "lon": 24.94, "acc": 5}]}
    assert day.served.ask("POST", "/live/fixes", sent, Authorization=f"Bearer {key}").status == 401
    assert day.served.ask("GET", f"/live/trackers/{day.phones[0]}?lat=1&lon=2").status == 401
    assert with_phone(day.hub, day.morning.business_id) == paired, "a tracker shows no route"


def test_an_app_that_was_shut_out_is_answered_no_more(day: LiveMorning) -> None:
    at = app_of(day, day.morning.drivers[0])
    assert day.served.ask("GET", f"{at}?lat=60.17&lon=24.94").status == 200
    revoke(day.hub, day.morning.business_id, device_at(day, at).id, actor="staff:1")
    until = time.monotonic() + SLOW_S
    while day.served.ask("GET", f"{at}?lat=60.17&lon=24.94").status != 401:
        assert time.monotonic() < until
        time.sleep(0.1)

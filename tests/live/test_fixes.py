"""Fixes come in from phones that are known, on shift, and are safe when they are told so."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlmodel import select

from hub.core.tracking_page import OVERDUE
from hub.db.engine import libpq_url, sqlite_module
from hub.db.tables import ShiftRow
from hub.flows.devices import revoke
from hub.flows.drive import device_for
from hub.live import limits
from tests.driving_worlds import SIX, TEN
from tests.live_worlds import EIGHT, SLOW_S, LiveMorning, Said, a_live_morning, at_ms, fix

MINUTE = timedelta(minutes=1)
HOURS = timedelta(hours=9)


@pytest.fixture
def day(database_url: str) -> Iterator[LiveMorning]:
    with a_live_morning(database_url) as world:
        yield world


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveMorning]:
    """For tests that change nothing."""
    url = f"sqlite:///{tmp_path_factory.mktemp('lasting') / 'hub.db'}"
    with a_live_morning(url) as world:
        yield world


def stored(day: LiveMorning) -> list[int]:
    device = device_for(day.hub, day.phones[0])
    assert device is not None
    track = day.hub.positions.track(day.morning.business_id, device.id, 0, at_ms(TEN) * 2)
    return [one.seq for one in track]


def test_a_batch_is_answered_with_the_number_up_to_which_all_is_safe(day: LiveMorning) -> None:
    answer = day.post(fix(7, TEN - MINUTE), fix(9, TEN, spd=3.5, hdg=90, bat=66, mock=False))
    assert answer.status == 200
    assert answer.json == {"seq": 9, "kept": 2, "dropped": 0, "why": ""}
    assert stored(day) == [7, 9]
    [last] = day.hub.positions.last(day.morning.business_id)
    assert (last.driver_id, last.at_ms) == (day.morning.drivers[0], at_ms(TEN))


def test_the_same_batch_again_changes_nothing_and_is_answered_alike(day: LiveMorning) -> None:
    first = day.post(fix(1, TEN - MINUTE), fix(2, TEN))
    assert day.post(fix(1, TEN - MINUTE), fix(2, TEN)).json == first.json
    assert day.post(fix(1, TEN - MINUTE)).json == {"seq": 1, "kept": 1, "dropped": 0, "why": ""}
    assert stored(day) == [1, 2]


def test_a_fix_that_others_overtook_is_kept_and_answered_for_itself(day: LiveMorning) -> None:
    day.post(fix(1000, TEN - MINUTE))
    answer = day.post(fix(500, TEN - 3 * MINUTE), fix(501, TEN - 2 * MINUTE))
    assert answer.json == {"seq": 501, "kept": 2, "dropped": 0, "why": ""}
    assert stored(day) == [500, 501, 1000]


def test_a_number_given_twice_is_said(day: LiveMorning) -> None:
    day.post(fix(1, TEN - MINUTE), fix(2, TEN))
    answer = day.post(fix(1, TEN - 2 * MINUTE))
    assert (answer.json["kept"], answer.json["dropped"]) == (0, 1)
    assert "same numbers" in answer.json["why"]


def test_a_shift_that_nobody_ended_is_over_six_hours_after_its_planned_end(
    day: LiveMorning,
) -> None:
    with day.hub.reading() as session:
        over_at = session.exec(select(ShiftRow.ends_at)).one() + OVERDUE
    day.morning.now[0] = over_at + timedelta(days=2)
    answer = day.post(fix(1, over_at - MINUTE), fix(2, over_at + MINUTE), fix(3, over_at + HOURS))
    assert (answer.json["kept"], answer.json["dropped"]) == (1, 2)
    assert stored(day) == [1]


def test_nothing_is_kept_of_a_driver_who_is_not_on_shift(day: LiveMorning) -> None:
    answer = day.post(fix(1, TEN), phone=1)
    assert answer.json["kept"] == 0
    assert answer.json["seq"] == 1, "the phone would send it for ever"
    assert "not on a shift" in answer.json["why"]
    assert day.hub.positions.last(day.morning.business_id) == []


def test_an_app_that_tells_positions_off_shift_has_no_routes_looked_up(day: LiveMorning) -> None:
    """Each batch did, in the two threads that read the news."""
    day.post(fix(1, TEN), phone=1)
    asked: list[str] = []
    engine = day.served.live.world._engine
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    for seq in (2, 3):
        assert day.post(fix(seq, TEN), phone=1).json["kept"] == 0
    assert any("event" in one for one in asked)
    assert [one for one in asked if "route" in one] == []


def test_what_lies_before_or_after_the_shift_is_dropped_and_the_rest_kept(
    day: LiveMorning,
) -> None:
    day.end(TEN - 10 * MINUTE)
    answer = day.post(
        fix(1, EIGHT - MINUTE), fix(2, EIGHT + MINUTE), fix(3, TEN - 11 * MINUTE), fix(4, TEN)
    )
    assert answer.json == {
        "seq": 4,
        "kept": 2,
        "dropped": 2,
        "why": "2 fixes were not kept: the driver was not on a shift.",
    }
    assert stored(day) == [2, 3]


def test_a_shift_that_began_a_moment_ago_counts_at_once(database_url: str) -> None:
    """The act that begins it travels another way and may come after fixes were refused."""
    with a_live_morning(database_url, begun=False) as day:
        assert day.post(fix(1, TEN)).json["kept"] == 0
        day.begin()
        assert day.post(fix(2, TEN)).json["kept"] == 1


def until_stored(day: LiveMorning, *seqs: int) -> None:
    until = time.monotonic() + SLOW_S
    while stored(day) != list(seqs):
        assert time.monotonic() < until, stored(day)
        time.sleep(0.05)


def test_what_came_after_a_shift_goes_once_its_end_is_known(day: LiveMorning) -> None:
    """The end waited on the phone without signal, and is news a moment later than it is taken."""
    day.post(fix(1, TEN - 3 * MINUTE, 60.171), fix(2, TEN - MINUTE, 60.172))
    day.act("end", "end_shift", TEN - 2 * MINUTE)
    day.post(fix(3, TEN, 60.173))
    until_stored(day, 1)
    [last] = day.hub.positions.last(day.morning.business_id)
    assert (last.seq, last.lat) == (1, 60.171)
    assert day.post(fix(4, TEN)).json["kept"] == 0


def test_what_came_after_a_shift_goes_also_where_no_live_process_hears_of_its_end(
    day: LiveMorning,
) -> None:
    day.post(fix(1, TEN - 3 * MINUTE), fix(2, TEN - MINUTE))
    day.served.stop()
    day.act("end", "end_shift", TEN - 2 * MINUTE)
    assert stored(day) == [1, 2]
    day.hub.deliver_events()
    assert stored(day) == [1]


def test_a_clock_that_runs_ahead_is_said(day: LiveMorning) -> None:
    assert day.post(fix(1, TEN + timedelta(seconds=59))).json["kept"] == 1
    answer = day.post(fix(2, TEN + timedelta(minutes=20)))
    assert answer.json["dropped"] == 1
    assert "clock is 1200 s ahead" in answer.json["why"]


def test_a_revoked_phone_is_shut_out_within_two_seconds(day: LiveMorning) -> None:
    device = device_for(day.hub, day.phones[0])
    assert device is not None
    assert day.post(fix(1, TEN)).status == 200
    stream = day.served.watch("/live/driver", Authorization=f"Bearer {day.phones[0]}")
    revoke(day.hub, day.morning.business_id, device.id, actor="staff:1")
    assert stream.is_closed()
    assert day.post(fix(2, TEN)).status == 401


def refused(answer: Said, status: int) -> str:
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json
    assert problem["status"] == status
    return json.dumps(problem)


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Bearer", "Basic eDp5", "Bearer é"])
def test_a_phone_that_is_not_known_is_told_so(lasting: LiveMorning, header: str) -> None:
    answer = lasting.served.ask("POST", "/live/fixes", {"fixes": []}, Authorization=header)
    assert "pair it again" in refused(answer, 401)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"lat": 91}, "/fixes/1/lat"),
        ({"lon": "24"}, "/fixes/1/lon"),
        ({"acc": -1}, "/fixes/1/acc"),
        ({"seq": 0}, "/fixes/1/seq"),
        ({"seq": 2**53}, "/fixes/1/seq"),
        ({"seq": 1.5}, "/fixes/1/seq"),
        ({"t": -1}, "/fixes/1/t"),
        ({"t": 10**18}, "/fixes/1/t"),
        ({"hdg": 361}, "/fixes/1/hdg"),
        ({"bat": 101}, "/fixes/1/bat"),
        ({"mock": 1}, "/fixes/1/mock"),
        ({"spd": None, "speed": 1}, "/fixes/1"),
    ],
)
def test_a_fix_that_cannot_be_is_named(
    lasting: LiveMorning, change: dict[str, object], pointer: str
) -> None:
    answer = lasting.post(fix(1, TEN), {**fix(2, TEN), **change})
    assert f'"pointer": "{pointer}"' in refused(answer, 422)
    assert stored(lasting) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"fixes": [NaN]}',
        b'{"fixes": [' + b"[" * 100_000,
        b'{"fixes": "\xc3"}',
    ],
)
def test_what_is_not_json_is_said(lasting: LiveMorning, body: bytes) -> None:
    answer = lasting.served.ask(
        "POST", "/live/fixes", body, Authorization=f"Bearer {lasting.phones[0]}"
    )
    assert answer.status in (400, 422)
    refused(answer, answer.status)


@pytest.mark.parametrize("fixes", [[], [fix(n, TEN) for n in range(1, 502)], {}, [1], None])
def test_a_batch_has_from_one_to_five_hundred_fixes(lasting: LiveMorning, fixes: object) -> None:
    answer = lasting.served.ask(
        "POST", "/live/fixes", {"fixes": fixes}, Authorization=f"Bearer {lasting.phones[0]}"
    )
    refused(answer, 422)


def test_a_body_too_large_is_refused_before_it_is_read(lasting: LiveMorning) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(lasting.served.at))
        raw.settimeout(5)
        head = (
            f"POST /live/fixes HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {lasting.phones[0]}"
            "\r\nContent-Length: 256001\r\n\r\n"
        )
        raw.sendall(head.encode())
        assert b" 413 " in raw.recv(64)


def test_a_body_in_chunks_is_held_to_the_same_size(lasting: LiveMorning) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(lasting.served.at))
        raw.settimeout(5)
        head = (
            f"POST /live/fixes HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {lasting.phones[0]}"
            "\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        raw.sendall(head.encode())
        try:
            for _ in range(9):
                raw.sendall(b"8000\r\n" + b" " * 0x8000 + b"\r\n")
        except BrokenPipeError:
            pass
        assert b" 413 " in raw.recv(64)


def test_a_head_without_end_is_cut_off(lasting: LiveMorning) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(lasting.served.at))
        raw.settimeout(5)
        raw.sendall(b"GET /live/healthz HTTP/1.1\r\nHost: hub\r\n")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for n in range(2000):
                raw.sendall(b"X-Long-%d: " % n + b"x" * 200 + b"\r\n")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/live/fixes", 405),
        ("PUT", "/live/fixes", 405),
        ("POST", "/live/board", 405),
        ("GET", "/live/nowhere", 404),
        ("GET", "/", 404),
        ("GET", "/live/t/a/b/c", 404),
        ("GET", "/live/t/%00%ff", 404),
        ("GET", "/live/board", 401),
        ("GET", "/live/driver", 401),
    ],
)
def test_what_is_not_there_is_said(
    lasting: LiveMorning, method: str, path: str, status: int
) -> None:
    refused(lasting.served.ask(method, path), status)


def test_nothing_is_acknowledged_while_the_file_is_locked(day: LiveMorning) -> None:
    if day.hub.settings.database_url.startswith("postgresql"):
        import psycopg

        locking = psycopg.connect(libpq_url(day.hub.settings.database_url))
        locking.execute("LOCK TABLE last_fix IN EXCLUSIVE MODE")
    else:
        locking = sqlite_module().connect(day.hub.settings.data_dir / "positions.db")
        locking.execute("BEGIN IMMEDIATE")
    answer = day.post(fix(1, TEN))
    assert "Keep them" in refused(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    locking.rollback()
    locking.close()
    assert day.post(fix(1, TEN)).json["kept"] == 1
    assert stored(day) == [1]


def test_who_guesses_tokens_is_held_off(lasting: LiveMorning) -> None:
    caller = {"X-Forwarded-For": "203.0.113.9"}
    answers = [
        lasting.served.ask("GET", f"/live/t/guess{n}", **caller).status
        for n in range(limits.GUESSES + 2)
    ]
    assert answers[0] == 404
    assert answers[-1] == 429
    other = lasting.served.ask("GET", "/live/t/guess", X_Forwarded_For="203.0.113.10")
    assert other.status == 404


def test_who_has_a_token_is_not_held_off_by_those_who_guess_beside_him(day: LiveMorning) -> None:
    caller = {"X-Forwarded-For": "203.0.113.9"}
    for n in range(limits.GUESSES + 2):
        last = day.served.ask("GET", "/live/driver", Authorization=f"Bearer {n}", **caller)
    assert "ten minutes" in refused(last, 429)
    sent = {"fixes": [fix(1, TEN)]}
    known = {"Authorization": f"Bearer {day.phones[0]}", **caller}
    assert day.served.ask("POST", "/live/fixes", sent, **known).json["kept"] == 1
    assert day.served.ask("GET", f"/live/t/{day.link()}/now", **caller).status == 200


def test_a_page_too_many_is_told_to_ask_now_and_then(
    lasting: LiveMorning, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STREAMS", 2)
    caller = {"X-Forwarded-For": "203.0.113.11"}
    link = f"/live/t/{lasting.link()}"
    first, _ = (lasting.served.watch(link, **caller) for _ in range(2))
    assert "now and then" in refused(lasting.served.ask("GET", link, **caller), 503)
    assert lasting.served.ask("GET", f"{link}/now", **caller).status == 200
    first.close()
    until = time.monotonic() + SLOW_S
    while True:
        try:
            return lasting.served.watch(link, **caller).close()
        except AssertionError:
            assert time.monotonic() < until, "the place was not given back"
            time.sleep(0.05)


def test_a_night_without_signal_comes_in_by_five_hundreds(day: LiveMorning) -> None:
    fixes = [fix(n, EIGHT + timedelta(seconds=n)) for n in range(1, 1201)]
    for n in range(0, 1200, 400):
        assert day.post(*fixes[n : n + 400]).json["kept"] == 400
    assert len(stored(day)) == 1200
    assert SIX < EIGHT

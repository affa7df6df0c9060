"""The REST API: orders in and out, done once, and no business sees another's."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate
from sqlmodel import func, select
from werkzeug.test import TestResponse

from hub.app import Hub
from hub.core.jobs import State
from hub.db.tables import IdempotencyRow, JobRow, OrderRow
from hub.flows.api_keys import make_key, revoke_key
from hub.flows.brand import add_brand
from hub.flows.found import found
from hub.flows.orders import connection_ids
from hub.flows.sync import store_all
from hub.web.api_models import OrderIn
from hub.web.app import create_app

NOON = datetime(2026, 11, 23, 10, tzinfo=UTC)
ORDERS = "/api/v1/orders"
BOTH = ("orders:read", "orders:write")


@dataclass
class World:
    hub: Hub
    client: FlaskClient
    business: str
    key: str
    other: str
    others_key: str

    def call(
        self, method: str, path: str, body: Any = None, *, key: str = "", once: str = ""
    ) -> TestResponse:
        headers = {"Authorization": f"Bearer {key or self.key}"}
        if once:
            headers["Idempotency-Key"] = once
        if body is None:
            return self.client.open(path, method=method, headers=headers)
        return self.client.open(path, method=method, headers=headers, json=body)

    def order(self, ref: str = "1001", **more: Any) -> dict[str, Any]:
        answer = self.call("POST", ORDERS, an_order(ref, **more))
        assert answer.status_code == 201, answer.text
        order: dict[str, Any] = answer.get_json()["orders"][0]
        return order

    def count(self) -> int:
        with self.hub.reading() as session:
            return session.exec(select(func.count()).select_from(OrderRow)).one()


@pytest.fixture
def world() -> World:
    hub = Hub.in_memory(object(), now=lambda: NOON)
    mine = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    other = found(hub, "Rival", zone="Europe/Helsinki", country="FI")
    return World(
        hub,
        create_app(hub).test_client(),
        mine,
        make_key(hub, mine, "shop", BOTH)[1],
        other,
        make_key(hub, other, "shop", BOTH)[1],
    )


def an_order(ref: str = "1001", **more: Any) -> dict[str, Any]:
    return {
        "ref": ref,
        "address": {"lines": ["Mannerheimintie 14"], "city": "Helsinki", "country": "FI"},
        "contacts": [{"name": "Aino Laine", "phone": "040 123 4567"}],
        "lines": [{"title": "Rye bread", "quantity": 2, "weight_g": 500}],
        "windows": [{"opens": "2026-11-23T10:00:00+02:00", "closes": "2026-11-23T12:00:00+02:00"}],
    } | more


def is_problem(answer: TestResponse, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    problem: dict[str, Any] = answer.get_json()
    assert problem["status"] == status
    assert problem["error_id"]
    return problem


def test_an_order_sent_can_be_read_with_its_job_and_tracking_link(world: World) -> None:
    sent = world.order()
    read = world.call("GET", f"{ORDERS}/{sent['id']}").get_json()
    assert read == sent
    assert read["contacts"][0]["phone"] == "+358401234567"
    assert [job["state"] for job in read["jobs"]] == ["created"]
    assert read["tracking_url"].startswith("http")


@pytest.mark.parametrize("ahead", ["2026-11-23T10:04:00Z", "2027-01-01T00:00:00Z"])
def test_a_report_without_a_time_is_newer_than_what_is_known(world: World, ahead: str) -> None:
    """A time from a clock ahead of ours froze the order: what came later was dropped unsaid."""
    world.order(updated_at=ahead)
    amended = world.call("POST", ORDERS, an_order(instructions="New gate code")).get_json()
    assert (amended["amended"], amended["orders"][0]["instructions"]) == (1, "New gate code")


def test_a_clock_far_ahead_of_ours_does_not_outdate_later_reports(world: World) -> None:
    world.order(updated_at="2027-01-01T00:00:00Z")
    later = an_order(instructions="New gate code", updated_at="2026-11-23T10:06:00Z")
    assert world.call("POST", ORDERS, later).get_json()["amended"] == 1


def test_an_order_sent_again_amends_it_or_changes_nothing(world: World) -> None:
    world.order()
    again = world.call("POST", ORDERS, an_order()).get_json()
    assert (again["placed"], again["unchanged"]) == (0, 1)
    amended = world.call("POST", ORDERS, an_order(instructions="Ring twice")).get_json()
    assert amended["amended"] == 1
    assert amended["orders"][0]["instructions"] == "Ring twice"
    assert world.count() == 1


def test_a_list_is_stored_whole_or_not_at_all(world: World) -> None:
    bad = an_order("2") | {"lines": [{"title": "x", "quantity": -1}]}
    problem = is_problem(world.call("POST", ORDERS, [an_order("1"), bad]), 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/1/lines/0/quantity"]
    unknown = an_order("3", source="nowhere")
    problem = is_problem(world.call("POST", ORDERS, [an_order("1"), unknown]), 422)
    assert problem["errors"][0]["pointer"] == "/1/source"
    problem = is_problem(world.call("POST", ORDERS, [an_order("1"), an_order("1")]), 422)
    assert problem["errors"][0]["pointer"] == "/1/ref"
    assert world.count() == 0
    assert world.call("POST", ORDERS, [an_order("1"), an_order("2")]).get_json()["placed"] == 2


def test_at_most_a_thousand_orders_at_once(world: World) -> None:
    is_problem(world.call("POST", ORDERS, [an_order(str(n)) for n in range(1001)]), 422)


def test_pages_follow_one_another_without_gap_or_repeat(world: World) -> None:
    world.call("POST", ORDERS, [an_order(str(n)) for n in range(7)])
    seen, path = [], f"{ORDERS}?limit=3"
    while path:
        page = world.call("GET", path).get_json()
        seen += [order["id"] for order in page["orders"]]
        path = f"{ORDERS}?limit=3&after={page['next']}" if page["next"] else ""
    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen)
    assert len(world.call("GET", f"{ORDERS}?ref=4").get_json()["orders"]) == 1
    assert world.call("GET", f"{ORDERS}?source=csv").get_json()["orders"] == []


def test_a_patch_changes_only_what_it_names(world: World) -> None:
    order = world.order(point={"lat": 60.17, "lon": 24.93})
    path = f"{ORDERS}/{order['id']}"
    changed = world.call("PATCH", path, {"priority": 3, "due_on": "2026-11-24"}).get_json()
    assert changed["priority"] == 3
    assert changed["jobs"][0]["due_on"] == "2026-11-24"
    assert changed["lines"] == order["lines"]
    assert changed["point"] == order["point"]
    moved = world.call("PATCH", path, {"address": {"lines": ["Yrjönkatu 10"]}}).get_json()
    assert moved["point"] is None, "the old address's point must not stay"
    is_problem(world.call("PATCH", path, {"address": {"lines": []}}), 422)
    is_problem(world.call("PATCH", path, {"status": "cancelled"}), 422)


def test_what_planning_may_do_with_an_order_comes_back_as_sent(world: World) -> None:
    asked = {
        "optional": True,
        "prize": 1250,
        "ready_at": "2026-11-24T08:30:00Z",
        "max_on_board_s": 5400,
        "loads": {"pallets": 2},
        "only_driver": "Mara",
        "not_drivers": ["Otso"],
        "brand": "main",
        "goods": ["ice", "raw fish"],
        "wished": {"opens": "2026-11-24T10:00:00Z", "closes": "2026-11-24T11:00:00Z"},
        "wished_per_hour": 500,
        "access_s": 180,
    }
    order = world.order(**asked)
    assert {name: order[name] for name in asked} == asked
    path = f"{ORDERS}/{order['id']}"
    changed = world.call("PATCH", path, {"only_driver": "", "ready_at": None}).get_json()
    assert (changed["only_driver"], changed["ready_at"]) == ("", None)
    assert changed["loads"] == {"pallets": 2}
    problem = is_problem(world.call("PATCH", path, {"loads": {"kg": 2}}), 422)
    assert "told by lines and parcels" in str(problem["errors"])
    is_problem(world.call("PATCH", path, {"max_on_board_s": 0}), 422)
    line = {"title": "Salmon", "goods": "Raw  Fish"}
    changed = world.call("PATCH", path, {"goods": [], "lines": [line]}).get_json()
    assert (changed["goods"], changed["lines"][0]["goods"]) == ([], "raw fish")
    problem = is_problem(world.call("PATCH", path, {"goods": ["fish/bread"]}), 422)
    assert "one kind of goods" in str(problem["errors"])


@pytest.mark.parametrize("line", ["---", "😀", "  "])
def test_an_address_without_a_letter_or_digit_is_refused_new_or_changed(
    world: World, line: str
) -> None:
    nowhere = {"lines": [line], "country": "FI"}
    is_problem(world.call("POST", ORDERS, an_order("2", address=nowhere)), 422)
    order = world.order()
    problem = is_problem(world.call("PATCH", f"{ORDERS}/{order['id']}", {"address": nowhere}), 422)
    assert "address" in problem["detail"]


def test_cancelling_closes_the_jobs_and_may_be_repeated(world: World) -> None:
    order = world.order(updated_at="2030-01-01T00:00:00Z")  # a source whose clock is ahead
    path = f"{ORDERS}/{order['id']}"
    for _ in range(2):
        cancelled = world.call("POST", f"{path}/cancel").get_json()
        assert cancelled["status"] == "cancelled"
        assert cancelled["jobs"][0]["outcome"] == "cancelled"
    is_problem(world.call("PATCH", path, {"priority": 1}), 409)
    problem = is_problem(world.call("POST", ORDERS, an_order()), 422)
    assert problem["errors"][0]["pointer"] == "/ref"


def test_a_delivered_order_cannot_be_cancelled(world: World) -> None:
    order = world.order()
    with world.hub.unit() as unit:
        job = unit.session.exec(select(JobRow)).one()
        job.state, job.outcome = State.CLOSED, "succeeded"
    is_problem(world.call("POST", f"{ORDERS}/{order['id']}/cancel"), 409)


def test_the_same_idempotency_key_gets_the_same_answer(world: World) -> None:
    first = world.call("POST", ORDERS, an_order(), once="a")
    again = world.call("POST", ORDERS, an_order(), once="a")
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    is_problem(world.call("POST", ORDERS, an_order("1002"), once="a"), 422)
    theirs = world.call("POST", ORDERS, an_order(), once="a", key=world.others_key)
    assert theirs.get_json()["placed"] == 1, "keys belong to one business each"


def test_a_repeat_while_the_first_is_worked_on_is_asked_to_wait(world: World) -> None:
    world.call("POST", ORDERS, an_order(), once="a")
    with world.hub.unit() as unit:
        unit.session.exec(select(IdempotencyRow)).one().status = None
    is_problem(world.call("POST", ORDERS, an_order(), once="a"), 409)


def test_what_a_process_that_died_had_begun_is_done_by_who_asks_again(world: World) -> None:
    first = world.call("POST", ORDERS, an_order(), once="a").get_json()
    with world.hub.unit() as unit:
        row = unit.session.exec(select(IdempotencyRow)).one()
        row.status, row.at = None, row.at - timedelta(minutes=3)
    again = world.call("POST", ORDERS, an_order(), once="a")
    assert (again.status_code, again.get_json()["unchanged"]) == (200, 1)
    assert first["placed"] == 1


def test_many_at_once_with_one_key_store_one_order_and_agree(database_url: str) -> None:
    hub = Hub.in_memory(object(), now=lambda: NOON, url=database_url)
    business = found(hub, "Husk", zone="Europe/Helsinki", country="FI")
    _, key = make_key(hub, business, "shop", BOTH)
    app = create_app(hub)
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "a"}

    def send(_: int) -> TestResponse:
        return app.test_client().post(ORDERS, json=an_order(), headers=headers)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(12)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.text for answer in answers if answer.status_code == 201}) == 1
    with hub.reading() as session:
        assert session.exec(select(func.count()).select_from(OrderRow)).one() == 1
    hub.engine.dispose()


def test_a_refused_request_frees_its_idempotency_key(world: World) -> None:
    is_problem(world.call("POST", ORDERS, an_order(source="nowhere"), once="a"), 422)
    assert world.call("POST", ORDERS, an_order(), once="a").status_code == 201


def test_no_route_shows_or_changes_another_business_s_order(world: World) -> None:
    order = world.order()
    path, key = f"{ORDERS}/{order['id']}", world.others_key
    for answer in (
        world.call("GET", path, key=key),
        world.call("PATCH", path, {"priority": 9}, key=key),
        world.call("POST", f"{path}/cancel", key=key),
    ):
        is_problem(answer, 404)
    assert world.call("GET", ORDERS, key=key).get_json() == {"orders": [], "next": None}
    theirs = world.call("POST", ORDERS, an_order(), key=key).get_json()
    assert theirs["placed"] == 1
    assert theirs["orders"][0]["id"] != order["id"]
    assert world.call("GET", path).get_json() == order


def test_keys_open_only_what_their_scopes_say(world: World) -> None:
    key_id, reader = make_key(world.hub, world.business, "reports", ["orders:read"])
    assert world.call("GET", ORDERS, key=reader).status_code == 200
    is_problem(world.call("POST", ORDERS, an_order(), key=reader), 403)
    assert not revoke_key(world.hub, world.other, key_id)
    assert revoke_key(world.hub, world.business, key_id)
    is_problem(world.call("GET", ORDERS, key=reader), 401)
    is_problem(world.client.get(ORDERS), 401)
    with pytest.raises(ValueError, match="orders:all"):
        make_key(world.hub, world.business, "x", ["orders:all"])


BASE = json.dumps(an_order())[1:-1]
HOSTILE = {
    "empty": b"",
    "not JSON": b"{",
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 50_000,
    "escaped quotes without end": b'"' + b'\\"' * 500_000,
    "NaN": b'{"ref":"1","priority":NaN}',
    "Infinity": b'{"ref":"1","point":{"lat":Infinity,"lon":0}}',
    "1e400": b'{"ref":"1","point":{"lat":1e400,"lon":0}}',
    "huge int": b'{"priority":' + b"9" * 10_000 + b"}",
    "duplicate names": b'{"ref":"1","ref":"2"}',
    "UTF-16": json.dumps(an_order()).encode("utf-16"),
    "not UTF-8": b'{"ref":"\xff"}',
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(an_order()).encode(),
    "null": b"null",
    "number": b"7",
    "list of nulls": b"[null]",
    "surrogate name": b'{"\\ud800":1}',
    "surrogate value": b'{"ref":"\\ud800"}',
    "NUL name": b'{"\\u0000":1}',
    **{
        f"field {n}": f"{{{BASE},{field}}}".replace('"ref": "1001", ', "").encode()
        for n, field in enumerate(
            [
                '"ref":"a\\u0000b"',
                '"ref":""',
                '"ref":5',
                '"ref":"' + "x" * 300 + '"',
                f'"ref":"1","priority":{2**70}',
                '"ref":"1","priority":true',
                '"ref":"1","parcels":1.5',
                f'"ref":"1","service_s":{2**40}',
                '"ref":"1","due_on":"0001-01-01"',
                '"ref":"1","due_on":20261123',
                '"ref":"1","updated_at":"0001-01-01T00:00:00+14:00"',
                '"ref":"1","updated_at":"2026-01-01T00:00:00"',
                '"ref":"1","updated_at":"9999-12-31T23:59:59-14:00"',
                '"ref":"1","updated_at":1e300',
                '"ref":"1","business_id":"x"',
                '"ref":"1","status":"cancelled"',
                '"ref":"1","custom":{"a":"\\u0000"}',
                '"ref":"1","custom":{"":"a"}',
                '"ref":"1","custom":{"a":{"b":1}}',
                '"ref":"1","payment_due":"12,50"',
                '"ref":"1","point":{"lat":91,"lon":0}',
                '"ref":"1","kind":"steal"',
                '"ref":"1","pick_up":{"address":{"lines":["!"]}}',
            ]
        )
    },
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_are_refused_and_leave_nothing(world: World, name: str) -> None:
    headers = {"Authorization": f"Bearer {world.key}"}
    for wrap in (HOSTILE[name], b"[" + HOSTILE[name] + b",7]"):
        answer = world.client.post(
            ORDERS, data=wrap, headers=headers, content_type="application/json"
        )
        assert answer.status_code in (400, 422), answer.text
        is_problem(answer, answer.status_code)
    assert world.count() == 0


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"ref": "e\x1b3"}, "/ref"),
        ({"number": "a\nb"}, "/number"),
        ({"number": "a\u2028b"}, "/number"),
        ({"address": {"lines": ["K\x07 1"]}}, "/address/lines/0"),
        ({"contacts": [{"name": "a\r\nBcc: x"}]}, "/contacts/0/name"),
        ({"lines": [{"title": "a\x9bb"}]}, "/lines/0/title"),
        ({"instructions": "Ring\x1b[2J"}, "/instructions"),
    ],
)
def test_what_would_break_a_line_or_a_terminal_is_refused_by_field(
    world: World, wrong: dict[str, Any], where: str
) -> None:
    problem = is_problem(world.call("POST", ORDERS, an_order() | wrong), 422)
    assert [error["pointer"] for error in problem["errors"]] == [where]


def test_instructions_may_have_several_lines(world: World) -> None:
    assert world.order(instructions="Ring.\n\tThen wait.")["instructions"] == "Ring.\n\tThen wait."


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=²", 422),
        ("limit=0", 422),
        ("limit=201", 422),
        (f"limit={2**70}", 422),
        ("limit=", 422),
        ("after=x", 422),
        ("after=%00", 422),
        ("ref=%00", 422),
        ("ref=a&ref=b", 422),
        ("ref=" + "x" * 300, 422),
        ("status=lost", 422),
        ("colour=red", 422),
        ("source=%FF", 200),
    ],
)
def test_odd_queries_never_break_the_list(world: World, query: str, status: int) -> None:
    assert world.call("GET", f"{ORDERS}?{query}").status_code == status


@pytest.mark.parametrize("order_id", ["1", str(2**70), "%00", "..", "x" * 36, "0" * 36, "²"])
def test_ids_that_cannot_be_are_not_found(world: World, order_id: str) -> None:
    is_problem(world.call("GET", f"{ORDERS}/{order_id}"), 404)


def test_every_kind_of_refusal_is_a_problem(world: World) -> None:
    headers = {"Authorization": f"Bearer {world.key}"}
    is_problem(world.client.get("/api/v1/nothing"), 404)
    wrong = world.client.delete(ORDERS, headers=headers)
    is_problem(wrong, 405)
    assert "POST" in wrong.headers["Allow"]
    big = b'"' + b"x" * (2 * 1024 * 1024) + b'"'
    is_problem(
        world.client.post(ORDERS, data=big, headers=headers, content_type="application/json"), 413
    )
    for odd in ("text/plain", "application/json; charset=utf-16"):
        is_problem(world.client.post(ORDERS, data=b"{}", headers=headers, content_type=odd), 415)
    is_problem(world.call("POST", ORDERS, an_order(), once="x" * 256), 400)
    with world.hub.unit() as unit:
        unit.session.connection().exec_driver_sql("DROP TABLE idempotency")
    problem = is_problem(world.call("POST", ORDERS, an_order(), once="x"), 500)
    assert "idempotency" not in problem["detail"]


def test_the_description_is_valid_openapi_and_names_every_route(world: World) -> None:
    described = world.client.get("/api/openapi.json").get_json()
    validate(described)
    rules = {
        (rule.rule.replace("row_id:", "").replace("<", "{").replace(">", "}"), method.lower())
        for rule in world.client.application.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert rules == {
        (path, method)
        for path, calls in described["paths"].items()
        for method in calls
        if method != "parameters"
    }
    shape = described["components"]["schemas"]["OrderIn"]
    assert shape["additionalProperties"] is False
    assert shape["properties"]["ref"]["maxLength"] == 200


def test_the_page_for_people_shows_every_call_without_scripts(world: World) -> None:
    page = world.client.get("/api/docs")
    assert page.status_code == 200
    assert "/api/v1/orders/{order_id}/cancel" in page.text
    assert "<script" not in page.text


@pytest.mark.parametrize("address", [{"country": "FI"}, {"lines": [" "]}, {"lines": []}])
def test_an_address_that_says_nowhere_is_refused_at_its_field(
    world: World, address: dict[str, object]
) -> None:
    sent = {**an_order("1"), "address": address}
    sent.pop("point", None)
    problem = is_problem(world.call("POST", ORDERS, sent), 422)
    assert "address or a point" in problem["errors"][0]["detail"]
    assert world.count() == 0


def test_an_order_for_a_day_long_over_is_refused_at_its_day(world: World) -> None:
    """It was taken, planned and promised for today."""
    order = an_order("1", windows=[], due_on="2020-01-01")
    problem = is_problem(world.call("POST", ORDERS, [an_order("2"), order]), 422)
    assert problem["errors"][0]["pointer"] == "/1/due_on"
    assert "2020-01-01 is more than 7 days ago" in problem["errors"][0]["detail"]
    past = [{"opens": "2020-01-01T10:00:00Z", "closes": "2020-01-01T12:00:00Z"}]
    problem = is_problem(world.call("POST", ORDERS, an_order("1", windows=past)), 422)
    assert problem["errors"][0]["pointer"] == "/windows"
    assert world.count() == 0


def test_an_order_that_is_some_days_late_is_taken(world: World) -> None:
    assert world.order("1", windows=[], due_on="2026-11-16")["jobs"][0]["due_on"] == "2026-11-16"


def test_an_order_is_not_put_off_to_a_day_long_over(world: World) -> None:
    path = f"{ORDERS}/{world.order(windows=[])['id']}"
    problem = is_problem(world.call("PATCH", path, {"due_on": "2020-01-01"}), 422)
    assert problem["errors"][0]["pointer"] == "/due_on"
    assert world.call("GET", path).get_json()["jobs"][0]["due_on"] is None


def test_an_old_order_may_be_sent_again_with_the_day_it_had(world: World) -> None:
    with world.hub.unit() as unit:
        source = connection_ids(unit.session, world.business)["api"]
    old = OrderIn.model_validate_json(json.dumps(an_order("1", windows=[], due_on="2020-01-01")))
    store_all(world.hub, world.business, source, [old.value("FI", NOON)])
    again = an_order("1", windows=[], due_on="2020-01-01", instructions="Ring twice")
    assert world.call("POST", ORDERS, again).get_json()["amended"] == 1


def test_a_wrong_key_is_told_from_a_missing_one(world: World) -> None:
    missing = is_problem(world.client.get(ORDERS), 401)
    assert missing["detail"] == "Send `Authorization: Bearer <key>`."
    wrong = is_problem(world.call("GET", ORDERS, key="lmh_wrong"), 401)
    assert "not known, or it was revoked" in wrong["detail"]


def test_an_address_the_api_does_not_have_is_told_in_our_words(world: World) -> None:
    problem = is_problem(world.client.get("/api/v1/nothing"), 404)
    assert problem["detail"] == "There is nothing at this address. /api/docs lists what there is."


def test_every_problem_names_a_part_of_the_documentation_that_is_there(world: World) -> None:
    docs = world.client.get("/api/docs").text
    for status in (400, 401, 403, 404, 405, 409, 413, 415, 422, 500):
        assert f'id="status-{status}"' in docs
    problem = is_problem(world.client.get("/api/v1/nothing"), 404)
    assert problem["type"] == "/api/docs#status-404"


def test_the_documentation_says_in_words_what_each_field_takes(world: World) -> None:
    docs = world.client.get("/api/docs").text
    words = (
        "deliver, collect or serve", "text, up to 200 characters", "whole number, 0 to 9",
        "open or cancelled", "PATCH", "opens", "-X POST",
    )  # fmt: skip
    assert [word for word in words if word not in docs] == []
    assert "additionalProperties" not in docs and "anyOf" not in docs


def test_an_order_names_a_brand_of_its_business_and_no_other(world: World) -> None:
    add_brand(world.hub, world.business, "Rye & Co", actor="staff:1")
    add_brand(world.hub, world.other, "Theirs", actor="staff:1")
    order = world.order(brand="rye-co")
    assert order["brand"] == "rye-co"
    for brand in ("theirs", "nobody"):
        refused = world.call("POST", ORDERS, [an_order("2", brand=brand)])
        assert refused.status_code == 422
        assert "/0/brand" in refused.text and "there is no such brand" in refused.text
        patched = world.call("PATCH", f"{ORDERS}/{order['id']}", {"brand": brand})
        assert patched.status_code == 422 and "there is no such brand" in patched.text
    changed = world.call("PATCH", f"{ORDERS}/{order['id']}", {"brand": "Husk"})
    assert changed.status_code == 200 and changed.get_json()["brand"] == "Husk"

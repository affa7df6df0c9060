"""What was sent to an endpoint and what it answered, seen and sent again over the API."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from tests.web.test_api_webhooks import AT, URL, Api
from tests.webhook_worlds import ERP, a_world


@pytest.fixture
def api() -> Api:
    api = Api(a_world())
    made = api.made()
    api.world.endpoint_id = made["id"]
    return api


def sent(api: Api) -> str:
    return f"{AT}/{api.world.endpoint_id}/webhooks"


def test_the_log_shows_body_and_answer_and_what_waits_is_sent_now(api: Api) -> None:
    api.world.receiver.be(500, "the shelf is full")
    api.world.order("R1")
    api.world.work()
    [seen] = api.call("GET", f"{sent(api)}?status=waiting").get_json()["webhooks"]
    assert (seen["type"], seen["status"], seen["attempts"]) == ("order.placed", "waiting", 1)
    assert seen["next_attempt_at"] > "2026-11-23T06:00:00Z"
    one = api.call("GET", f"{sent(api)}/{seen['id']}").get_json()
    assert {name: one[name] for name in seen} == seen
    [call] = api.world.receiver.calls
    assert one["body"].encode() == call.body
    assert json.loads(one["body"])["data"]["order"]["ref"] == "R1"
    [attempt] = one["log"]
    assert (attempt["status"], attempt["answer"]) == (500, "the shelf is full")

    api.world.receiver.be(200)
    assert api.world.work() == 0
    now = api.call("POST", f"{sent(api)}/{seen['id']}/send", once="k")
    assert (now.status_code, now.get_json()["attempts"]) == (200, 1)
    again = api.call("POST", f"{sent(api)}/{seen['id']}/send")
    assert (again.status_code, "on its way" in again.get_json()["detail"]) == (409, True)
    api.world.work()
    [seen] = api.call("GET", f"{sent(api)}?status=delivered").get_json()["webhooks"]
    assert (seen["status"], seen["next_attempt_at"]) == ("delivered", None)
    assert [call.key for call in api.world.receiver.calls] == [seen["id"]] * 2


def test_what_was_given_up_is_sent_again_since_a_moment_or_one_by_one(api: Api) -> None:
    api.world.receiver.be(410)
    api.world.order("R1", "R2")
    api.world.work()
    asked = {"since": "2026-11-23T06:00:00Z"}
    off = api.call("POST", f"{sent(api)}/send", asked)
    assert (off.status_code, "switched off" in off.get_json()["detail"]) == (409, True)
    api.call("PATCH", f"{AT}/{api.world.endpoint_id}", {"active": True})
    later = api.call("POST", f"{sent(api)}/send", {"since": "2026-11-23T07:00:00Z"})
    assert later.get_json() == {"sent": 0}
    api.world.receiver.be(200)
    first, second = (
        api.call("POST", f"{sent(api)}/send", asked, once="k").get_json() for _ in range(2)
    )
    assert first == second == {"sent": 2}
    api.world.work()
    listed = api.call("GET", f"{sent(api)}?limit=1").get_json()
    rest = api.call("GET", f"{sent(api)}?limit=1&after={listed['next']}").get_json()
    assert rest["next"] is None
    both = [*listed["webhooks"], *rest["webhooks"]]
    assert [one["status"] for one in both] == ["delivered"] * 2
    assert both[0]["id"] > both[1]["id"]
    assert api.call("POST", f"{sent(api)}/{both[0]['id']}/send").get_json()["status"] == "waiting"
    assert api.world.work() == 1


def test_nobody_sees_or_sends_what_went_to_another_endpoint_or_business(api: Api) -> None:
    api.world.order("R1")
    api.world.work()
    [one] = api.call("GET", sent(api)).get_json()["webhooks"]
    mine = sent(api)
    api.world.endpoint_id = api.made(url=f"{ERP}/other")["id"]
    assert api.call("GET", sent(api)).get_json() == {"webhooks": [], "next": None}
    other = Api(a_world())
    other.world.endpoint_id = other.made()["id"]
    foreign = (f"{mine}/{one['id']}", f"{sent(other)}/{one['id']}")
    for asking, paths in ((api, (f"{sent(api)}/{one['id']}",)), (other, foreign)):
        for path in paths:
            assert asking.call("GET", path).status_code == 404
            assert asking.call("POST", f"{path}/send").status_code == 404
    assert other.call("GET", mine).status_code == 404
    assert other.call("POST", f"{mine}/send", {"since": "2026-11-23T06:00Z"}).status_code == 404
    assert api.world.work() == 0


@pytest.mark.parametrize(
    "asked", ["?status=dead", "?limit=0", "?after=yesterday", "?before=2026-11-23"]
)
def test_what_cannot_be_asked_is_refused(api: Api, asked: str) -> None:
    assert api.call("GET", sent(api) + asked).status_code == 422
    assert api.call("POST", f"{sent(api)}/send", {"since": "2026-11-23T06:00"}).status_code == 422


def test_what_is_answered_has_the_schema_that_is_documented(api: Api) -> None:
    document = api.client.get("/api/openapi.json").get_json()
    api.world.order("R1")
    api.world.work()
    listed = api.call("GET", sent(api)).get_json()
    one = api.call("GET", f"{sent(api)}/{listed['webhooks'][0]['id']}").get_json()
    for shape, told in (("WebhooksOut", listed), ("WebhookSeenOut", one)):
        schema = {
            "$ref": f"#/components/schemas/{shape}",
            "components": document["components"],
        }
        Draft202012Validator(schema).validate(told)
        assert set(document["components"]["schemas"][shape]["properties"]) == set(told)


def test_a_test_is_in_the_log_and_not_sent_again(api: Api) -> None:
    assert api.call("POST", f"{AT}/{api.world.endpoint_id}/test").get_json()["delivered"]
    [one] = api.call("GET", sent(api)).get_json()["webhooks"]
    assert one["type"] == "endpoint.test"
    assert api.call("POST", f"{sent(api)}/{one['id']}/send").status_code == 409
    assert URL in api.call("GET", AT).text

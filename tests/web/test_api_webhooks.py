"""Endpoints over the API: made once, secret shown once, and nobody's but one's own."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_core import OpenAPI
from sqlmodel import select
from standardwebhooks import Webhook
from werkzeug.test import TestResponse

from hub import backup
from hub.app import Hub
from hub.core.webhook_types import TYPES
from hub.db.migrate import migrate
from hub.db.tables import IdempotencyRow
from hub.flows.api_keys import make_key
from hub.flows.endpoints import MOST
from hub.flows.found import found
from hub.settings import Settings
from hub.web.app import create_app
from tests.webhook_worlds import ERP, URL, World, a_world

AT = "/api/v1/webhook-endpoints"
BOTH = ("webhooks:read", "webhooks:write")


class Api:
    def __init__(self, world: World) -> None:
        self.world = world
        self.client: FlaskClient = create_app(world.hub).test_client()
        self.key = make_key(world.hub, world.business_id, "ERP", BOTH)[1]

    def call(self, method: str, path: str, body: Any = None, once: str = "") -> TestResponse:
        headers = {"Authorization": f"Bearer {self.key}"}
        if once:
            headers["Idempotency-Key"] = once
        more = {} if body is None else {"json": body}
        return self.client.open(path, method=method, headers=headers, **more)

    def made(self, **more: Any) -> dict[str, Any]:
        answer = self.call("POST", AT, {"url": URL, **more})
        assert answer.status_code == 201, answer.text
        found_one: dict[str, Any] = answer.get_json()
        return found_one


@pytest.fixture
def api() -> Api:
    return Api(a_world())


def test_what_is_made_over_the_api_is_told_and_verifies(api: Api) -> None:
    made = api.made(description="ERP")
    assert made["types"] == list(TYPES)
    api.world.order("R1")
    api.world.work()
    [call] = api.world.receiver.calls
    signed = Webhook(made["secret"]).sign(call.key, api.world.now[0], call.body.decode())
    assert call.headers["webhook-signature"] == signed
    seen = api.call("GET", f"{AT}/{made['id']}").get_json()
    assert seen == {name: value for name, value in made.items() if name != "secret"}
    assert api.call("GET", AT).get_json() == {"endpoints": [seen]}


def test_the_order_a_webhook_names_can_be_asked_for(api: Api) -> None:
    api.made()
    api.world.order("R1")
    api.world.work()

    order_id = json.loads(api.world.receiver.calls[0].body)["data"]["order"]["id"]
    reads = make_key(api.world.hub, api.world.business_id, "reads", ["orders:read"])[1]
    headers = {"Authorization": f"Bearer {reads}"}
    order = api.client.get(f"/api/v1/orders/{order_id}", headers=headers).get_json()
    assert order["ref"] == "R1"


def test_made_again_with_the_same_key_it_is_the_same_one_without_its_secret(api: Api) -> None:
    first, second = (api.call("POST", AT, {"url": URL}, once="k") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    secret = first.get_json()["secret"]
    assert second.get_json() == first.get_json() | {"secret": None}
    with api.world.hub.reading() as session:
        assert secret not in str(session.exec(select(IdempotencyRow)).all())


@pytest.mark.parametrize(
    ("given", "field", "why"),
    [
        ({"url": "https://127.0.0.1/"}, "/url", "private network"),
        ({"url": "http://93.184.215.14/"}, "/url", "must begin with https"),
        ({"url": URL, "types": []}, "/types", "at least 1"),
        ({"url": URL, "types": ["order.eaten"]}, "/types/0", "Input should be"),
        ({"url": URL, "secret": "whsec_mine"}, "/secret", "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused_at_its_field(
    api: Api, given: dict[str, Any], field: str, why: str
) -> None:
    answer = api.call("POST", AT, given)
    assert answer.status_code == 422
    [error] = answer.get_json()["errors"]
    assert error["pointer"] == field
    assert why in error["detail"]
    assert api.call("GET", AT).get_json() == {"endpoints": []}


def test_a_repeat_gets_the_first_answer_where_the_address_would_be_refused_by_now(
    api: Api,
) -> None:
    url, hub = "http://127.0.0.1:8710/", api.world.hub
    hub.settings, usual = replace(hub.settings, http_allow=("127.0.0.1:8710",)), hub.settings
    first = api.call("POST", AT, {"url": url}, once="k")
    at = f"{AT}/{first.get_json()['id']}"
    moved = api.call("PATCH", at, {"url": f"{url}new"}, once="m")
    hub.settings = usual
    again = api.call("POST", AT, {"url": url}, once="k")
    assert (again.status_code, again.get_json()["id"]) == (201, first.get_json()["id"])
    assert api.call("PATCH", at, {"url": f"{url}new"}, once="m").get_json() == moved.get_json()
    assert api.call("POST", AT, {"url": url}, once="other").status_code == 422
    assert api.call("POST", AT, {"url": URL}, once="other").status_code == 201  # no key is spent


def test_an_endpoint_is_changed_switched_and_removed(api: Api) -> None:
    at = f"{AT}/{api.made()['id']}"
    changed = api.call("PATCH", at, {"url": f"{ERP}/new", "active": False}).get_json()
    assert (changed["url"], changed["state"]) == (f"{ERP}/new", "off")
    assert changed["types"] == list(TYPES)
    assert api.call("PATCH", at, {"active": True}).get_json()["state"] == "on"
    assert api.call("PATCH", at, {"url": "https://10.0.0.1/"}).status_code == 422
    assert api.call("DELETE", at, once="k").get_json()["url"] == f"{ERP}/new"
    assert api.call("DELETE", at, once="k").status_code == 200  # the answer that is kept
    assert api.call("GET", at).status_code == 404


def test_a_new_secret_and_a_test(api: Api) -> None:
    made = api.made()
    renewed = api.call("POST", f"{AT}/{made['id']}/secret").get_json()
    assert renewed["secret"].startswith("whsec_")
    assert renewed["old_signs_until"] == "2026-11-24T06:00:00Z"
    api.world.receiver.be(500, "no")
    tried = api.call("POST", f"{AT}/{made['id']}/test").get_json()
    assert (tried["delivered"], tried["status"], tried["answer"]) == (False, 500, "no")
    [call] = api.world.receiver.calls
    for secret in (renewed["secret"], made["secret"]):
        assert Webhook(secret).verify(call.body, call.headers)["type"] == "endpoint.test"


def test_there_is_an_end_to_endpoints(api: Api) -> None:
    for n in range(MOST):
        api.made(url=f"{URL}/{n}")
    answer = api.call("POST", AT, {"url": URL})
    assert answer.status_code == 409
    assert "Remove one" in answer.get_json()["detail"]


def test_an_address_is_told_once_however_often_it_is_sent(api: Api) -> None:
    api.made()
    answer = api.call("POST", AT, {"url": URL})
    assert answer.status_code == 409
    assert "has this address already" in answer.get_json()["detail"]


def test_a_key_without_the_scope_opens_nothing(api: Api) -> None:
    made = api.made()
    about = (api.world.hub, api.world.business_id)
    api.key = make_key(*about, "orders", ["orders:read", "orders:write"])[1]
    assert api.call("GET", AT).status_code == 403
    api.key = make_key(*about, "reads", ["webhooks:read"])[1]
    assert api.call("GET", AT).status_code == 200
    assert api.call("POST", AT, {"url": URL}).status_code == 403
    assert api.call("POST", f"{AT}/{made['id']}/test").status_code == 403


def test_what_is_sent_has_the_schema_that_is_documented(api: Api) -> None:
    """By an independent reader of the document."""
    document = api.client.get("/api/openapi.json").get_json()
    assert set(document["webhooks"]) == {*TYPES, "endpoint.test"}
    OpenAPI.from_dict(document)

    api.made()
    api.world.order("R1")
    api.world.work()

    body = json.loads(api.world.receiver.calls[0].body)
    content = document["webhooks"][body["type"]]["post"]["requestBody"]["content"]
    schema = content["application/json"]["schema"] | {"components": document["components"]}
    Draft202012Validator(schema).validate(body)
    assert not Draft202012Validator(schema).is_valid(body | {"data": {"order": {"id": "x"}}})


def test_a_backup_holds_no_secret_of_an_endpoint(tmp_path: Path) -> None:
    settings = replace(
        Settings.from_environment({}),
        data_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'hub.db'}",
    )
    hub = Hub.from_settings(settings)
    migrate(hub.engine)
    world = World(hub, found(hub, "Husk", zone="UTC"), a_world().receiver, [])
    api = Api(world)
    secrets = [api.call("POST", AT, {"url": URL}, once="k").get_json()["secret"]]
    [one] = api.call("GET", AT).get_json()["endpoints"]
    secrets.append(api.call("POST", f"{AT}/{one['id']}/secret", once="l").get_json()["secret"])
    backup.back_up(settings, tmp_path / "backup.tar.gz")
    with tarfile.open(tmp_path / "backup.tar.gz") as archive:
        database = archive.extractfile("hub.db")
        assert database is not None
        content = database.read()
    assert one["id"].encode() in content
    assert not [secret for secret in secrets if secret.encode() in content]

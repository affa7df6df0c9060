"""Connecting a shop: what is stored works, what is secret stays so, and leaving leaves nothing."""

from __future__ import annotations

from dataclasses import replace

import hub_bakehouse
import pytest
from cryptography.fernet import Fernet
from fake_bakehouse import FakeBakehouse
from pydantic import BaseModel, Field, HttpUrl, SecretStr, ValidationError

from hub import HandsOverKeys, OrderSource, Way, WebhookRequest, hookimpl
from hub.core.errors import AuthError, ConfigError
from hub.db.tables import ConnectionRow, OrderRow, SecretRow
from hub.flows.approvals import keys_came
from hub.flows.connect import connect
from hub.flows.connected import HOOK, HOOK_SECRET, listener_of, provider_of
from hub.flows.disconnect import disconnect
from hub.flows.found import found
from hub.flows.one_shop import AlreadyConnected
from hub.flows.pull import pull_due
from hub.flows.rings import mend_webhooks
from hub.flows.tokens import ConnectionTokens
from hub.testing import WsgiAdapter
from tests.connected_worlds import MONDAY, Connected, a_shop


@pytest.fixture
def world() -> Connected:
    return a_shop()


def shops(world: Connected) -> list[ConnectionRow]:
    return [row for row in world.rows(ConnectionRow) if row.plugin == "bakehouse"]


def test_what_does_not_work_is_not_stored(world: Connected) -> None:
    with pytest.raises(AuthError):
        world.connect(token="mistyped")
    with pytest.raises(ValidationError):
        world.connect(url="no address")
    assert shops(world) == []
    assert world.rows(SecretRow) == []


def test_a_connection_is_ready_and_its_secrets_are_sealed(world: Connected) -> None:
    world.connect()
    row = world.row()
    assert (row.state, row.slug, row.title, row.due_at) == ("ok", "bakehouse", "Bakehouse", MONDAY)
    assert world.shop.secret not in str(row.settings)
    assert {one.name for one in world.rows(SecretRow)} == {"token", HOOK, HOOK_SECRET}
    assert all(world.shop.secret not in one.sealed for one in world.rows(SecretRow))
    assert provider_of(world.hub, row).settings.token.get_secret_value() == world.shop.secret


def test_who_hears_webhooks_cannot_open_credentials(world: Connected) -> None:
    world.connect()
    listener = listener_of(world.hub, world.row())
    assert listener.settings.token.get_secret_value() != world.shop.secret
    assert listener.tools.tokens is None
    assert len(listener.tools.webhook_secret) == 40
    assert listener.tools.webhook_secret.isalnum()


def test_a_failed_change_leaves_what_worked(world: Connected) -> None:
    world.connect()
    with pytest.raises(AuthError):
        world.connect(token="mistyped")
    assert provider_of(world.hub, world.row()).settings.token.get_secret_value() == "tok-5ecret"
    assert world.row().state == "ok"


def test_what_was_sealed_under_a_lost_key_is_mended_by_typing_it_again(world: Connected) -> None:
    """Its form said "Enter it again", and said so again when it was entered."""
    world.connect()
    ConnectionTokens(world.hub, world.business_id, world.connection_id).replace({"a": "1"})
    hook = world.row().hook
    rings = {ring: (Fernet.generate_key().decode(),) for ring in world.hub.keys.rings}
    world.hub.keys = replace(world.hub.keys, rings=rings)
    pull_due(world.hub)
    assert "Enter it again" in world.row().last_error
    tokens = ConnectionTokens(world.hub, world.business_id, world.connection_id)
    assert tokens.load() == {}
    world.connect()
    assert (world.row().state, world.row().last_error) == ("ok", "")
    assert world.row().hook != hook
    assert {one.name for one in world.rows(SecretRow)} == {"token", HOOK, HOOK_SECRET}
    assert len(listener_of(world.hub, world.row()).tools.webhook_secret) == 40
    tokens.replace({"a": "2"})
    assert tokens.load() == {"a": "2"}
    world.later(hours=1)
    assert pull_due(world.hub) == 1
    assert world.row().state == "ok"


@pytest.mark.parametrize(("token", "words"), [("tok-5e…", "'…' in it"), ("tok\n5", "a line break")])
def test_a_key_that_was_copied_shortened_or_broken_is_told_at_its_field_and_not_sent(
    world: Connected, token: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=f"API token: .*{words}") as caught:
        world.connect(token=token)
    assert caught.value.field == "token"
    assert "tok" not in str(caught.value).replace("token", "")
    assert world.shop.asked == 0


def test_an_empty_secret_is_as_it_was_but_never_for_another_address(world: Connected) -> None:
    world.connect()
    world.connect(token="")
    assert provider_of(world.hub, world.row()).settings.token.get_secret_value() == "tok-5ecret"
    with pytest.raises(ConfigError, match="API token"):
        world.connect(token="", url="https://elsewhere.test/")


def test_a_second_shop_of_a_kind_has_a_name_of_its_own(world: Connected) -> None:
    world.connect()
    world.connection_id = ""
    another = FakeBakehouse()
    world.hub.tools.http.mount("https://another.test", WsgiAdapter(another.app))
    world.connect(url="https://another.test/")
    assert [(row.slug, row.title) for row in shops(world)] == [
        ("bakehouse", "Bakehouse"),
        ("bakehouse-2", "Bakehouse 2"),
    ]


def test_one_shop_is_connected_once_and_goes_on_with_its_orders(world: Connected) -> None:
    world.shop.put("R1", MONDAY)
    first = world.connect()
    pull_due(world.hub)
    world.connection_id = ""
    with pytest.raises(AlreadyConnected, match="a connection already, Bakehouse") as caught:
        world.connect()
    assert caught.value.connection_id == first
    disconnect(world.hub, world.business_id, first, actor="staff:1")
    world.shop.put("R2", MONDAY)
    assert world.connect() == first
    pull_due(world.hub)
    assert [row.id for row in shops(world)] == [first]
    assert sorted(row.ref for row in world.rows(OrderRow)) == ["R1", "R2"]


def test_disconnecting_removes_webhooks_and_secrets_and_keeps_orders(world: Connected) -> None:
    world.shop.put("R1", MONDAY)
    world.connect()
    pull_due(world.hub)
    world.shop.webhook = {"url": "https://hub.example/hooks/in/x", "secret": "x"}
    assert disconnect(world.hub, world.business_id, world.connection_id, actor="staff:1") == ""
    assert world.shop.webhook == {"url": ""}
    assert world.rows(SecretRow) == []
    assert (world.row().state, world.row().hook) == ("off", None)
    assert len(world.rows(OrderRow)) == 1
    world.later(days=1)
    assert pull_due(world.hub) == 0


def test_a_shop_that_is_away_is_left_all_the_same_and_that_is_said(world: Connected) -> None:
    world.connect()
    world.shop.be("down")
    told = disconnect(world.hub, world.business_id, world.connection_id, actor="staff:1")
    assert "Bakehouse" in told
    assert world.row().state == "off"


def test_a_connection_of_another_business_is_none(world: Connected) -> None:
    world.connect()
    other = found(world.hub, "Other", zone="UTC")
    with pytest.raises(LookupError):
        disconnect(world.hub, other, world.connection_id, actor="staff:1")
    with pytest.raises(LookupError):
        connect(world.hub, other, "bakehouse", {}, actor="x", connection_id=world.connection_id)
    assert world.row().state == "ok"


class Broken(hub_bakehouse.Bakehouse):
    """A plugin with a bug where it should leave, and another where it should be called."""

    key = "broken"

    def subscribe(self, url: str) -> str:
        raise ZeroDivisionError

    def unsubscribe(self) -> None:
        raise ZeroDivisionError


class HandsOver(hub_bakehouse.Bakehouse, HandsOverKeys):
    key = "hands"
    ways = (Way("button", "By a button", ("url",), "hand_over"),)

    class Settings(BaseModel):
        way: str = "button"
        url: HttpUrl = Field(title="Shop address")
        token: SecretStr = Field(SecretStr(""), title="API token")

    def approve_url(self, state: str, redirect: str, callback: str) -> str:
        return f"{self.settings.url}approve?callback={callback}"

    def keys(self, request: WebhookRequest) -> dict[str, str]:
        return {"token": request.body.decode()}


class Others:
    @hookimpl
    def hub_order_sources(self) -> list[type[OrderSource]]:
        return [Broken, HandsOver]


def test_a_plugin_with_a_bug_is_left_and_keeps_no_other_from_being_called() -> None:
    world = a_shop(plugins=(Others(),))
    given = {"url": "https://bakehouse.test/", "token": world.shop.secret}
    about = {"actor": "staff:1"}
    broken = connect(world.hub, world.business_id, "broken", given, **about).connection_id
    world.connect()
    object.__setattr__(world.hub.settings, "public_url", "https://hub.example")
    assert mend_webhooks(world.hub) == 2
    assert world.shop.webhook["url"].startswith("https://hub.example/hooks/in/")
    assert "remove the hub there" in disconnect(world.hub, world.business_id, broken, **about)
    assert [row.state for row in world.rows(ConnectionRow) if row.id == broken] == ["off"]


def test_keys_are_taken_once_and_nobody_replaces_them_later() -> None:
    world = a_shop(plugins=(Others(),))
    made = connect(
        world.hub, world.business_id, "hands", {"url": "https://bakehouse.test/"}, actor="staff:1"
    )
    state = made.approve_at.rpartition("/")[2]
    with pytest.raises(AuthError):
        keys_came(world.hub, "guessed", WebhookRequest({}, b"evil"))
    keys_came(world.hub, state, WebhookRequest({}, world.shop.secret.encode()))
    with pytest.raises(AuthError):
        keys_came(world.hub, state, WebhookRequest({}, b"evil"))
    world.connection_id = made.connection_id
    assert world.row().state == "ok"
    settings = provider_of(world.hub, world.row()).settings
    assert settings.token.get_secret_value() == world.shop.secret
